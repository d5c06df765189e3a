//! Pins: what a person decided about spans of text, laid over the lines before the grammar and enforced after it.
//!
//! Before, so that the neighbours of a pinned line are judged by what it is; after, since nothing that was found out may
//! weigh more than a person's word. A text that is to stay and that structure left out becomes a line of its own.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use crate::article::BlockKind;
use crate::clean::finding::{Cut, Finding};
use crate::clean::line::{Hint, Line, LineBuilder, Lines};
use crate::clean::site::part_asides;
use crate::document::Document;
use crate::ledger::Class;
use crate::pin::{Pin, PinVerdict};

const KEEP: &str = "pin.keep";
const REMOVE: &str = "pin.remove";

/// Pins as they are sought: one line each.
#[derive(Debug)]
pub(super) struct Needles(Vec<Needle>);

#[derive(Debug)]
struct Needle {
    keep: bool,
    text: String,
    reason: Cow<'static, str>,
}

impl Needles {
    /// The lines of all pins; of two that contradict each other the later one holds.
    pub(super) fn of(pins: &[Pin]) -> Needles {
        let mut needles = Vec::new();
        for pin in pins {
            let (keep, reason) = match pin.verdict {
                PinVerdict::Keep => (true, "a person decided that it stays"),
                PinVerdict::Remove => (false, "a person decided that it goes"),
                PinVerdict::Release => continue,
            };
            let reason = match &pin.reason {
                Some(said) => format!("{reason}: {said}").into(),
                None => reason.into(),
            };
            for row in pin.text.lines() {
                let text = folded(row);
                if !text.is_empty() {
                    needles.push(Needle {
                        keep,
                        text,
                        reason: Cow::clone(&reason),
                    });
                }
            }
        }
        Needles(needles)
    }

    /// Tells the grammar which lines are decided.
    pub(super) fn lay<'a>(&self, input: &'a str, lines: &mut Lines<'a>) {
        for needle in &self.0 {
            let mut found = false;
            for line in &mut lines.lines {
                found |= line.text.contains(&needle.text);
                if is_whole(&line.text, &needle.text) {
                    line.hint = Some(needle.hint());
                }
            }
            if needle.keep && !found {
                bring_back(input, lines, needle);
            }
        }
    }

    /// Lets the pins have the last word.
    pub(super) fn enforce(&self, lines: &Lines<'_>, findings: &mut [Finding]) {
        for needle in &self.0 {
            for (line, finding) in lines.lines.iter().zip(findings.iter_mut()) {
                let places = line.text.match_indices(&needle.text);
                let spans: Vec<_> = places.map(|(at, found)| at..at + found.len()).collect();
                if is_whole(&line.text, &needle.text) {
                    *finding = needle.finding();
                } else if needle.keep {
                    spans
                        .into_iter()
                        .for_each(|span| keep(needle, line, finding, &span));
                } else if finding.kept {
                    spans
                        .into_iter()
                        .for_each(|span| cut_out(needle, finding, span));
                }
            }
        }
    }
}

impl Needle {
    fn rule(&self) -> &'static str {
        if self.keep { KEEP } else { REMOVE }
    }

    /// The grammar takes what goes for furniture.
    fn class(&self) -> Class {
        if self.keep { Class::Body } else { Class::Ui }
    }

    fn hint(&self) -> Hint {
        Hint {
            reason: self.reason.clone(),
            ..Hint::strong(self.class(), self.rule(), "")
        }
    }

    fn finding(&self) -> Finding {
        Finding::of_hint(&self.hint())
    }
}

/// The first line of `text` that a document does not have, be it kept or removed, nor its fair copy, where mended
/// characters stand.
pub fn missing(document: &Document, fair_copy: &str, text: &str) -> Option<String> {
    let (input, fair_copy) = (folded(document.input()), folded(fair_copy));
    let rows = text.lines().map(folded).filter(|row| !row.is_empty());
    let mut rows = rows;
    rows.find(|row| !input.contains(row.as_str()) && !fair_copy.contains(row.as_str()))
}

/// A text as lines have theirs: NFC, blanks folded.
fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").nfc().collect()
}

