//! Days of other calendars that newspapers print, as days of the Gregorian one.

use jiff::civil::Date;

/// Calendars, told by the names of their months or the years of their eras.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calendar {
    Gregorian,
    /// Solar Hijri, of Iran and Afghanistan.
    Persian,
}

/// Months of the Solar Hijri calendar, in Persian and in Dari.
pub(super) const PERSIAN_MONTHS: [&str; 12] = [
    "فروردین حمل",
    "اردیبهشت ثور",
    "خرداد جوزا",
    "تیر سرطان",
    "مرداد امرداد اسد",
    "شهریور سنبله",
    "مهر میزان",
    "آبان عقرب",
    "آذر قوس",
    "دی جدی",
    "بهمن دلو",
    "اسفند حوت",
];

/// Years that only the Solar Hijri calendar can mean in the news: 1981 to 2072.
pub(super) const PERSIAN_YEARS: std::ops::RangeInclusive<u32> = 1360..=1450;
/// Years of the Buddhist era that stand for 1957 to 2099; Thailand counts 543 years more.
const BUDDHIST_YEARS: std::ops::RangeInclusive<u32> = 2500..=2642;
/// The web began in 1989; scanned archives go further back. Nothing is published centuries ahead.
const YEARS: std::ops::RangeInclusive<u32> = 1800..=2200;

/// A number that can be the year of a date.
pub(super) fn is_year(year: u32) -> bool {
    YEARS.contains(&year) || BUDDHIST_YEARS.contains(&year) || PERSIAN_YEARS.contains(&year)
}

/// The day, if there is such a day.
pub(super) fn day(calendar: Calendar, year: u32, month: u32, day: u32) -> Option<Date> {
    match calendar {
        Calendar::Persian if PERSIAN_YEARS.contains(&year) => persian(year, month, day),
        Calendar::Persian => None,
        Calendar::Gregorian => {
            let year = match BUDDHIST_YEARS.contains(&year) {
                true => year - 543,
                false => year,
            };
            let known = YEARS.contains(&year);
            let date = Date::new(
                year as i16,
                i8::try_from(month).ok()?,
                i8::try_from(day).ok()?,
            );
            date.ok().filter(|_| known)
        }
    }
}

/// The first half of the Persian year has months of 31 days, the rest of 30; leap years come 8 times in 33 years.
fn persian(year: u32, month: u32, day: u32) -> Option<Date> {
    let length = if month <= 6 { 31 } else { 30 };
    if !(1..=12).contains(&month) || !(1..=length).contains(&day) {
        return None;
    }
    let before = if month <= 6 {
        (month - 1) * 31
    } else {
        186 + (month - 7) * 30
    };
    // 1 Farvardin 1370 was 21 March 1991; of the cycle of 33 years, it was the first.
    let years = i64::from(year) - 1370;
    let leaps = (years.div_euclid(33)) * 8 + leaps_in_cycle(years.rem_euclid(33));
    let days = years * 365 + leaps + i64::from(before + day) - 1;
    let first = Date::new(1991, 3, 21).ok()?;
    first
        .checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()
}

/// Leap years among the first `years` of a cycle that begins with 1370, the leap year: 1370, 1375, 1379 and so on.
fn leaps_in_cycle(years: i64) -> i64 {
    const LEAPS: [i64; 8] = [0, 5, 9, 13, 17, 21, 25, 29];
    LEAPS.iter().filter(|&&leap| leap < years).count() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_other_calendars_are_found() {
        let gregorian = |calendar, y, m, d| day(calendar, y, m, d).map(|date| date.to_string());
        for (y, m, d, expected) in [
            (1403, 1, 6, "2024-03-25"),
            (1403, 1, 1, "2024-03-20"),
            (1403, 12, 30, "2025-03-20"),
            (1404, 1, 1, "2025-03-21"),
            (1400, 10, 11, "2022-01-01"),
            (1399, 12, 30, "2021-03-20"),
            (1370, 1, 1, "1991-03-21"),
            (1365, 1, 1, "1986-03-21"),
        ] {
            assert_eq!(
                gregorian(Calendar::Persian, y, m, d).as_deref(),
                Some(expected)
            );
        }
        assert_eq!(
            gregorian(Calendar::Gregorian, 2567, 3, 25).as_deref(),
            Some("2024-03-25")
        );
        assert_eq!(gregorian(Calendar::Gregorian, 2024, 2, 30), None);
        assert_eq!(gregorian(Calendar::Persian, 2024, 1, 1), None);
    }
}
