//! Reading a claim, on any thread.

use jiff::Timestamp;

use crate::digest::Digest;
use crate::submission::Submission;

use super::claim::{Claim, ReadError, read_in_inbox};
use super::sidecar::{self, Sidecar};

impl Claim {
    /// Reads the file, and its sidecar if it has one. From here on it counts as under way: if the process dies before the
    /// claim is given back, the file is a suspect.
    pub fn read(&self, received_at: Timestamp) -> Result<Submission, ReadError> {
        self.marks.begin(self.id());
        let raw = read_in_inbox(&self.path, self.signature(), self.bytes_max)?;
        let declared = match &self.intent.sidecar {
            Some(sidecar) => {
                match sidecar::read_in_inbox(&sidecar::path_of(&self.path), sidecar)? {
                    Sidecar::Good(declared) => declared,
                    // The article goes in without it; releasing the claim finds it bad again and quarantines it alone.
                    Sidecar::Bad(_) | Sidecar::Gone => Default::default(),
                }
            }
            None => Default::default(),
        };
        Ok(Submission {
            claim: self.id().clone(),
            source: self.source().clone(),
            signature: Some(*self.signature()),
            raw_digest: Digest::of(&raw),
            raw,
            declared,
            received_at,
        })
    }
}
