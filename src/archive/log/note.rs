//! Checkpoints: size and root of a log, as a signed note (C2SP tlog-checkpoint, signed-note).
//!
//! ```text
//! faircopy/0b2d...            the log's origin, which is its key's name
//! 4711                        how many leaves
//! CsUYapGGPo4dkMgIAUqom...    the root, in base 64
//!
//! — faircopy/0b2d... Az3grlgtzPICa5OS8npV...    key id and signature, in base 64
//! ```

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::error::LogError;
use super::key::{SIGNATURE_BYTES, SigningKey, VerifierKey};
use crate::digest::Digest;

/// The longest note that is read; a checkpoint with many witnesses has a few thousand bytes.
pub const NOTE_BYTES_MAX: u64 = 1 << 20;

/// A checkpoint whose signature was verified (or just made).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's origin.
    pub origin: String,
    /// How many leaves the log has.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
    /// The signed note, as it stands in the file.
    pub note: String,
}

/// Why a note is no checkpoint of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not the form of a signed note with a checkpoint in it.
    #[error("not a signed checkpoint: {0}")]
    Malformed(&'static str),
    /// It is signed, but not by this log.
    #[error("not signed by {0}; give the key of the log that it comes from")]
    NotSigned(String),
    /// It bears the log's name, but its signature is wrong.
    #[error("the signature of {0} is wrong")]
    WrongSignature(String),
}

impl Checkpoint {
    /// Signs size and root.
    pub fn sign(size: u64, root: Digest, key: &SigningKey) -> Checkpoint {
        let origin = key.name();
        let text = format!("{origin}\n{size}\n{}\n", BASE64.encode(root.as_bytes()));
        Checkpoint {
            origin: origin.to_owned(),
            size,
            root,
            note: format!("{text}\n{}", signature_line(&text, key)),
        }
    }

    /// The same checkpoint with the signature of another key of its log.
    pub fn also_by(&self, key: &SigningKey) -> Checkpoint {
        let mut checkpoint = self.clone();
        if let Ok((text, _)) = split(&self.note) {
            checkpoint.note.push_str(&signature_line(text, key));
        }
        checkpoint
    }

    /// Reads a note and verifies the log's own signature. Further signatures (witnesses) are let stand unverified.
    pub fn verify(note: &str, key: &VerifierKey) -> Result<Checkpoint, NoteError> {
        verify_signature(note, key)?;
        let (text, _) = split(note)?;
        let mut checkpoint = Checkpoint::parse_text(text, key.name())?;
        checkpoint.note = note.to_owned();
        Ok(checkpoint)
    }

