//! The command line: one file holds one command with its help text.

mod add;
mod audit;
mod bond;
mod cat;
mod check;
mod clean;
mod compact;
mod completions;
mod config;
mod diff;
mod duplicates;
mod erase;
mod explain;
mod export;
mod follow;
mod hold;
mod init;
mod key;
mod log;
mod logging;
mod ls;
mod man;
mod material;
mod output;
mod pin;
mod progress;
mod prove;
mod publish;
mod reclean;
mod reference;
mod reload;
mod repair;
mod retry;
mod rules;
mod run;
mod search;
mod setup;
mod show;
mod status;
mod verify;
mod web;
mod writing;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use faircopy::archive;

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Good.
    Good = 0,
    /// Could not.
    Failed = 1,
    /// Wrong usage.
    Usage = 2,
    /// Some of several inputs failed, each named.
    Partly = 3,
    /// An integrity problem was found.
    Integrity = 4,
    /// No archive there.
    NoArchive = 10,
    /// Archive locked and no daemon answers for it.
    Locked = 11,
    /// Configuration unusable (EX_CONFIG of sysexits.h).
    Configuration = 78,
}

/// A command line that clap lets pass and that makes no sense all the same.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(&'static str);

/// Cleans scraped articles into canonical text with metadata and archives audited versions of them
#[derive(Debug, Parser)]
#[command(
    name = "faircopy",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Start here:\n  faircopy run --init demo      make everything in the folder `demo` and watch demo/inbox\n  faircopy --config demo/faircopy.toml ls\n\nExit codes: 0 good; 1 could not; 2 wrong usage; 3 partly done; 4 integrity problem found;\n10 no archive there; 11 archive locked; 78 configuration unusable."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Global {
    /// Print JSON, one object a line, and nothing else on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Say less on stderr
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more on stderr; twice for all
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// The archive's folder
    #[arg(long, global = true, value_name = "DIR", env = "FAIRCOPY_ARCHIVE")]
    archive: Option<PathBuf>,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", env = "FAIRCOPY_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Run(run::Args),
    Reload(reload::Args),
    Add(add::Args),
    Clean(clean::Args),
    Status(status::Args),
    Retry(retry::Args),
    Ls(ls::Args),
    Log(log::Args),
    Show(show::Args),
    Cat(cat::Args),
    Diff(diff::Args),
    Explain(explain::Args),
    Export(export::Args),
    Search(search::Args),
    Rules(rules::Args),
    Pin(pin::Args),
    Audit(audit::Args),
    Follow(follow::Args),
    Check(check::Args),
    Repair(repair::Args),
    Publish(publish::Args),
    Key(key::Args),
    Prove(prove::Args),
    Verify(verify::Args),
    Link(bond::LinkArgs),
    Split(bond::SplitArgs),
    Duplicates(duplicates::Args),
    Web(web::Args),
    Reclean(reclean::Args),
    Compact(compact::Args),
    Hold(hold::Args),
    Erase(erase::Args),
    Config(config::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Reads the command line, does what it says, and gives the exit code. Usage errors end with 2 inside clap.
pub(crate) fn main() -> u8 {
    std::panic::set_hook(Box::new(|panic| {
        // The message may quote an article, and so carry what harms a terminal.
        let trace = std::backtrace::Backtrace::capture();
        output::complain(&format!("faircopy: a defect: {panic}"));
        if trace.status() == std::backtrace::BacktraceStatus::Captured {
            output::complain(&trace.to_string());
        }
    }));
    let cli = Cli::parse();
    match dispatch(&cli) {
        Ok(exit) => exit as u8,
        Err(error) if error.is::<output::Closed>() => Exit::Good as u8,
        Err(error) => {
            let exit = exit_of(&error);
            output::report(&cli.global, &error, exit);
            exit as u8
        }
    }
}

fn dispatch(cli: &Cli) -> anyhow::Result<Exit> {
    let global = &cli.global;
    if !matches!(cli.command, Command::Run(_)) {
        logging::start_for_command(global);
    }
    match &cli.command {
        Command::Init(args) => init::run(global, args),
        Command::Run(args) => run::run(global, args),
        Command::Reload(args) => reload::run(global, args),
        Command::Add(args) => add::run(global, args),
        Command::Clean(args) => clean::run(global, args),
        Command::Status(args) => status::run(global, args),
        Command::Retry(args) => retry::run(global, args),
        Command::Ls(args) => ls::run(global, args),
        Command::Log(args) => log::run(global, args),
        Command::Show(args) => show::run(global, args),
        Command::Cat(args) => cat::run(global, args),
        Command::Diff(args) => diff::run(global, args),
        Command::Explain(args) => explain::run(global, args),
        Command::Export(args) => export::run(global, args),
        Command::Search(args) => search::run(global, args),
        Command::Rules(args) => rules::run(global, args),
        Command::Pin(args) => pin::run(global, args),
        Command::Audit(args) => audit::run(global, args),
        Command::Follow(args) => follow::run(global, args),
        Command::Check(args) => check::run(global, args),
        Command::Key(args) => key::run(global, args),
        Command::Repair(args) => repair::run(global, args),
        Command::Publish(args) => publish::run(global, args),
        Command::Prove(args) => prove::run(global, args),
        Command::Verify(args) => verify::run(global, args),
        Command::Link(args) => bond::link(global, args),
        Command::Split(args) => bond::split(global, args),
        Command::Duplicates(args) => duplicates::run(global, args),
        Command::Web(args) => web::run(global, args),
        Command::Reclean(args) => reclean::run(global, args),
        Command::Compact(args) => compact::run(global, args),
        Command::Hold(args) => hold::run(global, args),
        Command::Erase(args) => erase::run(global, args),
        Command::Config(args) => config::run(global, args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}

/// The exit code that an error asks for, wherever in its chain the cause stands.
fn exit_of(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<archive::Error>() {
            match error {
                archive::Error::NoArchive { .. } => return Exit::NoArchive,
                archive::Error::Locked { .. } => return Exit::Locked,
                _ => {}
            }
        }
        if let Some(faircopy::check::Error::NoArchive { .. }) = cause.downcast_ref() {
            return Exit::NoArchive;
        }
        if cause.is::<Usage>() {
            return Exit::Usage;
        }
        if cause.is::<faircopy::config::Error>()
            || cause.is::<faircopy::web::gate::Error>()
            || is_misconfigured(cause)
        {
            return Exit::Configuration;
        }
    }
    Exit::Failed
}

/// What the configuration itself does not show, but can be mended nowhere else.
fn is_misconfigured(cause: &(dyn std::error::Error + 'static)) -> bool {
    use faircopy::control::Error as Control;
    use faircopy::inbox::error::Error as Inbox;
    matches!(
        cause.downcast_ref(),
        Some(Inbox::Overlap { .. } | Inbox::Name { .. } | Inbox::Pattern { .. })
    ) || matches!(
        cause.downcast_ref(),
        Some(Control::TooLong { .. } | Control::Taken { .. })
    )
}
