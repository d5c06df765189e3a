//! Which charset the bytes are in, and bytes to characters.
//!
//! The order: byte-order mark, the sender's Content-Type, the page's own declaration, UTF-8 if the bytes are that, statistics.
//! UTF-16 without a mark is found by its pattern before any of the weaker. A declaration that the bytes belie is passed over:
//! bytes that are valid UTF-8 with several characters beyond ASCII are UTF-8, for no text in another charset is that by
//! accident; and bytes that the declared charset has no characters for are in another.

use std::borrow::Cow;
use std::ops::Range;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    DecoderResult, Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};

use super::markup::{self, Token, Tokens};
use crate::document::{CharsetEvidence, Decoding};
use crate::tree::Tag;

/// Where a page's declaration is looked for. The standard says 1024 bytes; pages put it later, browsers find it there.
const DECLARATION_BYTES: usize = 16 * 1024;
/// So many bytes around characters beyond ASCII tell a charset; statistics run at 15 MB/s.
const DETECTION_BYTES: usize = 32 * 1024;
/// ASCII around a character beyond it that statistics may see.
const DETECTION_CONTEXT_BYTES: usize = 16;

/// A charset and why it was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Charset {
    encoding: &'static Encoding,
    pub(super) evidence: CharsetEvidence,
    pub(super) bom_bytes: usize,
    /// A declaration did not fit the bytes.
    pub(super) is_contradicted: bool,
}

impl Charset {
    fn new(encoding: &'static Encoding, evidence: CharsetEvidence) -> Charset {
        Charset {
            encoding,
            evidence,
            bom_bytes: 0,
            is_contradicted: false,
        }
    }

    /// The charset's name in the WHATWG Encoding standard.
    pub(super) fn name(&self) -> &'static str {
        self.encoding.name()
    }
}

/// Characters made of bytes.
#[derive(Debug, PartialEq)]
pub(super) struct Characters<'a> {
    pub(super) text: Cow<'a, str>,
    /// The first of the places where the bytes are no characters.
    pub(super) undecodable: Vec<Range<usize>>,
    pub(super) undecodable_count: usize,
}

/// The charset, where a byte-order mark or the pattern of UTF-16 shows it before anything else is known of the content.
pub(super) fn marked(content: &[u8], header: Option<&str>) -> Option<Charset> {
    if let Some((encoding, bom_bytes)) = Encoding::for_bom(content) {
        let charset = Charset::new(encoding, CharsetEvidence::Bom);
        return Some(Charset {
            bom_bytes,
            ..charset
        });
    }
    let is_declared = |encoding| header.and_then(encoding_labelled) == Some(encoding);
    let declared = [UTF_16LE, UTF_16BE].into_iter().find(|e| is_declared(*e));
    // In any charset but UTF-16 text has no NUL; in UTF-16 it has one in each blank and line end. Only Chinese and Japanese
    // come without, and are no valid UTF-8 by accident.
    let has_nul = memchr::memchr(0, sample(content)).is_some();
    if !has_nul && (declared.is_none() || simdutf8::basic::from_utf8(content).is_ok()) {
        return None;
    }
    let share = |encoding| plausible_share(encoding, sample(content));
    let (le, be) = (share(UTF_16LE), share(UTF_16BE));
    let (encoding, best) = if le >= be {
        (UTF_16LE, le)
    } else {
        (UTF_16BE, be)
    };
    if best < 0.9 || content.len() < 4 {
        return None;
    }
    let evidence = match declared {
        Some(declared) if declared == encoding => CharsetEvidence::Header,
        _ => CharsetEvidence::Utf16Pattern,
    };
    Some(Charset {
        is_contradicted: declared.is_some_and(|declared| declared != encoding),
        ..Charset::new(encoding, evidence)
    })
}

fn sample(content: &[u8]) -> &[u8] {
    &content[..content.len().min(4096) & !1]
}

