//! The short forms of patterns.
//!
//! | form | means here |
//! |---|---|
//! | `\W*` | the signs that frame a line |
//! | `\p{L}` | a letter, by the blocks of letters |
//! | `\p{Lu}` | a capital of Latin, Greek, Cyrillic or Armenian |
//! | `\w` | a letter as above, a digit or `_` |
//!
//! The exact classes of Unicode have 700 ranges, and each use of one in each pattern costs a tenth of a millisecond to
//! compile and more to match; lines of families do not tell a letter from its accent. While a pattern is parsed, a character
//! that no text has stands for each form, so that the long classes are parsed once.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};

/// Signs that frame a line.
const FRAME: &str = r"[\x20-/:-@\[-`{-~«»“”„‘’…–—·•→►▶©（）「」【】]";

/// A letter: the blocks of letters, whole.
const LETTER: &str = concat!(
    r"[A-Za-zªµºÀ-ÖØ-öø-\u{373}\u{376}-\u{37d}\u{37f}-\u{386}\u{388}-\u{589}\u{591}-\u{5bd}\u{5d0}-\u{60b}",
    r"\u{610}-\u{61a}\u{620}-\u{669}\u{66e}-\u{6d3}\u{6d5}-\u{963}\u{966}-\u{1fff}\u{2c00}-\u{2dff}\u{3005}-\u{3007}",
    r"\u{3041}-\u{d7ff}\u{f900}-\u{fdff}\u{fe70}-\u{fefc}\u{ff21}-\u{ff3a}\u{ff41}-\u{ff5a}\u{ff66}-\u{ffdc}",
    r"\u{10000}-\u{1e8ff}\u{20000}-\u{3ffff}]"
);

/// A form that means something else than in Unicode.
struct Form {
    text: &'static str,
    /// The class that it means, as it would be written.
    written: String,
    class: ClassUnicode,
    /// It has the letters of both cases.
    is_caseless: bool,
}

static FORMS: LazyLock<[Form; 4]> = LazyLock::new(|| {
    let capitals = ('A'..='\u{556}').filter(|char| char.is_uppercase());
    [
        Form::new(
            r"\p{Lu}",
            format!("[{}]", capitals.collect::<String>()),
            false,
        ),
        Form::new(r"\p{L}", LETTER.to_owned(), true),
        Form::new(r"\w", format!("[0-9_{LETTER}]"), true),
        Form::new(r"\W*", FRAME.to_owned(), false),
    ]
});

impl Form {
    fn new(text: &'static str, written: String, is_caseless: bool) -> Form {
        let class = match regex_syntax::parse(&written).map(Hir::into_kind) {
            Ok(HirKind::Class(Class::Unicode(class))) => class,
            other => unreachable!("a constant class, not {other:?}"),
        };
        Form {
            text,
            written,
            class,
            is_caseless,
        }
    }
}

/// Stands for a form, with the form's number behind it: a noncharacter (Unicode, 23.7).
const STAND_IN: char = '\u{efffe}';

/// The pattern with a stand-in for each form.
pub(super) fn with_stand_ins(pattern: &str) -> String {
    spelled_out(pattern, |number, _| format!("(?:{STAND_IN}{number})"))
}

/// The pattern with each form as `outside` says, and within a class as the class that it means.
fn spelled_out(pattern: &str, outside: impl Fn(usize, &Form) -> String) -> String {
    let mut spelled = String::with_capacity(pattern.len() * 2);
    // Where the outermost class that is open begins, and how many are.
    let (mut class, mut depth) = (0, 0);
    let mut is_caseless = false;
    let mut rest = pattern;
    while let Some(char) = rest.chars().next() {
        let mut forms = FORMS.iter().enumerate();
        let form = forms.find(|(_, form)| rest.starts_with(form.text));
        let length = match form {
            // What repeats it stays.
            Some((_, form)) => form.text.trim_end_matches('*').len(),
            // An escaped character is not looked at.
            None if char == '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            None => char.len_utf8(),
        };
        if char == '[' {
            if depth == 0 {
                (class, is_caseless) = (spelled.len(), false);
            }
            depth += 1;
        }
        match form {
            Some((_, form)) if depth > 0 => {
                is_caseless |= form.is_caseless;
                spelled.push_str(&form.written);
            }
            Some((number, form)) => spelled.push_str(&outside(number, form)),
            None => spelled.push_str(&rest[..length]),
        }
        if char == ']' && depth > 0 {
            depth -= 1;
            if depth == 0 && is_caseless {
                // It has all letters in both cases: to look for the other case of each takes milliseconds.
                spelled.insert_str(class, "(?-i:");
                spelled.push(')');
            }
        }
        rest = &rest[length..];
    }
    spelled
}

/// A literal with what its stand-ins stand for, each made by `of_class`; `None` if it has none.
pub(super) fn resolved(literal: &[u8], of_class: impl Fn(ClassUnicode) -> Hir) -> Option<Hir> {
    let text = str::from_utf8(literal).ok()?;
    let (before, stand_ins) = text.split_once(STAND_IN)?;
    let mut parts = vec![Hir::literal(before.as_bytes())];
    for part in stand_ins.split(STAND_IN) {
        let mut after = part.chars();
        let number = after.next().and_then(|number| number.to_digit(10));
        let form = number.and_then(|number| FORMS.get(number as usize))?;
        parts.push(of_class(form.class.clone()));
        parts.push(Hir::literal(after.as_str().as_bytes()));
    }
    Some(Hir::concat(parts))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The pattern as the library reads it.
    pub(in super::super) fn by_library(pattern: &str) -> regex::Regex {
        let pattern = spelled_out(pattern, |_, form| format!("(?-i:{})", form.written));
        let mut builder = regex::RegexBuilder::new(&pattern);
        builder.case_insensitive(true).build().expect("a regex")
    }

    #[test]
    fn an_escaped_backslash_begins_no_form() {
        assert_eq!(
            with_stand_ins(r"\\w\[\w]"),
            format!(r"\\w\[(?:{STAND_IN}2)]")
        );
        assert_eq!(with_stand_ins(r"\W+\W*?"), format!(r"\W+(?:{STAND_IN}3)*?"));
    }
}
