//! `faircopy config`

use anyhow::{Context, bail};
use clap::Subcommand;
use faircopy::inbox;

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

fn check(global: &Global, config: &faircopy::config::Config) -> anyhow::Result<Exit> {
    let mut problems = Vec::new();
    if let Err(error) = inbox::folders::validate(&config.inbox, &config.intake, &config.archive.dir)
    {
        problems.push(faircopy::pipeline::chain(&error));
    }
    for inbox in &config.inbox {
        if !inbox.path.is_dir() {
            problems.push(format!(
                "inbox {:?}: {} is no folder",
                inbox.name,
                inbox.path.display()
            ));
        }
    }
    if !config.archive.dir.join("archive.json").is_file() {
        problems.push(format!(
            "no archive at {}; make one with `faircopy init`",
            config.archive.dir.display()
        ));
    }
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
        message: format!("{} problems, listed above", problems.len()),
    })
}
