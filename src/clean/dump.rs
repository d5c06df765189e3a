//! Whole pages flattened to text: where the article begins and ends among menus, lists, comments and legal lines.
//!
//! Most lines of such a dump are labels. Each line speaks for the article (solid prose) or against it (labels, headlines
//! one after the other, lines that stand twice); the article is the stretch of lines that most speaks for it, from the
//! headline on where the page's own title tells it. Any other text is left alone: it must never be cut at its ends.

mod comments;
pub(super) mod head;
pub(super) mod signs;
mod title;
mod worth;

use std::ops::Range;

use crate::clean::dump::comments::closes;
use crate::clean::dump::head::{head_above, head_end, text_above};
use crate::clean::dump::signs::{is_data, is_dated};
use crate::clean::dump::title::{TITLE_ITSELF, headlines, is_signed};
use crate::clean::dump::worth::{best_start, worths};
use crate::clean::rules::Position;
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// So many labels a dump has at least, and so many of ten lines are labels.
const LABELS_MIN: usize = 16;
const LABELS_OF_TEN: usize = 4;
/// So many lines at least are a page's machinery.
const FURNITURE_MIN: usize = 4;
/// What a stretch must be worth: about 800 characters of prose, or hardly less.
const WORTH_MIN: i32 = 40;
/// From this worth on, comments may be longer than the article.
const WORTH_SOLID: i32 = 150;
/// What a line that is only like the title may leave above it, in worth: less than a paragraph.
const LOST_MAX: i32 = 5;
/// After so many lines below a sure headline there may be comments, be they prose or not.
const LINES_MIN: usize = 8;
/// What labels between a headline and its text may cost at most.
const HEAD_WORTH_MIN: i32 = -10;

/// Finds the article in a dump of a whole page, and removes what stands above and below it.
pub(super) fn bound(sheet: &mut Sheet<'_>) {
    if sheet.page {
        return;
    }
    let labels = sheet.looks.iter().filter(|look| look.is_label()).count();
    let many = labels * 10 >= sheet.len() * LABELS_OF_TEN;
    if labels < LABELS_MIN || !many && !has_menu(sheet) {
        return;
    }
    let headlines = headlines(sheet);
    if !is_page(sheet, &headlines) {
        return;
    }
    let worths = worths(sheet);
    let Some((headline, stretch)) = find_article(sheet, &worths, &headlines) else {
        return;
    };
    sheet.dump = Some(stretch.clone());
    sheet.headline = headline;
    for index in 0..stretch.start {
        remove(sheet, index, true);
    }
    for index in stretch.end..sheet.len() {
        remove(sheet, index, false);
    }
    if let Some(headline) = headline {
        sheet.head_end = head_end(sheet, headline, stretch.end);
    }
}

fn remove(sheet: &mut Sheet<'_>, index: usize, above: bool) {
    if !sheet.is_open(index) {
        return;
    }
    let place: &[Position] = match above {
        true => &[Position::Anywhere],
        false => &[Position::End, Position::Edges, Position::Anywhere],
    };
    match (sheet.hit(index, place), above) {
        (Some(hit), _) => sheet.remove_by_rule(index, hit),
        (None, true) => sheet.remove(
            index,
            Class::Navigation,
            "place.above_article",
            "stands above the article in a copy of a whole page",
        ),
        (None, false) => sheet.remove(
            index,
            Class::Related,
            "place.below_article",
            "stands below the article in a copy of a whole page",
        ),
    }
}

/// Whether a text of many labels is a whole page: some are known from pages, its first line is a page's title, or there
/// is a menu above the first paragraph.
fn is_page(sheet: &Sheet<'_>, headlines: &[(usize, i32)]) -> bool {
    let furniture = (0..sheet.len()).filter(|&index| sheet.is_furniture(index));
    let titled = headlines.iter().any(|&(index, likeness)| {
        likeness == TITLE_ITSELF && index >= LABELS_MIN && sheet.text(index) != sheet.text(0)
    });
    titled || furniture.count() >= FURNITURE_MIN || has_menu(sheet)
}

