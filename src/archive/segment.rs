//! Segments: files of records, one zstd frame each. Hot ones are appended to; sealed ones are written once, and their frames
//! need the dictionary that stands before them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::frame::{self, Dictionary, Extent};
use crate::archive::warc::Record;
use crate::archive::{Error, dictionary};
use crate::durable;

/// A record of the archive takes no more than this packed; what says otherwise is damaged.
const FRAME_BYTES_MAX: usize = 256 << 20;
/// So much is read at once.
const READ_BYTES: usize = 256 << 10;

/// The folder of hot segments, in the archive.
pub const FOLDER: &str = "segments";
/// The folder of sealed segments, in the archive.
pub const SEALED_FOLDER: &str = "sealed";

/// Which segment: numbers go up from 1 through both folders. Sealed ones come first, since they are the older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SegmentId {
    /// `sealed/000001.warc.zst`
    Sealed(u32),
    /// `segments/000001.warc.zst`
    Hot(u32),
}

impl SegmentId {
    /// Its number, from 1.
    pub fn number(self) -> u32 {
        match self {
            SegmentId::Sealed(number) | SegmentId::Hot(number) => number,
        }
    }

    /// The folder that it lies in.
    pub fn folder(self) -> &'static str {
        match self {
            SegmentId::Sealed(_) => SEALED_FOLDER,
            SegmentId::Hot(_) => FOLDER,
        }
    }
}

impl From<u32> for SegmentId {
    fn from(number: u32) -> SegmentId {
        SegmentId::Hot(number)
    }
}

/// `segments/000001.warc.zst`
impl std::fmt::Display for SegmentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.folder(), file_name(self.number()))
    }
}

/// Where a record's frame lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// The segment.
    pub segment: SegmentId,
    /// First byte of the frame.
    pub offset: u64,
    /// Length of the frame.
    pub length: u64,
}

impl Location {
    /// One past the last byte of the frame.
    pub fn end(&self) -> Position {
        Position {
            segment: self.segment,
            offset: self.offset + self.length,
        }
    }
}

/// `segments/000001.warc.zst@4096`
impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.segment, self.offset)
    }
}

/// A place between two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The segment.
    pub segment: SegmentId,
    /// Byte in it.
    pub offset: u64,
}

/// `segments/000001.warc.zst@4096`
impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.segment, self.offset)
    }
}

/// `000001.warc.zst`
pub fn file_name(number: u32) -> String {
    format!("{number:06}.warc.zst")
}

/// The file of a segment; a bare number is that of a hot one.
pub fn path(archive: &Path, segment: impl Into<SegmentId>) -> PathBuf {
    let segment = segment.into();
    archive
        .join(segment.folder())
        .join(file_name(segment.number()))
}

/// The segments that are there, sealed ones first, by their numbers. Other files in the folders are not ours and are left alone.
pub fn list(archive: &Path) -> Result<Vec<SegmentId>, Error> {
    let sealed = match list_folder(archive, SEALED_FOLDER) {
        // Before the first is sealed there is no such folder.
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Vec::new(),
        sealed => sealed?,
    };
    let hot = list_folder(archive, FOLDER)?.into_iter();
    let mut segments: Vec<SegmentId> = sealed.into_iter().map(SegmentId::Sealed).collect();
    segments.extend(hot.map(SegmentId::Hot));
    segments.sort_unstable();
    Ok(segments)
}

fn list_folder(archive: &Path, folder: &str) -> Result<Vec<u32>, Error> {
    let folder = archive.join(folder);
    let error = |source| Error::io("list the segments in", &folder, source);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(&folder).map_err(error)? {
        let name = entry.map_err(error)?.file_name();
        let number = name.to_str().and_then(|n| n.strip_suffix(".warc.zst"));
        let number = number.and_then(|n| n.parse().ok());
        numbers.extend(number.filter(|n| name.to_str() == Some(&file_name(*n))));
    }
    Ok(numbers)
}

/// The number after all that `segments` have.
pub fn next_number(segments: &[SegmentId]) -> u32 {
    let numbers = segments.iter().map(|segment| segment.number());
    numbers.max().unwrap_or(0) + 1
}

