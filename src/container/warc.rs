//! WARC files of any version (ISO 28500): the pages among their responses and resources.

use std::io::{BufRead, Read};

use serde_json::json;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::http;
use super::stream::{Stream, read_line};
use super::{Found, Options, Part, Take, broken, too_large};
use crate::digest::hex;
use crate::identity::normalise_url;
use crate::submission::Declared;

/// So long may the headers of a record be.
const HEAD_BYTES_MAX: usize = 1 << 20;

/// What a record begins with, whatever its version.
pub(super) const MAGIC: &[u8] = b"WARC/";

/// Whether `stream` stands at a record. It is not moved.
pub(super) fn begins(stream: &mut Stream<'_>) -> bool {
    stream
        .fill_buf()
        .is_ok_and(|ready| ready.starts_with(MAGIC))
}

pub(super) fn read(mut stream: Stream<'_>, options: &Options, take: Take<'_>) {
    let mut number = 0;
    loop {
        let at = stream.place();
        number += 1;
        let place = format!("record {number} at byte {at}");
        let (found, next) = match record(&mut stream, options) {
            Ok(Some(record)) => (judge(record, &place), Next::Record),
            Ok(None) => return,
            Err(Damage::Record(why)) => (broken(&place, &why), Next::Sought),
            Err(Damage::TooLarge) => (too_large(&place, options.part_bytes_max), Next::Record),
            Err(Damage::Packing(why)) => (broken(&place, &why), Next::Member(at)),
        };
        if !take(Part { number, found }) {
            return;
        }
        let goes_on = match next {
            Next::Record => true,
            Next::Sought => seek_record(&mut stream),
            Next::Member(at) => seek_member(&mut stream, at),
        };
        if !goes_on {
            return;
        }
    }
}

/// Where reading goes on.
enum Next {
    Record,
    Sought,
    Member(u64),
}

/// What is wrong with a record.
enum Damage {
    /// It is malformed; the next is sought in what follows.
    Record(String),
    /// It is well formed and was passed over.
    TooLarge,
    /// It cannot be unpacked.
    Packing(String),
}

impl From<std::io::Error> for Damage {
    fn from(error: std::io::Error) -> Damage {
        Damage::Packing(error.to_string())
    }
}

struct Record {
    /// The headers as they came, without the blank line that ends them.
    head: String,
    block: Vec<u8>,
}

impl Record {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found
                .trim()
                .eq_ignore_ascii_case(name)
                .then(|| value.trim())
        })
    }
}

/// The next record; `None` at the end.
fn record(stream: &mut Stream<'_>, options: &Options) -> Result<Option<Record>, Damage> {
    let mut line = Vec::new();
    // Blank lines end the record before; some writers put more of them than two.
    while line.trim_ascii().is_empty() {
        if !read_line(stream, &mut line, HEAD_BYTES_MAX)? {
            return Ok(None);
        }
    }
    if !line.starts_with(b"WARC/") {
        return Err(Damage::Record("no record begins here".to_owned()));
    }
    let mut head = line.clone();
    loop {
        if !read_line(stream, &mut line, HEAD_BYTES_MAX)? {
            return Err(Damage::Record("it ends within its headers".to_owned()));
        }
        if line.trim_ascii().is_empty() {
            break;
        }
        head.extend_from_slice(&line);
        if head.len() > HEAD_BYTES_MAX {
            return Err(Damage::Record("its headers do not end".to_owned()));
        }
    }
    let head = String::from_utf8_lossy(head.trim_ascii_end()).into_owned();
    let mut record = Record {
        head,
        block: Vec::new(),
    };
    let length: Option<u64> = record.header("Content-Length").and_then(|l| l.parse().ok());
    let Some(length) = length else {
        return Err(Damage::Record("it has no Content-Length".to_owned()));
    };
    let mut block = stream.take(length);
    if length > options.part_bytes_max as u64 {
        std::io::copy(&mut block, &mut std::io::sink())?;
        return match record.is_page_like() {
            true => Err(Damage::TooLarge),
            false => Ok(Some(record)),
        };
    }
    block.read_to_end(&mut record.block)?;
    if (record.block.len() as u64) < length {
        return Err(Damage::Record(format!(
            "it ends after {} of {length} bytes",
            record.block.len()
        )));
    }
    if !matches!(
        stream.fill_buf()?.first(),
        None | Some(b'\r' | b'\n' | b'W')
    ) {
        return Err(Damage::Record(
            "its block does not end where its Content-Length says".to_owned(),
        ));
    }
    Ok(Some(record))
}

impl Record {
    fn is_page_like(&self) -> bool {
        let is_web = self.url().is_some_and(|url| normalise_url(url).is_some());
        let is_ours = self
            .url()
            .is_some_and(|url| url.starts_with("urn:x-faircopy:"));
        match self.header("WARC-Type") {
            Some("response") => is_web,
            Some("resource") => (is_web || is_ours) && is_article_type(self.header("Content-Type")),
            _ => false,
        }
    }

