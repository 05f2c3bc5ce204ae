//! What goes round every request, in this order: its name, the log line, the security headers, the cookies.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::HeaderName;
use http::{HeaderValue, StatusCode};
use poem::{Endpoint, Request, Response};
use tracing::Instrument as _;

use super::arrival;
use super::mount::Pattern;
use super::request::RequestId;
use super::security_headers;
use crate::app::{App, Mark};
use crate::clock::random;

/// Bytes that the headers of a request may have in all: no browser of ours sends a quarter of it.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// The outermost endpoint.
pub struct Outer<E> {
    /// The program.
    pub app: Arc<App>,
    /// The site, behind its cookies.
    pub inner: E,
}

impl<E: Endpoint<Output = Response>> Endpoint for Outer<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let id = BASE64_URL_SAFE_NO_PAD.encode(random::<9>());
        request.extensions_mut().insert(RequestId(id.clone()));
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let arrived = arrival::answer(&self.app, &request);
        let span = tracing::error_span!("request", id);
        let mut response = self.answer(request).instrument(span.clone()).await;
        let took = started.elapsed();
        let (status, micros) = (response.status().as_u16(), took.as_micros());
        // What goes well is the proxy's to log; a line for each would cost as much as the page.
        span.in_scope(|| {
            if status < 400 {
                tracing::debug!(%method, path = uri.path(), status, micros, "answered");
            } else {
                tracing::info!(%method, path = uri.path(), status, micros, "answered");
            }
        });
        let route = response.extensions().get().map(|Pattern(path)| *path);
        self.app.telemetry.request(&method, route, status, took);
        let not_modified = response.status() == StatusCode::NOT_MODIFIED;
        let headers = response.headers_mut();
        security_headers::add(headers, self.app.config.base_url.is_https(), not_modified);
        if let Some(arrived) = arrived {
            headers.insert(HeaderName::from_static(Mark::ANSWER), arrived);
        }
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
        Ok(response)
    }
}

impl<E: Endpoint<Output = Response>> Outer<E> {
    /// The inner answer. What is refused, and what breaks, is answered by the guard within, which knows for whom.
    async fn answer(&self, request: Request) -> Response {
        let bytes: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if bytes > MAX_HEADER_BYTES {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Response::builder()
                .status(status)
                .body("The request's headers are too large. Clear this site's cookies.");
        }
        self.inner.get_response(request).await
    }
}
