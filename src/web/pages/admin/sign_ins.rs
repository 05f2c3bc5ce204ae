//! What happened to somebody's sign-in: the latest ones, how far each came, and the one whose reference somebody was told.

use http::StatusCode;
use maud::{Markup, html};
use poem::{Response, handler};

use super::screen;
use crate::actions::admin as action;
use crate::actions::admin::WhoCame;
use crate::paths;
use crate::telemetry::{Outcome, Step};
use crate::web::access::Admin;
use crate::web::components::time;
use crate::web::refusal::Refusal;

/// `GET /admin/sign-ins`: the latest first. With `?reference=` the one that ended with it; 404 where none is remembered.
#[handler]
pub async fn get(admin: Admin) -> Result<Response, Refusal> {
    let query = admin.query();
    let reference = Some(query.get("reference").trim()).filter(|reference| !reference.is_empty());
    let found = action::sign_ins(&admin.app, &admin.member, reference).await?;
    let missing = reference.filter(|_| found.is_empty());
    let screen = screen(&admin, "Sign-ins", &view(&admin, &found, reference, missing.is_some()));
    Ok(admin.show(if missing.is_some() { screen.status(StatusCode::NOT_FOUND) } else { screen }))
}

fn view(admin: &Admin, found: &[WhoCame], reference: Option<&str>, missing: bool) -> Markup {
    html! {
        (search(admin, reference, missing))
        @if reference.is_some() { p .back { a href=(admin.app.paths.plain(paths::ADMIN_SIGN_INS)) { "Back to the latest" } } }
        ul .rows role="list" { @for came in found { li { (row(admin, came)) } } }
        @if found.is_empty() && reference.is_none() { p .empty { "Nobody has signed in, or tried to, in the last day." } }
        p .note { "The last 1,000 of a day are remembered, by this instance, until it is started again. What opens anything is not among it." }
    }
}

fn search(admin: &Admin, reference: Option<&str>, missing: bool) -> Markup {
    html! {
        search {
            form .search method="get" action=(admin.app.paths.plain(paths::ADMIN_SIGN_INS)) {
                label for="reference" { "Find by the reference that the person was shown" }
                div .controls {
                    input #reference name="reference" value=[reference] required autocomplete="off" autocapitalize="none" spellcheck="false"
                        aria-invalid=[missing.then_some("true")] aria-describedby=[missing.then_some("reference-note")];
                    button type="submit" { "Find" }
                }
                @if missing {
                    p #reference-note .note .error role="alert" {
                        "No sign-in with this reference is remembered. Look for it in the log."
                    }
                }
            }
        }
    }
}

fn row(admin: &Admin, WhoCame { sign_in, member }: &WhoCame) -> Markup {
    html! {
        div {
            p {
                @match (&sign_in.outcome, member) {
                    (Outcome::SignedIn(_), Some(member)) => {
                        a .name href=(admin.app.paths.admin_member(&member.handle)) { bdi { (member.name) } } " signed in"
                    }
                    (Outcome::SignedIn(_), None) => "Signed in; deleted since",
                    (Outcome::Failed { cause, why }, _) => { span .for .bad { (cause) } " " (why) }
                }
            }
            p .meta {
                span { (time(sign_in.at)) }
                // An answer to nothing that this browser began is of no provider.
                @if !sign_in.provider.is_empty() { span { "with " (sign_in.provider) } }
                @if let Some(address) = sign_in.address { span { "from " (address) } }
                span { "reference " code { (sign_in.reference) } }
            }
            p .note { "Passed: " (passed(&sign_in.steps)) }
        }
    }
}

fn passed(steps: &[Step]) -> String {
    steps.iter().map(|step| step.label()).collect::<Vec<_>>().join(", ")
}
