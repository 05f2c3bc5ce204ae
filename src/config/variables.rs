//! The environment variables there are, made from the tables.

use super::{
    Config, Provider, Start,
    table::{Row, Settings},
};

/// Which table a variable is read into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// What must be known first.
    Start,
    /// [`Config`].
    Program,
    /// [`Provider`].
    Provider,
}

impl Home {
    const ALL: [Self; 3] = [Self::Start, Self::Program, Self::Provider];

    /// What its variables begin with.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Start | Self::Program => "THOUGHTS_",
            Self::Provider => "THOUGHTS_OIDC_",
        }
    }

    fn rows(self) -> impl Iterator<Item = &'static Row> {
        let (rows, only_in_file) = match self {
            Self::Start => (Start::ROWS, ""),
            Self::Program => (Config::ROWS, ""),
            Self::Provider => (Provider::ROWS, "name"),
        };
        rows.iter().filter(move |row| !row.tables && row.key != only_in_file)
    }
}

/// One environment variable that Thoughts reads.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name: `THOUGHTS_BASE_URL`. With `_FILE` after it, the file that holds the value.
    pub name: String,
    /// Its default and what it means, for the documentation.
    pub row: &'static Row,
    /// Where its value goes.
    pub(super) home: Home,
}

/// Every environment variable there is, in the order of the tables.
pub fn variables() -> Vec<Variable> {
    let of = |home: Home| {
        home.rows().map(move |row| Variable {
            name: format!("{}{}", home.prefix(), row.key.to_ascii_uppercase()),
            row,
            home,
        })
    };
    Home::ALL.into_iter().flat_map(of).collect()
}
