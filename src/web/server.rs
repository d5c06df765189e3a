//! Connections: so many at once, none for ever, and none that says nothing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// So many connections are open at once; others wait to be accepted.
const CONNECTIONS_MAX: usize = 128;
/// Who opened a connection has so long to ask, and to ask again.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// No connection lasts longer, however slowly an answer is read.
const CONNECTION_LIFE: Duration = Duration::from_secs(30 * 60);
/// The head of a request is short.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// After this long a connection that is in the middle of an answer is cut off when all is to end.
const GRACE: Duration = Duration::from_secs(5);

/// Where connections come in.
#[derive(Debug)]
pub enum Listener {
    /// From the network, or this machine alone.
    Tcp(std::net::TcpListener),
    /// By a file.
    Unix(std::os::unix::net::UnixListener),
}

impl Listener {
    /// Listens at an address.
    pub fn bind(address: SocketAddr) -> io::Result<Listener> {
        std::net::TcpListener::bind(address).map(Listener::Tcp)
    }

    /// The address; a Unix socket has none.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            Listener::Unix(_) => None,
        }
    }
}

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A listener that is waited for without a thread.
enum Accepting {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Accepting {
    fn new(listener: Listener) -> io::Result<Accepting> {
        Ok(match listener {
            Listener::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Accepting::Tcp(TcpListener::from_std(listener)?)
            }
            Listener::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Accepting::Unix(UnixListener::from_std(listener)?)
            }
        })
    }

    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Accepting::Tcp(listener) => Box::new(listener.accept().await?.0),
            Accepting::Unix(listener) => Box::new(listener.accept().await?.0),
        })
    }
}

/// Answers at `listener` until it is told to stop.
pub async fn serve(
    listener: Listener,
    router: Router,
    stopping: CancellationToken,
) -> io::Result<()> {
    let listener = Accepting::new(listener)?;
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => break,
        };
        match accepted {
            Ok(stream) => {
                let conversation = converse(stream, router.clone(), permit, stopping.clone());
                drop(tokio::spawn(conversation));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection to the pages");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    // Those that are open end by themselves, or not in time.
    let all = room.acquire_many(CONNECTIONS_MAX as u32);
    drop(tokio::time::timeout(GRACE, all).await);
    Ok(())
}

async fn converse(
    stream: Box<dyn Stream>,
    router: Router,
    _permit: OwnedSemaphorePermit,
    stopping: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(HEAD_BYTES_MAX);
    let service = TowerToHyperService::new(router);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::time::timeout(CONNECTION_LIFE, async {
        tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    });
    if let Ok(Err(error)) = ended.await {
        tracing::debug!(%error, "a connection to the pages broke off");
    }
}
