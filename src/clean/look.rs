//! `Look`: the shape of a line, apart from its words.

use std::sync::LazyLock;

use crate::clean::fold::{OfSmall, ascii_len, is_cased, is_unspaced, of_small};

/// What can be seen of a line without reading it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Look {
    /// Characters; one of a script without blanks counts for two and a half, as it says about as much.
    pub weight: usize,
    /// Words; in scripts without blanks a guess from the characters.
    pub words: usize,
    /// How many sentences end in it.
    pub sentences: usize,
    /// It ends as a sentence does: with a full stop, also inside a closing quote.
    pub stops: bool,
    /// It ends with a question or exclamation mark.
    pub asks: bool,
    /// It ends with a colon.
    pub colon: bool,
    /// It ends with an ellipsis.
    pub ellipsis: bool,
    /// All its letters are capitals.
    pub capitals: bool,
    /// It begins with a small letter or a sign that goes on from the line before.
    pub goes_on: bool,
    /// It begins with a number as list items do.
    pub numbered: bool,
    /// It has letters or digits.
    pub readable: bool,
    /// It has digits and no letters.
    pub number: bool,
    /// It begins with an opening quote or a dash of speech.
    pub quote: bool,
}

/// Closing signs that may follow the stop of a sentence.
const CLOSING: &[char] = &[
    '"', '”', '“', '’', '\'', '»', '«', ')', ']', '」', '』', '）', '›', '*', '_',
];

/// What a character is: the sum of these signs.
mod kind {
    pub(super) const LETTER: u8 = 1;
    pub(super) const DIGIT: u8 = 2;
    pub(super) const UPPER: u8 = 4;
    pub(super) const LOWER: u8 = 8;
    /// Of a script without blanks between words.
    pub(super) const UNSPACED: u8 = 16;
    /// A word goes on after it.
    pub(super) const JOINT: u8 = 32;
    /// After it and a blank another sentence begins.
    pub(super) const STOP: u8 = 64;
    /// A sentence ends with it, also without a blank.
    pub(super) const FULL_STOP: u8 = 128;
    /// What is asked of letters and digits.
    pub(super) const OF_WORDS: u8 = LETTER | DIGIT | UPPER | LOWER;
}

fn kind_of(char: char) -> u8 {
    // The library searches its tables for each of the thousands of characters of these.
    match char {
        '\u{4e00}'..='\u{9fff}' | '\u{3041}'..='\u{3096}' => return kind::LETTER | kind::UNSPACED,
        '\u{ac00}'..='\u{d7a3}' => return kind::LETTER,
        '’' => return kind::JOINT | kind::STOP,
        '”' | '…' => return kind::STOP,
        '\u{2010}'..='\u{205e}' => return 0,
        _ => {}
    }
    let sign = |is: bool, sign: u8| if is { sign } else { 0 };
    let letter = char.is_alphabetic();
    let cased = letter && is_cased(char);
    sign(letter, kind::LETTER)
        | sign(char.is_numeric(), kind::DIGIT)
        | sign(cased && char.is_uppercase(), kind::UPPER)
        | sign(cased && char.is_lowercase(), kind::LOWER)
        | sign(is_unspaced(char), kind::UNSPACED)
        | sign(matches!(char, '\'' | '’' | '-' | '.'), kind::JOINT)
        | sign(
            matches!(char, '.' | '!' | '?' | '…' | '"' | '”' | '»' | '’'),
            kind::STOP,
        )
        | sign(
            matches!(char, '。' | '！' | '？' | '।' | '۔'),
            kind::FULL_STOP,
        )
}

/// The kinds of all characters of up to two bytes.
static KINDS: LazyLock<OfSmall<u8>> = LazyLock::new(|| of_small(kind_of));

/// The same of a byte of ASCII, in operations that the compiler makes vectors of.
#[inline(always)]
fn ascii_kind(byte: u8) -> u8 {
    let sign = |is: bool, sign: u8| u8::from(is) * sign;
    let stop = (byte == b'.') | (byte == b'!') | (byte == b'?') | (byte == b'"');
    sign(byte.is_ascii_uppercase(), kind::LETTER | kind::UPPER)
        | sign(byte.is_ascii_lowercase(), kind::LETTER | kind::LOWER)
        | sign(byte.is_ascii_digit(), kind::DIGIT)
        | sign(is_joint(byte), kind::JOINT)
        | sign(stop, kind::STOP)
}

fn is_joint(byte: u8) -> bool {
    (byte == b'\'') | (byte == b'-') | (byte == b'.')
}

/// 1 for a letter or digit, else 0.
#[inline(always)]
fn is_of_word(kind: u8) -> u8 {
    ((kind / kind::LETTER) | (kind / kind::DIGIT)) & 1
}

