//! Credits: whether a text is one, where one stands in a line, and what it says.
//!
//! `(UGC/AFP via Getty Images)` is read as its parts are put together: brackets, sign, label, names parted by signs, `via`.
//! What each name is, a person or an agency, the tables of `config/rules/credit.toml` tell.

mod cue;
mod front;
mod tail;

pub(crate) use cue::Cue;

use std::collections::BTreeMap;
use std::ops::Range;

use foldhash::HashSet;

use crate::article::Credit;
use crate::clean::fold::is_unspaced;
use crate::clean::phrases::Phrases;
use crate::clean::rules::CreditWords;
use crate::clean::truncation::without_mark;

/// The tables of credits, ready for use.
#[derive(Debug)]
pub struct CreditBook {
    agencies: HashSet<String>,
    agency_bytes_max: usize,
    wires: HashSet<String>,
    /// Those of them that have two capitals side by side.
    capitals: Phrases<()>,
    /// Labels and sources, sorted, so that what begins one is found; whether each is a source.
    labels: Vec<(String, bool)>,
    label_chars_max: usize,
    generic: HashSet<String>,
    particles: HashSet<String>,
    widgets: Vec<String>,
    /// The last bytes of the widgets.
    widget_ends: HashSet<u8>,
    /// All words of the tables. No credit has another one in small letters.
    words: HashSet<String>,
}

/// A credit in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCredit {
    /// Where, in the line's text.
    pub span: Range<usize>,
    /// What it says.
    pub credit: Credit,
    /// The rule that saw it.
    pub rule: &'static str,
    /// Why it is one.
    pub reason: &'static str,
    /// It may also be the sign-off of a wire text.
    pub weak: bool,
}

/// What a text has of a credit.
#[derive(Debug, Default, Clone)]
struct Shape<'t> {
    bracket: bool,
    sign: bool,
    label: bool,
    source: bool,
    via: Option<&'t str>,
    /// Every part is a name.
    names: bool,
    words: usize,
    /// One word and an agency in brackets after it.
    place_and_agency: bool,
    /// A copyright sign stands among the names.
    owned: bool,
    /// The parts, with the agency found in each.
    parts: Vec<Part<'t>>,
}

#[derive(Debug, Clone, Copy)]
struct Part<'t> {
    text: &'t str,
    agency: Option<&'t str>,
    generic: bool,
    /// The whole part is the agency's name.
    only_agency: bool,
}

/// A longer text is no credit.
const CREDIT_CHARS_MAX: usize = 130;
/// A credit that is labelled may go on longer.
const LABELLED_CHARS_MAX: usize = 200;
/// Few houses that take or sell pictures have longer names.
const AGENCY_BYTES: usize = 64;
const CLOSING: &[char] = &[')', ']', '）', '】', '］'];
/// Signs between a label and what it labels, near the end of a line.
const LABEL_SIGNS: &[char] = &[':', '：', '@', '=', '＝'];
const SIGNS: &[&str] = &["©", "(c)", "(C)", "Ⓒ", "ⓒ", "®"];
/// Agencies that sign texts too, in their usual capitals.
const SIGNING: &[&str] = &[
    "Reuters",
    "REUTERS",
    "Associated Press",
    "The Associated Press",
    "Xinhua",
    "Bloomberg",
];
/// What stands before the house through which a picture came.
const VIA: &[&str] = &[
    " via ", " Via ", " VIA ", "/via ", " /via ", " vía ", " Vía ",
];
/// Claims after a credit, which say nothing of whose it is.
const CLAIMS: &[&str] = &[
    "All rights reserved",
    "Alle Rechte vorbehalten",
    "Tous droits réservés",
    "Todos los derechos reservados",
    "Todos os direitos reservados",
    "Tutti i diritti riservati",
];

