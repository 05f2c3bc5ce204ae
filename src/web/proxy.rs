//! The address that a request comes from: the peer's, or what a proxy says that is named in the configuration.

use std::net::IpAddr;

use http::header::{FORWARDED, HeaderMap};
use poem::Request;

use crate::app::App;

/// The address of the person's browser, as far as it can be known. What `X-Forwarded-For` or `Forwarded` say is
/// believed from the right, as long as each hop is one of `THOUGHTS_TRUSTED_PROXIES` and says an address.
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
    for hop in hops(request.headers()).into_iter().rev().map_while(|hop| hop) {
        client = Some(hop);
        if !trusted(&hop) {
            break;
        }
    }
    client
}

/// The chain that the proxies noted, the browser first; `None` where one noted something else than an address.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines =
        |name| headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    // Most proxies note it here, and hand a browser's own `Forwarded` through as it came.
    if headers.contains_key(FORWARDED_FOR) {
        return lines(FORWARDED_FOR).map(|node| address(node.trim())).collect();
    }
    lines(FORWARDED.as_str())
        .map(|element| {
            let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
            let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
            address(node.trim().trim_matches('"'))
        })
        .collect()
}

const FORWARDED_FOR: &str = "x-forwarded-for";

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
    fn every_line_of_the_header_counts_and_what_is_no_address_is_none() {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, "192.0.2.1, unknown".parse().unwrap());
        headers.append(FORWARDED_FOR, "192.0.2.2".parse().unwrap());
        let read: Vec<_> = hops(&headers).into_iter().map(|hop| hop.map(|hop| hop.to_string())).collect();
        assert_eq!(read, [Some("192.0.2.1".to_owned()), None, Some("192.0.2.2".to_owned())]);
    }

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
