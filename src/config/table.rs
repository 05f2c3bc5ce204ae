//! The machinery under the tables of settings: how a struct of settings is declared, and read from what was given.
//!
//! A table is written once, with [`settings!`], and is at the same time the struct, the list of the keys that exist (for
//! "did you mean" and the documentation) and the reading of each. A default is text like everything else and goes through
//! the same parser.

use std::collections::BTreeMap;

use super::{
    error::{ConfigError, quoted},
    given::{Given, Value},
    parse::Parse,
};

/// One setting, as the documentation tells it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The key in the file: `base_url`.
    pub key: &'static str,
    /// What holds where nothing is given, as a person would write it.
    pub default: Option<&'static str>,
    /// What it is, a sentence or two.
    pub meaning: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// Whether it is a list of tables, which only a file can hold.
    pub tables: bool,
}

/// A struct whose fields are settings. Implemented by [`settings!`].
pub(super) trait Settings: Rules {
    /// The settings in the order of the fields.
    const ROWS: &'static [Row];

    /// Errors: the first key that is unknown, missing or bad.
    fn read(table: &Table) -> Result<Self, ConfigError>;
}

/// What must hold between the settings of one table.
pub(super) trait Rules: Sized {
    /// Errors: what does not go together.
    fn check(&self, table: &Table) -> Result<(), ConfigError>;
}

/// A type that a field of a table can have.
pub(super) trait Setting: Sized {
    /// See [`Row::secret`].
    const SECRET: bool = false;
    /// See [`Row::tables`].
    const TABLES: bool = false;

    /// Errors: what is wrong with the value.
    fn read(given: &Given) -> Result<Self, ConfigError>;

    /// What it is when nothing was given; `None` where it must be.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Parse> Setting for T {
    const SECRET: bool = T::SECRET;

    fn read(given: &Given) -> Result<Self, ConfigError> {
        given.one()
    }
}

impl<T: Setting> Setting for Option<T> {
    const SECRET: bool = T::SECRET;

    fn read(given: &Given) -> Result<Self, ConfigError> {
        T::read(given).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Parse> Setting for Vec<T> {
    const SECRET: bool = T::SECRET;

    fn read(given: &Given) -> Result<Self, ConfigError> {
        let (first, mut rest) = given.list()?;
        rest.insert(0, first);
        Ok(rest)
    }

    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
}

/// Declares a table of settings: a struct with, for each field, its meaning (the doc comment), its key (the field's name,
/// or what stands after `as`), its type (a [`Parse`], an `Option` or a `Vec` of one, or any other [`Setting`]) and its default.
macro_rules! settings {
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
    (@row $type:ty, [$($key:tt)+], [$($default:literal)?], [$($meaning:literal)+]) => {
        &$crate::config::table::Row {
            key: $crate::config::table::settings!(@key $($key)+),
            default: $crate::config::table::settings!(@default $($default)?),
            meaning: concat!($($meaning),+).trim_ascii(),
            secret: <$type as $crate::config::table::Setting>::SECRET,
            tables: <$type as $crate::config::table::Setting>::TABLES,
        }
    };
    (
        $(#[$about:meta])*
        $vis:vis struct $name:ident {
            $($(#[doc = $meaning:literal])+ pub $field:ident $(as $key:literal)?: $type:ty $(= $default:literal)?,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug)]
        $vis struct $name {
            $($(#[doc = $meaning])+ pub $field: $type,)+
        }

        impl $crate::config::table::Settings for $name {
            const ROWS: &'static [$crate::config::table::Row] = &[
                $(*$crate::config::table::settings!(@row $type, [$field $($key)?], [$($default)?], [$($meaning)+]),)+
            ];

            fn read(table: &$crate::config::table::Table) -> Result<Self, $crate::config::ConfigError> {
                table.refuse_unknown(Self::ROWS)?;
                let settings = Self {
                    $($field: table.get(
                        $crate::config::table::settings!(@row $type, [$field $($key)?], [$($default)?], [$($meaning)+])
                    )?,)+
                };
                $crate::config::table::Rules::check(&settings, table)?;
                Ok(settings)
            }
        }
    };
}
pub(super) use settings;

/// Where a table's keys are written.
#[derive(Clone)]
pub(super) enum Place {
    /// In variables that begin with `prefix`.
    Environment {
        /// `THOUGHTS_` or `THOUGHTS_OIDC_`.
        prefix: &'static str,
    },
    /// In a file.
    File {
        /// The file, in backticks.
        file: String,
        /// What stands before a key: nothing, or `provider[1].`, counted from 1.
        prefix: String,
    },
}

/// What was given for one struct of settings.
#[derive(Clone)]
pub(super) struct Table {
    /// Where a missing key would be written.
    pub place: Place,
    /// The values by key.
    pub given: BTreeMap<String, Given>,
}

impl Table {
    pub(super) fn new(place: Place) -> Self {
        Self { place, given: BTreeMap::new() }
    }

    /// The key as it was written, or as it would be.
    pub(super) fn written(&self, key: &str) -> String {
        match (self.given.get(key), &self.place) {
            (Some(given), _) => given.key.clone(),
            (None, Place::Environment { prefix }) => quoted(&format!("{prefix}{}", key.to_ascii_uppercase())),
            (None, Place::File { file, prefix }) => {
                format!("{} in {file}", quoted(&format!("{prefix}{key}")))
            }
        }
    }

    /// The field of this row.
    pub(super) fn get<T: Setting>(&self, row: &Row) -> Result<T, ConfigError> {
        if let Some(given) = self.given.get(row.key) {
            return T::read(given);
        }
        if let Some(default) = row.default {
            return T::read(&Given { key: self.written(row.key), value: Value::Text(default.to_owned()) });
        }
        T::absent().ok_or_else(|| ConfigError::Missing { key: self.written(row.key), meaning: row.meaning })
    }
}
