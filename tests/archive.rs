//! Archives: what goes in comes out, is known again, and is found again from its records alone.

#[path = "common/shelf.rs"]
mod shelf;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use faircopy::archive::capture::prepare;
use faircopy::archive::catalog::{Catalog, Change};
use faircopy::archive::pins::SharedPins;
use faircopy::archive::reader::{Archive, Selector};
use faircopy::archive::recovery::Finding;
use faircopy::archive::segment::{self, Found, Position, SegmentId, SegmentReader};
use faircopy::archive::warc::Record;
use faircopy::archive::writer::ArchiveWriter;
use faircopy::archive::{self, Error};
use faircopy::check::{self, problem::Code};
use faircopy::digest::Digest;
use faircopy::identity::{Archived, DocId, identify};
use faircopy::pin::{Pin, PinScope, PinVerdict};
use faircopy::submission::{Declared, Signature};

use shelf::{Shelf, new_version, now};

#[test]
fn what_goes_in_comes_out() {
    let mut shelf = Shelf::new();
    let draft = shelf.draft("a/b.txt", "One.\n\nTwo, more.\nAd", &["One.", "Two, more."]);
    let mut writer = shelf.writer();
    let outcome = writer
        .commit(vec![prepare(draft.clone())], now())
        .expect("committed");
    let (doc, version) = new_version(&outcome[0]);
    assert_eq!((doc.0.len(), version), (16, 1));

    let archive = shelf.reader();
    let row = archive.resolve(&doc, &Selector::Latest).expect("there");
    assert_eq!(archive.read_raw(&row).expect("raw"), draft.raw);
    assert_eq!(archive.read_text(&row).expect("text"), draft.article.text);
    let metadata = archive.read_metadata(&row).expect("metadata");
    assert_eq!(metadata.article, draft.article);
    assert_eq!(metadata.ledger, draft.ledger);
    assert_eq!(metadata.decoding, draft.decoding);
    assert_eq!(metadata.observation.signature, draft.signature);
    assert_eq!(metadata.observation.identity, draft.identity);
    assert_eq!(
        (metadata.rules, row.rules),
        (draft.rules.clone(), draft.rules)
    );
    assert_eq!(row.title.as_deref(), Some("A headline"));
    assert_eq!(row.leaf, 0);
}

#[test]
fn a_changed_story_is_a_version_and_changed_bytes_or_a_repetition_are_not() {
    let mut shelf = Shelf::new();
    let group = vec![
        shelf.prepared("a", "One.", &["One."]),
        shelf.prepared("a", "One. Ad", &["One."]),
        shelf.prepared("a", "One. Ad", &["One."]),
        shelf.prepared("a", "Two.", &["Two."]),
        shelf.prepared("a", "One.", &["One."]),
        shelf.prepared("b", "Two.", &["Two."]),
    ];
    let mut writer = shelf.writer();
    // Once as one group, once each by itself.
    let outcomes = writer.commit(&group, now()).expect("committed");
    let single = Shelf::new();
    let mut single_writer = single.writer();
    for (prepared, outcome) in group.iter().zip(&outcomes) {
        let alone = single_writer
            .commit(std::slice::from_ref(prepared), now())
            .expect("committed");
        assert_eq!(numbers(&alone[0]), numbers(outcome));
    }
    let numbers: Vec<_> = outcomes.iter().map(numbers).collect();
    assert_eq!(
        numbers,
        [
            ("new", 1, 1),
            ("unchanged", 2, 1),
            ("duplicate", 3, 1),
            ("new", 4, 2),
            ("new", 5, 3),
            ("new", 1, 1)
        ]
    );

    let archive = shelf.reader();
    let (doc, _) = new_version(&outcomes[0]);
    let captures = archive.captures(&doc).expect("there");
    let changes: Vec<Change> = captures.iter().map(|c| c.change).collect();
    use Change::{Furniture, None, Story};
    assert_eq!(changes, [Story, Furniture, None, Story, Story]);
    assert_eq!(captures[2].same_as, Some(2));
    for (row, raw) in captures
        .iter()
        .zip(["One.", "One. Ad", "One. Ad", "Two.", "One."])
    {
        assert_eq!(archive.read_raw(row).expect("raw"), raw.as_bytes());
        let metadata = archive.read_metadata(row).expect("metadata");
        assert_eq!(metadata.article.text, archive.read_text(row).expect("text"));
        assert_eq!(metadata.observation.digests, row.digests);
    }
    let versions: Vec<_> = archive
        .versions(&doc)
        .expect("there")
        .iter()
        .map(|v| v.capture)
        .collect();
    assert_eq!(versions, [3, 4, 5]);
    let counts = archive.counts().expect("counted");
    assert_eq!(
        (counts.documents, counts.captures, counts.versions),
        (2, 6, 4)
    );
    let raws = kinds(&shelf.dir())
        .into_iter()
        .filter(|k| k == "resource")
        .count();
    assert_eq!(raws, 3, "the other three are revisits");
}

fn numbers(outcome: &Archived) -> (&'static str, u32, u32) {
    match outcome {
        Archived::New(c, v) => ("new", c.capture, v.version),
        Archived::Unchanged(c, v) => ("unchanged", c.capture, v.version),
        Archived::Duplicate(c, v) => ("duplicate", c.capture, v.version),
    }
}

/// The types of all records.
fn kinds(archive: &Path) -> Vec<String> {
    let mut kinds = Vec::new();
    for segment in segment::list(archive).expect("listed") {
        let from = Position { segment, offset: 0 };
        for found in SegmentReader::open(archive, from).expect("opened") {
            match found.expect("read") {
                Found::Record { bytes, .. } => {
                    let record = Record::parse(&bytes).expect("a record");
                    kinds.push(record.kind().to_owned());
                }
                damaged => panic!("{damaged:?}"),
            }
        }
    }
    kinds
}