/// The pinned text is all that the line says; signs at its ends go with it.
fn is_whole(line: &str, text: &str) -> bool {
    line.split_once(text).is_some_and(|(before, after)| {
        !before.contains(char::is_alphanumeric) && !after.contains(char::is_alphanumeric)
    })
}

/// A part of a line stays: the rest remains what it was.
fn keep(needle: &Needle, line: &Line<'_>, finding: &mut Finding, span: &Range<usize>) {
    let mut cuts = Vec::new();
    if !finding.kept {
        let removed = std::mem::replace(finding, needle.finding());
        cuts = removed.cuts;
        for rest in [0..span.start, span.end..line.text.len()] {
            cuts.push(Cut {
                span: rest,
                class: removed.class,
                rule: removed.rule.clone(),
                reason: removed.reason.clone(),
            });
        }
    } else {
        cuts.append(&mut finding.cuts);
    }
    let spared = cuts.into_iter().flat_map(|cut| {
        let before = cut.span.start..cut.span.end.min(span.start);
        let after = cut.span.start.max(span.end)..cut.span.end;
        [before, after].map(|span| Cut {
            span,
            ..cut.clone()
        })
    });
    finding.cuts = in_order(spared.filter(|cut| cut.span.start < cut.span.end).collect());
}

/// A part of a kept line goes, and what else is cut out there with it.
fn cut_out(needle: &Needle, finding: &mut Finding, span: Range<usize>) {
    let apart = |cut: &Cut| cut.span.end <= span.start || span.end <= cut.span.start;
    finding.cuts.retain(apart);
    finding.cuts.push(Cut {
        span,
        class: needle.class(),
        rule: needle.rule().into(),
        reason: needle.reason.clone(),
    });
    finding.cuts = in_order(std::mem::take(&mut finding.cuts));
}

fn in_order(mut cuts: Vec<Cut>) -> Vec<Cut> {
    cuts.sort_by_key(|cut| (cut.span.start, cut.span.end));
    let mut end = 0;
    cuts.retain(|cut| {
        let apart = cut.span.start >= end;
        end = end.max(cut.span.end);
        apart
    });
    cuts
}

/// Seeks a text that no line has in what lies between the lines, and makes lines of it.
fn bring_back<'a>(input: &'a str, lines: &mut Lines<'a>, needle: &Needle) {
    let mut at = 0;
    let mut next = 0;
    let mut found = Vec::new();
    while at < input.len() {
        let line = lines.lines.get(next);
        let gap = at..line.map_or(input.len(), Line::start).max(at);
        if let Some(line) = line_within(input, gap, needle) {
            found.push((next + found.len(), line));
        }
        at = line.map_or(input.len(), Line::end).max(at);
        next += 1;
        if line.is_none() {
            break;
        }
    }
    for (index, line) in found {
        let span = line.start()..line.end();
        lines.lines.insert(index, line);
        part_asides(lines, &span);
    }
}

