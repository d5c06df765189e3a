//! Durable captures a second of small texts, beside a bare loop that hashes, compresses and appends the same records in the same
//! groups and syncs each group.
//!
//! The pipeline is that of the daemon and of `add`, with a worker for each core: it reads each file, cleans it, packs its
//! records, reads them back and compares, writes log, checkpoint and catalog. The bare loop has the records in memory and does
//! none of this; it has one thread.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread::available_parallelism;
use std::time::Duration;

use faircopy::archive::capture::Prepared;
use faircopy::archive::frame;
use faircopy::archive::segment::{self, Found, Position, SegmentReader};
use faircopy::archive::warc::Record;
use faircopy::archive::writer::ArchiveWriter;
use faircopy::clean::clean;
use faircopy::clean::rules::Rules;
use faircopy::decode::decode;
use faircopy::digest::Digest;
use faircopy::document::Document;
use faircopy::inbox::oneshot::{Request, submit_file};
use faircopy::ingest::{Settings, ingest};
use faircopy::pipeline::{Job, Outcome, Pipeline};
use faircopy::submission::{ClaimId, Submission};

use crate::common::cpu_time;
use crate::shelf::Shelf;
use crate::{median, procfs, texts, timed};

const TEXTS: usize = 10_000;
const TEXTS_TO_TRY: usize = 300;
const ROUNDS: usize = 5;
/// As `add` waits, and as many jobs as the daemon lets wait.
const PATIENCE: Duration = Duration::from_millis(50);
const JOBS_MAX: usize = 512;

pub(crate) fn measure(measures: bool) {
    let (count, rounds) = match measures {
        true => (TEXTS, ROUNDS),
        false => (TEXTS_TO_TRY, 1),
    };
    let folder = tempfile::tempdir().unwrap();
    let paths = texts::write(&folder.path().join("texts"), count);
    let (mut captures, mut cpu) = (Vec::new(), Vec::new());
    let (mut bare, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let shelf = Shelf::new_on_disk();
        let before = procfs::cpu_seconds("self", 11);
        let (groups, archived) = archive(&shelf, &paths);
        cpu.push((procfs::cpu_seconds("self", 11) - before) * 1e6 / count as f64);
        let groups = records(&shelf.dir(), &groups);
        let ((), appended) = timed(|| append(&folder.path().join("bare"), &groups));
        let rate = |taken: Duration| count as f64 / taken.as_secs_f64();
        captures.push(rate(archived));
        bare.push(rate(appended));
        ratios.push(rate(archived) / rate(appended));
    }
    println!("bulk, {count} texts of 1.5 KB, medians of {rounds} rounds");
    println!("  bare loop  {:7.0} captures/s", median(bare));
    println!("  pipeline   {:7.0} captures/s", median(captures));
    println!("  ratio      {:7.2}", median(ratios));
    println!(
        "  CPU        {:7.0} us a capture in the pipeline",
        median(cpu)
    );
    stages(&paths);
}

/// What a capture costs on one thread, step by step.
fn stages(paths: &[PathBuf]) {
    let shelf = Shelf::new_on_disk();
    let mut writer = shelf.writer();
    let settings = settings(&writer);
    let per_capture = |what: &str, taken: Duration| {
        let us = taken.as_secs_f64() * 1e6 / paths.len() as f64;
        println!("  {what:20} {us:7.1} us of CPU");
    };
    let (submissions, taken) = on_cpu(|| {
        let paths = paths.iter().enumerate();
        let read = paths.map(|(number, path)| submit_file(path, request(number)).unwrap());
        read.collect::<Vec<Submission>>()
    });
    per_capture("read", taken);
    let (documents, taken) = on_cpu(|| {
        let decoded = submissions.iter().map(|submission| {
            let Submission {
                source,
                raw,
                declared,
                ..
            } = submission;
            decode(&source.path, raw, declared, &settings.decode).unwrap()
        });
        decoded.collect::<Vec<Document>>()
    });
    per_capture("decode", taken);
    let ((), taken) = on_cpu(|| {
        for document in &documents {
            drop(std::hint::black_box(clean(document, &settings.rules)));
        }
    });
    per_capture("clean", taken);
    let (prepared, taken_by_all) = on_cpu(|| {
        let submissions = submissions.into_iter();
        let prepared = submissions.map(|submission| ingest(submission, &settings).unwrap());
        prepared.collect::<Vec<Prepared>>()
    });
    per_capture("all of that and pack", taken_by_all);
    let ((), taken) = on_cpu(|| {
        for group in prepared.chunks(256) {
            writer.commit(group, jiff::Timestamp::now()).unwrap();
        }
    });
    per_capture("commit", taken);
}

