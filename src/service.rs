//! The daemon: one process with an intake thread, a pool that cleans, one committer, and this file, which speaks with
//! systemd, signals and the control socket.
//!
//! ```text
//! intake thread (owns the inboxes) --jobs--> pipeline --outcomes--> intake thread: release, quarantine, defer
//! control socket --add--> pipeline --answers--> control socket
//!                --status, reload--> intake thread
//! ```
//!
//! Stopping is a courtesy, not a protocol: kill -9 loses nothing either. The intake stops claiming, what is in hand is
//! finished, the pipeline is emptied, the lock falls.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sd_notify::NotifyState;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::archive;
use crate::archive::keys::random;
use crate::archive::metadata::Disposition;
use crate::archive::pins::SharedPins;
use crate::archive::writer::ArchiveWriter;
use crate::compaction::{self, Idle, Turn};
use crate::config::Config;
use crate::control::{self, Add, Answer, EraseRequest, HoldRequest, PinRequest, Request, Socket};
use crate::drift::{self, Drift};
use crate::erasure;
use crate::inbox::oneshot::{self as take_in, submit_bytes};
use crate::ingest::Settings;
use crate::pipeline::{Entrance, Job, Outcome, Pipeline, Progress, SettingsSlot, chain};
use crate::receiving::{Message, Pulse, Receiving};
use crate::reclean;
use crate::rulebook::{Rulebook, Summary};
use crate::search;
use crate::status;
use crate::submission::{ClaimId, Submission, path_text};
use crate::unpacking::Incoming;
use crate::web;
use crate::web::figures::Figures;

/// Request lines are short; whoever sends a longer one does not speak our language.
const REQUEST_LINE_BYTES_MAX: u64 = 1 << 20;
/// So many answers may be outstanding on one connection.
const UNDER_WAY_MAX: usize = 64;
/// So many jobs may wait for a worker: enough for full groups, few enough to stop soon.
const JOBS_MAX: usize = 512;
/// So many connections are served at once; whoever comes beyond is told so.
const CONNECTIONS_MAX: usize = 64;
/// The bytes of an `add` come at once or not at all: whoever lets us wait longer is cut off, since others wait for the room.
const BODY_PATIENCE: Duration = Duration::from_secs(60);
/// A status waits so long for what the archive says of its sources.
const DRIFT_PATIENCE: Duration = Duration::from_secs(2);
/// How often the daemon tells systemd that it lives, if systemd does not say.
const BEAT: Duration = Duration::from_secs(10);

