//! Cleaning again what is archived: new editions beside the old ones, and changes of rules told from changes of stories.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use common::daemon::{Desk, faircopy};
use faircopy::archive::Paths;
use faircopy::archive::reader::{Archive, Selector};
use faircopy::archive::writer::{ArchiveWriter, Options};
use faircopy::clean::clean;
use faircopy::reclean::{decode_again, kept_rules};
use serde_json::{Value, json};

const URL: &str = "https://www.example.org/ferry";
const STORY: &str = "Ferry returns\n\nThe ferry across the lake sails again from Monday, the harbour office said.\n\nTide tables for all\n\nTickets cost the same as last year, and dogs sail free of charge until the autumn.\n";
const TIDES: &str = "[[rule]]\nname = \"table\"\nclass = \"promo\"\nreason = \"offers the tide tables\"\nis = [\"tide tables for all\"]\nmust_remove = [\"Tide tables for all\"]\nmust_keep = [\"The tide was high.\"]\n";

fn add(desk: &Desk, text: &str) {
    let file = desk.sandbox.write("ferry.txt", text);
    desk.run(&["add", file.to_str().unwrap(), "--url", URL])
        .expect(0);
}

fn tide_rules(desk: &Desk) {
    fs::create_dir_all(desk.path("rules")).unwrap();
    fs::write(desk.path("rules/tides.toml"), TIDES).unwrap();
}

fn timeline(desk: &Desk) -> Vec<Value> {
    let rows = desk.run(&["log", URL, "--json"]).expect(0).json();
    let row = |row: &Value| {
        json!([
            row["version"],
            row["edition"],
            row["change"],
            row["changed"]
        ])
    };
    rows.iter().map(row).collect()
}

fn text(desk: &Desk, reference: &str) -> String {
    desk.run(&["cat", reference]).expect(0).stdout
}

#[test]
fn what_is_cleaned_again_becomes_an_edition_and_nothing_is_numbered_anew() {
    let desk = Desk::new("");
    add(&desk, STORY);
    add(&desk, &STORY.replace("Monday", "Tuesday"));
    let before = text(&desk, URL);
    assert!(before.contains("Tide tables"));
    tide_rules(&desk);
    let preview = desk.run(&["reclean", "-n", "--json"]).expect(0).json();
    assert_eq!(
        (&preview[0]["looked_at"], &preview[0]["story"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        preview[0]["worst_loss"]["lost"],
        json!(["Tide tables for all"])
    );
    assert_eq!(timeline(&desk).len(), 2, "a preview changes nothing");
    desk.run(&["reclean"]).expect(0);
    let editions = json!([
        [1, 1, "story", []],
        [2, 1, "story", ["text"]],
        [1, 2, "rules", []],
        [2, 2, "rules", []],
    ]);
    assert_eq!(json!(timeline(&desk)), editions);
    assert!(!text(&desk, URL).contains("Tide tables"));
    assert_eq!(text(&desk, &format!("{URL}@2.1")), before);
    assert_eq!(text(&desk, &format!("{URL}@2.2")), text(&desk, URL));
    assert_eq!(desk.run(&["cat", &format!("{URL}@2.3")]).code, 1);
    let again = desk.run(&["reclean", "--json"]).expect(0).json();
    assert_eq!(again[0]["story"], 0, "it is done");
    desk.run(&["check", "--read-data"]).expect(0);
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(
            desk.path(format!("archive/catalog.sqlite{suffix}")),
        ));
    }
    assert_eq!(
        json!(timeline(&desk)),
        editions,
        "a catalog made anew says the same"
    );
    // A reader that asked the catalog before finds both texts of a capture where they are sealed.
    let archive = Archive::open(&desk.path("archive")).unwrap();
    let doc = archive.find(URL).unwrap();
    let editions = [1, 2].map(|number| {
        let edition = Selector::Edition(2, number);
        archive.resolve(&doc, &edition).unwrap()
    });
    desk.run(&["compact", "--all"]).expect(0);
    let [first, second] = editions.map(|row| archive.read_text(&row).unwrap());
    assert_eq!(first, before);
    assert_eq!(second, text(&desk, URL));
    assert_eq!(text(&desk, &format!("{URL}@2.1")), before);
    assert!(!text(&desk, URL).contains("Tide tables"));
    desk.run(&["check", "--read-data"]).expect(0);
    let sound = desk.path("sound");
    desk.run(&["repair", "--to", sound.to_str().unwrap()])
        .expect(0);
    let archive = ["--archive", sound.to_str().unwrap()];
    let repaired = faircopy(&[&["cat", URL], &archive[..]].concat()).expect(0);
    assert_eq!(repaired.stdout, text(&desk, URL));
    faircopy(&[&["check", "--read-data"], &archive[..]].concat()).expect(0);
}

