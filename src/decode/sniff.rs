//! What content is, told by itself: binary, HTML or flat text.

use super::markup::{self, Token, Tokens};
use super::sets::{is_heading, opens_block};
use crate::tree::Tag;

/// How much of the front is looked at.
const SAMPLE_BYTES: usize = 64 * 1024;

/// Names the format whose signature `content` begins with.
pub(super) fn signature(content: &[u8]) -> Option<&'static str> {
    // Many signatures could begin a text ("The ftyp box ..."), but no text goes on with control characters.
    let head = &content[..content.len().min(512)];
    let is_textual = !head.iter().any(is_control);
    let is_there = |(at, signature, _): &&(usize, &[u8], _)| {
        content
            .get(*at..)
            .is_some_and(|rest| rest.starts_with(signature))
    };
    let known = TEXTUAL_SIGNATURES.iter().find(is_there);
    let known = known.or_else(|| SIGNATURES.iter().find(is_there).filter(|_| !is_textual));
    known.map(|(_, _, name)| *name)
}

/// `content` holds more control characters than text of any one-byte or multi-byte charset does.
pub(super) fn is_ridden_with_controls(content: &[u8]) -> bool {
    // What is binary is so from the start. A short sample, for this runs over every page.
    let sample = &content[..content.len().min(8 * 1024)];
    // Short pieces, each of which the compiler makes a vector loop.
    let count = |piece: &[u8]| {
        piece
            .iter()
            .map(|byte| u8::from(is_control(byte)))
            .sum::<u8>()
    };
    let controls: usize = sample
        .chunks(128)
        .map(|piece| usize::from(count(piece)))
        .sum();
    controls > 3 && controls * 50 > sample.len() || controls * 3 > sample.len()
}

/// Text has tabs, line ends, form feeds, and escapes and shifts in ISO-2022-JP; DOS ended files with 0x1A.
fn is_control(byte: &u8) -> bool {
    // Not by `matches`, whose jumps no vector has.
    let within = |first: u8, last: u8| byte.wrapping_sub(first) <= last - first;
    within(0, 8) | (*byte == 11) | within(16, 25) | within(28, 31) | (*byte == 127)
}

/// Signatures of printable characters that stand alone: no article begins so.
const TEXTUAL_SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"%PDF-", "a PDF document"),
    (0, b"{\\rtf", "an RTF document"),
    (0, b"%!PS-Adobe", "a PostScript document"),
];

/// Signatures: offset, bytes, name. The first that fits counts.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF87a", "a GIF image"),
    (0, b"GIF89a", "a GIF image"),
    (8, b"WEBPVP8", "a WebP image"),
    (0, b"II*\0", "a TIFF image"),
    (0, b"MM\0*", "a TIFF image"),
    (0, b"\0\0\x01\0", "an icon"),
    (4, b"ftyp", "a video or a HEIC or AVIF image"),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
    (0, b"ID3\x02", "an MP3 recording"),
    (0, b"ID3\x03", "an MP3 recording"),
    (0, b"ID3\x04", "an MP3 recording"),
    (0, b"OggS\0", "an Ogg recording"),
    (0, b"fLaC\0", "a FLAC recording"),
    (8, b"WAVEfmt ", "a WAV recording"),
    (8, b"AVI LIST", "an AVI video"),
    (30, b"mimetypeapplication/epub", "an EPUB book"),
    (
        30,
        b"[Content_Types].xml",
        "an Office document (docx, xlsx, pptx)",
    ),
    (30, b"word/", "an Office document (docx)"),
    (30, b"mimetypeapplication/vnd.oasis", "an OpenDocument file"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"PK\x05\x06", "an empty ZIP archive"),
    (
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Office document (doc, xls, ppt)",
    ),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (
        0,
        b"\xfd7zXZ\0",
        "xz-compressed data (only gzip and zstd are unpacked)",
    ),
    (
        0,
        b"BZh91AY&SY",
        "bzip2-compressed data (only gzip and zstd are unpacked)",
    ),
    (
        0,
        b"\x04\x22\x4d\x18",
        "lz4-compressed data (only gzip and zstd are unpacked)",
    ),
    (257, b"ustar", "a tar archive"),
    (0, b"\x7fELF", "an ELF program"),
    (0, b"MZ\x90\0", "a Windows program"),
    (0, b"\xca\xfe\xba\xbe", "a Java class or a macOS program"),
    (0, b"\xcf\xfa\xed\xfe", "a macOS program"),
    (0, b"\0asm", "a WebAssembly program"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"wOFF", "a font"),
    (0, b"wOF2", "a font"),
    (0, b"\0\x01\0\0\0", "a font"),
    (0, b"\xff\xfe\0\0", "UTF-32 text (save it as UTF-8)"),
    (0, b"\0\0\xfe\xff", "UTF-32 text (save it as UTF-8)"),
];

