//! Words as they are sought: without case and diacritics; of scripts that do not part their words, each character is one.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The words of `text` with their places.
pub(super) fn words(text: &str) -> impl Iterator<Item = (Range<usize>, String)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphanumeric)?;
        let mut chars = text[start..].char_indices();
        let is_single = chars.next().is_some_and(|(_, c)| is_unspaced(c));
        let end = chars.find(|(_, c)| {
            !is_combining_mark(*c) && (is_single || !c.is_alphanumeric() || is_unspaced(*c))
        });
        at = end.map_or(text.len(), |(length, _)| start + length);
        Some((start..at, fold(&text[start..at])))
    })
}

/// All words, as the index takes them.
pub(super) fn joined(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for (_, word) in words(text) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(&word);
    }
    joined
}

fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    for c in word
        .nfkd()
        .filter(|c| !is_diacritic(*c))
        .flat_map(char::to_lowercase)
    {
        match c {
            // What does not decompose.
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'ı' => folded.push('i'),
            // Of `İ` in lower case.
            '\u{307}' => {}
            c => folded.push(c),
        }
    }
    folded
}

/// Marks that a reader leaves out when typing: accents, and the points of Arabic and Hebrew. Vowel signs of other scripts stay.
fn is_diacritic(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// Han, kana, Thai, Lao, Myanmar and Khmer.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_keep_their_places() {
        let text = "Ada’s FÄHRE — Großes Öl, Łódź 2nd İzmir 渡轮coming";
        let found: Vec<(&str, String)> = words(text).map(|(at, word)| (&text[at], word)).collect();
        let expected = [
            ("Ada", "ada"),
            ("s", "s"),
            ("FÄHRE", "fahre"),
            ("Großes", "grosses"),
            ("Öl", "ol"),
            ("Łódź", "lodz"),
            ("2nd", "2nd"),
            ("İzmir", "izmir"),
            ("渡", "渡"),
            ("轮", "轮"),
            ("coming", "coming"),
        ];
        assert_eq!(
            found,
            expected.map(|(word, folded)| (word, folded.to_owned()))
        );
        assert_eq!(joined("a\u{301}b ... c"), "ab c");
        assert_eq!(joined(" …\n"), "");
    }
}
