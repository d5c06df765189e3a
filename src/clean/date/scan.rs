//! Dates read off a text: the numbers, the names of months beside them, and what stands between.
//!
//! No expressions: a text is cut into numbers, words and signs once, and each number is asked whether a date begins with it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use jiff::civil::Date;

use super::calendar::{self, Calendar, PERSIAN_MONTHS};
use crate::clean::words::LANGUAGES;

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits of any script that the news is written in.
    Number {
        value: u32,
        digits: u8,
    },
    Word,
    Blank,
    Sign(char),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    start: usize,
    end: usize,
}

/// A text cut into tokens.
pub(super) struct Scan<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

/// A date, and its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dated {
    pub(super) date: Date,
    pub(super) tokens: Range<usize>,
}

/// Between the parts of a date stand no more tokens than these.
const BETWEEN_MAX: usize = 6;

impl<'a> Scan<'a> {
    pub(super) fn of(text: &'a str) -> Scan<'a> {
        let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 3);
        for (start, char) in text.char_indices() {
            let end = start + char.len_utf8();
            let last = tokens.last_mut().filter(|last| last.end == start);
            if let Some(digit) = digit(char) {
                if let Some(Token {
                    kind: Kind::Number { value, digits },
                    end: last_end,
                    ..
                }) = last
                {
                    *value = value.saturating_mul(10).saturating_add(digit);
                    *digits = digits.saturating_add(1);
                    *last_end = end;
                    continue;
                }
                let kind = Kind::Number {
                    value: digit,
                    digits: 1,
                };
                tokens.push(Token { kind, start, end });
                continue;
            }
            let kind = match () {
                () if is_of_word(char) => Kind::Word,
                () if char.is_whitespace() || char.is_control() || is_unseen(char) => Kind::Blank,
                () => Kind::Sign(char),
            };
            match last {
                Some(last) if last.kind == kind && !matches!(kind, Kind::Sign(_)) => last.end = end,
                _ => tokens.push(Token { kind, start, end }),
            }
        }
        Scan { text, tokens }
    }

    /// The first date at or after the token.
    pub(super) fn date_from(&self, from: usize) -> Option<Dated> {
        (from..self.tokens.len()).find_map(|at| {
            let (value, digits) = self.number(at)?;
            match digits {
                4 => self.year_first(at, value),
                1..=2 => (self
                    .after_month(at)
                    .filter(|dated| dated.tokens.start >= from))
                .or_else(|| self.day_first(at, value))
                .or_else(|| self.of_era(at, value)),
                _ => None,
            }
        })
    }

    pub(super) fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    pub(super) fn number(&self, at: usize) -> Option<(u32, u8)> {
        match self.kind(at)? {
            Kind::Number { value, digits } => Some((value, digits)),
            _ => None,
        }
    }

