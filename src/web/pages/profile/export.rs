//! Taking along what is one's own: a JSON file, written while it is read, so that its length does not matter.

use std::io;

use futures_util::stream;
use poem::{Body, Response, handler};
use serde_json::{Value, json};

use crate::actions::export::{Batch, batch};
use crate::actions::{self, api_tokens, sessions};
use crate::domain::id::ThoughtId;
use crate::domain::thought::{Revision, Thought};
use crate::web::access::Member;
use crate::web::refusal::Refusal;

/// `GET /profile/export`: who one is here, what the provider said at the sign-in, one's sessions and tokens without
/// what opens them, and one's thoughts with what they said before. Where the store fails on the way the download breaks
/// off, and is no JSON.
#[handler]
pub async fn get(member: Member) -> Result<Response, Refusal> {
    let head = head(&member).await?.to_string();
    // The thoughts go into the object before it closes.
    let open = format!("{},\"thoughts\":[", head.strip_suffix('}').unwrap_or(&head));
    let disposition = format!("attachment; filename=\"thoughts-{}.json\"", member.member.handle);
    let pieces = stream::try_unfold((member, Piece::Head(open)), |(member, piece)| async move {
        let step = match piece {
            Piece::Head(text) => Some((text, Piece::Thoughts { before: None })),
            Piece::Thoughts { before } => Some(thoughts(&member, before).await?),
            Piece::Done => None,
        };
        Ok::<_, io::Error>(step.map(|(text, next)| (text, (member, next))))
    });
    let response = Response::builder()
        .content_type("application/json")
        .header("content-disposition", disposition)
        .header("cache-control", "private, no-store");
    Ok(response.body(Body::from_bytes_stream(pieces)))
}

/// What is to be written next.
enum Piece {
    /// All but the thoughts.
    Head(String),
    /// Those older than `before`, or the newest.
    Thoughts {
        /// The last one that was written.
        before: Option<ThoughtId>,
    },
    /// Nothing.
    Done,
}

/// A batch of thoughts as text, and what comes after it.
async fn thoughts(member: &Member, before: Option<ThoughtId>) -> io::Result<(String, Piece)> {
    let Batch { thoughts, next } = batch(&member.app, &member.member, before).await.map_err(|error| {
        tracing::error!(request_id = %member.request_id, %error, "an export broke off");
        io::Error::other("the store failed")
    })?;
    let mut text =
        thoughts.iter().map(|(thought, revisions)| shown(thought, revisions).to_string()).collect::<Vec<_>>();
    if before.is_some() {
        text.insert(0, String::new());
    }
    let text = text.join(",\n");
    Ok(match next {
        Some(_) => (text, Piece::Thoughts { before: next }),
        None => (text + "]}\n", Piece::Done),
    })
}

async fn head(member: &Member) -> Result<Value, actions::Error> {
    let me = &member.member;
    let claims = sessions::kept(&member.app, &member.session).map(|kept| kept.claims).unwrap_or_default();
    let sessions = sessions::own(&member.app, me).await?;
    let tokens = api_tokens::own(&member.app, me).await?;
    Ok(json!({
        "exported_at": member.app.clock.now(),
        "member": {
            "handle": me.handle, "name": me.name, "email": me.email, "groups": me.groups, "admin": me.admin,
            "joined_at": me.joined_at, "identities": me.identities,
        },
        "claims": claims,
        "sessions": sessions.iter().map(|session| json!({
            "provider": session.provider, "created_at": session.created_at, "last_seen_at": session.last_seen_at,
            "user_agent": session.user_agent, "address": session.address,
        })).collect::<Vec<_>>(),
        "api_tokens": tokens.iter().map(|token| json!({
            "name": token.name, "scope": token.scope, "created_at": token.created_at,
            "last_used_at": token.last_used_at, "expires_at": token.expires_at,
        })).collect::<Vec<_>>(),
    }))
}

fn shown(thought: &Thought, revisions: &[Revision]) -> Value {
    json!({
        "id": thought.id, "message": thought.message, "visibility": thought.visibility,
        "created_at": thought.created_at, "edited_at": thought.edited_at,
        "revisions": revisions.iter().map(|revision| json!({ "message": revision.message, "since": revision.since }))
            .collect::<Vec<_>>(),
    })
}
