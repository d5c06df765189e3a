//! The watcher, which only says "look": its callback sets dirty bits and wakes the intake.
//!
//! What was measured of notify 8.2 on inotify, and what follows from it: in a new nested folder whose files come at once, most
//! give no event, silently, so each folder is watched by itself, by our scan, before its names are read. A queue overflow is an
//! event without paths, flagged `Rescan`. A folder that was renamed away and made again is silent for ever, so watches are kept
//! by inode. Symbolic links are never watched: the scan does not enter them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Device and inode.
pub(super) type Inode = (u64, u64);

/// More dirty paths than this are answered by one full scan.
const DIRTY_MAX: usize = 4096;

/// What the events said since they were last taken.
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// Where to look.
    pub(super) paths: BTreeMap<PathBuf, Hint>,
    /// Events were lost: look everywhere.
    pub(super) everywhere: bool,
}

/// What is known of one dirty path.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Hint {
    /// The file came there by a rename.
    pub(super) renamed: bool,
    /// Something of this name went away, with its watch if it was a folder.
    pub(super) removed: bool,
}

/// The watcher of all roots.
#[derive(Debug, Default)]
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    hints: Arc<Mutex<Hints>>,
    by_path: BTreeMap<PathBuf, Inode>,
    by_inode: HashMap<Inode, PathBuf>,
    /// Why events cannot be relied on.
    trouble: Option<String>,
}

impl Watch {
    /// Starts the watcher; `wake` is called, from a thread of its own, when there is something new to look at.
    pub(super) fn start(wake: Box<dyn Fn() + Send>) -> Watch {
        let hints = Arc::new(Mutex::new(Hints::default()));
        let shared = hints.clone();
        let handler = move |event| {
            let mut hints = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let was_quiet = hints.is_empty();
            hints.note(event);
            let wakes = was_quiet && !hints.is_empty();
            drop(hints);
            if wakes {
                wake();
            }
        };
        let config = Config::default().with_follow_symlinks(false);
        let (watcher, trouble) = match RecommendedWatcher::new(handler, config) {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Watch {
            watcher,
            hints,
            trouble,
            ..Watch::default()
        }
    }

    /// Whether events can be relied on.
    pub(super) fn is_sound(&self) -> bool {
        self.watcher.is_some() && self.trouble.is_none()
    }

    /// Why they cannot.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What the events said since the last time.
    pub(super) fn take(&self) -> Hints {
        std::mem::take(&mut *self.hints.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sees to it that the folder is watched; to be called before its names are read.
    pub(super) fn folder(&mut self, path: &Path, inode: Inode) {
        // Once the watches have run out each further try would fail as well, until the next full scan.
        if !self.is_sound() {
            return;
        }
        match self.by_inode.get(&inode) {
            Some(known) if known == path => return,
            // It was renamed: its old name must go first, or taking that away later would end the new watch.
            Some(_) => self.forget_inode(inode),
            None => {}
        }
        if self.by_path.contains_key(path) {
            self.forget(path);
        }
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        match watcher.watch(path, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.by_path.insert(path.to_owned(), inode);
                self.by_inode.insert(inode, path.to_owned());
            }
            // Gone already, or closed to us: the scan will find the same.
            Err(_) if std::fs::read_dir(path).is_err() => {}
            Err(error) => self.trouble = Some(error.to_string()),
        }
    }

    /// Ends the watches of `path` and of all folders in it; those that still exist are watched again when they are scanned.
    pub(super) fn forget(&mut self, path: &Path) {
        let below = (Bound::Included(path), Bound::Unbounded);
        let gone: Vec<Inode> = self
            .by_path
            .range::<Path, _>(below)
            .take_while(|(folder, _)| folder.starts_with(path))
            .map(|(_, inode)| *inode)
            .collect();
        for inode in gone {
            self.forget_inode(inode);
        }
    }

    /// Ends all watches: events were lost, and with them perhaps the news that a folder is not the one it was.
    pub(super) fn forget_all(&mut self) {
        self.forget(Path::new("/"));
    }

    /// Gives a watcher that ran out of watches another chance.
    pub(super) fn try_again(&mut self) {
        if self.watcher.is_some() {
            self.trouble = None;
        }
    }

    fn forget_inode(&mut self, inode: Inode) {
        if let Some(path) = self.by_inode.remove(&inode) {
            self.by_path.remove(&path);
            if let Some(watcher) = &mut self.watcher {
                // It is no error if the kernel ended the watch first, with the folder.
                drop(watcher.unwatch(&path));
            }
        }
    }
}

impl Hints {
    fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.everywhere
    }

    fn note(&mut self, event: notify::Result<Event>) {
        let event = match event {
            Ok(event) => event,
            Err(_) => {
                self.everywhere = true;
                return;
            }
        };
        // Before the paths: an overflow has none.
        if event.need_rescan() {
            self.everywhere = true;
        }
        let Some(hint) = meaning(event.kind) else {
            return;
        };
        for path in event.paths {
            if self.paths.len() >= DIRTY_MAX && !self.paths.contains_key(&path) {
                self.everywhere = true;
                return;
            }
            let known = self.paths.entry(path).or_default();
            known.renamed |= hint.renamed;
            known.removed |= hint.removed;
        }
    }
}

/// What an event of this kind says of its path; `None` if it is of no interest. (Opening and reading are our own doing, and
/// a file that grows is looked at when its settle time is over.)
fn meaning(kind: EventKind) -> Option<Hint> {
    let hint = |renamed, removed| Some(Hint { renamed, removed });
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => hint(false, false),
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Data(_)) => None,
        // `From` and `To` are told one by one as well.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => None,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => hint(true, false),
        EventKind::Modify(ModifyKind::Name(_)) | EventKind::Remove(_) => hint(false, true),
        _ => hint(false, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, Flag};

    #[test]
    fn an_overflow_without_paths_means_look_everywhere() {
        let mut hints = Hints::default();
        hints.note(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        assert!(hints.everywhere);
        let mut hints = Hints::default();
        hints.note(Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch)));
        assert!(hints.everywhere);
    }

    #[test]
    fn dirty_paths_are_bounded() {
        let mut hints = Hints::default();
        for n in 0..=DIRTY_MAX {
            let event = Event::new(EventKind::Create(CreateKind::File));
            hints.note(Ok(event.add_path(PathBuf::from(format!("/inbox/{n}")))));
        }
        assert!(hints.everywhere);
        assert_eq!(hints.paths.len(), DIRTY_MAX);
    }

    #[test]
    fn our_own_reading_is_no_hint() {
        let mut hints = Hints::default();
        let kind = EventKind::Access(AccessKind::Open(AccessMode::Any));
        hints.note(Ok(Event::new(kind).add_path(PathBuf::from("/inbox/a"))));
        assert!(hints.is_empty());
    }
}
