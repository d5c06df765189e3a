//! `Shelf`: an archive in a folder of its own, and captures to put into it.
#![allow(dead_code, unreachable_pub)] // Each test program takes the whole file and uses a part of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use faircopy::archive::capture::{Draft, Prepared, prepare};
use faircopy::archive::reader::Archive;
use faircopy::archive::recovery::Recovery;
use faircopy::archive::segment::{self, Found, Position, SegmentReader};
use faircopy::archive::writer::{ArchiveWriter, Options, Step};
use faircopy::archive::{self, Paths};
use faircopy::article::{Article, Block, BlockKind, canonical_text};
use faircopy::check;
use faircopy::check::problem::Problem;
use faircopy::digest::Digest;
use faircopy::document::{CharsetEvidence, Decoding, Format};
use faircopy::identity::{Archived, DocId, identify};
use faircopy::ledger::{Class, Ledger, Span, Verdict};
use faircopy::submission::{ClaimId, Declared, Signature, Source};
use jiff::Timestamp;

pub fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("a time")
}

/// An archive in a folder of its own.
pub struct Shelf {
    pub folder: tempfile::TempDir,
    pub options: Options,
    /// So many claims were made.
    pub claims: u64,
}

impl Shelf {
    pub fn new() -> Shelf {
        // In memory, if there is such a place: what is tested is the order of steps, and a disk takes a minute for it.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Shelf::in_folder(folder.expect("temporary folder"))
    }

    /// One on a disk.
    pub fn new_on_disk() -> Shelf {
        Shelf::in_folder(tempfile::tempdir().expect("temporary folder"))
    }

    fn in_folder(folder: tempfile::TempDir) -> Shelf {
        let shelf = Shelf {
            folder,
            options: Options::default(),
            claims: 0,
        };
        archive::create(&shelf.paths(), now()).expect("created");
        shelf
    }

    pub fn paths(&self) -> Paths {
        let at = |name| self.folder.path().join(name);
        Paths {
            dir: at("archive"),
            keys: at("keys"),
            state: at("state"),
        }
    }

    pub fn dir(&self) -> PathBuf {
        self.paths().dir
    }

    pub fn open(&self) -> (ArchiveWriter, Recovery) {
        ArchiveWriter::open(self.paths(), self.options.clone()).expect("opened")
    }

    pub fn writer(&self) -> ArchiveWriter {
        self.open().0
    }

    pub fn reader(&self) -> Archive {
        Archive::open(&self.dir()).expect("opened")
    }

