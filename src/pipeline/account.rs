//! The account of a container: what became of each of its documents, and so of the whole.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Done, Outcome, PartDone};
use crate::submission::{Reason, ReasonCode};
use crate::unpacking::{End, Unpacked};

/// So many failures are told one by one.
const FAILURES_TOLD_MAX: usize = 10;

/// The account of one container; the whole is told when the reading has ended and the last part is done.
pub(super) struct Account {
    each: PartDone,
    state: Mutex<State>,
}

struct State {
    done: Option<Done>,
    end: Option<End>,
    under_way: usize,
    unpacked: Unpacked,
    failed: usize,
    failures: Vec<String>,
    deferred: Option<String>,
}

impl Account {
    pub(super) fn new(each: PartDone, done: Done) -> Arc<Account> {
        let state = State {
            done: Some(done),
            end: None,
            under_way: 0,
            unpacked: Unpacked::default(),
            failed: 0,
            failures: Vec::new(),
            deferred: None,
        };
        Arc::new(Account {
            each,
            state: Mutex::new(state),
        })
    }

    /// A part is handed on.
    pub(super) fn begin(&self) {
        self.state().under_way += 1;
    }

    /// What became of a part that was handed on.
    pub(super) fn end(&self, number: u32, outcome: Outcome) {
        {
            let mut state = self.state();
            state.under_way -= 1;
            match &outcome {
                Outcome::Archived(_) => state.unpacked.archived += 1,
                // An image that is called a page is no article.
                Outcome::Quarantined(_, reason) if reason.code == ReasonCode::Binary => {
                    state.unpacked.others += 1;
                }
                Outcome::Quarantined(_, reason) => state.fail(number, &reason.message),
                Outcome::Deferred(why) => state.deferred = Some(why.clone()),
                Outcome::Changed | Outcome::Unpacked(_) => {}
            }
        }
        (self.each)(number, outcome);
        self.tell_if_done();
    }

    /// A part is no article.
    pub(super) fn pass_over(&self) {
        self.state().unpacked.others += 1;
    }

    /// The reading has ended.
    pub(super) fn close(&self, end: End) {
        self.state().end = Some(end);
        self.tell_if_done();
    }

    fn tell_if_done(&self) {
        let mut state = self.state();
        if state.under_way > 0 || state.end.is_none() {
            return;
        }
        let Some(done) = state.done.take() else {
            return;
        };
        let outcome = state.outcome();
        drop(state);
        done(outcome);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fail(&mut self, number: u32, why: &str) {
        self.failed += 1;
        if self.failures.len() < FAILURES_TOLD_MAX {
            self.failures.push(format!("#{number}: {why}"));
        }
    }

    fn outcome(&mut self) -> Outcome {
        match (self.end.take(), self.deferred.take()) {
            (Some(End::Changed), _) => return Outcome::Changed,
            (Some(End::Early(why)), _) | (_, Some(why)) => return Outcome::Deferred(why),
            _ => {}
        }
        let Unpacked { archived, others } = self.unpacked;
        if self.failed > 0 {
            let all = archived + self.failed;
            let mut message = format!(
                "{} of {all} documents in it are not archived, the others are: {}",
                self.failed,
                self.failures.join("; ")
            );
            let untold = self.failed - self.failures.len();
            if untold > 0 {
                message.push_str(&format!("; and {untold} more"));
            }
            return Outcome::Quarantined("unpack", Reason::new(ReasonCode::Partly, message));
        }
        if archived == 0 {
            let message = format!(
                "there is no page in it that could be archived, among {others} records; send one with responses or pages in it"
            );
            return Outcome::Quarantined("unpack", Reason::new(ReasonCode::Empty, message));
        }
        Outcome::Unpacked(self.unpacked)
    }
}