impl CreditBook {
    pub(crate) fn new(words: &CreditWords) -> CreditBook {
        let lower = |list: &[String]| -> HashSet<String> {
            list.iter().map(|word| word.to_lowercase()).collect()
        };
        let labels = lower(&words.labels).into_iter().map(|label| (label, false));
        let sources = lower(&words.sources).into_iter().map(|label| (label, true));
        let lists = [
            &words.agencies,
            &words.wires,
            &words.labels,
            &words.sources,
            &words.generic,
            &words.particles,
        ];
        let entries = lists
            .into_iter()
            .flatten()
            .map(|entry| entry.to_lowercase());
        let own = CLAIMS.iter().chain(SIGNS).chain(VIA);
        let entries = entries.chain(own.map(|entry| entry.to_lowercase()));
        let words_of = |entry: String| -> Vec<String> {
            let words = entry.split(|c: char| !c.is_alphabetic());
            words.map(str::to_owned).collect()
        };
        let widgets: Vec<String> = words
            .widgets
            .iter()
            .map(|word| word.to_lowercase())
            .collect();
        let capitals = words.wires.iter().filter(|wire| cue::has_capitals(wire));
        // A source weighs more than a label of the same words.
        let labels: BTreeMap<String, bool> = labels.chain(sources).collect();
        CreditBook {
            agency_bytes_max: words.agencies.iter().map(String::len).max().unwrap_or(0),
            agencies: lower(&words.agencies),
            capitals: Phrases::new(capitals.map(|wire| (wire.clone(), ()))),
            wires: words.wires.iter().cloned().collect(),
            label_chars_max: labels
                .keys()
                .map(|label| label.chars().count())
                .max()
                .unwrap_or(0),
            labels: labels.into_iter().collect(),
            generic: lower(&words.generic),
            particles: lower(&words.particles),
            widget_ends: widgets
                .iter()
                .filter_map(|word| word.bytes().last())
                .collect(),
            widgets,
            words: entries.flat_map(words_of).collect(),
        }
    }

