//! `Outcomes`: how many documents were taken in, by what became of them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::Outcome;
use crate::identity::Archived;

/// Counts since the start. A container counts by the documents in it.
#[derive(Debug, Default)]
pub struct Outcomes {
    archived: AtomicU64,
    unchanged: AtomicU64,
    duplicate: AtomicU64,
    quarantined: AtomicU64,
    deferred: AtomicU64,
}

impl Outcomes {
    pub(super) fn note(&self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Archived(Archived::New(..)) => &self.archived,
            Outcome::Archived(Archived::Unchanged(..)) => &self.unchanged,
            Outcome::Archived(Archived::Duplicate(..)) => &self.duplicate,
            Outcome::Quarantined(..) => &self.quarantined,
            Outcome::Deferred(_) => &self.deferred,
            // It is taken in later, or its documents were counted.
            Outcome::Changed | Outcome::Unpacked(_) => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// As it stands in the status.
    pub fn object(&self) -> Value {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        json!({
            "archived": count(&self.archived), "unchanged": count(&self.unchanged),
            "duplicate": count(&self.duplicate), "quarantined": count(&self.quarantined),
            "deferred": count(&self.deferred),
        })
    }
}
