//! Another service's API, called with a member's access token: what is passed on, and what is passed back. The
//! request says which path below a declared address it wants and nothing more; where that is comes from the settings.

mod headers;
mod path;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::redirect::Policy;
use url::Url;

use self::headers::{passed_back, passed_on};
use self::path::{is_below, is_plain};
use super::http::{HttpSetupError, client, with_sources};

/// What is declared of an upstream.
#[derive(Clone, Debug)]
pub struct UpstreamSettings {
    /// What it is called, such as `notes`.
    pub name: String,
    /// Its base address; a path that is asked for is put behind it.
    pub url: Url,
    /// The methods that are passed on.
    pub methods: Vec<Method>,
    /// What every path begins with that is passed on; it begins with a slash.
    pub prefix: String,
    /// How long an answer may take to begin, and how long either body may pause.
    pub timeout: Duration,
    /// Bytes that the body of a request or of an answer may have.
    pub max_bytes: u64,
}

/// An upstream.
pub struct Upstream {
    settings: UpstreamSettings,
    client: reqwest::Client,
}

/// Why an upstream's answer is not passed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// The path leaves what is declared, or is written so that it might.
    #[error("the path is not one that is passed on to the upstream `{name}`")]
    Path {
        /// Which upstream.
        name: String,
    },
    /// The method is not declared.
    #[error("the upstream `{name}` is not called with that method")]
    Method {
        /// Which upstream.
        name: String,
        /// Those that are.
        allowed: Vec<Method>,
    },
    /// The request's body is longer than what is declared.
    #[error("a body for the upstream `{name}` may have {limit} bytes")]
    RequestTooLarge {
        /// Which upstream.
        name: String,
        /// How many bytes it may have.
        limit: u64,
    },
    /// The answer's body is longer than what is declared.
    #[error("the upstream `{name}` answered with more than {limit} bytes")]
    AnswerTooLarge {
        /// Which upstream.
        name: String,
        /// How many bytes it may have.
        limit: u64,
    },
    /// No answer began in time.
    #[error("the upstream `{name}` took more than {} s to answer", limit.as_secs_f32())]
    Slow {
        /// Which upstream.
        name: String,
        /// How long it had.
        limit: Duration,
    },
    /// No connection, or one that broke.
    #[error("the upstream `{name}` can't be reached: {why}")]
    Unreachable {
        /// Which upstream.
        name: String,
        /// What the network said.
        why: String,
    },
    /// A redirect: it is not followed, for the token would go with it.
    #[error("the upstream `{name}` answered with a redirect ({status}), and those are not followed")]
    Redirect {
        /// Which upstream.
        name: String,
        /// The HTTP status.
        status: u16,
    },
    /// The upstream does not take the access token. Source: RFC 6750, 3.1.
    #[error("the upstream `{name}` does not take the access token (401)")]
    TokenRefused {
        /// Which upstream.
        name: String,
    },
}

impl UpstreamError {
    /// A stable label for metrics.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Path { .. } => "path",
            Self::Method { .. } => "method",
            Self::RequestTooLarge { .. } => "request_too_large",
            Self::AnswerTooLarge { .. } => "answer_too_large",
            Self::Slow { .. } => "slow",
            Self::Unreachable { .. } => "unreachable",
            Self::Redirect { .. } => "redirect",
            Self::TokenRefused { .. } => "token_refused",
        }
    }
}

/// An upstream's answer as it is passed back.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, but for those that are not passed back.
    pub headers: HeaderMap,
    /// Its body, of which no more than the declared bytes come; then it breaks off.
    pub body: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
}

impl Upstream {
    /// An upstream as declared.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(settings: UpstreamSettings) -> Result<Self, HttpSetupError> {
        let client = client(|builder| builder.redirect(Policy::none()).read_timeout(settings.timeout))?;
        Ok(Self { settings, client })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// The address of a path (percent-encoded, beginning with a slash) and query below the declared one.
    ///
    /// # Errors
    /// `Method` and `Path`: what is not declared is not passed on.
    pub fn address(&self, method: &Method, path: &str, query: Option<&str>) -> Result<Url, UpstreamError> {
        let name = || self.settings.name.clone();
        if !self.settings.methods.contains(method) {
            return Err(UpstreamError::Method { name: name(), allowed: self.settings.methods.clone() });
        }
        if !is_plain(path) || !is_below(path, &self.settings.prefix) {
            return Err(UpstreamError::Path { name: name() });
        }
        let mut url = self.settings.url.clone();
        let whole = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&whole);
        url.set_query(query);
        // Whatever this library reads differently from us is no path of ours.
        if url.path() != whole {
            return Err(UpstreamError::Path { name: name() });
        }
        Ok(url)
    }

    /// Calls it with the member's access token, and gives its answer. Both bodies stream.
    ///
    /// # Errors
    /// Whatever keeps an answer from being passed back; see [`UpstreamError`].
    pub async fn call(
        &self,
        method: Method,
        address: Url,
        headers: &HeaderMap,
        body: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        access_token: &str,
    ) -> Result<Answer, UpstreamError> {
        let UpstreamSettings { name, timeout, max_bytes: limit, .. } = &self.settings;
        let name = || name.clone();
        if content_length(headers).is_some_and(|length| length > *limit) {
            return Err(UpstreamError::RequestTooLarge { name: name(), limit: *limit });
        }
        let mut authorization = HeaderValue::try_from(format!("Bearer {access_token}"))
            .map_err(|_| UpstreamError::TokenRefused { name: name() })?;
        authorization.set_sensitive(true);
        let too_large = Arc::new(AtomicBool::new(false));
        let mut request = self.client.request(method, address).headers(passed_on(headers));
        request = request.header(AUTHORIZATION, authorization);
        if has_body(headers) {
            request = request.body(reqwest::Body::wrap_stream(limited(body, *limit, too_large.clone())));
        }
        let answer = match tokio::time::timeout(*timeout, request.send()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) if too_large.load(Ordering::Acquire) => {
                return Err(UpstreamError::RequestTooLarge { name: name(), limit: *limit });
            }
            Ok(Err(error)) if !error.is_timeout() => {
                return Err(UpstreamError::Unreachable { name: name(), why: with_sources(&error.without_url()) });
            }
            Ok(Err(_)) | Err(_) => return Err(UpstreamError::Slow { name: name(), limit: *timeout }),
        };
        self.passed_back(answer)
    }

    fn passed_back(&self, answer: reqwest::Response) -> Result<Answer, UpstreamError> {
        let UpstreamSettings { name, max_bytes: limit, .. } = &self.settings;
        let (status, name) = (answer.status(), name.clone());
        if status == StatusCode::UNAUTHORIZED {
            return Err(UpstreamError::TokenRefused { name });
        }
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            return Err(UpstreamError::Redirect { name, status: status.as_u16() });
        }
        if answer.content_length().is_some_and(|length| length > *limit) {
            return Err(UpstreamError::AnswerTooLarge { name, limit: *limit });
        }
        let headers = passed_back(answer.headers());
        let body = answer.bytes_stream().map_err(io::Error::other);
        Ok(Answer { status, headers, body: Box::pin(limited(body, *limit, Arc::default())) })
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the request has a body. Source: RFC 9112, 6.3.
fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(http::header::TRANSFER_ENCODING) || content_length(headers).is_some_and(|length| length > 0)
}

