//! The time that stands with a date, and its zone.

use super::scan::{Kind, Scan};
use super::words;

/// A time of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Time {
    hour: u32,
    minute: u32,
    second: u32,
    /// `Z` or `+01:00`, if the text says it.
    pub(super) zone: Option<String>,
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let zone = self.zone.as_deref().unwrap_or("");
        write!(
            f,
            "T{:02}:{:02}:{:02}{zone}",
            self.hour, self.minute, self.second
        )
    }
}

/// Words for the two halves of the day; true for the second.
const HALVES: &[(&str, bool)] = &[
    ("am", false),
    ("pm", true),
    ("πμ", false),
    ("μμ", true),
    ("上午", false),
    ("下午", true),
    ("午前", false),
    ("午後", true),
    ("오전", false),
    ("오후", true),
    ("ص", false),
    ("م", true),
];

/// Names of zones that mean one offset in the news. `IST`, `CST` and `BST` mean several, `ET` changes in summer: they stay unsaid.
const ZONES: &[(&str, &str)] = &[
    ("Z", "Z"),
    ("UTC", "Z"),
    ("GMT", "Z"),
    ("EST", "-05:00"),
    ("EDT", "-04:00"),
    ("CDT", "-05:00"),
    ("MST", "-07:00"),
    ("MDT", "-06:00"),
    ("PST", "-08:00"),
    ("PDT", "-07:00"),
    ("WEST", "+01:00"),
    ("CET", "+01:00"),
    ("MEZ", "+01:00"),
    ("CEST", "+02:00"),
    ("MESZ", "+02:00"),
    ("EET", "+02:00"),
    ("EEST", "+03:00"),
    ("MSK", "+03:00"),
    ("МСК", "+03:00"),
    ("WIB", "+07:00"),
    ("WITA", "+08:00"),
    ("WIT", "+09:00"),
    ("HKT", "+08:00"),
    ("SGT", "+08:00"),
    ("JST", "+09:00"),
    ("KST", "+09:00"),
    ("AEST", "+10:00"),
    ("AEDT", "+11:00"),
];

/// The time right after the date that ends before the token, and the token after it.
pub(super) fn after(scan: &Scan<'_>, at: usize) -> Option<(Time, usize)> {
    const BETWEEN_MAX: usize = 8;
    let mut next = at;
    let mut half = None;
    while scan.number(next).is_none() {
        if let Some(word) = scan.word(next) {
            half = half.or(half_named(word));
            if half_named(word).is_none() && word != "T" && !words::stands_beside_dates(word) {
                return None;
            }
        } else if !is_between(scan.kind(next)?) {
            return None;
        }
        next += 1;
        if next > at + BETWEEN_MAX {
            return None;
        }
    }
    let (hour, digits) = scan.number(next)?;
    let (minute, mut end) = minute(scan, next + 1)?;
    if digits > 2 || hour > 23 || minute > 59 {
        return None;
    }
    let mut second = 0;
    if scan.is_sign(end, &[':']) {
        if let Some((value, 2)) = scan.number(end + 1).filter(|(value, _)| *value < 60) {
            (second, end) = (value, end + 2);
        }
        if scan.is_sign(end, &['.']) && scan.number(end + 1).is_some() {
            end += 2;
        }
    }
    if let Some((second_half, after)) = half_after(scan, end) {
        (half, end) = (Some(second_half), after);
    }
    let hour = match half {
        Some(true) if hour < 12 => hour + 12,
        Some(false) if hour == 12 => 0,
        _ => hour,
    };
    let (zone, end) = zone(scan, end);
    Some((
        Time {
            hour,
            minute,
            second,
            zone,
        },
        end,
    ))
}

fn is_between(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Blank
            | Kind::Sign(
                ',' | ';'
                    | '·'
                    | '|'
                    | '–'
                    | '—'
                    | '-'
                    | ':'
                    | '('
                    | ')'
                    | '（'
                    | '）'
                    | '.'
                    | '،'
                    | '/'
                    | '•'
            )
    )
}

