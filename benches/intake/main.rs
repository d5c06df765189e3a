//! How fast the daemon takes files in, beside what the work itself costs on the same disk in the same run.
//!
//! `cargo bench --bench intake` measures all, `cargo bench --bench intake -- latency` (or `bulk`, `backlog`) one; with
//! `FAIRCOPY_CORPUS` over the pages of `noise/html` there, else over those among the seeds. `cargo test --bench '*'` runs all
//! over a little, to see that they work. Nothing fails on time: the figures are for the reader.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints and stops at the first surprise"
)]

#[path = "../../tests/common/mod.rs"]
mod common;

#[path = "../../tests/common/shelf.rs"]
mod shelf;

#[path = "../common/procfs.rs"]
mod procfs;

mod backlog;
mod bulk;
mod latency;
mod texts;

use std::time::{Duration, Instant};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is measured, by its name; whether it is, or only tried.
type Part = (&'static str, fn(bool));

const PARTS: [Part; 3] = [
    ("latency", latency::measure),
    ("bulk", bulk::measure),
    ("backlog", backlog::measure),
];

fn main() {
    let measures = std::env::args().any(|argument| argument == "--bench");
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    for (name, measure) in PARTS {
        if asked.is_empty() || asked.iter().any(|part| part == name) {
            measure(measures);
        }
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// The value that so large a `share` of the values does not exceed.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * share).ceil() as usize;
    values[index.clamp(1, values.len()) - 1]
}

fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}
