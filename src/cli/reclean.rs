//! `faircopy reclean`

use std::sync::Arc;

use anyhow::{Context, anyhow};
use faircopy::archive::reader::Archive;
use faircopy::archive::writer::ArchiveWriter;
use faircopy::config::Config;
use faircopy::control::{Answer, Request};
use faircopy::gauge::Gauge;
use faircopy::reclean::{self, By, Recleaned, Tally, kept_rules};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::progress::{Progress, Unit};
use super::writing::{self, Writer};
use super::{Exit, Global, output, setup};

/// Clean what is archived again, by the rules and pins of today
///
/// What becomes otherwise is archived as a new edition (DOC@3.2) beside the old ones; versions are never numbered anew. It
/// may be interrupted at any time and run again. Look first with -n.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy reclean -n\n  faircopy reclean\n  faircopy reclean --rules builtin@sha256:4f0c..."
)]
pub(crate) struct Args {
    /// Only say what would change: how much, samples, and the worst loss
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Clean by a set of rules that the archive keeps, e.g. to make an old edition again
    #[arg(long, value_name = "ID")]
    rules: Option<String>,
}

/// So many samples are shown.
const SAMPLES: usize = 8;

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    let archive = setup::open_archive(global)?;
    let gauge = Arc::new(Gauge::default());
    gauge.expect(archive.counts()?.captures);
    let progress = Progress::show(global, Unit::Things("captures"), &gauge);
    let (tally, preview) = if args.dry_run {
        let (tally, preview) = look(&config, &archive, args, &gauge)?;
        (tally, Some(preview))
    } else {
        (clean_all(&config, args, &gauge)?, None)
    };
    drop(progress);
    tell(global, &tally, preview.as_ref())?;
    Ok(match tally.failed.len() {
        0 => Exit::Good,
        failed if failed as u64 == tally.looked_at => Exit::Failed,
        _ => Exit::Partly,
    })
}

/// What a preview shows beside the counts.
#[derive(Default)]
struct Preview {
    samples: Vec<Value>,
    worst: Option<(usize, Value)>,
}

impl Preview {
    fn take(&mut self, recleaned: &Recleaned) {
        let lost = recleaned.bytes_lost();
        let row = &recleaned.row;
        let change = if recleaned.changes_story() {
            "story"
        } else {
            "furniture"
        };
        let lines = |from: &str, not_in: &str| -> Vec<String> {
            let others: std::collections::HashSet<&str> = not_in.lines().collect();
            let lines = from.lines().filter(|line| !others.contains(line));
            lines
                .take(3)
                .map(|line| output::shorten(line, 200))
                .collect()
        };
        let (before, after) = (&recleaned.before.article, &recleaned.after.article);
        let sample = json!({
            "doc": row.doc, "version": row.version, "capture": row.capture, "edition": row.edition_number(),
            "title": after.title, "change": change, "bytes_lost": lost,
            "lost": lines(&before.text, &after.text), "gained": lines(&after.text, &before.text),
        });
        if self.worst.as_ref().is_none_or(|(worst, _)| lost > *worst) && lost > 0 {
            self.worst = Some((lost, sample.clone()));
        }
        if self.samples.len() < SAMPLES {
            self.samples.push(sample);
        }
    }
}

fn look(
    config: &Config,
    archive: &Archive,
    args: &Args,
    gauge: &Gauge,
) -> anyhow::Result<(Tally, Preview)> {
    let rules = match &args.rules {
        Some(id) => kept_rules(archive, id).map_err(|error| anyhow!(error))?,
        None => setup::rules_of(config).rules,
    };
    let pins = archive.pin_book()?;
    let by = By {
        rules: &rules,
        pins: &pins,
    };
    let mut preview = Preview::default();
    let tally = each_batch(gauge, |from| {
        Ok(reclean::batch(archive, by, from, |recleaned| {
            preview.take(&recleaned);
        })?)
    })?;
    Ok((tally, preview))
}

/// Through the daemon if one runs.
fn clean_all(config: &Config, args: &Args, gauge: &Gauge) -> anyhow::Result<Tally> {
    match writing::reach(config, "cannot clean again")? {
        Writer::Daemon(mut client) => each_batch(gauge, |from| {
            let rules = args.rules.clone();
            match writing::ask(&mut client, &Request::Reclean { from, rules })? {
                Answer::Recleaned { recleaned } => Ok(recleaned),
                _ => Err(writing::misunderstood()),
            }
        }),
        Writer::Here(writer) => clean_here(config, args, *writer, gauge),
    }
}

fn clean_here(
    config: &Config,
    args: &Args,
    mut writer: ArchiveWriter,
    gauge: &Gauge,
) -> anyhow::Result<Tally> {
    let rules = setup::rules_of(config).rules;
    let name = args.rules.as_deref();
    let tally = each_batch(gauge, |from| {
        let commit = |editions| {
            let done = writer.reclean(editions, Timestamp::now());
            done.map_err(|error| faircopy::pipeline::chain(&error))
        };
        reclean::batch_by(&config.archive.dir, &rules, name, from, commit)
            .map_err(|error| anyhow!(error))
    })?;
    if name.is_none() && tally.story + tally.furniture > 0 {
        let now = Timestamp::now();
        writer.keep_rules(reclean::rule_set(&rules, now), now)?;
    }
    Ok(tally)
}

/// Does one batch after the other.
fn each_batch(
    gauge: &Gauge,
    mut batch: impl FnMut(u64) -> anyhow::Result<Tally>,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut from = 0;
    loop {
        let done = batch(from).with_context(|| {
            format!(
                "{} captures were looked at before; run it again to go on",
                tally.looked_at
            )
        })?;
        tally.add(done);
        gauge.reach(tally.looked_at);
        match tally.next {
            Some(next) => from = next,
            None => return Ok(tally),
        }
    }
}

fn tell(global: &Global, tally: &Tally, preview: Option<&Preview>) -> anyhow::Result<()> {
    for failed in &tally.failed {
        output::complain(&format!("faircopy: {failed}"));
    }
    if global.json {
        let mut object = json!({
            "dry_run": preview.is_some(), "looked_at": tally.looked_at, "story": tally.story,
            "furniture": tally.furniture, "failed": tally.failed,
        });
        if let Some(preview) = preview {
            object["samples"] = json!(preview.samples);
            object["worst_loss"] = json!(preview.worst.as_ref().map(|(_, sample)| sample));
        }
        return output::json(&object);
    }
    if let Some(preview) = preview {
        for sample in &preview.samples {
            tell_sample("", sample)?;
        }
        if let Some((lost, sample)) = &preview.worst {
            tell_sample(&format!("worst loss, {lost} bytes: "), sample)?;
        }
    }
    let verb = match preview {
        Some(_) => "would become",
        None => "became",
    };
    output::line(&format!(
        "{} captures looked at: {} {verb} another story, {} only other furniture, {} failed",
        tally.looked_at,
        tally.story,
        tally.furniture,
        tally.failed.len()
    ))
}

fn tell_sample(lead: &str, sample: &Value) -> anyhow::Result<()> {
    let text = |key: &str| sample[key].as_str().unwrap_or_default().to_owned();
    output::line(&format!(
        "{lead}{}@{} {}: {}",
        text("doc"),
        sample["version"],
        text("change"),
        text("title")
    ))?;
    for (sign, key) in [("-", "lost"), ("+", "gained")] {
        for line in sample[key].as_array().into_iter().flatten() {
            output::line(&format!("    {sign} {}", line.as_str().unwrap_or_default()))?;
        }
    }
    Ok(())
}
