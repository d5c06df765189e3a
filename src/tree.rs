//! `Tree`: an HTML page as cleaning sees it: elements and text in document order, in flat arrays.

/// A page.
#[derive(Debug, Default)]
pub struct Tree {
    text: String,
}

impl Tree {
    /// All text nodes joined in document order; what the ledger's spans partition.
    pub fn text(&self) -> &str {
        &self.text
    }
}
