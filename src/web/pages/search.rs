//! Searching: the thoughts that say what somebody looks for, newest first.

use maud::{Markup, html};
use poem::{Response, handler};

use super::before;
use crate::actions::read;
use crate::domain::search::Query;
use crate::paths;
use crate::web::access::Visitor;
use crate::web::components::{List, list};
use crate::web::hypermedia::{Screen, nonce};
use crate::web::refusal::Refusal;

/// What HTMX says that it puts what is found into, while somebody types.
const FOUND: &str = "div#found";

/// `GET /search?q=`: a page of what is found, the next by `?before=`. HTMX gets what is found alone while somebody types,
/// and the items alone where it asks for the next page to put it below the last.
#[handler]
pub async fn get(visitor: Visitor) -> Result<Response, Refusal> {
    let typing = visitor.target.as_deref() == Some(FOUND);
    // Few look for the same: it is not kept in the place of what many do.
    Ok(visitor.show(screen(&visitor, typing).await?))
}

async fn screen(visitor: &Visitor, typing: bool) -> Result<Screen, Refusal> {
    let fields = visitor.query();
    let typed: String = fields.get("q").trim().chars().take(Query::MAX_CHARS).collect();
    let before = before(visitor)?;
    let title = if typed.is_empty() { "Search".to_owned() } else { format!("“{typed}” · Search") };
    let Some(query) = Query::parse(&typed) else {
        let screen = Screen::new(title, view(visitor, &typed, &hint(&typed))).live();
        return Ok(if typing { screen.part(hint(&typed)) } else { screen });
    };
    let page = read::search(&visitor.app, &visitor.viewer, &query, before).await?;
    let older = page.next.map(|id| visitor.app.paths.search_before(&typed, id));
    let thoughts = List { visitor, page: &page, older };
    let found = html! {
        // They are being indexed, and some were looked at one by one.
        @if page.items.is_empty() && page.next.is_some() { p .note { "Nothing among the newest. Look among older thoughts:" } }
        (list(&thoughts, "Nothing that you can see says that."))
    };
    let screen = Screen::new(title, view(visitor, &typed, &found)).live();
    Ok(if typing {
        screen.part(found).announcing(match (page.items.is_empty(), page.next) {
            (false, _) => "Thoughts found.",
            (true, None) => "Nothing found.",
            (true, Some(_)) => "Nothing found so far.",
        })
    } else if before.is_some() {
        screen.part(html! { (thoughts) })
    } else {
        screen
    })
}

fn hint(typed: &str) -> Markup {
    html! {
        p .note {
            @if !typed.is_empty() { "There is no letter and no digit in this. " }
            "Type words, or how they begin: a thought is found that has all of them, in any order. Case and accents make no difference."
        }
    }
}

fn view(visitor: &Visitor, typed: &str, found: &Markup) -> Markup {
    let here = visitor.app.paths.plain(paths::SEARCH);
    html! {
        h1 tabindex="-1" { "Search" }
        search {
            form .search method="get" action=(here) {
                label .hidden for="q" { "What to look for" }
                div .controls {
                    input #q type="search" name="q" value=(typed) maxlength=(Query::MAX_CHARS) autocomplete="off" enterkeyhint="search"
                        autofocus[typed.is_empty()] hx-get=(here) hx-trigger="input changed delay:300ms" hx-target="#found"
                        hx-replace-url="true" hx-sync="closest form:replace" hx-nonce=(nonce());
                    button type="submit" { "Search" }
                }
            }
        }
        div #found { (found) }
    }
}
