//! The page where somebody says who they are.

use maud::{Markup, html};
use poem::{Response, http::StatusCode};

use super::{
    authorization_request::AuthorizationRequest,
    pages, paths,
    person::{NAME_MAX, NameError},
    state::Session,
};

/// `session` is one that may be gone on with; `wrong` is said at the field.
pub(super) fn show(asked: &AuthorizationRequest, session: Option<&Session>, wrong: Option<NameError>) -> Response {
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let body = html! {
        p { "to " strong { (asked.client.client_id) } }
        @if let Some(session) = session {
            form method="post" action=(paths::SIGN_IN) {
                (carried(asked))
                button name="choice" value="continue" { "Continue as " (session.person.name) }
            }
        }
        form method="post" action=(paths::SIGN_IN) {
            (carried(asked))
            (name_field(asked, wrong))
            (more_fields(asked))
            button class=[session.map(|_| "quiet")] name="choice" value="sign-in" { "Sign in" }
        }
        form method="post" action=(paths::SIGN_IN) {
            (carried(asked))
            button.quiet name="choice" value="cancel" { "Cancel" }
        }
    };
    pages::page(status, "Sign in", &body)
}

/// The authorization request, which is checked anew when it comes back.
fn carried(asked: &AuthorizationRequest) -> Markup {
    html! {
        @for (name, value) in asked.carried() {
            input type="hidden" name=(name) value=(value);
        }
    }
}

fn name_field(asked: &AuthorizationRequest, wrong: Option<NameError>) -> Markup {
    let name = asked.field("name").or_else(|| asked.field("login_hint")).unwrap_or_default();
    html! {
        div {
            label for="name" { "Name" }
            input #name name="name" value=(name) maxlength=(NAME_MAX) required autofocus autocomplete="username"
                aria-describedby="name-help" aria-invalid=[wrong.map(|_| "true")];
            p #name-help .soft[wrong.is_none()] .wrong[wrong.is_some()] {
                @match wrong {
                    Some(wrong) => (wrong),
                    None => "Any name will do. The same name is the same person the next time.",
                }
            }
        }
    }
}

fn more_fields(asked: &AuthorizationRequest) -> Markup {
    let groups = asked.field("groups").unwrap_or_default();
    let admin = asked.field("admin").is_some();
    html! {
        details open[!groups.is_empty() || admin] {
            summary { "Groups and roles" }
            label for="groups" { "Groups, separated by commas" }
            input #groups name="groups" value=(groups) placeholder="staff, readers" autocomplete="off";
            label.tick { input type="checkbox" name="admin" value="true" checked[admin]; "Admin" }
        }
    }
}
