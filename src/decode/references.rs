//! Character references: `&amp;`, `&#8212;`, `&hellip`, as the HTML standard reads them (13.2.5.72 to 13.2.5.80).

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};
use memchr::memchr;

/// The references that nearly all are.
const COMMON: &[(&str, &str)] = &[
    ("amp;", "&"),
    ("quot;", "\""),
    ("nbsp;", "\u{a0}"),
    ("#39;", "'"),
    ("lt;", "<"),
    ("gt;", ">"),
];

/// The same as [`resolve`], without a copy where there is nothing to resolve.
pub(super) fn resolved(text: &str, is_in_attribute: bool) -> Cow<'_, str> {
    if memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut resolved = String::with_capacity(text.len());
    resolve(text, is_in_attribute, &mut resolved);
    Cow::Owned(resolved)
}

/// Writes `text` to `out` with its references resolved. In an attribute's value, a name without its semicolon that goes on
/// as a word or with `=` is none: `?a=b&copy=c` is an address.
pub(super) fn resolve(text: &str, is_in_attribute: bool, out: &mut String) {
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let reference = &rest[at + 1..];
        let read = match COMMON.iter().find(|(name, _)| reference.starts_with(name)) {
            Some((name, characters)) => {
                out.push_str(characters);
                name.len()
            }
            None if reference.starts_with('#') => number(reference, out),
            None => name(reference, is_in_attribute, out),
        };
        if read == 0 {
            out.push('&');
        }
        rest = &reference[read..];
    }
    out.push_str(rest);
}

/// How many bytes of `reference` (`#` and what follows) name a character, which is pushed.
fn number(reference: &str, out: &mut String) -> usize {
    let is_hex = matches!(reference.as_bytes().get(1), Some(b'x' | b'X'));
    let (start, base) = if is_hex { (2, 16) } else { (1, 10) };
    let mut value = 0_u32;
    let mut end = start;
    for digit in reference[start..].bytes() {
        let Some(digit) = char::from(digit).to_digit(base) else {
            break;
        };
        value = value.saturating_mul(base).saturating_add(digit);
        end += 1;
    }
    if end == start {
        return 0;
    }
    out.push(match value {
        0 => char::REPLACEMENT_CHARACTER,
        // What windows-1252 has there is meant.
        0x80..=0x9f => C1_REPLACEMENTS[value as usize - 0x80]
            .or(char::from_u32(value))
            .unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER),
    });
    end + usize::from(reference.as_bytes().get(end) == Some(&b';'))
}

/// The same for a reference by name: the longest name counts.
fn name(reference: &str, is_in_attribute: bool, out: &mut String) -> usize {
    let mut longest = None;
    for (at, byte) in reference.bytes().enumerate() {
        if !byte.is_ascii_alphanumeric() && byte != b';' {
            break;
        }
        // The table holds the beginnings of all names too, with no character.
        match NAMED_ENTITIES.get(&reference[..=at]) {
            None => break,
            Some((0, _)) => {}
            Some(&characters) => longest = Some((at + 1, characters)),
        }
    }
    let Some((end, (first, second))) = longest else {
        return 0;
    };
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'=';
    let bytes = reference.as_bytes();
    if is_in_attribute && bytes[end - 1] != b';' && bytes.get(end).is_some_and(goes_on) {
        return 0;
    }
    let characters = [first, second].into_iter().filter(|&c| c != 0);
    out.extend(characters.filter_map(char::from_u32));
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str, is_in_attribute: bool) -> String {
        let mut out = String::new();
        resolve(text, is_in_attribute, &mut out);
        out
    }

    #[test]
    fn character_references_are_resolved() {
        for (text, is_in_attribute, wanted) in [
            (
                "a &lt;b> &amp;amp; &eacute;&#x2014;&hellip; &nope;",
                false,
                "a <b> &amp; é—… &nope;",
            ),
            ("&notit; &notin; &not", false, "¬it; ∉ ¬"),
            ("&copy=1&copy;=1&amp", true, "&copy=1©=1&"),
            ("&copy=1", false, "©=1"),
            (
                "&#150;&#0;&#xD800;&#x110000;&#99999999999;&#129;",
                false,
                "–\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{81}",
            ),
            ("&#;&#x;&#xg;&;& &", false, "&#;&#x;&#xg;&;& &"),
            ("&#65&#x42", false, "AB"),
            ("&NotEqualTilde;", false, "\u{2242}\u{338}"),
        ] {
            assert_eq!(resolved(text, is_in_attribute), wanted, "{text}");
        }
    }
}