#[test]
fn a_claim_handed_in_again_is_not_archived_again() {
    let mut shelf = Shelf::new();
    let prepared = shelf.prepared("a", "One.", &["One."]);
    let mut other_part = shelf.draft("b", "Two.", &["Two."]);
    let draft = shelf.draft("c", "Three.", &["Three."]);
    other_part.claim = draft.claim.clone();
    other_part.part = 1;
    let mut writer = shelf.writer();
    let group = [prepared, prepare(draft.clone()), prepare(other_part)];
    let first = writer.commit(&group, now()).expect("committed");
    assert!(first.iter().all(|o| matches!(o, Archived::New(..))));
    let size = writer.checkpoint().size;
    assert_eq!(writer.commit(&group, now()).expect("committed"), first);
    let twice = [prepare(draft.clone()), prepare(draft.clone())];
    let again = writer.commit(&twice, now()).expect("committed");
    assert_eq!(again, [first[1].clone(), first[1].clone()]);
    assert_eq!(writer.checkpoint().size, size);
    assert!(writer.committed(&draft.claim).expect("asked"));
    let signature = draft.signature.expect("has one");
    assert!(
        writer
            .committed_signature(&draft.source, &signature)
            .expect("asked")
    );
    let other = Signature {
        inode: 77,
        ..signature
    };
    assert!(
        !writer
            .committed_signature(&draft.source, &other)
            .expect("asked")
    );
    assert!(writer.holds_raw(&draft.digests.raw).expect("asked"));
    assert!(!writer.holds_raw(&Digest::of(b"other")).expect("asked"));
}

/// All rows of all tables of a catalog, as text.
fn rows(archive: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = rusqlite::Connection::open(archive.join("catalog.sqlite")).expect("opened");
    let tables = ["captures", "events", "raws", "names", "high_water"];
    let dump = |table: &str| {
        let sql = format!("SELECT * FROM {table} ORDER BY 1, 2, 3");
        let mut statement = connection.prepare(&sql).expect("prepared");
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let value = |n| row.get::<_, rusqlite::types::Value>(n).expect("a value");
            Ok(format!("{:?}", (0..columns).map(value).collect::<Vec<_>>()))
        };
        let rows = statement.query_map([], row).expect("queried");
        rows.map(|r| r.expect("a row")).collect()
    };
    tables
        .into_iter()
        .map(|t| (t.to_owned(), dump(t)))
        .collect()
}

fn doc_of(shelf: &Shelf, path: &str) -> DocId {
    shelf.reader().find(path).expect("there")
}

fn pin(verdict: PinVerdict, text: &str) -> Pin {
    Pin {
        verdict,
        text: text.to_owned(),
        reason: Some("because".to_owned()),
    }
}

/// Some life: documents, versions, duplicates, revisits across documents, revisions, several groups and segments.
fn lived_in() -> Shelf {
    let mut shelf = Shelf::new();
    shelf.options.segment_bytes_max = 8_000;
    let mut writer = shelf.writer();
    for round in 0..6 {
        let mut group = Vec::new();
        for doc in 0..5 {
            let text = format!("Story {} of {}.", round / 2, doc % 4);
            let raw = format!("{text} Ad {}", round / 2 * (doc % 3));
            let mut draft = shelf.draft(&format!("doc{doc}"), &raw, &[&text]);
            if doc == 2 {
                draft.declared.url = Some(format!("https://example.org/{doc}?utm_source=x"));
                draft.identity = identify(&draft.declared, &draft.source, None);
            }
            group.push(prepare(draft));
        }
        writer.commit(&group, now()).expect("committed");
        let source = shelf.draft("doc1", "", &[]).source;
        let declared = Declared {
            url: Some("https://example.org/late".to_owned()),
            ..Declared::default()
        };
        let revised = writer.revise(&source, declared, now()).expect("revised");
        assert_eq!(revised.expect("a capture").capture, round + 1);
    }
    for (of, verdict) in [
        (PinScope::source("example.org"), PinVerdict::Remove),
        (PinScope::Doc(doc_of(&shelf, "doc1")), PinVerdict::Keep),
        (PinScope::source("example.org"), PinVerdict::Release),
    ] {
        let leaf = writer.pin(of, pin(verdict, "Story"), now());
        assert!(leaf.expect("pinned").is_some());
    }
    shelf
}

