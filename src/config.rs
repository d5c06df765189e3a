//! The configuration: every room's options in one file, `faircopy.toml`.
//!
//! `config/faircopy.toml` is both the defaults and their documentation: what `init` writes, and a test holds that it says
//! what the code does. Relative paths resolve against the folder of the file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use crate::archive::{self, Paths};
use crate::container;
use crate::decode;
use crate::human_duration;
use crate::inbox;
use crate::publish;
use crate::web;

/// The commented file that `init` writes.
pub const TEMPLATE: &str = include_str!("../config/faircopy.toml");

/// The name that configuration files bear.
pub const FILE_NAME: &str = "faircopy.toml";

/// All settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the archive is.
    pub archive: ArchiveSection,
    /// What holds for all inboxes.
    pub intake: inbox::options::IntakeOptions,
    /// The watched folders.
    pub inbox: Vec<inbox::options::Options>,
    /// Files that hold many documents.
    pub containers: ContainersSection,
    /// Limits of what is taken in.
    pub decode: DecodeSection,
    /// Rules of cleaning.
    pub rules: RulesSection,
    /// The daemon.
    pub daemon: DaemonSection,
    /// To whom checkpoints are handed.
    pub publish: PublishSection,
    /// The audit pages.
    pub web: web::options::Options,
    /// To whom figures are pushed.
    pub otlp: web::options::Otlp,
    /// Logging.
    pub log: LogSection,
}

/// `[archive]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ArchiveSection {
    /// The archive's folder.
    pub dir: PathBuf,
    /// Folder of the signing key and the identity secret; beside the archive, never in it.
    pub keys: PathBuf,
    /// Folder of what the daemon must remember outside the archive: intents, the last checkpoint, the last check.
    pub state: PathBuf,
    /// A segment that reaches this size is followed by the next.
    pub segment_bytes_max: ByteSize,
    /// Full segments are sealed once nothing has come in for so long; if it is zero, by `compact` alone.
    #[serde(with = "human_duration")]
    pub compact_after: Duration,
    /// At most so many bytes of segments are sealed at once, but always one segment.
    pub compact_bytes_max: ByteSize,
}

impl Default for ArchiveSection {
    fn default() -> ArchiveSection {
        ArchiveSection {
            dir: "archive".into(),
            keys: "keys".into(),
            state: "state".into(),
            segment_bytes_max: ByteSize::gib(1),
            compact_after: Duration::from_secs(30 * 60),
            compact_bytes_max: ByteSize::gib(1),
        }
    }
}

/// `[containers]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContainersSection {
    /// A container may unpack to this much.
    pub unpacked_bytes_max: ByteSize,
    /// Fields of scrapers' objects.
    pub json: container::Fields,
}

impl Default for ContainersSection {
    fn default() -> ContainersSection {
        ContainersSection {
            unpacked_bytes_max: ByteSize::gib(64),
            json: container::Fields::default(),
        }
    }
}

/// `[decode]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecodeSection {
    /// Compressed files may unpack to this much.
    pub unpacked_bytes_max: ByteSize,
    /// Tags nested deeper than this: the page is cleaned as flat text.
    pub nesting_max: usize,
}

impl Default for DecodeSection {
    fn default() -> DecodeSection {
        let options = decode::Options::default();
        DecodeSection {
            unpacked_bytes_max: ByteSize::b(options.bytes_max as u64),
            nesting_max: options.depth_max,
        }
    }
}

impl DecodeSection {
    /// The options of `decode`.
    pub fn options(&self) -> decode::Options {
        decode::Options {
            bytes_max: usize::try_from(self.unpacked_bytes_max.as_u64()).unwrap_or(usize::MAX),
            depth_max: self.nesting_max,
        }
    }
}

/// `[rules]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RulesSection {
    /// Folder of a person's own rule packs, `*.toml`; need not be there.
    pub folder: PathBuf,
    /// Folder of site files, `*.toml`; need not be there.
    pub sites: PathBuf,
}

impl Default for RulesSection {
    fn default() -> RulesSection {
        RulesSection {
            folder: "rules".into(),
            sites: "sites".into(),
        }
    }
}

/// `[daemon]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DaemonSection {
    /// The control socket.
    pub control: PathBuf,
    /// Cleaning threads; 0 is one for each core.
    pub workers: usize,
}

impl Default for DaemonSection {
    fn default() -> DaemonSection {
        DaemonSection {
            control: "state/control.sock".into(),
            workers: 0,
        }
    }
}

impl DaemonSection {
    /// How many cleaning threads to start.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        }
    }
}

