//! How much CPU the way of a page costs, as a multiple of parsing it with `scraper::Html::parse_document`.
//!
//! `cargo bench --bench pages`: with `FAIRCOPY_CORPUS` over the pages of `noise/html` and of `aeb/html` there, else over the
//! pages among the seeds. All stages run in turn on each page, round by round, so that a busy machine slows all alike; what counts is the
//! ratio. The stages run warm, in this process. Last come two commands, each a fresh process over all pages, with all that
//! costs it (start-up, cold caches, reading the files; for `add` also rules, fsyncs and a second worker): one that only
//! parses, for the reader's judgement, and `faircopy add` into a new archive. That one may cost [`RATIO_MAX`] times the
//! warm parsing of the first row; above it the benchmark fails. Then come flat texts, those of the pages' articles, one by
//! one and all as one: for them, what counts is MB/s.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints and stops at the first surprise"
)]

#[path = "common/procfs.rs"]
mod procfs;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Instant;

use faircopy::clean::clean;
use faircopy::clean::rules::Rules;
use faircopy::decode::{self, decode};
use faircopy::submission::Declared;

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;
/// What the last stage may cost, in parsings of the first.
const RATIO_MAX: f64 = 2.5;

struct Page {
    name: PathBuf,
    raw: Vec<u8>,
    text: String,
}

/// One way to go with a page, from its bytes on.
struct Stage {
    name: &'static str,
    run: fn(&Page),
}

/// In the order of the way; the first is what the others are compared with.
const STAGES: &[Stage] = &[
    Stage {
        name: "scraper::Html::parse_document",
        run: |page| drop(black_box(scraper::Html::parse_document(&page.text))),
    },
    Stage {
        name: "decode",
        run: |page| drop(black_box(decoded(page))),
    },
    Stage {
        name: "decode and clean",
        run: |page| drop(black_box(clean(&decoded(page), &RULES))),
    },
];

static RULES: LazyLock<Rules> = LazyLock::new(Rules::built_in);

fn decoded(page: &Page) -> faircopy::document::Document {
    let options = decode::Options::default();
    decode(&page.name, &page.raw, &Declared::default(), &options).expect("the pages can be decoded")
}

fn main() {
    let mut args = std::env::args().skip_while(|arg| arg != PARSE_ONLY);
    if let Some(folder) = args.nth(1) {
        return parse_only(Path::new(&folder));
    }
    for folder in folders() {
        measure(&pages(&folder));
    }
}

fn measure(pages: &[Page]) {
    let bytes: usize = pages.iter().map(|page| page.raw.len()).sum();
    println!(
        "{} pages, {} KB each on average, {ROUNDS} rounds",
        pages.len(),
        bytes / pages.len() / 1000
    );
    let desk = tempfile::tempdir().unwrap();
    let inbox = desk.path().join("pages");
    std::fs::create_dir(&inbox).unwrap();
    for page in pages {
        std::fs::write(inbox.join(page.name.file_name().unwrap()), &page.raw).unwrap();
    }
    let flat = flat_texts(pages);
    let one = [flat.concat()];
    let rounds: Vec<Vec<f64>> = (0..=ROUNDS)
        .map(|n| {
            let mut seconds = round(pages, &inbox, n);
            seconds.extend([clean_flat(&flat), clean_flat(&one)]);
            seconds
        })
        .collect();
    // The first round warms caches and allocator up.
    let rounds = &rounds[1..];
    println!(
        "{:32} {:>10} {:>8} {:>8}",
        "stage", "ms/page", "MB/s", "ratio"
    );
    let row = |name: &str, index: usize| {
        let seconds = median(rounds.iter().map(|round| round[index]));
        let ratio = median(rounds.iter().map(|round| round[index] / round[0]));
        let ms = seconds * 1e3 / pages.len() as f64;
        let rate = bytes as f64 / seconds / 1e6;
        println!("{name:32} {ms:10.3} {rate:8.0} {ratio:8.2}");
        ratio
    };
    for (index, stage) in STAGES.iter().enumerate() {
        row(stage.name, index);
    }
    row("a command that only parses", STAGES.len());
    let ratio = row("faircopy add, the command", STAGES.len() + 1);
    for (index, name) in ["flat texts, cleaned", "one flat text, cleaned"]
        .iter()
        .enumerate()
    {
        let seconds = median(rounds.iter().map(|round| round[STAGES.len() + 2 + index]));
        println!(
            "{name:32} {:>10} {:8.0}",
            "",
            one[0].len() as f64 / seconds / 1e6
        );
    }
    // Built without optimisation, as `cargo test` does, it says nothing.
    let measures = std::env::args().any(|argument| argument == "--bench");
    assert!(
        !measures || ratio <= RATIO_MAX,
        "the whole way costs {ratio:.2} parsings, above {RATIO_MAX}"
    );
}

