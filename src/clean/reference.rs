//! Character references of HTML (`&amp;`, `&#8217;`) that were left in a text.

/// The character that `text`, which follows an ampersand, refers to (`name;`, `#8217;` or `#x2019;`), and the length of the reference.
pub(super) fn character_reference(text: &str) -> Option<(usize, char)> {
    const LENGTH_MAX: usize = 10;
    let end = text
        .bytes()
        .take(LENGTH_MAX)
        .position(|byte| byte == b';')?;
    let name = &text[..end];
    let char = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            match code {
                // HTML, "numeric character reference end state".
                0x80..=0x9f => WINDOWS_1252_HIGH[code as usize - 0x80],
                _ => char::from_u32(code)?,
            }
        }
        None => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    // C1 controls and their like stand in no text; blanks and line ends are the caller's to judge.
    let seen = !char.is_control() || char.is_ascii_whitespace();
    seen.then_some((end + 1, char))
}

/// What windows-1252 reads in the bytes 0x80 to 0x9f (WHATWG Encoding: those it leaves undefined are C1 controls).
pub(super) const WINDOWS_1252_HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The named references that occur in texts and metadata; HTML has 2,231, most of them of mathematics.
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("hellip", '…'),
    ("bull", '•'),
    ("middot", '·'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("deg", '°'),
    ("euro", '€'),
    ("pound", '£'),
    ("yen", '¥'),
    ("cent", '¢'),
    ("sect", '§'),
    ("para", '¶'),
    ("times", '×'),
    ("frac12", '½'),
    ("frac14", '¼'),
    ("iexcl", '¡'),
    ("iquest", '¿'),
    ("ordf", 'ª'),
    ("ordm", 'º'),
    ("szlig", 'ß'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("atilde", 'ã'),
    ("auml", 'ä'),
    ("aring", 'å'),
    ("aelig", 'æ'),
    ("ccedil", 'ç'),
    ("egrave", 'è'),
    ("eacute", 'é'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("igrave", 'ì'),
    ("iacute", 'í'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("ntilde", 'ñ'),
    ("ograve", 'ò'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("otilde", 'õ'),
    ("ouml", 'ö'),
    ("oslash", 'ø'),
    ("ugrave", 'ù'),
    ("uacute", 'ú'),
    ("ucirc", 'û'),
    ("uuml", 'ü'),
    ("Agrave", 'À'),
    ("Aacute", 'Á'),
    ("Acirc", 'Â'),
    ("Atilde", 'Ã'),
    ("Auml", 'Ä'),
    ("Aring", 'Å'),
    ("AElig", 'Æ'),
    ("Ccedil", 'Ç'),
    ("Egrave", 'È'),
    ("Eacute", 'É'),
    ("Ecirc", 'Ê'),
    ("Iacute", 'Í'),
    ("Ntilde", 'Ñ'),
    ("Oacute", 'Ó'),
    ("Ouml", 'Ö'),
    ("Oslash", 'Ø'),
    ("Uacute", 'Ú'),
    ("Uuml", 'Ü'),
    ("oelig", 'œ'),
    ("OElig", 'Œ'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("shy", '\u{ad}'),
    ("lsaquo", '‹'),
    ("rsaquo", '›'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_looked_up() {
        assert_eq!(character_reference("eacute; x"), Some((7, 'é')));
        assert_eq!(character_reference("#8217;"), Some((6, '’')));
        assert_eq!(character_reference("#x2019;"), Some((7, '’')));
        assert_eq!(character_reference("#146;"), Some((5, '’')));
        assert_eq!(character_reference("#10;"), Some((4, '\n')));
        for text in ["", ";", "eacute", "#7;", "#xfffffff;", "unknown;"] {
            assert_eq!(character_reference(text), None, "{text}");
        }
    }
}
