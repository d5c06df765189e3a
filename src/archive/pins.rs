//! `PinBook`: what persons decided about spans of text, as cleaning asks for it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::archive::catalog::PinRow;
use crate::archive::keys::IdentitySecret;
use crate::identity::{DocId, Identity};
use crate::pin::{Pin, PinScope, PinVerdict, source_names};

/// The pins that hold.
#[derive(Debug, Default)]
pub struct PinBook(HashMap<PinScope, Vec<Pin>>);

/// The pins that hold now, shared with those who clean what comes in.
#[derive(Debug, Clone)]
pub struct SharedPins {
    secret: IdentitySecret,
    book: Arc<RwLock<Arc<PinBook>>>,
}

impl PinBook {
    /// The pins of an archive, from all that were ever made.
    pub(super) fn new(rows: Vec<PinRow>) -> PinBook {
        let mut pins: HashMap<PinScope, Vec<Pin>> = HashMap::new();
        for row in standing(rows) {
            let of_scope = pins.entry(row.record.of).or_default();
            of_scope.push(row.record.pin);
        }
        PinBook(pins)
    }

    /// The pins that hold for a document of a source with these names, [`source_names`]; those of the document last, since
    /// they weigh more.
    pub fn of(&self, doc: &DocId, sources: &[String]) -> Vec<Pin> {
        let sources = sources.iter().cloned().map(PinScope::Source);
        let scopes = sources.chain([PinScope::Doc(doc.clone())]);
        let pins = scopes.filter_map(|scope| self.0.get(&scope));
        pins.flatten().cloned().collect()
    }
}

impl SharedPins {
    pub(super) fn new(secret: IdentitySecret, book: PinBook) -> SharedPins {
        SharedPins {
            secret,
            book: Arc::new(RwLock::new(Arc::new(book))),
        }
    }

    pub(super) fn set(&self, book: PinBook) {
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
    }

    /// The pins that hold now.
    pub fn get(&self) -> Arc<PinBook> {
        Arc::clone(&self.book.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The pins that hold for a submission with this identity, found in the inbox `root`, of what its producer calls `source`.
    pub fn of(&self, identity: &Identity, root: &str, source: Option<&str>) -> Vec<Pin> {
        let book = self.get();
        if book.0.is_empty() {
            return Vec::new();
        }
        let doc = self.secret.doc_id(&identity.key);
        book.of(&doc, &source_names(identity, root, source))
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
