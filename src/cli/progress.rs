//! How far long work is, on stderr: a bar with rate and time left on a terminal, elsewhere a line now and then, and with `--json`
//! an object a second: `{"progress": {"of": "captures", "done": 3, "all": 10, "per_sec": 1.5, "left_secs": 4.7}}`.
//!
//! The work moves a [`Gauge`]; a thread of its own looks at it and draws.

use std::fmt;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use faircopy::gauge::Gauge;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::{Value, json};

use super::{Global, output};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes.
    Bytes,
    /// Things of this name, in the plural.
    Things(&'static str),
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Bar,
    Lines,
    Events,
    Nothing,
}

impl Form {
    fn of(global: &Global) -> Form {
        match (global.quiet, global.json, std::io::stderr().is_terminal()) {
            (true, ..) => Form::Nothing,
            (_, true, _) => Form::Events,
            (_, _, true) => Form::Bar,
            _ => Form::Lines,
        }
    }

    /// The time between two looks.
    fn pause(self) -> Duration {
        match self {
            Form::Bar => Duration::from_millis(100),
            Form::Events => Duration::from_secs(1),
            // Short work says nothing of itself.
            Form::Lines | Form::Nothing => Duration::from_secs(10),
        }
    }
}

/// Shows how far work is, until it is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    stop: Option<Sender<()>>,
    watcher: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to show what `gauge` says.
    pub(crate) fn show(global: &Global, unit: Unit, gauge: &Arc<Gauge>) -> Progress {
        let form = Form::of(global);
        let target = match form {
            Form::Bar => ProgressDrawTarget::stderr(),
            _ => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let view = View {
            unit,
            form,
            gauge: Arc::clone(gauge),
            bar: bar.clone(),
            start: Instant::now(),
        };
        let (stop, stopped) = channel();
        let watch = move || view.watch(&stopped);
        Progress {
            bar,
            stop: Some(stop),
            watcher: (form != Form::Nothing).then(|| std::thread::spawn(watch)),
        }
    }

    /// Lets `print` print while the bar is out of the way.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(watcher) = self.watcher.take() {
            // It shows, and changes nothing: should it have panicked, the hook has told.
            watcher.join().ok();
        }
    }
}

struct View {
    unit: Unit,
    form: Form,
    gauge: Arc<Gauge>,
    bar: ProgressBar,
    start: Instant,
}

impl View {
    fn watch(&self, stopped: &Receiver<()>) {
        let mut is_long = self.form == Form::Events;
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(self.form.pause()) {
            self.look();
            is_long = true;
        }
        match self.form {
            Form::Bar => self.bar.finish_and_clear(),
            _ if is_long => self.look(),
            _ => {}
        }
    }

    fn look(&self) {
        let (done, of) = (self.gauge.done(), self.gauge.of());
        let pace = Pace::new(done, of, self.start.elapsed());
        match self.form {
            Form::Bar => {
                if of.is_some() && self.bar.length() != of {
                    self.bar.set_length(of.unwrap_or_default());
                }
                self.bar.set_style(style(self.unit, of.is_some()));
                self.bar.set_position(done);
                self.bar.tick();
            }
            Form::Lines => output::complain(&format!("faircopy: {}", pace.line(self.unit))),
            Form::Events => output::complain(&pace.event(self.unit).to_string()),
            Form::Nothing => {}
        }
    }
}

fn style(unit: Unit, is_end_known: bool) -> ProgressStyle {
    let template = match (unit, is_end_known) {
        (Unit::Bytes, true) => {
            "{bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}".to_owned()
        }
        (Unit::Bytes, false) => "{spinner} {binary_bytes} {binary_bytes_per_sec}".to_owned(),
        (Unit::Things(name), true) => {
            format!("{{bar:30}} {{pos}}/{{len}} {name} {{rate}} {{eta}}")
        }
        (Unit::Things(name), false) => format!("{{spinner}} {{pos}} {name} {{rate}}"),
    };
    let style = ProgressStyle::with_template(&template).expect("the templates are constant");
    style.with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
        out.write_str(&rate(state.per_sec())).ok();
    })
}

