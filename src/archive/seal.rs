//! Sealing: hot segments are written anew, so that versions of one document share a dictionary.
//!
//! Nothing here changes the archive: segments that are not written to any more are read, and temporary files are made of them
//! and verified. [`crate::archive::writer::ArchiveWriter::take_over`] gives these their names and deletes what they replace.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::archive::catalog::Catalog;
use crate::archive::frame::{self, Dictionary, SealedCompressor};
use crate::archive::keys::random;
use crate::archive::segment::{
    self, Found, Location, Position, SEALED_FOLDER, SegmentId, SegmentReader,
};
use crate::archive::warc::{Record, RecordId, RecordWriter};
use crate::archive::{Error, Manifest, dictionary};
use crate::digest::{Digest, DigestHasher};
use crate::durable;
use crate::identity::DocId;

mod part;

use part::Part;

/// Segments that are to be sealed.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) archive: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) segments: Vec<(SegmentId, FileState)>,
    pub(super) now: Timestamp,
}

/// A file that must not change while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileState {
    inode: u64,
    pub(super) bytes: u64,
}

impl FileState {
    pub(super) fn of(path: &Path) -> io::Result<FileState> {
        let metadata = fs::metadata(path)?;
        Ok(FileState {
            inode: metadata.ino(),
            bytes: metadata.len(),
        })
    }
}

/// Sealed segments without names.
#[derive(Debug)]
pub struct Sealing {
    /// The segments that they replace.
    pub(super) replaced: Vec<(SegmentId, FileState)>,
    pub(super) files: Vec<SealedFile>,
    /// Segments that are left as they are, and why.
    pub refused: Vec<(SegmentId, String)>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct SealedFile {
    pub(super) segment: PathBuf,
    pub(super) dictionary: PathBuf,
    /// Of the whole segment.
    pub(super) digest: Digest,
    pub(super) bytes: u64,
    pub(super) moves: Vec<Move>,
}

/// The records of one leaf, from where to where; their segment is still to get its name.
#[derive(Debug)]
pub(super) struct Move {
    pub(super) leaf: u64,
    pub(super) records: Vec<(Piece, Location)>,
}

/// The records that one leaf stands for, in their order; the metadata record last.
#[derive(Debug, Clone)]
struct Item {
    leaf: u64,
    doc: DocId,
    /// Where its document is from, so that pages of one make come together.
    site: String,
    pieces: Vec<Piece>,
}

/// A record.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) at: Location,
    pub(super) kind: Kind,
    /// Of the block; of a revisit, of what it stands for.
    pub(super) content: Digest,
    /// Of the whole record.
    record: Digest,
    bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Raw,
    Revisit,
    Text,
    Metadata,
}

