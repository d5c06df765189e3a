//! `Pack`: one table of rules with its name and place; and what is wrong with one that cannot be used.
//!
//! A pack of a person's own is proven by its own cases before it may act. The built-in ones are proven by a test.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{BUILT_IN, CREDITS, CreditWords, Index, Rule};
use crate::clean::fold::Folded;
use crate::clean::site::SiteHead;
use crate::ruleset::PackText;

/// The name of the pack that holds words of credits instead of rules.
pub const CREDIT: &str = "credit";
/// Where the built-in packs are.
pub const BUILT_IN_PLACE: &str = "built in";

/// The text of a pack, and where it stands.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name: a file's without `.toml`. One that is named like a built-in pack takes its place.
    pub name: String,
    /// The file, as a person finds it.
    pub place: String,
    /// TOML.
    pub text: Cow<'static, str>,
    /// What kind of file.
    pub kind: Kind,
    /// It is only tried: it stands in the shadow, whatever it says itself.
    pub tried: bool,
}

/// Kinds of files with rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rules that count everywhere.
    Pack,
    /// What counts for one site.
    Site,
}

/// A pack that was read.
#[derive(Debug, Clone)]
pub struct Pack {
    pub(super) source: Source,
    /// It only says what it would do.
    pub(super) shadow: bool,
    /// It counts for this site alone.
    pub(super) site: Option<SiteHead>,
    pub(super) content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Rules(Vec<Rule>),
    Credits(Box<CreditWords>),
}

