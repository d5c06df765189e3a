//! The intake thread: owns the inboxes, hands claims to the pipeline and gives each back when its outcome is known.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::archive::writer::ArchiveWriter;
use crate::config::Config;
use crate::container;
use crate::inbox::claim::{Claim, ReadError};
use crate::inbox::clock::Moment;
use crate::inbox::error::Error;
use crate::inbox::give_back::LateSidecar;
use crate::inbox::intake::{Committed, Intake};
use crate::inbox::options::Options;
use crate::inbox::release::{Released, purge};
use crate::inbox::status::Status;
use crate::pipeline::{Entrance, Job, Outcome, chain};
use crate::submission::{ClaimId, Signature, Source};
use crate::unpacking::{Container, Incoming, Unpacked};

/// So many files are in hand at most: two full groups, so that one is cleaned while the other is committed.
pub const CLAIMS_MAX: usize = 512;
/// So many late sidecars are offered to the archive in one round, since each is a commit of its own.
const LATE_MAX: usize = 64;
/// How often old files in the done folders are looked for.
const PURGE_INTERVAL: Duration = Duration::from_secs(3600);

/// Takes whether a reload succeeded, or why not.
pub type ReloadReply = oneshot::Sender<Result<(), String>>;

/// What the intake thread is told.
pub enum Message {
    /// Something changed in a watched folder.
    Wake,
    /// What became of a claim.
    Done(Arc<Claim>, Outcome),
    /// What the archive said to a late sidecar: whether it knows the article.
    Revised(Box<LateSidecar>, Result<bool, String>),
    /// How do the inboxes stand?
    Status(oneshot::Sender<Status>),
    /// From now on these settings, or the old ones and why.
    Reload(Box<Config>, ReloadReply),
    /// Finish what is in hand and end.
    Stop,
}

/// A running intake thread.
pub struct Receiving {
    sender: Sender<Message>,
    pulse: Arc<Mutex<Pulse>>,
    ended: CancellationToken,
    thread: JoinHandle<()>,
}

/// How the intake thread is.
#[derive(Debug, Clone)]
pub struct Pulse {
    /// When it last went round.
    pub beat: Instant,
    /// What keeps it from taking files in, and why.
    pub troubles: BTreeMap<String, String>,
}

impl Receiving {
    /// Opens the inboxes, finishes what a crash left, starts to watch. `beat` is how often the thread goes round at least.
    pub fn start(config: &Config, entrance: Entrance, beat: Duration) -> Result<Receiving, Error> {
        let (sender, messages) = channel();
        let waker = Waker::new(sender.clone());
        let intake = open(config, &entrance, &waker)?;
        let pulse = Arc::new(Mutex::new(Pulse {
            beat: Instant::now(),
            troubles: BTreeMap::new(),
        }));
        let ended = CancellationToken::new();
        let end = ended.clone().drop_guard();
        let floor = Floor {
            intake,
            config: config.clone(),
            entrance,
            sender: sender.clone(),
            messages,
            waker,
            in_hand: 0,
            reload: None,
            stopping: false,
            unpacking_stops: Arc::default(),
            beat,
            pulse: Arc::clone(&pulse),
            purge: Purge::default(),
        };
        let thread = thread::Builder::new().name("intake".into()).spawn(|| {
            let _tells_the_end = end;
            floor.run();
        });
        let thread = thread.map_err(|source| Error::Io {
            doing: "start the thread that watches",
            path: config.archive.state.clone(),
            source,
        })?;
        Ok(Receiving {
            sender,
            pulse,
            ended,
            thread,
        })
    }

    /// Where messages go.
    pub fn sender(&self) -> Sender<Message> {
        self.sender.clone()
    }

    /// How the thread is.
    pub fn pulse(&self) -> Arc<Mutex<Pulse>> {
        Arc::clone(&self.pulse)
    }

    /// Cancelled when the thread ends, even by a panic.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Finishes what is in hand and ends the thread.
    pub fn stop(self) {
        // It can only be gone if it panicked, which join tells.
        drop(self.sender.send(Message::Stop));
        if self.thread.join().is_err() {
            tracing::error!(
                "the intake thread panicked; what it had in hand is found again at the next start"
            );
        }
    }
}

/// Wakes the intake thread; many wakes before it looks are one.
#[derive(Clone)]
struct Waker {
    sender: Sender<Message>,
    is_awake: Arc<AtomicBool>,
}

impl Waker {
    fn new(sender: Sender<Message>) -> Waker {
        Waker {
            sender,
            is_awake: Arc::default(),
        }
    }

    fn wake(&self) {
        if !self.is_awake.swap(true, Ordering::AcqRel) {
            drop(self.sender.send(Message::Wake));
        }
    }
}

