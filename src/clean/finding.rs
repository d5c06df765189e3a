//! `Finding`: what cleaning found a line to be, and why. The grammar makes them, the assembly writes them down.

use std::borrow::Cow;
use std::ops::Range;

use crate::article::{Caption, Credit, Footer, Truncation};
use crate::clean::line::Hint;
use crate::ledger::Class;

/// What one line is.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its class.
    pub class: Class,
    /// It stands in the canonical text.
    pub kept: bool,
    /// The rule that decided.
    pub rule: Cow<'static, str>,
    /// Why, in words a reader accepts.
    pub reason: Cow<'static, str>,
    /// Parts of the line that are something else and are taken out: ranges of its text, in order, apart.
    pub cuts: Vec<Cut>,
}

/// A part of a line's text that is something else than the line.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// Where, in the line's text.
    pub span: Range<usize>,
    /// What it is.
    pub class: Class,
    /// The rule that decided.
    pub rule: Cow<'static, str>,
    /// Why.
    pub reason: Cow<'static, str>,
}

impl Finding {
    /// A line that stays in the text.
    pub fn kept(class: Class, rule: &'static str, reason: &'static str) -> Finding {
        Finding {
            class,
            kept: true,
            rule: rule.into(),
            reason: reason.into(),
            cuts: Vec::new(),
        }
    }

    /// A line that leaves the text.
    pub fn removed(
        class: Class,
        rule: impl Into<Cow<'static, str>>,
        reason: impl Into<Cow<'static, str>>,
    ) -> Finding {
        Finding {
            class,
            kept: false,
            rule: rule.into(),
            reason: reason.into(),
            cuts: Vec::new(),
        }
    }

    /// What a hint says, as a finding. What the canonical text is made of is kept.
    pub fn of_hint(hint: &Hint) -> Finding {
        Finding {
            class: hint.class,
            kept: is_text(hint.class),
            rule: hint.rule.clone(),
            reason: hint.reason.clone(),
            cuts: Vec::new(),
        }
    }
}

/// Classes that the canonical text is made of.
pub fn is_text(class: Class) -> bool {
    matches!(
        class,
        Class::Body | Class::Subheading | Class::Dateline | Class::Truncation
    )
}

/// What the lines say beside the text. The weighing of metadata takes it as evidence.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The headline.
    pub title: Option<String>,
    /// Names in the byline.
    pub authors: Vec<String>,
    /// The date in a date line or byline.
    pub date: Option<String>,
    /// The date of the last change, if a line says so.
    pub modified: Option<String>,
    /// The section line.
    pub section: Option<String>,
    /// Whose article it says it was before.
    pub original_publisher: Option<String>,
    /// The address of the original, if a line names it.
    pub original_url: Option<String>,
    /// Whether the end is missing.
    pub truncated: Truncation,
    /// Captions in order.
    pub captions: Vec<Caption>,
    /// Credits in order.
    pub credits: Vec<Credit>,
    /// Footers in order.
    pub footers: Vec<Footer>,
    /// Corrections and editor's notes.
    pub corrections: Vec<String>,
    /// How many articles the lines hold, if that was asked.
    pub articles: usize,
}
