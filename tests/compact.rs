//! Sealing: versions of a document share a dictionary, everything reads as before, and an interruption at any step is harmless.

#[path = "common/shelf.rs"]
mod shelf;

use std::fs;
use std::path::PathBuf;

use faircopy::archive::capture::prepare;
use faircopy::archive::reader::Archive;
use faircopy::archive::segment::{self, SegmentId};
use faircopy::archive::writer::{Fault, Options, Step};
use faircopy::archive::{Error, dictionary, seal};
use faircopy::check::problem::Code;
use faircopy::submission::Declared;

use shelf::{Content, Shelf, content, fitting, now, problems};

/// Documents with several versions, with one, with duplicates and later declarations, in several hot segments.
fn stocked() -> Shelf {
    let mut shelf = Shelf::new();
    shelf.options = Options {
        segment_bytes_max: 6_000,
    };
    let mut writer = shelf.writer();
    let story = "Ada Brill waits for the ferry, and the gulls wait with her. ".repeat(20);
    for round in 0..4 {
        for (doc, path) in ["a.txt", "b.txt", "c.txt"].into_iter().enumerate() {
            let edit = format!("Edit {round} of document {doc}.");
            // The second document stays as it is: duplicates. The third has the bytes of the first, now and then.
            let edit = match (doc, round) {
                (1, _) => "It never changes.",
                (2, 2) => "Edit 1 of document 0.",
                _ => &edit,
            };
            let draft = fitting(&mut shelf, path, &[edit, &story], "Buy ferry tickets");
            writer.commit([prepare(draft)], now()).expect("committed");
        }
        let lone = format!("lone-{round}.txt");
        let draft = fitting(&mut shelf, &lone, &["Alone.", &lone], "");
        writer.commit([prepare(draft)], now()).expect("committed");
    }
    let source = shelf.draft("a.txt", "", &[]).source;
    let late = Declared {
        title: Some("Late".to_owned()),
        ..Declared::default()
    };
    writer.revise(&source, late, now()).expect("revised");
    drop(writer);
    assert!(segment::list(&shelf.dir()).expect("listed").len() > 2);
    shelf
}

fn is_sound(shelf: &Shelf, expected: &Content, case: &str) {
    assert_eq!(problems(&shelf.dir()).0, [], "{case}");
    assert_eq!(&content(&shelf.reader()), expected, "{case}");
}

fn sealed(shelf: &Shelf) -> Vec<SegmentId> {
    let segments = segment::list(&shelf.dir()).expect("listed").into_iter();
    segments
        .filter(|s| matches!(s, SegmentId::Sealed(_)))
        .collect()
}

#[test]
fn sealed_records_read_as_before_also_without_the_catalog() {
    for all in [false, true] {
        let mut shelf = stocked();
        let before = content(&shelf.reader());
        let done = shelf.writer().compact(all, now()).expect("compacted");
        assert!(done.replaced > 1 && done.records > 20, "{done:?}");
        assert_eq!(done.refused, []);
        assert!(done.bytes_after < done.bytes_before, "{done:?}");
        let hot = segment::list(&shelf.dir()).expect("listed");
        assert_eq!(hot.len() - done.sealed.len(), usize::from(!all), "{hot:?}");
        is_sound(&shelf, &before, "sealed");

        shelf.remove_catalog();
        assert_eq!(content(&shelf.reader()), before);
        let (_, recovery) = shelf.open();
        assert_eq!(recovery.findings.len(), 1, "{recovery:?}");
        is_sound(&shelf, &before, "rebuilt");

        // And writing goes on: the same bytes, new ones, and more to seal.
        let mut writer = shelf.writer();
        for (path, text) in [("a.txt", "Another edit."), ("b.txt", "It never changes.")] {
            let draft = fitting(&mut shelf, path, &[text], "");
            writer.commit([prepare(draft)], now()).expect("committed");
        }
        drop(writer);
        let more = content(&shelf.reader());
        assert_eq!(more.len(), before.len() + 2);
        shelf.writer().compact(true, now()).expect("compacted");
        is_sound(&shelf, &more, "sealed again");
        shelf.remove_catalog();
        drop(shelf.writer());
        is_sound(&shelf, &more, "rebuilt again");
    }
}

#[test]
fn versions_of_a_document_cost_next_to_nothing() {
    let mut shelf = Shelf::new();
    let mut writer = shelf.writer();
    let mut state = 1_u64;
    let mut words = |count: usize| -> String {
        let word = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            format!("{:x} ", state >> 40)
        };
        (0..count).map(word).collect()
    };
    let stories: Vec<String> = (0..4).map(|_| words(2_000)).collect();
    for version in 0..8 {
        for (n, story) in stories.iter().enumerate() {
            let edit = format!("Edit {version}.");
            let draft = fitting(&mut shelf, &format!("{n}.txt"), &[&edit, story], "");
            writer.commit([prepare(draft)], now()).expect("committed");
        }
    }
    let done = writer.compact(true, now()).expect("compacted");
    // Each story is stored twice, for the dictionary and its copy, instead of sixteen times.
    assert!(done.bytes_after * 4 < done.bytes_before, "{done:?}");
    assert_eq!(done.sealed.len(), 1);
}