/// `content` is an HTML page or a fragment of one. Articles about HTML are not, nor is any other XML.
///
/// `is_called_html`: its name or its sender says so. That only tips what could be both.
pub(super) fn is_html(content: &[u8], is_called_html: bool) -> bool {
    let sample = &content[..content.len().min(SAMPLE_BYTES)];
    match prologue(sample) {
        Prologue::Html => true,
        Prologue::OtherXml => false,
        Prologue::None => Evidence::of(sample, is_called_html).is_html(is_called_html),
    }
}

enum Prologue {
    Html,
    OtherXml,
    None,
}

/// What the document type, the XML declaration and the first tag say.
fn prologue(sample: &[u8]) -> Prologue {
    let mut is_xml = false;
    let mut tokens = Tokens::new(sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample));
    let bytes = tokens.bytes();
    loop {
        let start = tokens.position();
        match tokens.next() {
            Some(Token::Comment(_)) => {}
            Some(Token::Text(range)) if bytes[range.clone()].trim_ascii().is_empty() => {}
            Some(Token::Bogus(_) | Token::Doctype(_) | Token::Nothing) => {
                let other = &bytes[start + 1..tokens.position()];
                if let Some(kind) = begins(other, b"!doctype") {
                    let is_html = begins(kind.trim_ascii_start(), b"html").is_some();
                    return if is_html {
                        Prologue::Html
                    } else {
                        Prologue::OtherXml
                    };
                }
                is_xml |= begins(other, b"?xml").is_some();
            }
            Some(Token::Start(root)) => {
                let name = &bytes[root.name.clone()];
                let tag = Tag::named(name);
                let namespace = tokens.attribute("xmlns");
                let is_xhtml = namespace == Some(b"http://www.w3.org/1999/xhtml");
                let is_page = matches!(tag, Some(Tag::Html | Tag::Body | Tag::Div | Tag::P));
                return match tag {
                    _ if is_xhtml => Prologue::Html,
                    _ if is_xml && !is_page => Prologue::OtherXml,
                    _ if is_xml => Prologue::Html,
                    // `<rss ...> ... </rss>`
                    None if ends_with_end_tag(bytes, name) => Prologue::OtherXml,
                    _ => Prologue::None,
                };
            }
            _ if is_xml => return Prologue::OtherXml,
            _ => return Prologue::None,
        }
    }
}

fn begins<'a>(bytes: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (front, rest) = bytes.split_at_checked(word.len())?;
    front.eq_ignore_ascii_case(word).then_some(rest)
}

fn ends_with_end_tag(bytes: &[u8], name: &[u8]) -> bool {
    let rest = bytes.trim_ascii_end().strip_suffix(b">");
    let rest = rest.and_then(|rest| rest.trim_ascii_end().strip_suffix(name));
    rest.is_some_and(|rest| rest.ends_with(b"</"))
}

/// What the tags say where nothing else does. A tag counts where tags of pages stand: at the start of a line or behind
/// another tag. Prose mentions tags in the middle of a line.
#[derive(Default)]
struct Evidence {
    /// Tags of a page's frame: `html` before another tag, `meta` and `link` with attributes, `title` and `script` with an end.
    frames: usize,
    /// The first of these came before any text.
    begins_framed: bool,
    /// Start tags of blocks.
    blocks: usize,
    /// End tags of such blocks.
    blocks_closed: usize,
    /// End tags of any element that began, in whatever place.
    closed: usize,
    /// Line breaks right behind characters.
    breaks: usize,
    text_bytes: usize,
    /// Text inside the blocks.
    inside_bytes: usize,
}

