//! The grid of damage: each file of an archive, deleted, cut, flipped and swapped, at its start, middle and end. Each is told
//! with a code of its kind, what is not damaged is read, and new captures are archived.

#![allow(clippy::unwrap_used)]

#[path = "common/shelf.rs"]
mod shelf;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use faircopy::archive::capture::{Draft, prepare};
use faircopy::archive::reader::Archive;
use faircopy::archive::writer::{ArchiveWriter, Options as WriterOptions};
use faircopy::check::problem::Code;
use faircopy::digest::Digest;
use faircopy::submission::ClaimId;

use shelf::{Shelf, fitting, now, problems, unpacked};

/// Two sealed segments, two that are written to, and what belongs to them.
fn stocked() -> Shelf {
    let mut shelf = Shelf::new();
    shelf.options = WriterOptions {
        segment_bytes_max: 7_000,
    };
    for round in 0..4 {
        let mut writer = shelf.writer();
        for number in 0..3 {
            let path = format!("{number}.txt");
            let text =
                format!("The ferry {number} sails for the {round}. time from the harbour of Tarn.");
            let draft = fitting(&mut shelf, &path, &[&text], "Tickets");
            writer.commit(vec![prepare(draft)], now()).unwrap();
        }
        if round == 1 || round == 2 {
            writer.compact(true, now()).unwrap();
        }
    }
    shelf
}

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Action {
    Delete,
    Truncate,
    Flip,
    Swap,
}

const ACTIONS: [Action; 4] = [Action::Delete, Action::Truncate, Action::Flip, Action::Swap];

/// What kind of file it is, the codes that damage to it may have, and whether its loss costs captures.
struct Kind {
    is: fn(&str) -> bool,
    codes: &'static [Code],
    holds_records: bool,
}

const KINDS: &[Kind] = &[
    Kind {
        is: |file| file == "archive.json",
        codes: &[Code::ManifestBad, Code::ManifestUnfit],
        holds_records: false,
    },
    Kind {
        is: |file| file == "log/checkpoint",
        codes: &[Code::CheckpointMissing, Code::CheckpointBad, Code::OtherKey],
        holds_records: false,
    },
    Kind {
        is: |file| file == "log/vkey",
        codes: &[Code::VerifierBad, Code::OtherKey, Code::CheckpointBad],
        holds_records: false,
    },
    Kind {
        is: |file| file.starts_with("log/tile/entries"),
        codes: &[
            Code::EntriesMissing,
            Code::EntryChanged,
            Code::LeafUnfit,
            Code::RootWrong,
        ],
        holds_records: false,
    },
    Kind {
        is: |file| file.starts_with("log/tile/"),
        codes: &[Code::HashTileMissing, Code::HashTileWrong],
        holds_records: false,
    },
    Kind {
        is: |file| file == "catalog.sqlite",
        codes: &[Code::CatalogMissing, Code::CatalogBad, Code::CatalogUnfit],
        holds_records: false,
    },
    Kind {
        is: |file| file.starts_with("sealed/") && file.contains(".dict"),
        codes: &[Code::DictionaryCopyBad],
        holds_records: false,
    },
    Kind {
        is: |file| file.ends_with(".sha256"),
        codes: &[Code::SealedDigestBad, Code::SealedUnlike],
        holds_records: false,
    },
    Kind {
        is: |file| file.starts_with("segments/") || file.starts_with("sealed/"),
        codes: &[
            Code::SegmentMissing,
            Code::SegmentShort,
            Code::FrameBad,
            Code::SealedUnlike,
            Code::DictionaryBad,
            Code::CatalogUnfit,
            Code::MetadataMissing,
        ],
        holds_records: true,
    },
];

fn kind(file: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| (kind.is)(file))
}

fn files(dir: &Path) -> Vec<String> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => walk(&path, found),
                false => found.push(path),
            }
        }
    }
    let mut found = Vec::new();
    walk(dir, &mut found);
    let relative = found.iter().map(|p| p.strip_prefix(dir).unwrap());
    let mut names: Vec<String> = relative.map(|p| p.to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// The captures that can be read whole: their raw bytes, text and metadata, with the file that the metadata lies in.
fn readable(dir: &Path) -> BTreeMap<(String, u32), (Digest, String)> {
    let archive = Archive::open(dir).unwrap();
    let mut whole = BTreeMap::new();
    for document in archive.documents().unwrap() {
        for row in archive.captures(&document.doc).unwrap() {
            let read = (
                archive.read_raw(&row),
                archive.read_text(&row),
                archive.read_metadata(&row),
            );
            if let (Ok(raw), Ok(_), Ok(_)) = read {
                let place = row.locations.metadata.to_string();
                let file = place.split('@').next().unwrap().to_owned();
                whole.insert((row.doc.0, row.capture), (Digest::of(&raw), file));
            }
        }
    }
    whole
}

/// The file that a file is swapped with: the next of its kind, else the next of all.
fn partner<'a>(all: &'a [String], file: &str) -> &'a String {
    let at = all.iter().position(|other| other == file).unwrap();
    let after = || all[at + 1..].iter().chain(&all[..at]);
    let same = |other: &&String| match (kind(file), kind(other)) {
        (Some(one), Some(other)) => std::ptr::eq(one, other),
        _ => false,
    };
    after().find(same).or_else(|| after().next()).unwrap()
}

