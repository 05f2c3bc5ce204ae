//! "Did you mean": what is said of a key that no setting has.

use super::{
    error::{ConfigError, quoted},
    table::{Row, Table},
};

impl Table {
    /// Errors: the first key that is in no row.
    pub(super) fn refuse_unknown(&self, rows: &[Row]) -> Result<(), ConfigError> {
        let known = |key: &str| rows.iter().any(|row| row.key == key);
        self.given.iter().find(|(key, _)| !known(key)).map_or(Ok(()), |(key, given)| {
            Err(ConfigError::Unknown {
                key: given.key.clone(),
                hint: match key.strip_prefix("oidc_") {
                    Some(bare) => format!("write {} in a `[[provider]]` table.", quoted(bare)),
                    None => hint(key, rows.iter().map(|row| row.key.to_owned()), quoted),
                },
            })
        })
    }
}

/// The name that `written` resembles, or all there are, each as `shown` writes it.
pub(super) fn hint(written: &str, names: impl Iterator<Item = String>, shown: impl Fn(&str) -> String) -> String {
    /// Above it, two words look like one misspelt (tried with the names there are).
    const ALIKE: f64 = 0.75;
    let names: Vec<String> = names.collect();
    let likeness = |name: &str| strsim::jaro_winkler(&written.to_lowercase(), &name.to_lowercase());
    names
        .iter()
        .filter(|name| likeness(name) > ALIKE)
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
        .map_or_else(
            || {
                let all: Vec<String> = names.iter().map(|name| shown(name)).collect();
                format!("there are {}.", all.join(", "))
            },
            |name| format!("did you mean {}?", shown(name)),
        )
}