    /// [`Checkpoint::verify`] with the keys that a log has had, the one it has now last: one signature is enough.
    pub fn verify_by_any(note: &str, keys: &[VerifierKey]) -> Result<Checkpoint, NoteError> {
        let mut why = NoteError::NotSigned("any of the given keys".to_owned());
        for key in keys.iter().rev() {
            match Checkpoint::verify(note, key) {
                Ok(checkpoint) => return Ok(checkpoint),
                // Signed by none of several is told as one.
                Err(NoteError::NotSigned(_)) if keys.len() > 1 => {}
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    /// Reads what a note says without asking who signed it: for looking into a log whose key or signature is damaged.
    pub fn unverified(note: &str) -> Option<Checkpoint> {
        let (text, _) = split(note).ok()?;
        let origin = text.lines().next()?;
        let mut checkpoint = Checkpoint::parse_text(text, origin).ok()?;
        checkpoint.note = note.to_owned();
        Some(checkpoint)
    }

    /// Reads the text of a note.
    fn parse_text(text: &str, name: &str) -> Result<Checkpoint, NoteError> {
        let malformed = NoteError::Malformed;
        let mut lines = text.split_terminator('\n');
        let mut next = || lines.next().ok_or(malformed("lines are missing"));
        let (origin, size_text, root) = (next()?, next()?, next()?);
        if origin != name {
            return Err(malformed("its origin is not its key's name"));
        }
        let size: u64 = size_text
            .parse()
            .map_err(|_| malformed("its size is no number"))?;
        if size.to_string() != size_text {
            return Err(malformed("its size is not written in the one right form"));
        }
        let root = BASE64.decode(root).ok().and_then(|r| r.try_into().ok());
        let root = root.ok_or(malformed("its root is no SHA-256 in base 64"))?;
        Ok(Checkpoint {
            origin: origin.to_owned(),
            size,
            root: Digest::from_bytes(root),
            note: String::new(),
        })
    }

    /// [`Checkpoint::verify`] of a file.
    pub fn read(path: &Path, key: &VerifierKey) -> Result<Checkpoint, LogError> {
        let doing = "read the checkpoint";
        let note = read_limited(path).map_err(LogError::io(doing, path))?;
        let note =
            String::from_utf8(note).map_err(|_| LogError::damaged(path, "it is not UTF-8"))?;
        Checkpoint::verify(&note, key).map_err(|error| match error {
            NoteError::NotSigned(_) => LogError::OtherKey {
                path: path.to_owned(),
                given: key.to_string(),
            },
            error => LogError::damaged(path, error.to_string()),
        })
    }
}

fn read_limited(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(NOTE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The line under a note's text with this key's signature of it.
fn signature_line(text: &str, key: &SigningKey) -> String {
    let signature = key.sign(text.as_bytes());
    let signature = BASE64.encode([&key.verifier().id()[..], &signature].concat());
    format!("\u{2014} {} {signature}\n", key.name())
}

/// A line under a note's text.
pub(super) struct SignatureLine<'a> {
    pub(super) name: &'a str,
    pub(super) key_id: [u8; 4],
    pub(super) signature: Vec<u8>,
    /// The whole line, without its line feed.
    pub(super) line: &'a str,
}

/// The text of a note, which is what is signed, and the signatures.
pub(super) fn split(
    note: &str,
) -> Result<
    (
        &str,
        impl Iterator<Item = Result<SignatureLine<'_>, NoteError>>,
    ),
    NoteError,
> {
    let malformed = NoteError::Malformed;
    // The last blank line ends the text; extension lines are never empty.
    let (text, signatures) = note
        .rsplit_once("\n\n")
        .ok_or(malformed("no blank line before the signatures"))?;
    let signatures = signatures
        .strip_suffix('\n')
        .ok_or(malformed("no line feed at its end"))?;
    let text = &note[..text.len() + 1];
    Ok((text, signatures.split('\n').map(parse_signature)))
}

fn parse_signature(line: &str) -> Result<SignatureLine<'_>, NoteError> {
    let malformed = NoteError::Malformed;
    let fields = line.strip_prefix("\u{2014} ");
    let (name, signature) = fields
        .and_then(|fields| fields.split_once(' '))
        .ok_or(malformed("a signature line is not of its form"))?;
    let signature = BASE64
        .decode(signature)
        .map_err(|_| malformed("a signature is no base64"))?;
    let (key_id, signature) = signature
        .split_first_chunk::<4>()
        .ok_or(malformed("a signature is too short"))?;
    Ok(SignatureLine {
        name,
        key_id: *key_id,
        signature: signature.to_vec(),
        line,
    })
}

/// Every signature line has the form of one, and one is the log's own and right.
fn verify_signature(note: &str, key: &VerifierKey) -> Result<(), NoteError> {
    let (text, signatures) = split(note)?;
    let mut verified = false;
    for line in signatures {
        let line = line?;
        if line.name != key.name() || line.key_id != key.id() {
            continue;
        }
        let right = <&[u8; SIGNATURE_BYTES]>::try_from(&line.signature[..])
            .is_ok_and(|signature| key.verify(text.as_bytes(), signature));
        if !right {
            return Err(NoteError::WrongSignature(line.name.to_owned()));
        }
        verified = true;
    }
    if verified {
        Ok(())
    } else {
        Err(NoteError::NotSigned(key.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::generate("faircopy/test").expect("random numbers")
    }

    #[test]
    fn a_checkpoint_is_signed_and_read_back() {
        let key = key();
        let checkpoint = Checkpoint::sign(7, Digest::of(b"x"), &key);
        let again = Checkpoint::verify(&checkpoint.note, &key.verifier()).expect("own note");
        assert_eq!(again, checkpoint);
    }

    #[test]
    fn a_checkpoint_with_any_bit_flipped_is_refused() {
        let key = key();
        let verifier = key.verifier();
        let note = Checkpoint::sign(4711, Digest::of(b"x"), &key).note;
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let read = String::from_utf8(bytes)
                    .ok()
                    .map(|note| Checkpoint::verify(&note, &verifier));
                assert!(!matches!(read, Some(Ok(_))), "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn another_key_of_the_same_name_does_not_verify() {
        let note = Checkpoint::sign(1, Digest::of(b"x"), &key()).note;
        let error = Checkpoint::verify(&note, &key().verifier());
        assert!(matches!(error, Err(NoteError::NotSigned(_))));
    }

    #[test]
    fn a_witness_signature_beside_the_log_s_own_is_let_stand() {
        let key = key();
        let mut checkpoint = Checkpoint::sign(1, Digest::of(b"x"), &key);
        checkpoint
            .note
            .push_str("\u{2014} witness.example/w AAAAAAECAwQ=\n");
        assert!(Checkpoint::verify(&checkpoint.note, &key.verifier()).is_ok());
        checkpoint.note.push_str("no signature\n");
        assert!(Checkpoint::verify(&checkpoint.note, &key.verifier()).is_err());
    }
}
