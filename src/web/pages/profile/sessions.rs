//! Where one is signed in, and ending it.

use maud::{Markup, html};
use poem::web::Path;
use poem::{Response, handler};

use super::changed;
use crate::actions::sessions;
use crate::domain::session::{End, Session};
use crate::paths;
use crate::web::access::Member;
use crate::web::components::{browser, session as row, time};
use crate::web::form::named;
use crate::web::hypermedia::nonce;
use crate::web::pages::logout;
use crate::web::recent::RecentMember;
use crate::web::refusal::Refusal;

/// `DELETE /profile/sessions/{id}`: ends one of one's own sessions, at once. Ending the one that asks is
/// signing out; for another the sign-in must be recent.
#[handler]
pub async fn end(member: Member, Path(id): Path<String>) -> Result<Response, Refusal> {
    let hash = named(&id)?;
    if hash == member.session.hash {
        return logout::sign_out(&member, &member.session).await;
    }
    let member = RecentMember::prove(member)?;
    sessions::end_own(&member.app, member.member.id, hash).await?;
    changed(&member, "Session ended.").await
}

/// `DELETE /profile/sessions`: ends all the others.
#[handler]
pub async fn end_others(member: RecentMember) -> Result<Response, Refusal> {
    sessions::end_all(&member.app, member.member.id, Some(member.session.hash), End::Elsewhere).await?;
    changed(&member, "All other sessions ended.").await
}

pub(super) fn section(member: &Member, own: &[Session]) -> Markup {
    let paths = &member.app.paths;
    let others = paths.plain(paths::OTHER_SESSIONS);
    html! {
        section {
            h2 { "Where you are signed in" }
            ul .sessions role="list" {
                @for session in own {
                    @let this = session.hash == member.session.hash;
                    @let browser = browser(&session.user_agent);
                    li {
                        (row(session, &member.app.providers.label(&session.provider), this.then_some("This one")))
                        (end_button(&paths.session(session.hash), "End", &format!("End the session of {browser}, begun {}", session.created_at.strftime("%-d %B, %H:%M UTC")), this))
                    }
                }
            }
            @if own.len() > 1 {
                (end_button(&others, "End all others", "End all others", false))
                @if !member.session.is_recent(member.app.clock.now()) {
                    p .note { "Before you end another one, you are asked to sign in again: your last sign-in was " (time(member.session.authenticated_at)) "." }
                }
            }
        }
    }
}

/// A button that ends something. What ends the session that is in use leaves the page; else it is shown anew.
pub(in crate::web::pages) fn end_button(action: &str, text: &str, label: &str, leaves: bool) -> Markup {
    html! {
        form method="post" action=(action) hx-delete=[(!leaves).then_some(action)] hx-target="#main" hx-sync="this:drop"
            hx-boost="false" hx-nonce=(nonce()) {
            input type="hidden" name="_method" value="delete";
            button .quiet type="submit" aria-label=(label) { (text) }
        }
    }
}
