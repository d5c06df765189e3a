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

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::archive::capture::{Prepared, PreparedEdition};
use crate::archive::catalog::{CaptureRow, Catalog, Counts, HighWater, MeasureRow};
use crate::archive::group::Group;
use crate::archive::keys::IdentitySecret;
use crate::archive::log::key::{SigningKey, VerifierKey};
use crate::archive::log::note::Checkpoint;
use crate::archive::log::reader::LogReader;
use crate::archive::log::writer::LogWriter;
use crate::archive::metadata::{KeyRecord, LinkRecord, PinRecord, RuleSet, SplitRecord};
use crate::archive::pins::{PinBook, SharedPins};
use crate::archive::recovery::{self, Finding, Recovery};
use crate::archive::segment::{self, Position, SegmentWriter};
use crate::archive::{Error, Manifest, Paths, keys, mending, rotation, write_manifest};
use crate::digest::Digest;
use crate::identity::{Archived, CaptureId};
use crate::pin::{Pin, PinScope};
use crate::submission::{ClaimId, Declared, Signature, Source};

pub mod compact;
pub mod erase;
mod opening;
mod records;

use records::read_target;
pub(crate) use records::warcinfo;

/// So large a buffer is kept between two groups at most.
const BUFFER_BYTES_MAX: usize = 4 << 20;
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
    /// The catalog was found damaged at some place.
    suspect: bool,
    checkpoint: Checkpoint,
    pins: SharedPins,
    faults: VecDeque<(Step, Fault)>,
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
    /// For the next group's frames.
    buffer: Vec<u8>,
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
    PlaceSealed,
    CommitMoves,
    RemoveReplaced,
}

/// How a step fails.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does nothing and fails.
    WithoutEffect,
    /// It does all it should and fails.
    WithEffect,
    /// It panics, as a defect of ours would.
    Panic,
}