#[test]
fn pins_are_logged_without_their_text_and_read_back() {
    let mut shelf = Shelf::new();
    let draft = shelf.draft("a", "One.", &["One."]);
    let identity = draft.identity.clone();
    let mut writer = shelf.writer();
    writer.commit([prepare(draft)], now()).expect("committed");
    let doc = PinScope::Doc(doc_of(&shelf, "a"));
    let (keep, remove) = (PinVerdict::Keep, PinVerdict::Remove);
    let of_inbox = PinScope::source("inbox");
    let mut decide = |of: &PinScope, verdict, text| {
        writer
            .pin(of.clone(), pin(verdict, text), now())
            .expect("pinned")
    };
    assert_eq!(decide(&doc, keep, "Secret words"), Some(1));
    assert_eq!(
        decide(&doc, keep, "Secret words"),
        None,
        "that is so already"
    );
    assert_eq!(decide(&of_inbox, remove, "Furniture"), Some(2));
    assert_eq!(decide(&doc, remove, "Other"), Some(3));
    assert_eq!(decide(&doc, PinVerdict::Release, "Other"), Some(4));
    assert_eq!(decide(&doc, PinVerdict::Release, "Other"), None);
    let held = |pins: &SharedPins| -> Vec<String> {
        let pins = pins.of(&identity, "inbox", None).into_iter();
        pins.map(|pin| pin.text).collect()
    };
    // The document's own weigh more and come last.
    assert_eq!(held(&writer.pins()), ["Furniture", "Secret words"]);
    let nobody = PinScope::Doc(DocId("aaaaaaaaaaaaaaaa".into()));
    let refused = writer.pin(nobody, pin(keep, "x"), now());
    assert!(matches!(refused, Err(Error::NoDocument(_))), "{refused:?}");
    drop(writer);

    let log = fs::read(shelf.dir().join("log/tile/entries/000.p/5")).expect("entries");
    let log = String::from_utf8_lossy(&log);
    assert!(
        log.contains("\"kind\":\"pin\"") && !log.contains("Secret"),
        "{log}"
    );
    shelf.remove_catalog();
    let (writer, _) = shelf.open();
    assert_eq!(held(&writer.pins()), ["Furniture", "Secret words"]);
    drop(writer);
    let listed = shelf.reader().pins().expect("listed");
    let leaves: Vec<_> = listed.iter().map(|row| row.leaf).collect();
    assert_eq!(leaves, [1, 2]);
    let book = shelf.reader().pin_book().expect("read");
    assert_eq!(book.of(&doc_of(&shelf, "a"), &[]).len(), 1);
    // A later capture goes on from the pins of its document.
    let later = shelf.prepared("a", "Two.", &["Two."]);
    shelf.writer().commit([later], now()).expect("committed");
    let mut problems = Vec::new();
    let options = check::Options {
        read_data: true,
        ..check::Options::default()
    };
    let report = check::check(&shelf.dir(), &options, &mut |problem| {
        problems.push(problem)
    });
    // What the test's captures hold is not the archive's business.
    problems.retain(|problem| problem.code != Code::ContentUnfit);
    assert_eq!(problems, []);
    assert_eq!(report.expect("checked").leaves, 6);
}

#[test]
fn a_pin_whose_record_is_lost_is_told_and_stops_nothing() {
    let mut shelf = Shelf::new();
    let first = shelf.prepared("a", "One.", &["One."]);
    let mut writer = shelf.writer();
    writer.commit([first], now()).expect("committed");
    let of = PinScope::Doc(doc_of(&shelf, "a"));
    writer
        .pin(of, pin(PinVerdict::Keep, "One."), now())
        .expect("pinned");
    drop(writer);
    let catalog = Catalog::open_to_read(&shelf.dir()).expect("opened");
    let at = catalog.metadata_at(1).expect("asked").expect("there");
    let segment = segment::path(&shelf.dir(), at.segment);
    let file = fs::OpenOptions::new().write(true).open(segment);
    file.and_then(|file| file.set_len(at.offset)).expect("cut");
    let mut told = Vec::new();
    let options = check::Options {
        read_data: true,
        ..check::Options::default()
    };
    let report = check::check(&shelf.dir(), &options, &mut |problem| told.push(problem));
    report.expect("checked");
    let lost = told.iter().find(|p| p.code == Code::MetadataMissing);
    let message = &lost.expect("it is missing").message;
    assert!(
        message.contains("a pin") && message.contains("leaf 1"),
        "{message}"
    );
    shelf.remove_catalog();
    let (mut writer, recovery) = shelf.open();
    let lost = recovery.findings.iter().map(ToString::to_string);
    let lost: Vec<_> = lost
        .filter(|told| told.contains("a pin of document"))
        .collect();
    assert_eq!(lost.len(), 1, "{recovery:?}");
    let later = shelf.prepared("a", "Two.", &["Two."]);
    writer.commit([later], now()).expect("committed");
}

#[test]
fn a_catalog_made_anew_has_the_same_rows() {
    let shelf = lived_in();
    assert!(segment::list(&shelf.dir()).expect("listed").len() > 1);
    let before = rows(&shelf.dir());
    assert_eq!(before["captures"].len(), 30);
    assert_eq!(before["events"].len(), 6 + 3);
    shelf.remove_catalog();
    let (writer, recovery) = shelf.open();
    drop(writer);
    assert_eq!(recovery.leaves_replayed, 39);
    assert!(
        matches!(recovery.findings[..], [Finding::CatalogRebuilt { .. }]),
        "{recovery:?}"
    );
    assert_eq!(rows(&shelf.dir()), before);
    let (_writer, recovery) = shelf.open();
    assert_eq!((recovery.leaves_replayed, recovery.findings.len()), (0, 0));
}

#[test]
fn a_catalog_that_lost_its_last_transactions_is_brought_up_to_the_log() {
    let mut shelf = lived_in();
    drop(shelf.writer());
    let path = shelf.dir().join("catalog.sqlite");
    let old = fs::read(&path).expect("read");
    let prepared = shelf.prepared("doc1", "New.", &["New."]);
    shelf.writer().commit([prepared], now()).expect("committed");
    let after = rows(&shelf.dir());
    shelf.remove_catalog();
    fs::write(&path, old).expect("written");
    let documents = shelf.reader().documents().expect("listed");
    assert_eq!(documents.last().expect("some").latest.raw_bytes, 4);
    let (_, recovery) = shelf.open();
    assert_eq!((recovery.leaves_replayed, recovery.findings.len()), (1, 0));
    assert_eq!(rows(&shelf.dir()), after);
}

