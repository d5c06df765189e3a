//! WARC 1.1 records (ISO 28500:2017), the parts of it that an archive of files needs.
//!
//! ```text
//! WARC/1.1 CRLF
//! Name: value CRLF   ...
//! CRLF
//! block (Content-Length bytes)
//! CRLF CRLF
//! ```

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::digest::{Digest, hex};

const VERSION: &str = "WARC/1.1\r\n";
const END: &[u8] = b"\r\n\r\n";
/// So many bytes follow a record's block.
pub const END_BYTES: usize = END.len();

/// Profile of a revisit whose payload is the same as its target's (WARC 1.1, 6.7.2).
pub const IDENTICAL_PAYLOAD: &str =
    "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";

/// The name of a record: `<urn:uuid:...>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordId(String);

impl RecordId {
    /// A random name (RFC 9562, version 4).
    pub fn new(mut random: [u8; 16]) -> RecordId {
        random[6] = random[6] & 0x0F | 0x40;
        random[8] = random[8] & 0x3F | 0x80;
        let hex = hex(&random);
        let (a, b, c, d, e) = (
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        );
        RecordId(format!("<urn:uuid:{a}-{b}-{c}-{d}-{e}>"))
    }

    /// The name that stands in a header; `None` if it is no URI in angle brackets.
    pub fn parse(text: &str) -> Option<RecordId> {
        let uri = text.strip_prefix('<')?.strip_suffix('>')?;
        let is_uri = uri.contains(':') && uri.bytes().all(|b| b.is_ascii_graphic());
        is_uri.then(|| RecordId(text.to_owned()))
    }

    /// The name with its angle brackets, as it stands in headers.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A new record. Its parts are not joined: the block may be large, and the next thing done with it is to pack it.
#[derive(Debug, Clone)]
pub struct NewRecord {
    head: Vec<u8>,
    block: Vec<u8>,
}

impl NewRecord {
    /// What makes the record, in this order.
    pub fn parts(&self) -> [&[u8]; 3] {
        [&self.head, &self.block, END]
    }

    /// The record's length.
    pub fn bytes(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }
}

/// A record in the making: headers, then [`RecordWriter::finish`] adds the block.
pub struct RecordWriter {
    head: String,
}

impl RecordWriter {
    /// Starts a record of the type `kind`.
    pub fn new(kind: &str, id: &RecordId, date: Timestamp) -> RecordWriter {
        let mut head = String::with_capacity(640);
        head.push_str(VERSION);
        let writer = RecordWriter { head };
        writer
            .field("WARC-Type", kind)
            .field("WARC-Record-ID", id.as_str())
            .field("WARC-Date", &warc_date(date))
    }

    /// Adds a header. Control characters cannot get into it: they would start a header of their own.
    pub fn field(mut self, name: &str, value: &str) -> RecordWriter {
        self.head.push_str(name);
        self.head.push_str(": ");
        if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            self.head.push_str(value);
        } else {
            let printable = value.chars().map(|c| if c.is_control() { ' ' } else { c });
            self.head.extend(printable);
        }
        self.head.push_str("\r\n");
        self
    }

    /// Adds a digest's header.
    pub fn digest(self, name: &str, digest: &Digest) -> RecordWriter {
        // Hexadecimal digits after `sha256:` are what warcio, too, accepts and verifies.
        self.field(name, &digest.to_string())
    }

    /// The whole record.
    pub fn finish(mut self, content_type: Option<&str>, block: impl Into<Vec<u8>>) -> NewRecord {
        let block = block.into();
        if let Some(content_type) = content_type {
            self = self.field("Content-Type", content_type);
        }
        write!(self.head, "Content-Length: {}\r\n\r\n", block.len())
            .expect("a String takes everything");
        NewRecord {
            head: self.head.into_bytes(),
            block,
        }
    }
}

/// WARC 1.1 takes any precision down to nanoseconds and four-digit years; beyond those years there is no way to say it.
pub fn warc_date(date: Timestamp) -> String {
    let text = date.to_string();
    if text.len() >= 20 && text.as_bytes()[4] == b'-' {
        text
    } else {
        "9999-12-31T23:59:59Z".to_owned()
    }
}

/// A record that was read.
#[derive(Debug)]
pub struct Record<'a> {
    headers: Vec<(&'a str, &'a str)>,
    /// The block.
    pub block: &'a [u8],
}

/// How bytes fail to be one record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The first line is another.
    #[error("it does not start with WARC/1.1")]
    NotWarc,
    /// A line is no header, or there is no end of headers.
    #[error("its headers are malformed")]
    BadHeaders,
    /// A header that must be there is missing or unreadable.
    #[error("header {0} is missing or malformed")]
    BadHeader(&'static str),
    /// The bytes end elsewhere than Content-Length says.
    #[error("its length is not what its Content-Length says")]
    BadLength,
}