/// The share of UTF-16 units that are characters of running text: Latin to Cyrillic, Greek, Hebrew, Arabic, kana, Hangul, Han
/// and their punctuation. In the wrong byte order a blank is U+2000 and a line end U+0A00, which are not among them.
fn plausible_share(encoding: &'static Encoding, sample: &[u8]) -> f32 {
    let is_plausible = |unit: u16| {
        matches!(unit,
            0x09 | 0x0a | 0x0d | 0x20..=0x7e | 0xa0..=0x24f | 0x370..=0x6ff | 0x900..=0x97f | 0xe00..=0xe7f
            | 0x1e00..=0x1fff | 0x2010..=0x2044 | 0x20ac | 0x2116 | 0x2122 | 0x3000..=0x30ff | 0x4e00..=0x9fff
            | 0xac00..=0xd7a3 | 0xd800..=0xdfff | 0xff00..=0xffee)
    };
    let units = sample.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if encoding == UTF_16LE {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        }
    });
    let total = units.len().max(1);
    units.filter(|&unit| is_plausible(unit)).count() as f32 / total as f32
}

/// The charset of content in bytes that hold ASCII as ASCII, and its characters. `header` and `in_page` are labels that
/// were declared, `tld` the last part of the host it came from.
pub(super) fn read<'a>(
    content: &'a [u8],
    header: Option<&str>,
    in_page: Option<&str>,
    tld: Option<&str>,
) -> (Charset, Characters<'a>) {
    let text = simdutf8::basic::from_utf8(content).ok();
    let charset = choose(content, text, header, in_page, tld);
    let is_ascii = || charset.encoding.is_ascii_compatible() && content.is_ascii();
    let characters = match text {
        Some(text) if charset.encoding == UTF_8 || is_ascii() => Characters::new(text),
        _ => decode_as(content, &charset),
    };
    (charset, characters)
}

/// `text`: the content, if it is valid UTF-8.
fn choose(
    content: &[u8],
    text: Option<&str>,
    header: Option<&str>,
    in_page: Option<&str>,
    tld: Option<&str>,
) -> Charset {
    let declared = [
        (header, CharsetEvidence::Header),
        (in_page, CharsetEvidence::Declared),
    ];
    let declared = declared.into_iter().filter_map(|(label, evidence)| {
        let encoding = encoding_labelled(label?)?;
        // A page that could be read so far as to find "UTF-16" in it is not in UTF-16, says the standard.
        let encoding = if encoding.is_ascii_compatible() || encoding == ISO_2022_JP {
            encoding
        } else {
            UTF_8
        };
        Some((encoding, evidence))
    });
    if content.is_ascii() {
        return choose_for_ascii(content, declared);
    }
    let mut declared = declared.peekable();
    if text.is_some() {
        match declared.peek() {
            None => return Charset::new(UTF_8, CharsetEvidence::Utf8),
            Some(&(encoding, evidence)) if encoding == UTF_8 => {
                return Charset::new(encoding, evidence);
            }
            Some(_) => {}
        }
    }
    let utf8 = Utf8Fit::of(content);
    let mut is_contradicted = false;
    let mut best: Option<(usize, Charset)> = None;
    for (encoding, evidence) in declared {
        let misfits = match encoding {
            _ if encoding == UTF_8 && utf8.is_likely() => 0,
            _ if encoding == UTF_8 || utf8.is_certain(encoding) => {
                is_contradicted = true;
                continue;
            }
            _ => misfits(encoding, content),
        };
        let charset = Charset {
            is_contradicted,
            ..Charset::new(encoding, evidence)
        };
        if misfits * 20 <= utf8.beyond_ascii {
            return charset;
        }
        is_contradicted = true;
        if best.is_none_or(|(fewest, _)| misfits < fewest) {
            best = Some((misfits, charset));
        }
    }
    if utf8.is_likely() {
        return Charset {
            is_contradicted,
            ..Charset::new(UTF_8, CharsetEvidence::Utf8)
        };
    }
    let detected = detect(content, tld);
    match best {
        Some((fewest, charset)) if fewest <= misfits(detected, content) => charset,
        _ => Charset {
            is_contradicted,
            ..Charset::new(detected, CharsetEvidence::Detected)
        },
    }
}

