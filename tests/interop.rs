//! Public readers read what we write: fastwarc the segments as they are, warcio what `zstd -dc` makes of them, and exports
//! are judged by pywb and bagit.py too.

mod common;
#[path = "common/shelf.rs"]
mod shelf;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use faircopy::archive::capture::prepare;
use faircopy::archive::catalog::CaptureRow;
use faircopy::archive::frame;
use faircopy::archive::segment::{self, Found, Position, SegmentId, SegmentReader};
use faircopy::archive::warc::{Record, target_uri};
use faircopy::archive::writer::Options;
use faircopy::digest::Digest;
use faircopy::export::{Selection, Target, Which, export};
use faircopy::identity::identify;
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
    let revisits = every_segment_is_read(&shelf);
    assert!(revisits > 10, "{revisits}");
    // And once more as sealed segments, with a dictionary.
    shelf.writer().compact(true, now()).expect("compacted");
    let segments = segment::list(&shelf.dir()).expect("listed");
    assert!(segments.iter().all(|s| matches!(s, SegmentId::Sealed(_))));
    assert_eq!(every_segment_is_read(&shelf), revisits);
}

/// How many revisits there are.
fn every_segment_is_read(shelf: &Shelf) -> u64 {
    let output = python("read_segments.py", &shelf.dir());
    let mut lines = output.lines();
    let mut revisits = 0;
    for number in segment::list(&shelf.dir()).expect("listed") {
        let line = lines.next().expect("one line for each segment");
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["segment"], number.to_string());
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
    revisits
}

#[test]
fn pywb_replays_an_exported_archive_byte_by_byte_and_bagit_finds_the_bag_valid() {
    let packages = "import warcio, fastwarc.warc, pywb.apps.frontendapp, bagit, yaml";
    if !runs("python3", &["-c", packages]) {
        return skip("python3 with the packages warcio, fastwarc, pywb and bagit");
    }
    let shelf = addressed_pages();
    let archive = shelf.reader();
    let at = |name: &str| shelf.folder.path().join(name);
    let (warc, bag, jsonl, markdown) = (
        at("collections/gazette"),
        at("bag"),
        at("articles.jsonl"),
        at("notes"),
    );
    let everything = Selection {
        which: Which::Captures,
        ..Selection::default()
    };
    let mut lines = fs::File::create(&jsonl).expect("created");
    for target in [
        Target::Warc(&warc),
        Target::Bag(&bag),
        Target::Lines(&mut lines),
        Target::Markdown(&markdown),
    ] {
        let mut damaged = |_: &CaptureRow, error: &_| panic!("{error}");
        export(&archive, target, &everything, now(), &mut damaged).expect("exported");
    }
    let mut pages = Vec::new();
    let mut urns = 0;
    for document in archive.documents().expect("listed") {
        for row in archive.captures(&document.doc).expect("listed") {
            let metadata = archive.read_metadata(&row).expect("sound");
            match metadata.observation.declared.url {
                Some(url) => pages.push(serde_json::json!({
                    "url": target_uri(&url),
                    "date": row.captured_at.strftime("%Y%m%d%H%M%S").to_string(),
                    "bytes": BASE64_STANDARD.encode(archive.read_raw(&row).expect("sound")),
                })),
                None => urns += 1,
            }
        }
    }
    assert!(pages.len() > 20 && urns > 0);
    let expected = serde_json::json!({
        "warc": warc, "bag": bag, "jsonl": jsonl, "markdown": markdown, "pages": pages, "urns": urns,
    });
    let file = at("expected.json");
    fs::write(&file, expected.to_string()).expect("written");
    // pywb prints lines of its own.
    let output = python("read_exports.py", &file);
    let last = output.lines().last().expect("a line");
    let said: serde_json::Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(said["replayed"], pages.len());
}

#[test]
fn everything_is_restored_with_zstd_coreutils_and_python_alone() {
    if !runs("zstd", &["--version"]) || !runs("python3", &["--version"]) {
        return skip("the programs zstd and python3");
    }
    for (shelf, is_sealed) in [
        (archive(), false),
        (addressed_pages(), false),
        (archive(), true),
    ] {
        if is_sealed {
            shelf.writer().compact(true, now()).expect("compacted");
        }
        let target = shelf.folder.path().join("restored");
        let restored = restore(&shelf.dir(), &target);
        assert!(restored.status.success(), "{restored:?}");
        let mut captures = 0;
        let archive = shelf.reader();
        for document in archive.documents().expect("listed") {
            for row in archive.captures(&document.doc).expect("listed") {
                let folder = target.join(&row.doc.0).join(row.capture.to_string());
                let read = |name: &str| fs::read(folder.join(name)).expect("restored");
                assert_eq!(read("raw"), archive.read_raw(&row).expect("sound"));
                assert_eq!(
                    read("text.txt"),
                    archive.read_text(&row).expect("sound").as_bytes()
                );
                let block = archive.read_metadata_block(&row).expect("sound");
                assert_eq!(read("metadata.json"), block);
                captures += 1;
            }
        }
        let said = format!("{captures} of {captures} captures restored\n");
        assert_eq!(String::from_utf8_lossy(&restored.stdout), said);
    }
}

