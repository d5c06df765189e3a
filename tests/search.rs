//! Full text search: what is found, by whom, and how it is forgotten.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/shelf.rs"]
mod shelf;

use std::fs;

use common::daemon::{Desk, wait_until};
use faircopy::archive::capture::prepare;
use faircopy::article::Caption;
use faircopy::digest::Digest;
use faircopy::search::index::Index;
use faircopy::search::{Request, search};
use faircopy::submission::Declared;
use serde_json::Value;
use shelf::{Shelf, fitting};

fn archive_text(shelf: &mut Shelf, path: &str, title: &str, text: &str, language: &str, at: &str) {
    let mut writer = shelf.writer();
    let mut draft = fitting(shelf, path, &[text], "");
    draft.article.title = Some(title.to_owned());
    draft.article.language = Some(language.to_owned());
    draft.article.captions = vec![Caption {
        text: title.to_owned(),
        credit: None,
    }];
    draft.declared = Declared {
        fetched_at: Some(at.parse().unwrap()),
        url: Some(format!("https://www.{language}.gazette.example/{path}")),
        source: Some("Harbour Feed".to_owned()),
        ..Declared::default()
    };
    draft.digests = draft.article.digests(Digest::of(&draft.raw));
    writer.commit([prepare(draft)], shelf::now()).unwrap();
}

fn shelf() -> Shelf {
    let mut shelf = Shelf::new();
    for (path, title, text, language, at) in [
        (
            "ferry",
            "Ferry returns",
            "The ferry sails again, said Ada Brill.",
            "en-GB",
            "2026-03-01T08:00:00Z",
        ),
        (
            "ferry",
            "Ferry returns",
            "The ferry is late again, said Ada Brill.",
            "en-GB",
            "2026-03-02T08:00:00Z",
        ),
        (
            "faehre",
            "Die Fähre kommt",
            "Die große Fähre fährt wieder über den See.",
            "de",
            "2026-03-03T08:00:00Z",
        ),
        (
            "gulls",
            "Gulls of the harbour",
            "Nobody counted the ferry among them.",
            "en",
            "2026-03-04T08:00:00Z",
        ),
        (
            "lundu",
            "渡轮回来了",
            "渡轮从星期一起再次横渡湖泊。",
            "zh",
            "2026-03-05T08:00:00Z",
        ),
    ] {
        archive_text(&mut shelf, path, title, text, language, at);
    }
    shelf
}

fn found(shelf: &Shelf, request: &Request) -> Vec<String> {
    let (hits, behind) = search(&shelf.reader(), request).unwrap();
    assert_eq!(behind, 0);
    let name = |hit: &faircopy::search::Hit| {
        let path = hit.row.source.path.to_str().unwrap();
        format!(
            "{path}@{}{}",
            hit.row.version,
            if hit.is_current { "" } else { " past" }
        )
    };
    hits.iter().map(name).collect()
}

fn words(query: &str) -> Request {
    Request {
        query: query.to_owned(),
        ..Request::default()
    }
}

#[test]
fn versions_are_found_by_words_phrases_beginnings_and_characters() {
    let shelf = shelf();
    let found = |query: &str| {
        let mut found = found(&shelf, &words(query));
        found.sort();
        found
    };
    assert_eq!(found("FERRY brill"), ["ferry@1 past", "ferry@2"]);
    assert_eq!(found("\"late again\""), ["ferry@2"]);
    assert_eq!(found("\"again late\""), [""; 0]);
    assert_eq!(found("ferry -brill"), ["gulls@1"]);
    assert_eq!(found("fahre gross*"), ["faehre@1"]);
    assert_eq!(found("FÄHRE GROSSE"), ["faehre@1"]);
    assert_eq!(found("see OR sails"), ["faehre@1", "ferry@1 past"]);
    assert_eq!(found("横渡"), ["lundu@1"]);
    assert_eq!(found("渡横"), [""; 0]);
    assert_eq!(found("nothing-of-the-kind"), [""; 0]);
    // A title weighs more than a text.
    let (hits, _) = search(&shelf.reader(), &words("ferry")).unwrap();
    assert!(hits[0].row.title.as_deref() == Some("Ferry returns") && hits.len() == 3);
    assert!(search(&shelf.reader(), &words("- ?!")).is_err());
}

