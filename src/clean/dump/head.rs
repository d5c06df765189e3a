//! The head of an article in a dumped page: the headline, a summary, byline and date, buttons between them.

use std::ops::Range;

use crate::clean::dump::signs::{is_byline, is_dated};
use crate::clean::likeness::fold;
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// A headline stands not further above the first paragraph.
const HEAD_LINES_MAX: usize = 40;

/// The first of the paragraphs that stand closely above one another, from `start` upward.
pub(super) fn text_above(sheet: &Sheet<'_>, mut start: usize) -> usize {
    const LINES_MAX: usize = 12;
    let text = |index: &usize| {
        sheet.is_open(*index) && sheet.looks[*index].is_paragraph() && sheet.hits[*index].is_empty()
    };
    while let Some(above) = (start.saturating_sub(LINES_MAX)..start).find(text) {
        start = above;
    }
    start
}

/// The first line of the head above a text that begins at `start`: the nearest lines that may be its headline.
pub(super) fn head_above(sheet: &Sheet<'_>, start: usize) -> usize {
    const LINES_MAX: usize = 18;
    const HEADLINES_MAX: usize = 5;
    let headline = |index: usize| sheet.is_open(index) && sheet.looks[index].is_headline();
    let mut near = (start.saturating_sub(LINES_MAX)..start).rev();
    let nearest = near.find(|&index| {
        let named = index > 0 && (is_byline(sheet, index - 1) || is_dated(sheet, index));
        headline(index) && sheet.looks[index].words >= 4 && !named
    });
    let Some(nearest) = nearest else {
        return start;
    };
    let group = (nearest.saturating_sub(HEADLINES_MAX)..=nearest).rev();
    group
        .take_while(|&index| headline(index))
        .last()
        .unwrap_or(nearest)
}

/// One past the last line of the head: a byline or date may stand below a summary. 0 if none does.
pub(super) fn head_end(sheet: &Sheet<'_>, headline: usize, end: usize) -> usize {
    const LINES_MAX: usize = 16;
    const SUMMARY_WEIGHT_MAX: usize = 500;
    let signs = |index: usize| is_dated(sheet, index) || is_byline(sheet, index);
    let signs = |index: &usize| {
        sheet.is_open(*index) && !sheet.looks[*index].is_paragraph() && signs(*index)
    };
    let weight = |range: Range<usize>| -> usize {
        let open = range.filter(|&index| sheet.is_open(index));
        let prose = open.filter(|index| !signs(index) && !sheet.looks[*index].is_label());
        prose.map(|index| sheet.looks[index].weight).sum()
    };
    let near = headline + 1..end.min(headline + LINES_MAX);
    let mark = near.filter(signs).rfind(|&mark| {
        let summary = weight(headline + 1..mark);
        summary <= SUMMARY_WEIGHT_MAX && weight(mark + 1..end) >= summary * 2
    });
    mark.map_or(0, |mark| mark + 1)
}

/// Removes the labels between the headline and the text.
pub(in crate::clean) fn clear_head(sheet: &mut Sheet<'_>) {
    let Some(headline) = sheet.headline else {
        return;
    };
    let from = sheet.head_end.max(headline + 1);
    let end = sheet.len().min(headline + HEAD_LINES_MAX);
    let Some(text) = (from..end).find(|&index| sheet.is_paragraph(index)) else {
        return;
    };
    let title = fold(sheet.text(headline));
    for index in headline + 1..text {
        let look = sheet.looks[index];
        if !sheet.is_open(index) {
            continue;
        }
        let small = look.words <= 4 && look.weight <= 32 && !look.stops && !look.colon;
        let again = look.words <= 40 && fold(sheet.text(index)).contains(&title);
        if is_dated(sheet, index) {
            sheet.remove(index, Class::Date, "head.date", "a date above the text");
        } else if small || again {
            sheet.remove(
                index,
                Class::Ui,
                "place.below_headline",
                "a label between the headline and the text",
            );
        }
    }
}