#[test]
fn no_record_is_cut_off_where_the_catalog_has_a_wrong_end() {
    for wrong in [
        r#""offset" = "offset" - 1"#,
        r#""offset" = "offset" + 1"#,
        r#""offset" = 0"#,
        "segment = segment + 1",
    ] {
        let mut shelf = lived_in();
        drop(shelf.writer());
        let path = shelf.dir().join("catalog.sqlite");
        let connection = rusqlite::Connection::open(&path).expect("opened");
        let sql = format!("UPDATE high_water SET {wrong}");
        connection.execute(&sql, []).expect("changed");
        drop(connection);
        let prepared = shelf.prepared("doc1", "New.", &["New."]);
        shelf.writer().commit([prepared], now()).expect("committed");
        let mut problems = shelf::problems(&shelf.dir()).0;
        // The ledgers of these captures are made up.
        problems.retain(|problem| problem.code != Code::ContentUnfit);
        assert!(problems.is_empty(), "{wrong}: {problems:#?}");
    }
}

#[test]
fn a_damaged_catalog_is_set_aside_and_made_anew() {
    let shelf = lived_in();
    let before = rows(&shelf.dir());
    let path = shelf.dir().join("catalog.sqlite");
    let whole = fs::read(&path).expect("read");
    let half = whole[..whole.len() / 2].to_vec();
    let mut garbled = whole.clone();
    garbled[4096..].iter_mut().for_each(|b| *b = !*b);
    for damage in [b"not SQLite".to_vec(), half, garbled] {
        shelf.remove_catalog();
        fs::write(&path, &damage).expect("written");
        let listed = shelf.reader().documents().expect("a reader makes its own");
        assert_eq!(listed.len(), 5);
        assert_eq!(
            fs::read(&path).expect("read"),
            damage,
            "a reader changes nothing"
        );
        let (writer, recovery) = shelf.open();
        drop(writer);
        let Some(Finding::CatalogRebuilt {
            set_aside: Some(aside),
            ..
        }) = recovery.findings.last()
        else {
            panic!("{recovery:?}");
        };
        assert!(aside.exists());
        assert_eq!(rows(&shelf.dir()), before);
    }
}

#[test]
fn the_catalog_of_another_archive_is_not_believed() {
    let (one, other) = (lived_in(), lived_in());
    let before = rows(&one.dir());
    drop((one.writer(), other.writer()));
    let file = |shelf: &Shelf| shelf.dir().join("catalog.sqlite");
    fs::copy(file(&other), file(&one)).expect("copied");
    let (writer, recovery) = one.open();
    drop(writer);
    assert!(matches!(
        recovery.findings[..],
        [Finding::CatalogRebuilt { .. }]
    ));
    assert_eq!(rows(&one.dir()), before);
}

#[test]
fn what_stands_behind_the_last_committed_record_is_cut_off() {
    let mut shelf = Shelf::new();
    let prepared = shelf.prepared("a", "One.", &["One."]);
    shelf.writer().commit([prepared], now()).expect("committed");
    let path = segment::path(&shelf.dir(), 1);
    let committed = fs::read(&path).expect("read");
    let whole_record = committed.repeat(2);
    for tail in [&b"\0\0\0"[..], &committed[..99], &whole_record] {
        for with_catalog in [true, false] {
            fs::write(&path, [&committed, tail].concat()).expect("written");
            fs::write(segment::path(&shelf.dir(), 2), tail).expect("written");
            if !with_catalog {
                shelf.remove_catalog();
            }
            let (writer, recovery) = shelf.open();
            drop(writer);
            let cuts = recovery
                .findings
                .iter()
                .filter(|f| matches!(f, Finding::TailCut { .. }));
            assert_eq!(cuts.count(), 2, "{recovery:?}");
            assert_eq!(fs::read(&path).expect("read"), committed);
            assert_eq!(
                segment::list(&shelf.dir()).expect("listed"),
                [SegmentId::Hot(1)]
            );
        }
    }
}

