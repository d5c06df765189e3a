//! Texts of metadata made plain: no character references, no tags, single spaces.

use crate::clean::fold::tidy;
use crate::clean::reference::character_reference;

/// The text without tags, with character references resolved, blanks folded. References are resolved twice, since templates escape
/// what is escaped already (`&amp;quot;`).
pub fn plain(text: &str) -> String {
    let mut plain = squeeze(text);
    if plain.contains('<') {
        plain = squeeze(&without_tags(&plain));
    }
    for _ in 0..2 {
        if !plain.contains('&') {
            break;
        }
        plain = squeeze(&resolve(&plain));
    }
    plain
}

fn squeeze(text: &str) -> String {
    if let Some(tidy) = tidy(text) {
        return tidy.to_owned();
    }
    let mut squeezed = String::with_capacity(text.len());
    let unseen = |c: char| matches!(c, '\u{feff}' | '\u{ad}' | '\u{200b}' | '\u{2060}');
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word = word.trim_matches(unseen);
        if word.is_empty() {
            continue;
        }
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        match word.contains(unseen) {
            true => squeezed.extend(word.chars().filter(|&c| !unseen(c))),
            false => squeezed.push_str(word),
        }
    }
    squeezed
}

fn without_tags(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let is_tag = rest[open + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        match rest[open..].find('>').filter(|_| is_tag) {
            Some(close) => {
                seen.push_str(&rest[..open]);
                rest = &rest[open + close + 1..];
            }
            None => {
                seen.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
            }
        }
    }
    seen.push_str(rest);
    seen
}

fn resolve(text: &str) -> String {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        resolved.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match character_reference(rest) {
            Some((length, char)) => {
                resolved.push(char);
                rest = &rest[length..];
            }
            None => resolved.push('&'),
        }
    }
    resolved.push_str(rest);
    resolved
}

/// Whose the text is, by a note such as `© The Harbour Gazette Ltd. 2024. All rights reserved.`
pub(super) fn owner(notice: &str) -> Option<String> {
    const FORMS: &[&str] = &[
        "ltd", "inc", "llc", "gmbh", "plc", "co", "ag", "corp", "limited", "sa", "bv",
    ];
    const WORDS_MAX: usize = 6;
    let mut words: Vec<&str> = Vec::new();
    if !notice.starts_with(['©', 'Ⓒ']) {
        return None;
    }
    let notice = notice.trim_start_matches(|c: char| !c.is_alphanumeric());
    for word in notice.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let year = bare.chars().any(|c| c.is_ascii_digit());
        let sign = bare.is_empty();
        if (year || sign) && words.is_empty() {
            continue;
        }
        let form = FORMS.contains(&bare.to_lowercase().as_str());
        if year || sign || form {
            break;
        }
        let ends = word.ends_with(['.', ',', ';', '/', '|']);
        words.push(if ends { bare } else { word });
        if ends {
            break;
        }
    }
    let capital = words.first()?.starts_with(|c: char| !c.is_lowercase());
    (capital && words.len() <= WORDS_MAX).then(|| words.join(" "))
}

/// What leads the address of the page that a text was taken from.
const SOURCES: &[&str] = &[
    "source",
    "original source",
    "original",
    "via",
    "quelle",
    "originalquelle",
    "source originale",
    "fuente",
    "fonte",
    "bron",
    "źródło",
    "zdroj",
    "forrás",
    "sursa",
    "sursă",
    "font",
    "källa",
    "kilde",
    "lähde",
    "πηγή",
    "источник",
    "джерело",
    "източник",
    "kaynak",
    "المصدر",
    "מקור",
    "منبع",
    "ماخذ",
    "स्रोत",
    "সূত্র",
    "ที่มา",
    "nguồn",
    "sumber",
    "出典",
    "引用元",
    "来源",
    "來源",
    "출처",
];

/// The address in a note such as `Source: https://gazette.example/ferry`.
pub(super) fn source(notice: &str) -> Option<&str> {
    let (label, address) = notice.split_once([':', '：'])?;
    let label = label.trim().to_lowercase();
    let address = address.trim();
    let alone = address.starts_with("http") && !address.contains(char::is_whitespace);
    (alone && SOURCES.contains(&label.as_str())).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_read_off_their_notes() {
        for notice in [
            "© The Harbour Gazette Ltd. 2024",
            "© 2024 The Harbour Gazette. All rights reserved.",
            "© The Harbour Gazette, 2024",
        ] {
            assert_eq!(
                owner(notice).as_deref(),
                Some("The Harbour Gazette"),
                "{notice}"
            );
        }
        for notice in [
            "© 2024",
            "©",
            "© all of what is said here is and stays ours for ever",
        ] {
            assert_eq!(owner(notice), None, "{notice}");
        }
    }

    #[test]
    fn sources_are_addresses_behind_a_label() {
        let address = "https://gazette.example/ferry";
        for label in ["Source", "Quelle", "Fuente", "Źródło", "Источник", "出典"] {
            assert_eq!(
                source(&format!("{label}: {address}")),
                Some(address),
                "{label}"
            );
        }
        assert_eq!(source(&format!("See: {address}")), None);
        assert_eq!(
            source("Source: the harbour office, https://gazette.example"),
            None
        );
    }

    #[test]
    fn references_tags_and_blanks_are_made_plain() {
        assert_eq!(
            plain(" A &amp;quot;B&amp;quot; <b>c</b>\n d&#8217;e &x; 1 < 2 "),
            "A \"B\" c d’e &x; 1 < 2"
        );
    }
}
