//! Stdout and stderr: JSON lines, text that cannot harm a terminal, error reports.

use std::io::{self, Write};

use serde::Serialize;

use super::{Exit, Global};

/// Writes one JSON object as a line to stdout.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    io::stdout().lock().write_all(&line)?;
    Ok(())
}

/// Writes `text` to stdout as it is.
pub(crate) fn raw(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()?;
    Ok(())
}

/// Writes a line of text to stdout, made safe for a terminal.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    raw(format!("{}\n", safe(text)).as_bytes())
}

/// Writes several lines of text to stdout, made safe for a terminal.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    raw(safe(text).as_bytes())
}

/// A note for the person, on stderr, unless `--quiet`.
pub(crate) fn note(global: &Global, text: &str) {
    if !global.quiet {
        // A closed stderr is no reason to fail.
        drop(writeln!(io::stderr().lock(), "{}", safe(text)));
    }
}

/// Scraped text on a terminal: control characters (escape sequences, carriage returns) and invisible reordering become
/// visible `\u{..}`; line feeds and tabs stay.
pub(crate) fn safe(text: &str) -> String {
    let harmful = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(harmful) {
        return text.to_owned();
    }
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if harmful(c) {
            clean.extend(c.escape_unicode());
        } else {
            clean.push(c);
        }
    }
    clean
}

/// Writes a command's failure: a sentence on stderr, or with `--json` an object on stdout.
pub(crate) fn report(global: &Global, error: &anyhow::Error, exit: Exit) {
    let message = format!("{error:#}");
    if global.json {
        let object = serde_json::json!({"error": {"code": exit_name(exit), "message": message}});
        drop(json(&object));
    } else {
        drop(writeln!(
            io::stderr().lock(),
            "faircopy: {}",
            safe(&message)
        ));
    }
}

fn exit_name(exit: Exit) -> &'static str {
    match exit {
        Exit::Good => "good",
        Exit::Failed => "failed",
        Exit::Partly => "partly",
        Exit::Integrity => "integrity",
        Exit::NoArchive => "no_archive",
        Exit::Locked => "locked",
        Exit::Configuration => "configuration",
    }
}

/// Rows of cells, padded to columns of equal width; the last column is left as it is.
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
            text.push_str(cell);
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
