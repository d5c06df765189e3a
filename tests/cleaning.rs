//! Every seed cleans to its golden. The goldens are written by hand and nothing here writes them: see `seeds/README.md`.

#![allow(
    clippy::print_stdout,
    reason = "a test report is read on standard output"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use faircopy::article::{Article, BlockKind};
use faircopy::clean::rules::Rules;
use faircopy::clean::{self, Cleaned};
use faircopy::decode::{self, Options};
use faircopy::document::Document;
use faircopy::submission::{Declared, Reason};
use serde_json::Value;
use similar::TextDiff;

#[test]
fn every_seed_cleans_to_its_golden() {
    let rules = Rules::built_in();
    let names = common::seed_names().into_iter();
    judge(names.map(|name| {
        let mismatches = mismatches(&name, &rules);
        (name, mismatches)
    }));
}

/// Fails with all findings listed.
fn judge(findings: impl Iterator<Item = (String, Vec<String>)>) {
    let failed: Vec<String> = findings
        .filter(|(_, found)| !found.is_empty())
        .map(|(name, found)| format!("== {name}\n{}\n", found.join("\n")))
        .collect();
    assert!(
        failed.is_empty(),
        "\n{}{} seeds are not as they should be",
        failed.concat(),
        failed.len()
    );
}

#[test]
fn every_seed_has_a_golden_and_every_golden_its_seed() {
    let names: BTreeSet<String> = common::seed_names().into_iter().collect();
    let goldens = fs::read_dir(common::seeds_dir()).expect("the seeds lie in the repository");
    let goldens: BTreeSet<String> = goldens
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".golden.json").map(str::to_owned))
        .collect();
    assert_eq!(names, goldens);
}

#[test]
fn cleaning_a_seed_twice_gives_the_same() {
    let rules = Rules::built_in();
    for (name, document) in documents() {
        let (first, second) = (
            clean::clean(&document, &rules),
            clean::clean(&document, &rules),
        );
        assert_eq!(first.article, second.article, "{name}");
        assert_eq!(first.ledger, second.ledger, "{name}");
    }
}

#[test]
fn a_fair_copy_cleans_to_itself_and_an_added_footer_changes_only_what_footers_tell() {
    let rules = Rules::built_in();
    judge(fair_copies(&rules).map(|(name, article, copy)| {
        let fair = clean_text(&copy, &rules).article;
        let mut found = Vec::from_iter(unlike("itself", &article.text, &fair.text));
        let title = fair.title.clone().unwrap_or_default();
        for footer in [
            "Click Here to Read the Full Original Article at The Copper Gazette…",
            &format!("The post {title} appeared first on The Copper Gazette."),
            "This article was originally published by The Copper Gazette.",
        ] {
            let with_footer = clean_text(&format!("{copy}\n{footer}\n"), &rules).article;
            found.extend(footer_changes(&fair, with_footer, footer));
        }
        (name, found)
    }));
}

/// What else than the footer itself and what it tells is different in `article`, which is `fair` with a footer added.
fn footer_changes(fair: &Article, mut article: Article, footer: &str) -> Vec<String> {
    let mut found = Vec::new();
    match article.footers.pop() {
        Some(last) if last.verbatim == footer => {
            if last.publisher.as_deref() != Some("The Copper Gazette") {
                found.push(format!("{footer}: publisher {:?}", last.publisher));
            }
        }
        last => found.push(format!("{footer}: not seen, the last footer is {last:?}")),
    }
    article.truncated = fair.truncated.clone();
    article
        .original_publisher
        .clone_from(&fair.original_publisher);
    let pretty = |article| serde_json::to_string_pretty(article).expect("an article is JSON");
    found.extend(unlike(footer, &pretty(fair), &pretty(&article)));
    found
}

/// The seeds that can be decoded.
fn documents() -> impl Iterator<Item = (String, Document)> {
    let names = common::seed_names().into_iter();
    names.filter_map(|name| {
        let document = decode_seed(&name).ok()?;
        Some((name, document))
    })
}

/// Complete articles of the seeds, and each as flat text under its title. Code and tables lose their form in flat text.
fn fair_copies(rules: &Rules) -> impl Iterator<Item = (String, Article, String)> {
    documents().filter_map(|(name, document)| {
        let article = clean::clean(&document, rules).article;
        let title = article.title.clone()?;
        let flat = |kind| !matches!(kind, BlockKind::Code | BlockKind::Table);
        let usable = common::seeds_dir()
            .join(format!("{name}.golden.txt"))
            .exists()
            && article.truncated.evidence.is_empty()
            && article.blocks.iter().all(|block| flat(block.kind))
            && article.text.chars().count() > 200;
        let copy = format!("{title}\n\n{}", article.text);
        usable.then_some((name, article, copy))
    })
}

fn decode_seed(name: &str) -> Result<Document, Reason> {
    let declared = sidecar(name).and_then(Result::ok).unwrap_or_default();
    decode::decode(
        Path::new(name),
        &common::seed(name),
        &declared,
        &Options::default(),
    )
}

/// What the seed's sidecar declares; `None` without one.
fn sidecar(name: &str) -> Option<serde_json::Result<Declared>> {
    let bytes = fs::read(common::seeds_dir().join(format!("{name}.meta.json"))).ok()?;
    Some(serde_json::from_slice(&bytes))
}

