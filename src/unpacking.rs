//! `Incoming`: what a file that was taken in hand turns out to be, one submission or a container of many.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::container::{self, Found, Kind, Options, Part};
use crate::digest::Digest;
use crate::submission::{Declared, Reason, Submission};

/// What a file turns out to be.
pub enum Incoming {
    /// One document.
    One(Box<Submission>),
    /// Many.
    Many(Box<Container>),
}

impl From<Submission> for Incoming {
    fn from(submission: Submission) -> Incoming {
        Incoming::One(Box::new(submission))
    }
}

/// A container, open.
pub struct Container {
    /// The file.
    pub source: Box<dyn container::Source + Send>,
    /// What it is.
    pub kind: Kind,
    /// How to read it.
    pub options: Options,
    /// What its documents share. Without bytes.
    pub of: Submission,
    /// Tells at the end whether the file is still what it was at the beginning.
    pub is_unchanged: Box<dyn FnOnce() -> bool + Send>,
    /// Set when the reading is to end early.
    pub stopping: Arc<AtomicBool>,
}

/// How the reading of a container ended.
#[derive(Debug)]
pub enum End {
    /// All of it was read.
    Whole,
    /// The file changed meanwhile.
    Changed,
    /// It was to end early, or the system could not read it; why.
    Early(String),
}

impl Container {
    /// Hands each part to `take` with its number: a submission, a reason why there is none, or `None` for what is no article.
    pub fn for_each(
        mut self,
        take: &mut dyn FnMut(u32, Option<Result<Submission, Reason>>),
    ) -> End {
        let (of, stopping) = (&self.of, &self.stopping);
        let mut each = |part: Part| {
            let what = match part.found {
                Found::Page(raw, declared) => Some(Ok(part_of(of, part.number, raw, *declared))),
                Found::Broken(reason) => Some(Err(reason)),
                Found::Other => None,
            };
            take(part.number, what);
            !stopping.load(Ordering::Relaxed)
        };
        let read = container::read(&mut self.source, self.kind, &self.options, &mut each);
        if let Err(error) = read {
            return End::Early(format!("cannot read the container: {error}"));
        }
        if self.stopping.load(Ordering::Relaxed) {
            return End::Early("the daemon is stopping".to_owned());
        }
        match (self.is_unchanged)() {
            true => End::Whole,
            false => End::Changed,
        }
    }
}

/// A document of a container. What a sidecar of the container says of its source holds for each.
fn part_of(of: &Submission, number: u32, raw: Vec<u8>, mut declared: Declared) -> Submission {
    declared.source = declared.source.or_else(|| of.declared.source.clone());
    Submission {
        claim: of.claim.clone(),
        source: of.source.clone(),
        signature: of.signature,
        raw_digest: Digest::of(&raw),
        raw,
        declared,
        received_at: of.received_at,
        part: number,
    }
}

/// How many of a container's parts became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Archived, or found archived already.
    pub archived: usize,
    /// No articles.
    pub others: usize,
}
