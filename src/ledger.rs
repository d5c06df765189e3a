//! `Ledger`: the account of every byte of a decoded document, kept, removed or rewritten, with rule and reason.
//!
//! Two things always hold, and [`Ledger::verify`] checks them:
//! 1. the spans partition the input: each starts where the one before ended, the first at 0, the last ends at its end;
//! 2. reading the kept spans and what the rewritten ones become, in order, gives the canonical text.
//!
//! The input is [`crate::document::Document::input`]. An empty span is allowed if it is rewritten: it says what was put in
//! (the blank line between two blocks of a page, the marker of a list item).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The account, in input order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ledger {
    /// The spans; see the module's two rules.
    pub spans: Vec<Span>,
}

/// What happened to one stretch of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First byte, in the input.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What happened.
    pub verdict: Verdict,
    /// What the stretch is.
    pub class: Class,
    /// The rule that decided: `wing.name`, stable across releases, e.g. `credit.agency_in_brackets`.
    pub rule: Cow<'static, str>,
    /// Why, in words a reader accepts. Small first letter, no full stop.
    pub reason: Cow<'static, str>,
    /// What stands there instead, for rewritten spans only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub becomes: Option<String>,
}

impl Span {
    /// What it does.
    pub fn step(&self) -> Step<'_> {
        Step {
            start: self.start,
            end: self.end,
            verdict: self.verdict,
            class: self.class,
            becomes: self.becomes.as_deref(),
        }
    }
}

/// What a span does, without who decided and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// First byte, in the input.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What happened.
    pub verdict: Verdict,
    /// What the stretch is.
    pub class: Class,
    /// What stands there instead, if it is rewritten.
    pub becomes: Option<&'a str>,
}

/// What happened to a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Stands in the canonical text, byte for byte.
    Kept,
    /// Does not stand in the canonical text (it may be data: a caption, the title).
    Removed,
    /// Stands there in another form.
    Rewritten,
}

/// What a line or run of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The headline.
    Title,
    /// Name of the section.
    Section,
    /// Who wrote it.
    Byline,
    /// Place (and agency) before the first sentence.
    Dateline,
    /// A date or time line.
    Date,
    /// Running text, list items, quotes, tables.
    Body,
    /// A heading inside the body.
    Subheading,
    /// Text of a picture.
    Caption,
    /// Credit of a picture, video or agency.
    Credit,
    /// Newsletter, subscription and other advertisement.
    Promo,
    /// Pointer to other articles.
    Related,
    /// Sharing and following.
    Social,
    /// Footer that points to the original article.
    FooterExcerpt,
    /// Copyright, author's portrait, licence, address.
    FooterOther,
    /// Who contributed, agencies used, editor's notes.
    Note,
    /// A correction.
    Correction,
    /// Labels of a page's machinery.
    Ui,
    /// A mark that the text is cut.
    Truncation,
    /// Menus and all else around the article.
    Navigation,
    /// Not shown to a reader of the page.
    Hidden,
    /// Blanks and line ends.
    Blank,
}

impl Class {
    /// The class as it stands in JSON, e.g. `footer_excerpt`.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Title => "title",
            Class::Section => "section",
            Class::Byline => "byline",
            Class::Dateline => "dateline",
            Class::Date => "date",
            Class::Body => "body",
            Class::Subheading => "subheading",
            Class::Caption => "caption",
            Class::Credit => "credit",
            Class::Promo => "promo",
            Class::Related => "related",
            Class::Social => "social",
            Class::FooterExcerpt => "footer_excerpt",
            Class::FooterOther => "footer_other",
            Class::Note => "note",
            Class::Correction => "correction",
            Class::Ui => "ui",
            Class::Truncation => "truncation",
            Class::Navigation => "navigation",
            Class::Hidden => "hidden",
            Class::Blank => "blank",
        }
    }
}

impl Verdict {
    /// The verdict as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Kept => "kept",
            Verdict::Removed => "removed",
            Verdict::Rewritten => "rewritten",
        }
    }
}

/// How a ledger fails to account for its input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Two spans do not meet, or one ends before it starts.
    #[error("ledger span {index} covers bytes {start}..{end} where {expected} was to come next")]
    NotAPartition {
        /// Which span.
        index: usize,
        /// Its first byte.
        start: usize,
        /// One past its last byte.
        end: usize,
        /// Where it had to start.
        expected: usize,
    },
    /// The spans end before (or after) the input does.
    #[error("ledger ends at byte {end} of an input of {expected}")]
    WrongEnd {
        /// Where the last span ends.
        end: usize,
        /// The input's length.
        expected: usize,
    },
    /// A span cuts a character, or says `becomes` without being rewritten (or the reverse).
    #[error("ledger span {index} is malformed")]
    Malformed {
        /// Which span.
        index: usize,
    },
    /// What the spans say is not the canonical text.
    #[error("the kept spans do not read as the canonical text; they part at byte {at}")]
    WrongText {
        /// First byte that differs.
        at: usize,
    },
}

