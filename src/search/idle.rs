//! The daemon fills the search index when nothing comes in, so that the first search need not.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Error;
use super::index::Index;
use crate::archive::reader::Archive;
use crate::pipeline::{Progress, chain};

/// How often the daemon looks whether there is something to index.
const LOOK: Duration = Duration::from_secs(1);
/// So many looks without anything coming in, and it is idle.
const QUIET_LOOKS: u32 = 5;

/// Fills the index whenever the daemon is idle.
pub struct Idle {
    /// The archive.
    pub archive: PathBuf,
    /// What comes in.
    pub progress: Arc<Progress>,
    /// The daemon is to stop.
    pub stopping: CancellationToken,
}

impl Idle {
    /// Starts the thread; it ends soon after `stopping`.
    pub fn start(self) -> std::io::Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("index".into())
            .spawn(move || self.run())
    }

    fn run(self) {
        let mut steps = self.progress.steps.load(Ordering::Relaxed);
        let mut quiet = 0;
        // What the log was when the index was filled last.
        let mut indexed = None;
        while !self.stopping.is_cancelled() {
            thread::sleep(LOOK);
            let now = self.progress.steps.load(Ordering::Relaxed);
            quiet = if now == steps && !self.is_busy() {
                quiet + 1
            } else {
                0
            };
            steps = now;
            let size = self.progress.archive().log_size;
            if quiet >= QUIET_LOOKS && indexed != Some(size) {
                match self.fill() {
                    Ok(()) => {}
                    Err(error) => {
                        tracing::warn!(error = chain(&error), "could not fill the search index")
                    }
                }
                // Also after a failure: the next article is early enough to try again.
                indexed = Some(size).filter(|_| !self.is_busy());
            }
        }
    }

    fn is_busy(&self) -> bool {
        self.progress.in_flight.load(Ordering::Relaxed) > 0
    }

    fn fill(&self) -> Result<(), Error> {
        let archive = Archive::open(&self.archive)?;
        let mut go_on = || !self.is_busy() && !self.stopping.is_cancelled();
        Index::open(&archive)?.catch_up(&archive, &mut go_on)
    }
}
