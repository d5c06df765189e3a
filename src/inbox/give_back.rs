//! Giving claims back: archived, failed, deferred or changed; and sidecars that came late.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::durable;
use crate::submission::{ClaimId, Declared, Signature, Source};

use super::claim::Claim;
use super::clock::Moment;
use super::entry::{SidecarState, State};
use super::intake::{Intake, Unreleased};
use super::names::done_folder;
use super::options::Release;
use super::quarantine::{self, Failing};
use super::release::{Released, Way};
use super::root::Root;
use super::settle::SIDECAR_GRACE;
use super::sidecar::{self, Sidecar};

/// A sidecar whose article is not in the inbox: if the archive knows the article, it is a metadata revision.
#[derive(Debug)]
pub struct LateSidecar {
    /// The article.
    pub source: Source,
    /// What the sidecar says.
    pub declared: Declared,
    root: usize,
    path: Arc<Path>,
    signature: Signature,
}

/// What became of article and sidecar of one claim.
struct Outcome {
    article: Released,
    /// `None` without a sidecar, or if it was not touched.
    sidecar: Option<Released>,
}

impl Intake {
    /// The claims' captures are committed: their sources are released and their intents closed. What cannot be released now
    /// is tried again by [`Intake::tick`].
    pub fn archived(&mut self, claims: Vec<Claim>, now: Moment) -> Vec<(ClaimId, Released)> {
        for claim in &claims {
            self.out_of_hand(claim);
            self.spool.acquit(claim.source());
        }
        self.release(claims, now)
    }

    pub(super) fn release(&mut self, claims: Vec<Claim>, now: Moment) -> Vec<(ClaimId, Released)> {
        self.release_tried(claims.into_iter().map(|claim| (claim, 0)).collect(), now)
    }

