//! Damage of each kind in each place: then the rest is still read, `check` names the place, and writing goes on or is refused.

#[path = "common/shelf.rs"]
mod shelf;

use std::fs;
use std::path::{Path, PathBuf};

use faircopy::archive::Paths;
use faircopy::archive::capture::{Draft, prepare};
use faircopy::archive::frame;
use faircopy::archive::log::cosigned::Cosigned;
use faircopy::archive::log::key::SigningKey;
use faircopy::archive::reader::{Archive, Selector};
use faircopy::archive::segment;
use faircopy::archive::writer::{ArchiveWriter, Options as WriterOptions};
use faircopy::check::problem::{Code, Problem};
use faircopy::check::{Options, Report, check};
use faircopy::digest::Digest;
use faircopy::identity::DocId;
use faircopy::submission::{ClaimId, Declared};

use shelf::{Shelf, fitting, now, unpacked};

/// A small archive with captures of every kind, in several segments: new, with a changed promotion, with a changed story,
/// the same bytes again, the bytes of another document, and a late sidecar.
fn small() -> Shelf {
    let mut shelf = Shelf::new();
    shelf.options = WriterOptions {
        segment_bytes_max: 6_000,
    };
    let mut writer = shelf.writer();
    let groups: [&[(&str, &[&str], &str)]; 5] = [
        &[
            ("a.txt", &["One.", "Two, more."], "Buy"),
            (
                "b.txt",
                &["Other words, a longer paragraph of them."],
                "Sell",
            ),
        ],
        &[("c.txt", &["A third."], "")],
        &[
            ("a.txt", &["One.", "Two, more."], "Buy now"),
            ("a.txt", &["One.", "Two, more."], "Buy now"),
        ],
        &[
            ("a.txt", &["One.", "Two, changed."], "Buy"),
            ("d.txt", &["A third."], ""),
        ],
        &[("e.txt", &["The last one."], "Ad")],
    ];
    for (number, group) in groups.into_iter().enumerate() {
        if number == 4 {
            let source = shelf.draft("b.txt", "", &[]).source;
            let declared = Declared {
                title: Some("Late title".to_owned()),
                ..Declared::default()
            };
            writer.revise(&source, declared, now()).expect("revised");
        }
        let prepared: Vec<_> = group
            .iter()
            .map(|(path, paragraphs, ad)| prepare(fitting(&mut shelf, path, paragraphs, ad)))
            .collect();
        writer.commit(prepared, now()).expect("committed");
    }
    drop(writer);
    shelf
}

fn read_data() -> Options {
    Options {
        read_data: true,
        ..Options::default()
    }
}

fn run(dir: &Path, options: &Options) -> (Vec<Problem>, Report) {
    let mut problems = Vec::new();
    let report = check(dir, options, &mut |problem| problems.push(problem)).expect("checked");
    assert_eq!(report.problems, problems.len() as u64);
    (problems, report)
}

fn has(problems: &[Problem], code: Code) -> bool {
    problems.iter().any(|p| p.code == code)
}

#[test]
fn a_sound_archive_has_no_problem() {
    let shelf = small();
    for options in [Options::default(), read_data()] {
        let (problems, report) = run(&shelf.dir(), &options);
        assert_eq!(problems, []);
        assert_eq!(report.notes, []);
        assert_eq!(report.leaves, 9);
        assert_eq!(report.records > 20, options.read_data, "{report:?}");
    }
    assert!(shelf.dir().join("segments/000002.warc.zst").exists());
    let nowhere = check(&shelf.dir().join("nowhere"), &read_data(), &mut |_| {});
    assert!(nowhere.is_err());
    let empty = tempfile::tempdir().expect("folder");
    assert!(check(empty.path(), &read_data(), &mut |_| {}).is_err());
}

#[test]
fn an_empty_archive_has_no_problem_but_its_missing_catalog() {
    let shelf = Shelf::new();
    let (problems, _) = run(&shelf.dir(), &read_data());
    assert!(
        problems.iter().all(|p| p.code == Code::CatalogMissing),
        "{problems:?}"
    );
    drop(shelf.writer());
    assert_eq!(run(&shelf.dir(), &read_data()).0, []);
}

