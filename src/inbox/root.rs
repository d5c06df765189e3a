//! `Root`: one watched folder with all that is known of its files, and the way of each from seen to settled.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::durable;
use crate::submission::{ClaimId, Signature, Source};

use super::clock::Moment;
use super::entry::{Entry, State};
use super::error::Error;
use super::glob::Ignore;
use super::options::{Options, Poll, Release};
use super::scan::{self, Found, Oddity, Walk};
use super::watch::{Hint, Inode, Watch};

/// Settle time on network folders is at least this: their clients show changes late.
const NETWORK_SETTLE: Duration = Duration::from_secs(10);
/// Scans are at most this far apart where events cannot be relied on.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// A folder that is not there is looked for this often.
const ABSENT_INTERVAL: Duration = Duration::from_secs(1);
/// More dirty paths than this are answered by one full scan.
const DIRTY_MAX: usize = 4096;

/// One watched folder.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) options: Options,
    pub(super) path: PathBuf,
    pub(super) done: PathBuf,
    pub(super) failed: PathBuf,
    pub(super) presence: Presence,
    pub(super) is_network: bool,
    /// Each by itself: files come in the order of their names more often than not, which leaves the nodes of the tree half empty.
    pub(super) entries: BTreeMap<Arc<Path>, Box<Entry>>,
    pub(super) odd: BTreeMap<PathBuf, Oddity>,
    /// Under policy `keep`: files that failed, with the claim of their quarantine.
    pub(super) refused: HashMap<PathBuf, (Signature, ClaimId)>,
    /// Claims of what is in quarantine.
    pub(super) quarantined: BTreeSet<ClaimId>,
    ignore: Arc<Ignore>,
    pub(super) timers: BinaryHeap<Reverse<(Instant, Arc<Path>)>>,
    dirty: BTreeMap<PathBuf, Hint>,
    pub(super) generation: u64,
    /// The next full scan.
    next_scan: Instant,
    /// No scan before this: the inbox looks at its own pace, whatever the events say.
    gate: Instant,
    /// Nothing was scanned yet since the folder appeared.
    pub(super) is_new: bool,
}

/// Whether the folder is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Presence {
    Present(Inode),
    /// Not there, or its marker is not: why.
    Absent(String),
}

impl Root {
    pub(super) fn new(options: Options, paths: [PathBuf; 3], now: Moment) -> Result<Root, Error> {
        let [path, done, failed] = paths;
        Ok(Root {
            ignore: Arc::new(Ignore::new(&options)?),
            options,
            path,
            done,
            failed,
            presence: Presence::Absent("not looked at yet".to_owned()),
            is_network: false,
            entries: BTreeMap::new(),
            odd: BTreeMap::new(),
            refused: HashMap::new(),
            quarantined: BTreeSet::new(),
            timers: BinaryHeap::new(),
            dirty: BTreeMap::new(),
            generation: 0,
            next_scan: now.instant,
            gate: now.instant,
            is_new: true,
        })
    }

    pub(super) fn source(&self, path: &Path) -> Source {
        Source {
            root: self.options.name.clone(),
            path: path.to_owned(),
        }
    }

    pub(super) fn is_present(&self) -> bool {
        matches!(self.presence, Presence::Present(_))
    }

    /// Whether events say anything about this root.
    pub(super) fn is_watched(&self, watch: &Watch) -> bool {
        self.options.poll == Poll::Auto && !self.is_network && watch.is_sound()
    }

    pub(super) fn settle(&self) -> Duration {
        match self.is_network {
            true => self.options.settle.max(NETWORK_SETTLE),
            false => self.options.settle,
        }
    }

    /// Looks everywhere at the next tick.
    pub(super) fn scan_soon(&mut self, now: Moment) {
        self.next_scan = self.next_scan.min(now.instant);
    }

    /// Takes up an event about `path`, absolute. False if it is not of this root.
    pub(super) fn hint(&mut self, path: &Path, hint: Hint, watch: &mut Watch, now: Moment) -> bool {
        let Ok(below) = path.strip_prefix(&self.path) else {
            return false;
        };
        // Before any scan, which else would take the new folder of that name, perhaps of the same inode, for the watched one.
        if hint.removed {
            watch.forget(path);
        }
        let path = below;
        if path.as_os_str().is_empty() || self.dirty.len() >= DIRTY_MAX {
            self.scan_soon(now);
        } else {
            self.dirty.insert(path.to_owned(), hint);
        }
        true
    }

    /// Scans what is due. True if it was everything.
    pub(super) fn scan(&mut self, watch: &mut Watch, now: Moment) -> bool {
        if now.instant < self.gate {
            return false;
        }
        let everything = self.next_scan <= now.instant;
        let looked_at = match everything {
            true => self.scan_all(watch, now),
            false => self.scan_dirty(watch, now),
        };
        // A look costs about 10 microseconds.
        let cost = Duration::from_micros(10) * u32::try_from(looked_at).unwrap_or(u32::MAX);
        if everything && self.is_present() && self.is_watched(watch) {
            // While nothing happens, scans take a hundredth of the time at most.
            self.next_scan = self.next_scan.max(now.instant + 100 * cost);
        } else if self.is_present() && !self.is_watched(watch) {
            self.next_scan = self.next_scan.min(now.instant + POLL_INTERVAL);
        }
        // However many events ask for them, scans take a quarter of it at most.
        self.gate = now.instant + 4 * cost;
        everything
    }

