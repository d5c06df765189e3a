//! `Folded`: a line as phrases are sought in it: lower case, plain apostrophes, and where its words begin and end.

use std::borrow::Cow;
use std::ops::Range;

/// A folded line.
#[derive(Debug)]
pub struct Folded<'a> {
    /// Lower case, with plain apostrophes and quotes.
    pub text: Cow<'a, str>,
    /// From its first letter or digit to its last.
    pub core: Range<usize>,
}

impl<'a> Folded<'a> {
    /// Folds a line.
    pub fn new(line: &'a str) -> Folded<'a> {
        let text = match is_folded(line) {
            true => Cow::Borrowed(line),
            false => Cow::Owned(folded(line)),
        };
        let core = core(&text);
        Folded { text, core }
    }

    /// The line from its first letter or digit to its last.
    pub fn core(&self) -> &str {
        &self.text[self.core.clone()]
    }

    /// Whether a word begins or ends at `at`. Scripts that do not part their words have an edge everywhere.
    pub fn is_word_edge(&self, at: usize) -> bool {
        let before = self.text[..at].chars().next_back();
        let after = self.text[at..].chars().next();
        match (before, after) {
            (Some(before), Some(after)) => {
                !before.is_alphanumeric()
                    || !after.is_alphanumeric()
                    || is_unspaced(before)
                    || is_unspaced(after)
            }
            _ => true,
        }
    }
}

fn is_folded(line: &str) -> bool {
    let plain = |c: char| !c.is_uppercase() && !matches!(c, '’' | '‘' | 'ʼ' | '“' | '”' | '\n');
    !line.bytes().any(|byte| byte.is_ascii_uppercase()) && line.chars().all(plain)
}

fn folded(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    // Runs of ASCII, nearly all of the text, are folded as bytes.
    while !rest.is_empty() {
        let beyond = rest.bytes().position(|byte| !byte.is_ascii());
        let (run, after) = rest.split_at(beyond.unwrap_or(rest.len()));
        text.push_str(run);
        let mut chars = after.chars();
        if let Some(char) = chars.next() {
            fold(char, &mut text);
        }
        rest = chars.as_str();
    }
    text.make_ascii_lowercase();
    match text.contains('\n') {
        true => text.replace('\n', " "),
        false => text,
    }
}

fn fold(char: char, text: &mut String) {
    let plain = match char {
        '’' | '‘' | 'ʼ' => '\'',
        '“' | '”' => '"',
        other => other,
    };
    match is_cased(plain) {
        true => text.extend(plain.to_lowercase()),
        false => text.push(plain),
    }
}

fn core(text: &str) -> Range<usize> {
    let start = text.find(char::is_alphanumeric).unwrap_or(text.len());
    let end = text.char_indices().rev().find(|(_, c)| c.is_alphanumeric());
    start..end.map_or(start, |(at, c)| at + c.len_utf8())
}

/// Whether a character may have a small and a capital form: punctuation, Chinese characters, kana and Hangul, of which some
/// texts have thousands, do not.
pub(super) fn is_cased(char: char) -> bool {
    !matches!(
        char,
        '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
    )
}

/// Scripts written without blanks between words: Chinese characters, kana, Thai, Lao, Khmer, Burmese.
pub fn is_unspaced(char: char) -> bool {
    matches!(
        char,
        '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{20000}'..='\u{323af}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_folded_and_its_core_found() {
        let folded = Folded::new("» DON’T Miss: ");
        assert_eq!(folded.text, "» don't miss: ");
        assert_eq!(folded.core(), "don't miss");
    }

    #[test]
    fn words_end_where_scripts_part_them() {
        let folded = Folded::new("chapter 関連記事一覧");
        assert!(!folded.is_word_edge(2));
        assert!(folded.is_word_edge("chapter 関連記事".len()));
    }
}
