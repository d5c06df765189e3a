//! Decoding: bytes to characters, and characters to lines or a tree. Nothing is decided here: what the sender declared goes on
//! beside what the bytes are.

mod charset;
mod compression;
mod direct;
mod flat;
mod html;
mod markup;
mod references;
mod sets;
mod sniff;
mod stack;
mod stock;
mod tokenizer;

use std::borrow::Cow;
use std::path::Path;

use charset::{Characters, Charset};

use crate::document::{Body, Decoding, Document, Flag, Format};
use crate::submission::{Declared, Reason, ReasonCode};

/// Limits of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// A submission, and what it unpacks to, may be so large. Above [`Options::BYTES_MAX`] it counts as that.
    pub bytes_max: usize,
    /// Elements may be nested so deep; a page that is deeper becomes flat text. News pages stay below 60, the worst of a
    /// thousand reached 175, browsers themselves stop at 512.
    pub depth_max: usize,
}

impl Options {
    /// Text beyond this could not be addressed by the 32-bit offsets of [`crate::tree::Tree`].
    pub const BYTES_MAX: usize = 1 << 30;
}

impl Default for Options {
    fn default() -> Options {
        Options {
            bytes_max: 64 << 20,
            depth_max: 512,
        }
    }
}

/// A format: how it is told and how it is read. To add one, add a file and a line to [`FORMATS`].
struct FormatRow {
    format: Format,
    /// Bytes that hold ASCII as ASCII, and whether their name or sender calls them HTML.
    is_it: fn(&[u8], bool) -> bool,
    /// The charset that the content declares in itself.
    declared_charset: fn(&[u8]) -> Option<String>,
    read: fn(Cow<'_, str>, &Options, &mut Vec<Flag>) -> Body,
}

/// The formats; the first that fits is taken.
const FORMATS: &[FormatRow] = &[
    FormatRow {
        format: Format::Html,
        is_it: sniff::is_html,
        declared_charset: charset::declared_in_page,
        read: html::read,
    },
    FormatRow {
        format: Format::Text,
        is_it: |_, _| true,
        declared_charset: charset::declared_in_xml,
        read: |text, _, _| Body::Text(text.into_owned()),
    },
];

/// Decodes `raw`. Its name is only a hint and need not be UTF-8.
pub fn decode(
    name: &Path,
    raw: &[u8],
    declared: &Declared,
    options: &Options,
) -> Result<Document, Reason> {
    let unpacked = compression::unpack(raw, options.bytes_max.min(Options::BYTES_MAX))?;
    let content = &*unpacked.content;
    if content.is_empty() {
        return Err(empty("there is not one byte in it"));
    }
    if let Some(kind) = sniff::signature(content) {
        return Err(binary(kind));
    }
    let media_type = declared.headers.get("content-type").map(String::as_str);
    let header = media_type.and_then(charset::charset_parameter);
    let is_called_html = is_called_html(name, media_type);
    let (row, charset, characters) = match charset::marked(content, header.as_deref()) {
        Some(charset) => {
            let characters = charset::decode_as(content, &charset);
            (
                row_of(characters.text.as_bytes(), is_called_html),
                charset,
                characters,
            )
        }
        None if sniff::is_ridden_with_controls(content) => {
            return Err(binary("data full of NUL bytes and control characters"));
        }
        None => {
            let row = row_of(content, is_called_html);
            let in_page = (row.declared_charset)(content);
            let tld = declared.url.as_deref().and_then(top_level_domain);
            let (charset, characters) = charset::read(
                content,
                header.as_deref(),
                in_page.as_deref(),
                tld.as_deref(),
            );
            (row, charset, characters)
        }
    };
    let is_blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}');
    if characters.text.chars().all(is_blank) {
        return Err(empty("there is nothing but blanks in it"));
    }
    let mut flags = flags(&charset, &characters, unpacked.is_torn);
    let decoding = Decoding {
        format: row.format,
        layers: unpacked.layers,
        charset: charset.name().to_owned(),
        charset_evidence: charset.evidence,
        bom_bytes: charset.bom_bytes,
        undecodable: characters.undecodable,
        undecodable_count: characters.undecodable_count,
    };
    let body = (row.read)(characters.text, options, &mut flags);
    Ok(Document {
        body,
        decoding,
        declared: declared.clone(),
        flags,
    })
}

fn row_of(content: &[u8], is_called_html: bool) -> &'static FormatRow {
    let row = FORMATS
        .iter()
        .find(|row| (row.is_it)(content, is_called_html));
    row.expect("the last format fits everything")
}

fn flags(charset: &Charset, characters: &Characters<'_>, is_torn: bool) -> Vec<Flag> {
    let noticed = [
        (is_torn, Flag::TornCompression),
        (charset.is_contradicted, Flag::CharsetContradicted),
        (characters.undecodable_count > 0, Flag::Undecodable),
    ];
    let noticed = noticed.into_iter().filter(|(is_so, _)| *is_so);
    noticed.map(|(_, flag)| flag).collect()
}

/// The name, without the suffixes of compression, or the media type says HTML.
fn is_called_html(name: &Path, media_type: Option<&str>) -> bool {
    let mut name = name.to_path_buf();
    while name.extension().is_some_and(|e| e == "gz" || e == "zst") {
        name.set_extension("");
    }
    let extension = name.extension().and_then(|e| e.to_str());
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    let media_type = media_type.unwrap_or_default().to_ascii_lowercase();
    matches!(&*extension, "html" | "htm" | "xhtml" | "xht" | "shtml")
        || media_type.starts_with("text/html")
        || media_type.starts_with("application/xhtml+xml")
}

/// The last label of the URL's host, in the form that detection asks for: lower-case ASCII letters.
fn top_level_domain(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    let label = host.trim_end_matches('.').rsplit('.').next()?;
    let is_label = !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphabetic());
    is_label.then(|| label.to_ascii_lowercase())
}

fn empty(what: &str) -> Reason {
    let message = format!("the file is empty: {what}; send it again when it has something in it");
    Reason::new(ReasonCode::Empty, message)
}

fn binary(kind: &str) -> Reason {
    let message =
        format!("it is neither text nor HTML but looks like {kind}; send the page or its text");
    Reason::new(ReasonCode::Binary, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_media_types_hint_at_html() {
        for name in ["a.html", "a.HTM", "a.html.gz", "a.xhtml.zst.gz"] {
            assert!(is_called_html(Path::new(name), None), "{name}");
        }
        for name in ["a.txt", "html", "a.html.txt", ""] {
            assert!(
                !is_called_html(Path::new(name), Some("text/plain")),
                "{name}"
            );
            assert!(
                is_called_html(Path::new(name), Some("Text/HTML; charset=x")),
                "{name}"
            );
        }
    }

    #[test]
    fn the_top_level_domain_is_read_from_any_url() {
        for (url, tld) in [
            ("https://user:p@www.example.RU:8080/a?b#c", Some("ru")),
            ("http://example.jp.", Some("jp")),
            ("http://127.0.0.1/", None),
            ("http://[::1]/", None),
            ("nonsense", None),
            ("http://пример.рф/", None),
        ] {
            assert_eq!(top_level_domain(url).as_deref(), tld, "{url}");
        }
    }
}
