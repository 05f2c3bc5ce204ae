//! What a request says of the way that it came.

use poem::Request;

use super::request::text;
use crate::app::{Arrival, Arrivals};
use crate::paths::HEALTHZ;

/// Bytes that a mark may have.
const MARK_BYTES: usize = 64;

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

/// The mark of a request that `thoughts check` sent to see how it arrives. Whether the path is whole is part of that.
pub fn mark(request: &Request) -> Option<&str> {
    let uri = request.uri();
    let mark = uri.query()?.strip_prefix(Arrivals::MARK)?;
    (uri.path().ends_with(HEALTHZ) && mark.len() <= MARK_BYTES).then_some(mark)
}
