//! `Tallies`: what was asked of the pages so far, and how long it took to answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::Shared;

/// Bounds of the buckets of durations, in seconds.
pub(super) const BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0];

/// Someone who is told the route and the seconds of each answer.
type Listener = Box<dyn Fn(&str, f64) + Send + Sync>;

/// What was asked so far.
#[derive(Default)]
pub(super) struct Tallies {
    counted: Mutex<Counted>,
    listener: OnceLock<Listener>,
}

/// What was counted.
#[derive(Default)]
pub(super) struct Counted {
    /// Answers by route and status.
    pub(super) requests: BTreeMap<(String, u16), u64>,
    /// Times by route.
    pub(super) durations: BTreeMap<String, Durations>,
}

/// How long things took.
#[derive(Debug, Clone, Default)]
pub(super) struct Durations {
    /// How many took no longer than each bound, and longer than the one before.
    pub(super) counts: [u64; BUCKETS.len()],
    /// How many there were.
    pub(super) count: u64,
    /// All of them together, in seconds.
    pub(super) sum: f64,
}

impl Tallies {
    /// What was counted so far.
    pub(super) fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells `listener` of each answer, too. The first that is named stays.
    #[cfg_attr(not(feature = "otlp"), expect(dead_code))]
    pub(super) fn tell(&self, listener: Listener) {
        drop(self.listener.set(listener));
    }

    fn add(&self, route: String, status: u16, secs: f64) {
        if let Some(listener) = self.listener.get() {
            listener(&route, secs);
        }
        let mut counted = self.counted();
        *counted.requests.entry((route.clone(), status)).or_default() += 1;
        let durations = counted.durations.entry(route).or_default();
        durations.count += 1;
        durations.sum += secs;
        if let Some(bucket) = BUCKETS.iter().position(|bound| secs <= *bound) {
            durations.counts[bucket] += 1;
        }
    }
}

/// Counts a request and its time.
pub(super) async fn tally(State(web): State<Shared>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("other", MatchedPath::as_str).to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    let secs = began.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    web.figures.tallies.add(route, status, secs);
    response
}
