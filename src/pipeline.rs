//! The pipeline: a pool that reads and cleans, and one committer that owns the archive. The daemon and `add` both run it.
//!
//! ```text
//! submit --jobs--> worker 1..n: read, decode, clean, compress --prepared--> committer: one group a commit --done-->
//! ```
//!
//! The committer takes whatever is queued when the last commit ends; for the daemon there is no timer. `add`, which is asked
//! for many files at once, gathers fuller groups while more are on their way, since each commit costs several fsyncs.

use std::mem;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;

use crate::archive;
use crate::archive::capture::Prepared;
use crate::archive::writer::ArchiveWriter;
use crate::digest::Digest;
use crate::identity::Archived;
use crate::ingest::{Settings, draft, guarded, ingest, pack};
use crate::submission::{Reason, Submission};
use crate::unpacking::{Container, End, Incoming, Unpacked};

use account::Account;
use budget::{Budget, Share};
use outcomes::Outcomes;
use queue::{Inlet, Queue, queue};
use refresh::Refresher;

mod account;
mod budget;
mod outcomes;
mod queue;
mod refresh;

/// A group of so many captures is committed without waiting for others.
const GROUP_CAPTURES_MAX: usize = 256;
/// As is one with so many bytes of records, packed and not.
const GROUP_BYTES_MAX: usize = 8 << 20;
/// So many bytes of records wait in memory at most, but always one capture: one group is committed, the next gathers.
const PREPARED_BYTES_MAX: usize = 2 * GROUP_BYTES_MAX;
/// So many batches may wait for the committer, as long as there is memory for them: the next group gathers while one is committed,
/// which takes as long as to clean a hundred small texts.
const PREPARED_QUEUE: usize = GROUP_CAPTURES_MAX;

/// So many small submissions, and so many bytes of them, are read, cleaned and packed together at most: what each step needs is still in
/// the processor's caches for the next of them. One that is large goes alone.
const BATCH_MAX: usize = 16;
const BATCH_BYTES_MAX: usize = 64 << 10;

/// One submission on its way: how to get it, and whom to tell.
pub struct Job {
    /// Reads the submission, or opens the container, on a worker.
    pub read: Box<dyn FnOnce() -> Result<Incoming, Outcome> + Send>,
    /// Takes the outcome of each document of a container, with its number; called as `done` is.
    pub part: PartDone,
    /// Takes the outcome; called once, on a worker or the committer; must not block.
    pub done: Done,
}

/// What became of a job.
#[derive(Debug)]
pub enum Outcome {
    /// It is in the archive, committed.
    Archived(Archived),
    /// It was a container; what there is to archive in it is in the archive, committed.
    Unpacked(Unpacked),
    /// It can never be archived as it is: at which stage that showed, and why.
    Quarantined(&'static str, Reason),
    /// The file changed while it was read: look again.
    Changed,
    /// The world is bad just now (disk full, no permission): try again later. Says why.
    Deferred(String),
}

/// Takes the outcome of a job.
pub type Done = Box<dyn FnOnce(Outcome) + Send>;
/// Takes the outcomes of a container's documents.
pub type PartDone = Box<dyn Fn(u32, Outcome) + Send + Sync>;
type WithWriter = Box<dyn FnOnce(&mut ArchiveWriter) + Send>;

/// A capture to be committed, and whom to tell.
type Ready = (Prepared, Done);

enum Task {
    Commit(Vec<Ready>, Share),
    With(WithWriter),
}

/// What the pipeline has done; for the status and the watchdog.
#[derive(Debug, Default)]
pub struct Progress {
    /// Jobs submitted and not yet done.
    pub in_flight: AtomicUsize,
    /// Steps taken: grows whenever a job was read, cleaned or committed.
    pub steps: AtomicU64,
    /// What became of what was submitted.
    pub outcomes: Outcomes,
    archive: Mutex<ArchiveFacts>,
}

/// How far the archive is, as of the last commit.
#[derive(Debug, Clone, Default)]
pub struct ArchiveFacts {
    /// Captures in it.
    pub captures: u64,
    /// Leaves under the checkpoint.
    pub log_size: u64,
    /// The checkpoint's root.
    pub root: Option<Digest>,
}

impl Progress {
    /// How far the archive is.
    pub fn archive(&self) -> ArchiveFacts {
        self.archive
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note_archive(&self, writer: &ArchiveWriter, added: u64) {
        let checkpoint = writer.checkpoint();
        *self.archive.lock().unwrap_or_else(PoisonError::into_inner) = ArchiveFacts {
            captures: self.archive().captures + added,
            log_size: checkpoint.size,
            root: Some(checkpoint.root),
        };
    }
}

/// The settings in force, shared with the workers.
#[derive(Clone)]
pub struct SettingsSlot(Arc<RwLock<Arc<Settings>>>);

impl SettingsSlot {
    fn new(settings: Settings) -> SettingsSlot {
        SettingsSlot(Arc::new(RwLock::new(Arc::new(settings))))
    }

