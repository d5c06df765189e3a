//! `faircopy add`

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use faircopy::archive::keys::random;
use faircopy::archive::writer::ArchiveWriter;
use faircopy::config::Config;
use faircopy::container::{self, Kind};
use faircopy::control::{Add, Answer, Client, Request};
use faircopy::gauge::Gauge;
use faircopy::inbox::oneshot;
use faircopy::ingest::Settings;
use faircopy::pipeline::{Job, Outcome, Pipeline};
use faircopy::submission::{ClaimId, Reason, ReasonCode, Signature, Submission, path_text};
use faircopy::unpacking::{Container, End, Incoming};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::progress::{Progress, Unit};
use super::writing::{self, Writer};
use super::{Exit, Global, Usage, clean, output, setup};

/// Archive files without the watcher
///
/// Takes files, folders (with all in them) and `-` for standard input; leaves the sources untouched. A sidecar X.meta.json
/// beside X is read. Of WARC files and of the JSON or JSON Lines of scrapers each page is archived by itself. While a daemon
/// runs, the files go through it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy add ~/scraped/*.html\n  curl -s https://example.org/a | faircopy add - --url https://example.org/a\n  faircopy add crawl.warc.gz scraped.jsonl"
)]
pub(crate) struct Args {
    /// Files and folders; `-` is standard input
    #[arg(required_unless_present = "files_from")]
    paths: Vec<PathBuf>,
    /// Read paths from a file, one a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,
    /// Where the input was fetched; for a single input
    #[arg(long)]
    url: Option<String>,
}

/// Long against the cleaning of a page, short against a person's.
const PATIENCE: Duration = Duration::from_millis(50);

/// So many submissions may be under way at the daemon.
const UNDER_WAY_MAX: usize = 64;

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    let mut paths = args.paths.clone();
    if let Some(list) = &args.files_from {
        paths.extend(clean::read_list(list)?);
    }
    let (files, missing) = expand(&config, &paths)?;
    if args.url.is_some() && files.len() + missing.len() > 1 {
        return Err(
            Usage("--url tells where one input was fetched; there is more than one").into(),
        );
    }
    let reader = FileReader {
        bytes_max: config.intake.file_bytes_max.as_u64(),
        containers: config.container_options(),
        url: args.url.clone(),
    };
    let mut tally = Tally::new(global, files.len() + missing.len());
    for (path, message) in missing {
        tally.take(&path, Answer::failed("unreadable", message))?;
    }
    if files.is_empty() {
        return Ok(tally.finish());
    }
    match writing::reach(&config, "cannot add")? {
        Writer::Daemon(client) => add_through_daemon(*client, &files, &reader, &mut tally).with_context(|| {
            let (answered, inputs) = (tally.answered, tally.inputs);
            format!(
                "{answered} of {inputs} inputs were answered; add the same again: what is archived already is recognised"
            )
        })?,
        Writer::Here(writer) => add_here(*writer, &config, files, &reader, &mut tally)?,
    }
    Ok(tally.finish())
}

/// Files to add, and inputs that are not there, each with the error.
type Inputs = (Vec<PathBuf>, Vec<(PathBuf, String)>);

/// All files to add, and the inputs that are not there.
fn expand(config: &Config, paths: &[PathBuf]) -> anyhow::Result<Inputs> {
    let mut files = Vec::new();
    let mut missing = Vec::new();
    let options = config.inbox.first().cloned().unwrap_or_default();
    for path in paths {
        if path == Path::new("-") {
            files.push(path.clone());
            continue;
        }
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let listed = oneshot::list(path, &options)?;
                files.extend(listed.files);
                missing.extend(listed.unreadable);
            }
            // Named by a pattern such as `folder/*`; it is read with its article.
            Ok(_) if oneshot::is_sidecar_of_a_file(path) => {}
            Ok(_) => files.push(path.clone()),
            Err(error) => missing.push((path.clone(), format!("cannot find it: {error}"))),
        }
    }
    Ok((files, missing))
}

/// How to read one input.
#[derive(Clone)]
struct FileReader {
    bytes_max: u64,
    containers: container::Options,
    url: Option<String>,
}

impl FileReader {
    fn read(&self, path: &Path) -> Result<Incoming, Outcome> {
        let now = Timestamp::now();
        let request = oneshot::Request {
            claim: ClaimId::new(u64::try_from(now.as_millisecond()).unwrap_or(0), random()),
            received_at: now,
            bytes_max: self.bytes_max,
        };
        let mut incoming = match path == Path::new("-") {
            true => self.read_stdin(path, request)?,
            false => self.read_file(&setup::absolute(path), request)?,
        };
        if let (Some(url), Incoming::One(submission)) = (&self.url, &mut incoming) {
            submission.declared.url = Some(url.clone());
        }
        Ok(incoming)
    }

