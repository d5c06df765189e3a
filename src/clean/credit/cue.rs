//! Cues: what a line must have for a credit to be in it. Most lines have none, and are not read as one.

use std::ops::Range;

use crate::clean::credit::tail::{BARE_LABELS, BY};
use crate::clean::credit::{
    CLAIMS, CLOSING, CreditBook, LABEL_SIGNS, LABELLED_CHARS_MAX, SIGNING, SIGNS, front,
};
use crate::clean::fold::{Folded, is_word_edge};

/// How a phrase must stand in a line to be a cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cue {
    /// The name of a house: words of their own.
    Name,
    /// What stands in place of a name: the same, in a line that may be a credit as a whole.
    Generic,
    /// A label: first in the line or after a sign, or before the sign of a label.
    Label,
    /// Wherever it stands.
    Part,
}

/// Signs of a credit, and what may be glued to one.
const PARTS: &[&str] = &["/", " caption", "기자"];

impl CreditBook {
    /// The phrases, folded, of which a line that holds a credit has one or else [a sign](Self::has_sign).
    pub(crate) fn cues(&self) -> Vec<(String, Cue)> {
        fn each<'p>(
            phrases: impl IntoIterator<Item = &'p (impl AsRef<str> + 'p)>,
            cue: Cue,
        ) -> impl Iterator<Item = (String, Cue)> {
            let phrases = phrases.into_iter();
            phrases.map(move |phrase| (Folded::new(phrase.as_ref()).text.into_owned(), cue))
        }
        let labels = self.labels.iter().map(|(label, _)| label);
        let small_wires = self.wires.iter().filter(|wire| !has_capitals(wire));
        let parts = [PARTS, SIGNS, CLAIMS, BY].concat();
        let all = each(labels, Cue::Label)
            .chain(each(BARE_LABELS, Cue::Label))
            .chain(each(&self.agencies, Cue::Name))
            .chain(each(SIGNING, Cue::Name))
            .chain(each(small_wires, Cue::Name))
            .chain(each(&self.generic, Cue::Generic))
            .chain(each(&parts, Cue::Part));
        // A name ends in another sigma than it has within, which a line in capitals does not show.
        let sigma = |(phrase, cue): (String, Cue)| {
            let within = phrase
                .contains('ς')
                .then(|| (phrase.replace('ς', "σ"), cue));
            within.into_iter().chain([(phrase, cue)])
        };
        all.flat_map(sigma).collect()
    }

    /// The line has a sign of a credit: a bracket or a caption's buttons at its end, a name that a caption is glued to, a wire
    /// service.
    pub(crate) fn has_sign(&self, line: &str) -> bool {
        let counted = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | ';');
        line.trim_end_matches(counted).ends_with(CLOSING)
            || self.widget_at_end(line) > 0
            || front::is_glued(line)
            || has_capitals(line) && self.has_wire(line)
    }

    fn has_wire(&self, line: &str) -> bool {
        let mut found = false;
        self.capitals.find(line, 0..line.len(), |span, ()| {
            found |= is_word_edge(line, span.start) && is_word_edge(line, span.end);
        });
        found
    }
}

impl Cue {
    /// Whether a phrase that stands at `span` of a folded line is a cue there.
    pub(crate) fn counts(self, span: Range<usize>, line: &Folded<'_>) -> bool {
        let text = &*line.text;
        let words = || is_word_edge(text, span.start) && is_word_edge(text, span.end);
        match self {
            Cue::Part => true,
            Cue::Label => {
                let before = text[..span.start].trim_end().chars().next_back();
                before.is_none_or(|c| !c.is_alphanumeric())
                    || text[span.end..].trim_start().starts_with(LABEL_SIGNS)
            }
            Cue::Name => words(),
            Cue::Generic => {
                let chars = || line.core().chars().take(LABELLED_CHARS_MAX + 1).count();
                words() && chars() <= LABELLED_CHARS_MAX
            }
        }
    }
}

/// Two capitals side by side. Without an early exit the compiler makes a vector loop.
pub(super) fn has_capitals(text: &str) -> bool {
    let pairs = text.as_bytes().array_windows();
    pairs.fold(false, |any, [a, b]| {
        any | (a.is_ascii_uppercase() & b.is_ascii_uppercase())
    })
}

#[cfg(test)]
mod tests {
    use crate::clean::fold::Folded;
    use crate::clean::rules::Rules;
    use proptest::prelude::*;

    /// What credits and sentences are made of.
    const PIECES: &[&str] = &[
        "Ada Brill",
        "A ferry leaves the harbour",
        "The ferry was late.",
        "Reuters",
        "AFP",
        "Getty Images",
        "ČTK",
        "dpa",
        "na",
        "Photo",
        "Foto:",
        "photo by",
        "Image copyright",
        "Image caption",
        "Courtesy of",
        "Source:",
        "Quelle:",
        "写真",
        "摄影",
        "기자",
        "©",
        "(c)",
        "(",
        ")",
        "[",
        "]",
        "/",
        " ",
        " ",
        " ",
        " ",
        ". ",
        ": ",
        ", ",
        " - ",
        " — ",
        " via ",
        "@",
        "=",
        "12",
        "handout",
        "file",
        "hide caption",
        "All rights reserved",
        "’",
        "İ",
        "\n",
        "…",
        "2019",
        "é",
        "e",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_credit_is_in_a_line_without_a_cue(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 1..9)) {
            static RULES: std::sync::LazyLock<Rules> = std::sync::LazyLock::new(Rules::built_in);
            let line = pieces.concat();
            let line = line.trim();
            let book = RULES.credit_book();
            if !RULES.read(line, &Folded::new(line)).may_have_credit {
                prop_assert_eq!(book.whole(line), None);
                prop_assert_eq!(book.tail(line), []);
                prop_assert_eq!(book.front(line), None);
            }
        }
    }
}
