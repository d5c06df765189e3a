//! Into quarantine and out of it again, as the intake sees it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::submission::{ClaimId, Reason, Signature};

use super::claim::Claim;
use super::clock::Moment;
use super::entry::State;
use super::error::Error;
use super::intake::Intake;
use super::options::Release;
use super::quarantine::{self, Failing};
use super::root::Root;
use super::settle::SIDECAR_GRACE;
use super::sidecar;

impl Intake {
    pub(super) fn after_bad_sidecar(&mut self, claim: &Claim, sidecar: &Path, now: Moment) {
        let root = &mut self.roots[claim.root];
        root.quarantined.insert(claim.id().clone());
        match (&claim.intent.sidecar, root.options.release) {
            (Some(signature), Release::Keep) => {
                root.refuse(sidecar, *signature, claim.id().clone(), now);
            }
            _ => root.let_go(sidecar, now),
        }
    }

    /// The file can never be archived as it is: it goes into quarantine, with its sidecar. `stage` says what was being done.
    /// If it cannot be moved there it is deferred, and the error returned.
    pub fn failed(
        &mut self,
        claim: Claim,
        reason: Reason,
        stage: &str,
        now: Moment,
    ) -> Result<(), Error> {
        let root = &self.roots[claim.root];
        let failing = Failing {
            claim: claim.id(),
            source: claim.source().clone(),
            path: &claim.path,
            signature: claim.signature(),
            has_sidecar: claim.intent.sidecar.is_some(),
            attempts: claim.attempts(),
            stage,
            reason,
        };
        let stays = root.options.release == Release::Keep;
        match quarantine::put(&root.failed, stays, failing, now.wall) {
            Ok(true) => {
                self.out_of_hand(&claim);
                self.spool.acquit(claim.source());
                self.spool.close(claim.id());
                self.after_quarantine(
                    claim.root,
                    &claim.intent.source.path,
                    *claim.signature(),
                    claim.id().clone(),
                    now,
                );
                Ok(())
            }
            Ok(false) => {
                self.changed(claim, now);
                Ok(())
            }
            Err(error) => {
                let path = claim.path.clone();
                self.deferred(
                    claim,
                    &format!("cannot be moved to quarantine: {error}"),
                    now,
                );
                Err(Error::io("move to quarantine", &path)(error))
            }
        }
    }

    fn after_quarantine(
        &mut self,
        index: usize,
        path: &Path,
        signature: Signature,
        claim: ClaimId,
        now: Moment,
    ) {
        let root = &mut self.roots[index];
        root.quarantined.insert(claim.clone());
        match root.options.release {
            Release::Keep => root.refuse(path, signature, claim, now),
            Release::Done | Release::Delete => root.let_go(path, now),
        }
        root.settle_sidecar(&sidecar::path_of(path), SIDECAR_GRACE, now);
    }

    /// Quarantines a file that is not in hand: a poison, or a sidecar alone.
    pub(super) fn quarantine_alone(
        &mut self,
        index: usize,
        path: &Arc<Path>,
        reason: Reason,
        stage: &str,
        claim: Option<ClaimId>,
        now: Moment,
    ) {
        let claim = claim.unwrap_or_else(|| self.new_claim(now));
        let root = &self.roots[index];
        let Some(entry) = root.entries.get(path) else {
            return;
        };
        let (source, signature) = (root.source(path), entry.signature);
        let failing = Failing {
            claim: &claim,
            source: source.clone(),
            path: &root.path.join(path),
            signature: &signature,
            has_sidecar: root.is_settled_sidecar(&sidecar::path_of(path)),
            attempts: entry.attempts,
            stage,
            reason,
        };
        let stays = root.options.release == Release::Keep;
        match quarantine::put(&root.failed, stays, failing, now.wall) {
            Ok(true) => {
                self.spool.acquit(&source);
                self.after_quarantine(index, path, signature, claim, now);
            }
            Ok(false) => self.roots[index].let_go(path, now),
            Err(error) => {
                let error = format!("cannot be moved to quarantine: {error}");
                let wait = self.options.retry_min;
                self.roots[index].defer(path, error, wait, now);
            }
        }
    }

    /// Somebody may have retried or deleted what is in quarantine.
    pub(super) fn look_at_quarantine(&mut self, index: usize, now: Moment) {
        let root = &mut self.roots[index];
        let Ok(claims) = quarantine::claims(&root.failed) else {
            return;
        };
        let claims: BTreeSet<ClaimId> = claims.into_iter().collect();
        root.quarantined.retain(|claim| claims.contains(claim));
        let retried: Vec<PathBuf> = root
            .refused
            .iter()
            .filter(|(_, (_, claim))| !claims.contains(claim))
            .map(|(path, _)| path.clone())
            .collect();
        for path in retried {
            root.refused.remove(&path);
            root.let_go(&path, now);
        }
    }
}

impl Root {
    /// The file failed and stays; it is not taken again until it changes or is retried.
    fn refuse(&mut self, path: &Path, signature: Signature, claim: ClaimId, now: Moment) {
        self.refused.insert(path.to_owned(), (signature, claim));
        self.set(path, State::Refused);
        self.look(path, false, now);
    }
}