/// Every file of `folder` and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("list") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Flips one bit in each `step`-th byte of the files of `part`; each must be found, and named: by the record it lies in if
/// there is one, else by the file. Gives the number of flips, and of those that were not found because the same bytes came
/// out.
fn flip_through(dir: &Path, part: &str, step: usize, options: &Options) -> (usize, usize) {
    let whole = unpacked(dir);
    let (mut flips, mut same) = (0, 0);
    for path in files(&dir.join(part)) {
        let file = path.strip_prefix(dir).expect("below").display().to_string();
        let bytes = fs::read(&path).expect("read");
        for at in (flips % step..bytes.len()).step_by(step) {
            flips += 1;
            let mut damaged = bytes.clone();
            // Another bit from byte to byte.
            damaged[at] ^= 1 << ((at / step + at / 8) % 8);
            fs::write(&path, &damaged).expect("written");
            let (problems, _) = run(dir, options);
            if problems.is_empty() {
                assert_eq!(
                    unpacked(dir),
                    whole,
                    "byte {at} of {file} is damaged and nobody says so"
                );
                same += 1;
                continue;
            }
            let record = record_at(&whole, &file, at);
            let named = problems.iter().any(|problem| match &record {
                Some(record) => problem.place == *record,
                None => names(&problem.place, &file, at),
            });
            assert!(named, "byte {at} of {file}, {record:?}: {problems:#?}");
        }
        fs::write(&path, &bytes).expect("written");
    }
    assert_eq!(run(dir, options).0, []);
    (flips, same)
}

/// The place of the record that byte `at` of `file` lies in.
fn record_at(records: &[(String, Vec<u8>)], file: &str, at: usize) -> Option<String> {
    let of_file = records.iter().filter(|(place, _)| place.starts_with(file));
    let mut before = of_file.filter(|(place, _)| names(place, file, at));
    before.next_back().map(|(place, _)| place.clone())
}

/// Whether `found` names `file`, and a place in it from which byte `at` is not before.
fn names(found: &str, file: &str, at: usize) -> bool {
    match found.strip_prefix(file).map(|rest| rest.strip_prefix('@')) {
        Some(None) => true,
        Some(Some(offset)) => offset.parse::<usize>().is_ok_and(|offset| offset <= at),
        None => false,
    }
}

/// Of so many bytes of the segments one is flipped. With 1, of 13,887 flips 38 unpack to the same bytes, and all others are named.
const STEP: usize = 11;

#[test]
fn each_flipped_byte_of_segments_and_log_is_found_and_named() {
    let shelf = small();
    let (flips, same) = flip_through(&shelf.dir(), "segments", STEP, &read_data());
    println!("segments: {flips} flips, {same} of them unpack to the same bytes");
    assert!(
        flips * STEP > 13_000 && same * 50 < flips,
        "{flips}, {same}"
    );
    let (flips, same) = flip_through(&shelf.dir(), "log", 1, &Options::default());
    println!("log: {flips} flips, {same} not found");
    assert!(flips > 1_500 && same == 0, "{flips}, {same}");
}

/// Titles, raw bytes and texts of all captures that can be read, and how many cannot.
fn readable(archive: &Archive) -> (Vec<(DocId, u32)>, usize) {
    let (mut whole, mut broken) = (Vec::new(), 0);
    for document in archive.documents().expect("listed") {
        for row in archive.captures(&document.doc).expect("listed") {
            let read = archive.read_raw(&row).is_ok()
                && archive.read_text(&row).is_ok()
                && archive.read_metadata(&row).is_ok();
            match read {
                true => whole.push((row.doc, row.capture)),
                false => broken += 1,
            }
        }
    }
    (whole, broken)
}

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum Action {
    Delete,
    /// Cut at the place.
    Truncate,
    /// All bits of one byte at the place.
    Flip,
}

const ACTIONS: [Action; 3] = [Action::Delete, Action::Truncate, Action::Flip];

fn damage(path: &Path, at: usize, action: Action) {
    let mut bytes = fs::read(path).expect("read");
    match action {
        Action::Delete => return fs::remove_file(path).expect("removed"),
        Action::Truncate => bytes.truncate(at),
        Action::Flip => bytes[at] ^= 0xFF,
    }
    fs::write(path, bytes).expect("written");
}