fn open(config: &Config, entrance: &Entrance, waker: &Waker) -> Result<Intake, Error> {
    let now = Moment::now();
    let (mut intake, report) = Intake::open(
        config.inbox.clone(),
        config.intake.clone(),
        &config.archive.dir,
        Box::new(crate::archive::keys::random::<10>),
        &AskArchive(entrance),
        now,
    )?;
    for (claim, released) in &report.released {
        tracing::info!(%claim, ?released, "released what was archived before the last end");
    }
    for (source, deaths) in &report.suspects {
        tracing::warn!(%source, deaths, "was in hand when the process died; tried alone");
    }
    for path in &report.damaged {
        tracing::warn!(path = %path.display(), "no intent; left alone");
    }
    if report.dropped + report.foreign > 0 {
        let (dropped, foreign) = (report.dropped, report.foreign);
        tracing::info!(dropped, foreign, "intents of the last run");
    }
    let waker = waker.clone();
    intake.watch(move || waker.wake(), now);
    Ok(intake)
}

/// Asks the committer. If the archive cannot answer, a file counts as not archived: it is handed in again, and recognised.
struct AskArchive<'a>(&'a Entrance);

impl Committed for AskArchive<'_> {
    fn claim(&self, claim: &ClaimId) -> bool {
        let claim = claim.clone();
        let answer = self.0.with_writer(move |writer| writer.committed(&claim));
        answer.unwrap_or_else(not_told)
    }

    fn signature(&self, source: &Source, signature: &Signature) -> bool {
        let (source, signature) = (source.clone(), *signature);
        let ask = move |writer: &mut ArchiveWriter| writer.committed_signature(&source, &signature);
        self.0.with_writer(ask).unwrap_or_else(not_told)
    }

    fn signatures(&self, files: &[(Source, Signature)]) -> Vec<bool> {
        if files.is_empty() {
            return Vec::new();
        }
        let asked = files.to_vec();
        let ask = move |writer: &mut ArchiveWriter| {
            let files = asked.iter();
            files
                .map(|(source, signature)| writer.committed_signature(source, signature))
                .collect()
        };
        let answer = self.0.with_writer(ask);
        answer.unwrap_or_else(|error| vec![not_told(error); files.len()])
    }
}

fn not_told(error: String) -> bool {
    tracing::warn!(error, "the archive cannot tell whether it has a file");
    false
}

/// The thread's own room.
struct Floor {
    intake: Intake,
    config: Config,
    entrance: Entrance,
    sender: Sender<Message>,
    messages: Receiver<Message>,
    waker: Waker,
    /// Claims and late sidecars whose answer is outstanding.
    in_hand: usize,
    reload: Option<(Box<Config>, ReloadReply)>,
    stopping: bool,
    /// Tells the workers to leave containers half read: they are read again, and what is archived of them is recognised.
    unpacking_stops: Arc<AtomicBool>,
    beat: Duration,
    pulse: Arc<Mutex<Pulse>>,
    purge: Purge,
}

impl Floor {
    fn run(mut self) {
        loop {
            if self.in_hand == 0 && self.stopping {
                return;
            }
            if self.in_hand == 0 {
                self.reload();
            }
            // While it ends or waits to reload, only what is in hand counts.
            let next = if self.stopping || self.reload.is_some() {
                Instant::now() + self.beat
            } else {
                self.round()
            };
            self.pulse();
            self.listen(next);
        }
    }

    /// Shows that the thread lives, and tells of troubles once, when they begin and when they are over.
    fn pulse(&self) {
        let mut pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
        let troubles = self.intake.troubles();
        for (what, why) in &troubles {
            if !pulse.troubles.contains_key(what) {
                tracing::warn!(why, "{what}");
            }
        }
        for what in pulse.troubles.keys() {
            if !troubles.contains_key(what) {
                tracing::info!("over: {what}");
            }
        }
        pulse.beat = Instant::now();
        pulse.troubles = troubles;
    }

    /// One look at everything; when to look again.
    fn round(&mut self) -> Instant {
        let now = Moment::now();
        self.intake.tick(now);
        let room = CLAIMS_MAX - self.in_hand.min(CLAIMS_MAX);
        if room > 0 {
            for claim in self.intake.claim(room, now, &AskArchive(&self.entrance)) {
                self.submit(claim);
            }
        }
        for late in self.intake.late_sidecars(room.min(LATE_MAX), now) {
            self.revise(late);
        }
        self.purge.run(&self.config.inbox, &self.entrance);
        self.intake.next(now)
    }

