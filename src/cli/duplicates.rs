//! `faircopy duplicates`

use faircopy::duplicates::{self, Copy};
use serde_json::json;

use super::{Exit, Global, output, setup};

/// Find documents whose texts are mostly the same
///
/// Syndicated copies across sources, and one article under several addresses. The fullest copy stands first. This is advice:
/// nothing is merged; `faircopy link` says that two documents are one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  faircopy duplicates --json | jq .fullest.doc")]
pub(crate) struct Args {}

pub(crate) fn run(global: &Global, _args: &Args) -> anyhow::Result<Exit> {
    let archive = setup::open_archive(global)?;
    let found = duplicates::find(&archive)?;
    for cluster in &found.clusters {
        let Some((fullest, others)) = cluster.copies.split_first() else {
            continue;
        };
        if global.json {
            let others: Vec<_> = others.iter().map(object).collect();
            output::json(&json!({"fullest": object(fullest), "copies": others}))?;
            continue;
        }
        output::table(&cluster.copies.iter().map(columns).collect::<Vec<_>>())?;
        output::line("")?;
    }
    for why in &found.unreadable {
        output::complain(&format!("faircopy: left out: {why}"));
    }
    if found.clusters.is_empty() && !global.json {
        output::note(global, "no two documents are mostly the same");
    }
    Ok(if found.unreadable.is_empty() {
        Exit::Good
    } else {
        Exit::Partly
    })
}

fn object(copy: &Copy) -> serde_json::Value {
    let row = &copy.row;
    json!({
        "doc": row.doc, "version": row.version, "source": row.source.root, "url": row.url, "title": row.title,
        "captured_at": row.captured_at, "text_bytes": copy.text_bytes, "share": (copy.share * 100.0).round() / 100.0,
    })
}

fn columns(copy: &Copy) -> Vec<String> {
    let row = &copy.row;
    vec![
        format!("{}@{}", row.doc, row.version),
        format!("{:.0}%", copy.share * 100.0),
        format!("{} bytes", copy.text_bytes),
        row.captured_at.strftime("%Y-%m-%d %H:%M").to_string(),
        output::shorten(row.title.as_deref().unwrap_or("(no title)"), 60),
        row.url.clone().unwrap_or_else(|| row.source.root.clone()),
    ]
}
