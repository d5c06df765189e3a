//! Scraped text where it is shown: what would act instead of being seen becomes visible.

use std::borrow::Cow;

/// Whether a character acts on a terminal: control characters (escape sequences, carriage returns) but line feed and tab.
pub fn is_control(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// Whether a character changes the order of others beyond itself: embeddings, overrides and isolates.
pub fn is_reordering(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character is an invisible mark of direction, as texts in Arabic and Hebrew rightly have them.
pub fn is_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// `text` with each harmful character as `\u{..}`.
pub fn visible(text: &str, is_harmful: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match is_harmful(c) {
            true => clean.extend(c.escape_unicode()),
            false => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_becomes_visible_and_all_else_stays() {
        let harmful = |c| is_control(c) || is_reordering(c);
        assert_eq!(visible("a\tb\nמאה\u{200f}", harmful), "a\tb\nמאה\u{200f}");
        let shown = visible("\u{1b}[31mred\u{202e}\r", harmful);
        assert_eq!(shown, "\\u{1b}[31mred\\u{202e}\\u{d}");
        assert_eq!(visible("\u{200f}", is_mark), "\\u{200f}");
    }
}
