//! Raw settings become a checked [`Config`] here, once, at start. Nothing else in the program looks at the environment.
//!
//! Read from top to bottom: [`Config`] is the table of settings; [`Sources`] is what they are read from, in the order
//! defaults, `thoughts.toml`, environment; [`Parse`] turns one text into its type, and a type exists only if it is valid;
//! [`ConfigError`] is the one line a person gets.
//!
//! # How to add one more setting
//!
//! Add a line to the table it belongs to: [`Config`], [`Provider`] (then `THOUGHTS_OIDC_…` too) or [`Upstream`]. Its name
//! is the key in the file and, in capitals, the variable; its doc comment is what the documentation says and what a
//! person reads when it is missing; `= "…"` is its default. If its type is new, implement [`Parse`] for it. `_FILE`, the
//! check for unknown keys, "did you mean" and [`variables`] follow from the line. What it may not be together with
//! another setting stands in the table's `check`.

mod access_rules;
mod address;
mod error;
mod file;
mod given;
mod listen;
mod parse;
mod provider;
mod secret;
mod sources;
mod store_url;
mod suggest;
mod table;
mod upstream;
mod variables;

#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use ipnet::IpNet;
use tracing_subscriber::filter::Targets;
use url::Url;

pub use access_rules::{AllowRule, ClaimRule};
pub use address::BaseUrl;
pub use error::{ConfigError, Wrong};
pub use listen::Listen;
pub use parse::{Anonymous, Bytes, LogFormat, Parse};
pub use provider::{Issuer, Name, Provider, Scope};
pub use secret::{Secret, Secrets};
pub use sources::Sources;
pub use store_url::{Database, StoreUrl};
pub use table::Row;
pub use upstream::{Prefix, Resource, Upstream, UpstreamUrl};
pub use variables::{Variable, variables};

use error::quoted;
use given::{Given, Value};
use table::{Rules, Settings, Table, settings};
use variables::Home;

settings! {
    /// What the program runs with, checked. `Debug` shows no secret.
    pub struct Config {
        /// The address people use; may have a path, which every URL then has.
        pub base_url: BaseUrl = "http://localhost:3000",
        /// The address to listen on, or `unix:/path`.
        pub listen: Listen = "127.0.0.1:3000",
        /// Where the data is: `sled:<folder>` or `postgres://…`.
        pub store: StoreUrl = "sled:data",
        /// At least 32 bytes from which keys are derived; a comma-separated list rotates it, the first seals. Without
        /// it the data folder's own, made on first start.
        pub secret: Option<Secrets>,
        /// Who signs people in, several as `[[provider]]`.
        pub providers as "provider": Vec<Provider>,
        /// The APIs that are called with a member's token, each an `[[upstream]]`.
        pub upstreams as "upstream": Vec<Upstream>,
        /// `read`: anyone may read public thoughts; `none`: nothing without signing in.
        pub anonymous: Anonymous = "read",
        /// A link for who has no account.
        pub registration_url: Option<Url>,
        /// How long a session lives without use.
        pub session_idle: Duration = "7d",
        /// How long a session lives in any case.
        pub session_max: Duration = "30d",
        /// Networks whose `Forwarded` and `X-Forwarded-*` are believed.
        pub trusted_proxies: Vec<IpNet>,
        /// Where `/metrics` is served, alone; off without it.
        pub metrics_listen: Option<Listen>,
        /// What is logged: a level, or levels by module.
        pub log: Targets = "info",
        /// `text` for people, `json` for programs.
        pub log_format: LogFormat = "text",
    }
}

