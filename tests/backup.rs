//! The recipe of docs/backup.md, run while a writer writes, compacts and goes on; and what it made, restored.

#[path = "common/shelf.rs"]
mod shelf;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use faircopy::archive::Paths;
use faircopy::archive::capture::prepare;
use faircopy::archive::reader::Archive;
use faircopy::archive::writer::{ArchiveWriter, Options};
use faircopy::check::problem::{Code, Problem};
use faircopy::check::{self, check};
use faircopy::identity::DocId;
use shelf::{Shelf, fitting, new_version, now};

/// The script in the documentation.
fn recipe() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/backup.md");
    let text = fs::read_to_string(file).expect("documented");
    let (_, script) = text
        .split_once("```sh file: backup.sh\n")
        .expect("a script");
    script.split_once("```").expect("an end").0.to_owned()
}

#[test]
fn a_backup_of_an_archive_that_is_written_to_has_all_that_was_archived_before_and_is_written_on() {
    let mut shelf = Shelf::new();
    shelf.options = Options {
        segment_bytes_max: 20_000,
    };
    let source = shelf.folder.path().to_owned();
    let backups = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let backups = backups.expect("a folder");
    let (archived, stop) = (Mutex::new(BTreeMap::new()), AtomicBool::new(false));
    let rounds = std::thread::scope(|scope| {
        let _stops = Stop(&stop);
        let writing = scope.spawn(|| write_on(&mut shelf, &archived, &stop));
        for n in 0..4 {
            // It has become larger meanwhile.
            let before = loop {
                let before = archived.lock().expect("not poisoned").clone();
                if before.len() > n * 15 {
                    break before;
                }
                assert!(!writing.is_finished(), "the writer failed");
                std::thread::sleep(Duration::from_millis(5));
            };
            let target = backups.path().join(n.to_string());
            back_up(&source, &target);
            restored_is_sound_and_goes_on(&source, &target, &before);
        }
        stop.store(true, Ordering::Relaxed);
        writing.join().expect("wrote")
    });
    assert!(rounds > 3, "it was written to meanwhile: {rounds}");
}

/// Stops the writer also when the test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Commits captures, several versions of each document, and compacts every now and then; so many rounds.
fn write_on(
    shelf: &mut Shelf,
    archived: &Mutex<BTreeMap<(DocId, u32), String>>,
    stop: &AtomicBool,
) -> usize {
    let mut writer = shelf.writer();
    let long = "The gulls wait for the ferry, and Ada Brill waits with them. ".repeat(30);
    let mut rounds = 0;
    while !stop.load(Ordering::Relaxed) {
        rounds += 1;
        for n in 0..10 {
            let text = format!("Round {rounds}, document {n}. {long}");
            let draft = fitting(shelf, &format!("{n}.txt"), &[&text], "");
            let outcomes = writer.commit([prepare(draft)], now()).expect("committed");
            let mut archived = archived.lock().expect("not poisoned");
            archived.insert(new_version(&outcomes[0]), text);
            drop(archived);
            // Else the archive grows faster than it is copied.
            std::thread::sleep(Duration::from_millis(10));
        }
        if rounds % 3 == 0 {
            writer.compact(true, now()).expect("compacted");
        }
    }
    rounds
}

fn back_up(source: &Path, target: &Path) {
    let script = Command::new("sh")
        .args(["-c", &recipe()])
        .env("SOURCE", source)
        .env("TARGET", target)
        .output()
        .expect("sh is there");
    assert!(
        script.status.success(),
        "{}",
        String::from_utf8_lossy(&script.stderr)
    );
}

fn restored_is_sound_and_goes_on(
    source: &Path,
    target: &Path,
    before: &BTreeMap<(DocId, u32), String>,
) {
    let at = |name: &str| -> PathBuf { target.join(name) };
    fs::create_dir(at("keys")).expect("created");
    for key in ["signing.key", "identity.secret"] {
        fs::copy(source.join("keys").join(key), at("keys").join(key)).expect("copied");
    }
    let paths = Paths {
        dir: at("archive"),
        keys: at("keys"),
        state: at("state"),
    };
    let options = check::Options {
        read_data: true,
        ..check::Options::default()
    };
    let mut problems = Vec::new();
    check(&paths.dir, &options, &mut |problem| problems.push(problem)).expect("checked");
    // It is made anew by whoever writes.
    problems.retain(|problem: &Problem| problem.code != Code::CatalogMissing);
    assert_eq!(problems, []);

    let archive = Archive::open(&paths.dir).expect("opened");
    for ((doc, version), text) in before {
        let rows = archive.versions(doc).expect("listed");
        let row = rows
            .iter()
            .find(|row| row.version == *version)
            .expect("in the backup");
        assert_eq!(archive.read_text(row).expect("sound"), format!("{text}\n"));
        assert_eq!(
            archive.read_raw(row).expect("sound"),
            format!("{text}\n").as_bytes()
        );
    }
    let (mut writer, _) = ArchiveWriter::open(paths, Options::default()).expect("opened");
    let size = writer.checkpoint().size;
    assert!(size >= before.len() as u64);
    let mut shelf = Shelf::new();
    shelf.claims = 1_000_000;
    let draft = fitting(&mut shelf, "later.txt", &["Later."], "");
    writer.commit([prepare(draft)], now()).expect("committed");
    assert_eq!(writer.checkpoint().size, size + 1);
}

#[test]
fn an_older_backup_beside_the_state_that_knows_better_is_refused() {
    let mut shelf = Shelf::new();
    let mut writer = shelf.writer();
    let draft = fitting(&mut shelf, "a.txt", &["One."], "");
    writer.commit([prepare(draft)], now()).expect("committed");
    let target = shelf.folder.path().join("backup");
    back_up(shelf.folder.path(), &target);
    let draft = fitting(&mut shelf, "a.txt", &["Two."], "");
    writer.commit([prepare(draft)], now()).expect("committed");
    drop(writer);
    fs::remove_dir_all(shelf.dir()).expect("lost");
    fs::rename(target.join("archive"), shelf.dir()).expect("restored");
    let refused = ArchiveWriter::open(shelf.paths(), Options::default());
    let Err(error) = refused else {
        panic!("the log would fork");
    };
    assert!(error.to_string().contains("older copy"), "{error}");
    // It can be read all the same.
    assert_eq!(shelf.reader().documents().expect("listed").len(), 1);
}
