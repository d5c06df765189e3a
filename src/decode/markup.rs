//! Tags, comments and text told apart, by the tokenizer's states of the HTML standard but without its characters: only
//! where things begin and end. It drives the parser ([`super::tokenizer`]); it runs on bytes whose charset is not yet known (all
//! charsets of the web but UTF-16 write ASCII as ASCII), and in place of parsing for pages that no tree can be built of.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memmem};

use crate::tree::Tag;

/// One piece of a page. Ranges are places in the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Characters, with their entities.
    Text(Range<usize>),
    /// `<name attributes>`.
    Start(TagToken),
    /// `</name>`.
    End(TagToken),
    /// What stands between `<!--` and `-->`.
    Comment(Range<usize>),
    /// What stands between `<!`, `</` or `<?` and `>` and is neither comment nor tag; the mark of `<?` is part of it.
    Bogus(Range<usize>),
    /// A document type, from `<` to one past `>`.
    Doctype(Range<usize>),
    /// `</>`, which is nothing.
    Nothing,
}

/// A start or end tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TagToken {
    /// The name, as it is written.
    pub(super) name: Range<usize>,
    /// What follows the name, without `>`.
    pub(super) attributes: Range<usize>,
    /// It ends with `/>`.
    pub(super) is_self_closing: bool,
}

/// An attribute as it is written: ranges are places in the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AttributeToken {
    pub(super) name: Range<usize>,
    /// Without its quotes; empty if there is none.
    pub(super) value: Range<usize>,
    /// One past the value and its quote.
    pub(super) end: usize,
}

impl TagToken {
    /// From `<` to one past `>`.
    pub(super) fn range(&self, is_end: bool) -> Range<usize> {
        self.name.start - 1 - usize::from(is_end)..self.attributes.end + 1
    }
}

/// Reads a page from the front to the back. The content of `script` and its like is told by the one who reads, with
/// [`Tokens::raw_text`]: whether it is raw depends on what stands around it.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Of the last tag.
    attributes: Vec<AttributeToken>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Tokens<'a> {
        Tokens {
            bytes,
            at: 0,
            attributes: Vec::new(),
        }
    }

    /// All the bytes, read or not.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the next token begins.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The attributes of the tag that was read last.
    pub(super) fn attributes(&self) -> &[AttributeToken] {
        &self.attributes
    }

    /// The value of an attribute of the tag that was read last: as it is written, entities and all.
    pub(super) fn attribute(&self, name: &str) -> Option<&'a [u8]> {
        let is_it =
            |a: &&AttributeToken| self.bytes[a.name.clone()].eq_ignore_ascii_case(name.as_bytes());
        let attribute = self.attributes.iter().find(is_it)?;
        Some(&self.bytes[attribute.value.clone()])
    }

    /// To be called after the start tag of an element for which [`is_raw`]: its content, which is passed over. Its end tag comes next.
    pub(super) fn raw_text(&mut self, tag: Tag) -> Range<usize> {
        let start = self.at;
        self.at = match tag {
            Tag::Plaintext => self.bytes.len(),
            Tag::Script => script_end(self.bytes, start),
            _ => raw_end(self.bytes, start, tag.as_str().as_bytes()),
        };
        start..self.at
    }

    /// The text from here to the next thing that is no text. `from` is where to look for it.
    fn text(&mut self, from: usize) -> Token {
        let start = self.at;
        let mut from = from;
        self.at = loop {
            match memchr(b'<', &self.bytes[from..]) {
                None => break self.bytes.len(),
                Some(at) if begins_markup(&self.bytes[from + at..]) => break from + at,
                Some(at) => from += at + 1,
            }
        };
        Token::Text(start..self.at)
    }

    /// Reads a tag; `None` if it never ends: that is nothing, says the standard (eof-in-tag).
    fn tag(&mut self, name_start: usize) -> Option<TagToken> {
        let name_end = position(self.bytes, name_start, ends_name)?;
        let (end, is_self_closing) = self.read_attributes(name_end)?;
        self.at = end + 1;
        Some(TagToken {
            name: name_start..name_end,
            attributes: name_end..end,
            is_self_closing,
        })
    }

    /// Reads from a tag's name to its `>`, of which it gives the place. Quotes protect only where a value begins.
    fn read_attributes(&mut self, name_end: usize) -> Option<(usize, bool)> {
        self.attributes.clear();
        let bytes = self.bytes;
        let mut at = name_end;
        loop {
            let start = position(bytes, at, |b| !b.is_ascii_whitespace() && *b != b'/')?;
            if bytes[start] == b'>' {
                return Some((start, start > at && bytes[start - 1] == b'/'));
            }
            // The first character is part of the name even if it is `=`.
            let name_end = position(bytes, start + 1, |b| ends_name(b) || *b == b'=')?;
            let equals = position(bytes, name_end, |b| !b.is_ascii_whitespace())?;
            let mut value = name_end..name_end;
            at = name_end;
            if bytes[equals] == b'=' {
                let first = position(bytes, equals + 1, |b| !b.is_ascii_whitespace())?;
                (value, at) = match bytes[first] {
                    quote @ (b'"' | b'\'') => {
                        let end = first + 1 + memchr(quote, &bytes[first + 1..])?;
                        (first + 1..end, end + 1)
                    }
                    _ => {
                        let end =
                            position(bytes, first, |b| b.is_ascii_whitespace() || *b == b'>')?;
                        (first..end, end)
                    }
                };
            }
            self.attributes.push(AttributeToken {
                name: start..name_end,
                value,
                end: at,
            });
        }
    }

    /// `from`: where its content begins.
    fn bogus_comment(&mut self, from: usize) -> Token {
        Token::Bogus(from..self.skip_to_gt(from))
    }

    /// Goes on behind the next `>`, of which it gives the place.
    fn skip_to_gt(&mut self, from: usize) -> usize {
        let end = memchr(b'>', &self.bytes[from..]).map(|end| from + end);
        self.at = end.map_or(self.bytes.len(), |end| end + 1);
        end.unwrap_or(self.bytes.len())
    }

    /// To be called after a [`Token::Bogus`] that began with [`CDATA`], inside `svg` and `math`: there it is characters up to
    /// `]]>`, which are passed over.
    pub(super) fn cdata(&mut self, bogus: &Range<usize>) -> Range<usize> {
        let start = bogus.start + CDATA.len();
        let end = memmem::find(&self.bytes[start..], b"]]>").map(|end| start + end);
        self.at = end.map_or(self.bytes.len(), |end| end + 3);
        start..end.unwrap_or(self.bytes.len())
    }
}

