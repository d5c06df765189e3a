//! Flat text into lines: one block per line, blocks parted by blank lines, or hard-wrapped paragraphs that are joined.
//! Which of them it is is decided once for the whole document.

use std::ops::Range;

use crate::article::BlockKind;
use crate::clean::line::{LineBuilder, Lines};
use crate::clean::repair::Repairs;

/// One row of the input: what stands between two line ends.
struct Row {
    span: Range<usize>,
    /// Blank rows before it.
    blank_before: u8,
    /// Its list or heading marker, as a range of the input; empty without one.
    marker: Range<usize>,
    kind: BlockKind,
    level: u8,
    /// Characters without the blanks at its ends.
    chars: usize,
}

/// How a text shows where its blocks end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Each row is a block.
    Rows,
    /// Blank rows part the blocks; a single line end inside a block is meant.
    BlankRows,
    /// Rows were broken at a width: rows of one paragraph are joined. The width is that of the longest.
    Wrapped(usize),
}

/// A text of more bytes or rows is no article; its lines would take more than a hundred times the memory of what they say.
const BYTES_MAX: usize = 8 << 20;
const ROWS_MAX: usize = 100_000;

/// The text is too large to be cut into lines.
pub fn is_too_large(input: &str) -> bool {
    // That many rows have at least as many bytes.
    input.len() > BYTES_MAX
        || input.len() > ROWS_MAX && input.chars().filter(|c| is_line_end(*c)).count() > ROWS_MAX
}

/// A text that is too large as one line, rows and all.
pub fn whole(input: &str) -> Lines<'_> {
    let start = input.len() - input.trim_start_matches(is_blank).len();
    let seen = input.trim_matches(is_blank);
    let mut text = String::with_capacity(seen.len());
    let mut before = None;
    for char in seen.chars() {
        if is_line_end(char) {
            text.truncate(text.trim_end_matches([' ', '\t', '\u{a0}']).len());
            // CR LF is one line end.
            if (before, char) != (Some('\r'), '\n') {
                text.push('\n');
            }
        } else if !crate::clean::line::is_unseen(char) {
            text.push(char);
        }
        before = Some(char);
    }
    let mut builder = LineBuilder::new(input);
    // Without this the flag would claim a repair that nobody made.
    let text = Repairs::of_page(input).apply(text);
    builder.push_as(start..start + seen.len(), &text);
    Lines {
        lines: builder.finish(BlockKind::Code).into_iter().collect(),
        asides: Vec::new(),
    }
}

/// Cuts a flat text into lines.
pub fn split(input: &str) -> Lines<'_> {
    let rows = rows(input);
    let layout = layout(input, &rows);
    let repairs = Repairs::of(input);
    let mut lines = Vec::with_capacity(rows.len());
    let mut at = 0;
    while at < rows.len() {
        let first = &rows[at];
        let mut builder = LineBuilder::new(input).repair(repairs);
        builder.push(first.marker.end..first.span.end);
        let mut last = at;
        while let Layout::Wrapped(width) = layout
            && rows
                .get(last + 1)
                .is_some_and(|next| next.goes_on(&rows[last], width))
        {
            builder.push_line_end(rows[last].span.end..rows[last + 1].span.start);
            last += 1;
            builder.push(rows[last].span.clone());
        }
        if let Some(mut line) = builder.finish(first.kind) {
            line.marker = (!first.marker.is_empty()).then(|| first.marker.clone());
            line.level = first.level;
            line.blank_before = first.blank_before;
            line.continues = layout == Layout::BlankRows
                && first.blank_before == 0
                && at > 0
                && first.marker.is_empty();
            lines.push(line);
        }
        at = last + 1;
    }
    Lines {
        lines,
        asides: Vec::new(),
    }
}

impl Row {
    /// Whether this row continues the paragraph that `before` is part of, in a text wrapped at `width`.
    fn goes_on(&self, before: &Row, width: usize) -> bool {
        self.blank_before == 0 && self.marker.is_empty() && before.chars * 10 >= width * 6
    }
}

/// Line ends as Unicode has them (UAX #14, class BK): LF, CR, CR LF, VT, FF, NEL, LS, PS.
fn is_line_end(char: char) -> bool {
    matches!(
        char,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Where each line end begins and ends.
fn line_ends(input: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = input.as_bytes();
    // Bytes that a line end begins with. Most texts have but one line end that is a single byte.
    let lead = |byte: &u8| matches!(byte, b'\n'..=b'\r' | 0xc2 | 0xe2);
    let other = |byte: &u8| byte.wrapping_sub(0x0b) <= 0x0d - 0x0b;
    let others = bytes.iter().fold(false, |any, byte| any | other(byte));
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &bytes[from..];
            let at = from
                + match others {
                    true => rest.iter().position(lead)?,
                    false => memchr::memchr3(b'\n', 0xc2, 0xe2, rest)?,
                };
            let char = input[at..].chars().next()?;
            from = at + char.len_utf8();
            if is_line_end(char) {
                return Some((at, from));
            }
        }
    })
}

