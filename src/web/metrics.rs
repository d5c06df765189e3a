//! Figures for Prometheus and its kin, as its text (0.0.4) or as OpenMetrics (1.0); and whether we live and are ready.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::Shared;
use super::standing::Standing;

/// Bounds of the buckets of durations, in seconds.
const BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0];
const STATES: [&str; 5] = ["running", "paused", "busy", "stopped", "unknown"];

/// What was asked so far, and how long it took.
#[derive(Default)]
pub(super) struct Tallies(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    requests: BTreeMap<(String, u16), u64>,
    durations: BTreeMap<String, Durations>,
}

#[derive(Default)]
struct Durations {
    /// How many took no longer than each bound, and longer than the one before.
    counts: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

/// Counts a request and its time.
pub(super) async fn tally(State(web): State<Shared>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("other", MatchedPath::as_str).to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    let took = began.elapsed().as_secs_f64();
    let mut counted = web.tallies.0.lock().unwrap_or_else(PoisonError::into_inner);
    *counted
        .requests
        .entry((route.clone(), response.status().as_u16()))
        .or_default() += 1;
    let durations = counted.durations.entry(route).or_default();
    durations.count += 1;
    durations.sum += took;
    if let Some(bucket) = BUCKETS.iter().position(|bound| took <= *bound) {
        durations.counts[bucket] += 1;
    }
    drop(counted);
    response
}

/// That the process answers.
pub(super) async fn healthz() -> &'static str {
    "alive\n"
}

/// Whether the archive can be read.
pub(super) async fn readyz(State(web): State<Shared>) -> Response {
    let leaves = web.shelf.read(|archive| Ok(archive.leaves()?)).await;
    match leaves {
        Ok(_) => "ready\n".into_response(),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the archive cannot be read\n",
        )
            .into_response(),
    }
}

pub(super) async fn show(State(web): State<Shared>, headers: HeaderMap) -> Response {
    let standing = web.standing().await;
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    let mut text = Exposition::new(wants_open_metrics(accept.unwrap_or_default()));
    text.family("faircopy_build", Kind::Info, "The program that answers.");
    text.sample("_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    text.family(
        "faircopy_archive_readable",
        Kind::Gauge,
        "Whether the archive can be read.",
    );
    text.sample("", &[], f64::from(u8::from(standing.is_ok())));
    if let Ok(standing) = standing {
        of_archive(&mut text, &standing);
        of_daemon(&mut text, &standing);
    }
    of_pages(
        &mut text,
        &web.tallies.0.lock().unwrap_or_else(PoisonError::into_inner),
    );
    text.finish()
}

// Counts and sizes are far below 2^52.
#[allow(clippy::cast_precision_loss)]
fn float(number: u64) -> f64 {
    number as f64
}

fn of_archive(text: &mut Exposition, standing: &Standing) {
    let mut one = |name: &str, kind, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            text.family(name, kind, help);
            text.sample("", &[], value);
        }
    };
    one(
        "faircopy_documents",
        Kind::Gauge,
        "Documents in the archive.",
        Some(float(standing.documents)),
    );
    one(
        "faircopy_captures",
        Kind::Counter,
        "Captures that were archived.",
        Some(float(standing.captures)),
    );
    one(
        "faircopy_log_leaves",
        Kind::Counter,
        "Leaves of the log under its last checkpoint.",
        Some(float(standing.checkpoint.size)),
    );
    let at = standing
        .checkpoint
        .at
        .map(|at| at.as_duration().as_secs_f64());
    one(
        "faircopy_checkpoint_timestamp_seconds",
        Kind::Gauge,
        "When the last checkpoint was signed.",
        at,
    );
    let check = &standing.last_check;
    let at = check["at"]
        .as_str()
        .and_then(|at| at.parse::<jiff::Timestamp>().ok());
    one(
        "faircopy_check_timestamp_seconds",
        Kind::Gauge,
        "When the archive was checked last.",
        at.map(|at| at.as_duration().as_secs_f64()),
    );
    one(
        "faircopy_check_problems",
        Kind::Gauge,
        "Problems that the last check found.",
        check["problems"].as_u64().map(float),
    );
    one(
        "faircopy_quarantine_files",
        Kind::Gauge,
        "Files in quarantine.",
        Some(float(standing.quarantine)),
    );
    text.family(
        "faircopy_segments_bytes",
        Kind::Gauge,
        "Size of the segments, by whether they are sealed.",
    );
    text.sample("", &[("state", "hot")], float(standing.segment_bytes.hot));
    text.sample(
        "",
        &[("state", "sealed")],
        float(standing.segment_bytes.sealed),
    );
    text.family(
        "faircopy_source_drift",
        Kind::Gauge,
        "1 for each measure of a source that is otherwise than it was.",
    );
    let drifts = standing.drift.as_array();
    for drift in drifts.into_iter().flatten() {
        let label = |name: &str| drift[name].as_str().unwrap_or_default().to_owned();
        let (source, media, measure) = (label("source"), label("media_type"), label("measure"));
        text.sample(
            "",
            &[
                ("source", &source),
                ("media_type", &media),
                ("measure", &measure),
            ],
            1.0,
        );
    }
}

