//! `Figures`: what is measured, in families, from how things stand and from what was asked. They are told by `metrics`, to whoever
//! scrapes, and by `otlp`, to a collector.

use std::sync::Arc;

use serde_json::Value as Json;

use super::standing::{Standing, Standings};
use super::tallies::{Counted, Durations, Tallies};
use crate::config::Config;

const STATES: [&str; 5] = ["running", "paused", "busy", "stopped", "unknown"];

/// The figures of one archive, its daemon and its pages.
pub struct Figures {
    pub(super) standings: Standings,
    pub(super) tallies: Tallies,
}

/// Kinds of families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Durations in buckets.
    Histogram,
    /// What does not change: always 1, all is in the labels.
    Info,
}

/// Figures of one name.
#[derive(Debug)]
pub(super) struct Family {
    /// With its unit, as Prometheus wants it, but without the ending of counters.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
    /// None where nothing is known.
    pub(super) samples: Vec<Sample>,
}

/// One figure.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) value: Value,
}

/// What was measured.
#[derive(Debug)]
pub(super) enum Value {
    Number(f64),
    Durations(Durations),
}

impl Figures {
    /// The figures of what `config` names.
    pub fn new(config: &Config) -> Arc<Figures> {
        Arc::new(Figures {
            standings: Standings::new(config),
            tallies: Tallies::default(),
        })
    }

    /// All families as they are now; those of an archive that cannot be read are without samples.
    pub(super) async fn now(&self) -> Vec<Family> {
        let standing = self.standings.now().await.ok();
        families(standing.as_deref(), &self.tallies.counted())
    }
}

/// All families there are, without samples.
#[cfg(feature = "otlp")]
pub(super) fn known() -> Vec<Family> {
    families(None, &Counted::default())
}

