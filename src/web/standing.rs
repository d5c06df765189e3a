//! `Standing`: how things stand, for the overview, programs and scrapers of figures.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::fault::Fault;
use super::shelf::Shelf;
use crate::archive::reader::Archive;
use crate::archive::segment;
use crate::config::Config;
use crate::digest::Digest;
use crate::drift::{CAPTURES_MAX, drifts};
use crate::pipeline::chain;
use crate::status;

/// What was found holds for so long, so that those who ask often do not keep the daemon busy.
const FRESH: Duration = Duration::from_secs(1);
/// The intake is told for so many hours.
pub(super) const HOURS: usize = 24;

/// How things stand.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    /// What the daemon does: `running`, `paused`, `busy`; `stopped` if none runs; `unknown` if it cannot be asked.
    pub(super) state: String,
    /// Why the daemon cannot be asked, or why it takes no files.
    pub(super) trouble: Option<String>,
    /// How the inboxes stand, as the daemon says.
    pub(super) inbox: Value,
    /// So many files are in hand.
    pub(super) in_flight: Option<u64>,
    /// So many outcomes of each kind since the daemon started.
    pub(super) outcomes: Value,
    /// So many files are in quarantine.
    pub(super) quarantine: u64,
    /// So many documents are in the archive.
    pub(super) documents: u64,
    /// So many captures.
    pub(super) captures: u64,
    /// What the log's last checkpoint says.
    pub(super) checkpoint: Checkpoint,
    /// Bytes of the segments.
    pub(super) segment_bytes: SegmentBytes,
    /// Leaves of the last hour.
    pub(super) received_last_hour: u64,
    /// Leaves of each of the last hours, the oldest first.
    pub(super) received_by_hour: Vec<u64>,
    /// The last check, if there was one.
    pub(super) last_check: Value,
    /// Sources whose template seems to have changed.
    pub(super) drift: Value,
    /// What a person should know about how the archive was opened.
    pub(super) notes: Vec<String>,
}

/// The log's last checkpoint.
#[derive(Debug, Serialize)]
pub(super) struct Checkpoint {
    /// So many leaves.
    pub(super) size: u64,
    /// Their root.
    pub(super) root: Option<Digest>,
    /// When it was signed.
    pub(super) at: Option<Timestamp>,
}

/// How large the segments are.
#[derive(Debug, Default, Serialize)]
pub(super) struct SegmentBytes {
    /// Those that are written to, or were.
    pub(super) hot: u64,
    /// Those that are packed tightly.
    pub(super) sealed: u64,
}

/// Looks how things stand, and what was found last.
pub(super) struct Standings {
    config: Config,
    pub(super) shelf: Shelf,
    last: Mutex<Option<(Instant, Arc<Standing>)>>,
    /// Sources that drift, as far as is known.
    drift: Arc<Mutex<Drifts>>,
}

/// Sources that drift; null until they were looked for.
#[derive(Default)]
struct Drifts {
    as_of: Option<u64>,
    found: Value,
}

impl Standings {
    /// Of the archive and the daemon that `config` names.
    pub(super) fn new(config: &Config) -> Standings {
        Standings {
            config: config.clone(),
            shelf: Shelf::new(config.archive.dir.clone()),
            last: Mutex::default(),
            drift: Arc::default(),
        }
    }

