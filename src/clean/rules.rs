//! `Rules`: the families of lines that are not the article, as tables (`config/rules/*.toml`).
//!
//! The phrases of all rules are sought at once; a rule's regex is tried only on a line that holds one of its phrases.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::clean::credit::{CreditBook, Cue};
use crate::clean::fold::{Folded, is_word_edge};
use crate::clean::phrases::Phrases;
use crate::clean::rules::pack::{Content, Defect, Pack, Source};
use crate::clean::rules::pattern::{Found, Pattern, PatternError};
use crate::clean::site::Site;
use crate::digest::DigestHasher;
use crate::ledger::Class;
use crate::ruleset::PackText;

pub mod pack;
mod pattern;

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

/// A longer line is no line of a family; only its ends are looked at.
const LINE_BYTES_MAX: usize = 1200;

/// A line of more characters is asked about fewer phrases; paragraphs, most of all text, are longer.
const LONG_CHARS: usize = 200;

/// Compiled rules.
#[derive(Debug)]
pub struct Rules {
    id: String,
    rules: Vec<Rule>,
    index: Index,
    credits: Arc<CreditBook>,
    /// What counts for single sites.
    sites: Vec<Site>,
    /// The packs that act, and those in the shadow.
    packs: Vec<PackInfo>,
    /// The packs that act, whole.
    texts: Vec<PackText>,
    /// The rules as they would be if the packs in the shadow acted too.
    shadow: Option<Box<Rules>>,
}

/// Kept packs do not make the rules that they are said to make.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// One cannot be read.
    #[error("cannot read a pack of the rules {id}")]
    Pack {
        /// Which rules.
        id: String,
        /// What is wrong.
        source: Box<Defect>,
    },
    /// They make others.
    #[error(
        "the packs kept for the rules {id} make {found}: this is another version of the program, or they were changed; restore the folder rules of the archive from a backup"
    )]
    Other {
        /// Which rules.
        id: String,
        /// What they make.
        found: String,
    },
}

/// A pack that is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackInfo {
    /// Its name.
    pub name: String,
    /// Its file.
    pub place: String,
    /// It only says what it would do.
    pub shadow: bool,
    /// So many rules.
    pub rules: usize,
    /// So many cases that they are proven by.
    pub cases: usize,
}

/// All phrases of some rules.
#[derive(Debug)]
struct Index {
    all: Sought,
    /// Those that count in lines of more than [`LONG_CHARS`]: few, for most rules are about short lines.
    of_long: Sought,
}

/// Phrases, each with what it says.
#[derive(Debug)]
struct Sought {
    /// Those that a line must begin with.
    leading: Phrases<(usize, Place)>,
    within: Phrases<Sign>,
}

/// What a phrase in a line says.
#[derive(Debug, Clone, Copy)]
enum Sign {
    /// A rule may fit, if the phrase stands as it must.
    Rule(usize, Place),
    /// A credit may be in the line.
    Credit(Cue),
}

/// One family of lines.
#[derive(Debug, Clone, Deserialize)]
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
    compiled: OnceLock<Pattern>,
}

fn chars_max() -> usize {
    160
}

/// Where in a document a rule counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl Position {
    /// The position as it stands in tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Position::Start => "start",
            Position::End => "end",
            Position::Edges => "edges",
            Position::Anywhere => "anywhere",
        }
    }
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
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditWords {
    /// The table only says what it would do.
    #[serde(default)]
    shadow: bool,
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

/// What the phrases in a line tell.
#[derive(Debug)]
pub(super) struct Reading<'r> {
    /// The rules that fit it, the best first.
    pub(super) hits: Vec<Hit<'r>>,
    /// Without this no credit is in it.
    pub(super) may_have_credit: bool,
}

impl Rules {
    /// The rules that faircopy comes with.
    pub fn built_in() -> Rules {
        let (rules, defects) = Rules::assemble(Vec::new());
        debug_assert!(defects.is_empty(), "{defects:?}");
        rules
    }

