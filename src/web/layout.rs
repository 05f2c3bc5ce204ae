//! What stands round every screen: the head, the navigation, the foot.

use maud::{DOCTYPE, Markup, html};

use super::access::Visitor;
use super::assets;
use super::components::avatar;
use super::cookies::Theme;
use super::hypermedia::{Screen, nonce};
use super::return_to::ReturnTo;
use crate::domain::member::Member;
use crate::domain::policy::{Viewer, administers};
use crate::paths;

/// Told to htmx: which of its extensions may run, and that its style sheet stands in ours.
const HTMX: &str = r#"{"extensions":"hx-csp,thoughts,sse","includeIndicatorCSS":false}"#;

/// Told to htmx's stream, as browsers do it for an `EventSource` by themselves (HTML, 9.2.2). Else Firefox may have a second tab
/// wait at the first one's entry in its cache, for good: a stream has no end.
const NOT_FROM_A_CACHE: &str = r#"{"cache":"no-store"}"#;

/// The whole document.
pub fn page(visitor: &Visitor, screen: &Screen, notice: Option<&'static str>) -> Markup {
    let paths = &visitor.app.paths;
    let chosen = visitor.sent.theme;
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[chosen.map(Theme::as_str)] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content=(chosen.map_or("light dark", Theme::as_str));
                title { (title(screen)) }
                link rel="stylesheet" href=(paths.asset(assets::file("thoughts.css")));
                link rel="icon" type="image/svg+xml" href=(paths.asset(assets::file("icon.svg")));
                meta name="htmx-config" content=(HTMX);
                script src=(paths.asset(assets::file("thoughts.js"))) nonce=(nonce()) defer {}
            }
            // Links and forms work by themselves; with htmx they swap the main part. `hx-boost` does that for
            // each without another attribute on it.
            body hx-boost:inherited=r##"{"target":"#main"}"## hx-nonce=(nonce()) {
                a .skip href="#main" { "Skip to the content" }
                header .site {
                    div .bar {
                        a .brand href=(paths.feed()) { "Thoughts" }
                        (navigation(visitor, false))
                    }
                }
                // Stands by for what goes wrong beside a form; before the main part, so that it is near by keyboard.
                div #panel .panel role="region" aria-label="Message" tabindex="-1" {}
                @if let Some(notice) = notice { p .notice role="status" { (notice) } }
                main #main tabindex="-1" { (screen.main) }
                (foot(visitor, chosen))
                div #status .status role="status" {}
                (live(visitor, screen))
            }
        }
    }
}

/// Where our script is told what changes: a member wherever they are, also that their session has ended; whoever isn't
/// signed in where thoughts stand. One stream a tab, however many screens follow each other in it.
fn live(visitor: &Visitor, screen: &Screen) -> Markup {
    let paths = &visitor.app.paths;
    let member = visitor.viewer.member().map(|member| member.id.to_string()).unwrap_or_default();
    let events = paths.plain(paths::EVENTS);
    let events = if member.is_empty() { events } else { format!("{events}?for={member}") };
    html! {
        @if screen.live || !member.is_empty() {
            div #live hidden data-member=(member) data-feed=(paths.feed()) data-thoughts=(paths.plain(paths::THOUGHTS))
                data-login=(paths.login("")) hx-sse:connect=(events) hx-sse:close="ended" hx-trigger="load, listen"
                hx-sync="this:drop" hx-config=(NOT_FROM_A_CACHE)
                hx-swap="none" hx-nonce=(nonce()) {}
        }
    }
}