impl ArchiveWriter {
    /// Locks the archive and recovers it: see [`crate::archive::recovery`]. Refuses a log that shrank or forked.
    pub fn open(paths: Paths, options: Options) -> Result<(ArchiveWriter, Recovery), Error> {
        let (manifest, lost) = mending::manifest(&paths.dir, Timestamp::now())?;
        let lock = lock(&paths)?;
        let secret = IdentitySecret::load(&paths)?;
        let (open, mut recovery) = Open::recover(&paths, false)?;
        if let Some(error) = lost {
            write_manifest(&paths.dir, &manifest)?;
            let finding = Finding::ManifestLost(error.to_string());
            recovery.findings.push(finding);
        }
        let book = PinBook::new(open.catalog.pins()?);
        let mut writer = ArchiveWriter {
            checkpoint: open.log.checkpoint().clone(),
            pins: SharedPins::new(secret.clone(), book),
            open: Some(open),
            suspect: false,
            paths,
            options,
            manifest,
            secret,
            faults: VecDeque::new(),
            lock,
        };
        writer.finish_erasures()?;
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

    /// Archives what was declared about the last capture of `source` after it was archived, unless it is what was declared
    /// last: saying it again says nothing. `None` if there is no capture.
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

    /// Archives what a person decided about a span of text, unless that holds already. The index of its leaf.
    pub fn pin(&mut self, of: PinScope, pin: Pin, now: Timestamp) -> Result<Option<u64>, Error> {
        let record = PinRecord {
            of,
            pin,
            pinned_at: now,
        };
        let leaf = self.change(now, |open, secret, group| {
            open.add_pin(group, secret, record)
        })?;
        self.read_pins()?;
        Ok(leaf)
    }

    /// Archives that two documents are one, or are not after all, unless that holds already. The index of its leaf.
    pub fn link(&mut self, record: LinkRecord) -> Result<Option<u64>, Error> {
        let now = record.said_at;
        self.change(now, |open, _, group| open.add_link(group, record))
    }

    /// Archives that from a version on a document is another, or is not after all, unless that holds already. The index of its
    /// leaf.
    pub fn split(&mut self, record: SplitRecord) -> Result<Option<u64>, Error> {
        let now = record.said_at;
        self.change(now, |open, _, group| open.add_split(group, record))
    }

    /// Changes the key that signs the log; see [`crate::archive::rotation`]. The index of the leaf that tells of it, and the new
    /// verifier key.
    pub fn rotate_key(&mut self, now: Timestamp) -> Result<(u64, VerifierKey), Error> {
        let path = keys::signing_key_path(&self.paths);
        if !path.starts_with(&self.paths.keys) {
            return Err(Error::KeyElsewhere { path });
        }
        let old = self.opened()?.log.verifier();
        let key = SigningKey::generate(old.name())?;
        let new = key.verifier();
        key.save(&keys::pending_key_path(&self.paths))?;
        let record = KeyRecord {
            old: old.to_string(),
            new: new.to_string(),
            rotated_at: now,
        };
        let leaf = self.change(now, |open, secret, group| {
            open.log.change_key(key);
            open.add_key(group, secret, record)
        })?;
        let paths = self.paths.clone();
        rotation::finish(&paths, &self.opened()?.catalog)?;
        Ok((leaf, new))
    }

    /// Archives editions: captures that were cleaned again. Of each, the index of its leaf; `None` if it comes too late, since
    /// another edition was made meanwhile.
    pub fn reclean(
        &mut self,
        editions: impl AsRef<[PreparedEdition]>,
        now: Timestamp,
    ) -> Result<Vec<Option<u64>>, Error> {
        self.change(now, |open, _, group| {
            let editions = editions.as_ref().iter();
            editions
                .map(|edition| open.add_edition(group, edition))
                .collect()
        })
    }

    /// Whether the archive has captures that other rules than these may have cleaned.
    pub fn has_other_rules(&mut self, id: &str) -> Result<bool, Error> {
        self.opened()?.catalog.has_other_rules(id)
    }

    /// What a capture, cleaned by the rules `id`, would be compared with, if other rules cleaned that and it differs.
    pub fn stale(&mut self, capture: &Prepared, id: &str) -> Result<Option<CaptureRow>, Error> {
        let doc = self.secret.doc_id(&capture.observation.identity.key);
        self.opened()?.stale(&doc, &capture.observation.digests, id)
    }

    /// The archive's folder.
    pub fn dir(&self) -> &Path {
        &self.paths.dir
    }

    /// Archives a set of rules, unless it is there: what they made can then be made again. Whether it was archived.
    pub fn keep_rules(&mut self, rules: RuleSet, now: Timestamp) -> Result<bool, Error> {
        self.change(now, |open, secret, group| {
            open.add_rules(group, secret, rules)
        })
    }

    /// The pins that hold, always up to date.
    pub fn pins(&self) -> SharedPins {
        self.pins.clone()
    }

    fn read_pins(&mut self) -> Result<(), Error> {
        let rows = self.opened()?.catalog.pins()?;
        self.pins.set(PinBook::new(rows));
        Ok(())
    }

    /// How much cleaning took away from the captures archived last, the newest first.
    pub fn measures(&mut self, captures_max: u32) -> Result<Vec<MeasureRow>, Error> {
        self.opened()?.catalog.measures(captures_max)
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

    /// So many captures are in it.
    pub fn captures(&mut self) -> Result<u64, Error> {
        self.opened()?.catalog.capture_count()
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

    /// Lets a step of the next commit fail; called again, of the one after it.
    #[doc(hidden)]
    pub fn fail_at(&mut self, step: Step, fault: Fault) {
        self.faults.push_back((step, fault));
    }

    /// What is open; opened again, by recovery, after a failure.
    fn opened(&mut self) -> Result<&mut Open, Error> {
        self.require_same_folder()?;
        if self.open.as_ref().is_some_and(|open| !open.is_as_left()) {
            // Somebody else changed it, as one does who restores a copy over it.
            self.open = None;
        }
        if self.open.is_none() {
            let (open, recovery) = Open::recover(&self.paths, self.suspect)?;
            for finding in &recovery.findings {
                tracing::warn!("{finding}");
            }
            self.checkpoint = open.log.checkpoint().clone();
            let book = PinBook::new(open.catalog.pins()?);
            self.pins.set(book);
            self.open = Some(open);
            self.suspect = false;
            self.finish_erasures()?;
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
        // Of an older copy in its place there is more to tell.
        if let Ok(log) = LogReader::open(&self.paths.log()) {
            recovery::check_history(&self.paths, &log)?;
        }
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
        let result = self.try_to_change(now, fill);
        self.suspect |= result.as_ref().is_err_and(Catalog::is_damage);
        result
    }

    fn try_to_change<'a, T>(
        &mut self,
        now: Timestamp,
        fill: impl FnOnce(&mut Open, &IdentitySecret, &mut Group<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.opened()?;
        // Taken out: if an error leaves this function, it is gone, and the next call recovers.
        let mut open = self.open.take().expect("it was just opened");
        let fault = self.faults.pop_front();
        if open.end.offset >= self.options.segment_bytes_max {
            open.begin_segment()?;
        }
        open.catalog.begin()?;
        let mut group = Group::new(open.end, open.log.size(), std::mem::take(&mut open.buffer));
        if open.end.offset == 0 {
            let name = segment::file_name(open.end.segment.number());
            group.push_owned(warcinfo(&self.manifest, &name, now));
        }
        let result = fill(&mut open, &self.secret, &mut group)?;
        if !group.leaves.is_empty() {
            open.write(&self.paths, &group, fault)?;
        }
        open.keep_buffer(group.frames);
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
    /// Whether the log still ends where this writer left it.
    fn is_as_left(&self) -> bool {
        let note = fs::read(self.dir.join("log").join("checkpoint"));
        note.is_ok_and(|note| note == self.log.checkpoint().note.as_bytes())
    }

    /// Keeps a group's buffer for the next one, unless it is unusually large.
    fn keep_buffer(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        if buffer.capacity() <= BUFFER_BYTES_MAX {
            self.buffer = buffer;
        }
    }

    /// The steps up to the catalog's transaction, in their order.
    fn write(
        &mut self,
        paths: &Paths,
        group: &Group<'_>,
        fault: Option<(Step, Fault)>,
    ) -> Result<(), Error> {
        let mut segment = match self.segment.take() {
            Some(segment) => segment,
            None => SegmentWriter::open(&self.dir, self.end)?,
        };
        let written = step(fault, Step::Append, || segment.append(&group.frames))
            .and_then(|()| step(fault, Step::SyncSegment, || segment.sync()))
            .and_then(|()| step(fault, Step::ReadBack, || group.compare(&segment)));
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
        self.catalog.add_segment(self.end.segment)?;
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
    match fault {
        Fault::WithoutEffect => {}
        Fault::WithEffect => drop(action()?),
        Fault::Panic => panic!("a test lets {step:?} panic"),
    }
    Err(Error::Io {
        doing: "go on (a test lets it fail) with",
        path: format!("{step:?}").into(),
        source: std::io::Error::other("injected"),
    })
}

/// Never shown: a secret.
impl std::fmt::Debug for IdentitySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentitySecret")
    }
}