#[test]
fn damage_of_each_kind_in_each_place_is_named_and_the_rest_is_read_and_written() {
    let shelf = small();
    let records = unpacked(&shelf.dir());
    let first = "segments/000001.warc.zst";
    let last = segment::list(&shelf.dir())
        .expect("listed")
        .pop()
        .expect("one");
    let last = last.to_string();
    let inside = |file: &str, number: usize| {
        let of_file: Vec<_> = records
            .iter()
            .filter(|(p, _)| p.starts_with(file))
            .collect();
        let (place, _) = of_file[number.min(of_file.len() - 1)];
        place
            .rsplit_once('@')
            .expect("a place")
            .1
            .parse::<usize>()
            .expect("an offset")
            + 30
    };
    // File, byte, most captures that each action may cost.
    let table: [(&str, usize, [usize; 3]); 10] = [
        (first, 10, [8, 8, 0]),
        (first, inside(first, 4), [8, 8, 1]),
        (&last, inside(&last, usize::MAX), [8, 1, 1]),
        ("log/checkpoint", 60, [0; 3]),
        ("log/vkey", 40, [0; 3]),
        ("log/tile/0/000.p/9", 100, [0; 3]),
        ("log/tile/entries/000.p/9", 100, [0; 3]),
        ("catalog.sqlite", 100, [0; 3]),
        ("archive.json", 10, [0; 3]),
        ("FORMAT.md", 0, [0; 3]),
    ];
    for (file, at, lost_max) in table {
        for (action, lost_max) in ACTIONS.into_iter().zip(lost_max) {
            // What FORMAT.md says proves nothing: only its absence is a problem.
            if file == "FORMAT.md" && !matches!(action, Action::Delete) {
                continue;
            }
            let what = format!("{action:?} {file} at {at}");
            let (_folder, paths) = shelf.copied();
            damage(&paths.dir.join(file), at, action);

            let (problems, _) = run(&paths.dir, &read_data());
            let named = problems.iter().any(|p| p.place.starts_with(file));
            assert!(named, "{what}: {problems:#?}");

            let readable_then = Archive::open(&paths.dir).map(|archive| readable(&archive));
            let whole = readable_then.as_ref().map_or(0, |(whole, _)| whole.len());
            assert!(whole + lost_max >= 8, "{what}: {readable_then:?}");

            archive_after_damage(&paths, &what);
            // What was lost stays lost, and stays told; what could be made again is made again.
            let (after, _) = run(&paths.dir, &read_data());
            let in_segments = file.starts_with("segments/") || file == "FORMAT.md";
            assert_eq!(!after.is_empty(), in_segments, "{what}: {after:#?}");
        }
    }
}

/// Whatever was damaged, what comes in is archived, and can be read.
fn archive_after_damage(paths: &Paths, what: &str) {
    let opened = ArchiveWriter::open(paths.clone(), WriterOptions::default());
    let (mut writer, _) = opened.unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut hand = Shelf::new();
    let new = fitting(&mut hand, "new.txt", &["After the damage."], "");
    let new = Draft {
        claim: ClaimId::new(77, [7; 10]),
        ..new
    };
    let outcome = writer.commit(vec![prepare(new)], now());
    let outcome = outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
    let (doc, _) = shelf::new_version(&outcome[0]);
    drop(writer);
    let archive = Archive::open(&paths.dir).expect(what);
    let row = archive.resolve(&doc, &Selector::Latest).expect(what);
    assert_eq!(archive.read_text(&row).expect(what), "After the damage.\n");
}

/// An archive with files of every kind: sealed and hot segments, a changed key, a cosigned checkpoint.
fn of_every_kind() -> Shelf {
    let mut shelf = small();
    let mut writer = shelf.writer();
    assert!(
        !writer
            .compact(false, now())
            .expect("sealed")
            .sealed
            .is_empty()
    );
    let checkpoint = writer.checkpoint().clone();
    Cosigned::read(&shelf.paths().log(), &checkpoint)
        .write(&shelf.paths().log())
        .expect("written");
    writer.rotate_key(now()).expect("changed");
    let draft = fitting(&mut shelf, "z.txt", &["After sealing."], "");
    writer.commit([prepare(draft)], now()).expect("committed");
    drop(writer);
    shelf
}

