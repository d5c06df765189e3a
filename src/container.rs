//! Containers: files that hold many submissions, WARC files and the JSON of scrapers. Told by their content, read in pieces.
//!
//! A container is no document: what is archived are the pages in it, each with the address and date that the container
//! gives it. What cannot be read is told with its place, and the rest goes on.

use std::io::{self, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use crate::submission::{Declared, Reason, ReasonCode};

mod http;
mod json;
mod stream;
mod warc;

use stream::Stream;

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
    let kind = match Stream::open(&mut *source, options.unpacked_bytes_max) {
        Ok(mut stream) => match warc::begins(&mut stream) {
            true => Some(Kind::Warc),
            false => json::begins(&mut stream, options).then_some(Kind::Json),
        },
        // What cannot be unpacked is for decoding to judge.
        Err(_) => None,
    };
    source.seek(SeekFrom::Start(0))?;
    Ok(kind)
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
