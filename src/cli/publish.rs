//! `faircopy publish`

use std::path::PathBuf;

use anyhow::anyhow;
use faircopy::archive::Error;
use faircopy::pipeline::chain;
use faircopy::publish::{self, Handed};
use serde_json::json;

use super::{Exit, Global, Usage, output, setup};

/// Hand the log's checkpoint to a folder, a command or witnesses
///
/// To whom stands in the configuration, under [publish]. Whoever holds a checkpoint can later tell whether anything before it
/// was altered, also by the owner of the key. Cosignatures of witnesses say when they saw it; they are verified, and kept in
/// log/cosigned. A log that is no continuation of what was published before is refused with exit 4: a restored older copy.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy publish\n  faircopy publish --folder /media/stick/faircopy"
)]
pub(crate) struct Args {
    /// Only into this folder, whatever the configuration says
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    let options = match &args.folder {
        Some(folder) => publish::Options {
            folder: Some(setup::absolute(folder)),
            ..publish::Options::default()
        },
        None => config.publish.options().map_err(|why| anyhow!(why))?,
    };
    if options.folder.is_none() && options.command.is_empty() && options.witnesses.is_empty() {
        return Err(Usage(
            "nobody to publish to: say so under [publish] in the configuration, or with --folder",
        )
        .into());
    }
    let published = match publish::publish(&config.archive_paths(), &options) {
        Err(error @ (Error::LogShrunk { .. } | Error::LogForked { .. })) => {
            let error = anyhow::Error::from(error).context("nothing is published");
            output::report(global, &error, Exit::Integrity);
            return Ok(Exit::Integrity);
        }
        published => published?,
    };
    let (mut failed, mut forked) = (0, false);
    for (to, outcome) in &published.handed {
        let (word, why) = match outcome {
            Ok(Handed::Now) => ("published", None),
            Ok(Handed::Before) => ("unchanged", None),
            Err(error) => {
                failed += 1;
                forked |= error.is_fork();
                ("failed", Some(chain(error)))
            }
        };
        if global.json {
            output::json(&json!({"to": to, "outcome": word, "error": why}))?;
        } else if let Some(why) = why {
            output::complain(&format!("{to}: {why}"));
        } else {
            output::line(&format!("{to}: {word}"))?;
        }
    }
    let checkpoint = &published.checkpoint;
    if global.json {
        output::json(&json!({
            "checkpoint": {"size": checkpoint.size, "root": checkpoint.root},
            "cosignatures": published.cosignatures, "failed": failed,
        }))?;
    }
    Ok(match failed {
        _ if forked => Exit::Integrity,
        0 => Exit::Good,
        n if n == published.handed.len() => Exit::Failed,
        _ => Exit::Partly,
    })
}