/// A page as the standard preprocesses it: each end of a line is one line feed, and there is no byte-order mark.
pub(super) fn preprocessed(page: &str) -> Cow<'_, str> {
    let page = page.strip_prefix('\u{feff}').unwrap_or(page);
    let mut rest = page;
    let mut preprocessed = String::new();
    while let Some(at) = memchr(b'\r', rest.as_bytes()) {
        preprocessed.reserve(rest.len());
        preprocessed.push_str(&rest[..at]);
        preprocessed.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    match preprocessed.is_empty() {
        true => Cow::Borrowed(page),
        false => Cow::Owned(preprocessed + rest),
    }
}

/// How a CDATA section begins, after `<!`.
pub(super) const CDATA: &[u8] = b"[CDATA[";

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.at;
        let rest = &self.bytes[start..];
        let token = match rest {
            [] => return None,
            [b'<', b'!', b'-', b'-', ..] => {
                // The dashes that open may be those that close: `<!-->` is a whole comment.
                let (content_end, end) = comment_end(self.bytes, start);
                self.at = end;
                Token::Comment((start + 4).min(content_end)..content_end)
            }
            [b'<', b'!', rest @ ..] if begins_doctype(rest) => {
                self.skip_to_gt(start + 2);
                Token::Doctype(start..self.at)
            }
            [b'<', b'!', ..] => self.bogus_comment(start + 2),
            [b'<', b'?', ..] => self.bogus_comment(start + 1),
            [b'<', b'/', first, ..] if first.is_ascii_alphabetic() => {
                match self.tag(start + 2) {
                    Some(tag) => Token::End(tag),
                    // A tag that never ends is nothing, says the standard (eof-in-tag).
                    None => {
                        self.at = self.bytes.len();
                        return None;
                    }
                }
            }
            [b'<', b'/', b'>', ..] => {
                self.at = start + 3;
                Token::Nothing
            }
            [b'<', b'/', _, ..] => self.bogus_comment(start + 2),
            [b'<', first, ..] if first.is_ascii_alphabetic() => match self.tag(start + 1) {
                Some(tag) => Token::Start(tag),
                None => {
                    self.at = self.bytes.len();
                    return None;
                }
            },
            [b'<', ..] => self.text(start + 1),
            _ => self.text(start),
        };
        Some(token)
    }
}

/// `rest` begins with `<` and it is no mere character.
fn begins_markup(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'!' | b'?') => true,
        Some(b'/') => rest.len() > 2,
        Some(first) => first.is_ascii_alphabetic(),
        None => false,
    }
}

/// `rest` follows `<!`.
fn begins_doctype(rest: &[u8]) -> bool {
    const NAME: &[u8] = b"doctype";
    let name = rest.get(..NAME.len());
    name.is_some_and(|name| name.eq_ignore_ascii_case(NAME))
}

