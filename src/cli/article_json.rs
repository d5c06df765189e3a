//! The JSON of one cleaned article: `clean --json`, `show --json`.

use faircopy::article::{Article, Digests};
use faircopy::ledger::Ledger;
use serde_json::{Value, json};

/// `path`, the article's fields in the order of the contract, digests and rules.
pub(crate) fn article(
    path: Option<&str>,
    article: &Article,
    digests: &Digests,
    rules: &str,
) -> Value {
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
pub(crate) fn ledger(ledger: &Ledger, input: &str) -> Value {
    let span = |span: &faircopy::ledger::Span| {
        json!({
            "start": span.start, "end": span.end,
            "verdict": span.verdict, "class": span.class, "rule": span.rule, "reason": span.reason,
            "text": input.get(span.start..span.end).unwrap_or_default(),
            "becomes": span.becomes,
        })
    };
    ledger.spans.iter().map(span).collect()
}
