//! Cues: what a line must have for a credit to be in it. Most lines have none, and are not read as one.

use std::ops::Range;

use crate::clean::credit::tail::{BARE_LABELS, BY};
use crate::clean::credit::{
    CLAIMS, CLOSING, CreditBook, LABELLED_CHARS_MAX, SIGNING, SIGNS, front,
};
use crate::clean::fold::Folded;

/// How a phrase must stand in a line to be a cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cue {
    /// The name of a house: words of their own.
    Name,
    /// A wire service: the same, in capitals as the table gives them.
    Wire,
    /// What stands in place of a name: the same, in a line that may be a credit as a whole.
    Generic,
    /// A label: where a word begins, or before the sign of a label.
    Label,
    /// Wherever it stands.
    Part,
}

/// What follows a label.
const LABEL_SIGNS: &[char] = &[':', '：', '@', '=', '＝'];

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
        let parts = [PARTS, SIGNS, CLAIMS, BY].concat();
        let all = each(labels, Cue::Label)
            .chain(each(BARE_LABELS, Cue::Label))
            .chain(each(&self.agencies, Cue::Name))
            .chain(each(SIGNING, Cue::Name))
            .chain(each(&self.wires, Cue::Wire))
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

    /// Whether a phrase that stands at `span` of a folded line, `text` before it was folded, is a cue there.
    pub(crate) fn is_cue(
        &self,
        cue: Cue,
        span: Range<usize>,
        line: &Folded<'_>,
        text: &str,
    ) -> bool {
        let begins = || line.is_word_edge(span.start);
        let words = || begins() && line.is_word_edge(span.end);
        match cue {
            Cue::Part => true,
            Cue::Label => begins() || line.text[span.end..].trim_start().starts_with(LABEL_SIGNS),
            Cue::Name => words(),
            Cue::Wire => words() && (!line.aligned || self.wires.contains(&text[span])),
            Cue::Generic => {
                let chars = || line.core().chars().take(LABELLED_CHARS_MAX + 1).count();
                words() && chars() <= LABELLED_CHARS_MAX
            }
        }
    }

    /// The line has a sign of a credit: a bracket or a caption's buttons at its end, or a name that a caption is glued to.
    pub(crate) fn has_sign(&self, line: &str) -> bool {
        let counted = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | ';');
        line.trim_end_matches(counted).ends_with(CLOSING)
            || self.widget_at_end(line) > 0
            || front::is_glued(line)
    }
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
