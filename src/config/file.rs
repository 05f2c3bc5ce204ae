//! From the text of `thoughts.toml` to a table of what was given, each with its line.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{
    error::{ConfigError, quoted},
    given::{Given, Value},
    table::{Place, Table},
};

/// Errors: the line that is not TOML. `file` is the file's name in backticks.
pub(super) fn parse_file(file: &str, text: &str) -> Result<Table, ConfigError> {
    let line = |span: Range<usize>| text[..span.start.min(text.len())].matches('\n').count() + 1;
    let document = DeTable::parse(text).map_err(|error| ConfigError::NotToml {
        file: file.to_owned(),
        line: line(error.span().unwrap_or(text.len()..text.len())),
        message: error.message().replace(char::is_control, " "),
    })?;
    Ok(to_table(document.get_ref(), file, "", &line))
}

fn to_table(document: &DeTable<'_>, file: &str, prefix: &str, line: &dyn Fn(Range<usize>) -> usize) -> Table {
    let mut table = Table::new(Place::File { file: file.to_owned(), prefix: prefix.to_owned() });
    for (key, value) in document {
        let path = format!("{prefix}{}", key.get_ref());
        let given = Given {
            key: format!("{} in {file} (line {})", quoted(&path), line(key.span())),
            value: to_value(value.get_ref(), file, &path, line),
        };
        table.given.insert(key.get_ref().clone().into_owned(), given);
    }
    table
}

fn to_value(value: &DeValue<'_>, file: &str, path: &str, line: &dyn Fn(Range<usize>) -> usize) -> Value {
    match value {
        DeValue::Array(items) if !items.is_empty() && items.iter().all(|item| item.get_ref().is_table()) => {
            let tables = items.iter().filter_map(|item| item.get_ref().as_table()).enumerate();
            Value::Tables(
                tables.map(|(index, table)| to_table(table, file, &format!("{path}[{}].", index + 1), line)).collect(),
            )
        }
        DeValue::Array(items) => items
            .iter()
            .map(|item| to_text(item.get_ref()))
            .collect::<Option<_>>()
            .map_or(Value::Other("a list of more than texts"), Value::List),
        DeValue::Table(_) => Value::Other("a table"),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            to_text(value).map_or(Value::Other("not text"), Value::Text)
        }
    }
}

/// A value as it would stand in a variable; `None` for what could not.
fn to_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
