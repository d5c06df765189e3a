//! Repair: a sound archive from what is sound; what is lost is known as lost; the damaged one stays as it is.

mod common;
#[path = "common/shelf.rs"]
mod shelf;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::daemon::Desk;
use faircopy::archive::Paths;
use faircopy::archive::capture::prepare;
use faircopy::archive::catalog::CaptureRow;
use faircopy::archive::reader::Archive;
use faircopy::archive::segment::{Found, Position, SegmentReader};
use faircopy::archive::warc::Record;
use faircopy::archive::writer::{ArchiveWriter, Options};
use faircopy::check::problem::{Code, Problem};
use faircopy::check::{self, check};
use faircopy::repair::{LeftOut, Repaired, repair, salvage_folder};
use shelf::{Shelf, fitting, now};

/// Several segments with captures of every kind; with `sealed` the first of them are sealed.
fn small(sealed: bool) -> Shelf {
    let mut shelf = Shelf::new();
    shelf.options = Options {
        segment_bytes_max: 8_000,
    };
    let mut writer = shelf.writer();
    for n in 0..12 {
        let path = format!("{}.txt", n % 4);
        let text = format!("Ada Brill counted {} gulls at the quay.", n / 2);
        let draft = fitting(&mut shelf, &path, &[&text], "Subscribe!");
        writer.commit([prepare(draft)], now()).expect("committed");
    }
    let source = shelf.draft("1.txt", "", &[]).source;
    let late = faircopy::submission::Declared {
        title: Some("Late".to_owned()),
        ..Default::default()
    };
    writer.revise(&source, late, now()).expect("revised");
    if sealed {
        let done = writer.compact(false, now()).expect("compacted");
        assert!(!done.sealed.is_empty());
        let draft = fitting(&mut shelf, "5.txt", &["After sealing."], "");
        writer.commit([prepare(draft)], now()).expect("committed");
    }
    shelf
}

struct Rescue {
    folder: tempfile::TempDir,
    paths: Paths,
    repaired: Repaired,
    told: Vec<LeftOut>,
    problems: Vec<Problem>,
}

fn rescue(shelf: &Shelf) -> Rescue {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.expect("a folder");
    let paths = Paths {
        dir: folder.path().join("archive"),
        ..shelf.paths()
    };
    let mut told = Vec::new();
    let repaired = repair(&shelf.paths(), &paths.dir, now(), &mut |l| told.push(l));
    let repaired = repaired.expect("built");
    let mut problems = Vec::new();
    let options = check::Options {
        read_data: true,
        ..check::Options::default()
    };
    check(&paths.dir, &options, &mut |p| problems.push(p)).expect("checked");
    Rescue {
        folder,
        paths,
        repaired,
        told,
        problems,
    }
}

/// All that can be read, by document and capture.
fn readable(archive: &Archive) -> BTreeMap<(String, u32), (Vec<u8>, String)> {
    let mut found = BTreeMap::new();
    for document in archive.documents().expect("listed") {
        for row in archive.captures(&document.doc).expect("listed") {
            let read = |row: &CaptureRow| -> Result<_, faircopy::archive::Error> {
                archive.read_metadata(row)?;
                Ok((archive.read_raw(row)?, archive.read_text(row)?))
            };
            if let Ok(read) = read(&row) {
                found.insert((row.doc.0.clone(), row.capture), read);
            }
        }
    }
    found
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("listed") {
            let path = entry.expect("an entry").path();
            // SQLite's own, which come and go with each reader.
            let name = path.to_string_lossy().into_owned();
            if name.ends_with("-wal") || name.ends_with("-shm") {
                continue;
            }
            match path.is_dir() {
                true => folders.push(path),
                false => drop(found.insert(path.clone(), fs::read(&path).expect("read"))),
            }
        }
    }
    found
}

#[test]
fn a_sound_archive_is_copied_whole() {
    for sealed in [false, true] {
        let shelf = small(sealed);
        let before = files(&shelf.dir());
        let rescue = rescue(&shelf);
        assert_eq!(rescue.told, []);
        assert_eq!(rescue.problems, []);
        assert_eq!(rescue.repaired.salvaged, 0);
        let archive = Archive::open(&rescue.paths.dir).expect("opened");
        assert_eq!(readable(&archive), readable(&shelf.reader()));
        assert!(files(&shelf.dir()) == before);
        // Nothing is built over anything.
        let again = repair(&shelf.paths(), &rescue.paths.dir, now(), &mut |_| {});
        assert!(again.is_err());
    }
}

