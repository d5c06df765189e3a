//! `Intake`: all watched folders together, from the first look to the claim. One thread owns it; claims are read on any.
//!
//! ```text
//! let (mut intake, report) = Intake::open(...)?;     recovery: what a crash left is released, or dropped and found again
//! intake.watch(wake);                                watch first, then scan
//! loop {
//!     let next = intake.tick(now);                   scans what is due, settles, retries
//!     for claim in intake.claim(max, now, archive)   intents durable; read, decode and clean them on workers
//!     for late in intake.late_sidecars(now)          metadata revisions; answer with `revised`
//!     ... give each claim back: `archived` | `failed` | `deferred` | `changed`
//!     wait until `next`, a wake-up, or a claim's end
//! }
//! ```
//!
//! New options: give all claims back, drop the intake and open it again; it keeps nothing but what the folders say.

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::durable;
use crate::submission::{ClaimId, Reason, ReasonCode, Signature, Source, printable};

use super::claim::Claim;
use super::clock::Moment;
use super::entry::{Due, State};
use super::options::{IntakeOptions, Release};
use super::root::Root;
use super::sidecar;
use super::spool::{Intent, Spool, Suspect};
use super::watch::Watch;

/// How often free space is asked for, and how soon after a pause a claim is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// What the intake asks of the archive.
pub trait Committed {
    /// Whether a capture of this claim is committed.
    fn claim(&self, claim: &ClaimId) -> bool;
    /// Whether this state of this file is committed. (Policy `keep`: such a file is not taken again.)
    fn signature(&self, source: &Source, signature: &Signature) -> bool;
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
    archive: PathBuf,
    random: Random,
    ready: VecDeque<(usize, Arc<Path>)>,
    suspects: VecDeque<(usize, Arc<Path>)>,
    opened: Instant,
    pub(super) pause: Option<String>,
    /// Nothing is claimed, and free space not asked for again, before this.
    paused_until: Instant,
    space_checked: Option<Instant>,
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