/// `:30`, `.30`, `h30`, `时30分`.
fn minute(scan: &Scan<'_>, at: usize) -> Option<(u32, usize)> {
    let parted = scan.is_sign(at, &[':', '.', '：'])
        || scan
            .word(at)
            .is_some_and(|word| matches!(word, "h" | "H" | "u" | "時" | "时" | "點" | "点" | "시"));
    let next = scan.skip_blank(at + 1);
    let (value, digits) = scan.number(next).filter(|_| parted)?;
    let unit = scan
        .word(next + 1)
        .is_some_and(|word| matches!(word, "分" | "분"));
    (digits == 2 || unit && digits == 1).then_some((value, next + 1 + usize::from(unit)))
}

fn half_named(word: &str) -> Option<bool> {
    let word = word.to_lowercase();
    HALVES
        .iter()
        .find(|(name, _)| *name == word)
        .map(|&(_, second)| second)
}

/// ` pm`, `p.m.`, `PM`.
fn half_after(scan: &Scan<'_>, at: usize) -> Option<(bool, usize)> {
    let at = scan.skip_blank(at);
    let word = scan.word(at)?;
    if let Some(half) = half_named(word).filter(|_| word.len() > 1) {
        return Some((half, at + 1));
    }
    let first = word.to_lowercase();
    let dotted = scan.is_sign(at + 1, &['.'])
        && scan
            .word(at + 2)
            .is_some_and(|word| matches!(word, "m" | "M" | "μ"));
    let half = matches!(first.as_str(), "p" | "μ");
    let end = at + 3 + usize::from(scan.is_sign(at + 3, &['.']));
    (dotted && matches!(first.as_str(), "a" | "p" | "π" | "μ")).then_some((half, end))
}

/// The zone, if it is said, and the token after it and after words such as "Uhr".
fn zone(scan: &Scan<'_>, at: usize) -> (Option<String>, usize) {
    let mut end = at;
    let mut zone = None;
    for _ in 0..3 {
        let next = scan.skip_blank(end);
        let next = next + usize::from(scan.is_sign(next, &['(']));
        if let Some((offset, after)) = offset(scan, next) {
            return (Some(offset), after);
        }
        let Some(word) = scan.word(next) else { break };
        let named = ZONES.iter().find(|(name, _)| *name == word);
        let upper = (2..=4).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase());
        let zone_like = upper && word.ends_with('T');
        let hour = matches!(
            word.to_lowercase().as_str(),
            "uhr" | "hrs" | "hr" | "h" | "น" | "uur" | "ч" | "hours" | "horas"
        );
        if named.is_none() && !zone_like && !hour || zone.is_some() {
            break;
        }
        zone = named.map(|(_, offset)| (*offset).to_owned());
        end = next + 1;
        if scan.is_sign(end, &[')']) {
            end += 1;
        }
        if zone_like && named.is_none() {
            break;
        }
    }
    (zone, end)
}

/// `+01:00`, `+0100`, `+1`? No: an hour alone may be a number of something.
fn offset(scan: &Scan<'_>, at: usize) -> Option<(String, usize)> {
    let sign = match scan.kind(at)? {
        Kind::Sign('+') => '+',
        Kind::Sign('-' | '−') => '-',
        _ => return None,
    };
    let (value, digits) = scan.number(at + 1)?;
    let (hours, minutes, end) = match digits {
        4 => (value / 100, value % 100, at + 2),
        2 if scan.is_sign(at + 2, &[':']) => {
            let (minutes, _) = scan.number(at + 3).filter(|(_, digits)| *digits == 2)?;
            (value, minutes, at + 4)
        }
        _ => return None,
    };
    (hours <= 14 && minutes < 60).then(|| (format!("{sign}{hours:02}:{minutes:02}"), end))
}
