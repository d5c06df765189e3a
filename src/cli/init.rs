//! `faircopy init`

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use faircopy::config::{Config, FILE_NAME, TEMPLATE};
use faircopy::submission::path_text;
use faircopy::{archive, durable};
use jiff::Timestamp;

use super::{Exit, Global, Usage, output, setup};

/// Make an archive, its signing key and a commented configuration
///
/// In DIR (default: the current folder), which must be empty or not there yet. With a configuration
/// named by --config instead, makes the archive, keys and folders that it names.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy init /srv/press\n  faircopy --config /etc/faircopy/faircopy.toml init"
)]
pub(crate) struct Args {
    /// The folder
    dir: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = match (&args.dir, &global.config) {
        (Some(_), Some(_)) => {
            return Err(Usage("give a folder or --config (or FAIRCOPY_CONFIG), not both").into());
        }
        (None, None) if global.archive.is_some() => {
            return Err(Usage(
                "give the folder in which all is made; --archive names one that is there",
            )
            .into());
        }
        (None, Some(_)) => {
            let config = setup::load_config(global)?;
            make(&config)?;
            config
        }
        (dir, None) => make_folder(dir.as_deref().unwrap_or(Path::new(".")))?,
    };
    if global.json {
        output::json(&serde_json::json!({
            "archive": path_text::to_text(&config.archive.dir),
            "keys": path_text::to_text(&config.archive.keys),
            "state": path_text::to_text(&config.archive.state),
        }))?;
    } else {
        output::note(
            global,
            &format!("made the archive {}", config.archive.dir.display()),
        );
        output::note(
            global,
            &format!(
                "keep a copy of {} elsewhere: without the key nobody can go on with this archive",
                config.archive.keys.display()
            ),
        );
    }
    Ok(Exit::Good)
}

/// Makes everything in `folder`, which must be empty or missing.
pub(crate) fn make_folder(folder: &Path) -> anyhow::Result<Config> {
    let folder = setup::absolute(folder);
    let occupied = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        bail!(
            "{} is not empty; name an empty or new folder, or remove what is in it",
            folder.display()
        );
    }
    durable::create_folders(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let config = Config::for_folder(&folder);
    make(&config)?;
    // Last: whoever finds the file finds all that it names.
    durable::replace(&folder.join(FILE_NAME), TEMPLATE.as_bytes(), 0o644)
        .with_context(|| format!("cannot write {}", folder.join(FILE_NAME).display()))?;
    Ok(config)
}

/// Makes the archive, its keys and the folders that `config` names.
fn make(config: &Config) -> anyhow::Result<()> {
    archive::create(&config.archive_paths(), Timestamp::now())
        .context("cannot make the archive")?;
    for inbox in &config.inbox {
        for folder in [&inbox.path, &inbox.done, &inbox.failed] {
            durable::create_folders(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
    }
    Ok(())
}
