//! One connection: its requests go to the endpoint, one after the other.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use http::uri::Scheme;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use poem::error::InternalServerError;
use poem::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::due::Heads;
use super::endless::{self, Endless};
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
    pub(super) async fn serve<S>(self, stream: S, ends: Ends)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if let Err(error) = self.answers(stream, ends).await {
            // What a browser does to its connection is its affair.
            tracing::debug!(%error, "a connection ended");
        }
    }

    /// Answers its requests, and goes on with the answer that takes it, if one does.
    async fn answers<S>(self, stream: S, ends: Ends) -> Result<(), Box<dyn Error + Send + Sync>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Boxed, so that an answer that stays keeps no place for hyper.
        if let Some((stream, answer)) = boxed(self.requests(stream, ends)).await? {
            boxed(endless::send(stream, answer)).await?;
        }
        Ok(())
    }

    /// Answers one request after the other; gives the connection away where an answer is to have it.
    async fn requests<S>(self, stream: S, (local, remote): Ends) -> hyper::Result<Option<(Idle<S>, Response)>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { endpoint, idle, stopping } = self;
        let taken = Arc::new(Mutex::new(None));
        let take = taken.clone();
        let service = service_fn(move |request: http::Request<Incoming>| {
            let request = Request::from((request, local.clone(), remote.clone(), Scheme::HTTP));
            let (endpoint, take) = (endpoint.clone(), take.clone());
            boxed(async move {
                let answering = if request.method().is_safe() {
                    endpoint.call(request)
                } else {
                    to_its_end(endpoint.clone(), request).boxed()
                };
                let answer = answering.await.unwrap_or_else(poem::Error::into_response);
                if answer.extensions().get::<Endless>().is_some() {
                    *held(&take) = Some(answer);
                    // hyper is not to wait for it any more: it is let go of.
                    return pending().await;
                }
                Ok::<http::Response<_>, Infallible>(answer.into())
            })
        });
        let mut builder = http1::Builder::new();
        builder.timer(Heads::within(idle)).header_read_timeout(idle);
        let mut connection = builder.serve_connection(TokioIo::new(Idle::new(stream, idle)), service);
        let mut stopped = pin!(stopping.cancelled().fuse());
        let answer = poll_fn(|context| {
            if stopped.as_mut().poll(context).is_ready() {
                Pin::new(&mut connection).graceful_shutdown();
            }
            let ended = Pin::new(&mut connection).poll(context);
            match held(&taken).take() {
                Some(answer) => Poll::Ready(Ok(Some(answer))),
                None => ended.map_ok(|()| None),
            }
        })
        .await?;
        Ok(answer.map(|answer| (connection.into_parts().io.into_inner(), answer)))
    }
}

/// Answers a request that may change something, in a task of its own: hyper lets go of an answer when whoever asked is gone,
/// and what was begun then would be done by half. A thought would be stored, and no open page told of it.
async fn to_its_end(endpoint: Site, request: Request) -> poem::Result<Response> {
    let answering = tokio::spawn(async move { endpoint.call(request).await });
    answering.await.unwrap_or_else(|error| Err(InternalServerError(error)))
}

/// The answer that has taken the connection, if one has.
fn held(taken: &Mutex<Option<Response>>) -> MutexGuard<'_, Option<Response>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer in the making, boxed, so that a connection that waits for its next request keeps no place for one.
fn boxed<F: Future + Send + 'static>(answer: F) -> Pin<Box<dyn Future<Output = F::Output> + Send>> {
    Box::pin(answer)
}
