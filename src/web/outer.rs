//! What goes round every request, in this order: its name, the log line, the security headers, the cookies.

use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use http::header::HeaderName;
use http::{HeaderValue, StatusCode};
use poem::{Endpoint, Request, Response};

use super::arrival;
use super::security_headers;
use crate::app::{App, Mark};
use crate::clock::random;
use crate::telemetry::{RequestId, Route};

/// Bytes that the headers of a request may have in all: no browser of ours sends a quarter of it.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// The outermost endpoint.
pub struct Outer<E> {
    /// The program.
    pub app: Arc<App>,
    /// What counts the requests that are refused here.
    pub no_route: Arc<Route>,
    /// The site, behind its cookies.
    pub inner: E,
}

impl<E: Endpoint<Output = Response>> Endpoint for Outer<E> {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = poem::Result<Response>> + Send {
        let started = Instant::now();
        let id = RequestId::new(random());
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let arrived = arrival::answer(&self.app, &request);
        // What is refused further in, and what breaks, is answered by the guard, which knows for whom.
        let answering = match too_large(&request) {
            Some(refusal) => {
                self.no_route.answered(&method, refusal.status(), started.elapsed());
                ready(Ok(refusal)).left_future()
            }
            None => id.at(|| self.inner.call(request)).right_future(),
        };
        async move {
            let answer = id.throughout(answering).await;
            let mut response = answer.unwrap_or_else(poem::Error::into_response);
            let status = response.status().as_u16();
            // What goes well is the proxy's to log; a line for each would cost as much as the page.
            id.at(|| {
                let micros = || started.elapsed().as_micros();
                if status < 400 {
                    tracing::debug!(%method, path = uri.path(), status, micros = micros(), "answered");
                } else {
                    tracing::info!(%method, path = uri.path(), status, micros = micros(), "answered");
                }
            });
            let not_modified = response.status() == StatusCode::NOT_MODIFIED;
            let headers = response.headers_mut();
            security_headers::add(headers, self.app.config.base_url.is_https(), not_modified);
            if let Some(arrived) = arrived {
                headers.insert(HeaderName::from_static(Mark::ANSWER), arrived);
            }
            if let Ok(id) = HeaderValue::from_str(id.as_str()) {
                headers.insert(HeaderName::from_static("x-request-id"), id);
            }
            Ok(response)
        }
    }
}

/// The answer to a request whose headers are too many, or too long.
fn too_large(request: &Request) -> Option<Response> {
    let bytes: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    (bytes > MAX_HEADER_BYTES).then(|| {
        Response::builder()
            .status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
            .body("The request's headers are too large. Clear this site's cookies.")
    })
}