/// The stream as far as `limit` bytes; beyond it breaks off, and `exceeded` says so.
fn limited<E: From<io::Error>>(
    body: impl Stream<Item = Result<Bytes, E>> + Send,
    limit: u64,
    exceeded: Arc<AtomicBool>,
) -> impl Stream<Item = Result<Bytes, E>> + Send {
    let mut left = limit;
    body.map(move |chunk| {
        let chunk = chunk?;
        let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if let Some(rest) = left.checked_sub(length) {
            left = rest;
            Ok(chunk)
        } else {
            exceeded.store(true, Ordering::Release);
            Err(io::Error::other("the body is longer than it may be").into())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(url: &str, prefix: &str) -> Upstream {
        Upstream::new(UpstreamSettings {
            name: "notes".to_owned(),
            url: url.parse().unwrap(),
            methods: vec![Method::GET],
            prefix: prefix.to_owned(),
            timeout: Duration::from_secs(1),
            max_bytes: 10,
        })
        .unwrap()
    }

    #[test]
    fn a_path_is_put_behind_the_declared_address() {
        let notes = upstream("https://api.example.org/base/", "/v1/");
        let url = notes.address(&Method::GET, "/v1/a%20b/", Some("x=%2F..")).unwrap();
        assert_eq!(url.as_str(), "https://api.example.org/base/v1/a%20b/?x=%2F..");
    }

    #[test]
    fn no_path_leaves_the_prefix() {
        let notes = upstream("https://api.example.org", "/v1/");
        for path in [
            "/v1/../secret",
            "/v1/%2e%2e/secret",
            "/v1/.%2E/secret",
            "/v1/..",
            "/v1/a%2f..%2f..%2fsecret",
            "/v1/a%5c..",
            "/v1/a\\..\\b",
            "/v1/%252e%252e/secret",
            "/v1/..;/secret",
            "/v1/a%00",
            "/v1//evil.example",
            "//evil.example/v1/",
            "/v2/a",
            "/v1",
            "/v1x/a",
            "/V1/a",
            "v1/a",
            "https://evil.example/v1/",
            "",
        ] {
            let refused = notes.address(&Method::GET, path, None);
            assert_eq!(refused, Err(UpstreamError::Path { name: "notes".to_owned() }), "{path}");
        }
    }

    #[test]
    fn a_prefix_without_a_slash_at_its_end_ends_at_a_segment() {
        let notes = upstream("https://api.example.org", "/v1");
        assert!(notes.address(&Method::GET, "/v1", None).is_ok());
        assert!(notes.address(&Method::GET, "/v1/a", None).is_ok());
        assert!(notes.address(&Method::GET, "/v1x", None).is_err());
    }

    #[test]
    fn a_method_that_is_not_declared_is_not_passed_on() {
        let refused = upstream("https://api.example.org", "/").address(&Method::DELETE, "/a", None);
        assert!(matches!(refused, Err(UpstreamError::Method { allowed, .. }) if allowed == [Method::GET]));
    }

    #[tokio::test]
    async fn a_body_breaks_off_beyond_its_limit() {
        let chunks = || futures_util::stream::iter([b"12345", b"67890"].map(|chunk| Ok(Bytes::from_static(chunk))));
        let within: Vec<io::Result<Bytes>> = limited(chunks(), 10, Arc::default()).collect().await;
        assert!(within.iter().all(Result::is_ok));
        let exceeded = Arc::new(AtomicBool::new(false));
        let beyond: Vec<io::Result<Bytes>> = limited(chunks(), 9, exceeded.clone()).collect().await;
        assert!(beyond[0].is_ok() && beyond[1].is_err() && exceeded.load(Ordering::Acquire));
    }
}
