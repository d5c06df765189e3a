//! `Status`: how the inbox stands, for people and programs.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::submission::path_text;

/// How the inbox stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Files that wait to be claimed, or for their next try.
    pub pending: usize,
    /// Files that have to stand still a little longer.
    pub settling: usize,
    /// Files and folders that are left alone.
    pub ignored: usize,
    /// Files in hand.
    pub claimed: usize,
    /// Archived files that could not be released yet.
    pub unreleased: Listed,
    /// Files in quarantine.
    pub quarantined: usize,
    /// Why no new files are taken at present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// Why events cannot be relied on, so that folders are scanned more often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch_trouble: Option<String>,
    /// Each watched folder.
    pub roots: Vec<RootStatus>,
}

/// How one watched folder stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RootStatus {
    /// Its name.
    pub name: String,
    /// Where it is.
    #[serde(serialize_with = "as_path_text")]
    pub path: PathBuf,
    /// `watched`, `polled` or `absent`.
    pub state: &'static str,
    /// Why it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Files that wait to be claimed.
    pub ready: usize,
    /// Files that have to stand still a little longer.
    pub settling: usize,
    /// Of these, those that another process still has open for writing.
    pub open_for_writing: Listed,
    /// Files in hand.
    pub claimed: usize,
    /// Files that could not be read for now, with the error.
    pub deferred: Listed,
    /// Files that match an ignore pattern.
    pub ignored: Listed,
    /// What is neither file nor folder, and folders that cannot be listed.
    pub special: Listed,
    /// Sidecars that wait for their article.
    pub sidecars: Listed,
    /// Archived files that stay, by policy.
    pub kept: usize,
    /// Files in quarantine.
    pub quarantined: usize,
}

/// A count, with a few examples.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// How many.
    pub count: usize,
    /// A few of them, as path text, with a note.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<String>,
}

impl Listed {
    const SAMPLES_MAX: usize = 5;

    pub(super) fn note(&mut self, path: &Path, note: &str) {
        self.count += 1;
        if self.samples.len() < Listed::SAMPLES_MAX {
            let path = path_text::to_text(path);
            self.samples.push(match note {
                "" => path,
                note => format!("{path} ({note})"),
            });
        }
    }
}

fn as_path_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path_text::to_text(path))
}