fn rows(input: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut start = 0;
    let mut blank_before = 0u8;
    for (end, next) in line_ends(input).chain([(input.len(), input.len())]) {
        let row = &input[start..end];
        let seen = row.trim_matches(is_blank);
        if seen.is_empty() {
            // The empty row between the CR and the LF of one line end is none.
            let half = row.is_empty()
                && input[..start].ends_with('\r')
                && input[start..].starts_with('\n');
            blank_before = blank_before.saturating_add(u8::from(!half && start > 0));
        } else {
            let from = start + (row.len() - row.trim_start_matches(is_blank).len());
            let span = from..from + seen.len();
            let (kind, level, marker) = marker(seen);
            rows.push(Row {
                marker: from..from + marker,
                kind,
                level,
                chars: seen.chars().count(),
                span,
                blank_before,
            });
            blank_before = 0;
        }
        start = next;
    }
    rows
}

fn is_blank(char: char) -> bool {
    char.is_whitespace() || crate::clean::line::is_unseen(char)
}

/// The list or heading marker that a row begins with: kind, level, length with the blanks after it.
fn marker(row: &str) -> (BlockKind, u8, usize) {
    let length = |signs: usize| {
        let rest = &row[signs..];
        let text = rest.trim_start();
        // A marker is followed by a blank and by a text that has letters or digits.
        (rest.len() > text.len() && text.contains(char::is_alphanumeric))
            .then(|| signs + rest.len() - text.len())
    };
    let hashes = row.len() - row.trim_start_matches('#').len();
    if (1..=6).contains(&hashes)
        && let Some(length) = length(hashes)
    {
        return (BlockKind::Heading, hashes as u8, length);
    }
    if let Some(sign) = row.chars().next()
        && "-*+•·‣▪◦●■".contains(sign)
        && let Some(length) = length(sign.len_utf8())
    {
        return (BlockKind::ListItem, 1, length);
    }
    (BlockKind::Paragraph, 0, 0)
}

fn layout(input: &str, rows: &[Row]) -> Layout {
    let pairs = rows.windows(2);
    let tight: Vec<_> = pairs.filter(|pair| pair[1].blank_before == 0).collect();
    if let Some(width) = wrapped_width(input, &tight) {
        return Layout::Wrapped(width);
    }
    match rows.len() {
        0 | 1 => Layout::Rows,
        _ if tight.len() * 2 < rows.len() => Layout::BlankRows,
        _ => Layout::Rows,
    }
}

/// The width at which a text was wrapped: most rows that another row follows at once are nearly as long as the longest
/// of them and stop in the middle of a sentence.
fn wrapped_width(input: &str, tight: &[&[Row]]) -> Option<usize> {
    const WIDTHS: std::ops::RangeInclusive<usize> = 50..=120;
    const PAIRS_MIN: usize = 5;
    if tight.len() < PAIRS_MIN {
        return None;
    }
    let width = tight.iter().map(|pair| pair[0].chars).max()?;
    if !WIDTHS.contains(&width) {
        return None;
    }
    let full = tight.iter().filter(|pair| pair[0].chars * 10 >= width * 8);
    let open = tight.iter().filter(|pair| {
        let end = input[pair[0].span.clone()].chars().next_back();
        end.is_some_and(|end| end.is_alphanumeric() || end == ',')
    });
    (full.count() * 10 >= tight.len() * 7 && open.count() * 10 >= tight.len() * 5).then_some(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(input: &str) -> Vec<String> {
        let lines = split(input).lines.into_iter();
        lines.map(|line| line.text.into_owned()).collect()
    }

    #[test]
    fn each_row_is_a_line_whatever_ends_it() {
        let input = "a\r\nb\rc\u{85}d\u{2028}e\u{c}\n\n\u{feff}f";
        assert_eq!(texts(input), ["a", "b", "c", "d", "e", "f"]);
        let blanks: Vec<_> = split(input).lines.iter().map(|l| l.blank_before).collect();
        assert_eq!(blanks, [0, 0, 0, 0, 0, 2]);
    }

    #[test]
    fn a_text_that_is_too_large_stays_in_one_piece() {
        let input = "\na \r\nb\n".repeat(ROWS_MAX / 2);
        assert!(is_too_large(&input) && !is_too_large("a\nb"));
        let lines = whole(&input).lines;
        assert_eq!(lines.len(), 1);
        assert!(lines[0].text.starts_with("a\nb\n\na\nb"));
        assert_eq!(lines[0].pieces.len(), 1);
        let misread = whole("cafÃ© â€“ ZoÃ«").lines;
        assert_eq!(misread[0].text, "café – Zoë");
    }

    #[test]
    fn wrapped_paragraphs_are_joined() {
        let row = "word ".repeat(14);
        let row = row.trim();
        let input = format!("{row}\n{row}\n{row}\nthe end.\n\n{row}\n{row}\n{row}\nof it.");
        let joined = texts(&input);
        assert_eq!(joined.len(), 2);
        assert!(joined[0].ends_with("word the end."));
    }

    #[test]
    fn markers_are_told_from_text() {
        let lines = split("- one\n• two\n# Three\n-four\n- \n* * *").lines;
        let kinds: Vec<_> = lines.iter().map(|line| line.kind).collect();
        use BlockKind::{Heading, ListItem, Paragraph};
        assert_eq!(
            kinds,
            [ListItem, ListItem, Heading, Paragraph, Paragraph, Paragraph]
        );
        assert_eq!(lines[1].text, "two");
        assert_eq!(lines[1].start(), 6);
    }

    #[test]
    fn single_line_ends_inside_blocks_are_kept_where_blank_rows_part_blocks() {
        let lines = split("A verse,\na second one.\n\nProse.\n\nMore.").lines;
        let continues: Vec<_> = lines.iter().map(|line| line.continues).collect();
        assert_eq!(continues, [false, true, false, false]);
    }
}
