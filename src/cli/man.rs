//! `faircopy man`

use std::path::PathBuf;

use anyhow::Context;
use clap::CommandFactory;

use super::{Cli, Exit};

/// Write the manual pages into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  faircopy man /usr/local/share/man/man1")]
pub(crate) struct Args {
    /// The folder; made if it is not there
    dir: PathBuf,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    std::fs::create_dir_all(&args.dir)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &args.dir))
        .with_context(|| format!("cannot write manual pages to {}", args.dir.display()))?;
    Ok(Exit::Good)
}