#[test]
fn a_reader_that_opened_before_finds_the_records_in_their_new_place() {
    let shelf = stocked();
    let reader = shelf.reader();
    let rows: Vec<_> = reader.documents().expect("listed");
    let before = content(&reader);
    shelf.writer().compact(true, now()).expect("compacted");
    for document in rows {
        let row = document.latest;
        let raw = reader.read_raw(&row).expect("found again");
        assert_eq!(raw, before[&(row.doc.0.clone(), row.capture)].0);
        reader.read_metadata(&row).expect("found again");
    }
    assert_eq!(content(&reader), before);
}

#[test]
fn whatever_step_fails_nothing_is_lost_doubled_or_left_over() {
    let steps = [Step::PlaceSealed, Step::CommitMoves, Step::RemoveReplaced];
    for step in steps {
        for fault in [Fault::WithoutEffect, Fault::WithEffect] {
            for lost_catalog in [false, true] {
                let case = format!("{step:?} {fault:?}, catalog lost: {lost_catalog}");
                let shelf = stocked();
                let before = content(&shelf.reader());
                let mut writer = shelf.writer();
                writer.fail_at(step, fault);
                writer.compact(true, now()).expect_err(&case);
                // Readers and `check` see a whole archive at once.
                assert_eq!(content(&shelf.reader()), before, "{case}");
                assert_eq!(problems(&shelf.dir()).0, [], "{case}");
                drop(writer);
                if lost_catalog {
                    shelf.remove_catalog();
                }
                drop(shelf.writer());
                is_sound(&shelf, &before, &case);
                let (problems, report) = problems(&shelf.dir());
                assert_eq!(
                    (problems.len(), report.notes.len()),
                    (0, 0),
                    "{case}: {report:?}"
                );
                shelf.writer().compact(true, now()).expect(&case);
                is_sound(&shelf, &before, &case);
                let left = segment::list(&shelf.dir()).expect("listed");
                assert_eq!(left, sealed(&shelf), "{case}");
            }
        }
    }
}

#[test]
fn of_an_interrupted_sealing_nothing_stays() {
    let shelf = stocked();
    let mut writer = shelf.writer();
    let plan = writer.plan_sealing(true, u64::MAX, now()).expect("planned");
    let files = || fs::read_dir(shelf.dir().join("sealed")).map_or(0, Iterator::count);
    for steps in (0..200).step_by(7) {
        let mut left = steps;
        let mut go_on = || {
            left -= 1;
            left >= 0
        };
        match seal::build(&plan, &mut go_on).expect("read") {
            Some(sealing) => drop(sealing),
            None => assert!(steps < 199),
        }
        assert_eq!(files(), 0, "{steps}");
    }
    // A kill leaves temporary files.
    fs::write(shelf.dir().join("sealed/.sealing-0.warc.zst.tmp"), "half").expect("written");
    drop(writer);
    drop(shelf.writer());
    assert_eq!(files(), 0);
}

#[test]
fn what_was_appended_meanwhile_stays_and_what_changed_is_not_taken_over() {
    let mut shelf = stocked();
    let mut writer = shelf.writer();
    let plan = writer.plan_sealing(true, u64::MAX, now()).expect("planned");
    let sealing = seal::build(&plan, &mut || true)
        .expect("built")
        .expect("not interrupted");
    let draft = fitting(&mut shelf, "meanwhile.txt", &["Meanwhile."], "");
    writer.commit([prepare(draft)], now()).expect("committed");
    writer.take_over(sealing).expect("taken over");
    let all = content(&shelf.reader());
    assert_eq!(problems(&shelf.dir()).0, []);

    let plan = writer.plan_sealing(true, u64::MAX, now()).expect("planned");
    let sealing = seal::build(&plan, &mut || true)
        .expect("built")
        .expect("not interrupted");
    let hot = segment::list(&shelf.dir())
        .expect("listed")
        .pop()
        .expect("one");
    let path = segment::path(&shelf.dir(), hot);
    let bytes = fs::read(&path).expect("read");
    fs::remove_file(&path).expect("removed");
    fs::write(&path, [bytes, b"x".to_vec()].concat()).expect("written");
    writer.take_over(sealing).expect_err("another file");
    assert_eq!(content(&shelf.reader()), all);
}

