//! Which configuration and which archive a command works on.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use faircopy::archive::Paths;
use faircopy::archive::reader::Archive;
use faircopy::config::{Config, FILE_NAME, RulesSection};
use faircopy::rulebook::Rulebook;

use super::{Global, output};

/// The configuration that applies, in the documented order: `--config` (or `FAIRCOPY_CONFIG`), `./faircopy.toml`, the
/// user's, the system's. `None` if there is none anywhere; one that was named must be there.
pub(crate) fn find_config(global: &Global) -> Option<PathBuf> {
    if let Some(named) = &global.config {
        return Some(named.clone());
    }
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let user = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home.map(|home| home.join(".config")));
    let candidates = [
        Some(PathBuf::from(FILE_NAME)),
        user.map(|user| user.join("faircopy").join(FILE_NAME)),
        Some(Path::new("/etc/faircopy").join(FILE_NAME)),
    ];
    candidates.into_iter().flatten().find(|path| path.is_file())
}

/// The configuration for a command that needs one. `--archive` alone is enough: the rest are defaults beside it.
pub(crate) fn load_config(global: &Global) -> anyhow::Result<Config> {
    // An archive named on the command line beats a configuration that merely lies about; one that was named counts too.
    if let (Some(archive), None) = (&global.archive, &global.config) {
        return config_beside(archive);
    }
    let Some(path) = find_config(global) else {
        bail!(
            "no configuration found (sought ./{FILE_NAME}, the user's and /etc/faircopy/{FILE_NAME}); name one with --config, an archive with --archive, or make both with `faircopy run --init DIR`"
        );
    };
    let mut config = Config::load(&path)?;
    if let Some(archive) = &global.archive {
        config.archive.dir = absolute(archive);
    }
    Ok(config)
}

/// Keys and state lie beside an archive that was named alone; a `faircopy.toml` there is taken.
fn config_beside(archive: &Path) -> anyhow::Result<Config> {
    let archive = absolute(archive);
    let base = faircopy::durable::folder_of(&archive).to_owned();
    let beside = base.join(FILE_NAME);
    if beside.is_file() {
        let config = Config::load(&beside)?;
        if is_same(&config.archive.dir, &archive) {
            return Ok(config);
        }
    }
    let mut config = Config::for_folder(&base);
    config.archive.dir = archive;
    Ok(config)
}

fn is_same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// An absolute form of `path`, without asking the disk.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The rules of the configuration, for a command that works without one too: then the built-in rules alone.
pub(crate) fn rules(global: &Global) -> anyhow::Result<Rulebook> {
    let section = rules_section(global)?;
    Ok(section.map_or_else(Rulebook::built_in, |section| read_rules(&section)))
}

/// Where a person's own packs and site files are, if there is a configuration.
pub(crate) fn rules_section(global: &Global) -> anyhow::Result<Option<RulesSection>> {
    let named = global.config.is_some() || global.archive.is_some();
    if !named && find_config(global).is_none() {
        return Ok(None);
    }
    Ok(Some(load_config(global)?.rules))
}

/// The rules of `config`; tells of packs that cannot be used.
pub(crate) fn rules_of(config: &Config) -> Rulebook {
    read_rules(&config.rules)
}

fn read_rules(section: &RulesSection) -> Rulebook {
    let book = Rulebook::read(section);
    for defect in &book.refused {
        output::complain(&format!("faircopy: {defect}"));
    }
    book
}

/// The archive, for reading.
pub(crate) fn open_archive(global: &Global) -> anyhow::Result<Archive> {
    let paths = archive_paths(global)?;
    Archive::open(&paths.dir).context("cannot open the archive")
}

/// Where archive, keys and state are.
pub(crate) fn archive_paths(global: &Global) -> anyhow::Result<Paths> {
    Ok(load_config(global)?.archive_paths())
}

/// The control socket of the daemon. It is in the configuration; if that file itself is broken, as before a `reload`
/// that is to tell so, the default place beside it is tried.
pub(crate) fn control_socket(global: &Global) -> anyhow::Result<PathBuf> {
    match load_config(global) {
        Ok(config) => Ok(config.daemon.control),
        Err(error) => {
            let beside = find_config(global)
                .map(|path| Config::for_folder(faircopy::durable::folder_of(&absolute(&path))));
            match beside {
                Some(config) if config.daemon.control.exists() => Ok(config.daemon.control),
                _ => Err(error),
            }
        }
    }
}