impl Evidence {
    /// What is called HTML needs little of it.
    fn of(sample: &[u8], is_called_html: bool) -> Evidence {
        let mut evidence = Evidence::default();
        let mut open = Vec::new();
        let mut blocks_open = 0_usize;
        let mut tokens = Tokens::new(sample);
        while let Some(token) = tokens.next() {
            match token {
                Token::Text(range) => {
                    let bytes = sample[range].trim_ascii().len();
                    evidence.text_bytes += bytes;
                    evidence.inside_bytes += if blocks_open > 0 { bytes } else { 0 };
                }
                Token::Start(token) => {
                    let Some(tag) = Tag::named(&sample[token.name.clone()]) else {
                        continue;
                    };
                    let before = &sample[..token.range(false).start];
                    let is_followed_by_tag = sample[tokens.position()..]
                        .trim_ascii_start()
                        .starts_with(b"<");
                    let in_place = is_in_place(before);
                    match tag {
                        Tag::Html | Tag::Head if in_place && is_followed_by_tag => {
                            evidence.frames += 1
                        }
                        Tag::Meta | Tag::Link | Tag::Base
                            if in_place && !token.attributes.is_empty() =>
                        {
                            evidence.frames += 1;
                        }
                        Tag::Br if before.last().is_some_and(|b| !b.is_ascii_whitespace()) => {
                            evidence.breaks += 1
                        }
                        _ if markup::is_raw(tag) => {
                            let end = tokens.clone().raw_text(tag).end;
                            if end < sample.len() {
                                evidence.frames += usize::from(in_place && tag != Tag::Textarea);
                                tokens.raw_text(tag);
                            }
                        }
                        _ if markup::is_void(tag) => {}
                        _ => {
                            let is_block = in_place && is_block(tag);
                            evidence.blocks += usize::from(is_block);
                            blocks_open += usize::from(is_block);
                            open.push((tag, is_block));
                        }
                    }
                }
                Token::End(token) => {
                    let tag = Tag::named(&sample[token.name]);
                    let nearest = open.iter().rposition(|(open, _)| Some(*open) == tag);
                    // An end tag far from its start is as likely to belong to nothing.
                    if let Some(at) = nearest.filter(|at| at + 64 >= open.len()) {
                        let (_, is_block) = open[at];
                        evidence.closed += 1;
                        evidence.blocks_closed += usize::from(is_block);
                        blocks_open -= open.drain(at..).filter(|(_, is_block)| *is_block).count();
                    }
                }
                Token::Comment(_) | Token::Bogus(_) | Token::Doctype(_) | Token::Nothing => {}
            }
            evidence.begins_framed |= evidence.frames > 0 && evidence.text_bytes == 0;
            if is_called_html && evidence.is_html(true) {
                break;
            }
        }
        evidence
    }

    fn is_html(&self, is_called_html: bool) -> bool {
        if is_called_html {
            return self.frames + self.blocks + self.closed + self.breaks > 0;
        }
        let holds_the_text = self.inside_bytes * 2 >= self.text_bytes;
        let is_broken_by_tags = self.breaks >= 3 && self.text_bytes < self.breaks * 600;
        let is_framed = self.frames >= 2 || self.frames == 1 && self.blocks > 0;
        holds_the_text && (is_framed || self.blocks_closed > 0 || self.blocks >= 4)
            || is_framed && self.begins_framed
            || is_broken_by_tags
    }
}

/// A page's tag may stand behind `before`.
fn is_in_place(before: &[u8]) -> bool {
    let line = before.trim_ascii_end();
    line.is_empty() || line.ends_with(b">") || before[line.len()..].contains(&b'\n')
}

