//! `Sheet`: the lines of a document on the table of the grammar, with what is known of each so far.

use crate::clean::finding::{Facts, Finding, is_text};
use crate::clean::fold::Folded;
use crate::clean::line::Lines;
use crate::clean::look::Look;
use crate::clean::rules::{Hit, Position, Rules};
use crate::clean::truncation;
use crate::ledger::Class;
use std::ops::Range;

/// Lines, their looks, the rules that fit them, and the findings made so far.
pub(super) struct Sheet<'s> {
    pub(super) lines: &'s Lines<'s>,
    pub(super) rules: &'s Rules,
    pub(super) looks: Vec<Look>,
    /// The rules that fit each line, the best first.
    pub(super) hits: Vec<Vec<Hit<'s>>>,
    /// Whether a credit may be in each line.
    pub(super) may_have_credit: Vec<bool>,
    /// `None` for a line that nothing was found out about: it is body in the end.
    pub(super) findings: Vec<Option<Finding>>,
    pub(super) facts: Facts,
    /// The lines come from a page, whose structure has spoken already.
    pub(super) page: bool,
    /// Where the article stands in a dump of a whole page.
    pub(super) dump: Option<Range<usize>>,
    /// Its headline, if the page's title tells it.
    pub(super) headline: Option<usize>,
    /// One past the last byline or date below the headline, if a summary may stand above them; else 0.
    pub(super) head_end: usize,
}

impl<'s> Sheet<'s> {
    pub(super) fn new(lines: &'s Lines<'s>, rules: &'s Rules, page: bool) -> Sheet<'s> {
        let texts = lines.lines.iter().map(|line| &*line.text);
        let looks = texts
            .clone()
            .map(|text| Look::at(truncation::without_mark(text)))
            .collect();
        let strong = |index: usize| {
            lines.lines[index]
                .hint
                .as_ref()
                .is_some_and(|hint| hint.strong)
        };
        let mut hits = Vec::with_capacity(lines.lines.len());
        let mut may_have_credit = Vec::with_capacity(lines.lines.len());
        for (index, text) in texts.enumerate() {
            let read = (!strong(index)).then(|| rules.read(text, &Folded::new(text)));
            may_have_credit.push(read.as_ref().is_none_or(|read| read.may_have_credit));
            hits.push(read.map(|read| read.hits).unwrap_or_default());
        }
        Sheet {
            rules,
            looks,
            hits,
            may_have_credit,
            findings: vec![None; lines.lines.len()],
            facts: Facts::default(),
            page,
            dump: None,
            headline: None,
            head_end: 0,
            lines,
        }
    }

    /// The first line that is not above the article in a dump of a whole page.
    pub(super) fn from(&self) -> usize {
        self.dump.as_ref().map_or(0, |dump| dump.start)
    }

    pub(super) fn len(&self) -> usize {
        self.looks.len()
    }

    pub(super) fn text(&self, index: usize) -> &'s str {
        &self.lines.lines[index].text
    }

    /// Nothing was found out about the line yet.
    pub(super) fn is_open(&self, index: usize) -> bool {
        self.findings[index].is_none()
    }

    /// The line stays, as far as is known.
    pub(super) fn stays(&self, index: usize) -> bool {
        self.findings[index]
            .as_ref()
            .is_none_or(|finding| finding.kept)
    }

    pub(super) fn class(&self, index: usize) -> Option<Class> {
        self.findings[index].as_ref().map(|finding| finding.class)
    }

    /// The line is furniture: it goes, and it is neither picture text nor metadata.
    pub(super) fn is_furniture(&self, index: usize) -> bool {
        let furniture = |finding: &Finding| {
            !finding.kept
                && matches!(
                    finding.class,
                    Class::Ui
                        | Class::Social
                        | Class::Promo
                        | Class::Related
                        | Class::Navigation
                        | Class::FooterOther
                )
        };
        self.findings[index].as_ref().is_some_and(furniture)
    }

    /// A paragraph of text that stays.
    pub(super) fn is_paragraph(&self, index: usize) -> bool {
        self.stays(index) && self.looks[index].is_paragraph()
    }

    /// There is a line `index`, and it is a paragraph of text that stays.
    pub(super) fn is_paragraph_at(&self, index: usize) -> bool {
        index < self.len() && self.is_paragraph(index)
    }