/// All ASCII bytes are the same in all charsets but ISO-2022-JP, which escapes from ASCII.
fn choose_for_ascii(
    content: &[u8],
    mut declared: impl Iterator<Item = (&'static Encoding, CharsetEvidence)>,
) -> Charset {
    let first = declared.next();
    let escapes = [&b"\x1b$B"[..], b"\x1b$@", b"\x1b(J", b"\x1b(I"];
    if escapes
        .iter()
        .any(|escape| memchr::memmem::find(content, escape).is_some())
    {
        return match first
            .into_iter()
            .chain(declared)
            .find(|(encoding, _)| *encoding == ISO_2022_JP)
        {
            Some((_, evidence)) => Charset::new(ISO_2022_JP, evidence),
            None => Charset {
                is_contradicted: first.is_some(),
                ..Charset::new(ISO_2022_JP, CharsetEvidence::Detected)
            },
        };
    }
    match first {
        Some((encoding, evidence)) => Charset::new(encoding, evidence),
        None => Charset::new(UTF_8, CharsetEvidence::Utf8),
    }
}

fn encoding_labelled(label: &str) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(label.as_bytes())?;
    // Charsets that the standard bans decode to one U+FFFD: no help.
    (encoding != REPLACEMENT).then_some(encoding)
}

/// How well bytes are UTF-8.
struct Utf8Fit {
    /// Characters beyond ASCII.
    characters: usize,
    /// Of these, characters of three and four bytes.
    long: usize,
    /// Sequences that are no UTF-8.
    invalid: usize,
    /// Bytes beyond ASCII.
    beyond_ascii: usize,
}

impl Utf8Fit {
    fn of(content: &[u8]) -> Utf8Fit {
        let mut fit = Utf8Fit {
            characters: 0,
            long: 0,
            invalid: 0,
            beyond_ascii: 0,
        };
        if let Ok(text) = simdutf8::basic::from_utf8(content) {
            fit.count(text.as_bytes());
            return fit;
        }
        for chunk in content.utf8_chunks() {
            fit.count(chunk.valid().as_bytes());
            fit.invalid += usize::from(!chunk.invalid().is_empty());
            fit.beyond_ascii += chunk.invalid().len();
        }
        fit
    }

    fn count(&mut self, valid: &[u8]) {
        // Three passes over short pieces, each of which the compiler makes a vector loop.
        for piece in valid.chunks(128) {
            let count = |least: u8| piece.iter().map(|&b| u8::from(b >= least)).sum::<u8>();
            self.characters += usize::from(count(0xc0));
            self.long += usize::from(count(0xe0));
            self.beyond_ascii += usize::from(count(0x80));
        }
    }

    /// UTF-8, perhaps torn or damaged in places. In other charsets, pairs of bytes that look like it are rare beside those that do not.
    fn is_likely(&self) -> bool {
        self.characters > 2 * self.invalid
    }

    /// UTF-8 although `declared` is declared. Two bytes that are a character of UTF-8 may be one of an East Asian charset,
    /// but are two of any other, and an odd pair at that.
    fn is_certain(&self, declared: &'static Encoding) -> bool {
        self.invalid == 0 && (declared.is_single_byte() || self.long > 1 || self.characters > 3)
    }
}

/// Places that have no character in `encoding`; control characters of the upper half count, for no text has them.
fn misfits(encoding: &'static Encoding, content: &[u8]) -> usize {
    let characters = decode(content, encoding, 0);
    let controls = characters
        .text
        .chars()
        .filter(|c| matches!(c, '\u{80}'..='\u{9f}'));
    characters.undecodable_count + controls.count()
}

/// Asks the statistics of chardetng, which see only what is beyond ASCII and a little around it.
fn detect(content: &[u8], tld: Option<&str>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut fed = 0;
    let mut at = 0;
    while let Some(next) = content[at..].iter().position(|b| !b.is_ascii()) {
        let next = at + next;
        let start = at.max(next.saturating_sub(DETECTION_CONTEXT_BYTES));
        // A stretch ends where nothing but ASCII comes for two contexts: never inside a character.
        let calm = 2 * DETECTION_CONTEXT_BYTES;
        let mut end = next;
        while let Some(further) = content[end..]
            .iter()
            .take(calm)
            .rposition(|b| !b.is_ascii())
        {
            end += further + 1;
        }
        end = content.len().min(end + DETECTION_CONTEXT_BYTES);
        detector.feed(&content[start..end], false);
        fed += end - start;
        at = end;
        if fed > DETECTION_BYTES {
            break;
        }
    }
    detector.feed(b"", true);
    let encoding = detector.guess(tld.map(str::as_bytes), Utf8Detection::Deny);
    if encoding.is_ascii_compatible() {
        encoding
    } else {
        WINDOWS_1252
    }
}