    /// Where the first word ends that no credit has: one in small letters that is in no table. It may stand in a name only
    /// if there is a slash (`gulls / Getty Images`).
    fn prose_at<'t>(
        &self,
        text: &'t str,
        mut words: impl Iterator<Item = &'t str>,
    ) -> Option<usize> {
        let found = words.find_map(|word| {
            let core = word.trim_matches(|c: char| c.is_ascii_punctuation() && c != '@');
            let small = |c: char| c.is_ascii_lowercase() || !c.is_ascii() && c.is_lowercase();
            let prose = !core.is_empty() && core.chars().all(small) && !self.words.contains(core);
            prose.then_some(core)
        })?;
        Some(found.as_ptr() as usize - text.as_ptr() as usize + found.len())
    }

    /// The text cannot be read as a credit: it has words of a sentence, and no label in front. Told of nearly every line.
    fn is_prose(&self, text: &str) -> bool {
        if self.prose_at(text, text.split_whitespace()).is_none() || text.contains('/') {
            return false;
        }
        let rest = text.trim_start_matches(['(', '[', '（', '【', '［', ' ']);
        let rest = self.strip_signs(rest, &mut Shape::default());
        self.label_at_start(rest).is_none()
    }

    /// A credit of which a machine left the beginning: `SOPA Imag… [+2371 chars]`, `COURTESY OF… [+12 chars]`.
    pub fn is_cut(&self, line: &str) -> bool {
        let text = without_mark(line);
        if text.len() == line.len() || text.len() > CREDIT_CHARS_MAX {
            return false;
        }
        let rest = text
            .trim_end_matches(['…', '.', ' '])
            .trim_start_matches('(');
        let lower = rest.to_lowercase();
        let begins = lower.chars().count() >= 4
            && self
                .agencies
                .iter()
                .any(|agency| agency.starts_with(&lower));
        let label = self.label(&lower).0.is_some_and(|source| !source);
        begins || label || self.whole(rest).is_some()
    }

    /// A credit without the buttons and counters after it.
    pub fn bare<'t>(&self, credit: &'t str) -> &'t str {
        let mut text = credit.trim();
        let tail = |text: &str| text.to_lowercase();
        let widget = self
            .widgets
            .iter()
            .filter(|widget| tail(text).ends_with(widget.as_str()))
            .map(|widget| widget.len())
            .max();
        let without = widget.and_then(|length| text.get(..text.len().checked_sub(length)?));
        text = without.map_or(text, str::trim_end);
        let name = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let counted = (1..=3).contains(&(text.len() - name.len())) && name.ends_with(' ');
        let bare = if counted { name.trim_end() } else { text };
        if bare.is_empty() { credit } else { bare }
    }

    /// What a text says that is known to be a credit.
    pub fn read(&self, verbatim: &str) -> Credit {
        let text = verbatim.trim_start_matches(['—', '–', '-', '|', '•', '/', ' ']);
        match self.shape(text) {
            Some(shape) => self.parse(verbatim, &shape),
            None => Credit {
                verbatim: verbatim.to_owned(),
                creator: None,
                agency: None,
                via: None,
            },
        }
    }

    /// The credit that a line as a whole is.
    pub fn whole(&self, line: &str) -> Option<FoundCredit> {
        if line.len() > LABELLED_CHARS_MAX * 4 {
            return None;
        }
        let text = line.trim_start_matches(['—', '–', '-', '|', '•', '/', ' ']);
        if self.is_prose(text) {
            return None;
        }
        let shape = self.shape(text)?;
        // `The master of the ferry. Cortesía/Harbour` is a caption with its credit.
        if !shape.label && !shape.source && !shape.bracket && ends_sentence_within(text) {
            return None;
        }
        let (rule, reason) = self.whole_evidence(&shape)?;
        Some(self.found(
            line,
            line.len() - text.len()..line.len(),
            &shape,
            rule,
            reason,
        ))
    }

    fn whole_evidence(&self, shape: &Shape<'_>) -> Option<(&'static str, &'static str)> {
        let agency = shape.has_agency();
        let plain = shape.parts.iter().any(|part| part.generic);
        let placed = shape.via.is_some() || shape.parts.len() > 1;
        match shape {
            _ if shape.label && shape.names => Some((
                "credit.label",
                "a label and the names of those who made the picture",
            )),
            _ if shape.label && (agency || plain || shape.words <= 6) => Some((
                "credit.label",
                "a label and the names of those who made the picture",
            )),
            _ if shape.source && (shape.names || shape.is_coined()) => {
                Some(("credit.source", "names the source"))
            }
            _ if !shape.names => None,
            // `Harbour © 2019 by all` is a page's own line.
            _ if shape.owned && shape.has_year() => None,
            // `HANOI (AP)` is a dateline: a person has two names.
            _ if shape.place_and_agency => None,
            _ if shape.sign && !shape.has_year() => {
                Some(("credit.sign", "a copyright sign and names, no year"))
            }
            _ if shape.via.is_some() && (agency || self.has_agency(shape.via.unwrap_or(""))) => {
                Some(("credit.via", "names an agency and through whom it came"))
            }
            _ if agency && shape.bracket => {
                Some(("credit.agency_in_brackets", "names an agency in brackets"))
            }
            _ if agency && shape.words <= 10 => {
                Some(("credit.agency", "names and an agency alone on the line"))
            }
            _ if plain && placed => Some(("credit.handout", "names who handed out the picture")),
            _ => None,
        }
    }

    /// Reads a text as a credit; `None` if it is too long or empty.
    fn shape<'t>(&self, text: &'t str) -> Option<Shape<'t>> {
        if text.chars().take(LABELLED_CHARS_MAX + 1).count() > LABELLED_CHARS_MAX {
            return None;
        }
        let mut shape = Shape::default();
        let mut rest = without_rights(text.trim()).trim_end_matches(['.', ';', ':', ' ']);
        if let (Some(first), Some(last)) = (rest.chars().next(), rest.chars().next_back())
            && CLOSING.contains(&last)
            && opening(last) == first
            && rest.matches(first).count() == 1
        {
            shape.bracket = true;
            rest = rest[first.len_utf8()..rest.len() - last.len_utf8()].trim();
        }
        rest = self.strip_signs(rest, &mut shape);
        rest = self.strip_labels(rest, &mut shape);
        rest = self.strip_signs(rest, &mut shape);
        if !shape.label && !shape.source && rest.chars().count() > CREDIT_CHARS_MAX {
            return None;
        }
        let (before, via) = split_via(rest);
        shape.via = via;
        shape.words = rest.split_whitespace().count();
        shape.owned = rest.contains('©');
        for part in before
            .split(['/', '|', ',', ';', '·', '•', '(', ')'])
            .flat_map(split_dash)
        {
            let part = part.trim().trim_matches(['[', ']', '"']).trim();
            if !part.is_empty() {
                // `Quelle: Ada Brill/dpa; Montage: Harbour`: labels follow a label only.
                let inner = match shape.label || shape.source {
                    true => self.label_at_start(part).map(|(_, rest, _)| rest),
                    false => None,
                };
                shape.parts.push(self.part(inner.unwrap_or(part)));
            }
        }
        if shape.parts.is_empty() {
            return None;
        }
        shape.place_and_agency =
            before.contains('(') && !shape.parts[0].text.contains(' ') && !shape.label;
        // `gulls / Getty Images`: a library knows some of its photographers by one word in small letters.
        let library = before.contains('/') && shape.parts.iter().any(|part| part.only_agency);
        let handle = |part: &Part<'_>| library && shape.parts.len() <= 3 && is_handle(part.text);
        let named = |part: &Part<'_>| {
            part.generic || part.only_agency || self.is_name(part.text) || handle(part)
        };
        shape.names = shape.parts.iter().all(named) && via.is_none_or(|via| self.is_name(via));
        Some(shape)
    }

    fn strip_signs<'t>(&self, mut text: &'t str, shape: &mut Shape<'_>) -> &'t str {
        while let Some(sign) = SIGNS.iter().find(|sign| text.starts_with(**sign)) {
            shape.sign = true;
            text = text[sign.len()..].trim_start();
        }
        text
    }

    fn strip_labels<'t>(&self, mut text: &'t str, shape: &mut Shape<'_>) -> &'t str {
        for _ in 0..3 {
            let Some((label, rest, source)) = self.label_at_start(text) else {
                break;
            };
            debug_assert!(label > 0);
            shape.source |= source;
            shape.label |= !source;
            text = rest;
        }
        text
    }

    /// Whether a folded text is a label, and then whether it is that of a source; and whether a label goes on from it.
    fn label(&self, text: &str) -> (Option<bool>, bool) {
        let at = self
            .labels
            .partition_point(|(label, _)| label.as_str() < text);
        let mut from = self.labels[at..].iter();
        let first = from.next();
        let is = first
            .filter(|(label, _)| label == text)
            .map(|(_, source)| *source);
        let next = if is.is_some() { from.next() } else { first };
        (is, next.is_some_and(|(label, _)| label.starts_with(text)))
    }

    /// The longest label that `text` begins with, what follows it, and whether it is that of a source.
    fn label_at_start<'t>(&self, text: &'t str) -> Option<(usize, &'t str, bool)> {
        let mut best = None;
        let mut folded = String::new();
        for (at, char) in text.char_indices() {
            if char == '(' && folded.is_empty() {
                continue;
            }
            folded.extend(char.to_lowercase());
            let (label, goes_on) = self.label(&folded);
            if let Some(source) = label {
                let end = at + char.len_utf8();
                if let Some(after) = after_label(text, end, &folded, source) {
                    best = Some((end, after, source));
                }
            }
            if !goes_on {
                break;
            }
        }
        best
    }

    fn part<'t>(&self, text: &'t str) -> Part<'t> {
        let text = without_year(text);
        let text = self.without_generic(text);
        let lower = text.to_lowercase();
        let agency = self.agency_in(text);
        Part {
            text,
            agency,
            generic: self.generic.contains(lower.trim_end_matches('.')),
            only_agency: agency == Some(text),
        }
    }

    /// `Reuters file`: the agency without the word for where the picture was kept.
    fn without_generic<'t>(&self, text: &'t str) -> &'t str {
        match text.rsplit_once(' ') {
            Some((name, last))
                if self.generic.contains(&last.to_lowercase()) && self.is_agency(name) =>
            {
                name
            }
            _ => text,
        }
    }

    /// The longest run of words that is an agency.
    fn agency_in<'t>(&self, text: &'t str) -> Option<&'t str> {
        if self.is_agency(text) {
            return Some(text);
        }
        let words: Vec<&str> = text.split_whitespace().take(9).collect();
        if words.len() > 8 {
            return None;
        }
        let offset = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
        for length in (1..words.len()).rev() {
            // An agency leads its part or ends it: `AP Photo`, `Getty Images North America`, `Dave Hunt AAP`.
            for first in [words.len() - length, 0] {
                let last = words[first + length - 1];
                let run = &text[offset(words[first])..offset(last) + last.len()];
                if self.is_agency(run) {
                    return Some(run);
                }
            }
        }
        None
    }

    fn is_agency(&self, name: &str) -> bool {
        self.is_wire(name) || self.is_listed_agency(name)
    }

    /// Nearly every line's end is asked about, word by word: what cannot be one is told without a copy.
    fn is_listed_agency(&self, name: &str) -> bool {
        if !name.is_ascii() {
            return name.chars().any(char::is_alphabetic)
                && self.agencies.contains(&name.to_lowercase());
        }
        if name.len() > self.agency_bytes_max {
            return false;
        }
        let mut lower = [0; AGENCY_BYTES];
        let Some(lower) = lower.get_mut(..name.len()) else {
            return self.agencies.contains(&name.to_lowercase());
        };
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        let lower = std::str::from_utf8(lower).unwrap_or_default();
        lower.contains(|c: char| c.is_ascii_alphabetic()) && self.agencies.contains(lower)
    }

    /// Whether it is the bare name of a wire service, which also signs texts.
    pub(super) fn is_wire(&self, name: &str) -> bool {
        self.wires.contains(name) || SIGNING.contains(&name)
    }

    fn has_agency(&self, text: &str) -> bool {
        text.split(['/', '|', ',', '(', ')'])
            .any(|part| self.agency_in(part.trim()).is_some())
    }

    /// Whether every word could be part of the name of a person or a house.
    fn is_name(&self, text: &str) -> bool {
        let mut names = 0;
        let mut words = 0;
        for word in text.split_whitespace() {
            words += 1;
            let core = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@');
            let Some(first) = core.chars().next() else {
                continue;
            };
            let uncased = !first.is_lowercase() && !first.is_uppercase() && first.is_alphabetic();
            let address = core.contains('.') && core.len() > 4 && core.is_ascii();
            let prefixed = core
                .chars()
                .nth(1)
                .is_some_and(|c| matches!(c, '\'' | '’' | '-'))
                && core.chars().nth(2).is_some_and(char::is_uppercase);
            if first.is_uppercase()
                || first == '@'
                || uncased
                || address
                || prefixed
                || self.is_agency(core)
            {
                names += 1;
            } else if !self.particles.contains(&core.to_lowercase()) && !first.is_numeric() {
                return false;
            }
        }
        names > 0 && words <= 8
    }

    fn found(
        &self,
        line: &str,
        span: Range<usize>,
        shape: &Shape<'_>,
        rule: &'static str,
        reason: &'static str,
    ) -> FoundCredit {
        FoundCredit {
            credit: self.parse(&line[span.clone()], shape),
            span,
            rule,
            reason,
            weak: false,
        }
    }

    fn parse(&self, verbatim: &str, shape: &Shape<'_>) -> Credit {
        let name = |part: &Part<'_>| {
            let name = part
                .text
                .trim_matches([' ', '.', ':', '–', '—', '-', '|', '=']);
            let name = name
                .strip_suffix(" von")
                .or_else(|| name.strip_suffix(" by"))
                .unwrap_or(name);
            name.to_owned()
        };
        let parts: Vec<&Part<'_>> = shape
            .parts
            .iter()
            .filter(|part| !part.generic || part.text == "UGC")
            .filter(|part| !is_company_form(part.text))
            .collect();
        let mut agencies = parts.iter().filter_map(|part| part.agency);
        let people: Vec<&&Part<'_>> = parts.iter().filter(|part| part.agency.is_none()).collect();
        let mut agency = agencies.next().map(str::to_owned);
        let second = agencies.next_back().map(str::to_owned);
        let mut creator = people.first().map(|part| name(part));
        if agency.is_none() && people.len() > 1 && shape.via.is_none() {
            // `Name/House`: the last is whose picture it is.
            agency = people
                .last()
                .map(|part| name(part))
                .filter(|last| Some(last) != creator.as_ref());
        }
        if creator.is_none() {
            // `Dave Hunt AAP`: a name and an agency in one part.
            creator = parts.iter().find_map(|part| {
                let rest = part.text.strip_suffix(part.agency?)?.trim();
                (rest.split_whitespace().count() >= 2).then(|| rest.to_owned())
            });
        }
        let via = shape
            .via
            .map(|via| via.trim_matches([' ', '.', ')', ']']).to_owned())
            .or(second);
        Credit {
            verbatim: verbatim.trim().to_owned(),
            creator: creator.filter(|creator| !creator.is_empty()),
            agency: agency.filter(|agency| Some(agency) != via.as_ref()),
            via,
        }
    }
}