/// 1 if a word goes on after bytes of the kinds `a` and `b`, else 0; unless both are joints.
#[inline(always)]
fn goes_on(a: u8, b: u8) -> u8 {
    is_of_word(b) | ((b / kind::JOINT) & is_of_word(a))
}

/// What is counted of a line's characters.
#[derive(Debug, Default, PartialEq)]
struct Count {
    chars: usize,
    unspaced: usize,
    syllables: usize, // of Hangul
    words: usize,
    sentences: usize,
    /// All kinds of letters and digits that occur.
    kinds: u8,
    capitals: usize,
    in_word: bool,
    after_stop: bool,
}

impl Count {
    fn of(text: &str) -> Count {
        let mut count = Count::default();
        let mut rest = text;
        loop {
            let (run, beyond) = rest.split_at(ascii_len(rest));
            count.add_ascii(run.as_bytes());
            let mut chars = beyond.chars();
            let Some(char) = chars.next() else {
                return count;
            };
            let kind = KINDS.get(u32::from(char) as usize).copied();
            let kind = kind.unwrap_or_else(|| kind_of(char));
            count.add(kind, false);
            count.unspaced += usize::from(kind & kind::UNSPACED != 0);
            count.syllables += usize::from(matches!(char, '\u{ac00}'..='\u{d7a3}'));
            rest = chars.as_str();
        }
    }

    fn add_ascii(&mut self, run: &[u8]) {
        /// Shorter runs are not worth it.
        const BYTES_MIN: usize = 24;
        /// So many bytes are counted in a byte.
        const PIECE: usize = 128;
        let joints = || {
            let pairs = run.array_windows();
            pairs.fold(false, |any, [a, b]| any | (is_joint(*a) & is_joint(*b)))
        };
        if run.len() < BYTES_MIN || joints() {
            let kinds = &**KINDS;
            for &byte in run {
                self.add(kinds[usize::from(byte)], byte == b' ');
            }
            return;
        }
        let (first, rest) = run.split_at(2);
        self.add_ascii(first);
        // The kinds of a piece, and of the two bytes before it.
        let mut kinds = [0; 2 + PIECE];
        (kinds[0], kinds[1]) = (ascii_kind(first[0]), ascii_kind(first[1]));
        for piece in rest.chunks(PIECE) {
            for (kind, byte) in kinds[2..].iter_mut().zip(piece) {
                *kind = ascii_kind(*byte);
            }
            let (mut words, mut sentences, mut capitals, mut all) = (0, 0, 0, 0);
            let before = kinds[1..].iter().zip(&kinds);
            for ((&byte, &c), (&b, &a)) in piece.iter().zip(&kinds[2..]).zip(before) {
                words += is_of_word(c) & !goes_on(a, b);
                sentences += u8::from(byte == b' ') & (b / kind::STOP);
                capitals += (c / kind::UPPER) & 1;
                all |= c;
            }
            self.words += usize::from(words);
            self.sentences += usize::from(sentences);
            self.capitals += usize::from(capitals);
            self.kinds |= all & kind::OF_WORDS;
            kinds.copy_within(piece.len()..piece.len() + 2, 0);
        }
        self.chars += rest.len();
        self.in_word = goes_on(kinds[0], kinds[1]) != 0;
        self.after_stop = kinds[1] & kind::STOP != 0;
    }

    #[inline(always)]
    fn add(&mut self, kind: u8, space: bool) {
        self.chars += 1;
        self.kinds |= kind & kind::OF_WORDS;
        self.capitals += usize::from(kind & kind::UPPER != 0);
        let word = kind & (kind::LETTER | kind::DIGIT) != 0 && kind & kind::UNSPACED == 0;
        self.words += usize::from(word & !self.in_word);
        self.in_word = word | (self.in_word & (kind & kind::JOINT != 0));
        let ends = space & self.after_stop | (kind & kind::FULL_STOP != 0);
        self.sentences += usize::from(ends);
        self.after_stop = kind & kind::STOP != 0;
    }

    fn weight(&self) -> usize {
        self.chars + self.unspaced * 3 / 2 + self.syllables * 4 / 5
    }

    fn has(&self, kind: u8) -> bool {
        self.kinds & kind != 0
    }
}

/// [`Look::weight`], and nothing else of it.
pub fn weight(text: &str) -> usize {
    // Below U+0800, the first character of three bytes, none counts for more than one, nor do those from U+2000 to U+2FFF.
    let heavy = |any: bool, byte: u8| any | ((byte >= 0xe0) & (byte != 0xe2));
    match text.bytes().fold(false, heavy) {
        true => Count::of(text).weight(),
        false => text.chars().count(),
    }
}

