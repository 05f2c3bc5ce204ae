//! Ways to sign in: the providers that one is linked with, linking one more, unlinking one.

use std::sync::Arc;

use maud::{Markup, html};
use poem::web::Path;
use poem::{Response, handler};

use super::changed;
use crate::actions::identities;
use crate::app::SignInProvider;
use crate::domain::member::Identity;
use crate::paths;
use crate::web::access::Member;
use crate::web::hypermedia::nonce;
use crate::web::pages::login;
use crate::web::purpose::Purpose;
use crate::web::recent::RecentMember;
use crate::web::refusal::Refusal;
use crate::web::return_to::ReturnTo;

/// `POST /profile/providers/{name}`: on to that provider, to come back linked. By `POST` alone, whose origin is checked:
/// no link or picture elsewhere can start it.
#[handler]
pub async fn link(member: RecentMember, Path(name): Path<String>) -> Result<Response, Refusal> {
    let provider = member.app.providers.named(&name).ok_or(Refusal::NotFound)?;
    if identities::at(&member.member, &provider.config).is_some() {
        return changed(&member, "Linked already.").await;
    }
    let return_to = ReturnTo::parse(&member.app, &member.app.paths.plain(paths::PROFILE));
    login::start(&member, provider, Purpose::Link(member.session.hash), return_to).await
}

/// `DELETE /profile/providers/{name}`: nobody signs in here as this member by that provider any more.
#[handler]
pub async fn unlink(member: RecentMember, Path(name): Path<String>) -> Result<Response, Refusal> {
    let provider = member.app.providers.named(&name).ok_or(Refusal::NotFound)?;
    let without = identities::unlink(&member.app, &provider.config, &member.member, &member.session).await?;
    let mut member = member.done();
    member.member = Arc::new(without);
    changed(&member, "Unlinked.").await
}

pub(super) fn section(member: &Member) -> Markup {
    let providers = &member.app.providers;
    let linked = &member.member.identities;
    let more = providers.all().iter().filter(|provider| identities::at(&member.member, &provider.config).is_none());
    html! {
        section {
            h2 { "Ways to sign in" }
            ul .providers role="list" {
                @for identity in linked { (way(member, identity)) }
                @for provider in more { (another(member, provider)) }
            }
            @if linked.len() > 1 {
                p .note { "What you are called and the groups you are in is what the provider says that you signed in with last." }
            }
        }
    }
}

/// One that is linked.
fn way(member: &Member, identity: &Identity) -> Markup {
    let provider = member.app.providers.with_issuer(&identity.iss);
    let label = member.app.providers.label_of_issuer(&identity.iss);
    let in_use = identities::is_in_use(identity, &member.session);
    let others = member.member.identities.len() > 1;
    html! {
        li {
            div {
                p { strong { (label) } @if in_use { " " span .for { "In use" } } }
                p .meta {
                    span { "You are " span dir="auto" { (identity.sub) } " there" }
                    @if provider.is_none() { span { "this site does not use it any more" } }
                    @if in_use && others { span { "sign in with another to unlink it" } }
                }
            }
            @if let Some(provider) = provider.filter(|_| others && !in_use) {
                @let action = member.app.paths.provider(&provider.config.name.to_string());
                form method="post" action=(action) hx-delete=(action) hx-target="#main" hx-sync="this:drop" hx-boost="false" hx-nonce=(nonce()) {
                    input type="hidden" name="_method" value="delete";
                    button .quiet type="submit" aria-label={ "Unlink " (label) } { "Unlink" }
                }
            }
        }
    }
}

/// One that could be. Its form leaves the page, for the provider's.
fn another(member: &Member, provider: &SignInProvider) -> Markup {
    let action = member.app.paths.provider(&provider.config.name.to_string());
    html! {
        li {
            p { strong { (provider.label()) } }
            form method="post" action=(action) hx-boost="false" hx-nonce=(nonce()) {
                button .quiet type="submit" aria-label={ "Link " (provider.label()) } { "Link" }
            }
        }
    }
}
