//! Texts that nobody may read by accident.

use std::fmt;

use super::{ConfigError, Wrong, given::Given, parse::Parse, table::Setting};

/// A text that is never printed: `Debug` shows `[secret]`, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one who must use it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

impl Parse for Secret {
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, Wrong> {
        String::parse(text).map(Self)
    }
}

/// What `THOUGHTS_SECRET` holds: one secret or more, each of at least 32 bytes. The first seals; all of them open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    first: Secret,
    older: Vec<Secret>,
}

impl Secrets {
    /// The secret that seals.
    pub fn first(&self) -> &Secret {
        &self.first
    }

    /// All secrets that may open what was sealed, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.first).chain(&self.older)
    }
}

impl Setting for Secrets {
    const SECRET: bool = true;

    fn read(given: &Given) -> Result<Self, ConfigError> {
        let (first, older) = given.list::<LongSecret>()?;
        Ok(Self { first: first.0, older: older.into_iter().map(|secret| secret.0).collect() })
    }
}

/// A secret from which keys may be derived.
struct LongSecret(Secret);

impl Parse for LongSecret {
    const SECRET: bool = true;
    const SEPARATORS: &'static [char] = &[','];

    fn parse(text: &str) -> Result<Self, Wrong> {
        const SHORTEST: usize = 32;
        if text.len() < SHORTEST {
            return Err(Wrong::new(format!(
                "it has {} bytes and needs at least {SHORTEST} (a comma ends a secret and begins the next). Make one with `openssl rand -hex 32`.",
                text.len()
            )));
        }
        Ok(Self(Secret::parse(text)?))
    }
}
