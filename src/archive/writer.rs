//! `ArchiveWriter`: the one that changes an archive, and the order in which it does.
//!
//! ```text
//! records appended, segment fsynced
//! read back, unpacked, compared
//! leaves appended to the log, its tiles fsynced
//! checkpoint replaced                               the point of no return, and the only point of success
//! checkpoint copied to the state folder
//! catalog transaction
//! ```
//!
//! After any failure the writer knows nothing any more but the disk: the next commit begins with the recovery that a start
//! begins with. What was committed is then in the catalog, what was not is cut off, and a claim that is handed in again is
//! recognised.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::archive::capture::{
    self, Prepared, RevisitTarget, metadata_record, revisit_record, target_uri,
};
use crate::archive::catalog::{CaptureRow, Catalog, Change, Counts, HighWater, NewCapture};
use crate::archive::group::Group;
use crate::archive::keys::{IdentitySecret, random, signing_key_path};
use crate::archive::leaf::Leaf;
use crate::archive::log::key::SigningKey;
use crate::archive::log::note::Checkpoint;
use crate::archive::log::reader::LogReader;
use crate::archive::log::writer::LogWriter;
use crate::archive::metadata::{
    self, CAPTURE, CaptureBlock, Content, REVISION, Revision, RevisionBlock,
};
use crate::archive::recovery::{self, Finding, Recovery};
use crate::archive::segment::{self, Location, Position, SegmentWriter};
use crate::archive::warc::{Record, RecordId, RecordWriter, warc_date};
use crate::archive::{Error, Manifest, Paths};
use crate::digest::Digest;
use crate::identity::{Archived, CaptureId, VersionId};
use crate::submission::{ClaimId, Declared, Signature, Source};

/// An archive that is locked is tried so often, with a pause between.
const LOCK_ATTEMPTS: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// How an archive is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// A segment that has reached this size is followed by a new one.
    pub segment_bytes_max: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_bytes_max: 1 << 30,
        }
    }
}

/// The one that changes an archive.
#[derive(Debug)]
pub struct ArchiveWriter {
    paths: Paths,
    options: Options,
    manifest: Manifest,
    secret: IdentitySecret,
    /// What is open, until something fails.
    open: Option<Open>,
    checkpoint: Checkpoint,
    fault: Option<(Step, Fault)>,
    // Dropped last: while it is held nobody else writes.
    lock: File,
}

#[derive(Debug)]
struct Open {
    dir: PathBuf,
    catalog: Catalog,
    log: LogWriter,
    /// Where the committed records end.
    end: Position,
    /// The segment in which they do, once something was written.
    segment: Option<SegmentWriter>,
}

/// The steps of a commit, for tests that let them fail.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Append,
    SyncSegment,
    ReadBack,
    AppendLeaves,
    ReplaceCheckpoint,
    CopyCheckpoint,
    CommitCatalog,
}

/// How a step fails.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does nothing and fails.
    WithoutEffect,
    /// It does all it should and fails.
    WithEffect,
}

impl ArchiveWriter {
    /// Locks the archive and recovers it: see [`crate::archive::recovery`]. Refuses a log that shrank or forked.
    pub fn open(paths: Paths, options: Options) -> Result<(ArchiveWriter, Recovery), Error> {
        let manifest = Manifest::read(&paths.dir)?;
        let lock = lock(&paths)?;
        let secret = IdentitySecret::load(&paths)?;
        let (open, recovery) = Open::recover(&paths)?;
        let writer = ArchiveWriter {
            checkpoint: open.log.checkpoint().clone(),
            open: Some(open),
            paths,
            options,
            manifest,
            secret,
            fault: None,
            lock,
        };
        Ok((writer, recovery))
    }

    /// Archives a group: all of it or, after an error, none of it or all; then handing it in again is safe and tells. A
    /// claim's part that is archived already is not archived again; its outcome is returned.
    pub fn commit(
        &mut self,
        group: impl AsRef<[Prepared]>,
        now: Timestamp,
    ) -> Result<Vec<Archived>, Error> {
        self.change(now, |open, secret, group_| {
            let prepared = group.as_ref().iter();
            prepared
                .map(|prepared| open.add_capture(group_, secret, prepared))
                .collect()
        })
    }

