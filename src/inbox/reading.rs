//! Reading a claim, on any thread.

use std::fs::File;

use jiff::Timestamp;

use crate::digest::Digest;
use crate::submission::{Declared, Signature, Submission};

use super::claim::{self, Claim, ReadError, open_in_inbox};
use super::sidecar::{self, Sidecar};

impl Claim {
    /// Reads the file, and its sidecar if it has one. From here on it counts as under way: if the process dies before the
    /// claim is given back, the file is a suspect.
    pub fn read(&self, received_at: Timestamp) -> Result<Submission, ReadError> {
        self.read_opened(&self.open()?, received_at)
    }

    /// The same of the file that [`Claim::open`] gave, which stands at its start.
    pub fn read_opened(
        &self,
        file: &File,
        received_at: Timestamp,
    ) -> Result<Submission, ReadError> {
        let raw = claim::read_opened(file, self.signature(), self.bytes_max)?;
        let declared = self.declared()?;
        Ok(self.submission(raw, declared, received_at))
    }

    /// What the file's sidecar declares, if it has one.
    pub fn declared(&self) -> Result<Declared, ReadError> {
        let Some(sidecar) = &self.intent.sidecar else {
            return Ok(Declared::default());
        };
        match sidecar::read_in_inbox(&sidecar::path_of(&self.path), sidecar)? {
            Sidecar::Good(declared) => Ok(declared),
            // The article goes in without it; releasing the claim finds it bad again and quarantines it alone.
            Sidecar::Bad(_) | Sidecar::Gone => Ok(Declared::default()),
        }
    }

    /// The file, open, if it is still the one that was claimed; for what is read in pieces. Counts as under way, as above.
    pub fn open(&self) -> Result<File, ReadError> {
        self.marks.begin(self.id());
        open_in_inbox(&self.path, self.signature())
    }

    /// Whether the file is still the one that was claimed.
    pub fn is_unchanged(&self, file: &File) -> bool {
        file.metadata()
            .is_ok_and(|metadata| Signature::of(&metadata) == *self.signature())
    }

    /// A submission of this claim.
    pub fn submission(
        &self,
        raw: Vec<u8>,
        declared: Declared,
        received_at: Timestamp,
    ) -> Submission {
        Submission {
            claim: self.id().clone(),
            source: self.source().clone(),
            signature: Some(*self.signature()),
            raw_digest: Digest::of(&raw),
            raw,
            declared,
            received_at,
            part: 0,
        }
    }
}
