//! `Rules`: the families of lines that are not the article, as tables (`config/rules/*.toml`).
//!
//! All phrases of all rules stand in one Aho-Corasick automaton; a rule's regex is tried only on a line that holds one
//! of its phrases (SPEED: a hundred patterns at once run at 2 MB/s, this at 190).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;
use serde::Deserialize;

use crate::clean::credit::CreditBook;
use crate::clean::fold::Folded;
use crate::digest::Digest;
use crate::ledger::Class;

/// The built-in tables, in the order of their weight: where two rules say the same of a line, the first counts.
const BUILT_IN: &[(&str, &str)] = &[
    ("footer", include_str!("../../config/rules/footer.toml")),
    ("note", include_str!("../../config/rules/note.toml")),
    ("promo", include_str!("../../config/rules/promo.toml")),
    ("social", include_str!("../../config/rules/social.toml")),
    ("related", include_str!("../../config/rules/related.toml")),
    ("ui", include_str!("../../config/rules/ui.toml")),
    ("caption", include_str!("../../config/rules/caption.toml")),
    ("head", include_str!("../../config/rules/head.toml")),
    ("quality", include_str!("../../config/rules/quality.toml")),
];

/// Names and labels of credits.
const CREDITS: &str = include_str!("../../config/rules/credit.toml");

/// Signs that frame a line: `\W*` in a pattern means them. The class of all that is no word, in Unicode, takes
/// milliseconds to compile, in each pattern anew.
const FRAME: &str = r"[\x20-/:-@\[-`{-~«»“”„‘’…–—·•→►▶©（）「」【】]*";

/// A longer line is no line of a family; only its ends are looked at.
const LINE_BYTES_MAX: usize = 1200;

/// Compiled rules.
#[derive(Debug)]
pub struct Rules {
    id: String,
    rules: Vec<Rule>,
    automaton: AhoCorasick,
    /// For each phrase of the automaton: whose it is and how it must stand.
    phrases: Vec<(usize, Place)>,
    credits: CreditBook,
}

/// One family of lines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `pack.name` once it is loaded.
    pub name: String,
    /// What such a line is.
    pub class: Class,
    /// Where in the document it counts.
    #[serde(default)]
    pub position: Position,
    /// The languages of its phrases; for the reader of the table.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Why such a line goes, in words a reader accepts.
    pub reason: String,
    /// The whole line, without signs at its ends.
    #[serde(default)]
    is: Vec<String>,
    /// The line begins with it and then has a sign such as a colon, or ends.
    #[serde(default)]
    label: Vec<String>,
    /// The line begins with it.
    #[serde(default)]
    starts: Vec<String>,
    /// The line ends with it, signs aside.
    #[serde(default)]
    ends: Vec<String>,
    /// It stands in the line, as words of their own.
    #[serde(default)]
    has: Vec<String>,
    /// Phrases without which `pattern` is not tried.
    #[serde(default)]
    needs: Vec<String>,
    /// A regex over the line, case ignored. Named groups are learnt: publisher, section, title, url, author, date.
    #[serde(default)]
    pattern: Option<String>,
    /// A longer line is not meant.
    #[serde(default = "chars_max")]
    chars_max: usize,
    /// A shorter line is not meant.
    #[serde(default)]
    chars_min: usize,
    /// The pattern's match is cut out of a longer line.
    #[serde(default)]
    pub cuts: bool,
    /// What such a line opens.
    #[serde(default)]
    pub opens: Opens,
    /// What such a line says about the end of the article.
    #[serde(default)]
    pub truncated: Evidence,
    /// Such a line is never a piece of a sentence that was broken at its links.
    #[serde(default)]
    pub whole: bool,
    /// The line is part of the text all the same: only what it says is learnt.
    #[serde(default)]
    pub keeps: bool,
    /// Lines that the rule must match.
    #[serde(default)]
    pub must_remove: Vec<String>,
    /// Lines that it must not match.
    #[serde(default)]
    pub must_keep: Vec<String>,
    #[serde(skip)]
    regex: OnceLock<Regex>,
}

fn chars_max() -> usize {
    160
}

/// Where in a document a rule counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Before the first paragraph.
    Start,
    /// After the last one.
    End,
    /// Before the first or after the last one.
    Edges,
    /// Everywhere.
    #[default]
    Anywhere,
}

