//! `faircopy explain`

use std::path::Path;

use anyhow::{Context, anyhow};
use faircopy::article_json;
use faircopy::clean::shadow::{Difference, differences};
use faircopy::explanation::{self, Explanation};
use faircopy::ledger::{Class, Ledger};
use serde_json::json;

use super::{Exit, Global, clean, output, reference, rules, setup};

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

/// An account, with what it is of.
struct Explained {
    name: String,
    ledger: Ledger,
    input: String,
    /// What rule packs in the shadow would do.
    shadow: Vec<Difference>,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let file = Path::new(&args.what);
    let explained = if file.is_file() {
        explain_file(global, file)?
    } else {
        explain_version(global, &args.what)?
    };
    let Explained {
        name,
        ledger,
        input,
        shadow,
    } = explained;
    if global.json {
        let mut object = json!({"path": name, "ledger": article_json::ledger(&ledger, &input)});
        if !shadow.is_empty() {
            object["shadow"] = serde_json::to_value(shadow)?;
        }
        output::json(&object)?;
        return Ok(Exit::Good);
    }
    print(&ledger, &input)?;
    if !shadow.is_empty() {
        output::line("\nrule packs in the shadow would do:")?;
        output::table(&shadow.iter().map(rules::row).collect::<Vec<_>>())?;
    }
    Ok(Exit::Good)
}

fn explain_file(global: &Global, file: &Path) -> anyhow::Result<Explained> {
    let rules = setup::rules(global)?.rules;
    let file_cleaned = clean::clean_file(file, None, &rules)
        .map_err(|(_, message)| anyhow!("cannot clean {}: {message}", file.display()))?;
    let clean::CleanedFile {
        document, cleaned, ..
    } = file_cleaned;
    let name = faircopy::submission::path_text::to_text(file);
    // An account that does not add up must not be shown as one.
    (cleaned.ledger)
        .verify(document.input(), &cleaned.article.text)
        .with_context(|| format!("the ledger of {name} does not account for its text; that is a defect of this program, please report it with the file"))?;
    Ok(Explained {
        name,
        shadow: differences(&document, &rules, &cleaned),
        input: document.input().to_owned(),
        ledger: cleaned.ledger,
    })
}

/// What was archived, by the rules of then; and what packs in the shadow would do by those of today.
fn explain_version(global: &Global, what: &str) -> anyhow::Result<Explained> {
    let archive = setup::open_archive(global)?;
    let capture = reference::resolve(&archive, what)?;
    let Explanation { document, metadata } = explanation::of(&archive, &capture)?;
    let rules = setup::rules(global)?.rules;
    let shadow = match rules.shadow() {
        Some(_) => differences(
            &document,
            &rules,
            &faircopy::clean::clean(&document, &rules),
        ),
        None => Vec::new(),
    };
    Ok(Explained {
        name: format!("{}@{}", capture.doc, capture.version),
        input: document.input().to_owned(),
        ledger: metadata.ledger,
        shadow,
    })
}

fn print(ledger: &Ledger, input: &str) -> anyhow::Result<()> {
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
    ))
}
