//! What the words around dates say: that a line is but a date, and whether it is the day of publication or of the last change.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::OnceLock;

use foldhash::HashSet;

use crate::clean::fold::is_unspaced;
use crate::clean::phrases::Phrases;
use crate::clean::words::LANGUAGES;

/// What a date is the day of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// "Published"
    Published,
    /// "Updated"
    Changed,
}

/// The labels in a text, in order, each with its place.
pub(super) fn labels(text: &str) -> Vec<(Range<usize>, Role)> {
    let labels = known_labels();
    let lower = lower(text);
    let is_edge = |at: usize| {
        let before = lower[..at].chars().next_back();
        let after = lower[at..].chars().next();
        match (before, after) {
            (Some(before), Some(after)) => {
                !before.is_alphabetic()
                    || !after.is_alphabetic()
                    || is_unspaced(before)
                    || is_hangul(before)
            }
            _ => true,
        }
    };
    let mut found = Vec::new();
    labels.find(&lower, 0..lower.len(), |span, role| {
        found.push((span, role));
    });
    // Of those that begin in one place the longest counts, and the next begins after its end.
    found.sort_by_key(|(span, _)| (span.start, Reverse(span.end)));
    let mut end = 0;
    found.retain(|(span, _)| {
        let is_apart = span.start >= end;
        end = if is_apart { span.end } else { end };
        is_apart && is_edge(span.start) && is_edge(span.end)
    });
    found
}

/// Lower case, byte for byte as long as the text: what would change its length stays as it is.
fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let lower = |c: char| {
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(only), None) if only.len_utf8() == c.len_utf8() => only,
            _ => c,
        }
    };
    text.chars().map(lower).collect()
}

fn is_hangul(char: char) -> bool {
    matches!(char, '\u{ac00}'..='\u{d7a3}')
}

fn known_labels() -> &'static Phrases<Role> {
    static LABELS: OnceLock<Phrases<Role>> = OnceLock::new();
    LABELS.get_or_init(|| {
        let lists = |language: &'static crate::clean::words::Language| {
            [
                (language.published, Role::Published),
                (language.changed, Role::Changed),
            ]
        };
        let lists = LANGUAGES.iter().flat_map(lists);
        Phrases::new(
            lists.flat_map(|(list, role)| {
                list.split('|').map(move |phrase| (phrase.to_owned(), role))
            }),
        )
    })
}

/// The word may stand in a line that is but a date.
pub(super) fn stands_beside_dates(word: &str) -> bool {
    let known = beside();
    let word = word.to_lowercase();
    let word = word.as_str();
    known.contains(word)
        || word.chars().any(|c| is_unspaced(c) || is_hangul(c)) && is_made_of(word, known)
}

/// The word can be cut into known words, the longest first.
fn is_made_of(word: &str, known: &HashSet<&str>) -> bool {
    const BYTES_MAX: usize = 60;
    let mut rest = word;
    while !rest.is_empty() && word.len() <= BYTES_MAX {
        let cut = (1..=rest.len())
            .rev()
            .find(|&cut| rest.get(..cut).is_some_and(|start| known.contains(start)));
        match cut {
            Some(cut) => rest = &rest[cut..],
            None => return false,
        }
    }
    rest.is_empty()
}

fn beside() -> &'static HashSet<&'static str> {
    static BESIDE: OnceLock<HashSet<&'static str>> = OnceLock::new();
    BESIDE.get_or_init(|| {
        let lists = |language: &'static crate::clean::words::Language| {
            [language.around, language.published, language.changed]
        };
        let words = LANGUAGES
            .iter()
            .flat_map(lists)
            .flat_map(|list| list.split([' ', '|']));
        words.filter(|word| !word.is_empty()).collect()
    })
}

/// "3 hours ago", "yesterday 10:30": a day counted from one that the text does not tell.
pub(super) fn is_relative(line: &str) -> bool {
    const WORDS_MAX: usize = 9;
    let part = |c: char| !c.is_alphanumeric() && !is_mark(c);
    let relative = relative();
    let begins = |text: &str| {
        let first = text.split(part).find(|word| !word.is_empty());
        let first = first.map(|word| word.trim_start_matches(char::is_numeric));
        first.is_some_and(|first| first.is_empty() || relative.may_lead(first))
    };
    let first = line.split(part).find(|word| !word.is_empty());
    if !first.is_some_and(|first| begins(&first.to_lowercase())) {
        return false;
    }
    let mut words = line.split(part).filter(|word| !word.is_empty());
    if words.nth(WORDS_MAX).is_some() {
        return false;
    }
    let lower = line.to_lowercase();
    let words: Vec<&str> = lower.split(part).filter(|word| !word.is_empty()).collect();
    let tells = |word: &&str| {
        relative
            .told
            .contains(word.trim_start_matches(char::is_numeric))
    };
    if words.len() > WORDS_MAX || !words.iter().any(tells) {
        return false;
    }
    // What leads it ("Updated") says nothing about the day.
    let labelled = labels(line).first().map_or(0, |(label, _)| {
        line[..label.end]
            .split_whitespace()
            .count()
            .min(words.len())
    });
    let rest = &words[labelled..];
    let most = DAY_WORDS_MAX.min(rest.len());
    let days: Vec<String> = (1..=most).map(|count| rest[..count].join("_")).collect();
    relative
        .languages
        .iter()
        .any(|(units, today)| is_day_named(rest, &days, today) || is_counted(rest, units))
}