/// The part of the document that HTMX asked for, with a title; the navigation comes along where the whole main
/// part is new.
pub fn fragment(visitor: &Visitor, screen: &Screen) -> Markup {
    html! {
        title { (title(screen)) }
        @match &screen.part {
            Some(part) => (part),
            None => { (screen.main) (navigation(visitor, true)) }
        }
        // What stood in the panel is over once something has worked.
        @if screen.status.is_success() { div hx-swap-oob="innerHTML:#panel" hx-nonce=(nonce()) {} }
        @match screen.announcement {
            Some(text) => div hx-swap-oob="innerHTML:#status" hx-nonce=(nonce()) { p { (text) } },
            // What was said before is over on a new screen, and beside an error.
            None if screen.part.is_none() || !screen.status.is_success() => {
                div hx-swap-oob="innerHTML:#status" hx-nonce=(nonce()) {}
            }
            None => {}
        }
    }
}

fn title(screen: &Screen) -> String {
    if screen.title == "Thoughts" { screen.title.clone() } else { format!("{} · Thoughts", screen.title) }
}

fn navigation(visitor: &Visitor, out_of_band: bool) -> Markup {
    let paths = &visitor.app.paths;
    let here = visitor.path.split('?').next().unwrap_or_default();
    // The base path without its slash is the feed as well.
    let here = if here == paths.base() { paths.feed() } else { here.to_owned() };
    let link = |href: String, text: &str| {
        let current = (here == href).then_some("page");
        html! { li { a href=(href) aria-current=[current] { (text) } } }
    };
    html! {
        nav #navigation aria-label="Main" hx-swap-oob=[out_of_band.then_some("true")] hx-nonce=[out_of_band.then(nonce)] {
            ul role="list" {
                (link(paths.feed(), "Feed"))
                (link(paths.plain(paths::SEARCH), "Search"))
                @match &visitor.viewer {
                    Viewer::Member(member) => {
                        (link(paths.plain(paths::SHARE_THOUGHT), "Share"))
                        @if administers(member) { (admin_link(visitor, &here)) }
                        (profile_link(visitor, member, &here))
                    }
                    Viewer::Anonymous => li {
                        a .button href=(paths.login(ReturnTo::parse(&visitor.app, &visitor.path).as_str())) rel="nofollow" hx-boost="false" hx-nonce=(nonce()) { "Sign in" }
                    }
                }
            }
        }
    }
}

/// To the admin's pages, of which any may be the one that is shown.
fn admin_link(visitor: &Visitor, here: &str) -> Markup {
    let href = visitor.app.paths.plain(paths::ADMIN);
    let current = here.strip_prefix(&href).and_then(|rest| match rest {
        "" => Some("page"),
        below if below.starts_with('/') => Some("true"),
        _ => None,
    });
    html! { li { a href=(href) aria-current=[current] { "Admin" } } }
}

fn profile_link(visitor: &Visitor, member: &Member, here: &str) -> Markup {
    let href = visitor.app.paths.plain(paths::PROFILE);
    let current = (here == href).then_some("page");
    html! {
        li {
            a .me href=(href) aria-current=[current] {
                (avatar(&member.name, member.id))
                span { "Profile" }
            }
        }
        li { (sign_out(visitor, true)) }
    }
}

/// The button that signs out, quiet or not. It leaves the site where the provider can end its own session too.
pub fn sign_out(visitor: &Visitor, quiet: bool) -> Markup {
    html! {
        form method="post" action=(visitor.app.paths.plain(paths::LOGOUT)) hx-boost="false" hx-nonce=(nonce()) {
            button .quiet[quiet] type="submit" { "Sign out" }
        }
    }
}

fn foot(visitor: &Visitor, chosen: Option<Theme>) -> Markup {
    let choices = [("auto", "Auto", None), ("light", "Light", Some(Theme::Light)), ("dark", "Dark", Some(Theme::Dark))];
    html! {
        footer .site {
            form .theme method="post" action=(visitor.app.paths.plain(paths::THEME)) hx-boost="false" hx-nonce=(nonce()) {
                fieldset {
                    legend { "Colours" }
                    @for (value, text, theme) in choices {
                        button .quiet type="submit" name="theme" value=(value) aria-pressed=(theme == chosen) { (text) }
                    }
                }
            }
        }
    }
}