    /// Archives what was declared about the last capture of `source` after it was archived. `None` if there is no capture.
    pub fn revise(
        &mut self,
        source: &Source,
        declared: Declared,
        now: Timestamp,
    ) -> Result<Option<CaptureId>, Error> {
        self.change(now, |open, _, group| {
            open.add_revision(group, source, declared, now)
        })
    }

    /// Whether any part of a claim is archived.
    pub fn committed(&mut self, claim: &ClaimId) -> Result<bool, Error> {
        self.opened()?.catalog.has_claim(claim)
    }

    /// Whether a file in this very state is archived.
    pub fn committed_signature(
        &mut self,
        source: &Source,
        signature: &Signature,
    ) -> Result<bool, Error> {
        self.opened()?.catalog.has_signature(source, signature)
    }

    /// How much the archive holds.
    pub fn counts(&mut self) -> Result<Counts, Error> {
        self.opened()?.catalog.counts()
    }

    /// Whether these raw bytes are archived and can be read.
    pub fn holds_raw(&mut self, digest: &Digest) -> Result<bool, Error> {
        let dir = self.paths.dir.clone();
        let at = self.opened()?.catalog.raw(digest)?;
        Ok(at.is_some_and(|at| read_target(&dir, at, digest).is_ok()))
    }

    /// The last committed checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Lets a step of the next commit fail.
    #[doc(hidden)]
    pub fn fail_at(&mut self, step: Step, fault: Fault) {
        self.fault = Some((step, fault));
    }

    /// What is open; opened again, by recovery, after a failure.
    fn opened(&mut self) -> Result<&mut Open, Error> {
        self.require_same_folder()?;
        if self.open.is_none() {
            let (open, recovery) = Open::recover(&self.paths)?;
            for finding in &recovery.findings {
                tracing::warn!("{finding}");
            }
            self.checkpoint = open.log.checkpoint().clone();
            self.open = Some(open);
        }
        Ok(self.open.as_mut().expect("it was just opened"))
    }

    /// The folder must be the one whose lock is held: an archive that was moved away, unmounted or replaced while its files
    /// are open would else be written where nobody finds it, or begun anew in its place.
    fn require_same_folder(&mut self) -> Result<(), Error> {
        let path = self.paths.dir.join("lock");
        let held = self.lock.metadata();
        let held = held.map_err(|source| Error::io("look at", &path, source))?;
        let is_same = fs::metadata(&path)
            .is_ok_and(|there| (there.dev(), there.ino()) == (held.dev(), held.ino()));
        if is_same {
            return Ok(());
        }
        self.open = None;
        Err(Error::Gone {
            dir: self.paths.dir.clone(),
        })
    }

    /// Lets `fill` fill a group and commits it.
    fn change<'a, T>(
        &mut self,
        now: Timestamp,
        fill: impl FnOnce(&mut Open, &IdentitySecret, &mut Group<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.opened()?;
        // Taken out: if an error leaves this function, it is gone, and the next call recovers.
        let mut open = self.open.take().expect("it was just opened");
        let fault = self.fault.take();
        open.roll_over(self.options.segment_bytes_max);
        open.catalog.begin()?;
        let mut group = Group::new(open.end, open.log.size());
        if open.end.offset == 0 {
            let name = segment::file_name(open.end.segment);
            group.push_owned(warcinfo(&self.manifest, &name, now));
        }
        let result = fill(&mut open, &self.secret, &mut group)?;
        if !group.leaves.is_empty() {
            open.write(&self.paths, group, fault)?;
        }
        step(fault, Step::CommitCatalog, || open.catalog.commit())?;
        self.checkpoint = open.log.checkpoint().clone();
        self.open = Some(open);
        Ok(result)
    }
}

/// One writer at a time, across processes; the lock goes with the process.
fn lock(paths: &Paths) -> Result<File, Error> {
    let path = paths.dir.join("lock");
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|source| Error::io("open", &path, source))?;
    // A process that this one is just starting holds all that is open for a moment, between fork and exec: so more than once.
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(source)) => return Err(Error::io("lock", &path, source)),
        }
    }
    Err(Error::Locked {
        dir: paths.dir.clone(),
    })
}

