//! `faircopy prove`

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use faircopy::archive::log::note::Checkpoint;
use serde_json::json;

use super::{Exit, Global, output, reference, setup};

/// Prove that a version is in the archive's log, in one file that is verified without the archive
///
/// The file (C2SP tlog-proof) holds the version's leaf, the metadata that the leaf commits to (with the digests of raw bytes
/// and text, and all that was observed and declared), the path from the leaf to the root, and the signed checkpoint. Who
/// gets it verifies it with `faircopy verify` and the key in log/vkey, which must reach them another way.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy prove k3vq@2\n  faircopy prove https://example.org/story -o story.tlog-proof\n  faircopy prove --leaf 17 -o -"
)]
pub(crate) struct Args {
    /// Document: id, unique prefix, address or inbox path; @N a version, @DATE as it stood then
    #[arg(value_name = "DOC[@V]", required_unless_present = "leaf")]
    doc: Option<String>,
    /// A leaf of the log instead, whatever it tells of; `faircopy audit` lists them
    #[arg(long, value_name = "N", conflicts_with = "doc")]
    leaf: Option<u64>,
    /// Where to write it; `-` is standard output [default: DOC@V.tlog-proof]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let archive = setup::open_archive(global)?;
    let (leaf, name) = match (&args.doc, args.leaf) {
        (Some(doc), _) => {
            let row = reference::resolve(&archive, doc)?;
            (row.leaf, format!("{}@{}", row.doc, row.version))
        }
        (None, leaf) => {
            let leaf = leaf.unwrap_or_default();
            (leaf, format!("leaf-{leaf}"))
        }
    };
    let proof = archive
        .prove(leaf)
        .with_context(|| format!("cannot prove leaf {leaf} of the log"))?;
    let text = proof.to_text();
    let path = args.output.clone();
    let path = path.unwrap_or_else(|| PathBuf::from(format!("{name}.tlog-proof")));
    if path == Path::new("-") {
        output::raw(text.as_bytes())?;
        return Ok(Exit::Good);
    }
    write_new(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    if global.json {
        let size = Checkpoint::unverified(&proof.note).map(|checkpoint| checkpoint.size);
        output::json(&json!({"file": path, "leaf": leaf, "size": size}))?;
    } else {
        output::line(&path.display().to_string())?;
    }
    Ok(Exit::Good)
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}
