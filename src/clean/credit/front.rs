//! Credits in front of the caption they belong to: `Ada Brill/REUTERS A ferry leaves`, `© Gulls / dpa (Ausschnitt) Die Fähre`.

use crate::clean::credit::{CreditBook, FoundCredit};

/// A credit in front has no more words, the first of the caption included.
const RUN_WORDS_MAX: usize = 12;
/// What follows is a caption only if it has so many words.
const CAPTION_WORDS_MIN: usize = 4;
/// A name that a caption is glued to is not longer.
const GLUED_BYTES_MAX: usize = 48;

/// Words that begin a sentence and no name: where a run of names meets one, the caption begins.
const STARTERS: &[&str] = &[
    "The", "This", "These", "A", "An", "In", "On", "At", "From", "After", "Der", "Die", "Das",
    "Ein", "Eine", "Im", "Am", "Beim", "Bei", "Nach", "Mit", "So", "Le", "La", "Les", "L", "Un",
    "Une", "Des", "Au", "El", "Los", "Las", "Una", "En", "O", "Os", "As", "Um", "Uma", "No", "Na",
    "Il", "Lo", "Gli", "Een", "Het", "De", "Op", "Den", "Det", "Ett", "En",
];

/// Those that a name does not end in when it is glued to them: `LinkedIn` is one word.
const GLUED_STARTERS: &[&str] = &[
    "The ", "This ", "These ", "Der ", "Die ", "Das ", "Eine ", "Les ", "Une ", "Los ", "Las ",
];

impl CreditBook {
    /// The credit that a line begins with, if a caption follows it.
    pub fn front(&self, line: &str) -> Option<FoundCredit> {
        let end = self
            .before_caption_label(line)
            .or_else(|| self.run_in_front(line))
            .or_else(|| self.glued_in_front(line))?;
        let end = line[..end].trim_end().len();
        let shape = self.shape(&line[..end])?;
        Some(self.found(
            line,
            0..end,
            &shape,
            "credit.in_front",
            "a credit in front of the caption",
        ))
    }

    /// `Image copyright Reuters Image caption The ferry`: what stands before the label of the caption.
    fn before_caption_label(&self, line: &str) -> Option<usize> {
        const LABELS: &[&str] = &["Image caption", "Media caption", "Video caption"];
        memchr::memmem::find(line.as_bytes(), b" caption")?;
        let at = LABELS.iter().filter_map(|label| line.find(label)).min()?;
        (at > 0 && self.whole(line[..at].trim()).is_some()).then_some(at)
    }

    /// A run of names with a sign, a label or an agency after a slash; the caption begins after it.
    fn run_in_front(&self, line: &str) -> Option<usize> {
        let mut rest = line;
        let mut marked = false;
        if let Some(after) = rest.strip_prefix('©') {
            (rest, marked) = (after.trim_start(), true);
        } else if let Some((_, after, source)) = self.label_at_start(rest) {
            (rest, marked) = (after, !source);
        }
        // Nothing else tells a credit from a sentence that begins with names.
        let through = || memchr::memmem::find(rest.as_bytes(), b" via ").is_some();
        if !marked && memchr::memchr(b'/', rest.as_bytes()).is_none() && !through() {
            return None;
        }
        let offset = line.len() - rest.len();
        let mut run: Vec<(usize, &str)> = Vec::new();
        for word in rest.split_whitespace().take(RUN_WORDS_MAX + 1) {
            run.push((word.as_ptr() as usize - rest.as_ptr() as usize, word));
            let bracket = word.starts_with('(') && word.ends_with(')');
            let sign = word.chars().all(|c| !c.is_alphanumeric());
            if !(self.is_name(word) || sign || bracket || self.is_particle(word)) {
                break;
            }
        }
        // The last word is the one that goes on with the caption, or one too many.
        let names = run.len().checked_sub(1)?;
        if names == 0 || names == RUN_WORDS_MAX {
            return None;
        }
        let end = self.end_of_agency(&run[..names], rest, marked);
        let signed = line.starts_with('©');
        let end = end.or_else(|| end_before_starter(&run[..names], marked));
        // `© Ada Brill / Gull Magazine, nach Tarn et al.`: the first comma.
        let comma = || rest.find(',').filter(|_| signed);
        let end = end.or_else(comma)?;
        let caption = rest.get(end..)?.trim_start();
        let begins = caption.chars().next().is_some_and(|c| {
            c.is_uppercase() || c.is_numeric() || matches!(c, '"' | '“' | '„' | '«')
        });
        (begins && caption.split_whitespace().count() >= CAPTION_WORDS_MIN).then_some(offset + end)
    }

