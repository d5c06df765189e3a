//! Exports: what goes out, in which form, and what damage or a hostile title does to it.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use common::daemon::Desk;
use faircopy::archive::warc::Record;
use faircopy::digest::Digest;
use serde_json::{Value, json};

const URL: &str = "https://gazette.example/harbour/ferry";

/// A ferry in two versions, the second seen twice and once more unchanged; and gulls without an address.
fn desk() -> Desk {
    let desk = Desk::new("");
    let drop = |name: &str, text: &str, day: u32, url: Option<&str>| {
        let file = desk.sandbox.write(name, text);
        let declared = json!({"url": url, "fetched_at": format!("2026-03-{day:02}T08:00:00Z")});
        let sidecar = format!("{name}.meta.json");
        desk.sandbox.write(sidecar, declared.to_string());
        desk.run(&["add", file.to_str().unwrap()]).expect(0);
    };
    let first = "Ferry returns\n\nThe ferry across the lake sails again from Monday, the harbour office said.\n";
    let second = first.replace("Monday", "Tuesday");
    drop("ferry.txt", first, 1, Some(URL));
    drop("ferry.txt", &second, 2, Some(URL));
    drop("ferry.txt", &second, 3, Some(URL));
    drop("ferry.txt", &format!("{second}\n"), 4, Some(URL));
    drop(
        "gulls.txt",
        "Gulls fly to ../../etc and back\n\nAda Brill counted the gulls of the harbour for the Gazette.\n",
        5,
        None,
    );
    desk
}

fn lines(desk: &Desk, arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["export", "--jsonl", "-", "-q"];
    all.extend(arguments);
    desk.run(&all).expect(0).json()
}

#[test]
fn lines_are_what_show_tells_and_are_selected_by_document_date_address_and_version() {
    let desk = desk();
    let all = lines(&desk, &[]);
    assert_eq!(all.len(), 2);
    for line in &all {
        let doc = line["doc"].as_str().unwrap();
        assert_eq!(*line, desk.run(&["show", doc, "--json"]).json()[0]);
    }
    let versions = |arguments: &[&str]| -> Vec<String> {
        let mut found: Vec<String> = lines(&desk, arguments)
            .iter()
            .map(|line| format!("{}.{}", line["version"], line["capture"]))
            .collect();
        found.sort();
        found
    };
    assert_eq!(versions(&[URL]), ["2.4"]);
    assert_eq!(versions(&[&format!("{URL}@1")]), ["1.1"]);
    assert_eq!(versions(&[&format!("{URL}@2026-03-03")]), ["2.3"]);
    assert_eq!(
        versions(&["--url", "http://gazette.example/harbour"]),
        ["2.4"]
    );
    assert_eq!(
        versions(&["--url", URL, "--versions", "all"]),
        ["1.1", "2.4"]
    );
    let captures = ["--versions", "captures", "--until", "2026-03-04"];
    assert_eq!(versions(&captures), ["1.1", "2.2", "2.3", "2.4"]);
    assert_eq!(versions(&["--until", "2026-03-02"]), ["2.2"]);
    assert_eq!(
        versions(&["--since", "2026-03-05", "--source", "add"]),
        ["1.1"]
    );
    assert_eq!(versions(&["--source", "elsewhere"]), [""; 0]);
}

#[test]
fn what_is_there_is_never_overwritten() {
    let desk = desk();
    let full = desk.path("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), "x").unwrap();
    for form in ["--warc", "--bagit", "--markdown"] {
        let said = desk
            .run(&["export", form, full.to_str().unwrap()])
            .expect(1);
        assert!(said.stderr.contains("not empty"), "{}", said.stderr);
    }
    let file = full.join("mine");
    desk.run(&["export", "--jsonl", file.to_str().unwrap()])
        .expect(1);
    assert_eq!(fs::read_to_string(file).unwrap(), "x");
    assert_eq!(fs::read_dir(full).unwrap().count(), 1);
    desk.run(&["export"]).expect(2);
}

/// The WARC records of an export: name, type, and what the block is.
fn records(folder: &Path) -> Vec<(BTreeMap<String, String>, Vec<u8>)> {
    let file = folder.join("archive/faircopy-000001.warc.gz");
    let bytes = fs::read(file).unwrap();
    let mut rest = &bytes[..];
    let mut found = Vec::new();
    while !rest.is_empty() {
        let mut member = Vec::new();
        let mut decoder = flate2::bufread::GzDecoder::new(rest);
        decoder.read_to_end(&mut member).unwrap();
        rest = decoder.into_inner();
        let record = Record::parse(&member).unwrap();
        let names = [
            "WARC-Type",
            "WARC-Record-ID",
            "WARC-Refers-To",
            "WARC-Target-URI",
            "WARC-Date",
        ];
        let headers = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), record.header(name)?.to_owned())));
        found.push((headers.collect(), record.block.to_vec()));
    }
    found
}