impl Open {
    fn recover(paths: &Paths) -> Result<(Open, Recovery), Error> {
        let key_path = signing_key_path(paths);
        if !key_path.exists() {
            return Err(Error::NoKey { path: key_path });
        }
        let mut recovery = Recovery::default();
        let writer = LogWriter::open(&paths.log(), SigningKey::load(&key_path)?)?;
        let repaired = writer.repaired().iter().cloned();
        let repaired = repaired.map(|path| Finding::TileRepaired { path });
        recovery.findings.extend(repaired);
        let log = LogReader::open(&paths.log())?;

        let witnessed = recovery::check_history(paths, &log)?;
        if !witnessed {
            let path = paths.last_checkpoint();
            recovery.findings.push(Finding::NoLastCheckpoint { path });
        }
        let catalog = open_catalog(paths, &log, witnessed, &mut recovery)?;
        let end = catalog.high_water()?.end;
        recovery::cut_tails(paths, end, witnessed, &mut recovery)?;
        recovery::write_last_checkpoint(paths, log.checkpoint())?;
        let open = Open {
            dir: paths.dir.clone(),
            catalog,
            log: writer,
            end,
            segment: None,
        };
        Ok((open, recovery))
    }

    fn roll_over(&mut self, segment_bytes_max: u64) {
        if self.end.offset >= segment_bytes_max {
            self.end = Position {
                segment: self.end.segment + 1,
                offset: 0,
            };
            self.segment = None;
        }
    }

