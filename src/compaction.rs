//! `compact` while the daemon runs: segments are sealed on a thread of their own, the committer only plans and takes over. The
//! daemon does it by itself once nothing has come in for a while, and lets whatever comes in go first.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::archive::seal;
use crate::archive::writer::compact::Compaction;
use crate::pipeline::{Entrance, Progress, chain};

/// How often the daemon looks whether it is idle.
const LOOK: Duration = Duration::from_secs(1);
/// Sealing waits so long before it looks again whether what came in is archived.
const GIVE_WAY: Duration = Duration::from_millis(50);

/// One sealing or erasing at a time: two would write the same segments anew, the second in vain.
#[derive(Debug, Clone, Default)]
pub struct Turn(Arc<Mutex<()>>);

impl Turn {
    /// Waits for it.
    pub fn take(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seals full segments, at most so many bytes of them (but always one); with `all` the one that is being written to, too. `go_on`
/// is asked before each record and may let time pass; if it says no, nothing is done.
pub fn compact(
    entrance: &Entrance,
    turn: &Turn,
    all: bool,
    bytes_max: u64,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Compaction, String> {
    let _turn = turn.take();
    let now = Timestamp::now();
    let plan = entrance.with_writer(move |writer| writer.plan_sealing(all, bytes_max, now))?;
    match seal::build(&plan, go_on).map_err(|error| chain(&error))? {
        Some(sealing) => entrance.with_writer(move |writer| writer.take_over(sealing)),
        None => Err("the daemon is stopping".to_owned()),
    }
}

/// Seals full segments whenever the daemon is idle.
pub struct Idle {
    /// Nothing must have come in for so long.
    pub after: Duration,
    /// At most so many bytes of segments at once, but always one segment.
    pub bytes_max: u64,
    /// The way to the archive.
    pub entrance: Entrance,
    /// What comes in.
    pub progress: Arc<Progress>,
    /// Whose turn it is.
    pub turn: Turn,
    /// The daemon is to stop.
    pub stopping: CancellationToken,
}

impl Idle {
    /// Starts the thread; it ends soon after `stopping`.
    pub fn start(self) -> std::io::Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("compact".into())
            .spawn(move || self.run())
    }

    fn run(self) {
        let mut steps = self.progress.steps.load(Ordering::Relaxed);
        let mut since = Instant::now();
        // What cannot be sealed now can neither be later, until something comes in.
        let mut is_done = false;
        while !self.stopping.is_cancelled() {
            let now = self.progress.steps.load(Ordering::Relaxed);
            if now != steps || self.is_busy() {
                (steps, since, is_done) = (now, Instant::now(), false);
            }
            if !is_done && since.elapsed() >= self.after {
                is_done = !self.seal();
            } else {
                thread::sleep(LOOK);
            }
        }
    }

    fn is_busy(&self) -> bool {
        self.progress.in_flight.load(Ordering::Relaxed) > 0
    }

    /// Seals what may be sealed at once; says whether there may be more.
    fn seal(&self) -> bool {
        let mut go_on = || {
            while self.is_busy() && !self.stopping.is_cancelled() {
                thread::sleep(GIVE_WAY);
            }
            !self.stopping.is_cancelled()
        };
        match compact(
            &self.entrance,
            &self.turn,
            false,
            self.bytes_max,
            &mut go_on,
        ) {
            Ok(done) => {
                for (segment, why) in &done.refused {
                    tracing::warn!(%segment, why, "not sealed");
                }
                if done.replaced > 0 {
                    let (before, after) = (done.bytes_before, done.bytes_after);
                    tracing::info!(segments = done.replaced, before, after, "sealed");
                }
                done.replaced > 0 && done.refused.is_empty()
            }
            Err(error) => {
                tracing::warn!(error, "could not seal");
                false
            }
        }
    }
}
