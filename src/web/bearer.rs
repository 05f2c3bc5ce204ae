//! `Authorization: Bearer`: how a program shows its API token. Only the API looks at it; a page that did would do in
//! a program's hands what only a person may. Source: RFC 6750, section 2.1.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::actions::api_tokens::{Refused, holder};
use crate::app::App;
use crate::domain::api_token::{ApiToken, ApiTokenSecret};
use crate::domain::member::Member;
use crate::telemetry::Event;

/// Whose token the request shows, or nothing where it shows none: another scheme is a proxy's business and not ours.
///
/// # Errors
/// Whatever calls itself a bearer's and isn't good ends the request: who shows a token means to be known by it, and
/// neither a cookie nor being nobody takes its place.
pub async fn holder_of(app: &App, headers: &HeaderMap) -> Result<Option<(Member, ApiToken)>, Refused> {
    let Some(secret) = secret(headers) else { return Ok(None) };
    let found = match secret {
        Ok(secret) => holder(app, &secret).await,
        Err(refused) => Err(refused),
    };
    if let Err(refused) = &found {
        app.telemetry.event(Event::ApiTokenRefused(refused.cause()));
    }
    found.map(Some)
}

fn secret(headers: &HeaderMap) -> Option<Result<ApiTokenSecret, Refused>> {
    let sent = headers.get_all(AUTHORIZATION);
    let credentials = sent.iter().find_map(|value| credentials(value.as_bytes()))?;
    // Of two it is not for us to choose.
    let text = str::from_utf8(credentials).ok().filter(|_| sent.iter().count() == 1);
    Some(text.and_then(ApiTokenSecret::parse).ok_or(Refused::Malformed))
}

/// What stands behind `Bearer`, in whatever case. Source: RFC 9110, section 11.1.
fn credentials(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = authorization.split_at_checked(b"Bearer".len())?;
    let ours = scheme.eq_ignore_ascii_case(b"Bearer") && (rest.is_empty() || rest.starts_with(b" "));
    ours.then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `None` where nothing of ours was sent, else whether it can be a token.
    fn read(sent: &[&str]) -> Option<bool> {
        let mut headers = HeaderMap::new();
        for value in sent {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        secret(&headers).map(|secret| secret.is_ok())
    }

    #[test]
    fn a_bearers_credentials_are_read_in_whatever_case_their_scheme_is() {
        let token = ApiTokenSecret::new([1; 32]).to_text();
        for scheme in ["Bearer", "bearer", "BEARER", "Bearer  "] {
            assert_eq!(read(&[&format!("{scheme} {token}")]), Some(true), "{scheme}");
        }
    }

    #[test]
    fn what_calls_itself_a_bearers_and_is_no_token_is_not_overlooked() {
        let token = ApiTokenSecret::new([1; 32]).to_text();
        let good = format!("Bearer {token}");
        for sent in [vec!["Bearer"], vec!["Bearer "], vec!["bearer abc"], vec!["Basic YTpi", &good], vec![&good, &good]]
        {
            assert_eq!(read(&sent), Some(false), "{sent:?}");
        }
    }

    #[test]
    fn another_scheme_is_none_of_our_business() {
        for sent in [vec![], vec!["Basic YTpi"], vec!["Bearers x"], vec![""]] {
            assert_eq!(read(&sent), None, "{sent:?}");
        }
    }
}
