//! Cleaning against labelled documents. They are not part of the repository: `FAIRCOPY_CORPUS` names the folder that holds
//! `noise/dev.jsonl`; without it these tests say so and pass. What cleaning made of each document is written to `target/quality`
//! as JSON lines, for the corpus's own scorers.

#![allow(
    clippy::print_stdout,
    reason = "says what was skipped and what was measured"
)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use faircopy::clean::rules::Rules;
use faircopy::clean::{Cleaned, clean};
use faircopy::decode::{Options, decode};
use faircopy::ledger::{Class, Verdict};
use faircopy::submission::Declared;
use serde_json::{Value, json};

fn corpus(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("FAIRCOPY_CORPUS") else {
        println!("skipped: needs FAIRCOPY_CORPUS");
        return None;
    };
    Some(Path::new(&folder).join(name)).filter(|path| path.exists())
}

fn cleaned(name: &str, raw: &[u8], rules: &Rules) -> (String, Cleaned) {
    let options = Options {
        bytes_max: 1 << 30,
        depth_max: 512,
    };
    let document = decode(Path::new(name), raw, &Declared::default(), &options);
    let document = document.unwrap_or_else(|reason| panic!("{name}: {reason:?}"));
    let cleaned = clean(&document, rules);
    let sound = cleaned
        .ledger
        .verify(document.input(), &cleaned.article.text);
    assert_eq!(sound, Ok(()), "{name}");
    (document.input().to_owned(), cleaned)
}

fn write(name: &str, rows: &[Value]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../quality");
    fs::create_dir_all(&folder).expect("target folder");
    let mut file = fs::File::create(folder.join(name)).expect("file in the target folder");
    for row in rows {
        writeln!(file, "{row}").expect("file in the target folder");
    }
}

/// The article, and what was removed from its input: rule, class, text.
fn row(id: &Value, (input, cleaned): &(String, Cleaned)) -> Value {
    let spans = cleaned.ledger.spans.iter();
    let removed =
        spans.filter(|span| span.verdict == Verdict::Removed && span.class != Class::Blank);
    let removed = removed.map(|span| json!([span.rule, span.class, input[span.start..span.end]]));
    let mut row = serde_json::to_value(&cleaned.article).expect("articles are JSON");
    row["id"] = id.clone();
    row["removed"] = removed.collect();
    row
}

#[test]
fn labelled_documents_are_cleaned_and_accounted_for() {
    let Some(path) = corpus("noise/dev.jsonl") else {
        return;
    };
    let rules = Rules::built_in();
    let text = fs::read_to_string(&path).expect("corpus");
    let (mut flat, mut pages) = (Vec::new(), Vec::new());
    let mut changed = Vec::new();
    for line in text.lines() {
        let document: Value = serde_json::from_str(line).expect("corpus");
        let lines = document["lines"].as_array().expect("lines").iter();
        let lines: Vec<&str> = lines.filter_map(|line| line["t"].as_str()).collect();
        let raw = lines.join(document["sep"].as_str().unwrap_or("\n\n")) + "\n";
        let done = cleaned("document.txt", raw.as_bytes(), &rules);
        let once = &done.1;
        if !once.article.text.is_empty() {
            let (_, twice) = cleaned("document.txt", once.article.text.as_bytes(), &rules);
            if twice.article.text != once.article.text {
                changed.push(document["id"].clone());
                if std::env::var_os("FAIRCOPY_VERBOSE").is_some() {
                    let (a, b) = (once.article.text.lines(), twice.article.text.lines());
                    let lost = a.filter(|line| !b.clone().any(|other| other == *line));
                    println!("{} {:?}", document["id"], lost.collect::<Vec<_>>());
                }
            }
        }
        flat.push(row(&document["id"], &done));
        let page = document["html"]
            .as_str()
            .and_then(|html| html.split_once('/'));
        let page = page.map(|(_, file)| path.with_file_name("html").join(file));
        if let Some(page) = page.filter(|page| page.exists()) {
            let raw = fs::read(&page).expect("corpus");
            let page = cleaned("document.html", &raw, &rules);
            pages.push(row(&document["id"], &page));
        }
    }
    write("flat.jsonl", &flat);
    write("pages.jsonl", &pages);
    println!(
        "{} texts, {} pages; cleaning again changes {changed:?}",
        flat.len(),
        pages.len()
    );
}

#[test]
fn pages_of_every_corpus_are_cleaned_and_accounted_for() {
    let rules = Rules::built_in();
    for name in ["aeb", "fundus", "wcxb_dev", "htmldate"] {
        let Some(folder) = corpus(name) else {
            continue;
        };
        let pages = fs::read_dir(folder.join("html")).expect("corpus");
        let mut pages: Vec<PathBuf> = pages.map(|page| page.expect("corpus").path()).collect();
        pages.sort();
        let rows: Vec<Value> = pages
            .iter()
            .map(|page| {
                let id = page.file_stem().expect("pages have names");
                let raw = fs::read(page).expect("corpus");
                row(
                    &json!(id.to_string_lossy()),
                    &cleaned("document.html", &raw, &rules),
                )
            })
            .collect();
        write(&format!("{name}.jsonl"), &rows);
        println!("{name}: {} pages", rows.len());
    }
}