#[test]
fn damage_anywhere_leaves_a_sound_archive_that_knows_what_is_lost_and_is_written_on() {
    for sealed in [false, true] {
        let whole = readable(&small(sealed).reader()).len();
        let names: Vec<PathBuf> = {
            let shelf = small(sealed);
            let all = files(&shelf.dir()).into_keys();
            let names = all.map(|path| path.strip_prefix(shelf.dir()).expect("below").to_owned());
            names.filter(|name| !name.starts_with("lock")).collect()
        };
        for name in names {
            for action in ["delete", "truncate", "flip"] {
                let what = format!("{action} {}", name.display());
                let mut shelf = small(sealed);
                let path = shelf.dir().join(&name);
                let mut bytes = fs::read(&path).expect("read");
                match action {
                    "delete" => fs::remove_file(&path).expect("removed"),
                    "truncate" => fs::write(&path, &bytes[..bytes.len() / 2]).expect("written"),
                    _ => {
                        let middle = bytes.len() / 2;
                        if let Some(byte) = bytes.get_mut(middle) {
                            *byte ^= 0x10;
                        }
                        fs::write(&path, &bytes).expect("written");
                    }
                }
                let damaged = files(&shelf.dir());
                let readable_before = Archive::open(&shelf.dir()).map(|a| readable(&a));
                let rescue = rescue(&shelf);
                assert!(damaged == files(&shelf.dir()), "{what}");
                let lost = [
                    Code::MetadataMissing,
                    Code::RawMissing,
                    Code::TextMissing,
                    Code::TargetMissing,
                ];
                let other: Vec<_> = rescue
                    .problems
                    .iter()
                    .filter(|p| !lost.contains(&p.code))
                    .collect();
                assert!(other.is_empty(), "{what}: {other:?}");
                let archive = Archive::open(&rescue.paths.dir).expect("opened");
                let after = readable(&archive);
                if let Ok(before) = readable_before {
                    let missed: Vec<_> = before
                        .keys()
                        .filter(|key| !after.contains_key(*key))
                        .collect();
                    assert!(missed.is_empty(), "{what}: {missed:?}");
                }
                let in_segment = name.starts_with("segments") || name.starts_with("sealed");
                assert!(in_segment || after.len() == whole, "{what}");
                assert!(
                    rescue.problems.is_empty() || !rescue.told.is_empty(),
                    "{what}"
                );

                let (mut writer, _) =
                    ArchiveWriter::open(rescue.paths.clone(), shelf.options.clone())
                        .expect("opened");
                let draft = fitting(&mut shelf, "later.txt", &["Later."], "");
                writer.commit([prepare(draft)], now()).expect("committed");
                drop(writer);
                let archive = Archive::open(&rescue.paths.dir).expect("opened");
                assert_eq!(readable(&archive).len(), after.len() + 1, "{what}");
                drop(rescue.folder);
            }
        }
    }
}

/// Where the first record of this kind lies in the first segment, and how long it is.
fn first_of(shelf: &Shelf, kind: &str) -> (usize, usize) {
    let start = Position {
        segment: 1.into(),
        offset: 0,
    };
    for found in SegmentReader::open(&shelf.dir(), start).expect("opened") {
        if let Found::Record { location, bytes } = found.expect("read")
            && Record::parse(&bytes).expect("a record").kind() == kind
        {
            return (location.offset as usize, location.length as usize);
        }
    }
    panic!("no {kind}");
}

fn spoil(shelf: &Shelf, (at, length): (usize, usize)) {
    let path = shelf.dir().join("segments/000001.warc.zst");
    let mut bytes = fs::read(&path).expect("read");
    bytes[at + 8..at + length].fill(0);
    fs::write(&path, bytes).expect("written");
}

#[test]
fn raw_bytes_of_a_lost_capture_are_salvaged_or_go_to_the_one_that_shares_them() {
    let mut shelf = Shelf::new();
    let mut writer = shelf.writer();
    for (path, text) in [
        ("a.txt", "Shared."),
        ("b.txt", "Alone."),
        ("c.txt", "Shared."),
        ("d.txt", "Shared."),
    ] {
        let draft = fitting(&mut shelf, path, &[text], "");
        writer.commit([prepare(draft)], now()).expect("committed");
    }
    drop(writer);
    let whole = readable(&shelf.reader());
    // The first capture is the one that the others' revisits refer to.
    spoil(&shelf, first_of(&shelf, "metadata"));
    let rescue = rescue(&shelf);
    let codes: Vec<_> = rescue.problems.iter().map(|p| p.code).collect();
    assert_eq!(codes, [Code::MetadataMissing]);
    let after = readable(&Archive::open(&rescue.paths.dir).expect("opened"));
    assert_eq!(after.len(), whole.len() - 1);
    assert!(after.iter().all(|(key, read)| whole[key] == *read));
    // Its bytes went to the next; its text is beside.
    let salvaged: Vec<_> = files(&salvage_folder(&rescue.paths.dir))
        .into_values()
        .collect();
    assert_eq!(salvaged, [b"Shared.\n".to_vec()]);
    assert_eq!(rescue.repaired.salvaged, 1);
}

#[test]
fn damaged_entries_are_made_again_from_the_catalog_if_the_tree_proves_them() {
    let shelf = small(false);
    let log = shelf.paths().log();
    let tile = log.join("tile/entries/000.p/13");
    let whole = fs::read(&tile).expect("read");
    for at in (3..whole.len()).step_by(53) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&tile, bytes).expect("written");
        let rescue = rescue(&shelf);
        assert_eq!(rescue.problems, [], "{at}");
        let made = fs::read(rescue.paths.log().join("tile/entries/000.p/13"));
        assert_eq!(made.expect("read"), whole, "{at}");
        assert_eq!(rescue.told.len(), 1);
    }
}

#[test]
fn the_command_builds_lists_and_checks() {
    let desk = Desk::new("");
    for (name, text) in [
        ("a.txt", "The ferry\n\nIt sails.\n"),
        ("b.txt", "The gulls\n\nThey stay.\n"),
    ] {
        let file = desk.sandbox.write(name, text);
        desk.run(&["add", file.to_str().expect("plain")]).expect(0);
    }
    let to = desk.path("rescued");
    let to = to.to_str().expect("plain");
    desk.run(&["repair", "--to", to]).expect(0);
    desk.run(&["repair", "--to", to]).expect(1);
    desk.run(&["check", "--read-data", "--archive", to])
        .expect(0);
    let segment = desk.path("archive/segments/000001.warc.zst");
    let mut bytes = fs::read(&segment).expect("read");
    let end = bytes.len();
    bytes[end - 40] ^= 1;
    fs::write(&segment, bytes).expect("written");
    let other = desk.path("other");
    let rows = desk
        .run(&["repair", "--to", other.to_str().expect("plain"), "--json"])
        .expect(3)
        .json();
    assert!(rows[0]["left_out"]["where"].as_str().is_some());
    assert_eq!(rows.last().expect("a row")["problems"], 1);
}
