//! Sealing: hot segments are written anew, so that versions of one document share a dictionary. In the same way any segments
//! are written anew without what is to be erased.
//!
//! Nothing here changes the archive: segments that are not written to any more are read, and temporary files are made of them
//! and verified. [`crate::archive::writer::ArchiveWriter::take_over`] gives these their names and deletes what they replace.

use std::collections::{BTreeSet, HashMap};
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
    /// Leaves whose records are left out.
    pub(super) erased: BTreeSet<u64>,
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
    /// Leaves whose records were left out, and the raw bytes among them.
    pub(super) erased: BTreeSet<u64>,
    pub(super) erased_raws: BTreeSet<Digest>,
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
    /// Its name.
    id: Option<String>,
    /// Of a revisit: the name of the record that has the bytes.
    target: Option<String>,
    /// Of the whole record.
    record: Digest,
    bytes: usize,
    change: Change,
}

/// How a record is changed when it is moved: other documents' revisits of raw bytes that are erased with their record.
#[derive(Debug, Clone)]
enum Change {
    None,
    /// It becomes a `resource` with the bytes that are still there.
    TakesOver(Location),
    /// It revisits this record instead: name, address, date.
    Revisits([String; 3]),
}

impl Piece {
    /// Where the raw bytes are that it has from now on.
    pub(super) fn raw_at(&self) -> Location {
        match self.change {
            Change::TakesOver(from) => from,
            _ => self.at,
        }
    }
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
        erased: plan.erased.clone(),
        erased_raws: BTreeSet::new(),
        refused: Vec::new(),
    };
    let mut items = Vec::new();
    let mut gone = Vec::new();
    let mut segments = plan.segments.clone();
    let mut next = 0;
    while let Some((segment, state)) = segments.get(next).copied() {
        next += 1;
        match scan(&plan.archive, segment, &catalog, go_on)? {
            Scanned::Interrupted => return Ok(None),
            Scanned::Unfit(why) => sealing.refused.push((segment, why)),
            Scanned::Items(found) => {
                let is_erased = |item: &Item| plan.erased.contains(&item.leaf);
                let (erased, kept): (Vec<Item>, Vec<Item>) = found.into_iter().partition(is_erased);
                items.extend(kept);
                sealing.replaced.push((segment, state));
                let pieces = erased.into_iter().flat_map(|item| item.pieces);
                let before = gone.len();
                gone.extend(pieces.filter(|piece| piece.kind == Kind::Raw));
                let raws: BTreeSet<Digest> = gone[before..].iter().map(|raw| raw.content).collect();
                let news = raws.difference(&sealing.erased_raws).copied().collect();
                add_sharing(plan, &catalog, &news, &mut segments)?;
                sealing.erased_raws.extend(news);
            }
        }
    }
    hand_on(&plan.archive, &catalog, &mut items, &gone)?;
    if sealing.replaced.is_empty() {
        return Ok(Some(sealing));
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

/// Adds the segments with other captures of raw bytes that are erased: they may name the record that has them.
fn add_sharing(
    plan: &Plan,
    catalog: &Catalog,
    raws: &BTreeSet<Digest>,
    segments: &mut Vec<(SegmentId, FileState)>,
) -> Result<(), Error> {
    for segment in catalog.segments_with(raws)? {
        if segments.iter().all(|(known, _)| *known != segment) {
            let path = segment::path(&plan.archive, segment);
            let state = FileState::of(&path);
            let state = state.map_err(|source| Error::io("examine segment", &path, source))?;
            segments.push((segment, state));
        }
    }
    Ok(())
}

/// Lets what revisits a record that is `gone` have its bytes elsewhere: of another record, if there is one; else the first such
/// revisit becomes one.
fn hand_on(
    archive: &Path,
    catalog: &Catalog,
    items: &mut [Item],
    gone: &[Piece],
) -> Result<(), Error> {
    items.sort_by_key(|item| item.leaf);
    let mut targets: HashMap<Digest, [String; 3]> = HashMap::new();
    for piece in items.iter_mut().flat_map(|item| &mut item.pieces) {
        let lost = gone.iter().find(|lost| lost.id == piece.target);
        let Some(lost) = lost.filter(|_| piece.target.is_some()) else {
            continue;
        };
        let bytes = segment::read(archive, piece.at)?;
        let record = Record::parse(&bytes).map_err(|_| changed(archive, piece))?;
        if let Some(target) = targets.get(&piece.content) {
            piece.change = Change::Revisits(target.clone());
            continue;
        }
        let elsewhere = catalog.raw(&piece.content)?;
        let target = match elsewhere.filter(|at| gone.iter().all(|lost| lost.at != *at)) {
            Some(at) => {
                let bytes = segment::read(archive, at)?;
                let target = Record::parse(&bytes).map_err(|_| changed(archive, piece))?;
                let target = target_of(&target);
                piece.change = Change::Revisits(target.clone());
                target
            }
            None => {
                piece.change = Change::TakesOver(lost.at);
                piece.kind = Kind::Raw;
                piece.bytes = lost.bytes;
                target_of(&record)
            }
        };
        targets.insert(piece.content, target);
    }
    Ok(())
}

/// What a revisit says of a record.
fn target_of(record: &Record<'_>) -> [String; 3] {
    ["WARC-Record-ID", "WARC-Target-URI", "WARC-Date"]
        .map(|name| record.header(name).unwrap_or_default().to_owned())
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
        match catalog.placed(at)? {
            Some(placed) if placed.metadata == content => items.push(Item {
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
        id: record.header("WARC-Record-ID").map(str::to_owned),
        target: match kind {
            Kind::Revisit => record.header("WARC-Refers-To").map(str::to_owned),
            _ => None,
        },
        change: Change::None,
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

/// The bytes of a record, which must still be the same, with the changes that it gets.
fn read(archive: &Path, piece: &Piece) -> Result<Vec<u8>, Error> {
    let bytes = segment::read(archive, piece.at)?;
    if Digest::of(&bytes) != piece.record {
        return Err(changed(archive, piece));
    }
    let record = Record::parse(&bytes).map_err(|_| changed(archive, piece))?;
    Ok(match &piece.change {
        Change::None => bytes,
        Change::TakesOver(from) => {
            let raw = segment::read(archive, *from)?;
            let raw = Record::parse(&raw).map_err(|_| changed(archive, piece))?;
            if Digest::of(raw.block) != piece.content {
                return Err(changed(archive, piece));
            }
            let digest = piece.content.to_string();
            let changes = [
                ("WARC-Type", Some("resource")),
                ("WARC-Block-Digest", Some(digest.as_str())),
                ("WARC-Profile", None),
                ("WARC-Refers-To", None),
                ("WARC-Refers-To-Target-URI", None),
                ("WARC-Refers-To-Date", None),
            ];
            record
                .changed(&changes, raw.block.to_vec())
                .parts()
                .concat()
        }
        Change::Revisits([id, uri, date]) => {
            let changes = [
                ("WARC-Refers-To", Some(id.as_str())),
                ("WARC-Refers-To-Target-URI", Some(uri.as_str())),
                ("WARC-Refers-To-Date", Some(date.as_str())),
            ];
            record.changed(&changes, Vec::new()).parts().concat()
        }
    })
}

fn changed(archive: &Path, piece: &Piece) -> Error {
    Error::Record {
        doing: "read twice the same",
        path: segment::path(archive, piece.at.segment),
        offset: piece.at.offset,
        source: io::Error::other("the second time there are other bytes"),
    }
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
    let warcinfo = warcinfo(plan, replaced);
    let mut content = part.content(&|piece| read(&plan.archive, piece))?;
    if content.is_empty() {
        // All there was is erased; a dictionary must not be empty.
        content.clone_from(&warcinfo);
    }
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
    append(&compressor.compress(&warcinfo))?;
    let mut moves = Vec::with_capacity(part.items.len());
    for item in &part.items {
        let mut records = Vec::with_capacity(item.pieces.len());
        for piece in &item.pieces {
            if !go_on() {
                return Ok(None);
            }
            let plain = read(&plan.archive, piece)?;
            let frame = compressor.compress(&plain);
            let (offset, length) = append(&frame)?;
            let segment = piece.at.segment;
            let to = Location {
                segment,
                offset,
                length,
            };
            let mut moved = piece.clone();
            moved.record = Digest::of(&plain);
            records.push((moved, to));
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
    let numbers: Vec<u32> = replaced.iter().map(|(one, _)| one.number()).collect();
    let mut former = Vec::new();
    for (segment, _) in replaced {
        if matches!(segment, SegmentId::Sealed(_)) {
            former.extend(replaced_by(&plan.archive, *segment).all());
        }
    }
    former.sort_unstable();
    former.dedup();
    let list = |numbers: &[u32]| {
        let words: Vec<String> = numbers.iter().map(u32::to_string).collect();
        words.join(" ")
    };
    let block = format!(
        "software: faircopy/{}\r\nformat: WARC File Format 1.1\r\n\
         conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n\
         isPartOf: {}\r\n{REPLACES}{}\r\n{REPLACED_BEFORE}{}\r\n",
        env!("CARGO_PKG_VERSION"),
        plan.manifest.id,
        list(&numbers),
        list(&former),
    );
    RecordWriter::new("warcinfo", &RecordId::new(random()), plan.now)
        .digest("WARC-Block-Digest", &Digest::of(block.as_bytes()))
        .finish(Some("application/warc-fields"), block)
        .parts()
        .concat()
}

/// The field of a sealed segment's `warcinfo` that names the numbers of the segments that it replaces.
const REPLACES: &str = "x-faircopy-replaces: ";

/// The same of segments that those replaced.
const REPLACED_BEFORE: &str = "x-faircopy-replaced-before: ";

/// Numbers of segments that are no more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Those that a sealed segment, with others that were sealed together with it, replaces.
    pub now: Vec<u32>,
    /// Those that these replaced in their time.
    pub formerly: Vec<u32>,
}

impl Replaced {
    /// All of them.
    pub fn all(self) -> impl Iterator<Item = u32> {
        self.now.into_iter().chain(self.formerly)
    }
}

/// Which segments a sealed one replaces; none if that cannot be read.
pub fn replaced_by(archive: &Path, segment: SegmentId) -> Replaced {
    let start = Position { segment, offset: 0 };
    let first = SegmentReader::open(archive, start).ok();
    let Some(Ok(Found::Record { bytes, .. })) = first.and_then(|mut reader| reader.next()) else {
        return Replaced::default();
    };
    let record = Record::parse(&bytes).expect("the reader parsed it");
    let block = String::from_utf8_lossy(record.block).into_owned();
    let numbers = |field| {
        let numbers = block.lines().find_map(|line| line.strip_prefix(field));
        let numbers = numbers.unwrap_or_default().split(' ');
        numbers.filter_map(|number| number.parse().ok()).collect()
    };
    Replaced {
        now: numbers(REPLACES),
        formerly: numbers(REPLACED_BEFORE),
    }
}

/// The whole-file digest of a sealed segment, beside it, in the form of `sha256sum`.
pub fn digest_path(archive: &Path, number: u32) -> PathBuf {
    archive
        .join(SEALED_FOLDER)
        .join(format!("{number:06}.sha256"))
}
