//! One connection: its requests go to the endpoint, one after the other.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::uri::Scheme;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::{Endpoint as _, Request};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::idle::Idle;
use super::{Ends, Site};

/// How a connection is served.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) endpoint: Site,
    /// How long it may do nothing.
    pub(super) idle: Duration,
    /// Whether the server stops.
    pub(super) stopping: CancellationToken,
}

impl Connection {
    /// Serves it until it ends, or until what is under way is answered once the server stops.
    pub(super) async fn serve<S>(self, stream: S, (local, remote): Ends)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { endpoint, idle, stopping } = self;
        let service = service_fn(move |request: http::Request<Incoming>| {
            let request = Request::from((request, local.clone(), remote.clone(), Scheme::HTTP));
            let endpoint = endpoint.clone();
            boxed(async move { Ok::<http::Response<_>, Infallible>(endpoint.get_response(request).await.into()) })
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(idle);
        let mut connection = builder.serve_connection(TokioIo::new(Idle::new(stream, idle)), service);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = stopping.cancelled() => {
                Pin::new(&mut connection).graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            // What a browser does to its connection is its affair.
            tracing::debug!(%error, "a connection ended");
        }
    }
}

/// An answer in the making, boxed, so that a connection that waits for its next request keeps no place for one.
fn boxed<F: Future + Send + 'static>(answer: F) -> Pin<Box<dyn Future<Output = F::Output> + Send>> {
    Box::pin(answer)
}
