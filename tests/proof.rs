//! Proofs: what is handed on is verified without the archive, by us and by others, and nothing else is.

mod common;
#[path = "common/shelf.rs"]
mod shelf;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::daemon::{Desk, faircopy};
use common::{Sandbox, skip};
use faircopy::archive::capture::prepare;
use faircopy::archive::log::note::Checkpoint;
use faircopy::archive::log::reader::{LogReader, read_verifier};
use faircopy::archive::log::witness::add_checkpoint;
use faircopy::archive::metadata::MetadataBlock;
use faircopy::verify::{self, Trust};
use serde_json::json;
use shelf::{Shelf, fitting, now};

/// A shelf with so many captures and its log; the checkpoint of half of them.
fn shelf_with(captures: usize) -> (Shelf, String) {
    let mut shelf = Shelf::new();
    let mut writer = shelf.writer();
    let mut old = String::new();
    for n in 0..captures {
        if n == captures / 2 {
            old = writer.checkpoint().note.clone();
        }
        let path = format!("{}.txt", n % 7);
        let text = format!("Ada Brill counted {n} gulls.");
        let draft = fitting(&mut shelf, &path, &[&text], "Subscribe!");
        writer.commit([prepare(draft)], now()).expect("committed");
    }
    (shelf, old)
}

fn trust(shelf: &Shelf) -> Trust {
    Trust {
        keys: vec![read_verifier(&shelf.paths().log()).expect("a key")],
        witnesses: Vec::new(),
    }
}

#[test]
fn every_leaf_of_a_log_is_proven_with_its_metadata() {
    let (shelf, _) = shelf_with(21);
    let archive = shelf.reader();
    for index in 0..21 {
        let text = archive.prove(index).expect("a proof").to_text();
        let proven = verify::proof(&text, None, &trust(&shelf)).expect("proven");
        assert_eq!(proven.index, index);
        let row = archive.captures(&proven.leaf.doc).expect("listed");
        let row = row.into_iter().find(|row| row.leaf == index);
        let MetadataBlock::Capture(block) = proven.block else {
            panic!("not a capture");
        };
        assert_eq!(block.observation.digests, row.expect("a row").digests);
    }
    assert!(archive.prove(21).is_err());
}

#[test]
fn a_proof_that_was_changed_or_is_of_another_log_proves_nothing() {
    let (shelf, _) = shelf_with(9);
    let text = shelf.reader().prove(5).expect("a proof").to_text();
    let trust = trust(&shelf);
    let flip = |at: usize, bit: u8| {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1 << bit;
        String::from_utf8(bytes).ok()
    };
    for n in 0..1000 {
        // A stride that meets every part of the file and every bit.
        let (at, bit) = (n * 7919 % text.len(), (n % 8) as u8);
        if let Some(changed) = flip(at, bit) {
            assert!(verify::proof(&changed, None, &trust).is_err(), "{at} {bit}");
        }
    }
    let other = shelf_with(9).0;
    assert!(verify::proof(&text, None, &self::trust(&other)).is_err());
    let nobody = Trust::default();
    assert!(verify::proof(&text, None, &nobody).is_err());
}

#[test]
fn the_metadata_may_stand_beside_the_proof_and_no_other_is_taken_for_it() {
    let (shelf, _) = shelf_with(3);
    let archive = shelf.reader();
    let mut proof = archive.prove(1).expect("a proof");
    let block = archive.read_block_of(1).expect("read");
    let extra = proof.extra.take().expect("extra data");
    let line = extra.split(|byte| *byte == b'\n').next().expect("a line");
    proof.extra = Some(line.to_vec());
    let text = proof.to_text();
    let trust = trust(&shelf);
    assert!(verify::proof(&text, Some(&block), &trust).is_ok());
    assert!(verify::proof(&text, None, &trust).is_err());
    let other = archive.read_block_of(2).expect("read");
    assert!(verify::proof(&text, Some(&other), &trust).is_err());
}