fn families(standing: Option<&Standing>, counted: &Counted) -> Vec<Family> {
    let version = Sample::of(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    let mut families = vec![
        Family {
            name: "faircopy_build",
            kind: Kind::Info,
            help: "The program that answers.",
            samples: vec![version],
        },
        gauge(
            "faircopy_archive_readable",
            "Whether the archive can be read.",
            Some(u64::from(standing.is_some())),
        ),
    ];
    families.extend(of_archive(standing));
    families.extend(of_daemon(standing));
    families.extend(of_inboxes(standing));
    families.extend(of_pages(counted));
    families
}

fn of_archive(standing: Option<&Standing>) -> [Family; 9] {
    let check = standing.map(|standing| &standing.last_check);
    let signed_at = standing.and_then(|standing| standing.checkpoint.at);
    let checked_at = check
        .and_then(|check| check["at"].as_str())
        .and_then(|at| at.parse::<jiff::Timestamp>().ok());
    let secs = |at: jiff::Timestamp| Sample::of(&[], at.as_duration().as_secs_f64());
    [
        gauge(
            "faircopy_documents",
            "Documents in the archive.",
            standing.map(|standing| standing.documents),
        ),
        Family {
            name: "faircopy_captures",
            kind: Kind::Counter,
            help: "Captures that were archived.",
            samples: number(standing.map(|standing| standing.captures)),
        },
        Family {
            name: "faircopy_log_leaves",
            kind: Kind::Counter,
            help: "Leaves of the log under its last checkpoint.",
            samples: number(standing.map(|standing| standing.checkpoint.size)),
        },
        Family {
            name: "faircopy_checkpoint_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When the last checkpoint was signed.",
            samples: signed_at.map(secs).into_iter().collect(),
        },
        Family {
            name: "faircopy_check_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When the archive was checked last.",
            samples: checked_at.map(secs).into_iter().collect(),
        },
        gauge(
            "faircopy_check_problems",
            "Problems that the last check found.",
            check.and_then(|check| check["problems"].as_u64()),
        ),
        gauge(
            "faircopy_quarantine_files",
            "Files in quarantine.",
            standing.map(|standing| standing.quarantine),
        ),
        Family {
            name: "faircopy_segments_bytes",
            kind: Kind::Gauge,
            help: "Size of the segments, by whether they are sealed.",
            samples: standing.map_or_else(Vec::new, |standing| {
                let bytes = &standing.segment_bytes;
                [("hot", bytes.hot), ("sealed", bytes.sealed)]
                    .map(|(state, bytes)| Sample::of(&[("state", state)], float(bytes)))
                    .into()
            }),
        },
        Family {
            name: "faircopy_source_drift",
            kind: Kind::Gauge,
            help: "1 for each measure of a source that is otherwise than it was.",
            samples: list(standing.map(|standing| &standing.drift))
                .map(|drift| {
                    let labels = ["source", "media_type", "measure"];
                    let labels =
                        labels.map(|name| (name, drift[name].as_str().unwrap_or_default()));
                    Sample::of(&labels, 1.0)
                })
                .collect(),
        },
    ]
}

fn of_daemon(standing: Option<&Standing>) -> [Family; 3] {
    let outcomes = standing.and_then(|standing| standing.outcomes.as_object());
    [
        Family {
            name: "faircopy_daemon_state",
            kind: Kind::Gauge,
            help: "1 for the state that the daemon is in.",
            samples: standing.map_or_else(Vec::new, |standing| {
                let is_it = |state: &str| f64::from(u8::from(standing.state == state));
                STATES
                    .map(|state| Sample::of(&[("state", state)], is_it(state)))
                    .into()
            }),
        },
        gauge(
            "faircopy_in_flight_files",
            "Files in hand.",
            standing.and_then(|standing| standing.in_flight),
        ),
        Family {
            name: "faircopy_intake_outcomes",
            kind: Kind::Counter,
            help: "Documents that were taken in since the daemon started, by what became of them.",
            samples: outcomes
                .into_iter()
                .flatten()
                .map(|(outcome, count)| {
                    Sample::of(&[("outcome", outcome)], float(count.as_u64().unwrap_or(0)))
                })
                .collect(),
        },
    ]
}

fn of_inboxes(standing: Option<&Standing>) -> [Family; 4] {
    type Read = fn(&Json) -> u64;
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
    read.map(|(name, help, value)| Family {
        name,
        kind: Kind::Gauge,
        help,
        samples: list(standing.map(|standing| &standing.inbox["roots"]))
            .map(|root| {
                let inbox = root["name"].as_str().unwrap_or_default();
                Sample::of(&[("inbox", inbox)], float(value(root)))
            })
            .collect(),
    })
}

fn of_pages(counted: &Counted) -> [Family; 2] {
    let requests = counted.requests.iter();
    let durations = counted.durations.iter();
    [
        Family {
            name: "faircopy_web_requests",
            kind: Kind::Counter,
            help: "Requests that were answered.",
            samples: requests
                .map(|((route, code), count)| {
                    let code = code.to_string();
                    Sample::of(&[("route", route), ("code", &code)], float(*count))
                })
                .collect(),
        },
        Family {
            name: "faircopy_web_request_duration_seconds",
            kind: Kind::Histogram,
            help: "How long it took to answer.",
            samples: durations
                .map(|(route, durations)| Sample {
                    labels: vec![("route", route.clone())],
                    value: Value::Durations(durations.clone()),
                })
                .collect(),
        },
    ]
}

impl Sample {
    fn of(labels: &[(&'static str, &str)], value: f64) -> Sample {
        let labels = labels.iter();
        Sample {
            labels: labels
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            value: Value::Number(value),
        }
    }
}

fn gauge(name: &'static str, help: &'static str, value: Option<u64>) -> Family {
    Family {
        name,
        kind: Kind::Gauge,
        help,
        samples: number(value),
    }
}

/// A figure without labels, if it is known.
fn number(value: Option<u64>) -> Vec<Sample> {
    value
        .map(|value| Sample::of(&[], float(value)))
        .into_iter()
        .collect()
}

fn list(value: Option<&Json>) -> impl Iterator<Item = &Json> {
    value.and_then(Json::as_array).into_iter().flatten()
}

// Counts and sizes are far below 2^52.
#[allow(clippy::cast_precision_loss)]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}
