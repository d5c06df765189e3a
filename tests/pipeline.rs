//! The pipeline on bad days: whatever panics, every job is given back once and the others go on.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use faircopy::archive::writer::{ArchiveWriter, Fault, Options, Step};
use faircopy::archive::{self, Paths, keys::random};
use faircopy::clean::rules::Rules;
use faircopy::container::{self, Fields, Kind};
use faircopy::decode;
use faircopy::digest::Digest;
use faircopy::ingest::Settings;
use faircopy::pipeline::{Entrance, Job, Outcome, Pipeline};
use faircopy::submission::{ClaimId, Declared, ReasonCode, Source, Submission};
use faircopy::unpacking::{Container, Incoming};
use jiff::Timestamp;

fn start(sandbox: &common::Sandbox) -> Pipeline {
    start_with(sandbox, 2)
}

fn start_with(sandbox: &common::Sandbox, workers: usize) -> Pipeline {
    let paths = Paths {
        dir: sandbox.path("archive"),
        keys: sandbox.path("keys"),
        state: sandbox.path("state"),
    };
    archive::create(&paths, Timestamp::now()).unwrap();
    let (writer, _) = ArchiveWriter::open(paths, Options::default()).unwrap();
    let settings = Settings {
        pins: writer.pins(),
        decode: decode::Options::default(),
        rules: Rules::built_in(),
    };
    Pipeline::start(writer, 0, settings, workers, 8, std::time::Duration::ZERO).unwrap()
}

fn article(name: &str) -> Submission {
    let raw = format!("A headline of {name}\n\nThe story of {name} goes on for a while.\n");
    Submission {
        claim: ClaimId::new(1_700_000_000_000, random()),
        source: Source {
            root: "inbox".into(),
            path: Path::new(name).to_owned(),
        },
        signature: None,
        raw_digest: Digest::of(raw.as_bytes()),
        raw: raw.into_bytes(),
        declared: Declared::default(),
        received_at: Timestamp::now(),
        part: 0,
    }
}

/// Hands in a job; the outcome comes by the receiver.
fn submit(
    entrance: &Entrance,
    read: impl FnOnce() -> Result<Submission, Outcome> + Send + 'static,
) -> Receiver<Outcome> {
    let (done, outcome) = channel();
    entrance.submit(Job {
        read: Box::new(move || read().map(Incoming::from)),
        part: Box::new(|_, _| {}),
        done: Box::new(move |outcome| done.send(outcome).unwrap()),
    });
    outcome
}

#[test]
fn a_panic_while_a_file_is_read_gives_it_back_and_the_workers_live() {
    let sandbox = common::Sandbox::new();
    let pipeline = start(&sandbox);
    let entrance = pipeline.entrance();
    for _ in 0..5 {
        let outcome = submit(&entrance, || panic!("a defect")).recv().unwrap();
        let Outcome::Quarantined("read", reason) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(reason.code, ReasonCode::Defect);
    }
    let good = submit(&entrance, || Ok(article("a.txt")));
    assert!(matches!(good.recv().unwrap(), Outcome::Archived(_)));
    let in_flight = &pipeline.progress().in_flight;
    assert_eq!(in_flight.load(Ordering::Relaxed), 0);
    drop(entrance);
    pipeline.finish();
}

/// A container that cannot be read before something has happened.
struct Awaiting(Receiver<Outcome>, Cursor<&'static [u8]>);

impl Read for Awaiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.position() == 0 {
            let waited = self.0.recv_timeout(Duration::from_secs(60));
            waited.map_err(|_| io::Error::other("nothing was archived meanwhile"))?;
        }
        self.1.read(buffer)
    }
}

impl Seek for Awaiting {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.1.seek(to)
    }
}

#[test]
fn a_small_file_does_not_wait_for_the_container_behind_it() {
    let sandbox = common::Sandbox::new();
    let pipeline = start_with(&sandbox, 1);
    let entrance = pipeline.entrance();
    let (open, gate) = channel::<()>();
    let small = submit(&entrance, move || {
        gate.recv().unwrap();
        Ok(article("a.txt"))
    });
    let container = Container {
        source: Box::new(Awaiting(
            small,
            Cursor::new(br#"[{"text": "The gulls of Tarn have come back."}]"#),
        )),
        kind: Kind::Json,
        options: container::Options {
            json: Fields::default(),
            part_bytes_max: 1 << 20,
            unpacked_bytes_max: 1 << 20,
        },
        of: Submission {
            raw: Vec::new(),
            ..article("b.json")
        },
        is_unchanged: Box::new(|| true),
        stopping: Arc::default(),
    };
    let (done, outcome) = channel();
    entrance.submit(Job {
        read: Box::new(move || Ok(Incoming::Many(Box::new(container)))),
        part: Box::new(|_, _| {}),
        done: Box::new(move |outcome| done.send(outcome).unwrap()),
    });
    open.send(()).unwrap();
    let outcome = outcome.recv().unwrap();
    assert!(matches!(outcome, Outcome::Unpacked(_)), "{outcome:?}");
    drop(entrance);
    pipeline.finish();
}

#[test]
fn a_panic_in_a_commit_fails_at_most_the_capture_that_caused_it() {
    let sandbox = common::Sandbox::new();
    let pipeline = start(&sandbox);
    let entrance = pipeline.entrance();
    let steps = [
        Step::Append,
        Step::AppendLeaves,
        Step::ReplaceCheckpoint,
        Step::CopyCheckpoint,
        Step::CommitCatalog,
    ];
    for step in steps {
        // While the committer is held up, a group gathers. Committed together it panics; committed one by one, its
        // first panics again, unless it was in the archive already.
        let (let_go, held) = channel::<()>();
        entrance.ask(
            move |writer| {
                held.recv().unwrap();
                writer.fail_at(step, Fault::Panic);
                writer.fail_at(step, Fault::Panic);
                Ok(())
            },
            drop,
        );
        let outcomes = (0..5).map(|n| {
            let name = format!("{step:?}-{n}.txt");
            submit(&entrance, move || Ok(article(&name)))
        });
        let outcomes: Vec<_> = outcomes.collect();
        let_go.send(()).unwrap();
        let outcomes = outcomes.into_iter().map(|outcome| outcome.recv().unwrap());
        let failed: Vec<_> = outcomes
            .filter(|outcome| !matches!(outcome, Outcome::Archived(_)))
            .collect();
        assert!(failed.len() <= 1, "{step:?}: {failed:?}");
        let is_defect = |outcome: &Outcome| matches!(outcome, Outcome::Quarantined("archive", reason) if reason.code == ReasonCode::Defect);
        assert!(failed.iter().all(is_defect), "{step:?}: {failed:?}");
    }
    drop(entrance);
    let captures = pipeline.finish().counts().unwrap().captures;
    assert!((20..=25).contains(&captures), "{captures}");
}

#[test]
fn a_question_that_panics_is_answered_and_the_archive_lives() {
    let sandbox = common::Sandbox::new();
    let pipeline = start(&sandbox);
    let entrance = pipeline.entrance();
    let answer = entrance.with_writer::<()>(|_| panic!("a defect"));
    assert!(answer.unwrap_err().contains("defect"));
    assert!(entrance.with_writer(|writer| writer.counts()).is_ok());
    drop(entrance);
    pipeline.finish();
}
