//! `faircopy log`

use faircopy::timeline::timelines;
use serde_json::json;

use super::{Exit, Global, output, reference, setup};

/// List the captures, versions and editions of one document
///
/// `story`: another title, byline, text or caption, which makes a version. `furniture`: other bytes, same story. `none`: the
/// same bytes. `rules`: a capture cleaned again, which makes an edition of its version.
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
    let bonds = archive.bonds()?;
    let group = bonds.group(&doc);
    for entry in timelines(&archive, &group)? {
        let part = bonds.part(&entry.row.doc, entry.row.version);
        let row = &entry.row;
        let cleaned_at = row.edition.map(|edition| edition.cleaned_at);
        if global.json {
            let mut object = entry.object();
            object["part"] = json!(part);
            output::json(&object)?;
            continue;
        }
        let version = match row.edition {
            Some(edition) => format!("@{}.{}", row.version, edition.number),
            None => format!("@{}", row.version),
        };
        let mut change = entry.cause.as_str().to_owned();
        if !entry.changed.is_empty() {
            change.push_str(&format!(": {}", entry.changed.join(", ")));
        }
        let at = cleaned_at.unwrap_or(row.captured_at);
        let parted = bonds.is_split(&row.doc, row.version) || part > 1;
        if parted {
            change.push_str(&format!(" (document {part} of this address)"));
        }
        let mut columns = vec![
            format!("#{}", row.capture),
            version,
            at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            change,
            format!("raw {}", &row.digests.raw.to_hex()[..12]),
            format!("text {}", &row.digests.text.to_hex()[..12]),
            format!("leaf {}", entry.leaf),
        ];
        if group.len() > 1 {
            columns.insert(0, row.doc.to_string());
        }
        rows.push(columns);
    }
    if let Some(erased) = archive.erased(&doc)? {
        if global.json {
            output::json(
                &json!({"doc": doc, "change": "erased", "at": erased.at, "leaf": erased.leaf}),
            )?;
        } else {
            let at = erased
                .at
                .map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
            let text = format!(
                "erased {}, as leaf {} says",
                at.unwrap_or_default(),
                erased.leaf
            );
            output::line(&format!("what was captured before is {text}"))?;
        }
    }
    output::table(&rows)?;
    Ok(Exit::Good)
}