/// The codes that tell of damage to a file.
fn codes_of(file: &str) -> &'static [Code] {
    let table: [(&str, &[Code]); 12] = [
        ("archive.json", &[Code::ManifestBad]),
        ("FORMAT.md", &[Code::FormatMissing]),
        (
            "catalog.sqlite",
            &[Code::CatalogMissing, Code::CatalogBad, Code::CatalogUnfit],
        ),
        (
            "log/checkpoint",
            &[Code::CheckpointMissing, Code::CheckpointBad, Code::OtherKey],
        ),
        ("log/vkey", &[Code::VerifierBad]),
        ("log/cosigned/", &[Code::CosignedBad]),
        ("log/rotations/", &[Code::RotationBad]),
        (
            "log/tile/entries/",
            &[Code::EntriesMissing, Code::EntryChanged],
        ),
        ("log/tile/", &[Code::HashTileMissing, Code::HashTileWrong]),
        (
            "segments/",
            &[Code::SegmentMissing, Code::SegmentShort, Code::FrameBad],
        ),
        (".dict.zst", &[Code::DictionaryCopyBad]),
        (".sha256", &[Code::SealedDigestBad, Code::SealedUnlike]),
    ];
    let found = table.into_iter().find(|(part, _)| file.contains(part));
    found.map_or(
        &[
            Code::SealedUnlike,
            Code::SegmentMissing,
            Code::SegmentShort,
            Code::DictionaryBad,
            Code::FrameBad,
        ],
        |(_, codes)| codes,
    )
}

#[test]
fn every_kind_of_file_may_be_damaged_at_its_start_middle_and_end() {
    let shelf = of_every_kind();
    assert_eq!(run(&shelf.dir(), &read_data()).0, []);
    let (whole, _) = readable(&shelf.reader());
    for path in files(&shelf.dir()) {
        let name = path
            .strip_prefix(shelf.dir())
            .expect("below")
            .to_string_lossy()
            .into_owned();
        let length = fs::metadata(&path).expect("there").len() as usize;
        let passing = name == "lock" || name.ends_with("-wal") || name.ends_with("-shm");
        if passing {
            continue;
        }
        for action in ACTIONS {
            // The last byte may be a line feed that nobody misses.
            for at in [0, length / 2, length - 2] {
                let is_delete = matches!(action, Action::Delete);
                // What FORMAT.md says proves nothing: only its absence is a problem.
                if is_delete && at > 0 || name == "FORMAT.md" && !is_delete {
                    continue;
                }
                let what = format!("{action:?} {name} at {at}");
                let (_folder, paths) = shelf.copied();
                damage(&paths.dir.join(&name), at, action);
                let (problems, _) = run(&paths.dir, &read_data());
                let codes = codes_of(&name);
                let named = problems
                    .iter()
                    .any(|p| codes.contains(&p.code) && p.place.starts_with(&name));
                // A page of the catalog that holds nothing is nothing; which checkpoints were cosigned is written nowhere else.
                let may_pass = name == "catalog.sqlite" && matches!(action, Action::Flip)
                    || name.starts_with("log/cosigned/") && is_delete;
                assert!(named || may_pass, "{what}: {problems:#?}");
                let archive = Archive::open(&paths.dir).expect(&what);
                let (then, _) = readable(&archive);
                let in_segments = name.ends_with(".warc.zst");
                assert!(in_segments || then.len() == whole.len(), "{what}: {then:?}");
                archive_after_damage(&paths, &what);
            }
        }
    }
}

