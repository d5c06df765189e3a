//! Repairs of characters that were spoilt on the way: UTF-8 once read as windows-1252, and HTML entities left in flat text.

use std::ops::Range;

use crate::clean::reference::{WINDOWS_1252_HIGH, character_reference};

/// Which repairs a document needs; decided once for the whole of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repairs {
    /// UTF-8 was read as windows-1252.
    pub mojibake: bool,
    /// Character references stand in the text.
    pub entities: bool,
}

/// So many broken characters show that the text was misread, rather than that it speaks of such signs.
const MOJIBAKE_MIN: usize = 3;

impl Repairs {
    /// The repairs that a flat text needs.
    pub fn of(text: &str) -> Repairs {
        let entity = |(at, _): (usize, &str)| reference(&text[at..]).is_some();
        Repairs {
            mojibake: is_misread(text),
            entities: text.match_indices('&').any(entity),
        }
    }

    /// The repairs that the text of a page needs: what looks like a character reference there was written as text.
    pub fn of_page(text: &str) -> Repairs {
        Repairs {
            mojibake: is_misread(text),
            entities: false,
        }
    }

    /// The whole text, repaired.
    pub fn apply(self, text: String) -> String {
        let found = self.find(&text);
        let mut repaired = String::new();
        let mut at = 0;
        for (range, becomes) in &found {
            repaired.push_str(&text[at..range.start]);
            repaired.push_str(becomes);
            at = range.end;
        }
        match found.is_empty() {
            true => text,
            false => repaired + &text[at..],
        }
    }

    /// What is to be repaired in `text`: ranges of it, in order, each with what it becomes.
    pub fn find(self, text: &str) -> Vec<(Range<usize>, String)> {
        let mut found = Vec::new();
        if !self.mojibake && !self.entities {
            return found;
        }
        let mut at = 0;
        while let Some(next) = text[at..].find(|c| c == '&' || LEADS.contains(&c)) {
            at += next;
            let rest = &text[at..];
            let repaired = match rest.starts_with('&') {
                true if self.entities => reference(rest),
                false if self.mojibake => misread(rest),
                _ => None,
            };
            let length = match &repaired {
                Some((length, _)) => *length,
                None => rest.chars().next().map_or(1, char::len_utf8),
            };
            if let Some((length, becomes)) = repaired {
                found.push((at..at + length, becomes.to_string()));
            }
            at += length;
        }
        found
    }
}

fn is_misread(text: &str) -> bool {
    // All of LEADS begin with this byte in UTF-8.
    let leads = memchr::memchr_iter(0xc3, text.as_bytes());
    let broken = leads.filter(|at| misread(&text[*at..]).is_some());
    broken.take(MOJIBAKE_MIN).count() == MOJIBAKE_MIN
}

/// What the first bytes of two, three and four byte characters of UTF-8 look like in windows-1252.
const LEADS: &[char] = &[
    'Â', 'Ã', 'Ä', 'Å', 'Æ', 'Ç', 'È', 'É', 'Ê', 'Ë', 'Ì', 'Í', 'Î', 'Ï', 'Ð', 'Ñ', 'Ò', 'Ó', 'Ô',
    'Õ', 'Ö', '×', 'Ø', 'Ù', 'Ú', 'Û', 'Ü', 'Ý', 'Þ', 'ß', 'à', 'á', 'â', 'ã', 'ä', 'å', 'æ', 'ç',
    'è', 'é', 'ê', 'ë', 'ì', 'í', 'î', 'ï', 'ð', 'ñ', 'ò', 'ó', 'ô',
];

/// The character that `text` begins with if its windows-1252 bytes are UTF-8, and the length of what stands for it.
fn misread(text: &str) -> Option<(usize, char)> {
    let mut bytes = [0u8; 4];
    let mut length = 0;
    for (count, char) in text.chars().take(4).enumerate() {
        bytes[count] = windows_1252(char)?;
        length += char.len_utf8();
        let expected = match bytes[0] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return None,
        };
        if count + 1 == expected {
            let repaired = std::str::from_utf8(&bytes[..expected]).ok()?;
            // C1 controls do not stand in texts: such bytes were no UTF-8.
            let repaired = repaired.chars().next().filter(|c| !c.is_control())?;
            return Some((length, repaired));
        }
    }
    None
}

/// The byte that windows-1252 reads as `char` (WHATWG Encoding: the bytes it leaves undefined are C1 controls).
fn windows_1252(char: char) -> Option<u8> {
    match u32::from(char) {
        code @ (0xa0..=0xff) => u8::try_from(code).ok(),
        0..=0x7f => None,
        _ => WINDOWS_1252_HIGH
            .iter()
            .position(|high| *high == char)
            .map(|at| 0x80 + at as u8),
    }
}

/// The character reference that `text` begins with: its length and its character. An ampersand that was itself escaped
/// (`&amp;quot;`) goes with it; one that would make a reference of what follows stays as it is.
fn reference(text: &str) -> Option<(usize, char)> {
    let mut start = 1;
    while text[start..].starts_with("amp;") && character_reference(&text[start + 4..]).is_some() {
        start += 4;
    }
    // A line end made of a reference would part a line whose place in the document is known already.
    let (length, char) =
        character_reference(&text[start..]).filter(|(_, char)| !char.is_control())?;
    let end = start + length;
    let again = char == '&' && character_reference(&text[end..]).is_some();
    (!again).then_some((end, char))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &str) -> String {
        Repairs::of(text).apply(text.to_owned())
    }

    #[test]
    fn utf_8_read_as_windows_1252_is_put_right() {
        let broken =
            "The cafÃ© at Port Ã‰lan, â€œforty pacesâ€\u{9d}, ZoÃ« and the Å\u{81}Ã³dÅº boat";
        assert_eq!(
            repaired(broken),
            "The café at Port Élan, “forty paces”, Zoë and the Łódź boat"
        );
        // A text that is right, or speaks of such signs, is left alone.
        for text in [
            "Ã© is what a misread é looks like.",
            "Crème brûlée à la carte: né à Évreux, âgé",
            "İstanbul’da öğrenci",
        ] {
            assert_eq!(repaired(text), text);
        }
    }

    #[test]
    fn references_are_read_once_and_for_all() {
        assert_eq!(
            repaired("Grocer &amp; Daughters &#8217; &#x2019; &ldquo;x&rdquo; &#146;"),
            "Grocer & Daughters ’ ’ “x” ’"
        );
        assert_eq!(repaired("&amp;amp;lt;"), "<");
        for text in ["AT&T;", "Q&A; more", "a && b", "&unknown;", "&#38;lt;", "&"] {
            assert_eq!(repaired(text), text);
        }
    }
}
