//! Credits at the end of a line: of a caption, or of a paragraph that one was glued to.

use std::sync::LazyLock;

use crate::clean::credit::{CLOSING, CreditBook, FoundCredit, LABEL_SIGNS, opening};
use crate::clean::fold::is_unspaced;
use crate::clean::phrases::Phrases;

/// Only so much of a line's end is searched.
const TAIL_BYTES: usize = 420;

/// Labels that need no colon because they end in `by`, `of` or the like.
pub(super) const BY: &[&str] = &[
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

/// Labels that need no colon after a full stop.
pub(super) const BARE_LABELS: &[&str] = &["Photo ", "Photos ", "Foto ", "Fotos "];

impl CreditBook {
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
        self.join(line, found)
    }

    /// `Foto: Ada Brill (REUTERS) | Video: EPV` is one credit.
    fn join(&self, line: &str, found: Vec<FoundCredit>) -> Vec<FoundCredit> {
        let mut joined: Vec<FoundCredit> = Vec::new();
        for credit in found {
            let barred = |last: &FoundCredit| {
                let gap = line[last.span.end..credit.span.start].trim();
                gap == "|" || gap.is_empty() && line[last.span.clone()].ends_with('|')
            };
            match joined.last_mut() {
                Some(last) if barred(last) => {
                    last.span.end = credit.span.end;
                    last.weak &= credit.weak;
                    last.credit.verbatim = line[last.span.clone()].trim().to_owned();
                }
                _ => joined.push(credit),
            }
        }
        joined
    }

    /// The name at the end of a line that is known to be a caption: `... off the coast. Ada Brill`, `... in Palma / Ada Brill`.
    pub fn name_in_caption(&self, caption: &str) -> Option<FoundCredit> {
        let line = caption.trim_end();
        let slash = line.rfind(" / ").map(|at| (at, at + 3));
        let stop = line.rfind(['.', '!', '?', '»', '”']).and_then(|at| {
            let end = at + line[at..].chars().next()?.len_utf8();
            let word = line[..at].rsplit(' ').next()?;
            // `J.` and `Dr.` end no sentence.
            let word = word.chars().filter(|c| c.is_alphanumeric()).count();
            (word >= 4 && line[end..].starts_with(' ')).then_some((end, end))
        });
        let (start, from) = slash.into_iter().chain(stop).max()?;
        let name = line[from..].trim();
        let words = name.split(' ').count();
        let person = |word: &str| {
            word.starts_with(char::is_uppercase) && !word.contains(|c: char| c.is_ascii_digit())
                || self.is_particle(word)
        };
        let named = (2..=4).contains(&words)
            && name.split(' ').all(person)
            && name.ends_with(char::is_alphabetic)
            && line[..start].split(' ').count() >= 4;
        if !named {
            return None;
        }
        let start = line.len() - line[start..].trim_start().len();
        let shape = self.shape(name)?;
        Some(self.found(
            line,
            start..line.len(),
            &shape,
            "credit.name_in_caption",
            "a name after the end of the caption",
        ))
    }

    fn may_end_widget(&self, last: u8) -> bool {
        !last.is_ascii() || self.widget_ends.contains(&last.to_ascii_lowercase())
    }

    /// The length of what a caption's buttons left at the end of the line.
    pub(super) fn widget_at_end(&self, line: &str) -> usize {
        if !line
            .bytes()
            .last()
            .is_some_and(|last| self.may_end_widget(last))
        {
            return 0;
        }
        let window = line.floor_char_boundary(line.len().saturating_sub(40));
        let tail = line[window..].to_lowercase();
        // Folding may change lengths: only where it does not is the place known.
        if tail.len() != line.len() - window {
            return 0;
        }
        let widgets = self.widgets.iter();
        let widgets = widgets.filter(|widget| tail.ends_with(widget.as_str()));
        widgets.map(|widget| widget.len()).max().unwrap_or(0)
    }

    /// The end of the line without the remains of a caption's buttons and counters.
    fn without_widgets(&self, line: &str) -> usize {
        let last = line.bytes().last().unwrap_or_default();
        if !last.is_ascii_digit() && !last.is_ascii_whitespace() && !self.may_end_widget(last) {
            return line.len();
        }
        let cut = line.len() - self.widget_at_end(line);
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
        // `(Harbour District Court, Northern Shore)` after a full stop: whoever gave the picture.
        let given = shape.names
            && (2..=9).contains(&shape.words)
            && !shape.has_digit()
            && line[..start].trim_end().ends_with('.')
            && line[..start].len() < 320;
        if !(strong || weak || source || file || given) {
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
        let bare = !shape.label && !shape.source && !shape.sign;
        let start = match weak || bare && agency {
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
        let lead = |byte: &u8| matches!(byte, b':' | b'@' | b'=' | 0xef);
        // Most lines have none of the signs.
        let signs = tail.as_bytes().iter().enumerate().rev();
        let signs = signs.filter(|(_, byte)| lead(byte)).filter_map(|(at, _)| {
            let sign = tail[at..].chars().next()?;
            LABEL_SIGNS.contains(&sign).then_some((at, sign))
        });
        for (at, sign) in signs.take(4) {
            let Some(start) = self.label_before(tail, at) else {
                continue;
            };
            let start = window + start;
            let rest = line[window + at..]
                .trim_start_matches([':', '：', '=', '＝'])
                .trim();
            if rest.is_empty() || line[..start].trim().is_empty() {
                continue;
            }
            let text = &line[start..];
            let Some(mut shape) = self.shape(text) else {
                continue;
            };
            shape.label |= sign == '@';
            let file = line[..start].trim_end().ends_with("FILE");
            let open = shape.label && (shape.words <= 8 || shape.has_agency() && shape.words <= 14);
            if file && !shape.names {
                continue; // `FILE PHOTO:` labels the caption
            }
            if shape.label && (shape.names || open) || shape.source && shape.names {
                let open = line[..start]
                    .strip_suffix('(')
                    .filter(|_| line[start..].contains(')'));
                let start = open.map_or(start, str::len);
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

    fn by_label_near_end(&self, line: &str, window: usize) -> Option<FoundCredit> {
        static LABELS: LazyLock<Phrases<()>> = LazyLock::new(|| phrases(BY));
        let start = window + LABELS.last_in(&line[window..])?;
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
        let tail = &line[window..];
        // Before the last word of a sentence no credit begins.
        let prose = || self.prose_at(tail, tail.split_whitespace().rev());
        let slash = memchr::memchr(b'/', tail.as_bytes()).is_some();
        let window = window + if slash { 0 } else { prose().unwrap_or(0) };
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
            let letters = line[..at].chars().filter(|c| c.is_alphanumeric());
            if text.is_empty() || letters.take(4).count() < 4 {
                continue;
            }
            let before = line[..at].chars().next_back();
            // `J. Tarn`: an initial ends no sentence.
            let initial = before == Some('.')
                && line[..at - 1].ends_with(char::is_uppercase)
                && line[..at - 1]
                    .trim_end_matches(char::is_uppercase)
                    .ends_with(' ')
                && line[..at - 1]
                    .rsplit(' ')
                    .next()
                    .is_some_and(|word| word.chars().count() == 1);
            if initial {
                continue;
            }
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
            let bare_label = BARE_LABELS
                .iter()
                .find_map(|label| text.strip_prefix(label));
            let bare_label = bare_label.is_some_and(|name| {
                (2..=4).contains(&name.split_whitespace().count()) && self.is_name(name)
            });
            let dash = matches!(before, Some('-' | '–' | '—' | '|'));
            let pair = shape.parts.len() > 1 && text.contains('/');
            let generic = pair && shape.parts.iter().any(|part| part.generic);
            let reporter = text.ends_with("기자") && shape.words <= 3;
            let strong = bare_label
                || reporter
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
        let slash = window + memchr::memrchr(b'/', &line.as_bytes()[window..])?;
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
        static AGENCIES: LazyLock<Phrases<()>> = LazyLock::new(|| phrases(LEADS));
        // All of them have it, and few lines do.
        memchr::memchr(b'/', &line.as_bytes()[window..])?;
        let start = window + AGENCIES.last_in(&line[window..])?;
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
        let chars = before.char_indices().rev().take(self.label_chars_max);
        let mut best = None;
        let mut label = String::new();
        for (start, char) in chars {
            for lower in char.to_lowercase().rev() {
                label.insert(0, lower);
            }
            if self.label(&label).0.is_some() {
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
}

/// Phrases that are sought together: one by one they would cost a search of each line's end each.
fn phrases(phrases: &[&str]) -> Phrases<()> {
    Phrases::new(phrases.iter().map(|&phrase| (phrase.to_owned(), ())))
}

#[cfg(test)]
mod tests {
    use crate::clean::rules::Rules;

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