/// What follows a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opens {
    /// Nothing of note.
    #[default]
    Nothing,
    /// One line that goes with it.
    Line,
    /// A list of headlines, up to the next paragraph.
    List,
    /// After the last paragraph: all the rest of the page.
    Rest,
}

/// How strongly a line says that the article is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Not at all.
    #[default]
    None,
    /// It counts only beside another sign.
    Support,
    /// It may have another reading.
    Weak,
    /// It admits no other reading.
    Strong,
}

/// How a phrase must stand in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Is,
    Label,
    Pattern,
    Starts,
    Ends,
    Has,
}

/// Words that credits are made of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditWords {
    /// Agencies and libraries.
    pub(crate) agencies: Vec<String>,
    /// Agencies whose name is also a word or a sign-off: they count only in capitals as given.
    pub(crate) wires: Vec<String>,
    /// Labels before a credit, such as `photo`.
    pub(crate) labels: Vec<String>,
    /// Labels of sources, which may be a text's.
    pub(crate) sources: Vec<String>,
    /// Words that stand in place of a name, such as `handout`.
    pub(crate) generic: Vec<String>,
    /// Small words inside names.
    pub(crate) particles: Vec<String>,
    /// Remains of a caption's buttons after the credit.
    pub(crate) widgets: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rule: Vec<Rule>,
}

/// A rule table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not TOML of the expected form.
    #[error("cannot read rule pack {pack}")]
    Form {
        /// Which pack.
        pack: String,
        /// Where and what.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A pattern is no regex.
    #[error("pattern of rule {rule} is no regular expression")]
    Pattern {
        /// Which rule.
        rule: String,
        /// What is wrong with it.
        #[source]
        source: Box<regex::Error>,
    },
    /// The phrases make no automaton.
    #[error("the phrases of the rules are too many")]
    Phrases(#[source] aho_corasick::BuildError),
}

/// A rule that fits a line.
#[derive(Debug, Clone)]
pub struct Hit<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// The part of the line's text it is about.
    pub span: Range<usize>,
    /// What it learnt.
    pub learnt: BTreeMap<String, String>,
}

impl Rules {
    /// The rules that faircopy comes with.
    pub fn built_in() -> Rules {
        Rules::load(BUILT_IN, CREDITS).expect("the built-in rules are walked by a test")
    }

    /// Names the rules and their exact content: `builtin@sha256:...`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The tables of credits.
    pub fn credit_book(&self) -> &CreditBook {
        &self.credits
    }

    /// All rules, in order of weight.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    fn load(packs: &[(&str, &str)], credits: &str) -> Result<Rules, Error> {
        let form = |pack: &str| {
            let pack = pack.to_owned();
            move |source| Error::Form {
                pack,
                source: Box::new(source),
            }
        };
        let mut rules = Vec::new();
        for (pack, text) in packs {
            let table: Table = toml::from_str(text).map_err(form(pack))?;
            rules.extend(table.rule.into_iter().map(|rule| Rule {
                name: format!("{pack}.{}", rule.name),
                ..rule
            }));
        }
        let mut phrases = Vec::new();
        let mut texts = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            for (place, list) in [
                (Place::Is, &rule.is),
                (Place::Label, &rule.label),
                (Place::Starts, &rule.starts),
                (Place::Ends, &rule.ends),
                (Place::Has, &rule.has),
                (Place::Pattern, &rule.needs),
            ] {
                for phrase in list {
                    phrases.push((index, place));
                    texts.push(Folded::new(phrase).text.into_owned());
                }
            }
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&texts)
            .map_err(Error::Phrases)?;
        let parts: Vec<_> = packs.iter().map(|(_, text)| text.as_bytes()).collect();
        let digest = Digest::of_parts(&[parts, vec![credits.as_bytes()]].concat());
        Ok(Rules {
            id: format!("builtin@{digest}"),
            rules,
            automaton,
            phrases,
            credits: CreditBook::new(&toml::from_str(credits).map_err(form("credit"))?),
        })
    }

    /// The rules that fit a line, the best first.
    pub fn hits<'r>(&'r self, text: &str, folded: &Folded<'_>) -> Vec<Hit<'r>> {
        let mut fits: Vec<(Place, usize)> = Vec::new();
        let line = &*folded.text;
        let window = line.floor_char_boundary(line.len().saturating_sub(LINE_BYTES_MAX));
        for found in self.automaton.find_overlapping_iter(&line[window..]) {
            let (rule, place) = self.phrases[found.pattern().as_usize()];
            let span = window + found.start()..window + found.end();
            if !fits.contains(&(place, rule)) && folded.stands(span, place) {
                fits.push((place, rule));
            }
        }
        fits.sort_unstable();
        let mut chars = None;
        let mut hits = Vec::new();
        for (place, index) in fits {
            let rule = &self.rules[index];
            let chars = *chars.get_or_insert_with(|| text.chars().take(LINE_BYTES_MAX).count());
            if hits
                .iter()
                .any(|hit: &Hit<'_>| std::ptr::eq(hit.rule, rule))
                || chars < rule.chars_min
            {
                continue;
            }
            let whole = 0..text.len();
            match (place, &rule.pattern) {
                (Place::Pattern, Some(pattern)) => {
                    hits.extend(rule.try_pattern(pattern, text, chars))
                }
                (Place::Pattern, None) => {}
                _ if chars <= rule.chars_max => hits.push(Hit {
                    rule,
                    span: whole,
                    learnt: BTreeMap::new(),
                }),
                _ => {}
            }
        }
        hits
    }
}

