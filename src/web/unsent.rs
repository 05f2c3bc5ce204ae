//! A form that is sent after its session has ended, or by someone who has to sign in once more first: what was typed is
//! kept, and waits in the same form on the other side of the sign-in. Where a session has ended and there is
//! JavaScript, the form itself waits, beside an offer to sign in.
//!
//! A form that wants its text back asks for it by [`waiting`] when it is shown, and says [`sent`] when it was taken.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Method;
use poem::Request;
use tower_cookies::cookie::time::Duration;

use super::access::{Member, Visitor};
use super::cookies::{cookie, forget, name};
use super::form::{Fields, is_form, read_within_limit};
use super::refusal::{Refusal, path_only};
use super::request::Kind;
use crate::actions::unsent::{self, Typed};
use crate::domain::id::ThoughtId;
use crate::domain::session::SessionHash;
use crate::domain::unsent::{Unsent, UnsentId};
use crate::paths;

const UNSENT: &str = "thoughts-unsent";

/// Which session this browser has signed out of. Signing out takes the id back, and another of its tabs may still show a
/// form.
const LEFT: &str = "thoughts-left";

/// Fields that say how a form was sent, not what.
const OF_THE_SENDING: [&str; 2] = ["_method", "once"];

/// Keeps what the form held that is refused for want of a session. Gives the URL of the page in which it will wait,
/// or `None` where there was nothing to keep, or it waits where it came from.
pub async fn keep(visitor: &Visitor, request: &mut Request) -> Result<Option<String>, Refusal> {
    let app = &visitor.app;
    let session = visitor.sent.session.or_else(|| left(visitor));
    let by_the_browser = visitor.kind == Kind::Page && !visitor.by_htmx;
    let Some(session) = session.filter(|_| by_the_browser && *request.method() != Method::GET) else {
        return Ok(None);
    };
    if !is_form(request) {
        return Ok(None);
    }
    let (typed, page) = typed(visitor, Fields::parse(&read_within_limit(request.take_body()).await?));
    let Some(id) = unsent::keep_of_ended(app, session, &typed).await? else { return Ok(None) };
    remember(visitor, id);
    Ok(page.map(|page| app.absolute(&page)))
}

/// Keeps what the form held that this member has sent and must sign in once more for.
pub async fn keep_of(member: &Member, fields: Fields) -> Result<(), Refusal> {
    let (typed, _) = typed(member, fields);
    if let Some(id) = unsent::keep(&member.app, member.member.id, &typed).await? {
        remember(member, id);
    }
    Ok(())
}

/// This browser has signed out of the session. What it still sends of that session's forms waits for who had it.
pub fn signed_out(visitor: &Visitor, session: SessionHash) {
    seal(visitor, LEFT, session.to_bytes());
}

/// Somebody has signed in with this browser: what it sends from now on is theirs.
pub fn signed_in(visitor: &Visitor) {
    forget(&visitor.app, &visitor.cookies, LEFT);
}

fn left(visitor: &Visitor) -> Option<SessionHash> {
    sealed(visitor, LEFT).map(SessionHash::from_bytes)
}

fn remember(visitor: &Visitor, id: UnsentId) {
    seal(visitor, UNSENT, id.to_bytes());
}

/// Gives the browser a cookie that nobody can read or make but us, for as long as a text waits.
fn seal<const N: usize>(visitor: &Visitor, plain: &str, bytes: [u8; N]) {
    let app = &visitor.app;
    let max_age = Some(Duration::minutes(Unsent::MINUTES));
    let value = BASE64_URL_SAFE_NO_PAD.encode(bytes);
    visitor.cookies.private(app.keys.cookies()).add(cookie(app, plain, value, max_age));
}

/// What such a cookie holds.
fn sealed<const N: usize>(visitor: &Visitor, plain: &str) -> Option<[u8; N]> {
    let app = &visitor.app;
    let name = name(app, plain);
    let value = app.keys.all_cookies().find_map(|key| visitor.cookies.private(key).get(&name))?;
    BASE64_URL_SAFE_NO_PAD.decode(value.value()).ok()?.try_into().ok()
}

/// What was typed, and the page with its form, where that is known: a thought's, which has several.
fn typed(visitor: &Visitor, fields: Fields) -> (Typed, Option<String>) {
    let (paths, sent_to) = (&visitor.app.paths, path_only(&visitor.path));
    let (form, page) = if fields.get("message").is_empty() {
        (sent_to.to_owned(), None)
    } else {
        // The field comes along to the preview too; who sends an edit by hand may leave it out.
        let thought: Option<ThoughtId> = fields.get("thought").parse().ok();
        match thought.or_else(|| paths.thought_at(sent_to)) {
            Some(id) => (paths.thought(id), Some(paths.edit(id))),
            None => (paths.plain(paths::THOUGHTS), Some(paths.plain(paths::SHARE_THOUGHT))),
        }
    };
    let mut fields = fields.into_map();
    fields.retain(|name, _| !OF_THE_SENDING.contains(&name.as_str()));
    (Typed { form, fields }, page)
}

/// What waits for this member and the form that is sent to this path.
pub async fn waiting(member: &Member, form: &str) -> Result<Option<Fields>, Refusal> {
    let Some(id) = id(member) else { return Ok(None) };
    let typed = unsent::find(&member.app, &member.member, id).await?.filter(|typed| typed.form == form);
    Ok(typed.map(|typed| Fields::from(typed.fields)))
}

/// What waited for the form that is sent to this path has been sent.
pub async fn sent(member: &Member, form: &str) -> Result<(), Refusal> {
    if let Some(id) = id(member)
        && waiting(member, form).await?.is_some()
    {
        unsent::forget(&member.app, id).await?;
        forget(&member.app, &member.cookies, UNSENT);
    }
    Ok(())
}

fn id(visitor: &Visitor) -> Option<UnsentId> {
    sealed(visitor, UNSENT).map(UnsentId::new)
}
