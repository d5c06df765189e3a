//! Bylines made into names: one name each, without "By", roles, dates and addresses.

use crate::clean::metadata::text::plain;

/// Words that lead a byline, in lower case, longest first where one begins another.
const LEADS: &[&str] = &[
    "written by",
    "story by",
    "words by",
    "text by",
    "posted by",
    "published by",
    "reported by",
    "report by",
    "article by",
    "analysis by",
    "opinion by",
    "review by",
    "interview by",
    "compiled by",
    "presented by",
    "guest post by",
    "created by",
    "by",
    "author:",
    "authors:",
    "author",
    "geschrieben von",
    "ein artikel von",
    "eine analyse von",
    "ein kommentar von",
    "ein interview von",
    "ein gastbeitrag von",
    "eine kolumne von",
    "eine reportage von",
    "analyse von",
    "kommentar von",
    "interview von",
    "aus",
    "von",
    "autor:",
    "autorin:",
    "autoren:",
    "autor",
    "text:",
    "por:",
    "por",
    "texto:",
    "escrito por",
    "par",
    "propos recueillis par",
    "publié par",
    "article de",
    "auteur:",
    "auteur",
    "di",
    "a cura di",
    "de",
    "door",
    "av:",
    "av",
    "af:",
    "af",
    "tekst:",
    "skrevet av",
    "skrevet af",
    "przez",
    "oprac.",
    "autorzy:",
    "автор:",
    "авторы:",
    "текст:",
    "yazan:",
    "haber:",
    "oleh",
    "penulis:",
    "文/",
    "文：",
    "記者",
];

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
    names
}

/// The names in a line that stands where a page names its authors; `None` unless all of it can be read as names.
pub fn byline(line: &str) -> Vec<String> {
    const NAME_WORDS_MAX: usize = 5;
    let line = plain(line);
    let led = without_lead(&line).len() < line.len();
    let names = names(&line);
    let named = |name: &String| {
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
        let folded = rest.to_lowercase();
        let lead = LEADS
            .iter()
            .filter(|lead| folded.starts_with(**lead) && folded.len() == rest.len());
        let lead = lead
            .filter(|lead| {
                lead.ends_with([':', '/', '：', '.'])
                    || rest[lead.len()..].starts_with([' ', ':', '\u{a0}'])
            })
            .max_by_key(|lead| lead.len());
        match lead {
            Some(lead) => rest = rest[lead.len()..].trim_start_matches([' ', ':', '\u{a0}']),
            None => break,
        }
    }
    rest
}

/// Cuts at what parts names; at a comma unless a role follows, which goes.
fn parts(author: &str) -> Vec<&str> {
    let mut parts = vec![author];
    for parter in PARTERS {
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
        .filter(|part| !is_role(part))
        .collect()
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
    for dash in [" - ", " – ", " — ", " @"] {
        if let Some(at) = part.find(dash).filter(|&at| at > 0) {
            part = part[..at].trim();
        }
    }
    let part = without_lead(part).trim_matches(|c: char| {
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
        && !NOBODY.contains(&folded.as_str());
    good.then(|| part.trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ];
        for (byline, expected) in cases {
            assert_eq!(names(byline), *expected, "{byline}");
        }
    }

    #[test]
    fn a_sentence_is_no_byline() {
        assert!(byline("Follow us for more of the best stories").is_empty());
        assert_eq!(byline("By Ann Lee"), ["Ann Lee"]);
    }
}
