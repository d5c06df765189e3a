//! `faircopy explain`

use std::path::Path;

use anyhow::{Context, anyhow};
use faircopy::article::Quality;
use faircopy::clean::rules::Rules;
use faircopy::decode::{self, decode};
use faircopy::ledger::{Class, Ledger};
use serde_json::json;

use super::{Exit, Global, article_json, clean, output, reference, setup};

/// Account for every byte: each span, kept or removed, with class, rule and reason
///
/// Works on an archived version, or on a file.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy explain article.txt\n  faircopy explain k3vq@2 --json | jq '.ledger[] | select(.verdict == \"removed\")'"
)]
pub(crate) struct Args {
    /// A file, or a document: id, unique prefix, address or inbox path; @N a version
    #[arg(value_name = "DOC[@V]|FILE")]
    what: String,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let file = Path::new(&args.what);
    let (name, ledger, input, canonical) = if file.is_file() {
        explain_file(file)?
    } else {
        explain_version(global, &args.what)?
    };
    // An account that does not add up must not be shown as one.
    ledger
        .verify(&input, &canonical)
        .with_context(|| format!("the ledger of {name} does not account for its text"))?;
    if global.json {
        output::json(&json!({"path": name, "ledger": article_json::ledger(&ledger, &input)}))?;
        return Ok(Exit::Good);
    }
    print(&ledger, &input)
}

fn explain_file(file: &Path) -> anyhow::Result<(String, Ledger, String, String)> {
    let cleaned = clean::clean_file(file, None, &Rules::built_in())
        .map_err(|(_, message)| anyhow!("cannot clean {}: {message}", file.display()))?;
    let input = cleaned.document.input().to_owned();
    let name = faircopy::submission::path_text::to_text(file);
    Ok((
        name,
        cleaned.cleaned.ledger,
        input,
        cleaned.cleaned.article.text,
    ))
}

/// The archive keeps the raw bytes and the ledger; the decoded input is made again.
fn explain_version(
    global: &Global,
    what: &str,
) -> anyhow::Result<(String, Ledger, String, String)> {
    let archive = setup::open_archive(global)?;
    let capture = reference::resolve(&archive, what)?;
    let metadata = archive.read_metadata(&capture)?;
    let raw = archive.read_raw(&capture)?;
    // As deep as then, whatever the limit is now.
    let was_flat = metadata.article.quality.contains(&Quality::TooDeep);
    let options = decode::Options {
        bytes_max: usize::MAX,
        depth_max: if was_flat { 0 } else { usize::MAX },
    };
    let document = decode(
        &metadata.observation.source.path,
        &raw,
        &metadata.observation.declared,
        &options,
    )?;
    let name = format!("{}@{}", capture.doc, capture.version);
    let input = document.input().to_owned();
    Ok((name, metadata.ledger, input, metadata.article.text))
}

fn print(ledger: &Ledger, input: &str) -> anyhow::Result<Exit> {
    let mut rows = vec![
        ["bytes", "verdict", "class", "rule", "text", "why"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for span in &ledger.spans {
        // Blanks between blocks need no explanation to a person; --json has them.
        if span.class == Class::Blank {
            continue;
        }
        rows.push(vec![
            format!("{}..{}", span.start, span.end),
            span.verdict.as_str().to_owned(),
            span.class.as_str().to_owned(),
            span.rule.to_string(),
            output::shorten(&input[span.start..span.end], 48),
            span.reason.to_string(),
        ]);
    }
    output::table(&rows)?;
    let removed = ledger.bytes_removed();
    output::line(&format!(
        "\n{} bytes in, {removed} removed; every byte is in exactly one span",
        input.len()
    ))?;
    Ok(Exit::Good)
}
