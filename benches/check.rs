//! How fast `check --read-data` is, beside a bare loop that unpacks and hashes the same records: `cargo bench --bench check`.
//!
//! The archive holds pages of 160 KB by a seeded generator. The bare loop reads each segment, unpacks one frame after the
//! other into one buffer and digests its record's block; it judges nothing. `check` does everything that it does, from the
//! log's signature to the catalog's places. The two run in turn, in one process; of all rounds' ratios the median counts.
//! `cargo test --bench '*'` runs both once over a few pages, to see that they work.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/common/shelf.rs"]
mod shelf;

use std::fs;
use std::time::{Duration, Instant};

use faircopy::archive::capture::prepare;
use faircopy::archive::frame::{self, Extent};
use faircopy::archive::segment;
use faircopy::archive::warc::Record;
use faircopy::check::{Options, check};
use faircopy::digest::Digest;
use shelf::{Shelf, fitting, now};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Enough that what is done once for the archive weighs little.
const PAGES: u64 = 2_000;
/// So many when nothing is measured.
const PAGES_TO_TRY: u64 = 50;
const PARAGRAPHS: u64 = 60;
const ROUNDS: usize = 9;

fn main() {
    let measures = std::env::args().any(|argument| argument == "--bench");
    let (pages, rounds) = match measures {
        true => (PAGES, ROUNDS),
        false => (PAGES_TO_TRY, 1),
    };
    let shelf = archive(pages);
    let (mut bare, mut checked, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let bytes = unpack_and_hash(&shelf);
    check_all(&shelf);
    for _ in 0..rounds {
        let of_bare = time(|| assert_eq!(unpack_and_hash(&shelf), bytes));
        let of_check = time(|| check_all(&shelf));
        bare.push(of_bare.as_secs_f64());
        checked.push(of_check.as_secs_f64());
        ratios.push(of_bare.as_secs_f64() / of_check.as_secs_f64());
    }
    let megabytes = bytes as f64 / 1e6;
    println!("{megabytes:.0} MB unpacked, medians of {rounds} rounds");
    println!("bare loop          {:7.0} MB/s", megabytes / median(bare));
    println!(
        "check --read-data  {:7.0} MB/s",
        megabytes / median(checked)
    );
    let (least, most) = ratios
        .iter()
        .fold((f64::MAX, 0.0_f64), |(least, most), ratio| {
            (least.min(*ratio), most.max(*ratio))
        });
    let ratio = median(ratios);
    println!("ratio              {ratio:7.2} ({least:.2} to {most:.2})");
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn archive(pages: u64) -> Shelf {
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
    for page in 0..pages {
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
    let (mut bytes, mut record) = (0, Vec::new());
    for segment in segment::list(&shelf.dir()).unwrap() {
        let packed = fs::read(segment::path(&shelf.dir(), segment)).unwrap();
        let mut rest = &packed[..];
        while let Extent::Whole(length) = frame::extent(rest) {
            frame::decompress_into(&rest[..length], None, &mut record).unwrap();
            std::hint::black_box(Digest::of(Record::parse(&record).unwrap().block));
            bytes += record.len() as u64;
            rest = &rest[length..];
        }
        assert!(rest.is_empty());
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
