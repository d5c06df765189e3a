//! Keys: who signs a log, and who can tell. Ed25519, in the text forms of C2SP signed-note and Go's `note` package.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _};

use super::error::LogError;
use crate::digest::{Digest, hex};
use crate::durable;

/// The signature type of Ed25519 (C2SP signed-note).
const ED25519: u8 = 1;
/// The signature type of cosignatures by Ed25519 (C2SP tlog-cosignature).
pub(super) const COSIGNATURE: u8 = 4;

/// Bytes of an Ed25519 signature.
pub const SIGNATURE_BYTES: usize = 64;

/// The key that signs a log's checkpoints. Its name is the log's origin.
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

/// The key that tells whether a checkpoint was signed by its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    algorithm: u8,
    key: ed25519_dalek::VerifyingKey,
}

/// A text that is no `NAME+HASH+BASE64` with the key that belongs to that name and hash.
#[derive(Debug, thiserror::Error)]
#[error("not an Ed25519 key in the form of a signed note: {0}")]
pub struct ParseKeyError(&'static str);

impl SigningKey {
    /// A new key from the system's random numbers.
    pub fn generate(name: &str) -> Result<SigningKey, LogError> {
        if !is_name(name) {
            return Err(LogError::BadName(name.to_owned()));
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| LogError::NoRandom(error.to_string()))?;
        Ok(SigningKey {
            name: name.to_owned(),
            key: ed25519_dalek::SigningKey::from_bytes(&seed),
        })
    }

    /// Reads a key file.
    pub fn load(path: &Path) -> Result<SigningKey, LogError> {
        let text = fs::read_to_string(path).map_err(LogError::io("read the signing key", path))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        text.parse()
            .map_err(|error: ParseKeyError| LogError::damaged(path, error.to_string()))
    }

    /// Writes a key file that only its owner can read. A key that is there already is never replaced.
    pub fn save(&self, path: &Path) -> Result<(), LogError> {
        let text = format!("{}\n", self.to_text());
        durable::write_new(path, text.as_bytes(), 0o600)
            .and_then(|()| durable::sync_folder(durable::folder_of(path)))
            .map_err(LogError::io("write the signing key", path))
    }

    /// The secret text, `PRIVATE+KEY+NAME+HASH+BASE64`.
    fn to_text(&self) -> String {
        let id = self.verifier().id();
        let secret = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        format!(
            "PRIVATE+KEY+{}+{}+{}",
            self.name,
            hex(&id),
            BASE64.encode(secret)
        )
    }

    /// The log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey {
            name: self.name.clone(),
            algorithm: ED25519,
            key: self.key.verifying_key(),
        }
    }

    /// Signs `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.key.sign(message).to_bytes()
    }
}

impl FromStr for SigningKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<SigningKey, ParseKeyError> {
        let fields = text
            .strip_prefix("PRIVATE+KEY+")
            .ok_or(ParseKeyError("it does not begin with PRIVATE+KEY+"))?;
        let (name, seed) = split_key(fields, ED25519)?;
        let key = SigningKey {
            name: name.to_owned(),
            key: ed25519_dalek::SigningKey::from_bytes(&seed),
        };
        if key.to_text() == text {
            Ok(key)
        } else {
            Err(ParseKeyError("its hash is not that of the name and key"))
        }
    }
}

/// Shows no secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier())
    }
}

impl VerifierKey {
    /// The log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads `NAME+HASH+BASE64` with a key of this signature type.
    pub(super) fn parse(text: &str, algorithm: u8) -> Result<VerifierKey, ParseKeyError> {
        let (name, key) = split_key(text, algorithm)?;
        let key = VerifierKey {
            name: name.to_owned(),
            algorithm,
            key: ed25519_dalek::VerifyingKey::from_bytes(&key)
                .map_err(|_| ParseKeyError("it is no point of the curve"))?,
        };
        if key.to_string() == text {
            Ok(key)
        } else {
            Err(ParseKeyError("its hash is not that of the name and key"))
        }
    }

    /// The key id: SHA-256(name, LF, signature type, key)\[:4\].
    pub fn id(&self) -> [u8; 4] {
        let key = self.key.as_bytes();
        let digest = Digest::of_parts(&[self.name.as_bytes(), b"\n", &[self.algorithm], key]);
        let [a, b, c, d, ..] = *digest.as_bytes();
        [a, b, c, d]
    }

    /// Whether `signature` is this key's, of `message`. Strict: there is one valid signature, and bits changed in it show.
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        let signature = Signature::from_bytes(signature);
        self.key.verify_strict(message, &signature).is_ok()
    }
}

/// The form in which verifier keys are handed on: `NAME+HASH+BASE64`.
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.algorithm], self.key.as_bytes().as_slice()].concat();
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex(&self.id()),
            BASE64.encode(key)
        )
    }
}

impl FromStr for VerifierKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<VerifierKey, ParseKeyError> {
        VerifierKey::parse(text, ED25519)
    }
}

/// Splits `NAME+HASH+BASE64`; the caller writes the key again and compares, so that only one form is read.
fn split_key(text: &str, algorithm: u8) -> Result<(&str, [u8; 32]), ParseKeyError> {
    let mut fields = text.splitn(3, '+');
    let mut next = || fields.next().ok_or(ParseKeyError("fields are missing"));
    let (name, _, key) = (next()?, next()?, next()?);
    if !is_name(name) {
        return Err(ParseKeyError("its name is empty or holds a blank"));
    }
    let key = BASE64
        .decode(key)
        .map_err(|_| ParseKeyError("its key is no base64"))?;
    match key.split_first() {
        Some((kind, key)) if *kind == algorithm => {
            let key = key.try_into();
            let key = key.map_err(|_| ParseKeyError("its key is not 32 bytes long"))?;
            Ok((name, key))
        }
        _ if algorithm == COSIGNATURE => Err(ParseKeyError(
            "it is of another kind than that of Ed25519 cosignatures",
        )),
        _ => Err(ParseKeyError("it is of another kind than Ed25519")),
    }
}

/// Whether a key can be called so: not empty, no blanks, no plus sign (C2SP signed-note).
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_saved_for_its_owner_alone_and_read_back() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("signing.key");
        let key = SigningKey::generate("faircopy/test").expect("random numbers");
        key.save(&path).expect("saved");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = SigningKey::load(&path).expect("read");
        assert_eq!(again.verifier(), key.verifier());
        assert!(key.save(&path).is_err(), "a key is never replaced");
        assert!(!format!("{key:?}").contains("PRIVATE"));
    }

    #[test]
    fn a_verifier_key_with_any_bit_flipped_is_refused() {
        let key = SigningKey::generate("faircopy/test").expect("random numbers");
        let text = key.verifier().to_string();
        assert_eq!(
            text.parse::<VerifierKey>().expect("own form"),
            key.verifier()
        );
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let parsed = String::from_utf8(bytes)
                    .ok()
                    .map(|t| t.parse::<VerifierKey>());
                assert!(!matches!(parsed, Some(Ok(_))), "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn names_that_would_break_a_note_are_refused() {
        for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b"] {
            let error = SigningKey::generate(name).expect_err(name);
            assert!(matches!(error, LogError::BadName(_)));
        }
    }
}
