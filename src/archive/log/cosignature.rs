//! Cosignatures: what witnesses say of a checkpoint (C2SP [tlog-cosignature](https://c2sp.org/tlog-cosignature)), that at a
//! certain time they saw it and no other of that log, each the continuation of the one before.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;

use super::key::{COSIGNATURE, ParseKeyError, SIGNATURE_BYTES, VerifierKey};
use super::note::{self, NoteError};

/// The key of a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey(VerifierKey);

/// A verified cosignature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cosignature {
    /// The witness.
    pub witness: String,
    /// When it saw the checkpoint, by its own clock.
    pub at: Timestamp,
    /// The line of the note.
    #[serde(skip)]
    pub line: String,
}

/// `NAME+HASH+BASE64`, of the signature type 0x04.
impl FromStr for WitnessKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<WitnessKey, ParseKeyError> {
        VerifierKey::parse(text, COSIGNATURE).map(WitnessKey)
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl WitnessKey {
    /// The witness's name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// This witness's cosignature in a note; `None` if there is none, an error if it is wrong. Of several the latest.
    pub fn find(&self, text_of_note: &str) -> Result<Option<Cosignature>, NoteError> {
        let (text, lines) = note::split(text_of_note)?;
        let mut found: Option<Cosignature> = None;
        for line in lines {
            let line = line?;
            if line.name != self.0.name() || line.key_id != self.0.id() {
                continue;
            }
            let cosignature = self.verify(text, &line)?;
            if found.as_ref().is_none_or(|found| found.at < cosignature.at) {
                found = Some(cosignature);
            }
        }
        Ok(found)
    }

    fn verify(&self, text: &str, line: &note::SignatureLine<'_>) -> Result<Cosignature, NoteError> {
        let wrong = || NoteError::WrongSignature(self.name().to_owned());
        let (time, signature) = line.signature.split_first_chunk::<8>().ok_or_else(wrong)?;
        let signature = <&[u8; SIGNATURE_BYTES]>::try_from(signature).map_err(|_| wrong())?;
        let time = u64::from_be_bytes(*time);
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        if !self.0.verify(message.as_bytes(), signature) {
            return Err(wrong());
        }
        let at = i64::try_from(time).ok();
        let at = at.and_then(|time| Timestamp::from_second(time).ok());
        Ok(Cosignature {
            witness: self.name().to_owned(),
            at: at.ok_or_else(wrong)?,
            line: line.line.to_owned(),
        })
    }
}
