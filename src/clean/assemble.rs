//! Lines and what they were found to be, into blocks and the ledger of every byte.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::is_nfc;

use crate::article::{BLOCK_SEPARATOR, Block, BlockKind, canonical_text};
use crate::clean::finding::{Cut, Finding};
use crate::clean::line::{Aside, Line, Lines, is_unseen};
use crate::ledger::{Class, Ledger, Span, Verdict};

/// What the kept lines make.
#[derive(Debug, Default)]
pub struct Assembled {
    /// The blocks, in order.
    pub blocks: Vec<Block>,
    /// Their canonical text.
    pub text: String,
    /// The account of the input.
    pub ledger: Ledger,
}

/// Makes text and ledger of `input` from its lines and the findings about them, one for each line.
pub fn assemble(input: &str, lines: &Lines<'_>, findings: &[Finding]) -> Assembled {
    let mut account = Account {
        input,
        asides: &lines.asides,
        at: 0,
        spans: Vec::with_capacity(lines.lines.len() * 2 + lines.asides.len()),
    };
    let mut blocks: Vec<Block> = Vec::new();
    let mut before: Option<&Finding> = None;
    for (line, finding) in lines.lines.iter().zip(findings) {
        let cuts = usable_cuts(line, finding);
        let rest = finding.kept.then(|| without(&line.text, &cuts));
        let Some(rest) = rest.filter(|rest| !rest.is_empty()) else {
            account.remove_line(line, finding, &cuts);
            before = None;
            continue;
        };
        let kind = kind_of(line, finding);
        let goes_on = line.continues && before.is_some_and(|before| before.class == finding.class);
        let goes_on = goes_on && !matches!(kind, BlockKind::Heading | BlockKind::ListItem);
        // The rows of a table come as lines of their own.
        let goes_on = goes_on || kind == BlockKind::Table && before.is_some();
        match blocks.last_mut() {
            Some(block) if goes_on && block.kind == kind => {
                account.fill(line.start(), Some("\n"));
                block.text.push('\n');
                block.text.push_str(&rest);
            }
            last => {
                account.fill(line.start(), last.map(|_| BLOCK_SEPARATOR));
                account.put_marker(line, kind, finding);
                blocks.push(Block {
                    kind,
                    level: match kind {
                        BlockKind::Heading | BlockKind::ListItem => line.level.max(1),
                        _ => 0,
                    },
                    text: rest.into_owned(),
                });
            }
        }
        account.put_pieces(line, finding, &cuts);
        before = Some(finding);
    }
    account.finish(!blocks.is_empty());
    Assembled {
        text: canonical_text(&blocks),
        blocks,
        ledger: Ledger {
            spans: account.spans,
        },
    }
}

/// A kept line's kind of block: structure first, then what the grammar saw.
fn kind_of(line: &Line<'_>, finding: &Finding) -> BlockKind {
    match line.kind {
        BlockKind::Paragraph if matches!(finding.class, Class::Subheading | Class::Title) => {
            BlockKind::Heading
        }
        kind => kind,
    }
}

/// The cuts that can be made, widened over the blanks they would leave doubled or dangling.
fn usable_cuts(line: &Line<'_>, finding: &Finding) -> Vec<Cut> {
    if finding.cuts.is_empty() {
        return Vec::new();
    }
    let text = &*line.text;
    let mut cuts: Vec<Cut> = Vec::with_capacity(finding.cuts.len());
    for cut in &finding.cuts {
        if text.get(cut.span.clone()).is_none_or(str::is_empty) {
            continue;
        }
        let Range { mut start, mut end } = cut.span;
        let blanks_before = text[..start].len() - text[..start].trim_end().len();
        let blanks_after = text[end..].len() - text[end..].trim_start().len();
        if start == blanks_before || blanks_before > 0 {
            end += blanks_after;
        }
        if end == text.len() || start == blanks_before {
            start -= blanks_before;
        }
        if cuts.last().is_none_or(|last| last.span.end <= start) {
            cuts.push(Cut {
                span: start..end,
                ..cut.clone()
            });
        }
    }
    // What a cut brings together must not combine; a blank left at an end by two cuts that meet must not stay.
    let rest = without(text, &cuts);
    match finding.kept && (!is_nfc(&rest) || rest.trim() != rest) {
        true => Vec::new(),
        false => cuts,
    }
}

fn without<'t>(text: &'t str, cuts: &[Cut]) -> Cow<'t, str> {
    if cuts.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut rest = String::with_capacity(text.len());
    let mut at = 0;
    for cut in cuts {
        rest.push_str(&text[at..cut.span.start]);
        at = cut.span.end;
    }
    rest.push_str(&text[at..]);
    Cow::Owned(rest)
}

