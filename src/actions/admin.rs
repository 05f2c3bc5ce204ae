//! What admins see and do. Each function asks the policy first, whoever calls it; what is done to others is logged with
//! who did it.

use super::{Error, Result, sessions};
use crate::app::App;
use crate::domain::id::MemberId;
use crate::domain::member::{Handle, Member};
use crate::domain::page::{PAGE_SIZE, Page, TrashPlace};
use crate::domain::policy::{Action, Reach, administers, may};
use crate::domain::session::{End, Session, SessionHash};
use crate::domain::thought::Authored;
use crate::telemetry::{Outcome, SignIn};

/// How many members are counted at most: a number on a page is not worth reading all of them.
const COUNTED: usize = 500;

/// How many of the latest sign-ins are shown.
const SHOWN: usize = 50;

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Bytes that the store takes.
    pub bytes: u64,
    /// Members, as far as they were counted.
    pub members: usize,
    /// Whether there are more of them.
    pub more: bool,
}

/// How much there is, as far as that can be known without reading all of it.
pub async fn totals(app: &App, admin: &Member) -> Result<Totals> {
    check(admin)?;
    let members = app.store.members(None, COUNTED).await?;
    Ok(Totals { bytes: app.store.bytes().await?, members: members.items.len(), more: members.next.is_some() })
}

/// A page of all members, whoever came last first.
pub async fn members(app: &App, admin: &Member, before: Option<MemberId>) -> Result<Page<Member, MemberId>> {
    check(admin)?;
    Ok(app.store.members(before, PAGE_SIZE).await?)
}

/// A member, and their sessions that are still good, the most recently begun first.
pub async fn member(app: &App, admin: &Member, handle: &Handle) -> Result<(Member, Vec<Session>)> {
    check(admin)?;
    let member = app.store.member_by_handle(handle).await?.ok_or(Error::NotFound)?;
    let sessions = sessions::own(app, &member).await?;
    Ok((member, sessions))
}

/// Ends all of a member's sessions; where they are the admin's own, all but the one in use. Gives how many.
pub async fn end_sessions(app: &App, admin: &Member, in_use: SessionHash, of: &Handle) -> Result<usize> {
    check(admin)?;
    let member = app.store.member_by_handle(of).await?.ok_or(Error::NotFound)?;
    let (except, why) = if member.id == admin.id { (Some(in_use), End::Elsewhere) } else { (None, End::ByAdmin) };
    let ended = sessions::end_all(app, member.id, except, why).await?;
    tracing::info!(member = %member.id, by = %admin.id, sessions = ended, "user_sessions_ended_by_admin");
    Ok(ended)
}

/// A page of the deleted thoughts that this admin could see before and may put back, the latest deleted first. It may
/// hold fewer than others, or none, and have a next one.
pub async fn deleted(app: &App, admin: &Member, before: Option<TrashPlace>) -> Result<Page<Authored, TrashPlace>> {
    check(admin)?;
    let reach = Reach::of(admin);
    let mut page = app.store.trash(&reach, before, PAGE_SIZE).await?;
    page.items.retain(|authored| may(admin, Action::Restore, &authored.thought));
    Ok(page)
}

/// How a sign-in ended, and whose it was.
pub struct WhoCame {
    /// What is remembered of it.
    pub sign_in: SignIn,
    /// Who has signed in, if somebody did and is still here.
    pub member: Option<Member>,
}

/// What became of the latest sign-ins, or of the one with this `reference`.
pub async fn sign_ins(app: &App, admin: &Member, reference: Option<&str>) -> Result<Vec<WhoCame>> {
    check(admin)?;
    let remembered = app.telemetry.sign_ins();
    let found = match reference {
        Some(reference) => remembered.find(reference).into_iter().collect(),
        None => remembered.latest(SHOWN),
    };
    let mut all = Vec::new();
    for sign_in in found {
        let member = match &sign_in.outcome {
            Outcome::SignedIn(member) => app.store.member(*member).await?,
            Outcome::Failed { .. } => None,
        };
        all.push(WhoCame { sign_in, member });
    }
    Ok(all)
}

fn check(member: &Member) -> Result<()> {
    if administers(member) { Ok(()) } else { Err(Error::Forbidden("This is for admins.")) }
}
