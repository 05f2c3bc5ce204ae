//! A form that is sent after its session has ended, without JavaScript: what was typed is kept, and waits in the same
//! form on the other side of the sign-in. With JavaScript the form itself waits, beside an offer to sign in.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Method;
use poem::Request;
use tower_cookies::cookie::time::Duration;

use super::access::{Member, Visitor};
use super::cookies::{cookie, forget, name, session_id};
use super::form::{Fields, is_form, read_within_limit};
use super::refusal::Refusal;
use super::request::Kind;
use crate::actions::unsent::{self, Typed};
use crate::domain::id::ThoughtId;
use crate::domain::unsent::{Unsent, UnsentId};
use crate::paths;

const UNSENT: &str = "thoughts-unsent";

/// Keeps what the form held that is refused for want of a session. Gives the URL of the form in which it will wait,
/// or `None` where there was nothing to keep.
pub async fn keep(visitor: &Visitor, request: &mut Request) -> Result<Option<String>, Refusal> {
    let app = &visitor.app;
    let session = session_id(app, &visitor.cookies);
    let Some(session) = session.filter(|_| visitor.kind == Kind::Page && *request.method() != Method::GET) else {
        return Ok(None);
    };
    if !is_form(request) {
        return Ok(None);
    }
    let typed = typed(&Fields::parse(&read_within_limit(request.take_body()).await?));
    let Some(id) = unsent::keep(app, session.hash(), &typed).await? else { return Ok(None) };
    let value = BASE64_URL_SAFE_NO_PAD.encode(id.to_bytes());
    let max_age = Some(Duration::minutes(Unsent::MINUTES));
    visitor.cookies.private(app.keys.cookies()).add(cookie(app, UNSENT, value, max_age));
    let form = match typed.thought {
        Some(id) => app.paths.edit(id),
        None => app.paths.plain(paths::SHARE_THOUGHT),
    };
    Ok(Some(app.absolute(&form)))
}

fn typed(fields: &Fields) -> Typed {
    Typed {
        message: fields.get("message").to_owned(),
        visibility: fields.get("visibility").to_owned(),
        thought: fields.get("thought").parse().ok(),
    }
}

/// What waits for this member and this form: of a new thought, or of the one that was to be changed.
pub async fn waiting(member: &Member, thought: Option<ThoughtId>) -> Result<Option<Fields>, Refusal> {
    let Some(id) = id(member) else { return Ok(None) };
    let typed = unsent::find(&member.app, &member.member, id).await?.filter(|typed| typed.thought == thought);
    Ok(typed.map(|typed| Fields::of([("message", typed.message), ("visibility", typed.visibility)])))
}

/// What waited has been sent.
pub async fn sent(member: &Member) -> Result<(), Refusal> {
    if let Some(id) = id(member) {
        unsent::forget(&member.app, id).await?;
        forget(&member.app, &member.cookies, UNSENT);
    }
    Ok(())
}

fn id(member: &Member) -> Option<UnsentId> {
    let app = &member.app;
    let name = name(app, UNSENT);
    let value = app.keys.all_cookies().find_map(|key| member.cookies.private(key).get(&name))?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(value.value()).ok()?;
    Some(UnsentId::new(bytes.try_into().ok()?))
}