    /// The rules of this name, from the packs that an archive kept of them.
    pub fn restore(id: &str, texts: &[PackText]) -> Result<Rules, RestoreError> {
        let packs = texts.iter().map(|text| Pack::parse(Source::of(text)));
        let packs: Result<Vec<_>, _> = packs.collect();
        let packs = packs.map_err(|source| RestoreError::Pack {
            id: id.to_owned(),
            source,
        })?;
        let has_credits = packs
            .iter()
            .any(|pack| matches!(pack.content, Content::Credits(_)));
        let rules = has_credits.then(|| Rules::of(packs));
        match rules {
            Some(rules) if rules.id == id => Ok(rules),
            other => Err(RestoreError::Other {
                id: id.to_owned(),
                found: other.map_or("none".to_owned(), |rules| rules.id),
            }),
        }
    }

    /// The packs that act, whole, for an archive to keep.
    pub fn texts(&self) -> &[PackText] {
        &self.texts
    }

    /// The built-in rules with a person's own packs: one of the same name takes the place of a built-in pack, others stand
    /// before all. A pack that fails its own cases does not act; what is wrong with it is told.
    pub fn assemble(own: Vec<Source>) -> (Rules, Vec<Defect>) {
        let mut defects = Vec::new();
        let mut packs = Vec::new();
        for source in own {
            match Pack::parse(source) {
                Ok(pack) => match pack.prove() {
                    wrong if wrong.is_empty() => packs.push(pack),
                    wrong => defects.extend(wrong),
                },
                Err(defect) => defects.push(*defect),
            }
        }
        let acting = with_built_in(&packs, false);
        let mut rules = Rules::of(acting);
        if packs.iter().any(|pack| pack.shadow) {
            rules.shadow = Some(Box::new(Rules::of(with_built_in(&packs, true))));
            let shadows = packs.iter().filter(|pack| pack.shadow);
            rules.packs.extend(shadows.map(PackInfo::of));
        }
        (rules, defects)
    }

    fn of(packs: Vec<Pack>) -> Rules {
        let infos: Vec<_> = packs.iter().map(PackInfo::of).collect();
        let own = packs.iter().any(|pack| !pack.is_built_in());
        let mut rules = Vec::new();
        let mut credits = None;
        let mut of_sites = Vec::new();
        let texts = packs.iter().map(Pack::to_text).collect();
        let mut hasher = DigestHasher::default();
        // The same tables give another text where the code that applies them is another.
        hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
        for pack in packs {
            // Lengths too, so that no two sets of packs have one digest.
            for part in [&*pack.source.name, &*pack.source.text] {
                hasher.update(&part.len().to_le_bytes());
                hasher.update(part.as_bytes());
            }
            match (pack.content, pack.site) {
                (Content::Rules(of_site), Some(head)) => {
                    of_sites.push((pack.source.name, head, of_site));
                }
                (Content::Rules(of_pack), None) => rules.extend(of_pack),
                (Content::Credits(words), _) => credits = Some(CreditBook::new(&words)),
            }
        }
        let name = if own { "builtin+own" } else { "builtin" };
        let id = format!("{name}@{}", hasher.finish());
        let credits =
            credits.expect("the credits are built in, or replaced by a pack that was read");
        let mut all = Rules::with(id, rules, Arc::new(credits));
        for (name, head, own) in of_sites {
            let count = own.len();
            let with_own = || {
                let rules = own.into_iter().chain(all.rules.iter().cloned()).collect();
                Rules::with(all.id.clone(), rules, Arc::clone(&all.credits))
            };
            let rules = (count > 0).then(with_own);
            all.sites.push(head.site(&name, rules, count));
        }
        all.packs = infos;
        all.texts = texts;
        all
    }

    fn with(id: String, rules: Vec<Rule>, credits: Arc<CreditBook>) -> Rules {
        Rules {
            id,
            index: Index::new(&rules, &credits.cues()),
            rules,
            credits,
            sites: Vec::new(),
            packs: Vec::new(),
            texts: Vec::new(),
            shadow: None,
        }
    }

    /// Whether anything counts for single sites alone.
    pub(super) fn has_sites(&self) -> bool {
        !self.sites.is_empty()
    }

