//! Erasure: nothing that only the document had is found any more, everything else stays and verifies; holds; interruptions.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/shelf.rs"]
mod shelf;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use faircopy::archive::Error;
use faircopy::archive::capture::prepare;
use faircopy::archive::dictionary;
use faircopy::archive::metadata::Disposition;
use faircopy::archive::reader::{Archive, Selector};
use faircopy::archive::segment::{self, Found, Position, SegmentId, SegmentReader};
use faircopy::archive::warc::Record;
use faircopy::archive::writer::{Fault, Options, Step};
use faircopy::check::problem::Code;
use faircopy::digest::Digest;
use faircopy::identity::{DocId, identify};
use faircopy::pin::{Pin, PinScope, PinVerdict};
use faircopy::repair::repair;
use faircopy::submission::Declared;

use common::daemon::Desk;
use shelf::{Content, Shelf, content, fitting, now, problems};

const SHINGLE: usize = 32;

/// Words that no other text has.
fn words(seed: u64, count: usize) -> String {
    let mut state = seed;
    let word = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(99);
        format!("{:x} ", state >> 30)
    };
    (0..count).map(word).collect()
}

/// The document that is to be erased, among others that share bytes with it, and with a pin and a later declaration.
fn stocked(segment_bytes_max: u64) -> (Shelf, DocId) {
    let mut shelf = Shelf::new();
    shelf.options = Options { segment_bytes_max };
    let mut writer = shelf.writer();
    let mut put = |shelf: &mut Shelf, name: &str, text: &str| {
        let mut draft = fitting(shelf, name, &[text, &words(7, 30)], "Buy ferry tickets");
        draft.declared = Declared {
            url: Some(format!(
                "https://gazette.example/harbour/{name}/a-story-of-its-own"
            )),
            ..Declared::default()
        };
        draft.identity = identify(&draft.declared, &draft.source, None);
        writer.commit([prepare(draft)], now()).expect("committed");
    };
    let (story, shared) = (words(1, 200), words(2, 100));
    put(&mut shelf, "other-before", &words(3, 50));
    for version in 0..4 {
        put(&mut shelf, "ada-brill", &format!("Edit {version}: {story}"));
        put(
            &mut shelf,
            "other",
            &format!("Edit {version}: {}", words(4, 80)),
        );
    }
    // Its bytes are also those of two others, and those of another are its own too.
    put(&mut shelf, "ada-brill", &shared);
    put(&mut shelf, "second", &shared);
    put(&mut shelf, "third", &shared);
    put(&mut shelf, "fourth", &words(5, 60));
    put(&mut shelf, "ada-brill", &words(5, 60));
    put(&mut shelf, "ada-brill", &words(5, 60));
    let archive = shelf.reader();
    let doc = archive
        .find("https://gazette.example/harbour/ada-brill/a-story-of-its-own")
        .expect("archived");
    let pin = Pin {
        verdict: PinVerdict::Remove,
        text: format!("A line that only Ada Brill has: {}", words(6, 8)),
        reason: Some("she asked for it".to_owned()),
    };
    writer
        .pin(PinScope::Doc(doc.clone()), pin, now())
        .expect("pinned");
    let source = shelf.draft("ada-brill", "", &[]).source;
    let late = Declared {
        title: Some(format!("Late {}", words(8, 9))),
        ..Declared::default()
    };
    writer.revise(&source, late, now()).expect("revised");
    drop(writer);
    (shelf, doc)
}

fn record(doc: &DocId) -> Disposition {
    Disposition {
        doc: doc.clone(),
        reason: Some("a letter of 3 May".to_owned()),
        by: Some("Ada Brill".to_owned()),
        decided_at: now(),
    }
}

/// All records, unpacked.
fn records(dir: &Path) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    for segment in segment::list(dir).expect("listed") {
        for found in SegmentReader::open(dir, Position { segment, offset: 0 }).expect("opened") {
            let Found::Record { bytes, .. } = found.expect("read") else {
                panic!("damaged");
            };
            records.push(bytes);
        }
    }
    records
}

