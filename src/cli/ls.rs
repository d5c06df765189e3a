//! `faircopy ls`

use faircopy::archive::catalog::DocumentRow;
use faircopy::article_json;
use faircopy::submission::path_text;

use super::{Exit, Global, output, setup};

/// List the archive's documents
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy ls\n  faircopy ls --json | jq -r 'select(.versions > 1) | .doc'"
)]
pub(crate) struct Args {}

pub(crate) fn run(global: &Global, _args: &Args) -> anyhow::Result<Exit> {
    let archive = setup::open_archive(global)?;
    let documents = archive.documents()?;
    if global.json {
        for document in &documents {
            output::json(&article_json::document(document))?;
        }
        return Ok(Exit::Good);
    }
    let rows: Vec<Vec<String>> = documents.iter().map(row).collect();
    output::table(&rows)?;
    if rows.is_empty() {
        output::note(global, "no documents yet");
    }
    Ok(Exit::Good)
}

fn row(row: &DocumentRow) -> Vec<String> {
    let latest = &row.latest;
    let title = latest.title.as_deref().unwrap_or("(no title)");
    let path = || {
        format!(
            "{}/{}",
            latest.source.root,
            path_text::to_text(&latest.source.path)
        )
    };
    vec![
        row.doc.to_string(),
        format!("@{}", latest.version),
        latest.captured_at.strftime("%Y-%m-%d %H:%M").to_string(),
        output::shorten(title, 60),
        latest.url.clone().unwrap_or_else(path),
    ]
}