/// `[publish]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PublishSection {
    /// A folder that others see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// A program, with arguments, that gets the checkpoint on its standard input.
    pub command: Vec<String>,
    /// Witnesses.
    pub witness: Vec<WitnessSection>,
}

/// `[[publish.witness]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessSection {
    /// Its submission prefix.
    pub url: String,
    /// Its verifier key.
    pub vkey: String,
}

impl PublishSection {
    /// The options of `publish`.
    pub fn options(&self) -> Result<publish::Options, String> {
        let witness = |section: &WitnessSection| {
            let WitnessSection { url, vkey } = section;
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(format!(
                    "publish.witness.url {url:?} is no http or https address"
                ));
            }
            let key = vkey.parse();
            let key = key.map_err(|error| format!("publish.witness.vkey {vkey:?}: {error}"))?;
            let url = url.clone();
            Ok(publish::Witness { url, key })
        };
        Ok(publish::Options {
            folder: self.folder.clone(),
            command: self.command.clone(),
            witnesses: self.witness.iter().map(witness).collect::<Result<_, _>>()?,
        })
    }
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// `error`, `warn`, `info`, `debug` or `trace`, or a filter such as `info,faircopy::inbox=debug`.
    pub level: String,
    /// Where and how.
    pub format: LogFormat,
}

impl Default for LogSection {
    fn default() -> LogSection {
        LogSection {
            level: "info".into(),
            format: LogFormat::Auto,
        }
    }
}

/// Forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// The journal with fields under systemd, else text.
    Auto,
    /// Lines of text on stderr.
    Text,
    /// One JSON object a line on stderr.
    Json,
    /// The journal, with fields.
    Journald,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            archive: ArchiveSection::default(),
            intake: inbox::options::IntakeOptions::default(),
            inbox: vec![inbox::options::Options::default()],
            containers: ContainersSection::default(),
            decode: DecodeSection::default(),
            rules: RulesSection::default(),
            daemon: DaemonSection::default(),
            publish: PublishSection::default(),
            web: web::options::Options::default(),
            otlp: web::options::Otlp::default(),
            log: LogSection::default(),
        }
    }
}

/// The configuration cannot be used. The binary exits with 78 (EX_CONFIG of sysexits.h).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read configuration {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML, or has an unknown key or a wrong value; says line and key.
    #[error("cannot use configuration {}: {message}", file.display())]
    Parse {
        /// The file.
        file: PathBuf,
        /// Line, key and what is wrong.
        message: String,
    },
    /// The settings do not go together.
    #[error("cannot use configuration {}: {message}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl Config {
    /// Reads and validates the file at `path`; relative paths in it are resolved against its folder.
    pub fn load(path: &Path) -> Result<Config, Error> {
        let file = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let text = std::fs::read_to_string(&file).map_err(|source| Error::Read {
            file: file.clone(),
            source,
        })?;
        Config::parse(&text, &file)
    }

    /// The configuration in `text`, as if it stood at `file`.
    pub fn parse(text: &str, file: &Path) -> Result<Config, Error> {
        let mut config: Config = toml::from_str(text).map_err(|error| Error::Parse {
            file: file.to_owned(),
            message: describe(&error, text),
        })?;
        config.resolve(crate::durable::folder_of(file));
        config.validate().map_err(|message| Error::Invalid {
            file: file.to_owned(),
            message,
        })?;
        Ok(config)
    }

    /// The defaults for a folder that holds everything.
    pub fn for_folder(folder: &Path) -> Config {
        let mut config = Config::default();
        config.resolve(folder);
        config
    }

    /// The effective settings as TOML, which cannot hold a path that is no UTF-8.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(self)
    }

    /// Where the archive, its keys and its state are.
    pub fn archive_paths(&self) -> Paths {
        Paths {
            dir: self.archive.dir.clone(),
            keys: self.archive.keys.clone(),
            state: self.archive.state.clone(),
        }
    }

    /// How containers are read.
    pub fn container_options(&self) -> container::Options {
        container::Options {
            json: self.containers.json.clone(),
            part_bytes_max: self.decode.options().bytes_max,
            unpacked_bytes_max: self.containers.unpacked_bytes_max.as_u64(),
        }
    }

    /// How the archive is written.
    pub fn writer_options(&self) -> archive::writer::Options {
        archive::writer::Options {
            segment_bytes_max: self.archive.segment_bytes_max.as_u64(),
        }
    }

    fn resolve(&mut self, base: &Path) {
        let resolve = |path: &mut PathBuf| *path = base.join(&path);
        resolve(&mut self.archive.dir);
        resolve(&mut self.archive.keys);
        resolve(&mut self.archive.state);
        resolve(&mut self.intake.spool);
        resolve(&mut self.rules.folder);
        resolve(&mut self.rules.sites);
        resolve(&mut self.daemon.control);
        if let Some(folder) = &mut self.publish.folder {
            resolve(folder);
        }
        if let Some(file) = &mut self.web.token_file {
            resolve(file);
        }
        for inbox in &mut self.inbox {
            resolve(&mut inbox.path);
            resolve(&mut inbox.done);
            resolve(&mut inbox.failed);
        }
    }

    fn validate(&self) -> Result<(), String> {
        if !self.log.level.split(',').all(is_log_directive) {
            return Err(format!(
                "log.level {:?} is none; take error, warn, info, debug or trace, or a filter such as \"info,faircopy::inbox=debug\"",
                self.log.level
            ));
        }
        self.publish.options().map(drop)?;
        self.otlp.validate()?;
        let mut names = BTreeSet::new();
        for inbox in &self.inbox {
            if !names.insert(&inbox.name) {
                return Err(format!(
                    "two [[inbox]] tables have the name {:?}; names tell sources apart, give each its own",
                    inbox.name
                ));
            }
            if matches!(inbox.name.as_str(), "" | "add" | "stdin") || inbox.name.contains('/') {
                return Err(format!(
                    "[[inbox]] name {:?} cannot be used; take a word without a slash other than add and stdin",
                    inbox.name
                ));
            }
        }
        for (name, path) in [("keys", &self.archive.keys), ("state", &self.archive.state)] {
            if path.starts_with(&self.archive.dir) {
                return Err(format!(
                    "archive.{name} lies inside archive.dir; keys and state must survive the loss of the archive, put them beside it"
                ));
            }
        }
        Ok(())
    }
}

