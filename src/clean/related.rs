//! Other articles: lists of headlines under their headings, and the rest of the page after the article's end.

use crate::article::BlockKind;
use crate::clean::dump::signs::is_data;
use crate::clean::grammar::is_date;
use crate::clean::rules::{Opens, Position};
use crate::clean::sheet::Sheet;
use crate::ledger::Class;

/// A list of headlines inside an article is not longer.
const LIST_LINES_MAX: usize = 14;

/// Removes what stands under headings of lists; after the article's end, all the rest.
pub(super) fn close_lists(sheet: &mut Sheet<'_>) {
    let after = mass_after(sheet);
    let total = after.first().copied().unwrap_or(0);
    let mut index = 0;
    while index < sheet.len() {
        let opens = opens(sheet, index);
        let before = total - after[index];
        let rest = after[index];
        index = match opens {
            Opens::Nothing => index + 1,
            // The article is over where hardly any text follows, or none that could be as long as the article.
            Opens::Rest if before >= 300 && rest <= before * 2 => remove_rest(sheet, index),
            _ if before >= 300 && rest * 8 <= before && !inside(sheet, index) => {
                remove_rest(sheet, index)
            }
            Opens::List => remove_list(sheet, index),
            _ => index + 1,
        };
    }
}

/// The article of a dumped page, whose end is known, goes on below the line: paragraphs follow one another.
fn inside(sheet: &Sheet<'_>, index: usize) -> bool {
    const PAIRS_MIN: usize = 2;
    let Some(dump) = &sheet.dump else {
        return false;
    };
    let prose = |index: usize| sheet.is_paragraph(index) && sheet.looks[index].stops;
    let pairs = (index + 1..dump.end).filter(|&index| prose(index - 1) && prose(index));
    pairs.take(PAIRS_MIN).count() == PAIRS_MIN
}

/// What an already removed line opens. A link in the place of a caption opens nothing.
fn opens(sheet: &Sheet<'_>, index: usize) -> Opens {
    let hint = sheet.lines.lines[index].hint.as_ref();
    if hint.is_some_and(|hint| hint.class == Class::Caption) {
        return Opens::Nothing;
    }
    if sheet.stays(index) {
        // Rules that count at the end only open something there, too.
        let end = sheet.hit(index, &[Position::End]);
        let opens = end.map(|hit| sheet.hits[index][hit].rule.opens);
        return match opens {
            Some(opens @ (Opens::Rest | Opens::List)) if sheet.is_open(index) => opens,
            _ => Opens::Nothing,
        };
    }
    let name = sheet.findings[index].as_ref().map(|finding| &finding.rule);
    let hit = sheet.hits[index]
        .iter()
        .find(|hit| Some(&*hit.rule.name) == name.map(|name| &**name));
    let opens = hit.map_or(Opens::Nothing, |hit| hit.rule.opens);
    // A label alone on its line heads the lines after it, even if its rule reads "label: headline".
    let label = hit.is_some_and(|hit| hit.rule.class == Class::Related)
        && sheet.looks[index].words <= 4
        && sheet.looks[index].weight <= 40;
    match (opens, label) {
        (Opens::Nothing, true) => Opens::List,
        (opens, _) => opens,
    }
}

/// For each line, the weight of the solid text that follows it.
fn mass_after(sheet: &Sheet<'_>) -> Vec<usize> {
    let mut mass = vec![0; sheet.len() + 1];
    for index in (0..sheet.len()).rev() {
        let own = match sheet.stays(index) && sheet.looks[index].is_solid() {
            true => sheet.looks[index].weight,
            false => 0,
        };
        mass[index] = mass[index + 1] + own;
    }
    mass
}

fn remove_rest(sheet: &mut Sheet<'_>, from: usize) -> usize {
    if sheet.is_open(from)
        && let Some(hit) = sheet.hit(from, &[Position::End])
    {
        sheet.remove_by_rule(from, hit);
    }
    let class = sheet.class(from).unwrap_or(Class::Related);
    for index in from + 1..sheet.len() {
        if !sheet.is_open(index) {
            continue;
        }
        match sheet.hit(index, &[Position::End, Position::Edges, Position::Anywhere]) {
            Some(hit) => sheet.remove_by_rule(index, hit),
            None if class == Class::Note && sheet.looks[index].is_solid() => {}
            None => sheet.remove(
                index,
                class,
                "place.after_end",
                "stands below the heading of what follows the article",
            ),
        }
    }
    sheet.len()
}

