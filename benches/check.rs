//! How fast `check --read-data` is, beside a bare loop that unpacks and hashes the same records: `cargo bench --bench check`.
//!
//! Pages of 160 KB by a seeded generator, each with a change or two. The least of several runs counts, taken in turn.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/common/shelf.rs"]
mod shelf;

use std::time::{Duration, Instant};

use faircopy::archive::capture::prepare;
use faircopy::archive::segment::{self, Found, Position, SegmentReader};
use faircopy::archive::warc::Record;
use faircopy::check::{Options, check};
use faircopy::digest::Digest;
use shelf::{Shelf, fitting, now};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Enough that what is done once for the archive weighs little.
const PAGES: u64 = 2_000;
const PARAGRAPHS: u64 = 60;
const RUNS: u32 = 5;

fn main() {
    // Under `cargo test` a benchmark is only built.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let shelf = archive();
    let (mut bare, mut checked) = (Duration::MAX, Duration::MAX);
    let mut bytes = 0;
    for _ in 0..RUNS {
        let start = Instant::now();
        bytes = unpack_and_hash(&shelf);
        bare = bare.min(start.elapsed());
        let start = Instant::now();
        check_all(&shelf);
        checked = checked.min(start.elapsed());
    }
    let speed = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    println!("{} MB unpacked", bytes / 1_000_000);
    println!("bare loop          {:7.0} MB/s", speed(bare));
    println!("check --read-data  {:7.0} MB/s", speed(checked));
    println!(
        "ratio              {:7.2}",
        bare.as_secs_f64() / checked.as_secs_f64()
    );
}

fn archive() -> Shelf {
    let mut shelf = Shelf::new();
    let mut writer = shelf.writer();
    let mut random = 4711_u64;
    let mut word = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let words = [
            "ferry", "quay", "gulls", "harbour", "Ada", "Brill", "counted", "again", "the", "a",
            "of", "at",
        ];
        format!(
            "{}{} ",
            words[(random >> 33) as usize % words.len()],
            (random >> 50) % 97
        )
    };
    for page in 0..PAGES {
        let paragraphs: Vec<String> = (0..PARAGRAPHS)
            .map(|_| {
                (0..18)
                    .map(|_| word())
                    .collect::<String>()
                    .trim_end()
                    .to_owned()
            })
            .collect();
        let paragraphs: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
        // What is around an article is most of a page.
        let furniture: String = (0..16_000).map(|_| word()).collect();
        let draft = fitting(&mut shelf, &format!("{page}.txt"), &paragraphs, &furniture);
        writer.commit([prepare(draft)], now()).unwrap();
    }
    shelf
}

fn unpack_and_hash(shelf: &Shelf) -> u64 {
    let mut bytes = 0;
    for segment in segment::list(&shelf.dir()).unwrap() {
        let start = Position { segment, offset: 0 };
        for found in SegmentReader::open(&shelf.dir(), start).unwrap() {
            if let Found::Record { bytes: record, .. } = found.unwrap() {
                bytes += record.len() as u64;
                std::hint::black_box(Digest::of(Record::parse(&record).unwrap().block));
            }
        }
    }
    bytes
}

fn check_all(shelf: &Shelf) {
    let options = Options {
        read_data: true,
        ..Options::default()
    };
    let report = check(&shelf.dir(), &options, &mut |problem| panic!("{problem:?}")).unwrap();
    assert_eq!(report.problems, 0);
}