    /// Scans what is due, moves files on whose time has come, tries postponed releases again. Returns when to be called next,
    /// if nothing wakes it before.
    pub fn tick(&mut self, now: Moment) -> Instant {
        self.take_hints(now);
        for index in 0..self.roots.len() {
            let root = &mut self.roots[index];
            if root.scan(&mut self.watch, now) {
                self.look_at_quarantine(index, now);
            }
            while let Some(due) = self.roots[index].due(now) {
                self.take_due(index, due, now);
            }
        }
        self.release_again(now);
        let roots = self.roots.iter().map(Root::next);
        let unreleased = self.unreleased.iter().map(|unreleased| unreleased.at);
        let pause = self.pause.as_ref().map(|_| now.instant + PAUSE);
        let next = roots.chain(unreleased).chain(pause).min();
        next.unwrap_or(now.instant + PAUSE).max(now.instant)
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

    /// Takes up to `max` files in hand, their intents being durable. None while there is too little space, and nothing beside
    /// a suspect.
    pub fn claim(&mut self, max: usize, now: Moment, committed: &dyn Committed) -> Vec<Claim> {
        if self.in_hand.is_suspect || self.is_paused(now) {
            return Vec::new();
        }
        let (chosen, is_suspect) = if self.suspects.is_empty() {
            (self.choose(max, now, committed), false)
        } else if self.in_hand.claims == 0 {
            (self.choose_suspect(now, committed), true)
        } else {
            return Vec::new();
        };
        if chosen.is_empty() {
            return Vec::new();
        }
        let intents: Vec<Intent> = chosen
            .iter()
            .map(|(index, path)| self.intent(*index, path, now))
            .collect();
        let marks = match self.spool.add(&intents) {
            Ok(marks) => marks,
            Err(error) => {
                self.paused_until = now.instant + self.options.retry_min;
                self.pause = Some(format!("cannot write to the spool: {error}"));
                for (index, path) in chosen.into_iter().rev() {
                    match is_suspect {
                        true => self.suspects.push_front((index, path)),
                        false => self.ready.push_front((index, path)),
                    }
                }
                return Vec::new();
            }
        };
        let claims = chosen
            .into_iter()
            .zip(intents)
            .map(|((index, path), intent)| {
                let root = &mut self.roots[index];
                if let Some(entry) = root.entries.get_mut(&path) {
                    entry.attempts = intent.attempts;
                    entry.state = State::InHand;
                }
                if intent.sidecar.is_some() {
                    root.set(&sidecar::path_of(&path), State::InHand);
                }
                self.in_hand.claims += 1;
                self.in_hand.bytes += intent.signature.size;
                Claim {
                    path: root.path.join(&path),
                    root: index,
                    bytes_max: self.options.file_bytes_max.as_u64(),
                    marks: marks.clone(),
                    intent,
                }
            });
        let claims = claims.collect();
        self.in_hand.is_suspect = is_suspect;
        claims
    }

    fn choose(
        &mut self,
        max: usize,
        now: Moment,
        committed: &dyn Committed,
    ) -> Vec<(usize, Arc<Path>)> {
        let mut chosen = Vec::new();
        let mut bytes = self.in_hand.bytes;
        while chosen.len() < max
            && let Some((index, path)) = self.ready.pop_front()
        {
            let Some(size) = self.ready_size(index, &path, now, committed) else {
                continue;
            };
            // What is too large is not read.
            let size = if size > self.options.file_bytes_max.as_u64() {
                0
            } else {
                size
            };
            let is_first = chosen.is_empty() && self.in_hand.claims == 0;
            if !is_first && bytes + size > self.options.in_hand_bytes_max.as_u64() {
                self.ready.push_front((index, path));
                break;
            }
            bytes += size;
            chosen.push((index, path));
        }
        chosen
    }

    fn choose_suspect(
        &mut self,
        now: Moment,
        committed: &dyn Committed,
    ) -> Vec<(usize, Arc<Path>)> {
        while let Some((index, path)) = self.suspects.pop_front() {
            if self.ready_size(index, &path, now, committed).is_some() {
                return vec![(index, path)];
            }
        }
        Vec::new()
    }

    /// The size of a file that is to be claimed; `None` if it changed since, or is archived already and kept.
    fn ready_size(
        &mut self,
        index: usize,
        path: &Arc<Path>,
        now: Moment,
        committed: &dyn Committed,
    ) -> Option<u64> {
        let root = &mut self.roots[index];
        let source = root.source(path);
        let entry = root.entries.get(path)?;
        if !matches!(entry.state, State::Ready) {
            return None;
        }
        let (signature, sidecar) = (entry.signature, sidecar::path_of(path));
        if root.options.release == Release::Keep && committed.signature(&source, &signature) {
            root.set(path, State::Kept);
            if let Some((sidecar, _)) = root.entries.get_key_value(&*sidecar) {
                let sidecar = sidecar.clone();
                if root.is_settled_sidecar(&sidecar) {
                    root.free_sidecar(&sidecar, Duration::ZERO, now);
                }
            }
            return None;
        }
        Some(signature.size)
    }

    fn intent(&mut self, index: usize, path: &Arc<Path>, now: Moment) -> Intent {
        let claim = self.new_claim(now);
        let root = &self.roots[index];
        let entry = root
            .entries
            .get(path)
            .expect("a chosen file was looked up in this very call");
        let sidecar = sidecar::path_of(path);
        Intent {
            claim,
            source: root.source(path),
            signature: entry.signature,
            sidecar: root
                .is_settled_sidecar(&sidecar)
                .then(|| root.entries[&*sidecar].signature),
            claimed_at: now.wall,
            attempts: entry.attempts + 1,
        }
    }

    pub(super) fn new_claim(&mut self, now: Moment) -> ClaimId {
        let now_ms = u64::try_from(now.wall.as_millisecond()).unwrap_or(0);
        ClaimId::new(now_ms, (self.random)())
    }

    /// Whether there is too little space, or the spool cannot be written.
    fn is_paused(&mut self, now: Moment) -> bool {
        if now.instant < self.paused_until {
            return self.pause.is_some();
        }
        let is_fresh = |at: Instant| now.instant < at + PAUSE;
        if self.pause.is_none() && self.space_checked.is_some_and(is_fresh) {
            return false;
        }
        self.space_checked = Some(now.instant);
        self.pause = [&self.options.spool, &self.archive]
            .into_iter()
            .find_map(|folder| lack_of_space(folder, self.options.free_bytes_min.as_u64()));
        if self.pause.is_some() {
            self.paused_until = now.instant + PAUSE;
        }
        self.pause.is_some()
    }

    /// The suspect that is held against this state of a file, for tests and messages.
    pub(super) fn suspect_of(&self, source: &Source, signature: &Signature) -> Option<&Suspect> {
        self.spool.suspect(source, signature)
    }
}

fn lack_of_space(folder: &Path, free_bytes_min: u64) -> Option<String> {
    match durable::free_bytes(folder) {
        Ok(free) if free >= free_bytes_min => None,
        Ok(free) => Some(format!(
            "{} bytes free for {}, less than the {free_bytes_min} of free_bytes_min",
            free,
            printable(folder)
        )),
        Err(error) => Some(format!(
            "cannot ask for the free space of {}: {error}",
            printable(folder)
        )),
    }
}