#[test]
fn two_files_that_were_swapped_are_both_named_and_the_rest_is_read_and_written() {
    let shelf = of_every_kind();
    let (whole, _) = readable(&shelf.reader());
    let all = files(&shelf.dir());
    let name = |path: &Path| {
        path.strip_prefix(shelf.dir())
            .expect("below")
            .to_string_lossy()
            .into_owned()
    };
    let kept: Vec<String> = all
        .iter()
        .map(|path| name(path))
        .filter(|name| name != "lock" && !name.starts_with("catalog.sqlite"))
        .collect();
    for (one, other) in kept.iter().zip(kept.iter().skip(1)) {
        let what = format!("{one} and {other}");
        let (_folder, paths) = shelf.copied();
        let (a, b) = (paths.dir.join(one), paths.dir.join(other));
        let bytes = fs::read(&a).expect("read");
        fs::copy(&b, &a).expect("copied");
        fs::write(&b, bytes).expect("written");
        let (problems, _) = run(&paths.dir, &read_data());
        for file in [one, other] {
            let named = problems.iter().any(|p| p.place.starts_with(file.as_str()));
            assert!(named || file == "FORMAT.md", "{what}: {problems:#?}");
        }
        let archive = Archive::open(&paths.dir).expect(&what);
        let in_segments = what.contains(".warc.zst");
        assert!(
            in_segments || readable(&archive).0.len() == whole.len(),
            "{what}"
        );
        archive_after_damage(&paths, &what);
    }
}

/// Packs the records of the first segment again after `change` changed them: frames with right checksums, as a forger would
/// make them.
fn forge(
    shelf: &Shelf,
    change: impl FnOnce(&mut Vec<Vec<u8>>),
) -> (tempfile::TempDir, Vec<Problem>) {
    let (folder, paths) = shelf.copied();
    let first = "segments/000001.warc.zst";
    let records = unpacked(&paths.dir).into_iter();
    let records = records.filter(|(place, _)| place.starts_with(first));
    let mut records: Vec<_> = records.map(|(_, bytes)| bytes).collect();
    change(&mut records);
    let frames: Vec<_> = records
        .iter()
        .map(|record| frame::compress(&[record]))
        .collect();
    fs::write(paths.dir.join(first), frames.concat()).expect("written");
    // What it says of places is wrong now, and is not what is tested here.
    fs::remove_file(paths.dir.join("catalog.sqlite")).expect("removed");
    let (mut problems, _) = run(&paths.dir, &read_data());
    problems.retain(|problem| problem.code != Code::CatalogMissing);
    (folder, problems)
}

fn of_kind(records: &[Vec<u8>], kind: &str) -> usize {
    let kind = format!("WARC-Type: {kind}");
    let is = |record: &Vec<u8>| {
        record
            .windows(kind.len())
            .any(|part| part == kind.as_bytes())
    };
    records.iter().position(is).expect("one of the kind")
}

/// Replaces text in a record, and puts the digest of its block right.
fn edit(record: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(record.clone()).expect("text");
    let (head, block) = text.split_once("\r\n\r\n").expect("a record");
    let block = block.strip_suffix("\r\n\r\n").expect("a record");
    let changed = block.replacen(from, to, 1);
    assert_eq!(changed.len(), block.len());
    assert_ne!(changed, block);
    let digest = |block: &str| Digest::of(block.as_bytes()).to_string();
    let head = head.replace(&digest(block), &digest(&changed));
    *record = format!("{head}\r\n\r\n{changed}\r\n\r\n").into_bytes();
}

