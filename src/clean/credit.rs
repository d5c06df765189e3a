//! Credits: whether a text is one, where one stands in a line, and what it says.
//!
//! `(UGC/AFP via Getty Images)` is read as its parts are put together: brackets, sign, label, names parted by signs, `via`.
//! What each name is, a person or an agency, the tables of `config/rules/credit.toml` tell.

use std::collections::HashSet;
use std::ops::Range;

use crate::article::Credit;
use crate::clean::fold::is_unspaced;
use crate::clean::rules::CreditWords;

/// The tables of credits, ready for use.
#[derive(Debug)]
pub struct CreditBook {
    agencies: HashSet<String>,
    wires: HashSet<String>,
    labels: HashSet<String>,
    sources: HashSet<String>,
    generic: HashSet<String>,
    particles: HashSet<String>,
    widgets: Vec<String>,
    label_chars_max: usize,
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
/// Only so much of a line's end is searched.
const TAIL_BYTES: usize = 420;

const CLOSING: &[char] = &[')', ']', '）', '】', '］'];
const SIGNS: &[&str] = &["©", "(c)", "(C)", "Ⓒ", "®"];

impl CreditBook {
    pub(crate) fn new(words: &CreditWords) -> CreditBook {
        let lower = |list: &[String]| -> HashSet<String> {
            list.iter().map(|word| word.to_lowercase()).collect()
        };
        let labels = lower(&words.labels);
        let sources = lower(&words.sources);
        CreditBook {
            agencies: lower(&words.agencies),
            wires: words.wires.iter().cloned().collect(),
            label_chars_max: labels
                .iter()
                .chain(&sources)
                .map(|label| label.chars().count())
                .max()
                .unwrap_or(0),
            labels,
            sources,
            generic: lower(&words.generic),
            particles: lower(&words.particles),
            widgets: words
                .widgets
                .iter()
                .map(|word| word.to_lowercase())
                .collect(),
        }
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
        let shape = self.shape(text)?;
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
            _ if shape.source && shape.names => Some(("credit.source", "names the source")),
            _ if !shape.names => None,
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

    /// The credits at the end of a line, from the last to the first; their spans are in the order of the line.
    pub fn tail(&self, line: &str) -> Vec<FoundCredit> {
        let mut found: Vec<FoundCredit> = Vec::new();
        let mut end = self.without_widgets(line);
        let widget = end < line.len();
        while let Some(mut credit) = self.tail_once(&line[..end]) {
            if found.is_empty() && widget {
                credit.span.end = line.len();
            }
            end = line[..credit.span.start].trim_end().len();
            found.insert(0, credit);
            if found.len() == 3 {
                break;
            }
        }
        found
    }

    /// The end of the line without the remains of a caption's buttons and counters.
    fn without_widgets(&self, line: &str) -> usize {
        let window = line.floor_char_boundary(line.len().saturating_sub(40));
        let tail = line[window..].to_lowercase();
        let mut cut = line.len();
        // Folding may change lengths: only where it does not is the place known.
        if tail.len() == line.len() - window {
            let widgets = self
                .widgets
                .iter()
                .filter(|widget| tail.ends_with(widget.as_str()));
            cut -= widgets.map(|widget| widget.len()).max().unwrap_or(0);
        }
        let rest = line[..cut].trim_end();
        let digits = rest.len() - rest.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let counter = (1..=3).contains(&digits) && rest[..rest.len() - digits].ends_with(' ');
        match counter {
            // A number counts pictures only if what stands before it is a credit.
            true if !self
                .tail_once(rest[..rest.len() - digits].trim_end())
                .is_none_or(|c| c.weak) =>
            {
                rest[..rest.len() - digits].trim_end().len()
            }
            _ => rest.len(),
        }
    }

    fn tail_once(&self, line: &str) -> Option<FoundCredit> {
        let line = line.trim_end();
        if line.len() < 8 {
            return None;
        }
        self.bracket_at_end(line)
            .or_else(|| self.label_near_end(line))
            .or_else(|| self.agency_first(line))
            .or_else(|| self.after_stop(line))
            .or_else(|| self.slash_at_end(line))
    }

    /// `... (Photo: Ada Brill/AP)`, `... [Ada Brill via Reuters]`, `... Ada Brill (REUTERS)`.
    fn bracket_at_end(&self, line: &str) -> Option<FoundCredit> {
        let body = line.trim_end_matches(['.', ';', ' ']);
        let close = body.chars().next_back().filter(|c| CLOSING.contains(c))?;
        let window = body.floor_char_boundary(body.len().saturating_sub(TAIL_BYTES));
        let open = opening(close);
        let start = window + body[window..].rfind(open)?;
        if line[..start].trim().is_empty() {
            return None;
        }
        let shape = self.shape(&body[start..])?;
        let agency = shape.has_agency();
        let strong = shape.label || shape.via.is_some_and(|via| self.has_agency(via));
        let strong = strong
            || ((shape.sign
                || (agency
                    && (shape.parts.len() > 1
                        || shape.parts[0].text != shape.parts[0].agency.unwrap_or(""))))
                && shape.names);
        let weak = agency && shape.names;
        let source = shape.source && shape.names;
        let file =
            shape.parts.len() > 1 && shape.names && shape.parts.iter().any(|part| part.generic);
        let provided = body[..body.len() - close.len_utf8()].ends_with("提供")
            || body[..body.len() - close.len_utf8()].ends_with("撮影");
        let strong = strong || provided;
        if !(strong || weak || source || file) {
            return None;
        }
        let library = shape
            .parts
            .iter()
            .any(|part| part.agency.is_some_and(|name| !self.is_wire(name)));
        let weak = !(strong || source || file || library && shape.names);
        // `(Name)(AFP)`: so does a name in brackets right before it.
        if let Some(first) = self.name_in_brackets_before(line, start).filter(|_| weak) {
            let credit = self.found(
                line,
                first..line.len(),
                &shape,
                "credit.in_brackets",
                "a credit in brackets at the end of the line",
            );
            return Some(credit);
        }
        // `Name (REUTERS)`: the name before the bracket belongs to it, if a sentence ended before the name.
        let start = match weak {
            true => self.name_before(line, start).unwrap_or(start),
            false => start,
        };
        let named = self.name_before(line, start).is_some() || start < body.rfind(open)?;
        let mut found = self.found(
            line,
            start..line.len(),
            &shape,
            "credit.in_brackets",
            "a credit in brackets at the end of the line",
        );
        if named && found.credit.creator.is_none() {
            let name = line[start..].split(['(', '[', '（']).next().map(str::trim);
            found.credit.creator = name.filter(|name| !name.is_empty()).map(str::to_owned);
        }
        found.weak = weak && !named;
        Some(found)
    }

    /// Where the bracket opens that closes right before `at`, if a name is in it.
    fn name_in_brackets_before(&self, line: &str, at: usize) -> Option<usize> {
        let before = line[..at].trim_end();
        let inner = before.strip_suffix(')')?;
        let open = inner.rfind('(')?;
        let words = inner[open + 1..].split_whitespace().count();
        ((1..=4).contains(&words) && open > 0 && self.is_name(&inner[open + 1..])).then_some(open)
    }

    /// Where the name begins that stands between the last full stop and `at`.
    fn name_before(&self, line: &str, at: usize) -> Option<usize> {
        let before = line[..at].trim_end();
        let stop = before.rfind(['.', '!', '?', '”', '"'])?;
        let from = stop + before[stop..].chars().next()?.len_utf8();
        let name = before[from..].trim_start();
        let words = name.split_whitespace().count();
        ((2..=5).contains(&words) && self.is_name(name)).then(|| before.len() - name.len())
    }

    /// `...Credit: PA`, `... Foto: Ada Brill / dpa`, `... Photo by Ada Brill`.
    fn label_near_end(&self, line: &str) -> Option<FoundCredit> {
        let window = line.floor_char_boundary(line.len().saturating_sub(TAIL_BYTES));
        let tail = &line[window..];
        let signs = tail
            .char_indices()
            .rev()
            .filter(|(_, c)| matches!(c, ':' | '：' | '@'));
        for (at, sign) in signs.take(4) {
            let Some(start) = self.label_before(tail, at) else {
                continue;
            };
            let start = window + start;
            let rest = line[window + at..].trim_start_matches([':', '：']).trim();
            if rest.is_empty() || line[..start].trim().is_empty() {
                continue;
            }
            let text = &line[start..];
            let Some(mut shape) = self.shape(text) else {
                continue;
            };
            shape.label |= sign == '@';
            let open = shape.label && (shape.words <= 8 || shape.has_agency());
            if shape.label && (shape.names || open) || shape.source && shape.names {
                return Some(self.found(
                    line,
                    start..line.len(),
                    &shape,
                    "credit.label_at_end",
                    "a label and a credit at the end of the line",
                ));
            }
        }
        self.by_label_near_end(line, window)
    }

    /// Labels that need no colon because they end in `by`, `of` or the like.
    fn by_label_near_end(&self, line: &str, window: usize) -> Option<FoundCredit> {
        const BY: &[&str] = &[
            "Photo by ",
            "Photos by ",
            "Photograph by ",
            "Photo courtesy of ",
            "Image courtesy of ",
            "Courtesy of ",
            "Photo Illustration by ",
            "Illustration by ",
            "Crédit photo ",
            "Crédits photo ",
            "Cedida por ",
            "Cortesía de ",
            "Foto di ",
            "Capture d'écran ",
            "Capture d’écran ",
            "Image copyright ",
            "Image source ",
            "Screenshot ",
            "Video by ",
        ];
        let tail = &line[window..];
        let starts = BY.iter().filter_map(|label| tail.rfind(label));
        let start = window + starts.max()?;
        if line[..start].trim().is_empty()
            || line[..start].ends_with(|c: char| c.is_lowercase() && c.is_ascii())
                && !line[..start].ends_with(char::is_whitespace)
        {
            return None;
        }
        let shape = self.shape(&line[start..])?;
        (shape.label && (shape.names || shape.words <= 10)).then(|| {
            self.found(
                line,
                start..line.len(),
                &shape,
                "credit.label_at_end",
                "a label and a credit at the end of the line",
            )
        })
    }

    /// `... in Doha.AFP`, `... on Friday. Ada Brill / Europa Press`, `... — © BELGA`, `... - Ada Brill/Instituto Mar`.
    fn after_stop(&self, line: &str) -> Option<FoundCredit> {
        let window = line.floor_char_boundary(line.len().saturating_sub(TAIL_BYTES));
        let ends: Vec<usize> = line[window..]
            .char_indices()
            .rev()
            .filter(|(_, c)| {
                matches!(
                    c,
                    '.' | '!'
                        | '?'
                        | '»'
                        | '”'
                        | '"'
                        | '\''
                        | '’'
                        | ')'
                        | '—'
                        | '–'
                        | '-'
                        | '|'
                        | '©'
                        | '。'
                )
            })
            .map(|(at, c)| window + at + if c == '©' { 0 } else { c.len_utf8() })
            .take(8)
            .collect();
        for at in ends {
            let text = line[at..].trim();
            let glued = !line[at..].starts_with(char::is_whitespace);
            if text.is_empty() || line[..at].chars().filter(|c| c.is_alphanumeric()).count() < 4 {
                continue;
            }
            let before = line[..at].chars().next_back();
            let hyphen = before == Some('-');
            if hyphen && (glued || !line[..at - 1].ends_with(' '))
                || (glued && matches!(before, Some('\'' | '’' | '"')))
            {
                continue;
            }
            let Some(shape) = self
                .shape(text)
                .filter(|shape| shape.names && shape.words <= 12)
            else {
                continue;
            };
            let agency = shape.has_agency();
            // `Photo Ada Brill`: after a full stop the label needs no colon.
            let bare_label = ["Photo ", "Photos ", "Foto ", "Fotos "]
                .iter()
                .find_map(|label| text.strip_prefix(label));
            let bare_label = bare_label.is_some_and(|name| {
                (2..=4).contains(&name.split_whitespace().count()) && self.is_name(name)
            });
            let dash = matches!(before, Some('-' | '–' | '—' | '|'));
            let pair = shape.parts.len() > 1 && text.contains('/');
            let generic = pair && shape.parts.iter().any(|part| part.generic);
            let strong = bare_label
                || shape.label
                || (shape.sign && !shape.has_year())
                || shape.via.is_some_and(|via| self.has_agency(via))
                || generic
                || (agency && (shape.parts.len() > 1 || glued))
                || (pair && (dash || shape.words <= 7) && !shape.has_digit());
            let library = shape
                .parts
                .iter()
                .any(|part| part.only_agency && !self.is_wire(part.text));
            let weak = agency && !strong && shape.words <= 4;
            if strong || weak {
                let start = line.len() - line[at..].trim_start().len();
                // A dash or bar before the credit goes with it.
                let bare = line[..start].trim_end_matches([' ', '\u{a0}']);
                let start = match bare.trim_end_matches(['-', '–', '—', '|']) {
                    before if before.len() < bare.len() && before.ends_with(' ') => before.len(),
                    _ => start,
                };
                let mut found = self.found(
                    line,
                    start..line.len(),
                    &shape,
                    "credit.after_stop",
                    "names and an agency after the end of the sentence",
                );
                found.weak = !strong && !library;
                return Some(found);
            }
        }
        None
    }

    /// `... in Paris Ada Brill/Reuters`: no sign between caption and name, but a slash before an agency.
    fn slash_at_end(&self, line: &str) -> Option<FoundCredit> {
        let window = line.floor_char_boundary(line.len().saturating_sub(TAIL_BYTES));
        let slash = window + line[window..].rfind('/')?;
        let right = line[slash + 1..].trim();
        let words = right.split_whitespace().count();
        if words == 0 || words > 6 || line.ends_with('.') || !self.has_agency(right) {
            return None;
        }
        let right_shape = self.shape(right)?;
        if !right_shape.names {
            return None;
        }
        let left = line[..slash].trim_end();
        let mut start = left.len();
        let mut taken = 0;
        for word in left.split_whitespace().rev().take(4) {
            let at = word.as_ptr() as usize - line.as_ptr() as usize;
            let initial = word.ends_with('.') && word.chars().count() == 2;
            let named = word.starts_with(char::is_uppercase)
                && (!word.ends_with(['.', ',', ')', ':']) || initial);
            if !named || (taken == 2 && !initial) {
                break;
            }
            taken += usize::from(!initial);
            start = at;
        }
        if taken == 0 || line[..start].trim().is_empty() {
            return None;
        }
        let shape = self.shape(&line[start..])?;
        Some(self.found(
            line,
            start..line.len(),
            &shape,
            "credit.slash",
            "a name and an agency at the end of the line",
        ))
    }

    /// `... the country AP Photo/Ada Brill`, `... on Friday REUTERS/Ada Brill`: the agency leads.
    fn agency_first(&self, line: &str) -> Option<FoundCredit> {
        const LEADS: &[&str] = &[
            "AP Photo/",
            "AP Photo / ",
            "AFP PHOTO/",
            "AFP PHOTO / ",
            "AFP Photo/",
            "AFP/",
            "REUTERS/",
            "Reuters/",
            "EPA/",
            "EPA-EFE/",
            "dpa/",
            "EFE/",
        ];
        let window = line.floor_char_boundary(line.len().saturating_sub(TAIL_BYTES));
        let start = window
            + LEADS
                .iter()
                .filter_map(|lead| line[window..].rfind(lead))
                .max()?;
        let apart = line[..start].ends_with([' ', '.', ')']) && !line[..start].trim().is_empty();
        let shape = self
            .shape(&line[start..])
            .filter(|shape| shape.names && shape.words <= 8)?;
        (apart && !line.ends_with('.')).then(|| {
            self.found(
                line,
                start..line.len(),
                &shape,
                "credit.agency_first",
                "an agency and a name at the end of the line",
            )
        })
    }

    /// Where the label begins that ends at `at`. A label may be glued to the word before it if it has a capital.
    fn label_before(&self, text: &str, at: usize) -> Option<usize> {
        let before = text[..at].trim_end();
        let chars: Vec<(usize, char)> = before
            .char_indices()
            .rev()
            .take(self.label_chars_max)
            .collect();
        let mut best = None;
        for (start, char) in chars {
            let label = before[start..].to_lowercase();
            if self.labels.contains(&label) || self.sources.contains(&label) {
                let previous = before[..start].chars().next_back();
                let apart = previous.is_none_or(|c| !c.is_alphanumeric());
                let start_of_part = before[..start]
                    .trim_end()
                    .chars()
                    .next_back()
                    .is_none_or(|c| !c.is_alphanumeric());
                if apart && start_of_part || char.is_uppercase() || is_unspaced(char) {
                    best = Some(start);
                }
            }
        }
        best
    }

    /// Reads a text as a credit; `None` if it is too long or empty.
    fn shape<'t>(&self, text: &'t str) -> Option<Shape<'t>> {
        if text.chars().take(LABELLED_CHARS_MAX + 1).count() > LABELLED_CHARS_MAX {
            return None;
        }
        let mut shape = Shape::default();
        let mut rest = text.trim().trim_end_matches(['.', ';', ':', ' ']);
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
        for part in before
            .split(['/', '|', ',', ';', '·', '•', '(', ')'])
            .flat_map(split_dash)
        {
            let part = part.trim().trim_matches(['[', ']', '"']).trim();
            if !part.is_empty() {
                shape.parts.push(self.part(part));
            }
        }
        if shape.parts.is_empty() {
            return None;
        }
        shape.place_and_agency =
            before.contains('(') && !shape.parts[0].text.contains(' ') && !shape.label;
        let named = |part: &Part<'_>| part.generic || part.only_agency || self.is_name(part.text);
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

