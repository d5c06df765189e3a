//! Bylines made into names: one name each, without "By", roles, dates and addresses.

use std::sync::OnceLock;

use foldhash::{HashMap, HashMapExt};

use crate::clean::date;
use crate::clean::fold::is_unspaced;
use crate::clean::metadata::text::plain;
use crate::clean::words::LANGUAGES;

/// What else leads a byline, beside the words that [`LANGUAGES`] knows.
const LEADS: &[&str] = &[
    "author:",
    "authors:",
    "autor:",
    "autorin:",
    "autoren:",
    "text:",
    "texto:",
    "texte:",
    "por:",
    "auteur:",
    "av:",
    "af:",
    "tekst:",
    "oprac.",
    "autorzy:",
    "автор:",
    "авторы:",
    "текст:",
    "yazan:",
    "haber:",
    "penulis:",
    "文/",
    "文：",
    "文|",
    "记者",
    "記者",
    "作者",
    "撰文",
    "作者：",
    "記者：",
    "记者：",
    "글·",
    "글=",
];

/// Words that lead a byline and begin names as well: `Di Marco`, `Per Olsen`. What they lead has a name and a surname.
const PARTICLES: &[&str] = &[
    "de", "di", "da", "von", "van", "du", "del", "od", "par", "oleh", "per", "av", "von der",
];