/// The first place in a stretch of the input that reads as the text, as a line.
fn line_within<'a>(input: &'a str, stretch: Range<usize>, needle: &Needle) -> Option<Line<'a>> {
    let mut whole = LineBuilder::new(input);
    whole.push(stretch);
    let whole = whole.finish(BlockKind::Paragraph)?;
    let at = whole.text.find(&needle.text)?;
    let end = at + needle.text.len();
    let (mut from, mut to, mut passed) = (None, 0, 0);
    for piece in &whole.pieces {
        let (first, last) = (passed, passed + piece.len);
        passed = last;
        if last <= at || first >= end {
            continue;
        }
        let inside = |at: usize| match piece.verbatim {
            true => piece.span.start + (at - first),
            false => piece.span.start,
        };
        from.get_or_insert(inside(at.max(first)));
        to = match piece.verbatim {
            true => piece.span.start + (end.min(last) - first),
            false => piece.span.end,
        };
    }
    let mut line = LineBuilder::new(input);
    line.push(from?..to);
    let line = line.finish(BlockKind::Paragraph)?;
    Some(Line {
        hint: Some(needle.hint()),
        ..line
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::rules::Rules;
    use crate::clean::{Cleaned, clean_pinned};
    use crate::decode::{self, decode};
    use crate::ledger::Verdict;
    use crate::submission::Declared;
    use proptest::prelude::*;

    fn pin(verdict: PinVerdict, text: &str) -> Pin {
        Pin {
            verdict,
            text: text.to_owned(),
            reason: None,
        }
    }

    fn cleaned(name: &str, text: &str, pins: &[Pin]) -> Cleaned {
        static RULES: std::sync::OnceLock<Rules> = std::sync::OnceLock::new();
        let options = decode::Options::default();
        let declared = Declared::default();
        let document = decode(name.as_ref(), text.as_bytes(), &declared, &options);
        let document = document.expect("decodes");
        let cleaned = clean_pinned(&document, RULES.get_or_init(Rules::built_in), pins);
        let account = cleaned
            .ledger
            .verify(document.input(), &cleaned.article.text);
        assert_eq!(account, Ok(()), "{text:?} {pins:?}");
        cleaned
    }

    const STORY: &str = "Ferry returns\n\nThe ferry across the lake sails again from Monday, the harbour office said.\n\nAdvertisement\n\nTickets cost the same as last year, and the dog sails free.\n";

    #[test]
    fn a_line_that_a_person_keeps_stays_and_one_that_goes_goes() {
        use PinVerdict::{Keep, Remove};
        let kept = cleaned("a.txt", STORY, &[pin(Keep, "Advertisement")]);
        assert!(kept.article.text.contains("\n\nAdvertisement\n\n"));
        let span = kept.ledger.spans.iter().find(|span| span.rule == KEEP);
        assert_eq!(span.map(|span| span.verdict), Some(Verdict::Kept));
        let pins = [pin(
            Remove,
            "Tickets cost the same as last year, and the dog sails free.",
        )];
        let removed = cleaned("a.txt", STORY, &pins);
        assert!(!removed.article.text.contains("Tickets"));
        assert!(removed.article.text.contains("The ferry across"));
        let span = removed.ledger.spans.iter().find(|span| span.rule == REMOVE);
        assert_eq!(span.map(|span| span.verdict), Some(Verdict::Removed));
    }

    #[test]
    fn a_part_of_a_line_goes_alone_and_the_later_pin_holds() {
        use PinVerdict::{Keep, Remove};
        let part = pin(Remove, ", and  the dog sails free");
        let cut = cleaned("a.txt", STORY, std::slice::from_ref(&part));
        assert!(
            cut.article.text.contains("the same as last year."),
            "{}",
            cut.article.text
        );
        let both = cleaned("a.txt", STORY, &[part, pin(Keep, "the dog sails free")]);
        assert!(
            both.article.text.contains("the dog sails free."),
            "{}",
            both.article.text
        );
    }

    #[test]
    fn what_structure_left_out_is_brought_back() {
        let page = "<html><body><nav><a href=/a>Home</a> <a href=/b>Tide tables for all</a></nav><article><h1>Ferry returns</h1><p>The ferry across the lake sails again from Monday, the harbour office said.</p><p>Tickets cost the same as last year, and the dog sails free.</p></article></body></html>";
        let plain = cleaned("a.html", page, &[]);
        assert!(!plain.article.text.contains("Tide"));
        let kept = cleaned(
            "a.html",
            page,
            &[pin(PinVerdict::Keep, "Tide tables for all")],
        );
        assert!(
            kept.article
                .text
                .starts_with("Tide tables for all\n\nThe ferry"),
            "{}",
            kept.article.text
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn any_pins_leave_every_byte_accounted_for(
            text in "([a-e ]{0,6}(\n|Advertisement|By Ada Brill|\u{301}|  |\t|[.…]|\r\n)){0,12}",
            pins in proptest::collection::vec(("[a-e ]{1,3}|Advert|Brill\n?a", any::<bool>()), 1..4),
        ) {
            let pins: Vec<_> = pins.iter().map(|(text, keep)| {
                pin(if *keep { PinVerdict::Keep } else { PinVerdict::Remove }, text)
            }).collect();
            if !text.trim().is_empty() {
                cleaned("a.txt", &text, &pins);
                let page = format!("<nav>{text}</nav><p>{text}</p><footer>{text}</footer>");
                cleaned("a.html", &page, &pins);
            }
        }
    }
}