    /// From the next job on, these settings.
    pub fn set(&self, settings: Settings) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// The settings in force.
    pub fn get(&self) -> Arc<Settings> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A running pipeline. [`Pipeline::finish`] ends it and gives the archive back.
pub struct Pipeline {
    jobs: Inlet<Job>,
    tasks: SyncSender<Task>,
    settings: SettingsSlot,
    progress: Arc<Progress>,
    workers: Vec<JoinHandle<()>>,
    committer: JoinHandle<ArchiveWriter>,
}

/// The way in for other threads than the pipeline's owner.
#[derive(Clone)]
pub struct Entrance {
    jobs: Inlet<Job>,
    tasks: SyncSender<Task>,
    progress: Arc<Progress>,
}

impl Pipeline {
    /// Starts `workers` cleaning threads and the committer, on an archive of so many `captures`. At most `jobs_max` jobs wait.
    /// A group that is not full waits for others on their way for so long as `patience`; zero commits at once.
    pub fn start(
        writer: ArchiveWriter,
        captures: u64,
        settings: Settings,
        workers: usize,
        jobs_max: usize,
        patience: Duration,
    ) -> std::io::Result<Pipeline> {
        let (jobs, job_queue) = queue(jobs_max);
        let (tasks, task_queue) = sync_channel(PREPARED_QUEUE);
        let settings = SettingsSlot::new(settings);
        let progress = Arc::new(Progress::default());
        progress.note_archive(&writer, captures);
        let prepared = Budget::new(PREPARED_BYTES_MAX);
        let workers = (1..=workers.max(1))
            .map(|number| {
                let worker = Worker {
                    jobs: Arc::clone(&job_queue),
                    tasks: tasks.clone(),
                    prepared: Arc::clone(&prepared),
                    settings: settings.clone(),
                    progress: Arc::clone(&progress),
                };
                thread::Builder::new()
                    .name(format!("clean-{number}"))
                    .spawn(move || worker.run())
            })
            .collect::<std::io::Result<Vec<_>>>()?;
        let committer_progress = Arc::clone(&progress);
        let refresher = Refresher::new(settings.clone());
        let committer = thread::Builder::new()
            .name("commit".into())
            .spawn(move || {
                commit_all(
                    writer,
                    refresher,
                    &task_queue,
                    &committer_progress,
                    patience,
                )
            })?;
        Ok(Pipeline {
            jobs,
            tasks,
            settings,
            progress,
            workers,
            committer,
        })
    }

    /// A way in for another thread.
    pub fn entrance(&self) -> Entrance {
        Entrance {
            jobs: self.jobs.clone(),
            tasks: self.tasks.clone(),
            progress: Arc::clone(&self.progress),
        }
    }

    /// What has been done so far.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// The settings in force, to change them.
    pub fn settings(&self) -> SettingsSlot {
        self.settings.clone()
    }

    /// Finishes what was submitted and returns the archive. Every [`Entrance`] must be gone, else this waits for it.
    pub fn finish(self) -> ArchiveWriter {
        drop(self.jobs);
        for worker in self.workers {
            worker.join().expect("workers catch all panics");
        }
        drop(self.tasks);
        self.committer
            .join()
            .expect("the committer turns failures and panics into outcomes")
    }
}

impl Entrance {
    /// Hands in a job; waits while the queue is full.
    pub fn submit(&self, job: Job) {
        self.progress.in_flight.fetch_add(1, Ordering::Relaxed);
        self.jobs.put(job);
    }

    /// Runs `task` on the committer's thread, between two commits, and hands what it gave to `answer`, which must not block.
    pub fn ask<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut ArchiveWriter) -> Result<T, archive::Error> + Send + 'static,
        answer: impl FnOnce(Result<T, String>) + Send + 'static,
    ) {
        let task: WithWriter = Box::new(move |writer| {
            answer(match guarded("asking the archive", || task(writer)) {
                Ok(result) => result.map_err(|error| chain(&error)),
                Err(reason) => Err(reason.message),
            });
        });
        self.tasks
            .send(Task::With(task))
            .expect("the committer lives as long as an entrance");
    }