/// `0.4/s`, `250/s`: as exact as it is for the eye.
fn rate(per_sec: f64) -> String {
    match per_sec {
        slow if slow < 10.0 => format!("{slow:.1}/s"),
        fast => format!("{fast:.0}/s"),
    }
}

/// How fast it goes.
#[derive(Debug, Clone, Copy)]
struct Pace {
    done: u64,
    of: Option<u64>,
    per_sec: f64,
    left: Option<Duration>,
}

impl Pace {
    fn new(done: u64, of: Option<u64>, taken: Duration) -> Pace {
        let per_sec = done as f64 / taken.as_secs_f64().max(1e-3);
        let left = of.filter(|_| done > 0).map(|of| {
            let secs = of.saturating_sub(done) as f64 / per_sec;
            Duration::try_from_secs_f64(secs).unwrap_or(Duration::MAX)
        });
        Pace {
            done,
            of,
            per_sec,
            left,
        }
    }

    /// `200 of 1000 captures, 50 a second, 16s left`
    fn line(&self, unit: Unit) -> String {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let per_sec = self.per_sec.round() as u64;
        let (amount, name): (fn(u64) -> String, _) = match unit {
            Unit::Bytes => (|bytes| ByteSize::b(bytes).to_string(), String::new()),
            Unit::Things(name) => (|count: u64| count.to_string(), format!(" {name}")),
        };
        let done = amount(self.done);
        let mut text = match self.of {
            Some(of) => format!("{done} of {}{name}", amount(of)),
            None => format!("{done}{name}"),
        };
        text.push_str(&format!(", {} a second", amount(per_sec)));
        if let Some(left) = self.left {
            text.push_str(&format!(", {} left", rounded(left)));
        }
        text
    }

    fn event(&self, unit: Unit) -> Value {
        let name = match unit {
            Unit::Bytes => "bytes",
            Unit::Things(name) => name,
        };
        let tenths = |number: f64| (number * 10.0).round() / 10.0;
        json!({"progress": {
            "of": name, "done": self.done, "all": self.of, "per_sec": tenths(self.per_sec),
            "left_secs": self.left.map(|left| tenths(left.as_secs_f64())),
        }})
    }
}

/// `16s`, `2m 5s`, `3h 20m`
fn rounded(time: Duration) -> String {
    let secs = time.as_secs();
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => format!("{}m {}s", secs / 60, secs % 60),
        _ => format!("{}h {}m", secs / 3600, secs % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_much_how_fast_and_how_long_it_will_take() {
        let captures = Unit::Things("captures");
        let pace = |done, of, secs| Pace::new(done, of, Duration::from_secs(secs));
        assert_eq!(
            pace(200, Some(1000), 4).line(captures),
            "200 of 1000 captures, 50 a second, 16s left"
        );
        assert_eq!(pace(20, None, 4).line(captures), "20 captures, 5 a second");
        assert_eq!(
            pace(0, Some(9), 4).line(captures),
            "0 of 9 captures, 0 a second",
            "nothing is promised before anything is done"
        );
        let bytes = pace(1 << 20, Some(200 << 20), 1).line(Unit::Bytes);
        assert_eq!(bytes, "1.0 MiB of 200.0 MiB, 1.0 MiB a second, 3m 19s left");
    }

    #[test]
    fn a_bar_tells_a_rate_that_can_be_read_at_a_glance() {
        let rates = [0.0, 0.43219, 9.94, 250.4321].map(rate);
        assert_eq!(rates, ["0.0/s", "0.4/s", "9.9/s", "250/s"]);
    }

    #[test]
    fn an_event_has_the_same_as_numbers() {
        let pace = Pace::new(200, Some(1000), Duration::from_secs(4));
        let event = pace.event(Unit::Things("captures"));
        assert_eq!(
            event.to_string(),
            r#"{"progress":{"of":"captures","done":200,"all":1000,"per_sec":50.0,"left_secs":16.0}}"#
        );
        let event = Pace::new(0, None, Duration::ZERO).event(Unit::Bytes);
        assert_eq!(event["progress"]["all"], Value::Null);
        assert_eq!(event["progress"]["left_secs"], Value::Null);
    }
}
