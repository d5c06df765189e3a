//! Where two accounts of one document part: what a rule pack in the shadow would do.

use serde::Serialize;

use crate::clean::rules::Rules;
use crate::clean::{Cleaned, clean};
use crate::document::Document;
use crate::ledger::{Class, Ledger, Span, Verdict};

/// A stretch of a document that would be judged otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// First byte, in the document's text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The stretch.
    pub text: String,
    /// What becomes of it.
    pub now: Judgement,
    /// What would become of it.
    pub would: Judgement,
}

/// What a ledger says of a stretch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// Kept or removed.
    pub verdict: Verdict,
    /// What it is.
    pub class: Class,
    /// The rule that decided.
    pub rule: String,
    /// Why.
    pub reason: String,
}

/// What the packs in the shadow would do with a document; empty if there are none. `cleaned` is what was made of it.
pub fn differences(document: &Document, rules: &Rules, cleaned: &Cleaned) -> Vec<Difference> {
    let Some(shadow) = rules.shadow() else {
        return Vec::new();
    };
    let would = clean(document, shadow);
    compare(document.input(), &cleaned.ledger, &would.ledger)
}

/// Where two ledgers of `input` differ in what stays or in what it is. Blanks are nobody's concern.
pub fn compare(input: &str, now: &Ledger, would: &Ledger) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    let filled = |ledger: &'_ Ledger| -> Vec<Span> {
        let spans = ledger.spans.iter().filter(|span| span.start < span.end);
        spans.cloned().collect()
    };
    let (now, would) = (filled(now), filled(would));
    let (mut a, mut b) = (0, 0);
    let mut at = 0;
    while let (Some(one), Some(other)) = (now.get(a), would.get(b)) {
        let end = one.end.min(other.end);
        let text = &input[at..end];
        let is_same = (stays(one), one.class) == (stays(other), other.class);
        if !is_same && !text.trim().is_empty() {
            let (now, would) = (Judgement::of(one), Judgement::of(other));
            match found.last_mut() {
                Some(last) if last.end == at && last.now == now && last.would == would => {
                    last.end = end;
                    last.text.push_str(text);
                }
                _ => found.push(Difference {
                    start: at,
                    end,
                    text: text.to_owned(),
                    now,
                    would,
                }),
            }
        }
        a += usize::from(one.end == end);
        b += usize::from(other.end == end);
        at = end;
    }
    found
}

/// In whatever form.
fn stays(span: &Span) -> bool {
    span.verdict != Verdict::Removed
}

impl Judgement {
    fn of(span: &Span) -> Judgement {
        Judgement {
            verdict: match span.verdict {
                Verdict::Removed => Verdict::Removed,
                Verdict::Kept | Verdict::Rewritten => Verdict::Kept,
            },
            class: span.class,
            rule: span.rule.clone().into_owned(),
            reason: span.reason.clone().into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: usize, end: usize, verdict: Verdict, class: Class) -> Span {
        Span {
            start,
            end,
            verdict,
            class,
            rule: "test.rule".into(),
            reason: "test".into(),
            becomes: (verdict == Verdict::Rewritten).then(String::new),
        }
    }

    #[test]
    fn only_what_would_become_otherwise_is_told() {
        use Verdict::{Kept, Removed, Rewritten};
        let ledger = |spans: Vec<Span>| Ledger { spans };
        let now = ledger(vec![
            span(0, 4, Kept, Class::Body),
            span(4, 4, Rewritten, Class::Blank),
            span(4, 8, Rewritten, Class::Body),
        ]);
        let would = ledger(vec![
            span(0, 2, Kept, Class::Body),
            span(2, 6, Removed, Class::Ui),
            span(6, 8, Kept, Class::Body),
        ]);
        let found = compare("abcdefgh", &now, &would);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].start, &*found[0].text), (2, "cdef"));
        assert_eq!(found[0].would.class, Class::Ui);
        assert!(compare("abcdefgh", &now, &now).is_empty());
    }
}