#[test]
fn without_a_witness_the_tail_is_saved_before_it_is_cut() {
    let mut shelf = Shelf::new();
    let first = shelf.prepared("a", "One.", &["One."]);
    shelf.writer().commit([first], now()).expect("committed");
    let path = segment::path(&shelf.dir(), 1);
    let end = fs::metadata(&path).expect("there").len();
    let mut file = fs::read(&path).expect("read");
    file.extend_from_slice(b"tail");
    fs::write(&path, file).expect("written");
    fs::remove_file(shelf.paths().last_checkpoint()).expect("removed");
    let (_writer, recovery) = shelf.open();
    let findings = &recovery.findings[..];
    assert!(
        matches!(
            findings,
            [Finding::NoLastCheckpoint { .. }, Finding::TailCut { .. }]
        ),
        "{findings:?}"
    );
    let saved = shelf
        .paths()
        .state
        .join(format!("cut-000001.warc.zst-{end}"));
    assert_eq!(fs::read(saved).expect("saved"), b"tail");
    assert!(shelf.paths().last_checkpoint().exists());
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("created");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// Demands the refusal of a copy with one leaf where there were two: with sizes, and with what to do.
fn refused_as_older<T>(result: Result<T, Error>, what: &str) {
    let error = result
        .err()
        .unwrap_or_else(|| panic!("not refused: {what}"));
    let sizes = matches!(
        &error,
        Error::LogShrunk {
            size: 1,
            seen: 2,
            ..
        }
    );
    assert!(sizes, "{what}: {error:?}");
    let message = error.to_string();
    for part in [
        "has 1 leaves",
        "had 2",
        "older copy",
        "Restore the newer copy",
    ] {
        assert!(message.contains(part), "{what}: {message}");
    }
}

/// An archive with two leaves, and in `copy` what it was with one.
fn with_older_copy() -> (Shelf, PathBuf) {
    let mut shelf = Shelf::new();
    let (first, second) = (
        shelf.prepared("a", "One.", &["One."]),
        shelf.prepared("a", "Two.", &["Two."]),
    );
    shelf.writer().commit([first], now()).expect("committed");
    let copy = shelf.folder.path().join("copy");
    copy_folder(&shelf.dir(), &copy);
    shelf.writer().commit([second], now()).expect("committed");
    (shelf, copy)
}

#[test]
fn a_restored_older_copy_is_refused_for_writing_and_can_be_read() {
    let (shelf, copy) = with_older_copy();
    fs::remove_dir_all(shelf.dir()).expect("removed");
    copy_folder(&copy, &shelf.dir());
    for what in ["with its catalog", "without catalog"] {
        let opened = ArchiveWriter::open(shelf.paths(), shelf.options.clone());
        refused_as_older(opened, what);
        assert_eq!(shelf.reader().documents().expect("listed").len(), 1);
        shelf.remove_catalog();
    }
}

#[test]
fn an_older_copy_that_takes_the_place_of_the_open_archive_is_refused_and_not_written_to() {
    for replaced in [true, false] {
        let what = if replaced { "replaced" } else { "written over" };
        let (mut shelf, copy) = with_older_copy();
        let mut writer = shelf.writer();
        let third = [shelf.prepared("a", "Three.", &["Three."])];
        let source = shelf.draft("a", "", &[]).source;
        let aside = shelf.folder.path().join("aside");
        if replaced {
            fs::rename(shelf.dir(), &aside).expect("moved");
        } else {
            copy_folder(&shelf.dir(), &aside);
        }
        copy_folder(&copy, &shelf.dir());
        let segment = segment::path(&shelf.dir(), 1);
        let before = fs::read(&segment).expect("read");
        for _ in 0..2 {
            refused_as_older(writer.commit(&third, now()), what);
            refused_as_older(writer.revise(&source, Declared::default(), now()), what);
            refused_as_older(writer.holds_raw(&Digest::of(b"One.")), what);
        }
        assert_eq!(fs::read(&segment).expect("read"), before, "{what}");

        // The right one comes back, and it goes on where it was.
        if replaced {
            fs::remove_dir_all(shelf.dir()).expect("removed");
            fs::rename(&aside, shelf.dir()).expect("moved");
        } else {
            copy_folder(&aside, &shelf.dir());
        }
        let outcome = writer.commit(&third, now()).expect("committed");
        assert_eq!(new_version(&outcome[0]).1, 3, "{what}");
    }
}

#[test]
fn a_segment_that_another_file_took_the_place_of_is_not_written_past_it() {
    let mut shelf = Shelf::new();
    let (first, second) = (
        shelf.prepared("a", "One.", &["One."]),
        shelf.prepared("a", "Two.", &["Two."]),
    );
    let mut writer = shelf.writer();
    writer.commit([first], now()).expect("committed");
    let path = segment::path(&shelf.dir(), 1);
    let copy = path.with_extension("copy");
    fs::copy(&path, &copy).expect("copied");
    fs::rename(&copy, &path).expect("replaced");
    let group = [second];
    writer.commit(&group, now()).expect_err("it would be lost");
    writer
        .commit(&group, now())
        .expect("into the file that is there");
    let archive = shelf.reader();
    let doc = archive.documents().expect("listed").remove(0);
    assert_eq!(doc.versions, 2);
    assert_eq!(archive.read_text(&doc.latest).expect("sound"), "Two.\n");
}

#[test]
fn a_forked_log_is_refused() {
    let mut shelf = Shelf::new();
    let first = shelf.prepared("a", "One.", &["One."]);
    shelf.writer().commit([first], now()).expect("committed");
    let (copy, state) = (
        shelf.folder.path().join("copy"),
        shelf.paths().last_checkpoint(),
    );
    copy_folder(&shelf.dir(), &copy);
    let seen = fs::read(&state).expect("read");
    let second = shelf.prepared("a", "Two.", &["Two."]);
    shelf.writer().commit([second], now()).expect("committed");
    let seen_later = fs::read(&state).expect("read");
    fs::remove_dir_all(shelf.dir()).expect("removed");
    copy_folder(&copy, &shelf.dir());
    fs::write(&state, seen).expect("written");
    let others = [
        shelf.prepared("a", "Three.", &["Three."]),
        shelf.prepared("b", "Four.", &["Four."]),
    ];
    shelf.writer().commit(others, now()).expect("committed");
    fs::write(&state, seen_later).expect("written");
    let error = ArchiveWriter::open(shelf.paths(), shelf.options.clone()).err();
    assert!(
        matches!(error, Some(Error::LogForked { seen: 2, .. })),
        "{error:?}"
    );
}

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let shelf = Shelf::new();
    let writer = shelf.writer();
    let error = ArchiveWriter::open(shelf.paths(), shelf.options.clone()).err();
    assert!(matches!(error, Some(Error::Locked { dir }) if dir == shelf.dir()));
    assert_eq!(shelf.reader().documents().expect("listed").len(), 0);
    drop(writer);
    drop(shelf.writer());
}

#[test]
fn what_is_no_archive_is_said_so_and_what_is_one_is_not_made_again() {
    let mut shelf = Shelf::new();
    let group = [shelf.prepared("a", "One.", &["One."])];
    shelf.writer().commit(group, now()).expect("committed");
    let empty = shelf.folder.path().join("empty");
    assert!(matches!(
        Archive::open(&empty).err(),
        Some(Error::NoArchive { .. })
    ));
    let again = archive::create(&shelf.paths(), now());
    assert!(matches!(again, Err(Error::ArchiveThere { .. })));
    let mut elsewhere = shelf.paths();
    elsewhere.dir = empty;
    let in_use = archive::create(&elsewhere, now());
    assert!(
        matches!(in_use, Err(Error::StateInUse { .. })),
        "{in_use:?}"
    );
    let manifest = fs::read_to_string(shelf.dir().join("archive.json")).expect("read");
    let newer = manifest.replace("\"version\": 1", "\"version\": 2");
    fs::write(shelf.dir().join("archive.json"), newer).expect("written");
    let error = Archive::open(&shelf.dir()).err();
    assert!(matches!(error, Some(Error::OtherFormat { version: 2, .. })));
}