#[test]
fn go_accepts_checkpoint_inclusion_and_consistency_and_rejects_a_thousand_mutations() {
    let folder = Sandbox::new();
    let judge = folder.path("judge");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/judge.go");
    let built = Command::new("go")
        .args(["build", "-o"])
        .args([&judge, &source])
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", folder.path("cache"))
        .env("GOFLAGS", "")
        .stderr(Stdio::null())
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return skip("go with golang.org/x/mod (Debian: golang-go golang-golang-x-mod-dev)");
    }
    let (shelf, old) = shelf_with(300);
    let log_dir = shelf.paths().log();
    let log = LogReader::open(&log_dir).expect("opened");
    let before = Checkpoint::unverified(&old).expect("a checkpoint");
    let proof = shelf.reader().prove(123).expect("a proof");
    folder.write("old", &old);
    folder.write("proof", proof.to_text());
    folder.write("growth", add_checkpoint(&log, before.size).expect("proven"));
    fs::copy(log_dir.join("vkey"), folder.path("vkey")).expect("copied");
    std::os::unix::fs::symlink(&log_dir, folder.path("log")).expect("linked");
    let judged = Command::new(&judge).arg(folder.dir()).arg("1000").output();
    let judged = judged.expect("it was just built");
    let errors = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{errors}");
    let said = String::from_utf8_lossy(&judged.stdout);
    assert!(said.contains("rejected 1000 mutations"), "{said}");
}

#[test]
fn a_fact_checker_verifies_a_version_with_the_key_alone() {
    let desk = Desk::new("");
    let url = "https://www.example.org/ferry";
    let text = "The ferry sails again\n\nThe ferry across the lake sails again from Monday, Ada Brill said.\n";
    let file = desk.sandbox.write("ferry.txt", text);
    desk.run(&["add", file.to_str().expect("plain"), "--url", url])
        .expect(0);
    let away = Sandbox::new();
    let path = |name: &str| away.path(name).to_str().expect("plain").to_owned();
    desk.run(&["prove", url, "-o", &path("ferry.tlog-proof")])
        .expect(0);
    fs::copy(&file, away.path("page.txt")).expect("copied");
    let clean = desk.run(&["cat", url]).expect(0).stdout;
    away.write("clean.txt", &clean);
    fs::copy(desk.path("archive/log/vkey"), away.path("vkey")).expect("copied");
    fs::copy(desk.path("archive/log/checkpoint"), away.path("checkpoint")).expect("copied");

    let (proof, vkey) = (path("ferry.tlog-proof"), path("vkey"));
    let verify = |more: &[&str]| {
        let all = [&["verify", &proof, "--vkey", &vkey], more].concat();
        faircopy(&all)
    };
    let (raw, clean) = (path("page.txt"), path("clean.txt"));
    let said = verify(&["--raw", &raw, "--text", &clean]).expect(0);
    for words in [
        url,
        "page.txt is that",
        "clean.txt is that",
        "does not prove",
    ] {
        assert!(said.stdout.contains(words), "{words}: {}", said.stdout);
    }
    let object = verify(&["--raw", &raw, "--json"])
        .expect(0)
        .json()
        .remove(0);
    assert_eq!(object["verified"], true);
    assert_eq!(object["raw"]["same"], true);
    assert_eq!(object["text"]["same"], json!(null));

    away.write("clean.txt", "The ferry never sails again.\n");
    let said = verify(&["--raw", &raw, "--text", &clean]).expect(4);
    assert!(said.stdout.contains("another text"), "{}", said.stdout);
    away.write(
        "other.vkey",
        fs::read(shelf_with(1).0.paths().log().join("vkey")).expect("read"),
    );
    let said = faircopy(&["verify", &proof, "--vkey", &path("other.vkey")]).expect(4);
    assert!(said.stderr.contains("proves nothing"), "{}", said.stderr);
    faircopy(&["verify", &proof]).expect(2);
    let said = faircopy(&["verify", &path("checkpoint"), "--vkey", &vkey]).expect(0);
    assert!(said.stdout.contains("size 2, root"), "{}", said.stdout);
    // It is not written over what is there.
    desk.run(&["prove", url, "-o", &proof]).expect(1);
}

