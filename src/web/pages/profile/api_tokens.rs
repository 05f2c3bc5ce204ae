//! The programs one has let in: their API tokens, making one, revoking one.

use http::StatusCode;
use maud::{Markup, html};
use poem::web::Path;
use poem::{Response, handler};

use super::changed;
use super::sessions::end_button;
use crate::actions::api_tokens::Made;
use crate::actions::{self, api_tokens};
use crate::domain::Invalid;
use crate::domain::api_token::{ApiToken, ApiTokenSecret, NewApiToken, TokenLifetime, TokenName, TokenScope};
use crate::domain::thought::Once;
use crate::paths;
use crate::web::access::Member;
use crate::web::components::time;
use crate::web::form::{Fields, named};
use crate::web::hypermedia::{Screen, nonce, once};
use crate::web::recent::RecentMember;
use crate::web::refusal::Refusal;
use crate::web::unsent;

/// `GET /profile/api-tokens`: the form for a new one, as it was where one had to sign in again first.
#[handler]
pub async fn get(member: Member) -> Result<Response, Refusal> {
    let usual = || Fields::of([("expires", TokenLifetime::Days(90).to_string())]);
    let waiting = unsent::waiting(&member, &member.app.paths.plain(paths::API_TOKENS)).await?;
    Ok(member.show(Screen::new("New API token", form(&member, &waiting.unwrap_or_else(usual), &[]))))
}

/// `POST /profile/api-tokens`: answers with the secret, which stands in no address and in no later answer: sending the
/// form again, by a reload or twice, makes no second token, and says that the secret was told. 422 with the form as it
/// was filled in where something in it is wrong. It asks for a recent sign-in.
#[handler]
pub async fn post(member: RecentMember, fields: Fields) -> Result<Response, Refusal> {
    let (new, once) = match parse(&fields) {
        Ok(parsed) => parsed,
        Err(errors) => return Ok(again(&member, &fields, &errors)),
    };
    match api_tokens::create(&member.app, &member.member, new, once.as_ref()).await {
        Ok(Made::Now(token, secret)) => {
            unsent::sent(&member, &member.app.paths.plain(paths::API_TOKENS)).await?;
            let screen = Screen::new("Your new API token", made(&member, &token, &secret));
            Ok(member.show(screen.status(StatusCode::CREATED)))
        }
        Ok(Made::Already) => Ok(member.show(Screen::new("Made already", made_already(&member)))),
        Err(actions::Error::Invalid(invalid)) => Ok(again(&member, &fields, &[invalid])),
        Err(error) => Err(error.into()),
    }
}

/// `DELETE /profile/api-tokens/{id}`: revokes one of one's own, at once.
#[handler]
pub async fn revoke(member: Member, Path(id): Path<String>) -> Result<Response, Refusal> {
    api_tokens::revoke(&member.app, &member.member, named(&id)?).await?;
    changed(&member, "Token revoked.").await
}

/// The token that is asked for, and what tells this sending from another.
fn parse(fields: &Fields) -> Result<(NewApiToken, Option<Once>), Vec<Invalid>> {
    let once = Some(fields.get("once")).filter(|once| !once.is_empty()).map(Once::parse).transpose();
    let name = TokenName::parse(fields.get("name"));
    let (scope, lifetime) = (fields.get("scope").parse::<TokenScope>(), fields.get("expires").parse::<TokenLifetime>());
    match (name, scope, lifetime, once) {
        (Ok(name), Ok(scope), Ok(lifetime), Ok(once)) => Ok((NewApiToken { name, scope, lifetime }, once)),
        (name, scope, lifetime, once) => {
            Err([name.err(), scope.err(), lifetime.err(), once.err()].into_iter().flatten().collect())
        }
    }
}

fn again(member: &Member, fields: &Fields, errors: &[Invalid]) -> Response {
    let screen = Screen::new("New API token", form(member, fields, errors));
    member.show(screen.status(StatusCode::UNPROCESSABLE_ENTITY))
}

pub(super) fn section(member: &Member, tokens: &[ApiToken]) -> Markup {
    let paths = &member.app.paths;
    html! {
        section {
            h2 { "API tokens" }
            p .note { "A program that has one can use the API in your name, without you being there." }
            @if !tokens.is_empty() { ul .tokens role="list" { @for token in tokens { li { (row(member, token)) } } } }
            p { a href=(paths.plain(paths::API_TOKENS)) { "New API token…" } }
        }
    }
}