/// Labels one after the other near the top, above any paragraph. A list of facts would have numbers.
fn has_menu(sheet: &Sheet<'_>) -> bool {
    const LINES_MAX: usize = 60;
    let mut run = 0;
    for index in 0..sheet.len().min(LINES_MAX) {
        let look = sheet.looks[index];
        if look.is_paragraph() {
            return false;
        }
        let digits = sheet.text(index).bytes().any(|byte| byte.is_ascii_digit());
        let label = look.is_label() && !digits && !look.colon || !sheet.is_open(index);
        run = if label { run + 1 } else { 0 };
        if run >= LABELS_MIN {
            return true;
        }
    }
    false
}

/// The stretch of lines that is the article, and its headline if the page's title tells it.
fn find_article(
    sheet: &Sheet<'_>,
    worths: &[i32],
    headlines: &[(usize, i32)],
) -> Option<(Option<usize>, Range<usize>)> {
    let (start, most) = best_start(worths).unwrap_or((0, 0));
    let mut best: Option<Candidate> = None;
    for &(headline, likeness) in headlines {
        let signed = is_signed(sheet, headline);
        let sure = signed && likeness == TITLE_ITSELF;
        let (worth, end) = extent(sheet, worths, headline, sure);
        // The title itself counts for more than a line that is only like it; it may stand below other texts.
        let above = worths.get(start..headline).unwrap_or_default();
        let above: i32 = above.iter().filter(|worth| **worth > 0).sum();
        let fits = match likeness {
            TITLE_ITSELF => {
                let near = above <= WORTH_MIN || above * 3 <= worth;
                near && (worth * 3 >= most || signed && most <= WORTH_SOLID)
            }
            _ => above <= LOST_MAX && worth * 2 >= most,
        };
        let candidate = Candidate {
            lines: headline..end,
            likeness,
            score: worth + likeness + if signed { 30 } else { 0 },
        };
        if fits
            && best
                .as_ref()
                .is_none_or(|best| candidate.beats(best, worths))
        {
            best = Some(candidate);
        }
    }
    if let Some(Candidate { lines, .. }) = best {
        return Some((Some(lines.start), lines));
    }
    let start = text_above(sheet, start);
    let (worth, end) = extent(sheet, worths, start, false);
    let head = head_above(sheet, start);
    (worth >= WORTH_MIN).then_some((None, head..end))
}

/// A stretch that may be the article, from its headline on.
struct Candidate {
    lines: Range<usize>,
    likeness: i32,
    score: i32,
}

impl Candidate {
    /// Whether it is rather the article than one that begins above it.
    fn beats(&self, above: &Candidate, worths: &[i32]) -> bool {
        let between = &worths[above.lines.start..self.lines.start];
        let prose: i32 = between.iter().filter(|worth| **worth > 0).sum();
        match prose < WORTH_MIN {
            // The same headline once more.
            true => self.likeness >= above.likeness && self.score >= above.score,
            false => self.score > above.score * 3,
        }
    }
}

/// How far an article goes that begins at `start`: its worth, and one past its last line. `sure`: its headline is.
fn extent(sheet: &Sheet<'_>, worths: &[i32], start: usize, sure: bool) -> (i32, usize) {
    let mut rest: i32 = worths[start..].iter().filter(|worth| **worth > 0).sum();
    let (mut run, mut best, mut end) = (0, 0, start + 1);
    let (mut lines, mut rows) = (0, 0); // of text or data, of data
    let mut closed = worths.len();
    for (index, worth) in worths.iter().enumerate().skip(start + 1) {
        let over = best >= WORTH_MIN && rest <= best * 2
            || best >= WORTH_SOLID
            || sure && lines >= LINES_MIN && rest <= WORTH_SOLID;
        if over && closes(sheet, index, start) {
            closed = index;
            break;
        }
        lines += usize::from(sheet.is_open(index) && *worth >= 0);
        rows += usize::from(is_data(sheet, index) && !is_dated(sheet, index));
        run += worth;
        rest -= (*worth).max(0);
        if best == 0 {
            run = run.max(HEAD_WORTH_MIN); // labels between the headline and the text
        }
        if run > best {
            (best, end) = (run, index + 1);
        }
    }
    match sure && best < WORTH_MIN && rows >= LINES_MIN {
        true => (best, closed), // a table, a list of dates: all of it
        false => (best, data_after(sheet, end, start)),
    }
}

