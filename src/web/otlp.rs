//! Figures pushed to a collector by OTLP over HTTP: those of `/metrics`, read where it reads them. Built with the feature `otlp`.
//!
//! The names are OpenTelemetry's form of ours, `faircopy.checkpoint.timestamp` in `s` for `faircopy_checkpoint_timestamp_seconds`:
//! a collector that hands them on to Prometheus makes the same again, and the alert rules hold. What else there is to say (how
//! often, headers, the service's name) the SDK reads in the environment, under the names of the specification.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::metrics::{AsyncInstrumentBuilder, Meter, MeterProvider};
use opentelemetry::{Key, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{MetricExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tokio::runtime::Handle;

use super::figures::{Family, Figures, Kind, Value, known};
use super::tallies::BUCKETS;
use crate::http;

pub use opentelemetry_otlp::ExporterBuildError as Error;

/// Where the environment may name a collector.
const VARIABLES: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
/// A collector that has not answered by then gets the figures of the next time.
const PATIENCE: Duration = Duration::from_secs(10);
/// So long the last figures may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Pushes figures until it is stopped.
pub struct Pusher(SdkMeterProvider);

/// Pushes `figures` to the collector at `endpoint`, or at the one of the environment. `None` if neither names one.
pub fn push(
    figures: &Arc<Figures>,
    endpoint: Option<&str>,
    runtime: &Handle,
) -> Result<Option<Pusher>, Error> {
    let is_given = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let exporter = MetricExporter::builder()
        .with_http()
        .with_http_client(Client);
    let exporter = match endpoint {
        Some(base) => exporter.with_endpoint(format!("{}/v1/metrics", base.trim_end_matches('/'))),
        None if VARIABLES.iter().any(is_given) => exporter,
        None => return Ok(None),
    };
    let provider = SdkMeterProvider::builder()
        .with_periodic_exporter(exporter.build()?)
        .with_resource(resource())
        .build();
    let meter = provider.meter("faircopy");
    for family in known() {
        observe(&meter, &family, figures, runtime);
    }
    Ok(Some(Pusher(provider)))
}

impl Pusher {
    /// Pushes the last figures, unless the collector keeps us waiting.
    pub fn stop(self) {
        let (done, waiting) = channel::<()>();
        std::thread::spawn(move || {
            // What it could not push it has logged.
            drop(self.0.shutdown());
            drop(done);
        });
        waiting.recv_timeout(FAREWELL).ok();
    }
}

/// Who pushes: our name, unless the environment gives another.
fn resource() -> Resource {
    let said = Resource::builder().build().get(&Key::new("service.name"));
    let is_named = said.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_attribute(version);
    match is_named {
        true => resource.build(),
        false => resource.with_service_name("faircopy").build(),
    }
}

/// Makes the instrument that a family is to a collector.
fn observe(meter: &Meter, family: &Family, figures: &Arc<Figures>, runtime: &Handle) {
    let (name, unit) = renamed(family);
    match family.kind {
        Kind::Counter => {
            let counter = meter.f64_observable_counter(name).with_unit(unit);
            observed(counter, family, figures, runtime).build();
        }
        Kind::Gauge | Kind::Info => {
            let gauge = meter.f64_observable_gauge(name).with_unit(unit);
            observed(gauge, family, figures, runtime).build();
        }
        Kind::Histogram => {
            let histogram = meter.f64_histogram(name).with_unit(unit);
            let histogram = histogram.with_description(family.help);
            let histogram = histogram.with_boundaries(BUCKETS.to_vec()).build();
            // There is none that is observed: it hears of each answer.
            figures.tallies.tell(Box::new(move |route, secs| {
                histogram.record(secs, &[KeyValue::new("route", route.to_owned())]);
            }));
        }
    }
}

fn observed<'a, I>(
    instrument: AsyncInstrumentBuilder<'a, I, f64>,
    family: &Family,
    figures: &Arc<Figures>,
    runtime: &Handle,
) -> AsyncInstrumentBuilder<'a, I, f64> {
    let (name, figures, runtime) = (family.name, Arc::clone(figures), runtime.clone());
    instrument
        .with_description(family.help)
        .with_callback(move |observer| {
            for (number, labels) in numbers(&runtime, &figures, name) {
                observer.observe(number, &labels);
            }
        })
}

/// The figures of one family as they are now.
fn numbers(runtime: &Handle, figures: &Figures, name: &str) -> Vec<(f64, Vec<KeyValue>)> {
    let families = runtime.block_on(figures.now()).into_iter();
    let samples = families.filter(|family| family.name == name);
    let samples = samples.flat_map(|family| family.samples);
    samples
        .filter_map(|sample| {
            let labels = sample.labels.into_iter();
            let labels = labels.map(|(name, value)| KeyValue::new(name, value));
            match sample.value {
                Value::Number(number) => Some((number, labels.collect())),
                Value::Durations(_) => None,
            }
        })
        .collect()
}

/// A family's name and unit, as OpenTelemetry writes them.
fn renamed(family: &Family) -> (String, &'static str) {
    let units = [("_seconds", "s"), ("_bytes", "By")];
    let with_unit = units.into_iter().find_map(|(ending, unit)| {
        let name = family.name.strip_suffix(ending)?;
        Some((name, unit))
    });
    let (name, unit) = with_unit.unwrap_or((family.name, ""));
    let ending = match family.kind {
        Kind::Info => ".info",
        _ => "",
    };
    (format!("{}{ending}", name.replace('_', ".")), unit)
}

/// Sends what the exporter wrote. It may wait: the exporter has a thread of its own.
#[derive(Debug)]
struct Client;

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = http::send(request.map(|body| body.to_vec()), PATIENCE)?;
        Ok(answer.map(Bytes::from))
    }
}
