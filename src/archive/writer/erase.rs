//! Holds, and erasure: a document's records are left out of segments that are written anew, and the log says so.
//!
//! ```text
//! segments written anew without the document, verified               crate::archive::seal, any thread
//! the leaf that says it is erased is committed                       the point of no return
//! the new segments take the place of the old, the catalog forgets    as `compact` does it
//! the catalog's file is written anew
//! ```
//!
//! If that is interrupted after its second step, the next who opens the archive to write does the rest.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::archive::Error;
use crate::archive::catalog::erasure::Trace;
use crate::archive::catalog::{Catalog, HighWater};
use crate::archive::metadata::{Disposition, Event};
use crate::archive::seal::{self, FileState, Plan, Sealing};
use crate::archive::segment;
use crate::identity::DocId;

use super::{ArchiveWriter, Open};

/// What was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The leaf that says so.
    pub leaf: u64,
    /// So many leaves have no records any more.
    pub leaves: usize,
    /// So many segments were written anew.
    pub segments: usize,
}

impl ArchiveWriter {
    /// Holds a document, or ends that, unless it is so already. The index of the leaf.
    pub fn hold(
        &mut self,
        record: Disposition,
        is_held: bool,
        now: Timestamp,
    ) -> Result<Option<u64>, Error> {
        self.change(now, |open, _, group| {
            let doc = record.doc.clone();
            open.require_document(&doc)?;
            if open.catalog.held(&doc)?.is_some() == is_held {
                return Ok(None);
            }
            let event = match is_held {
                true => Event::Hold(record),
                false => Event::Release(record),
            };
            open.add_event(group, &doc, event).map(Some)
        })
    }

    /// What there may be of a document outside of the archive.
    pub fn traces(&mut self, doc: &DocId) -> Result<Vec<Trace>, Error> {
        self.opened()?.catalog.traces(doc)
    }

    /// Which segments are written anew if a document is erased; a new one is begun. Refuses what is held, and what is erased.
    pub fn plan_erasure(&mut self, doc: &DocId, now: Timestamp) -> Result<Plan, Error> {
        let manifest = self.manifest.clone();
        let open = self.opened()?;
        open.require_document(doc)?;
        if let Some(leaf) = open.catalog.held(doc)? {
            let doc = doc.clone();
            return Err(Error::Held { doc, leaf });
        }
        let plan = open.plan_without(doc, open.log.size(), manifest, now)?;
        match open.catalog.erased(doc)? {
            Some(erased) if plan.erased.is_empty() => Err(Error::Erased {
                doc: doc.clone(),
                leaf: erased.leaf,
                at: erased.at,
            }),
            _ => Ok(plan),
        }
    }

    /// Erases a document, given its segments without it. `None`, and nothing is done, if it or its bytes were archived again
    /// since these were planned.
    pub fn erase(
        &mut self,
        record: Disposition,
        sealing: Sealing,
        now: Timestamp,
    ) -> Result<Option<Erasure>, Error> {
        if let Some((segment, why)) = sealing.refused.first() {
            return Err(Error::NotErasable {
                segment: segment.to_string(),
                why: why.clone(),
            });
        }
        let doc = record.doc.clone();
        let open = self.opened()?;
        if let Some(leaf) = open.catalog.held(&doc)? {
            return Err(Error::Held { doc, leaf });
        }
        if !open.is_all(&doc, &sealing)? {
            return Ok(None);
        }
        let (leaves, segments) = (sealing.erased.len(), sealing.replaced.len());
        let leaf = self.change(now, |open, _, group| {
            open.add_event(group, &doc, Event::Erase(record))
        })?;
        self.carry_out(&doc, sealing)?;
        Ok(Some(Erasure {
            leaf,
            leaves,
            segments,
        }))
    }

