//! A member's page: those of their thoughts that the viewer may see.

use maud::{Markup, html};
use poem::web::Path;
use poem::{Response, handler};

use super::before;
use crate::actions::read;
use crate::domain::member::{Handle, Member};
use crate::web::access::Visitor;
use crate::web::components::{List, avatar, list};
use crate::web::form::named;
use crate::web::hypermedia::Screen;
use crate::web::refusal::Refusal;

/// `GET /@{handle}`
#[handler]
pub async fn get(visitor: Visitor, Path(handle): Path<String>) -> Result<Response, Refusal> {
    let handle: Handle = named(&handle)?;
    visitor.show_kept(async || screen(&visitor, &handle).await).await
}

async fn screen(visitor: &Visitor, handle: &Handle) -> Result<Screen, Refusal> {
    let before = before(visitor)?;
    let (member, page) = read::member_page(&visitor.app, &visitor.viewer, handle, before).await?;
    let older = page.next.map(|id| visitor.app.paths.member_before(handle, id));
    let thoughts = List { visitor, page: &page, older };
    let screen = Screen::new(format!("{} (@{handle})", member.name), view(&member, &thoughts)).live();
    Ok(if before.is_some() { screen.part(html! { (thoughts) }) } else { screen })
}

fn view(member: &Member, thoughts: &List<'_>) -> Markup {
    html! {
        header .person {
            (avatar(&member.name, member.id))
            div {
                h1 tabindex="-1" { (member.name) }
                p .meta { span .handle { "@" (member.handle) } span { "joined " (member.joined_at.strftime("%-d %B %Y")) } }
            }
        }
        (list(thoughts, "Nothing here that you can see."))
    }
}