#[test]
fn a_bag_is_verified_with_the_proofs_in_it_and_whatever_was_changed_is_named() {
    let desk = Desk::new("");
    for (name, text) in [
        ("a.txt", "The ferry\n\nIt sails.\n"),
        ("b.txt", "The gulls\n\nThey stay.\n"),
    ] {
        let file = desk.sandbox.write(name, text);
        desk.run(&["add", file.to_str().expect("plain")]).expect(0);
    }
    let bag = desk.path("bag");
    let path = bag.to_str().expect("plain");
    desk.run(&["export", "--bagit", path]).expect(0);
    let vkey = desk.path("archive/log/vkey");
    let vkey = vkey.to_str().expect("plain");
    let verify = || faircopy(&["verify", path, "--vkey", vkey, "--json"]);
    let object = verify().expect(0).json().remove(0);
    assert_eq!(
        (&object["proven"], &object["own_key"]),
        (&json!(2), &json!(false))
    );
    let said = faircopy(&["verify", path]).expect(0);
    assert!(said.stdout.contains("came with the bag"), "{}", said.stdout);

    let mut files = desk.sandbox.files("desk/bag");
    files.retain(|file| !file.ends_with("bagit.txt"));
    for file in &files {
        let file = bag.join(file);
        let whole = fs::read(&file).expect("read");
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&file, &bytes).expect("written");
        let rows = verify().expect(4).json();
        assert!(
            rows[0]["problem"]["where"].as_str().is_some(),
            "{}",
            file.display()
        );
        fs::remove_file(&file).expect("removed");
        verify().expect(4);
        fs::write(&file, &whole).expect("written");
    }
    verify().expect(0);
    fs::write(bag.join("data/stowaway"), "x").expect("written");
    let rows = verify().expect(4).json();
    assert_eq!(rows[0]["problem"]["where"], "data/stowaway");
    fs::remove_file(bag.join("data/stowaway")).expect("removed");

    // Somebody makes the manifest fit a changed text: the proof does not.
    let text = files.iter().find(|file| file.ends_with("text.txt"));
    let text = text.expect("a text");
    let old = faircopy::digest::Digest::of(&fs::read(bag.join(text)).expect("read"));
    fs::write(bag.join(text), "The ferry sank.\n").expect("written");
    let new = faircopy::digest::Digest::of(b"The ferry sank.\n");
    let replace = |name: &str, old: &str, new: &str| {
        let manifest = fs::read_to_string(bag.join(name)).expect("read");
        fs::write(bag.join(name), manifest.replace(old, new)).expect("written");
        let digest = |text: &str| faircopy::digest::Digest::of(text.as_bytes()).to_hex();
        (digest(&manifest), digest(&manifest.replace(old, new)))
    };
    let line =
        |digest: faircopy::digest::Digest| format!("{}  {}\n", digest.to_hex(), text.display());
    let (old, new) = replace("manifest-sha256.txt", &line(old), &line(new));
    replace("tagmanifest-sha256.txt", &old, &new);
    let rows = verify().expect(4).json();
    let message = rows[0]["problem"]["message"].as_str().expect("a message");
    assert!(message.contains("another text"), "{message}");
}

#[test]
fn a_bag_that_reaches_outside_of_itself_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("secret", "x");
    sandbox.write(
        "bag/bagit.txt",
        "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
    );
    let digest = faircopy::digest::Digest::of(b"x").to_hex();
    fs::create_dir(sandbox.path("bag/data")).expect("made");
    std::os::unix::fs::symlink(sandbox.path("secret"), sandbox.path("bag/data/link"))
        .expect("linked");
    for name in [
        "../secret",
        "/etc/hostname",
        "data/../../secret",
        "data/link",
    ] {
        sandbox.write("bag/manifest-sha256.txt", format!("{digest}  {name}\n"));
        let mut told = Vec::new();
        let verified = verify::bag::verify(
            &sandbox.path("bag"),
            &Trust::default(),
            &mut |place, message| {
                told.push(format!("{place}: {message}"));
            },
        );
        assert_eq!(verified.expect("a bag").files, 0, "{name}");
        assert!(
            told.iter()
                .any(|line| line.contains("outside") || line.contains("regular")),
            "{told:?}"
        );
    }
}
