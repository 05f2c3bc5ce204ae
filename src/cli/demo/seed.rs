//! A few thoughts by two members, so that the first look is not at an empty page.

use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::cli::Failed;
use crate::domain::id::{MemberId, ThoughtId};
use crate::domain::member::{Handle, Identity, Profile};
use crate::domain::policy::Reach;
use crate::domain::thought::{Message, Thought};
use crate::domain::visibility::Visibility;
use crate::store::Scope;

/// Who says what to whom, and how many minutes before the first start.
const SEEDS: &[(&str, Visibility, i64, &str)] = &[
    (
        "Ada",
        Visibility::Public,
        190,
        "Hello! This is **Thoughts**: short posts among people who know each other.\n\n\
         Sign in with *any* name; the demo has its own sign-in service, and it speaks the real protocol.",
    ),
    (
        "Grace",
        Visibility::Public,
        145,
        "Three things I like about a page that comes whole from the server:\n\n\
         1. it is there before any script is,\n2. Back goes back,\n3. what I may not see never leaves the machine.",
    ),
    ("Ada", Visibility::Members, 95, "Only whoever is signed in can read this one. Sign out and look: it is gone."),
    (
        "Grace",
        Visibility::Members,
        40,
        "Found a moth in relay 70 today. Kept it:\n\n```\n9 Sep  15:45  Relay #70 Panel F (moth) in relay.\n```\n\n\
         More at https://en.wikipedia.org/wiki/Software_bug",
    ),
    ("Ada", Visibility::Public, 12, "Your turn. What is on your mind?"),
];

/// Shares them, through the store, as of their times, where nothing has been shared yet.
pub async fn seed(app: &App, issuer: &str) -> Result<(), Failed> {
    if !app.store.feed(Scope::Everyone, &Reach::Public, None, 1).await?.items.is_empty() {
        return Ok(());
    }
    let now = app.clock.now();
    for (name, visibility, minutes, text) in SEEDS {
        let at = now.saturating_sub(SignedDuration::from_mins(*minutes)).unwrap_or(Timestamp::MIN);
        let identity = Identity { iss: issuer.to_owned(), sub: name.to_lowercase() };
        let profile = Profile { name: (*name).to_owned(), preferred_handle: name.to_lowercase(), ..Profile::default() };
        let handle = Handle::suggest(&profile.preferred_handle);
        let id = MemberId::from(ulid(at));
        let author = app.store.admit(&identity, &profile, &handle, id, at).await?;
        let message = Message::parse(text).map_err(|invalid| Failed::Other(invalid.to_string()))?;
        let thought = Thought {
            id: ThoughtId::from(ulid(at)),
            author: author.id,
            message,
            visibility: visibility.clone(),
            created_at: at,
            edited_at: None,
            deleted_at: None,
            version: 0,
        };
        app.store.share(&thought, None).await?;
    }
    Ok(())
}

/// An identifier of a moment that has passed: the program's own go only forward.
fn ulid(at: Timestamp) -> ulid::Ulid {
    crate::clock::Ids::default().next(at)
}