impl<'a> Record<'a> {
    /// Reads the one record that `bytes` are.
    pub fn parse(bytes: &'a [u8]) -> Result<Record<'a>, RecordError> {
        let rest = bytes
            .strip_prefix(VERSION.as_bytes())
            .ok_or(RecordError::NotWarc)?;
        let head_end = memchr::memmem::find(rest, b"\r\n\r\n").ok_or(RecordError::BadHeaders)?;
        let head = std::str::from_utf8(&rest[..head_end]).map_err(|_| RecordError::BadHeaders)?;
        let headers = head
            .split("\r\n")
            .map(|line| line.split_once(':').map(|(n, v)| (n, v.trim())))
            .collect::<Option<Vec<_>>>()
            .ok_or(RecordError::BadHeaders)?;
        let mut record = Record {
            headers,
            block: &[],
        };
        let length: usize = record
            .header("Content-Length")
            .and_then(|length| length.parse().ok())
            .ok_or(RecordError::BadHeader("Content-Length"))?;
        let body = &rest[head_end + END.len()..];
        let block = body.strip_suffix(END).ok_or(RecordError::BadLength)?;
        if block.len() != length {
            return Err(RecordError::BadLength);
        }
        record.block = block;
        Ok(record)
    }

    /// The same record with other values for these headers (`None`: without it), and with another block.
    pub fn changed(&self, changes: &[(&str, Option<&str>)], block: Vec<u8>) -> NewRecord {
        let mut writer = RecordWriter {
            head: VERSION.to_owned(),
        };
        for (name, value) in &self.headers {
            let change = changes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
            match change {
                Some((_, Some(other))) => writer = writer.field(name, other),
                Some((_, None)) => {}
                None if name.eq_ignore_ascii_case("Content-Length") => {}
                None => writer = writer.field(name, value),
            }
        }
        writer.finish(None, block)
    }

    /// The value of a header; names are compared without regard to case (WARC 1.1, 4).
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value)
    }

    /// The record's type; empty if it has none.
    pub fn kind(&self) -> &'a str {
        self.header("WARC-Type").unwrap_or_default()
    }

    /// A digest header.
    pub fn digest(&self, name: &str) -> Option<Digest> {
        self.header(name)?.parse().ok()
    }
}

/// `url` as a header may carry it if it is an http or https address: what RFC 3986 does not allow is percent-encoded.
pub fn target_uri(url: &str) -> Option<String> {
    const URL_BYTES_MAX: usize = 8 << 10;
    let url = url.trim();
    let (scheme, rest) = url.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !is_web || rest.is_empty() || rest.starts_with('/') {
        return None;
    }
    let uri = percent_encoded(url, b":/?#[]@!$&'()*+,;=%-._~");
    (uri.len() <= URL_BYTES_MAX).then_some(uri)
}

/// `text` with all but letters, digits and `allowed` percent-encoded.
pub fn percent_encoded(text: &str, allowed: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || allowed.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes everything");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date() -> Timestamp {
        Timestamp::from_second(1_711_359_000).expect("in range")
    }

    #[test]
    fn a_record_is_written_and_read_back() {
        let id = RecordId::new([0xAB; 16]);
        let block = b"line\r\n\r\nline";
        let bytes = RecordWriter::new("resource", &id, date())
            .digest("WARC-Block-Digest", &Digest::of(block))
            .finish(Some("text/plain"), block)
            .parts()
            .concat();
        let record = Record::parse(&bytes).expect("own record");
        assert_eq!(record.kind(), "resource");
        assert_eq!(record.header("warc-record-id"), Some(id.as_str()));
        assert_eq!(record.header("WARC-Date"), Some("2024-03-25T09:30:00Z"));
        assert_eq!(record.digest("WARC-Block-Digest"), Some(Digest::of(block)));
        assert_eq!(record.block, block);
        assert_eq!(
            Record::parse(&bytes[..bytes.len() - 1]).err(),
            Some(RecordError::BadLength)
        );
    }

    #[test]
    fn no_value_starts_a_header_of_its_own() {
        let bytes = RecordWriter::new("resource", &RecordId::new([0; 16]), date())
            .field("WARC-Target-URI", "x\r\nWARC-Type: warcinfo\r\n\r\n")
            .finish(None, b"")
            .parts()
            .concat();
        let record = Record::parse(&bytes).expect("own record");
        assert_eq!(record.kind(), "resource");
        assert_eq!(record.headers.len(), 5);
    }

    #[test]
    fn addresses_become_uris_and_other_things_do_not() {
        assert_eq!(
            target_uri(" HTTPS://exämple.org/a b?q=\"\r\n1%20 ").as_deref(),
            Some("HTTPS://ex%C3%A4mple.org/a%20b?q=%22%0D%0A1%20")
        );
        for none in ["", "http://", "file:///etc/passwd", "ftp://x", "http:///x"] {
            assert_eq!(target_uri(none), None, "{none}");
        }
    }
}
