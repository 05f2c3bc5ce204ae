//! The site for its admins, a file a page: how it is doing (`overview`), who is here (`members`, `member`), who signs
//! people in (`providers`), what became of sign-ins (`sign_ins`), and what is shared and was deleted (`moderation`). Each looks through an action that asks the
//! policy. To add one, add a file, a pattern, a row in the table, and a line in [`PAGES`].

pub mod member;
pub mod members;
pub mod moderation;
pub mod overview;
pub mod providers;
pub mod sign_ins;

use maud::{Markup, html};

use crate::paths;
use crate::web::access::Admin;
use crate::web::hypermedia::Screen;

/// The pages that the navigation leads to.
const PAGES: [(&str, &str); 5] = [
    (paths::ADMIN, "Overview"),
    (paths::ADMIN_MEMBERS, "Members"),
    (paths::ADMIN_PROVIDERS, "Providers"),
    (paths::ADMIN_SIGN_INS, "Sign-ins"),
    (paths::ADMIN_MODERATION, "Moderation"),
];

/// A screen of these pages: the navigation among them, the heading, and what stands below.
fn screen(admin: &Admin, heading: &str, below: &Markup) -> Screen {
    let main = html! {
        (navigation(admin))
        h1 tabindex="-1" { (heading) }
        (below)
    };
    Screen::new(format!("{heading} · Admin"), main)
}

fn navigation(admin: &Admin) -> Markup {
    let here = admin.path.split('?').next().unwrap_or_default();
    html! {
        nav .pages aria-label="Admin" {
            ul role="list" {
                @for (pattern, text) in PAGES {
                    @let href = admin.app.paths.plain(pattern);
                    // A page below one of these is part of it; all are below the first.
                    @let below = pattern != paths::ADMIN && here.strip_prefix(&href).is_some_and(|rest| rest.starts_with('/'));
                    @let current = if here == href { Some("page") } else { below.then_some("true") };
                    li { a href=(href) aria-current=[current] { (text) } }
                }
            }
        }
    }
}

/// A name and what it is, in a list of such.
fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}
