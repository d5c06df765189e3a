//! `faircopy run`

use std::path::PathBuf;

use faircopy::config::{Config, FILE_NAME};
use faircopy::service;

use super::{Exit, Global, Usage, init, logging, output, setup};

/// Run the daemon in the foreground
///
/// Watches the inboxes of the configuration and archives what is dropped there, until SIGTERM or Ctrl-C; SIGHUP or
/// `faircopy reload` read the configuration again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy run --init demo\n  faircopy --config /etc/faircopy/faircopy.toml run"
)]
pub(crate) struct Args {
    /// First make DIR with archive, inbox and configuration, unless they are there
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    init: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let mut global = global.clone();
    if let Some(folder) = &args.init {
        if global.archive.is_some() {
            return Err(Usage("give --init or --archive, not both").into());
        }
        global.config = Some(init_unless_there(&global, folder)?);
    }
    let config = setup::load_config(&global)?;
    let level = logging::start(&global, &config.log);
    let options = global.clone();
    let on_reload = Box::new(move |config: &Config| {
        // Fails only if the log itself is gone.
        drop(level.reload(logging::filter(&options, &config.log)));
    });
    let reread =
        Box::new(move || setup::load_config(&global).map_err(|error| format!("{error:#}")));
    service::run(config, reread, on_reload)?;
    Ok(Exit::Good)
}

fn init_unless_there(global: &Global, folder: &std::path::Path) -> anyhow::Result<PathBuf> {
    let file = setup::absolute(folder).join(FILE_NAME);
    if !file.is_file() {
        let config = init::make_folder(folder)?;
        let inbox = config
            .inbox
            .first()
            .map(|inbox| inbox.path.display().to_string());
        output::note(
            global,
            &format!(
                "made {}\ndrop files into {}, then: faircopy --config {} ls",
                folder.display(),
                inbox.unwrap_or_default(),
                folder.join(FILE_NAME).display()
            ),
        );
    }
    Ok(file)
}