    fn read_stdin(&self, path: &Path, request: oneshot::Request) -> Result<Incoming, Outcome> {
        let mut raw = Vec::new();
        let limit = self.bytes_max.saturating_add(1);
        let read = std::io::stdin().lock().take(limit).read_to_end(&mut raw);
        read.map_err(unreadable)?;
        let mut submission = oneshot::submit_bytes(path, raw, request).map_err(Outcome::from)?;
        let mut bytes = Cursor::new(std::mem::take(&mut submission.raw));
        match container::kind_of(&mut bytes, &self.containers).map_err(unreadable)? {
            Some(kind) => Ok(self.container(bytes, kind, submission, || true)),
            None => {
                submission.raw = bytes.into_inner();
                Ok(submission.into())
            }
        }
    }

    fn read_file(&self, path: &Path, request: oneshot::Request) -> Result<Incoming, Outcome> {
        let opened = oneshot::open_file(path, request).map_err(Outcome::from)?;
        let (mut file, submission) = opened;
        let Some(kind) = container::kind_of(&mut file, &self.containers).map_err(unreadable)?
        else {
            let read = oneshot::read_file(&file, submission, self.bytes_max);
            return Ok(read.map_err(Outcome::from)?.into());
        };
        let same = file.try_clone().map_err(unreadable)?;
        let signature = submission.signature;
        let is_unchanged = move || {
            let metadata = same.metadata();
            metadata.is_ok_and(|metadata| Some(Signature::of(&metadata)) == signature)
        };
        Ok(self.container(file, kind, submission, is_unchanged))
    }

    fn container(
        &self,
        source: impl container::Source + Send + 'static,
        kind: Kind,
        of: Submission,
        is_unchanged: impl FnOnce() -> bool + Send + 'static,
    ) -> Incoming {
        Incoming::Many(Box::new(Container {
            source: Box::new(source),
            kind,
            options: self.containers.clone(),
            of,
            is_unchanged: Box::new(is_unchanged),
            stopping: Arc::default(),
        }))
    }
}

fn unreadable(error: std::io::Error) -> Outcome {
    Outcome::Deferred(format!("cannot read it: {error}"))
}

fn add_here(
    mut writer: ArchiveWriter,
    config: &Config,
    files: Vec<PathBuf>,
    reader: &FileReader,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let settings = Settings {
        pins: writer.pins(),
        decode: config.decode.options(),
        rules: setup::rules_of(config).rules,
    };
    let captures = writer.captures()?;
    let pipeline = Pipeline::start(
        writer,
        captures,
        settings,
        config.daemon.worker_count(),
        UNDER_WAY_MAX,
        PATIENCE,
    )?;
    let entrance = pipeline.entrance();
    let (done, outcomes) = channel();
    let reader = reader.clone();
    let submitter = thread::spawn(move || {
        for path in files {
            entrance.submit(job(path, reader.clone(), done.clone()));
        }
    });
    for (path, outcome) in outcomes {
        tally.take_outcome(&path, outcome)?;
    }
    submitter.join().expect("submitting does not panic");
    drop(pipeline.finish());
    Ok(())
}

fn job(path: PathBuf, reader: FileReader, done: Sender<(PathBuf, Outcome)>) -> Job {
    let (read_path, part_path, part_done) = (path.clone(), path.clone(), done.clone());
    // Nobody listens any more when printing failed (a closed pipe); the archive has it all the same.
    Job {
        read: Box::new(move || reader.read(&read_path)),
        part: Box::new(move |number, outcome| {
            drop(part_done.send((part_name(&part_path, number), outcome)));
        }),
        done: Box::new(move |outcome| drop(done.send((path, outcome)))),
    }
}

/// `pages.warc.gz#17`
fn part_name(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("#{number}"));
    name.into()
}

fn add_through_daemon(
    client: Client,
    files: &[PathBuf],
    reader: &FileReader,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let (mut sender, mut receiver) = client.split()?;
    // What was sent, in order, each with its path; `Err` was not even sent.
    let (sent, under_way) =
        std::sync::mpsc::sync_channel::<(PathBuf, Option<Outcome>)>(UNDER_WAY_MAX);
    thread::scope(|scope| {
        let sending = scope.spawn(move || -> anyhow::Result<()> {
            let mut send = |path: PathBuf, read: Result<Submission, Outcome>| {
                let failed = match read {
                    Ok(submission) => {
                        let head = Add {
                            path: wire_path(&path, &submission),
                            declared: submission.declared,
                            part: submission.part,
                            bytes: submission.raw.len() as u64,
                        };
                        sender.send(&Request::Add(Box::new(head)), &submission.raw)?;
                        None
                    }
                    Err(outcome) => Some(outcome),
                };
                // Nobody listens any more when printing failed.
                anyhow::Ok(sent.send((path, failed)).is_ok())
            };
            for path in files {
                let goes_on = match reader.read(path) {
                    Ok(Incoming::One(submission)) => send(path.clone(), Ok(*submission))?,
                    Ok(Incoming::Many(container)) => send_parts(path, *container, &mut send)?,
                    Err(outcome) => send(path.clone(), Err(outcome))?,
                };
                if !goes_on {
                    break;
                }
            }
            Ok(())
        });
        for (path, failed) in under_way {
            match failed {
                Some(outcome) => tally.take_outcome(&path, outcome)?,
                None => tally.take(&path, receiver.receive::<Answer>()?)?,
            }
        }
        sending.join().expect("sending does not panic")
    })
}

