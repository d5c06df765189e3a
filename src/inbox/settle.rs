//! The way of each file from seen to settled, and of each sidecar to its article.
//!
//! ```text
//! article   Settling -> (AwaitingSidecar) -> Ready -> InHand -> gone | Kept | Refused | Deferred -> Ready
//! sidecar   Settling -> Early -> InHand, with its article
//!                         +----> Offered to the archive -> gone, its article being known | Orphan -> Offered, hourly
//! ```
//!
//! Each wait is a timer; a file is looked at when its timer is over, not when an event asks for it.

use std::cmp::Reverse;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::durable;
use crate::submission::Signature;

use super::clock::Moment;
use super::entry::{Due, Entry, SidecarState, State};
use super::lease::{self, Writer};
use super::root::Root;
use super::sidecar;

/// How long a sidecar that is there may keep its article waiting, and how long one without an article waits for it before
/// the archive is asked whether it comes late.
pub(super) const SIDECAR_GRACE: Duration = Duration::from_secs(5);
/// How long a sidecar that nobody knows may wait for its article.
const ORPHAN_AGE: Duration = Duration::from_secs(24 * 3600);
/// How often the archive is asked again whether it knows the article of an orphan by now.
const ORPHAN_CHECK: Duration = Duration::from_secs(3600);
/// How often a settled sidecar checks what became of the article that it belongs to.
const SIDECAR_CHECK: Duration = Duration::from_secs(60);

impl Root {
    /// A regular file is at `path`, in this state.
    pub(super) fn sight(&mut self, path: &Path, signature: Signature, renamed: bool, now: Moment) {
        let generation = self.generation;
        let quiet = match renamed && !self.is_network {
            true => self.options.settle_renamed.min(self.settle()),
            false => self.settle(),
        };
        if let Some(entry) = self.entries.get_mut(path) {
            entry.seen = generation;
            // What happened to it meanwhile is looked at when the claim is given back.
            if matches!(entry.state, State::InHand) {
                return;
            }
            if entry.signature == signature {
                let settled_at = entry.since + quiet;
                let shortens = entry.deadline.is_some_and(|deadline| settled_at < deadline);
                if renamed && shortens && matches!(entry.state, State::Settling { .. }) {
                    self.schedule(&self.key(path), settled_at);
                }
                return;
            }
        }
        let key = self.key(path);
        // Found at start, it had its time already; by the clock of another machine one cannot tell.
        let has_settled =
            self.is_new && !self.is_network && now.age_of(signature.ctime_ns) >= self.settle();
        let entry = Entry {
            signature,
            state: State::Settling {
                open_for_writing: false,
            },
            since: now.instant,
            deadline: None,
            seen: generation,
            attempts: 0,
        };
        self.entries.insert(key.clone(), Box::new(entry));
        let wait = if has_settled { Duration::ZERO } else { quiet };
        self.schedule(&key, now.instant + wait);
    }

    /// The path as it stands in the map of files, which is not asked for it when nothing has changed: a scan looks at each.
    fn key(&self, path: &Path) -> Arc<Path> {
        match self.entries.get_key_value(path) {
            Some((key, _)) => key.clone(),
            None => Arc::from(path),
        }
    }

    fn schedule(&mut self, path: &Arc<Path>, at: Instant) {
        if let Some(entry) = self.entries.get_mut(path) {
            entry.deadline = Some(at);
            self.timers.push(Reverse((at, path.clone())));
        }
    }

    /// The next file whose time has come.
    pub(super) fn due(&mut self, now: Moment) -> Option<Due> {
        while let Some(Reverse((at, _))) = self.timers.peek()
            && *at <= now.instant
        {
            let Reverse((at, path)) = self.timers.pop().expect("it was there to peek at");
            let Some(entry) = self.entries.get_mut(&path) else {
                continue;
            };
            if entry.deadline != Some(at) {
                continue;
            }
            entry.deadline = None;
            if let Some(due) = self.advance(&path, now) {
                return Some(due);
            }
        }
        None
    }

    /// Moves the file at `path` on, its deadline being over.
    fn advance(&mut self, path: &Arc<Path>, now: Moment) -> Option<Due> {
        let before = self.entries.get(path)?.signature;
        self.look(path, false, now);
        // Gone; or changed, then it settles anew.
        let entry = self
            .entries
            .get(path)
            .filter(|entry| entry.signature == before)?;
        match entry.state {
            State::Settling { .. } => self.settled(path, now),
            State::AwaitingSidecar { settled_at } => self.article_settled(path, settled_at, now),
            State::Deferred { .. } if sidecar::article_of(path).is_some() => {
                self.sidecar_waited(path, now)
            }
            State::Deferred { .. } => Some(self.ready(path)),
            State::Sidecar(SidecarState::Early) => self.sidecar_waited(path, now),
            State::Sidecar(SidecarState::Orphan) if self.age(path, now) >= ORPHAN_AGE => {
                Some(Due::Orphan(path.clone()))
            }
            State::Sidecar(SidecarState::Orphan) => self.sidecar_waited(path, now),
            State::Sidecar(SidecarState::Offered) => None,
            State::Ready | State::InHand | State::Kept | State::Refused => None,
        }
    }

