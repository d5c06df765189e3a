//! `faircopy config`

use std::path::Path;

use anyhow::{Context, bail};
use clap::Subcommand;
use faircopy::archive::keys::{IdentitySecret, signing_key_path};
use faircopy::archive::log::key::SigningKey;
use faircopy::config::Config;
use faircopy::inbox::{self, options::Release};
use faircopy::pipeline::chain;
use faircopy::rulebook::Rulebook;
use faircopy::submission::printable;
use faircopy::{control, durable};

use super::{Exit, Global, output, setup};

/// Check or show the configuration
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy config check          after an edit, before `faircopy reload`\n  faircopy config show --json    all settings in force, defaults included"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Validate the file and the folders that it names
    Check,
    /// Print the effective settings
    Show,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    match args.action {
        Action::Show if global.json => output::json(&config)?,
        Action::Show => {
            let toml = config.to_toml();
            output::text(&toml.context("these settings cannot be written as TOML")?)?;
        }
        Action::Check => return check(global, &config),
    }
    Ok(Exit::Good)
}

fn check(global: &Global, config: &Config) -> anyhow::Result<Exit> {
    let problems = problems(config);
    if global.json {
        output::json(&serde_json::json!({"problems": problems}))?;
    } else {
        for problem in &problems {
            output::line(problem)?;
        }
    }
    if problems.is_empty() {
        output::note(global, "the configuration is good");
        return Ok(Exit::Good);
    }
    if global.json {
        return Ok(Exit::Configuration);
    }
    bail!(faircopy::config::Error::Invalid {
        file: setup::find_config(global).unwrap_or_default(),
        message: match problems.len() {
            1 => "1 problem, listed above".to_owned(),
            n => format!("{n} problems, listed above"),
        },
    })
}

/// What would keep a daemon from working with these settings, run by who asks.
fn problems(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    if let Err(error) = inbox::folders::validate(&config.inbox, &config.intake, &config.archive.dir)
    {
        problems.push(chain(&error));
    }
    if let Err(error) = control::check_path(&config.daemon.control) {
        problems.push(error.to_string());
    }
    let refused = Rulebook::read(&config.rules).refused;
    problems.extend(refused.iter().map(ToString::to_string));
    let paths = config.archive_paths();
    if !paths.dir.join("archive.json").is_file() {
        let dir = printable(&paths.dir);
        problems.push(format!(
            "no archive at {dir}; make one with `faircopy init`"
        ));
    }
    if let Err(error) = IdentitySecret::load(&paths) {
        problems.push(chain(&error));
    }
    if let Err(error) = SigningKey::load(&signing_key_path(&paths)) {
        problems.push(chain(&error));
    }
    for inbox in &config.inbox {
        if !inbox.path.is_dir() {
            let (name, path) = (&inbox.name, printable(&inbox.path));
            problems.push(format!("inbox {name:?}: {path} is no folder"));
        }
        if inbox.release != Release::Keep {
            problems.extend(not_writable("inbox", &inbox.path));
        }
        if inbox.release == Release::Done {
            problems.extend(not_writable("done folder", &inbox.done));
        }
        problems.extend(not_writable("failed folder", &inbox.failed));
    }
    problems.extend(not_writable("archive", &paths.dir));
    problems.extend(not_writable("state folder", &paths.state));
    problems.extend(not_writable("spool", &config.intake.spool));
    let socket_folder = durable::folder_of(&config.daemon.control);
    problems.extend(not_writable("folder of the control socket", socket_folder));
    for folder in [&paths.dir, &config.intake.spool] {
        let needed = config.intake.free_bytes_min.as_u64();
        if let Ok(free) = durable::free_bytes(existing(folder))
            && free < needed
        {
            let folder = printable(folder);
            problems.push(format!(
                "{free} bytes are free for {folder}, less than intake.free_bytes_min ({needed}); no file would be taken in"
            ));
        }
    }
    problems
}

/// A folder that is not there will be made: then the one above counts.
fn existing(folder: &Path) -> &Path {
    let mut above = folder.ancestors();
    above.find(|path| path.exists()).unwrap_or(folder)
}

fn not_writable(what: &str, folder: &Path) -> Option<String> {
    let error = durable::check_writable(existing(folder)).err()?;
    let folder = printable(folder);
    Some(format!("the {what} {folder} cannot be written: {error}"))
}
