//! The JSON of one cleaned article: `clean --json`, `show --json`, `export --jsonl`.

use serde_json::{Value, json};

use crate::archive::catalog::{CaptureRow, DocumentRow};
use crate::archive::metadata::CaptureMetadata;
use crate::article::{Article, Digests};
use crate::ledger::{Ledger, Span};
use crate::submission::path_text;

/// An archived version: its article, which capture it is, and what was declared about it.
pub fn version(capture: &CaptureRow, metadata: &CaptureMetadata) -> Value {
    let observation = &metadata.observation;
    let mut object = article(
        Some(&path_text::to_text(&observation.source.path)),
        &metadata.article,
        &observation.digests,
        &metadata.rules,
    );
    let revisions = metadata.revisions.iter();
    let revisions = revisions
        .map(|r| json!({"declared": r.declared, "received_at": r.received_at}))
        .collect();
    for (key, value) in [
        ("doc", json!(capture.doc)),
        ("version", json!(capture.version)),
        ("edition", json!(capture.edition_number())),
        ("capture", json!(capture.capture)),
        ("captured_at", json!(capture.captured_at)),
        (
            "cleaned_at",
            json!(capture.edition.map(|edition| edition.cleaned_at)),
        ),
        ("identity", json!(observation.identity)),
        ("declared", json!(observation.declared)),
        ("revisions", revisions),
        ("decoding", json!(metadata.decoding)),
        ("leaf", json!(capture.leaf)),
    ] {
        object[key] = value;
    }
    object
}

/// A document, as its latest version shows it.
pub fn document(row: &DocumentRow) -> Value {
    let latest = &row.latest;
    json!({
        "doc": row.doc, "source": latest.source.root, "path": path_text::to_text(&latest.source.path),
        "url": latest.url, "title": latest.title, "captures": row.captures, "versions": row.versions,
        "latest": {
            "version": latest.version, "captured_at": latest.captured_at,
            "raw": latest.digests.raw, "text": latest.digests.text,
        },
    })
}

/// `path`, the article's fields in the order of the contract, digests and rules.
pub fn article(path: Option<&str>, article: &Article, digests: &Digests, rules: &str) -> Value {
    let mut object = serde_json::Map::new();
    object.insert("path".into(), json!(path));
    match serde_json::to_value(article).expect("articles always serialize") {
        Value::Object(fields) => object.extend(fields),
        _ => unreachable!("an article is an object"),
    }
    object.insert("digests".into(), json!(digests));
    object.insert("rules".into(), json!(rules));
    Value::Object(object)
}

/// The ledger's spans, each with its text.
pub fn ledger(ledger: &Ledger, input: &str) -> Value {
    let span = |span: &Span| {
        json!({
            "start": span.start, "end": span.end,
            "verdict": span.verdict, "class": span.class, "rule": span.rule, "reason": span.reason,
            "text": input.get(span.start..span.end).unwrap_or_default(),
            "becomes": span.becomes,
        })
    };
    ledger.spans.iter().map(span).collect()
}
