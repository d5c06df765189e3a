//! `Shelf`: open archives, read by a few at a time on threads that may wait for the disk.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::fault::Fault;
use crate::archive::catalog::Catalog;
use crate::archive::reader::Archive;

/// So many read at once.
const READERS_MAX: usize = 6;
/// Whoever cannot begin in this time is told to come back.
const TURN_PATIENCE: Duration = Duration::from_secs(5);
/// Whoever reads for longer gets no answer.
const READ_PATIENCE: Duration = Duration::from_secs(60);
/// An open archive may be so far behind. It follows what is archived; what was made anew beside it, it does not see.
const AGE_MAX: Duration = Duration::from_secs(2);

/// Open archives.
#[derive(Clone)]
pub(super) struct Shelf {
    turns: Arc<Semaphore>,
    open: Arc<Open>,
}

struct Open {
    dir: PathBuf,
    idle: Mutex<Vec<Opened>>,
}

struct Opened {
    archive: Archive,
    state: State,
    at: Instant,
}

/// How the files were when an archive was opened.
#[derive(PartialEq, Eq)]
struct State {
    catalog: Option<(u64, u64)>,
    checkpoint: Option<(u64, i64, i64)>,
}

impl State {
    fn of(dir: &Path) -> State {
        let catalog = std::fs::metadata(Catalog::path_in(dir)).ok();
        let checkpoint = std::fs::metadata(dir.join("log/checkpoint")).ok();
        State {
            catalog: catalog.map(|file| (file.dev(), file.ino())),
            checkpoint: checkpoint.map(|file| (file.ino(), file.mtime(), file.mtime_nsec())),
        }
    }
}

impl Shelf {
    /// Of the archive in `dir`, which need not be there yet.
    pub(super) fn new(dir: PathBuf) -> Shelf {
        let idle = Mutex::default();
        Shelf {
            turns: Arc::new(Semaphore::new(READERS_MAX)),
            open: Arc::new(Open { dir, idle }),
        }
    }

    /// Lets `work` read the archive.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Archive) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let open = Arc::clone(&self.open);
        self.run(move || {
            let opened = open.take()?;
            let done = work(&opened.archive);
            open.give_back(opened);
            done
        })
        .await
    }

    /// Runs what waits for the disk.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = tokio::time::timeout(TURN_PATIENCE, Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.ok().and_then(Result::ok).ok_or(Fault::Busy)?;
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        let done = tokio::time::timeout(READ_PATIENCE, work).await;
        let broken = |_| Fault::Broken("A defect of faircopy; its log says more.".to_owned());
        done.map_err(|_| Fault::Busy)?.map_err(broken)?
    }
}

impl Open {
    fn take(&self) -> Result<Opened, Fault> {
        let state = State::of(&self.dir);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(opened) = idle.pop() {
            let is_same = opened.state.catalog == state.catalog;
            if is_same && (opened.state == state || opened.at.elapsed() < AGE_MAX) {
                return Ok(opened);
            }
        }
        drop(idle);
        Ok(Opened {
            archive: Archive::open(&self.dir)?,
            state,
            at: Instant::now(),
        })
    }

    fn give_back(&self, opened: Opened) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < READERS_MAX {
            idle.push(opened);
        }
    }
}
