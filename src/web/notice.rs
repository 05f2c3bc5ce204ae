//! What a person is told once, the next time they come, of a session that somebody else has ended: on the first page
//! that their browser still brings the dead session to, or on the first after they have signed in again.

use tower_cookies::cookie::time::Duration;

use super::access::Visitor;
use super::cookies::{NOTICE, cookie, forget, name, session_max_age};
use crate::domain::session::{End, SessionHash};

/// Of which session the browser has been told.
const TOLD: &str = "thoughts-told";

/// What is told. Whoever has ended a session themselves knows, and one that has expired is told by that alone.
fn words(why: End) -> Option<&'static str> {
    match why {
        End::ByProvider => Some("Your last session here was ended by the service that you sign in with."),
        End::ByAdmin => Some("Your last session here was ended by an admin."),
        End::NotAllowed => Some(
            "Your last session here has ended: the service that you sign in with said that you may not come in any more.",
        ),
        End::SignedOut | End::Elsewhere | End::Replaced | End::AccountDeleted | End::Expired => None,
    }
}

/// What the page tells, which is told from then on.
pub fn take(visitor: &Visitor) -> Option<&'static str> {
    let app = &visitor.app;
    let is_held = |why: &End| visitor.sent.notice.as_deref() == Some(why.label());
    if let Some(why) = End::ALL.into_iter().find(is_held) {
        forget(app, &visitor.cookies, NOTICE);
        return words(why);
    }
    let words = words(visitor.ended?)?;
    let hash = visitor.sent.session?;
    if is_told(visitor, hash) {
        return None;
    }
    visitor.cookies.add(cookie(app, TOLD, hash.to_string(), session_max_age(app)));
    Some(words)
}

/// Has it told on the next page, where a sign-in takes the place of a session that was ended so.
pub fn keep(visitor: &Visitor) {
    let app = &visitor.app;
    let Some(why) = visitor.ended.filter(|why| words(*why).is_some()) else { return };
    if visitor.sent.session.is_some_and(|hash| !is_told(visitor, hash)) {
        visitor.cookies.add(cookie(app, NOTICE, why.label().to_owned(), Some(Duration::minutes(10))));
    }
}

fn is_told(visitor: &Visitor, hash: SessionHash) -> bool {
    visitor.cookies.get(&name(&visitor.app, TOLD)).is_some_and(|told| told.value() == hash.to_string())
}
