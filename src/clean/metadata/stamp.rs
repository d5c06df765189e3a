//! Moments as machines write them (ISO 8601 and its cousins, RFC 2822, Unix time), made one form, with the zone as declared.

/// `2024-03-25`, or with the time `2024-03-25T09:30:00` and the zone, if one was declared, `+01:00` or `Z`. `None` for what is
/// no moment a page can have been published at.
pub fn stamp(text: &str) -> Option<String> {
    let text = text.trim();
    iso(text).or_else(|| unix(text)).or_else(|| mail(text))
}

/// The web began in 1989; scanned archives go further back. Nothing is published centuries ahead.
const YEARS: std::ops::RangeInclusive<u32> = 1800..=2199;

fn day(year: u32, month: u32, day: u32) -> Option<String> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    let valid = YEARS.contains(&year) && (1..=days).contains(&day);
    valid.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// Digits that are read off the front of a text.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn digits(&mut self, min: usize, max: usize) -> Option<u32> {
        let count = self
            .0
            .bytes()
            .take(max)
            .take_while(u8::is_ascii_digit)
            .count();
        if count < min {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        digits.parse().ok()
    }

    fn sign(&mut self, signs: &[char]) -> bool {
        match self.0.strip_prefix(signs) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// `09:30`, `09:30:15.123`, `0930`; then a zone.
    fn time(&mut self) -> Option<String> {
        let hour = self.digits(1, 2)?;
        let parted = self.sign(&[':', '.', 'h', 'H']);
        let minute = self.digits(2, 2)?;
        let mut second = 0;
        if self.sign(&[':', '.']) || !parted && self.0.starts_with(|c: char| c.is_ascii_digit()) {
            second = self.digits(2, 2)?;
            if self.sign(&['.', ',']) {
                self.digits(1, 9);
            }
        }
        let valid = hour < 24 && minute < 60 && second < 61;
        valid.then(|| {
            format!(
                "T{hour:02}:{minute:02}:{:02}{}",
                second.min(59),
                self.zone()
            )
        })
    }

    fn zone(&mut self) -> String {
        let zone = self.0.trim_start();
        if zone.starts_with(['Z', 'z'])
            || zone.starts_with("UTC")
            || zone.starts_with("GMT") && !zone[3..].starts_with(['+', '-'])
        {
            return "Z".to_owned();
        }
        let zone = zone.strip_prefix("GMT").unwrap_or(zone);
        let Some(sign) = zone
            .chars()
            .next()
            .filter(|sign| matches!(sign, '+' | '-' | '−'))
        else {
            return String::new();
        };
        let mut reader = Reader(&zone[sign.len_utf8()..]);
        let Some(hours) = reader.digits(1, 2).filter(|&hours| hours <= 14) else {
            return String::new();
        };
        reader.sign(&[':']);
        let minutes = reader
            .digits(2, 2)
            .filter(|&minutes| minutes < 60)
            .unwrap_or(0);
        let sign = if sign == '+' { '+' } else { '-' };
        format!("{sign}{hours:02}:{minutes:02}")
    }
}

/// `2024-03-25T09:30+01:00`, `2024-03-25 09:30`, `2024/3/25`, `20240325`, `20240325T093000Z`.
fn iso(text: &str) -> Option<String> {
    let mut reader = Reader(text);
    let year = reader.digits(4, 4)?;
    let parted = reader.sign(&['-', '/', '.']);
    let least = if parted { 1 } else { 2 };
    let month = reader.digits(least, 2)?;
    if parted && !reader.sign(&['-', '/', '.']) {
        return None;
    }
    let date = day(year, month, reader.digits(least, 2)?)?;
    if !parted && reader.0.starts_with(|c: char| c.is_ascii_digit()) {
        // More digits than a date has: Unix time, or `20240325093000`.
        return (text.len() == 14)
            .then(|| reader.time())
            .flatten()
            .map(|time| date + &time);
    }
    if !reader.sign(&['T', 't', ' ', ',']) {
        return reader
            .0
            .is_empty()
            .then_some(date)
            .or_else(|| iso_tail(text));
    }
    reader.0 = reader.0.trim_start_matches([' ', ',', '-', '|']);
    let time = reader.time().unwrap_or_default();
    Some(date + &time)
}