impl Shape<'_> {
    fn has_agency(&self) -> bool {
        self.parts.iter().any(|part| part.agency.is_some())
    }

    fn has_year(&self) -> bool {
        self.parts.iter().any(|part| {
            let mut words = part.text.split(|c: char| !c.is_alphanumeric());
            words.any(|word| {
                word.len() == 4
                    && (word.starts_with("19") || word.starts_with("20"))
                    && word.bytes().all(|b| b.is_ascii_digit())
            })
        })
    }

    /// One word that is no word of the language, such as `t-online`.
    fn is_coined(&self) -> bool {
        self.words == 1 && self.parts[0].text.contains('-')
    }

    fn has_digit(&self) -> bool {
        self.parts
            .iter()
            .any(|part| part.text.contains(|c: char| c.is_ascii_digit()))
    }
}

/// What follows the label that ends at `end`, if a sign or the label itself says that it is one.
fn after_label<'t>(text: &'t str, end: usize, label: &str, source: bool) -> Option<&'t str> {
    const BY: &[&str] = &[
        "by",
        "of",
        "por",
        "von",
        "di",
        "de",
        "copyright",
        "source",
        "credit",
        "photo",
        "photos",
        "écran",
        "fot.",
        "from",
        "via",
    ];
    let rest = &text[end..];
    let after = rest.trim_start();
    let unspaced = text[..end].chars().next_back().is_some_and(is_unspaced);
    let colon = after.starts_with([':', '：', '/', '@', '|', '=', '＝'])
        || after.starts_with('-') && source;
    let by = || {
        after.len() < rest.len()
            && label.contains([' ', '.', '\'', '’'])
            && BY.iter().any(|word| label.ends_with(word))
    };
    (colon || unspaced || by()).then(|| {
        let signs = [':', '：', '/', '|', '-', '=', '＝'];
        after.trim_start_matches(signs).trim_start()
    })
}