    /// Plans, writes and erases at once: nothing is archived meanwhile.
    pub fn erase_at_once(&mut self, record: Disposition, now: Timestamp) -> Result<Erasure, Error> {
        let plan = self.plan_erasure(&record.doc, now)?;
        let sealing = seal::build(&plan, &mut || true)?.expect("nobody interrupts it");
        let doc = record.doc.clone();
        self.erase(record, sealing, now)?
            .ok_or(Error::Restless { doc })
    }

    /// Puts the new segments in their places, and lets the catalog forget.
    fn carry_out(&mut self, doc: &DocId, sealing: Sealing) -> Result<(), Error> {
        let (erased, replaced) = (sealing.erased.clone(), sealing.replaced.clone());
        let forget = |catalog: &Catalog| {
            erased.iter().try_for_each(|leaf| catalog.forget(*leaf))?;
            // What is still said to be there was left out.
            let mut segments = replaced.iter();
            segments.try_for_each(|(segment, _)| catalog.forget_raws(*segment))?;
            catalog.forget_names(doc)
        };
        self.replace(sealing, &forget)?;
        let open = self.open.as_ref().expect("it was not closed");
        open.catalog.scrub()?;
        self.read_pins()
    }

    /// Does the rest of erasures that were interrupted. What cannot be done stays, and stops nothing.
    pub(super) fn finish_erasures(&mut self) -> Result<(), Error> {
        let manifest = self.manifest.clone();
        let open = self.open.as_mut().expect("it was just opened");
        for (doc, leaf) in open.catalog.unfinished_erasures()? {
            let manifest = manifest.clone();
            let open = self.open.as_mut().expect("it was just opened");
            let plan = open.plan_without(&doc, leaf, manifest, Timestamp::now())?;
            match seal::build(&plan, &mut || true) {
                Ok(Some(sealing)) if sealing.refused.is_empty() => self.carry_out(&doc, sealing)?,
                Ok(_) => {
                    tracing::warn!(%doc, "is erased, but what is left of it lies in damaged segments")
                }
                Err(error) => {
                    tracing::warn!(%doc, %error, "is erased, but not all of it could be removed")
                }
            }
        }
        Ok(())
    }
}

impl Open {
    fn require_document(&self, doc: &DocId) -> Result<(), Error> {
        match self.catalog.doc_state(doc)?.capture {
            0 => Err(Error::NoDocument(doc.0.clone())),
            _ => Ok(()),
        }
    }

    /// The segments with records of a document's leaves before `before`, to be written without them. None of them is written to.
    fn plan_without(
        &mut self,
        doc: &DocId,
        before: u64,
        manifest: crate::archive::Manifest,
        now: Timestamp,
    ) -> Result<Plan, Error> {
        if self.end.offset > 0 {
            self.begin_segment()?;
            self.catalog.set_high_water(HighWater {
                leaves: self.log.size(),
                end: self.end,
            })?;
        }
        let leaves = self.catalog.leaves_with_records(doc, before)?;
        let segments: BTreeSet<_> = leaves.iter().map(|(_, segment)| *segment).collect();
        let mut plan = Plan {
            archive: self.dir.clone(),
            manifest,
            segments: Vec::new(),
            now,
            erased: leaves.into_iter().map(|(leaf, _)| leaf).collect(),
        };
        for segment in segments {
            let path = segment::path(&self.dir, segment);
            let state = FileState::of(&path);
            let state = state.map_err(|source| Error::io("examine segment", &path, source))?;
            plan.segments.push((segment, state));
        }
        Ok(plan)
    }

    /// Whether nothing of the document, and nobody who refers to its bytes, was archived since its segments were read.
    fn is_all(&self, doc: &DocId, sealing: &Sealing) -> Result<bool, Error> {
        let leaves = self.catalog.leaves_with_records(doc, self.log.size())?;
        if leaves
            .iter()
            .any(|(leaf, _)| !sealing.erased.contains(leaf))
        {
            return Ok(false);
        }
        let segments = self.catalog.segments_with(&sealing.erased_raws)?;
        let is_read = |one| sealing.replaced.iter().any(|(read, _)| *read == one);
        Ok(segments.into_iter().all(is_read))
    }
}
