//! The stretch of a text in which most of what was sought stands.

use std::ops::Range;

use super::Snippet;
use super::words::words;

/// A stretch is so long, in characters.
const LENGTH: usize = 200;

/// The best stretch of `text` for these words (folded; with whether more may follow).
pub(super) fn best(text: &str, sought: &[(String, bool)]) -> Snippet {
    let is_sought = |word: &str| {
        let mut sought = sought.iter();
        sought.position(|(w, is_prefix)| w == word || *is_prefix && word.starts_with(w.as_str()))
    };
    let found: Vec<(Range<usize>, usize)> = words(text)
        .filter_map(|(at, word)| Some((at, is_sought(&word)?)))
        .collect();
    let start = best_start(text, &found);
    let end = nth_char(text, start, LENGTH);
    let (start, end) = (word_start(text, start), word_end(text, end));
    let matches = found.into_iter().map(|(at, _)| at);
    cut(
        text,
        start..end,
        matches.filter(|at| at.start >= start && at.end <= end),
    )
}

/// A little before that match from which on most different words stand within one stretch.
fn best_start(text: &str, found: &[(Range<usize>, usize)]) -> usize {
    let mut best = (0, 0);
    let mut last = 0;
    for (n, (at, _)) in found.iter().enumerate() {
        let end = nth_char(text, at.start, LENGTH * 3 / 4);
        while found.get(last).is_some_and(|(at, _)| at.end <= end) {
            last += 1;
        }
        let within = &found[n..last.max(n)];
        let different: std::collections::BTreeSet<usize> =
            within.iter().map(|(_, word)| *word).collect();
        if different.len() > best.0 {
            best = (different.len(), at.start);
        }
    }
    let before = text[..best.1].char_indices().rev().take(LENGTH / 4).last();
    before.map_or(best.1, |(at, _)| at)
}

fn nth_char(text: &str, start: usize, n: usize) -> usize {
    let nth = text[start..].char_indices().nth(n);
    nth.map_or(text.len(), |(at, _)| start + at)
}

/// Not within a word, unless that is very long.
fn word_start(text: &str, at: usize) -> usize {
    let before = text[..at].chars().next_back();
    if before.is_none_or(|c| !c.is_alphanumeric()) {
        return at;
    }
    let end = text[at..]
        .char_indices()
        .take(30)
        .find(|(_, c)| c.is_whitespace());
    end.map_or(at, |(length, _)| at + length)
}

fn word_end(text: &str, at: usize) -> usize {
    let end = text[at..]
        .char_indices()
        .take(30)
        .find(|(_, c)| !c.is_alphanumeric());
    end.map_or(at, |(length, _)| at + length)
}

/// On one line, with an ellipsis where the text goes on.
fn cut(text: &str, range: Range<usize>, matches: impl Iterator<Item = Range<usize>>) -> Snippet {
    let mut snippet = Snippet {
        text: String::new(),
        matches: Vec::new(),
    };
    if range.start > 0 {
        snippet.text.push('…');
    }
    let mut at = range.start;
    for found in matches {
        push_flat(&mut snippet.text, &text[at..found.start]);
        let start = snippet.text.len();
        snippet.text.push_str(&text[found.clone()]);
        snippet.matches.push(start..snippet.text.len());
        at = found.end;
    }
    push_flat(&mut snippet.text, text[at..range.end].trim_end());
    if text[range.end..].chars().any(|c| !c.is_whitespace()) {
        snippet.text.push('…');
    }
    snippet
}

fn push_flat(line: &mut String, text: &str) {
    for c in text.chars() {
        if !c.is_whitespace() {
            line.push(c);
        } else if !line.is_empty() && !line.ends_with(' ') && !line.ends_with('…') {
            line.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stretch_with_most_words_is_shown_on_one_line() {
        let filler = "Nothing happens here for a while.\n\n".repeat(20);
        let text =
            format!("A gull.\n\n{filler}The GULL met\nthe férry at noon.\n\n{filler}A ferry.\n");
        let sought = [("gull".to_owned(), false), ("ferr".to_owned(), true)];
        let snippet = best(&text, &sought);
        let shown: Vec<&str> = snippet
            .matches
            .iter()
            .map(|at| &snippet.text[at.clone()])
            .collect();
        assert_eq!(shown, ["GULL", "férry"]);
        assert!(
            snippet.text.contains("The GULL met the férry at noon."),
            "{snippet:?}"
        );
        assert!(snippet.text.starts_with('…') && snippet.text.ends_with('…'));
        assert!(snippet.text.chars().count() < 240);
    }

    #[test]
    fn texts_without_the_words_and_without_blanks_are_shown_from_their_beginning() {
        let snippet = best("Short.\n", &[("title".to_owned(), false)]);
        assert_eq!((&*snippet.text, snippet.matches.len()), ("Short.", 0));
        assert_eq!(best("", &[]).text, "");
        let long = "渡".repeat(5_000);
        let snippet = best(&long, &[("渡".to_owned(), false)]);
        assert!(snippet.text.chars().count() < 240, "{}", snippet.text.len());
    }
}