#[test]
fn forged_records_with_right_checksums_are_found() {
    let shelf = small();
    let (_folder, problems) = forge(&shelf, |_| {});
    assert_eq!(problems, [], "packing again changes nothing");

    let (_folder, problems) = forge(&shelf, |records| {
        let raw = of_kind(records, "resource");
        edit(&mut records[raw], "more", "less");
    });
    assert!(has(&problems, Code::RawMissing), "{problems:#?}");

    let (_folder, problems) = forge(&shelf, |records| {
        let text = of_kind(records, "conversion");
        edit(&mut records[text], "more", "less");
    });
    assert!(has(&problems, Code::TextMissing), "{problems:#?}");

    let (_folder, problems) = forge(&shelf, |records| {
        let metadata = of_kind(records, "metadata");
        edit(&mut records[metadata], "A headline", "A deadline");
    });
    assert!(has(&problems, Code::MetadataUnknown), "{problems:#?}");
    assert!(has(&problems, Code::MetadataMissing), "{problems:#?}");

    // A digest in a header that is not the block's.
    let (_folder, problems) = forge(&shelf, |records| {
        let raw = of_kind(records, "resource");
        let text = String::from_utf8(records[raw].clone()).expect("text");
        records[raw] = text.replacen("more", "less", 1).into_bytes();
    });
    assert!(has(&problems, Code::DigestWrong), "{problems:#?}");

    for kind in ["resource", "conversion", "metadata"] {
        let (_folder, problems) = forge(&shelf, |records| {
            let number = of_kind(records, kind);
            records.remove(number);
        });
        let code = match kind {
            "resource" => Code::RawMissing,
            "conversion" => Code::TextMissing,
            _ => Code::MetadataMissing,
        };
        assert!(has(&problems, code), "without a {kind}: {problems:#?}");
        let doc = problems
            .iter()
            .find(|p| p.code == code)
            .and_then(|p| p.doc.clone());
        assert!(doc.is_some(), "the document is named");

        // A record twice, and one that no capture knows.
        let (_folder, problems) = forge(&shelf, |records| {
            let number = of_kind(records, kind);
            let again = records[number].clone();
            records.insert(number, again);
        });
        assert!(
            has(&problems, Code::RecordUnknown),
            "{kind} twice: {problems:#?}"
        );
    }

    let (_folder, problems) = forge(&shelf, |records| records.swap(1, 5));
    assert!(!problems.is_empty());
}

#[test]
fn what_stands_behind_the_last_commit_is_a_note() {
    let shelf = small();
    let numbers = segment::list(&shelf.dir()).expect("listed");
    let last = segment::path(&shelf.dir(), *numbers.last().expect("one"));
    let whole = fs::read(&last).expect("read");
    let records = unpacked(&shelf.dir());
    let frame = frame::compress(&[&records[of_kind_in(&records, "resource")].1]);
    for tail in [&b"torn"[..], &frame, &frame[..frame.len() - 3]] {
        fs::write(&last, [&whole, tail].concat()).expect("written");
        for catalog in [true, false] {
            if !catalog {
                fs::rename(
                    shelf.dir().join("catalog.sqlite"),
                    shelf.folder.path().join("c"),
                )
                .expect("moved");
            }
            let (problems, report) = run(&shelf.dir(), &read_data());
            assert!(
                problems.iter().all(|p| p.code == Code::CatalogMissing),
                "{problems:#?}"
            );
            assert_eq!(report.notes.len(), 1, "{report:?}");
            if !catalog {
                fs::rename(
                    shelf.folder.path().join("c"),
                    shelf.dir().join("catalog.sqlite"),
                )
                .expect("moved");
            }
        }
        // Damage of the last record is none the less found, with the tail behind it.
        let mut damaged = [&whole, tail].concat();
        damaged[whole.len() - 40] ^= 1;
        fs::write(&last, damaged).expect("written");
        let (problems, _) = run(&shelf.dir(), &read_data());
        assert!(
            has(&problems, Code::FrameBad) && has(&problems, Code::MetadataMissing),
            "{problems:#?}"
        );
    }
    // Strangers are told, and are no problem.
    fs::write(&last, &whole).expect("written");
    for stranger in ["notes.txt", "segments/000001.warc", "log/tile/0/old"] {
        fs::write(shelf.dir().join(stranger), "x").expect("written");
    }
    let (problems, report) = run(&shelf.dir(), &read_data());
    assert_eq!(problems, []);
    let mut places: Vec<_> = report
        .notes
        .iter()
        .map(|note| note.place.as_str())
        .collect();
    places.sort_unstable();
    assert_eq!(
        places,
        ["log/tile/0/old", "notes.txt", "segments/000001.warc"]
    );
}

fn of_kind_in(records: &[(String, Vec<u8>)], kind: &str) -> usize {
    let records: Vec<_> = records.iter().map(|(_, bytes)| bytes.clone()).collect();
    of_kind(&records, kind)
}

