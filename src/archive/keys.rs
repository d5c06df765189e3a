//! The archive's two secrets, which never lie in it: the key that signs checkpoints and the secret that makes document ids opaque.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::archive::{Error, Paths};
use crate::digest::Digest;
use crate::durable;
use crate::identity::DocId;

/// Name of the secret in the key folder.
const IDENTITY_SECRET: &str = "identity.secret";
/// Name of the signing key in the key folder.
const SIGNING_KEY: &str = "signing.key";
/// HMAC's block (FIPS 198-1 with SHA-256).
const HMAC_BLOCK_BYTES: usize = 64;
/// Digits of a document id: 80 bits, so that a billion documents meet by chance once in a million archives.
const DOC_ID_DIGITS: usize = 16;

/// `N` bytes from the operating system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's random numbers are there after boot");
    bytes
}

/// Where the signing key is: among systemd's credentials if it was given as one, else in the key folder.
pub fn signing_key_path(paths: &Paths) -> PathBuf {
    credential("faircopy.signing-key").unwrap_or_else(|| paths.keys.join(SIGNING_KEY))
}

/// Where a new signing key waits until the log tells of it.
pub fn pending_key_path(paths: &Paths) -> PathBuf {
    paths.keys.join(format!("{SIGNING_KEY}.new"))
}

fn identity_secret_path(paths: &Paths) -> PathBuf {
    credential("faircopy.identity-secret").unwrap_or_else(|| paths.keys.join(IDENTITY_SECRET))
}

/// A file that systemd laid ready (systemd.exec, LoadCredential).
pub fn credential(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY")?;
    let path = PathBuf::from(folder).join(name);
    path.is_file().then_some(path)
}

/// Makes document ids.
#[derive(Clone)]
pub struct IdentitySecret([u8; 32]);

impl IdentitySecret {
    /// Reads the secret: 64 hexadecimal digits.
    pub fn load(paths: &Paths) -> Result<IdentitySecret, Error> {
        let path = identity_secret_path(paths);
        let text = fs::read_to_string(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::NoKey { path: path.clone() },
            _ => Error::io("read the identity secret", &path, source),
        })?;
        // The form is that of a digest without its prefix.
        let secret = format!("sha256:{}", text.trim()).parse::<Digest>();
        let secret = secret.map_err(|_| Error::BadKey { path })?;
        Ok(IdentitySecret(*secret.as_bytes()))
    }

    /// Makes a secret unless there is one.
    pub fn create(paths: &Paths) -> Result<(), Error> {
        let path = identity_secret_path(paths);
        if path.exists() {
            return Ok(());
        }
        let text = format!("{}\n", crate::digest::hex(&random::<32>()));
        let doing = "write the identity secret";
        durable::write_new(&path, text.as_bytes(), 0o600)
            .and_then(|()| durable::sync_folder(durable::folder_of(&path)))
            .map_err(|source| Error::io(doing, &path, source))
    }

    /// The id of the document with the identity `key`.
    pub fn doc_id(&self, key: &str) -> DocId {
        let mac = hmac(&self.0, key.as_bytes());
        DocId(base32(mac.as_bytes(), DOC_ID_DIGITS))
    }
}

/// Makes the key folder, for its owner alone.
pub fn create_folder(folder: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let doing = "make the key folder";
    let existed = folder.is_dir();
    durable::create_folders(folder).map_err(|source| Error::io(doing, folder, source))?;
    if existed {
        return Ok(());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
        .map_err(|source| Error::io(doing, folder, source))
}

/// HMAC-SHA256 (RFC 2104) with a key no longer than a block.
fn hmac(key: &[u8; 32], message: &[u8]) -> Digest {
    let pad = |byte: u8| {
        let mut block = [byte; HMAC_BLOCK_BYTES];
        for (pad, key) in block.iter_mut().zip(key) {
            *pad ^= key;
        }
        block
    };
    let inner = Digest::of_parts(&[&pad(0x36), message]);
    Digest::of_parts(&[&pad(0x5C), inner.as_bytes()])
}

/// The first digits of `bytes` in base 32 (RFC 4648, lower case).
pub fn base32(bytes: &[u8], digits: usize) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bit = |at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    let digit = |n: usize| (0..5).fold(0, |value, i| value << 1 | bit(n * 5 + i));
    (0..digits)
        .map(|n| char::from(DIGITS[usize::from(digit(n))]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_agrees_with_rfc_4231() {
        // Test case 1's 20-byte key, padded with zeros, is the same key to HMAC.
        let mut key = [0; 32];
        key[..20].fill(0x0B);
        assert_eq!(
            hmac(&key, b"Hi There").to_hex(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn base32_agrees_with_rfc_4648() {
        assert_eq!(base32(b"fooba", 8), "mzxw6ytb");
        assert_eq!(base32(b"foobar", 9), "mzxw6ytbo");
    }
}