fn clean_text(text: &str, rules: &Rules) -> Cleaned {
    let declared = Declared::default();
    let document = decode::decode(
        Path::new("fair.txt"),
        text.as_bytes(),
        &declared,
        &Options::default(),
    );
    clean::clean(&document.expect("a fair copy is text"), rules)
}

/// How a seed differs from its golden, one finding each, readable.
fn mismatches(name: &str, rules: &Rules) -> Vec<String> {
    let golden = fs::read(common::seeds_dir().join(format!("{name}.golden.json")));
    let golden: Value = serde_json::from_slice(&golden.expect("each seed has a golden"))
        .unwrap_or_else(|error| panic!("golden of {name}: {error}"));
    let document = match (decode_seed(name), &golden["error"]["code"]) {
        (Ok(document), Value::Null) => document,
        (Err(reason), Value::String(code)) if reason.code.as_str() == code => return Vec::new(),
        (Err(reason), _) => return vec![format!("refused as {}: {reason}", reason.code.as_str())],
        (Ok(_), code) => return vec![format!("taken, to be refused as {code}")],
    };
    let Cleaned { article, ledger } = clean::clean(&document, rules);
    let mut found = Vec::new();
    if let Err(error) = ledger.verify(document.input(), &article.text) {
        found.push(format!("ledger: {error}"));
    }
    if let Ok(text) = fs::read_to_string(common::seeds_dir().join(format!("{name}.golden.txt"))) {
        found.extend(unlike("text", &text, &article.text));
    }
    let said = serde_json::to_value(&article).expect("an article is JSON");
    let golden = golden.as_object().expect("a golden is an object");
    for (field, wanted) in golden {
        let got = match field.as_str() {
            "charset" => Value::from(document.decoding.charset.as_str()),
            "layers" => serde_json::to_value(&document.decoding.layers).expect("layers are JSON"),
            "headings" => headings(&article),
            "sidecar" => sidecar_state(name).into(),
            "truncated" => said["truncated"]["state"].clone(),
            _ => said
                .get(field)
                .cloned()
                .unwrap_or_else(|| panic!("golden of {name}: no field {field}")),
        };
        if !fits(field, wanted, &got) {
            found.push(format!("{field}:\n  - {wanted}\n  + {got}"));
        }
    }
    if !golden.contains_key("quality")
        && !fits("quality", &Value::Array(Vec::new()), &said["quality"])
    {
        found.push(format!(
            "quality: nothing is wrong with it, but {}",
            said["quality"]
        ));
    }
    found
}

fn headings(article: &Article) -> Value {
    let headings = article.blocks.iter();
    let headings = headings.filter(|block| block.kind == BlockKind::Heading);
    headings.map(|block| block.text.as_str()).collect()
}

fn sidecar_state(name: &str) -> &'static str {
    match sidecar(name) {
        Some(Ok(_)) => "good",
        Some(Err(_)) => "bad",
        None => "none",
    }
}

/// Whether what was found is what the golden wants of this field.
fn fits(field: &str, wanted: &Value, got: &Value) -> bool {
    match (field, wanted, got) {
        ("truncated" | "charset", Value::Array(fair), got) => fair.contains(got),
        // Of a language its first subtag counts: pages say en-GB, texts cannot.
        ("language", Value::String(wanted), Value::String(got)) => {
            got.split('-').next() == Some(wanted)
        }
        ("quality", Value::Array(wanted), Value::Array(got)) => {
            let thin = Value::from("thin");
            let rest = got.iter().filter(|flag| **flag != thin);
            let wanted_rest = wanted.iter().filter(|flag| **flag != thin);
            rest.eq(wanted_rest) && (!wanted.contains(&thin) || got.contains(&thin))
        }
        ("captions" | "credits" | "footers", Value::Array(wanted), Value::Array(got)) => {
            let mut pairs = wanted.iter().zip(got);
            wanted.len() == got.len() && pairs.all(|(wanted, got)| members_fit(wanted, got))
        }
        _ => wanted == got,
    }
}

/// Whether `got` has all members of `wanted`; brackets around a credit do not matter.
fn members_fit(wanted: &Value, got: &Value) -> bool {
    let wanted = wanted.as_object().into_iter().flatten();
    wanted.into_iter().all(|(member, wanted)| {
        match (member.as_str(), wanted.as_str(), got[member].as_str()) {
            ("credit" | "verbatim", Some(wanted), Some(got)) => {
                unbracketed(wanted) == unbracketed(got)
            }
            _ => *wanted == got[member],
        }
    })
}

fn unbracketed(credit: &str) -> &str {
    let brackets = [('(', ')'), ('[', ']'), ('（', '）')];
    let inner = brackets
        .iter()
        .find_map(|(open, close)| credit.strip_prefix(*open)?.strip_suffix(*close));
    inner.unwrap_or(credit)
}

/// A readable difference, if there is one.
fn unlike(name: &str, wanted: &str, got: &str) -> Option<String> {
    (wanted != got).then(|| {
        let diff = TextDiff::from_lines(wanted, got);
        let diff = diff.unified_diff().context_radius(1).to_string();
        format!("{name}:\n{diff}")
    })
}
