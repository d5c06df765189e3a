//! `Document`: a decoded submission, as evidence. What the sender declared stands beside what is there; nothing is decided here.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::submission::Declared;
use crate::tree::Tree;

/// A submission after decoding: characters instead of bytes, and a tree if it is a page.
#[derive(Debug)]
pub struct Document {
    /// What the content turned out to be.
    pub body: Body,
    /// How the bytes became characters.
    pub decoding: Decoding,
    /// What the sender said about it (sidecar, `--url`). Evidence, not truth.
    pub declared: Declared,
    /// What was noticed on the way in; becomes quality flags of the article.
    pub flags: Vec<Flag>,
}

/// The two shapes content comes in.
#[derive(Debug)]
pub enum Body {
    /// Flat text: the whole decoded text, without its byte-order mark.
    Text(String),
    /// An HTML page.
    Page(Box<Tree>),
}

impl Document {
    /// The text that the ledger's spans partition: of flat text, the decoded text itself; of a page, its text nodes
    /// joined in document order ([`Tree::text`]).
    pub fn input(&self) -> &str {
        match &self.body {
            Body::Text(text) => text,
            Body::Page(tree) => tree.text(),
        }
    }
}

/// How the raw bytes became characters; with the raw bytes this makes the decoding reproducible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decoding {
    /// `text` or `html`.
    pub format: Format,
    /// Compression that was taken off, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    /// The WHATWG name of the charset, e.g. `UTF-8`, `windows-1252`, `Shift_JIS`.
    pub charset: String,
    /// Why that charset was taken.
    pub charset_evidence: CharsetEvidence,
    /// A byte-order mark stood at the start and is not part of the text. Its length in bytes, 0 without one.
    #[serde(default)]
    pub bom_bytes: usize,
    /// Places where bytes could not be decoded: offsets into the (decompressed) bytes. At most
    /// [`Decoding::UNDECODABLE_MAX`] are listed; `undecodable_count` is the true count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecodable: Vec<Range<usize>>,
    /// How many undecodable sequences there were; each stands as U+FFFD in the text.
    #[serde(default)]
    pub undecodable_count: usize,
}

impl Decoding {
    /// So many undecodable places are listed; the rest is only counted.
    pub const UNDECODABLE_MAX: usize = 100;
}

/// What the content is, told by itself rather than by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Flat text.
    Text,
    /// HTML or XHTML.
    Html,
}

/// A compression wrapped around the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// Why a charset was taken, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CharsetEvidence {
    /// A byte-order mark.
    Bom,
    /// The sidecar's Content-Type header.
    Header,
    /// `<meta charset>` or an XML declaration in the page.
    Declared,
    /// The bytes are valid UTF-8.
    Utf8,
    /// NUL bytes at every other place: UTF-16 without a mark.
    Utf16Pattern,
    /// Statistical detection.
    Detected,
}

/// What decoding noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The declared charset does not fit the bytes; another was taken.
    CharsetContradicted,
    /// Some bytes could not be decoded.
    Undecodable,
    /// Tags nested too deep to build a tree: the text was taken from the tokens and stands as flat text.
    TooDeep,
    /// Too large to build a tree: the text was taken from the tokens and stands as flat text.
    TooLarge,
    /// The compressed data ended early; what could be read was taken.
    TornCompression,
}