    fn url(&self) -> Option<&str> {
        // Some writers put the brackets of a record's name around it (as WARC 1.0's grammar said).
        self.header("WARC-Target-URI")
            .map(|url| url.trim_start_matches('<').trim_end_matches('>'))
    }

    /// Whether the block has the digest that its header states; without one that we can compute, it may.
    fn is_sound(&self) -> bool {
        let Some((algorithm, stated)) = self
            .header("WARC-Block-Digest")
            .and_then(|digest| digest.split_once(':'))
        else {
            return true;
        };
        let digest = match algorithm.trim().to_ascii_lowercase().as_str() {
            "sha1" => Sha1::digest(&self.block).to_vec(),
            "sha256" | "sha-256" => Sha256::digest(&self.block).to_vec(),
            _ => return true,
        };
        let stated = stated.trim().trim_end_matches('=');
        stated.eq_ignore_ascii_case(&hex(&digest)) || stated.eq_ignore_ascii_case(&base32(&digest))
    }
}

/// RFC 4648, without padding.
fn base32(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let digits = (0..bytes.len() * 8).step_by(5);
    digits
        .map(|start| {
            let value = (start..start + 5).fold(0, |value, at| value << 1 | bit(at));
            char::from(DIGITS[usize::from(value)])
        })
        .collect()
}

fn is_article_type(media_type: Option<&str>) -> bool {
    let media_type = media_type.unwrap_or_default().to_ascii_lowercase();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    matches!(
        media_type,
        "" | "text/html" | "application/xhtml+xml" | "text/plain"
    )
}

fn judge(record: Record, place: &str) -> Found {
    if !record.is_page_like() {
        return Found::Other;
    }
    if !record.is_sound() {
        return broken(
            place,
            "its block does not have the digest that its header states",
        );
    }
    let mut declared = Declared {
        url: record
            .url()
            .filter(|url| normalise_url(url).is_some())
            .map(str::to_owned),
        fetched_at: record
            .header("WARC-Date")
            .and_then(|date| date.parse().ok()),
        ..Declared::default()
    };
    let mut warc = json!({"head": record.head});
    let is_response = record.header("WARC-Type") == Some("response");
    let body = if is_response {
        let Some(response) = http::parse(record.block) else {
            return broken(place, "it holds no HTTP response");
        };
        let is_page = (200..300).contains(&response.status)
            && is_article_type(response.headers.get("content-type").map(String::as_str));
        if !is_page {
            return Found::Other;
        }
        if let Some(coding) = unknown_coding(&response) {
            let why =
                format!("its Content-Encoding {coding} cannot be taken off, only gzip and zstd");
            return broken(place, &why);
        }
        warc["http_head"] = json!(response.head);
        declared.headers = response.headers;
        response.body
    } else {
        if let Some(media_type) = record.header("Content-Type") {
            declared
                .headers
                .insert("content-type".to_owned(), media_type.to_owned());
        }
        record.block
    };
    if body.trim_ascii().is_empty() {
        return Found::Other;
    }
    declared.other.insert("warc".to_owned(), warc);
    Found::Page(body, Box::new(declared))
}

/// The coding of a body that decoding does not know. Crawlers that take codings off often leave the header: text is text.
fn unknown_coding(response: &http::Response) -> Option<&str> {
    let coding = response.headers.get("content-encoding")?.trim();
    let is_known = ["", "identity", "gzip", "x-gzip", "zstd"]
        .iter()
        .any(|known| coding.eq_ignore_ascii_case(known));
    let front = &response.body[..response.body.len().min(1024)];
    let is_text = !front.iter().any(|b| matches!(b, 0..=8 | 14..=26 | 28..=31));
    (!is_known && !is_text).then_some(coding)
}

/// Passes over what is no record. False at the end.
fn seek_record(stream: &mut Stream<'_>) -> bool {
    loop {
        match stream.fill_buf() {
            Ok([]) => return false,
            Ok(ready) if ready.starts_with(MAGIC) => return true,
            Ok(ready) => {
                // To the next line. A start that lies across two buffers is missed, and with it one record more.
                let length = memchr::memchr(b'\n', ready).map_or(ready.len(), |at| at + 1);
                stream.consume(length);
            }
            Err(_) => {
                let at = stream.place();
                return seek_member(stream, at);
            }
        }
    }
}

/// Goes on at the next member that begins with a record.
fn seek_member(stream: &mut Stream<'_>, mut at: u64) -> bool {
    loop {
        match stream.skip_to_next_member(at) {
            Ok(true) if begins(stream) => return true,
            Ok(true) => at = stream.place(),
            _ => return false,
        }
    }
}