#[test]
fn versions_are_found_by_date_language_source_and_whether_they_are_current() {
    let shelf = shelf();
    let ferry = words("ferry");
    let with = |change: &dyn Fn(&mut Request)| {
        let mut request = ferry.clone();
        change(&mut request);
        let mut found = found(&shelf, &request);
        found.sort();
        found
    };
    assert_eq!(with(&|r| r.current = true), ["ferry@2", "gulls@1"]);
    assert_eq!(
        with(&|r| r.language = Some("en".into())),
        ["ferry@1 past", "ferry@2", "gulls@1"]
    );
    assert_eq!(
        with(&|r| r.language = Some("EN-gb".into())),
        ["ferry@1 past", "ferry@2"]
    );
    assert_eq!(
        with(&|r| r.since = Some("2026-03-02T00:00:00Z".parse().unwrap())),
        ["ferry@2", "gulls@1"]
    );
    assert_eq!(
        with(&|r| r.until = Some("2026-03-01T23:00:00Z".parse().unwrap())),
        ["ferry@1 past"]
    );
    assert_eq!(
        with(&|r| r.source = Some("www.en.gazette.example".into())),
        ["gulls@1"]
    );
    for source in ["inbox", "Harbour Feed"] {
        assert_eq!(with(&|r| r.source = Some(source.into())).len(), 3);
    }
    assert_eq!(with(&|r| r.source = Some("elsewhere".into())), [""; 0]);
    assert_eq!(with(&|r| r.limit = Some(1)).len(), 1);
}

#[test]
fn an_index_that_is_missing_damaged_or_of_another_archive_is_made_anew() {
    let shelf = shelf();
    let path = Index::path_in(&shelf.dir());
    assert_eq!(found(&shelf, &words("gulls")), ["gulls@1"]);
    for damage in 0..4 {
        match damage {
            0 => fs::remove_file(&path).unwrap(),
            1 => fs::write(&path, "no database").unwrap(),
            2 => fs::write(&path, "").unwrap(),
            _ => {
                let other = self::shelf();
                found(&other, &words("gulls"));
                fs::copy(Index::path_in(&other.dir()), &path).unwrap();
            }
        }
        assert_eq!(found(&shelf, &words("gulls")), ["gulls@1"], "{damage}");
    }
}

#[test]
fn what_was_archived_since_is_found_and_a_forgotten_document_leaves_no_word() {
    let mut shelf = shelf();
    assert_eq!(found(&shelf, &words("cormorant")), [""; 0]);
    archive_text(
        &mut shelf,
        "bird",
        "Cormorant",
        "A cormorant dived under xylophagous planks.",
        "en",
        "2026-03-06T08:00:00Z",
    );
    assert_eq!(found(&shelf, &words("cormorant")), ["bird@1"]);

    let archive = shelf.reader();
    let doc = search(&archive, &words("cormorant"))
        .unwrap()
        .0
        .remove(0)
        .row
        .doc;
    Index::forget(&archive, &doc).unwrap();
    let index = rusqlite::Connection::open(Index::path_in(&shelf.dir())).unwrap();
    index
        .execute_batch("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, words, row)")
        .unwrap();
    let terms = |word: &str| -> i64 {
        let sql = "SELECT count(*) FROM temp.terms WHERE term = ?1";
        index.query_row(sql, [word], |row| row.get(0)).unwrap()
    };
    assert_eq!(
        (terms("xylophagous"), terms("cormorant"), terms("ferry")),
        (0, 0, 1)
    );
    let sql = "INSERT INTO words (words) VALUES ('integrity-check')";
    index.execute(sql, []).unwrap();
    drop(index);
    let bytes = fs::read(Index::path_in(&shelf.dir())).unwrap();
    assert!(memchr::memmem::find(&bytes, b"xylophag").is_none());
    assert!(memchr::memmem::find(&bytes, doc.0.as_bytes()).is_none());
    // It is covered: nobody indexes it again.
    assert_eq!(found(&shelf, &words("cormorant")), [""; 0]);
    assert_eq!(found(&shelf, &words("gulls")), ["gulls@1"]);
}

