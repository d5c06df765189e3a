//! `faircopy web`

use std::net::SocketAddr;

use anyhow::Context;
use faircopy::archive::reader::Archive;
use faircopy::web::figures::Figures;
use faircopy::web::server::{Listener, serve};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Exit, Global, output, setup};

/// Serve the audit pages: what is in the archive and why, in a browser; read only
///
/// Documents with their versions, what changed between any two, and what was removed by which rule; the same as JSON under
/// /api/v1, a feed of new versions, and figures for Prometheus under /metrics. Works with and without a daemon. Other
/// machines reach it only at an address of the network, which needs a token: see [web] in the configuration. A socket that
/// systemd hands in is taken instead of an address.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy web\n  faircopy --archive /mnt/copy/archive web --listen 127.0.0.1:9000"
)]
pub(crate) struct Args {
    /// Listen there [default: web.listen, 127.0.0.1:8437]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    // A wrong name is told now rather than to whoever opens the first page.
    drop(Archive::open(&config.archive.dir).context("cannot open the archive")?);
    let address = args.listen.unwrap_or(config.web.listen);
    let listener = match handed_in()? {
        Some(listener) => listener,
        None => Listener::bind(address)
            .with_context(|| format!("cannot listen at {address}; --listen names another"))?,
    };
    let address = listener.address();
    let figures = Figures::new(&config);
    let router = faircopy::web::router(config, figures, &listener)?;
    if let Some(address) = address {
        output::note(global, &format!("the pages are at http://{address}/"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        let stopping = CancellationToken::new();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = stopping.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stop.cancel();
        });
        serve(listener, router, stopping).await
    })?;
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    Ok(Exit::Good)
}

/// The socket that systemd listens at (sd_listen_fds(3)), of either kind.
fn handed_in() -> anyhow::Result<Option<Listener>> {
    let mut handed = listenfd::ListenFd::from_env();
    if handed.len() == 0 {
        return Ok(None);
    }
    if let Ok(Some(listener)) = handed.take_tcp_listener(0) {
        return Ok(Some(Listener::Tcp(listener)));
    }
    let listener = handed.take_unix_listener(0);
    let listener = listener.context("what systemd handed in is no socket that listens; it takes a unit like faircopy-web.socket")?;
    Ok(listener.map(Listener::Unix))
}