    fn settled(&mut self, path: &Arc<Path>, now: Moment) -> Option<Due> {
        if self.is_open_for_writing(path) {
            let pause = self.settle().max(Duration::from_millis(100));
            self.set(
                path,
                State::Settling {
                    open_for_writing: true,
                },
            );
            self.schedule(path, now.instant + pause);
            return None;
        }
        let signature = self.entries.get(path)?.signature;
        if self
            .refused
            .get(&**path)
            .is_some_and(|(refused, _)| *refused == signature)
        {
            self.set(path, State::Refused);
            return None;
        }
        match sidecar::article_of(path) {
            Some(article) => {
                self.set(path, State::Sidecar(SidecarState::Early));
                match self.entries.get_key_value(&*article) {
                    Some((key, entry)) if matches!(entry.state, State::AwaitingSidecar { .. }) => {
                        let key = key.clone();
                        self.schedule(&key, now.instant);
                    }
                    _ => {}
                }
                self.schedule(path, now.instant + SIDECAR_GRACE);
                None
            }
            None => self.article_settled(path, now.instant, now),
        }
    }

    fn is_open_for_writing(&self, path: &Path) -> bool {
        !self.is_network
            && durable::open_regular_without_links(&self.path.join(path))
                .is_ok_and(|file| lease::writer(&file) == Writer::Present)
    }

    /// A settled article is ready, unless its sidecar is about to be.
    fn article_settled(
        &mut self,
        path: &Arc<Path>,
        settled_at: Instant,
        now: Moment,
    ) -> Option<Due> {
        let sidecar = sidecar::path_of(path);
        if !self.entries.contains_key(&*sidecar) {
            // Its event may be on its way; a look is cheap.
            self.look(&sidecar, false, now);
        }
        let told_to_wait = self.options.sidecar_wait.min(SIDECAR_GRACE);
        let wait = match self.entries.get(&*sidecar).map(|entry| &entry.state) {
            None => told_to_wait,
            // There, but it has not stood still yet; not for ever.
            Some(State::Settling { .. }) => told_to_wait + self.settle() + SIDECAR_GRACE,
            Some(_) => Duration::ZERO,
        };
        let until = settled_at + wait;
        if now.instant >= until {
            return Some(self.ready(path));
        }
        self.set(path, State::AwaitingSidecar { settled_at });
        self.schedule(path, until);
        None
    }

    fn ready(&mut self, path: &Arc<Path>) -> Due {
        self.set(path, State::Ready);
        Due::Ready(path.clone())
    }

    /// A sidecar has waited: its article is on its way, or was archived before, or never came.
    fn sidecar_waited(&mut self, path: &Arc<Path>, now: Moment) -> Option<Due> {
        let article = sidecar::article_of(path)?;
        let is_under_way = self
            .entries
            .get(&*article)
            .is_some_and(|entry| !matches!(entry.state, State::Kept | State::Refused));
        if is_under_way {
            self.schedule(path, now.instant + SIDECAR_CHECK);
            return None;
        }
        self.set(path, State::Sidecar(SidecarState::Offered));
        Some(Due::Late(path.clone()))
    }

    /// Nobody knows the article of this sidecar yet.
    pub(super) fn orphan(&mut self, path: &Arc<Path>, now: Moment) {
        self.set(path, State::Sidecar(SidecarState::Orphan));
        let left = ORPHAN_AGE.saturating_sub(self.age(path, now));
        self.schedule(path, now.instant + left.min(ORPHAN_CHECK));
    }

    /// How long the file has been there; by the wall clock too, so that a restart does not make it young.
    fn age(&self, path: &Path, now: Moment) -> Duration {
        self.entries.get(path).map_or(Duration::ZERO, |entry| {
            let seen_for = now.instant.saturating_duration_since(entry.since);
            now.age_of(entry.signature.ctime_ns).max(seen_for)
        })
    }

    pub(super) fn set(&mut self, path: &Path, state: State) {
        if let Some(entry) = self.entries.get_mut(path) {
            entry.state = state;
        }
    }

    /// To be tried again after `wait`.
    pub(super) fn defer(&mut self, path: &Arc<Path>, error: String, wait: Duration, now: Moment) {
        self.set(path, State::Deferred { error });
        self.schedule(path, now.instant + wait);
    }

    /// A settled sidecar is on its own: its article is not in hand any more.
    pub(super) fn free_sidecar(&mut self, path: &Arc<Path>, wait: Duration, now: Moment) {
        self.set(path, State::Sidecar(SidecarState::Early));
        self.schedule(path, now.instant + wait);
    }

    /// What was in hand is so no more: whatever is there now is seen for the first time.
    pub(super) fn let_go(&mut self, path: &Path, now: Moment) {
        self.entries.remove(path);
        self.look(path, false, now);
    }
}