/// Everything in the archive that holds bytes: records, dictionaries unpacked, and all files as they are.
fn everything(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = records(dir)
        .into_iter()
        .map(|bytes| ("a record".to_owned(), bytes))
        .collect();
    for segment in segment::list(dir).expect("listed") {
        if matches!(segment, SegmentId::Sealed(_)) {
            let path = segment::path(dir, segment);
            let file = fs::File::open(&path).expect("opened");
            all.push((
                "a dictionary".to_owned(),
                dictionary::read_own(&file).expect("read"),
            ));
            all.push((
                "its copy".to_owned(),
                dictionary::read_copy(&path).expect("read"),
            ));
        }
    }
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("listed") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push((path.display().to_string(), fs::read(&path).expect("read")));
            }
        }
    }
    all
}

fn shingles(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.windows(SHINGLE)
}

/// Without what a revisit says of the record that has its bytes: that is the other document's.
fn without_references(record: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(record);
    let lines = text.split_inclusive("\r\n");
    let own: String = lines
        .filter(|line| !line.starts_with("WARC-Refers-To-"))
        .collect();
    own.into_bytes()
}

/// The shingles that only this document has.
fn own_shingles(archive: &Archive, doc: &DocId) -> HashSet<Vec<u8>> {
    let dir = archive.dir();
    let mut blocks = HashSet::new();
    for row in archive.captures(doc).expect("listed") {
        blocks.insert(row.metadata_digest);
        blocks.insert(row.digests.text);
        blocks.insert(row.digests.raw);
    }
    let all = records(dir);
    let own_url = b"harbour/ada-brill/";
    let (mut own, mut others) = (Vec::new(), Vec::new());
    // Bytes that others share with it are theirs too, wherever they lie.
    others.extend(
        content_without(archive, doc)
            .into_values()
            .map(|(raw, _, _)| raw),
    );
    for bytes in &all {
        let record = Record::parse(bytes).expect("a record");
        let is_own = blocks.contains(&Digest::of(record.block))
            && memchr::memmem::find(bytes, own_url).is_some()
            || record.kind() == "metadata" && {
                let text = String::from_utf8_lossy(record.block);
                text.contains("ada-brill") || text.contains("Ada Brill")
            };
        match is_own {
            // The headers of what is about no capture say nothing of it.
            true if record.header("WARC-Refers-To").is_none() && record.kind() == "metadata" => {
                own.push(record.block.to_vec());
            }
            true => {
                own.push(record.block.to_vec());
                // Each line by itself: which comes after which is no secret.
                let head = &bytes[..bytes.len() - record.block.len()];
                own.extend(
                    head.split(|byte| *byte == b'\n')
                        .map(|line| line.trim_ascii_end().to_vec()),
                );
            }
            false => others.push(without_references(bytes)),
        }
    }
    assert!(own.len() > 10, "{}", own.len());
    let mut shingles_of_own: HashSet<Vec<u8>> = HashSet::new();
    for bytes in &own {
        shingles_of_own.extend(shingles(bytes).map(<[u8]>::to_vec));
    }
    // Of what is the same in all records and begins a random number, the first digits meet by chance.
    for beginning in ["urn:uuid:", "sha256:", "Content-Length: ", "\"nonce\":"] {
        shingles_of_own.retain(|s| memchr::memmem::find(s, beginning.as_bytes()).is_none());
    }
    // What the log says of it stays.
    let log = dir.join("log/tile/entries/000.p");
    for entry in fs::read_dir(log).expect("listed") {
        others.push(fs::read(entry.expect("entry").path()).expect("read"));
    }
    for bytes in &others {
        for shingle in shingles(bytes) {
            shingles_of_own.remove(shingle);
        }
    }
    assert!(shingles_of_own.len() > 4_000, "{}", shingles_of_own.len());
    shingles_of_own
}