fn of_daemon(text: &mut Exposition, standing: &Standing) {
    text.family(
        "faircopy_daemon_state",
        Kind::Gauge,
        "1 for the state that the daemon is in.",
    );
    for state in STATES {
        let is_it = f64::from(u8::from(standing.state == state));
        text.sample("", &[("state", state)], is_it);
    }
    if let Some(count) = standing.in_flight {
        text.family("faircopy_in_flight_files", Kind::Gauge, "Files in hand.");
        text.sample("", &[], float(count));
    }
    if let Some(outcomes) = standing.outcomes.as_object() {
        text.family(
            "faircopy_intake_outcomes",
            Kind::Counter,
            "Documents that were taken in since the daemon started, by what became of them.",
        );
        for (outcome, count) in outcomes {
            text.sample(
                "",
                &[("outcome", outcome)],
                float(count.as_u64().unwrap_or(0)),
            );
        }
    }
    let roots = standing.inbox["roots"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if roots.is_empty() {
        return;
    }
    type Read = fn(&Value) -> u64;
    let read: [(&str, &str, Read); 4] = [
        (
            "faircopy_inbox_ready_files",
            "Files that wait to be taken.",
            |root| root["ready"].as_u64().unwrap_or(0),
        ),
        (
            "faircopy_inbox_settling_files",
            "Files that have to stand still a little longer.",
            |root| root["settling"].as_u64().unwrap_or(0),
        ),
        (
            "faircopy_inbox_deferred_files",
            "Files that could not be read for now.",
            |root| root["deferred"]["count"].as_u64().unwrap_or(0),
        ),
        (
            "faircopy_inbox_present",
            "Whether the watched folder is there.",
            |root| u64::from(root["state"] != "absent"),
        ),
    ];
    for (name, help, value) in read {
        text.family(name, Kind::Gauge, help);
        for root in roots {
            let inbox = root["name"].as_str().unwrap_or_default();
            text.sample("", &[("inbox", inbox)], float(value(root)));
        }
    }
}

fn of_pages(text: &mut Exposition, counted: &Counted) {
    text.family(
        "faircopy_web_requests",
        Kind::Counter,
        "Requests that were answered.",
    );
    for ((route, code), count) in &counted.requests {
        let code = code.to_string();
        text.sample("", &[("route", route), ("code", &code)], float(*count));
    }
    text.family(
        "faircopy_web_request_duration_seconds",
        Kind::Histogram,
        "How long it took to answer.",
    );
    for (route, durations) in &counted.durations {
        let mut sum = 0;
        for (bound, count) in BUCKETS.iter().zip(durations.counts) {
            sum += count;
            let bound = format!("{bound:?}");
            text.sample("_bucket", &[("route", route), ("le", &bound)], float(sum));
        }
        text.sample(
            "_bucket",
            &[("route", route), ("le", "+Inf")],
            float(durations.count),
        );
        text.sample("_sum", &[("route", route)], durations.sum);
        text.sample("_count", &[("route", route)], float(durations.count));
    }
}

/// Kinds of families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
    Info,
}