    /// Decides what a capture is, and adds its records, its leaf and its rows.
    fn add_capture<'a>(
        &mut self,
        group: &mut Group<'a>,
        secret: &IdentitySecret,
        prepared: &'a Prepared,
    ) -> Result<Archived, Error> {
        let observation = &prepared.observation;
        if let Some(known) = self.catalog.outcome(&observation.claim, observation.part)? {
            return Ok(archived(known));
        }
        let doc = secret.doc_id(&observation.identity.key);
        let raw = &observation.digests.raw;
        let state = self.catalog.doc_state(&doc)?;
        let same = self.catalog.same_bytes(&doc, state.version, raw)?;
        let is_same_story = state.story == Some(observation.digests.story);
        let (change, version) = match same {
            Some(_) => (Change::None, state.version),
            None if is_same_story => (Change::Furniture, state.version),
            None => (Change::Story, state.version + 1),
        };
        let capture = state.capture + 1;

        self.add_raw(group, prepared)?;
        let light = same.map(|same| light_metadata(prepared, &same));
        let (metadata, text, metadata_at) = match &light {
            Some(light) => (light.digest, None, group.push_owned(light.record.clone())),
            None => {
                let text = group.push(&prepared.text);
                let at = group.push(&prepared.metadata);
                (prepared.metadata_digest, Some(text), at)
            }
        };
        let index = group.next_leaf();
        let leaf = Leaf::Capture {
            doc: doc.clone(),
            capture,
            version,
            metadata,
            previous: state.leaf,
        };
        group.leaves.push(leaf.to_bytes());
        self.catalog.announce(index, &leaf)?;
        let content = (prepared.title.as_deref(), prepared.rules.as_str());
        let new = NewCapture {
            observation: light.as_ref().map_or(observation, |l| &l.observation),
            content: light.is_none().then_some(content),
            same_as: light.as_ref().map(|l| l.same_as),
            text,
            metadata: metadata_at,
        };
        self.catalog.fill_capture(index, &new)?;
        self.catalog.add_names(&doc, observation)?;
        let id = CaptureId {
            doc: doc.clone(),
            capture,
        };
        Ok(archived((change, id, VersionId { doc, version })))
    }

    /// Adds the raw bytes, or a revisit of the record that has them.
    fn add_raw<'a>(&self, group: &mut Group<'a>, prepared: &'a Prepared) -> Result<(), Error> {
        let digest = prepared.observation.digests.raw;
        let target = match group.raws.get(&digest) {
            Some(target) => Some(target.clone()),
            None => self.target(&digest)?,
        };
        if let Some(target) = target {
            let record = revisit_record(&prepared.observation, &prepared.raw_id, &target);
            group.push_owned(record);
            return Ok(());
        }
        let at = group.push(&prepared.raw);
        self.catalog.put_raw(&digest, at)?;
        let target = RevisitTarget {
            id: prepared.raw_id.as_str().to_owned(),
            uri: target_uri(&prepared.observation),
            date: warc_date(prepared.observation.captured_at()),
        };
        group.raws.insert(digest, target);
        Ok(())
    }

    /// The record that has these bytes, if there is one that can be read: a revisit of a damaged record would spread the damage.
    fn target(&self, digest: &Digest) -> Result<Option<RevisitTarget>, Error> {
        let Some(at) = self.catalog.raw(digest)? else {
            return Ok(None);
        };
        match read_target(&self.dir, at, digest) {
            Ok(target) => Ok(Some(target)),
            Err(error) => {
                tracing::warn!("{at} is damaged and archived again: {error}");
                Ok(None)
            }
        }
    }

    fn add_revision(
        &mut self,
        group: &mut Group<'_>,
        source: &Source,
        declared: Declared,
        now: Timestamp,
    ) -> Result<Option<CaptureId>, Error> {
        let Some(id) = self.catalog.last_of_source(source)? else {
            return Ok(None);
        };
        let block = RevisionBlock {
            faircopy: REVISION.to_owned(),
            nonce: capture::nonce(),
            revision: Revision {
                capture: id.capture,
                source: source.clone(),
                declared,
                received_at: now,
            },
        };
        let (bytes, digest) = metadata::to_bytes(&block);
        let at = group.push_owned(metadata_record(None, now, &bytes, &digest));
        let index = group.next_leaf();
        let leaf = Leaf::MetadataRevision {
            doc: id.doc.clone(),
            capture: id.capture,
            metadata: digest,
            previous: self.catalog.doc_state(&id.doc)?.leaf,
        };
        group.leaves.push(leaf.to_bytes());
        self.catalog.announce(index, &leaf)?;
        self.catalog
            .fill_revision(index, &id.doc, &block.revision, at)?;
        Ok(Some(id))
    }

    /// The steps up to the catalog's transaction, in their order.
    fn write(
        &mut self,
        paths: &Paths,
        group: Group<'_>,
        fault: Option<(Step, Fault)>,
    ) -> Result<(), Error> {
        let mut segment = match self.segment.take() {
            Some(segment) => segment,
            None => SegmentWriter::open(&self.dir, self.end)?,
        };
        let written = step(fault, Step::Append, || segment.append(&group.frames))
            .and_then(|()| step(fault, Step::SyncSegment, || segment.sync()))
            .and_then(|()| {
                step(fault, Step::ReadBack, || {
                    let read = segment.read_back(group.frames.len())?;
                    group.compare(segment.path(), &read)
                })
            });
        if let Err(error) = written {
            // So that a full disk is not kept full. If this fails too, the recovery does it.
            drop(segment.cut());
            return Err(error);
        }
        let log = &mut self.log;
        step(fault, Step::AppendLeaves, || Ok(log.append(&group.leaves)?))?;
        let checkpoint = step(fault, Step::ReplaceCheckpoint, || Ok(log.commit()?))?;
        segment.commit(group.frames.len() as u64);
        self.end = segment.end();
        self.segment = Some(segment);
        step(fault, Step::CopyCheckpoint, || {
            recovery::write_last_checkpoint(paths, &checkpoint)
        })?;
        self.catalog.set_high_water(HighWater {
            leaves: checkpoint.size,
            end: self.end,
        })
    }
}

/// Does a step, unless it is the one that a test lets fail.
fn step<T>(
    fault: Option<(Step, Fault)>,
    step: Step,
    action: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let Some((_, fault)) = fault.filter(|(at, _)| *at == step) else {
        return action();
    };
    if fault == Fault::WithEffect {
        action()?;
    }
    Err(Error::Io {
        doing: "go on (a test lets it fail) with",
        path: format!("{step:?}").into(),
        source: std::io::Error::other("injected"),
    })
}