#[test]
fn rules_that_changed_between_two_captures_make_no_version() {
    let desk = Desk::new("");
    add(&desk, STORY);
    tide_rules(&desk);
    // Another byte outside of the story, and other rules.
    add(&desk, &format!("{STORY}\nAdvertisement\n"));
    assert_eq!(
        json!(timeline(&desk)),
        json!([
            [1, 1, "story", []],
            [1, 2, "rules", []],
            [1, 1, "furniture", []],
        ])
    );
    // A story that changed is a version all the same.
    fs::remove_file(desk.path("rules/tides.toml")).unwrap();
    add(&desk, &STORY.replace("Monday", "Friday"));
    let last = timeline(&desk).pop().unwrap();
    assert_eq!(last, json!([2, 1, "story", ["text"]]));
    desk.run(&["check", "--read-data"]).expect(0);
}

#[test]
fn rules_of_before_make_the_texts_of_before() {
    let desk = Desk::new("");
    tide_rules(&desk);
    add(&desk, STORY);
    fs::remove_file(desk.path("rules/tides.toml")).unwrap();
    desk.run(&["reclean"]).expect(0);
    assert!(text(&desk, URL).contains("Tide tables"));

    let archive = Archive::open(&desk.path("archive")).unwrap();
    let doc = archive.find(URL).unwrap();
    let first = archive.resolve(&doc, &Selector::Edition(1, 1)).unwrap();
    let metadata = archive.read_metadata(&first).unwrap();
    let rules = kept_rules(&archive, &first.rules).unwrap();
    let document = decode_again(&archive, &first, &metadata).unwrap();
    let made = clean(&document, &rules);
    assert_eq!(made.article, metadata.article);
    assert_eq!(made.ledger, metadata.ledger);

    desk.run(&["reclean", "--rules", &first.rules]).expect(0);
    let third = text(&desk, &format!("{URL}@1.3"));
    assert_eq!(third, text(&desk, &format!("{URL}@1.1")));
    let unknown = desk.run(&["reclean", "-n", "--rules", "builtin@sha256:00"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("keeps no rules"));
}

#[test]
fn a_daemon_cleans_again_while_it_goes_on_archiving() {
    let mut desk = Desk::new("");
    add(&desk, STORY);
    tide_rules(&desk);
    desk.start();
    let done = desk.run(&["reclean", "--json"]).expect(0).json();
    assert_eq!(done[0]["story"], 1);
    add(&desk, &STORY.replace("Monday", "Sunday"));
    assert!(!text(&desk, URL).contains("Tide tables"));
    assert_eq!(timeline(&desk).len(), 3);
}

#[test]
fn one_who_is_killed_while_cleaning_again_leaves_whole_editions_and_goes_on() {
    let desk = Desk::new("");
    let folder = desk.sandbox.path("many");
    for number in 0..300 {
        let story = STORY.replace("Monday", &format!("day {number}"));
        desk.sandbox.write(format!("many/{number}.txt"), story);
    }
    desk.run(&["add", folder.to_str().unwrap()]).expect(0);
    tide_rules(&desk);
    for wait in [20, 60, 120, 200] {
        let child = desk
            .command()
            .arg("reclean")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        desk.run(&["check", "--read-data"]).expect(0);
    }
    desk.run(&["reclean"]).expect(0);
    let left = desk.run(&["reclean", "-n", "--json"]).expect(0).json();
    assert_eq!(
        (&left[0]["looked_at"], &left[0]["story"]),
        (&json!(300), &json!(0))
    );
    let archive = Archive::open(&desk.path("archive")).unwrap();
    for row in archive.contents(0, 1000).unwrap() {
        assert_eq!(row.edition_number(), 2, "{}", row.doc);
    }
    desk.run(&["check", "--read-data"]).expect(0);
}

#[test]
fn an_edition_that_comes_too_late_is_not_archived() {
    let desk = Desk::new("");
    add(&desk, STORY);
    tide_rules(&desk);
    let archive = Archive::open(&desk.path("archive")).unwrap();
    let own = faircopy::config::Config::load(&desk.path("faircopy.toml")).unwrap();
    let rules = faircopy::rulebook::Rulebook::read(&own.rules).rules;
    let pins = archive.pin_book().unwrap();
    let by = faircopy::reclean::By {
        rules: &rules,
        pins: &pins,
    };
    let now = jiff::Timestamp::now();
    let prepared = || {
        faircopy::reclean::prepared_batch(&archive, by, 0, now)
            .unwrap()
            .1
    };
    let (first, second) = (prepared(), prepared());
    let paths: Paths = own.archive_paths();
    let (mut writer, _) = ArchiveWriter::open(paths, Options::default()).unwrap();
    assert!(writer.reclean(first, now).unwrap()[0].is_some());
    assert_eq!(writer.reclean(second, now).unwrap(), [None]);
}
