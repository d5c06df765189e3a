//! `faircopy cat`

use std::io::IsTerminal;

use super::{Exit, Global, output, reference, setup};

/// Print one version: canonical text, raw bytes, Markdown or metadata
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy cat k3vq\n  faircopy cat k3vq@1 --raw > as-it-came.html\n  faircopy cat k3vq --meta | jq .identity"
)]
pub(crate) struct Args {
    /// Document: id, unique prefix, address or inbox path; @N a version, @DATE as it stood then
    #[arg(value_name = "DOC[@V]")]
    doc: String,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Form {
    /// The canonical text (default)
    #[arg(long)]
    text: bool,
    /// The bytes as they came
    #[arg(long)]
    raw: bool,
    /// Markdown
    #[arg(long)]
    markdown: bool,
    /// The metadata record, JSON
    #[arg(long)]
    meta: bool,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let archive = setup::open_archive(global)?;
    let capture = reference::resolve(&archive, &args.doc)?;
    if args.form.raw {
        let raw = archive.read_raw(&capture)?;
        // A page can carry escape sequences, and be no UTF-8: on a terminal they are shown, in a file they are exact.
        if std::io::stdout().is_terminal() {
            output::text(&String::from_utf8_lossy(&raw))?;
        } else {
            output::raw(&raw)?;
        }
    } else if args.form.meta || global.json {
        // The very bytes whose digest the log has; one line, and JSON escapes what could harm a terminal but DEL and C1.
        let block = archive.read_metadata_block(&capture)?;
        output::raw(&block)?;
        output::raw(b"\n")?;
    } else if args.form.markdown {
        output::text(&archive.read_metadata(&capture)?.article.to_markdown())?;
    } else {
        output::text(&archive.read_text(&capture)?)?;
    }
    Ok(Exit::Good)
}
