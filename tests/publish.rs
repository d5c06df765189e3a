//! Publishing: what is handed out always goes on from what was handed out before, and witnesses' words are verified and kept.

mod common;
#[path = "common/shelf.rs"]
mod shelf;
#[path = "common/witness.rs"]
mod witness;

use std::fs;
use std::path::Path;

use common::Sandbox;
use common::daemon::Desk;
use faircopy::archive::capture::prepare;
use faircopy::archive::log::cosigned::Cosigned;
use faircopy::archive::log::note::Checkpoint;
use faircopy::archive::log::reader::read_verifier;
use faircopy::archive::{self, Error as ArchiveError};
use faircopy::publish::{self, Handed, Options, publish};
use faircopy::verify::{self, Trust};
use shelf::{Shelf, fitting, now};
use witness::Witness;

fn add(shelf: &mut Shelf, captures: usize) {
    let mut writer = shelf.writer();
    for n in 0..captures {
        let text = format!("Gull {n} of {}.", shelf.claims);
        let draft = fitting(shelf, "gulls.txt", &[&text], "");
        writer.commit([prepare(draft)], now()).expect("committed");
    }
}

fn witnessed(shelf: &Shelf) -> (Witness, Options) {
    let witness = Witness::start(read_verifier(&shelf.paths().log()).expect("a key"));
    let options = Options {
        witnesses: vec![publish::Witness {
            url: format!("{}/", witness.url),
            key: witness.vkey().parse().expect("a key"),
        }],
        ..Options::default()
    };
    (witness, options)
}

fn outcome(published: &publish::Published) -> Result<Handed, String> {
    let (_, outcome) = &published.handed[0];
    outcome.as_ref().copied().map_err(|error| error.to_string())
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("created");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).expect("copied")),
        }
    }
}

/// Puts an older copy of the archive back.
fn restore(backup: &Path, shelf: &Shelf) {
    fs::remove_dir_all(shelf.dir()).expect("removed");
    copy_folder(backup, &shelf.dir());
}

#[test]
fn a_witness_cosigns_a_log_that_grows_and_its_word_is_kept_and_proves_when() {
    let mut shelf = Shelf::new();
    add(&mut shelf, 3);
    let (witness, options) = witnessed(&shelf);
    let published = publish(&shelf.paths(), &options).expect("published");
    assert_eq!(outcome(&published), Ok(Handed::Now));
    assert_eq!(published.cosignatures.len(), 1);
    let again = publish(&shelf.paths(), &options).expect("published");
    assert_eq!(outcome(&again), Ok(Handed::Before));
    add(&mut shelf, 5);
    let published = publish(&shelf.paths(), &options).expect("published");
    assert_eq!(outcome(&published), Ok(Handed::Now));
    assert_eq!(witness.answers(), [200, 200]);
    assert_eq!(Cosigned::sizes(&shelf.paths().log()), [3, 8]);

    // A proof takes the oldest checkpoint that a witness saw the leaf under.
    let trust = Trust {
        keys: vec![read_verifier(&shelf.paths().log()).expect("a key")],
        witnesses: vec![witness.vkey().parse().expect("a key")],
    };
    let archive = shelf.reader();
    for (leaf, size) in [(0, 3), (2, 3), (3, 8)] {
        let text = archive.prove(leaf).expect("a proof").to_text();
        let proven = verify::proof(&text, None, &trust).expect("proven");
        assert_eq!(proven.signed.checkpoint.size, size);
        let cosignatures = &proven.signed.cosignatures;
        assert_eq!(cosignatures[0].at.as_second(), 1_772_000_000 + size as i64);
        // The stranger's line came along and counts for nothing.
        assert_eq!(cosignatures.len(), 1);
    }
}

#[test]
fn a_witness_that_has_seen_more_than_is_remembered_here_tells_and_is_led_on_from_there() {
    let mut shelf = Shelf::new();
    add(&mut shelf, 3);
    let (witness, options) = witnessed(&shelf);
    publish(&shelf.paths(), &options).expect("published");
    fs::remove_dir_all(shelf.paths().log().join("cosigned")).expect("removed");
    add(&mut shelf, 2);
    let published = publish(&shelf.paths(), &options).expect("published");
    assert_eq!(outcome(&published), Ok(Handed::Now));
    assert_eq!(witness.answers(), [200, 409, 200]);
}