#[test]
fn a_duplicate_is_exported_as_warc_with_the_capture_that_has_its_text() {
    let desk = desk();
    let folder = desk.path("warc");
    let reference = format!("{URL}@2026-03-03");
    desk.run(&["export", "--warc", folder.to_str().unwrap(), &reference])
        .expect(0);
    let records = records(&folder);
    let kinds: Vec<&str> = records
        .iter()
        .map(|(headers, _)| &*headers["WARC-Type"])
        .collect();
    assert_eq!(
        kinds,
        [
            "warcinfo",
            "resource",
            "conversion",
            "metadata",
            "revisit",
            "metadata"
        ]
    );
    let revisit = &records[4].0;
    assert_eq!(revisit["WARC-Refers-To"], records[1].0["WARC-Record-ID"]);
    assert_eq!(revisit["WARC-Date"], "2026-03-03T08:00:00Z");
    assert_eq!(revisit["WARC-Target-URI"], URL);
    assert!(records[1].1.starts_with(b"Ferry returns"));
    assert!(String::from_utf8_lossy(&records[2].1).contains("from Tuesday"));

    let index = fs::read_to_string(folder.join("indexes/index.cdxj")).unwrap();
    let lines: Vec<&str> = index.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].starts_with("example,gazette)/harbour/ferry 20260302080000 {"),
        "{index}"
    );
    assert!(lines[1].contains("\"mime\":\"warc/revisit\""), "{index}");
}

#[test]
fn a_bag_holds_raw_bytes_text_and_the_block_that_the_leaf_commits_to() {
    let desk = desk();
    let bag = desk.path("bag");
    desk.run(&[
        "export",
        "--bagit",
        bag.to_str().unwrap(),
        "--versions",
        "captures",
    ])
    .expect(0);
    let manifest = fs::read_to_string(bag.join("manifest-sha256.txt")).unwrap();
    let mut listed = Vec::new();
    for line in manifest.lines() {
        let (digest, name) = line.split_once("  ").unwrap();
        assert_eq!(
            Digest::of(&fs::read(bag.join(name)).unwrap()).to_hex(),
            digest,
            "{name}"
        );
        listed.push(PathBuf::from(name));
    }
    listed.sort();
    let mut there = desk.sandbox.files("desk/bag/data");
    there
        .iter_mut()
        .for_each(|path| *path = Path::new("data").join(&path));
    assert_eq!(there, listed);
    // Five captures of five files each, checkpoint and key.
    assert_eq!(listed.len(), 5 * 5 + 2);
    let entries = fs::read(desk.path("archive/log/tile/entries/000.p/6")).unwrap();
    let entries = String::from_utf8_lossy(&entries).into_owned();
    let blocks = listed.iter().filter(|path| path.ends_with("metadata.json"));
    for block in blocks {
        let digest = Digest::of(&fs::read(bag.join(block)).unwrap()).to_hex();
        assert!(entries.contains(&digest), "{}", block.display());
    }
}

#[test]
fn markdown_files_stay_in_their_folder_whatever_the_title_says() {
    let desk = desk();
    let notes = desk.path("notes");
    desk.run(&[
        "export",
        "--markdown",
        notes.to_str().unwrap(),
        "--versions",
        "all",
    ])
    .expect(0);
    let files = desk.sandbox.files("desk/notes");
    assert_eq!(files.len(), 3, "{files:?}");
    let gulls = files
        .iter()
        .find(|path| path.to_string_lossy().contains("gulls"));
    let text = fs::read_to_string(notes.join(gulls.unwrap())).unwrap();
    assert!(
        text.starts_with("---\ntitle: \"Gulls fly to ../../etc and back\"\n"),
        "{text}"
    );
    assert!(
        text.contains("\n---\n\n# Gulls fly to ../../etc and back\n\nAda Brill counted"),
        "{text}"
    );
}

#[test]
fn what_is_damaged_is_named_and_left_out_and_the_rest_goes_out() {
    let desk = desk();
    let segment = desk.path("archive/segments/000001.warc.zst");
    let mut bytes = fs::read(&segment).unwrap();
    // The last frame is the metadata record of the last capture.
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(&segment, bytes).unwrap();
    for form in ["--warc", "--bagit", "--markdown", "--jsonl"] {
        let target = desk.path(form.trim_start_matches('-'));
        let said = desk
            .run(&["export", form, target.to_str().unwrap(), "--json"])
            .expect(3);
        assert_eq!(
            said.json()[0]["exported"],
            json!({"documents": 1, "captures": 1, "damaged": 1})
        );
        assert!(said.stderr.contains("capture 1 of"), "{}", said.stderr);
    }
    assert_eq!(
        fs::read_to_string(desk.path("jsonl"))
            .unwrap()
            .lines()
            .count(),
        1
    );
    assert_eq!(desk.count_files("markdown"), 1);
}
