//! The feed of new versions (Atom, RFC 4287).

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::Escaper;
use std::fmt::Write as _;

use super::Shared;
use super::fault::Fault;
use super::frame::{self, shown};
use crate::archive::catalog::CaptureRow;
use crate::digest::Digest;

/// So many versions are in it.
const ENTRIES: u32 = 50;

pub(super) async fn show(State(web): State<Shared>) -> Result<Response, Fault> {
    let (id, newest) = web
        .shelf
        .read(|archive| {
            let newest = archive.newest_versions(u64::MAX >> 1, ENTRIES)?;
            Ok((archive.manifest().id.clone(), newest))
        })
        .await?;
    let kind = "application/atom+xml; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], feed(&id, &newest)).into_response())
}

fn feed(archive: &str, newest: &[CaptureRow]) -> String {
    let updated = newest
        .first()
        .map_or(jiff::Timestamp::UNIX_EPOCH, |row| row.received_at);
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>{}</id>\n<title>New versions</title>\n<author><name>faircopy</name></author>\n\
         <updated>{updated:.0}</updated>\n<link rel=\"self\" href=\"/feed.atom\"/>\n<link href=\"/\"/>\n",
        name(archive)
    );
    for row in newest {
        let title = escaped(frame::title(row));
        let address = format!("/documents/{}/{}", row.doc, row.version);
        let what = match row.version {
            1 => "A new document".to_owned(),
            version => format!("Version {version}: the story changed"),
        };
        let of = row
            .url
            .as_deref()
            .map(|url| format!(", {}", escaped(url)))
            .unwrap_or_default();
        feed.push_str(&format!(
            "<entry>\n<id>{}</id>\n<title type=\"text\">{title}</title>\n<updated>{:.0}</updated>\n\
             <published>{:.0}</published>\n<link href=\"{address}\"/>\n<summary type=\"text\">{what}{of}</summary>\n</entry>\n",
            name(&format!("{archive}/{}", row.leaf)),
            row.received_at,
            row.captured_at,
        ));
    }
    feed.push_str("</feed>\n");
    feed
}

/// A name that is the same whatever address the feed is read at: a UUID of version 8 (RFC 9562) made of a digest.
fn name(of: &str) -> String {
    let digest = Digest::of(format!("faircopy/feed/1 {of}").as_bytes());
    let mut bytes: [u8; 16] = [0; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = crate::digest::hex(&bytes);
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// Text as XML can hold it: escaped, and without the characters that XML 1.0 has not.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let known: String = shown(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    let written = Escaper::new(&mut escaped).write_str(&known);
    written.expect("strings take all");
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_not_in_it() {
        let text = escaped("<script>\u{0}&\u{1b}\"\u{ffff}");
        assert_eq!(text, "&lt;script&gt;\\u{0}&amp;\\u{1b}&quot;\u{fffd}");
    }

    #[test]
    fn names_are_uuids_and_differ() {
        let (a, b) = (name("a/1"), name("a/2"));
        assert_ne!(a, b);
        assert_eq!((a.len(), a.as_bytes()[9 + 14]), (45, b'8'), "{a}");
    }
}
