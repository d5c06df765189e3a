//! `Status`: how the inbox stands, for people and programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::submission::path_text;

use super::entry::{Entry, SidecarState, State};
use super::intake::Intake;
use super::root::{Presence, Root};
use super::scan::Oddity;

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

impl Intake {
    /// How everything stands.
    pub fn status(&self) -> Status {
        let mut status = Status {
            claimed: self.in_hand.claims,
            paused: self.pause.clone(),
            watch_trouble: self.watch.trouble().map(str::to_owned),
            ..Status::default()
        };
        for unreleased in &self.unreleased {
            let note = unreleased.error.as_str();
            status.unreleased.note(&unreleased.claim.path, note);
        }
        for root in &self.roots {
            let root = self.root_status(root);
            status.pending += root.ready + root.deferred.count;
            status.settling += root.settling;
            status.ignored += root.ignored.count + root.special.count;
            status.quarantined += root.quarantined;
            status.roots.push(root);
        }
        status
    }

    /// What keeps files from being taken in, or makes it slow, each with the reason; empty when all is well. Cheap.
    pub fn troubles(&self) -> BTreeMap<String, String> {
        let mut troubles = BTreeMap::new();
        if let Some(pause) = &self.pause {
            troubles.insert("no new files are taken".to_owned(), pause.clone());
        }
        if let Some(trouble) = self.watch.trouble() {
            let what = "folders are scanned often, for lack of events".to_owned();
            troubles.insert(what, trouble.to_owned());
        }
        for root in &self.roots {
            if let Presence::Absent(problem) = &root.presence {
                let path = path_text::to_text(&root.path);
                let what = format!("inbox {:?} is waited for", root.options.name);
                troubles.insert(what, format!("{path}: {problem}"));
            }
        }
        troubles
    }

    fn root_status(&self, root: &Root) -> RootStatus {
        let (state, problem) = match &root.presence {
            Presence::Absent(problem) => ("absent", Some(problem.clone())),
            Presence::Present(_) if root.is_watched(&self.watch) => ("watched", None),
            Presence::Present(_) => ("polled", None),
        };
        let mut status = RootStatus {
            name: root.options.name.clone(),
            path: root.path.clone(),
            state,
            problem,
            quarantined: root.quarantined.len(),
            ..RootStatus::default()
        };
        for (path, entry) in &root.entries {
            count(&mut status, path, entry);
        }
        for (path, oddity) in &root.odd {
            match oddity {
                Oddity::Ignored => status.ignored.note(path, ""),
                Oddity::Special(kind) => status.special.note(path, kind),
                Oddity::Unreadable(error) => status.special.note(path, error),
            }
        }
        status
    }
}

fn count(status: &mut RootStatus, path: &Path, entry: &Entry) {
    match &entry.state {
        // It had its time when it was found, and waits for the look that comes before a claim.
        State::Settling { .. } if entry.deadline == Some(entry.since) => status.ready += 1,
        State::Settling { open_for_writing } => {
            status.settling += 1;
            if *open_for_writing {
                status.open_for_writing.note(path, "");
            }
        }
        State::AwaitingSidecar { .. } => status.settling += 1,
        State::Ready => status.ready += 1,
        State::InHand => status.claimed += 1,
        State::Deferred { error } => status.deferred.note(path, error),
        State::Kept => status.kept += 1,
        State::Refused => {}
        State::Sidecar(SidecarState::Orphan) => {
            status.sidecars.note(path, "its article never came");
        }
        State::Sidecar(_) => status.sidecars.note(path, ""),
    }
}

fn as_path_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path_text::to_text(path))
}
