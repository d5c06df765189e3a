//! `faircopy completions`

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Exit, output};

/// Print the completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  faircopy completions bash > /etc/bash_completion.d/faircopy")]
pub(crate) struct Args {
    /// bash, zsh, fish, elvish or powershell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "faircopy", &mut script);
    output::raw(&script)?;
    Ok(Exit::Good)
}