fn has_none_of(dir: &Path, gone: &HashSet<Vec<u8>>, case: &str) {
    for (what, bytes) in everything(dir) {
        let found = shingles(&bytes).find(|shingle| gone.contains(*shingle));
        let text = found.map(String::from_utf8_lossy);
        assert_eq!(text, None, "{case}: in {what}");
    }
}

/// Everything that can be read of documents other than `doc`.
fn content_without(archive: &Archive, doc: &DocId) -> Content {
    let mut content = content(archive);
    content.retain(|(of, _), _| *of != doc.0);
    content
}

/// The document is gone, all others are there, and what is said of it is that it was erased.
fn is_erased(shelf: &Shelf, doc: &DocId, others: &Content, gone: &HashSet<Vec<u8>>, case: &str) {
    has_none_of(&shelf.dir(), gone, case);
    let (found, report) = problems(&shelf.dir());
    assert_eq!(found, [], "{case}");
    let told = report
        .notes
        .iter()
        .any(|n| n.message.contains(&doc.0) && n.message.contains("erased"));
    assert!(told, "{case}: {report:?}");
    let archive = shelf.reader();
    assert_eq!(&content_without(&archive, doc), others, "{case}");
    assert!(
        archive.documents().unwrap().iter().all(|d| d.doc != *doc),
        "{case}"
    );
    let error = archive.resolve(doc, &Selector::Latest).expect_err(case);
    assert!(
        matches!(&error, Error::Erased { at: Some(_), .. }),
        "{case}: {error}"
    );
}

#[test]
fn nothing_that_only_an_erased_document_had_is_found_anywhere() {
    for (size, seals) in [
        (4_000, 0),
        (u64::MAX, 0),
        (4_000, 1),
        (u64::MAX, 1),
        (4_000, 2),
    ] {
        let case = format!("segments of {size}, sealed {seals} times");
        let (shelf, doc) = stocked(size);
        let gone = own_shingles(&shelf.reader(), &doc);
        let others = content_without(&shelf.reader(), &doc);
        let mut writer = shelf.writer();
        for n in 0..seals {
            writer.compact(n == 0, now()).expect("compacted");
            let draft = fitting(&mut Shelf::new(), &format!("later {n}"), &["Later."], "");
            writer.commit([prepare(draft)], now()).expect("committed");
        }
        let others = if seals == 0 {
            others
        } else {
            content_without(&shelf.reader(), &doc)
        };
        let size_before = writer.checkpoint().size;
        let erased = writer.erase_at_once(record(&doc), now()).expect("erased");
        assert_eq!(erased.leaf, size_before, "{case}");
        assert_eq!(erased.leaves, 9, "{case}: {erased:?}");
        is_erased(&shelf, &doc, &others, &gone, &case);
        // Once more, that takes who decided the first time and why.
        let again = writer.erase_at_once(record(&doc), now()).expect("erased");
        assert_eq!((again.leaf, again.leaves), (size_before + 1, 1), "{case}");
        is_erased(&shelf, &doc, &others, &gone, &case);
        drop(writer);
        shelf.remove_catalog();
        drop(shelf.writer());
        is_erased(&shelf, &doc, &others, &gone, &case);
    }
}

#[test]
fn a_document_that_comes_again_is_counted_on_and_can_be_erased_again() {
    let (mut shelf, doc) = stocked(4_000);
    let last = shelf.reader().captures(&doc).unwrap().pop().unwrap();
    let mut writer = shelf.writer();
    writer.erase_at_once(record(&doc), now()).expect("erased");
    let mut draft = fitting(&mut shelf, "ada-brill", &["Back again."], "");
    draft.declared.url =
        Some("https://gazette.example/harbour/ada-brill/a-story-of-its-own".into());
    draft.identity = identify(&draft.declared, &draft.source, None);
    writer.commit([prepare(draft)], now()).expect("committed");
    let captures = shelf.reader().captures(&doc).expect("listed");
    assert_eq!(captures.len(), 1);
    assert_eq!(captures[0].capture, last.capture + 1);
    assert_eq!(captures[0].version, last.version + 1);
    assert_eq!(problems(&shelf.dir()).0, []);
    // This takes the record of the first erasure with it, and who decided.
    let other = Disposition {
        by: None,
        reason: Some("again".to_owned()),
        ..record(&doc)
    };
    writer.erase_at_once(other, now()).expect("erased again");
    assert_eq!(problems(&shelf.dir()).0, []);
    for bytes in records(&shelf.dir()) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains("a letter of 3 May") && !text.contains("Back again"),
            "{text}"
        );
    }
}

