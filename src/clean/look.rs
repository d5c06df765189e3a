//! `Look`: the shape of a line, apart from its words.

use std::sync::LazyLock;

use crate::clean::fold::{OfSmall, is_cased, is_unspaced, of_small};

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
}

/// What a character does to a count: to where the line is in its words and sentences, and to what is counted.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    /// Its kind, if it is a letter or digit, above where the line is after it: two bits for each place before it.
    after: u16,
    /// What it adds to each of the counts, of sixteen bits each, by the place before it.
    adds: [u64; Place::ALL],
}

/// Where a line is: within a word, and after a stop.
#[derive(Debug, Clone, Copy)]
struct Place(u16);

impl Place {
    const ALL: usize = 4;
    const START: Place = Place(0);
    const IN_WORD: u16 = 1;
    const AFTER_STOP: u16 = 2;
}

const CHARS: u32 = 0;
const WORDS: u32 = 16;
const SENTENCES: u32 = 32;
const CAPITALS: u32 = 48;

impl Step {
    fn new(kind: u8, space: bool) -> Step {
        let mut step = Step {
            after: u16::from(kind & kind::OF_WORDS) << 8,
            ..Step::default()
        };
        let word = kind & (kind::LETTER | kind::DIGIT) != 0 && kind & kind::UNSPACED == 0;
        for (place, adds) in (0..).zip(&mut step.adds) {
            let in_word = place & Place::IN_WORD != 0;
            let after_stop = place & Place::AFTER_STOP != 0;
            let goes_on = word || in_word && kind & kind::JOINT != 0;
            let mut after = Place::IN_WORD * u16::from(goes_on);
            after |= Place::AFTER_STOP * u16::from(kind & kind::STOP != 0);
            step.after |= after << (2 * place);
            let ends = space && after_stop || kind & kind::FULL_STOP != 0;
            *adds = 1 << CHARS
                | u64::from(word && !in_word) << WORDS
                | u64::from(ends) << SENTENCES
                | u64::from(kind & kind::UPPER != 0) << CAPITALS;
        }
        step
    }

    fn take(&self, place: &mut Place, counts: &mut u64, kinds: &mut u16) {
        *counts += self.adds[usize::from(place.0) % Place::ALL];
        *kinds |= self.after;
        place.0 = self.after >> (2 * place.0) & 3;
    }
}

/// The steps of ASCII, by its bytes.
static ASCII: LazyLock<Box<[Step; 128]>> = LazyLock::new(|| {
    let step = |byte| Step::new(ascii_kind(byte as u8), byte == usize::from(b' '));
    Box::new(std::array::from_fn(step))
});

/// The steps of other characters, by their kinds.
static BEYOND: LazyLock<Box<[Step; 256]>> =
    LazyLock::new(|| Box::new(std::array::from_fn(|kind| Step::new(kind as u8, false))));

impl Count {
    fn of(text: &str) -> Count {
        /// Shorter lines are not worth it.
        const BYTES_MIN: usize = 24;
        let bytes = text.as_bytes();
        let joints = || {
            let pairs = bytes.array_windows();
            pairs.fold(false, |any, [a, b]| any | (is_joint(*a) & is_joint(*b)))
        };
        match text.is_ascii() && bytes.len() >= BYTES_MIN && !joints() {
            true => Count::of_ascii(bytes),
            false => Count::by_steps(text),
        }
    }

    fn by_steps(text: &str) -> Count {
        /// So many characters at most are counted in sixteen bits.
        const CHARS_MAX: usize = 1 << 15;
        let mut count = Count::default();
        let (mut place, mut kinds) = (Place::START, 0);
        let (ascii, beyond) = (&**ASCII, &**BEYOND);
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let mut counts = 0;
            let end = bytes.len().min(at + CHARS_MAX);
            while at < end {
                if let Some(step) = ascii.get(usize::from(bytes[at])) {
                    step.take(&mut place, &mut counts, &mut kinds);
                    at += 1;
                    continue;
                }
                let char = text[at..].chars().next().unwrap_or_default();
                let kind = KINDS.get(char as usize).copied();
                let kind = kind.unwrap_or_else(|| kind_of(char));
                beyond[usize::from(kind)].take(&mut place, &mut counts, &mut kinds);
                count.unspaced += usize::from(kind & kind::UNSPACED != 0);
                count.syllables += usize::from(matches!(char, '\u{ac00}'..='\u{d7a3}'));
                at += char.len_utf8();
            }
            let counted = |shift| (counts >> shift) as u16 as usize;
            count.chars += counted(CHARS);
            count.words += counted(WORDS);
            count.sentences += counted(SENTENCES);
            count.capitals += counted(CAPITALS);
        }
        count.kinds = (kinds >> 8) as u8;
        count
    }

    /// The same of ASCII that has no two [joints](is_joint) in a row, many bytes at once.
    fn of_ascii(bytes: &[u8]) -> Count {
        /// So many bytes are counted in a byte.
        const PIECE: usize = 128;
        let mut count = Count {
            chars: bytes.len(),
            ..Count::default()
        };
        // The kinds of a piece, and of the two bytes before it.
        let mut kinds = [0; 2 + PIECE];
        for piece in bytes.chunks(PIECE) {
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
            count.words += usize::from(words);
            count.sentences += usize::from(sentences);
            count.capitals += usize::from(capitals);
            count.kinds |= all & kind::OF_WORDS;
            kinds.copy_within(piece.len()..piece.len() + 2, 0);
        }
        count
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
            let (mut in_word, mut after_stop) = (false, false);
            for char in text.chars() {
                let kind = kind_of(char);
                let is = |sign: u8| kind & sign != 0;
                let word = is(kind::LETTER | kind::DIGIT) && !is(kind::UNSPACED);
                one_by_one.chars += 1;
                one_by_one.words += usize::from(word && !in_word);
                one_by_one.sentences += usize::from(char == ' ' && after_stop || is(kind::FULL_STOP));
                one_by_one.capitals += usize::from(is(kind::UPPER));
                one_by_one.unspaced += usize::from(is(kind::UNSPACED));
                one_by_one.kinds |= kind & kind::OF_WORDS;
                in_word = word || in_word && is(kind::JOINT);
                after_stop = is(kind::STOP);
            }
            prop_assert_eq!(Count::of(&text), one_by_one);
        }
    }

    #[test]
    fn lines_of_any_length_are_counted() {
        let line = "Ähre’s. ".repeat(100_000);
        let count = Count::of(&line);
        let counted = [count.chars, count.words, count.sentences, count.capitals];
        assert_eq!(counted, [800_000, 100_000, 100_000, 100_000]);
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
