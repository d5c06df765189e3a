//! What follows the article in a dumped page: the readers' comments, the author's portrait.

use std::ops::Range;

use crate::clean::date;
use crate::clean::dump::signs::{has_clock, is_byline, is_dated};
use crate::clean::rules::Opens;
use crate::clean::sheet::Sheet;

/// The readers' comments below an article: signatures, one after the other, each a name with the day and time, under a
/// heading that says so or with a colon, as blogs have it (`Ada Brill says:`). `above`: what stands above a line is worth as an article.
pub(super) fn comments(sheet: &Sheet<'_>, above: impl Fn(usize) -> i32) -> Option<Range<usize>> {
    const ARTICLE_MIN: i32 = 15;
    const SIGNATURES_MIN: usize = 3;
    const NEAR: usize = 15;
    const COMMENT_LINES_MAX: usize = 40;
    let signatures: Vec<usize> = (1..sheet.len())
        .filter(|&index| is_signature(sheet, index))
        .collect();
    let said = |index: usize| sheet.looks[index].colon || sheet.looks[index - 1].colon;
    let colons = signatures.iter().filter(|&&index| said(index)).count();
    let mut starts: Vec<usize> = (0..sheet.len())
        .filter(|&index| heads_comments(sheet, index))
        .collect();
    if colons >= SIGNATURES_MIN {
        let first = signatures.iter().find(|&&index| said(index));
        starts.extend(first.map(|first| first - 1));
    }
    starts.into_iter().find_map(|start| {
        let at = signatures.partition_point(|&index| index <= start);
        let mut last = start;
        let mut near = NEAR;
        let chain = signatures[at..].iter().take_while(|&&index| {
            let goes_on = index - last <= near;
            (last, near) = (index, COMMENT_LINES_MAX);
            goes_on
        });
        let chain: Vec<&usize> = chain.collect();
        let last = chain.last().map(|&&last| sheet.len().min(last + NEAR))?;
        (chain.len() >= SIGNATURES_MIN && above(start) >= ARTICLE_MIN).then_some(start..last)
    })
}

/// A line known to head comments, or to count them.
fn heads_comments(sheet: &Sheet<'_>, index: usize) -> bool {
    let mut names = sheet.hits[index].iter().map(|hit| &*hit.rule.name);
    names.any(|name| matches!(name, "ui.comments" | "ui.comment_lines" | "ui.thoughts_on"))
}

/// `Ada Brill on 9 May 2021 at 10:02`, or the date below a name; text follows.
fn is_signature(sheet: &Sheet<'_>, index: usize) -> bool {
    const NEAR: usize = 4;
    let (look, text) = (sheet.looks[index], sheet.text(index));
    let stamped = look.words <= 16
        && !look.stops
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && (has_clock(text) && is_dated(sheet, index) || date::is_relative(text));
    let name = || {
        let above = sheet.looks[index - 1];
        above.words <= 4 && !above.stops && above.readable && !above.number
    };
    let mut below = index + 1..sheet.len().min(index + NEAR);
    stamped
        && (name() || look.words > 6)
        && below.any(|index| sheet.looks[index].sentences > 0 && sheet.is_open(index))
}

/// The line opens what follows an article: the comments, the author's portrait.
pub(super) fn closes(sheet: &Sheet<'_>, index: usize, start: usize) -> bool {
    let mut hits = sheet.hits[index].iter();
    hits.any(|hit| hit.rule.opens == Opens::Rest) || is_author_card(sheet, index, start)
}

/// A name of the byline alone on its line, and below it a paragraph about who bears it.
fn is_author_card(sheet: &Sheet<'_>, index: usize, start: usize) -> bool {
    const NEAR: usize = 4;
    const HEAD_LINES_MAX: usize = 40;
    let look = sheet.looks[index];
    let name = sheet.text(index);
    if !sheet.is_open(index) || !look.is_label() || look.asks || look.colon || look.goes_on {
        return false;
    }
    let mut near = index + 1..sheet.len().min(index + NEAR);
    let about = near.any(|other| {
        let rest = sheet.text(other).strip_prefix(name);
        sheet.looks[other].is_paragraph() && rest.is_some_and(|rest| rest.starts_with([' ', ',']))
    });
    about
        && (start + 1..index.min(start + HEAD_LINES_MAX)).any(|other| {
            let text = sheet.text(other);
            let alone =
                text.len() == name.len() || is_dated(sheet, other) || is_byline(sheet, other);
            alone && text.contains(name)
        })
}
