//! What the short forms in a rule's pattern stand for.
//!
//! | form | means here |
//! |---|---|
//! | `\W*` | the signs that frame a line |
//! | `\p{L}` | a letter, by the blocks of letters |
//! | `\p{Lu}` | a capital of Latin, Greek, Cyrillic or Armenian |
//! | `\w` | a letter as above, a digit or `_` |
//!
//! The exact classes of Unicode have 700 ranges, and each use of one in each pattern costs a tenth of a millisecond to
//! compile and more to match; lines of families do not tell a letter from its accent.

use std::sync::LazyLock;

/// Signs that frame a line.
const FRAME: &str = r"[\x20-/:-@\[-`{-~«»“”„‘’…–—·•→►▶©（）「」【】]*";

/// The blocks of letters, whole.
const LETTERS: &str = concat!(
    r"A-Za-zªµºÀ-ÖØ-öø-\u{373}\u{376}-\u{37d}\u{37f}-\u{386}\u{388}-\u{589}\u{591}-\u{5bd}\u{5d0}-\u{60b}",
    r"\u{610}-\u{61a}\u{620}-\u{669}\u{66e}-\u{6d3}\u{6d5}-\u{963}\u{966}-\u{1fff}\u{2c00}-\u{2dff}\u{3005}-\u{3007}",
    r"\u{3041}-\u{d7ff}\u{f900}-\u{fdff}\u{fe70}-\u{fefc}\u{ff21}-\u{ff3a}\u{ff41}-\u{ff5a}\u{ff66}-\u{ffdc}",
    r"\u{10000}-\u{1e8ff}\u{20000}-\u{3ffff}"
);

/// The capitals of the scripts that begin names with them.
static CAPITALS: LazyLock<String> =
    LazyLock::new(|| ('A'..='\u{556}').filter(|c| c.is_uppercase()).collect());

/// The pattern with its short forms spelled out.
pub(super) fn spelled_out(pattern: &str) -> String {
    let pattern = pattern.replace(r"\W*", FRAME);
    let mut spelled = String::with_capacity(pattern.len() * 2);
    // Where the outermost class that is open begins, and how many are.
    let (mut class, mut depth) = (0, 0);
    let mut letters = false;
    let mut rest = pattern.as_str();
    while let Some(char) = rest.chars().next() {
        let form = FORMS.iter().find(|form| rest.starts_with(form.short));
        let length = match form {
            Some(form) => form.short.len(),
            // An escaped character is not looked at.
            None if char == '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            None => char.len_utf8(),
        };
        if char == '[' {
            if depth == 0 {
                (class, letters) = (spelled.len(), false);
            }
            depth += 1;
        }
        match form {
            Some(form) if depth > 0 => {
                letters |= form.caseless;
                spelled.push_str(&(form.class)());
            }
            Some(form) if form.caseless => spelled.push_str(&format!("(?-i:{})", (form.class)())),
            Some(form) => spelled.push_str(&(form.class)()),
            None => spelled.push_str(&rest[..length]),
        }
        if char == ']' && depth > 0 {
            depth -= 1;
            if depth == 0 && letters {
                // It has all letters in both cases: to look for the other case of each takes milliseconds.
                spelled.insert_str(class, "(?-i:");
                spelled.push(')');
            }
        }
        rest = &rest[length..];
    }
    spelled
}

struct Form {
    short: &'static str,
    class: fn() -> String,
    /// It has the letters of both cases.
    caseless: bool,
}

const FORMS: &[Form] = &[
    Form {
        short: r"\p{Lu}",
        class: || format!("[{}]", *CAPITALS),
        caseless: false,
    },
    Form {
        short: r"\p{L}",
        class: || format!("[{LETTERS}]"),
        caseless: true,
    },
    Form {
        short: r"\w",
        class: || format!("[0-9_{LETTERS}]"),
        caseless: true,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, text: &str) -> bool {
        let regex = regex::RegexBuilder::new(&spelled_out(pattern))
            .case_insensitive(true)
            .build();
        regex.expect("a regular expression").is_match(text)
    }

    #[test]
    fn letters_of_all_scripts_are_letters_and_signs_are_not() {
        for word in [
            "Fähre",
            "паром",
            "渡轮",
            "العبارة",
            "नौका",
            "페리",
            "πορθμείο",
        ] {
            assert!(is_match(r"^\p{L}+$", word), "{word}");
            assert!(is_match(r"^[\w.]+$", word), "{word}");
        }
        for sign in ["…", "“", "؟", "、", "।", " ", "–", "7"] {
            assert!(!is_match(r"\p{L}", sign), "{sign}");
        }
        assert!(is_match(r"^[^\p{L}]+$", "… 7"));
    }

    #[test]
    fn only_letters_lose_their_second_case() {
        assert!(is_match(r"^by [\w.-]+$", "BY Ada-B.Brill"));
        assert!(is_match(r"^(?-i:\p{Lu})[a-z]+$", "ÉTÉ") == is_match("^(?-i:É)[a-z]+$", "ÉTÉ"));
        assert!(is_match(r"^(?-i:\p{Lu})", "Ætt") && !is_match(r"^(?-i:\p{Lu})", "ætt"));
        assert!(is_match(r"^\[\w\]$", "[w]") && is_match(r"^[\]\w]+$", "a]"));
    }
}
