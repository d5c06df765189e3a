//! How an archive carries its size: insertion, start, lookup and memory, at ten thousand versions and at many.
//!
//! `FAIRCOPY_VERSIONS=1000000 cargo bench --bench million` takes some minutes and some gigabytes under `TMPDIR`; without the
//! variable it makes a few thousand versions, to see that it works. Four versions of each document, texts of a kilobyte, in
//! groups as the daemon commits them. What is measured is a ratio: the rate near the end against that near ten thousand.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints and stops at the first surprise"
)]

#[path = "../tests/common/shelf.rs"]
mod shelf;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use faircopy::archive::capture::prepare;
use faircopy::archive::reader::{Archive, Selector};
use faircopy::archive::writer::ArchiveWriter;
use faircopy::config::Config;
use faircopy::web::figures::Figures;
use faircopy::web::server::{Listener, serve};
use jiff::SignedDuration;
use shelf::Shelf;
use tokio_util::sync::CancellationToken;

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const GROUP: u64 = 256;
const VERSIONS_OF_ONE: u64 = 4;
/// The rate at this size is what the rate at the end is compared with.
const SMALL: u64 = 10_000;
/// So many versions a rate is measured over.
const WINDOW: u64 = 5_120;

fn main() {
    let versions = versions();
    let mut shelf = Shelf::new_on_disk();
    let mut writer = shelf.writer();
    let mut at = 0;
    let small = SMALL.min(versions / 2);
    let window = WINDOW.min(versions / 8);
    fill(&mut shelf, &mut writer, &mut at, small - window / 2);
    let before = rate(&mut shelf, &mut writer, &mut at, window);
    fill(&mut shelf, &mut writer, &mut at, versions - window);
    let after = rate(&mut shelf, &mut writer, &mut at, window);
    println!(
        "insertion: {before:.0} versions/s at {small}, {after:.0} at {at}: {:.2}",
        after / before
    );
    println!("resident after insertion: {} KB", resident());
    drop(writer);

    let (writer, start) = timed(|| shelf.open());
    println!("start of a writer: {:.1} ms", ms(start));
    drop(writer);
    let (archive, start) = timed(|| shelf.reader());
    println!("start of a reader: {:.1} ms", ms(start));
    let mut slowest = Duration::ZERO;
    for number in 0..200 {
        let doc = number * 7919 % (at / VERSIONS_OF_ONE);
        slowest = slowest.max(timed(|| look_up(&archive, doc)).1);
    }
    println!(
        "lookup of a version by address, slowest of 200: {:.1} ms",
        ms(slowest)
    );
    drop(archive);
    pages(&shelf, at / VERSIONS_OF_ONE);
    println!("resident at the end: {} KB", resident());
}

