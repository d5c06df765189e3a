//! Figures for Prometheus and its kin, as its text (0.0.4) or as OpenMetrics (1.0); and whether we live and are ready.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::figures::{Family, Kind, Sample, Value, float};
use super::tallies::{BUCKETS, Durations};

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
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    let mut text = Exposition::new(wants_open_metrics(accept.unwrap_or_default()));
    for family in web.figures.now().await {
        text.family(&family);
    }
    text.finish()
}

/// Figures as text, in one of two forms that differ in little.
struct Exposition {
    is_open: bool,
    text: String,
}

impl Exposition {
    fn new(is_open: bool) -> Exposition {
        Exposition {
            is_open,
            text: String::new(),
        }
    }

    /// Writes a family; nothing of one without samples.
    fn family(&mut self, family: &Family) {
        if family.samples.is_empty() {
            return;
        }
        // Prometheus names a counter as its samples are named, OpenMetrics without the ending.
        let (ending, kind) = match (family.kind, self.is_open) {
            (Kind::Counter, false) => ("_total", "counter"),
            (Kind::Counter, true) => ("", "counter"),
            (Kind::Info, false) => ("_info", "gauge"),
            (Kind::Info, true) => ("", "info"),
            (Kind::Gauge, _) => ("", "gauge"),
            (Kind::Histogram, _) => ("", "histogram"),
        };
        let (name, help) = (family.name, family.help);
        self.write(format_args!(
            "# HELP {name}{ending} {help}\n# TYPE {name}{ending} {kind}\n"
        ));
        let mut units = ["seconds", "bytes"].into_iter();
        if self.is_open
            && let Some(unit) = units.find(|unit| name.ends_with(&format!("_{unit}")))
        {
            self.write(format_args!("# UNIT {name} {unit}\n"));
        }
        for Sample { labels, value } in &family.samples {
            let labels: Vec<_> = labels
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let ending = match family.kind {
                Kind::Counter => "_total",
                Kind::Info => "_info",
                Kind::Gauge | Kind::Histogram => "",
            };
            match value {
                Value::Number(value) => self.sample(name, ending, &labels, *value),
                Value::Durations(durations) => self.durations(name, &labels, durations),
            }
        }
    }

    fn durations(&mut self, name: &str, labels: &[(&str, &str)], durations: &Durations) {
        let mut sum = 0;
        let bounds = BUCKETS.iter().zip(durations.counts).map(|(bound, count)| {
            sum += count;
            (format!("{bound:?}"), sum)
        });
        for (bound, count) in bounds.chain([("+Inf".to_owned(), durations.count)]) {
            let labels = [labels, &[("le", &bound)]].concat();
            self.sample(name, "_bucket", &labels, float(count));
        }
        self.sample(name, "_sum", labels, durations.sum);
        self.sample(name, "_count", labels, float(durations.count));
    }

    fn sample(&mut self, name: &str, ending: &str, labels: &[(&str, &str)], value: f64) {
        self.write(format_args!("{name}{ending}"));
        for (index, (name, value)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            self.write(format_args!("{open}{name}=\"{}\"", label(value)));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        self.write(format_args!("{close} {value}\n"));
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("strings take all");
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
            text.family(&Family {
                name: "faircopy_captures",
                kind: Kind::Counter,
                help: "Captures.",
                samples: vec![Sample {
                    labels: vec![("source", "a\"\\\nb".to_owned())],
                    value: Value::Number(7.0),
                }],
            });
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
