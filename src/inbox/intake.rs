//! `Intake`: all watched folders together, from the first look to the claim. One thread owns it; claims are read on any.
//!
//! ```text
//! let (mut intake, report) = Intake::open(...)?;     recovery: what a crash left is released, or dropped and found again
//! intake.watch(wake);                                watch first, then scan
//! loop {
//!     intake.tick(now);                              scans what is due, settles, retries
//!     for claim in intake.claim(max, now, archive)   intents durable; read, decode and clean them on workers
//!     for late in intake.late_sidecars(max, now)     metadata revisions; answer with `revised`
//!     ... give each claim back: `archived` | `failed` | `deferred` | `changed`
//!     wait until `intake.next(now)`, a wake-up, or a claim's end
//! }
//! ```
//!
//! New options: give all claims back, drop the intake and open it again; it keeps nothing but what the folders say.

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::submission::{ClaimId, Reason, ReasonCode, Signature, Source, printable};

use super::claim::Claim;
use super::clock::Moment;
use super::entry::Due;
use super::options::IntakeOptions;
use super::root::Root;
use super::spool::Spool;
use super::watch::Watch;

/// So many settled files wait to be claimed at most; more are moved on when these are claimed. Each is looked at, opened and asked
/// for a sidecar first: a hundred thousand that wait at the start must not keep the first one waiting.
const READY_MAX: usize = 1024;
/// A root moves on so many files before the others have their turn.
const MOVED_ON_MAX: usize = 512;

/// How often free space is asked for, and how soon after a pause a claim is tried again.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// What the intake asks of the archive.
pub trait Committed {
    /// Whether a capture of this claim is committed.
    fn claim(&self, claim: &ClaimId) -> bool;
    /// Whether this state of this file is committed. (Policy `keep`: such a file is not taken again.)
    fn signature(&self, source: &Source, signature: &Signature) -> bool;
    /// The same of many files at once.
    fn signatures(&self, files: &[(Source, Signature)]) -> Vec<bool> {
        let files = files.iter();
        files
            .map(|(source, signature)| self.signature(source, signature))
            .collect()
    }
}

/// Makes ten random bytes.
pub type Random = Box<dyn FnMut() -> [u8; 10] + Send>;

/// All watched folders.
pub struct Intake {
    pub(super) roots: Vec<Root>,
    pub(super) options: IntakeOptions,
    pub(super) spool: Spool,
    pub(super) watch: Watch,
    /// Archived files that could not be released yet.
    pub(super) unreleased: Vec<Unreleased>,
    /// Sidecars to be offered to the archive.
    pub(super) late: Vec<(usize, Arc<Path>)>,
    pub(super) in_hand: InHand,
    pub(super) archive: PathBuf,
    random: Random,
    pub(super) ready: VecDeque<(usize, Arc<Path>)>,
    pub(super) suspects: VecDeque<(usize, Arc<Path>)>,
    opened: Instant,
    pub(super) pause: Option<String>,
    /// Nothing is claimed, and free space not asked for again, before this.
    pub(super) paused_until: Instant,
    pub(super) space_checked: Option<Instant>,
}

/// An archived file that could not be released yet. Its intent stays open.
#[derive(Debug)]
pub(super) struct Unreleased {
    pub(super) claim: Claim,
    pub(super) error: String,
    pub(super) at: Instant,
    pub(super) tries: u32,
}

/// What is in hand.
#[derive(Debug, Default)]
pub(super) struct InHand {
    pub(super) claims: usize,
    pub(super) bytes: u64,
    /// The one claim in hand is of a suspect; nothing is claimed beside it.
    pub(super) is_suspect: bool,
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake")
            .field("roots", &self.roots.len())
            .field("in_hand", &self.in_hand)
            .finish_non_exhaustive()
    }
}

impl Intake {
    pub(super) fn new(
        roots: Vec<Root>,
        options: IntakeOptions,
        spool: Spool,
        archive: &Path,
        random: Random,
        now: Moment,
    ) -> Intake {
        Intake {
            roots,
            options,
            spool,
            watch: Watch::default(),
            unreleased: Vec::new(),
            late: Vec::new(),
            in_hand: InHand::default(),
            archive: archive.to_owned(),
            random,
            ready: VecDeque::new(),
            suspects: VecDeque::new(),
            opened: now.instant,
            pause: None,
            paused_until: now.instant,
            space_checked: None,
        }
    }

    /// Starts the watcher. `wake` is called on a thread of its own, and should make the owner call [`Intake::tick`] soon.
    /// Everything is scanned at the next tick, and watched before it is scanned.
    pub fn watch(&mut self, wake: impl Fn() + Send + 'static, now: Moment) {
        self.watch = Watch::start(Box::new(wake));
        for root in &mut self.roots {
            root.scan_soon(now);
        }
    }