/// One thing that is wrong with a pack, which therefore does not act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}: rule pack {pack:?} is not used: {message}", place(file, *line))]
pub struct Defect {
    /// The pack.
    pub pack: String,
    /// The rule, if it is one's.
    pub rule: Option<String>,
    /// The case that fails.
    pub case: Option<String>,
    /// The pack's file.
    pub file: String,
    /// The line in it.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

fn place(file: &str, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    shadow: bool,
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteTable {
    #[serde(default)]
    shadow: bool,
    hosts: Vec<String>,
    #[serde(default)]
    keep: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    publisher: Option<String>,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    rule: Vec<Rule>,
}

type Parts = (bool, Option<SiteHead>, Content);

impl SiteTable {
    fn parts(self) -> Parts {
        let head = SiteHead {
            hosts: self.hosts,
            keep: self.keep,
            remove: self.remove,
            publisher: self.publisher,
            language: self.language,
        };
        (self.shadow, Some(head), Content::Rules(self.rule))
    }
}

fn parts(source: &Source) -> Result<Parts, toml::de::Error> {
    let text = &source.text;
    Ok(match (source.kind, source.name.as_str()) {
        (Kind::Site, _) => toml::from_str::<SiteTable>(text)?.parts(),
        (Kind::Pack, CREDIT) => {
            let words: CreditWords = toml::from_str(text)?;
            (words.shadow, None, Content::Credits(Box::new(words)))
        }
        (Kind::Pack, _) => {
            let table: Table = toml::from_str(text)?;
            (table.shadow, None, Content::Rules(table.rule))
        }
    })
}

/// The texts of all built-in packs, in the order of their weight.
pub fn built_in() -> impl Iterator<Item = Source> {
    let credits = std::iter::once(&(CREDIT, CREDITS));
    BUILT_IN.iter().chain(credits).map(|(name, text)| Source {
        name: (*name).to_owned(),
        place: BUILT_IN_PLACE.to_owned(),
        text: Cow::Borrowed(*text),
        kind: Kind::Pack,
        tried: false,
    })
}

impl Source {
    /// A pack that an archive kept.
    pub(super) fn of(text: &PackText) -> Source {
        Source {
            name: text.name.clone(),
            place: match text.built_in {
                true => BUILT_IN_PLACE.to_owned(),
                false => "kept in the archive".to_owned(),
            },
            text: text.text.clone().into(),
            kind: match text.site {
                true => Kind::Site,
                false => Kind::Pack,
            },
            tried: false,
        }
    }
}

impl Pack {
    /// The pack as an archive keeps it.
    pub(super) fn to_text(&self) -> PackText {
        PackText {
            name: self.source.name.clone(),
            built_in: self.is_built_in(),
            site: self.source.kind == Kind::Site,
            text: self.source.text.clone().into_owned(),
        }
    }

    /// Reads a pack.
    pub fn parse(source: Source) -> Result<Pack, Box<Defect>> {
        let (shadow, site, content) = parts(&source).map_err(|error| {
            let line = error.span().map(|span| line_of(&source.text, span.start));
            Box::new(source.defect(line, error.message()))
        })?;
        let mut pack = Pack {
            shadow: shadow || source.tried,
            source,
            site,
            content,
        };
        if let Content::Rules(rules) = &mut pack.content {
            for rule in rules {
                rule.name = format!("{}.{}", pack.source.name, rule.name);
            }
        }
        Ok(pack)
    }

    /// It is one that faircopy comes with.
    pub fn is_built_in(&self) -> bool {
        self.source.place == BUILT_IN_PLACE
    }

    /// Its rules; none if it holds words of credits.
    pub fn rules(&self) -> &[Rule] {
        match &self.content {
            Content::Rules(rules) => rules,
            Content::Credits(_) => &[],
        }
    }

    /// The pack by itself, if it passes its own cases.
    pub fn trial(self) -> Option<Trial> {
        let Content::Rules(rules) = &self.content else {
            return None;
        };
        self.prove().is_empty().then(|| Trial {
            rules: rules.clone(),
            index: Index::new(rules, &[]),
        })
    }

    /// Proves the pack by its own cases: everything that is wrong with it.
    pub fn prove(&self) -> Vec<Defect> {
        let rules = self.rules();
        let places = Places::of(&self.source.text);
        let mut defects = Vec::new();
        if let Some(Err(message)) = self.site.as_ref().map(SiteHead::well_formed) {
            defects.push(self.source.defect(None, message));
        }
        let mut tell = |at: usize, case: Option<(CaseKind, usize)>, message: String| {
            let rule: &Rule = &rules[at];
            defects.push(Defect {
                rule: Some(rule.name.clone()),
                case: case.map(|(kind, number)| kind.cases(rule)[number].clone()),
                ..self.source.defect(places.line(at, case), message)
            });
        };
        let mut sound = true;
        for (at, rule) in rules.iter().enumerate() {
            let twice = rules[..at].iter().any(|other| other.name == rule.name);
            let twice = twice.then(|| "is there twice".to_owned());
            if let Some(message) = rule.well_formed().err().or(twice) {
                tell(at, None, format!("rule {} {message}", rule.name));
                sound = false;
            }
        }
        // Cases prove nothing where the rules themselves are not sound.
        if !sound {
            return defects;
        }
        let index = Index::new(rules, &[]);
        for (at, rule) in rules.iter().enumerate() {
            for kind in [CaseKind::Remove, CaseKind::Keep] {
                for (number, case) in kind.cases(rule).iter().enumerate() {
                    let hits = index.hits(rules, case, &Folded::new(case));
                    let fits = hits.iter().any(|hit| std::ptr::eq(hit.rule, rule));
                    if fits != kind.must_fit() {
                        let must = if fits { "must not" } else { "must" };
                        let message = format!("rule {} {must} match {case:?}", rule.name);
                        tell(at, Some((kind, number)), message);
                    }
                }
            }
        }
        defects
    }
}

impl Source {
    /// What is wrong with it.
    pub fn defect(&self, line: Option<usize>, message: impl Into<String>) -> Defect {
        Defect {
            pack: self.name.clone(),
            rule: None,
            case: None,
            file: self.place.clone(),
            line,
            message: message.into(),
        }
    }
}

#[derive(Clone, Copy)]
enum CaseKind {
    Remove,
    Keep,
}

impl CaseKind {
    fn cases(self, rule: &Rule) -> &[String] {
        match self {
            CaseKind::Remove => &rule.must_remove,
            CaseKind::Keep => &rule.must_keep,
        }
    }

    fn must_fit(self) -> bool {
        matches!(self, CaseKind::Remove)
    }
}

/// A proven pack by itself, to be tried on lines.
#[derive(Debug)]
pub struct Trial {
    rules: Vec<Rule>,
    index: Index,
}

impl Trial {
    /// Whether any rule fits a line.
    pub fn hits(&self, line: &str, folded: &Folded<'_>) -> bool {
        !self.index.hits(&self.rules, line, folded).is_empty()
    }
}

/// Where rules and cases stand in the text. Read only once something is wrong: places cost time.
struct Places<'t> {
    text: &'t str,
    rules: std::cell::OnceCell<Vec<PlacedRule>>,
}

#[derive(Deserialize)]
struct PlacedTable {
    #[serde(default)]
    rule: Vec<PlacedRule>,
}

#[derive(Deserialize)]
struct PlacedRule {
    name: Spanned<String>,
    #[serde(default)]
    must_remove: Vec<Spanned<String>>,
    #[serde(default)]
    must_keep: Vec<Spanned<String>>,
}

impl<'t> Places<'t> {
    fn of(text: &'t str) -> Places<'t> {
        Places {
            text,
            rules: std::cell::OnceCell::new(),
        }
    }

    fn line(&self, rule: usize, case: Option<(CaseKind, usize)>) -> Option<usize> {
        let rules = self.rules.get_or_init(|| {
            let table = toml::from_str::<PlacedTable>(self.text);
            table.map(|table| table.rule).unwrap_or_default()
        });
        let rule = rules.get(rule)?;
        let place = match case {
            None => &rule.name,
            Some((CaseKind::Remove, number)) => rule.must_remove.get(number)?,
            Some((CaseKind::Keep, number)) => rule.must_keep.get(number)?,
        };
        Some(line_of(self.text, place.span().start))
    }
}

/// The number of the line in which the byte `at` stands.
fn line_of(text: &str, at: usize) -> usize {
    text[..text.floor_char_boundary(at)].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source {
            name: "local".to_owned(),
            place: "rules/local.toml".to_owned(),
            text: Cow::Owned(text.to_owned()),
            kind: Kind::Pack,
            tried: false,
        }
    }

