//! Opening an intake: checks the folders, and brings to an end what a crash left.
//!
//! An intent whose claim is committed: its release is redone. An intent alone: it is dropped, and the scan finds the file again;
//! if it was under way, that is a death more for this file.

use std::path::{Path, PathBuf};

use crate::durable;
use crate::submission::{ClaimId, Signature, Source};

use super::claim::Claim;
use super::clock::Moment;
use super::error::Error;
use super::folders;
use super::intake::{Committed, Intake, Random};
use super::options::{IntakeOptions, Options, Release};
use super::quarantine;
use super::release::Released;
use super::root::Root;
use super::spool::{Intent, Spool};

/// What was found at the start.
#[derive(Debug, Default)]
pub struct RecoveryReport {
    /// Files that were archived but not released, and what became of them now.
    pub released: Vec<(ClaimId, Released)>,
    /// Files that were claimed but not archived: they are found again.
    pub dropped: usize,
    /// Of these, those that were under way when the process died, with the deaths so far. They are tried alone.
    pub suspects: Vec<(Source, u32)>,
    /// Intents of inboxes that are not configured any more; they stay where they are.
    pub foreign: usize,
    /// Files of the spool that cannot be understood; they stay where they are.
    pub damaged: Vec<PathBuf>,
}

impl Intake {
    /// Opens the inboxes `roots`, which share `options`. `archive` is the archive's folder.
    pub fn open(
        roots: Vec<Options>,
        options: IntakeOptions,
        archive: &Path,
        random: Random,
        committed: &dyn Committed,
        now: Moment,
    ) -> Result<(Intake, RecoveryReport), Error> {
        let resolved = folders::check(&roots, &options.spool, archive)?;
        let mut opened = Vec::new();
        for (root, paths) in roots.into_iter().zip(resolved) {
            opened.push(open_root(root, paths, now)?);
        }
        let (spool, left) = Spool::open(&options.spool)?;
        let mut intake = Intake::new(opened, options, spool, archive, random, now);
        let mut report = RecoveryReport {
            damaged: left.damaged,
            ..RecoveryReport::default()
        };
        intake.recover(left.intents, committed, now, &mut report)?;
        Ok((intake, report))
    }

    fn recover(
        &mut self,
        intents: Vec<(Intent, bool)>,
        committed: &dyn Committed,
        now: Moment,
        report: &mut RecoveryReport,
    ) -> Result<(), Error> {
        let mut archived = Vec::new();
        let mut dropped = Vec::new();
        for (intent, under_way) in intents {
            let Some(index) = self.root_named(&intent.source.root) else {
                report.foreign += 1;
                continue;
            };
            match committed.claim(&intent.claim) {
                true => archived.extend(self.claim_of(index, intent)),
                false => dropped.push((index, intent, under_way)),
            }
        }
        let suspects: Vec<&Intent> = dropped
            .iter()
            .filter(|(index, intent, under_way)| {
                *under_way && self.is_current(*index, &intent.source, &intent.signature)
            })
            .map(|(_, intent, _)| intent)
            .collect();
        let roots = &self.roots;
        self.spool.suspect_all(&suspects, |suspect| {
            // What an absent folder holds is not known.
            roots
                .iter()
                .find(|root| root.options.name == suspect.source.root)
                .is_some_and(|root| {
                    !root.path.is_dir() || is_there(root, &suspect.source, &suspect.signature)
                })
        })?;
        for intent in suspects {
            let deaths = self
                .spool
                .suspect(&intent.source, &intent.signature)
                .map_or(0, |s| s.deaths);
            report.suspects.push((intent.source.clone(), deaths));
        }
        for (_, intent, _) in &dropped {
            self.spool.close(&intent.claim);
        }
        report.dropped = dropped.len();
        report.released = self.release(archived, now);
        Ok(())
    }

    fn root_named(&self, name: &str) -> Option<usize> {
        self.roots.iter().position(|root| root.options.name == name)
    }

    fn is_current(&self, index: usize, source: &Source, signature: &Signature) -> bool {
        is_there(&self.roots[index], source, signature)
    }

    fn claim_of(&self, index: usize, intent: Intent) -> Option<Claim> {
        Some(Claim {
            path: self.roots[index].path.join(&intent.source.path),
            root: index,
            bytes_max: self.options.file_bytes_max.as_u64(),
            marks: self.spool.marks_of(&intent.claim)?,
            is_container: false,
            intent,
        })
    }
}

fn is_there(root: &Root, source: &Source, signature: &Signature) -> bool {
    std::fs::symlink_metadata(root.path.join(&source.path))
        .is_ok_and(|metadata| Signature::of(&metadata) == *signature)
}

fn open_root(options: Options, paths: [PathBuf; 3], now: Moment) -> Result<Root, Error> {
    let keeps = options.release == Release::Keep;
    let mut root = Root::new(options, paths, now)?;
    durable::create_folders(&root.failed).map_err(Error::io("create", &root.failed))?;
    if root.options.release == Release::Done {
        durable::create_folders(&root.done).map_err(Error::io("create", &root.done))?;
    }
    let quarantined = quarantine::recover(&root.failed, &root.options.name, &root.path)?;
    root.quarantined = quarantined.iter().map(|one| one.claim.clone()).collect();
    if keeps {
        let refused = quarantined.into_iter().filter(|one| one.file.is_none());
        root.refused = refused
            .map(|one| (one.source.path, (one.signature, one.claim)))
            .collect();
    }
    Ok(root)
}
