//! Containers: files that hold many submissions, WARC files and the JSON of scrapers. Told by their content, read in pieces.
//!
//! A container is no document: what is archived are the pages in it, each with the address and date that the container
//! gives it. What cannot be read is told with its place, and the rest goes on.

use std::io::{self, Read, Seek};

use serde::{Deserialize, Serialize};

use crate::submission::{Declared, Reason, ReasonCode};

mod http;
mod json;
mod stream;
mod warc;

use stream::Stream;

/// So much of a file is looked at first.
const HEAD_BYTES: usize = 512;

/// What a container is read from.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// Limits, and how to read the objects of scrapers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Names of fields.
    pub json: Fields,
    /// One page may be so large.
    pub part_bytes_max: usize,
    /// All of a container may unpack to so much.
    pub unpacked_bytes_max: u64,
}

/// In which fields of an object things are sought; the first that is there is taken. `a.b` is the field `b` of the object in `a`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    /// The page or its text. An object without any of these is none of a scraper's.
    pub content: Vec<String>,
    /// Where it was fetched.
    pub url: Vec<String>,
    /// When it was fetched.
    pub fetched_at: Vec<String>,
    /// Its title.
    pub title: Vec<String>,
    /// The producer's name of the source.
    pub source: Vec<String>,
    /// The producer's own id of the document, unique within the source.
    pub id: Vec<String>,
}

impl Default for Fields {
    fn default() -> Fields {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Fields {
            // Pages before texts: what a scraper made of a page is worth less than the page.
            content: list(&[
                "html",
                "raw_html",
                "rawHtml",
                "page_html",
                "html_content",
                "content_html",
                "body_html",
                "browserHtml",
                "body",
                "content",
                "article_body",
                "articleBody",
                "maintext",
                "full_text",
                "fulltext",
                "text",
                "raw_text",
            ]),
            url: list(&[
                "url",
                "link",
                "page_url",
                "pageUrl",
                "source_url",
                "original_url",
                "canonical_url",
                "uri",
            ]),
            fetched_at: list(&[
                "fetched_at",
                "scraped_at",
                "crawled_at",
                "retrieved_at",
                "downloaded_at",
                "date_download",
                "crawl_date",
                "fetch_time",
                "timestamp",
                "crawl.loadedTime",
            ]),
            title: list(&["title", "headline"]),
            source: list(&["source_name", "feed"]),
            // A scraper's `id` is a row's number as often as not, and the rows of two files would become versions of each other.
            id: Vec::new(),
        }
    }
}

/// Kinds of containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// WARC, plain, gzip or zstd.
    Warc,
    /// An object, an array of objects, or objects one after another, also packed.
    Json,
}

/// One thing in a container.
#[derive(Debug)]
pub struct Part {
    /// Its number, from 1, in the order of the container; the same each time that the container is read.
    pub number: u32,
    /// What it is.
    pub found: Found,
}

/// What a thing in a container is.
#[derive(Debug)]
pub enum Found {
    /// A page or a text, and what the container declares about it.
    Page(Vec<u8>, Box<Declared>),
    /// Nothing that could be an article: a request, an image, a redirect.
    Other,
    /// It cannot be read; the reason names its place.
    Broken(Reason),
}

/// Takes the parts of a container; false ends the reading.
pub type Take<'a> = &'a mut dyn FnMut(Part) -> bool;

/// Which kind of container `source` is, if it is one. It stands at its start afterwards.
pub fn kind_of(source: &mut dyn Source, options: &Options) -> io::Result<Option<Kind>> {
    source.rewind()?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    source.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    source.rewind()?;
    if !can_begin(&head) {
        return Ok(None);
    }
    let kind = match Stream::open(&mut *source, options.unpacked_bytes_max) {
        Ok(mut stream) => match warc::begins(&mut stream) {
            true => Some(Kind::Warc),
            false => json::begins(&mut stream, options).then_some(Kind::Json),
        },
        // What cannot be unpacked is for decoding to judge.
        Err(_) => None,
    };
    source.rewind()?;
    Ok(kind)
}

/// Whether a container can begin so: nearly every file shows in its first byte that it is none.
fn can_begin(head: &[u8]) -> bool {
    let is_before = |byte: &u8| byte.is_ascii_whitespace() || json::BYTE_ORDER_MARK.contains(byte);
    match head.iter().find(|byte| !is_before(byte)) {
        Some(b'{' | b'[') | None => true,
        Some(_) => head.starts_with(warc::MAGIC) || stream::is_packed(head),
    }
}

/// Hands all that is in a container to `take`. An error is the system's; what is wrong with the container is a part.
pub fn read(
    source: &mut dyn Source,
    kind: Kind,
    options: &Options,
    take: Take<'_>,
) -> io::Result<()> {
    source.rewind()?;
    let stream = Stream::open(source, options.unpacked_bytes_max)?;
    match kind {
        Kind::Warc => warc::read(stream, options, take),
        Kind::Json => json::read(stream, options, take),
    }
    Ok(())
}

fn broken(place: &str, why: &str) -> Found {
    Found::Broken(Reason::new(
        ReasonCode::BrokenPart,
        format!("{place}: {why}"),
    ))
}

fn too_large(place: &str, bytes_max: usize) -> Found {
    let message = format!(
        "{place}: it has more than {bytes_max} bytes; raise decode.unpacked_bytes_max and send the file again"
    );
    Found::Broken(Reason::new(ReasonCode::TooLarge, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_told_by_its_first_bytes_and_by_what_follows_blanks() {
        let options = Options {
            json: Fields::default(),
            part_bytes_max: 1 << 20,
            unpacked_bytes_max: 1 << 20,
        };
        let kind = |bytes: &[u8]| {
            let mut source = io::Cursor::new(bytes);
            let kind = kind_of(&mut source, &options).expect("read");
            assert_eq!(source.position(), 0);
            kind
        };
        let object = r#"{"url": "https://example.org/a", "text": "Gulls."}"#;
        let packed = |bytes: &[u8]| zstd::encode_all(bytes, 1).expect("packed");
        let far = format!("\u{feff}{}[{object}]", "\n ".repeat(HEAD_BYTES));
        assert_eq!(kind(object.as_bytes()), Some(Kind::Json));
        assert_eq!(kind(far.as_bytes()), Some(Kind::Json));
        assert_eq!(kind(&packed(object.as_bytes())), Some(Kind::Json));
        assert_eq!(kind(b"WARC/1.1\r\n"), Some(Kind::Warc));
        assert_eq!(kind(&packed(b"WARC/1.1\r\n")), Some(Kind::Warc));
        for none in [
            &b""[..],
            b"W",
            b"<p>Gulls.</p>",
            b"Gulls.",
            b" WARC/1.1",
            b"{}",
        ] {
            assert_eq!(kind(none), None);
        }
    }
}