    pub(super) fn remove(
        &mut self,
        index: usize,
        class: Class,
        rule: &'static str,
        reason: &'static str,
    ) {
        self.findings[index] = Some(Finding::removed(class, rule, reason));
    }

    pub(super) fn keep(
        &mut self,
        index: usize,
        class: Class,
        rule: &'static str,
        reason: &'static str,
    ) {
        self.findings[index] = Some(Finding::kept(class, rule, reason));
    }

    /// Removes a line by the first rule that fits it here.
    pub(super) fn remove_by_rule(&mut self, index: usize, hit: usize) {
        let rule = self.hits[index][hit].rule;
        self.findings[index] = Some(Finding::removed(
            rule.class,
            rule.name.clone(),
            rule.reason.clone(),
        ));
    }

    /// The first hit that counts at one of `positions` and is not about a mere part of the line.
    pub(super) fn hit(&self, index: usize, positions: &[Position]) -> Option<usize> {
        let whole =
            |hit: &Hit<'_>| hit.span.len() * 2 > self.text(index).len() || hit.span.start == 0;
        self.hits[index].iter().position(|hit| {
            positions.contains(&hit.rule.position)
                && !hit.rule.keeps
                && hit.rule.class != Class::Caption
                && (!hit.rule.cuts || whole(hit) && hit.span.start == 0)
        })
    }

    /// The line may be a piece of a sentence that was broken at a link: what follows goes on from it.
    pub(super) fn is_fragment(&self, index: usize) -> bool {
        let next = self
            .looks
            .get(index + 1)
            .is_some_and(|next| next.goes_on && next.words > 0 || self.text(index + 1) == ".");
        let next = next && self.hit(index + 1, &[Position::Anywhere]).is_none();
        let before = index
            .checked_sub(1)
            .map(|before| (self.looks[before], before));
        let open = before.is_some_and(|(look, before)| {
            !look.stops
                && !look.asks
                && !look.colon
                && !look.ellipsis
                && look.words >= 3
                && self.lines.lines[before].kind == self.lines.lines[index].kind
        });
        next && (open
            || index == 0
            || self.looks[index].words <= 3 && before.is_some_and(|(look, _)| !look.stops))
    }

    /// No line above it could be the headline.
    pub(super) fn leads(&self, index: usize) -> bool {
        const LINES_MAX: usize = 150;
        index < self.from() + LINES_MAX
            && !(self.from()..index)
                .any(|before| self.is_open(before) && self.looks[before].is_headline())
    }

    /// The line is (the signature of) a post quoted from a network: `— Ada Brill (@ada) May 3, 2020`.
    pub(super) fn is_post(&self, index: usize) -> bool {
        let text = self.text(index);
        text.contains("pic.twitter.com")
            || text.contains("https://t.co/")
            || text.starts_with(['—', '–', '-']) && text.contains("(@")
    }

    /// The line breaks off in the middle of a sentence: it ends in a small word that needs another after it.
    pub(super) fn dangles(&self, index: usize) -> bool {
        const SMALL: &[&str] = &[
            "the", "a", "an", "of", "to", "in", "on", "at", "by", "for", "with", "and", "or",
            "that", "as", "from", "had", "has", "was", "is", "der", "die", "das", "den", "dem",
            "des", "ein", "eine", "einen", "in", "im", "von", "und", "le", "la", "les", "de", "du",
            "des", "un", "une", "et", "à", "el", "los", "las", "del", "en", "y", "o", "a", "do",
            "da", "dos", "em", "di", "il", "het", "een", "van",
        ];
        let last = self.text(index).rsplit(' ').next().unwrap_or_default();
        self.text(index).ends_with(',') || self.looks[index].words >= 3 && SMALL.contains(&last)
    }

    /// What all lines were found to be; what was left open is body.
    pub(super) fn finish(self) -> (Vec<Finding>, Facts) {
        let body = || Finding::kept(Class::Body, "text.body", "running text");
        let findings = self
            .findings
            .into_iter()
            .map(|finding| finding.unwrap_or_else(body));
        let findings: Vec<_> = findings.collect();
        debug_assert!(
            findings
                .iter()
                .all(|f| !f.kept || is_text(f.class) || f.class == Class::Title)
        );
        (findings, self.facts)
    }
}
