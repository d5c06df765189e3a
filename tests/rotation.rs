//! Another key signs the log: what was signed before stays verifiable, and the old key leads to the new one.

mod common;
#[path = "common/shelf.rs"]
mod shelf;

use std::fs;

use common::daemon::{Desk, faircopy};
use faircopy::archive::capture::prepare;
use faircopy::archive::log::key::VerifierKey;
use faircopy::archive::log::note::Checkpoint;
use faircopy::archive::log::reader::read_verifier;
use faircopy::archive::rotation::{self, Rotation};
use faircopy::archive::writer::{Fault, Step};
use faircopy::check::problem::{Code, Problem};
use faircopy::check::{self, Options};
use faircopy::publish::{self, publish};
use shelf::{COMMIT_STEPS, Shelf, fitting, now};

fn add(shelf: &mut Shelf) {
    let mut writer = shelf.writer();
    let text = format!("Ferry {}.", shelf.claims);
    let draft = fitting(shelf, "ferry.txt", &[&text], "");
    writer.commit([prepare(draft)], now()).expect("committed");
}

fn current(shelf: &Shelf) -> VerifierKey {
    read_verifier(&shelf.paths().log()).expect("a key")
}

fn checkpoint(shelf: &Shelf) -> String {
    fs::read_to_string(shelf.paths().log().join("checkpoint")).expect("read")
}

fn problems(shelf: &Shelf, options: &Options) -> Vec<Problem> {
    let mut problems = Vec::new();
    check::check(&shelf.dir(), options, &mut |p| problems.push(p)).expect("checked");
    problems
}

fn whole() -> Options {
    Options {
        read_data: true,
        ..Options::default()
    }
}

#[test]
fn checkpoints_of_every_key_stay_verifiable_and_each_key_leads_to_the_next() {
    let mut shelf = Shelf::new();
    let mut keys = vec![current(&shelf)];
    let mut kept = Vec::new();
    for _ in 0..3 {
        add(&mut shelf);
        kept.push(checkpoint(&shelf));
        let (leaf, key) = shelf.writer().rotate_key(now()).expect("changed");
        assert_eq!(current(&shelf), key);
        // The checkpoint of the change bears both signatures, the next one that of the new key alone.
        let last = keys.last().expect("a key");
        for key in [last, &key] {
            assert!(Checkpoint::verify(&checkpoint(&shelf), key).is_ok());
        }
        let proof = rotation::path(&shelf.paths().log(), leaf);
        let rotation = Rotation::read(&proof).expect("proven");
        assert_eq!((&rotation.old, &rotation.new), (last, &key));
        keys.push(key);
        add(&mut shelf);
        assert!(Checkpoint::verify(&checkpoint(&shelf), &keys[keys.len() - 2]).is_err());
    }
    let log = shelf.paths().log();
    assert_eq!(rotation::keys_until(&log, &current(&shelf)), keys);
    let reached = rotation::keys_from(vec![keys[0].clone()], &rotation::read_all(&log));
    assert_eq!(reached, keys);
    for note in kept {
        let file = shelf.folder.path().join("kept");
        fs::write(&file, note).expect("written");
        for vkey in [None, Some(keys[0].clone()), Some(keys[3].clone())] {
            let options = Options {
                checkpoint: Some(file.clone()),
                vkey,
                ..whole()
            };
            assert_eq!(problems(&shelf, &options), []);
        }
    }
    // What is not led to by the given key is not believed.
    let other = Options {
        vkey: Some(current(&Shelf::new())),
        ..Options::default()
    };
    assert_eq!(problems(&shelf, &other)[0].code, Code::OtherKey);
    assert!(!shelf.paths().keys.join("signing.key.new").exists());
}

#[test]
fn what_was_published_under_the_old_key_is_gone_on_from() {
    let mut shelf = Shelf::new();
    let options = publish::Options {
        folder: Some(shelf.folder.path().join("seen")),
        ..publish::Options::default()
    };
    for _ in 0..2 {
        add(&mut shelf);
        let published = publish(&shelf.paths(), &options).expect("published");
        assert!(published.handed[0].1.is_ok());
        shelf.writer().rotate_key(now()).expect("changed");
        add(&mut shelf);
        // A catalog made anew knows the key's leaf too.
        fs::remove_file(shelf.dir().join("catalog.sqlite")).expect("removed");
    }
    let published = publish(&shelf.paths(), &options).expect("published");
    assert!(published.handed[0].1.is_ok());
}