/// The catalog, brought up to the log; made anew if it is missing, damaged or that of another log.
fn open_catalog(
    paths: &Paths,
    log: &LogReader,
    witnessed: bool,
    recovery: &mut Recovery,
) -> Result<Catalog, Error> {
    let was_missing = !Catalog::path_in(&paths.dir).exists();
    let opened = Catalog::open(&paths.dir).and_then(|catalog| {
        let size = log.checkpoint().size;
        let covered = catalog.high_water()?.leaves;
        if covered > size && !witnessed {
            // The catalog is written after the checkpoint: for want of a better witness, it says that the log shrank.
            return Err(Error::LogShrunk {
                dir: paths.dir.clone(),
                size,
                seen: covered,
                witness: Catalog::path_in(&paths.dir),
            });
        }
        Ok(match recovery::belongs(&catalog, log)? {
            Ok(()) => {
                recovery::replay(&paths.dir, &catalog, log, recovery)?;
                Ok(catalog)
            }
            Err(why) => Err(why),
        })
    });
    let why = match opened {
        Ok(Ok(catalog)) => {
            if was_missing && log.checkpoint().size > 0 {
                recovery.findings.push(Finding::CatalogRebuilt {
                    why: "it was missing".to_owned(),
                    set_aside: None,
                });
            }
            return Ok(catalog);
        }
        Ok(Err(why)) => why,
        Err(error) if Catalog::is_damage(&error) => with_source(&error),
        Err(error) => return Err(error),
    };
    let set_aside = Catalog::set_aside(&paths.dir, Timestamp::now())?;
    recovery.findings.push(Finding::CatalogRebuilt {
        why,
        set_aside: Some(set_aside),
    });
    let catalog = Catalog::open(&paths.dir)?;
    recovery::replay(&paths.dir, &catalog, log, recovery)?;
    Ok(catalog)
}

fn with_source(error: &Error) -> String {
    use std::error::Error as _;
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Reads a record with raw bytes, and proves that it has them.
fn read_target(dir: &Path, at: Location, digest: &Digest) -> Result<RevisitTarget, Error> {
    let bytes = segment::read(dir, at)?;
    let wrong = |why: &str| Error::Record {
        doing: "use the record",
        path: segment::path(dir, at.segment),
        offset: at.offset,
        source: std::io::Error::other(why.to_owned()),
    };
    let record = Record::parse(&bytes).map_err(|error| wrong(&error.to_string()))?;
    if record.kind() != "resource" || Digest::of(record.block) != *digest {
        return Err(wrong("it has other bytes"));
    }
    let header = |name| record.header(name).map(str::to_owned);
    let target = || {
        Some(RevisitTarget {
            id: header("WARC-Record-ID")?,
            uri: header("WARC-Target-URI")?,
            date: header("WARC-Date")?,
        })
    };
    target().ok_or_else(|| wrong("a header is missing"))
}

/// The metadata of a duplicate: what was observed, and whose content it shares.
struct LightMetadata {
    observation: metadata::Observation,
    same_as: u32,
    record: Vec<u8>,
    digest: Digest,
}

fn light_metadata(prepared: &Prepared, same: &CaptureRow) -> LightMetadata {
    let mut observation = prepared.observation.clone();
    // Cleaned again, perhaps by other rules, the same bytes may have given another text; what is archived is the first.
    observation.digests = same.digests;
    let block = CaptureBlock::<Content> {
        faircopy: CAPTURE.to_owned(),
        nonce: capture::nonce(),
        observation,
        content: None,
        same_as: Some(same.capture),
    };
    let (bytes, digest) = metadata::to_bytes(&block);
    let date = block.observation.received_at;
    LightMetadata {
        record: metadata_record(Some(&prepared.raw_id), date, &bytes, &digest),
        observation: block.observation,
        same_as: same.capture,
        digest,
    }
}

fn archived((change, capture, version): (Change, CaptureId, VersionId)) -> Archived {
    match change {
        Change::Story => Archived::New(capture, version),
        Change::Furniture => Archived::Unchanged(capture, version),
        Change::None => Archived::Duplicate(capture, version),
    }
}

/// The record that each segment begins with.
fn warcinfo(manifest: &Manifest, file_name: &str, now: Timestamp) -> Vec<u8> {
    let block = format!(
        "software: faircopy/{}\r\nformat: WARC File Format 1.1\r\n\
         conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n\
         isPartOf: {}\r\n",
        env!("CARGO_PKG_VERSION"),
        manifest.id
    );
    RecordWriter::new("warcinfo", &RecordId::new(random()), now)
        .field("WARC-Filename", file_name)
        .digest("WARC-Block-Digest", &Digest::of(block.as_bytes()))
        .finish(Some("application/warc-fields"), block.as_bytes())
}

/// Never shown: a secret.
impl std::fmt::Debug for IdentitySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentitySecret")
    }
}