    /// The longest label that `text` begins with, what follows it, and whether it is that of a source.
    fn label_at_start<'t>(&self, text: &'t str) -> Option<(usize, &'t str, bool)> {
        let ends = text
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take(self.label_chars_max);
        let mut best = None;
        for end in ends {
            let label = text[..end].to_lowercase();
            let label = label.trim_start_matches('(');
            let source = self.sources.contains(label);
            if !source && !self.labels.contains(label) {
                continue;
            }
            let rest = &text[end..];
            let unspaced = text[..end].chars().next_back().is_some_and(is_unspaced);
            let by = [
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
            ]
            .iter()
            .any(|word| label.ends_with(word))
                && label.contains([' ', '.', '\'', '’']);
            let after = rest.trim_start();
            let colon =
                after.starts_with([':', '：', '/', '@', '|']) || after.starts_with('-') && source;
            if colon || unspaced || by && after.len() < rest.len() {
                let after = after
                    .trim_start_matches([':', '：', '/', '|', '-'])
                    .trim_start();
                best = Some((end, after, source));
            }
        }
        best
    }

    fn part<'t>(&self, text: &'t str) -> Part<'t> {
        let lower = text.to_lowercase();
        let agency = self.agency_in(text);
        Part {
            text,
            agency,
            generic: self.generic.contains(lower.trim_end_matches('.')),
            only_agency: agency == Some(text),
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
        self.is_wire(name)
            || (name.chars().any(char::is_alphabetic)
                && self.agencies.contains(&name.to_lowercase()))
    }

    /// Whether it is the bare name of a wire service, which also signs texts.
    pub(super) fn is_wire(&self, name: &str) -> bool {
        self.wires.contains(name)
            || matches!(
                name,
                "Reuters"
                    | "REUTERS"
                    | "Associated Press"
                    | "The Associated Press"
                    | "Xinhua"
                    | "Bloomberg"
            )
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
            let prefixed = core.chars().nth(1).is_some_and(|c| c == '\'' || c == '’')
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
            part.text
                .trim_matches([' ', '.', ':', '–', '—', '-', '|'])
                .to_owned()
        };
        let parts: Vec<&Part<'_>> = shape
            .parts
            .iter()
            .filter(|part| !part.generic || part.text == "UGC")
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

    fn has_digit(&self) -> bool {
        self.parts
            .iter()
            .any(|part| part.text.contains(|c: char| c.is_ascii_digit()))
    }
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

