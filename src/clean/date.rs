//! Dates as people write them, in the languages of the news.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Captures, Regex};

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
    if !text.bytes().any(|byte| byte.is_ascii_digit()) && !text.contains(is_other_digit) {
        return None;
    }
    if !text.contains(is_other_digit) {
        return find_ascii(text);
    }
    let digits: String = text.chars().map(ascii_digit).collect();
    let found = find_ascii(&digits)?;
    // Digits may have become shorter: the span is counted in characters.
    let place = |at: usize| {
        let chars = digits[..at].chars().count();
        text.char_indices()
            .nth(chars)
            .map_or(text.len(), |(at, _)| at)
    };
    Some(Found {
        span: place(found.span.start)..place(found.span.end),
        value: found.value,
    })
}

fn find_ascii(text: &str) -> Option<Found> {
    // Every form has at least four digits; most lines do not, and are spared the expressions.
    if text.bytes().filter(u8::is_ascii_digit).count() < DIGITS_MIN {
        return None;
    }
    let forms = forms().iter();
    let found = forms.filter_map(|form| form.find(text));
    let found = found.min_by_key(|(start, ..)| *start);
    found.map(|(start, end, date)| with_time(text, start, end, &date))
}

/// A line that is nothing but a date, a time, and words such as "published" or the day of the week.
pub fn is_date_line(line: &str) -> bool {
    const CHARS_MAX: usize = 90;
    if line.len() > CHARS_MAX * 3 || line.chars().count() > CHARS_MAX {
        return false;
    }
    let lower = line.to_lowercase();
    let mut rest = match find(line) {
        Some(found) => {
            format!("{} {}", &line[..found.span.start], &line[found.span.end..]).to_lowercase()
        }
        None if relative().is_match(&lower) => return true,
        None => return false,
    };
    if let Some(second) = find(&rest) {
        rest.replace_range(second.span, " ");
    }
    let words = rest.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .all(is_word_of_date_line)
}

/// A line such as `3 hours ago`.
pub fn is_relative(line: &str) -> bool {
    line.len() < 60
        && line.bytes().any(|byte| byte.is_ascii_digit())
        && relative().is_match(&line.to_lowercase())
}

/// Whether the words around a date say that it is that of the last change.
pub fn is_of_change(line: &str) -> bool {
    let lower = line.to_lowercase();
    CHANGED.iter().any(|word| lower.contains(word))
}

const CHANGED: &[&str] = &[
    "updated",
    "modified",
    "aktualisiert",
    "mis à jour",
    "modifié",
    "actualizado",
    "atualizado",
    "aggiornato",
    "bijgewerkt",
    "aktualizacja",
    "uppdaterad",
    "oppdatert",
    "opdateret",
    "обновлено",
    "güncelleme",
    "更新",
    "수정",
];

/// So many digits has the shortest date, `1.2.03`.
const DIGITS_MIN: usize = 4;