    fn defects(text: &str) -> Vec<Defect> {
        Pack::parse(source(text)).expect("parses").prove()
    }

    const RULE: &str = "[[rule]]\nname = \"tide\"\nclass = \"ui\"\nreason = \"tells the tide\"\n";

    #[test]
    fn a_case_that_fails_is_named_with_its_line() {
        let text = format!(
            "{RULE}is = [\"tide table\"]\nmust_remove = [\n  \"Tide table\",\n  \"Tides today\",\n]\nmust_keep = [\"tide table\"]\n"
        );
        let defects = defects(&text);
        let lines: Vec<_> = defects.iter().map(|defect| defect.line).collect();
        assert_eq!(lines, [Some(8), Some(10)]);
        let message = defects[0].to_string();
        for part in [
            "rules/local.toml:8",
            "\"local\"",
            "local.tide",
            "\"Tides today\"",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn rules_without_case_or_phrase_and_patterns_that_cost_too_much_are_refused() {
        for (rest, says) in [
            ("is = [\"x\"]", "no must_remove case"),
            ("has = [\" \"]\nmust_remove = [\"x\"]", "empty phrase"),
            ("pattern = \"tide\"\nmust_remove = [\"tide\"]", "needs"),
            (
                "needs = [\"tide\"]\npattern = \"tide(\"\nmust_remove = [\"tide\"]",
                "regular expression",
            ),
            (
                "needs = [\"tide\"]\npattern = '(?:\\w{1,200}tide){1,100}'\nmust_remove = [\"tide\"]",
                "too large",
            ),
        ] {
            let defects = defects(&format!("{RULE}{rest}\n"));
            assert_eq!(defects.len(), 1, "{rest}: {defects:?}");
            assert!(defects[0].message.contains(says), "{}", defects[0]);
            assert_eq!(defects[0].line, Some(2));
        }
    }

    #[test]
    fn what_is_no_pack_is_told_with_its_line() {
        let error = Pack::parse(source("[[rule]]\nname = \"a\"\nclas = \"ui\"\n"));
        let error = error.expect_err("an unknown key");
        assert_eq!(error.line, Some(3));
        assert!(error.message.contains("clas"), "{error}");
    }
}
