//! Ignore patterns over bytes: names need not be UTF-8.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::error::Error;
use super::options::Options;

/// Names of our own that stand in an inbox for a moment while a file is released or comes back; never articles.
pub(super) const OWN_PREFIX: &str = ".faircopy-";

/// The patterns of one inbox.
#[derive(Debug)]
pub(super) struct Ignore {
    patterns: Vec<Pattern>,
    marker: Option<std::path::PathBuf>,
}

#[derive(Debug)]
struct Pattern {
    glob: Vec<u8>,
    /// Matches the whole path below the inbox, not only a name.
    whole_path: bool,
    folders_only: bool,
}

impl Ignore {
    pub(super) fn new(options: &Options) -> Result<Ignore, Error> {
        let patterns = options.ignore.iter().map(|text| {
            Pattern::new(text).ok_or_else(|| Error::Pattern {
                inbox: options.name.clone(),
                pattern: text.clone(),
                problem: "is empty",
            })
        });
        Ok(Ignore {
            patterns: patterns.collect::<Result<_, _>>()?,
            marker: options.marker.clone(),
        })
    }

    /// Whether the file or folder at `path` below the inbox is ignored, its own name considered only: the scan does not
    /// enter ignored folders.
    pub(super) fn matches(&self, path: &Path, is_folder: bool) -> bool {
        let name = path.file_name().unwrap_or_default().as_bytes();
        name.starts_with(OWN_PREFIX.as_bytes())
            || self.marker.as_deref() == Some(path)
            || self.patterns.iter().any(|pattern| {
                let subject = match pattern.whole_path {
                    true => path.as_os_str().as_bytes(),
                    false => name,
                };
                (is_folder || !pattern.folders_only) && matches(&pattern.glob, subject)
            })
    }

    /// Whether a folder above `path` is ignored.
    pub(super) fn matches_above(&self, path: &Path) -> bool {
        path.ancestors()
            .skip(1)
            .any(|folder| folder.as_os_str() != OsStr::new("") && self.matches(folder, true))
    }
}

impl Pattern {
    fn new(text: &str) -> Option<Pattern> {
        let glob = text.strip_suffix('/').unwrap_or(text);
        let glob = glob.strip_prefix('/').unwrap_or(glob);
        (!glob.is_empty()).then(|| Pattern {
            glob: glob.as_bytes().to_vec(),
            whole_path: glob.contains('/') || text.starts_with('/'),
            folders_only: text.ends_with('/'),
        })
    }
}

/// Whether `glob` matches all of `subject`. On a mismatch the last star takes one byte more, so that the time is at most
/// the product of both lengths; only the last `*` and the last `**` need to be remembered.
fn matches(glob: &[u8], subject: &[u8]) -> bool {
    let (mut g, mut s) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut double_star: Option<(usize, usize)> = None;
    loop {
        match glob.get(g) {
            Some(b'*') if glob.get(g + 1) == Some(&b'*') => {
                g += 2;
                (double_star, star) = (Some((g, s)), None);
            }
            Some(b'*') => {
                g += 1;
                star = Some((g, s));
            }
            Some(&byte)
                if s < subject.len()
                    && (byte == subject[s] || byte == b'?' && subject[s] != b'/') =>
            {
                (g, s) = (g + 1, s + 1);
            }
            None if s == subject.len() => return true,
            _ => match (star, double_star) {
                (Some((after, taken)), _) if taken < subject.len() && subject[taken] != b'/' => {
                    (g, s) = (after, taken + 1);
                    star = Some((after, taken + 1));
                }
                (_, Some((after, taken))) if taken < subject.len() => {
                    (g, s) = (after, taken + 1);
                    (double_star, star) = (Some((after, taken + 1)), None);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_within_a_name_and_double_stars_across_folders() {
        for (glob, subject, expected) in [
            ("*.part", "a.part", true),
            ("*.part", "a.part.txt", false),
            (".*", ".hidden", true),
            (".*", "a.b", false),
            ("?.txt", "a.txt", true),
            ("?.txt", ".txt", false),
            ("a*b*c", "aXbXbXc", true),
            ("a/*/c", "a/b/c", true),
            ("a/*/c", "a/b/b/c", false),
            ("a/**/c", "a/b/b/c", true),
            ("**.bak", "a/b/c.bak", true),
            ("a/**", "b/a/c", false),
            ("", "", true),
            ("*", "", true),
            ("**/x*/y", "a/x1/z/x2/y", true),
        ] {
            assert_eq!(
                matches(glob.as_bytes(), subject.as_bytes()),
                expected,
                "{glob} {subject}"
            );
        }
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        let glob = "*a".repeat(60);
        let subject = "a".repeat(59) + &"b".repeat(4000);
        assert!(!matches(glob.as_bytes(), subject.as_bytes()));
    }

    #[test]
    fn the_defaults_ignore_what_is_unfinished_or_of_a_desktop() {
        let ignore = Ignore::new(&Options::default()).expect("good patterns");
        for name in [
            ".hidden",
            "a.part",
            "a.tmp",
            "x/a.crdownload",
            "x/Thumbs.db",
            ".faircopy-x",
        ] {
            assert!(ignore.matches(Path::new(name), false), "{name}");
        }
        assert!(ignore.matches(Path::new("x/@eaDir"), true));
        assert!(
            !ignore.matches(Path::new("x/@eaDir"), false),
            "folders only"
        );
        assert!(ignore.matches_above(Path::new("__MACOSX/a/b.txt")));
        assert!(!ignore.matches(Path::new("apart.txt"), false));
        assert!(ignore.matches(Path::new(OsStr::from_bytes(b"\xff.part")), false));
    }
}
