//! The address that a request comes from: the peer's, or what a proxy says that is named in the configuration.

use std::net::IpAddr;

use http::header::FORWARDED;
use poem::Request;

use super::request::text;
use crate::app::App;

/// The address of the person's browser, as far as it can be known. What `X-Forwarded-For` or `Forwarded` say is
/// believed from the right, as long as each hop is one of `THOUGHTS_TRUSTED_PROXIES`.
/// Source: RFC 7239, section 7.4.
pub fn client_address(app: &App, request: &Request) -> Option<IpAddr> {
    let trusted = |address: &IpAddr| app.config.trusted_proxies.iter().any(|net| net.contains(address));
    let peer = request.remote_addr().as_socket_addr().map(std::net::SocketAddr::ip);
    // A proxy on the other end of a Unix socket has no address, and could only be set there by the operator.
    let over_socket = peer.is_none() && !app.config.trusted_proxies.is_empty();
    if !over_socket && !peer.as_ref().is_some_and(trusted) {
        return peer;
    }
    let mut client = peer;
    for hop in hops(request).into_iter().rev() {
        client = Some(hop);
        if !trusted(&hop) {
            break;
        }
    }
    client
}

/// The chain that the proxies noted, the browser first.
fn hops(request: &Request) -> Vec<IpAddr> {
    let headers = request.headers();
    // Most proxies note it here, and hand a browser's own `Forwarded` through as it came.
    if let Some(list) = text(headers, "x-forwarded-for") {
        return list.split(',').filter_map(|node| address(node.trim())).collect();
    }
    let elements = text(headers, FORWARDED.as_str()).unwrap_or_default().split(',');
    elements
        .filter_map(|element| {
            let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
            let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
            address(node.trim().trim_matches('"'))
        })
        .collect()
}

/// An address as proxies write it: bare, with a port, in brackets.
fn address(node: &str) -> Option<IpAddr> {
    if let Ok(address) = node.parse() {
        return Some(address);
    }
    if let Ok(socket) = node.parse::<std::net::SocketAddr>() {
        return Some(socket.ip());
    }
    node.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        for (written, read) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:4711", Some("192.0.2.1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:4711", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("unknown", None),
            ("_hidden", None),
        ] {
            assert_eq!(address(written).map(|address| address.to_string()).as_deref(), read, "{written}");
        }
    }
}
