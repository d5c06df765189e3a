//! `PinBook`: what persons decided about spans of text, as cleaning asks for it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::archive::catalog::PinRow;
use crate::archive::keys::IdentitySecret;
use crate::identity::{DocId, Identity};
use crate::pin::{Pin, PinScope, PinVerdict, source_names};

/// The pins that hold.
#[derive(Debug)]
pub struct PinBook {
    secret: IdentitySecret,
    pins: HashMap<PinScope, Vec<Pin>>,
}

/// The pins that hold now, shared with those who clean.
#[derive(Debug, Clone)]
pub struct SharedPins(Arc<RwLock<Arc<PinBook>>>);

impl PinBook {
    /// The pins of an archive, from all that were ever made.
    pub(super) fn new(secret: IdentitySecret, rows: Vec<PinRow>) -> PinBook {
        let mut pins: HashMap<PinScope, Vec<Pin>> = HashMap::new();
        for row in standing(rows) {
            let of_scope = pins.entry(row.record.of).or_default();
            of_scope.push(row.record.pin);
        }
        PinBook { secret, pins }
    }

    /// The pins that hold for a submission with this identity, found in the inbox `root`, of what its producer calls `source`.
    pub fn of(&self, identity: &Identity, root: &str, source: Option<&str>) -> Vec<Pin> {
        if self.pins.is_empty() {
            return Vec::new();
        }
        let doc = self.secret.doc_id(&identity.key);
        self.of_doc(&doc, &source_names(identity, root, source))
    }

    /// The pins that hold for a document of a source with these names; those of the document last, since they weigh more.
    pub fn of_doc(&self, doc: &DocId, sources: &[String]) -> Vec<Pin> {
        let sources = sources.iter().cloned().map(PinScope::Source);
        let scopes = sources.chain([PinScope::Doc(doc.clone())]);
        let pins = scopes.filter_map(|scope| self.pins.get(&scope));
        pins.flatten().cloned().collect()
    }
}

impl SharedPins {
    pub(super) fn new(book: PinBook) -> SharedPins {
        SharedPins(Arc::new(RwLock::new(Arc::new(book))))
    }

    pub(super) fn set(&self, book: PinBook) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
    }

    /// The pins that hold now.
    pub fn get(&self) -> Arc<PinBook> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Of all that was ever decided, what holds: of several decisions about one text the last, and none that was taken back.
pub(super) fn standing(rows: Vec<PinRow>) -> Vec<PinRow> {
    let mut standing: Vec<PinRow> = Vec::new();
    for row in rows {
        let (of, text) = (&row.record.of, &row.record.pin.text);
        standing.retain(|other| (&other.record.of, &other.record.pin.text) != (of, text));
        if row.record.pin.verdict != PinVerdict::Release {
            standing.push(row);
        }
    }
    standing
}

/// Under which id the log has a pin: a document's own; a source's is made in the same way, of a key that no document has.
pub(super) fn subject(secret: &IdentitySecret, of: &PinScope) -> DocId {
    match of {
        PinScope::Doc(doc) => doc.clone(),
        PinScope::Source(name) => secret.doc_id(&format!("source:{name}")),
    }
}