    /// How things stand, as of the last second.
    pub(super) async fn now(&self) -> Result<Arc<Standing>, Fault> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, standing)) = last().as_ref()
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(standing));
        }
        let config = self.config.clone();
        let known = Arc::clone(&self.drift);
        let found = self
            .shelf
            .read(move |archive| look(archive, &config, &known))
            .await?;
        if found.state == "stopped" || found.state == "unknown" {
            self.look_for_drift(found.checkpoint.size);
        }
        let found = Arc::new(found);
        *last() = Some((Instant::now(), Arc::clone(&found)));
        Ok(found)
    }

    /// Looks in the background for sources that drift, which takes a moment, if something came in since the last look.
    fn look_for_drift(&self, leaves: u64) {
        let memory = Arc::clone(&self.drift);
        {
            let mut known = memory.lock().unwrap_or_else(PoisonError::into_inner);
            if known.as_of == Some(leaves) {
                return;
            }
            known.as_of = Some(leaves);
        }
        let shelf = self.shelf.clone();
        drop(tokio::spawn(async move {
            let found = shelf
                .read(|archive| Ok(json!(drifts(&archive.measures(CAPTURES_MAX)?))))
                .await;
            if let Ok(found) = found {
                memory.lock().unwrap_or_else(PoisonError::into_inner).found = found;
            }
        }));
    }
}

fn look(archive: &Archive, config: &Config, known: &Mutex<Drifts>) -> Result<Standing, Fault> {
    let (daemon, unknown) = match status::of_daemon(&config.daemon.control) {
        Ok(Some(status)) => (status, None),
        Ok(None) => (json!({"state": "stopped"}), None),
        Err(error) => (json!({"state": "unknown"}), Some(chain(&error))),
    };
    let paused = daemon.pointer("/inbox/paused").and_then(Value::as_str);
    let leaves = archive.leaves()?;
    let quarantine = match daemon["quarantine"].as_u64() {
        Some(count) => count,
        None => status::quarantined(&config.inbox)? as u64,
    };
    let received_by_hour = received(archive, Timestamp::now(), leaves)?;
    Ok(Standing {
        state: daemon["state"].as_str().unwrap_or("unknown").to_owned(),
        trouble: unknown.or_else(|| paused.map(str::to_owned)),
        inbox: daemon["inbox"].clone(),
        in_flight: daemon["in_flight"].as_u64(),
        outcomes: daemon["outcomes"].clone(),
        quarantine,
        documents: archive.document_count()?,
        captures: archive.capture_count()?,
        checkpoint: checkpoint(archive.dir(), leaves),
        segment_bytes: segment_bytes(archive.dir()),
        received_last_hour: received_by_hour.last().copied().unwrap_or(0),
        received_by_hour,
        last_check: status::last_check(&config.archive.state),
        drift: match daemon.get("drift") {
            Some(drift) => drift.clone(),
            None => known
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .found
                .clone(),
        },
        notes: archive
            .recovery()
            .findings
            .iter()
            .map(|note| chain(note))
            .collect(),
    })
}

/// How many leaves came in each of the last hours, the oldest first.
fn received(archive: &Archive, now: Timestamp, leaves: u64) -> Result<Vec<u64>, Fault> {
    let hours = i64::try_from(HOURS).unwrap_or(0);
    let begins = (1..=hours)
        .rev()
        .map(|ago| now.checked_sub(SignedDuration::from_hours(ago)));
    let mut first = Vec::with_capacity(HOURS + 1);
    for begin in begins {
        first.push(archive.leaf_at(begin.unwrap_or(Timestamp::MIN))?);
    }
    first.push(leaves);
    let pairs = first.windows(2);
    Ok(pairs.map(|pair| pair[1].saturating_sub(pair[0])).collect())
}

/// The checkpoint as it is by now; what it does not say is not known.
fn checkpoint(dir: &Path, leaves: u64) -> Checkpoint {
    let found = status::checkpoint(dir).ok();
    Checkpoint {
        size: found.as_ref().map_or(leaves, |found| found.size),
        root: found.as_ref().map(|found| found.root),
        at: found.and_then(|found| found.at),
    }
}

fn segment_bytes(dir: &Path) -> SegmentBytes {
    let all = |folder: &str| {
        let entries = std::fs::read_dir(dir.join(folder))
            .into_iter()
            .flatten()
            .flatten();
        let sizes = entries.filter_map(|entry| Some(entry.metadata().ok()?.len()));
        sizes.sum()
    };
    SegmentBytes {
        hot: all(segment::FOLDER),
        sealed: all(segment::SEALED_FOLDER),
    }
}