    /// What counts for documents of a host alone.
    pub(super) fn site(&self, host: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.has(host))
    }

    /// The rules that count for single sites alone.
    pub fn of_sites(&self) -> impl Iterator<Item = &Rule> {
        self.sites.iter().flat_map(|site| {
            let rules = site.rules.as_ref().map(|rules| rules.rules());
            rules.unwrap_or_default().iter().take(site.own)
        })
    }

    /// Names the rules and their exact content: `builtin@sha256:...`, or `builtin+own@sha256:...` with a person's own packs.
    /// Covers all that acts, and not what stands in the shadow.
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

    /// All packs, those in the shadow last.
    pub fn packs(&self) -> &[PackInfo] {
        &self.packs
    }

    /// The rules as they would be if the packs in the shadow acted; `None` if there are none.
    pub fn shadow(&self) -> Option<&Rules> {
        self.shadow.as_deref()
    }

    /// The rules that fit a line, the best first.
    pub fn hits<'r>(&'r self, text: &str, folded: &Folded<'_>) -> Vec<Hit<'r>> {
        self.index.hits(&self.rules, text, folded)
    }

    /// What the phrases in a line tell.
    pub(super) fn read<'r>(&'r self, text: &str, folded: &Folded<'_>) -> Reading<'r> {
        let read = self.index.read(&self.rules, text, folded);
        Reading {
            may_have_credit: read.may_have_credit || self.credits.has_sign(text),
            ..read
        }
    }
}

/// The built-in packs and a person's own, in order of weight; those in the shadow only if asked for, and then in the place of
/// an acting one of their name.
fn with_built_in(own: &[Pack], shadow: bool) -> Vec<Pack> {
    let replaced = |name: &str| {
        own.iter()
            .any(|pack| pack.shadow && pack.source.name == name)
    };
    let acts = |pack: &&Pack| match shadow {
        true => pack.shadow || !replaced(&pack.source.name),
        false => !pack.shadow,
    };
    let acting = || own.iter().filter(acts);
    let mut packs = Vec::new();
    let mut replaced = Vec::new();
    for source in pack::built_in() {
        match acting().find(|pack| pack.source.name == source.name) {
            Some(pack) => {
                replaced.push(&pack.source.name);
                packs.push(pack.clone());
            }
            None => {
                packs.push(Pack::parse(source).expect("the built-in packs are walked by a test"))
            }
        }
    }
    let first = acting().filter(|pack| !replaced.contains(&&pack.source.name));
    first.cloned().chain(packs).collect()
}

impl PackInfo {
    /// It is one that faircopy comes with.
    pub fn is_built_in(&self) -> bool {
        self.place == pack::BUILT_IN_PLACE
    }

    /// What is known of a pack.
    pub fn of(pack: &Pack) -> PackInfo {
        let rules = pack.rules();
        let cases = rules
            .iter()
            .map(|rule| rule.must_remove.len() + rule.must_keep.len());
        PackInfo {
            name: pack.source.name.clone(),
            place: pack.source.place.clone(),
            shadow: pack.shadow,
            rules: rules.len(),
            cases: cases.sum(),
        }
    }
}

impl Index {
    fn new(rules: &[Rule], cues: &[(String, Cue)]) -> Index {
        let counts_in_long = |rule: &Rule, place| {
            rule.chars_max > LONG_CHARS || rule.cuts && place == Place::Pattern
        };
        // A line so long is no credit as a whole.
        let cues_in_long = cues.iter().filter(|(_, cue)| *cue != Cue::Generic);
        Index {
            all: Sought::new(rules, |_, _| true, cues.iter()),
            of_long: Sought::new(rules, counts_in_long, cues_in_long),
        }
    }

    fn hits<'r>(&self, rules: &'r [Rule], text: &str, folded: &Folded<'_>) -> Vec<Hit<'r>> {
        self.read(rules, text, folded).hits
    }