    fn submit(&mut self, claim: Claim) {
        self.in_hand += 1;
        let claim = Arc::new(claim);
        let (reading, sender) = (Arc::clone(&claim), self.sender.clone());
        let containers = self.config.container_options();
        let stopping = Arc::clone(&self.unpacking_stops);
        let (id, source) = (claim.id().clone(), claim.source().clone());
        self.entrance.submit(Job {
            read: Box::new(move || incoming(reading, containers, stopping)),
            part: Box::new(move |number, outcome| log_part(&id, &source, number, &outcome)),
            done: Box::new(move |outcome| drop(sender.send(Message::Done(claim, outcome)))),
        });
    }

    fn revise(&mut self, late: LateSidecar) {
        self.in_hand += 1;
        let (source, declared) = (late.source.clone(), late.declared.clone());
        let sender = self.sender.clone();
        self.entrance.ask(
            move |writer| {
                let revised = writer.revise(&source, declared, Timestamp::now())?;
                Ok(revised.is_some())
            },
            move |known| drop(sender.send(Message::Revised(Box::new(late), known))),
        );
    }

    /// Waits for a message until `next`, then takes all that are there, so that releases share their syncs.
    fn listen(&mut self, next: Instant) {
        let mut archived = Vec::new();
        let wait = next
            .saturating_duration_since(Instant::now())
            .min(self.beat);
        let mut message = self.messages.recv_timeout(wait).ok();
        while let Some(one) = message {
            self.take(one, &mut archived);
            message = self.messages.try_recv().ok();
        }
        if archived.is_empty() {
            return;
        }
        for (claim, released) in self.intake.archived(archived, Moment::now()) {
            match released {
                Released::Postponed(error) => {
                    tracing::warn!(%claim, %error, "archived, but cannot be released yet")
                }
                Released::BadSidecar => {
                    tracing::warn!(%claim, "archived; its sidecar cannot be used and is in quarantine")
                }
                Released::Changed => {
                    tracing::info!(%claim, "archived; it has changed since, which is a new submission")
                }
                Released::Moved(_) | Released::Deleted | Released::Kept | Released::Gone => {}
            }
        }
    }

    fn take(&mut self, message: Message, archived: &mut Vec<Claim>) {
        match message {
            Message::Wake => self.waker.is_awake.store(false, Ordering::Release),
            Message::Done(claim, outcome) => {
                let claim = Arc::into_inner(claim).expect("reading has let go of the claim");
                self.done(claim, outcome, archived);
            }
            Message::Revised(late, known) => self.revised(*late, known),
            // The asker may have gone.
            Message::Status(reply) => drop(reply.send(self.intake.status())),
            Message::Reload(_, reply) if self.stopping || self.reload.is_some() => {
                drop(reply.send(Err(
                    "the daemon is stopping or reading its configuration already".to_owned(),
                )));
            }
            Message::Reload(config, reply) => self.reload = Some((config, reply)),
            Message::Stop => {
                self.stopping = true;
                self.unpacking_stops.store(true, Ordering::Relaxed);
            }
        }
    }

    fn done(&mut self, claim: Claim, outcome: Outcome, archived: &mut Vec<Claim>) {
        self.in_hand -= 1;
        let now = Moment::now();
        let (id, source) = (claim.id().clone(), claim.source().clone());
        match outcome {
            Outcome::Archived(capture) => {
                let (outcome, capture, version) = capture.parts();
                tracing::info!(claim = %id, %source, doc = %capture.doc, capture = capture.capture, version = version.version, "{outcome}");
                archived.push(claim);
            }
            Outcome::Unpacked(unpacked) => {
                let Unpacked {
                    archived: documents,
                    others,
                } = unpacked;
                tracing::info!(claim = %id, %source, documents, others, "a container, archived");
                archived.push(claim.of_container());
            }
            Outcome::Quarantined(stage, reason) => {
                tracing::warn!(claim = %id, %source, stage, code = reason.code.as_str(), %reason, "quarantined");
                if let Err(error) = self.intake.failed(claim, reason, stage, now) {
                    tracing::error!(claim = %id, %source, error = chain(&error), "cannot move it to quarantine; it stays");
                }
            }
            Outcome::Changed => {
                tracing::debug!(claim = %id, %source, "changed while it was read");
                self.intake.changed(claim, now);
            }
            Outcome::Deferred(why) => {
                tracing::warn!(claim = %id, %source, why, "tried again later");
                self.intake.deferred(claim, &why, now);
            }
        }
    }

    fn revised(&mut self, late: LateSidecar, known: Result<bool, String>) {
        self.in_hand -= 1;
        let source = late.source.clone();
        let known = known.unwrap_or_else(|error| {
            tracing::warn!(%source, error, "cannot archive a late sidecar; it stays");
            false
        });
        if let Some(released) = self.intake.revised(late, known, Moment::now()) {
            tracing::info!(%source, ?released, "the archive has what a late sidecar declares");
        }
    }

