//! How requests arrive here, and what of that does not fit the configuration: what the proxy in front is to be told, or
//! which line to change.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::uri::Authority;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::{BaseUrl, Config};

/// How far apart the same misfit is logged: every sign-in could say it.
const APART: SignedDuration = SignedDuration::from_hours(1);

/// What a request says of the way that it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The path that was asked for.
    pub path: String,
    /// `Host`.
    pub host: String,
    /// `X-Forwarded-Host`.
    pub forwarded_host: Option<String>,
    /// `X-Forwarded-Proto`.
    pub forwarded_proto: Option<String>,
    /// Whether it says for whom it was forwarded, by `X-Forwarded-For` or `Forwarded`.
    pub forwarded_for: bool,
    /// Who connected; nobody over a Unix socket.
    pub peer: Option<IpAddr>,
}

/// What does not fit. [`Display`](fmt::Display) is for whoever runs the site: what it is, and what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It came to another host than people are told to come to.
    AnotherHost {
        /// `Host`.
        came: String,
        /// The base URL.
        ours: String,
        /// What the base URL would be if that host is the right one.
        right: String,
    },
    /// The base URL is https, and the browser did not come by it.
    NotHttps {
        /// By what it came.
        by: String,
        /// The base URL.
        ours: String,
    },
    /// The base URL is http, and the browser came by https.
    HttpBehindHttps {
        /// The base URL.
        ours: String,
        /// What it should be.
        right: String,
    },
    /// It says for whom it was forwarded, and who connected is not one of `THOUGHTS_TRUSTED_PROXIES`.
    Untrusted {
        /// Who connected.
        proxy: Option<IpAddr>,
    },
}

impl Misfit {
    /// A label for the log.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::AnotherHost { .. } => "another_host",
            Self::NotHttps { .. } => "not_https",
            Self::HttpBehindHttps { .. } => "http_behind_https",
            Self::Untrusted { .. } => "proxy_not_trusted",
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnotherHost { came, ours, right } => write!(
                f,
                "requests arrive for the host `{came}`, and THOUGHTS_BASE_URL is {ours}. Let the proxy pass `Host` on as \
                 it came (nginx: `proxy_set_header Host $host;`), or, if people come by that address, set \
                 THOUGHTS_BASE_URL={right}"
            ),
            Self::NotHttps { by, ours } => write!(
                f,
                "the proxy says that people come by {by}, and THOUGHTS_BASE_URL is {ours}: a cookie for https is not sent \
                 there. Let the proxy send people to https"
            ),
            Self::HttpBehindHttps { ours, right } => write!(
                f,
                "the proxy says that people come by https, and THOUGHTS_BASE_URL is {ours}. Set THOUGHTS_BASE_URL={right}"
            ),
            Self::Untrusted { proxy } => {
                let proxy = proxy.map_or_else(|| "127.0.0.1".to_owned(), |proxy| proxy.to_string());
                write!(
                    f,
                    "a proxy at {proxy} says for whom it asks, and is not believed: the list of sessions shows its address \
                     in place of people's. Set THOUGHTS_TRUSTED_PROXIES={proxy}"
                )
            }
        }
    }
}

impl Arrival {
    /// What does not fit, the gravest first. Where a proxy says which host the browser came to, that counts.
    pub fn misfits(&self, config: &Config) -> Vec<Misfit> {
        let (base, ours) = (&config.base_url, config.base_url.to_string());
        let mut found = Vec::new();
        let by = self.forwarded_proto.as_deref().map(|by| by.split(',').next().unwrap_or_default().trim());
        let https = by.map_or(base.is_https(), |by| by == "https");
        let scheme = if https { "https" } else { "http" };
        let came = self.forwarded_host.as_deref().unwrap_or(&self.host);
        let right = format!("{scheme}://{came}{}", base.path());
        let hosts = [Some(self.host.as_str()), self.forwarded_host.as_deref()];
        if !hosts.into_iter().flatten().any(|host| is_of(host, base)) {
            found.push(Misfit::AnotherHost { came: came.to_owned(), ours: ours.clone(), right });
        } else if https && !base.is_https() {
            found.push(Misfit::HttpBehindHttps { ours: ours.clone(), right });
        }
        if base.is_https() && !https {
            found.push(Misfit::NotHttps { by: by.unwrap_or_default().to_owned(), ours });
        }
        let trusted = match &self.peer {
            Some(peer) => config.trusted_proxies.iter().any(|net| net.contains(peer)),
            None => !config.trusted_proxies.is_empty(),
        };
        if self.forwarded_for && !trusted {
            found.push(Misfit::Untrusted { proxy: self.peer });
        }
        found
    }
}

