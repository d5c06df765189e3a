//! Options of the inbox: one [`Options`] for each watched folder, one [`IntakeOptions`] for all together.

use std::path::PathBuf;
use std::time::Duration;

use crate::human_duration;
use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// One watched folder: an `[[inbox]]` table of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Name of this inbox in the archive and in messages. Documents without a better identity are named by it and their path,
    /// so it should never change.
    pub name: String,
    /// The folder to watch, with all folders in it.
    pub path: PathBuf,
    /// Where archived files go, as `<date>/<claim>-<name>`. Several inboxes may share one.
    pub done: PathBuf,
    /// Where files go that cannot be archived, as `<claim>/` with a `reason.json`. Several inboxes may share one.
    pub failed: PathBuf,
    /// How long a file must stand still before it is taken. At least 10 s on network folders.
    #[serde(with = "human_duration")]
    pub settle: Duration,
    /// The same for a file that was renamed into the inbox or within it.
    #[serde(with = "human_duration")]
    pub settle_renamed: Duration,
    /// What becomes of a file once it is archived.
    pub release: Release,
    /// How long files stay in `done`; then they are deleted, if the archive holds their bytes. Without it, for ever.
    #[serde(with = "human_duration::optional")]
    pub done_keep: Option<Duration>,
    /// Names that are no articles: `*` and `?` as in a shell; a pattern with `/` inside matches the whole path below the inbox
    /// (there `**` crosses folders); a pattern that ends in `/` matches folders only.
    pub ignore: Vec<String>,
    /// How long an article waits for its sidecar `X.meta.json`; 0 takes it at once. At most 5 s.
    #[serde(with = "human_duration")]
    pub sidecar_wait: Duration,
    /// A file that must be in the folder; while it is missing the folder counts as not mounted.
    pub marker: Option<PathBuf>,
    /// How often the whole folder is scanned, whatever the watcher says. At most 5 s on network folders and without a watcher.
    #[serde(with = "human_duration")]
    pub scan_interval: Duration,
    /// Whether events are used at all.
    pub poll: Poll,
}

/// What becomes of an archived file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// It moves to the `done` folder.
    Done,
    /// It stays, and is taken again only when it changes.
    Keep,
    /// It is deleted.
    Delete,
}

/// When a folder is scanned frequently instead of watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Poll {
    /// On network folders, and where events cannot be had.
    Auto,
    /// Always.
    Always,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            name: "inbox".to_owned(),
            path: PathBuf::from("inbox"),
            done: PathBuf::from("done"),
            failed: PathBuf::from("failed"),
            settle: Duration::from_secs(2),
            settle_renamed: Duration::from_millis(100),
            release: Release::Done,
            done_keep: None,
            ignore: IGNORED.map(str::to_owned).to_vec(),
            sidecar_wait: Duration::ZERO,
            marker: None,
            scan_interval: Duration::from_secs(60),
            poll: Poll::Auto,
        }
    }
}

/// Hidden and unfinished files of browsers, FTP servers, rsync and desktops.
const IGNORED: [&str; 10] = [
    ".*",
    "*.part",
    "*.tmp",
    "*.crdownload",
    "*.filepart",
    ".~tmp~/",
    "Thumbs.db",
    "desktop.ini",
    "@eaDir/",
    "__MACOSX",
];

/// What all watched folders share: the `[intake]` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeOptions {
    /// Where intents are kept: what is in hand, so that a crash neither loses nor doubles a file.
    pub spool: PathBuf,
    /// Larger files are quarantined.
    pub file_bytes_max: ByteSize,
    /// No more bytes than this are in hand at once (but always one file).
    pub in_hand_bytes_max: ByteSize,
    /// With less free space than this for spool or archive no new files are taken.
    pub free_bytes_min: ByteSize,
    /// A file that was in hand when the process died this often is quarantined.
    pub poison_deaths_max: u32,
    /// The first wait after a transient error; it doubles each time.
    #[serde(with = "human_duration")]
    pub retry_min: Duration,
    /// The longest wait after a transient error.
    #[serde(with = "human_duration")]
    pub retry_max: Duration,
}

impl Default for IntakeOptions {
    fn default() -> IntakeOptions {
        IntakeOptions {
            spool: PathBuf::from("state/spool"),
            file_bytes_max: ByteSize::mib(64),
            in_hand_bytes_max: ByteSize::mib(32),
            free_bytes_min: ByteSize::mib(256),
            poison_deaths_max: 3,
            retry_min: Duration::from_secs(5),
            retry_max: Duration::from_secs(15 * 60),
        }
    }
}

impl IntakeOptions {
    /// The wait after the `attempts`-th transient error (from 1).
    pub(super) fn backoff(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(20);
        self.retry_min
            .saturating_mul(1 << doublings)
            .min(self.retry_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read_as_people_write_them() {
        let options: Options = toml::from_str(
            "name = 'wire'\nsettle = '1m 30s'\ndone_keep = '30d'\nrelease = 'keep'\nsidecar_wait = '0s'",
        )
        .expect("good options");
        assert_eq!(options.settle, Duration::from_secs(90));
        assert_eq!(options.done_keep, Some(Duration::from_secs(30 * 86_400)));
        assert_eq!(options.release, Release::Keep);
        let intake: IntakeOptions = toml::from_str("file_bytes_max = '5 MiB'").expect("good");
        assert_eq!(intake.file_bytes_max, ByteSize::mib(5));
        for bad in ["settle = '-1s'", "settle = 'soon'", "setle = '1s'"] {
            assert!(toml::from_str::<Options>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn options_survive_being_written_and_read_back() {
        let options = Options {
            done_keep: Some(Duration::from_secs(86_400)),
            ..Options::default()
        };
        let text = toml::to_string(&options).expect("writes");
        assert_eq!(toml::from_str::<Options>(&text).expect("reads"), options);
        let intake = IntakeOptions::default();
        let text = toml::to_string(&intake).expect("writes");
        assert_eq!(
            toml::from_str::<IntakeOptions>(&text).expect("reads"),
            intake
        );
    }

    #[test]
    fn backoff_doubles_up_to_its_limit() {
        let options = IntakeOptions::default();
        assert_eq!(options.backoff(1), Duration::from_secs(5));
        assert_eq!(options.backoff(3), Duration::from_secs(20));
        assert_eq!(options.backoff(u32::MAX), Duration::from_secs(900));
    }
}