/// Figures as text, in one of two forms that differ in little.
struct Exposition {
    is_open: bool,
    text: String,
    /// The family that samples are of.
    name: String,
    kind: Kind,
}

impl Exposition {
    fn new(is_open: bool) -> Exposition {
        Exposition {
            is_open,
            text: String::new(),
            name: String::new(),
            kind: Kind::Gauge,
        }
    }

    fn family(&mut self, name: &str, kind: Kind, help: &str) {
        name.clone_into(&mut self.name);
        self.kind = kind;
        // Prometheus names a counter as its samples are named, OpenMetrics without the ending.
        let (name, kind) = match (kind, self.is_open) {
            (Kind::Counter, false) => (format!("{name}_total"), "counter"),
            (Kind::Counter, true) => (name.to_owned(), "counter"),
            (Kind::Info, false) => (format!("{name}_info"), "gauge"),
            (Kind::Info, true) => (name.to_owned(), "info"),
            (Kind::Gauge, _) => (name.to_owned(), "gauge"),
            (Kind::Histogram, _) => (name.to_owned(), "histogram"),
        };
        self.text
            .push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        let unit = ["seconds", "bytes"]
            .into_iter()
            .find(|unit| name.ends_with(&format!("_{unit}")));
        if let (Some(unit), true) = (unit, self.is_open) {
            self.text.push_str(&format!("# UNIT {name} {unit}\n"));
        }
    }

    fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let suffix = if self.kind == Kind::Counter {
            "_total"
        } else {
            suffix
        };
        self.text.push_str(&self.name);
        self.text.push_str(suffix);
        for (index, (name, value)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            let written = write!(self.text, "{open}{name}=\"{}\"", label(value));
            written.expect("strings take all");
        }
        self.text.push_str(if labels.is_empty() { "" } else { "}" });
        self.text.push_str(&format!(" {value}\n"));
    }

    fn finish(mut self) -> Response {
        let kind = match self.is_open {
            true => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            false => "text/plain; version=0.0.4; charset=utf-8",
        };
        if self.is_open {
            self.text.push_str("# EOF\n");
        }
        (
            [(header::CONTENT_TYPE, kind), (header::VARY, "accept")],
            self.text,
        )
            .into_response()
    }
}

/// A label's value: both forms escape the same three.
fn label(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// Whether OpenMetrics is asked for, and not less than plain text.
fn wants_open_metrics(accept: &str) -> bool {
    let mut weights = [0.0_f64; 2];
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let weight = parts
            .find_map(|part| part.strip_prefix("q=")?.parse().ok())
            .unwrap_or(1.0);
        match kind {
            "application/openmetrics-text" => weights[0] = weights[0].max(weight),
            "text/plain" => weights[1] = weights[1].max(weight),
            _ => {}
        }
    }
    weights[0] > 0.0 && weights[0] >= weights[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_those_who_ask_for_it() {
        for (accept, wants) in [
            ("", false),
            ("*/*", false),
            ("text/plain", false),
            ("application/openmetrics-text", true),
            (
                "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                true,
            ),
            ("application/openmetrics-text;q=0.2,text/plain", false),
            ("application/openmetrics-text;q=0", false),
        ] {
            assert_eq!(wants_open_metrics(accept), wants, "{accept}");
        }
    }

    #[test]
    fn counters_bear_their_ending_where_each_form_wants_it() {
        let write = |is_open| {
            let mut text = Exposition::new(is_open);
            text.family("faircopy_captures", Kind::Counter, "Captures.");
            text.sample("", &[("source", "a\"\\\nb")], 7.0);
            text.text
        };
        let sample = "faircopy_captures_total{source=\"a\\\"\\\\\\nb\"} 7\n";
        let head = |name: &str| format!("# HELP {name} Captures.\n# TYPE {name} counter\n");
        assert_eq!(
            write(false),
            format!("{}{sample}", head("faircopy_captures_total"))
        );
        assert_eq!(
            write(true),
            format!("{}{sample}", head("faircopy_captures"))
        );
    }
}
