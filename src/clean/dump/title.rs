//! The headline of a dumped page, found by the page's own title, which is its first line.

use crate::clean::dump::signs::{is_byline, is_dated};
use crate::clean::likeness::fold;
use crate::clean::look::Look;
use crate::clean::sheet::Sheet;

/// How much a line is like the page's title that is the title; and at least, if it may be the headline.
pub(super) const TITLE_ITSELF: i32 = 20;
const LIKENESS_MIN: i32 = 10;

/// Lines that say what the page's title, the first line, says, with how much they are like it, 0 to 20.
pub(super) fn headlines(sheet: &Sheet<'_>) -> Vec<(usize, i32)> {
    const TIMES_MAX: usize = 5; // what stands oftener is the name of the site
    let short = |look: Look| look.words < 3 && look.weight < 12;
    if sheet.len() == 0 || short(sheet.looks[0]) {
        return Vec::new();
    }
    let titles = titles(sheet.text(0));
    let mut times = vec![0; titles.len()];
    let mut found = Vec::new();
    for index in 1..sheet.len() {
        let look = sheet.looks[index];
        if look.weight > 300 || short(look) {
            continue;
        }
        let text = fold(sheet.text(index));
        let alike = titles.iter().map(|title| alike(title, &text));
        let best = alike.enumerate().max_by_key(|(_, alike)| *alike);
        let Some((title, alike)) = best else {
            continue;
        };
        times[title] += usize::from(alike == TITLE_ITSELF);
        if alike == TITLE_ITSELF || alike >= LIKENESS_MIN && !look.is_paragraph() {
            found.push((index, title, alike));
        }
    }
    found.retain(|&(_, title, _)| times[title] <= TIMES_MAX);
    found
        .into_iter()
        .map(|(index, _, alike)| (index, alike))
        .collect()
}

/// The title of a page, whole and without what stands before or after a sign between it and the name of the site.
fn titles(text: &str) -> Vec<String> {
    const SIGNS: &[&str] = &[
        " | ", " - ", " – ", " — ", " :: ", " » ", " · ", " • ", " / ",
    ];
    let mut titles = vec![fold(text)];
    for sign in SIGNS {
        for (at, _) in text.match_indices(sign).take(4) {
            titles.extend([fold(&text[..at]), fold(&text[at + sign.len()..])]);
        }
    }
    titles.retain(|title| title.chars().count() >= 12);
    titles
}

/// How much two folded headlines are alike, 0 to 20: the same, or most of their words in common.
fn alike(title: &str, text: &str) -> i32 {
    if title == text {
        return TITLE_ITSELF;
    }
    let words = |text: &str| text.split(' ').filter(|word| word.len() > 1).count();
    let (all, own) = (words(title), words(text));
    if all < 5 || own < 5 || own > all * 3 {
        return 0;
    }
    let shared = text
        .split(' ')
        .filter(|word| word.len() > 1 && title.split(' ').any(|other| other == *word))
        .count();
    (shared.min(all) * 2 * 18 / (all + own)) as i32
}

/// A byline or date follows the line closely.
pub(super) fn is_signed(sheet: &Sheet<'_>, headline: usize) -> bool {
    let mut below = headline + 1..sheet.len().min(headline + 6);
    below.any(|index| is_byline(sheet, index) || is_dated(sheet, index))
}
