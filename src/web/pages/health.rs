//! What a supervisor asks: is it alive, can it serve.

use http::StatusCode;
use poem::{Response, handler};

use crate::web::access::Visitor;

/// `GET /healthz`: alive.
#[handler]
pub fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: able to serve, which is that the store answers.
#[handler]
pub async fn readyz(visitor: Visitor) -> Response {
    match visitor.app.store.ping().await {
        Ok(()) => Response::builder().content_type("text/plain; charset=utf-8").body("ok\n"),
        Err(error) => {
            tracing::error!(%error, "not ready");
            Response::builder()
                .status(StatusCode::SERVICE_UNAVAILABLE)
                .content_type("text/plain; charset=utf-8")
                .header("retry-after", "5")
                .body("the store does not answer\n")
        }
    }
}