/// Reads and unpacks the record at `location`.
pub fn read(archive: &Path, location: Location) -> Result<Vec<u8>, Error> {
    let path = path(archive, location.segment);
    let error = |source| Error::Record {
        doing: "read",
        path: path.clone(),
        offset: location.offset,
        source,
    };
    let length = usize::try_from(location.length).unwrap_or(usize::MAX);
    if length > FRAME_BYTES_MAX {
        return Err(error(io::Error::other(
            "its length in the catalog is absurd",
        )));
    }
    let mut packed = vec![0; length];
    let file = File::open(&path).map_err(error)?;
    file.read_exact_at(&mut packed, location.offset)
        .map_err(error)?;
    let dictionary = match location.segment {
        SegmentId::Hot(_) => None,
        SegmentId::Sealed(_) => Some(dictionary::of(&path, &file)?),
    };
    frame::decompress(&packed, dictionary.as_deref()).map_err(error)
}

/// What stands at a place of a segment.
#[derive(Debug)]
pub enum Found {
    /// A record, whole and well formed.
    Record {
        /// Where.
        location: Location,
        /// Its bytes, to be read by [`Record::parse`].
        bytes: Vec<u8>,
    },
    /// Bytes that are no record; after them comes one, or the end.
    Damaged {
        /// Where they start.
        at: Position,
        /// How many they are.
        length: u64,
        /// What is wrong with them.
        reason: String,
    },
}

/// Reads a segment from front to back, past damage.
#[derive(Debug)]
pub struct SegmentReader {
    segment: SegmentId,
    path: PathBuf,
    file: File,
    /// Of a sealed segment; if that is lost, none of its frames is a record.
    dictionary: Option<Arc<Dictionary>>,
    /// What was read. From `start` on it is not given out yet: that byte stands at `offset` of the file.
    buffer: Vec<u8>,
    start: usize,
    offset: u64,
    at_end: bool,
    /// How long that is which was given out last: it ends at `start`.
    last: usize,
    /// What the next record is unpacked into.
    spare: Vec<u8>,
}

impl SegmentReader {
    /// Opens a segment at a place between two records; from the start of a sealed one, behind its dictionary.
    pub fn open(archive: &Path, from: Position) -> Result<SegmentReader, Error> {
        let path = path(archive, from.segment);
        let error = |source| Error::io("open segment", &path, source);
        let mut file = File::open(&path).map_err(error)?;
        let (mut dictionary, mut offset) = (None, from.offset);
        if let SegmentId::Sealed(_) = from.segment {
            dictionary = dictionary::of(&path, &file).ok();
            if offset == 0 {
                offset = dictionary::records_start(&path, &file);
            }
        }
        file.seek(SeekFrom::Start(offset)).map_err(error)?;
        Ok(SegmentReader {
            segment: from.segment,
            path,
            file,
            dictionary,
            buffer: Vec::new(),
            start: 0,
            offset,
            at_end: false,
            last: 0,
            spare: Vec::new(),
        })
    }

    /// A buffer to unpack the next record into: one that is large already saves asking for memory.
    pub fn reuse(&mut self, buffer: Vec<u8>) {
        self.spare = buffer;
    }

    /// The bytes of what was given out last: of a record, its frame.
    pub fn last_bytes(&self) -> &[u8] {
        &self.buffer[self.start - self.last..self.start]
    }

    fn read_next(&mut self) -> Result<Option<Found>, Error> {
        match self.frame_at(0)? {
            Frame::End => Ok(None),
            Frame::Record { length, bytes } => {
                let location = Location {
                    segment: self.segment,
                    offset: self.offset,
                    length: length as u64,
                };
                self.advance(length);
                Ok(Some(Found::Record { location, bytes }))
            }
            Frame::Bad(reason) => self.skip_damage(reason).map(Some),
        }
    }

    /// What was read and lies `start` bytes or more behind what was given out.
    fn rest(&self, start: usize) -> &[u8] {
        self.buffer.get(self.start + start..).unwrap_or_default()
    }

    /// What starts `start` bytes behind what was given out.
    fn frame_at(&mut self, start: usize) -> Result<Frame, Error> {
        loop {
            let rest = self.rest(start);
            match frame::extent(rest) {
                Extent::Whole(length) => {
                    let mut bytes = std::mem::take(&mut self.spare);
                    let frame = &self.rest(start)[..length];
                    let dictionary = self.dictionary.as_deref();
                    if let Err(error) = frame::decompress_into(frame, dictionary, &mut bytes) {
                        return Ok(Frame::Bad(error.to_string()));
                    }
                    return Ok(match Record::parse(&bytes) {
                        Ok(_) => Frame::Record { length, bytes },
                        Err(error) => Frame::Bad(error.to_string()),
                    });
                }
                Extent::NotAFrame => return Ok(Frame::Bad("no zstd frame starts here".into())),
                Extent::Unfinished if self.at_end && rest.is_empty() => return Ok(Frame::End),
                Extent::Unfinished if self.at_end || rest.len() > FRAME_BYTES_MAX => {
                    return Ok(Frame::Bad("zstd frame is torn".into()));
                }
                Extent::Unfinished => self.fill()?,
            }
        }
    }

