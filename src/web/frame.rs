//! What all pages share: head, navigation, and how scraped text, times and digests are shown.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::archive::catalog::CaptureRow;
use crate::digest::Digest;
use crate::visible::{is_control, is_reordering, visible};

/// So many characters of a title stand in lists.
const LISTED_CHARS_MAX: usize = 160;

/// Which part of the house a page is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// How things stand.
    Overview,
    /// The documents.
    Documents,
    /// What could not be archived.
    Quarantine,
    /// None of them.
    None,
}

/// A page.
pub(super) fn page(title: &str, room: Room, content: Markup) -> Page {
    page_of(None, title, room, content)
}

/// A page that shows something `of` what its title names.
pub(super) fn page_of(of: Option<&str>, title: &str, room: Room, content: Markup) -> Page {
    Page(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { @if let Some(of) = of { (of) " · " } (shown(title)) " · faircopy" }
                link rel="icon" href="/favicon.ico" type="image/svg+xml";
                link rel="stylesheet" href="/assets/style.css";
                link rel="alternate" type="application/atom+xml" title="New versions" href="/feed.atom";
                script src="/assets/script.js" defer {}
            }
            body {
                a class="skip" href="#content" { "Skip to the content" }
                header class="top" {
                    div class="inner" {
                        a class="name" href="/" { "faircopy" }
                        nav aria-label="Main" {
                            (entry("/", "Overview", room == Room::Overview))
                            (entry("/documents", "Documents", room == Room::Documents))
                            (entry("/quarantine", "Quarantine", room == Room::Quarantine))
                        }
                    }
                }
                main id="content" tabindex="-1" {
                    h1 class=[is_long(title).then_some("long")] { (scraped(title)) }
                    (content)
                }
                footer class="bottom" {
                    div class="inner" {
                        p { "faircopy " (env!("CARGO_PKG_VERSION")) " · read only" }
                        p {
                            a href="/feed.atom" { "Feed of new versions" } " · "
                            a href="/api/v1/openapi.json" { "JSON" } " · "
                            a href="/metrics" { "Metrics" }
                        }
                    }
                }
            }
        }
    })
}

fn entry(address: &str, name: &str, is_here: bool) -> Markup {
    html! { a href=(address) aria-current=[is_here.then_some("page")] { (name) } }
}

/// A page as it is sent.
pub(super) struct Page(Markup);

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let Page(PreEscaped(text)) = self;
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
    }
}

/// Scraped text as plain text: what would act is made visible.
pub(super) fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    visible(text, |c| is_control(c) || is_reordering(c))
}

/// Scraped text within a line, kept from turning the order of what stands around it.
pub(super) fn scraped(text: &str) -> Markup {
    html! { bdi dir="auto" { (shown(text)) } }
}

/// A message of the program as a sentence. Commands stand between backticks in it.
pub(super) fn told(message: &str) -> Markup {
    let first = message.chars().next().map_or(0, char::len_utf8);
    let sentence = message[..first].to_uppercase() + &message[first..];
    html! {
        @for (index, part) in sentence.split('`').enumerate() {
            @if index % 2 == 1 { code { (scraped(part)) } } @else { (scraped(part)) }
        }
        @if !message.ends_with(['.', '!', '?']) { "." }
    }
}

/// An address as a link, if it is one that a browser only fetches; else as text.
pub(super) fn address(url: &str) -> Markup {
    let scheme = url
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_harmless = matches!(scheme.as_deref(), Some("http" | "https"))
        && !url.contains(|c: char| c.is_control() || c.is_whitespace() || is_reordering(c));
    html! {
        @if is_harmless {
            a class="address" href=(url) rel="noopener noreferrer nofollow" { (scraped(url)) }
        } @else {
            span class="address" { (scraped(url)) }
        }
    }
}

/// A point in time.
pub(super) fn time(at: Timestamp) -> Markup {
    let shown = at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    html! { time datetime=(format!("{at:.0}")) { (shown) } }
}

/// A digest, of which the beginning is enough for the eye; all of it is there to be copied.
pub(super) fn digest(digest: &Digest) -> Markup {
    let hex = digest.to_hex();
    html! { code class="digest" title=(digest) { (hex[..12]) "…" } }
}

/// A count with the noun that it counts.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {many}", grouped(number)),
    }
}

/// A number with thin spaces between its thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes.
pub(super) fn bytes(number: u64) -> String {
    bytesize::ByteSize::b(number).display().iec().to_string()
}

/// The title of a capture.
pub(super) fn title(row: &CaptureRow) -> &str {
    let title = row
        .title
        .as_deref()
        .filter(|title| !title.trim().is_empty());
    title.unwrap_or("(no title)")
}

/// Whether a title is so long that it is set smaller, and cut in lists.
fn is_long(title: &str) -> bool {
    title.chars().nth(LISTED_CHARS_MAX).is_some()
}

/// The title of a capture in a list: one that has no end is cut; the document's own page has all of it.
pub(super) fn short_title(row: &CaptureRow) -> Markup {
    let title = title(row);
    let end = title
        .char_indices()
        .nth(LISTED_CHARS_MAX)
        .map(|(end, _)| end);
    html! {
        @match end {
            Some(end) => (scraped(&format!("{}…", &title[..end]))),
            None => (scraped(title)),
        }
    }
}

/// `3`, or `3.2` for an edition, as it stands in addresses.
pub(super) fn version(row: &CaptureRow) -> String {
    match row.edition {
        Some(edition) => format!("{}.{}", row.version, edition.number),
        None => row.version.to_string(),
    }
}

/// Flags, each with words that say what it means.
pub(super) fn flags(flags: &str) -> Markup {
    html! {
        @for flag in flags.split(' ').filter(|flag| !flag.is_empty()) {
            span class="flag" { (flag.replace('_', " ")) } " "
        }
    }
}

/// A language's tag, if it is of the form of one.
pub(super) fn language(tag: Option<&str>) -> Option<&str> {
    tag.filter(|tag| {
        let is_plain = tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        is_plain && (2..=35).contains(&tag.len())
    })
}

/// A value as part of a query.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