fn damage(dir: &Path, file: &str, action: Action, at: usize, all: &[String]) -> Vec<String> {
    let path = dir.join(file);
    let mut bytes = fs::read(&path).unwrap();
    match action {
        Action::Delete => fs::remove_file(&path).unwrap(),
        Action::Truncate => {
            bytes.truncate(at);
            fs::write(&path, bytes).unwrap();
        }
        Action::Flip => {
            let sound = unpacked(dir);
            let holds_records = kind(file).is_some_and(|kind| kind.holds_records);
            let mut at = at;
            loop {
                bytes[at] ^= 0x01;
                fs::write(&path, &bytes).unwrap();
                // zstd has bits that say nothing: to flip one is no damage, and the next byte is taken.
                if !holds_records || unpacked(dir) != sound {
                    break;
                }
                bytes[at] ^= 0x01;
                at = (at + 1) % bytes.len();
            }
        }
        Action::Swap => {
            let other = partner(all, file);
            let others = fs::read(dir.join(other)).unwrap();
            fs::write(&path, others).unwrap();
            fs::write(dir.join(other), bytes).unwrap();
            return vec![file.to_owned(), other.clone()];
        }
    }
    vec![file.to_owned()]
}

#[test]
fn each_file_times_each_damage_times_each_place_is_told_survived_and_written_after() {
    let shelf = stocked();
    drop(shelf.writer());
    let before = readable(&shelf.dir());
    assert_eq!(before.len(), 12);
    let all = files(&shelf.dir());
    let in_grid: Vec<&String> = all.iter().filter(|file| kind(file).is_some()).collect();
    for needed in [
        "sealed/",
        "segments/",
        "log/tile/0",
        ".sha256",
        ".dict",
        "catalog",
    ] {
        assert!(in_grid.iter().any(|file| file.contains(needed)), "{all:?}");
    }
    for file in in_grid {
        let bytes = fs::read(shelf.dir().join(file)).unwrap();
        // A line feed at the end says nothing.
        let length = bytes.len() - usize::from(bytes.ends_with(b"\n"));
        for action in ACTIONS {
            let places: &[usize] = match action {
                Action::Delete | Action::Swap => &[0],
                Action::Truncate | Action::Flip => &[0, length / 2, length - 1],
            };
            for &at in places {
                one_case(&shelf, &all, file, action, at, &before);
            }
        }
    }
}

fn one_case(
    shelf: &Shelf,
    all: &[String],
    file: &str,
    action: Action,
    at: usize,
    before: &BTreeMap<(String, u32), (Digest, String)>,
) {
    let what = format!("{action:?} {file} at {at}");
    let (_folder, paths) = shelf.copied();
    let raw_before = fs::read(paths.dir.join(file)).unwrap();
    let hurt = damage(&paths.dir, file, action, at, all);
    if hurt
        .iter()
        .all(|hurt| fs::read(paths.dir.join(hurt)).is_ok_and(|b| b == raw_before))
    {
        return; // two files with the same bytes
    }
    let found = problems(&paths.dir).0;
    let codes: Vec<Code> = found.iter().map(|problem| problem.code).collect();
    let of_kind = |file: &String| kind(file).map_or(&[][..], |kind| kind.codes);
    let expected: Vec<Code> = hurt.iter().flat_map(of_kind).copied().collect();
    let is_told = codes.iter().any(|code| expected.contains(code));
    // A changed bit in the pages of a catalog that hold nothing, or are not compared, is nobody's loss.
    let may_be_idle = file.starts_with("catalog.sqlite") && action == Action::Flip;
    assert!(
        is_told || may_be_idle && codes.is_empty(),
        "{what}: {found:#?}"
    );

    let after = readable(&paths.dir);
    for (id, (raw, place)) in before {
        let lies_in_damage = hurt.iter().any(|file| {
            kind(file).is_some_and(|k| k.holds_records) && place.starts_with(file.as_str())
        });
        match after.get(id) {
            Some((read, _)) => assert_eq!(read, raw, "{what}: other bytes are read"),
            // The raw bytes of a duplicate lie in another file than its metadata.
            None => assert!(
                lies_in_damage
                    || hurt
                        .iter()
                        .any(|f| kind(f).is_some_and(|k| k.holds_records)),
                "{what}: {id:?} is lost"
            ),
        }
    }
    let (mut writer, _) = ArchiveWriter::open(paths.clone(), WriterOptions::default())
        .unwrap_or_else(|error| {
            let mut text = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(error) = source {
                text.push_str(&format!(": {error}"));
                source = error.source();
            }
            panic!("{what}: {text}")
        });
    let mut hand = Shelf::new();
    let new = fitting(&mut hand, "new.txt", &["After the damage."], "");
    let new = Draft {
        claim: ClaimId::new(77, [7; 10]),
        ..new
    };
    let archived = writer.commit(vec![prepare(new)], now());
    let archived = archived.unwrap_or_else(|error| panic!("{what}: {error}"));
    let (doc, _) = shelf::new_version(&archived[0]);
    drop(writer);
    let again = readable(&paths.dir);
    assert!(again.contains_key(&(doc.0, 1)), "{what}: the new capture");
    for id in after.keys() {
        assert!(
            again.contains_key(id),
            "{what}: {id:?} could be read before"
        );
    }
}