impl Ledger {
    /// The canonical text that the spans make of `input`.
    pub fn read(&self, input: &str) -> Result<String, LedgerError> {
        let mut text = String::with_capacity(input.len());
        read(self.steps(), input, |piece| text.push_str(piece))?;
        Ok(text)
    }

    /// Checks that the spans account for every byte of `input` and read as `canonical`.
    pub fn verify(&self, input: &str, canonical: &str) -> Result<(), LedgerError> {
        verify(self.steps(), input, canonical)
    }

    fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.spans.iter().map(Span::step)
    }

    /// Bytes of the input that do not stand in the canonical text as they were, without blanks between blocks.
    pub fn bytes_removed(&self) -> usize {
        bytes_removed(self.steps())
    }
}

/// Checks that `steps` account for every byte of `input` and read as `canonical`; each piece is compared where it stands.
pub fn verify<'a>(
    steps: impl Iterator<Item = Step<'a>>,
    input: &str,
    canonical: &str,
) -> Result<(), LedgerError> {
    let (mut at, mut differs) = (0, false);
    read(steps, input, |piece| {
        let rest = &canonical.as_bytes()[at..];
        if !differs && rest.starts_with(piece.as_bytes()) {
            at += piece.len();
        } else if !differs {
            let common = piece.bytes().zip(rest);
            at += common.take_while(|(a, b)| a == *b).count();
            differs = true;
        }
    })?;
    if differs || at != canonical.len() {
        return Err(LedgerError::WrongText { at });
    }
    Ok(())
}

/// Hands over what `steps` make of `input`, piece by piece.
fn read<'a>(
    steps: impl Iterator<Item = Step<'a>>,
    input: &str,
    mut take: impl FnMut(&str),
) -> Result<(), LedgerError> {
    let mut expected = 0;
    for (index, step) in steps.enumerate() {
        if step.start != expected || step.end < step.start {
            return Err(LedgerError::NotAPartition {
                index,
                start: step.start,
                end: step.end,
                expected,
            });
        }
        let piece = input.get(step.start..step.end);
        match (step.verdict, piece, step.becomes) {
            (Verdict::Kept, Some(piece), None) => take(piece),
            (Verdict::Removed, Some(_), None) => {}
            (Verdict::Rewritten, Some(_), Some(becomes)) => take(becomes),
            _ => return Err(LedgerError::Malformed { index }),
        }
        expected = step.end;
    }
    if expected != input.len() {
        return Err(LedgerError::WrongEnd {
            end: expected,
            expected: input.len(),
        });
    }
    Ok(())
}

/// Bytes of the input that `steps` remove, without blanks between blocks.
pub fn bytes_removed<'a>(steps: impl Iterator<Item = Step<'a>>) -> usize {
    let removed = steps.filter(|s| s.verdict == Verdict::Removed && s.class != Class::Blank);
    removed.map(|s| s.end.saturating_sub(s.start)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: usize, end: usize, verdict: Verdict, becomes: Option<&str>) -> Span {
        Span {
            start,
            end,
            verdict,
            class: Class::Body,
            rule: "test.rule".into(),
            reason: "test".into(),
            becomes: becomes.map(str::to_owned),
        }
    }

    #[test]
    fn a_ledger_that_accounts_for_all_reads_as_the_text() {
        let ledger = Ledger {
            spans: vec![
                span(0, 2, Verdict::Kept, None),
                span(2, 2, Verdict::Rewritten, Some("\n\n")),
                span(2, 3, Verdict::Removed, None),
                span(3, 4, Verdict::Kept, None),
            ],
        };
        assert_eq!(ledger.verify("abcd", "ab\n\nd"), Ok(()));
        assert_eq!(
            ledger.verify("abcd", "ab\n\nc"),
            Err(LedgerError::WrongText { at: 4 })
        );
        for (other, at) in [("ab\n\n", 4), ("ab\n\nde", 5), ("ab\nxd", 3), ("", 0)] {
            let wrong = Err(LedgerError::WrongText { at });
            assert_eq!(ledger.verify("abcd", other), wrong, "{other:?}");
        }
    }

    #[test]
    fn gaps_overlaps_and_missing_ends_are_found() {
        let gap = Ledger {
            spans: vec![span(1, 4, Verdict::Kept, None)],
        };
        assert!(matches!(
            gap.read("abcd"),
            Err(LedgerError::NotAPartition { index: 0, .. })
        ));
        let short = Ledger {
            spans: vec![span(0, 3, Verdict::Kept, None)],
        };
        assert!(matches!(
            short.read("abcd"),
            Err(LedgerError::WrongEnd { end: 3, .. })
        ));
        let cut = Ledger {
            spans: vec![
                span(0, 1, Verdict::Kept, None),
                span(1, 2, Verdict::Kept, None),
            ],
        };
        assert!(matches!(
            cut.read("é"),
            Err(LedgerError::Malformed { index: 0 })
        ));
    }
}
