//! HTTP/1.1 on a socket: takes connections, hands their requests to an endpoint, and stops without breaking off what is
//! under way. The site, the metrics, the control socket and the demo's provider are all served by this.
//!
//! Poem's own server is not used. A stream of events is a connection that stays, and so is every browser that may come
//! back: what is kept for each, and how long one that says nothing is waited for, are decided here.

mod connection;
mod due;
mod endless;
mod idle;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use poem::endpoint::DynEndpoint;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, EndpointExt as _, Response};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::endless::Endless;

use self::connection::Connection;

/// How long nothing more is accepted where the system has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(100);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a connection may do nothing, and a request's head may take to arrive, before it is closed.
    pub idle: Duration,
    /// How long what is under way may take once the server is to stop.
    pub finish: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        // Longer than any proxy keeps a connection that it may use again.
        Self { idle: Duration::from_secs(75), finish: Duration::from_secs(10) }
    }
}

/// What is listened on.
#[derive(Debug)]
pub enum Listener {
    /// An address and a port.
    Tcp(TcpListener),
    /// A socket in the file system.
    Unix(UnixListener),
}

impl Listener {
    /// Listens on an address and a port.
    ///
    /// # Errors
    /// The system's.
    pub async fn tcp(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::Tcp(TcpListener::bind(address).await?))
    }

    /// Takes over what listens already.
    ///
    /// # Errors
    /// The system's.
    pub fn of(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self::Tcp(TcpListener::from_std(listener)?))
    }

    /// Listens on a socket that is made at `path`.
    ///
    /// # Errors
    /// The system's.
    pub fn unix(path: &Path) -> io::Result<Self> {
        Ok(Self::Unix(UnixListener::bind(path)?))
    }

    /// Takes the next connection.
    async fn accept(&self) -> io::Result<(Stream, Ends)> {
        Ok(match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // An event is small and comes alone.
                stream.set_nodelay(true)?;
                let ends = (LocalAddr(stream.local_addr()?.into()), RemoteAddr(peer.into()));
                (Stream::Tcp(stream), ends)
            }
            Self::Unix(listener) => {
                let (stream, peer) = listener.accept().await?;
                let ends = (LocalAddr(stream.local_addr()?.into()), RemoteAddr(peer.into()));
                (Stream::Unix(stream), ends)
            }
        })
    }
}

/// A connection that was taken.
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Where its two ends are.
type Ends = (LocalAddr, RemoteAddr);

/// Serves `endpoint` until `stop` is done; then takes no more connections, and lets what is under way be answered.
pub async fn serve<E>(listener: Listener, endpoint: E, patience: Patience, stop: impl Future<Output = ()>)
where
    E: Endpoint<Output = Response> + 'static,
{
    let stopping = CancellationToken::new();
    let endpoint = Site::from(endpoint.boxed());
    let connection = Connection { endpoint, idle: patience.idle, stopping: stopping.clone() };
    // When this is dropped, so are they.
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            // Those that have ended are let go of.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((Stream::Tcp(stream), ends)) => drop(connections.spawn(connection.clone().serve(stream, ends))),
                Ok((Stream::Unix(stream), ends)) => drop(connections.spawn(connection.clone().serve(stream, ends))),
                Err(error) => no_room(&error).await,
            }
        }
    }
    drop(listener);
    stopping.cancel();
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(patience.finish, finished).await.is_err() {
        tracing::warn!(connections = connections.len(), "what was not done in time is broken off");
    }
}

/// A connection that was gone before it was taken is nobody's loss. Where there are too many, more can be taken when some
/// have ended. Source: accept(2), "Error handling".
async fn no_room(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput | NotConnected) {
        tracing::error!(%error, "no connection can be taken");
        tokio::time::sleep(NO_ROOM).await;
    }
}

/// What every connection is served by.
type Site = Arc<dyn DynEndpoint<Output = Response>>;

#[cfg(test)]
mod tests;
