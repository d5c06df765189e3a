//! HTTP responses as crawlers record them (RFC 9112): head and body, with the transfer's chunks taken off.

use std::collections::BTreeMap;

/// A response.
pub(super) struct Response {
    /// The head as it came, without the blank line that ends it.
    pub(super) head: String,
    pub(super) status: u16,
    /// Names in lower case; the values of a repeated one are joined by commas.
    pub(super) headers: BTreeMap<String, String>,
    /// As the origin coded it: gzip stays.
    pub(super) body: Vec<u8>,
}

/// Reads a response; `None` if there is no head.
pub(super) fn parse(mut block: Vec<u8>) -> Option<Response> {
    let (head_end, body_start) = end_of_head(&block)?;
    let body = block.split_off(body_start);
    block.truncate(head_end);
    let head = String::from_utf8_lossy(&block).into_owned();
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/")?;
    let status = status.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let headers = headers(lines);
    let is_chunked = headers
        .get("transfer-encoding")
        .is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked"));
    let body = match is_chunked {
        // Some crawlers take the chunks off and leave the header: then there are none.
        true => dechunked(&body).unwrap_or(body),
        false => body,
    };
    Some(Response {
        status,
        headers,
        body,
        head,
    })
}

fn end_of_head(block: &[u8]) -> Option<(usize, usize)> {
    let crlf = memchr::memmem::find(block, b"\r\n\r\n").map(|at| (at, at + 4));
    let lf = memchr::memmem::find(block, b"\n\n").map(|at| (at, at + 2));
    [crlf, lf].into_iter().flatten().min()
}

/// The fields of a head; a line that begins with a blank goes on with the one before.
pub(super) fn headers<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            if let Some(value) = headers.get_mut(&last) {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            last = name.trim().to_ascii_lowercase();
            let joined = headers.entry(last.clone()).or_default();
            if !joined.is_empty() {
                joined.push_str(", ");
            }
            joined.push_str(value.trim());
        }
    }
    headers
}

/// The body in `chunked` (RFC 9112, 7.1); `None` if it is not.
fn dechunked(chunked: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::with_capacity(chunked.len());
    let mut rest = chunked;
    loop {
        let end = memchr::memchr(b'\n', rest)?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let size = line.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = &rest[end + 1..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = &rest[size..];
        rest = rest
            .strip_prefix(b"\r\n")
            .or_else(|| rest.strip_prefix(b"\n"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_off_and_gzip_stays() {
        let block = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\nset-cookie: b\r\n c\r\n\r\n4;x=y\r\nGull\r\n2\r\ns!\r\n0\r\n\r\n";
        let response = parse(block.to_vec()).expect("a response");
        assert_eq!(response.status, 200);
        assert_eq!(response.headers["set-cookie"], "a, b c");
        assert_eq!(response.body, b"Gulls!");
        let told = b"HTTP/1.0 404\ntransfer-encoding: chunked\n\nno chunks here";
        let response = parse(told.to_vec()).expect("a response");
        assert_eq!(
            (response.status, &*response.body),
            (404, &b"no chunks here"[..])
        );
        assert!(parse(b"GET / HTTP/1.1\r\n\r\n".to_vec()).is_none());
        assert!(parse(b"HTTP/1.1 200 OK".to_vec()).is_none());
    }
}