/// The articles of the pages as flat texts.
fn flat_texts(pages: &[Page]) -> Vec<String> {
    let flat = |page: &Page| {
        let article = clean(&decoded(page), &RULES).article;
        format!(
            "{}\n\n{}\n\n",
            article.title.unwrap_or_default(),
            article.text
        )
    };
    pages.iter().map(flat).collect()
}

/// Seconds of CPU that flat texts take from bytes to article and ledger.
fn clean_flat(texts: &[String]) -> f64 {
    let start = cpu_seconds();
    for text in texts {
        let options = decode::Options::default();
        let document = decode(
            Path::new("a.txt"),
            text.as_bytes(),
            &Declared::default(),
            &options,
        );
        // Pages without any text are refused, as files.
        if let Ok(document) = document {
            drop(black_box(clean(&document, &RULES)));
        }
    }
    cpu_seconds() - start
}

/// The argument after which this program only parses the pages of a folder.
const PARSE_ONLY: &str = "--parse-only";

fn parse_only(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let raw = std::fs::read(entry.unwrap().path()).unwrap();
        drop(black_box(scraper::Html::parse_document(
            &String::from_utf8_lossy(&raw),
        )));
    }
}

/// Seconds of CPU of each stage over all pages, and of the two commands.
fn round(pages: &[Page], inbox: &Path, number: usize) -> Vec<f64> {
    let mut seconds = vec![0.0; STAGES.len()];
    for page in pages {
        for (stage, seconds) in STAGES.iter().zip(&mut seconds) {
            let start = cpu_seconds();
            (stage.run)(page);
            *seconds += cpu_seconds() - start;
        }
    }
    seconds.push(parse_in_a_command(inbox));
    seconds.push(add(inbox, number));
    seconds
}

/// Seconds of CPU that a process takes which only parses.
fn parse_in_a_command(inbox: &Path) -> f64 {
    let start = children_cpu_seconds();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let status = command.arg(PARSE_ONLY).arg(inbox).status().unwrap();
    assert!(status.success(), "{status}");
    children_cpu_seconds() - start
}

/// Seconds of CPU, of all threads and of the kernel for them, that `faircopy add` takes.
fn add(inbox: &Path, number: usize) -> f64 {
    let folder = inbox.with_file_name(format!("desk-{number}"));
    faircopy(&["init".as_ref(), folder.as_ref()]);
    let start = children_cpu_seconds();
    let config = folder.join("faircopy.toml");
    faircopy(&[
        "--config".as_ref(),
        config.as_ref(),
        "add".as_ref(),
        inbox.as_ref(),
    ]);
    children_cpu_seconds() - start
}

fn faircopy(args: &[&std::ffi::OsStr]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faircopy"));
    let status = command.args(args).stderr(Stdio::null()).status().unwrap();
    // 3: some of the seeds are made to be refused.
    assert!(matches!(status.code(), Some(0 | 3)), "{status}");
}

/// CPU time of the children that were waited for.
fn children_cpu_seconds() -> f64 {
    procfs::cpu_seconds("self", 13)
}

/// CPU time of this thread (`proc(5)`, schedstat: nanoseconds); where the kernel does not say, the clock on the wall.
fn cpu_seconds() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = schedstat.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(wall_seconds, |nanoseconds| nanoseconds / 1e9)
}

fn wall_seconds() -> f64 {
    thread_local!(static START: Instant = Instant::now());
    START.with(|start| start.elapsed().as_secs_f64())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn folders() -> Vec<PathBuf> {
    match std::env::var_os("FAIRCOPY_CORPUS") {
        Some(corpus) => ["noise", "aeb"]
            .map(|set| Path::new(&corpus).join(set).join("html"))
            .to_vec(),
        None => vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")],
    }
}

fn pages(folder: &Path) -> Vec<Page> {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    names.retain(|name| name.extension().is_some_and(|e| e == "html"));
    names.sort();
    let page = |name: PathBuf| {
        let raw = std::fs::read(&name).unwrap();
        let text = String::from_utf8_lossy(&raw).into_owned();
        Page { name, raw, text }
    };
    // Some of the seeds are made to be refused.
    let can_be_read = |page: &Page| {
        let options = decode::Options::default();
        decode(&page.name, &page.raw, &Declared::default(), &options).is_ok()
    };
    names.into_iter().map(page).filter(can_be_read).collect()
}