/// Decodes what follows the mark. Offsets of undecodable places count from the start of `content`.
pub(super) fn decode_as<'a>(content: &'a [u8], charset: &Charset) -> Characters<'a> {
    decode(content, charset.encoding, charset.bom_bytes)
}

fn decode<'a>(content: &'a [u8], encoding: &'static Encoding, start: usize) -> Characters<'a> {
    let bytes = &content[start..];
    let mut characters = Characters::new("");
    if encoding == UTF_8 {
        characters.decode_utf8(bytes, start);
    } else {
        characters.decode_other(bytes, encoding, start);
    }
    characters
}

impl<'a> Characters<'a> {
    fn new(text: &'a str) -> Characters<'a> {
        Characters {
            text: Cow::Borrowed(text),
            undecodable: Vec::new(),
            undecodable_count: 0,
        }
    }

    fn decode_utf8(&mut self, bytes: &'a [u8], start: usize) {
        if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
            self.text = Cow::Borrowed(text);
            return;
        }
        let mut text = String::with_capacity(bytes.len() + 64);
        let mut at = start;
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            at += chunk.valid().len();
            if !chunk.invalid().is_empty() {
                text.push('\u{fffd}');
                self.note(at..at + chunk.invalid().len());
                at += chunk.invalid().len();
            }
        }
        self.text = Cow::Owned(text);
    }

    fn decode_other(&mut self, bytes: &[u8], encoding: &'static Encoding, start: usize) {
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let mut text = String::with_capacity(bytes.len() + bytes.len() / 2 + 64);
        let mut at = 0;
        loop {
            let (result, read) =
                decoder.decode_to_string_without_replacement(&bytes[at..], &mut text, true);
            at += read;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => text.reserve(text.len() / 2 + 64),
                DecoderResult::Malformed(len, after) => {
                    // The decoder may have read `after` bytes beyond the malformed sequence before it knew.
                    let end = start + at - usize::from(after);
                    self.note(end.saturating_sub(usize::from(len))..end);
                    text.push('\u{fffd}');
                }
            }
        }
        self.text = Cow::Owned(text);
    }

    fn note(&mut self, place: Range<usize>) {
        self.undecodable_count += 1;
        if self.undecodable.len() < Decoding::UNDECODABLE_MAX {
            self.undecodable.push(place);
        }
    }
}

/// The charset that a page or an XML document declares in itself: an XML declaration, `<meta charset>`, or
/// `<meta http-equiv=content-type content="...; charset=...">`.
pub(super) fn declared_in_page(content: &[u8]) -> Option<String> {
    let head = &content[..content.len().min(DECLARATION_BYTES)];
    if let Some(encoding) = xml_declaration(head) {
        return Some(encoding);
    }
    let mut tokens = Tokens::new(head);
    while let Some(token) = tokens.next() {
        let Token::Start(token) = token else { continue };
        match Tag::named(&head[token.name]) {
            Some(Tag::Meta) => {
                let is_content_type = tokens
                    .attribute("http-equiv")
                    .is_some_and(|name| name.eq_ignore_ascii_case(b"content-type"));
                let charset = tokens.attribute("charset").map(<[u8]>::to_vec);
                let charset = charset.or_else(|| {
                    let content = tokens.attribute("content").filter(|_| is_content_type)?;
                    charset_parameter(&String::from_utf8_lossy(content)).map(String::into_bytes)
                });
                // A label that nobody knows is none.
                if let Some(charset) = charset.filter(|label| Encoding::for_label(label).is_some())
                {
                    return Some(String::from_utf8_lossy(&charset).into_owned());
                }
            }
            Some(Tag::Body) => return None,
            Some(tag) if markup::is_raw(tag) => {
                tokens.raw_text(tag);
            }
            _ => {}
        }
    }
    None
}