    pub(super) fn release_again(&mut self, now: Moment) {
        let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.unreleased)
            .into_iter()
            .partition(|unreleased| unreleased.at <= now.instant);
        self.unreleased = rest;
        let due = due
            .into_iter()
            .map(|unreleased| (unreleased.claim, unreleased.tries));
        drop(self.release_tried(due.collect(), now));
    }

    /// Releases, then syncs each folder once, then closes the intents: in this order, or a power cut could bring a source
    /// back without its intent.
    fn release_tried(
        &mut self,
        claims: Vec<(Claim, u32)>,
        now: Moment,
    ) -> Vec<(ClaimId, Released)> {
        let mut released = Vec::with_capacity(claims.len());
        let mut touched = BTreeSet::new();
        for (claim, tries) in claims {
            let mut folders = Vec::new();
            let outcome = self.release_one(&claim, &mut folders, now);
            touched.extend(folders.iter().cloned());
            released.push((claim, tries, outcome, folders));
        }
        let unsynced: BTreeSet<&PathBuf> = touched
            .iter()
            .filter(|folder| folder.is_dir() && durable::sync_folder(folder).is_err())
            .collect();
        let mut report = Vec::with_capacity(released.len());
        for (claim, tries, outcome, folders) in released {
            let outcome = match outcome {
                Ok(_) if folders.iter().any(|folder| unsynced.contains(folder)) => {
                    Err(io::Error::other("cannot sync the folders of the move"))
                }
                outcome => outcome,
            };
            report.push((
                claim.id().clone(),
                self.after_release(claim, tries, outcome, now),
            ));
        }
        report
    }

    fn release_one(
        &mut self,
        claim: &Claim,
        touched: &mut Vec<PathBuf>,
        now: Moment,
    ) -> io::Result<Outcome> {
        let root = &self.roots[claim.root];
        let folder = done_folder(&root.done, claim.intent.claimed_at);
        let way = Way {
            claim: claim.id(),
            path: &claim.path,
            signature: claim.signature(),
            // Of a container the archive has the documents and not the file.
            policy: match root.options.release {
                Release::Delete if claim.is_container => Release::Done,
                policy => policy,
            },
            folder: &folder,
        };
        let article = way.release(touched)?;
        let sidecar = match &claim.intent.sidecar {
            // The late bytes are a new submission, and it needs its sidecar.
            Some(_) if matches!(article, Released::Changed) => None,
            Some(signature) => {
                let path = sidecar::path_of(&claim.path);
                let way = Way {
                    path: &path,
                    signature,
                    ..way
                };
                Some(release_sidecar(root, claim, &way, touched, now)?)
            }
            None => None,
        };
        Ok(Outcome { article, sidecar })
    }

    fn after_release(
        &mut self,
        claim: Claim,
        tries: u32,
        outcome: io::Result<Outcome>,
        now: Moment,
    ) -> Released {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                let tries = tries + 1;
                self.unreleased.push(Unreleased {
                    claim,
                    error: error.to_string(),
                    at: now.instant + self.options.backoff(tries),
                    tries,
                });
                return Released::Postponed(error);
            }
        };
        self.spool.close(claim.id());
        let root = &mut self.roots[claim.root];
        let path = &claim.intent.source.path;
        match outcome.article {
            Released::Kept => {
                root.set(path, State::Kept);
                root.look(path, false, now);
            }
            _ => root.let_go(path, now),
        }
        let sidecar = sidecar::path_of(path);
        match outcome.sidecar {
            Some(Released::Kept) => {
                root.set(&sidecar, State::Kept);
                root.look(&sidecar, false, now);
            }
            Some(Released::BadSidecar) => {
                self.after_bad_sidecar(&claim, &sidecar, now);
                return Released::BadSidecar;
            }
            Some(_) => root.let_go(&sidecar, now),
            None => root.settle_sidecar(&sidecar, Duration::ZERO, now),
        }
        outcome.article
    }

    /// The file could not be read or archived for now: it stays, and is tried again after a while, twice as long each time.
    pub fn deferred(&mut self, claim: Claim, error: &str, now: Moment) {
        self.out_of_hand(&claim);
        self.spool.close(claim.id());
        let wait = self.options.backoff(claim.attempts());
        let root = &mut self.roots[claim.root];
        let path: Arc<Path> = Arc::from(claim.intent.source.path.as_path());
        root.defer(&path, error.to_owned(), wait, now);
        root.look(&path, false, now);
        root.settle_sidecar(&sidecar::path_of(&path), SIDECAR_GRACE, now);
    }

    /// The file is not the one that was claimed any more: it settles anew.
    pub fn changed(&mut self, claim: Claim, now: Moment) {
        self.out_of_hand(&claim);
        self.spool.close(claim.id());
        let root = &mut self.roots[claim.root];
        let path = &claim.intent.source.path;
        root.let_go(path, now);
        root.settle_sidecar(&sidecar::path_of(path), SIDECAR_GRACE, now);
    }

    pub(super) fn out_of_hand(&mut self, claim: &Claim) {
        self.in_hand.claims -= 1;
        self.in_hand.bytes -= claim.signature().size;
        self.in_hand.is_suspect = false;
    }

    /// Up to `max` sidecars whose article is not in the inbox. Answer each with [`Intake::revised`].
    pub fn late_sidecars(&mut self, max: usize, now: Moment) -> Vec<LateSidecar> {
        let mut late = Vec::new();
        let max = max.min(self.late.len());
        for (index, path) in self.late.drain(..max).collect::<Vec<_>>() {
            let root = &mut self.roots[index];
            let Some(signature) = root.offered(&path) else {
                continue;
            };
            match sidecar::read_in_inbox(&root.path.join(&path), &signature) {
                Ok(Sidecar::Good(declared)) => {
                    let article = sidecar::article_of(&path).expect("only sidecars are offered");
                    late.push(LateSidecar {
                        source: root.source(&article),
                        declared,
                        root: index,
                        path,
                        signature,
                    });
                }
                Ok(Sidecar::Bad(reason)) => {
                    self.quarantine_alone(index, &path, reason, "sidecar", None, now);
                }
                Ok(Sidecar::Gone) => root.let_go(&path, now),
                Err(error) => {
                    let (error, wait) = (sidecar::error_text(&error), self.options.retry_min);
                    root.defer(&path, error, wait, now);
                }
            }
        }
        late
    }

    /// The archive's answer: the article is `known` and its metadata revised, so that the sidecar is released; or it is not,
    /// and the sidecar waits for it, for a day at most. A crash before the release offers the sidecar again.
    pub fn revised(&mut self, late: LateSidecar, known: bool, now: Moment) -> Option<Released> {
        let LateSidecar {
            root: index,
            path,
            signature,
            ..
        } = late;
        // Changed meanwhile, or taken with an article that came.
        if self.roots[index].offered(&path) != Some(signature) {
            return None;
        }
        if !known {
            self.roots[index].orphan(&path, now);
            return None;
        }
        let claim = self.new_claim(now);
        let root = &mut self.roots[index];
        let mut touched = Vec::new();
        let way = Way {
            claim: &claim,
            path: &root.path.join(&path),
            signature: &signature,
            policy: root.options.release,
            folder: &done_folder(&root.done, now.wall),
        };
        let released = way.release(&mut touched).and_then(|released| {
            touched
                .iter()
                .try_for_each(|folder| durable::sync_folder(folder))?;
            Ok(released)
        });
        Some(match released {
            Ok(Released::Kept) => {
                root.set(&path, State::Kept);
                Released::Kept
            }
            Ok(released) => {
                root.let_go(&path, now);
                released
            }
            Err(error) => {
                let wait = self.options.retry_min;
                root.defer(&path, error.to_string(), wait, now);
                Released::Postponed(error)
            }
        })
    }
}