#[test]
fn held_documents_refuse_until_they_are_released() {
    let (shelf, doc) = stocked(4_000);
    let mut writer = shelf.writer();
    let before = content(&shelf.reader());
    let hold = writer.hold(record(&doc), true, now()).expect("held");
    assert!(hold.is_some());
    assert_eq!(
        writer.hold(record(&doc), true, now()).expect("already"),
        None
    );
    let error = writer.erase_at_once(record(&doc), now()).expect_err("held");
    assert!(
        matches!(error, Error::Held { leaf, .. } if Some(leaf) == hold),
        "{error}"
    );
    drop(writer);
    // A hold stands in the log: it outlives the catalog.
    shelf.remove_catalog();
    let mut writer = shelf.writer();
    writer
        .erase_at_once(record(&doc), now())
        .expect_err("still held");
    assert_eq!(content(&shelf.reader()), before);
    assert_eq!(problems(&shelf.dir()).0, []);
    assert!(
        writer
            .hold(record(&doc), false, now())
            .expect("released")
            .is_some()
    );
    writer.erase_at_once(record(&doc), now()).expect("erased");
    assert_eq!(problems(&shelf.dir()).0, []);
    let nobody = Disposition {
        doc: DocId("aaaaaaaaaaaaaaaa".into()),
        ..record(&doc)
    };
    let error = writer.hold(nobody, true, now()).expect_err("unknown");
    assert!(matches!(error, Error::NoDocument(_)), "{error}");
}

#[test]
fn whatever_step_fails_an_erasure_that_was_logged_is_finished_by_the_next_writer() {
    let steps = [
        Step::SyncSegment,
        Step::ReplaceCheckpoint,
        Step::CommitCatalog,
        Step::PlaceSealed,
        Step::CommitMoves,
        Step::RemoveReplaced,
    ];
    for step in steps {
        for fault in [Fault::WithoutEffect, Fault::WithEffect] {
            for lost_catalog in [false, true] {
                let case = format!("{step:?} {fault:?}, catalog lost: {lost_catalog}");
                let (shelf, doc) = stocked(4_000);
                let gone = own_shingles(&shelf.reader(), &doc);
                let others = content_without(&shelf.reader(), &doc);
                let mut writer = shelf.writer();
                let is_late = matches!(
                    step,
                    Step::PlaceSealed | Step::CommitMoves | Step::RemoveReplaced
                );
                if is_late {
                    // The first goes to the commit of the leaf.
                    writer.fail_at(step, fault);
                }
                writer.fail_at(step, fault);
                writer.erase_at_once(record(&doc), now()).expect_err(&case);
                drop(writer);
                if lost_catalog {
                    shelf.remove_catalog();
                }
                let mut writer = shelf.writer();
                let is_logged = is_late
                    || matches!(
                        (step, fault),
                        (Step::ReplaceCheckpoint, Fault::WithEffect) | (Step::CommitCatalog, _)
                    );
                if !is_logged {
                    assert_eq!(problems(&shelf.dir()).0, [], "{case}");
                    writer.erase_at_once(record(&doc), now()).expect(&case);
                }
                is_erased(&shelf, &doc, &others, &gone, &case);
            }
        }
    }
}