/// The charset that an XML declaration at the very start names.
pub(super) fn declared_in_xml(content: &[u8]) -> Option<String> {
    xml_declaration(&content[..content.len().min(DECLARATION_BYTES)])
}

fn xml_declaration(head: &[u8]) -> Option<String> {
    let rest = head.trim_ascii_start().strip_prefix(b"<?xml")?;
    let declaration = String::from_utf8_lossy(&rest[..memchr::memchr(b'>', rest)?]);
    let (_, after) = declaration.split_once("encoding")?;
    let value = after
        .trim_ascii_start()
        .strip_prefix('=')?
        .trim_ascii_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

/// The `charset` of a media type such as `text/html; charset="utf-8"`.
pub(super) fn charset_parameter(media_type: &str) -> Option<String> {
    let lower = media_type.to_ascii_lowercase();
    let mut from = 0;
    loop {
        from += lower[from..].find("charset")? + "charset".len();
        let Some(value) = lower[from..].trim_ascii_start().strip_prefix('=') else {
            continue;
        };
        let value = value.trim_ascii_start();
        let value = match value.strip_prefix(['"', '\'']) {
            Some(quoted) => quoted.split(['"', '\'']).next(),
            None => value.split([';', ',', ' ', '\t', '\r', '\n']).next(),
        };
        return value.filter(|value| !value.is_empty()).map(str::to_owned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_found_where_pages_put_them() {
        for (page, label) in [
            ("<meta charset=utf-8>", Some("utf-8")),
            (
                "<title><meta charset=no></title><META CHARSET='KOI8-R'>",
                Some("KOI8-R"),
            ),
            (
                "<!-- <meta charset=no> --><meta http-equiv=Content-Type content='text/html; charset = \"Shift_JIS\"'>",
                Some("shift_jis"),
            ),
            (
                "<meta name=description content='charset=latin1'><meta charset=x-nobody><meta charset=gbk>",
                Some("gbk"),
            ),
            (
                "<?xml version=\"1.0\" encoding=\"windows-1251\"?><html>",
                Some("windows-1251"),
            ),
            ("<body><meta charset=utf-8>", None),
            ("<script>'<meta charset=utf-8>'</script>", None),
            ("no page", None),
        ] {
            assert_eq!(
                declared_in_page(page.as_bytes()).as_deref(),
                label,
                "{page}"
            );
        }
        let late = format!("<script>{}</script><meta charset=utf-8>", "x".repeat(5000));
        assert_eq!(declared_in_page(late.as_bytes()).as_deref(), Some("utf-8"));
    }

    #[test]
    fn the_charset_of_a_media_type_is_read() {
        for (media_type, charset) in [
            ("text/html; charset=UTF-8", Some("utf-8")),
            ("text/html;charset=\"gbk\"; x=y", Some("gbk")),
            ("text/html; xcharset charset = koi8-r ; z", Some("koi8-r")),
            ("text/html; charset=", None),
            ("text/html", None),
        ] {
            assert_eq!(
                charset_parameter(media_type).as_deref(),
                charset,
                "{media_type}"
            );
        }
    }

    #[test]
    fn undecodable_places_are_found_in_every_kind_of_charset() {
        let utf8 = decode(b"a\xffb\xe2\x82c", UTF_8, 1);
        assert_eq!(&*utf8.text, "\u{fffd}b\u{fffd}c");
        assert_eq!(
            (utf8.undecodable, utf8.undecodable_count),
            (vec![1..2, 3..5], 2)
        );
        let sjis = decode(b"a\x82\xa0\x82\x20b\xfd", encoding_rs::SHIFT_JIS, 0);
        assert_eq!(&*sjis.text, "aあ\u{fffd} b\u{fffd}");
        assert_eq!(sjis.undecodable, [3..4, 6..7]);
        let utf16 = decode(b"a\0\0\xd8b\0c", UTF_16LE, 0);
        assert_eq!(&*utf16.text, "a\u{fffd}b\u{fffd}");
        assert_eq!(utf16.undecodable_count, 2);
        let many = decode(&[0xff; 500], UTF_8, 0);
        assert_eq!((many.undecodable.len(), many.undecodable_count), (100, 500));
    }
}