/// A date with a zone but no time (`2024-03-25Z`, `2024-03-25+01:00`) is a date.
fn iso_tail(text: &str) -> Option<String> {
    let (date, rest) = text.split_at_checked(10)?;
    rest.starts_with(['Z', '+', '-'])
        .then(|| iso(date))
        .flatten()
}

/// Seconds or milliseconds since 1970.
fn unix(text: &str) -> Option<String> {
    let seconds: i64 = match text.len() {
        9..=10 => text.parse().ok()?,
        12..=13 => text.parse::<i64>().ok()? / 1000,
        _ => return None,
    };
    let moment = jiff::Timestamp::from_second(seconds).ok()?;
    Some(moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// `Mon, 25 Mar 2024 09:30:00 +0100` (RFC 2822) and `Mon Mar 25 09:30:00 CET 2024` (Java, JavaScript, C).
fn mail(text: &str) -> Option<String> {
    if text.len() > 60 {
        return None;
    }
    let mut words = text
        .split([' ', ',', '-'])
        .filter(|word| !word.is_empty())
        .peekable();
    // The name of the day, if any.
    words.next_if(|word| {
        word.len() >= 3 && word.chars().all(char::is_alphabetic) && month_of(word).is_none()
    });
    let first = words.next()?;
    let second = words.next()?;
    let (month, date) = match month_of(first) {
        Some(month) => (month, second),
        None => (month_of(second)?, first),
    };
    let date: u32 = date
        .trim_end_matches(['s', 't', 'n', 'd', 'r', 'h'])
        .parse()
        .ok()?;
    let rest: Vec<&str> = words.collect();
    let year = rest
        .iter()
        .find(|word| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit()))?;
    let date = day(year.parse().ok()?, month, date)?;
    let Some(at) = rest
        .iter()
        .position(|word| word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit()))
    else {
        return Some(date);
    };
    // The dash that parted the words may have been the zone's.
    let from = rest[at].as_ptr() as usize - text.as_ptr() as usize;
    let mut reader = Reader(&text[from..]);
    let afternoon = text[from..].to_ascii_lowercase().contains("pm");
    let morning = text[from..].to_ascii_lowercase().contains("am");
    if afternoon || morning {
        return Some(date);
    }
    let time = reader.time()?;
    Some(date + &time)
}

fn month_of(word: &str) -> Option<u32> {
    let start = word.get(..3)?;
    let month = MONTHS
        .iter()
        .position(|month| start.eq_ignore_ascii_case(month))?;
    Some(month as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_machines_write_become_one() {
        let cases = [
            ("2024-03-25T09:30:00+01:00", "2024-03-25T09:30:00+01:00"),
            ("2024-03-25T09:30:00.123Z", "2024-03-25T09:30:00Z"),
            ("2024-03-25T09:30+0100", "2024-03-25T09:30:00+01:00"),
            ("2024-03-25 09:30:00 +02:00", "2024-03-25T09:30:00+02:00"),
            ("2024-03-25 09:30", "2024-03-25T09:30:00"),
            ("2024/3/5", "2024-03-05"),
            ("20240325", "2024-03-25"),
            ("20240325T093000Z", "2024-03-25T09:30:00Z"),
            ("20240325093000", "2024-03-25T09:30:00"),
            ("2024-03-25Z", "2024-03-25"),
            ("1711359000", "2024-03-25T09:30:00Z"),
            ("1711359000000", "2024-03-25T09:30:00Z"),
            (
                "Mon, 25 Mar 2024 09:30:00 +0100",
                "2024-03-25T09:30:00+01:00",
            ),
            (
                "Mon, 25 Mar 2024 09:30:00 -0500",
                "2024-03-25T09:30:00-05:00",
            ),
            ("Mon Mar 25 09:30:00 GMT 2024", "2024-03-25T09:30:00Z"),
            ("March 25, 2024", "2024-03-25"),
            ("25 March 2024", "2024-03-25"),
        ];
        for (text, expected) in cases {
            assert_eq!(stamp(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "2024",
            "2024-13-01",
            "2023-02-29",
            "0001-01-01T00:00:00",
            "soon",
            "é",
            "12345678901234567890",
            "2024-0",
            "Mär",
        ] {
            assert_eq!(stamp(text), None, "{text}");
        }
    }
}
