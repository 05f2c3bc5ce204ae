//! Where a sign-in starts: on the way to the provider at once where there is one, a choice where there are
//! several. It starts only when a person goes there: not for a robot, a prefetch, a fragment or an image.

use std::fmt::Display;

use http::header::RETRY_AFTER;
use http::{Method, StatusCode};
use maud::{Markup, html};
use poem::{Request, Response, handler};

use super::going_round;
use super::sign_in_failed::{Failure, SoFar, failed};
use crate::app::{Misfit, SignInProvider};
use crate::domain::session::Session;
use crate::oidc::{SignInError, Status, Whose};
use crate::telemetry::{Event, Outcome};
use crate::web::access::Visitor;
use crate::web::arrival;
use crate::web::components::{registration, time};
use crate::web::form::Fields;
use crate::web::hypermedia::{Screen, nonce, see_other};
use crate::web::purpose::Purpose;
use crate::web::refusal::Refusal;
use crate::web::request::text;
use crate::web::return_to::ReturnTo;
use crate::web::sign_in_cookies::{self, UnderWay};

/// `GET /login?return_to=<path>`, and `&provider=<name>` where one was chosen; with `&for=confirm` whoever is signed in
/// proves once more who they are.
#[handler]
pub async fn get(visitor: Visitor, request: &Request) -> Result<Response, Refusal> {
    let query = visitor.query();
    let return_to = ReturnTo::parse(&visitor.app, query.get("return_to"));
    if visitor.by_htmx {
        // The browser itself goes where htmx was sent, with the same query.
        return Ok(visitor.send_to(&visitor.path));
    }
    let misfits = arrival::of(request).misfits(&visitor.app.config);
    visitor.app.arrivals.tell(&misfits, visitor.app.clock.now());
    if query.get("again").is_empty() && going_round::is(&visitor) {
        return Ok(going_round::answer(&visitor, request, &return_to));
    }
    let (purpose, chosen) = asked(&visitor, &query);
    match chosen {
        // Another tab has done it.
        Some(_) if purpose.max_age().is_some() && is_recent(&visitor) => Ok(see_other(return_to.as_str())),
        Some(provider) if a_person_navigates(request, &query) => start(&visitor, provider, purpose, return_to).await,
        Some(one) if purpose != Purpose::SignIn => {
            let offered = std::slice::from_ref(one);
            let page = choice(&visitor, "Sign in again", offered, &return_to, &misfits);
            Ok(visitor.show(Screen::new("Sign in again", page)))
        }
        Some(_) | None => {
            let offered = visitor.app.providers.all();
            Ok(visitor.show(Screen::new("Sign in", choice(&visitor, "Sign in", offered, &return_to, &misfits))))
        }
    }
}

/// What the sign-in is for, and with whom it is, if that is clear. Who confirms does so with the provider of their
/// session; where it is not configured any more, they sign in anew.
fn asked<'v>(visitor: &'v Visitor, query: &Fields) -> (Purpose, Option<&'v SignInProvider>) {
    let providers = &visitor.app.providers;
    let of_session = |session: &Session| Some((Purpose::Confirm(session.hash), providers.named(&session.provider)?));
    match visitor.session.as_deref().filter(|_| query.get("for") == "confirm").and_then(of_session) {
        Some((purpose, provider)) => (purpose, Some(provider)),
        None => match query.get("provider") {
            "" => (Purpose::SignIn, providers.only()),
            name => (Purpose::SignIn, providers.named(name)),
        },
    }
}

fn is_recent(visitor: &Visitor) -> bool {
    visitor.session.as_ref().is_some_and(|session| session.is_recent(visitor.app.clock.now()))
}

/// Whether a person asked for this page to look at it. A browser says so (Fetch Metadata Request Headers), and an older
/// one by what it accepts; of what says nothing, robots are known by their names, until they press the button.
fn a_person_navigates(request: &Request, query: &Fields) -> bool {
    let headers = request.headers();
    let says = |name, fits: &dyn Fn(&str) -> bool| text(headers, name).is_some_and(fits);
    let ahead = |purpose: &str| purpose.contains("prefetch") || purpose.contains("prerender");
    // A page is asked for with images among what it may be.
    let an_image = |accepted: &str| accepted.contains("image/") && !accepted.contains("text/html");
    let a_browser_or_a_choice = headers.contains_key("sec-fetch-mode") || !query.get("provider").is_empty();
    *request.method() == Method::GET
        && !says("sec-purpose", &ahead)
        && !says("purpose", &ahead)
        && !says("sec-fetch-dest", &|dest| dest != "document")
        && !says("sec-fetch-mode", &|mode| mode != "navigate")
        && !says("accept", &|accepted| an_image(&accepted.to_ascii_lowercase()))
        && (a_browser_or_a_choice || !says("user-agent", &is_robot))
}