/// Where the content of the comment that begins at `start` ends, and where the comment does.
fn comment_end(bytes: &[u8], start: usize) -> (usize, usize) {
    let mut from = start + 2;
    while let Some(at) = memchr(b'>', &bytes[from..]) {
        let end = from + at;
        if end >= start + 4 && bytes[..end].ends_with(b"--") {
            return (end - 2, end + 1);
        }
        if end >= start + 7 && bytes[..end].ends_with(b"--!") {
            return (end - 3, end + 1);
        }
        from = end + 1;
    }
    // What could have begun the end of a comment that never ends is no part of it.
    let content = bytes.get(start + 4..).unwrap_or_default();
    let begun = ["--!", "--", "-"].map(str::as_bytes);
    let begun = begun.iter().find(|end| content.ends_with(end));
    (bytes.len() - begun.map_or(0, |end| end.len()), bytes.len())
}

/// The first place from `from` on where such a byte stands.
fn position(bytes: &[u8], from: usize, wanted: impl Fn(&u8) -> bool) -> Option<usize> {
    Some(from + bytes.get(from..)?.iter().position(wanted)?)
}

fn ends_name(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>')
}

/// Where the end tag `</name` begins, or the end.
fn raw_end(bytes: &[u8], from: usize, name: &[u8]) -> usize {
    memchr_iter(b'<', &bytes[from..])
        .map(|at| from + at)
        .find(|&at| is_end_tag(&bytes[at..], name))
        .unwrap_or(bytes.len())
}

fn is_end_tag(rest: &[u8], name: &[u8]) -> bool {
    rest.get(1) == Some(&b'/') && names(&rest[2..], name)
}

/// `rest` begins with `name`, and the name ends there.
fn names(rest: &[u8], name: &[u8]) -> bool {
    let begins = rest
        .get(..name.len())
        .is_some_and(|n| n.eq_ignore_ascii_case(name));
    begins && rest.get(name.len()).is_some_and(ends_name)
}

/// Where the end tag of a script begins. Inside `<!--` a script may hold whole script elements ("double escaped").
fn script_end(bytes: &[u8], from: usize) -> usize {
    #[derive(PartialEq)]
    enum Escape {
        No,
        Single,
        Double,
    }
    let mut escape = Escape::No;
    let mut escape_ends = 0;
    for at in memchr_iter(b'<', &bytes[from..]).map(|at| from + at) {
        if escape != Escape::No && escape_ends <= at {
            escape = Escape::No;
        }
        let rest = &bytes[at..];
        let ends = is_end_tag(rest, b"script");
        match escape {
            Escape::No | Escape::Single if ends => return at,
            Escape::No if rest.starts_with(b"<!--") => {
                escape = Escape::Single;
                let end = memmem::find(&rest[2..], b"-->");
                escape_ends = end.map_or(usize::MAX, |end| at + 2 + end);
            }
            Escape::Single if names(&rest[1..], b"script") => escape = Escape::Double,
            Escape::Double if ends => escape = Escape::Single,
            _ => {}
        }
    }
    bytes.len()
}

/// The content of such an element is characters up to its end tag, outside `svg` and `math`.
pub(super) fn is_raw(tag: Tag) -> bool {
    use Tag::*;
    matches!(
        tag,
        Script
            | Style
            | Noscript
            | Noembed
            | Noframes
            | Iframe
            | Xmp
            | Plaintext
            | Title
            | Textarea
    )
}