#[test]
fn the_archive_that_is_kept_for_ever_is_restored_but_for_what_was_erased() {
    if !runs("zstd", &["--version"]) || !runs("python3", &["--version"]) {
        return skip("the programs zstd and python3");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/1-sealed/archive");
    let restored = restore(&kept, &folder.path().join("restored"));
    assert!(restored.status.success(), "{restored:?}");
    let said = String::from_utf8_lossy(&restored.stdout).into_owned();
    assert_eq!(said, "8 of 8 captures restored\n");
}

#[test]
fn what_cannot_be_restored_without_faircopy_is_told() {
    if !runs("zstd", &["--version"]) || !runs("python3", &["--version"]) {
        return skip("the programs zstd and python3");
    }
    let shelf = addressed_pages();
    // A record whose bytes differ from its digest, in a frame that is sound.
    let path = segment::path(&shelf.dir(), 1);
    let plain = fs::read(&path).expect("read");
    let mut changed = Vec::new();
    let start = Position {
        segment: SegmentId::Hot(1),
        offset: 0,
    };
    for found in SegmentReader::open(&shelf.dir(), start).expect("opened") {
        let Found::Record { bytes, location } = found.expect("read") else {
            panic!("damaged");
        };
        let range = location.offset as usize..(location.offset + location.length) as usize;
        let record = Record::parse(&bytes).expect("a record");
        match record.kind() == "resource" && record.block.starts_with(b"<p>Gull 3 left") {
            true => {
                let text = String::from_utf8(bytes.clone()).expect("text");
                let other = text.replace("Gull 3", "Gull 4");
                changed.extend(frame::compress(&[other.as_bytes()]));
            }
            false => changed.extend_from_slice(&plain[range]),
        }
    }
    fs::write(&path, changed).expect("written");
    let restored = restore(&shelf.dir(), &shelf.folder.path().join("restored"));
    assert!(!restored.status.success());
    assert_eq!(
        String::from_utf8_lossy(&restored.stdout),
        "31 of 32 captures restored\n"
    );
}

fn restore(archive: &Path, target: &Path) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/without_faircopy.sh");
    let script = Command::new(script).arg(archive).arg(target).output();
    script.expect("bash is there")
}

/// Pages with addresses that are hard to index, in several captures each: changed, unchanged, and with another page's bytes.
fn addressed_pages() -> Shelf {
    let mut shelf = Shelf::new();
    let mut writer = shelf.writer();
    let addresses = [
        "http://gazette.example",
        "https://WWW2.Gazette.example:443/Harbour//./ferries/../gulls/?b=2&a=1&a#top",
        "http://reader:secret@gazette.example:8080/a%2520b/",
        "https://hafenzeitung-möwe.example/fähren?größe=3&sid=0123456789abcdef0123456789abcdef",
        "https://пристань.example/новости/%D1%87%D0%B0%D0%B9%D0%BA%D0%B8?q=\"x y\"",
        "http://gazette.example/(abcdefghijklmnopqrstuvwx)/page.aspx?PHPSESSID=0123456789ABCDEF0123456789ABCDEF",
        "http://gazette.example/search?q=a%26b%3Dc&&empty=&plain",
        "",
    ];
    for (n, url) in addresses.iter().enumerate() {
        for capture in 0..4 {
            let text = match capture {
                // Twice the same bytes, then a change, then another page's bytes.
                0 | 1 => format!("Gull {n} watched the ferry."),
                2 => format!("Gull {n} left."),
                _ => "The ferry is late.".to_owned(),
            };
            let path = format!("{n}.html");
            let raw = format!("<p>{text}</p>{}", " ".repeat(n * 1_000));
            let mut draft = shelf.draft(&path, &raw, &[&text]);
            draft.media_type = "text/html";
            draft.article.title = Some(format!("---\u{85}\u{2028}: \"{n}\" # \0"));
            let minutes = jiff::Span::new().minutes((n * 10 + capture) as i64);
            draft.declared = Declared {
                url: (!url.is_empty()).then(|| (*url).to_owned()),
                fetched_at: Some(now() + minutes),
                ..Declared::default()
            };
            draft.identity = identify(&draft.declared, &draft.source, None);
            draft.digests = draft.article.digests(Digest::of(raw.as_bytes()));
            writer.commit([prepare(draft)], now()).expect("committed");
        }
    }
    drop(writer);
    shelf
}

/// What a script of `tests/interop` prints; it must end well.
fn python(script: &str, argument: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/interop")
        .join(script);
    let python = Command::new("python3")
        .arg(script)
        .arg(argument)
        .output()
        .expect("python3 was there a moment ago");
    let errors = String::from_utf8_lossy(&python.stderr);
    assert!(python.status.success(), "{errors}");
    String::from_utf8(python.stdout).expect("JSON is UTF-8")
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
        let prepared: Vec<_> = drafts.into_iter().map(prepare).collect();
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

fn ours(archive: &Path, segment: SegmentId) -> Counts {
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