#[test]
fn keys_are_for_their_owner_alone_and_lie_outside() {
    use std::os::unix::fs::PermissionsExt;
    let shelf = Shelf::new();
    let mode = |path: PathBuf| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let keys = shelf.paths().keys;
    assert_eq!(mode(keys.clone()), 0o700);
    assert_eq!(mode(keys.join("signing.key")), 0o600);
    assert_eq!(mode(keys.join("identity.secret")), 0o600);
    fs::remove_file(keys.join("identity.secret")).expect("removed");
    let error = ArchiveWriter::open(shelf.paths(), shelf.options.clone()).err();
    assert!(matches!(error, Some(Error::NoKey { .. })));
}

#[test]
fn documents_are_found_by_id_prefix_address_and_path() {
    let mut shelf = Shelf::new();
    let mut draft = shelf.draft("news/a b.txt", "One.", &["One."]);
    draft.declared.url = Some("http://Example.org/x?utm_source=feed#top".to_owned());
    draft.identity = identify(&draft.declared, &draft.source, None);
    let other = shelf.prepared("other.txt", "Two.", &["Two."]);
    let mut writer = shelf.writer();
    let outcomes = writer
        .commit([prepare(draft.clone()), other], now())
        .expect("committed");
    let (doc, _) = new_version(&outcomes[0]);
    let archive = shelf.reader();
    for name in [
        &doc.0,
        &doc.0[..6],
        "https://example.org/x",
        "inbox/news/a b.txt",
        "news/a b.txt",
    ] {
        assert_eq!(archive.find(name).expect(name), doc);
    }
    for none in ["", "zzzzzzz0", "https://example.org/y", "inbox/", "%"] {
        assert!(
            matches!(archive.find(none), Err(Error::NoDocument(_))),
            "{none}"
        );
    }
    let source = draft.source.clone();
    writer
        .revise(
            &source,
            Declared {
                url: Some("https://late.example/".into()),
                ..Declared::default()
            },
            now(),
        )
        .expect("revised");
    let archive = shelf.reader();
    assert_eq!(archive.find("https://late.example").expect("found"), doc);
    let row = archive.resolve(&doc, &Selector::Version(1)).expect("there");
    let metadata = archive.read_metadata(&row).expect("read");
    assert_eq!(metadata.revisions.len(), 1);
    assert_eq!(metadata.observation.declared, draft.declared);
}

