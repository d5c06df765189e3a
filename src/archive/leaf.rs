//! `Leaf`: what the log says about a document, which is nothing that could be read or guessed from it.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::identity::DocId;

/// One entry of the log. Its bytes are canonical JSON (RFC 8785): members sorted by name, no blanks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Leaf {
    /// A capture was archived.
    Capture {
        /// The document.
        doc: DocId,
        /// The capture's number, from 1.
        capture: u32,
        /// The story version that it shows, from 1.
        version: u32,
        /// Digest of the metadata record's block.
        metadata: Digest,
        /// Index of the document's leaf before this one.
        previous: Option<u64>,
    },
    /// Something was declared about a capture later.
    MetadataRevision {
        /// The document.
        doc: DocId,
        /// The capture's number.
        capture: u32,
        /// Digest of the metadata record's block.
        metadata: Digest,
        /// Index of the document's leaf before this one.
        previous: Option<u64>,
    },
    /// A person decided about a span of text.
    Pin {
        /// The document; of a source, an id that is made in the same way.
        doc: DocId,
        /// Digest of the metadata record's block.
        metadata: Digest,
        /// Index of the document's leaf before this one.
        previous: Option<u64>,
    },
}

impl Leaf {
    /// The entry's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let value = serde_json::to_value(self).expect("numbers and strings");
        let object = value.as_object().expect("a leaf is an object");
        // All values are small integers, null, or strings of plain ASCII: sorting the names is all that RFC 8785 asks.
        let sorted: std::collections::BTreeMap<_, _> = object.iter().collect();
        serde_json::to_vec(&sorted).expect("numbers and strings")
    }

    /// Reads an entry; only the very bytes that [`Leaf::to_bytes`] writes are one.
    pub fn parse(bytes: &[u8]) -> Option<Leaf> {
        let leaf: Leaf = serde_json::from_slice(bytes).ok()?;
        (leaf.to_bytes() == bytes).then_some(leaf)
    }

    /// Digest of the metadata record's block.
    pub fn metadata(&self) -> Digest {
        match self {
            Leaf::Capture { metadata, .. }
            | Leaf::MetadataRevision { metadata, .. }
            | Leaf::Pin { metadata, .. } => *metadata,
        }
    }

    /// The document and the number of the capture: 0 if it is about none.
    pub fn capture(&self) -> (&DocId, u32) {
        match self {
            Leaf::Capture { doc, capture, .. } | Leaf::MetadataRevision { doc, capture, .. } => {
                (doc, *capture)
            }
            Leaf::Pin { doc, .. } => (doc, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_canonical_json_and_nothing_else_is_one() {
        let leaf = Leaf::Capture {
            doc: DocId("abcdefgh234567ab".into()),
            capture: 2,
            version: 1,
            metadata: Digest::of(b"block"),
            previous: Some(0),
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
        assert_eq!(Leaf::parse(text.replace(",", ", ").as_bytes()), None);
        assert_eq!(
            Leaf::parse(text.replace("capture\",", "captured\",").as_bytes()),
            None
        );
    }
}
