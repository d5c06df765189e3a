//! `faircopy key`

use faircopy::archive::log::reader::read_verifier;
use faircopy::archive::rotation;
use faircopy::config::Config;
use faircopy::control::{Answer, Request};
use jiff::Timestamp;
use serde_json::json;

use super::writing::{self, Writer};
use super::{Exit, Global, output, setup};

/// Change the key that signs the log, or show the keys it had
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  faircopy key show\n  faircopy key rotate")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a new signing key; checkpoints of before stay verifiable
    ///
    /// The log tells of the change, under a checkpoint that both keys sign; the proof of that lies in log/rotations. Send it to
    /// whoever has the old verifier key, and to witnesses: it makes them trust the new one. The old signing key is deleted.
    Rotate,
    /// Show the verifier keys that the log had, the one it has now last
    Show,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    match args.what {
        What::Show => show(global, &config),
        What::Rotate => {
            let (leaf, vkey) = rotate(&config)?;
            if global.json {
                output::json(&json!({"leaf": leaf, "vkey": vkey}))?;
            } else {
                output::line(&vkey)?;
                let proof = rotation::path(&config.archive_paths().log(), leaf);
                let proof = proof.display();
                output::note(
                    global,
                    &format!(
                        "send {proof} to whoever has the old key; keep a copy of the new signing key elsewhere"
                    ),
                );
            }
            Ok(Exit::Good)
        }
    }
}

fn show(global: &Global, config: &Config) -> anyhow::Result<Exit> {
    let log = config.archive_paths().log();
    let current = read_verifier(&log)?;
    let rotations = rotation::read_all(&log);
    for key in rotation::keys_until(&log, &current) {
        let since = rotations.iter().find(|rotation| rotation.new == key);
        let since = since.map_or(0, |rotation| rotation.index);
        if global.json {
            output::json(
                &json!({"vkey": key.to_string(), "since": since, "current": key == current}),
            )?;
        } else {
            output::line(&format!("{key}  from leaf {since}"))?;
        }
    }
    Ok(Exit::Good)
}

/// Through the daemon if one runs.
fn rotate(config: &Config) -> anyhow::Result<(u64, String)> {
    match writing::reach(config, "cannot change the key")? {
        Writer::Daemon(mut client) => match writing::ask(&mut client, &Request::RotateKey)? {
            Answer::Rotated { leaf, vkey } => Ok((leaf, vkey)),
            _ => Err(writing::misunderstood()),
        },
        Writer::Here(mut writer) => {
            let (leaf, vkey) = writer.rotate_key(Timestamp::now())?;
            Ok((leaf, vkey.to_string()))
        }
    }
}