/// Such an element has no content and no end tag.
pub(super) fn is_void(tag: Tag) -> bool {
    use Tag::*;
    matches!(
        tag,
        Area | Base
            | Br
            | Col
            | Embed
            | Frame
            | Hr
            | Img
            | Input
            | Link
            | Meta
            | Param
            | Source
            | Track
            | Wbr
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(page: &str) -> Vec<String> {
        let mut tokens = Tokens::new(page.as_bytes());
        let mut seen = Vec::new();
        while let Some(token) = tokens.next() {
            seen.push(match token {
                Token::Text(range) => format!("'{}'", &page[range]),
                Token::Start(tag) => {
                    let name = &page[tag.name.clone()];
                    assert_eq!(page[tag.range(false)].as_bytes()[0], b'<');
                    assert!(page[tag.range(false)].ends_with('>'));
                    let mut seen = format!("<{name}>");
                    if let Some(raw) = Tag::named(name.as_bytes()).filter(|&tag| is_raw(tag)) {
                        seen += &format!("[{}]", &page[tokens.raw_text(raw)]);
                    }
                    seen
                }
                Token::End(tag) => {
                    assert!(page[tag.range(true)].starts_with("</"));
                    format!("</{}>", &page[tag.name])
                }
                Token::Comment(range) => format!("!{}!", &page[range]),
                Token::Bogus(range) => format!("?{}", &page[range]),
                Token::Doctype(_) => "!".to_owned(),
                Token::Nothing => "0".to_owned(),
            });
        }
        seen
    }

    #[test]
    fn a_tag_ends_where_no_value_protects_it() {
        for (page, expected) in [
            ("<a href='>'>x", "<a> 'x'"),
            ("<a \">\">x", "<a> '\">x'"),
            ("<a b = \">\">x", "<a> 'x'"),
            ("<a =\">\">x", "<a> '\">x'"),
            ("<a b/=\">\">x", "<a> '\">x'"),
            ("<a b==\">\">x", "<a> '\">x'"),
            ("<a b=c\">x", "<a> 'x'"),
            ("<a b=>x", "<a> 'x'"),
            ("<a b='c'd='>'>x", "<a> 'x'"),
            ("<a/b=c/>x</a >", "<a> 'x' </a>"),
            ("x<a b='", "'x'"),
        ] {
            assert_eq!(tokens(page).join(" "), expected, "{page}");
        }
    }

    #[test]
    fn comments_end_as_the_standard_says() {
        for (page, expected) in [
            ("<!-- a > b -->x", "! a > b ! 'x'"),
            ("<!-->x", "!! 'x'"),
            ("<!--->x", "!! 'x'"),
            ("<!---->x", "!! 'x'"),
            ("<!--a--!>x", "!a! 'x'"),
            ("<!--!>x-->y", "!!>x! 'y'"),
            ("<!---!>x-->y", "!-!>x! 'y'"),
            ("<!----!>y", "!! 'y'"),
            ("<!--a", "!a!"),
            (
                "<!doctype html>x<?php a?>y</ z>w</>v",
                "! 'x' ??php a? 'y' ? z 'w' 0 'v'",
            ),
        ] {
            assert_eq!(tokens(page).join(" "), expected, "{page}");
        }
    }

    #[test]
    fn characters_that_look_like_tags_are_text() {
        assert_eq!(tokens("1 < 2 <3 <- a<").join(" "), "'1 < 2 <3 <- a<'");
        assert_eq!(tokens("a</").join(" "), "'a</'");
    }

    #[test]
    fn raw_text_ends_at_its_own_end_tag() {
        for (page, expected) in [
            ("<script>a<b></script>x", "<script>[a<b>] </script> 'x'"),
            (
                "<SCRIPT></scripty></ScRiPt\n>x",
                "<SCRIPT>[</scripty>] </ScRiPt> 'x'",
            ),
            ("<title>a<b></title>", "<title>[a<b>] </title>"),
            (
                "<script><!--<script></script>--></script>x",
                "<script>[<!--<script></script>-->] </script> 'x'",
            ),
            (
                "<script><!--a</script>x-->",
                "<script>[<!--a] </script> 'x-->'",
            ),
            (
                "<script><!--<script>--></script>x",
                "<script>[<!--<script>-->] </script> 'x'",
            ),
            (
                "<script><!--><script></script>x",
                "<script>[<!--><script>] </script> 'x'",
            ),
            ("<style>a", "<style>[a]"),
            ("<plaintext>a</plaintext>", "<plaintext>[a</plaintext>]"),
        ] {
            assert_eq!(tokens(page).join(" "), expected, "{page}");
        }
    }

    #[test]
    fn attributes_are_found_as_written() {
        let mut tokens =
            Tokens::new(b"<p charset=\"utf-8\" / content = 'a b' x=y/ HIDDEN =z e=''f =g d= >");
        assert!(tokens.next().is_some());
        assert_eq!(tokens.attribute("charset"), Some(&b"utf-8"[..]));
        assert_eq!(tokens.attribute("content"), Some(&b"a b"[..]));
        assert_eq!(tokens.attribute("x"), Some(&b"y/"[..]));
        assert_eq!(tokens.attribute("hidden"), Some(&b"z"[..]));
        assert_eq!(tokens.attribute("f"), Some(&b"g"[..]));
        assert_eq!(tokens.attribute("d"), Some(&b""[..]));
        assert_eq!(tokens.attribute("none"), None);
    }

    #[test]
    fn a_tag_closes_itself_only_with_a_slash_of_its_own() {
        for (page, expected) in [
            ("<a/>", true),
            ("<a />", true),
            ("<a b=c />", true),
            ("<a b=\"c\"/>", true),
            ("<a b=c/>", false),
            ("<a / >", false),
            ("<a b=/>", false),
            ("<a>", false),
        ] {
            let Some(Token::Start(tag)) = Tokens::new(page.as_bytes()).next() else {
                panic!("{page}")
            };
            assert_eq!(tag.is_self_closing, expected, "{page}");
        }
    }
}
