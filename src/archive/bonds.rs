//! `Bonds`: which documents persons said to be one, and which to be two.

use std::collections::{BTreeMap, BTreeSet};

use crate::archive::metadata::{LinkRecord, SplitRecord};
use crate::identity::DocId;

/// What holds of all that was ever said.
#[derive(Debug, Default)]
pub struct Bonds {
    links: BTreeMap<DocId, BTreeSet<DocId>>,
    splits: BTreeMap<DocId, BTreeSet<u32>>,
}

impl Bonds {
    /// From all that was said, in the order in which it was.
    pub(super) fn new(links: Vec<LinkRecord>, splits: Vec<SplitRecord>) -> Bonds {
        let mut bonds = Bonds::default();
        for LinkRecord {
            doc,
            with,
            released,
            ..
        } in links
        {
            for (one, other) in [(&doc, &with), (&with, &doc)] {
                let others = bonds.links.entry(one.clone()).or_default();
                match released {
                    true => others.remove(other),
                    false => others.insert(other.clone()),
                };
            }
        }
        for split in splits {
            let versions = bonds.splits.entry(split.doc).or_default();
            match split.released {
                true => versions.remove(&split.version),
                false => versions.insert(split.version),
            };
        }
        bonds
    }

    /// A document and all that are one with it, itself first.
    pub fn group(&self, doc: &DocId) -> Vec<DocId> {
        let mut group = vec![doc.clone()];
        let mut at = 0;
        while let Some(doc) = group.get(at) {
            let others = self.links.get(doc).into_iter().flatten();
            let new: Vec<DocId> = others.filter(|o| !group.contains(o)).cloned().collect();
            group.extend(new);
            at += 1;
        }
        group
    }

    /// Whether two documents are linked, with nothing between them.
    pub fn are_linked(&self, doc: &DocId, with: &DocId) -> bool {
        self.links
            .get(doc)
            .is_some_and(|others| others.contains(with))
    }

    /// Whether a document is split at a version.
    pub fn is_split(&self, doc: &DocId, version: u32) -> bool {
        self.splits
            .get(doc)
            .is_some_and(|versions| versions.contains(&version))
    }

    /// Which part of its document a version belongs to, from 1.
    pub fn part(&self, doc: &DocId, version: u32) -> usize {
        let splits = self.splits.get(doc).into_iter().flatten();
        1 + splits.filter(|first| **first <= version).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn doc(name: &str) -> DocId {
        DocId(name.into())
    }

    fn link(a: &str, b: &str, released: bool) -> LinkRecord {
        LinkRecord {
            doc: doc(a),
            with: doc(b),
            released,
            reason: None,
            said_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn links_reach_further_and_can_be_taken_back_from_either_side() {
        let said = vec![link("a", "b", false), link("c", "b", false)];
        let bonds = Bonds::new(said.clone(), Vec::new());
        assert_eq!(bonds.group(&doc("a")), [doc("a"), doc("b"), doc("c")]);
        let said = [said, vec![link("b", "c", true)]].concat();
        let bonds = Bonds::new(said, Vec::new());
        assert_eq!(bonds.group(&doc("a")), [doc("a"), doc("b")]);
        assert_eq!(bonds.group(&doc("c")), [doc("c")]);
    }

    #[test]
    fn versions_belong_to_the_part_that_the_last_split_before_them_began() {
        let split = |version, released| SplitRecord {
            doc: doc("a"),
            version,
            released,
            reason: None,
            said_at: Timestamp::UNIX_EPOCH,
        };
        let bonds = Bonds::new(
            Vec::new(),
            vec![split(3, false), split(5, false), split(5, true)],
        );
        let parts = [1, 2, 3, 6].map(|version| bonds.part(&doc("a"), version));
        assert_eq!(parts, [1, 1, 2, 2]);
    }
}