    /// Looks for the next record behind bytes that are none.
    fn skip_damage(&mut self, reason: String) -> Result<Found, Error> {
        let at = Position {
            segment: self.segment,
            offset: self.offset,
        };
        let mut start = 1;
        let length = loop {
            let rest = self.rest(start);
            match memchr::memmem::find(rest, &frame::MAGIC) {
                Some(found) => {
                    start += found;
                    if let Frame::Record { .. } = self.frame_at(start)? {
                        break start;
                    }
                    start += 1;
                }
                None if self.at_end => break self.rest(0).len(),
                None => {
                    // The magic number may lie across the end of what was read.
                    start = start.max(self.rest(0).len().saturating_sub(frame::MAGIC.len() - 1));
                    self.fill()?;
                }
            }
        };
        self.advance(length);
        Ok(Found::Damaged {
            at,
            length: length as u64,
            reason,
        })
    }

    fn fill(&mut self) -> Result<(), Error> {
        self.buffer.drain(..self.start);
        (self.start, self.last) = (0, 0);
        // Twice as much each time: following a frame's blocks begins anew with each attempt.
        let more = self.buffer.len().max(READ_BYTES);
        let mut part = (&mut self.file).take(more as u64);
        let read = part.read_to_end(&mut self.buffer);
        let read = read.map_err(|source| Error::Record {
            doing: "read",
            path: self.path.clone(),
            offset: self.offset,
            source,
        })?;
        self.at_end = read == 0;
        Ok(())
    }

    fn advance(&mut self, length: usize) {
        self.start += length;
        self.last = length;
        self.offset += length as u64;
    }
}

/// The next record or stretch of damage; after an error of the system nothing more comes.
impl Iterator for SegmentReader {
    type Item = Result<Found, Error>;

    fn next(&mut self) -> Option<Result<Found, Error>> {
        let found = self.read_next();
        if found.is_err() {
            self.buffer.clear();
            (self.start, self.last) = (0, 0);
            self.at_end = true;
        }
        found.transpose()
    }
}

/// What stands at a place of the buffer.
enum Frame {
    Record { length: usize, bytes: Vec<u8> },
    Bad(String),
    End,
}

/// The segment that is written to. Bytes before `end` are committed and never change.
#[derive(Debug)]
pub struct SegmentWriter {
    segment: SegmentId,
    path: PathBuf,
    file: File,
    end: u64,
}

impl SegmentWriter {
    /// Opens a segment whose committed bytes end at `end`, or makes it.
    pub fn open(archive: &Path, end: Position) -> Result<SegmentWriter, Error> {
        let path = path(archive, end.segment);
        let open = || -> io::Result<File> {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            durable::sync_folder(durable::folder_of(&path))?;
            Ok(file)
        };
        let file = open().map_err(|source| Error::io("open segment", &path, source))?;
        Ok(SegmentWriter {
            segment: end.segment,
            path,
            file,
            end: end.offset,
        })
    }

    /// Where the next record goes.
    pub fn end(&self) -> Position {
        Position {
            segment: self.segment,
            offset: self.end,
        }
    }

    /// The segment's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `frames` behind the committed end; [`SegmentWriter::commit`] makes them part of it. Space is reserved before
    /// a byte is written, so that a full disk shows while nothing has changed.
    pub fn append(&mut self, frames: &[u8]) -> Result<(), Error> {
        let result = durable::reserve(&self.file, self.end, frames.len() as u64)
            .and_then(|()| self.file.write_all_at(frames, self.end));
        result.map_err(|source| Error::Record {
            doing: "append",
            path: self.path.clone(),
            offset: self.end,
            source,
        })
    }

    /// Fsyncs what was appended.
    pub fn sync(&self) -> Result<(), Error> {
        let doing = "fsync segment";
        self.file
            .sync_data()
            .map_err(|source| Error::io(doing, &self.path, source))
    }