fn is_robot(user_agent: &str) -> bool {
    let name = user_agent.to_ascii_lowercase();
    ["bot", "crawl", "spider", "slurp", "facebookexternalhit"].iter().any(|part| name.contains(part))
}

/// Sends the browser to the provider, and remembers why.
pub async fn start(
    visitor: &Visitor,
    provider: &SignInProvider,
    purpose: Purpose,
    return_to: ReturnTo,
) -> Result<Response, Refusal> {
    let app = &visitor.app;
    match provider.oidc.begin(purpose.max_age()).await {
        Ok((url, attempt)) => {
            let under_way = UnderWay {
                attempt: Some(attempt),
                provider: provider.config.name.to_string(),
                return_to: return_to.to_string(),
                purpose,
                started: app.clock.now().as_millisecond(),
            };
            sign_in_cookies::remember(app, &visitor.cookies, &under_way)?;
            app.telemetry.event(Event::SignInStarted { provider: provider.config.name.as_str() });
            Ok(visitor.send_to(url.as_str()))
        }
        Err(error) if !waiting_helps(&error) => {
            Ok(failed(visitor, &Failure::from(&error), SoFar::nowhere(provider), purpose, &return_to))
        }
        Err(error) => {
            let outcome = Outcome::Failed { cause: error.cause(), why: error.to_string() };
            SoFar::nowhere(provider).end(visitor, outcome);
            let screen = Screen::new(
                "Sign-in is not answering",
                unavailable(visitor, provider, &purpose.again(app, &return_to)),
            );
            Ok(visitor.show(screen.status(StatusCode::SERVICE_UNAVAILABLE).header(RETRY_AFTER.as_str(), "30")))
        }
    }
}

/// Whether it is the provider that is not there. Where it is how this site speaks with it, or which one it was told to
/// ask, trying again changes nothing.
fn waiting_helps(error: &SignInError) -> bool {
    matches!(error, SignInError::Provider(why) if why.whose() == Whose::Provider)
}

fn choice(
    visitor: &Visitor,
    title: &str,
    offered: &[SignInProvider],
    return_to: &ReturnTo,
    misfits: &[Misfit],
) -> Markup {
    let app = &visitor.app;
    let query = visitor.query();
    html! {
        section .message {
            h1 tabindex="-1" { (title) }
            p { "You sign in at your provider; Thoughts never sees your password." }
            @for provider in offered {
                form method="get" action=(app.paths.plain(crate::paths::LOGIN)) hx-boost="false" hx-nonce=(nonce()) {
                    input type="hidden" name="return_to" value=(return_to);
                    input type="hidden" name="provider" value=(provider.config.name);
                    @if query.get("for") == "confirm" { input type="hidden" name="for" value="confirm"; }
                    button type="submit" {
                        "Continue"
                        @if app.providers.only().is_none() { " with " (provider.label()) }
                    }
                }
            }
            (registration(app))
            (for_the_operator(misfits))
        }
    }
}

/// What is wrong, for whoever runs this site.
pub fn for_the_operator(wrong: &[impl Display]) -> Markup {
    html! {
        @for what in wrong { p .note { "For whoever runs this site: " (what) "." } }
    }
}

/// Reading goes on, and so do the sessions there are.
fn unavailable(visitor: &Visitor, provider: &SignInProvider, again: &str) -> Markup {
    html! {
        section .message {
            h1 tabindex="-1" { "Sign-in is not answering" }
            p {
                "The service that signs people in (“" (provider.label()) "”) has not been answering"
                @if let Status::Down { since, .. } = provider.oidc.status() { " since " (time(since)) }
                ". Reading goes on, and whoever is signed in stays so."
            }
            p { a .button href=(again) hx-boost="false" hx-nonce=(nonce()) { "Try again" } }
            p .note { "Reference: " code { (visitor.request_id) } }
        }
    }
}