impl Look {
    /// Looks at a line.
    pub fn at(text: &str) -> Look {
        let count = Count::of(text);
        let mut look = Look {
            words: count.words + count.unspaced / 2,
            weight: count.weight(),
            sentences: count.sentences,
            capitals: count.capitals > 1 && !count.has(kind::LOWER),
            readable: count.has(kind::LETTER | kind::DIGIT),
            number: count.has(kind::DIGIT) && !count.has(kind::LETTER),
            ..Look::default()
        };
        let end = text.trim_end_matches(CLOSING).trim_end();
        look.ellipsis = end.ends_with('…') || end.ends_with("...");
        look.stops = !look.ellipsis && end.ends_with(['.', '。', '।', '۔', '｡']);
        look.asks = end.ends_with(['?', '!', '？', '！', '؟']);
        look.colon = end.ends_with([':', '：']);
        if (look.stops || look.asks || look.ellipsis)
            && !end.ends_with(['。', '！', '？', '।', '۔'])
        {
            look.sentences += 1;
        }
        let mut first = text.chars();
        if let Some(char) = first.next() {
            look.goes_on = char.is_lowercase()
                || matches!(char, ',' | '.' | ';' | ':' | ')' | '’' | '\'') && text.len() < 80
                || char == '\'' && first.next().is_some_and(|c| c == 's');
            look.quote = matches!(
                char,
                '"' | '“' | '„' | '«' | '»' | '‘' | '—' | '–' | '「' | '『'
            );
        }
        let number = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        look.numbered = (1..=3).contains(&number) && text[number..].starts_with(['.', ')', ':']);
        look
    }

    /// A paragraph of running text.
    pub fn is_paragraph(&self) -> bool {
        let sentence = self.stops
            || self.colon && self.words >= 12
            || (self.asks || self.ellipsis) && (self.weight >= 130 || self.sentences > 1);
        sentence && self.words >= 8 && self.weight >= 60 || self.weight >= 180
    }

    /// A paragraph that nobody takes for a teaser or a caption.
    pub fn is_solid(&self) -> bool {
        self.weight >= 260 || self.weight >= 150 && (self.stops || self.asks || self.ellipsis)
    }

    /// A line that could be a headline, of this article or of another.
    pub fn is_headline(&self) -> bool {
        self.words >= 3
            && self.words <= 32
            && self.weight <= 190
            && !self.stops
            && !self.colon
            && !self.goes_on
            && !self.numbered
            && self.readable
            && !self.number
    }

    /// A headline short enough to stand in a list of them.
    pub fn is_listed_headline(&self) -> bool {
        self.is_headline() && self.words <= 22 && self.weight <= 150
    }

    /// A word or a few, no sentence: the name of a thing, a place, a person, a button.
    pub fn is_label(&self) -> bool {
        self.words <= 5 && self.weight <= 48 && !self.stops && !self.ellipsis
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn characters_are_counted_alike_one_by_one_and_many_at_once(
            text in "([a-zA-Z0-9 .!?'\"-]{0,40}|[é’。写 ]{1,2}){0,12}",
        ) {
            let mut one_by_one = Count::default();
            for char in text.chars() {
                let kind = kind_of(char);
                one_by_one.add(kind, char == ' ');
                one_by_one.unspaced += usize::from(kind & kind::UNSPACED != 0);
            }
            prop_assert_eq!(Count::of(&text), one_by_one);
        }
    }

    #[test]
    fn what_kind_a_character_is_does_not_depend_on_how_it_is_looked_up() {
        let sign = |is: bool, sign: u8| if is { sign } else { 0 };
        for char in '\0'..='\u{ffff}' {
            let kind = kind_of(char);
            if char.is_ascii() {
                assert_eq!(ascii_kind(char as u8), kind, "{char:?}");
            }
            assert_eq!(
                kind & kind::LETTER,
                sign(char.is_alphabetic(), kind::LETTER),
                "{char:?}"
            );
            assert_eq!(
                kind & kind::DIGIT,
                sign(char.is_numeric(), kind::DIGIT),
                "{char:?}"
            );
            assert_eq!(
                kind & kind::UNSPACED,
                sign(is_unspaced(char), kind::UNSPACED),
                "{char:?}"
            );
        }
    }

    #[test]
    fn paragraphs_headlines_and_labels_are_told_apart() {
        let paragraph = Look::at(
            "The ferry left the harbour at noon, and nobody on the quay thought anything of it.",
        );
        assert!(paragraph.is_paragraph() && !paragraph.is_headline());
        let headline = Look::at("What is the tide and why has it turned?");
        assert!(headline.is_headline() && !headline.is_paragraph());
        assert!(Look::at("Lifestyle").is_label());
        assert!(
            Look::at(
                "梁振英强调承诺将在两周内解决其住宅的违建问题，并且不会再有任何拖延的情况发生。"
            )
            .is_paragraph()
        );
        assert!(Look::at("港特首梁振英就住宅违建事件道歉").is_headline());
        assert!(Look::at(", shortly after the war.").goes_on);
        assert!(Look::at("“It was late.”").stops);
        assert!(Look::at("3. Einen Spaziergang machen.").numbered);
    }
}