    /// What was appended, to be read back from the file that has the segment's name now: should another one have taken its
    /// place, the bytes would be lost with the one that is open.
    pub fn appended(&self) -> Result<Appended<'_>, Error> {
        let file = File::open(&self.path);
        let file = file.map_err(|source| Error::io("open segment", &self.path, source))?;
        Ok(Appended {
            segment: self,
            file,
        })
    }

    /// The appended bytes are committed.
    pub fn commit(&mut self, length: u64) {
        self.end += length;
    }

    /// How many bytes lie behind the committed end: of a write that did not become a commit.
    pub fn tail_bytes(&self) -> Result<u64, Error> {
        let length = self.file.metadata();
        let length = length.map_err(|source| Error::io("examine segment", &self.path, source))?;
        Ok(length.len().saturating_sub(self.end))
    }

    /// Cuts them off, and says how many they were.
    pub fn cut(&self) -> Result<u64, Error> {
        let doing = "cut the unfinished tail of segment";
        let bytes = self.tail_bytes()?;
        // Even if there are none: space may be reserved behind the end.
        self.file
            .set_len(self.end)
            .and_then(|()| {
                if bytes > 0 {
                    self.file.sync_all()
                } else {
                    Ok(())
                }
            })
            .map_err(|source| Error::io(doing, &self.path, source))?;
        Ok(bytes)
    }
}

/// Bytes that were appended to a segment and are not committed yet.
pub struct Appended<'a> {
    segment: &'a SegmentWriter,
    file: File,
}

impl Appended<'_> {
    /// Reads the bytes in `range`, counted from the first appended one, into `buffer`.
    pub fn read(&self, range: Range<usize>, buffer: &mut Vec<u8>) -> Result<(), Error> {
        let offset = self.segment.end + range.start as u64;
        buffer.resize(range.len(), 0);
        let read = self.file.read_exact_at(buffer, offset);
        read.map_err(|source| Error::Record {
            doing: "read back",
            path: self.segment.path.clone(),
            offset,
            source,
        })
    }
}

/// Saves a copy of a segment's bytes from `from` on, as a file of its own.
pub fn copy_tail(archive: &Path, from: Position, to: &Path) -> Result<(), Error> {
    let path = path(archive, from.segment);
    let copy = || -> io::Result<()> {
        let mut source = File::open(&path)?;
        source.seek(SeekFrom::Start(from.offset))?;
        let mut target = OpenOptions::new().write(true).create_new(true).open(to)?;
        io::copy(&mut source, &mut target)?;
        target.flush()?;
        target.sync_all()
    };
    copy().map_err(|source| Error::io("copy the unfinished tail of segment", &path, source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::warc::{RecordId, RecordWriter};
    use jiff::Timestamp;

    fn record(fill: u8, length: usize) -> Vec<u8> {
        RecordWriter::new(
            "resource",
            &RecordId::new([fill; 16]),
            Timestamp::UNIX_EPOCH,
        )
        .finish(None, vec![fill; length])
        .parts()
        .concat()
    }

    fn archive() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::create_dir(folder.path().join(FOLDER)).expect("created");
        folder
    }

    const START: Position = Position {
        segment: SegmentId::Hot(1),
        offset: 0,
    };

    fn read_all(archive: &Path) -> Vec<Found> {
        let reader = SegmentReader::open(archive, START).expect("opened");
        reader.map(|found| found.expect("read")).collect()
    }

    #[test]
    fn records_are_found_again_in_order_and_by_location() {
        let archive = archive();
        let mut writer = SegmentWriter::open(archive.path(), START).expect("opened");
        let records = [record(1, 10), record(2, 0), record(3, 2_000_000)];
        for record in &records {
            let frame = frame::compress(&[record]);
            writer.append(&frame).expect("appended");
            writer.commit(frame.len() as u64);
        }
        let found = read_all(archive.path());
        assert_eq!(found.len(), 3);
        for (found, record) in found.iter().zip(&records) {
            let Found::Record { location, bytes } = found else {
                panic!("{found:?}");
            };
            assert_eq!(bytes, record);
            assert_eq!(&read(archive.path(), *location).expect("read"), record);
        }
        assert_eq!(list(archive.path()).expect("listed"), [SegmentId::Hot(1)]);
    }

    #[test]
    fn damage_costs_one_record_and_a_torn_tail_is_told() {
        let archive = archive();
        let frames: Vec<Vec<u8>> = (1..4)
            .map(|n| frame::compress(&[&record(n, 500)]))
            .collect();
        let second = frames[0].len();
        let whole = frames.concat();
        for at in second..second + frames[1].len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xFF;
            damaged.truncate(whole.len() - 1);
            fs::write(path(archive.path(), 1), &damaged).expect("written");
            let found = read_all(archive.path());
            assert!(
                matches!(found.first(), Some(Found::Record { .. })),
                "{at}: {found:?}"
            );
            let damage: u64 = found
                .iter()
                .map(|f| match f {
                    Found::Damaged { length, .. } => *length,
                    Found::Record { .. } => 0,
                })
                .sum();
            let torn = frames[2].len() as u64 - 1;
            assert_eq!(damage, frames[1].len() as u64 + torn, "{at}: {found:?}");
        }
    }
}
