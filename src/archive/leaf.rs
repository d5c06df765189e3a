//! `Leaf`: what the log says about a document, which is nothing that could be read or guessed from it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::identity::DocId;

/// One entry of the log. Its bytes are canonical JSON (RFC 8785): members sorted by name, no blanks. The members stand here
/// in that order, and their values are small integers, null, or strings of plain ASCII, so that there is nothing more to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// The capture's number, from 1, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<u32>,
    /// The document; of a source, an id that is made in the same way.
    pub doc: DocId,
    /// What happened.
    pub kind: LeafKind,
    /// Digest of the metadata record's block.
    pub metadata: Digest,
    /// Index of the document's leaf before this one.
    pub previous: Option<u64>,
    /// The story version that a capture shows, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// What a leaf tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeafKind {
    /// A capture was archived.
    Capture,
    /// Something was declared about a capture later.
    MetadataRevision,
    /// A person decided about a span of text.
    Pin,
    /// Another key signs the log from now on.
    Key,
    /// A capture was cleaned again.
    Reclean,
    /// A set of rules cleaned for the first time.
    Rules,
    /// A person said that two documents are one, or took that back.
    Link,
    /// A person said that from a version on a document is another, or took that back.
    Split,
    /// A document must not be erased.
    Hold,
    /// It may be again.
    Release,
    /// All leaves of the document before this one have no records any more.
    Erase,
}

impl LeafKind {
    /// All of them.
    pub const ALL: &[LeafKind] = &[
        LeafKind::Capture,
        LeafKind::MetadataRevision,
        LeafKind::Pin,
        LeafKind::Key,
        LeafKind::Reclean,
        LeafKind::Rules,
        LeafKind::Link,
        LeafKind::Split,
        LeafKind::Hold,
        LeafKind::Release,
        LeafKind::Erase,
    ];

    /// The kind as it stands in a leaf.
    pub fn as_str(self) -> &'static str {
        match self {
            LeafKind::Capture => "capture",
            LeafKind::MetadataRevision => "metadata_revision",
            LeafKind::Pin => "pin",
            LeafKind::Key => "key",
            LeafKind::Reclean => "reclean",
            LeafKind::Rules => "rules",
            LeafKind::Link => "link",
            LeafKind::Split => "split",
            LeafKind::Hold => "hold",
            LeafKind::Release => "release",
            LeafKind::Erase => "erase",
        }
    }

    /// Reads what [`LeafKind::as_str`] writes.
    pub fn parse(text: &str) -> Option<LeafKind> {
        LeafKind::ALL.iter().copied().find(|k| k.as_str() == text)
    }

    /// Whether its leaves are about one capture; else about a document or a source.
    fn is_about_a_capture(self) -> bool {
        match self {
            LeafKind::Capture | LeafKind::MetadataRevision | LeafKind::Reclean => true,
            LeafKind::Pin
            | LeafKind::Key
            | LeafKind::Rules
            | LeafKind::Link
            | LeafKind::Split
            | LeafKind::Hold
            | LeafKind::Release
            | LeafKind::Erase => false,
        }
    }
}

/// In words: `metadata revision`.
impl fmt::Display for LeafKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace('_', " "))
    }
}

impl Leaf {
    /// The entry's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and strings")
    }

    /// Reads an entry; only the very bytes that [`Leaf::to_bytes`] writes are one.
    pub fn parse(bytes: &[u8]) -> Option<Leaf> {
        let leaf: Leaf = serde_json::from_slice(bytes).ok()?;
        let is_whole = leaf.capture.is_some() == leaf.kind.is_about_a_capture()
            && leaf.version.is_some() == (leaf.kind == LeafKind::Capture);
        (is_whole && leaf.to_bytes() == bytes).then_some(leaf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_canonical_json_and_nothing_else_is_one() {
        let leaf = Leaf {
            capture: Some(2),
            doc: DocId("abcdefgh234567ab".into()),
            kind: LeafKind::Capture,
            metadata: Digest::of(b"block"),
            previous: Some(0),
            version: Some(1),
        };
        let bytes = leaf.to_bytes();
        let text = String::from_utf8(bytes.clone()).expect("text");
        assert_eq!(
            text,
            format!(
                r#"{{"capture":2,"doc":"abcdefgh234567ab","kind":"capture","metadata":"{}","previous":0,"version":1}}"#,
                Digest::of(b"block")
            )
        );
        assert_eq!(Leaf::parse(&bytes), Some(leaf));
        for (from, to) in [
            (",", ", "),
            ("capture\",", "captured\","),
            (r#""previous":0,"#, ""),
            (r#","version":1"#, ""),
            (r#""kind":"capture""#, r#""kind":"pin""#),
        ] {
            assert_eq!(Leaf::parse(text.replace(from, to).as_bytes()), None, "{to}");
        }
    }

    #[test]
    fn the_members_of_every_kind_of_leaf_are_sorted() {
        for kind in LeafKind::ALL.iter().copied() {
            let leaf = Leaf {
                capture: kind.is_about_a_capture().then_some(1),
                doc: DocId("abcdefgh234567ab".into()),
                kind,
                metadata: Digest::of(b"block"),
                previous: None,
                version: (kind == LeafKind::Capture).then_some(1),
            };
            let bytes = leaf.to_bytes();
            let members: std::collections::BTreeMap<String, serde_json::Value> =
                serde_json::from_slice(&bytes).expect("an object");
            assert_eq!(serde_json::to_vec(&members).expect("JSON"), bytes);
            assert_eq!(Leaf::parse(&bytes), Some(leaf));
            assert_eq!(LeafKind::parse(kind.as_str()), Some(kind));
        }
    }
}
