//! Pushed authorization requests: where the provider takes them, it is given the request by us, and the browser
//! carries only a name for it, which nobody can read or change on the way. Source: RFC 9126.
//!
//! A provider that offers this is asked in this way always. There is no falling back to the plain request: what
//! fails here is told, since whoever could make it fail would else choose the weaker way for us.

use openidconnect::HttpResponse;
use serde::Deserialize;
use url::Url;

use super::discovery::Known;
use super::error::{SignInError, shown};
use super::provider::Provider;

/// The answer, right or wrong. Source: RFC 9126, 2.2 and 2.3.
#[derive(Deserialize)]
struct Answer {
    request_uri: Option<String>,
    error: Option<String>,
}

impl Provider {
    /// Where to send the browser with this authorization request: itself, or its name at the provider.
    pub(super) async fn pushed(&self, known: &Known, request: Url) -> Result<Url, SignInError> {
        let Some(endpoint) = &known.metadata.additional_metadata().pushed_authorization_request_endpoint else {
            return Ok(request);
        };
        let mut url = known.metadata.authorization_endpoint().url().clone();
        // What the endpoint's own address has in its query stays there.
        let form: Vec<_> = request.query_pairs().skip(url.query_pairs().count()).collect();
        let form = form.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        let response =
            self.post(known, endpoint.as_str(), form).await.inspect_err(|error| self.note_failed_call(error))?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("request_uri", &request_uri(&response)?);
        Ok(url)
    }
}

fn request_uri(response: &HttpResponse) -> Result<String, SignInError> {
    let unreadable = |why: &str| SignInError::PushUnreadable { why: why.to_owned() };
    let answer: Answer = serde_json::from_slice(response.body())
        .map_err(|_| unreadable(&format!("its answer ({}) is not JSON as it should be", response.status().as_u16())))?;
    match answer {
        Answer { error: Some(error), .. } => Err(SignInError::PushRefused { error: shown(&error) }),
        Answer { request_uri: Some(name), .. } if response.status().is_success() && !name.is_empty() => Ok(name),
        Answer { .. } => Err(unreadable(&format!("its answer ({}) has no request_uri", response.status().as_u16()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Result<String, SignInError> {
        let mut response = HttpResponse::new(body.as_bytes().to_vec());
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        request_uri(&response)
    }

    #[test]
    fn the_name_of_the_request_is_what_counts() {
        let body = r#"{"request_uri": "urn:ietf:params:oauth:request_uri:1", "expires_in": 60}"#;
        assert_eq!(answered(201, body).unwrap(), "urn:ietf:params:oauth:request_uri:1");
    }

    #[test]
    fn a_refusal_is_told_by_its_code() {
        assert_eq!(
            answered(400, r#"{"error": "invalid_request", "error_description": "no"}"#),
            Err(SignInError::PushRefused { error: "invalid_request".to_owned() })
        );
    }

    #[test]
    fn an_answer_that_names_nothing_is_unreadable() {
        for (status, body) in
            [(201, "{}"), (201, r#"{"request_uri": ""}"#), (200, "<h1>"), (400, r#"{"request_uri": "x"}"#)]
        {
            assert_eq!(answered(status, body).unwrap_err().cause(), "push_unreadable", "{status} {body}");
        }
    }
}
