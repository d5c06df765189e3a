//! Storms of files against a running daemon: nothing is lost, and a missed event costs at most one scan interval.
//!
//! `FAIRCOPY_STORM` is the number of files (20000 for a release). With `FAIRCOPY_CORPUS` real articles are dropped as well.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use common::daemon::{Desk, wait_until};
use common::producer::Producer;
use serde_json::Value;

const QUICK: &str =
    "[[inbox]]\nsettle = \"500ms\"\nsettle_renamed = \"50ms\"\nscan_interval = \"5s\"\n";

fn storm() -> usize {
    std::env::var("FAIRCOPY_STORM").map_or(1500, |text| text.parse().unwrap())
}

fn article(n: usize) -> String {
    format!(
        "Note {n}\n\nThe {n}th note of the harbour office says that the lake is calm and the ferry sails.\n"
    )
}

fn fill(folder: &Path, range: std::ops::Range<usize>) {
    for n in range {
        let below = folder.join(format!("{}/{}", n % 10, n % 7));
        fs::create_dir_all(&below).unwrap();
        fs::write(below.join(format!("{n}.txt")), article(n)).unwrap();
    }
}

/// Every file archived once, nothing left.
fn all_archived_once(desk: &mut Desk, count: usize) {
    let started = Instant::now();
    let captures = || {
        desk.run(&["status", "--json"]).json()[0]["captures"]
            .as_u64()
            .unwrap_or(0)
    };
    let mut last = (0, Instant::now());
    while (captures() as usize) < count {
        let now = captures();
        if now != last.0 {
            last = (now, Instant::now());
        }
        assert!(
            last.1.elapsed() < Duration::from_secs(90),
            "stuck at {now} of {count}"
        );
        thread::sleep(Duration::from_millis(200));
    }
    wait_until("an empty inbox", || desk.count_files("inbox") == 0);
    println!("{count} files in {:.1} s", started.elapsed().as_secs_f64());
    let mut captured = BTreeMap::new();
    for row in desk.documents() {
        assert_eq!(row["captures"], 1, "{row}");
        captured.insert(row["path"].as_str().unwrap().to_owned(), ());
    }
    assert_eq!(captured.len(), count);
    assert_eq!(desk.count_files("done"), count);
    assert_eq!(desk.count_files("failed"), 0);
    assert_eq!(desk.stop(), 0);
    assert_eq!(desk.count_files("state/spool"), 0);
    desk.run(&["check", "--read-data"]).expect(0);
}

#[test]
fn files_in_new_nested_folders_are_all_archived() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    fill(&desk.inbox().join("new/nested"), 0..storm());
    all_archived_once(&mut desk, storm());
}

#[test]
fn a_filled_folder_that_is_moved_in_is_archived() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    fill(&desk.path("outside"), 0..storm());
    fs::rename(desk.path("outside"), desk.inbox().join("moved")).unwrap();
    all_archived_once(&mut desk, storm());
}

#[test]
fn an_inbox_that_is_renamed_away_and_made_again_is_watched_again() {
    let mut desk = Desk::new(QUICK);
    desk.start();
    fill(&desk.inbox(), 0..50);
    wait_until("the first files", || {
        desk.documents().len() == 50 && desk.count_files("inbox") == 0
    });
    fs::rename(desk.inbox(), desk.path("inbox-old")).unwrap();
    fs::create_dir(desk.inbox()).unwrap();
    fill(&desk.inbox(), 50..storm());
    all_archived_once(&mut desk, storm());
}

#[test]
fn real_texts_and_pages_dropped_at_once_by_three_kinds_of_writer_are_archived_exactly_once() {
    let Some(corpus) = common::corpus() else {
        return;
    };
    let mut articles = Vec::new();
    let labelled = fs::read_to_string(corpus.join("noise/dev.jsonl")).unwrap();
    for line in labelled.lines() {
        let document: Value = serde_json::from_str(line).unwrap();
        let lines = document["lines"].as_array().unwrap().iter();
        let lines: Vec<&str> = lines.map(|line| line["t"].as_str().unwrap()).collect();
        let text = lines.join(document["sep"].as_str().unwrap_or("\n\n"));
        articles.push((
            format!("{}.txt", document["id"].as_str().unwrap()),
            text.into_bytes(),
        ));
    }
    let texts = articles.len();
    for entry in fs::read_dir(corpus.join("noise/html")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        articles.push((name, fs::read(path).unwrap()));
    }
    let mut desk = Desk::new(QUICK);
    desk.start();
    let inbox = desk.inbox();
    thread::scope(|scope| {
        for (kind, producer) in Producer::ALL.into_iter().enumerate() {
            let (articles, inbox) = (&articles, &inbox);
            scope.spawn(move || {
                for (name, bytes) in articles.iter().skip(kind).step_by(3) {
                    let piece = usize::max(1, bytes.len() / 4);
                    producer.write(&inbox.join(name), bytes, piece, Duration::from_millis(30));
                }
            });
        }
    });
    println!("{texts} texts and {} pages", articles.len() - texts);
    all_archived_once(&mut desk, articles.len());
    for (name, bytes) in articles.iter().step_by(10) {
        let output = desk
            .command()
            .args(["cat", "--raw", &format!("inbox/{name}")])
            .output()
            .unwrap();
        assert!(output.stdout == *bytes, "{name} came back otherwise");
    }
}