#[test]
fn a_checkpoint_kept_elsewhere_shows_a_log_that_shrank_or_forked() {
    let mut shelf = small();
    let keep = shelf.folder.path().join("kept");
    let log = shelf.dir().join("log");
    fs::copy(log.join("checkpoint"), &keep).expect("kept");
    let options = Options {
        checkpoint: Some(keep.clone()),
        ..Options::default()
    };
    assert_eq!(run(&shelf.dir(), &options).0, []);

    let (_older, older) = shelf.copied();
    let (_other, other) = shelf.copied();
    let next = fitting(&mut shelf, "z.txt", &["Later."], "");
    shelf
        .writer()
        .commit(vec![prepare(next.clone())], now())
        .expect("committed");
    assert_eq!(run(&shelf.dir(), &options).0, [], "it went on from it");

    // The kept checkpoint is newer than a restored copy.
    fs::copy(log.join("checkpoint"), &keep).expect("kept");
    let (problems, _) = run(&older.dir, &options);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(has(&problems, Code::LogShrunk));

    // The copy goes on by itself, beyond it.
    let (mut writer, _) =
        ArchiveWriter::open(other.clone(), WriterOptions::default()).expect("opened");
    for path in ["x.txt", "y.txt"] {
        let other = fitting(&mut shelf, path, &["Another end."], "");
        writer
            .commit(vec![prepare(other)], now())
            .expect("committed");
    }
    let (problems, _) = run(&other.dir, &options);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(has(&problems, Code::LogForked));

    // Another key than the one that was handed on.
    let stranger = SigningKey::generate("faircopy/stranger")
        .expect("key")
        .verifier();
    let options = Options {
        vkey: Some(stranger),
        ..Options::default()
    };
    assert!(has(&run(&shelf.dir(), &options).0, Code::OtherKey));
    fs::write(&keep, "no checkpoint").expect("written");
    let options = Options {
        checkpoint: Some(keep),
        ..Options::default()
    };
    assert!(has(&run(&shelf.dir(), &options).0, Code::KeptUnusable));
}

#[test]
fn the_shares_of_a_rotation_read_everything() {
    let shelf = small();
    let (_, whole) = run(&shelf.dir(), &read_data());
    let share = |subset, rotation| {
        let options = Options {
            subset: Some(subset),
            rotation,
            ..read_data()
        };
        run(&shelf.dir(), &options)
    };
    for parts in [1u32, 2, 4, 20] {
        let mut records = 0;
        for rotation in 0..u64::from(parts) {
            let (problems, report) = share(1.0 / f64::from(parts), rotation + 52);
            assert_eq!(problems, []);
            records += report.records;
        }
        assert_eq!(records, whole.records, "{parts} parts");
    }
    let refused = Options {
        subset: Some(0.0),
        ..read_data()
    };
    assert!(check(&shelf.dir(), &refused, &mut |_| {}).is_err());

    // Each flipped byte is found by one of the shares.
    let first = shelf.dir().join("segments/000001.warc.zst");
    let bytes = fs::read(&first).expect("read");
    for at in (20..bytes.len()).step_by(211) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        fs::write(&first, damaged).expect("written");
        let found = (0..4)
            .filter(|rotation| !share(0.25, *rotation).0.is_empty())
            .count();
        assert!(found > 0, "byte {at}");
    }
}

