//! Whether two short texts (headlines, names) say the same, whatever their case, signs and blanks.

use std::sync::LazyLock;

use crate::clean::fold::{OfSmall, of_small};

/// Letters and digits in lower case, parted by single spaces.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut parted = false;
    let mut rest = text;
    // Runs of ASCII, nearly all of the text, are folded as bytes.
    while let Some(first) = rest.bytes().next() {
        let mut part_words = |folded: &mut String| {
            if std::mem::take(&mut parted) && !folded.is_empty() {
                folded.push(' ');
            }
        };
        if first.is_ascii() {
            let length = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric());
            let (run, after) = rest.split_at(length.unwrap_or(rest.len()));
            if run.is_empty() {
                parted = true;
                rest = &rest[1..];
            } else {
                part_words(&mut folded);
                folded.push_str(run);
                rest = after;
            }
            continue;
        }
        let mut chars = rest.chars();
        let char = chars.next().unwrap_or_default();
        rest = chars.as_str();
        match SMALL.get(char as usize) {
            Some(Some(lower)) => {
                part_words(&mut folded);
                folded.push(*lower);
            }
            _ if char.is_alphanumeric() => {
                part_words(&mut folded);
                folded.extend(char.to_lowercase());
            }
            _ if matches!(char, '\u{ad}' | '\u{301}') => {}
            _ => parted = true,
        }
    }
    folded.make_ascii_lowercase();
    folded
}

/// Whether a text says something, and the same as one of these, which are folded.
pub fn is_any(text: &str, folded: &[String]) -> bool {
    const START_BYTES: usize = 32;
    // Most texts begin otherwise.
    let start = fold(&text[..text.floor_char_boundary(START_BYTES)]);
    if !folded.iter().any(|one| one.starts_with(&start)) {
        return false;
    }
    let text = fold(text);
    !text.is_empty() && folded.contains(&text)
}

/// The small forms of letters and digits that have one.
static SMALL: LazyLock<OfSmall<Option<char>>> = LazyLock::new(|| {
    of_small(|char| {
        let mut lower = char.to_lowercase();
        let small = lower.next().filter(|_| lower.next().is_none());
        small.filter(|_| char.is_alphanumeric())
    })
});

/// How much two folded texts are alike, 0 to 100: the share of the shorter's words that the longer has.
pub fn likeness(a: &str, b: &str) -> u32 {
    if a == b {
        return 100;
    }
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return 0;
    }
    if long.contains(short) {
        return (60 + 40 * short.len() / long.len()) as u32;
    }
    let others: Vec<&str> = long.split(' ').collect();
    let words = short.split(' ').count();
    let shared = short.split(' ').filter(|word| others.contains(word));
    let shared = shared.count();
    (90 * shared / words) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_signs_and_blanks_do_not_matter() {
        assert_eq!(fold(" “Yes”,  he SAID… "), "yes he said");
        assert_eq!(likeness("yes he said", "yes he said"), 100);
        assert!(likeness("yes he said", "yes he said the gazette") > 60);
        assert_eq!(likeness("yes", ""), 0);
    }

    #[test]
    fn a_text_is_one_of_several_only_as_a_whole() {
        let titles = [
            "the ferry leaves the harbour in fog".to_owned(),
            "fähre".to_owned(),
            String::new(),
        ];
        assert!(is_any("The Ferry leaves the harbour — in FOG!", &titles));
        assert!(is_any("«Fähre»", &titles));
        assert!(!is_any("The ferry leaves the harbour", &titles));
        assert!(!is_any(
            "The ferry leaves the harbour in fog again",
            &titles
        ));
        assert!(!is_any("…", &titles));
    }

    #[test]
    fn letters_of_all_scripts_are_folded_and_soft_signs_part_nothing() {
        assert_eq!(fold("ÉTÉ–Ærø, İzmir"), "été ærø i\u{307}zmir");
        assert_eq!(fold("«ПАРОМ» — 渡轮、フェリー３"), "паром 渡轮 フェリー３");
        assert_eq!(fold("Hafen\u{ad}fähre во\u{301}да"), "hafenfähre вода");
        assert_eq!(fold("—"), "");
    }
}