    fn read<'r>(&self, rules: &'r [Rule], text: &str, folded: &Folded<'_>) -> Reading<'r> {
        let mut fits: Vec<(Place, usize)> = Vec::new();
        let line = &*folded.text;
        let window = line.floor_char_boundary(line.len().saturating_sub(LINE_BYTES_MAX));
        let is_long = text.len() > LONG_CHARS && text.chars().count() > LONG_CHARS;
        let sought = if is_long { &self.of_long } else { &self.all };
        // What stands before the window may be a cue.
        let mut may_have_credit = window > 0;
        let mut fit = |span, rule, place| {
            if folded.stands(span, place) && !fits.contains(&(place, rule)) {
                fits.push((place, rule));
            }
        };
        let within = &sought.within;
        within.find(line, window..line.len(), |span, sign| match sign {
            Sign::Rule(rule, place) => fit(span, rule, place),
            Sign::Credit(cue) => {
                may_have_credit = may_have_credit || cue.counts(span, folded);
            }
        });
        let leading = &sought.leading;
        leading.find(
            line,
            window..folded.core.start + 1,
            |span, (rule, place)| fit(span, rule, place),
        );
        fits.sort_unstable();
        let mut chars = None;
        let mut hits = Vec::new();
        for (place, index) in fits {
            let rule = &rules[index];
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
        Reading {
            hits,
            may_have_credit,
        }
    }
}

impl Sought {
    fn new<'c>(
        rules: &[Rule],
        counts: impl Fn(&Rule, Place) -> bool,
        cues: impl Iterator<Item = &'c (String, Cue)>,
    ) -> Sought {
        let (mut leading, mut within) = (Vec::new(), Vec::new());
        for (index, rule) in rules.iter().enumerate() {
            let phrases = rule.phrases().into_iter();
            for (place, list) in phrases.filter(|&(place, _)| counts(rule, place)) {
                let fold = |phrase: &String| Folded::new(phrase).text.into_owned();
                let phrases = list.iter().map(fold);
                match place {
                    Place::Is | Place::Label | Place::Starts => {
                        leading.extend(phrases.map(|phrase| (phrase, (index, place))));
                    }
                    Place::Ends | Place::Has | Place::Pattern => {
                        within.extend(phrases.map(|phrase| (phrase, Sign::Rule(index, place))));
                    }
                }
            }
        }
        within.extend(cues.map(|(cue, how)| (cue.clone(), Sign::Credit(*how))));
        Sought {
            leading: Phrases::new(leading),
            within: Phrases::new(within),
        }
    }
}

impl Rule {
    /// Its phrases, and how each must stand.
    fn phrases(&self) -> [(Place, &[String]); 6] {
        [
            (Place::Is, &self.is),
            (Place::Label, &self.label),
            (Place::Starts, &self.starts),
            (Place::Ends, &self.ends),
            (Place::Has, &self.has),
            (Place::Pattern, &self.needs),
        ]
    }

    /// What no rule may lack, and no pattern may cost. An error goes on after the rule's name.
    fn well_formed(&self) -> Result<(), String> {
        if self.reason.is_empty() || self.reason.ends_with('.') {
            return Err("needs a reason, without a full stop".to_owned());
        }
        if self.must_remove.is_empty() {
            return Err("has no must_remove case, so that nobody knows what it is for".to_owned());
        }
        let mut phrases = self.phrases().into_iter().flat_map(|(_, phrases)| phrases);
        if phrases.any(|phrase| phrase.trim().is_empty()) {
            return Err("has an empty phrase, which stands in every line".to_owned());
        }
        match &self.pattern {
            Some(_) if self.needs.is_empty() => Err(
                "has a pattern without phrases in `needs`: it would be tried on every line"
                    .to_owned(),
            ),
            Some(pattern) => self
                .compile(pattern)
                .map(drop)
                .map_err(|error| match error {
                    PatternError::TooLarge => {
                        "has a pattern that is too large: nested repetitions multiply".to_owned()
                    }
                    error => format!("has a pattern that is no regular expression: {error}"),
                }),
            None => Ok(()),
        }
    }

    fn compile(&self, pattern: &str) -> Result<&Pattern, PatternError> {
        if let Some(pattern) = self.compiled.get() {
            return Ok(pattern);
        }
        let pattern = Pattern::new(pattern)?;
        Ok(self.compiled.get_or_init(|| pattern))
    }