/// Seals what `plan` says, into temporary files. `go_on` is asked before each record and may let time pass; if it says no,
/// everything made so far is taken away again and there is nothing.
pub fn build(plan: &Plan, go_on: &mut dyn FnMut() -> bool) -> Result<Option<Sealing>, Error> {
    let catalog = Catalog::open_to_read(&plan.archive)?;
    let mut sealing = Sealing {
        replaced: Vec::new(),
        files: Vec::new(),
        refused: Vec::new(),
    };
    let mut items = Vec::new();
    for (segment, state) in &plan.segments {
        match scan(&plan.archive, *segment, &catalog, go_on)? {
            Scanned::Interrupted => return Ok(None),
            Scanned::Unfit(why) => sealing.refused.push((*segment, why)),
            Scanned::Items(found) => {
                items.extend(found);
                sealing.replaced.push((*segment, *state));
            }
        }
    }
    let folder = plan.archive.join(SEALED_FOLDER);
    durable::create_folders(&folder).map_err(|e| Error::io("make the folder", &folder, e))?;
    for (number, part) in part::parts(items).into_iter().enumerate() {
        let name = |end: &str| folder.join(format!(".sealing-{number}.{end}.tmp"));
        let (segment, dictionary) = (name("warc.zst"), name("dict.zst"));
        sealing.files.push(SealedFile {
            segment: segment.clone(),
            dictionary: dictionary.clone(),
            digest: Digest::of(b""),
            bytes: 0,
            moves: Vec::new(),
        });
        let written = write(plan, &sealing.replaced, &part, &segment, &dictionary, go_on);
        match written {
            Ok(Some((moves, bytes))) => {
                let digest = verify(&segment, &dictionary, &moves, go_on)?;
                let file = sealing.files.last_mut().expect("it was just pushed");
                (file.moves, file.bytes) = (moves, bytes);
                let Some(digest) = digest else {
                    return Ok(None);
                };
                file.digest = digest;
            }
            Ok(None) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(sealing))
}

/// What was not taken over is taken away.
impl Drop for Sealing {
    fn drop(&mut self) {
        for file in &self.files {
            // Whatever is left is taken away when the archive is opened to be written.
            drop(fs::remove_file(&file.segment));
            drop(fs::remove_file(&file.dictionary));
        }
    }
}

enum Scanned {
    Items(Vec<Item>),
    Unfit(String),
    Interrupted,
}

/// The records of a segment, each leaf's together, if every byte of it is accounted for.
fn scan(
    archive: &Path,
    segment: SegmentId,
    catalog: &Catalog,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Scanned, Error> {
    let mut items = Vec::new();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut site = String::new();
    for found in SegmentReader::open(archive, Position { segment, offset: 0 })? {
        if !go_on() {
            return Ok(Scanned::Interrupted);
        }
        let (at, bytes) = match found? {
            Found::Record { location, bytes } => (location, bytes),
            Found::Damaged { at, length, reason } => {
                let why = format!("{length} bytes at {at} are no record: {reason}");
                return Ok(Scanned::Unfit(why));
            }
        };
        let record = Record::parse(&bytes).expect("the reader parsed it");
        if record.kind() == "warcinfo" {
            continue;
        }
        let Some(piece) = piece(at, &bytes, &record) else {
            let why = format!("the record at {at} is not what its headers say");
            return Ok(Scanned::Unfit(why));
        };
        if let Some(uri) = record.header("WARC-Target-URI") {
            site = site_of(uri).to_owned();
        }
        let (kind, content) = (piece.kind, piece.content);
        pieces.push(piece);
        if kind != Kind::Metadata {
            continue;
        }
        match catalog.placed(&content)? {
            Some(placed) if placed.metadata == at => items.push(Item {
                leaf: placed.leaf,
                doc: placed.doc,
                site: std::mem::take(&mut site),
                pieces: std::mem::take(&mut pieces),
            }),
            _ => {
                let why = format!("the record at {at} is not the one that a leaf counts on");
                return Ok(Scanned::Unfit(why));
            }
        }
    }
    match pieces.first() {
        Some(piece) => {
            let why = format!("the record at {} belongs to no leaf", piece.at);
            Ok(Scanned::Unfit(why))
        }
        None => Ok(Scanned::Items(items)),
    }
}

/// A record as it is moved, if it is sound.
fn piece(at: Location, bytes: &[u8], record: &Record<'_>) -> Option<Piece> {
    let kind = match record.kind() {
        "resource" => Kind::Raw,
        "revisit" => Kind::Revisit,
        "conversion" => Kind::Text,
        "metadata" => Kind::Metadata,
        _ => return None,
    };
    let block = Digest::of(record.block);
    if record.digest("WARC-Block-Digest") != Some(block) {
        return None;
    }
    let content = match kind {
        Kind::Revisit => record.digest("WARC-Payload-Digest")?,
        _ => block,
    };
    Some(Piece {
        at,
        kind,
        content,
        record: Digest::of(bytes),
        bytes: bytes.len(),
    })
}

/// What stands before the path: scheme and host, or the name of an inbox.
fn site_of(uri: &str) -> &str {
    let start = uri.find("://").map_or(0, |at| at + 3);
    let end = uri[start..].find('/').map_or(uri.len(), |at| start + at);
    &uri[..end]
}

/// The bytes of a record, which must still be the same.
fn read(archive: &Path, piece: &Piece) -> Result<Vec<u8>, Error> {
    let bytes = segment::read(archive, piece.at)?;
    if Digest::of(&bytes) == piece.record {
        return Ok(bytes);
    }
    Err(Error::Record {
        doing: "read twice the same",
        path: segment::path(archive, piece.at.segment),
        offset: piece.at.offset,
        source: io::Error::other("the second time there are other bytes"),
    })
}

type Written = Option<(Vec<Move>, u64)>;

/// Writes a sealed segment and the second copy of its dictionary, and fsyncs both.
fn write(
    plan: &Plan,
    replaced: &[(SegmentId, FileState)],
    part: &Part,
    path: &Path,
    dictionary_path: &Path,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Written, Error> {
    let error = |source| Error::io("write sealed segment", path, source);
    let content = part.content(&|piece| read(&plan.archive, piece))?;
    let dictionary = dictionary::make(dictionary::id_from(random()), &content);
    let packed = frame::compress_tightly(&dictionary);
    drop(fs::remove_file(dictionary_path));
    durable::write_new(dictionary_path, &packed, super::MODE).map_err(error)?;
    drop(fs::remove_file(path));
    let mut file = BufWriter::new(File::create_new(path).map_err(error)?);
    let mut compressor = SealedCompressor::new(&dictionary);
    let mut offset = 0;
    let mut append = |bytes: &[u8]| {
        let at = (offset, bytes.len() as u64);
        offset += at.1;
        file.write_all(bytes).map_err(error).map(|()| at)
    };
    append(&dictionary::to_frame(&packed))?;
    append(&compressor.compress(&warcinfo(plan, replaced)))?;
    let mut moves = Vec::with_capacity(part.items.len());
    for item in &part.items {
        let mut records = Vec::with_capacity(item.pieces.len());
        for piece in &item.pieces {
            if !go_on() {
                return Ok(None);
            }
            let frame = compressor.compress(&read(&plan.archive, piece)?);
            let (offset, length) = append(&frame)?;
            let segment = piece.at.segment;
            let to = Location {
                segment,
                offset,
                length,
            };
            records.push((piece.clone(), to));
        }
        moves.push(Move {
            leaf: item.leaf,
            records,
        });
    }
    let file = file.into_inner().map_err(|e| error(e.into_error()))?;
    file.sync_all().map_err(error)?;
    Ok(Some((moves, offset)))
}

/// Reads every record back from the finished file, unpacks it with the dictionary that stands in that file, and compares it
/// with what it was; the second copy of the dictionary, too. The digest of the whole file.
fn verify(
    path: &Path,
    dictionary_path: &Path,
    moves: &[Move],
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Option<Digest>, Error> {
    let error = |source| Error::io("read back sealed segment", path, source);
    let wrong = |offset| Error::WrittenWrong {
        path: path.to_owned(),
        offset,
    };
    let file = File::open(path).map_err(error)?;
    let own = dictionary::read_own(&file).map_err(error)?;
    let copy = fs::read(dictionary_path).map_err(error)?;
    if frame::decompress(&copy, None).map_err(error)? != own {
        return Err(wrong(0));
    }
    let dictionary = Dictionary::new(&own).map_err(error)?;
    for (piece, to) in moves.iter().flat_map(|one| &one.records) {
        if !go_on() {
            return Ok(None);
        }
        let mut frame = vec![0; usize::try_from(to.length).expect("it was in memory")];
        file.read_exact_at(&mut frame, to.offset).map_err(error)?;
        let plain = frame::decompress(&frame, Some(&dictionary));
        if plain.map(|plain| Digest::of(&plain)).ok() != Some(piece.record) {
            return Err(wrong(to.offset));
        }
    }
    digest_of(&file).map(Some).map_err(error)
}

/// The digest of a file.
pub fn digest_of(mut file: &File) -> io::Result<Digest> {
    use std::io::{Read as _, Seek as _};
    file.rewind()?;
    let mut hasher = DigestHasher::default();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            length => hasher.update(&buffer[..length]),
        }
    }
}

/// The record that a sealed segment begins with. It says which segments are not there any more because of it.
fn warcinfo(plan: &Plan, replaced: &[(SegmentId, FileState)]) -> Vec<u8> {
    let numbers: Vec<String> = replaced
        .iter()
        .map(|(segment, _)| segment.number().to_string())
        .collect();
    let block = format!(
        "software: faircopy/{}\r\nformat: WARC File Format 1.1\r\n\
         conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n\
         isPartOf: {}\r\n{REPLACES}{}\r\n",
        env!("CARGO_PKG_VERSION"),
        plan.manifest.id,
        numbers.join(" "),
    );
    RecordWriter::new("warcinfo", &RecordId::new(random()), plan.now)
        .digest("WARC-Block-Digest", &Digest::of(block.as_bytes()))
        .finish(Some("application/warc-fields"), block)
        .parts()
        .concat()
}

/// The field of a sealed segment's `warcinfo` that names the numbers of the segments that it replaces.
const REPLACES: &str = "x-faircopy-replaces: ";

/// The numbers of the segments that a sealed one replaces, with others that were sealed together with it; none if that cannot
/// be read.
pub fn replaced_by(archive: &Path, segment: SegmentId) -> Vec<u32> {
    let start = Position { segment, offset: 0 };
    let first = SegmentReader::open(archive, start).ok();
    let Some(Ok(Found::Record { bytes, .. })) = first.and_then(|mut reader| reader.next()) else {
        return Vec::new();
    };
    let record = Record::parse(&bytes).expect("the reader parsed it");
    let block = String::from_utf8_lossy(record.block).into_owned();
    let numbers = block.lines().find_map(|line| line.strip_prefix(REPLACES));
    let numbers = numbers.unwrap_or_default().split(' ');
    numbers.filter_map(|number| number.parse().ok()).collect()
}

/// The whole-file digest of a sealed segment, beside it, in the form of `sha256sum`.
pub fn digest_path(archive: &Path, number: u32) -> PathBuf {
    archive
        .join(SEALED_FOLDER)
        .join(format!("{number:06}.sha256"))
}
