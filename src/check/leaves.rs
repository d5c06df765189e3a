//! What the leaves of the log say, and whether each follows from its document's leaf before.

use std::collections::HashMap;

use crate::archive::leaf::{Leaf, LeafKind};
use crate::check::problem::{Code, Findings};
use crate::digest::Digest;
use crate::identity::DocId;

/// What the leaves say, as far as they can be read.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    /// What each leaf says; `None` if it is lost.
    pub(super) all: Vec<Option<LeafView>>,
    /// Leaves in the order of the digests of the metadata blocks they commit to: a map would take fifteen times the space.
    by_metadata: Vec<u32>,
    docs: Vec<DocId>,
    /// Until all leaves are there.
    chains: HashMap<DocId, Chain>,
    /// Of documents that were erased, the last leaf that says so.
    erasures: HashMap<u32, usize>,
    /// Leaves that do not fit: place, document, what is wrong.
    unfit: Vec<(String, Option<DocId>, String)>,
}

/// A leaf, in little space.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeafView {
    doc: u32,
    /// What it tells of.
    pub(super) kind: LeafKind,
    /// The capture's number, if it is about one.
    pub(super) capture: Option<u32>,
    /// The story version, if it is a capture's leaf.
    pub(super) version: Option<u32>,
    /// Digest of the metadata block.
    pub(super) metadata: Digest,
}

/// A document's leaves so far.
#[derive(Debug)]
struct Chain {
    doc: u32,
    last: Option<usize>,
    captures: u32,
    versions: u32,
}

impl Leaves {
    /// The document of a leaf.
    pub(super) fn doc(&self, leaf: &LeafView) -> DocId {
        self.docs[leaf.doc as usize].clone()
    }

    /// The leaf that says that what leaf `index` stands for was erased.
    pub(super) fn erased_by(&self, index: usize) -> Option<usize> {
        let leaf = self.all.get(index)?.as_ref()?;
        let erasure = self.erasures.get(&leaf.doc).copied();
        erasure.filter(|erasure| *erasure > index)
    }

    /// The leaf that commits to a metadata block, if one does; of several the last.
    pub(super) fn by_metadata(&self, block: &Digest) -> Option<usize> {
        let digest = |leaf: u32| self.all[leaf as usize].map(|leaf| leaf.metadata);
        let is_up_to = |leaf: &u32| digest(*leaf) <= Some(*block);
        let end = self.by_metadata.partition_point(is_up_to);
        let last = self.by_metadata[..end].last().copied();
        last.filter(|last| digest(*last) == Some(*block))
            .map(|last| last as usize)
    }

    /// How many leaves cannot be read.
    pub(super) fn lost(&self) -> usize {
        self.all.iter().filter(|leaf| leaf.is_none()).count()
    }

    /// Takes the next leaf; `None` if it is lost.
    pub(super) fn push(&mut self, entry: Option<(&[u8], String)>) {
        let view = entry.and_then(|(entry, place)| self.read(entry, place));
        self.all.push(view);
    }

    fn read(&mut self, entry: &[u8], place: String) -> Option<LeafView> {
        let index = self.all.len();
        let Some(leaf) = Leaf::parse(entry) else {
            let message = format!("leaf {index} is of no known kind");
            self.unfit.push((place, None, message));
            return None;
        };
        let view = self.follow(index, &leaf, place);
        if leaf.kind == LeafKind::Erase {
            self.erasures.insert(view.doc, index);
        }
        Some(view)
    }

    /// Checks that a leaf goes on from its document's leaf before. Gaps that lost leaves leave are not held against it.
    fn follow(&mut self, index: usize, leaf: &Leaf, place: String) -> LeafView {
        let Leaf {
            doc,
            kind,
            capture,
            version,
            ..
        } = leaf;
        let previous = leaf
            .previous
            .map(|index| usize::try_from(index).unwrap_or(usize::MAX));
        let is_lost = |index| matches!(self.all.get(index), Some(None));
        let after_loss = previous.is_some_and(is_lost);
        let docs = &mut self.docs;
        let chain = self.chains.entry(doc.clone()).or_insert_with(|| {
            docs.push(doc.clone());
            Chain {
                doc: u32::try_from(docs.len() - 1).expect("documents fit into memory"),
                last: None,
                captures: 0,
                versions: 0,
            }
        });
        let counts_on = match (capture, version) {
            (Some(capture), Some(version)) => {
                *capture == chain.captures + 1 && (1..=chain.versions + 1).contains(version)
            }
            (Some(capture), None) => (1..=chain.captures).contains(capture),
            // About a document or a source, at whatever time.
            (None, _) => true,
        };
        if !after_loss && (previous != chain.last || !counts_on) {
            let message = format!(
                "leaf {index} ({kind}, capture {capture:?}, after leaf {previous:?}) does not follow from the {} captures of its \
                 document before it, the last of them at leaf {:?}",
                chain.captures, chain.last
            );
            self.unfit.push((place, Some(doc.clone()), message));
        }
        chain.last = Some(index);
        chain.captures = chain.captures.max(capture.unwrap_or(0));
        chain.versions = chain.versions.max(version.unwrap_or(0));
        LeafView {
            doc: chain.doc,
            kind: *kind,
            capture: *capture,
            version: *version,
            metadata: leaf.metadata,
        }
    }

    /// Ends with the last leaf, and tells which leaves do not fit.
    pub(super) fn finish(&mut self, findings: &mut Findings) {
        self.chains = HashMap::new();
        let count = u32::try_from(self.all.len()).expect("leaves fit into memory");
        let read = (0..count).filter(|leaf| self.all[*leaf as usize].is_some());
        self.by_metadata = read.collect();
        // In the order of their numbers, too, if they have the same digest.
        self.by_metadata
            .sort_by_key(|leaf| self.all[*leaf as usize].map(|leaf| leaf.metadata));
        for (place, doc, message) in self.unfit.drain(..) {
            findings.problem_of(Code::LeafUnfit, place, doc, message);
        }
    }
}
