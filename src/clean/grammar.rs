//! The line grammar: what each line of a document is, decided over the whole sequence.
//!
//! An ordered list of steps, each of which sees what those before it found. A line that no step can tell anything about is
//! body: a text must never be lost. Words (rule tables, credits), shape, place, neighbours and repetition speak together:
//!
//! 1. what a page's structure is sure of;
//! 2. pictures: credits, and the captions they prove (`caption.rs`);
//! 3. lines of families that count everywhere (`config/rules`);
//! 4. where the article begins and ends in a dump of a whole page (`dump.rs`); lists of other articles and the rest of the
//!    page after the article's end (`related.rs`);
//! 5. the head: section, headline, byline, date (`head.rs`);
//! 6. the end, from the last line upward: footers, notes, keywords (`footer.rs`);
//! 7. what is left between furniture; captions that only their shape tells; sub-headings; whether the end is missing (`truncation.rs`).

use crate::article::BlockKind;
use crate::clean::finding::{Cut, Facts, Finding, is_text};
use crate::clean::line::Lines;
use crate::clean::rules::{Opens, Position, Rules};
use crate::clean::sheet::Sheet;
use crate::clean::{caption, date, dump, footer, head, related, several, truncation};
use crate::ledger::Class;

/// The hint of lines right below an article: they go, but footers among them are read.
pub(super) const AFTER_ARTICLE: &str = "page.after_article";

/// Says what each line is. `page`: structure has spoken already, in hints.
pub fn classify(lines: &Lines<'_>, rules: &Rules, page: bool) -> (Vec<Finding>, Facts) {
    let sheet = Sheet::new(lines, rules, page);
    if !page {
        let articles = several::articles(&sheet);
        if articles.len() > 1 {
            let parts = articles.into_iter().map(|article| {
                let lines = lines.lines[article].to_vec();
                let asides = Vec::new();
                read(Sheet::new(&Lines { lines, asides }, rules, page))
            });
            return several::join(parts.collect());
        }
    }
    read(sheet)
}

/// Says what each line of one article is.
fn read(mut sheet: Sheet<'_>) -> (Vec<Finding>, Facts) {
    follow_strong_hints(&mut sheet);
    caption::find_credits(&mut sheet);
    apply_rules_of_any_place(&mut sheet);
    dump::bound(&mut sheet);
    related::close_lists(&mut sheet);
    follow_weak_hints(&mut sheet);
    caption::find_captions(&mut sheet);
    head::read(&mut sheet);
    dump::head::clear_head(&mut sheet);
    footer::peel(&mut sheet);
    related::sweep(&mut sheet);
    caption::bare::find_bare(&mut sheet);
    judge_rules(&mut sheet);
    name_subheadings(&mut sheet);
    restore_text(&mut sheet);
    truncation::judge(&mut sheet);
    head::settle_title(&mut sheet);
    footer::learn(&mut sheet);
    caption::collect(&mut sheet);
    sheet.finish()
}

fn follow_strong_hints(sheet: &mut Sheet<'_>) {
    for (index, line) in sheet.lines.lines.iter().enumerate() {
        if let Some(hint) = line.hint.as_ref().filter(|hint| hint.strong) {
            sheet.findings[index] = Some(Finding::of_hint(hint));
            if hint.class == Class::Title && sheet.facts.title.is_none() {
                sheet.facts.title = Some(line.text.clone().into_owned());
            }
        }
    }
}

/// Weak hints of structure decide about what no word spoke of, unless it is solid text.
fn follow_weak_hints(sheet: &mut Sheet<'_>) {
    for (index, line) in sheet.lines.lines.iter().enumerate() {
        let Some(hint) = line.hint.as_ref().filter(|hint| !hint.strong) else {
            continue;
        };
        if hint.rule == AFTER_ARTICLE && sheet.is_open(index) {
            match sheet.hit(index, &[Position::End, Position::Edges]) {
                Some(hit) => sheet.remove_by_rule(index, hit),
                None => sheet.findings[index] = Some(Finding::of_hint(hint)),
            }
            continue;
        }
        let look = sheet.looks[index];
        // `By Ada Brill on Monday at 11 a.m.` ends like a sentence.
        let byline = || {
            let hit = sheet.hit(index, &[Position::Start]);
            hit.is_some_and(|hit| sheet.hits[index][hit].rule.class == Class::Byline)
        };
        let fits = match hint.class {
            Class::Byline if look.words <= 25 && byline() => true,
            Class::Byline | Class::Section | Class::Date | Class::Title => {
                !look.is_paragraph() && look.words <= 25
            }
            Class::Related => !look.is_solid() && (!look.is_paragraph() || line.links > 0.9),
            Class::Caption => look.weight <= 700,
            _ => !look.is_solid(),
        };
        if sheet.is_open(index) && !is_text(hint.class) && fits {
            sheet.findings[index] = Some(Finding::of_hint(hint));
        }
    }
}

