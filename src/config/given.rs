//! What was given and by whom, before anyone knows its type.

use super::{
    error::{ConfigError, Wrong},
    parse::Parse,
    table::{Settings, Table},
};

/// A value as it was given, before anyone knows its type.
#[derive(Clone)]
pub(super) enum Value {
    /// One text; also a number or a date of the file.
    Text(String),
    /// An array of the file.
    List(Vec<String>),
    /// `[[key]]` tables of the file.
    Tables(Vec<Table>),
    /// What no setting takes, in words.
    Other(&'static str),
}

/// A value and who gave it.
#[derive(Clone)]
pub(super) struct Given {
    /// The key as it was written, in backticks, with its place.
    pub key: String,
    /// What it was set to.
    pub value: Value,
}

impl Given {
    fn wrong(&self, value: impl Into<String>, reason: impl Into<String>) -> ConfigError {
        ConfigError::Value { key: self.key.clone(), value: value.into(), wrong: Wrong::new(reason) }
    }

    /// The one value.
    pub(super) fn one<T: Parse>(&self) -> Result<T, ConfigError> {
        match &self.value {
            Value::Text(text) if text.trim().is_empty() => {
                Err(self.wrong("empty", "give it a value, or leave it out."))
            }
            Value::Text(text) => T::parse(text).map_err(|wrong| ConfigError::Value {
                key: self.key.clone(),
                value: T::shown(text),
                wrong,
            }),
            Value::List(_) => Err(self.wrong("a list", "it takes one value. Write it without `[` and `]`.")),
            Value::Tables(_) => Err(self.wrong("a list of tables", "it takes one value. Write `key = \"value\"`.")),
            Value::Other(kind) => Err(self.wrong(*kind, "it takes one value. Write `key = \"value\"`.")),
        }
    }

    /// The first of at least one value, and the rest.
    pub(super) fn list<T: Parse>(&self) -> Result<(T, Vec<T>), ConfigError> {
        let texts: Vec<&str> = match &self.value {
            Value::Text(text) => text.split(T::SEPARATORS).map(str::trim).collect(),
            Value::List(texts) => texts.iter().map(|text| text.trim()).collect(),
            Value::Tables(_) => {
                return Err(self.wrong("a list of tables", "it takes texts. Write `key = [\"value\"]`."));
            }
            Value::Other(kind) => {
                return Err(self.wrong(*kind, "it takes a list of texts. Write `key = [\"value\"]`."));
            }
        };
        let mut items = texts.into_iter().filter(|text| !text.is_empty()).map(|text| {
            T::parse(text).map_err(|wrong| ConfigError::Item { key: self.key.clone(), item: T::shown(text), wrong })
        });
        let first = items.next().ok_or_else(|| self.wrong("empty", "give it a value, or leave it out."))??;
        Ok((first, items.collect::<Result<_, _>>()?))
    }

    /// Every `[[key]]` table.
    pub(super) fn tables<T: Settings>(&self) -> Result<Vec<T>, ConfigError> {
        match &self.value {
            Value::Tables(tables) => tables.iter().map(T::read).collect(),
            Value::Text(_) | Value::List(_) | Value::Other(_) => {
                Err(self.wrong("not a list of tables", "write its name in double brackets, like `[[provider]]`."))
            }
        }
    }
}
