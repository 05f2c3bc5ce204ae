//! Who is here: all members, whoever came last first, and the way to one by their handle.

use http::StatusCode;
use maud::{Markup, html};
use poem::{Response, handler};

use super::screen;
use crate::actions::{self, admin as action};
use crate::domain::id::MemberId;
use crate::domain::member::{Handle, Identity, Member};
use crate::domain::page::Page;
use crate::domain::policy::administers;
use crate::paths;
use crate::web::access::Admin;
use crate::web::components::{avatar, time};
use crate::web::pages::before;
use crate::web::refusal::Refusal;

/// `GET /admin/members`: a page of them, the next by `?before=`. With `?handle=` it leads to the member of that handle;
/// 404 with the list where nobody has it.
#[handler]
pub async fn get(admin: Admin) -> Result<Response, Refusal> {
    let query = admin.query();
    let typed = query.get("handle").trim().trim_start_matches('@').to_lowercase();
    if !typed.is_empty()
        && let Some(handle) = somebodys(&admin, &typed).await?
    {
        return Ok(admin.send_to(&admin.app.paths.admin_member(&handle)));
    }
    let before: Option<MemberId> = before(&admin)?;
    let page = action::members(&admin.app, &admin.member, before).await?;
    let nobody = (!typed.is_empty()).then_some(typed.as_str());
    let screen = screen(&admin, "Members", &view(&admin, &page, nobody, before.is_some()));
    Ok(admin.show(if nobody.is_some() { screen.status(StatusCode::NOT_FOUND) } else { screen }))
}

/// What was typed, if it is somebody's handle.
async fn somebodys(admin: &Admin, typed: &str) -> Result<Option<Handle>, Refusal> {
    let Ok(handle) = typed.parse::<Handle>() else { return Ok(None) };
    match action::member(&admin.app, &admin.member, &handle).await {
        Ok(_) => Ok(Some(handle)),
        Err(actions::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn view(admin: &Admin, page: &Page<Member, MemberId>, nobody: Option<&str>, older: bool) -> Markup {
    let paths = &admin.app.paths;
    html! {
        (search(admin, nobody))
        @if older { p { a href=(paths.plain(paths::ADMIN_MEMBERS)) { "Back to who came last" } } }
        ul .rows role="list" { @for member in &page.items { li { (row(admin, member)) } } }
        @if page.items.is_empty() { p .empty { "Nobody came before." } }
        @if let Some(next) = page.next {
            p .older { a rel="next" href=(paths.admin_members_before(next)) { "Who came before" } }
        }
    }
}

fn search(admin: &Admin, nobody: Option<&str>) -> Markup {
    html! {
        search {
            form .search method="get" action=(admin.app.paths.plain(paths::ADMIN_MEMBERS)) {
                label for="handle" { "Find by handle" }
                div .controls {
                    input #handle name="handle" value=[nobody] required autocomplete="off" autocapitalize="none" spellcheck="false"
                        aria-invalid=[nobody.map(|_| "true")] aria-describedby=[nobody.map(|_| "handle-note")];
                    button type="submit" { "Find" }
                }
                @if let Some(typed) = nobody {
                    p #handle-note .note .error role="alert" { "Nobody has the handle " bdi { (typed) } ". It must be the whole of it." }
                }
            }
        }
    }
}

fn row(admin: &Admin, member: &Member) -> Markup {
    html! {
        (avatar(&member.name, member.id))
        div {
            p {
                a .name href=(admin.app.paths.admin_member(&member.handle)) { bdi { (member.name) } }
                " " span .handle { "@" (member.handle) }
            }
            p .meta {
                span { "Joined " (time(member.joined_at)) }
                span { "by " (providers(admin, member)) }
                @if administers(member) { span .for { "Admin" } }
            }
        }
    }
}

/// What the providers are called that the member signs in with.
fn providers(admin: &Admin, member: &Member) -> String {
    let label = |identity: &Identity| admin.app.providers.label_of_issuer(&identity.iss);
    member.identities.iter().map(label).collect::<Vec<_>>().join(", ")
}
