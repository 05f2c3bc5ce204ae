//! Calls to providers: one client, no redirects, a time limit, a size limit. Bodies are never logged.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::DATE;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;

use super::error::shown;
use super::provider_error::ProviderError;
use crate::clock::Clock;

/// The most that an answer's body may have, in bytes.
const MAX_BODY: usize = 1_000_000;

/// The HTTP client of all providers. A clone is the same client.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    timeout: Duration,
}

/// The HTTP client can't be made: the system's root certificates can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client can't be made: {0}. Install the system's root certificates (`ca-certificates`)")]
pub struct HttpSetupError(String);

impl Http {
    /// How long a call to a provider may take in all, its body included.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// A client whose calls may take `timeout` in all; use [`Http::TIMEOUT`] but in a test of a slow provider.
    /// It speaks `http` and `https`, the latter with the system's root certificates.
    pub fn new(timeout: Duration) -> Result<Self, HttpSetupError> {
        let client = client(|builder| builder.redirect(Policy::none()).timeout(timeout))?;
        Ok(Self { client, timeout })
    }
}

/// An HTTP client with our name, TLS and these settings.
pub(super) fn client(
    settings: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, HttpSetupError> {
    // An error means that a provider is installed already, which is just as well.
    rustls::crypto::ring::default_provider().install_default().ok();
    let builder = reqwest::Client::builder().user_agent(concat!("Thoughts/", env!("CARGO_PKG_VERSION")));
    settings(builder).build().map_err(|error| HttpSetupError(with_sources(&error)))
}

/// One provider at the other end of [`Http`]. It can be handed to openidconnect as its client.
pub(super) struct Peer {
    http: Http,
    clock: Clock,
    skew: Mutex<Option<i64>>,
}

impl Peer {
    pub(super) fn new(http: Http, clock: Clock) -> Self {
        Self { http, clock, skew: Mutex::new(None) }
    }

    /// How many seconds the provider's clock is ahead of ours (negative: behind), by the `Date` header of its
    /// last answer.
    pub(super) fn skew(&self) -> Option<i64> {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the provider. An answer that is a redirect or a server's error is an error here, so that its body,
    /// whatever it is, is not taken for the protocol's.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ProviderError> {
        let endpoint = endpoint(request.uri());
        let response = self.exchange(request).await?;
        let status = response.status();
        if status.is_server_error() || status.is_redirection() {
            return Err(ProviderError::Status { endpoint, status: status.as_u16() });
        }
        Ok(response)
    }

    /// The same, whatever the status of the answer.
    pub(super) async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, ProviderError> {
        let endpoint = endpoint(request.uri());
        let failed = |error: &reqwest::Error| self.failure(&endpoint, error);

        let request = reqwest::Request::try_from(request).map_err(|error| failed(&error))?;
        let mut answer = self.http.client.execute(request).await.map_err(|error| failed(&error))?;
        self.measure_skew(&answer);
        let status = answer.status();
        let headers = std::mem::take(answer.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(ProviderError::TooLarge { endpoint, limit: MAX_BODY });
            }
            body.extend_from_slice(&chunk);
        }

        let mut response = HttpResponse::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn failure(&self, endpoint: &str, error: &reqwest::Error) -> ProviderError {
        let endpoint = endpoint.to_owned();
        if error.is_timeout() {
            ProviderError::Slow { endpoint, limit: self.http.timeout }
        } else if let Some(why) = of_tls(error) {
            ProviderError::Tls { endpoint, why }
        } else {
            ProviderError::Unreachable { endpoint, why: with_sources(error) }
        }
    }

    fn measure_skew(&self, answer: &reqwest::Response) {
        let date = answer.headers().get(DATE).and_then(|date| date_header(date.as_bytes()));
        if let Some(date) = date {
            let skew = date.as_second() - self.clock.now().as_second();
            *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(skew);
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Peer {
    type Error = ProviderError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ProviderError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Source: RFC 9110, 5.6.7, of which RFC 2822's format is a superset.
fn date_header(value: &[u8]) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(value).ok()
}

/// An address as it is named in errors: without its query.
fn endpoint(uri: &http::Uri) -> String {
    let origin = uri.authority().map_or("", http::uri::Authority::as_str);
    format!("{}://{origin}{}", uri.scheme_str().unwrap_or("http"), uri.path())
}

/// What TLS said, where it is the cause. An `io::Error` that holds another does not name it as its source.
fn of_tls(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(shown(&tls.to_string()));
        }
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

/// An error with all that caused it: reqwest says only "error sending request" at the top.
pub(super) fn with_sources(error: &(dyn Error + 'static)) -> String {
    let mut words = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        words.push(error.to_string());
        next = error.source();
    }
    shown(&words.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_header_is_read() {
        let date = date_header(b"Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(date.as_second(), 784_111_777);
    }

    #[test]
    fn what_tls_said_is_found_however_deep_it_lies() {
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let error = io::Error::other(io::Error::other(unknown));
        assert!(of_tls(&error).is_some_and(|why| why.contains("UnknownIssuer")), "{error}");
        assert_eq!(of_tls(&io::Error::other("refused")), None);
    }

    #[test]
    fn an_endpoint_is_named_without_its_query() {
        let uri = "https://id.example.org:8443/token?secret=1".parse().unwrap();
        assert_eq!(endpoint(&uri), "https://id.example.org:8443/token");
    }
}
