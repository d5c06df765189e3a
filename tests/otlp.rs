//! The daemon pushes its figures to a collector by OTLP over HTTP (`cargo test --features otlp --test otlp`).

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use common::daemon::{Desk, PATIENCE};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint, metric, number_data_point};
use prost::Message;

/// One that takes what is pushed, in OTLP's way: each path and what was sent to it.
struct Collector {
    address: String,
    taken: Receiver<(String, Pushed)>,
}

/// Metrics by name, and who pushed them.
struct Pushed {
    service: BTreeMap<String, String>,
    metrics: BTreeMap<String, Metric>,
}

impl Collector {
    fn open() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, taken) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                take(stream.unwrap(), &sender);
            }
        });
        Collector { address, taken }
    }

    /// The first that is pushed to the address of metrics and is as asked.
    fn wait_for(&self, is_asked: impl Fn(&Pushed) -> bool) -> Pushed {
        loop {
            let (path, pushed) = self.taken.recv_timeout(PATIENCE).expect("a push");
            assert_eq!(path, "/v1/metrics");
            if is_asked(&pushed) {
                return pushed;
            }
        }
    }
}

fn take(stream: TcpStream, sender: &Sender<(String, Pushed)>) {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let mut lines = head.iter().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned())
    };
    assert_eq!(header("content-type").unwrap(), "application/x-protobuf");
    let mut body = vec![0; header("content-length").unwrap().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    let path = head[0].split(' ').nth(1).unwrap().to_owned();
    // Whoever waited may have what it wanted.
    sender.send((path, read(&body))).ok();
}

fn read(body: &[u8]) -> Pushed {
    let request = ExportMetricsServiceRequest::decode(body).unwrap();
    let [resource] = &request.resource_metrics[..] else {
        panic!("{request:?}");
    };
    let metrics = resource.scope_metrics.iter();
    let metrics = metrics.flat_map(|scope| scope.metrics.clone());
    Pushed {
        service: texts(&resource.resource.as_ref().unwrap().attributes),
        metrics: metrics.map(|one| (one.name.clone(), one)).collect(),
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |one: &KeyValue| match one.value.clone()?.value? {
        any_value::Value::StringValue(text) => Some((one.key.clone(), text)),
        _ => None,
    };
    attributes.iter().filter_map(text).collect()
}

impl Pushed {
    /// The points of a figure that is counted or measured.
    fn points(&self, name: &str) -> &[NumberDataPoint] {
        match self.metrics.get(name).and_then(|one| one.data.as_ref()) {
            Some(metric::Data::Gauge(gauge)) => &gauge.data_points,
            Some(metric::Data::Sum(sum)) => &sum.data_points,
            _ => &[],
        }
    }

    /// The figure whose labels have this value.
    fn number(&self, name: &str, label: Option<&str>) -> Option<f64> {
        let is_it = |point: &&NumberDataPoint| {
            let mut values = texts(&point.attributes).into_values();
            label.is_none_or(|label| values.any(|value| value == label))
        };
        let point = self.points(name).iter().find(is_it)?;
        match point.value? {
            number_data_point::Value::AsDouble(number) => Some(number),
            number_data_point::Value::AsInt(_) => None,
        }
    }
}

const STORY: &str = "Local News\n\nLake ferry returns after winter\n\nThe ferry across the lake sails again from Monday, the harbour office said.\n";

#[test]
fn a_collector_gets_the_figures_of_the_daemon_under_their_names() {
    let collector = Collector::open();
    let pages = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut desk = Desk::new(&format!(
        "[web]\nlisten = '{pages}'\ndaemon = true\n[otlp]\nendpoint = 'http://{}'\n",
        collector.address
    ));
    desk.start_with(&[("OTEL_METRIC_EXPORT_INTERVAL", "200")]);
    desk.sandbox.write("desk/inbox/nothing.txt", "  \n");
    desk.sandbox.write("desk/inbox/ferry.txt", STORY);
    desk.wait_for_documents(1);
    let mut asked = TcpStream::connect(pages).unwrap();
    asked
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    asked.read_to_end(&mut Vec::new()).unwrap();
    let pushed = collector.wait_for(|pushed| {
        pushed.number("faircopy.quarantine.files", None) == Some(1.0)
            && pushed.number("faircopy.captures", None) == Some(1.0)
            && pushed.metrics.contains_key("faircopy.web.request.duration")
    });
    assert_eq!(pushed.service["service.name"], "faircopy");
    assert_eq!(pushed.service["service.version"], env!("CARGO_PKG_VERSION"));
    for (name, label, number) in [
        ("faircopy.archive.readable", None, 1.0),
        ("faircopy.daemon.state", Some("running"), 1.0),
        ("faircopy.daemon.state", Some("paused"), 0.0),
        ("faircopy.intake.outcomes", Some("archived"), 1.0),
        ("faircopy.inbox.present", Some("inbox"), 1.0),
        ("faircopy.web.requests", Some("/healthz"), 1.0),
    ] {
        assert_eq!(pushed.number(name, label), Some(number), "{name} {label:?}");
    }
    let signed = &pushed.metrics["faircopy.checkpoint.timestamp"];
    assert_eq!(signed.unit, "s");
    assert_eq!(signed.description, "When the last checkpoint was signed.");
    assert_eq!(pushed.metrics["faircopy.segments"].unit, "By");
    let Some(metric::Data::Sum(captures)) = &pushed.metrics["faircopy.captures"].data else {
        panic!("captures are counted");
    };
    assert!(captures.is_monotonic);
    let took = &pushed.metrics["faircopy.web.request.duration"];
    let Some(metric::Data::Histogram(took)) = &took.data else {
        panic!("durations come in buckets");
    };
    assert_eq!(took.data_points[0].count, 1);
    assert_eq!(took.data_points[0].explicit_bounds[..2], [0.001, 0.005]);
    assert_eq!(desk.stop(), 0);
}

#[test]
fn the_last_figures_are_pushed_at_the_end() {
    let collector = Collector::open();
    let endpoint = format!("http://{}/", collector.address);
    let mut desk = Desk::new(&format!("[otlp]\nendpoint = '{endpoint}'\n"));
    // No other push comes before.
    desk.start_with(&[("OTEL_METRIC_EXPORT_INTERVAL", "86400000")]);
    desk.sandbox.write("desk/inbox/ferry.txt", STORY);
    desk.wait_for_documents(1);
    assert_eq!(desk.stop(), 0);
    let pushed = collector.wait_for(|_| true);
    let state = pushed.number("faircopy.daemon.state", Some("stopped"));
    assert_eq!(
        (pushed.number("faircopy.captures", None), state),
        (Some(1.0), Some(1.0))
    );
}

#[test]
fn a_collector_that_does_not_answer_keeps_nothing_and_nobody_waiting() {
    // It takes the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut desk = Desk::new("");
    desk.start_with(&[
        ("OTEL_METRIC_EXPORT_INTERVAL", "50"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
    ]);
    let held = silent.accept().unwrap();
    desk.sandbox.write("desk/inbox/ferry.txt", STORY);
    desk.wait_for_documents(1);
    assert_eq!(desk.stop(), 0);
    drop(held);
}

#[test]
fn an_endpoint_that_is_none_is_told_before_anything_starts() {
    let desk = Desk::new("[otlp]\nendpoint = 'collector'\n");
    let said = desk.run(&["config", "check"]).expect(78);
    assert!(
        said.stderr.contains("http://127.0.0.1:4318"),
        "{}",
        said.stderr
    );
}