/// Whether this is the host of the base URL. Some proxies leave its port out.
fn is_of(host: &str, base: &BaseUrl) -> bool {
    host.parse::<Authority>().is_ok_and(|host| {
        host.host().eq_ignore_ascii_case(base.host()) && host.port_u16().is_none_or(|port| port == base.port())
    })
}

/// When each kind of misfit was logged last.
#[derive(Default)]
pub struct Arrivals(Mutex<BTreeMap<&'static str, Timestamp>>);

impl Arrivals {
    /// Logs what does not fit, each kind once an hour.
    pub fn tell(&self, misfits: &[Misfit], now: Timestamp) {
        for misfit in misfits {
            let cause = misfit.cause();
            let mut told = self.told();
            if told.get(cause).is_none_or(|then| now.duration_since(*then).abs() >= APART) {
                told.insert(cause, now);
                tracing::warn!(cause, "what arrives does not fit the configuration: {misfit}");
            }
        }
    }

    fn told(&self) -> MutexGuard<'_, BTreeMap<&'static str, Timestamp>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    fn causes(base_url: &str, trusted: Option<&str>, arrival: &Arrival) -> Vec<&'static str> {
        let mut sources = Sources::default().with("THOUGHTS_BASE_URL", base_url);
        if let Some(trusted) = trusted {
            sources = sources.with("THOUGHTS_TRUSTED_PROXIES", trusted);
        }
        let config = Config::load(&sources).unwrap();
        arrival.misfits(&config).iter().map(Misfit::cause).collect()
    }

    fn arrival(host: &str, proto: Option<&str>) -> Arrival {
        Arrival { host: host.to_owned(), forwarded_proto: proto.map(str::to_owned), ..Arrival::default() }
    }

    #[test]
    fn what_fits_is_nothing_to_tell() {
        for (base_url, arrival) in [
            ("http://localhost:3000", arrival("localhost:3000", None)),
            ("https://example.org", arrival("Example.org", Some("https"))),
            ("https://example.org", arrival("example.org:443", None)),
            ("https://example.org:8443", arrival("example.org", Some("https, http"))),
            ("https://[2001:db8::1]", arrival("[2001:db8::1]", None)),
            (
                "https://example.org",
                Arrival { forwarded_host: Some("example.org".to_owned()), ..arrival("127.0.0.1:3000", Some("https")) },
            ),
        ] {
            assert_eq!(causes(base_url, None, &arrival), [""; 0], "{base_url} {arrival:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (base_url, arrival, cause) in [
            ("http://localhost:3000", arrival("127.0.0.1:3000", None), "another_host"),
            ("https://example.org", arrival("example.org:8443", None), "another_host"),
            ("https://example.org", arrival("example.org", Some("http")), "not_https"),
            ("http://localhost:3000", arrival("localhost:3000", Some("https")), "http_behind_https"),
        ] {
            assert_eq!(causes(base_url, None, &arrival), [cause], "{base_url} {arrival:?}");
        }
    }

    #[test]
    fn a_proxy_is_believed_where_the_configuration_names_it() {
        let by = Arrival { forwarded_for: true, peer: "10.0.0.1".parse().ok(), ..arrival("localhost:3000", None) };
        assert_eq!(causes("http://localhost:3000", None, &by), ["proxy_not_trusted"]);
        assert_eq!(causes("http://localhost:3000", Some("10.0.0.0/8"), &by), [""; 0]);
        let by_socket = Arrival { peer: None, ..by };
        assert_eq!(causes("http://localhost:3000", None, &by_socket), ["proxy_not_trusted"]);
        assert_eq!(causes("http://localhost:3000", Some("127.0.0.1"), &by_socket), [""; 0]);
    }

    #[test]
    fn the_line_to_change_is_whole() {
        let config = Config::load(&Sources::default().with("THOUGHTS_BASE_URL", "http://localhost:3000/t")).unwrap();
        let misfits = arrival("thoughts.example", Some("https")).misfits(&config);
        assert!(misfits[0].to_string().ends_with("set THOUGHTS_BASE_URL=https://thoughts.example/t"), "{}", misfits[0]);
    }
}
