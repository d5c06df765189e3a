//! `faircopy compact`

use std::sync::Arc;

use faircopy::config::Config;
use faircopy::control::{Answer, Compacted, Request};
use faircopy::gauge::Gauge;
use jiff::Timestamp;

use super::progress::{Progress, Unit};
use super::writing::{self, Writer};
use super::{Exit, Global, output, setup};

/// Pack full segments anew, so that versions of one document share what they have in common
///
/// Every record is read back from the new segments and compared before an old one is deleted; interrupting it at any point
/// loses nothing. A segment with damage in it is left as it is. The daemon does this by
/// itself after `archive.compact_after` without intake.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  faircopy compact\n  faircopy compact --all --json")]
pub(crate) struct Args {
    /// Seal the segment that is being written to, too, and begin a new one
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    let done = compact(global, &config, args.all)?;
    if global.json {
        output::json(&done)?;
    } else {
        output::note(
            global,
            &match done.replaced {
                0 => "nothing to seal".to_owned(),
                replaced => format!(
                    "sealed {replaced} segments in {}: {} records, {} bytes before, {} after",
                    done.sealed.len(),
                    done.records,
                    done.bytes_before,
                    done.bytes_after
                ),
            },
        );
    }
    for refused in &done.refused {
        let (segment, why) = (&refused.segment, &refused.why);
        output::complain(&format!("faircopy: {segment} is left as it is: {why}"));
    }
    Ok(match (done.refused.is_empty(), done.replaced) {
        (true, _) => Exit::Good,
        (false, 0) => Exit::Failed,
        (false, _) => Exit::Partly,
    })
}

/// Through the daemon if one runs.
fn compact(global: &Global, config: &Config, all: bool) -> anyhow::Result<Compacted> {
    match writing::reach(config, "cannot compact")? {
        Writer::Daemon(mut client) => match writing::ask(&mut client, &Request::Compact { all })? {
            Answer::Compacted(done) => Ok(done),
            _ => Err(writing::misunderstood()),
        },
        Writer::Here(mut writer) => {
            let gauge = Arc::new(Gauge::default());
            // Each record is read, written and compared; how many there are is not known before.
            let _progress = Progress::show(global, Unit::Things("steps"), &gauge);
            let mut step = || {
                gauge.add(1);
                true
            };
            let done = writer.compact_while(all, Timestamp::now(), &mut step)?;
            Ok(done.into())
        }
    }
}