#[test]
fn a_damaged_segment_is_left_as_it_is() {
    let shelf = stocked();
    let path = segment::path(&shelf.dir(), 1);
    let mut bytes = fs::read(&path).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&path, &bytes).expect("written");
    let done = shelf.writer().compact(true, now()).expect("compacted");
    assert_eq!(done.refused.len(), 1, "{done:?}");
    assert_eq!(done.refused[0].0, SegmentId::Hot(1));
    assert_eq!(fs::read(&path).expect("still there"), bytes);
    assert!(!done.sealed.is_empty());
    let (problems, _) = problems(&shelf.dir());
    assert!(
        problems
            .iter()
            .all(|p| p.place.starts_with("segments/000001")),
        "{problems:?}"
    );
}

fn files_of(shelf: &Shelf) -> [PathBuf; 3] {
    let segment = segment::path(&shelf.dir(), sealed(shelf)[0]);
    let number = sealed(shelf)[0].number();
    [
        dictionary::copy_path(&segment),
        seal::digest_path(&shelf.dir(), number),
        segment,
    ]
}

fn codes(shelf: &Shelf) -> Vec<Code> {
    let mut codes: Vec<Code> = problems(&shelf.dir()).0.iter().map(|p| p.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[test]
fn one_damaged_dictionary_loses_nothing_and_each_file_has_its_code() {
    let shelf = stocked();
    shelf.writer().compact(true, now()).expect("compacted");
    let before = content(&shelf.reader());
    let [copy, digest, segment] = files_of(&shelf);
    for (path, code) in [
        (&copy, Code::DictionaryCopyBad),
        (&digest, Code::SealedDigestBad),
    ] {
        let bytes = fs::read(path).expect("read");
        fs::remove_file(path).expect("removed");
        assert_eq!(codes(&shelf), [code]);
        fs::write(path, &bytes[..bytes.len() / 2]).expect("written");
        assert_eq!(codes(&shelf), [code]);
        assert_eq!(content(&shelf.reader()), before);
        fs::write(path, &bytes).expect("written");
    }
    // Each byte of the first frame's start, and some of the rest.
    let whole = fs::read(&segment).expect("read");
    let end = fs::File::open(&segment).and_then(|file| dictionary::frame_length(&file));
    let end = usize::try_from(end.expect("it has a dictionary")).expect("small");
    for at in (0..24).chain((24..end).step_by(end / 9)) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&segment, &damaged).expect("written");
        let codes = codes(&shelf);
        assert!(codes.contains(&Code::SealedUnlike), "{at}: {codes:?}");
        assert!(!codes.contains(&Code::MetadataMissing), "{at}: {codes:?}");
        assert_eq!(content(&shelf.reader()), before, "{at}");
        shelf.remove_catalog();
        drop(shelf.writer());
        assert_eq!(content(&shelf.reader()), before, "{at}");
    }
    // Both copies: then the records are lost, and that is told.
    let mut damaged = whole.clone();
    damaged[end / 2] ^= 0x10;
    fs::write(&segment, &damaged).expect("written");
    fs::remove_file(&copy).expect("removed");
    let found = codes(&shelf);
    for code in [
        Code::DictionaryBad,
        Code::DictionaryCopyBad,
        Code::FrameBad,
        Code::MetadataMissing,
    ] {
        assert!(found.contains(&code), "{found:?}");
    }
    fs::remove_file(&segment).expect("removed");
    let found = codes(&shelf);
    assert!(found.contains(&Code::SegmentMissing), "{found:?}");
    assert!(matches!(
        Archive::open(&shelf.dir()),
        Ok(_) | Err(Error::NoSegments { .. })
    ));
}

#[test]
fn damage_in_a_sealed_record_costs_that_record() {
    let shelf = stocked();
    shelf.writer().compact(true, now()).expect("compacted");
    let before = content(&shelf.reader());
    let [_, _, path] = files_of(&shelf);
    let whole = fs::read(&path).expect("read");
    let end = fs::File::open(&path).and_then(|file| dictionary::frame_length(&file));
    let end = usize::try_from(end.expect("it has a dictionary")).expect("small");
    for at in (end + 200..whole.len()).step_by((whole.len() - end) / 7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x01;
        fs::write(&path, &damaged).expect("written");
        let codes = codes(&shelf);
        assert!(codes.contains(&Code::SealedUnlike), "{at}: {codes:?}");
        let reader = shelf.reader();
        let mut sound = 0;
        for document in reader.documents().expect("listed") {
            for row in reader.captures(&document.doc).expect("listed") {
                sound += usize::from(reader.read_metadata_block(&row).is_ok());
            }
        }
        assert!(sound + 1 >= before.len(), "{at}: {sound}");
    }
}