/// Parts a credit at its (last) `via`.
fn split_via(text: &str) -> (&str, Option<&str>) {
    for sign in [" via ", " Via ", " VIA ", "/via ", " /via "] {
        if let Some(at) = text.rfind(sign) {
            return (&text[..at], Some(text[at + sign.len()..].trim()));
        }
    }
    (text, None)
}

/// Parts at a dash that stands free.
fn split_dash(text: &str) -> impl Iterator<Item = &str> {
    text.split(" - ")
        .flat_map(|part| part.split(" – "))
        .flat_map(|part| part.split(" — "))
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

    #[test]
    fn credits_at_the_end_of_captions_are_found() {
        let rules = Rules::built_in();
        let book = rules.credit_book();
        for (line, credit) in [
            (
                "The ferry leaves. Credit: Ada Brill/Harbour",
                "Credit: Ada Brill/Harbour",
            ),
            ("The team lifts the CupCredit: PA", "Credit: PA"),
            (
                "Bodo Ramelow im MDR-StudioQuelle: Ada Brill/dpa",
                "Quelle: Ada Brill/dpa",
            ),
            (
                "A ferry in the fog (Image: LightRocket via Getty Images)",
                "(Image: LightRocket via Getty Images)",
            ),
            (
                "Ada Brill after the game. Bob Tarn/Getty Images",
                "Bob Tarn/Getty Images",
            ),
            ("El puerto durante la carrera en Losail.EFE", "EFE"),
            (
                "The harbour in Paris Ada Brill/Reuters",
                "Ada Brill/Reuters",
            ),
            (
                "Le port, à Paris, le 12 juillet 2023. ADA BRILL / AFP",
                "ADA BRILL / AFP",
            ),
            ("Verlinden in de haven. — © BELGA", "— © BELGA"),
            (
                "O presidente recebe a taça - Ada Brill/Instituto Mar",
                "- Ada Brill/Instituto Mar",
            ),
            (
                "A study of fog. FatCamera/Getty Images hide caption",
                "FatCamera/Getty Images hide caption",
            ),
            ("El puerto. Cortesía/La Bahía 32", "Cortesía/La Bahía 32"),
            (
                "Marchés à Paris Crédits photo : Jean MARTIN/Le Port",
                "Crédits photo : Jean MARTIN/Le Port",
            ),
            (
                "NAVN: Denne ferjen. Foto: Havnepolitiet Vis mer",
                "Foto: Havnepolitiet Vis mer",
            ),
            (
                "Loads trims at a depot in Hialeah, Fla. (AP Photo/Ada Brill, File)",
                "(AP Photo/Ada Brill, File)",
            ),
            (
                "A moon could carry people [SpaceX via Nasa]",
                "[SpaceX via Nasa]",
            ),
        ] {
            let found = book.tail(line);
            let span = found.first().unwrap_or_else(|| panic!("{line}")).span.start
                ..found.last().map_or(0, |f| f.span.end);
            assert_eq!(&line[span], credit, "{line}");
        }
    }

    #[test]
    fn ends_of_sentences_are_no_credits() {
        let rules = Rules::built_in();
        let book = rules.credit_book();
        for line in [
            "The man told Reuters.",
            "She sailed to Rome (and back).",
            "He said: \"We need peace.\"",
            "The rest is history: Ada Brill won the race.",
            "They met in the Chapter.",
            "“It was late.” - Ada Brill",
            "The talks (see below) failed.",
            "He works for AP.",
            "It was founded in Geneva.",
        ] {
            assert!(book.tail(line).is_empty(), "{line}: {:?}", book.tail(line));
        }
        let sign_off = book.tail("The vote is due on Friday, he said. (EFE)");
        assert!(sign_off[0].weak);
    }
}
