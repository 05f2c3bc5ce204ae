//! What thoughts look like, kept in memory: the HTML of each as a kind of viewer sees it, with a place for the nonce.

use std::sync::Arc;

use crate::cache::{Bounded, Size, Usage};
use crate::domain::id::ThoughtId;
use crate::domain::member::Author;
use crate::domain::thought::Authored;

/// Bytes of HTML that are kept.
const BYTES: usize = 10 * 1024 * 1024;

/// What of a thought depends on who looks: their buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Buttons {
    /// Whether there is a place for buttons: a member has one.
    pub any: bool,
    /// Whether they may edit it.
    pub edit: bool,
    /// Whether they may delete it.
    pub delete: bool,
}

/// The HTML of a thought, and what it shows.
pub struct Shown {
    version: u32,
    author: Arc<Author>,
    html: Box<str>,
}

impl Shown {
    /// The HTML.
    pub fn html(&self) -> &str {
        &self.html
    }
}

impl Size for Arc<Shown> {
    fn bytes(&self) -> usize {
        self.html.len() + self.author.name.len() + size_of::<Shown>()
    }
}

/// The HTML of thoughts. An entry says which version of the thought and what name of its author it shows, and is of no
/// use for another: nothing has to tell it of a change.
pub struct Rendered(Bounded<(ThoughtId, Buttons), Arc<Shown>>);

impl Default for Rendered {
    fn default() -> Self {
        Self(Bounded::new(BYTES))
    }
}

impl Rendered {
    /// The HTML of a thought: the kept one, or what `render` makes, which is then kept.
    pub fn thought(&self, authored: &Authored, buttons: Buttons, render: impl FnOnce() -> String) -> Arc<Shown> {
        let key = (authored.thought.id, buttons);
        if let Some(shown) = self.0.get(&key)
            && shown.version == authored.thought.version
            && shown.author == authored.author
        {
            return shown;
        }
        let (version, author) = (authored.thought.version, authored.author.clone());
        let shown = Arc::new(Shown { version, author, html: render().into() });
        self.0.keep(key, shown.clone());
        shown
    }

    /// What it holds.
    pub fn usage(&self) -> Usage {
        self.0.usage()
    }
}