    /// Takes over the new settings, if any wait for it.
    fn reload(&mut self) {
        let Some((config, reply)) = self.reload.take() else {
            return;
        };
        let outcome = match open(&config, &self.entrance, &self.waker) {
            Ok(intake) => {
                self.intake = intake;
                self.config = *config;
                Ok(())
            }
            Err(error) => Err(chain(&error)),
        };
        drop(reply.send(outcome));
    }
}

/// What the file of a claim turns out to be.
fn incoming(
    claim: Arc<Claim>,
    options: container::Options,
    stopping: Arc<AtomicBool>,
) -> Result<Incoming, Outcome> {
    let now = Timestamp::now();
    let deferred = |error: std::io::Error| Outcome::Deferred(format!("cannot read it: {error}"));
    let mut file = claim.open().map_err(Outcome::from)?;
    let Some(kind) = container::kind_of(&mut file, &options).map_err(deferred)? else {
        let submission = claim.read_opened(&file, now).map_err(Outcome::from)?;
        return Ok(submission.into());
    };
    let declared = claim.declared().map_err(Outcome::from)?;
    let same = file.try_clone().map_err(deferred)?;
    Ok(Incoming::Many(Box::new(Container {
        source: Box::new(file),
        kind,
        options,
        of: claim.submission(Vec::new(), declared, now),
        is_unchanged: Box::new(move || claim.is_unchanged(&same)),
        stopping,
    })))
}

fn log_part(id: &ClaimId, source: &Source, number: u32, outcome: &Outcome) {
    match outcome {
        Outcome::Archived(capture) => {
            let (outcome, capture, version) = capture.parts();
            tracing::debug!(claim = %id, %source, part = number, doc = %capture.doc, capture = capture.capture, version = version.version, "{outcome}");
        }
        Outcome::Quarantined(stage, reason) => {
            tracing::warn!(claim = %id, %source, part = number, stage, code = reason.code.as_str(), %reason, "not archived");
        }
        Outcome::Deferred(why) => {
            tracing::warn!(claim = %id, %source, part = number, why, "tried again later");
        }
        Outcome::Changed | Outcome::Unpacked(_) => {}
    }
}

impl From<ReadError> for Outcome {
    fn from(error: ReadError) -> Outcome {
        match error {
            ReadError::Changed => Outcome::Changed,
            ReadError::Permanent(reason) => Outcome::Quarantined("read", reason),
            ReadError::Transient(_) => Outcome::Deferred(chain(&error)),
        }
    }
}

/// Deletes what has been in a done folder long enough, in a thread of its own, now and then.
#[derive(Default)]
struct Purge {
    last: Option<Instant>,
    thread: Option<JoinHandle<()>>,
    is_stopping: Arc<AtomicBool>,
}

impl Drop for Purge {
    fn drop(&mut self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }
}

impl Purge {
    fn run(&mut self, inboxes: &[Options], entrance: &Entrance) {
        let is_due = self.last.is_none_or(|last| last.elapsed() > PURGE_INTERVAL);
        let is_running = self
            .thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished());
        if !is_due || is_running || inboxes.iter().all(|inbox| inbox.done_keep.is_none()) {
            return;
        }
        self.last = Some(Instant::now());
        let (inboxes, entrance) = (inboxes.to_vec(), entrance.clone());
        let is_stopping = Arc::clone(&self.is_stopping);
        let purge = move || {
            for inbox in &inboxes {
                purge_one(inbox, &entrance, &is_stopping);
            }
        };
        match thread::Builder::new().name("purge".into()).spawn(purge) {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => tracing::warn!(%error, "cannot purge the done folders"),
        }
    }
}

fn purge_one(inbox: &Options, entrance: &Entrance, is_stopping: &AtomicBool) {
    let mut holds_raw = |digest: &crate::digest::Digest| {
        if is_stopping.load(Ordering::Relaxed) {
            return None;
        }
        let digest = *digest;
        let held = entrance.with_writer(move |writer| writer.holds_raw(&digest));
        held.inspect_err(|error| tracing::warn!(error, "cannot purge the done folder"))
            .ok()
    };
    match purge(inbox, Timestamp::now(), &mut holds_raw) {
        Ok(purged) => {
            if purged.deleted > 0 {
                tracing::info!(
                    inbox = inbox.name,
                    deleted = purged.deleted,
                    "purged the done folder"
                );
            }
            for path in purged.not_archived {
                tracing::warn!(path = %crate::submission::printable(&path), "old, but the archive does not hold these bytes; it stays");
            }
        }
        Err(error) => tracing::warn!(
            inbox = inbox.name,
            error = chain(&error),
            "cannot purge the done folder"
        ),
    }
}