/// The daemon could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive cannot be written.
    #[error("cannot open the archive")]
    Archive(#[from] archive::Error),
    /// The inboxes cannot be opened.
    #[error("cannot open the inboxes")]
    Inbox(#[from] crate::inbox::error::Error),
    /// The control socket cannot be opened.
    #[error("cannot open the control socket")]
    Control(#[from] control::Error),
    /// The audit pages cannot be served there.
    #[error("cannot serve the audit pages")]
    Web(#[from] web::gate::Error),
    /// A defect of ours ended the thread that watches.
    #[error(
        "the thread that watches the inboxes died; what it had in hand is found again at the next start"
    )]
    IntakeDied,
    /// The system refused something.
    #[error("cannot {doing}")]
    System {
        /// What.
        doing: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

fn system<T>(doing: impl Into<String>, result: std::io::Result<T>) -> Result<T, Error> {
    result.map_err(|source| Error::System {
        doing: doing.into(),
        source,
    })
}

/// Reads the configuration again, as it was read at the start.
pub type Reread = Box<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// Called with every configuration that was taken over while running, e.g. to change the log's level.
pub type OnReload = Box<dyn Fn(&Config) + Send + Sync>;

/// Runs the daemon until it is told to stop.
pub fn run(config: Config, reread: Reread, on_reload: OnReload) -> Result<(), Error> {
    let started = Instant::now();
    control::check_path(&config.daemon.control)?;
    let (mut writer, recovery) =
        ArchiveWriter::open(config.archive_paths(), config.writer_options())?;
    for finding in &recovery.findings {
        tracing::warn!("{}", chain(finding));
    }
    // Before anything is taken in: who asks meanwhile waits for the answer.
    let (socket, listener) = Socket::listen(&config.daemon.control)?;
    let figures = Figures::new(&config);
    let pages = pages(&config, &figures)?;
    let captures = writer.captures()?;
    let workers = config.daemon.worker_count();
    let pins = writer.pins();
    let (settings, rules) = settings(&config, pins.clone());
    let pipeline = system(
        "start the cleaning threads",
        Pipeline::start(
            writer,
            captures,
            settings,
            workers,
            JOBS_MAX,
            Duration::ZERO,
        ),
    )?;
    let receiving = Receiving::start(&config, pipeline.entrance(), Watchdog::interval())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = system("start the runtime", runtime)?;
    let daemon = Arc::new(Daemon {
        room: Room::new(config.intake.in_hand_bytes_max.as_u64()),
        config: Mutex::new(config),
        reread,
        intake: receiving.sender(),
        entrance: pipeline.entrance(),
        progress: pipeline.progress(),
        pulse: receiving.pulse(),
        stopping: CancellationToken::new(),
        on_reload,
        set_settings: pipeline.settings(),
        rules: Mutex::new(rules),
        pins,
        turn: Turn::default(),
        drifts: Arc::default(),
    });
    let idle = system("start the thread that compacts", start_compacting(&daemon))?;
    let indexing = system("start the thread that indexes", start_indexing(&daemon))?;
    tracing::info!(
        workers,
        ready_ms = started.elapsed().as_millis() as u64,
        "ready"
    );
    #[cfg(feature = "otlp")]
    let pusher = push(&figures, &daemon.config(), runtime.handle())?;
    let served = runtime.block_on(async {
        if let Some((listener, router)) = pages {
            tokio::spawn(show_pages(listener, router, daemon.stopping.clone()));
        }
        serve(Arc::clone(&daemon), listener, receiving.ended()).await
    });
    notify(&[
        NotifyState::Stopping,
        NotifyState::Status("finishing what is in hand"),
    ]);
    drop(socket);
    #[cfg(feature = "otlp")]
    if let Some(pusher) = pusher {
        pusher.stop();
    }
    // Connections end here; their answers no longer matter to anyone.
    runtime.shutdown_timeout(Duration::from_secs(1));
    receiving.stop();
    if let Some(idle) = idle
        && idle.join().is_err()
    {
        tracing::error!("the thread that compacts panicked; nothing is lost");
    }
    if indexing.join().is_err() {
        tracing::error!("the thread that indexes panicked; nothing is lost");
    }
    drop(daemon);
    drop(pipeline.finish());
    tracing::info!("stopped");
    served
}

/// The audit pages and where they are served, if the daemon is to serve them.
fn pages(
    config: &Config,
    figures: &Arc<Figures>,
) -> Result<Option<(web::server::Listener, axum::Router)>, Error> {
    if !config.web.daemon {
        return Ok(None);
    }
    let address = config.web.listen;
    let listener = web::server::Listener::bind(address);
    let listener = system(format!("listen at {address} (web.listen)"), listener)?;
    let router = web::router(config.clone(), Arc::clone(figures), &listener)?;
    Ok(Some((listener, router)))
}

/// Pushes the figures, if it is said where to.
#[cfg(feature = "otlp")]
fn push(
    figures: &Arc<Figures>,
    config: &Config,
    runtime: &tokio::runtime::Handle,
) -> Result<Option<web::otlp::Pusher>, Error> {
    let pusher = web::otlp::push(figures, config.otlp.endpoint.as_deref(), runtime);
    system(
        "push figures by OTLP",
        pusher.map_err(std::io::Error::other),
    )
}

async fn show_pages(
    listener: web::server::Listener,
    router: axum::Router,
    stopping: CancellationToken,
) {
    if let Err(error) = web::server::serve(listener, router, stopping).await {
        tracing::error!(%error, "the audit pages are not served any more");
    }
}

/// Lets full segments be sealed whenever nothing comes in, if that is wanted.
fn start_compacting(daemon: &Daemon) -> std::io::Result<Option<JoinHandle<()>>> {
    let archive = daemon.config().archive;
    if archive.compact_after.is_zero() {
        return Ok(None);
    }
    let idle = Idle {
        after: archive.compact_after,
        bytes_max: archive.compact_bytes_max.as_u64(),
        entrance: daemon.entrance.clone(),
        progress: Arc::clone(&daemon.progress),
        turn: daemon.turn.clone(),
        stopping: daemon.stopping.clone(),
    };
    idle.start().map(Some)
}

/// Fills the search index whenever nothing comes in.
fn start_indexing(daemon: &Daemon) -> std::io::Result<JoinHandle<()>> {
    let idle = search::idle::Idle {
        archive: daemon.config().archive.dir,
        progress: Arc::clone(&daemon.progress),
        stopping: daemon.stopping.clone(),
    };
    idle.start()
}

/// What the workers need, and what a person should know of the rules. Packs that cannot be used stop nothing.
fn settings(config: &Config, pins: SharedPins) -> (Settings, Summary) {
    let book = Rulebook::read(&config.rules);
    for defect in &book.refused {
        tracing::error!("{defect}");
    }
    let summary = book.summary();
    let settings = Settings {
        decode: config.decode.options(),
        rules: book.rules,
        pins,
    };
    (settings, summary)
}

/// What the connections need.
struct Daemon {
    config: Mutex<Config>,
    reread: Reread,
    intake: Sender<Message>,
    entrance: Entrance,
    progress: Arc<Progress>,
    pulse: Arc<Mutex<Pulse>>,
    room: Room,
    /// Set when the connections end: an `add` that nobody waits for any more need not be begun.
    stopping: CancellationToken,
    on_reload: OnReload,
    set_settings: SettingsSlot,
    /// What a person should know of the rules in force.
    rules: Mutex<Summary>,
    pins: SharedPins,
    turn: Turn,
    /// What seems to have changed in sources, as of so many leaves.
    drifts: Arc<Mutex<(u64, Vec<Drift>)>>,
}

/// Room in memory for the bytes of `add`s, in KiB.
struct Room {
    free: Arc<Semaphore>,
    kib_max: u32,
}

impl Room {
    fn new(bytes_max: u64) -> Room {
        let kib_max = u32::try_from(bytes_max / 1024).unwrap_or(u32::MAX).max(1);
        let permits = usize::try_from(kib_max).map_or(Semaphore::MAX_PERMITS, |kib| {
            kib.min(Semaphore::MAX_PERMITS)
        });
        Room {
            free: Arc::new(Semaphore::new(permits)),
            kib_max,
        }
    }

    /// Waits for room. What is larger than all of it gets it all.
    async fn take(&self, bytes: u64) -> std::io::Result<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let permits = Arc::clone(&self.free).acquire_many_owned(kib.min(self.kib_max));
        permits.await.map_err(std::io::Error::other)
    }
}

async fn serve(
    daemon: Arc<Daemon>,
    listener: std::os::unix::net::UnixListener,
    intake_ended: CancellationToken,
) -> Result<(), Error> {
    let _stops_all = daemon.stopping.clone().drop_guard();
    let listener = system(
        "listen at the control socket",
        UnixListener::from_std(listener),
    )?;
    let mut terminate = system("handle SIGTERM", signal(SignalKind::terminate()))?;
    let mut interrupt = system("handle SIGINT", signal(SignalKind::interrupt()))?;
    let mut hang_up = system("handle SIGHUP", signal(SignalKind::hangup()))?;
    let mut watchdog = Watchdog::new(Arc::clone(&daemon));
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    notify(&[NotifyState::Ready]);
    let mut beat = tokio::time::interval(Watchdog::interval());
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            () = intake_ended.cancelled() => return Err(Error::IntakeDied),
            _ = hang_up.recv() => {
                let daemon = Arc::clone(&daemon);
                tokio::spawn(async move { drop(daemon.reload().await) });
            }
            _ = beat.tick() => watchdog.beat(),
            connection = listener.accept() => match connection {
                Ok((stream, _)) => match Arc::clone(&connections).try_acquire_owned() {
                    Ok(permit) => {
                        let conversation = converse(Arc::clone(&daemon), stream, daemon.stopping.clone());
                        tokio::spawn(async move {
                            conversation.await;
                            drop(permit);
                        });
                    }
                    Err(_) => refuse(stream),
                },
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
}

/// Tells a client that there are too many. Nobody waits for it to listen.
fn refuse(stream: UnixStream) {
    tracing::warn!("refused a connection: {CONNECTIONS_MAX} are open");
    let message = format!("the daemon serves {CONNECTIONS_MAX} connections already; try again");
    let line = format!("{}\n", json!(Answer::failed("busy", message)));
    let told = stream
        .into_std()
        .and_then(|mut stream| stream.write_all(line.as_bytes()));
    drop(told);
}

/// One connection: requests are read and started in order, answers are written in the same order.
async fn converse(daemon: Arc<Daemon>, stream: UnixStream, stop: CancellationToken) {
    let (reader, writer) = stream.into_split();
    let (answers, outstanding) = mpsc::channel(UNDER_WAY_MAX);
    let reading = read_requests(daemon, BufReader::new(reader), answers);
    let writing = write_answers(writer, outstanding);
    tokio::select! {
        () = async { tokio::join!(reading, writing); } => {}
        () = stop.cancelled() => {}
    }
}

type Answering = oneshot::Receiver<Value>;

async fn write_answers(mut writer: OwnedWriteHalf, mut outstanding: mpsc::Receiver<Answering>) {
    while let Some(answer) = outstanding.recv().await {
        let answer = answer.await.unwrap_or_else(|_| {
            json!(Answer::failed(
                "stopping",
                "the daemon is stopping, or the request broke off; ask again"
            ))
        });
        let line = format!("{answer}\n");
        if writer.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_requests(
    daemon: Arc<Daemon>,
    mut reader: BufReader<OwnedReadHalf>,
    answers: mpsc::Sender<Answering>,
) {
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut reader).take(REQUEST_LINE_BYTES_MAX);
        match limited.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let (answer, answering) = oneshot::channel();
        if answers.send(answering).await.is_err() {
            return;
        }
        let request = match serde_json::from_slice::<Request>(&line) {
            Ok(request) => request,
            Err(error) => {
                // What follows cannot be told from requests any more: answer and hang up.
                drop(answer.send(json!(Answer::failed("request", error.to_string()))));
                return;
            }
        };
        match request {
            Request::Status => drop(answer.send(daemon.status().await)),
            Request::Reload => drop(answer.send(json!(daemon.reload().await))),
            Request::Pin(pin) => {
                let PinRequest { of, pin } = *pin;
                let pin = move |writer: &mut ArchiveWriter| {
                    let leaf = writer.pin(of, pin, Timestamp::now())?;
                    Ok(Answer::Pinned { pinned: true, leaf })
                };
                daemon.change(pin, answer).await;
            }
            Request::Link(record) => {
                let link = move |writer: &mut ArchiveWriter| {
                    let leaf = writer.link(*record)?;
                    Ok(Answer::Pinned { pinned: true, leaf })
                };
                daemon.change(link, answer).await;
            }
            Request::Split(record) => {
                let split = move |writer: &mut ArchiveWriter| {
                    let leaf = writer.split(*record)?;
                    Ok(Answer::Pinned { pinned: true, leaf })
                };
                daemon.change(split, answer).await;
            }
            Request::RotateKey => {
                let rotate = |writer: &mut ArchiveWriter| {
                    let (leaf, vkey) = writer.rotate_key(Timestamp::now())?;
                    let vkey = vkey.to_string();
                    Ok(Answer::Rotated { leaf, vkey })
                };
                daemon.change(rotate, answer).await;
            }
            Request::Reclean { from, rules } => daemon.reclean(from, rules, answer),
            Request::Compact { all } => daemon.compact(all, answer),
            Request::Hold(hold) => daemon.hold(*hold, answer).await,
            Request::Erase(erase) => daemon.erase(*erase, answer),
            Request::Add(add) => {
                if daemon.add(*add, &mut reader, answer).await.is_err() {
                    return;
                }
            }
        }
    }
}

impl Daemon {
    /// Takes the bytes of an `add` from the connection and hands them to the pipeline.
    async fn add(
        &self,
        add: Add,
        reader: &mut BufReader<OwnedReadHalf>,
        answer: oneshot::Sender<Value>,
    ) -> std::io::Result<()> {
        let bytes_max = self.config().intake.file_bytes_max.as_u64();
        if add.bytes > bytes_max {
            tokio::io::copy(&mut reader.take(add.bytes), &mut tokio::io::sink()).await?;
            let message = format!(
                "{} has {} bytes, more than the limit of {bytes_max} (intake.file_bytes_max)",
                add.path, add.bytes
            );
            drop(answer.send(json!(Answer::failed("too_large", message))));
            return Ok(());
        }
        let room = self.room.take(add.bytes).await?;
        let mut raw = vec![0; usize::try_from(add.bytes).map_err(std::io::Error::other)?];
        tokio::time::timeout(BODY_PATIENCE, reader.read_exact(&mut raw)).await??;
        let now = Timestamp::now();
        let request = take_in::Request {
            claim: ClaimId::new(u64::try_from(now.as_millisecond()).unwrap_or(0), random()),
            received_at: now,
            bytes_max,
        };
        let stopping = self.stopping.clone();
        let read = move || {
            if stopping.is_cancelled() {
                return Err(Outcome::Deferred("the daemon is stopping".to_owned()));
            }
            let path = path_text::from_text(&add.path);
            let submission = submit_bytes(&path, raw, request).map_err(Outcome::from)?;
            Ok(Incoming::from(Submission {
                declared: add.declared,
                part: add.part,
                ..submission
            }))
        };
        let done = move |outcome| {
            drop(room);
            drop(answer.send(json!(Answer::from(outcome))));
        };
        let job = Job {
            read: Box::new(read),
            // The sender has unpacked what it sends.
            part: Box::new(|_, _| {}),
            done: Box::new(done),
        };
        let entrance = self.entrance.clone();
        // The queue may be full: waiting there must not stop the other connections.
        tokio::task::spawn_blocking(move || entrance.submit(job))
            .await
            .map_err(std::io::Error::other)
    }

    /// Lets the committer change the archive, and answers.
    async fn change(
        &self,
        change: impl FnOnce(&mut ArchiveWriter) -> Result<Answer, archive::Error> + Send + 'static,
        answer: oneshot::Sender<Value>,
    ) {
        let entrance = self.entrance.clone();
        let ask = move || {
            entrance.ask(change, move |result| {
                let said = result.unwrap_or_else(|error| Answer::failed("archive", error));
                drop(answer.send(json!(said)));
            });
        };
        // The committer may be busy: waiting for it must not stop the other connections.
        if tokio::task::spawn_blocking(ask).await.is_err() {
            tracing::error!("a request was not handed to the archive");
        }
    }

    /// Cleans a batch of captures again, on a thread of its own; only their commit keeps the committer busy.
    fn reclean(&self, from: u64, rules: Option<String>, answer: oneshot::Sender<Value>) {
        let (entrance, settings) = (self.entrance.clone(), self.set_settings.clone());
        let dir = self.config().archive.dir;
        drop(tokio::task::spawn_blocking(move || {
            let commit = |editions| {
                entrance.with_writer(move |writer| writer.reclean(editions, Timestamp::now()))
            };
            let rules = rules.as_deref();
            let done = reclean::batch_by(&dir, &settings.get().rules, rules, from, commit);
            drop(answer.send(json!(match done {
                Ok(recleaned) => Answer::Recleaned { recleaned },
                Err(error) => Answer::failed("archive", error),
            })));
        }));
    }

    /// Holds a document, or ends that.
    async fn hold(&self, hold: HoldRequest, answer: oneshot::Sender<Value>) {
        let entrance = self.entrance.clone();
        let ask = move || {
            let (now, held) = (Timestamp::now(), hold.is_held);
            let record = Disposition {
                doc: hold.doc,
                reason: hold.reason,
                by: hold.by,
                decided_at: now,
            };
            entrance.ask(
                move |writer| writer.hold(record, held, now),
                move |result| {
                    drop(answer.send(json!(match result {
                        Ok(leaf) => Answer::Held { held, leaf },
                        Err(error) => Answer::failed("archive", error),
                    })));
                },
            );
        };
        if tokio::task::spawn_blocking(ask).await.is_err() {
            tracing::error!("a hold was not handed to the archive");
        }
    }

    /// Erases a document, on a thread of its own as `compact` does.
    fn erase(&self, erase: EraseRequest, answer: oneshot::Sender<Value>) {
        let (entrance, turn) = (self.entrance.clone(), self.turn.clone());
        let (stopping, config) = (self.stopping.clone(), self.config());
        drop(tokio::task::spawn_blocking(move || {
            let record = Disposition {
                doc: erase.doc,
                reason: Some(erase.reason),
                by: erase.by,
                decided_at: Timestamp::now(),
            };
            let mut go_on = || !stopping.is_cancelled();
            let done = erasure::erase_meanwhile(
                &entrance,
                &turn,
                &config.archive.dir,
                &config.inbox,
                &record,
                &mut go_on,
            );
            drop(answer.send(json!(match done {
                Ok(done) => Answer::Erased(control::Erased::new(record.doc, &done)),
                Err(error) => Answer::failed("archive", error),
            })));
        }));
    }

    /// Seals segments, on a thread of its own: it may take minutes, and other requests go on meanwhile.
    fn compact(&self, all: bool, answer: oneshot::Sender<Value>) {
        let (entrance, turn) = (self.entrance.clone(), self.turn.clone());
        let stopping = self.stopping.clone();
        drop(tokio::task::spawn_blocking(move || {
            let mut go_on = || !stopping.is_cancelled();
            let done = compaction::compact(&entrance, &turn, all, u64::MAX, &mut go_on);
            drop(answer.send(json!(match done {
                Ok(done) => Answer::Compacted(done.into()),
                Err(error) => Answer::failed("archive", error),
            })));
        }));
    }

    async fn status(&self) -> Value {
        let (reply, replied) = oneshot::channel();
        drop(self.intake.send(Message::Status(reply)));
        let inbox = tokio::time::timeout(Duration::from_secs(2), replied).await;
        let inbox = inbox.ok().and_then(Result::ok);
        let state = match &inbox {
            Some(inbox) if inbox.paused.is_some() => "paused",
            Some(_) => "running",
            None => "busy",
        };
        let config = self.config();
        let archive = self.progress.archive();
        json!({
            "state": state,
            "quarantine": inbox.as_ref().map(|inbox| inbox.quarantined),
            "inbox": inbox,
            "in_flight": self.progress.in_flight.load(Ordering::Relaxed),
            "outcomes": self.progress.outcomes.object(),
            "captures": archive.captures,
            "last_check": status::last_check(&config.archive.state),
            "checkpoint": {"size": archive.log_size, "root": archive.root},
            "rules": self.rules(),
            "drift": self.drifts(archive.log_size).await,
        })
    }

    /// What seems to have changed in sources; what was known of it last if the archive is too busy to tell.
    async fn drifts(&self, leaves: u64) -> Vec<Drift> {
        let known = |drifts: &Mutex<(u64, Vec<Drift>)>| {
            drifts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        let (as_of, drifts) = known(&self.drifts);
        if as_of == leaves {
            return drifts;
        }
        let (entrance, memory) = (self.entrance.clone(), Arc::clone(&self.drifts));
        let look = tokio::task::spawn_blocking(move || {
            let rows = entrance.with_writer(|writer| writer.measures(drift::CAPTURES_MAX));
            match rows {
                Ok(rows) => {
                    let found = (leaves, drift::drifts(&rows));
                    *memory.lock().unwrap_or_else(PoisonError::into_inner) = found;
                }
                Err(error) => tracing::warn!(error, "the archive cannot tell how its sources are"),
            }
        });
        drop(tokio::time::timeout(DRIFT_PATIENCE, look).await);
        known(&self.drifts).1
    }

    /// Reads the configuration again; a bad one changes nothing.
    async fn reload(&self) -> Answer {
        notify(&[NotifyState::Status("reading the configuration again")]);
        let outcome = self.try_reload().await;
        match &outcome {
            Ok(()) => tracing::info!("read the configuration again"),
            Err(error) => tracing::error!(error, "kept the old configuration"),
        }
        match outcome {
            Ok(()) => Answer::Done {
                done: true,
                refused: self
                    .rules()
                    .refused
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            },
            Err(error) => Answer::failed("configuration", error),
        }
    }

    async fn try_reload(&self) -> Result<(), String> {
        let new = (self.reread)()?;
        let old = self.config();
        if let Some(key) = needs_restart(&old, &new) {
            return Err(format!(
                "{key} cannot change while the daemon runs; restart it"
            ));
        }
        let (reply, replied) = oneshot::channel();
        drop(
            self.intake
                .send(Message::Reload(Box::new(new.clone()), reply)),
        );
        replied
            .await
            .map_err(|_| "the daemon is stopping".to_owned())??;
        let (settings, rules) = settings(&new, self.pins.clone());
        self.set_settings.set(settings);
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
        (self.on_reload)(&new);
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    fn rules(&self) -> Summary {
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn config(&self) -> Config {
        self.config
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The first setting that differs and is fixed while the process lives.
fn needs_restart(old: &Config, new: &Config) -> Option<&'static str> {
    [
        ("archive", old.archive != new.archive),
        ("daemon", old.daemon != new.daemon),
        ("web", old.web != new.web),
        ("otlp", old.otlp != new.otlp),
        ("intake.spool", old.intake.spool != new.intake.spool),
        ("log.format", old.log.format != new.log.format),
    ]
    .into_iter()
    .find_map(|(key, differs)| differs.then_some(key))
}

/// Feeds systemd's watchdog as long as there is progress, and tells the status.
struct Watchdog {
    daemon: Arc<Daemon>,
    limit: Option<Duration>,
    steps: u64,
    stepped: Instant,
}

impl Watchdog {
    fn new(daemon: Arc<Daemon>) -> Watchdog {
        Watchdog {
            daemon,
            limit: sd_notify::watchdog_enabled(),
            steps: 0,
            stepped: Instant::now(),
        }
    }

    /// Twice as often as needed, as systemd's documentation advises, and often enough for a fresh status.
    fn interval() -> Duration {
        sd_notify::watchdog_enabled().map_or(BEAT, |limit| (limit / 3).min(BEAT))
    }

    fn beat(&mut self) {
        let progress = &self.daemon.progress;
        let steps = progress.steps.load(Ordering::Relaxed);
        let in_flight = progress.in_flight.load(Ordering::Relaxed);
        if steps != self.steps || in_flight == 0 {
            self.steps = steps;
            self.stepped = Instant::now();
        }
        let pulse = self.daemon.pulse.lock();
        let Pulse { beat, troubles } = pulse.unwrap_or_else(PoisonError::into_inner).clone();
        let captures = progress.archive().captures;
        let mut status = format!("{captures} captures, {in_flight} files in hand");
        for (what, why) in troubles {
            status.push_str(&format!("; {what}: {why}"));
        }
        notify(&[NotifyState::Status(&status)]);
        let Some(limit) = self.limit else { return };
        // One huge page may keep a worker busy for a while: the pipeline has a longer limit than the intake's round.
        if beat.elapsed() < limit && self.stepped.elapsed() < limit * 4 {
            notify(&[NotifyState::Watchdog]);
        } else {
            tracing::error!(in_flight, "no progress; leaving the watchdog unfed");
        }
    }
}

/// Tells systemd, if it started us. A daemon started by hand has nobody to tell.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "cannot notify systemd");
    }
}