    fn try_pattern(&self, pattern: &str, text: &str, chars: usize) -> Option<Hit<'_>> {
        // A pattern that cuts may stand at the end of a line of any length; its match is what must not be long.
        if chars > self.chars_max && !self.cuts {
            return None;
        }
        let from = text.floor_char_boundary(text.len().saturating_sub(LINE_BYTES_MAX));
        let compiled = self
            .compile(pattern)
            .expect("patterns are compiled when the rules are proven");
        let text = &text[from..];
        let Found { span, learnt } = compiled.find(text)?;
        let fits = text[span.clone()].chars().count() <= self.chars_max;
        fits.then(|| Hit {
            rule: self,
            span: from + span.start..from + span.end,
            learnt,
        })
    }
}

impl Folded<'_> {
    /// Whether a phrase found at `span` stands in the line as its place asks.
    fn stands(&self, span: Range<usize>, place: Place) -> bool {
        let line = &*self.text;
        let starts = span.start <= self.core.start;
        let ends = span.end >= self.core.end;
        let words = || is_word_edge(line, span.start) && is_word_edge(line, span.end);
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
        for source in pack::built_in() {
            let pack = Pack::parse(source).expect("reads");
            let defects: Vec<_> = pack.prove().iter().map(ToString::to_string).collect();
            assert!(defects.is_empty(), "{}", defects.join("\n"));
        }
    }

    #[test]
    fn rules_say_the_same_of_their_cases_when_they_are_tried_often() {
        for source in pack::built_in() {
            let pack = Pack::parse(source).expect("reads");
            for rule in pack.rules() {
                let pattern = rule.pattern.as_ref().map(|pattern| rule.compile(pattern));
                let pattern = pattern.map(|pattern| pattern.expect("it is proven"));
                pattern.into_iter().for_each(Pattern::try_often);
            }
            let defects: Vec<_> = pack.prove().iter().map(ToString::to_string).collect();
            assert!(defects.is_empty(), "{}", defects.join("\n"));
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

    const TIDE: &str = "[[rule]]\nname = \"tide\"\nclass = \"promo\"\nreason = \"tells the tide\"\nis = [\"tide table\"]\nmust_remove = [\"Tide table\"]\n";

    fn own(name: &str, text: &str) -> Source {
        Source {
            name: name.to_owned(),
            place: format!("rules/{name}.toml"),
            text: text.to_owned().into(),
            kind: pack::Kind::Pack,
            tried: false,
        }
    }

    fn fits(rules: &Rules, line: &str) -> Vec<String> {
        let hits = rules.hits(line, &Folded::new(line)).into_iter();
        hits.map(|hit| hit.rule.name.clone()).collect()
    }

    #[test]
    fn an_own_pack_acts_and_changes_the_id_and_one_in_the_shadow_does_neither() {
        let built_in = Rules::built_in();
        let (rules, defects) = Rules::assemble(vec![own("tides", TIDE)]);
        assert_eq!(defects, []);
        assert_eq!(fits(&rules, "Tide table"), ["tides.tide"]);
        assert_ne!(rules.id(), built_in.id());
        assert!(rules.shadow().is_none());
        let shadow = format!("shadow = true\n{TIDE}");
        let (rules, defects) = Rules::assemble(vec![own("tides", &shadow)]);
        assert_eq!(defects, []);
        assert!(fits(&rules, "Tide table").is_empty());
        assert_eq!(rules.id(), built_in.id());
        let would = rules.shadow().expect("a pack is in the shadow");
        assert_eq!(fits(would, "Tide table"), ["tides.tide"]);
    }

    #[test]
    fn a_pack_takes_the_place_of_a_built_in_one_unless_it_fails() {
        let (rules, _) = Rules::assemble(vec![own("ui", TIDE)]);
        assert_eq!(fits(&rules, "Tide table"), ["ui.tide"]);
        assert!(fits(&rules, "Advertisement").is_empty());
        let failing = TIDE.replace("[\"Tide table\"]", "[\"Tides\"]");
        let (rules, defects) = Rules::assemble(vec![own("ui", &failing)]);
        assert_eq!(defects.len(), 1);
        assert!(fits(&rules, "Tide table").is_empty());
        assert_eq!(fits(&rules, "Advertisement"), ["ui.advertisement"]);
        assert_eq!(rules.id(), Rules::built_in().id());
    }
}