fn release_sidecar(
    root: &Root,
    claim: &Claim,
    way: &Way<'_>,
    touched: &mut Vec<PathBuf>,
    now: Moment,
) -> io::Result<Released> {
    match sidecar::read_in_inbox(way.path, way.signature) {
        Ok(Sidecar::Bad(reason)) => {
            let path = sidecar::path_of(&claim.intent.source.path);
            let failing = Failing {
                claim: claim.id(),
                source: root.source(&path),
                path: way.path,
                signature: way.signature,
                has_sidecar: false,
                attempts: claim.attempts(),
                stage: "sidecar",
                reason,
            };
            let stays = root.options.release == Release::Keep;
            match quarantine::put(&root.failed, stays, failing, now.wall)? {
                true => Ok(Released::BadSidecar),
                false => Ok(Released::Changed),
            }
        }
        // Gone: perhaps moved before a crash, which the release finds out.
        Ok(Sidecar::Good(_) | Sidecar::Gone) => way.release(touched),
        Err(error) => Err(sidecar::into_io(error)),
    }
}

impl Root {
    /// Whether a settled sidecar is at `path`.
    pub(super) fn is_settled_sidecar(&self, path: &Path) -> bool {
        let state = self.entries.get(path).map(|entry| &entry.state);
        matches!(state, Some(State::Sidecar(_))) && sidecar::article_of(path).is_some()
    }

    /// The signature of a sidecar that is being offered to the archive.
    fn offered(&self, path: &Path) -> Option<Signature> {
        let entry = self.entries.get(path)?;
        let is_offered = matches!(entry.state, State::Sidecar(SidecarState::Offered));
        is_offered.then_some(entry.signature)
    }

    /// The article of this sidecar, if there is one, is in hand no more.
    pub(super) fn settle_sidecar(&mut self, path: &Path, wait: Duration, now: Moment) {
        let Some((path, entry)) = self.entries.get_key_value(path) else {
            return;
        };
        if matches!(
            entry.state,
            State::InHand | State::Sidecar(SidecarState::Early)
        ) {
            let path = path.clone();
            self.free_sidecar(&path, wait, now);
            self.look(&path, false, now);
        }
    }
}