/// Removes the headlines after a heading inside the article. The last short line before a paragraph may be a sub-heading.
fn remove_list(sheet: &mut Sheet<'_>, from: usize) -> usize {
    let class = sheet.class(from).unwrap_or(Class::Related);
    let mut end = from + 1;
    while end < sheet.len() && end - from <= LIST_LINES_MAX && is_list_line(sheet, end) {
        end += 1;
    }
    let last = end - 1;
    if last > from + 1
        && sheet.is_open(last)
        && heads_paragraph(sheet, last)
        && sheet.looks[last].words < 6
    {
        end = last;
    }
    for index in from + 1..end {
        if sheet.is_open(index) {
            sheet.remove(
                index,
                class,
                "place.in_list",
                "stands in a list of other articles",
            );
        }
    }
    end
}

fn is_list_line(sheet: &Sheet<'_>, index: usize) -> bool {
    let look = sheet.looks[index];
    let heading = sheet.lines.lines[index].kind == BlockKind::Heading;
    !sheet.is_open(index) && !sheet.stays(index)
        || !heading
            && !look.goes_on
            && !look.colon
            && !sheet
                .looks
                .get(index + 1)
                .is_some_and(|next| next.goes_on && next.words > 0)
            && look.sentences <= 2
            && !sheet.is_post(index)
            && (look.is_listed_headline() || look.is_label() || is_date(sheet, index))
}

fn heads_paragraph(sheet: &Sheet<'_>, index: usize) -> bool {
    let next = index + 1;
    next < sheet.len() && sheet.is_paragraph(next)
}

/// What is left over: short lines between furniture, headlines in a row at the end.
pub(super) fn sweep(sheet: &mut Sheet<'_>) {
    sweep_tail(sheet);
    sweep_between(sheet);
    sweep_capitals(sheet);
    sweep_copies(sheet);
    sweep_headings_of_nothing(sheet);
}

/// On a page, headings below the last paragraph that nothing stands under, and short labels among them, head the lists of
/// other articles that were left out.
fn sweep_headings_of_nothing(sheet: &mut Sheet<'_>) {
    const WORDS_MAX: usize = 4;
    let is_short = |index: usize| {
        let (look, line) = (&sheet.looks[index], &sheet.lines.lines[index]);
        let plain = matches!(line.kind, BlockKind::Heading | BlockKind::Paragraph);
        plain && look.words <= WORDS_MAX && !look.stops && !look.asks && !look.ellipsis
    };
    let staying = (0..sheet.len()).rev().filter(|&index| sheet.stays(index));
    let tail: Vec<usize> = staying.take_while(|&index| is_short(index)).collect();
    let is_heading = |&index: &usize| sheet.lines.lines[index].kind == BlockKind::Heading;
    let Some(first) = tail.iter().rposition(is_heading).filter(|_| sheet.page) else {
        return;
    };
    // Without a paragraph above there is no article that they could stand below.
    if (0..tail[first]).any(|index| sheet.is_paragraph(index)) {
        for &index in &tail[..=first] {
            sheet.remove(
                index,
                Class::Related,
                "place.heading_of_nothing",
                "a heading below the last paragraph that nothing stands under",
            );
        }
    }
}

/// After the last paragraph, headlines and labels after the first line of furniture are those of other articles; so are
/// labels in a row at the very end.
fn sweep_tail(sheet: &mut Sheet<'_>) {
    const LABELS_MIN: usize = 4;
    let Some(last) = (0..sheet.len())
        .rev()
        .find(|&index| sheet.is_paragraph(index))
    else {
        return;
    };
    let list = |index: usize| {
        sheet.lines.lines[index].kind == BlockKind::ListItem
            || sheet.looks[index].numbered
            || sheet.text(index).starts_with('?') // a bullet that a charset spoilt
    };
    let row = |index: usize| sheet.dump.is_some() && is_data(sheet, index);
    let loose = |index: usize| {
        let look = sheet.looks[index];
        let goes_on = look.goes_on || sheet.dangles(index) || sheet.dangles(index - 1);
        sheet.is_open(index)
            && !list(index)
            && !goes_on
            && !row(index)
            && (look.sentences == 0 || look.asks)
            && !sheet.is_post(index)
            && (look.is_listed_headline() || look.is_label())
    };
    let furniture = (last + 1..sheet.len()).find(|&index| sheet.is_furniture(index));
    let swept: Vec<usize> = match furniture {
        // On pages, structure has told the furniture right below the last paragraph.
        Some(furniture) => (if sheet.looks[last].stops && !sheet.page {
            last
        } else {
            furniture
        } + 1..sheet.len())
            .filter(|&index| loose(index))
            .collect(),
        None => {
            let label = |&index: &usize| {
                loose(index) && sheet.looks[index].is_label() && sheet.looks[index].words <= 4
            };
            let labels: Vec<usize> = (last + 1..sheet.len()).rev().take_while(label).collect();
            let all = labels.len() == sheet.len() - last - 1 && sheet.looks[last].stops;
            if labels.len() >= LABELS_MIN && all {
                labels
            } else {
                Vec::new()
            }
        }
    };
    for index in swept {
        sheet.remove(
            index,
            Class::Related,
            "place.after_end",
            "a headline or label after the last paragraph",
        );
    }
}