fn on_cpu<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = cpu_time();
    let result = work();
    (result, cpu_time() - start)
}

fn settings(writer: &ArchiveWriter) -> Settings {
    Settings {
        decode: faircopy::decode::Options::default(),
        rules: Rules::built_in(),
        pins: writer.pins(),
    }
}

fn request(number: usize) -> Request {
    Request {
        claim: ClaimId::new(number as u64, [0; 10]),
        received_at: jiff::Timestamp::now(),
        bytes_max: u64::MAX,
    }
}

/// Archives the files; where each group ended in the log, and how long it took.
fn archive(shelf: &Shelf, paths: &[PathBuf]) -> (Vec<u64>, Duration) {
    let writer = shelf.writer();
    let settings = settings(&writer);
    let workers = available_parallelism().map_or(1, usize::from);
    let pipeline = Pipeline::start(writer, 0, settings, workers, JOBS_MAX, PATIENCE).unwrap();
    let (entrance, progress) = (pipeline.entrance(), pipeline.progress());
    let (told, sizes) = channel();
    let ((), taken) = timed(|| {
        for (number, path) in paths.iter().enumerate() {
            let request = request(number);
            let (path, told, progress) = (path.clone(), told.clone(), progress.clone());
            entrance.submit(Job {
                read: Box::new(move || Ok(submit_file(&path, request)?.into())),
                part: Box::new(|_, _| unreachable!("a text is no container")),
                done: Box::new(move |outcome| {
                    assert!(matches!(outcome, Outcome::Archived(_)), "{outcome:?}");
                    told.send(progress.archive().log_size).unwrap();
                }),
            });
        }
        drop(entrance);
        drop(pipeline.finish());
    });
    drop(told);
    let mut sizes: Vec<u64> = sizes.iter().collect();
    assert_eq!(sizes.len(), paths.len());
    sizes.dedup();
    (sizes, taken)
}

/// The records of an archive whose groups end at these sizes of its log; three records have a leaf, or one.
fn records(archive: &Path, groups: &[u64]) -> Vec<Vec<Vec<u8>>> {
    let mut all = vec![Vec::new()];
    let mut leaves = 0;
    let mut ends = groups.iter();
    let mut end = ends.next();
    for segment in segment::list(archive).unwrap() {
        let start = Position { segment, offset: 0 };
        for found in SegmentReader::open(archive, start).unwrap() {
            let Found::Record { bytes, .. } = found.unwrap() else {
                panic!("damage in a new archive");
            };
            // What a leaf commits to is the last record of a capture.
            let ends_a_leaf = Record::parse(&bytes).unwrap().kind() == "metadata";
            all.last_mut().unwrap().push(bytes);
            leaves += u64::from(ends_a_leaf);
            if ends_a_leaf && end == Some(&leaves) {
                all.push(Vec::new());
                end = ends.next();
            }
        }
    }
    all.retain(|group| !group.is_empty());
    all
}

fn append(path: &Path, groups: &[Vec<Vec<u8>>]) {
    let mut file = File::create(path).unwrap();
    let mut frames = Vec::new();
    for group in groups {
        frames.clear();
        for record in group {
            let block = Record::parse(record).unwrap().block;
            std::hint::black_box(Digest::of(block));
            frames.extend(frame::compress(&[record]));
        }
        file.write_all(&frames).unwrap();
        file.sync_data().unwrap();
    }
    drop(file);
    fs::remove_file(path).unwrap();
}
