//! `faircopy check`

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use faircopy::check::{self, problem::Problem};
use faircopy::durable;
use jiff::Timestamp;
use serde_json::json;

use super::progress::{Progress, Unit};
use super::{Exit, Global, output, setup};

/// Check the archive's health; list every problem, repair nothing
///
/// Without --read-data: structure, log, checkpoint, catalog. With it: every record is decompressed and every digest and the
/// Merkle root are computed anew. Exit 4 if there is any problem.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy check --read-data\n  faircopy check --read-data-subset 5%\n  faircopy check --time 30m\n  faircopy check --checkpoint /media/stick/checkpoint"
)]
pub(crate) struct Args {
    /// Read and verify all data
    #[arg(long)]
    read_data: bool,
    /// Read and verify a share of the data, another one each week
    #[arg(long, value_name = "SHARE", value_parser = parse_share, conflicts_with = "read_data")]
    read_data_subset: Option<f64>,
    /// Read and verify data for so long, going on where the last such run ended: `10m`, `1h 30m`
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with_all = ["read_data", "read_data_subset"])]
    time: Option<Duration>,
    /// A checkpoint kept elsewhere: the log must still contain it
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The verifier key that must have signed, or a file with it; one that the log had before leads to the one it has
    #[arg(long, value_name = "KEY")]
    vkey: Option<String>,
}

/// In the state folder: all checks, one JSON object a line, for `audit`.
pub(crate) const HISTORY: &str = "checks.jsonl";

/// In the state folder: the leaf whose record was read last by a run with a limit of time.
const LAST_LEAF: &str = "check-last-leaf";

/// `5%` or `0.05`.
fn parse_share(text: &str) -> Result<f64, String> {
    let (number, divisor) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let share = number.trim().parse::<f64>().map_err(|e| e.to_string())? / divisor;
    if share > 0.0 && share <= 1.0 {
        Ok(share)
    } else {
        Err("a share is more than 0% and at most 100%".to_owned())
    }
}

fn parse_time(text: &str) -> anyhow::Result<Duration> {
    let span: jiff::Span = text.parse()?;
    let time = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours())?;
    Ok(Duration::try_from(time)?)
}

/// Where the last run with a limit of time ended.
fn last_leaf(state: &Path) -> Option<u64> {
    std::fs::read_to_string(state.join(LAST_LEAF))
        .ok()?
        .trim()
        .parse()
        .ok()
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    let paths = config.archive_paths();
    let publish = config.publish.options().unwrap_or_default();
    let now = Timestamp::now();
    let options = check::Options {
        read_data: args.read_data || args.read_data_subset.is_some() || args.time.is_some(),
        subset: args.read_data_subset,
        // Weeks since 1970: each week reads another share.
        rotation: u64::try_from(now.as_second() / (7 * 86_400)).unwrap_or(0),
        time: args.time,
        after: args.time.and_then(|_| last_leaf(&paths.state)),
        checkpoint: args.checkpoint.clone(),
        witnesses: publish
            .witnesses
            .into_iter()
            .map(|witness| witness.key)
            .collect(),
        vkey: args.vkey.as_deref().map(super::verify::vkey).transpose()?,
        gauge: Arc::default(),
    };
    let progress = Progress::show(global, Unit::Bytes, &options.gauge);
    let mut printed = Ok(());
    let mut report_problem = |problem: Problem| {
        if printed.is_ok() {
            printed = progress.aside(|| print(global, &problem));
        }
    };
    let report = check::check(&paths.dir, &options, &mut report_problem)
        .with_context(|| format!("cannot check {}", paths.dir.display()))?;
    drop(progress);
    remember(&paths.state, now, &report);
    for note in &report.notes {
        if global.json && printed.is_ok() {
            printed = output::json(&json!({"note": note}));
        } else if global.verbose > 0 {
            output::complain(&format!("{}: {}", note.place, note.message));
        }
    }
    let summary = printed.and_then(|()| summarize(global, &report));
    // What was found counts, even if nobody reads it to the end.
    if report.problems > 0 {
        return Ok(Exit::Integrity);
    }
    summary.map(|()| Exit::Good)
}

fn summarize(global: &Global, report: &check::Report) -> anyhow::Result<()> {
    if global.json {
        output::json(&json!({
            "checked": {"records": report.records, "bytes": report.bytes, "leaves": report.leaves},
            "problems": report.problems,
        }))
    } else {
        output::line(&format!(
            "checked {} records, {} bytes, {} leaves: {}",
            report.records,
            report.bytes,
            report.leaves,
            match report.problems {
                0 => "no problem".to_owned(),
                1 => "1 problem".to_owned(),
                n => format!("{n} problems"),
            }
        ))
    }
}

fn print(global: &Global, problem: &Problem) -> anyhow::Result<()> {
    if global.json {
        return output::json(&json!({"problem": problem}));
    }
    let doc = problem
        .doc
        .as_ref()
        .map(|doc| format!(" (document {doc})"))
        .unwrap_or_default();
    output::line(&format!(
        "{} {}{doc}: {}\n     {}",
        problem.code.as_str(),
        problem.place,
        problem.message,
        problem.advice
    ))
}

/// `status` tells when the archive was last checked. One who may only read the archive leaves no trace; that is no failure.
fn remember(state: &std::path::Path, now: Timestamp, report: &check::Report) {
    let stamp = json!({"at": now, "records": report.records, "leaves": report.leaves, "problems": report.problems});
    let path = state.join("last-check.json");
    let remembered = durable::replace(&path, stamp.to_string().as_bytes(), 0o644).and_then(|()| {
        let mut options = OpenOptions::new();
        let mut history = options
            .create(true)
            .append(true)
            .open(state.join(HISTORY))?;
        history.write_all(format!("{stamp}\n").as_bytes())?;
        match report.last_leaf {
            Some(leaf) => durable::replace(
                &state.join(LAST_LEAF),
                format!("{leaf}\n").as_bytes(),
                0o644,
            ),
            None => Ok(()),
        }
    });
    if let Err(error) = remembered {
        tracing::debug!(path = %path.display(), %error, "cannot remember this check");
    }
}
