//! What lines of a dumped page show: dates, bylines, rows of data, pieces of sentences.

use crate::clean::date;
use crate::clean::rules::Position;
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// A row of a table, a result, an ingredient: like the line before or after it, it has a number, or it has the same signs.
pub(in crate::clean) fn is_data(sheet: &Sheet<'_>, index: usize) -> bool {
    let look = sheet.looks[index];
    if look.words < 3 || look.weight > 150 || !sheet.is_open(index) {
        return false;
    }
    let (own, number) = signs(sheet.text(index));
    let near = |other: Option<usize>| {
        other.is_some_and(|other| {
            other < sheet.len() && sheet.is_open(other) && {
                let (signs, also) = signs(sheet.text(other));
                number && also || own.len() > 1 && own == signs
            }
        })
    };
    near(index.checked_sub(1)) || near(Some(index + 1))
}

/// The signs in a line that part what tables and lists of facts say, and whether there is a number in it.
fn signs(text: &str) -> (Vec<char>, bool) {
    let signs = text
        .chars()
        .filter(|char| "():/–—|=%*".contains(*char))
        .take(12);
    (
        signs.collect(),
        text.bytes().any(|byte| byte.is_ascii_digit()),
    )
}

/// A short line with a date or the time of day in it.
pub(in crate::clean) fn is_dated(sheet: &Sheet<'_>, index: usize) -> bool {
    let look = sheet.looks[index];
    let text = sheet.text(index);
    look.words <= 20
        && look.weight <= 110
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && (date::find(text).is_some() || look.words <= 14 && !look.stops && has_clock(text))
}

/// `9:02`, as in `Updated Nov 19, 9:02 AM`.
pub(super) fn has_clock(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    (1..bytes.len()).any(|at| {
        bytes[at] == b':' && digit(at - 1) && digit(at + 1) && digit(at + 2) && !digit(at + 3)
    })
}

/// A line that would be a byline in the head.
pub(in crate::clean) fn is_byline(sheet: &Sheet<'_>, index: usize) -> bool {
    let hit = sheet.hit(index, &[Position::Start]);
    hit.is_some_and(|hit| sheet.hits[index][hit].rule.class == Class::Byline)
}

/// The line, or the one after it, goes on in the middle of a sentence: a text broken at its links.
pub(super) fn is_piece(sheet: &Sheet<'_>, index: usize) -> bool {
    let next = sheet.looks.get(index + 1);
    sheet.looks[index].goes_on || next.is_some_and(|next| next.goes_on) || sheet.dangles(index)
}

/// A short paragraph between two headlines.
pub(super) fn is_teaser(sheet: &Sheet<'_>, index: usize) -> bool {
    const WEIGHT_MAX: usize = 140;
    let headline = |other: Option<usize>| {
        other.is_some_and(|other| other >= sheet.len() || sheet.looks[other].is_headline())
    };
    let look = sheet.looks[index];
    look.is_paragraph()
        && look.weight < WEIGHT_MAX
        && headline(index.checked_sub(1))
        && headline(Some(index + 1))
}
