//! What goes into one sealed segment, and what its dictionary is made of.
//!
//! A dictionary holds one version of each document of which there are several, whole: to it the others are a few changes. Of
//! the rest it holds a page for each site that has many, for what all pages of a site share.

use std::collections::{BTreeMap, HashMap};

use super::{Item, Kind, Piece};
use crate::archive::Error;
use crate::archive::dictionary::CONTENT_BYTES_MAX;

/// A record longer than this is not put into a dictionary, where it would leave no room for others.
const BASE_BYTES_MAX: usize = 1 << 20;
/// So much of a dictionary is kept free for samples.
const SAMPLES_BYTES: usize = 256 << 10;
/// A sealed segment takes no more records than this many bytes unpacked, but always one document.
const PART_BYTES_MAX: usize = 1 << 30;
/// A site has a sample in the dictionary if so many of its documents have no version there: since the dictionary is stored
/// twice, fewer would not repay it.
const SAMPLED_DOCS_MIN: usize = 6;

/// What goes into one sealed segment.
pub(super) struct Part {
    pub(super) items: Vec<Item>,
    base: Vec<Piece>,
}

impl Part {
    /// The content of its dictionary. What is short comes last: what is near is named in fewer bits, and there is more of it.
    pub(super) fn content(
        &self,
        read: &dyn Fn(&Piece) -> Result<Vec<u8>, Error>,
    ) -> Result<Vec<u8>, Error> {
        let mut content = Vec::new();
        for kind in [Kind::Raw, Kind::Text, Kind::Revisit, Kind::Metadata] {
            for piece in self.base.iter().filter(|piece| piece.kind == kind) {
                content.extend(read(piece)?);
            }
        }
        content.truncate(CONTENT_BYTES_MAX);
        Ok(content)
    }
}

/// One document with all its records.
struct Doc {
    site: String,
    items: Vec<Item>,
}

impl Doc {
    /// The version that the others are told by, if there are several: the middle one, from which none is far.
    fn base(&self) -> Option<&Item> {
        let has_raw = |item: &&Item| item.pieces.iter().any(|piece| piece.kind == Kind::Raw);
        let versions: Vec<&Item> = self.items.iter().filter(has_raw).collect();
        (versions.len() > 1).then(|| versions[versions.len() / 2])
    }

    fn bytes(&self) -> usize {
        let pieces = self.items.iter().flat_map(|item| &item.pieces);
        pieces.map(|piece| piece.bytes).sum()
    }
}

/// Shares records out among segments, of which there is always one: those of a document together, documents of a site one after
/// the other.
pub(super) fn parts(items: Vec<Item>) -> Vec<Part> {
    let mut docs: HashMap<_, Doc> = HashMap::new();
    for item in items {
        let doc = docs.entry(item.doc.clone()).or_insert_with(|| Doc {
            site: String::new(),
            items: Vec::new(),
        });
        if doc.site.is_empty() {
            doc.site.clone_from(&item.site);
        }
        doc.items.push(item);
    }
    let mut docs: Vec<Doc> = docs.into_values().collect();
    docs.iter_mut()
        .for_each(|doc| doc.items.sort_by_key(|item| item.leaf));
    docs.sort_by(|a, b| (&a.site, a.items[0].leaf).cmp(&(&b.site, b.items[0].leaf)));

    let mut parts = Vec::new();
    let mut part: Vec<Doc> = Vec::new();
    let (mut base_bytes, mut bytes) = (0, 0);
    for doc in docs {
        let base = doc
            .base()
            .map_or(0, |base| pieces_of(base).map(|p| p.bytes).sum());
        let is_full = base_bytes + base > CONTENT_BYTES_MAX - SAMPLES_BYTES
            || bytes + doc.bytes() > PART_BYTES_MAX;
        if is_full && !part.is_empty() {
            parts.push(finish(std::mem::take(&mut part)));
            (base_bytes, bytes) = (0, 0);
        }
        base_bytes += base;
        bytes += doc.bytes();
        part.push(doc);
    }
    if !part.is_empty() || parts.is_empty() {
        parts.push(finish(part));
    }
    parts
}

/// The records of a version that may stand in a dictionary.
fn pieces_of(item: &Item) -> impl Iterator<Item = &Piece> {
    let pieces = item.pieces.iter();
    pieces.filter(|piece| piece.bytes <= BASE_BYTES_MAX)
}

fn finish(docs: Vec<Doc>) -> Part {
    let mut base: Vec<Piece> = Vec::new();
    let mut others: BTreeMap<&str, Vec<&Doc>> = BTreeMap::new();
    for doc in &docs {
        match doc.base() {
            Some(item) => base.extend(pieces_of(item).cloned()),
            None => others.entry(&doc.site).or_default().push(doc),
        }
    }
    let mut room = CONTENT_BYTES_MAX - base.iter().map(|piece| piece.bytes).sum::<usize>();
    let samples = others
        .values()
        .filter(|docs| docs.len() >= SAMPLED_DOCS_MIN);
    for sample in samples.map(|docs| &docs[docs.len() / 2].items[0]) {
        for piece in pieces_of(sample) {
            if let Some(rest) = room.checked_sub(piece.bytes) {
                room = rest;
                base.push(piece.clone());
            }
        }
    }
    let items: Vec<Item> = docs.into_iter().flat_map(|doc| doc.items).collect();
    if base.is_empty() {
        // A metadata record is like all others.
        base.extend(items.first().and_then(|item| item.pieces.last()).cloned());
    }
    Part { items, base }
}
