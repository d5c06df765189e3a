//! Sidecars: `X.meta.json` beside `X` declares where and when `X` was fetched.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::submission::{Declared, Reason, ReasonCode, Signature, printable};

use super::claim::{self, ReadError, read_unchanged};

/// What a sidecar's name ends in.
pub(super) const SUFFIX: &str = ".meta.json";

/// Far more than any sidecar needs.
const SIDECAR_BYTES_MAX: u64 = 1 << 20;

/// What a sidecar turned out to be.
pub(super) enum Sidecar {
    Good(Declared),
    Bad(Reason),
    /// It is not there any more, or not the file it was.
    Gone,
}

/// The article's path, if `path` is named as a sidecar.
pub(super) fn article_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.as_bytes();
    let article = name.strip_suffix(SUFFIX.as_bytes())?;
    (!article.is_empty()).then(|| path.with_file_name(OsStr::from_bytes(article)))
}

/// The path of the sidecar that `article` would have.
pub(super) fn path_of(article: &Path) -> PathBuf {
    let mut name = article.file_name().unwrap_or_default().to_owned();
    name.push(SUFFIX);
    article.with_file_name(name)
}

/// Reads and parses the sidecar at `path`.
pub(super) fn read(path: &Path, signature: &Signature) -> Result<Sidecar, ReadError> {
    judge(path, read_unchanged(path, signature, SIDECAR_BYTES_MAX))
}

/// The same in an inbox, where no folder may have become a link since the scan.
pub(super) fn read_in_inbox(path: &Path, signature: &Signature) -> Result<Sidecar, ReadError> {
    judge(
        path,
        claim::read_in_inbox(path, signature, SIDECAR_BYTES_MAX),
    )
}

fn judge(path: &Path, read: Result<Vec<u8>, ReadError>) -> Result<Sidecar, ReadError> {
    match read {
        Ok(bytes) => Ok(match parse(&bytes) {
            Ok(declared) => Sidecar::Good(declared),
            Err(error) => Sidecar::Bad(bad(path, &error.to_string())),
        }),
        Err(ReadError::Changed) => Ok(Sidecar::Gone),
        Err(ReadError::Permanent(reason)) => Ok(Sidecar::Bad(bad(path, &reason.message))),
        Err(error @ ReadError::Transient(_)) => Err(error),
    }
}

fn parse(bytes: &[u8]) -> Result<Declared, serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut declared: Declared = serde_json::from_slice(bytes)?;
    declared.headers = std::mem::take(&mut declared.headers)
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    Ok(declared)
}

fn bad(path: &Path, problem: &str) -> Reason {
    let name = printable(Path::new(path.file_name().unwrap_or_default()));
    let message = format!("sidecar {name} cannot be used: {problem}");
    Reason::new(ReasonCode::BadSidecar, message)
}

/// For messages about sidecars that could not be read at all.
pub(super) fn error_text(error: &ReadError) -> String {
    match error {
        ReadError::Transient(source) => source.to_string(),
        other => other.to_string(),
    }
}

/// The error kinds that `read` lets through are those of the system.
pub(super) fn into_io(error: ReadError) -> io::Error {
    match error {
        ReadError::Transient(source) => source,
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_is_named_after_its_article() {
        let article = Path::new("a/b.html");
        let sidecar = path_of(article);
        assert_eq!(sidecar, Path::new("a/b.html.meta.json"));
        assert_eq!(article_of(&sidecar).as_deref(), Some(article));
        assert_eq!(article_of(Path::new("a/.meta.json")), None);
        assert_eq!(article_of(article), None);
    }

    #[test]
    fn headers_get_lower_case_names_and_unknown_fields_are_kept() {
        let declared = parse(
            b"\xef\xbb\xbf{\"url\":\"https://example.org/\",\"headers\":{\"Content-Type\":\"text/html\"},\"x\":1}",
        )
        .expect("good");
        assert_eq!(declared.headers["content-type"], "text/html");
        assert_eq!(declared.other["x"], 1);
        assert!(parse(b"[]").is_err());
        assert!(parse(b"{").is_err());
    }
}