#[test]
fn the_command_shows_snippets_that_cannot_harm_a_terminal_and_exports_what_is_found() {
    let desk = Desk::new("");
    let text = "Harbour news\n\nThe \u{1b}[31m ferry\u{202e} sails again from Monday, the harbour office said.\n";
    let file = desk.sandbox.write("a.txt", text);
    desk.run(&["add", file.to_str().unwrap()]).expect(0);
    let said = desk.run(&["search", "Férry"]).expect(0);
    assert!(
        !said.stdout.contains(['\u{1b}', '\u{202e}']),
        "{:?}",
        said.stdout
    );
    assert!(said.stdout.contains("[ferry]"), "{}", said.stdout);
    let json: Value = desk
        .run(&["search", "ferry -gull", "--json"])
        .expect(0)
        .json()
        .remove(0);
    let snippet = json["snippet"].as_str().unwrap();
    let at = json["matches"][0].as_array().unwrap();
    let at = at[0].as_u64().unwrap() as usize..at[1].as_u64().unwrap() as usize;
    assert_eq!(&snippet[at], "ferry");
    assert_eq!(desk.run(&["search", "gull"]).expect(0).stdout, "");
    desk.run(&["search", "?"]).expect(1);
    let lines = desk
        .run(&["export", "--jsonl", "-", "--query", "ferry"])
        .expect(0)
        .json();
    assert_eq!(lines[0]["doc"], json["doc"]);
    desk.run(&["export", "--jsonl", "-", "--query", "gull"])
        .expect(1);
    assert!(desk.run(&["check", "--json"]).expect(0).json().len() == 1);
}

#[test]
fn an_idle_daemon_fills_the_index() {
    let mut desk = Desk::new("[[inbox]]\nsettle = \"50ms\"\n");
    desk.start();
    fs::write(
        desk.inbox().join("a.txt"),
        "Gulls\n\nThe gulls of the harbour came back today.\n",
    )
    .unwrap();
    desk.wait_for_documents(1);
    let path = desk.path("archive/search.sqlite");
    let covered = || {
        let index = rusqlite::Connection::open(&path).ok()?;
        index
            .query_row("SELECT leaves FROM covered", [], |row| row.get::<_, i64>(0))
            .ok()
    };
    wait_until("the index is filled", || {
        path.exists() && covered() == Some(2)
    });
    assert_eq!(desk.stop(), 0);
}

#[test]
fn what_was_cleaned_again_is_found_and_exported_as_it_reads_now() {
    let desk = Desk::new("");
    let text = "Ferry returns\n\nThe ferry across the lake sails again from Monday, the harbour office said.\n\nTide tables for all\n\nDogs sail free of charge until the autumn.\n";
    let file = desk.sandbox.write("ferry.txt", text);
    desk.run(&["add", file.to_str().unwrap()]).expect(0);
    let found = |query: &str| {
        desk.run(&["search", query, "--json"])
            .expect(0)
            .json()
            .len()
    };
    assert_eq!((found("tables"), found("dogs")), (1, 1));
    let rule = "[[rule]]\nname = \"table\"\nclass = \"promo\"\nreason = \"offers the tide tables\"\nis = [\"tide tables for all\"]\nmust_remove = [\"Tide tables for all\"]\nmust_keep = [\"The tide was high.\"]\n";
    fs::create_dir_all(desk.path("rules")).unwrap();
    fs::write(desk.path("rules/tides.toml"), rule).unwrap();
    desk.run(&["reclean"]).expect(0);
    assert_eq!((found("tables"), found("dogs")), (0, 1));

    let doc = desk.documents().remove(0)["doc"]
        .as_str()
        .unwrap()
        .to_owned();
    let exported = |reference: &str| {
        let said = desk.run(&["export", "--jsonl", "-", reference]).expect(0);
        said.json().remove(0)["text"]
            .as_str()
            .unwrap()
            .contains("Tide tables")
    };
    assert!(!exported(&doc) && !exported(&format!("{doc}@1")) && exported(&format!("{doc}@1.1")));
    let warc = desk.path("warc");
    desk.run(&["export", "--warc", warc.to_str().unwrap()])
        .expect(0);
    let mut records = Vec::new();
    let bytes = fs::read(warc.join("archive/faircopy-000001.warc.gz")).unwrap();
    std::io::Read::read_to_end(
        &mut flate2::bufread::MultiGzDecoder::new(&bytes[..]),
        &mut records,
    )
    .unwrap();
    let records = String::from_utf8_lossy(&records);
    assert_eq!(records.matches("WARC-Type: conversion").count(), 2);
    let bag = desk.path("bag");
    desk.run(&["export", "--bagit", bag.to_str().unwrap()])
        .expect(0);
    desk.run(&["verify", bag.to_str().unwrap()]).expect(0);
}