#[test]
fn a_damaged_segment_refuses_before_anything_is_changed() {
    let (shelf, doc) = stocked(4_000);
    let path = segment::path(&shelf.dir(), 2);
    let mut bytes = fs::read(&path).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&path, &bytes).expect("written");
    let mut writer = shelf.writer();
    let size = writer.checkpoint().size;
    let error = writer
        .erase_at_once(record(&doc), now())
        .expect_err("damaged");
    assert!(
        matches!(&error, Error::NotErasable { segment, .. } if segment.ends_with("000002.warc.zst")),
        "{error}"
    );
    assert_eq!(writer.checkpoint().size, size);
    assert_eq!(fs::read(&path).expect("read"), bytes);
}

#[test]
fn records_of_an_erased_document_that_are_still_there_are_a_problem() {
    let (shelf, doc) = stocked(4_000);
    let mut writer = shelf.writer();
    for _ in 0..2 {
        writer.fail_at(Step::PlaceSealed, Fault::WithoutEffect);
    }
    writer
        .erase_at_once(record(&doc), now())
        .expect_err("interrupted");
    drop(writer);
    let codes: HashSet<Code> = problems(&shelf.dir()).0.iter().map(|p| p.code).collect();
    assert!(codes.contains(&Code::ErasureUnfinished), "{codes:?}");
    drop(shelf.writer());
    assert_eq!(problems(&shelf.dir()).0, []);
}

#[test]
fn copies_in_done_and_failed_go_too_through_the_daemon_and_without_it() {
    for with_daemon in [true, false] {
        let mut desk = Desk::new("[[inbox]]\nsettle = \"200ms\"\nsettle_renamed = \"20ms\"\n");
        desk.start();
        let text = |who: &str| {
            format!(
                "A story about {who}\n\n{who} waits for the ferry across the lake, and the gulls wait along with {who}, says the harbour office.\n"
            )
        };
        let (ada, other) = (text("Ada Brill"), text("Otto Reed"));
        fs::write(desk.inbox().join("ada.txt"), &ada).unwrap();
        fs::write(desk.inbox().join("other.txt"), &other).unwrap();
        desk.wait_for_documents(2);
        let done = |desk: &Desk| desk.sandbox.files("desk/done").len();
        common::daemon::wait_until("both are released", || done(&desk) == 2);
        // A copy of hers that failed under another name, as an older release might have left it.
        let failed = desk.path("failed/01900000000-aaaaaaaaaaaaaaaa");
        fs::create_dir_all(&failed).unwrap();
        fs::write(failed.join("copy.txt"), &ada).unwrap();
        if !with_daemon {
            assert_eq!(desk.stop(), 0);
        }
        let found = |desk: &Desk, word: &str| desk.run(&["search", word, "--json"]).json().len();
        assert_eq!((found(&desk, "gulls"), found(&desk, "brill")), (2, 1));
        let said = desk
            .run(&["hold", "inbox/ada.txt", "--json"])
            .expect(0)
            .json();
        assert_eq!(said[0]["held"], true);
        let erase = [
            "erase",
            "inbox/ada.txt",
            "--reason",
            "she asked",
            "--by",
            "Otto",
            "--json",
        ];
        let refused = desk.run(&erase).expect(1);
        assert!(refused.stdout.contains("held"), "{}", refused.stdout);
        assert_eq!(done(&desk), 2);
        desk.run(&["hold", "--release", "inbox/ada.txt"]).expect(0);
        let said = desk.run(&erase).expect(0).json();
        assert_eq!(said[0]["copies"], 2, "{said:?}");
        let doc = said[0]["erased"].as_str().unwrap();
        assert_eq!(done(&desk), 1);
        assert!(!failed.exists());
        for (what, bytes) in everything(&desk.path("archive")) {
            let found = memchr::memmem::find(&bytes, b"Ada Brill waits for the ferry");
            assert_eq!(found, None, "{what}");
        }
        assert_eq!((found(&desk, "gulls"), found(&desk, "brill")), (1, 0));
        for command in ["show", "cat"] {
            let said = desk.run(&[command, doc]).expect(1);
            assert!(said.stderr.contains("was erased at 20"), "{}", said.stderr);
        }
        let events = desk.run(&["audit", "--json"]).expect(0).json();
        let erasure = events.iter().find(|event| event["event"] == "erase");
        let erasure = erasure.expect("the erasure is told");
        assert_eq!(erasure["detail"]["by"], "Otto");
        let gone = events
            .iter()
            .filter(|event| event["erased_by"] == erasure["leaf"]);
        assert_eq!(gone.count(), 3, "capture, hold and release: {events:?}");
        let said = desk.run(&["log", doc]).expect(0);
        assert!(said.stdout.contains("erased"), "{}", said.stdout);
        let text = desk.run(&["cat", "inbox/other.txt"]).expect(0).stdout;
        assert!(text.contains("Otto Reed waits"), "{text}");
        if with_daemon {
            assert_eq!(desk.stop(), 0);
        }
        desk.run(&["check", "--read-data"]).expect(0);
    }
}

