//! Someone is sent round: they sign in, come back, and are nobody again. Instead of another round they get a page
//! that shows what their browser really sent, and names the likely cause.

use http::StatusCode;
use maud::{Markup, html};
use poem::{Request, Response};

use super::login::for_the_operator;
use crate::app::{Arrival, Misfit};
use crate::paths;
use crate::telemetry::Event;
use crate::web::access::Visitor;
use crate::web::arrival;
use crate::web::cookies::{SESSION, name};
use crate::web::hypermedia::{Screen, nonce};
use crate::web::return_to::ReturnTo;
use crate::web::sign_in_cookies::{forget_done, just_finished};

/// Sign-ins finished within a minute by someone who is signed out all the same, from which on this is no accident.
const ROUNDS: usize = 2;

/// Whether this visitor, who is about to be sent to sign in, has come round twice in the last minute.
pub fn is(visitor: &Visitor) -> bool {
    visitor.session.is_none() && just_finished(&visitor.app, &visitor.cookies).len() >= ROUNDS
}

/// The page. What it was counted by is forgotten, so that *try again* does.
pub fn answer(visitor: &Visitor, request: &Request, return_to: &ReturnTo) -> Response {
    let seen = Seen::of(visitor, request);
    let (cause, advice) = seen.likely_cause(visitor);
    visitor.app.telemetry.event(Event::SentRound { reference: visitor.request_id.as_str(), cause, advice: &advice });
    let main = view(visitor, &seen, &advice, return_to);
    forget_done(&visitor.app, &visitor.cookies);
    visitor.show(Screen::new("Sent round in circles", main).status(StatusCode::CONFLICT))
}

/// What the browser sent.
struct Seen {
    arrival: Arrival,
    misfits: Vec<Misfit>,
    cookies: Vec<String>,
    ages: Vec<i64>,
}

impl Seen {
    fn of(visitor: &Visitor, request: &Request) -> Self {
        let arrival = arrival::of(request);
        let mut cookies: Vec<_> = visitor.cookies.list().iter().map(|cookie| cookie.name().to_owned()).collect();
        cookies.sort();
        Self {
            misfits: arrival.misfits(&visitor.app.config),
            arrival,
            cookies,
            ages: just_finished(&visitor.app, &visitor.cookies),
        }
    }

    /// As the proxy says, or else as it must have been.
    fn scheme(&self, visitor: &Visitor) -> String {
        let ours = if visitor.app.config.base_url.is_https() { "https" } else { "http" };
        self.arrival.forwarded_proto.clone().unwrap_or_else(|| ours.to_owned())
    }

    /// A label for the log, and a sentence with what to change.
    fn likely_cause(&self, visitor: &Visitor) -> (&'static str, String) {
        let app = &visitor.app;
        let ours = app.config.base_url.join("/");
        for misfit in &self.misfits {
            let advice = match misfit {
                Misfit::AnotherHost { came, .. } => format!(
                    "You came by {came}, and this site's address is {ours}. Cookies of the one are not sent to the other. \
                     Use {ours}."
                ),
                Misfit::NotHttps { by, .. } => format!(
                    "The proxy in front of this site says that you came by {by}, and a cookie for https is not sent there. \
                     Use {ours}."
                ),
                Misfit::HttpBehindHttps { .. } => {
                    format!("You came by https, and this site takes {ours} for its address.")
                }
                Misfit::Untrusted { .. } => continue,
            };
            return (misfit.cause(), advice);
        }
        let advice = format!(
            "Your browser does not keep the cookie “{}” that it is given. Allow cookies for this site, and look at what \
             add-ons do to them.",
            name(app, SESSION)
        );
        ("cookie_not_kept", advice)
    }
}

fn view(visitor: &Visitor, seen: &Seen, advice: &str, return_to: &ReturnTo) -> Markup {
    let login = visitor.app.paths.plain(paths::LOGIN);
    html! {
        section .message {
            h1 tabindex="-1" { "You are being sent round in circles" }
            p { "You have signed in " (seen.ages.len()) " times within a minute, and each time this site saw nobody after it." }
            p { strong { "Likely cause: " } (advice) }
            (for_the_operator(&seen.misfits))
            h2 { "What your browser sent" }
            dl .claims {
                div { dt { "Address" } dd { (seen.scheme(visitor)) "://" (seen.arrival.host) } }
                div { dt { "Cookies" } dd { @if seen.cookies.is_empty() { "none" } @else { (seen.cookies.join(", ")) } } }
                div {
                    dt { "Signed in" }
                    dd { @for (index, age) in seen.ages.iter().enumerate() { @if index > 0 { ", " } (age) " s ago" } }
                }
            }
            form method="get" action=(login) hx-boost="false" hx-nonce=(nonce()) {
                input type="hidden" name="return_to" value=(return_to);
                input type="hidden" name="again" value="1";
                button type="submit" { "Try again" }
            }
            p { a href=(visitor.app.paths.feed()) { "To the feed" } }
            p .note { "Reference: " code { (visitor.request_id) } }
        }
    }
}