    /// [`Entrance::ask`], and waits for the answer.
    pub fn with_writer<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut ArchiveWriter) -> Result<T, archive::Error> + Send + 'static,
    ) -> Result<T, String> {
        let (answer, answered) = sync_channel(1);
        // The asker waits below; it cannot be gone.
        self.ask(task, move |result| drop(answer.send(result)));
        answered.recv().expect("the committer answers every task")
    }
}

struct Worker {
    jobs: Arc<Queue<Job>>,
    tasks: SyncSender<Task>,
    /// What may wait for the committer.
    prepared: Arc<Budget>,
    settings: SettingsSlot,
    progress: Arc<Progress>,
}

impl Worker {
    fn run(&self) {
        while let Some(job) = self.jobs.wait() {
            let mut batch = Vec::new();
            let mut bytes = 0;
            let mut next = Some(job);
            while let Some(job) = next {
                let Job { read, part, done } = job;
                match self.read(read) {
                    Ok(Incoming::One(submission)) => {
                        bytes += submission.raw.len();
                        batch.push((*submission, done));
                    }
                    Ok(Incoming::Many(container)) => {
                        // It may take minutes: nothing waits for it.
                        self.work(mem::take(&mut batch));
                        bytes = 0;
                        self.unpack(*container, part, done);
                    }
                    Err(outcome) => self.give_back(outcome, done),
                }
                let is_full = batch.len() >= BATCH_MAX || bytes >= BATCH_BYTES_MAX;
                next = if is_full { None } else { self.jobs.take() };
            }
            self.work(batch);
        }
    }

    /// Reads what is to be archived. Whatever happens to it, a job is given back.
    fn read(&self, read: impl FnOnce() -> Result<Incoming, Outcome>) -> Result<Incoming, Outcome> {
        guarded("reading a file", read)
            .unwrap_or_else(|reason| Err(Outcome::Quarantined("read", reason)))
    }

    /// Cleans all, then packs all.
    fn work(&self, batch: Vec<(Submission, Done)>) {
        let drafts = batch.into_iter().map(|(submission, done)| {
            self.step();
            (draft(submission, &self.settings.get()), done)
        });
        let drafts: Vec<_> = drafts.collect();
        let mut ready = Vec::with_capacity(drafts.len());
        for (draft, done) in drafts {
            self.step();
            match draft.and_then(pack) {
                Ok(prepared) => ready.push((prepared, done)),
                Err(reason) => self.give_back(Outcome::Quarantined("ingest", reason), done),
            }
        }
        self.commit(ready);
    }

    fn give_back(&self, outcome: Outcome, done: Done) {
        self.progress.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.progress.outcomes.note(&outcome);
        done(outcome);
    }

    /// Hands each document of a container on by itself, one after another: only what waits for the committer is in memory.
    fn unpack(&self, container: Container, part: PartDone, done: Done) {
        let account = Account::new(part, done);
        let mut each = |number, found: Option<Result<Submission, Reason>>| {
            let Some(found) = found else {
                return account.pass_over();
            };
            account.begin();
            let prepared = found
                .map_err(|reason| Outcome::Quarantined("unpack", reason))
                .and_then(|submission| self.prepare(submission));
            match prepared {
                Ok(prepared) => {
                    let account = Arc::clone(&account);
                    self.progress.in_flight.fetch_add(1, Ordering::Relaxed);
                    let done: Done = Box::new(move |outcome| account.end(number, outcome));
                    self.commit(vec![(prepared, done)]);
                }
                Err(outcome) => {
                    self.progress.outcomes.note(&outcome);
                    account.end(number, outcome);
                }
            }
        };
        let end = guarded("reading a container", || container.for_each(&mut each));
        self.progress.in_flight.fetch_sub(1, Ordering::Relaxed);
        account.close(end.unwrap_or_else(|reason| End::Early(reason.message)));
    }

    fn commit(&self, ready: Vec<Ready>) {
        if ready.is_empty() {
            return;
        }
        let bytes = ready.iter().map(|(prepared, _)| prepared.bytes()).sum();
        let share = self.prepared.take(bytes);
        self.tasks
            .send(Task::Commit(ready, share))
            .expect("the committer outlives the workers");
    }