#[test]
fn the_same_declaration_again_is_archived_once() {
    let mut shelf = Shelf::new();
    let declared = |json: &str| serde_json::from_str::<Declared>(json).expect("declared data");
    // A number that serde_json reads as another one than it then writes and reads again.
    let at_first = declared(r#"{"url": "https://example.org/a", "score": -1.875483630402353e274}"#);
    let later = declared(r#"{"url": "https://example.org/b", "headers": {"etag": "x"}}"#);
    let mut draft = shelf.draft("a.txt", "One.", &["One."]);
    draft.declared = at_first.clone();
    let source = draft.source.clone();
    shelf
        .writer()
        .commit([prepare(draft)], now())
        .expect("committed");

    // As a restart finds the archive, and with a catalog that was lost.
    let offer = |declared: &Declared, leaves: u64| {
        for catalog_is_lost in [false, false, true] {
            if catalog_is_lost {
                shelf.remove_catalog();
            }
            let mut writer = shelf.writer();
            let before = fs::read(segment::path(&shelf.dir(), 1)).expect("read");
            for _ in 0..2 {
                let id = writer.revise(&source, declared.clone(), now());
                assert_eq!(id.expect("revised").expect("a capture").capture, 1);
            }
            assert_eq!(writer.checkpoint().size, leaves);
            let after = fs::read(segment::path(&shelf.dir(), 1)).expect("read");
            assert!(after.starts_with(&before));
        }
    };
    offer(&at_first, 1);
    offer(&later, 2);
    // Said before, but not last: that is news.
    offer(&at_first, 3);
    offer(&Declared::default(), 4);

    let archive = shelf.reader();
    let doc = archive.documents().expect("listed").remove(0).doc;
    let row = archive.resolve(&doc, &Selector::Latest).expect("there");
    let metadata = archive.read_metadata(&row).expect("read");
    let urls = metadata.revisions.iter();
    let urls: Vec<_> = urls.map(|r| r.declared.url.as_deref()).collect();
    let (a, b) = ("https://example.org/a", "https://example.org/b");
    assert_eq!(urls, [Some(b), Some(a), None]);
    assert_eq!(metadata.observation.declared.url.as_deref(), Some(a));

    // What cannot be read cannot be compared: once more, and no oftener.
    let mut other = shelf.draft("b.txt", "Two.", &["Two."]);
    other.declared = later.clone();
    let source = other.source.clone();
    let mut writer = shelf.writer();
    writer.commit([prepare(other)], now()).expect("committed");
    let row = shelf.reader().find("inbox/b.txt").expect("found");
    let row = shelf.reader().resolve(&row, &Selector::Latest);
    damage(&shelf.dir(), row.expect("there").locations.metadata);
    let size = writer.checkpoint().size;
    for _ in 0..3 {
        let revised = writer.revise(&source, later.clone(), now());
        assert!(revised.expect("revised").is_some());
        assert_eq!(writer.checkpoint().size, size + 1);
    }
}

#[test]
fn versions_are_chosen_by_number_and_by_fetch_time() {
    let mut shelf = Shelf::new();
    let mut group = Vec::new();
    // Archived in another order than fetched.
    for (text, day) in [("One.", 10), ("Three.", 30), ("Two.", 20)] {
        let mut draft = shelf.draft("a", text, &[text]);
        draft.declared.fetched_at = format!("2025-01-{day}T00:00:00Z").parse().ok();
        group.push(prepare(draft));
    }
    let outcomes = shelf.writer().commit(&group, now()).expect("committed");
    let (doc, _) = new_version(&outcomes[0]);
    let archive = shelf.reader();
    let text = |selector| {
        let row = archive.resolve(&doc, &selector)?;
        archive.read_text(&row)
    };
    let as_of =
        |day: &str| Selector::AsOf(format!("2025-01-{day}T12:00:00Z").parse().expect("a time"));
    assert_eq!(text(Selector::Latest).expect("there"), "Three.\n");
    assert_eq!(text(Selector::Version(3)).expect("there"), "Two.\n");
    assert_eq!(text(as_of("20")).expect("there"), "Two.\n");
    assert_eq!(text(as_of("29")).expect("there"), "Two.\n");
    assert!(matches!(text(as_of("09")), Err(Error::NoVersion { .. })));
    assert!(matches!(
        text(Selector::Version(4)),
        Err(Error::NoVersion { .. })
    ));
}

/// Flips a byte in the middle of a record.
fn damage(archive: &Path, at: segment::Location) {
    let path = segment::path(archive, at.segment);
    let mut bytes = fs::read(&path).expect("read");
    bytes[usize::try_from(at.offset + at.length - 3).expect("small")] ^= 0x55;
    fs::write(path, bytes).expect("written");
}

#[test]
fn bytes_whose_record_is_damaged_are_archived_again() {
    let mut shelf = Shelf::new();
    let mut writer = shelf.writer();
    let first = writer
        .commit([shelf.prepared("a", "One.", &["One."])], now())
        .expect("committed");
    let (doc, _) = new_version(&first[0]);
    let row = shelf
        .reader()
        .resolve(&doc, &Selector::Latest)
        .expect("there");
    damage(&shelf.dir(), row.locations.raw.expect("placed"));
    assert!(shelf.reader().read_raw(&row).is_err());
    assert!(!writer.holds_raw(&row.digests.raw).expect("asked"));

    let again = writer
        .commit([shelf.prepared("a", "One.", &["One."])], now())
        .expect("committed");
    assert!(matches!(again[0], Archived::Duplicate(..)));
    let incremental = rows(&shelf.dir());
    for _ in 0..2 {
        let archive = shelf.reader();
        for row in archive.captures(&doc).expect("listed") {
            assert_eq!(archive.read_raw(&row).expect("healed"), b"One.");
        }
        drop(writer);
        shelf.remove_catalog();
        writer = shelf.writer();
        assert_eq!(rows(&shelf.dir()), incremental);
    }
}

#[test]
fn damage_in_old_records_stops_neither_rebuild_nor_writing() {
    for victim in 0..3 {
        let mut shelf = Shelf::new();
        let mut writer = shelf.writer();
        for text in ["One.", "Two.", "Three."] {
            let group = [shelf.prepared("a", text, &[text])];
            writer.commit(group, now()).expect("committed");
        }
        drop(writer);
        let doc = shelf.reader().documents().expect("listed")[0].doc.clone();
        let captures = shelf.reader().captures(&doc).expect("listed");
        damage(&shelf.dir(), captures[victim].locations.metadata);
        let damaged = fs::read(segment::path(&shelf.dir(), 1)).expect("read");
        shelf.remove_catalog();

        let (mut writer, recovery) = shelf.open();
        let lost = recovery.findings.iter();
        let lost =
            lost.filter(|f| matches!(f, Finding::Lost { leaf, .. } if *leaf == victim as u64));
        assert_eq!(lost.count(), 1, "{recovery:?}");
        let group = [shelf.prepared("a", "Four.", &["Four."])];
        let outcome = writer.commit(group, now()).expect("goes on");
        assert_eq!(numbers(&outcome[0]), ("new", 4, 4));
        let now_there = fs::read(segment::path(&shelf.dir(), 1)).expect("read");
        assert!(now_there.starts_with(&damaged), "nothing is cut");
        let archive = shelf.reader();
        let captures = archive.captures(&doc).expect("listed");
        assert_eq!(captures.len(), 3, "all but the lost one");
        for row in captures {
            archive.read_metadata(&row).expect("sound");
        }
    }
}

#[test]
fn a_segment_that_lost_its_end_or_itself_does_not_stop_writing() {
    for left in [None, Some(0), Some(1000)] {
        let mut shelf = Shelf::new();
        for text in ["One.", "Two."] {
            let group = [shelf.prepared("a", text, &[text])];
            shelf.writer().commit(group, now()).expect("committed");
        }
        let path = segment::path(&shelf.dir(), 1);
        match left {
            Some(length) => {
                let file = fs::OpenOptions::new()
                    .write(true)
                    .open(&path)
                    .expect("opened");
                file.set_len(length).expect("truncated");
            }
            // Not the only one, or it would look like a file system that is not mounted.
            None => fs::rename(&path, segment::path(&shelf.dir(), 2)).expect("renamed"),
        }
        let (mut writer, recovery) = shelf.open();
        assert!(
            matches!(recovery.findings[..], [Finding::SegmentShort { .. }]),
            "{recovery:?}"
        );
        let group = [shelf.prepared("a", "Three.", &["Three."])];
        let outcome = writer.commit(group, now()).expect("goes on");
        assert_eq!(numbers(&outcome[0]), ("new", 3, 3));
        let archive = shelf.reader();
        let (doc, _) = new_version(&outcome[0]);
        let row = archive.resolve(&doc, &Selector::Version(3)).expect("there");
        assert_eq!(archive.read_text(&row).expect("sound"), "Three.\n");
        drop(writer);
        assert_eq!(shelf.open().1.findings.len(), 0);
    }
}

#[test]
fn segments_that_are_not_mounted_are_not_begun_anew() {
    let mut shelf = Shelf::new();
    let group = [shelf.prepared("a", "One.", &["One."])];
    shelf.writer().commit(group, now()).expect("committed");
    let folder = shelf.dir().join(segment::FOLDER);
    fs::rename(&folder, shelf.folder.path().join("away")).expect("renamed");
    let open = || ArchiveWriter::open(shelf.paths(), shelf.options.clone()).err();
    assert!(matches!(open(), Some(Error::Io { .. })));
    fs::create_dir(&folder).expect("created");
    assert!(matches!(open(), Some(Error::NoSegments { leaves: 1, .. })));
}

#[test]
fn no_address_forges_a_header() {
    let mut shelf = Shelf::new();
    let mut draft = shelf.draft("a\nb", "One.", &["One."]);
    draft.declared.url = Some("https://x.example/\r\nWARC-Type: warcinfo\r\n\r\nx y".to_owned());
    let other = shelf.prepared("c\r\nWARC-Type: warcinfo", "Two.", &["Two."]);
    let mut writer = shelf.writer();
    writer
        .commit([prepare(draft), other], now())
        .expect("committed");
    let expected = ["warcinfo", "resource", "conversion", "metadata"];
    let kinds = kinds(&shelf.dir());
    assert_eq!(kinds[..4], expected);
    assert_eq!(kinds[4..], expected[1..]);
}

#[test]
fn readers_read_while_a_writer_writes() {
    let mut shelf = Shelf::new();
    let dir = shelf.dir();
    let mut writer = shelf.writer();
    let group = [shelf.prepared("doc", "Story.", &["Story."])];
    writer.commit(group, now()).expect("committed");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut seen = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let archive = Archive::open(&dir).expect("opened");
                let recovery = archive.recovery();
                assert_eq!(recovery.findings.len(), 0, "{recovery:?}");
                for document in archive.documents().expect("listed") {
                    archive.read_metadata(&document.latest).expect("sound");
                    seen += 1;
                }
            }
            seen
        });
        for n in 0..40 {
            let text = format!("Story {n}.");
            let group = [shelf.prepared(&format!("doc{}", n % 7), &text, &[&text])];
            writer.commit(group, now()).expect("committed");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reading.join().expect("no panic") > 0);
    });
}

