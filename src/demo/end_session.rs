//! Signing out at the provider, asked for by a client (OpenID Connect RP-Initiated Logout 1.0).

use std::{collections::BTreeMap, sync::Arc};

use maud::html;
use poem::{Body, Request, Response, handler, http::StatusCode, web::Data};

use super::{
    answer,
    answer::Parameters,
    back_channel::{self, Ended},
    context::{Context, cookie},
    pages, paths,
};

/// What the form of the confirming page carries on.
const CARRIED: &[&str] = &["client_id", "post_logout_redirect_uri", "state"];

/// `GET` and `POST` of the end session endpoint. With an `id_token_hint` of ours the session ends at once; without
/// one the person is asked first (section 2), since anyone can link here.
#[handler]
pub(super) async fn end_session(request: &Request, body: Body, context: Data<&Arc<Context>>) -> Response {
    let parameters = match Parameters::of(request, body).await {
        Ok(parameters) => parameters,
        Err(error) => {
            return pages::refusal(StatusCode::BAD_REQUEST, "This request cannot be read", &error.to_string());
        }
    };
    let hint = parameters.get("id_token_hint").and_then(|token| Hint::parse(&context, token));
    let way_back = match way_back(&context, &parameters, hint.as_ref()) {
        Ok(way_back) => way_back,
        Err(text) => {
            return pages::refusal(StatusCode::BAD_REQUEST, "You were not signed out", text);
        }
    };
    let session = context.session(request);
    let hint_is_of_session = match (&hint, &session) {
        (Some(hint), Some(session)) => hint.sub == session.person.sub,
        (Some(_), None) => true,
        (None, Some(_) | None) => false,
    };
    let confirmed = parameters.get("choice") == Some("sign-out") && pages::is_own_form(request);
    if session.is_some() && !hint_is_of_session && !confirmed {
        return ask(&parameters);
    }
    let ended = end(&context, request, hint.filter(|_| hint_is_of_session));
    // The person goes on whatever the clients answer.
    back_channel::deliver(&context, ended).await;
    way_back.unwrap_or_else(|| {
        pages::refusal(
            StatusCode::OK,
            "You are signed out",
            "This provider does not know you in this browser any more.",
        )
    })
}

/// What an `id_token_hint` of ours says; it may have expired.
struct Hint {
    client_id: String,
    sub: String,
    sid: String,
}

impl Hint {
    fn parse(context: &Context, token: &str) -> Option<Self> {
        let claims = context.keys.claims_of(token)?;
        let text = |claim: &str| claims.get(claim)?.as_str().map(str::to_owned);
        (text("iss")? == context.issuer).then_some(())?;
        // `aud` may be an array, with the client in `azp` or alone in it.
        let first = || claims.get("aud")?.get(0)?.as_str().map(str::to_owned);
        let client_id = text("azp").or_else(|| text("aud")).or_else(first)?;
        Some(Self { client_id, sub: text("sub")?, sid: text("sid")? })
    }
}

/// The redirect to a registered `post_logout_redirect_uri`, `None` if there is none to go to. Errors: why the
/// request is refused.
fn way_back(context: &Context, parameters: &Parameters, hint: Option<&Hint>) -> Result<Option<Response>, &'static str> {
    let client_id = parameters.get("client_id");
    let hinted = hint.map(|hint| hint.client_id.as_str());
    if let (Some(client_id), Some(hinted)) = (client_id, hinted)
        && client_id != hinted
    {
        return Err("The client_id is not the one that the id_token_hint was made for.");
    }
    let Some(client) = client_id.or(hinted).and_then(|client_id| context.state().client(client_id)) else {
        return Ok(None);
    };
    let Some(uri) = parameters.get("post_logout_redirect_uri") else {
        return Ok(None);
    };
    if !client.post_logout_redirect_uris.iter().any(|known| known == uri) {
        return Ok(None);
    }
    let mut back = BTreeMap::new();
    back.extend(parameters.get("state").map(|state| ("state", state.to_owned())));
    context.faults.twist_logout_return(&mut back);
    Ok(Some(answer::redirect(uri, &back)))
}

fn ask(parameters: &Parameters) -> Response {
    let body = html! {
        p { "An application asks to sign you out of this provider, and of every application you use it for." }
        form method="post" action=(paths::END_SESSION) {
            @for name in CARRIED {
                @if let Some(value) = parameters.get(name) { input type="hidden" name=(name) value=(value); }
            }
            button name="choice" value="sign-out" { "Sign out" }
        }
    };
    pages::page(StatusCode::OK, "Sign out?", &body)
}

/// Ends the browser's session and the one of the hint, which without the cookie may be another.
fn end(context: &Context, request: &Request, hint: Option<Hint>) -> Vec<Ended> {
    let mut state = context.state();
    let own = cookie(request).and_then(|cookie| state.sessions.get(cookie)).map(|session| session.sid.clone());
    let hinted = hint.map(|hint| hint.sid);
    let sids = [own, hinted];
    let ended = state.end_sessions(|session| sids.iter().flatten().any(|sid| *sid == session.sid));
    ended.into_iter().map(Ended::from).collect()
}
