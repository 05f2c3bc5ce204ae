//! The redirect URI of every provider. It ends signed in where the person wanted to be, or on a page that says
//! what failed; never at another round of signing in.

use http::Method;
use poem::{Request, Response, handler};

use super::sign_in_failed::{Failure, SoFar, failed};
use crate::actions::identities;
use crate::actions::sign_in::{self, Refused, Whence};
use crate::domain::id::MemberId;
use crate::domain::policy::Viewer;
use crate::oidc::{Attempt, AuthorizationResponse};
use crate::telemetry::{Outcome, Step};
use crate::web::access::Visitor;
use crate::web::cookies::remember_session;
use crate::web::form::Fields;
use crate::web::hypermedia::see_other;
use crate::web::notice;
use crate::web::purpose::Purpose;
use crate::web::refusal::Refusal;
use crate::web::request::text;
use crate::web::return_to::ReturnTo;
use crate::web::sign_in_cookies::{self, Found};
use crate::web::unsent;

/// `GET /callback?code=…&state=…&iss=…`, or with `error=…`.
#[handler]
pub async fn get(visitor: Visitor, request: &Request) -> Result<Response, Refusal> {
    if *request.method() == Method::HEAD {
        return Ok(Response::builder().finish());
    }
    let app = &visitor.app;
    let response = response(&visitor.query());
    let found = sign_in_cookies::take(app, &visitor.cookies, response.state.as_deref().unwrap_or_default())?;
    let signing_in = Purpose::SignIn;
    let mut so_far = SoFar { provider: String::new(), steps: vec![Step::Started, Step::CameBack] };
    match found {
        Found::UnderWay { attempt, provider, return_to, purpose } => {
            so_far.provider.clone_from(&provider);
            match finish(&visitor, request, (&attempt, &provider, purpose), &response, &mut so_far).await {
                Ok(Some(member)) => {
                    so_far.end(&visitor, Outcome::SignedIn(member));
                    Ok(see_other(return_to.as_str()))
                }
                Ok(None) => Ok(see_other(return_to.as_str())),
                Err(Unfinished::Failed(failure)) => Ok(failed(&visitor, &failure, so_far, purpose, &return_to)),
                Err(Unfinished::Refused(refusal)) => {
                    so_far.end(&visitor, Outcome::Failed { cause: refusal.kind(), why: refusal.to_string() });
                    Err(refusal)
                }
            }
        }
        // Back, or a reload: the sign-in is done, and the person goes on to where they wanted to be.
        Found::Done { return_to } if visitor.session.is_some() => Ok(see_other(return_to.as_str())),
        Found::Nothing if visitor.session.is_some() => Ok(see_other(&app.paths.feed())),
        Found::Done { return_to } => Ok(failed(&visitor, &Failure::spent(), so_far, signing_in, &return_to)),
        Found::Nothing => {
            so_far.steps = vec![Step::CameBack];
            Ok(failed(&visitor, &Failure::unknown(), so_far, signing_in, &ReturnTo::feed(app)))
        }
    }
}

/// Why a sign-in that came back is not finished.
enum Unfinished {
    /// For a reason that the person is told.
    Failed(Failure),
    /// As any request can fail.
    Refused(Refusal),
}

/// Redeems the code, and does what the sign-in is for: if it is for the session that brings it back. Gives who has a new
/// session, if somebody has.
async fn finish(
    visitor: &Visitor,
    request: &Request,
    (attempt, provider, purpose): (&Attempt, &str, Purpose),
    response: &AuthorizationResponse,
    so_far: &mut SoFar,
) -> Result<Option<MemberId>, Unfinished> {
    let app = &visitor.app;
    let provider = app.providers.named(provider).ok_or_else(Failure::unknown)?;
    // Before the code is redeemed.
    match (purpose, &visitor.session) {
        (_, session) if purpose.is_for(session.as_deref()) => {}
        // Another tab has done it, and its session is the one in use now.
        (Purpose::Confirm(_), Some(session)) if session.is_recent(app.clock.now()) => return Ok(None),
        (Purpose::SignIn | Purpose::Confirm(_) | Purpose::Link(_), _) => return Err(Failure::another_session().into()),
    }
    let mut passed = Vec::new();
    let finished = provider.oidc.finish(attempt, response, &mut passed).await;
    so_far.steps.extend(passed.into_iter().map(Step::from));
    let signed_in = finished.map_err(|error| Failure::from(&error))?;
    let whence = whence(visitor, request);
    let (id, member) = match (purpose, &visitor.viewer) {
        (Purpose::SignIn, _) => sign_in::sign_in(app, &provider.config, signed_in, whence).await?,
        (Purpose::Confirm(_), Viewer::Member(member)) => {
            sign_in::confirm(app, &provider.config, member, signed_in, whence).await?
        }
        (Purpose::Link(_), Viewer::Member(member)) => {
            identities::link(app, &provider.config, member, signed_in).await?;
            return Ok(None);
        }
        (Purpose::Confirm(_) | Purpose::Link(_), Viewer::Anonymous) => {
            return Err(Failure::another_session().into());
        }
    };
    notice::keep(visitor);
    remember_session(app, &visitor.cookies, &id);
    unsent::signed_in(visitor);
    so_far.steps.extend([Step::Allowed, Step::SessionMade]);
    Ok(Some(member.id))
}

fn whence(visitor: &Visitor, request: &Request) -> Whence {
    Whence {
        user_agent: text(request.headers(), "user-agent").unwrap_or_default().to_owned(),
        address: visitor.address.map(|address| address.to_string()),
        replaces: visitor.sent.session,
    }
}

impl From<Failure> for Unfinished {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Refused> for Unfinished {
    fn from(refused: Refused) -> Self {
        Failure::try_from(refused).map_or_else(Self::Refused, Self::Failed)
    }
}

fn response(query: &Fields) -> AuthorizationResponse {
    let given = |name| Some(query.get(name)).filter(|value| !value.is_empty()).map(str::to_owned);
    AuthorizationResponse { code: given("code"), state: given("state"), iss: given("iss"), error: given("error") }
}