#[test]
fn damage_in_a_log_of_several_levels_is_named_where_it_is() {
    let mut shelf = Shelf::new();
    let mut writer = shelf.writer();
    let drafts = (0..600).map(|n| fitting(&mut shelf, &format!("{n}.txt"), &["The same."], ""));
    let prepared: Vec<_> = drafts.map(prepare).collect();
    writer.commit(prepared, now()).expect("committed");
    drop(writer);
    let dir = shelf.dir();
    assert_eq!(run(&dir, &read_data()).0, []);
    for (file, code) in [
        ("log/tile/entries/000", Code::EntryChanged),
        ("log/tile/entries/001", Code::EntryChanged),
        ("log/tile/entries/002.p/88", Code::EntryChanged),
        ("log/tile/0/000", Code::HashTileWrong),
        ("log/tile/0/002.p/88", Code::HashTileWrong),
        ("log/tile/1/000.p/2", Code::HashTileWrong),
    ] {
        let path = dir.join(file);
        let bytes = fs::read(&path).expect("read");
        // The last byte of the second entry, or a byte of the second hash.
        let at = match code {
            Code::EntryChanged => {
                let length =
                    |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
                2 + length(0) + 2 + length(2 + length(0)) - 1
            }
            _ => 40,
        };
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        fs::write(&path, damaged).expect("written");
        let (problems, _) = run(&dir, &Options::default());
        assert_eq!(problems.len(), 1, "{file}: {problems:#?}");
        assert_eq!(problems[0].code, code);
        let offset = problems[0]
            .place
            .strip_prefix(file)
            .and_then(|rest| rest.strip_prefix('@'));
        let offset: usize = offset
            .and_then(|o| o.parse().ok())
            .expect("file and offset");
        assert!(
            offset > 0 && offset <= at && at < offset + 300,
            "{file}: {offset}, {at}"
        );
        // The records are judged all the same: a lost leaf is not held against them.
        let (problems, _) = run(&dir, &read_data());
        assert_eq!(problems.len(), 1, "{file}: {problems:#?}");

        fs::remove_file(&path).expect("removed");
        let (problems, _) = run(&dir, &Options::default());
        assert_eq!(problems.len(), 1, "{file} removed: {problems:#?}");
        assert!(problems[0].place.starts_with(file));
        fs::write(&path, &bytes).expect("restored");
    }
    for lost in ["log/checkpoint", "log/vkey"] {
        let path = dir.join(lost);
        let bytes = fs::read(&path).expect("read");
        fs::remove_file(&path).expect("removed");
        let (problems, report) = run(&dir, &read_data());
        assert_eq!((problems.len(), report.leaves), (1, 600), "{problems:#?}");
        assert_eq!(problems[0].place, lost);
        fs::write(&path, &bytes).expect("restored");
    }
}

#[test]
fn check_runs_while_a_writer_commits() {
    let mut shelf = Shelf::new();
    let mut writer = shelf.writer();
    let first = fitting(&mut shelf, "first.txt", &["The first."], "");
    writer
        .commit(vec![prepare(first)], now())
        .expect("committed");
    let dir = shelf.dir();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..60 {
                let next = fitting(&mut shelf, &format!("{n}.txt"), &["More and more."], "x");
                writer
                    .commit(vec![prepare(next)], now())
                    .expect("committed");
            }
            done.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        let mut runs = 0;
        while !done.load(std::sync::atomic::Ordering::SeqCst) || runs == 0 {
            assert_eq!(run(&dir, &read_data()).0, [], "after {runs} runs");
            runs += 1;
        }
    });
    assert_eq!(run(&dir, &read_data()).1.leaves, 61);
}

#[test]
fn runs_with_a_limit_of_time_go_on_where_the_last_ended_and_read_everything() {
    let mut shelf = Shelf::new();
    let mut writer = shelf.writer();
    for n in 0..150 {
        let text = format!("Gull {n}.");
        let draft = fitting(&mut shelf, &format!("{n}.txt"), &[&text], "");
        writer.commit([prepare(draft)], now()).expect("committed");
    }
    drop(writer);
    let (_, whole) = run(&shelf.dir(), &read_data());
    let timed = |after| Options {
        // No time at all: one stretch of records is read all the same, else nothing would ever be.
        time: Some(std::time::Duration::ZERO),
        after,
        ..read_data()
    };
    let (mut after, mut records, mut ends) = (None, 0, Vec::new());
    for _ in 0..3 {
        let (problems, report) = run(&shelf.dir(), &timed(after));
        assert_eq!(problems, []);
        records += report.records;
        after = report.last_leaf;
        ends.push(after);
    }
    assert_eq!(ends, [Some(63), Some(127), Some(149)]);
    assert_eq!(records, whole.records);
    let (_, report) = run(&shelf.dir(), &timed(after));
    assert_eq!(report.last_leaf, Some(63));
    let long = Options {
        time: Some(std::time::Duration::from_secs(3600)),
        ..timed(Some(63))
    };
    let (_, report) = run(&shelf.dir(), &long);
    assert_eq!(
        (report.records, report.last_leaf),
        (whole.records, Some(63))
    );
}