/// What a document is known to be, by a model that does nothing but remember.
#[derive(Default)]
struct Model {
    raws: Vec<(u8, u32)>,
    stories: Vec<u8>,
}

impl Model {
    fn take(&mut self, raw: u8, story: u8) -> (&'static str, u32, u32) {
        let latest = u32::try_from(self.stories.len()).expect("few");
        let is_same = self.raws.contains(&(raw, latest));
        let (kind, version) = match self.stories.last() {
            _ if is_same => ("duplicate", latest),
            Some(last) if *last == story => ("unchanged", latest),
            _ => ("new", latest + 1),
        };
        if kind == "new" {
            self.stories.push(story);
        }
        self.raws.push((raw, version));
        (kind, u32::try_from(self.raws.len()).expect("few"), version)
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    /// Any captures in any groups, with restarts and lost catalogs between: the outcomes are the model's, everything
    /// can be read, and a catalog made anew has the same rows.
    #[test]
    fn any_life_of_an_archive_is_as_the_model_says(
        life in proptest::collection::vec((0..3_u8, 0..4_u8, 0..6_u8), 1..40),
        segment_bytes_max in 1..20_000_u64,
    ) {
        let mut shelf = Shelf::new();
        shelf.options.segment_bytes_max = segment_bytes_max;
        let mut models: BTreeMap<u8, Model> = BTreeMap::new();
        let (mut group, mut expected, mut raws) = (Vec::new(), Vec::new(), Vec::new());
        let mut writer = shelf.writer();
        let last = life.len() - 1;
        for (n, (doc, raw, event)) in life.into_iter().enumerate() {
            // Two raw forms of each of two stories.
            let story = raw / 2;
            let (text, bytes) = (format!("Story {story}."), format!("Story {story}. Form {raw}."));
            group.push(shelf.prepared(&format!("doc{doc}"), &bytes, &[&text]));
            expected.push(models.entry(doc).or_default().take(raw, story));
            raws.push(bytes);
            if event < 3 || n == last {
                let outcomes = writer.commit(&group, now()).expect("committed");
                let told: Vec<_> = outcomes.iter().map(numbers).collect();
                proptest::prop_assert_eq!(&told, &expected);
                group.clear();
                expected.clear();
            }
            if event == 0 {
                drop(writer);
                writer = shelf.writer();
            } else if event == 1 {
                drop(writer);
                shelf.remove_catalog();
                writer = shelf.writer();
            }
        }
        drop(writer);
        let before = rows(&shelf.dir());
        let archive = shelf.reader();
        for document in archive.documents().expect("listed") {
            for row in archive.captures(&document.doc).expect("listed") {
                archive.read_metadata(&row).expect("sound");
                let raw = archive.read_raw(&row).expect("sound");
                proptest::prop_assert_eq!(&raw, raws[usize::try_from(row.leaf).expect("few")].as_bytes());
            }
        }
        shelf.remove_catalog();
        drop(shelf.writer());
        proptest::prop_assert_eq!(rows(&shelf.dir()), before);
    }
}