/// One or two short lines between furniture belong to it.
fn sweep_between(sheet: &mut Sheet<'_>) {
    let mut index = 0;
    while index < sheet.len() {
        if !sheet.is_open(index) {
            index += 1;
            continue;
        }
        let end = (index..sheet.len())
            .find(|&end| !sheet.is_open(end))
            .unwrap_or(sheet.len());
        let before = index
            .checked_sub(1)
            .is_some_and(|before| sheet.is_furniture(before));
        let after = end == sheet.len() || sheet.is_furniture(end);
        let short = |index: usize| {
            sheet.looks[index].is_label()
                && !sheet.looks[index].colon
                && !sheet.looks[index].goes_on
                && sheet.lines.lines[index].kind != BlockKind::Heading
        };
        let inside =
            before && after && end < sheet.len() && end - index <= 2 && (index..end).all(short);
        if inside {
            for index in index..end {
                sheet.remove(
                    index,
                    Class::Ui,
                    "place.between_furniture",
                    "a short line between lines that are no text",
                );
            }
        }
        index = end;
    }
}

/// A long line in capitals between paragraphs is the headline of another article set as a link.
fn sweep_capitals(sheet: &mut Sheet<'_>) {
    for index in 0..sheet.len() {
        let look = sheet.looks[index];
        if !look.capitals || look.words < 8 {
            continue;
        }
        let near = 40; // lines; further off there is no text that the line could part
        let before = (0..index)
            .rev()
            .take(near)
            .find(|&other| sheet.stays(other));
        let after = (index + 1..sheet.len())
            .take(near)
            .find(|&other| sheet.stays(other));
        let between = [before, after]
            .iter()
            .all(|other| other.is_some_and(|other| sheet.is_paragraph(other)));
        if sheet.is_open(index) && !look.stops && !look.colon && between {
            sheet.remove(
                index,
                Class::Related,
                "shape.capitals",
                "a long headline in capitals between paragraphs",
            );
        }
    }
}

/// A line that stands a second time, word for word, is a teaser or a pull quote; so is the headline further down.
fn sweep_copies(sheet: &mut Sheet<'_>) {
    const WEIGHT_MIN: usize = 60;
    let title = sheet.facts.title.clone();
    let mut seen = std::collections::HashSet::new();
    let mut before = ""; // the last line that stays
    for index in 0..sheet.len() {
        let (text, look) = (sheet.text(index), sheet.looks[index]);
        let headline = title.as_deref() == Some(text) && look.words >= 3;
        let again = text == before && look.words > 1 && look.weight > 24;
        // A question that is put again and again, each time before an answer, is an interview's.
        let question = look.asks && sheet.is_paragraph_at(index + 1);
        // On a page, a teaser of an entry stands above it, and is gone already.
        let told = !sheet.page || sheet.stays(index) && !look.asks;
        let copy =
            look.weight >= WEIGHT_MIN && !look.stops && told && !seen.insert(text) && !question;
        let reason = match () {
            _ if headline => "repeats the headline",
            _ if again => "repeats the line before it",
            _ if copy => "repeats an earlier line word for word",
            _ => "",
        };
        if sheet.is_open(index) && !reason.is_empty() {
            sheet.remove(index, Class::Related, "shape.copy", reason);
        } else if sheet.stays(index) {
            before = text;
        }
    }
}
