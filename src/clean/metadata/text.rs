//! Texts of metadata made plain: no character references, no tags, single spaces.

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

/// The named references that occur in metadata; HTML has 2,231, most of them of mathematics.
const NAMES: &[(&str, char)] = &[
    ("amp", '&'),
    ("quot", '"'),
    ("apos", '\''),
    ("lt", '<'),
    ("gt", '>'),
    ("nbsp", ' '),
    ("shy", '\u{ad}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("lsaquo", '‹'),
    ("rsaquo", '›'),
    ("middot", '·'),
    ("bull", '•'),
    ("euro", '€'),
    ("pound", '£'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("deg", '°'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("aring", 'å'),
    ("Aring", 'Å'),
    ("oslash", 'ø'),
    ("Oslash", 'Ø'),
    ("aelig", 'æ'),
    ("AElig", 'Æ'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("atilde", 'ã'),
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
    ("ugrave", 'ù'),
    ("uacute", 'ú'),
    ("ucirc", 'û'),
    ("Agrave", 'À'),
    ("Aacute", 'Á'),
    ("Ccedil", 'Ç'),
    ("Egrave", 'È'),
    ("Eacute", 'É'),
    ("Ecirc", 'Ê'),
    ("Iacute", 'Í'),
    ("Ntilde", 'Ñ'),
    ("Oacute", 'Ó'),
    ("Uacute", 'Ú'),
    ("iexcl", '¡'),
    ("iquest", '¿'),
    ("ordf", 'ª'),
    ("ordm", 'º'),
];

fn resolve(text: &str) -> String {
    const REFERENCE_BYTES_MAX: usize = 10;
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        resolved.push_str(&rest[..at]);
        let body = &rest[at + 1..];
        let end = body
            .bytes()
            .take(REFERENCE_BYTES_MAX)
            .position(|byte| byte == b';');
        match end.and_then(|end| Some((reference(&body[..end])?, end))) {
            Some((char, end)) => {
                resolved.push(char);
                rest = &body[end + 1..];
            }
            None => {
                resolved.push('&');
                rest = body;
            }
        }
    }
    resolved.push_str(rest);
    resolved
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    NAMES
        .iter()
        .find_map(|&(known, char)| (known == name).then_some(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_tags_and_blanks_are_made_plain() {
        assert_eq!(
            plain(" A &amp;quot;B&amp;quot; <b>c</b>\n d&#8217;e &x; 1 < 2 "),
            "A \"B\" c d’e &x; 1 < 2"
        );
    }
}