/// `LEVEL` or `module=LEVEL`: less than a filter could say, but a misspelt level is no module of that name.
fn is_log_directive(text: &str) -> bool {
    let (module, level) = text.split_once('=').unwrap_or(("all", text));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    !module.is_empty()
        && module.chars().all(is_name)
        && ["off", "error", "warn", "info", "debug", "trace"].contains(&level)
}

/// What toml says, with the line: `line 7, key "settle": ...`.
fn describe(error: &toml::de::Error, text: &str) -> String {
    let Some(span) = error.span() else {
        return error.message().to_owned();
    };
    let before = &text[..span.start.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let source = text.lines().nth(line - 1).unwrap_or_default().trim();
    format!("line {line}, `{source}`: {}", error.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_file_says_what_the_defaults_are() {
        let documented: Config = toml::from_str(TEMPLATE).expect("template parses");
        assert_eq!(documented, Config::default());
    }

    #[test]
    fn relative_paths_resolve_against_the_file() {
        let config = Config::parse(
            "[archive]\ndir = 'a'",
            Path::new("/etc/faircopy/faircopy.toml"),
        )
        .expect("valid");
        assert_eq!(config.archive.dir, Path::new("/etc/faircopy/a"));
        assert_eq!(config.inbox[0].path, Path::new("/etc/faircopy/inbox"));
    }

    #[test]
    fn errors_name_file_line_and_key() {
        let text = "[archive]\ndir = 'a'\n\n[daemon]\nworkesr = 3\n";
        let error = Config::parse(text, Path::new("/x/faircopy.toml")).expect_err("unknown key");
        let message = error.to_string();
        for part in ["/x/faircopy.toml", "line 5", "workesr"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn two_inboxes_of_one_name_and_keys_inside_the_archive_are_refused() {
        let file = Path::new("/x/faircopy.toml");
        let twice = "[[inbox]]\nname = 'a'\npath = 'b'\n[[inbox]]\nname = 'a'\npath = 'c'\n";
        assert!(Config::parse(twice, file).is_err());
        assert!(Config::parse("[archive]\nkeys = 'archive/keys'\n", file).is_err());
    }

    #[test]
    fn a_misspelt_level_of_the_log_is_refused() {
        let file = Path::new("/x/faircopy.toml");
        let parse = |level: &str| Config::parse(&format!("[log]\nlevel = {level:?}\n"), file);
        for good in ["debug", "warn,faircopy::inbox=trace", "off"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["loud", "", "info,", "faircopy=loud", "=info", "DEBUG x"] {
            let error = parse(bad).expect_err(bad).to_string();
            assert!(error.contains("log.level"), "{error}");
        }
    }
}
