//! What a request says of the way that it came.

use http::HeaderValue;
use poem::Request;

use super::request::text;
use crate::app::{App, Arrival, Mark};
use crate::paths::HEALTHZ;

/// How this request arrived, wherever in the routing this is asked.
pub fn of(request: &Request) -> Arrival {
    let headers = request.headers();
    let said = |name| text(headers, name).map(str::to_owned);
    Arrival {
        path: request.original_uri().path().to_owned(),
        host: said("host").unwrap_or_default(),
        forwarded_host: said("x-forwarded-host"),
        forwarded_proto: said("x-forwarded-proto"),
        forwarded_for: headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded"),
        peer: request.remote_addr().as_socket_addr().map(std::net::SocketAddr::ip),
    }
}

/// What to answer where `thoughts check` asks how its request arrived. Whether the path is whole is part of that.
pub fn answer(app: &App, request: &Request) -> Option<HeaderValue> {
    let uri = request.uri();
    let query = uri.query().filter(|_| uri.path().ends_with(HEALTHZ))?;
    let mark = Mark::of_query(query, &app.keys, app.clock.now())?;
    HeaderValue::try_from(mark.seal(&app.keys, &of(request)).ok()?).ok()
}