#[test]
fn repair_neither_misses_nor_brings_back_what_was_erased() {
    let (shelf, doc) = stocked(4_000);
    let gone = own_shingles(&shelf.reader(), &doc);
    let others = content_without(&shelf.reader(), &doc);
    shelf
        .writer()
        .erase_at_once(record(&doc), now())
        .expect("erased");
    let to = shelf.folder.path().join("repaired");
    let mut told = Vec::new();
    repair(&shelf.paths(), &to, now(), &mut |left_out| {
        told.push(left_out)
    })
    .expect("repaired");
    assert_eq!(told, []);
    has_none_of(&to, &gone, "repaired");
    assert_eq!(
        content_without(&Archive::open(&to).expect("opened"), &doc),
        others
    );
}

#[test]
fn editions_are_sealed_with_their_document_and_erased_with_it() {
    let desk = Desk::new("");
    let url = "https://gazette.example/ferry";
    let story = "Ferry returns\n\nThe ferry across the lake sails again from Monday, the harbour office said.\n\nTide tables for all\n\nTickets cost the same as last year, and dogs sail free of charge until the autumn.\n";
    for (name, text, url) in [
        ("ferry.txt", story.to_owned(), url),
        (
            "gull.txt",
            story.replace("ferry", "gull"),
            "https://gazette.example/gull",
        ),
    ] {
        let file = desk.sandbox.write(name, text);
        desk.run(&["add", file.to_str().unwrap(), "--url", url])
            .expect(0);
    }
    fs::create_dir_all(desk.path("rules")).unwrap();
    fs::write(
        desk.path("rules/tides.toml"),
        "[[rule]]\nname = \"table\"\nclass = \"promo\"\nreason = \"offers the tide tables\"\nis = [\"tide tables for all\"]\nmust_remove = [\"Tide tables for all\"]\nmust_keep = [\"The tide was high.\"]\n",
    )
    .unwrap();
    desk.run(&["reclean"]).expect(0);
    let read = |reference: &str| desk.run(&["cat", reference]).expect(0).stdout;
    let before = [read(&format!("{url}@1.1")), read(&format!("{url}@1.2"))];
    assert_ne!(before[0], before[1]);
    desk.run(&["compact", "--all"]).expect(0);
    let after = [read(&format!("{url}@1.1")), read(&format!("{url}@1.2"))];
    assert_eq!(after, before);
    desk.run(&["check", "--read-data"]).expect(0);
    let erased = desk
        .run(&["erase", url, "--reason", "asked", "--json"])
        .expect(0)
        .json();
    assert_eq!(erased[0]["leaves"], 2, "capture and edition: {erased:?}");
    for (what, bytes) in everything(&desk.path("archive")) {
        let found = memchr::memmem::find(&bytes, b"The ferry across the lake sails");
        assert_eq!(found, None, "{what}");
    }
    assert!(read("https://gazette.example/gull").contains("The gull across the lake"));
    desk.run(&["check", "--read-data"]).expect(0);
    let doc = erased[0]["erased"].as_str().unwrap();
    assert!(
        desk.run(&["show", doc])
            .expect(1)
            .stderr
            .contains("was erased")
    );
}
