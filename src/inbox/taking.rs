//! Taking files in hand: which, how many, and when none.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::durable;
use crate::submission::{Signature, Source, printable};

use super::claim::Claim;
use super::clock::Moment;
use super::entry::State;
use super::intake::{Committed, Intake, PAUSE};
use super::options::Release;
use super::sidecar;
use super::spool::Intent;

impl Intake {
    /// Takes up to `max` files in hand, their intents being durable. None while there is too little space, and nothing beside
    /// a suspect.
    pub fn claim(&mut self, max: usize, now: Moment, committed: &dyn Committed) -> Vec<Claim> {
        if self.in_hand.is_suspect || self.is_paused(now) {
            return Vec::new();
        }
        let (chosen, is_suspect) = if self.suspects.is_empty() {
            let asked = self.pass_over_kept(max, now, committed);
            (self.choose(asked), false)
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
                    is_container: false,
                    intent,
                }
            });
        let claims = claims.collect();
        self.in_hand.is_suspect = is_suspect;
        claims
    }

    /// Of the first `max` files that are ready, those that are archived already and kept, or changed, are ready no more. So many of
    /// the first are left; none only if nothing is ready. The archive is asked once for all of them: each question waits for its turn.
    fn pass_over_kept(&mut self, max: usize, now: Moment, committed: &dyn Committed) -> usize {
        while max > 0 && !self.ready.is_empty() {
            let first = self.ready.len().min(max);
            let mut asked: Vec<(usize, Arc<Path>)> = self.ready.drain(..first).collect();
            // One that changed while it waited settles anew, and then waits twice.
            let mut seen = HashSet::new();
            asked.retain(|(index, path)| {
                self.ready_size(*index, path).is_some() && seen.insert((*index, path.clone()))
            });
            let files: Vec<_> = asked
                .iter()
                .filter_map(|(index, path)| self.kept_file(*index, path))
                .collect();
            let mut known = committed.signatures(&files).into_iter();
            let mut left = Vec::new();
            for (index, path) in asked {
                let is_known = self.kept_file(index, &path).is_some() && known.next() == Some(true);
                match is_known {
                    true => self.keep(index, &path, now),
                    false => left.push((index, path)),
                }
            }
            let count = left.len();
            for one in left.into_iter().rev() {
                self.ready.push_front(one);
            }
            if count > 0 {
                return count;
            }
        }
        0
    }

    /// What the archive is asked about a file that is to be claimed, if files stay in its inbox.
    fn kept_file(&self, index: usize, path: &Path) -> Option<(Source, Signature)> {
        let root = &self.roots[index];
        let entry = root.entries.get(path)?;
        let is_asked = root.options.release == Release::Keep && matches!(entry.state, State::Ready);
        is_asked.then(|| (root.source(path), entry.signature))
    }

    /// The file is archived and stays.
    fn keep(&mut self, index: usize, path: &Path, now: Moment) {
        let root = &mut self.roots[index];
        root.set(path, State::Kept);
        let sidecar = sidecar::path_of(path);
        if let Some((sidecar, _)) = root.entries.get_key_value(&*sidecar) {
            let sidecar = sidecar.clone();
            if root.is_settled_sidecar(&sidecar) {
                root.free_sidecar(&sidecar, Duration::ZERO, now);
            }
        }
    }

    fn choose(&mut self, max: usize) -> Vec<(usize, Arc<Path>)> {
        let mut chosen = Vec::new();
        let mut bytes = self.in_hand.bytes;
        while chosen.len() < max
            && let Some((index, path)) = self.ready.pop_front()
        {
            let Some(size) = self.ready_size(index, &path) else {
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
            let asked = self.kept_file(index, &path);
            if asked.is_some_and(|(source, signature)| committed.signature(&source, &signature)) {
                self.keep(index, &path, now);
            } else if self.ready_size(index, &path).is_some() {
                return vec![(index, path)];
            }
        }
        Vec::new()
    }

    /// The size of a file that is to be claimed; `None` if it changed since.
    fn ready_size(&self, index: usize, path: &Path) -> Option<u64> {
        let entry = self.roots[index].entries.get(path)?;
        matches!(entry.state, State::Ready).then_some(entry.signature.size)
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
