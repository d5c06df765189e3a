//! Dates as people write them, in the languages of the news.

mod calendar;
mod scan;
mod time;
mod words;

use std::ops::Range;

use scan::Scan;
pub use words::Role;

use crate::clean::fold::count_bytes;

/// A date in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `2024-03-25`, or `2024-03-25T09:30:00+01:00` if time and zone stand with it.
    pub value: String,
    /// Where, with the time if one follows.
    pub span: Range<usize>,
}

/// The first date in `text`, if there is one. Of `3/4/2024` the day comes first, unless that cannot be.
pub fn find(text: &str) -> Option<Found> {
    if !may_hold_date(text) {
        return None;
    }
    let scan = Scan::of(text);
    next(&scan, 0).map(|(found, _)| found)
}

/// The dates of a short text, each with what the words beside it say that it is the day of.
pub fn all(text: &str) -> Vec<(Found, Option<Role>)> {
    const DATES_MAX: usize = 8;
    if !may_hold_date(text) {
        return Vec::new();
    }
    let scan = Scan::of(text);
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while let Some((date, end)) = next(&scan, at).filter(|_| found.len() < DATES_MAX) {
        found.push(date);
        at = end;
    }
    let labels = if found.is_empty() {
        Vec::new()
    } else {
        words::labels(text)
    };
    let roles: Vec<_> = (0..found.len())
        .map(|index| role(&found, index, &labels))
        .collect();
    found.into_iter().zip(roles).collect()
}

/// The word is the name of a month.
pub fn is_month(word: &str) -> bool {
    scan::is_month(word)
}

/// The word may stand in a line that is but a date: a label, a day of the week, "at".
pub fn is_of_date_line(word: &str) -> bool {
    words::stands_beside_dates(word)
}

/// The text says that something was published or changed.
pub fn is_labelled(text: &str) -> bool {
    !words::labels(text).is_empty()
}

/// What the first label in the text says.
pub fn role_of(text: &str) -> Option<Role> {
    words::labels(text).first().map(|&(_, role)| role)
}

/// The last label between the date before and this one; or, of the last date, one that follows.
fn role(found: &[Found], index: usize, labels: &[(Range<usize>, Role)]) -> Option<Role> {
    let from = index
        .checked_sub(1)
        .map_or(0, |before| found[before].span.end);
    let span = &found[index].span;
    let before = labels
        .iter()
        .rev()
        .find(|(label, _)| label.start >= from && label.end <= span.start);
    // "25 March (updated)": of several dates it would lead the next.
    let after = || {
        let last = index + 1 == found.len();
        labels
            .iter()
            .find(|(label, _)| last && index == 0 && label.start >= span.end)
    };
    before.or_else(after).map(|&(_, role)| role)
}

/// A line that is nothing but a date, a time, and words such as "published" or the day of the week.
pub fn is_date_line(line: &str) -> bool {
    const CHARS_MAX: usize = 90;
    if line.len() > CHARS_MAX * 3 || line.chars().count() > CHARS_MAX {
        return false;
    }
    let dates = all(line);
    if dates.is_empty() {
        // `Published 14.14 | Updated 15:59`: a label must be there, the times of a live blog stand alone.
        let told = holds_time(line) && role_of(line).is_some();
        return words::is_relative(line) || told && is_of_date_words(line);
    }
    let mut from = 0;
    let mut between = String::with_capacity(line.len());
    for (found, _) in &dates {
        between.push_str(&line[from..found.span.start]);
        between.push(' ');
        from = found.span.end;
    }
    between.push_str(&line[from..]);
    is_of_date_words(&between)
}

/// Two digits, a colon or a full stop, two digits.
fn holds_time(line: &str) -> bool {
    let digits = |pair: &[u8]| pair.iter().all(u8::is_ascii_digit);
    line.as_bytes()
        .windows(5)
        .any(|time| digits(&time[..2]) && matches!(time[2], b':' | b'.') && digits(&time[3..]))
}

fn is_of_date_words(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && !scan::is_of_word(c))
        .filter(|word| !word.is_empty())
        .all(is_word_of_date_line)
}

fn is_word_of_date_line(word: &str) -> bool {
    word.chars().all(char::is_numeric)
        || word.chars().count() == 1
        || words::stands_beside_dates(word)
        || words::stands_beside_dates(word.trim_matches(char::is_numeric))
}

/// A line such as `3 hours ago`.
pub fn is_relative(line: &str) -> bool {
    let numbered = || {
        line.bytes().any(|byte| byte.is_ascii_digit())
            || !line.is_ascii() && line.contains(|c| scan::digit(c).is_some())
    };
    line.len() < 60 && numbered() && words::is_relative(line)
}