    /// Where the last agency of a run ends that stands after a slash or `via`, or after a sign or a label.
    fn end_of_agency(&self, run: &[(usize, &str)], text: &str, marked: bool) -> Option<usize> {
        for last in (0..run.len()).rev() {
            let end = run[last].0 + run[last].1.len();
            let before = &text[..end];
            let agency = before
                .rsplit(['/', '|'])
                .next()
                .is_some_and(|part| self.is_agency(part.trim()));
            let via = before
                .rsplit_once(" via ")
                .is_some_and(|(_, name)| self.is_agency(name.trim()));
            let slash = before.contains('/');
            // `NASA/ESA probes`: without a mark, a person's name of two words has to come first.
            let person = last >= 1 && (slash || via);
            if (agency && slash || via) && (marked || person) || marked && self.is_agency(before) {
                let bracket = run.get(last + 1).filter(|(_, word)| word.starts_with('('));
                return Some(bracket.map_or(end, |(at, word)| at + word.len()));
            }
        }
        None
    }

    /// `Ada Brill for the GazetteThe ferry`: a name that the caption was glued to.
    fn glued_in_front(&self, line: &str) -> Option<usize> {
        if !is_glued(line) {
            return None;
        }
        let window = &line[..line.floor_char_boundary(GLUED_BYTES_MAX)];
        let at = GLUED_STARTERS
            .iter()
            .flat_map(|starter| window.match_indices(starter))
            .map(|(at, _)| at)
            .filter(|&at| line[..at].ends_with(char::is_lowercase))
            .min()?;
        let name = &line[..at];
        let words = name.split_whitespace().count();
        let named = self.is_agency(name) || (2..=5).contains(&words) && self.is_name(name);
        let caption = line[at..].split_whitespace().count();
        (named && caption >= CAPTION_WORDS_MIN + 2).then_some(at)
    }

    pub(super) fn is_particle(&self, word: &str) -> bool {
        self.particles.contains(&word.to_lowercase())
    }
}

/// Names and, as the last word before the sentence goes on, one that begins it.
/// Where a caption may be glued to a name, a capital follows a small letter.
pub(super) fn is_glued(line: &str) -> bool {
    let glued = |[before, after]: &[u8; 2]| {
        (before.is_ascii_lowercase() || !before.is_ascii()) && after.is_ascii_uppercase()
    };
    let window = &line.as_bytes()[..line.floor_char_boundary(GLUED_BYTES_MAX)];
    window.array_windows().any(glued)
}

fn end_before_starter(run: &[(usize, &str)], marked: bool) -> Option<usize> {
    let (at, word) = run.last()?;
    let word = word.trim_end_matches(['\'', '’']);
    let names = run.len() - 1;
    (marked && names >= 2 && STARTERS.contains(&word)).then_some(*at)
}

#[cfg(test)]
mod tests {
    use crate::clean::rules::Rules;

    #[test]
    fn credits_in_front_of_captions_are_found() {
        let rules = Rules::built_in();
        let book = rules.credit_book();
        for (line, credit) in [
            (
                "Ada Brill/REUTERS Werden bald gefeiert: Matrosen im Hafen (Kiel, 6.12.2010)",
                "Ada Brill/REUTERS",
            ),
            (
                "© Gulls / stock.adobe.com (Ausschnitt) Die größte Fähre der Welt",
                "© Gulls / stock.adobe.com (Ausschnitt)",
            ),
            (
                "Photo: Ada Brill Archives Le Port Les entreprises de ferries ont compté les passagers",
                "Photo: Ada Brill Archives Le Port",
            ),
            (
                "Image copyright Getty Images Image caption The ferry was late",
                "Image copyright Getty Images",
            ),
            (
                "The Harbour GazetteThe masters of seven ferries take part in a debate",
                "The Harbour Gazette",
            ),
            (
                "Ada Brill via Getty Images The ferry leaves the harbour",
                "Ada Brill via Getty Images",
            ),
        ] {
            let found = book.front(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(&line[found.span], credit, "{line}");
        }
    }

    #[test]
    fn sentences_do_not_begin_with_credits() {
        let rules = Rules::built_in();
        let book = rules.credit_book();
        for line in [
            "NASA/ESA Hubble pictures show that the fog is older than the harbour",
            "Image: Ada Brill, left, has replaced Bob Tarn as master of the ferry",
            "Foto: Nach dem Sturm liegt die Fähre im Hafen",
            "Reuters/Ipsos Poll shows that most voters like ferries",
            "Ada Brill The ferry leaves the harbour",
            "The LinkedIn page of the ferry has been closed for a week",
            "Source: The Harbour Gazette The ferry is late",
        ] {
            assert!(book.front(line).is_none(), "{line}: {:?}", book.front(line));
        }
    }
}