    fn scan_all(&mut self, watch: &mut Watch, now: Moment) -> usize {
        self.dirty.clear();
        watch.try_again();
        let presence = self.look_at_root();
        if presence != self.presence {
            watch.forget(&self.path);
            self.is_new = true;
            self.presence = presence;
        }
        if !self.is_present() {
            self.forget_all();
            self.next_scan = now.instant + ABSENT_INTERVAL;
            return 0;
        }
        // A file system is mounted or is not; it does not become another one in between.
        self.is_network = durable::is_network_folder(&self.path).unwrap_or(false);
        if self.options.release == Release::Keep && self.options.poll == Poll::Auto {
            // What failed stays here, so that nothing comes back by a retry: the reason's going away is the news.
            if let Ok(metadata) = std::fs::metadata(&self.failed) {
                watch.folder(&self.failed, scan::inode_of(&metadata));
            }
        }
        let looked_at = self.scan_folder(Path::new(""), watch, now);
        self.is_new = false;
        self.next_scan = now.instant + self.options.scan_interval;
        looked_at
    }

    fn look_at_root(&self) -> Presence {
        let metadata = match std::fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_dir() => metadata,
            Ok(_) => return Presence::Absent("not a folder".to_owned()),
            Err(error) => return Presence::Absent(error.to_string()),
        };
        if let Some(marker) = &self.options.marker
            && let Err(error) = std::fs::symlink_metadata(self.path.join(marker))
        {
            let marker = marker.display();
            return Presence::Absent(format!(
                "not mounted: its marker {marker} is missing ({error})"
            ));
        }
        Presence::Present(scan::inode_of(&metadata))
    }

    /// Forgets all but what is in hand.
    fn forget_all(&mut self) {
        self.entries
            .retain(|_, entry| matches!(entry.state, State::InHand));
        self.odd.clear();
        self.timers.clear();
        self.dirty.clear();
    }

    fn scan_dirty(&mut self, watch: &mut Watch, now: Moment) -> usize {
        let mut looked_at = 0;
        let mut scanned: Option<PathBuf> = None;
        for (path, hint) in std::mem::take(&mut self.dirty) {
            // Paths are sorted by their components: what lies in a folder follows it.
            let was_scanned = scanned
                .as_ref()
                .is_some_and(|folder| path.starts_with(folder));
            if was_scanned && !hint.renamed || self.ignore.matches_above(&path) {
                continue;
            }
            looked_at += 1;
            let found = self.look(&path, hint.renamed, now);
            if matches!(found, Some(Found::Folder(_))) && !was_scanned {
                looked_at += self.scan_folder(&path, watch, now);
                scanned = Some(path);
            }
        }
        looked_at
    }

    fn scan_folder(&mut self, folder: &Path, watch: &mut Watch, now: Moment) -> usize {
        self.generation += 1;
        let uses_events = self.options.poll == Poll::Auto && !self.is_network;
        let (root, ignore) = (self.path.clone(), self.ignore.clone());
        let mut walk = Walk {
            root: &root,
            ignore: &ignore,
            on_folder: &mut |path, inode| {
                if uses_events {
                    watch.folder(path, inode);
                }
            },
        };
        let walked = walk.run(folder, |path, signature| {
            self.sight(&path, signature, false, now);
        });
        let generation = self.generation;
        self.forget(folder, |path, entry| {
            entry.seen != generation && !walked.is_hidden(path)
        });
        self.odd.extend(walked.odd);
        walked.looked_at
    }

    /// Looks at one path and takes note of what is there.
    pub(super) fn look(&mut self, path: &Path, renamed: bool, now: Moment) -> Option<Found> {
        let found = match scan::look(&self.path, path, &self.ignore) {
            Ok(found) => found,
            Err(error) => Some(Found::Odd(Oddity::Unreadable(error.to_string()))),
        };
        match &found {
            Some(Found::File(signature)) => {
                self.odd.remove(path);
                self.sight(path, *signature, renamed, now);
            }
            Some(Found::Folder(_)) => {
                self.odd.remove(path);
                self.forget(path, |entry_path, _| entry_path == path);
            }
            Some(Found::Odd(oddity)) => {
                self.forget(path, |_, _| true);
                self.odd.insert(path.to_owned(), oddity.clone());
            }
            None => self.forget(path, |_, _| true),
        }
        found
    }

    /// Forgets what `is_gone` of the files at and below `path`, but for those in hand, and all oddities there.
    fn forget(&mut self, path: &Path, is_gone: impl Fn(&Path, &Entry) -> bool) {
        let below = (Bound::Included(path), Bound::Unbounded);
        let gone: Vec<Arc<Path>> = self
            .entries
            .range::<Path, _>(below)
            .take_while(|(entry_path, _)| entry_path.starts_with(path))
            .filter(|(entry_path, entry)| {
                !matches!(entry.state, State::InHand) && is_gone(entry_path, entry)
            })
            .map(|(entry_path, _)| entry_path.clone())
            .collect();
        for path in gone {
            self.entries.remove(&path);
        }
        let odd: Vec<PathBuf> = self
            .odd
            .range::<Path, _>(below)
            .map(|(odd, _)| odd)
            .take_while(|odd| odd.starts_with(path))
            .cloned()
            .collect();
        for path in odd {
            self.odd.remove(&path);
        }
    }

    /// When there is something to do next; without room for more settled files, timers are let pass.
    pub(super) fn next(&self, has_room: bool) -> Instant {
        let scan = match self.dirty.is_empty() {
            true => self.next_scan.max(self.gate),
            false => self.gate,
        };
        match self.timers.peek() {
            Some(Reverse((at, _))) if has_room => scan.min(*at),
            _ => scan,
        }
    }
}
