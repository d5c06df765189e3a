//! Where the program's own log goes: the journal with fields, text, or JSON.

use std::io::IsTerminal;

use faircopy::config::{LogFormat, LogSection};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use super::Global;

/// Changes the level of a log that was started.
pub(crate) type Level = reload::Handle<EnvFilter, Registry>;

/// Commands other than `run` log warnings only, unless asked for more.
pub(crate) fn start_for_command(global: &Global) {
    let section = LogSection {
        level: "warn".into(),
        format: if global.json {
            LogFormat::Json
        } else {
            LogFormat::Text
        },
    };
    drop(start(global, &section));
}

/// Starts logging as configured; `-q` and `-v` change the level.
pub(crate) fn start(global: &Global, section: &LogSection) -> Level {
    let under_systemd = std::env::var_os("JOURNAL_STREAM").is_some();
    let layer = match section.format {
        LogFormat::Journald => journal_or_text(),
        LogFormat::Auto if under_systemd => journal_or_text(),
        LogFormat::Json => fmt::layer().json().with_writer(std::io::stderr).boxed(),
        LogFormat::Text | LogFormat::Auto => text(),
    };
    let (filter, level) = reload::Layer::new(filter(global, section));
    // A second start keeps the first.
    drop(
        tracing_subscriber::registry()
            .with(layer.with_filter(filter))
            .try_init(),
    );
    level
}

/// What is logged under these settings.
pub(crate) fn filter(global: &Global, section: &LogSection) -> EnvFilter {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => &section.level,
        (false, 1) => "debug",
        (false, _) => "trace",
    };
    // notify traces every event it reads, which floods the journal.
    let quiet = ["notify=warn", "html5ever=error", "selectors=error"];
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    quiet.into_iter().fold(filter, |filter, directive| {
        filter.add_directive(directive.parse().expect("the directives are constant"))
    })
}

type AnyLayer = Box<dyn Layer<tracing_subscriber::Registry> + Send + Sync>;

fn text() -> AnyLayer {
    fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .boxed()
}

fn journal_or_text() -> AnyLayer {
    match tracing_journald::layer() {
        Ok(journal) => journal.with_field_prefix(Some("FAIRCOPY".into())).boxed(),
        Err(_) => text(),
    }
}
