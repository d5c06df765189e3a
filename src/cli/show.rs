//! `faircopy show`

use faircopy::article_json;

use super::{Exit, Global, output, reference, setup};

/// Show one version with its metadata
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy show k3vq\n  faircopy show https://example.org/story@2024-03-25\n  faircopy show inbox/a.txt@2 --json"
)]
pub(crate) struct Args {
    /// Document: id, unique prefix, address or inbox path; @N a version, @DATE as it stood then
    #[arg(value_name = "DOC[@V]")]
    doc: String,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let archive = setup::open_archive(global)?;
    let capture = reference::resolve(&archive, &args.doc)?;
    let metadata = archive.read_metadata(&capture)?;
    let object = article_json::version(&capture, &metadata);
    if global.json {
        output::json(&object)?;
        return Ok(Exit::Good);
    }
    for key in [
        "doc",
        "version",
        "captured_at",
        "title",
        "authors",
        "date",
        "modified",
        "language",
        "section",
        "publisher",
        "original_publisher",
        "url",
        "tags",
        "truncated",
        "quality",
        "digests",
        "rules",
    ] {
        if let Some(text) = plain(&object[key]) {
            output::line(&format!("{key:>18}: {text}"))?;
        }
    }
    for (name, key) in [
        ("caption", "captions"),
        ("credit", "credits"),
        ("footer", "footers"),
        ("correction", "corrections"),
        ("later", "revisions"),
    ] {
        for value in object[key].as_array().into_iter().flatten() {
            if let Some(text) = plain(value) {
                output::line(&format!("{name:>18}: {text}"))?;
            }
        }
    }
    output::text(&format!("\n{}", metadata.article.text))?;
    Ok(Exit::Good)
}

/// A value for a person; `None` for nothing.
fn plain(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Array(values) => values
            .iter()
            .filter_map(plain)
            .collect::<Vec<_>>()
            .join(", "),
        Value::Object(fields) => fields
            .iter()
            .filter_map(|(key, value)| Some(format!("{key}: {}", plain(value)?)))
            .collect::<Vec<_>>()
            .join("; "),
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}
