//! The redirect URI of every provider. It ends signed in where the person wanted to be, or on a page that says
//! what failed; never at another round of signing in.

use http::Method;
use poem::{Request, Response, handler};

use super::sign_in_failed::{Failure, failed};
use crate::actions::sign_in::{self, Refused, Whence};
use crate::oidc::AuthorizationResponse;
use crate::web::access::Visitor;
use crate::web::cookies::{remember_session, session_id};
use crate::web::form::Fields;
use crate::web::hypermedia::see_other;
use crate::web::proxy::client_address;
use crate::web::refusal::Refusal;
use crate::web::request::text;
use crate::web::return_to::ReturnTo;
use crate::web::sign_in_cookies::{self, Found};

/// `GET /callback?code=…&state=…&iss=…`, or with `error=…`.
#[handler]
pub async fn get(visitor: Visitor, request: &Request) -> Result<Response, Refusal> {
    if *request.method() == Method::HEAD {
        return Ok(Response::builder().finish());
    }
    let app = &visitor.app;
    let response = response(&visitor.query());
    let found = sign_in_cookies::take(app, &visitor.cookies, response.state.as_deref().unwrap_or_default())?;
    let (attempt, provider, return_to) = match found {
        Found::UnderWay { attempt, provider, return_to } => (attempt, provider, return_to),
        // Back, or a reload: the sign-in is done, and the person goes on to where they wanted to be.
        Found::Done { return_to } if visitor.session.is_some() => return Ok(see_other(return_to.as_str())),
        Found::Nothing if visitor.session.is_some() => return Ok(see_other(&app.paths.feed())),
        Found::Done { return_to } => return Ok(failed(&visitor, &Failure::spent(), &return_to)),
        Found::Nothing => return Ok(failed(&visitor, &Failure::unknown(), &ReturnTo::feed(app))),
    };
    let Some(provider) = app.providers.named(&provider) else {
        return Ok(failed(&visitor, &Failure::unknown(), &return_to));
    };
    let signed_in = match provider.oidc.finish(&attempt, &response).await {
        Ok(signed_in) => signed_in,
        Err(error) => return Ok(failed(&visitor, &Failure::from(&error), &return_to)),
    };
    let whence = Whence {
        user_agent: text(request.headers(), "user-agent").unwrap_or_default().to_owned(),
        address: client_address(app, request).map(|address| address.to_string()),
        replaces: session_id(app, &visitor.cookies).map(|id| id.hash()),
    };
    match sign_in::sign_in(app, &provider.config, signed_in, whence).await {
        Ok((id, member)) => {
            remember_session(app, &visitor.cookies, &id);
            tracing::info!(reference = visitor.request_id, member = %member.id, "authn_login_success");
            Ok(see_other(return_to.as_str()))
        }
        Err(Refused::Store(error)) => Err(error.into()),
        Err(Refused::Unsealable(error)) => Err(Refusal::Internal(error.to_string())),
        Err(refused @ Refused::NotAllowed { .. }) => Ok(failed(&visitor, &Failure::not_allowed(&refused), &return_to)),
    }
}

fn response(query: &Fields) -> AuthorizationResponse {
    let given = |name| Some(query.get(name)).filter(|value| !value.is_empty()).map(str::to_owned);
    AuthorizationResponse { code: given("code"), state: given("state"), iss: given("iss"), error: given("error") }
}