#[test]
fn a_change_that_was_interrupted_happened_wholly_or_never() {
    for step in COMMIT_STEPS {
        for fault in [Fault::WithoutEffect, Fault::WithEffect] {
            let mut shelf = Shelf::new();
            add(&mut shelf);
            let old = current(&shelf);
            let mut writer = shelf.writer();
            writer.fail_at(step, fault);
            assert!(writer.rotate_key(now()).is_err(), "{step:?}");
            drop(writer);
            add(&mut shelf);
            let committed = (step, fault) == (Step::ReplaceCheckpoint, Fault::WithEffect)
                || matches!(step, Step::CopyCheckpoint | Step::CommitCatalog);
            assert_eq!(current(&shelf) != old, committed, "{step:?} {fault:?}");
            assert!(!shelf.paths().keys.join("signing.key.new").exists());
            assert_eq!(problems(&shelf, &whole()), [], "{step:?} {fault:?}");
        }
    }
}

#[test]
fn a_crash_between_the_last_steps_is_made_up_for() {
    let mut shelf = Shelf::new();
    add(&mut shelf);
    let log = shelf.paths().log();
    let old = fs::read(log.join("vkey")).expect("read");
    let keys = shelf.paths().keys;
    let old_key = fs::read(keys.join("signing.key")).expect("read");
    let (leaf, key) = shelf.writer().rotate_key(now()).expect("changed");
    let new_key = fs::read(keys.join("signing.key")).expect("read");

    // Before the key was put into its place.
    let write = |name: &str, bytes: &[u8]| fs::write(keys.join(name), bytes).expect("written");
    write("signing.key", &old_key);
    write("signing.key.new", &new_key);
    fs::write(log.join("vkey"), &old).expect("written");
    fs::remove_file(rotation::path(&log, leaf)).expect("removed");
    add(&mut shelf);
    assert_eq!(current(&shelf), key);
    assert_eq!(problems(&shelf, &whole()), []);
}

#[test]
fn a_proof_of_a_change_that_is_damaged_or_gone_is_reported() {
    let mut shelf = Shelf::new();
    add(&mut shelf);
    let (leaf, _) = shelf.writer().rotate_key(now()).expect("changed");
    let proof = rotation::path(&shelf.paths().log(), leaf);
    let bytes = fs::read(&proof).expect("read");
    for at in (0..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        fs::write(&proof, damaged).expect("written");
        let found = problems(&shelf, &Options::default());
        let codes: Vec<_> = found.iter().map(|p| p.code).collect();
        assert_eq!(codes, [Code::RotationBad], "{at}");
    }
    fs::remove_file(&proof).expect("removed");
    let found = problems(&shelf, &Options::default());
    assert_eq!(found[0].code, Code::RotationBad);
    assert_eq!(found[0].place, format!("log/rotations/{leaf}.tlog-proof"));
}

#[test]
fn a_key_that_was_handed_over_as_a_credential_is_not_changed() {
    let desk = Desk::new("");
    let credentials = desk.path("credentials");
    fs::create_dir(&credentials).expect("made");
    let key = desk.path("keys/signing.key");
    fs::rename(&key, credentials.join("faircopy.signing-key")).expect("moved");
    let mut command = desk.command();
    command.args(["key", "rotate"]);
    let output = command.env("CREDENTIALS_DIRECTORY", &credentials).output();
    let output = output.expect("run");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("stop the service"), "{said}");
}

#[test]
fn who_has_the_old_key_verifies_what_the_new_one_signed() {
    let mut desk = Desk::new("");
    desk.start();
    let old = desk.run(&["key", "show", "--json"]).expect(0).json()[0]["vkey"].clone();
    let rotated = desk
        .run(&["key", "rotate", "--json"])
        .expect(0)
        .json()
        .remove(0);
    desk.stop();
    let file = desk.sandbox.write(
        "ferry.txt",
        "The ferry\n\nIt sails again, Ada Brill said.\n",
    );
    desk.run(&["add", file.to_str().expect("plain")]).expect(0);
    let shown = desk.run(&["key", "show", "--json"]).expect(0).json();
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[1]["vkey"], rotated["vkey"]);

    let proof = desk.sandbox.path("ferry.tlog-proof");
    let proof = proof.to_str().expect("plain");
    let doc = desk.documents().remove(0)["doc"].clone();
    desk.run(&["prove", doc.as_str().expect("an id"), "-o", proof])
        .expect(0);
    let old = old.as_str().expect("a key");
    let change = desk.path("archive/log/rotations/0.tlog-proof");
    let change = change.to_str().expect("plain");
    faircopy(&["verify", proof, "--vkey", old]).expect(4);
    faircopy(&["verify", proof, "--vkey", old, "--rotation", change]).expect(0);
    let said = faircopy(&["verify", change, "--vkey", old]).expect(0);
    let new = rotated["vkey"].as_str().expect("a key");
    assert!(said.stdout.contains(new), "{}", said.stdout);
    desk.run(&["check", "--read-data", "--vkey", old]).expect(0);
}