    fn prepare(&self, submission: Submission) -> Result<Prepared, Outcome> {
        self.step();
        let prepared = ingest(submission, &self.settings.get());
        self.step();
        prepared.map_err(|reason| Outcome::Quarantined("ingest", reason))
    }

    fn step(&self) {
        self.progress.steps.fetch_add(1, Ordering::Relaxed);
    }
}

fn commit_all(
    mut writer: ArchiveWriter,
    mut refresher: Refresher,
    tasks: &Receiver<Task>,
    progress: &Progress,
    patience: Duration,
) -> ArchiveWriter {
    let mut group = Group::default();
    loop {
        let more_to_come = progress.in_flight.load(Ordering::Relaxed) > group.captures.len();
        // Wait as long as nothing is in hand, and a little while more is on its way.
        let task = match group.is_empty() {
            true => tasks.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false if more_to_come => tasks.recv_timeout(patience),
            false => tasks.recv_timeout(Duration::ZERO),
        };
        match task {
            Ok(Task::Commit(ready, share)) => {
                group.push(ready, share);
                if group.is_full() {
                    group.commit(&mut writer, &mut refresher, progress);
                }
            }
            Ok(Task::With(task)) => {
                group.commit(&mut writer, &mut refresher, progress);
                task(&mut writer);
                // It may have archived something, such as a pin.
                progress.note_archive(&writer, 0);
            }
            Err(RecvTimeoutError::Timeout) => group.commit(&mut writer, &mut refresher, progress),
            Err(RecvTimeoutError::Disconnected) => {
                group.commit(&mut writer, &mut refresher, progress);
                return writer;
            }
        }
    }
}

#[derive(Default)]
struct Group {
    captures: Vec<Prepared>,
    shares: Vec<Share>,
    done: Vec<Done>,
    bytes: usize,
}

impl Group {
    fn is_empty(&self) -> bool {
        self.captures.is_empty()
    }

    fn is_full(&self) -> bool {
        self.captures.len() >= GROUP_CAPTURES_MAX || self.bytes >= GROUP_BYTES_MAX
    }

    fn push(&mut self, ready: Vec<Ready>, share: Share) {
        self.bytes += share.bytes();
        self.shares.push(share);
        let (captures, done): (Vec<_>, Vec<_>) = ready.into_iter().unzip();
        self.captures.extend(captures);
        self.done.extend(done);
    }

    fn commit(
        &mut self,
        writer: &mut ArchiveWriter,
        refresher: &mut Refresher,
        progress: &Progress,
    ) {
        if self.is_empty() {
            return;
        }
        let Group {
            captures,
            shares,
            done,
            ..
        } = std::mem::take(self);
        refresher.before(writer, &captures);
        let outcomes = outcomes(writer, &captures);
        let count = captures.len();
        drop((captures, shares));
        let added = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Archived(_)))
            .count();
        progress.note_archive(writer, added as u64);
        progress.steps.fetch_add(1, Ordering::Relaxed);
        progress.in_flight.fetch_sub(count, Ordering::Relaxed);
        for (done, outcome) in done.into_iter().zip(outcomes) {
            progress.outcomes.note(&outcome);
            done(outcome);
        }
        if added > 0 {
            refresher.after(writer);
            progress.note_archive(writer, 0);
        }
    }
}

/// Commits all at once. A panic is a defect that one of them met: then each is committed alone, so that only that one fails;
/// and one that was committed before the panic is recognised.
fn outcomes(writer: &mut ArchiveWriter, captures: &[Prepared]) -> Vec<Outcome> {
    let mut commit = |captures| guarded("archiving", || commit(writer, captures));
    commit(captures).unwrap_or_else(|reason| {
        tracing::error!(captures = captures.len(), %reason, "now one by one");
        let alone = captures.iter().map(std::slice::from_ref);
        let quarantined = |reason| vec![Outcome::Quarantined("archive", reason)];
        alone
            .flat_map(|one| commit(one).unwrap_or_else(quarantined))
            .collect()
    })
}

fn commit(writer: &mut ArchiveWriter, captures: &[Prepared]) -> Vec<Outcome> {
    match writer.commit(captures, Timestamp::now()) {
        Ok(archived) => archived.into_iter().map(Outcome::Archived).collect(),
        Err(error) => {
            let why = chain(&error);
            tracing::error!(
                captures = captures.len(),
                error = why,
                "cannot commit; will be tried again"
            );
            let deferred = |_: &Prepared| Outcome::Deferred(why.clone());
            captures.iter().map(deferred).collect()
        }
    }
}

/// An error with its sources in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