/// The ledger in the making: everything before `at` is accounted for.
struct Account<'a> {
    input: &'a str,
    /// The asides not yet passed.
    asides: &'a [Aside],
    at: usize,
    spans: Vec<Span>,
}

/// A rule and its reason.
type Why = (Cow<'static, str>, Cow<'static, str>);

/// Rules of what lies between lines.
const BLANK: (&str, &str) = ("text.blank", "blanks and line ends");
const UNSEEN: (&str, &str) = ("text.unseen", "not part of anything a reader sees");
const SEPARATOR: (&str, &str) = ("text.separator", "one blank line stands between two blocks");
const FOLDED: (&str, &str) = ("text.folded", "blanks are folded and characters composed");
const MARKER: (&str, &str) = ("text.marker", "list items are led by a hyphen");

impl<'a> Account<'a> {
    fn push(
        &mut self,
        end: usize,
        verdict: Verdict,
        class: Class,
        why: Why,
        becomes: Option<String>,
    ) {
        let start = self.at;
        if start == end && becomes.is_none() {
            return;
        }
        if let Some(last) = self.spans.last_mut()
            && becomes.is_none()
            && last.end == start
            && last.verdict == verdict
            && last.class == class
            && last.rule == why.0
            && last.reason == why.1
        {
            last.end = end;
        } else {
            let (rule, reason) = why;
            self.spans.push(Span {
                start,
                end,
                verdict,
                class,
                rule,
                reason,
                becomes,
            });
        }
        self.at = end;
    }

    fn blank(&mut self, end: usize) {
        let stretch = &self.input[self.at..end];
        let blank = stretch.chars().all(|c| c.is_whitespace() || is_unseen(c));
        let (class, why) = if blank {
            (Class::Blank, BLANK)
        } else {
            (Class::Hidden, UNSEEN)
        };
        self.push(
            end,
            Verdict::Removed,
            class,
            (why.0.into(), why.1.into()),
            None,
        );
    }

    /// Accounts for all up to `to`, where the next line begins. The last stretch of blanks becomes `separator`.
    fn fill(&mut self, to: usize, separator: Option<&'static str>) {
        while let Some((aside, rest)) = self.asides.split_first()
            && aside.span.start < to
        {
            self.asides = rest;
            if aside.span.end <= self.at {
                continue;
            }
            if aside.span.start > self.at {
                self.blank(aside.span.start);
            }
            let why = (aside.hint.rule.clone(), aside.hint.reason.clone());
            self.push(
                aside.span.end.min(to.max(self.at)),
                Verdict::Removed,
                aside.hint.class,
                why,
                None,
            );
        }
        let to = to.max(self.at);
        let Some(separator) = separator else {
            return self.blank(to);
        };
        let stretch = &self.input[self.at..to];
        let why = (SEPARATOR.0.into(), SEPARATOR.1.into());
        if stretch == separator {
            self.push(to, Verdict::Kept, Class::Blank, why, None);
        } else if stretch.chars().all(char::is_whitespace) {
            self.push(
                to,
                Verdict::Rewritten,
                Class::Blank,
                why,
                Some(separator.to_owned()),
            );
        } else {
            self.blank(to);
            self.push(
                to,
                Verdict::Rewritten,
                Class::Blank,
                why,
                Some(separator.to_owned()),
            );
        }
    }

    /// The marker of a kept line: kept if it is the canonical one, rewritten or put in where it is not.
    fn put_marker(&mut self, line: &Line<'_>, kind: BlockKind, finding: &Finding) {
        let marker = line.marker.clone().unwrap_or(self.at..self.at);
        let wanted = kind.marker();
        let found = &self.input[marker.clone()];
        let why = (MARKER.0.into(), MARKER.1.into());
        match (found, wanted) {
            ("", "") => {}
            (_, "") => {
                let why = (finding.rule.clone(), "a heading needs no marker".into());
                self.push(marker.end, Verdict::Removed, finding.class, why, None);
            }
            _ if found == wanted => self.push(marker.end, Verdict::Kept, finding.class, why, None),
            _ => self.push(
                marker.end,
                Verdict::Rewritten,
                finding.class,
                why,
                Some(wanted.to_owned()),
            ),
        }
    }

