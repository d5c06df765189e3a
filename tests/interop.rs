//! Public WARC readers read what we write: fastwarc the segments as they are, warcio what `zstd -dc` makes of them.

mod common;
#[path = "common/shelf.rs"]
mod shelf;

use std::path::Path;
use std::process::{Command, Stdio};

use faircopy::archive::segment::{self, Found, Position, SegmentReader};
use faircopy::archive::warc::Record;
use faircopy::archive::writer::Options;
use faircopy::submission::Declared;

use common::skip;
use shelf::{Shelf, now};

#[test]
fn fastwarc_and_warcio_read_every_record_and_verify_every_digest() {
    if !runs("zstd", &["--version"]) {
        return skip("the program zstd");
    }
    if !runs("python3", &["-c", "import warcio, fastwarc.warc"]) {
        return skip("python3 with the packages warcio and fastwarc");
    }
    let shelf = archive();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/read_segments.py");
    let python = Command::new("python3")
        .arg(script)
        .arg(shelf.dir())
        .output()
        .expect("python3 was there a moment ago");
    let errors = String::from_utf8_lossy(&python.stderr);
    assert!(python.status.success(), "{errors}");

    let output = String::from_utf8(python.stdout).expect("JSON is UTF-8");
    let mut lines = output.lines();
    let mut revisits = 0;
    for number in segment::list(&shelf.dir()).expect("listed") {
        let line = lines.next().expect("one line for each segment");
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["segment"], segment::file_name(number));
        let ours = ours(&shelf.dir(), number);
        assert!(ours.records > 1, "{ours:?}");
        revisits += ours.revisits;
        let fastwarc = &line["fastwarc"];
        assert_eq!(fastwarc["records"], ours.records);
        assert_eq!(fastwarc["digests"], ours.records);
        let warcio = &line["warcio"];
        assert_eq!(warcio["records"], ours.records);
        // It verifies none in revisits, and counts records, not digests.
        assert_eq!(warcio["digests"], ours.records - ours.revisits);
    }
    assert_eq!(lines.next(), None);
    assert!(revisits > 10, "{revisits}");
}

/// Several segments with records of every type, an empty submission's among them.
fn archive() -> Shelf {
    let mut shelf = Shelf::new();
    shelf.options = Options {
        segment_bytes_max: 20_000,
    };
    let mut writer = shelf.writer();
    for n in 0..12 {
        let long = "Text that goes on and on. ".repeat(n * 200);
        let raw = match n {
            0 => String::new(),
            // The bytes of another document.
            7 => "<p>Grüße</p>".to_owned(),
            _ => format!("<p>Grüße {}</p>{long}", n / 2),
        };
        let mut drafts = vec![shelf.draft(&format!("{n}.html"), &raw, &["Grüße", &long])];
        drafts[0].media_type = "text/html";
        drafts[0].declared = Declared {
            url: Some(format!("https://example.org/ä/{n}?q= \r\nx")),
            ..Declared::default()
        };
        drafts.push(shelf.draft(&format!("again {n}\n.html"), &raw, &["Grüße"]));
        let prepared: Vec<_> = drafts
            .into_iter()
            .map(faircopy::archive::capture::prepare)
            .collect();
        writer.commit(prepared, now()).expect("committed");
    }
    let source = shelf.draft("3.html", "", &[]).source;
    let late = Declared {
        title: Some("Late".to_owned()),
        ..Declared::default()
    };
    writer.revise(&source, late, now()).expect("revised");
    shelf
}

#[derive(Debug, Default)]
struct Counts {
    records: u64,
    revisits: u64,
}

fn ours(archive: &Path, segment: u32) -> Counts {
    let mut counts = Counts::default();
    let start = Position { segment, offset: 0 };
    for found in SegmentReader::open(archive, start).expect("opened") {
        let Found::Record { bytes, .. } = found.expect("read") else {
            panic!("damaged");
        };
        let record = Record::parse(&bytes).expect("a record");
        counts.records += 1;
        counts.revisits += u64::from(record.kind() == "revisit");
    }
    counts
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let quiet = command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
