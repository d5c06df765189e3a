//! `faircopy log`

use serde_json::json;

use super::{Exit, Global, output, reference, setup};

/// List the captures and versions of one document
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  faircopy log https://example.org/story")]
pub(crate) struct Args {
    /// Document: id, unique prefix, address or inbox path
    doc: String,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let archive = setup::open_archive(global)?;
    let (doc, _) = reference::split(&archive, &args.doc)?;
    let mut rows = Vec::new();
    for capture in archive.captures(&doc)? {
        if global.json {
            output::json(&json!({
                "doc": capture.doc, "capture": capture.capture, "version": capture.version,
                "captured_at": capture.captured_at, "change": capture.change.as_str(),
                "raw": capture.digests.raw, "text": capture.digests.text, "rules": capture.rules, "leaf": capture.leaf,
            }))?;
        } else {
            rows.push(vec![
                format!("#{}", capture.capture),
                format!("@{}", capture.version),
                capture
                    .captured_at
                    .strftime("%Y-%m-%d %H:%M:%S UTC")
                    .to_string(),
                capture.change.as_str().to_owned(),
                format!("raw {}", &capture.digests.raw.to_hex()[..12]),
                format!("text {}", &capture.digests.text.to_hex()[..12]),
                format!("leaf {}", capture.leaf),
            ]);
        }
    }
    output::table(&rows)?;
    Ok(Exit::Good)
}