fn is_block(tag: Tag) -> bool {
    use Tag::*;
    is_heading(tag)
        || opens_block(tag) && !matches!(tag, Dir | Figcaption | Menu | Search | Summary)
        || matches!(tag, Html | Body | Form | Pre | Table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_fragments_are_html() {
        for page in [
            "<!DOCTYPE html><p>x",
            "\u{feff} \n<!-- saved -->\n<!doctype HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">x",
            "<?xml version='1.0'?><!DOCTYPE html><html/>",
            "<?xml version='1.0'?>\n<html xmlns='http://www.w3.org/1999/xhtml'><body>x</body></html>",
            "<html><head><title>x</title></head><body>y</body></html>",
            "<HTML>\n<BODY BGCOLOR=white>\nOld page<P>without ends<P>of anything<HR></BODY>",
            "<head><meta charset=utf-8><title>x</title></head>text",
            "<p>One paragraph of a feed.</p>",
            "<p>Unclosed\n<p>paragraphs\n<p>as they were\n<p>written",
            "<div class=article><h1>Head</h1>text</div>",
            "Headline before\n<p>A fragment whose text is long enough.</p>\n<p>And another.</p>",
            "line one<br>line two<br />line three<BR>line four",
            "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n<html><body><p>What the server said at length.</p></body></html>",
            "<meta charset=utf-8><link rel=stylesheet href=x><p>x",
            "<article><p>x</p></article>",
        ] {
            assert!(is_html(page.as_bytes(), false), "{page}");
        }
    }

    #[test]
    fn articles_about_html_and_other_xml_are_text() {
        for text in [
            "",
            "plain",
            "<b>Note:</b> the editors added this line.\n\nThe story goes on in plain paragraphs.",
            "<3 is a heart, and 1 < 2 > 0.",
            "<html> is the root of a page.\n<head> holds what is not shown.\n<body> holds the rest.",
            "<p> opens a paragraph and </p> closes it.\n\nMost people leave the end tag away, and browsers forgive it.",
            "Use <p> and <div> with care. The tags <h1>, <h2> and <ul> have a meaning; </p> may be left out.",
            "How to write a page\n\nA long introduction explains why one would want that and what it is good for.\n\n             <html><head><title>x</title></head>\n<body><p>Hello</p></body></html>\n\n             And a long explanation follows that says what each of these tags means and why.",
            "The <br> tag breaks a line, <br/> does too, and <br /> as well; <br> is void.",
            "<John Smith> wrote: I agree.\n<Jane Roe> wrote: I do not.",
            "<?xml version='1.0'?><rss><channel><title>x</title><item><description><p>y</p></description></item></channel></rss>",
            "<rss version='2.0'><channel><item><description><![CDATA[<p>y</p>]]></description></item></channel></rss>",
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry><content><div>x</div></content></entry></feed>\n",
            "<?xml version='1.0'?><article><front>JATS</front><body><p>x</p></body></article>",
            "<!DOCTYPE nitf SYSTEM 'x'><nitf><body><p>x</p></body></nitf>",
            "<?xml version='1.0'?> no root",
            "{\"html\": \"<p>in JSON</p>\"}",
        ] {
            assert!(!is_html(text.as_bytes(), false), "{text}");
        }
    }

    #[test]
    fn a_name_tips_only_what_could_be_both() {
        let both = b"<b>Bold</b> beginning of a fragment";
        assert!(is_html(both, true) && !is_html(both, false));
        for text in ["no tag at all", "1 < 2", "<?xml version='1.0'?><rss></rss>"] {
            assert!(!is_html(text.as_bytes(), true), "{text}");
        }
    }

    #[test]
    fn signatures_name_the_format_unless_it_is_a_text_about_it() {
        for (content, name) in [
            (&b"%PDF-1.7\n%\xe2\xe3\xcf\xd3"[..], "a PDF document"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG image"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG image"),
            (b"\0\0\0\x20ftypisom", "a video or a HEIC or AVIF image"),
            (b"\x7fELF\x02\x01\x01\0", "an ELF program"),
            (b"PK\x03\x04\x14\0\x06\0", "a ZIP archive"),
            (b"{\\rtf1\\ansi hello}", "an RTF document"),
        ] {
            assert_eq!(signature(content), Some(name));
        }
        for text in [
            "The ftyp box begins each MP4 file.",
            "MZ is a signature",
            "GIF89a is a format",
            "wOFF",
        ] {
            assert_eq!(signature(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_stray_control_character_makes_no_binary() {
        assert!(!is_ridden_with_controls(
            b"A text with one \0 in it and a \x1a at its end.\x1a"
        ));
        assert!(!is_ridden_with_controls("\x1b$B%K%e!<%9\x1b(B".as_bytes()));
        assert!(is_ridden_with_controls(&[1, 2, 3, 4]));
        assert!(is_ridden_with_controls(&[0; 4]));
        let bytes: Vec<u8> = (0..4096_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        assert!(is_ridden_with_controls(&bytes));
    }
}