/// All leads in lower case by what they begin with, the longest first.
fn leads() -> &'static HashMap<char, Vec<&'static str>> {
    static ALL: OnceLock<HashMap<char, Vec<&'static str>>> = OnceLock::new();
    ALL.get_or_init(|| {
        let known = LANGUAGES.iter().flat_map(|language| language.by.split('|'));
        let mut all: Vec<&str> = known.chain(LEADS.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all.sort_by_key(|lead| std::cmp::Reverse(lead.len()));
        let mut by_first: HashMap<char, Vec<&str>> = HashMap::new();
        for lead in all {
            let first = lead.chars().next().unwrap_or_default();
            by_first.entry(first).or_default().push(lead);
        }
        by_first
    })
}

/// Words that make what follows a comma, a bar or a bracket a role or a place of work rather than a second name.
const ROLES: &[&str] = &[
    "reporter",
    "editor",
    "correspondent",
    "writer",
    "columnist",
    "journalist",
    "producer",
    "staff",
    "analyst",
    "contributor",
    "chief",
    "director",
    "professor",
    "ceo",
    "founder",
    "author",
    "manager",
    "bureau",
    "desk",
    "phd",
    "md",
    "rd",
    "dietitian",
    "specialist",
    "senior",
    "associate",
    "fellow",
    "lecturer",
    "photographer",
    "redakteur",
    "redakteurin",
    "redaktor",
    "redaktorin",
    "korrespondent",
    "korrespondentin",
    "chefredakteur",
    "volontär",
    "volontärin",
    "freier",
    "freie",
    "journalistin",
    "reporterin",
    "autorin",
    "ressort",
    "leiter",
    "leiterin",
    "redacción",
    "corresponsal",
    "periodista",
    "enviado",
    "enviada",
    "especial",
    "journaliste",
    "rédacteur",
    "rédactrice",
    "correspondant",
    "correspondante",
    "giornalista",
    "corrispondente",
    "inviato",
    "redacteur",
    "verslaggever",
    "journalister",
    "korrespondentin",
    "jr",
    "sr",
    "updated",
    "published",
];

/// Signs and words that part names.
const PARTERS: &[&str] = &[
    " and ", " und ", " et ", " & ", " y ", " og ", " och ", " en ", " e ", " i ", " ve ", " и ",
    " та ", ";", " / ", "、", "，", "；", " + ", "\u{2022}", " | ", "|",
];

/// The signs among [`PARTERS`]; each of the others has two blanks.
const PARTING: &[char] = &[';', '、', '，', '；', '\u{2022}', '|'];

/// Texts that stand where names do and are none.
const NOBODY: &[&str] = &[
    "admin",
    "administrator",
    "redaktion",
    "editor",
    "editors",
    "staff",
    "author",
    "authors",
    "guest",
    "user",
    "webmaster",
    "root",
    "unknown",
    "none",
    "null",
    "undefined",
    "anonymous",
    "follow",
    "share",
    "contact",
    "email",
    "twitter",
    "facebook",
    "instagram",
    "linkedin",
    "mehr",
    "more",
    "website",
    "view all posts",
    "comments",
    "publisher",
    "news",
];

/// The names in a declared author: it may hold several, a lead-in, roles.
pub fn names(author: &str) -> Vec<String> {
    let author = plain(author);
    let author = without_lead(&author);
    let mut names = Vec::new();
    for part in parts(author) {
        let Some(name) = name(part) else { continue };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() && is_newsroom(author) && !is_roles_only(author) {
        names.extend(name(author));
    }
    names
}

/// The name of an organisation, which is one whatever signs and words there are in it.
pub(super) fn organisation(author: &str) -> Option<String> {
    let author = plain(author);
    name(without_lead(&author))
}

/// Each of its words tells an office: "Staff Writer".
fn is_roles_only(author: &str) -> bool {
    let folded = author.to_lowercase();
    folded
        .split(' ')
        .all(|word| ROLES.contains(&word) || NOBODY.contains(&word))
}

/// The names in a line that stands where a page names its authors; `None` unless all of it can be read as names.
pub fn byline(line: &str) -> Vec<String> {
    const NAME_WORDS_MAX: usize = 5;
    let line = plain(line);
    let led = without_lead(&line).len() < line.len();
    let names = names(&line);
    let acronym = |name: &String| {
        led && name.len() <= 6 && name.len() >= 2 && name.chars().all(char::is_uppercase)
    };
    let named = |name: &String| {
        if acronym(name) {
            return true;
        }
        let words = name.split(' ').count();
        let capital = name
            .split(' ')
            .filter(|word| {
                word.starts_with(|c: char| {
                    c.is_uppercase() || !c.is_lowercase() && c.is_alphabetic()
                })
            })
            .count();
        (2..=NAME_WORDS_MAX).contains(&words)
            && capital >= 2
            && capital + 2 > words
            && !name.contains([':', '?', '!'])
    };
    match !names.is_empty() && (led || line.len() < 60) && names.iter().all(named) {
        true => names,
        false => Vec::new(),
    }
}

fn without_lead(author: &str) -> &str {
    let mut rest = author.trim();
    for _ in 0..2 {
        let first = rest
            .chars()
            .next()
            .and_then(|first| first.to_lowercase().next());
        let Some(known) = first.and_then(|first| leads().get(&first)) else {
            break;
        };
        let end = rest.char_indices().nth(LEAD_CHARS_MAX);
        let start = &rest[..end.map_or(rest.len(), |(end, _)| end)];
        let start = match start.is_ascii() {
            true => start.to_ascii_lowercase(),
            false => start.chars().flat_map(char::to_lowercase).collect(),
        };
        let lead = known.iter().find(|lead| {
            // Capitals may be longer or shorter than small letters; such words lead no byline.
            start.starts_with(**lead)
                && rest.is_char_boundary(lead.len())
                && is_led(
                    lead,
                    rest.starts_with(char::is_uppercase),
                    &rest[lead.len()..],
                )
        });
        match lead {
            Some(lead) => {
                rest = rest[lead.len()..].trim_start_matches([' ', ':', '\u{a0}', '：', '-'])
            }
            None => break,
        }
    }
    rest
}

const LEAD_CHARS_MAX: usize = 40;

/// The lead stands apart from what follows, and what follows can be a name.
fn is_led(lead: &str, capital: bool, rest: &str) -> bool {
    let unspaced =
        |c: char| is_unspaced(c) && lead.chars().count() > 1 && lead.ends_with(is_unspaced);
    let apart = lead.ends_with([':', '/', '：', '.', '|', '=', '·'])
        || rest.starts_with([' ', ':', '\u{a0}', '：'])
        || rest.starts_with(unspaced);
    let name = rest.trim_start();
    let particle = capital && PARTICLES.contains(&lead) && !rest.starts_with([':', '：']);
    apart && (!particle || name.contains(' ') && name.starts_with(|c: char| !c.is_lowercase()))
}

/// Cuts at what parts names; at a comma unless a role follows, which goes.
fn parts(author: &str) -> Vec<&str> {
    let mut parts = vec![author];
    let may_part = author.contains(PARTING) || author.split(' ').nth(2).is_some();
    let parters = if may_part { PARTERS } else { &[] };
    for parter in parters {
        if author.contains(parter) {
            parts = parts
                .into_iter()
                .flat_map(|part| part.split(parter))
                .collect();
        }
    }
    parts
        .into_iter()
        .flat_map(|part| part.split(','))
        .filter(|part| !is_role(part) && !is_degree(part))
        .collect()
}

/// Degrees, which follow a name and a comma.
const DEGREES: &[&str] = &[
    "ms", "md", "rd", "phd", "mba", "cpa", "rn", "dds", "dmd", "msc", "bsc", "ma", "ba", "jd",
    "cfp", "cfa", "facp", "dvm", "edd", "psyd", "rdn", "ldn", "mph", "fand", "np", "do", "lcsw",
    "esq", "pharmd", "jr", "sr", "ii", "iii", "meng", "beng", "llm", "llb", "dr", "prof", "mag",
    "frcp", "cissp", "pmp",
];

fn is_degree(part: &str) -> bool {
    let letters: String = part
        .chars()
        .filter(|c| c.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect();
    DEGREES.contains(&letters.as_str())
}

/// Words of the collective names that papers sign with when they name nobody.
const NEWSROOMS: &[&str] = &[
    "redaktion",
    "onlineredaktion",
    "redaktionen",
    "redazione",
    "redacción",
    "redaccion",
    "rédaction",
    "redação",
    "redactie",
    "redakcja",
    "redakce",
    "redakcia",
    "szerkesztőség",
    "redacția",
    "redaksi",
    "toimitus",
    "редакция",
    "редакція",
    "редакцията",
    "newsroom",
    "newsdesk",
    "editorial",
    "webdesk",
    "staff",
    "σύνταξη",
    "編集部",
    "编辑部",
    "編輯部",
    "편집국",
    "뉴스팀",
    "المحرر",
    "מערכת",
];

/// The name is the newsroom's, not a person's.
pub(super) fn is_newsroom(name: &str) -> bool {
    let folded = name.to_lowercase();
    let unspaced = |word: &str| NEWSROOMS.iter().any(|known| word.ends_with(known));
    folded
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| NEWSROOMS.contains(&word) || word.contains(is_unspaced) && unspaced(word))
}

fn is_role(part: &str) -> bool {
    let folded = part.to_lowercase();
    folded
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| ROLES.contains(&word))
        && folded.trim().len() > 1
}

/// One name, or `None` for what is none: an address, a number, a machine's word.
fn name(part: &str) -> Option<String> {
    const NAME_BYTES_MAX: usize = 80;
    let mut part = part.trim();
    for bracket in ['(', '[', '<', '（'] {
        if let Some(at) = part.find(bracket).filter(|&at| at > 0) {
            part = part[..at].trim();
        }
    }
    if part.contains(['-', '–', '—', '@']) {
        for dash in [" - ", " – ", " — ", " @"] {
            if let Some(at) = part.find(dash).filter(|&at| at > 0) {
                part = part[..at].trim();
            }
        }
    }
    let part = without_office(without_date(without_lead(part))).trim_matches(|c: char| {
        matches!(
            c,
            ' ' | ',' | ':' | '-' | '–' | '—' | '"' | '*' | '/' | '|' | '(' | ')' | '@'
        )
    });
    let folded = part.to_lowercase();
    let letters = part.chars().filter(|c| c.is_alphabetic()).count();
    let digits = part.chars().filter(|c| c.is_ascii_digit()).count();
    let address = part.contains("://") || folded.starts_with("www.") || part.contains('@');
    let good = letters >= 2
        && digits * 3 < letters.max(1)
        && !address
        && part.len() <= NAME_BYTES_MAX
        && !NOBODY.contains(&folded.as_str())
        && !is_of_reading(&folded);
    good.then(|| part.trim_end_matches('.').to_owned())
}

/// A date or a count that stands behind a name goes: `Ann Lee April 28`, `Ann Lee 5 min read`.
fn without_date(name: &str) -> &str {
    let mut from = 0;
    for word in name.split(' ') {
        if from > 0 && word.starts_with(|c: char| c.is_ascii_digit()) {
            return without_month(name[..from].trim_end());
        }
        from += word.len() + 1;
    }
    name
}

/// The name of a month at the end goes, also one that is glued to the name: `Ann LeeApril`.
fn without_month(name: &str) -> &str {
    let last = name.char_indices().rev().find(|(_, c)| c.is_uppercase());
    match last.filter(|&(at, _)| at > 0 && date::is_month(&name[at..])) {
        Some((at, _)) => name[..at].trim_end(),
        None => {
            let parted = name
                .rsplit_once(' ')
                .filter(|(_, last)| date::is_month(last));
            parted.map_or(name, |(rest, _)| rest)
        }
    }
}

/// What Korean and Japanese papers put behind a reporter's name.
fn without_office(name: &str) -> &str {
    const OFFICES: &[&str] = &[
        "선임기자",
        "인턴기자",
        "전문기자",
        "특파원",
        "논설위원",
        "기자",
        "記者",
        "记者",
    ];
    let name = name.trim();
    // "And others", whose number is gone already.
    let name = name.strip_suffix(" 외").unwrap_or(name);
    let named = |office: &&&str| name.len() > office.len() && name.ends_with(**office);
    match OFFICES.iter().find(named) {
        Some(office) => name[..name.len() - office.len()].trim_end(),
        None => name,
    }
}

/// How long it takes to read, or when it was changed: it often stands where the author does.
fn is_of_reading(folded: &str) -> bool {
    const WORDS: &[&str] = &[
        "min",
        "mins",
        "minute",
        "minutes",
        "read",
        "reading",
        "time",
        "lesezeit",
        "lesedauer",
        "minuten",
        "lecture",
        "lectura",
        "leitura",
        "lettura",
        "leestijd",
        "minutos",
        "minuti",
        "de",
        "di",
        "share",
        "listen",
        "comments",
        "comment",
        "views",
    ];
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .all(|word| {
            WORDS.contains(&word)
                || word.chars().all(char::is_numeric)
                || date::is_of_date_line(word)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_parts_names_has_a_sign_that_is_looked_for_or_two_blanks() {
        for parter in PARTERS {
            let blanks = parter.matches(' ').count();
            assert!(blanks >= 2 || parter.contains(PARTING), "{parter}");
        }
    }

    #[test]
    fn bylines_become_names() {
        let cases: &[(&str, &[&str])] = &[
            ("By Ann Lee and Bo Chan", &["Ann Lee", "Bo Chan"]),
            ("Ann Lee, Political Editor", &["Ann Lee"]),
            ("Von Jörg Maier und Ute Groß", &["Jörg Maier", "Ute Groß"]),
            ("Text: Åsa Berg", &["Åsa Berg"]),
            ("https://example.com/ann", &[]),
            ("Ann Lee (Reuters)", &["Ann Lee"]),
            ("admin", &[]),
            ("Byron Dean", &["Byron Dean"]),
            ("松岡大地", &["松岡大地"]),
            ("Ann Lee, MS, RD", &["Ann Lee"]),
            ("Ann Lee April 28", &["Ann Lee"]),
            ("Ann Lee 5 min read", &["Ann Lee"]),
            ("Ann LeeApril 28", &["Ann Lee"]),
            ("von Gazette", &["Gazette"]),
            ("HG Staff", &["HG Staff"]),
            ("Staff Writer", &[]),
            ("5 min read", &[]),
            ("Last update", &[]),
            ("Per Olsen", &["Per Olsen"]),
            ("Di Marco", &["Di Marco"]),
            ("김하늘 기자", &["김하늘"]),
            ("김하늘 기자 외 1명", &["김하늘"]),
            ("記者山田花子", &["山田花子"]),
        ];
        for (byline, expected) in cases {
            assert_eq!(names(byline), *expected, "{byline}");
        }
    }

    /// Of each language a line as it stands below a headline.
    const LANGUAGES_BY: &[(&str, &str)] = &[
        ("en", "Written by Ann Lee"),
        ("de", "Von Ann Lee"),
        ("fr", "Propos recueillis par Ann Lee"),
        ("es", "Escrito por Ann Lee"),
        ("pt", "Por Ann Lee"),
        ("it", "a cura di Ann Lee"),
        ("nl", "Door Ann Lee"),
        ("pl", "Opracowała: Ann Lee"),
        ("cs", "Autor: Ann Lee"),
        ("sk", "Autorka: Ann Lee"),
        ("hu", "Írta: Ann Lee"),
        ("ro", "De Ann Lee"),
        ("ca", "Text de Ann Lee"),
        ("sv", "Av Ann Lee"),
        ("no", "Skrevet av Ann Lee"),
        ("da", "Af Ann Lee"),
        ("fi", "Teksti: Ann Lee"),
        ("el", "Γράφει η Άννα Λι"),
        ("ru", "Автор: Анна Ли"),
        ("uk", "Авторка: Анна Лі"),
        ("bg", "От Анна Ли"),
        ("tr", "Yazan: Ann Lee"),
        ("ar", "بقلم آن لي"),
        ("he", "מאת אן לי"),
        ("fa", "نویسنده: آن لی"),
        ("ur", "تحریر: این لی"),
        ("hi", "लेखक: ऐन ली"),
        ("bn", "লেখক: অ্যান লি"),
        ("th", "โดย แอน ลี"),
        ("vi", "Tác giả: Ann Lee"),
        ("id", "Oleh Ann Lee"),
        ("ja", "文：山田花子"),
        ("zh", "记者张三丰"),
        ("ko", "글 김하늘 기자"),
    ];

    #[test]
    fn each_language_has_its_byline() {
        for language in LANGUAGES {
            let tested = LANGUAGES_BY.iter().any(|(code, _)| *code == language.code);
            assert!(tested, "{} has no line in the table", language.code);
        }
        for (_, line) in LANGUAGES_BY {
            let names = names(line);
            assert_eq!(names.len(), 1, "{line}");
            assert!(line.contains(&names[0]), "{line}: {names:?}");
            assert!(
                names[0].len() < line.len() && !names[0].contains(':'),
                "{line}: {names:?}"
            );
        }
    }

    #[test]
    fn newsrooms_are_told_from_people() {
        for name in [
            "Gazette-Redaktion",
            "Online Newsroom",
            "港報編集部",
            "La Redazione",
        ] {
            assert!(is_newsroom(name), "{name}");
        }
        assert!(!is_newsroom("Ann Lee"));
    }

    #[test]
    fn a_sentence_is_no_byline() {
        assert!(byline("Follow us for more of the best stories").is_empty());
        assert_eq!(byline("By Ann Lee"), ["Ann Lee"]);
        assert_eq!(byline("By PTI"), ["PTI"]);
        assert!(byline("PTI").is_empty());
    }
}