/// So many words name a day at most.
const DAY_WORDS_MAX: usize = 3;

/// "yesterday", "yesterday at 10:30". `days`: its first word, the first two, and so on.
fn is_day_named(words: &[&str], days: &[String], today: &[&str]) -> bool {
    let first = days.iter().rposition(|day| today.contains(&day.as_str()));
    let Some(first) = first.map(|first| first + 1) else {
        return false;
    };
    let rest = &words[first..];
    let is_number = |word: &&str| word.chars().all(char::is_numeric);
    let numbers = rest.iter().filter(|word| is_number(word)).count();
    numbers <= 2
        && rest.len() <= 4
        && rest
            .iter()
            .all(|word| is_number(word) || stands_beside_dates(word))
}

/// "3 hours ago", "vor einer Stunde", "3時間前".
fn is_counted(words: &[&str], units: &HashSet<&str>) -> bool {
    let mut known = 0;
    let mut numbers = 0;
    for word in words {
        let letters = word.trim_start_matches(|c: char| c.is_numeric());
        numbers += usize::from(letters.len() < word.len());
        if units.contains(letters) {
            known += 1;
        } else if !letters.is_empty() {
            return false;
        }
    }
    let counted = numbers == 1 || numbers == 0 && words.iter().any(|word| ONE.contains(word));
    counted && known >= 1 && words.iter().any(|word| is_past(word))
}

/// One as a word.
const ONE: &[&str] = &[
    "an", "a", "one", "einer", "einem", "une", "un", "una", "um", "uma", "een", "en", "et", "bir",
];

/// Without such a word a count of hours ("5 minutes") is as well how long something takes.
const PAST: &[&str] = &[
    "ago",
    "vor",
    "il",
    "hace",
    "há",
    "atrás",
    "fa",
    "geleden",
    "temu",
    "před",
    "pred",
    "ezelőtt",
    "acum",
    "sedan",
    "siden",
    "sitten",
    "πριν",
    "назад",
    "тому",
    "преди",
    "önce",
    "منذ",
    "قبل",
    "לפני",
    "پیش",
    "پہلے",
    "पहले",
    "আগে",
    "trước",
    "lalu",
    "perce",
    "órája",
    "napja",
    "hete",
    "hónapja",
    "éve",
];

fn is_past(word: &str) -> bool {
    PAST.contains(&word) || word.ends_with(['前', '전']) || word.ends_with("ที่แล้ว")
}

fn is_mark(char: char) -> bool {
    matches!(
        char,
        '\u{93c}' | '\u{94d}' | '\u{9bc}' | '\u{9cd}' | '\u{e47}'
            ..='\u{e4e}' | '\u{200c}' | '\u{307}'
    )
}

struct Relative {
    /// All words of counts and of days that are named. A line without one counts nothing and names no day.
    told: HashSet<&'static str>,
    /// Of each language the words of a count, and the days that are named.
    languages: Vec<(HashSet<&'static str>, Vec<&'static str>)>,
}

impl Relative {
    /// Such a line may begin with the word: most lines do not, and are spared the rest.
    fn may_lead(&self, word: &str) -> bool {
        self.told.contains(word) || beside().contains(word)
    }
}

fn relative() -> &'static Relative {
    static RELATIVE: OnceLock<Relative> = OnceLock::new();
    RELATIVE.get_or_init(|| {
        let of = |language: &'static crate::clean::words::Language| {
            let units = language.ago.split_ascii_whitespace().collect();
            (units, language.today.split(' ').collect())
        };
        let words = |language: &'static crate::clean::words::Language| {
            language
                .ago
                .split([' ', '_'])
                .chain(language.today.split([' ', '_']))
        };
        let words = LANGUAGES.iter().flat_map(words);
        Relative {
            told: words.filter(|word| !word.is_empty()).collect(),
            languages: LANGUAGES.iter().map(of).collect(),
        }
    })
}