    /// Scans what is due, moves some files on whose time has come, tries postponed releases again. Returns when to be called
    /// next, if nothing wakes it before.
    pub fn tick(&mut self, now: Moment) -> Instant {
        self.take_hints(now);
        let has_room = self.has_room();
        for index in 0..self.roots.len() {
            let root = &mut self.roots[index];
            if root.scan(&mut self.watch, now) {
                self.look_at_quarantine(index, now);
            }
            let mut left = if has_room { MOVED_ON_MAX } else { 0 };
            while left > 0
                && let Some(due) = self.roots[index].due(now)
            {
                self.take_due(index, due, now);
                left -= 1;
            }
        }
        self.release_again(now);
        self.next(now)
    }

    /// When [`Intake::tick`] should be called next, as things stand after what was done since the last time.
    pub fn next(&self, now: Moment) -> Instant {
        let has_room = self.has_room();
        let roots = self.roots.iter().map(|root| root.next(has_room));
        let unreleased = self.unreleased.iter().map(|unreleased| unreleased.at);
        let pause = self.pause.as_ref().map(|_| now.instant + PAUSE);
        let next = roots.chain(unreleased).chain(pause).min();
        next.unwrap_or(now.instant + PAUSE).max(now.instant)
    }

    /// Whether more settled files may wait to be claimed.
    fn has_room(&self) -> bool {
        self.ready.len() < READY_MAX
    }

    fn take_hints(&mut self, now: Moment) {
        let hints = self.watch.take();
        if hints.everywhere {
            self.watch.forget_all();
            for root in &mut self.roots {
                root.scan_soon(now);
            }
        }
        for (path, hint) in hints.paths {
            let watch = &mut self.watch;
            let is_inbox = self
                .roots
                .iter_mut()
                .any(|root| root.hint(&path, hint, watch, now));
            if !is_inbox && hint.removed {
                for index in 0..self.roots.len() {
                    if path.starts_with(&self.roots[index].failed) {
                        self.look_at_quarantine(index, now);
                    }
                }
            }
        }
    }

    fn take_due(&mut self, index: usize, due: Due, now: Moment) {
        match due {
            Due::Ready(path) => self.take_ready(index, path, now),
            Due::Late(path) => self.late.push((index, path)),
            Due::Orphan(path) => {
                let message = format!(
                    "sidecar {} waited a day for its article; drop the article and retry",
                    printable(&path)
                );
                let reason = Reason::new(ReasonCode::OrphanSidecar, message);
                self.quarantine_alone(index, &path, reason, "sidecar", None, now);
            }
        }
    }

    /// A settled article waits for its claim, unless it was under way when the process died.
    fn take_ready(&mut self, index: usize, path: Arc<Path>, now: Moment) {
        let root = &mut self.roots[index];
        let Some(entry) = root.entries.get(&path) else {
            return;
        };
        let Some(suspect) = self.spool.suspect(&root.source(&path), &entry.signature) else {
            self.ready.push_back((index, path));
            return;
        };
        let deaths = suspect.deaths;
        if deaths >= self.options.poison_deaths_max {
            let claim = suspect.claim.clone();
            self.quarantine_poison(index, &path, deaths, claim, now);
            return;
        }
        // A process that is killed again and again must not make a poison of whatever it has in hand: after the second death
        // a suspect rests.
        let rest = match deaths {
            0 | 1 => Duration::ZERO,
            n => self.options.backoff(n - 1),
        };
        let rest = (self.opened + rest).saturating_duration_since(now.instant);
        if rest.is_zero() {
            self.suspects.push_back((index, path));
        } else {
            let error = format!("was in hand {deaths} times when the process died");
            root.defer(&path, error, rest, now);
        }
    }

    fn quarantine_poison(
        &mut self,
        index: usize,
        path: &Arc<Path>,
        deaths: u32,
        claim: ClaimId,
        now: Moment,
    ) {
        let message = format!(
            "the process died {deaths} times while it had {} in hand; keep the file for a bug report",
            printable(path)
        );
        let reason = Reason::new(ReasonCode::Poison, message);
        self.quarantine_alone(index, path, reason, "in hand", Some(claim), now);
    }

    pub(super) fn new_claim(&mut self, now: Moment) -> ClaimId {
        let now_ms = u64::try_from(now.wall.as_millisecond()).unwrap_or(0);
        ClaimId::new(now_ms, (self.random)())
    }
}