    /// A copy of it, with its keys: the folder, which goes when it is dropped, and where in it everything is.
    pub fn copied(&self) -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.expect("temporary folder");
        copy(self.folder.path(), folder.path());
        let at = |name| folder.path().join(name);
        let paths = Paths {
            dir: at("archive"),
            keys: at("keys"),
            state: at("state"),
        };
        (folder, paths)
    }

    /// Deletes the catalog.
    pub fn remove_catalog(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let file = format!("catalog.sqlite{suffix}");
            drop(fs::remove_file(self.dir().join(file)));
        }
    }

    pub fn claim(&mut self) -> ClaimId {
        self.claims += 1;
        ClaimId::new(self.claims, [0; 10])
    }

    /// A capture of the document at `path`: raw bytes, and the paragraphs that cleaning made of them.
    pub fn draft(&mut self, path: &str, raw: &str, paragraphs: &[&str]) -> Draft {
        let blocks: Vec<Block> = paragraphs
            .iter()
            .map(|text| Block {
                kind: BlockKind::Paragraph,
                level: 0,
                text: (*text).to_owned(),
            })
            .collect();
        let article = Article {
            title: Some("A headline".to_owned()),
            text: canonical_text(&blocks),
            blocks,
            ..Article::default()
        };
        let source = Source {
            root: "inbox".to_owned(),
            path: PathBuf::from(path),
        };
        let declared = Declared::default();
        let signature = Signature {
            device: 1,
            inode: self.claims,
            size: raw.len() as u64,
            mtime_ns: i128::from(u64::MAX),
            ctime_ns: -7,
        };
        Draft {
            claim: self.claim(),
            part: 0,
            signature: Some(signature),
            received_at: now(),
            identity: identify(&declared, &source, None),
            source,
            declared,
            raw: raw.as_bytes().to_vec(),
            media_type: "text/plain",
            digests: article.digests(Digest::of(raw.as_bytes())),
            ledger: ledger(raw),
            article,
            decoding: Decoding {
                format: Format::Text,
                layers: Vec::new(),
                charset: "UTF-8".to_owned(),
                charset_evidence: CharsetEvidence::Utf8,
                bom_bytes: 0,
                undecodable: Vec::new(),
                undecodable_count: 0,
            },
            rules: "test@sha256:0".to_owned(),
        }
    }

    pub fn prepared(&mut self, path: &str, raw: &str, paragraphs: &[&str]) -> Prepared {
        prepare(self.draft(path, raw, paragraphs))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for entry in fs::read_dir(from).expect("list") {
        let entry = entry.expect("entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}

/// Raw bytes, text and metadata block of each capture.
pub type Content = BTreeMap<(String, u32), (Vec<u8>, String, Vec<u8>)>;

/// Everything that can be read, which is all there is.
pub fn content(archive: &Archive) -> Content {
    let mut content = Content::new();
    for document in archive.documents().expect("listed") {
        for row in archive.captures(&document.doc).expect("listed") {
            archive.read_metadata(&row).expect("sound");
            let read = (
                archive.read_raw(&row).expect("sound"),
                archive.read_text(&row).expect("sound"),
                archive.read_metadata_block(&row).expect("sound"),
            );
            content.insert((row.doc.0.clone(), row.capture), read);
        }
    }
    content
}

/// What the segments hold, with the places; damage, too.
pub fn unpacked(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut records = Vec::new();
    for segment in segment::list(dir).expect("listed") {
        let start = Position { segment, offset: 0 };
        for found in SegmentReader::open(dir, start).expect("opened") {
            records.push(match found {
                Ok(Found::Record { location, bytes }) => (location.to_string(), bytes),
                Ok(Found::Damaged { reason, .. }) => (reason, Vec::new()),
                Err(error) => (error.to_string(), Vec::new()),
            });
        }
    }
    records
}

/// What `check` finds when it reads everything.
pub fn problems(dir: &Path) -> (Vec<Problem>, check::Report) {
    let options = check::Options {
        read_data: true,
        ..check::Options::default()
    };
    let mut problems = Vec::new();
    let report = check::check(dir, &options, &mut |problem| problems.push(problem));
    (problems, report.expect("checked"))
}

/// The steps of a commit, in their order.
pub const COMMIT_STEPS: [Step; 7] = [
    Step::Append,
    Step::SyncSegment,
    Step::ReadBack,
    Step::AppendLeaves,
    Step::ReplaceCheckpoint,
    Step::CopyCheckpoint,
    Step::CommitCatalog,
];

/// Some ledger; whether it fits the text is not the archive's business.
fn ledger(raw: &str) -> Ledger {
    let middle = raw.len() / 2;
    Ledger {
        spans: vec![
            span(0, middle, Verdict::Kept),
            put_in(middle, middle),
            span(middle, raw.len(), Verdict::Kept),
        ],
    }
}

/// A capture whose ledger accounts for its bytes: a line for each paragraph, and an advertisement behind them.
pub fn fitting(shelf: &mut Shelf, path: &str, paragraphs: &[&str], advertisement: &str) -> Draft {
    let raw = format!("{}\n{advertisement}", paragraphs.join("\n"));
    let mut spans = Vec::new();
    let mut at = 0;
    for paragraph in paragraphs {
        if at > 0 {
            spans.push(put_in(at, at + 1));
            at += 1;
        }
        spans.push(span(at, at + paragraph.len(), Verdict::Kept));
        at += paragraph.len();
    }
    spans.push(span(at, at + 1, Verdict::Kept));
    if !advertisement.is_empty() {
        spans.push(span(at + 1, raw.len(), Verdict::Removed));
    }
    Draft {
        ledger: Ledger { spans },
        ..shelf.draft(path, &raw, paragraphs)
    }
}

fn span(start: usize, end: usize, verdict: Verdict) -> Span {
    let class = match verdict {
        Verdict::Removed => Class::Promo,
        _ => Class::Body,
    };
    Span {
        start,
        end,
        verdict,
        class,
        rule: "test.rule".into(),
        reason: "it is a test".into(),
        becomes: None,
    }
}

/// A blank line between two paragraphs in place of what stood there.
fn put_in(start: usize, end: usize) -> Span {
    Span {
        becomes: Some("\n\n".to_owned()),
        ..span(start, end, Verdict::Rewritten)
    }
}

pub fn new_version(outcome: &Archived) -> (DocId, u32) {
    match outcome {
        Archived::New(_, version) => (version.doc.clone(), version.version),
        other => panic!("not a new version: {other:?}"),
    }
}
