//! Commits that are interrupted: each step fails, with and without its effect kept; then the same writer goes on, or the
//! process is a new one. Nothing is lost, doubled or left over.

#[path = "common/shelf.rs"]
mod shelf;

use std::fs;

use faircopy::archive::capture::{Prepared, prepare};
use faircopy::archive::reader::Archive;
use faircopy::archive::segment;
use faircopy::archive::writer::{ArchiveWriter, Fault, Options, Step};
use faircopy::archive::{Error, Paths};
use faircopy::identity::Archived;

use shelf::{COMMIT_STEPS, Shelf, now};

/// How it goes on after the failure.
#[derive(Debug, Clone, Copy)]
enum Then {
    TheSameWriterRetries,
    ANewProcessRetries,
    ANewProcessRetriesWithoutCatalog,
    ANewProcessDoesSomethingElseFirst,
}

const THENS: [Then; 4] = [
    Then::TheSameWriterRetries,
    Then::ANewProcessRetries,
    Then::ANewProcessRetriesWithoutCatalog,
    Then::ANewProcessDoesSomethingElseFirst,
];

fn remove_catalog(paths: &Paths) {
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(
            paths.dir.join(format!("catalog.sqlite{suffix}")),
        ));
    }
}

/// What was there before: one document. What is committed: a new version, a duplicate, another document, the same bytes twice.
fn a_group(shelf: &mut Shelf) -> Vec<Prepared> {
    [
        ("a", "Two."),
        ("a", "Two."),
        ("b", "One."),
        ("c", "Three."),
        ("d", "Three."),
    ]
    .map(|(path, text)| shelf.prepared(path, text, &[text]))
    .into()
}

fn number_of(outcome: &Archived) -> u32 {
    match outcome {
        Archived::New(c, _) | Archived::Unchanged(c, _) | Archived::Duplicate(c, _) => c.capture,
    }
}

#[test]
fn whatever_step_fails_a_retry_archives_everything_once() {
    for roll_over in [false, true] {
        for step in COMMIT_STEPS {
            for fault in [Fault::WithoutEffect, Fault::WithEffect] {
                for then in THENS {
                    interrupted(roll_over, step, fault, then);
                }
            }
        }
    }
}

fn interrupted(roll_over: bool, step: Step, fault: Fault, then: Then) {
    let case = format!("{step:?} {fault:?} {then:?}, roll over: {roll_over}");
    let mut shelf = Shelf::new();
    if roll_over {
        shelf.options = Options {
            segment_bytes_max: 1,
        };
    }
    let mut writer = shelf.writer();
    let first = [shelf.prepared("a", "One.", &["One."])];
    writer.commit(first, now()).expect("committed");
    let group = a_group(&mut shelf);
    writer.fail_at(step, fault);
    let error = writer.commit(&group, now()).expect_err(&case);
    assert!(error.to_string().contains("a test lets it fail"), "{error}");

    let is_committed = matches!(
        (step, fault),
        (Step::ReplaceCheckpoint, Fault::WithEffect)
            | (Step::CopyCheckpoint | Step::CommitCatalog, _)
    );
    // A reader sees all of the group or nothing of it, before anybody recovers anything.
    let expected = if is_committed { 6 } else { 1 };
    let counts = Archive::open(&shelf.dir()).expect("opened").counts();
    assert_eq!(counts.expect("counted").captures, expected, "{case}");

    match then {
        Then::TheSameWriterRetries => {}
        Then::ANewProcessRetries => {
            drop(writer);
            writer = shelf.writer();
        }
        Then::ANewProcessRetriesWithoutCatalog => {
            drop(writer);
            remove_catalog(&shelf.paths());
            writer = shelf.writer();
        }
        Then::ANewProcessDoesSomethingElseFirst => {
            drop(writer);
            writer = shelf.writer();
            let other = [shelf.prepared("e", "Else.", &["Else."])];
            writer.commit(other, now()).expect("committed");
        }
    }
    let outcomes = writer.commit(&group, now()).expect(&case);
    let numbers: Vec<u32> = outcomes.iter().map(number_of).collect();
    assert_eq!(numbers, [2, 3, 1, 1, 1], "{case}");
    drop(writer);
    is_whole(&shelf, &case);
}

/// No finding on opening, every capture sound, no byte in the segments that a rebuild does not account for.
fn is_whole(shelf: &Shelf, case: &str) {
    let (writer, recovery) = shelf.open();
    assert_eq!(recovery.findings.len(), 0, "{case}: {recovery:?}");
    let size = writer.checkpoint().size;
    drop(writer);
    let before = captures(shelf, case);
    assert_eq!(before.len() as u64, size, "{case}");
    let segments = segment::list(&shelf.dir()).expect("listed");
    let lengths = |shelf: &Shelf| -> Vec<u64> {
        let paths = segments.iter().map(|n| segment::path(&shelf.dir(), *n));
        paths
            .map(|p| fs::metadata(p).expect("there").len())
            .collect()
    };
    let lengths_before = lengths(shelf);
    remove_catalog(&shelf.paths());
    let (_, recovery) = shelf.open();
    assert_eq!(recovery.findings.len(), 1, "{case}: {recovery:?}");
    assert_eq!(captures(shelf, case), before, "{case}");
    assert_eq!(lengths(shelf), lengths_before, "{case}");
}