struct Form {
    regex: Regex,
    read: fn(&Captures<'_>) -> Option<(u32, u32, u32)>,
}

type Date = (usize, usize, String);

impl Form {
    fn find(&self, text: &str) -> Option<Date> {
        self.regex.captures_iter(text).find_map(|captures| {
            let (year, month, day) = (self.read)(&captures)?;
            let whole = captures.get_match();
            let value = format!("{year:04}-{month:02}-{day:02}");
            // `jiff` knows the lengths of months.
            value.parse::<jiff::civil::Date>().ok()?;
            (1800..=2200)
                .contains(&year)
                .then(|| (whole.start(), whole.end(), value))
        })
    }
}

fn forms() -> &'static [Form] {
    static FORMS: OnceLock<Vec<Form>> = OnceLock::new();
    FORMS.get_or_init(|| {
        let names: Vec<_> = MONTHS.iter().flat_map(|names| names.split(' ')).collect();
        let month = format!(r"(?P<month>(?:{})\.?)", alternatives(names));
        let form = |pattern: String, read| Form {
            regex: Regex::new(&pattern).expect("the patterns of dates are constants"),
            read,
        };
        vec![
            form(r"\b(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})".into(), numbers as fn(&Captures<'_>) -> _),
            form(r"(?P<y>\d{4})\s?[年년]\s?(?P<m>\d{1,2})\s?[月월]\s?(?P<d>\d{1,2})\s?[日일]".into(), numbers),
            form(r"(?i)\b(?:ngày\s+)?(?P<d>\d{1,2})\s+tháng\s+(?P<m>\d{1,2})[,]?\s+(?:năm\s+)?(?P<y>\d{4})\b".into(), numbers),
            form(r"\b(?P<a>\d{1,2})[./-](?P<b>\d{1,2})[./-](?P<y>\d{4}|\d{2})\b".into(), day_and_month),
            form(format!(r"(?i)\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|º|ª|\.)?[\s-]*(?:of\s+|de\s+|d['’])?{month}[\s,-]*(?:de\s+|del\s+)?(?P<y>\d{{4}})\b"), named),
            form(format!(r"(?i)\b{month}\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}})\b"), named),
        ]
    })
}

fn alternatives(mut names: Vec<&str>) -> String {
    // The longest first: `march` before `mar`.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.dedup();
    names.join("|")
}

fn number(captures: &Captures<'_>, name: &str) -> Option<u32> {
    captures.name(name)?.as_str().parse().ok()
}

fn numbers(captures: &Captures<'_>) -> Option<(u32, u32, u32)> {
    Some((
        number(captures, "y")?,
        number(captures, "m")?,
        number(captures, "d")?,
    ))
}

fn day_and_month(captures: &Captures<'_>) -> Option<(u32, u32, u32)> {
    let (a, b) = (number(captures, "a")?, number(captures, "b")?);
    let year = number(captures, "y")?;
    let year = if year < 100 { 2000 + year } else { year };
    match b > 12 && a <= 12 {
        true => Some((year, a, b)),
        false => Some((year, b, a)),
    }
}

fn named(captures: &Captures<'_>) -> Option<(u32, u32, u32)> {
    let name = captures.name("month")?.as_str().to_lowercase();
    let name = name.trim_end_matches('.');
    let month = MONTHS
        .iter()
        .position(|names| names.split(' ').any(|known| known == name))?;
    Some((
        number(captures, "y")?,
        month as u32 + 1,
        number(captures, "d")?,
    ))
}

/// Adds the time if it stands right after the date together with its zone; takes a bare time into the span.
fn with_time(text: &str, start: usize, end: usize, date: &str) -> Found {
    static TIME: OnceLock<Regex> = OnceLock::new();
    let time = TIME.get_or_init(|| {
        let pattern = r"(?ix)^[\s,;·|–-]*(?:T|at|um|à|a\s+las|às|alle|om|kl\.?|o\s+godz\.|в)?\s*(?P<h>\d{1,2})[:.hH](?P<m>\d{2})(?::(?P<s>\d{2})(?:\.\d+)?)?
            \s*(?P<half>[ap]\.?m\.?)?\s*(?P<zone>Z\b|(?:GMT|UTC)?[+-]\d{2}:?\d{2}\b|GMT\b|UTC\b)?(?:\s*(?:uhr|hrs?|[A-Z]{2,4}T|h)\b)?";
        Regex::new(pattern).expect("a constant")
    });
    let whole = |value: String, end| Found {
        value,
        span: start..end,
    };
    let Some(captures) = time.captures(&text[end..]) else {
        return whole(date.to_owned(), end);
    };
    let after = end + captures.get_match().end();
    let (Some(hour), Some(minute)) = (number(&captures, "h"), number(&captures, "m")) else {
        return whole(date.to_owned(), end);
    };
    let hour = match captures
        .name("half")
        .map(|half| half.as_str().to_lowercase())
    {
        Some(half) if half.starts_with('p') && hour < 12 => hour + 12,
        Some(half) if half.starts_with('a') && hour == 12 => 0,
        _ => hour,
    };
    if hour > 24 || minute > 59 {
        return whole(date.to_owned(), end);
    }
    let Some(zone) = captures
        .name("zone")
        .map(|zone| zone.as_str().to_uppercase())
    else {
        return whole(date.to_owned(), after);
    };
    let offset = zone.trim_start_matches("GMT").trim_start_matches("UTC");
    let offset = match offset {
        "" | "Z" => "Z".to_owned(),
        offset if offset.contains(':') => offset.to_owned(),
        offset => format!("{}:{}", &offset[..3], &offset[3..]),
    };
    let second = number(&captures, "s").unwrap_or(0);
    whole(
        format!("{date}T{hour:02}:{minute:02}:{second:02}{offset}"),
        after,
    )
}

/// "3 hours ago" and its like.
fn relative() -> &'static Regex {
    static RELATIVE: OnceLock<Regex> = OnceLock::new();
    RELATIVE.get_or_init(|| {
        let pattern = r"^\W*(?:(?:published|posted|updated|veröffentlicht)\W+)?(?:\d+|an?|one|vor|il y a|hace|há)\s+(?:\d+\s+)?(?:min(?:ute)?s?|mins|hours?|hrs?|days?|weeks?|months?|years?|minuten?|stunden?|tag(?:en?)?|wochen?|monat(?:en)?|heures?|jours?|semaines?|mois|horas?|días?|semanas?|dias?)(?:\s+(?:ago|atrás|geleden))?\W*$|^\W*(?:today|yesterday|heute|gestern|aujourd'hui|hier|hoy|ayer|hoje|ontem|oggi|ieri|vandaag|gisteren)\W*(?:\d{1,2}[:.h]\d{2}.{0,12})?$";
        Regex::new(pattern).expect("a constant")
    })
}

fn is_word_of_date_line(word: &str) -> bool {
    word.chars().all(|c| c.is_numeric())
        || word.chars().count() == 1
        || AROUND
            .iter()
            .any(|words| words.split(' ').any(|known| known == word))
}

fn is_other_digit(char: char) -> bool {
    ascii_digit(char) != char
}

/// Arabic, Persian, Devanagari, Bengali and full-width digits as ASCII.
fn ascii_digit(char: char) -> char {
    let from = |zero: u32| char::from(b'0' + (u32::from(char) - zero) as u8);
    match char {
        '\u{660}'..='\u{669}' => from(0x660),
        '\u{6f0}'..='\u{6f9}' => from(0x6f0),
        '\u{966}'..='\u{96f}' => from(0x966),
        '\u{9e6}'..='\u{9ef}' => from(0x9e6),
        '\u{ff10}'..='\u{ff19}' => from(0xff10),
        other => other,
    }
}

/// Names of the months, lower case: English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Czech, Swedish,
/// Norwegian, Danish, Finnish, Hungarian, Romanian, Turkish, Indonesian, Russian, Ukrainian, Greek, Arabic, Hindi.
const MONTHS: [&str; 12] = [
    "january jan januar jänner janvier janv enero ene janeiro gennaio gen januari stycznia styczeń sty ledna leden tammikuuta január ianuarie ocak januari января янв січня ιανουαρίου ιαν يناير كانون जनवरी",
    "february feb februar februar février fevrier févr fév febrero fevereiro fev febbraio februari lutego luty února únor helmikuuta február februarie şubat februari февраля фев лютого φεβρουαρίου φεβ فبراير شباط फरवरी फ़रवरी",
    "march mar märz mrz mars marzo março marco maart mrt marca marzec března březen maaliskuuta március martie mart maret марта мар березня μαρτίου μαρ مارس آذار मार्च",
    "april apr avril avr abril abr aprile kwietnia kwiecień dubna duben huhtikuuta április aprilie nisan апреля апр квітня απριλίου απρ أبريل نيسان अप्रैल",
    "may mai mayo maio maggio mag mei maja května květen maj toukokuuta május mayıs мая май травня μαΐου μαϊ مايو أيار मई",
    "june jun juni juin junio junho giugno giu czerwca czerwiec června červen kesäkuuta június iunie haziran июня июн червня ιουνίου ιουν يونيو حزيران जून",
    "july jul juli juillet juil julio julho luglio lug lipca lipiec července červenec heinäkuuta július iulie temmuz июля июл липня ιουλίου ιουλ يوليو تموز जुलाई",
    "august aug août aout agosto ago augustus augusti sierpnia sierpień srpna srpen elokuuta augusztus ağustos agustus августа авг серпня αυγούστου αυγ أغسطس آب अगस्त",
    "september sep sept septembre septiembre setembro set settembre september września wrzesień září syyskuuta szeptember septembrie eylül сентября сен вересня σεπτεμβρίου σεπ سبتمبر أيلول सितंबर",
    "october oct oktober okt octobre octubre outubro out ottobre ott października październik října říjen lokakuuta október octombrie ekim октября окт жовтня οκτωβρίου οκτ أكتوبر تشرين अक्टूबर",
    "november nov novembre noviembre novembro listopada listopad listopadu marraskuuta noiembrie kasım ноября ноя листопада νοεμβρίου νοε نوفمبر नवंबर",
    "december dec dezember dez décembre déc decembre diciembre dic dezembro dicembre desember grudnia grudzień prosince prosinec joulukuuta decembrie aralık desember декабря дек грудня δεκεμβρίου δεκ ديسمبر दिसंबर",
];

/// Words that stand beside dates.
const AROUND: &[&str] = &[
    "published publ posted updated update last modified first on at the of date time ago am pm ist gmt utc est edt cst cdt mst mdt pst pdt bst cet cest hst aest hrs hours and in by",
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun",
    "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so uhr veröffentlicht aktualisiert stand am um vom erstellt zuletzt datum",
    "lundi mardi mercredi jeudi vendredi samedi dimanche publié mis jour modifié le à heures heure date",
    "lunes martes miércoles jueves viernes sábado domingo publicado actualizado actualizada publicada el a las hrs horas fecha",
    "segunda terça quarta quinta sexta feira sábado atualizado atualizada às em",
    "lunedì martedì mercoledì giovedì venerdì sabato domenica pubblicato aggiornato il alle ore",
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag gepubliceerd bijgewerkt op om uur laatst",
    "poniedziałek wtorek środa czwartek piątek sobota niedziela opublikowano aktualizacja data dodano publikacja",
    "måndag tisdag onsdag torsdag fredag lördag söndag publicerad uppdaterad mandag tirsdag lørdag søndag publisert oppdatert offentliggjort opdateret kl klokken",
    "понедельник вторник среда четверг пятница суббота воскресенье опубликовано обновлено в дата г года мск",
    "pazartesi salı çarşamba perşembe cuma cumartesi pazar yayınlanma güncelleme tarihi",
    "公開 更新 配信 掲載 発表 发布 發布 更新 时间 時間 星期一 星期二 星期三 星期四 星期五 星期六 星期日 月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日 입력 수정",
    "thứ hai ba tư năm sáu bảy chủ nhật giờ",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<String> {
        find(text).map(|found| found.value)
    }

    #[test]
    fn dates_of_many_languages_are_read() {
        for text in [
            "2024-03-25",
            "2024/03/25",
            "25.03.2024",
            "25/3/2024",
            "3/25/2024",
            "March 25, 2024",
            "25 March 2024",
            "25th of March 2024",
            "Mar. 25, 2024",
            "25 mars 2024",
            "25. März 2024",
            "25 de marzo de 2024",
            "25 de março de 2024",
            "25 marzo 2024",
            "25 maart 2024",
            "25 marca 2024",
            "25 марта 2024",
            "25 Mart 2024",
            "2024年3月25日",
            "2024년 3월 25일",
            "ngày 25 tháng 3 năm 2024",
            "25 مارس 2024",
            "٢٥ مارس ٢٠٢٤",
            "Published: Monday, March 25, 2024 at 7:18am",
        ] {
            assert_eq!(value(text).as_deref(), Some("2024-03-25"), "{text}");
        }
        assert_eq!(value("no date: 1.234.567 or 99/99/2024"), None);
        assert_eq!(value("30 February 2024"), None);
    }

    #[test]
    fn a_time_counts_with_its_zone_only() {
        assert_eq!(
            value("2024-03-25T09:30:00+01:00").as_deref(),
            Some("2024-03-25T09:30:00+01:00")
        );
        assert_eq!(
            value("2025-03-29T11:36:01Z").as_deref(),
            Some("2025-03-29T11:36:01Z")
        );
        assert_eq!(
            value("25 March 2024, 3:05 pm GMT").as_deref(),
            Some("2024-03-25T15:05:00Z")
        );
        assert_eq!(
            value("25.03.2024 - 18:50 Uhr").as_deref(),
            Some("2024-03-25")
        );
    }

    #[test]
    fn lines_that_are_dates_are_told_from_prose() {
        for line in [
            "19 November 2019",
            "Aktualisiert am 07.01.2026 - 18:50 Uhr",
            "Sep 2, 2024, 17:07 IST",
            "1 day ago",
            "11:58, 23 APR 2024",
            "Jueves 21 abril, 2022",
            "June 30, 2026 - 4.34pm",
            "2024-04-23",
            "Published 19 May 2020, updated 20 May 2020",
        ] {
            assert!(is_date_line(line), "{line}");
        }
        for line in [
            "On March 25, 2024, the ferry sank.",
            "The Agony of 2024-03-25",
            "Friday",
            "Boxing Day 2020",
        ] {
            assert!(!is_date_line(line), "{line}");
        }
        assert!(is_of_change("Aktualisiert am 07.01.2026"));
    }
}