/// One past the last line of a table or list of facts that begins at `end`; `end` if none does.
fn data_after(sheet: &Sheet<'_>, end: usize, start: usize) -> usize {
    const ROWS_MIN: usize = 3;
    let (mut rows, mut others, mut last) = (0, 0, end);
    for index in end..sheet.len() {
        if !sheet.is_open(index) {
            if closes(sheet, index, start) {
                break;
            }
        } else if is_data(sheet, index) && !is_dated(sheet, index) {
            (rows, others, last) = (rows + 1, 0, index + 1);
        } else {
            others += 1;
        }
        if others > 1 {
            break;
        }
    }
    if rows >= ROWS_MIN { last } else { end }
}

#[cfg(test)]
mod tests {
    use crate::clean::finding::Finding;
    use crate::clean::grammar;
    use crate::clean::line::Lines;
    use crate::clean::lines::split;
    use crate::clean::rules::Rules;

    const MENU: &str = "Home\nNews\nHarbour\nSport\nTravel\nFerries\nTides\nGulls\nPuzzles\nLetters\nMarkets\n\
        Boats\nSearch\nSubscribe\nSign in\nFollow us\nFacebook\nTwitter\n";
    const PROSE: &str = "The ferry left the harbour at noon, and nobody on the quay thought anything of it at the time.\n\
        “It was late,” said Bob Tarn, who had waited for two hours in the rain with his dog and a melon.\n\
        By the evening the fog had come in from the sea, and the pilots were told to stay in the harbour until it lifted.\n\
        A second ferry was sent for the passengers, who had by then eaten all there was on board of the first.\n\
        The harbour master, who has seen many such days, said that he would not call it a day like any other.\n";
    const BELOW: &str = "About us\nContact\nHarbour live\nGull of the week\nWin a boat\nTide tables\nPrivacy policy\n\
        © 2019 The Harbour Gazette. All rights reserved.\n";

    fn kept(text: &str) -> Vec<String> {
        let lines = split(text);
        let (findings, _) = grammar::classify(&lines, &Rules::built_in(), false);
        texts(&lines, &findings)
    }

    fn texts(lines: &Lines<'_>, findings: &[Finding]) -> Vec<String> {
        let both = lines.lines.iter().zip(findings);
        let kept = both.filter(|(_, finding)| finding.kept);
        kept.map(|(line, _)| line.text.to_string()).collect()
    }

    #[test]
    fn the_title_of_a_page_tells_where_its_article_begins() {
        let text = format!(
            "Ferry lost in the fog - The Harbour Gazette\n{MENU}Ferry lost in the fog\n19 November 2019\n{PROSE}{BELOW}"
        );
        assert_eq!(kept(&text), PROSE.lines().collect::<Vec<_>>());
    }

    #[test]
    fn without_a_title_the_stretch_of_prose_and_the_headline_above_it_are_the_article() {
        let text = format!("{MENU}Ferry lost in the thick fog\nBy Ada Brill\n{PROSE}{BELOW}");
        assert_eq!(kept(&text), PROSE.lines().collect::<Vec<_>>());
    }

    #[test]
    fn a_table_that_follows_the_prose_stays() {
        let rows = "1 Upper Cleave 12 points\n2 Lower Cleave 9 points\n3 Elmstad 4 points\n";
        let text = format!(
            "Ferry lost in the fog - The Harbour Gazette\n{MENU}Ferry lost in the fog\n19 November 2019\n{PROSE}{rows}{BELOW}"
        );
        let all = format!("{PROSE}{rows}");
        assert_eq!(kept(&text), all.lines().collect::<Vec<_>>());
    }

    #[test]
    fn a_list_of_short_lines_is_no_page() {
        let list: String = (1..40).map(|n| format!("Boat {n}\n")).collect();
        let end = "All of them will be at the quay on Sunday, and whoever wants to may look at them from the outside.";
        let text = format!("The boats of the harbour in order of age\n{PROSE}{list}{end}\n");
        assert!(kept(&text).len() >= 45);
    }
}