    /// The pieces of a kept line, without its cuts.
    fn put_pieces(&mut self, line: &Line<'_>, finding: &Finding, cuts: &[Cut]) {
        let mut cuts = cuts.iter().peekable();
        let mut at = 0; // in the line's text
        for piece in &line.pieces {
            self.fill_inside(piece.span.start);
            let end = at + piece.len;
            let mut written = false;
            while at < end {
                while cuts.peek().is_some_and(|cut| cut.span.end <= at) {
                    cuts.next();
                }
                let (stop, cut) = match cuts.peek() {
                    Some(cut) if cut.span.start <= at => (cut.span.end.min(end), Some(*cut)),
                    Some(cut) => (cut.span.start.min(end), None),
                    None => (end, None),
                };
                let to = match piece.verbatim {
                    true => piece.span.end - (end - stop),
                    false => piece.span.end,
                };
                match cut {
                    Some(cut) if piece.verbatim => {
                        let why = (cut.rule.clone(), cut.reason.clone());
                        self.push(to, Verdict::Removed, cut.class, why, None);
                    }
                    // The stretch of a rewritten piece is accounted for by what of it stays, if anything does.
                    Some(_) => {}
                    None if piece.verbatim => {
                        let why = (finding.rule.clone(), finding.reason.clone());
                        self.push(to, Verdict::Kept, finding.class, why, None);
                    }
                    None => {
                        let becomes = line.text[at..stop].to_owned();
                        let why = (FOLDED.0.into(), FOLDED.1.into());
                        self.push(to, Verdict::Rewritten, finding.class, why, Some(becomes));
                        written = true;
                    }
                }
                at = stop;
            }
            if !piece.verbatim && !written {
                let cut = cuts.peek();
                let why = cut.map_or((FOLDED.0.into(), FOLDED.1.into()), |cut| {
                    (cut.rule.clone(), cut.reason.clone())
                });
                let class = cut.map_or(Class::Blank, |cut| cut.class);
                self.push(
                    piece.span.end.max(self.at),
                    Verdict::Removed,
                    class,
                    why,
                    None,
                );
            }
        }
    }

    /// A line that leaves the text, with the classes of its parts.
    fn remove_line(&mut self, line: &Line<'_>, finding: &Finding, cuts: &[Cut]) {
        self.fill(line.start(), None);
        let mut text_at = 0;
        for piece in &line.pieces {
            self.fill_removed(piece.span.start, finding);
            let first = text_at;
            text_at += piece.len;
            for cut in cuts
                .iter()
                .filter(|cut| cut.span.start < text_at && cut.span.end > first)
            {
                if piece.verbatim {
                    let (from, to) = (cut.span.start.max(first), cut.span.end.min(text_at));
                    self.removed(
                        piece.span.end - (text_at - from),
                        finding.class,
                        (finding.rule.clone(), finding.reason.clone()),
                    );
                    self.removed(
                        piece.span.end - (text_at - to),
                        cut.class,
                        (cut.rule.clone(), cut.reason.clone()),
                    );
                } else {
                    self.removed(
                        piece.span.end,
                        cut.class,
                        (cut.rule.clone(), cut.reason.clone()),
                    );
                }
            }
            self.removed(
                piece.span.end,
                finding.class,
                (finding.rule.clone(), finding.reason.clone()),
            );
        }
    }

    fn removed(&mut self, to: usize, class: Class, why: Why) {
        self.push(to.max(self.at), Verdict::Removed, class, why, None);
    }

    /// What lies between two pieces of a kept line.
    fn fill_inside(&mut self, to: usize) {
        self.fill(to, None);
    }

    /// What lies between two pieces of a removed line goes with the line unless it is an aside.
    fn fill_removed(&mut self, to: usize, finding: &Finding) {
        let aside = self
            .asides
            .first()
            .is_some_and(|aside| aside.span.start < to);
        match aside {
            true => self.fill(to, None),
            false => self.removed(
                to,
                finding.class,
                (finding.rule.clone(), finding.reason.clone()),
            ),
        }
    }

    /// The end: the one final line feed, if there is text, and whatever follows.
    fn finish(&mut self, has_text: bool) {
        let end = self.input.len();
        if has_text {
            self.put_final_line_feed();
        }
        self.fill(end, None);
    }