    pub(super) fn word(&self, at: usize) -> Option<&'a str> {
        let token = self
            .tokens
            .get(at)
            .filter(|token| token.kind == Kind::Word)?;
        Some(&self.text[token.start..token.end])
    }

    pub(super) fn is_sign(&self, at: usize, signs: &[char]) -> bool {
        matches!(self.kind(at), Some(Kind::Sign(sign)) if signs.contains(&sign))
    }

    /// The bytes of the tokens.
    pub(super) fn bytes(&self, tokens: Range<usize>) -> Range<usize> {
        self.tokens[tokens.start].start..self.tokens[tokens.end - 1].end
    }

    pub(super) fn skip_blank(&self, at: usize) -> usize {
        at + usize::from(self.kind(at) == Some(Kind::Blank))
    }

    fn month_number(&self, at: usize) -> Option<u32> {
        self.number(at)
            .filter(|&(value, digits)| digits <= 2 && (1..=12).contains(&value))
            .map(|(value, _)| value)
    }

    fn day_number(&self, at: usize) -> Option<u32> {
        self.number(at)
            .filter(|&(value, digits)| digits <= 2 && (1..=31).contains(&value))
            .map(|(value, _)| value)
    }

    fn dated(
        &self,
        calendar: Calendar,
        ymd: (u32, u32, u32),
        tokens: Range<usize>,
    ) -> Option<Dated> {
        let date = calendar::day(calendar, ymd.0, ymd.1, ymd.2)?;
        Some(Dated { date, tokens })
    }

    /// `2024-03-25`, `2024. 3. 25.`, `2024年3月25日`, `2024. március 25.`
    fn year_first(&self, at: usize, year: u32) -> Option<Dated> {
        if !calendar::is_year(year) || !self.begins(at) {
            return None;
        }
        let next = self.skip_blank(at + 1);
        if self
            .word(next)
            .is_some_and(|word| word.starts_with(['年', '년']))
        {
            return self.east_asian(at, next + 1, year);
        }
        // Of the years of the Persian calendar only a form that is hardly used for others speaks.
        let persian = calendar::PERSIAN_YEARS.contains(&year);
        let (signs, calendar) = match persian {
            true => (&['/'][..], Calendar::Persian),
            false => (&['-', '/', '.'][..], Calendar::Gregorian),
        };
        for &sign in signs {
            let parted = |at: usize| {
                let at = self.is_sign(at, &[sign]).then_some(at + 1)?;
                Some(if sign == '.' { self.skip_blank(at) } else { at })
            };
            let found = parted(at + 1).and_then(|month_at| {
                let month = self.month_number(month_at)?;
                let day_at = parted(month_at + 1)?;
                let day = self.day_number(day_at)?;
                self.dated(calendar, (year, month, day), at..day_at + 1)
            });
            if found.is_some() {
                return found;
            }
        }
        let month_at = self.skip_between(at + 1, &['.', ',', '-', '/']);
        let (calendar, month, end) = self.month(month_at)?;
        // "In 2024 May 3 people": a blank alone parts nothing unless the word can be nothing else.
        let long = self
            .word(month_at)
            .is_some_and(|word| word.chars().count() >= 5);
        let day_at = self.skip_between(end, &['.', ',', '-', '/']);
        let day = self.day_number(day_at)?;
        let parted = long || self.tokens[at + 1].kind != Kind::Blank;
        if !parted || self.is_sign(day_at + 1, &[':']) {
            return None;
        }
        self.dated(calendar, (year, month, day), at..day_at + 1)
    }

    /// What follows `2024年`.
    fn east_asian(&self, start: usize, after_year: usize, year: u32) -> Option<Dated> {
        let month_at = self.skip_blank(after_year);
        let month = self.month_number(month_at)?;
        let unit = self.skip_blank(month_at + 1);
        self.word(unit)
            .filter(|word| word.starts_with(['月', '월']))?;
        let day_at = self.skip_blank(unit + 1);
        let day = self.day_number(day_at)?;
        let unit = self.skip_blank(day_at + 1);
        self.word(unit)
            .filter(|word| word.starts_with(['日', '일', '號', '号']))?;
        self.dated(Calendar::Gregorian, (year, month, day), start..day_at + 2)
    }

    /// `令和6年3月25日`, `民國113年3月25日`.
    fn of_era(&self, at: usize, year: u32) -> Option<Dated> {
        const ERAS: &[(&str, u32)] = &[
            ("令和", 2018),
            ("平成", 1988),
            ("昭和", 1925),
            ("民國", 1911),
            ("民国", 1911),
        ];
        let era = self.word(at.checked_sub(1)?)?;
        let (_, before) = ERAS.iter().find(|(name, _)| era.ends_with(name))?;
        self.word(at + 1).filter(|word| *word == "年")?;
        self.east_asian(at, at + 2, before + year)
    }

    /// `25.03.2024`, `25. 3. 2024`, `25 March 2024`, `25 de marzo de 2024`, `ngày 25 tháng 3 năm 2024`.
    fn day_first(&self, at: usize, first: u32) -> Option<Dated> {
        if !self.begins(at) {
            return None;
        }
        if let Some(found) = self.numbers_only(at, first) {
            return Some(found);
        }
        let day = self.day_number(at)?;
        let next = self.behind_ordinal(at + 1);
        let month_at = self.skip_between(next, &['.', '-', '/', '–', '\'', '’']);
        let (calendar, month, end) = self.month(month_at)?;
        let (year, end) = self.year(end)?;
        self.dated(calendar, (year, month, day), at..end)
    }

    /// Where the date goes on behind the `st` of `1st`, if that stands there.
    fn behind_ordinal(&self, at: usize) -> usize {
        let is_ordinal = |word: &str| ORDINALS.contains(&word.to_lowercase().as_str());
        at + usize::from(self.word(at).is_some_and(is_ordinal))
    }

    /// `25.03.2024`, `3/25/2024`, `25. 3. 2024`, `25-03-24`. Of `3/4/2024` the day comes first.
    fn numbers_only(&self, at: usize, first: u32) -> Option<Dated> {
        let Some(Kind::Sign(sign @ ('.' | '/' | '-'))) = self.kind(at + 1) else {
            return None;
        };
        let skip = |at| if sign == '.' { self.skip_blank(at) } else { at };
        let second_at = skip(at + 2);
        let (second, digits) = self.number(second_at)?;
        let year_at = skip(second_at + 2);
        if digits > 2 || !self.is_sign(second_at + 1, &[sign]) {
            return None;
        }
        let year = match self.number(year_at)? {
            (year, 4) => year,
            (year, 2) if year_at == at + 4 && self.ends(year_at + 1) => {
                // Newspapers have been on the web since 1989.
                if year >= 89 { 1900 + year } else { 2000 + year }
            }
            _ => return None,
        };
        // `10.11.1999.4` is a number of something.
        let goes_on = self.is_sign(year_at + 1, &['.']) && self.number(year_at + 2).is_some();
        if goes_on {
            return None;
        }
        let (day, month) = match second > 12 && first <= 12 {
            true => (second, first),
            false => (first, second),
        };
        self.dated(Calendar::Gregorian, (year, month, day), at..year_at + 1)
    }

    /// `March 25, 2024`, `Mar/25/2024`, `Tháng 3 25, 2024`: the number is the day, the month stands before it.
    fn after_month(&self, at: usize) -> Option<Dated> {
        let day = self.day_number(at)?;
        let next = self.behind_ordinal(at + 1);
        let (year, end) = self.year(next)?;
        let mut before = at.checked_sub(1)?;
        while matches!(
            self.kind(before),
            Some(Kind::Blank | Kind::Sign('.' | '-' | '/'))
        ) && at - before < 4
        {
            before = before.checked_sub(1)?;
        }
        // A month of two words, or of a word and a number, begins two tokens earlier.
        [before.checked_sub(2), Some(before)]
            .into_iter()
            .flatten()
            .find_map(|month_at| {
                let (calendar, month, end_of_month) = self.month(month_at)?;
                let adjoins = end_of_month > before && end_of_month <= at;
                self.dated(calendar, (year, month, day), month_at..end)
                    .filter(|_| adjoins)
            })
    }

    /// The year of a date, after what may stand between it and what goes before; and the token after it.
    fn year(&self, at: usize) -> Option<(u32, usize)> {
        let year_at = self.skip_between(at, &['.', ',', '-', '/', '–', '\'', '’', '،', '、']);
        let (year, digits) = self.number(year_at)?;
        let short = digits == 2
            && self.is_sign(year_at - 1, &['-', '/', '\'', '’'])
            && self.ends(year_at + 1);
        match digits {
            4 if calendar::is_year(year) && year_at > at => Some((year, year_at + 1)),
            // `25Mar2024`.
            4 if calendar::is_year(year) && self.word(at.wrapping_sub(1)).is_some() => {
                Some((year, year_at + 1))
            }
            2 if short => Some((
                if year >= 89 { 1900 + year } else { 2000 + year },
                year_at + 1,
            )),
            _ => None,
        }
    }

    /// Skips blanks, the signs, and words such as "of" and "de".
    fn skip_between(&self, at: usize, signs: &[char]) -> usize {
        const JOINTS: &[&str] = &[
            "of", "de", "d", "del", "di", "da", "den", "do", "του", "năm", "roku", "anul", "שנת",
        ];
        let mut next = at;
        while next < at + BETWEEN_MAX {
            let joint = |word: &str| {
                JOINTS.contains(&word) || JOINTS.contains(&word.to_lowercase().as_str())
            };
            let skipped = self.kind(next) == Some(Kind::Blank)
                || self.is_sign(next, signs)
                || self.word(next).is_some_and(joint);
            if !skipped {
                break;
            }
            next += 1;
        }
        next
    }

    /// The month that begins at the token, and the token after it; `يناير/كانون الثاني` names it twice.
    fn month(&self, at: usize) -> Option<(Calendar, u32, usize)> {
        let (calendar, month, mut end) = self.one_month(at)?;
        if self.is_sign(end, &['/'])
            && let Some((_, again, end_of_both)) = self.one_month(end + 1)
            && again == month
        {
            end = end_of_both;
        }
        Some((calendar, month, end))
    }

    fn one_month(&self, at: usize) -> Option<(Calendar, u32, usize)> {
        let word = folded(self.word(at)?);
        if word == "tháng" {
            return self.vietnamese_month(at);
        }
        let months = months();
        if self.kind(at + 1) == Some(Kind::Blank)
            && let Some(second) = self.word(at + 2)
            && let Some(&(calendar, month)) = months.get(&format!("{word}_{}", folded(second)))
        {
            return Some((calendar, month, at + 3));
        }
        let found = months.get(word.as_str()).or_else(|| {
            // Hebrew writes "in" as the month's first letter.
            let bare = word.strip_prefix(['ב', 'ל'])?;
            months.get(bare)
        });
        found.map(|&(calendar, month)| (calendar, month, at + 1))
    }

    /// `tháng 3`, `tháng Ba`.
    fn vietnamese_month(&self, at: usize) -> Option<(Calendar, u32, usize)> {
        const NUMBERS: [&str; 12] = [
            "một giêng",
            "hai",
            "ba",
            "tư bốn",
            "năm",
            "sáu",
            "bảy",
            "tám",
            "chín",
            "mười",
            "mười_một",
            "mười_hai",
        ];
        let next = self.skip_blank(at + 1);
        if let Some(month) = self.month_number(next) {
            return Some((Calendar::Gregorian, month, next + 1));
        }
        let word = folded(self.word(next)?);
        let number = |word: &str| {
            let at = NUMBERS
                .iter()
                .position(|names| names.split(' ').any(|name| name == word))?;
            Some(at as u32 + 1)
        };
        let both = self
            .word(next + 2)
            .map(|second| format!("{word}_{}", folded(second)));
        if let Some(month) = both.and_then(|both| number(&both)) {
            return Some((Calendar::Gregorian, month, next + 3));
        }
        number(&word).map(|month| (Calendar::Gregorian, month, next + 1))
    }

    /// No letter of a name (`A2024-03-25`) and no number's sign stands right before the token.
    fn begins(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else {
            return true;
        };
        match self.kind(before) {
            Some(Kind::Word) => !self
                .word(before)
                .is_some_and(|word| word.ends_with(|c: char| c.is_ascii_alphabetic())),
            Some(Kind::Sign('_')) => false,
            Some(Kind::Sign('.' | '/' | '-')) => before == 0 || self.number(before - 1).is_none(),
            _ => true,
        }
    }

    /// No letter, digit or number's sign follows.
    fn ends(&self, at: usize) -> bool {
        match self.kind(at) {
            Some(Kind::Word) => false,
            Some(Kind::Sign('.' | '/' | '-' | ',')) => self.number(at + 1).is_none(),
            _ => true,
        }
    }
}