impl Rule {
    fn regex(&self, pattern: &str) -> &Regex {
        self.regex.get_or_init(|| {
            let pattern = pattern.replace(r"\W*", FRAME);
            let regex = regex::RegexBuilder::new(&pattern)
                .case_insensitive(true)
                .build();
            regex.expect("patterns are compiled when the rules are tested")
        })
    }

    fn try_pattern(&self, pattern: &str, text: &str, chars: usize) -> Option<Hit<'_>> {
        // A pattern that cuts may stand at the end of a line of any length; its match is what must not be long.
        if chars > self.chars_max && !self.cuts {
            return None;
        }
        let from = text.floor_char_boundary(text.len().saturating_sub(LINE_BYTES_MAX));
        let captures = self.regex(pattern).captures(&text[from..])?;
        let whole = captures.get_match();
        if whole.as_str().chars().count() > self.chars_max {
            return None;
        }
        let names = self.regex(pattern).capture_names().flatten();
        let learnt = names.filter_map(|name| {
            let value = captures.name(name)?.as_str().trim();
            (!value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        });
        Some(Hit {
            rule: self,
            span: from + whole.start()..from + whole.end(),
            learnt: learnt.collect(),
        })
    }
}

impl Folded<'_> {
    /// Whether a phrase found at `span` stands in the line as its place asks.
    fn stands(&self, span: Range<usize>, place: Place) -> bool {
        let line = &*self.text;
        let starts = span.start <= self.core.start;
        let ends = span.end >= self.core.end;
        let words = || self.is_word_edge(span.start) && self.is_word_edge(span.end);
        match place {
            Place::Is => starts && ends,
            Place::Label => {
                let after = line[span.end..].trim_start();
                starts
                    && (ends
                        || after.starts_with([
                            ':', '：', '|', '»', '›', '>', '→', '–', '—', '▶', '►', '-', '/',
                        ]))
            }
            Place::Starts => starts && words(),
            Place::Ends => ends && words(),
            Place::Has => words(),
            Place::Pattern => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_says_why_and_passes_its_own_cases() {
        let rules = Rules::built_in();
        for rule in rules.rules() {
            assert!(
                !rule.reason.is_empty() && !rule.reason.ends_with('.'),
                "{}",
                rule.name
            );
            assert!(!rule.must_remove.is_empty(), "{} has no case", rule.name);
            if let Some(pattern) = &rule.pattern {
                assert!(
                    regex::Regex::new(pattern).is_ok(),
                    "{}: {pattern}",
                    rule.name
                );
                assert!(
                    !rule.needs.is_empty(),
                    "{} would try its pattern on every line",
                    rule.name
                );
            }
            let fits = |line: &str| {
                let hits = rules.hits(line, &Folded::new(line));
                hits.iter().any(|hit| std::ptr::eq(hit.rule, rule))
            };
            for case in &rule.must_remove {
                assert!(fits(case), "{} must match {case:?}", rule.name);
            }
            for case in &rule.must_keep {
                assert!(!fits(case), "{} must not match {case:?}", rule.name);
            }
        }
    }

    #[test]
    fn names_of_rules_are_unique() {
        let rules = Rules::built_in();
        let mut names: Vec<_> = rules.rules().iter().map(|rule| &rule.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), rules.rules().len());
    }
}
