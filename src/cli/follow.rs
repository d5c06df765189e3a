//! `faircopy follow`

use std::time::Duration;

use anyhow::Context;
use faircopy::archive::catalog::Catalog;
use faircopy::archive::reader::Archive;
use jiff::Timestamp;

use super::audit::Told;
use super::{Exit, Global, reference, setup};

/// Print what happens in the archive, as it happens, for other programs to go on with
///
/// Each event of the log is a line, as `audit` tells it: new captures with what they changed, declarations, decisions, erasures. Without
/// an option it begins with what happens from now on. It reads the archive, with or without a daemon, and ends with the first
/// event that nobody reads any more. Whoever remembers the last `leaf` goes on behind it with --after, and misses nothing.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy follow\n  faircopy follow --json | jq -r 'select(.change == \"story\") | .doc' | while read doc; do faircopy diff \"$doc\"; done\n  faircopy follow --json --after 4711 | ./to-the-newsroom"
)]
pub(crate) struct Args {
    /// Begin with what happened from this day or time on
    #[arg(long, value_name = "TIME", value_parser = reference::parse_since, conflicts_with = "after")]
    since: Option<Timestamp>,
    /// Begin behind this leaf of the log
    #[arg(long, value_name = "LEAF")]
    after: Option<u64>,
}

/// Short against a person's patience, and four questions of some microseconds in a second.
const LOOK: Duration = Duration::from_millis(250);
/// So many leaves are asked for at once.
const LEAVES: u64 = 4096;

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let dir = setup::archive_paths(global)?.dir;
    let open = || Archive::open(&dir).context("cannot open the archive");
    let mut catalog = inode(&dir);
    let mut archive = open()?;
    let mut next = match (args.since, args.after) {
        (Some(since), _) => archive.leaf_at(since)?,
        (_, Some(leaf)) => leaf + 1,
        _ => archive.leaf_count()?,
    };
    loop {
        let told = Told::everything(global, &archive);
        let leaves = archive.leaf_count()?;
        while next < leaves {
            let rows = archive.history(next..leaves.min(next + LEAVES))?;
            next = leaves.min(next + LEAVES);
            for row in rows {
                told.leaf(&row)?;
            }
        }
        std::thread::sleep(LOOK);
        // One that was made anew is another file, and this one is not written to any more.
        let now = inode(&dir);
        if now.is_some() && now != catalog {
            (catalog, archive) = (now, open()?);
        }
    }
}

fn inode(archive: &std::path::Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(Catalog::path_in(archive)).ok()?;
    Some((metadata.dev(), metadata.ino()))
}