/// `1st`, `1er`, `1º`.
const ORDINALS: &[&str] = &[
    "st", "nd", "rd", "th", "er", "ère", "e", "º", "ª", "η", "ste", "de", "o", "a",
];

/// The word is the name of a month.
pub(super) fn is_month(word: &str) -> bool {
    months().contains_key(&folded(word.trim_end_matches('.')))
}

/// All names of months, folded.
fn months() -> &'static HashMap<String, (Calendar, u32)> {
    static MONTHS: OnceLock<HashMap<String, (Calendar, u32)>> = OnceLock::new();
    MONTHS.get_or_init(|| {
        let persian = std::iter::once((Calendar::Persian, &PERSIAN_MONTHS));
        let gregorian = LANGUAGES
            .iter()
            .map(|language| (Calendar::Gregorian, &language.months));
        let mut months = HashMap::new();
        for (calendar, names) in gregorian.chain(persian) {
            for (index, names) in names.iter().enumerate() {
                for name in names.split(' ').filter(|name| !name.is_empty()) {
                    // Of two languages that call two months alike the first in the table has it.
                    months
                        .entry(folded(name))
                        .or_insert((calendar, index as u32 + 1));
                }
            }
        }
        months
    })
}

/// Lower case, without what capitals leave out in Greek and add in Turkish.
fn folded(word: &str) -> String {
    let lower = word.chars().flat_map(char::to_lowercase);
    let plain = lower.filter(|&c| c != '\u{307}').map(|c| match c {
        'ά' => 'α',
        'έ' => 'ε',
        'ή' => 'η',
        'ί' | 'ϊ' | 'ΐ' => 'ι',
        'ό' => 'ο',
        'ύ' | 'ϋ' | 'ΰ' => 'υ',
        'ώ' => 'ω',
        'ς' => 'σ',
        other => other,
    });
    plain.collect()
}