    /// The final line feed of the text stands after the last kept byte: if the input has one there it is kept.
    fn put_final_line_feed(&mut self) {
        let kept = self
            .spans
            .iter()
            .rposition(|span| span.verdict != Verdict::Removed);
        let why = (
            Cow::from("text.end"),
            Cow::from("the text ends with one line feed"),
        );
        let after = kept.map_or(0, |kept| self.spans[kept].end);
        let next = kept.and_then(|kept| self.spans.get(kept + 1));
        let line_feed = self.input[after..].starts_with('\n');
        if next.is_none() && line_feed {
            // Nothing is accounted for beyond the last kept line yet.
            self.push(after + 1, Verdict::Kept, Class::Blank, why, None);
            return;
        }
        let index = kept.map_or(0, |kept| kept + 1);
        self.spans.insert(
            index,
            Span {
                start: after,
                end: after,
                verdict: Verdict::Rewritten,
                class: Class::Blank,
                rule: why.0,
                reason: why.1,
                becomes: Some("\n".to_owned()),
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::line::{Hint, LineBuilder};
    use crate::clean::lines::split;
    use proptest::prelude::*;

    fn cut(span: Range<usize>) -> Cut {
        Cut {
            span,
            class: Class::Credit,
            rule: "test.cut".into(),
            reason: "test".into(),
        }
    }

    fn finding(kept: bool, cuts: Vec<Cut>) -> Finding {
        let class = if kept { Class::Body } else { Class::Promo };
        Finding {
            kept,
            cuts,
            ..Finding::removed(class, "test.line", "test")
        }
    }

    fn assembled(input: &str, findings: &[Finding]) -> Assembled {
        let assembled = assemble(input, &split(input), findings);
        assert_eq!(assembled.ledger.verify(input, &assembled.text), Ok(()));
        assembled
    }

    #[test]
    fn kept_lines_are_parted_by_one_blank_line_and_end_with_a_line_feed() {
        let keep = finding(true, vec![]);
        let drop = finding(false, vec![]);
        let input = "One.\n\n\nAd\n\nTwo.";
        let done = assembled(input, &[keep.clone(), drop, keep.clone()]);
        assert_eq!(done.text, "One.\n\nTwo.\n");
        // What is canonical already is kept as it is, in whole.
        let done = assembled("One.\n\nTwo.\n", &[keep.clone(), keep]);
        assert!(done.ledger.spans.iter().all(|s| s.verdict == Verdict::Kept));
    }

    #[test]
    fn a_cut_takes_the_blanks_that_it_would_leave() {
        let line = finding(true, vec![cut(9..16)]);
        assert_eq!(assembled("He said. (Photo)", &[line]).text, "He said.\n");
        let line = finding(true, vec![cut(3..6)]);
        assert_eq!(assembled("He (x) said.", &[line]).text, "He said.\n");
    }

    #[test]
    fn list_items_get_their_marker() {
        let keep = finding(true, vec![]);
        assert_eq!(assembled("\u{2022} one", &[keep]).text, "- one\n");
    }

    proptest! {
        #[test]
        fn any_lines_with_any_findings_are_accounted_for(
            input in "(([a-c]{0,4}[ \\t\u{a0}]{0,2}(e\u{301}|[-#*]|\\PC)?){0,5}(\n|\r\n|\r|\n\n|\u{85}|\u{2028}|\u{0})){0,8}\\PC{0,6}",
            verdicts in proptest::collection::vec((any::<bool>(), proptest::collection::vec((0usize..12, 0usize..6), 0..3)), 60)
        ) {
            let lines = split(&input);
            let findings: Vec<_> = verdicts.iter().take(lines.lines.len()).map(|(kept, cuts)| {
                finding(*kept, cuts.iter().map(|(start, len)| cut(*start..start + len)).collect())
            }).collect();
            prop_assume!(findings.len() == lines.lines.len());
            let done = assemble(&input, &lines, &findings);
            prop_assert_eq!(done.ledger.verify(&input, &done.text), Ok(()));
            prop_assert!(is_nfc(&done.text));
            for block in &done.blocks {
                prop_assert_eq!(block.text.trim(), &block.text);
            }
        }

        #[test]
        fn lines_of_many_stretches_with_asides_between_are_accounted_for(
            parts in proptest::collection::vec(("[a-c \\ne\u{301}]{0,5}", 0..4u8), 0..12),
            kept in any::<bool>(), start in 0usize..6, len in 0usize..6
        ) {
            let input: String = parts.iter().map(|(part, _)| part.as_str()).collect();
            let mut lines = Lines::default();
            let mut builder = LineBuilder::new(&input);
            let mut at = 0;
            for (part, how) in &parts {
                let end = at + part.len();
                match how {
                    0 => lines.asides.push(Aside { span: at..end, hint: Hint::strong(Class::Hidden, "t.h", "h") }),
                    1 => {
                        builder.push(at..end);
                        let done = std::mem::replace(&mut builder, LineBuilder::new(&input));
                        lines.lines.extend(done.finish(BlockKind::ListItem));
                    }
                    2 => builder.insert(at, "\n"),
                    _ => builder.push(at..end),
                }
                at = end;
            }
            lines.lines.extend(builder.finish(BlockKind::Paragraph));
            let findings = vec![finding(kept, vec![cut(start..start + len)]); lines.lines.len()];
            let done = assemble(&input, &lines, &findings);
            prop_assert_eq!(done.ledger.verify(&input, &done.text), Ok(()));
        }
    }
}