fn captures(shelf: &Shelf, case: &str) -> Vec<(u64, String, u32, u32, Vec<u8>)> {
    let archive = shelf.reader();
    let mut captures = Vec::new();
    for document in archive.documents().expect(case) {
        for row in archive.captures(&document.doc).expect(case) {
            archive.read_metadata(&row).expect(case);
            let raw = archive.read_raw(&row).expect(case);
            captures.push((row.leaf, row.doc.0.clone(), row.capture, row.version, raw));
        }
    }
    captures.sort();
    captures
}

#[test]
fn a_commit_torn_at_any_byte_leaves_what_was_before_it() {
    let mut shelf = Shelf::new();
    let first = [shelf.prepared("a", "One.", &["One."])];
    shelf.writer().commit(first, now()).expect("committed");
    let path = segment::path(&shelf.dir(), 1);
    let before = fs::read(&path).expect("read");
    let group = a_group(&mut shelf);
    // What a commit writes, got from one that is interrupted by a process that dies: its bytes are taken from a copy.
    let torn = {
        let mut other = Shelf::new();
        let first = [other.prepared("a", "One.", &["One."])];
        let mut writer = other.writer();
        writer.commit(first, now()).expect("committed");
        let start = fs::metadata(segment::path(&other.dir(), 1))
            .expect("there")
            .len();
        writer.commit(&group, now()).expect("committed");
        let bytes = fs::read(segment::path(&other.dir(), 1)).expect("read");
        bytes[usize::try_from(start).expect("small")..].to_vec()
    };
    for length in (1..torn.len()).step_by(97).chain([torn.len()]) {
        fs::write(&path, [&before, &torn[..length]].concat()).expect("written");
        if length % 2 == 0 {
            remove_catalog(&shelf.paths());
        }
        drop(shelf.writer());
        assert_eq!(fs::read(&path).expect("read"), before, "{length}");
    }
    shelf.writer().commit(&group, now()).expect("committed");
    is_whole(&shelf, "after all that");
}

/// A small file system of its own, if this user may mount one.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: &std::path::Path) -> Option<SmallDisk> {
        fs::create_dir_all(at).expect("created");
        let mut mount = std::process::Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=1m,nr_inodes=200", "tmpfs"])
            .arg(at);
        let mounted = mount.stderr(std::process::Stdio::null()).status();
        mounted
            .is_ok_and(|s| s.success())
            .then(|| SmallDisk(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(
            std::process::Command::new("umount")
                .arg("-l")
                .arg(&self.0)
                .status(),
        );
    }
}

#[test]
fn on_a_full_disk_nothing_changes_and_when_there_is_space_again_it_goes_on() {
    let mut shelf = Shelf::new();
    let paths = shelf.paths();
    let Some(_disk) = SmallDisk::mount(&paths.dir.join(segment::FOLDER)) else {
        let required = std::env::var_os("FAIRCOPY_REQUIRE_ALL").is_some();
        assert!(!required, "this test needs the right to mount a tmpfs");
        eprintln!("skipped: needs the right to mount a tmpfs");
        return;
    };
    let mut writer = shelf.writer();
    let first = [shelf.prepared("a", "One.", &["One."])];
    writer.commit(first, now()).expect("committed");
    let path = segment::path(&shelf.dir(), 1);
    let before = fs::read(&path).expect("read");
    let ballast = shelf.dir().join(segment::FOLDER).join("ballast");
    fs::write(&ballast, vec![1; 700_000]).expect("written");

    // Bytes that do not compress.
    let mut draft = shelf.draft("b", "", &["Two."]);
    let mut state = 1_u64;
    draft.raw = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(500_000)
    .collect();
    draft.digests = draft
        .article
        .digests(faircopy::digest::Digest::of(&draft.raw));
    let large = [prepare(draft.clone())];
    for _ in 0..3 {
        let error = writer.commit(&large, now()).expect_err("the disk is full");
        let Error::Record { source, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).expect("read"), before);
        // What fits still goes in.
        assert_eq!(writer.checkpoint().size, 1);
    }
    fs::remove_file(&ballast).expect("removed");
    writer.commit(&large, now()).expect("there is space again");
    drop(writer);
    is_whole(&shelf, "after the disk was full");
    let archive = shelf.reader();
    let latest = archive
        .documents()
        .expect("listed")
        .pop()
        .expect("some")
        .latest;
    assert_eq!(archive.read_raw(&latest).expect("sound"), draft.raw);
}

#[test]
fn a_writer_that_dies_leaves_no_lock() {
    let shelf = Shelf::new();
    let writer = shelf.writer();
    drop(writer);
    ArchiveWriter::open(shelf.paths(), shelf.options.clone()).expect("not locked");
}