/// Sends each document of a container by itself; false when nobody listens any more.
fn send_parts(
    path: &Path,
    container: Container,
    send: &mut dyn FnMut(PathBuf, Result<Submission, Outcome>) -> anyhow::Result<bool>,
) -> anyhow::Result<bool> {
    let stopping = Arc::clone(&container.stopping);
    let mut sent = Ok(true);
    let mut documents = 0;
    let end = container.for_each(&mut |number, found| {
        if let (Some(found), Ok(true)) = (found, &sent) {
            documents += 1;
            let found = found.map_err(|reason| Outcome::Quarantined("unpack", reason));
            sent = send(part_name(path, number), found);
            let goes_on = matches!(sent, Ok(true));
            stopping.store(!goes_on, Ordering::Relaxed);
        }
    });
    if !sent? {
        return Ok(false);
    }
    match end {
        End::Whole if documents > 0 => Ok(true),
        End::Whole => {
            let message = "there is no page in it that could be archived; give one with responses or pages in it";
            let reason = Reason::new(ReasonCode::Empty, message);
            send(path.to_owned(), Err(Outcome::Quarantined("unpack", reason)))
        }
        End::Changed => send(path.to_owned(), Err(Outcome::Changed)),
        End::Early(why) => send(path.to_owned(), Err(Outcome::Deferred(why))),
    }
}

/// The daemon names standard input itself.
fn wire_path(path: &Path, submission: &Submission) -> String {
    if path == Path::new("-") {
        "-".to_owned()
    } else {
        path_text::to_text(&submission.source.path)
    }
}

/// Counts and prints what became of each input.
struct Tally<'a> {
    global: &'a Global,
    counts: HashMap<String, usize>,
    inputs: usize,
    answered: usize,
    failed: usize,
    gauge: Arc<Gauge>,
    progress: Progress,
}

impl<'a> Tally<'a> {
    fn new(global: &'a Global, inputs: usize) -> Tally<'a> {
        let gauge = Arc::new(Gauge::default());
        gauge.expect(inputs as u64);
        let progress = Progress::show(global, Unit::Things("inputs"), &gauge);
        Tally {
            global,
            counts: HashMap::new(),
            inputs,
            answered: 0,
            failed: 0,
            gauge,
            progress,
        }
    }

    /// Takes what became of a file or of a document in it; of a container as a whole only what its documents do not tell.
    fn take_outcome(&mut self, path: &Path, outcome: Outcome) -> anyhow::Result<()> {
        match outcome {
            Outcome::Unpacked(_) => Ok(()),
            Outcome::Quarantined(_, reason) if reason.code == ReasonCode::Partly => Ok(()),
            outcome => self.take(path, Answer::from(outcome)),
        }
    }

    fn take(&mut self, path: &Path, answer: Answer) -> anyhow::Result<()> {
        self.gauge.add(1);
        self.answered += 1;
        // Containers hold more than there were files.
        self.inputs = self.inputs.max(self.answered);
        let path = path_text::to_text(path);
        match answer {
            Answer::Failed { error } => {
                self.failed += 1;
                if self.global.json {
                    return output::json(&outcome_object(&path, "quarantined", None, json!(error)));
                }
                self.progress.aside(|| {
                    output::complain(&format!("faircopy: {path}: {}", error.message));
                });
            }
            Answer::Added {
                outcome,
                doc,
                version,
                ..
            } => {
                if self.global.json {
                    let name = json!({"doc": doc, "version": version});
                    return output::json(&outcome_object(&path, &outcome, Some(name), Value::Null));
                }
                *self.counts.entry(outcome).or_default() += 1;
            }
            _ => {
                return Err(writing::misunderstood());
            }
        }
        Ok(())
    }

    fn finish(self) -> Exit {
        drop(self.progress);
        if !self.global.json {
            let mut parts = Vec::new();
            for name in ["archived", "unchanged", "duplicate"] {
                if let Some(count) = self.counts.get(name) {
                    parts.push(format!("{count} {name}"));
                }
            }
            if self.failed > 0 {
                parts.push(format!("{} failed", self.failed));
            }
            if parts.is_empty() {
                parts.push("nothing to add".to_owned());
            }
            output::note(self.global, &parts.join(", "));
        }
        clean::exit_for(self.failed, self.inputs)
    }
}

fn outcome_object(path: &str, outcome: &str, name: Option<Value>, error: Value) -> Value {
    let name = name.unwrap_or(Value::Null);
    json!({
        "path": path, "outcome": outcome, "doc": name["doc"], "version": name["version"], "error": error,
    })
}
