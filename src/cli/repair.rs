//! `faircopy repair`

use std::path::PathBuf;

use anyhow::Context;
use faircopy::check::{self, problem::Problem};
use faircopy::repair::{self, LeftOut};
use jiff::Timestamp;
use serde_json::json;

use super::{Exit, Global, output, setup};

/// Build a sound archive in a new folder from what is sound, and list what is not
///
/// The damaged archive is only read. The log stays the same: a capture whose records are lost is known as lost, and its number is
/// not given again. Raw bytes and texts that belong to no capture any more lie in DIR.salvaged, named by their digests. Put the new
/// folder in the old one's place once you have looked at it; no daemon may run meanwhile. Exit 3 if anything is lost.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  faircopy repair --to /srv/rescue/archive")]
pub(crate) struct Args {
    /// The new archive's folder, which must not be there
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let paths = setup::archive_paths(global)?;
    let mut printed = Ok(());
    let mut report = |left_out: LeftOut| {
        if printed.is_ok() {
            printed = match global.json {
                true => output::json(&json!({"left_out": left_out})),
                false => output::line(&format!("{}: {}", left_out.place, left_out.message)),
            };
        }
    };
    let repaired = repair::repair(&paths, &args.to, Timestamp::now(), &mut report)
        .with_context(|| format!("cannot repair {}", paths.dir.display()))?;
    let options = check::Options {
        read_data: true,
        ..check::Options::default()
    };
    let mut report = |problem: Problem| {
        if printed.is_ok() {
            printed = match global.json {
                true => output::json(&json!({"problem": problem})),
                false => output::line(&format!(
                    "{} {}: {}",
                    problem.code.as_str(),
                    problem.place,
                    problem.message
                )),
            };
        }
    };
    let checked = check::check(&args.to, &options, &mut report)?;
    printed?;
    if global.json {
        output::json(&json!({"repaired": repaired, "problems": checked.problems}))?;
    } else {
        output::line(&format!(
            "{} holds {} records; {} things were left out or made again, {} raw bytes and texts salvaged; {} problems are left",
            args.to.display(),
            repaired.records,
            repaired.left_out,
            repaired.salvaged,
            checked.problems
        ))?;
    }
    Ok(match (checked.problems, repaired.salvaged) {
        (0, 0) => Exit::Good,
        _ => Exit::Partly,
    })
}
