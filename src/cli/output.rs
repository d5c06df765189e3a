//! Stdout and stderr: JSON lines, text that cannot harm a terminal, error reports.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use faircopy::visible;
use serde::Serialize;

use super::{Exit, Global};

/// Nobody reads what we print any more, as behind `head`: the command ends, quietly.
#[derive(Debug, thiserror::Error)]
#[error("standard output is closed")]
pub(crate) struct Closed;

/// Writes one JSON object as a line to stdout, piece by piece: it may be as large as the largest file.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    const PIECE_BYTES: usize = 64 << 10;
    let mut stdout = io::BufWriter::with_capacity(PIECE_BYTES, io::stdout().lock());
    let written = serde_json::to_writer(&mut stdout, value).map_err(io::Error::from);
    told(
        written
            .and_then(|()| stdout.write_all(b"\n"))
            .and_then(|()| stdout.flush()),
    )
}

/// Writes `bytes` to stdout as they are.
pub(crate) fn raw(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    told(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

fn told(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
        result => result.context("cannot write to standard output"),
    }
}

/// Writes a line of text to stdout, made safe for a terminal.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    raw(format!("{}\n", safe(text)).as_bytes())
}

/// Writes scraped text to stdout: safe on a terminal, exact elsewhere, since its digest is archived.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    match io::stdout().is_terminal() {
        true => raw(safe(text).as_bytes()),
        false => raw(text.as_bytes()),
    }
}

/// A note for the person, on stderr, unless `--quiet`.
pub(crate) fn note(global: &Global, text: &str) {
    if !global.quiet {
        complain(text);
    }
}

/// What went wrong with one of several inputs, on stderr, even with `--quiet`.
pub(crate) fn complain(text: &str) {
    // A closed stderr is no reason to fail.
    drop(writeln!(io::stderr().lock(), "{}", safe(text)));
}

/// Scraped text on a terminal: control characters (escape sequences, carriage returns) and invisible reordering become
/// visible `\u{..}`; line feeds and tabs stay.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    use visible::{is_control, is_mark, is_reordering};
    visible::visible(text, |c| is_control(c) || is_reordering(c) || is_mark(c))
}

/// Writes a command's failure: a sentence on stderr, or with `--json` an object on stdout.
pub(crate) fn report(global: &Global, error: &anyhow::Error, exit: Exit) {
    let message = format!("{error:#}");
    if global.json {
        let object = serde_json::json!({"error": {"code": exit_name(exit), "message": message}});
        drop(json(&object));
    } else {
        complain(&format!("faircopy: {message}"));
    }
}

fn exit_name(exit: Exit) -> &'static str {
    match exit {
        Exit::Good => "good",
        Exit::Failed => "failed",
        Exit::Usage => "usage",
        Exit::Partly => "partly",
        Exit::Integrity => "integrity",
        Exit::NoArchive => "no_archive",
        Exit::Locked => "locked",
        Exit::Configuration => "configuration",
    }
}

/// Rows of cells, each row on one line, padded to columns of equal width; the last column is left as it is.
pub(crate) fn table(rows: &[Vec<String>]) -> anyhow::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut text = String::new();
        for (index, cell) in row.iter().enumerate() {
            text.push_str(&cell.replace(['\n', '\t'], " "));
            if index + 1 < row.len() {
                let padding = widths[index] - cell.chars().count() + 2;
                text.push_str(&" ".repeat(padding));
            }
        }
        line(text.trim_end())?;
    }
    Ok(())
}

/// At most `length` characters of `text`, on one line, with an ellipsis where it was cut.
pub(crate) fn shorten(text: &str, length: usize) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= length {
        return flat;
    }
    let mut short: String = flat.chars().take(length.saturating_sub(1)).collect();
    short.push('…');
    short
}