impl Config {
    /// Reads the settings in order, the later winning: defaults, the configuration file, the environment.
    ///
    /// # Errors
    ///
    /// The first setting that is unknown, missing or bad, or a file that cannot be read.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let start = Start::read(&sources.environment(Home::Start)?)?;
        let environment = sources.environment(Home::Program)?;
        let provider = sources.environment(Home::Provider)?;
        let mut table = match sources.file(start.config)? {
            Some(mut file) => {
                file.given.extend(environment.given);
                file
            }
            None => environment,
        };
        table.set_provider(provider)?;
        Self::read(&table)
    }

    /// What `thoughts serve` asks for; `thoughts demo` brings a provider of its own.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NoProvider`] where there is none.
    pub fn require_provider(&self) -> Result<(), ConfigError> {
        if self.providers.is_empty() {
            return Err(ConfigError::NoProvider);
        }
        Ok(())
    }
}

impl Rules for Config {
    fn check(&self, table: &Table) -> Result<(), ConfigError> {
        let together = |first: &str, second: &str, wrong: String| {
            Err(ConfigError::Together {
                first: table.written(first),
                second: table.written(second),
                wrong: Wrong::new(wrong),
            })
        };
        // Port 0 is another one each time.
        let any_port = matches!(self.listen, Listen::Tcp(address) if address.port() == 0);
        if self.metrics_listen.as_ref() == Some(&self.listen) && !any_port {
            let wrong = format!("are both {}: give each an address of its own.", quoted(&self.listen.to_string()));
            return together("listen", "metrics_listen", wrong);
        }
        if self.secret.is_none() && self.store.folder().is_none() {
            let wrong = "do not go together as they are: with PostgreSQL a secret is needed, the same for every instance. Make one with `openssl rand -hex 32`.";
            return together("store", "secret", wrong.to_owned());
        }
        table.refuse_same_name("provider", self.providers.iter().map(|provider| &provider.name))?;
        table.refuse_same_name("upstream", self.upstreams.iter().map(|upstream| &upstream.name))
    }
}

impl Table {
    /// Lets the variables of the provider win over the one provider of the file, or be the provider where it has none.
    fn set_provider(&mut self, variables: Table) -> Result<(), ConfigError> {
        let Some(variable) = variables.given.values().next().map(|given| given.key.clone()) else {
            return Ok(());
        };
        match self.given.get_mut("provider").map(|given| (&given.key, &mut given.value)) {
            None => {
                let given = Given { key: variable, value: Value::Tables(vec![variables]) };
                self.given.insert("provider".to_owned(), given);
                Ok(())
            }
            Some((key, Value::Tables(tables))) => match tables.as_mut_slice() {
                [one] => {
                    one.given.extend(variables.given);
                    Ok(())
                }
                several => Err(ConfigError::Together {
                    first: variable,
                    second: key.clone(),
                    wrong: Wrong::new(format!(
                        "do not go together: it cannot say which of the {} providers it is for. Write it in that provider's table.",
                        several.len()
                    )),
                }),
            },
            // Not tables at all: what is wrong with it is said when it is read.
            Some((_, Value::Text(_) | Value::List(_) | Value::Other(_))) => Ok(()),
        }
    }

    fn refuse_same_name<'a>(&self, key: &str, names: impl Iterator<Item = &'a Name>) -> Result<(), ConfigError> {
        let names: Vec<&Name> = names.collect();
        let tables = match self.given.get(key).map(|given| &given.value) {
            Some(Value::Tables(tables)) => tables.as_slice(),
            Some(Value::Text(_) | Value::List(_) | Value::Other(_)) | None => &[],
        };
        for (index, (name, table)) in names.iter().zip(tables).enumerate() {
            if let Some((_, earlier)) = names.iter().zip(tables).take(index).find(|(other, _)| other == &name) {
                return Err(ConfigError::Together {
                    first: earlier.written("name"),
                    second: table.written("name"),
                    wrong: Wrong::new(format!("are both {}: give each a name of its own.", quoted(name.as_str()))),
                });
            }
        }
        Ok(())
    }
}

settings! {
    /// What must be known before the configuration file can be read.
    struct Start {
        /// The configuration file; without it `thoughts.toml`, if it is there.
        pub config: Option<PathBuf>,
    }
}

impl Rules for Start {
    fn check(&self, _: &Table) -> Result<(), ConfigError> {
        Ok(())
    }
}
