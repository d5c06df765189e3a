//! `Look`: the shape of a line, apart from its words.

use std::sync::LazyLock;

use crate::clean::fold::is_unspaced;

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

/// What a character is.
#[derive(Debug, Clone, Copy)]
struct Kind {
    alphabetic: bool,
    numeric: bool,
    upper: bool,
    lower: bool,
}

impl Kind {
    fn of(char: char) -> Kind {
        let alphabetic = char.is_alphabetic();
        Kind {
            alphabetic,
            numeric: char.is_numeric(),
            upper: alphabetic && char.is_uppercase(),
            lower: alphabetic && char.is_lowercase(),
        }
    }
}

/// The kinds of all characters of up to two bytes: the library searches four tables for one that is not ASCII.
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| ('\0'..'\u{800}').map(Kind::of).collect());

impl Look {
    /// Looks at a line.
    pub fn at(text: &str) -> Look {
        let mut look = Look::default();
        let mut unspaced = 0;
        let mut syllables = 0; // of Hangul
        let mut chars = 0;
        let (mut upper, mut lower, mut letters, mut digits) = (0, 0, 0, 0);
        let mut before = ' ';
        let mut in_word = false;
        let kinds = &*KINDS;
        for char in text.chars() {
            let known = kinds.get(char as usize);
            let kind = known.copied().unwrap_or_else(|| Kind::of(char));
            chars += 1;
            if is_unspaced(char) {
                unspaced += 1;
            }
            syllables += usize::from(matches!(char, '\u{ac00}'..='\u{d7a3}'));
            let Kind {
                alphabetic,
                numeric,
                ..
            } = kind;
            letters += usize::from(alphabetic);
            upper += usize::from(kind.upper);
            lower += usize::from(kind.lower);
            digits += usize::from(numeric);
            let word = (alphabetic || numeric) && !is_unspaced(char);
            look.words += usize::from(word && !in_word);
            in_word = word || (in_word && matches!(char, '\'' | '’' | '-' | '.'));
            let stop = matches!(before, '.' | '!' | '?' | '…' | '"' | '”' | '»' | '’');
            look.sentences +=
                usize::from(char == ' ' && stop || matches!(char, '。' | '！' | '？' | '।' | '۔'));
            before = char;
        }
        look.words += unspaced / 2;
        look.weight = chars + unspaced * 3 / 2 + syllables * 4 / 5;
        look.capitals = upper > 1 && lower == 0;
        look.readable = letters + digits > 0;
        look.number = digits > 0 && letters == 0;
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
