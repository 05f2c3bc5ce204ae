//! What a supervisor asks: is it alive, can it serve.

use http::StatusCode;
use poem::{Response, handler};

use crate::actions;
use crate::web::access::Visitor;

/// `GET /healthz`: alive.
#[handler]
pub fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: able to serve, which is that the store answers. What is still being done behind that, it says as well.
#[handler]
pub async fn readyz(visitor: Visitor) -> Response {
    match actions::read::readiness(&visitor.app).await {
        Ok(indexing) => {
            // Whoever asks may see none of them: when they were shared is not said more closely.
            let rest = indexing.map_or_else(String::new, |older| {
                let day = older.strftime("%Y-%m-%d");
                format!("thoughts up to {day} are still being indexed; searching finds them and takes longer\n")
            });
            Response::builder().content_type("text/plain; charset=utf-8").body(format!("ok\n{rest}"))
        }
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