fn apply_rules_of_any_place(sheet: &mut Sheet<'_>) {
    // From the last line that no rule claims on, `Read more` points to the rest of the article.
    let closing = (0..sheet.len())
        .rev()
        .find(|&index| sheet.hits[index].is_empty() && sheet.is_open(index))
        .map_or(0, |index| index + 1);
    let first = (0..sheet.len())
        .find(|&index| sheet.is_paragraph(index))
        .unwrap_or(0);
    for index in 0..sheet.len() {
        let Some(hit) = sheet.hit(index, &[Position::Anywhere]) else {
            continue;
        };
        let found = &sheet.hits[index][hit];
        let closing = index >= closing
            && sheet
                .hit(index, &[Position::End, Position::Edges])
                .is_some_and(|hit| sheet.hits[index][hit].rule.class == Class::FooterExcerpt);
        let headline = index < first
            && found.rule.class == Class::Related
            && found.rule.opens == Opens::Nothing
            && sheet.looks[index].is_headline()
            && sheet.leads(index);
        let closing = closing && !sheet.looks[index].colon;
        if closing && found.rule.class == Class::Related || headline {
            continue;
        }
        let short = sheet.looks[index].words <= 3;
        let numeral = found.rule.class == Class::Ui && sheet.looks[index].numbered;
        let piece = short && !found.rule.whole && sheet.is_fragment(index);
        if sheet.is_open(index) && !numeral && !piece {
            sheet.remove_by_rule(index, hit);
        }
    }
    remove_bare_numbers(sheet);
}

/// Numbers alone on their line count pictures, comments or ranks.
fn remove_bare_numbers(sheet: &mut Sheet<'_>) {
    for index in 0..sheet.len() {
        let text = sheet.text(index);
        if sheet.is_open(index)
            && text.len() <= 3
            && text.bytes().all(|b| b.is_ascii_digit())
            && !sheet.is_fragment(index)
        {
            sheet.remove(
                index,
                Class::Ui,
                "shape.number",
                "a number alone on its line",
            );
        }
        if sheet.is_open(index) && !sheet.is_fragment(index) && date::is_relative(text) {
            sheet.remove(
                index,
                Class::Date,
                "shape.age",
                "says how long ago something appeared",
            );
        }
        let beside = |other: Option<usize>| {
            other.is_some_and(|other| {
                other < sheet.len() && (sheet.is_furniture(other) || is_number(sheet.text(other)))
            })
        };
        let near = beside(index.checked_sub(1)) || beside(Some(index + 1));
        if sheet.is_open(index) && near && (is_length(text) || text == "of" || is_number(text)) {
            sheet.remove(
                index,
                Class::Ui,
                "shape.counter",
                "the length of a video or the counter of a gallery",
            );
        }
    }
}

/// Lines drawn with signs part a text's sections if text stands on both sides, else they part it from what follows.
fn judge_rules(sheet: &mut Sheet<'_>) {
    const SIGNS_MAX: usize = 5;
    let text = |sheet: &Sheet<'_>, index: usize| sheet.stays(index) && sheet.looks[index].readable;
    for index in 0..sheet.len() {
        let line = sheet.text(index);
        let drawn = line.len() > 1 && line.bytes().all(|byte| matches!(byte, b'_' | b' '));
        if !sheet.is_open(index) || !drawn {
            continue;
        }
        let before = index
            .checked_sub(1)
            .is_some_and(|before| text(sheet, before));
        let parts = before && index + 1 < sheet.len() && text(sheet, index + 1);
        if !parts || line.len() > SIGNS_MAX {
            sheet.remove(index, Class::Ui, "shape.rule", "a line drawn with signs");
        }
    }
}

fn is_number(text: &str) -> bool {
    (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// The length of a video: `1:30`, `01:02:30`.
fn is_length(text: &str) -> bool {
    let mut parts = text.split(':');
    (4..=8).contains(&text.len())
        && text.contains(':')
        && parts.all(|part| (1..=2).contains(&part.len()) && is_number(part))
}

/// Open lines that could head what follows are sub-headings: short, without a full stop, before a paragraph.
fn name_subheadings(sheet: &mut Sheet<'_>) {
    let mut next = None; // the next line that stays
    for index in (0..sheet.len()).rev() {
        let after = next;
        if sheet.stays(index) {
            next = Some(index);
        }
        let look = sheet.looks[index];
        let line = &sheet.lines.lines[index];
        let heads = !look.stops
            && !look.ellipsis
            && !look.goes_on
            && look.weight <= 110
            && look.words <= 16
            && look.readable;
        let heads = heads && !line.continues && !look.colon && !line.text.contains(['|', '\n']);
        let followed = after.is_some_and(|next| {
            sheet.looks[next].is_paragraph() && !sheet.lines.lines[next].continues
        });
        let plain = line.kind == BlockKind::Paragraph;
        if sheet.is_open(index) && heads && plain && followed && !sheet.is_fragment(index) {
            sheet.keep(
                index,
                Class::Subheading,
                "shape.subheading",
                "a short line without a full stop before a paragraph",
            );
        }
    }
}

/// A text must never be lost: if no paragraph is left, those that rules took are given back.
fn restore_text(sheet: &mut Sheet<'_>) {
    if sheet.page || (0..sheet.len()).any(|index| sheet.is_paragraph(index)) {
        return;
    }
    for index in 0..sheet.len() {
        let taken = matches!(
            sheet.class(index),
            Some(Class::Related | Class::Promo | Class::Ui | Class::Social | Class::Note)
        );
        if taken && sheet.looks[index].is_paragraph() {
            sheet.keep(
                index,
                Class::Body,
                "text.restored",
                "kept because no other text would be left",
            );
        }
    }
}

/// A date or time line; its date is learnt if it stands in the head.
pub(super) fn is_date(sheet: &Sheet<'_>, index: usize) -> bool {
    date::is_date_line(sheet.text(index))
}

/// Adds a cut to a line's finding, in order, unless it overlaps another.
pub(super) fn add_cut(finding: &mut Finding, cut: Cut) {
    let clash = |other: &Cut| other.span.start < cut.span.end && cut.span.start < other.span.end;
    if !finding.cuts.iter().any(clash) {
        finding.cuts.push(cut);
        finding.cuts.sort_by_key(|cut| cut.span.start);
    }
}