/// So many digits has the shortest date, `1.2.03`; most lines do not, and are spared the search.
const DIGITS_MIN: usize = 4;

/// The text has as many digits as a date.
pub fn may_hold_date(text: &str) -> bool {
    let ascii = count_bytes(text.as_bytes(), |byte| byte.is_ascii_digit());
    let others = || {
        let leads = count_bytes(text.as_bytes(), scan::is_digit_lead);
        leads + ascii >= DIGITS_MIN
    };
    ascii >= DIGITS_MIN
        || others() && text.chars().filter(|&c| scan::digit(c).is_some()).count() >= DIGITS_MIN
}

/// The first date at or after the token, with its time; and the token after it.
fn next(scan: &Scan<'_>, from: usize) -> Option<(Found, usize)> {
    let dated = scan.date_from(from)?;
    let (mut value, mut end) = (dated.date.to_string(), dated.tokens.end);
    if let Some((time, after)) = time::after(scan, end) {
        // A time without its zone is no moment: the day says all that is known for sure.
        if time.zone.is_some() {
            value.push_str(&time.to_string());
        }
        end = after;
    }
    let span = scan.bytes(dated.tokens.start..end);
    Some((Found { value, span }, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<String> {
        find(text).map(|found| found.value)
    }

    /// Of each language a date, a line that is but a date, a line that tells of a change, and one that counts from today.
    const LANGUAGES: &[(&str, &str, &str, &str, &str)] = &[
        (
            "en",
            "March 25, 2024",
            "Published: Monday, 25 March 2024 at 7:18am",
            "Last updated on 25 March 2024",
            "3 hours ago",
        ),
        (
            "de",
            "25. März 2024",
            "Veröffentlicht am Montag, 25.03.2024, 18:50 Uhr",
            "Aktualisiert am 25. März 2024",
            "vor 3 Stunden",
        ),
        (
            "fr",
            "1er mars 2024",
            "Publié le lundi 25 mars 2024 à 18h50",
            "Mis à jour le 25 mars 2024",
            "il y a 3 heures",
        ),
        (
            "es",
            "25 de marzo de 2024",
            "Publicado el lunes 25 de marzo de 2024 a las 18:50",
            "Actualizado 25 de marzo del 2024",
            "hace 3 horas",
        ),
        (
            "pt",
            "25 de março de 2024",
            "Publicado em segunda-feira, 25 de março de 2024 às 18h50",
            "Atualizado em 25/03/2024",
            "há 3 horas",
        ),
        (
            "it",
            "25 marzo 2024",
            "Pubblicato il lunedì 25 marzo 2024 alle ore 18:50",
            "Aggiornato il 25 marzo 2024",
            "3 ore fa",
        ),
        (
            "nl",
            "25 maart 2024",
            "Gepubliceerd op maandag 25 maart 2024 om 18:50 uur",
            "Bijgewerkt op 25 maart 2024",
            "3 uur geleden",
        ),
        (
            "pl",
            "25 marca 2024",
            "Opublikowano: poniedziałek, 25 marca 2024 r., godz. 18:50",
            "Aktualizacja: 25 marca 2024",
            "3 godziny temu",
        ),
        (
            "cs",
            "25. března 2024",
            "Publikováno v pondělí 25. 3. 2024 18:50",
            "Aktualizováno 25. března 2024",
            "před 3 hodinami",
        ),
        (
            "sk",
            "25. marca 2024",
            "Zverejnené: pondelok 25. marca 2024 o 18:50",
            "Aktualizované 25. 3. 2024",
            "pred 3 hodinami",
        ),
        (
            "hu",
            "2024. március 25.",
            "Megjelent: 2024. március 25. hétfő, 18:50",
            "Frissítve: 2024.03.25. 18:50",
            "3 órája",
        ),
        (
            "ro",
            "25 martie 2024",
            "Publicat luni, 25 martie 2024, ora 18:50",
            "Actualizat la 25.03.2024",
            "acum 3 ore",
        ),
        (
            "ca",
            "25 de març de 2024",
            "Publicat el dilluns 25 de març de 2024",
            "Actualitzat el 25/03/2024",
            "fa 3 hores",
        ),
        (
            "sv",
            "25 mars 2024",
            "Publicerad måndag 25 mars 2024 kl. 18.50",
            "Uppdaterad 25 mars 2024",
            "för 3 timmar sedan",
        ),
        (
            "no",
            "25. mars 2024",
            "Publisert mandag 25. mars 2024 kl. 18:50",
            "Sist oppdatert 25.03.2024",
            "for 3 timer siden",
        ),
        (
            "da",
            "25. marts 2024",
            "Publiceret mandag den 25. marts 2024 kl. 18.50",
            "Opdateret 25. marts 2024",
            "for 3 timer siden",
        ),
        (
            "fi",
            "25. maaliskuuta 2024",
            "Julkaistu maanantai 25.3.2024 klo 18:50",
            "Päivitetty 25.3.2024",
            "3 tuntia sitten",
        ),
        (
            "el",
            "25 Μαρτίου 2024",
            "Δημοσιεύτηκε Δευτέρα, 25 ΜΑΡΤΙΟΥ 2024, 18:50",
            "Ενημερώθηκε: 25/03/2024",
            "πριν από 3 ώρες",
        ),
        (
            "ru",
            "25 марта 2024",
            "Опубликовано: понедельник, 25 марта 2024 г. в 18:50",
            "Обновлено 25 марта 2024",
            "3 часа назад",
        ),
        (
            "uk",
            "25 березня 2024",
            "Опубліковано понеділок, 25 березня 2024 р. о 18:50",
            "Оновлено 25 березня 2024",
            "3 години тому",
        ),
        (
            "bg",
            "25 март 2024",
            "Публикувано на 25 март 2024 г., 18:50 ч.",
            "Обновена 25 март 2024",
            "преди 3 часа",
        ),
        (
            "tr",
            "25 Mart 2024",
            "Giriş Tarihi: 25 Mart 2024 Pazartesi, 18:50",
            "Son Güncelleme: 25.03.2024 - 18:50",
            "3 saat önce",
        ),
        (
            "ar",
            "25 مارس/آذار 2024",
            "نشر في: الإثنين ٢٥ مارس ٢٠٢٤ الساعة 18:50",
            "آخر تحديث: 25 آذار 2024",
            "منذ 3 ساعات",
        ),
        (
            "he",
            "25 במרץ 2024",
            "פורסם: יום שני, 25 במרץ 2024, 18:50",
            "עודכן ב-25.03.2024",
            "לפני 3 שעות",
        ),
        (
            "fa",
            "۶ فروردین ۱۴۰۳",
            "تاریخ انتشار: دوشنبه ۶ فروردین ۱۴۰۳ ساعت ۱۸:۵۰",
            "به‌روزرسانی: ۱۴۰۳/۰۱/۰۶",
            "۳ ساعت پیش",
        ),
        (
            "ur",
            "25 مارچ 2024",
            "شائع: پیر 25 مارچ 2024",
            "آخری اپ ڈیٹ 25 مارچ 2024",
            "3 گھنٹے پہلے",
        ),
        (
            "hi",
            "25 मार्च 2024",
            "प्रकाशित: सोमवार, 25 मार्च 2024",
            "अपडेटेड 25 मार्च 2024",
            "3 घंटे पहले",
        ),
        (
            "bn",
            "২৫ মার্চ ২০২৪",
            "প্রকাশিত: সোমবার, ২৫ মার্চ ২০২৪",
            "আপডেট: ২৫ মার্চ ২০২৪",
            "৩ ঘণ্টা আগে",
        ),
        (
            "th",
            "25 มีนาคม 2567",
            "เผยแพร่ วันจันทร์ที่ 25 มีนาคม 2567",
            "อัปเดต 25 มีนาคม 2024",
            "3 ชั่วโมงที่แล้ว",
        ),
        (
            "vi",
            "ngày 25 tháng 3 năm 2024",
            "Thứ Hai, 25/03/2024, 18:50 GMT+07:00",
            "Cập nhật lúc 25 tháng Ba, 2024",
            "3 giờ trước",
        ),
        (
            "id",
            "25 Maret 2024",
            "Diterbitkan Senin, 25 Maret 2024 pukul 18:50 WIB",
            "Diperbarui 25 Maret 2024",
            "3 jam lalu",
        ),
        (
            "ja",
            "令和6年3月25日",
            "公開日時：2024年3月25日(月) 18時50分",
            "最終更新日 2024年3月25日",
            "3時間前",
        ),
        (
            "zh",
            "2024 年 3 月 25 日",
            "发布时间：2024年3月25日 星期一 18:50",
            "更新時間：2024-03-25 18:50",
            "3小时前",
        ),
        (
            "ko",
            "2024년 3월 25일",
            "입력 2024. 3. 25. 오후 6:50",
            "최종수정 2024.03.25 18:50",
            "3시간 전",
        ),
    ];

    #[test]
    fn each_language_has_its_dates() {
        for language in crate::clean::words::LANGUAGES {
            let tested = LANGUAGES.iter().any(|(code, ..)| *code == language.code);
            assert!(tested, "{} has no line in the table", language.code);
        }
        for (code, date, line, changed, relative) in LANGUAGES {
            let day = if *code == "fr" {
                "2024-03-01"
            } else {
                "2024-03-25"
            };
            assert_eq!(value(date).as_deref(), Some(day), "{date}");
            let found = all(line);
            assert_eq!(found.len(), 1, "{line}: {found:?}");
            assert_eq!(found[0].0.value.get(..10), Some("2024-03-25"), "{line}");
            assert_ne!(found[0].1, Some(Role::Changed), "{line}");
            assert!(is_date_line(line), "{line}");
            let found = all(changed);
            assert_eq!(found.len(), 1, "{changed}");
            assert_eq!(found[0].1, Some(Role::Changed), "{changed}");
            assert!(is_date_line(changed), "{changed}");
            assert!(is_relative(relative), "{relative}");
            assert_eq!(find(relative), None, "{relative}");
        }
    }

    #[test]
    fn dates_are_read_in_all_their_forms() {
        for text in [
            "2024-03-25",
            "2024/03/25",
            "25.03.2024",
            "25/3/2024",
            "3/25/2024",
            "25-03-24",
            "25 March 2024",
            "25th of March 2024",
            "25-Mar-2024",
            "25Mar2024",
            "Mar. 25, 2024",
            "March 25th 2024",
            "25 ŞUBAT 2024 değil, 25 MART 2024",
            "Posted by Ann on 25 March, 2024",
        ] {
            let day = if text.contains("ŞUBAT") {
                "2024-02-25"
            } else {
                "2024-03-25"
            };
            assert_eq!(value(text).as_deref(), Some(day), "{text}");
        }
        for text in [
            "no date: 1.234.567 or 99/99/2024",
            "30 February 2024",
            "10.11.1999.4",
            "version 1.2.3456",
            "A2024-03-25",
            "in 2024 may 3 of them",
            "25 March",
            "the year 1400-10-12",
            "192.168.10.25",
            "12 2024",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_counts_with_its_zone_only() {
        for (text, expected) in [
            ("2024-03-25T09:30:00+01:00", "2024-03-25T09:30:00+01:00"),
            ("2025-03-29T11:36:01Z", "2025-03-29T11:36:01Z"),
            ("25 March 2024, 3:05 pm GMT", "2024-03-25T15:05:00Z"),
            (
                "March 25, 2024 12:05 a.m. (EDT)",
                "2024-03-25T00:05:00-04:00",
            ),
            (
                "25 March 2024 | 15:05 GMT+0530",
                "2024-03-25T15:05:00+05:30",
            ),
            ("25.03.2024 - 18:50 Uhr", "2024-03-25"),
            ("Sep 2, 2024, 17:07 IST", "2024-09-02"),
        ] {
            assert_eq!(value(text).as_deref(), Some(expected), "{text}");
        }
        let text = "25.03.2024 - 18:50 Uhr, Port Elan";
        assert_eq!(
            find(text).map(|found| &text[found.span]),
            Some("25.03.2024 - 18:50 Uhr")
        );
    }

    #[test]
    fn labels_tell_the_first_day_from_the_last() {
        let roles =
            |text: &str| -> Vec<_> { all(text).into_iter().map(|(_, role)| role).collect() };
        let (published, changed) = (Some(Role::Published), Some(Role::Changed));
        assert_eq!(
            roles("Published 19 May 2020, updated 20 May 2020"),
            [published, changed]
        );
        assert_eq!(
            roles("Updated: 20 May 2020 | Published: 19 May 2020"),
            [changed, published]
        );
        assert_eq!(roles("19.05.2020 (aktualisiert)"), [changed]);
        assert_eq!(
            roles("19.05.2020, 10:00 Uhr | Aktualisiert: 20.05.2020"),
            [None, changed]
        );
        assert_eq!(roles("Ada Brill, 19 May 2020"), [None]);
    }

    #[test]
    fn lines_that_are_dates_are_told_from_prose() {
        for line in [
            "Uppdaterad 15.59 | Publicerad 14.14",
            "Updated 15:59",
            "19 November 2019",
            "Aktualisiert am 07.01.2026 - 18:50 Uhr",
            "Sep 2, 2024, 17:07 IST",
            "1 day ago",
            "an hour ago",
            "Yesterday",
            "Updated 2 hours ago",
            "11:58, 23 APR 2024",
            "Jueves 21 abril, 2022",
            "June 30, 2026 - 4.34pm",
            "2024-04-23",
            "Published 19 May 2020, updated 20 May 2020",
        ] {
            assert!(is_date_line(line), "{line}");
        }
        for line in [
            "15.59",
            "15:59 The ferry was updated",
            "On March 25, 2024, the ferry sank.",
            "The Agony of 2024-03-25",
            "Friday",
            "Boxing Day 2020",
            "About a week",
            "A day",
        ] {
            assert!(!is_date_line(line), "{line}");
        }
    }
}
