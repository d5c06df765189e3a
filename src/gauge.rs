//! `Gauge`: how far long work is. Whoever works moves it, whoever watches looks at it; neither waits for the other.

use std::sync::atomic::{AtomicU64, Ordering};

/// How far long work is.
#[derive(Debug, Default)]
pub struct Gauge {
    done: AtomicU64,
    of: AtomicU64,
}

impl Gauge {
    /// So much there is to do; 0 if nobody knows.
    pub fn expect(&self, of: u64) {
        self.of.store(of, Ordering::Relaxed);
    }

    /// So much is done.
    pub fn reach(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// So much more is done.
    pub fn add(&self, more: u64) {
        self.done.fetch_add(more, Ordering::Relaxed);
    }

    /// How much is done.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// How much there is to do, never less than is done; `None` if nobody knows.
    pub fn of(&self) -> Option<u64> {
        match self.of.load(Ordering::Relaxed) {
            0 => None,
            of => Some(of.max(self.done())),
        }
    }
}
