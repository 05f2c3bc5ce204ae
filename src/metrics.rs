//! `/metrics`, on a listener of its own: who may look at the numbers is decided by who can connect there.

use std::sync::Arc;

use http::header::ACCEPT;
use http::{Method, StatusCode};
use poem::{Endpoint, Request, Response};

use crate::app::App;
use crate::oidc::Status;
use crate::telemetry::Format;

/// Answers `GET /metrics`, and nothing else.
pub struct Metrics {
    /// The program.
    pub app: Arc<App>,
}

impl Endpoint for Metrics {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if request.uri().path() != "/metrics" {
            return Ok(bare(StatusCode::NOT_FOUND));
        }
        let format = Format::accepted(request.header(ACCEPT).unwrap_or_default());
        match *request.method() {
            Method::GET => Ok(Response::builder().content_type(format.content_type()).body(self.text(format))),
            Method::HEAD => Ok(Response::builder().content_type(format.content_type()).finish()),
            _ => Ok(bare(StatusCode::METHOD_NOT_ALLOWED)),
        }
    }
}

impl Metrics {
    fn text(&self, format: Format) -> String {
        let telemetry = &self.app.telemetry;
        telemetry.open_streams(self.app.live.streams());
        for provider in self.app.providers.all() {
            let up = match provider.oidc.status() {
                Status::Unasked => None,
                Status::Up => Some(true),
                Status::Down { .. } => Some(false),
            };
            telemetry.provider(provider.config.name.as_str(), up, provider.oidc.skew());
        }
        for (name, usage) in self.app.store.caches() {
            telemetry.cache(name, usage);
        }
        telemetry.cache("rendered", self.app.rendered.usage());
        telemetry.cache("shown", self.app.pages.usage());
        telemetry.exposition(format)
    }
}

fn bare(status: StatusCode) -> Response {
    Response::builder().status(status).finish()
}