/// Letters, and the marks on them that are no letters themselves.
pub(super) fn is_of_word(char: char) -> bool {
    char.is_alphabetic()
        || matches!(
            char,
            '\u{300}'..='\u{36f}'
                | '\u{5b0}'..='\u{5c7}'
                | '\u{64b}'..='\u{65f}'
                | '\u{93c}'
                | '\u{94d}'
                | '\u{9bc}'
                | '\u{9cd}'
                | '\u{e47}'..='\u{e4e}'
                | '\u{200c}'
        )
}

/// Marks of the direction of writing and their like.
fn is_unseen(char: char) -> bool {
    matches!(char, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// The digit that the character is, in Arabic, Persian, Devanagari, Bengali, Thai, full-width and plain digits.
pub(super) fn digit(char: char) -> Option<u32> {
    let zero = match char {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        '\u{966}'..='\u{96f}' => '\u{966}',
        '\u{9e6}'..='\u{9ef}' => '\u{9e6}',
        '\u{e50}'..='\u{e59}' => '\u{e50}',
        '\u{ff10}'..='\u{ff19}' => '\u{ff10}',
        _ => return None,
    };
    Some(char as u32 - zero as u32)
}

/// A digit beyond ASCII may begin with it in UTF-8.
pub(super) fn is_digit_lead(byte: u8) -> bool {
    (byte == 0xd9) | (byte == 0xdb) | (byte == 0xe0) | (byte == 0xef)
}
