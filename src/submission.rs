//! `Submission`: one file as it came, with its sidecar. The word is OAIS's (ISO 14721), for what a producer hands in.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// One file as it came.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Names this attempt to archive the file; archived with it, so that a repeat is recognised.
    pub claim: ClaimId,
    /// Where it was found.
    pub source: Source,
    /// What the file system said of it while it was read; `None` for standard input.
    pub signature: Option<Signature>,
    /// The bytes, exact.
    pub raw: Vec<u8>,
    /// Their digest.
    pub raw_digest: Digest,
    /// What the sender declared in a sidecar or on the command line.
    pub declared: Declared,
    /// When it was read.
    pub received_at: Timestamp,
    /// 0 for a file that is one document; from 1 for those in a container.
    pub part: u32,
}

/// The unique name of one attempt to archive one file: 26 characters, sortable by time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimId(String);

impl ClaimId {
    /// A claim made at `now` (milliseconds of Unix time) with 10 random bytes: Crockford base 32 as in the ULID specification.
    pub fn new(now_ms: u64, random: [u8; 10]) -> ClaimId {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&now_ms.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        let mut value = u128::from_be_bytes(bytes);
        let mut digits = [0; 26];
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[(value & 31) as usize];
            value >>= 5;
        }
        ClaimId(String::from_utf8(digits.to_vec()).expect("the digits are ASCII"))
    }

    /// Reads a claim's name; `None` if it is not 26 digits of that base (so it is always safe as a file name).
    pub fn parse(text: &str) -> Option<ClaimId> {
        let valid = text.len() == 26
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b.is_ascii_lowercase() && !b"ilou".contains(&b)));
        valid.then(|| ClaimId(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a submission was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Source {
    /// The name of the inbox root, `add` for the one-shot command, `stdin` for standard input.
    pub root: String,
    /// Path below the root (for `add`, the absolute path); names need not be UTF-8.
    #[serde(with = "path_text")]
    pub path: PathBuf,
}

impl Source {
    /// The name of a part of a container, by which it is told from the others; a file that is one document has its own.
    pub fn of_part(&self, part: u32) -> Source {
        let mut source = self.clone();
        if part > 0 {
            let mut path = std::mem::take(&mut source.path).into_os_string();
            path.push(format!("#{part}"));
            source.path = path.into();
        }
        source
    }
}

impl fmt::Display for Source {
    /// `root:path`, safe on a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.root, printable(&self.path))
    }
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signature {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Length in bytes.
    pub size: u64,
    /// Time of the last change of the content, nanoseconds since 1970.
    pub mtime_ns: i128,
    /// Time of the last change of content or inode, nanoseconds since 1970.
    pub ctime_ns: i128,
}

impl Signature {
    /// The signature in `metadata`, as `lstat` or `fstat` gave it.
    pub fn of(metadata: &std::fs::Metadata) -> Signature {
        use std::os::unix::fs::MetadataExt;
        let nanoseconds = |secs: i64, ns: i64| i128::from(secs) * 1_000_000_000 + i128::from(ns);
        Signature {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// What the sender declared: the sidecar `X.meta.json`, or `--url` and its like. Evidence that `clean` and the identity weigh.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    /// Where it was fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it was fetched, as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<Timestamp>,
    /// The producer's own id of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Title, as the producer knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The producer's name of the source, e.g. a feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// HTTP headers of the fetch, names in lower case.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub headers: std::collections::BTreeMap<String, String>,
    /// All other fields of the sidecar, kept as they came.
    #[serde(default, flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

impl Declared {
    /// Nothing was declared.
    pub fn is_empty(&self) -> bool {
        *self == Declared::default()
    }
}

/// A file that cannot be archived as it is; it moves aside with this beside it. Never stops the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Reason {
    /// What kind of failure, for programs.
    pub code: ReasonCode,
    /// What, where, why and what to do, for people. Small first letter, no full stop.
    pub message: String,
}

impl Reason {
    /// A reason.
    pub fn new(code: ReasonCode, message: impl Into<String>) -> Reason {
        Reason {
            code,
            message: message.into(),
        }
    }
}

/// Stable codes of [`Reason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// No byte in it, or blanks alone.
    Empty,
    /// Neither text nor HTML.
    Binary,
    /// Above the size limit, or it unpacks to more.
    TooLarge,
    /// A compressed file that cannot be unpacked at all.
    BadCompression,
    /// It was being cleaned each of the several times that the process died.
    Poison,
    /// A sidecar whose article never came.
    OrphanSidecar,
    /// A sidecar that is no JSON object; the article itself is archived.
    BadSidecar,
    /// Neither a file nor a folder, or a link.
    NotAFile,
    /// The file could not be read for good.
    Unreadable,
    /// A record or object of a container that cannot be read.
    BrokenPart,
    /// Some of the documents in a container are not archived; the others are.
    Partly,
    /// faircopy itself failed on it.
    Defect,
}

impl ReasonCode {
    /// The code as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            ReasonCode::Empty => "empty",
            ReasonCode::Binary => "binary",
            ReasonCode::TooLarge => "too_large",
            ReasonCode::BadCompression => "bad_compression",
            ReasonCode::Poison => "poison",
            ReasonCode::OrphanSidecar => "orphan_sidecar",
            ReasonCode::BadSidecar => "bad_sidecar",
            ReasonCode::NotAFile => "not_a_file",
            ReasonCode::Unreadable => "unreadable",
            ReasonCode::BrokenPart => "broken_part",
            ReasonCode::Partly => "partly",
            ReasonCode::Defect => "defect",
        }
    }
}

/// A path as text that cannot harm a terminal or a log line: control characters and bytes that are no UTF-8 become `\xNN`.
pub fn printable(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '\\' || c.is_control() || is_bidi_control(c) {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    text.push_str(&format!("\\x{byte:02x}"));
                }
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Characters that reorder a line of a terminal without being seen (Unicode Technical Report 36).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// Paths in JSON: UTF-8 as it is but for `\`, control characters and stray bytes, which stand as `\xNN`; reversible.
pub mod path_text {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    /// The reversible text of `path`.
    pub fn to_text(path: &Path) -> String {
        printable(path)
    }

    /// The path that [`to_text`] wrote.
    pub fn from_text(text: &str) -> PathBuf {
        let bytes = text.as_bytes();
        let mut path = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let escaped = bytes[at..]
                .strip_prefix(b"\\x")
                .and_then(|rest| rest.get(..2))
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .and_then(|digits| u8::from_str_radix(digits, 16).ok());
            match escaped {
                Some(byte) => {
                    path.push(byte);
                    at += 4;
                }
                None => {
                    path.push(bytes[at]);
                    at += 1;
                }
            }
        }
        PathBuf::from(std::ffi::OsString::from_vec(path))
    }

    pub(super) fn serialize<S: serde::Serializer>(
        path: &Path,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_text(path))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PathBuf, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(from_text(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn claims_sort_by_time_and_are_safe_names() {
        let early = ClaimId::new(1_000, [255; 10]);
        let late = ClaimId::new(1_001, [0; 10]);
        assert!(early < late);
        assert_eq!(ClaimId::parse(early.as_str()), Some(early));
        for bad in [
            "",
            "../../../../../etc/passwd00",
            "ILOU0000000000000000000000",
        ] {
            assert_eq!(ClaimId::parse(bad), None);
        }
    }

    #[test]
    fn paths_survive_the_way_through_text() {
        for bytes in [
            &b"plain.txt"[..],
            b"new\nline",
            b"back\\x41slash",
            b"\xff\xfe latin",
            "r\u{202e}txt".as_bytes(),
            b"\\x",
            b"",
        ] {
            let path = Path::new(OsStr::from_bytes(bytes));
            let text = path_text::to_text(path);
            assert!(!text.chars().any(char::is_control), "{text}");
            assert_eq!(path_text::from_text(&text), path, "{text}");
        }
    }
}
