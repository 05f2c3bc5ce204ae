//! Who signs people in: what each provider says of itself, how it is doing, and what has to be registered there. Nobody
//! is asked for it: a page must not wait for a provider that is down.

use maud::{Markup, html};
use poem::{Response, handler};

use super::{fact, screen};
use crate::app::SignInProvider;
use crate::config::{ClaimRule, Scope};
use crate::oidc::{Description, Status};
use crate::paths;
use crate::web::access::Admin;
use crate::web::components::time;

/// `GET /admin/providers`
#[handler]
pub fn get(admin: Admin) -> Response {
    let below = html! {
        @for provider in admin.app.providers.all() { (section(provider)) }
        (to_register(&admin))
    };
    admin.show(screen(&admin, "Providers", &below))
}

fn section(provider: &SignInProvider) -> Markup {
    let config = &provider.config;
    let scopes = config.scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ");
    html! {
        section {
            h2 { (provider.label()) }
            dl .claims {
                (fact("Now", &status(&provider.oidc.status())))
                (fact("Name here", &html! { (config.name) }))
                (fact("Issuer", &html! { code { (config.issuer.as_str()) } }))
                (fact("Client id", &html! { code { (config.client_id) } }))
                (fact("Scopes", &html! { (scopes) }))
                (fact("Who may enter", &html! { @if config.allow.is_empty() { "everyone it lets in" } @else { "whom " code { "allow" } " names" } }))
                (fact("Who is an admin", &admins(config.admin.as_ref())))
                (fact("Groups", &html! { "claim " code { (config.groups_claim) } }))
                (fact("Its clock", &html! { (skew(provider.oidc.skew())) }))
                @match provider.oidc.description() {
                    Some(known) => (facts(&known)),
                    None => (fact("Metadata", &html! { "not known yet" })),
                }
            }
        }
    }
}

fn status(status: &Status) -> Markup {
    html! {
        @match status {
            Status::Unasked => "not asked yet",
            Status::Up => span .for { "Answers" },
            Status::Down { since, why } => { span .for .bad { "Down" } " since " (time(*since)) ": " (why) }
        }
    }
}

fn admins(rule: Option<&ClaimRule>) -> Markup {
    html! {
        @match rule {
            Some(rule) => { "who has " code { (rule.claim) "=" (rule.value) } },
            None => "nobody",
        }
    }
}

/// How far its clock is from ours.
fn skew(seconds: Option<i64>) -> String {
    match seconds {
        None => "not known: it does not tell its time".to_owned(),
        Some(0) => "agrees with ours".to_owned(),
        Some(seconds) => {
            format!("{} s {} ours", seconds.unsigned_abs(), if seconds > 0 { "ahead of" } else { "behind" })
        }
    }
}

fn facts(known: &Description) -> Markup {
    let says = |yes: bool, what: &str, without: &str| html! { (if yes { what } else { without }) };
    html! {
        (fact("Asked last", &time(known.at)))
        (fact("Keys", &html! { (known.keys) }))
        (fact("Signs ID tokens with", &html! {
            (known.id_token_signing_alg_values_supported.join(", "))
            span .note { " (accepted here: " (known.accepted.join(", ")) ")" }
        }))
        (fact("PKCE", &html! {
            @match &known.code_challenge_methods_supported {
                Some(methods) => (methods.join(", ")),
                None => "its metadata don’t say; S256 is used",
            }
        }))
        (fact("Client authentication", &html! {
            @match &known.client_authentication {
                Ok(method) => code { (method) },
                Err(why) => { span .for .bad { "Not possible" } " " (why) }
            }
        }))
        (fact("Names itself in each answer", &says(known.authorization_response_iss_parameter_supported, "yes (RFC 9207)", "no")))
        (fact("Tells us of sign-outs there", &says(known.backchannel_logout_supported, "yes, over the back channel", "no")))
        @for (name, address) in &known.endpoints { (fact(name, &html! { code { (address) } })) }
    }
}

/// The same for every provider.
fn to_register(admin: &Admin) -> Markup {
    let address = |path: &str| html! { code { (admin.app.config.base_url.join(path)) } };
    html! {
        section {
            h2 { "To be registered there" }
            p .note { "Letter for letter, at every provider." }
            dl .claims {
                (fact("Redirect URI", &address(paths::CALLBACK)))
                (fact("Post-logout redirect URI", &address(paths::LOGOUT)))
                (fact("Back-channel logout URI", &address(paths::BACK_CHANNEL_LOGOUT)))
            }
        }
    }
}