fn row(member: &Member, token: &ApiToken) -> Markup {
    let expired = token.expired(member.app.clock.now());
    let button = if expired { "Remove" } else { "Revoke" };
    html! {
        div {
            p { strong { bdi { (token.name) } } " " span .for { (scope_in_words(token.scope)) } @if expired { " " span .for { "Expired" } } }
            p .meta {
                span { "Made " (time(token.created_at)) }
                @match token.last_used_at {
                    Some(at) => span { "last used " (time(at)) },
                    None => span { "never used" },
                }
                @match token.expires_at {
                    Some(at) => span { @if expired { "expired " } @else { "expires " } (time(at)) },
                    None => span { "never expires" },
                }
            }
        }
        (end_button(&member.app.paths.api_token(token.id), button, &format!("{button} the token {}", token.name), false))
    }
}

fn scope_in_words(scope: TokenScope) -> &'static str {
    match scope {
        TokenScope::Read => "Read",
        TokenScope::ReadWrite => "Read and write",
    }
}

fn lifetime_in_words(lifetime: TokenLifetime) -> String {
    match lifetime {
        TokenLifetime::Days(365) => "A year".to_owned(),
        TokenLifetime::Days(days) => format!("{days} days"),
        TokenLifetime::UntilRevoked => "Until you revoke it".to_owned(),
    }
}

fn form(member: &Member, fields: &Fields, errors: &[Invalid]) -> Markup {
    let action = member.app.paths.plain(paths::API_TOKENS);
    let scopes = TokenScope::ALL.map(|scope| (scope.as_str().to_owned(), scope_in_words(scope).to_owned()));
    let lifetimes = TokenLifetime::ALL.map(|lifetime| (lifetime.to_string(), lifetime_in_words(lifetime)));
    let error = |field| errors.iter().find(|error| error.field == field).map(|error| error.message.as_str());
    let name = error("name").or(error("once"));
    html! {
        h1 tabindex="-1" { "New API token" }
        p { "With it a program can use the API in your name. It can't make tokens, sign in, or delete your account." }
        form .settings method="post" action=(action) hx-post=(action) hx-target="#main" hx-swap="innerHTML show:top" hx-sync="this:drop" hx-nonce=(nonce()) {
            input type="hidden" name="once" value=(once());
            label for="name" { "What it is for" }
            input #name name="name" value=(fields.get("name")) required placeholder="Backup script" autocomplete="off" dir="auto"
                aria-invalid=[name.map(|_| "true")] aria-describedby=[name.map(|_| "name-note")] autofocus;
            (note("name", name))
            (select("scope", "What it may do", &scopes, fields.get("scope"), error("scope")))
            (select("expires", "How long it is good", &lifetimes, fields.get("expires"), error("expires")))
            button type="submit" { "Make the token" }
        }
        p .back { a href=(member.app.paths.plain(paths::PROFILE)) { "Back to your profile" } }
    }
}

fn select(name: &str, label: &str, choices: &[(String, String)], chosen: &str, error: Option<&str>) -> Markup {
    html! {
        label for=(name) { (label) }
        select id=(name) name=(name) aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| format!("{name}-note"))] {
            @for (value, text) in choices { option value=(value) selected[value == chosen] { (text) } }
        }
        (note(name, error))
    }
}

fn note(field: &str, error: Option<&str>) -> Markup {
    html! { @if let Some(error) = error { p id={ (field) "-note" } .note .error role="alert" { (error) } } }
}

/// The one time that the secret is shown.
fn made(member: &Member, token: &ApiToken, secret: &ApiTokenSecret) -> Markup {
    let thoughts = member.app.absolute(&member.app.paths.plain(paths::API_THOUGHTS));
    html! {
        h1 tabindex="-1" { "Your new API token" }
        p {
            "Copy “" bdi { (token.name) } "” now: " strong { "this is the only time it is shown." }
            " Whoever has it can use the API in your name, so keep it as you would a password."
        }
        p .secret { code { (secret.to_text()) } }
        p { "It is sent with every call, for example so:" }
        pre .wrapped { code { "curl -H \"Authorization: Bearer $TOKEN\" " (thoughts) } }
        p .back { a href=(member.app.paths.plain(paths::PROFILE)) { "I have copied it, back to my profile" } }
    }
}

fn made_already(member: &Member) -> Markup {
    let paths = &member.app.paths;
    html! {
        section .message {
            h1 tabindex="-1" { "This token was made already" }
            p {
                "The form was sent twice, and one token was made. It was shown then, and can't be shown again: what is kept \
                 of it does not give it back. If you have no copy, revoke it on your profile and make another."
            }
            p {
                a .button href=(paths.plain(paths::PROFILE)) { "To your profile" }
                " " a href=(paths.plain(paths::API_TOKENS)) { "New API token" }
            }
        }
    }
}
