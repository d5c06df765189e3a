//! `Folded`: a line as phrases are sought in it: lower case, plain apostrophes, and where its words begin and end.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

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
}

/// Whether a word begins or ends at `at`. Scripts that do not part their words have an edge everywhere.
pub(super) fn is_word_edge(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at..].chars().next();
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

fn is_folded(line: &str) -> bool {
    let stays = |char: char| char.is_ascii() || folded_char(char) == Some(char);
    let alters = |byte: u8| byte.is_ascii_uppercase() | (byte == b'\n');
    !line.bytes().fold(false, |any, byte| any | alters(byte))
        && (line.is_ascii() || line.chars().all(stays))
}

fn folded(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    // Runs of ASCII, nearly all of the text, are folded as bytes.
    while !rest.is_empty() {
        let (run, after) = rest.split_at(ascii_len(rest));
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
    match folded_char(char) {
        Some(folded) => text.push(folded),
        None => text.extend(char.to_lowercase()),
    }
}

/// What a character becomes; `None` if that is several.
fn folded_char(char: char) -> Option<char> {
    match SMALL.get(char as usize) {
        Some(folded) => *folded,
        None => folded_by_library(char),
    }
}

/// What all characters of up to two bytes become.
static SMALL: LazyLock<OfSmall<Option<char>>> = LazyLock::new(|| of_small(folded_by_library));

/// Something of each character of up to two bytes, by its code: the library searches its tables for each that is not ASCII.
pub(super) type OfSmall<T> = Box<[T; 0x800]>;

pub(super) fn of_small<T: Default>(of: impl Fn(char) -> T) -> OfSmall<T> {
    let of = |code: usize| char::from_u32(code as u32).map(&of);
    Box::new(std::array::from_fn(|code| of(code).unwrap_or_default()))
}

fn folded_by_library(char: char) -> Option<char> {
    match char {
        '’' | '‘' | 'ʼ' => Some('\''),
        '“' | '”' => Some('"'),
        other if !is_cased(other) => Some(other),
        other => {
            let mut lower = other.to_lowercase();
            lower.next().filter(|_| lower.next().is_none())
        }
    }
}

fn core(text: &str) -> Range<usize> {
    let start = text.find(char::is_alphanumeric).unwrap_or(text.len());
    let end = text.char_indices().rev().find(|(_, c)| c.is_alphanumeric());
    start..end.map_or(start, |(at, c)| at + c.len_utf8())
}

/// The length of the ASCII that a text begins with. Made to be called for each character: most runs of some scripts are empty.
#[inline]
pub(super) fn ascii_len(text: &str) -> usize {
    const BEYOND: u64 = u64::from_ne_bytes([0x80; 8]);
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(eight) = bytes[at..].first_chunk() {
        let beyond = u64::from_le_bytes(*eight) & BEYOND;
        if beyond != 0 {
            return at + beyond.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + bytes[at..]
        .iter()
        .take_while(|byte| byte.is_ascii())
        .count()
}

/// So many bytes are as `is` says. Made to look at many at once: `is` should not branch.
#[inline(always)]
pub(super) fn count_bytes(text: &[u8], is: impl Fn(u8) -> bool) -> usize {
    // As many as are counted in a byte.
    let pieces = text.chunks(usize::from(u8::MAX));
    let count = |piece: &[u8]| {
        piece
            .iter()
            .fold(0, |count, byte| count + u8::from(is(*byte)))
    };
    pieces.map(|piece| usize::from(count(piece))).sum()
}

/// The text without blanks at its ends, if it is of ASCII that is seen and of single blanks, as most texts are. Made to look at
/// many bytes at once.
pub(super) fn tidy(text: &str) -> Option<&str> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let seen = bytes.iter().fold(true, |all, byte| {
        all & (byte.is_ascii_graphic() | (*byte == b' '))
    });
    let mut pairs = bytes.array_windows();
    (seen && pairs.all(|pair| *pair != [b' '; 2])).then_some(text)
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
        let text = "chapter 関連記事一覧";
        assert!(!is_word_edge(text, 2));
        assert!(is_word_edge(text, "chapter 関連記事".len()));
    }
}
