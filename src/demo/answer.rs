//! Requests into parameters, results into responses.

use std::collections::BTreeMap;

use poem::{
    Body, Request, Response,
    http::{Method, StatusCode, header},
};
use serde_json::Value;
use url::form_urlencoded;

/// The largest form body that is read, in bytes.
const FORM_MAX: usize = 64 * 1024;

/// The parameters of a query or a form. One without a value counts as left out (RFC 6749, 3.1).
#[derive(Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, String>);

/// Why parameters could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ParametersError {
    #[error("The parameter `{0}` is there twice.")]
    Repeated(String),
    #[error("The form is larger than 64 KiB, or broke off.")]
    Unreadable,
    #[error("The form must be sent as application/x-www-form-urlencoded.")]
    NotAForm,
}

impl Parameters {
    /// A repeated name is refused (RFC 6749, 3.1), but for `resource` (RFC 8707, 2), whose values are kept with blanks
    /// between, which no URI has.
    pub(super) fn parse(encoded: &[u8]) -> Result<Self, ParametersError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            match parameters.get_mut(&*name) {
                None => drop(parameters.insert(name.into_owned(), value.into_owned())),
                Some(before) if name == "resource" => *before = format!("{before} {value}"),
                Some(_) => return Err(ParametersError::Repeated(name.into_owned())),
            }
        }
        parameters.retain(|_, value| !value.is_empty());
        Ok(Self(parameters))
    }

    /// Of the query for a `GET` or `HEAD`, else of the form.
    pub(super) async fn of(request: &Request, body: Body) -> Result<Self, ParametersError> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return Self::parse(request.uri().query().unwrap_or_default().as_bytes());
        }
        let media_type = request.content_type().and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(ParametersError::NotAForm);
        }
        let bytes = body.into_bytes_limit(FORM_MAX).await.map_err(|_unread| ParametersError::Unreadable)?;
        Self::parse(&bytes)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

pub(super) fn json(status: StatusCode, value: &Value) -> Response {
    Response::builder().status(status).content_type("application/json").body(value.to_string())
}

pub(super) fn empty(status: StatusCode) -> Response {
    Response::builder().status(status).finish()
}

/// What a fault answers where JSON was asked for.
pub(super) fn not_json(status: StatusCode) -> Response {
    Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .body("<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>")
}

/// Sends the browser to `uri` with these parameters added to its query. 303, so that a form is not sent on
/// (RFC 9700, 4.12).
pub(super) fn redirect(uri: &str, parameters: &BTreeMap<&'static str, String>) -> Response {
    let mut location = uri.to_owned();
    if !parameters.is_empty() {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        location.push(if uri.contains('?') { '&' } else { '?' });
        location.push_str(&query);
    }
    Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, location).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_may_be_there_once() {
        assert!(Parameters::parse(b"state=a&scope=openid&state=b").is_err());
    }

    #[test]
    fn several_resources_may_be_asked_for() {
        assert_eq!(Parameters::parse(b"resource=urn:a&resource=urn:b").unwrap().get("resource"), Some("urn:a urn:b"));
    }

    #[test]
    fn a_parameter_without_value_counts_as_left_out() {
        assert_eq!(Parameters::parse(b"state=&scope=openid").unwrap().get("state"), None);
    }

    #[test]
    fn a_redirect_keeps_the_query_of_its_uri() {
        let response = redirect("http://rp.example/cb?a=1", &BTreeMap::from([("code", "x y".to_owned())]));
        assert_eq!(response.header(header::LOCATION), Some("http://rp.example/cb?a=1&code=x+y"));
    }
}
