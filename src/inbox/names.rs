//! Names that released and returning files get: they follow from the claim, and fit.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use jiff::{Timestamp, tz::TimeZone};

use crate::submission::ClaimId;

use super::sidecar;

/// The longest name Linux file systems take, in bytes.
const NAME_MAX: usize = 255;

/// The folder of a day in `done`.
pub(super) fn done_folder(done: &Path, at: Timestamp) -> PathBuf {
    done.join(TimeZone::UTC.to_datetime(at).date().to_string())
}

/// `<claim>-<name>`, the name shortened in the middle where it would not fit, with room for a sidecar's suffix, so that
/// article and sidecar are shortened alike.
pub(super) fn done_name(claim: &ClaimId, path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let suffix = sidecar::SUFFIX.as_bytes();
    let (stem, suffix) = match name.strip_suffix(suffix) {
        Some(stem) if !stem.is_empty() => (stem, suffix),
        _ => (name, &[][..]),
    };
    let room = NAME_MAX - claim.as_str().len() - 1 - sidecar::SUFFIX.len();
    let mut fitted = claim.as_str().as_bytes().to_vec();
    fitted.push(b'-');
    fitted.extend(shorten(stem, room));
    fitted.extend(suffix);
    PathBuf::from(OsString::from_vec(fitted))
}

/// `name` in at most `room` bytes: its beginning, `~`, and its end with the extension. Cut between characters if it is UTF-8.
fn shorten(name: &[u8], room: usize) -> Vec<u8> {
    const TAIL: usize = 32;
    if name.len() <= room {
        return name.to_vec();
    }
    let is_inside = |at: usize| name.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let mut head = room - TAIL - 1;
    let mut tail = name.len() - TAIL;
    for _ in 0..3 {
        head -= usize::from(is_inside(head));
        tail += usize::from(is_inside(tail));
    }
    [&name[..head], b"~", &name[tail..]].concat()
}

/// `story.html` becomes `story~<claim>.html`: the extension stays.
pub(super) fn fresh_name(path: &Path, claim: &ClaimId, n: u32) -> PathBuf {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let stem_length = name
        .iter()
        .rposition(|&byte| byte == b'.')
        .filter(|&at| at > 0);
    let (stem, extension) = name.split_at(stem_length.unwrap_or(name.len()));
    let mut mark = format!("~{claim}");
    if n > 1 {
        mark.push_str(&format!("-{n}"));
    }
    let extension = &extension[..extension.len().min(64)];
    let room = NAME_MAX - mark.len() - extension.len() - sidecar::SUFFIX.len();
    let name = [&shorten(stem, room), mark.as_bytes(), extension].concat();
    path.with_file_name(OsString::from_vec(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> ClaimId {
        ClaimId::new(1_700_000_000_000, [7; 10])
    }

    #[test]
    fn a_name_of_255_bytes_still_fits_with_the_claim_before_it() {
        for name in [
            "x".repeat(250) + ".html",
            "é".repeat(120) + ".html.meta.json",
            "漢".repeat(85),
        ] {
            let done = done_name(&claim(), Path::new(&name));
            assert!(done.as_os_str().len() <= 255, "{}", done.as_os_str().len());
            assert!(done.to_str().is_some(), "cut between characters: {done:?}");
            let fresh = fresh_name(Path::new(&name), &claim(), 1);
            assert!(fresh.as_os_str().len() <= 255);
        }
    }

    #[test]
    fn article_and_sidecar_are_shortened_alike() {
        let article = PathBuf::from("y".repeat(240) + ".html");
        let sidecar = sidecar::path_of(&article);
        let done = done_name(&claim(), &article);
        assert_eq!(done_name(&claim(), &sidecar), sidecar::path_of(&done));
    }

    #[test]
    fn a_fresh_name_keeps_the_extension() {
        let fresh = fresh_name(Path::new("a/story.html"), &claim(), 1);
        assert_eq!(fresh, PathBuf::from(format!("a/story~{}.html", claim())));
    }
}