/// How long the audit pages take, the slowest of some rounds each; all but the first round find the archive open.
fn pages(shelf: &Shelf, docs: u64) {
    let archive = shelf.reader();
    drop(
        faircopy::search::index::Index::open(&archive).map(|mut index| {
            index.catch_up(&archive, &mut || true).unwrap();
        }),
    );
    let some: Vec<String> = (0..5)
        .map(|number| archive.find(&url(number * 7919 % docs)).unwrap().0)
        .collect();
    let middle = archive.resolve(&archive.find(&url(docs / 2)).unwrap(), &Selector::Latest);
    let middle = middle.unwrap().captured_at.as_microsecond();
    drop(archive);
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.address().unwrap();
    let mut config = Config::for_folder(shelf.dir().parent().unwrap());
    config.archive.dir = shelf.dir().to_owned();
    let figures = Figures::new(&config);
    let router = faircopy::web::router(config, figures, &listener).unwrap();
    let stopping = CancellationToken::new();
    let stop = stopping.clone();
    let server = std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(serve(listener, router, stop)).unwrap();
    });
    let mut paths: Vec<String> = [
        "/",
        "/documents",
        "/documents?lang=en",
        "/documents?source=example.org",
        "/documents?source=none.example",
        "/documents?lang=xx",
        "/documents?flag=thin",
        "/documents?flag=captcha&lang=en",
        "/documents?since=2999-01-01",
        "/documents?until=2001-01-01",
        "/documents?q=ferry",
        "/documents?q=ferry+-harbour",
        "/documents?q=%22ferry+number+77%22",
        "/documents?q=gulls",
        "/quarantine",
        "/feed.atom",
        "/metrics",
        "/readyz",
        "/api/v1/status",
        "/api/v1/documents",
        "/api/v1/search?q=ferry+-harbour",
        "/api/v1/search?q=ferry+-gulls",
    ]
    .map(str::to_owned)
    .into();
    paths.push(format!("/documents?after={middle}-m"));
    for doc in some {
        for path in [
            "",
            "/2",
            "/2/explain",
            "/2/proof",
            "/2/raw",
            "/2/text",
            "/2/metadata",
            "/compare?old=1&new=4",
            "/compare?old=1&new=4&of=furniture&view=inline",
        ] {
            paths.push(format!("/documents/{doc}{path}"));
        }
    }
    println!("pages, slowest of 5 rounds and the first, in ms:");
    for path in paths {
        let times: Vec<_> = (0..6).map(|_| timed(|| get(address, &path)).1).collect();
        let slowest = times[1..].iter().max().unwrap();
        println!("  {:6.1} {:6.1}  {path}", ms(*slowest), ms(times[0]));
    }
    stopping.cancel();
    server.join().unwrap();
}

fn get(address: SocketAddr, path: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 303"),
        "{path}: {answer}"
    );
}

/// So many versions are made.
fn versions() -> u64 {
    let versions = std::env::var("FAIRCOPY_VERSIONS");
    versions.map_or(4_096, |count| count.parse().expect("a number"))
}

fn fill(shelf: &mut Shelf, writer: &mut ArchiveWriter, at: &mut u64, to: u64) {
    while *at < to {
        let count = GROUP.min(to - *at);
        let group: Vec<_> = (*at..*at + count)
            .map(|n| prepare(draft(shelf, n)))
            .collect();
        writer.commit(group, shelf::now()).unwrap();
        *at += count;
    }
}

/// Versions a second that the archive takes, the time to prepare them apart.
fn rate(shelf: &mut Shelf, writer: &mut ArchiveWriter, at: &mut u64, count: u64) -> f64 {
    let mut taken = Duration::ZERO;
    let end = *at + count;
    while *at < end {
        let group: Vec<_> = (*at..(*at + GROUP).min(end))
            .map(|n| prepare(draft(shelf, n)))
            .collect();
        *at += group.len() as u64;
        taken += timed(|| writer.commit(group, shelf::now()).unwrap()).1;
    }
    count as f64 / taken.as_secs_f64()
}

fn draft(shelf: &mut Shelf, number: u64) -> faircopy::archive::capture::Draft {
    // All documents once, then all of them again.
    let docs = versions() / VERSIONS_OF_ONE;
    let (doc, round) = (number % docs, number / docs);
    let sentence =
        format!("The ferry number {doc} left the harbour of Tarn for the {round}. time. ");
    let text = sentence.repeat(12);
    let path = format!("{doc}.txt");
    let mut draft = shelf::fitting(shelf, &path, &[text.trim_end()], "Our newsletter.");
    draft.declared.url = Some(url(doc));
    // As they come in life: one after the other.
    draft.received_at = shelf::now() + SignedDuration::from_millis(number.cast_signed());
    draft.identity = faircopy::identity::identify(&draft.declared, &draft.source, None);
    draft
}

fn url(doc: u64) -> String {
    format!("https://www.example.org/ferries/{doc}")
}

fn look_up(archive: &Archive, doc: u64) {
    let doc = archive.find(&url(doc)).unwrap();
    let row = archive.resolve(&doc, &Selector::Latest).unwrap();
    assert_eq!(u64::from(row.version), VERSIONS_OF_ONE);
    archive.read_text(&row).unwrap();
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The most memory that this process had, in KB (`proc(5)`, VmHWM).
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap().split_whitespace().nth(1).unwrap().to_owned()
}