#[test]
fn a_restored_backup_is_never_published() {
    let mut shelf = Shelf::new();
    add(&mut shelf, 3);
    let (witness, mut options) = witnessed(&shelf);
    let out = Sandbox::new();
    options.folder = Some(out.path("seen"));
    publish(&shelf.paths(), &options).expect("published");
    let backup = Sandbox::new();
    copy_folder(&shelf.dir(), &backup.path("archive"));
    add(&mut shelf, 4);
    publish(&shelf.paths(), &options).expect("published");
    assert_eq!(witness.answers(), [200, 200]);
    let seen = out.read("seen/checkpoint");

    // What this machine remembers tells at once.
    restore(&backup.path("archive"), &shelf);
    let refused = publish(&shelf.paths(), &options).expect_err("refused");
    assert!(
        matches!(refused, ArchiveError::LogShrunk { .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("Restore the newer copy"));

    // Without its memory what others hold tells.
    let forget = || {
        for name in ["last-checkpoint", "published"] {
            drop(fs::remove_file(shelf.paths().state.join(name)));
        }
    };
    forget();
    let published = publish(&shelf.paths(), &options).expect("tried");
    let (_, refused) = &published.handed[1];
    assert!(refused.as_ref().expect_err("refused").is_fork());

    // Written on, it forks; witness and folder tell each by itself.
    forget();
    add(&mut shelf, 6);
    fs::remove_file(shelf.paths().state.join("last-checkpoint")).expect("removed");
    let published = publish(&shelf.paths(), &options).expect("tried");
    let (_, refused) = &published.handed[0];
    assert!(refused.as_ref().expect_err("refused").is_fork());
    assert_eq!(published.handed.len(), 1, "the folder got it");
    let folder = Options {
        witnesses: Vec::new(),
        ..options
    };
    let published = publish(&shelf.paths(), &folder).expect("tried");
    let (_, refused) = &published.handed[0];
    assert!(refused.as_ref().expect_err("refused").is_fork());
    assert_eq!(out.read("seen/checkpoint"), seen);
    assert!(!shelf.paths().state.join("published").exists());
}

#[test]
fn a_cosignature_of_something_else_is_not_kept() {
    let mut shelf = Shelf::new();
    add(&mut shelf, 1);
    let (witness, options) = witnessed(&shelf);
    witness.state.lock().expect("not poisoned").lies = true;
    let published = publish(&shelf.paths(), &options).expect("tried");
    assert!(outcome(&published).is_err());
    assert!(published.cosignatures.is_empty());
    assert!(!shelf.paths().log().join("cosigned").exists());
}

#[test]
fn a_witness_that_does_not_know_the_log_is_told_of_with_advice() {
    let mut shelf = Shelf::new();
    add(&mut shelf, 1);
    let other = Shelf::new();
    let (_, options) = witnessed(&other);
    let published = publish(&shelf.paths(), &options).expect("tried");
    let why = outcome(&published).expect_err("refused");
    assert!(why.contains("log/vkey"), "{why}");
    // Nobody listens there.
    let (_, mut options) = witnessed(&shelf);
    options.witnesses[0].url = "http://127.0.0.1:1".to_owned();
    let published = publish(&shelf.paths(), &options).expect("tried");
    assert!(outcome(&published).is_err());
}

#[test]
fn folder_and_command_get_each_new_checkpoint_once() {
    let desk = Desk::new("");
    let seen = desk.path("seen");
    let got = desk.path("got");
    desk.configure(&format!(
        "[publish]\nfolder = 'seen'\ncommand = ['sh', '-c', 'cat >> {}']\n",
        got.display()
    ));
    let archive = |text: &str| {
        let file = desk.sandbox.write("gulls.txt", text);
        desk.run(&["add", file.to_str().expect("plain")]).expect(0);
    };
    archive("Gulls on the quay\n\nAda Brill counted them twice.\n");
    for _ in 0..2 {
        desk.run(&["publish"]).expect(0);
    }
    archive("Gulls on the quay\n\nAda Brill counted them three times.\n");
    let rows = desk.run(&["publish", "--json"]).expect(0).json();
    // The first leaf is that of the rules.
    assert_eq!(rows[2]["checkpoint"]["size"], 3);
    let key = fs::read_to_string(seen.join("vkey")).expect("there");
    let key = key.trim_end().parse().expect("a key");
    let sizes = ["checkpoints/2", "checkpoints/3", "checkpoint"].map(|name| {
        let note = fs::read_to_string(seen.join(name)).expect("there");
        Checkpoint::verify(&note, &key).expect("signed").size
    });
    assert_eq!(sizes, [2, 3, 3]);
    let got = fs::read_to_string(got).expect("there");
    assert_eq!(got.matches("faircopy/").count() / 2, 2, "{got}");
    // What others hold is checked against the archive.
    let kept = seen.join("checkpoints/2");
    desk.run(&["check", "--checkpoint", kept.to_str().expect("plain")])
        .expect(0);

    desk.configure("[publish]\nfolder = 'seen'\ncommand = ['false']\n");
    archive("Gulls on the quay\n\nAda Brill gave up.\n");
    let said = desk.run(&["publish"]).expect(3);
    assert!(said.stderr.contains("command false"), "{}", said.stderr);
    desk.configure("");
    desk.run(&["publish"]).expect(2);
    desk.configure("[[publish.witness]]\nurl = 'http://x'\nvkey = 'no key'\n");
    let said = desk.run(&["publish"]).expect(78);
    assert!(said.stderr.contains("vkey"), "{}", said.stderr);
}

#[test]
fn the_log_of_another_archive_is_not_published_in_its_place() {
    let mut shelf = Shelf::new();
    add(&mut shelf, 2);
    let out = Sandbox::new();
    let options = Options {
        folder: Some(out.path("seen")),
        ..Options::default()
    };
    publish(&shelf.paths(), &options).expect("published");
    let mut other = Shelf::new();
    add(&mut other, 2);
    let published = publish(&other.paths(), &options).expect("tried");
    assert!(outcome(&published).is_err());
    let nowhere = archive::Paths {
        dir: out.path("nothing"),
        ..other.paths()
    };
    assert!(publish(&nowhere, &options).is_err());
}
