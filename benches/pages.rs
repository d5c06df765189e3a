//! How much CPU the way of a page costs, as a multiple of parsing it with `scraper::Html::parse_document`.
//!
//! `cargo bench --bench pages`: with `FAIRCOPY_CORPUS` over the pages of `noise/html` there, else over the pages among the
//! seeds. All stages run in turn on each page, round by round, so that a busy machine slows all alike; what counts is the
//! ratio. The whole of `add` may cost [`RATIO_MAX`] times the parsing; above it the benchmark fails.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints and stops at the first surprise"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
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
/// What the last stage may cost, in parsings.
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

/// In the order of the way; the first is what the others are compared with, the last must keep to [`RATIO_MAX`].
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
    let pages = pages();
    let bytes: usize = pages.iter().map(|page| page.raw.len()).sum();
    println!(
        "{} pages, {} KB each on average, {ROUNDS} rounds",
        pages.len(),
        bytes / pages.len() / 1000
    );
    let rounds: Vec<Vec<f64>> = (0..=ROUNDS).map(|_| round(&pages)).collect();
    // The first round warms caches and allocator up.
    let rounds = &rounds[1..];
    println!(
        "{:32} {:>10} {:>8} {:>8}",
        "stage", "ms/page", "MB/s", "ratio"
    );
    let mut last = 0.0;
    for (index, stage) in STAGES.iter().enumerate() {
        let seconds = median(rounds.iter().map(|round| round[index]));
        last = median(rounds.iter().map(|round| round[index] / round[0]));
        let ms = seconds * 1e3 / pages.len() as f64;
        println!(
            "{:32} {ms:10.3} {:8.0} {last:8.2}",
            stage.name,
            bytes as f64 / seconds / 1e6
        );
    }
    assert!(
        last <= RATIO_MAX,
        "the whole way costs {last:.2} parsings, above {RATIO_MAX}"
    );
}

/// Seconds of CPU of each stage over all pages.
fn round(pages: &[Page]) -> Vec<f64> {
    let mut seconds = vec![0.0; STAGES.len()];
    for page in pages {
        for (stage, seconds) in STAGES.iter().zip(&mut seconds) {
            let start = cpu_seconds();
            (stage.run)(page);
            *seconds += cpu_seconds() - start;
        }
    }
    seconds
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

fn pages() -> Vec<Page> {
    let folder = match std::env::var_os("FAIRCOPY_CORPUS") {
        Some(corpus) => Path::new(&corpus).join("noise").join("html"),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds"),
    };
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    names.retain(|name| name.extension().is_some_and(|e| e == "html"));
    names.sort();
    let page = |name: PathBuf| {
        let raw = std::fs::read(&name).unwrap();
        let text = String::from_utf8_lossy(&raw).into_owned();
        Page { name, raw, text }
    };
    names.into_iter().map(page).collect()
}