/// `Ada Brill/Copyright 2026 The AP. All rights reserved.`: the claim at the end says nothing of whose it is.
fn without_rights(text: &str) -> &str {
    let bare = text.trim_end_matches(['.', ' ']);
    let claim = CLAIMS.iter().find_map(|claim| bare.strip_suffix(claim));
    claim.map_or(text, |rest| rest.trim_end_matches(['.', ',', ' ']))
}

fn opening(close: char) -> char {
    match close {
        ')' => '(',
        ']' => '[',
        '）' => '（',
        '】' => '【',
        '］' => '［',
        other => other,
    }
}

/// What a comma parts from the name of a house: `Gull Systems, Inc.`
fn is_company_form(text: &str) -> bool {
    matches!(
        text.trim_end_matches('.'),
        "Inc" | "Ltd" | "LLC" | "Corp" | "Co" | "GmbH" | "AG" | "plc" | "S.A" | "B.V" | "LLP"
    )
}

fn is_handle(text: &str) -> bool {
    (3..=20).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// `Copyright 2026 The AP`: the name without the claim and the year.
fn without_year(text: &str) -> &str {
    let rest = text.strip_prefix("Copyright ").unwrap_or(text);
    let year = |word: &str| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
    match rest.split_once(' ') {
        Some((first, name)) if rest.len() < text.len() && year(first) => name,
        _ => rest,
    }
}

/// A word of four letters and a full stop before the last words.
fn ends_sentence_within(text: &str) -> bool {
    text.match_indices(". ").any(|(at, _)| {
        let word = text[..at].rsplit(' ').next().unwrap_or_default();
        word.chars().count() >= 4 && word.chars().all(char::is_alphabetic)
    })
}

/// Parts a credit at its (last) `via`.
fn split_via(text: &str) -> (&str, Option<&str>) {
    // Most texts have nothing of the kind; to search each for all of these costs more than all else here.
    let mut pairs = text.as_bytes().windows(2);
    if !pairs.any(|pair| matches!(pair, [b' ' | b'/', b'v' | b'V'])) {
        return (text, None);
    }
    for sign in VIA {
        if let Some(at) = text.rfind(sign) {
            return (&text[..at], Some(text[at + sign.len()..].trim()));
        }
    }
    (text, None)
}

/// Parts at a dash that stands free.
fn split_dash(text: &str) -> impl Iterator<Item = &str> {
    let mut pairs = text.as_bytes().windows(2);
    let dashed = pairs.any(|pair| matches!(pair, [b' ', b'-' | 0xe2]));
    let parts = || {
        text.split(" - ")
            .flat_map(|part| part.split(" – "))
            .flat_map(|part| part.split(" — "))
    };
    let whole = (!dashed).then_some(text);
    whole
        .into_iter()
        .chain(dashed.then(parts).into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::rules::Rules;

    fn parts(credit: &Credit) -> [Option<&str>; 3] {
        [&credit.creator, &credit.agency, &credit.via].map(|part| part.as_deref())
    }

    #[test]
    fn credits_alone_on_a_line_are_read() {
        let rules = Rules::built_in();
        let book = rules.credit_book();
        for (line, expected) in [
            (
                "(UGC/AFP via Getty Images)",
                [Some("UGC"), Some("AFP"), Some("Getty Images")],
            ),
            (
                "(Ostorozhno Novosti via REUTERS)",
                [Some("Ostorozhno Novosti"), None, Some("REUTERS")],
            ),
            (
                "AP Photo/Ada Brill, File",
                [Some("Ada Brill"), Some("AP"), None],
            ),
            (
                "Photo by Ada Brill/Getty Images",
                [Some("Ada Brill"), Some("Getty Images"), None],
            ),
            (
                "Foto: Ada Brill / dpa",
                [Some("Ada Brill"), Some("dpa"), None],
            ),
            ("© BELGA", [None, Some("BELGA"), None]),
            ("Getty Images", [None, Some("Getty Images"), None]),
            (
                "(Photo: ADA BRILL, AFP via Getty Images)",
                [Some("ADA BRILL"), Some("AFP"), Some("Getty Images")],
            ),
            ("Credits: Supplied Image;", [None, None, None]),
            ("ADA BRILL / AFP", [Some("ADA BRILL"), Some("AFP"), None]),
            ("Archivo/La Bahía", [Some("La Bahía"), None, None]),
            ("Image copyright Reuters", [None, Some("Reuters"), None]),
            ("Quelle: hafenblatt.de", [Some("hafenblatt.de"), None, None]),
            (
                "Ảnh: Bệnh viện cung cấp",
                [Some("Bệnh viện cung cấp"), None, None],
            ),
            ("写真：港新聞", [Some("港新聞"), None, None]),
        ] {
            let found = book.whole(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(parts(&found.credit), expected, "{line}");
        }
    }

    #[test]
    fn text_is_no_credit() {
        let rules = Rules::built_in();
        let book = rules.credit_book();
        for line in [
            "Chapter",
            "He told Reuters that the ferry was late.",
            "(He had never seen the sea.)",
            "Photos of the ferry were shown to the court.",
            "Who are ISIS-K?",
            "[and] we need peace",
            "Image: Ada Brill, left, has replaced Bob Tarn as master of the ferry",
            "HANOI (AP)",
            "What is Nato?",
            "The picture",
            "Ada Brill",
            "Source close to the minister",
            "Bild der Woche",
            "STRATEGIC CORRIDORS",
            "How NASA works",
        ] {
            assert!(book.whole(line).is_none(), "{line}: {:?}", book.whole(line));
        }
    }
}
