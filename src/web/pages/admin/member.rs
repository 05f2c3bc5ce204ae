//! One member as an admin sees them: who they are at their providers, and where they are signed in, which an admin can
//! end. What they keep to themselves, their address and their private thoughts, is not here.

use maud::{Markup, html};
use poem::web::Path;
use poem::{Response, handler};

use super::screen;
use crate::actions::admin as action;
use crate::domain::member::{Handle, Identity, Member};
use crate::domain::policy::administers;
use crate::domain::session::Session;
use crate::web::access::Admin;
use crate::web::components::{avatar, session as row, time};
use crate::web::form::named;
use crate::web::hypermedia::see_other;
use crate::web::pages::profile::sessions::end_button;
use crate::web::recent::RecentAdmin;
use crate::web::refusal::Refusal;
use crate::web::request::Kind;

/// `GET /admin/members/{handle}`
#[handler]
pub async fn get(admin: Admin, Path(handle): Path<String>) -> Result<Response, Refusal> {
    show(&admin, &named(&handle)?, None).await
}

/// `DELETE /admin/members/{handle}/sessions`: ends all of them, at once; of one's own all but the one in use. It asks for
/// a recent sign-in.
#[handler]
pub async fn end_sessions(admin: RecentAdmin, Path(handle): Path<String>) -> Result<Response, Refusal> {
    let handle: Handle = named(&handle)?;
    action::end_sessions(&admin.app, &admin.member, admin.session.hash, &handle).await?;
    match admin.kind {
        Kind::Page | Kind::Api => Ok(see_other(&admin.app.paths.admin_member(&handle))),
        Kind::Fragment => show(&admin, &handle, Some("Sessions ended.")).await,
    }
}

async fn show(admin: &Admin, handle: &Handle, said: Option<&'static str>) -> Result<Response, Refusal> {
    let (member, sessions) = action::member(&admin.app, &admin.member, handle).await?;
    let below = html! {
        (person(admin, &member))
        (identities(admin, &member))
        (places(admin, &member, &sessions))
    };
    let screen = screen(admin, &member.name, &below);
    Ok(admin.show(match said {
        Some(said) => screen.announcing(said),
        None => screen,
    }))
}

fn person(admin: &Admin, member: &Member) -> Markup {
    html! {
        div .person {
            (avatar(&member.name, member.id))
            div {
                p .meta {
                    a .handle href=(admin.app.paths.member(&member.handle)) { "@" (member.handle) }
                    span { "joined " (time(member.joined_at)) }
                    @if administers(member) { span .for { "Admin" } }
                    @for group in &member.groups { span .for { (group) } }
                }
            }
        }
    }
}

fn identities(admin: &Admin, member: &Member) -> Markup {
    html! {
        section {
            h2 { "Signs in with" }
            ul .rows role="list" { @for identity in &member.identities { li { (way(admin, identity)) } } }
        }
    }
}

fn way(admin: &Admin, identity: &Identity) -> Markup {
    let providers = &admin.app.providers;
    html! {
        div {
            p {
                strong { (providers.label_of_issuer(&identity.iss)) }
                @if providers.with_issuer(&identity.iss).is_none() { " " span .for .bad { "Not configured any more" } }
            }
            p .meta { span { "Issuer " code { (identity.iss) } } span { "subject " code dir="auto" { (identity.sub) } } }
        }
    }
}

fn places(admin: &Admin, member: &Member, sessions: &[Session]) -> Markup {
    let own = member.id == admin.member.id;
    let providers = &admin.app.providers;
    let action = admin.app.paths.admin_sessions(&member.handle);
    let (text, label) = if own {
        ("End all others", "End all your other sessions".to_owned())
    } else {
        ("End all sessions", format!("End all sessions of {}", member.name))
    };
    let there = if own { sessions.len() > 1 } else { !sessions.is_empty() };
    html! {
        section {
            h2 { "Signed in" }
            @if sessions.is_empty() { p .note { "Nowhere at the moment." } }
            ul .rows role="list" {
                @for session in sessions {
                    @let this = session.hash == admin.session.hash;
                    li { (row(session, &providers.label(&session.provider), this.then_some("This one"))) }
                }
            }
            @if there {
                (end_button(&action, text, &label, false))
                p .note {
                    "They are signed out at once, wherever they are, and can sign in again as long as their provider lets \
                     them. Programs with an API token of theirs are not touched."
                    @if !admin.session.is_recent(admin.app.clock.now()) { " You are asked to sign in again first." }
                }
            }
        }
    }
}
