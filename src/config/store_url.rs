//! Where the data is.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use tokio_postgres::config::Host;

use super::{
    error::{Wrong, quoted},
    parse::Parse,
};

/// Which store, and where it is. One more kind of store is one more variant, one more arm in `parse`, and what the compiler asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// The embedded store in this folder.
    Sled(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<Database>),
}

/// Which database, and how it is reached. `Debug` shows no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// What the driver needs to know.
    pub config: tokio_postgres::Config,
    /// Whom to trust instead of whom the system trusts, in PEM: `sslrootcert`.
    pub root_certificate: Option<PathBuf>,
}

/// What is said to `load_balance_hosts`.
const IN_ORDER: &str = "`load_balance_hosts` has no effect: a connection is tried at the first host, then at the next, \
    and the first that takes writes is used. Leave it out, or write `load_balance_hosts=disable`, which means just that.";

impl Database {
    /// Nothing of the text is in what it says: a password that is not percent-encoded ends up anywhere.
    fn parse(text: &str) -> Result<Self, Wrong> {
        let right = || {
            Wrong::new(
                "this is not the address of a PostgreSQL database. Write \
                 `postgres://<user>:<password>@<host>/<database>`, with what is special in a password percent-encoded \
                 (`@` is `%40`), and of the parameters those that docs/postgresql.md names.",
            )
        };
        let (address, parameters) = text.split_once('?').unwrap_or((text, ""));
        let mut root_certificate = None;
        let mut others = Vec::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslrootcert", path)) => {
                    let path = percent_decode_str(path).decode_utf8().map_err(|_| right())?;
                    root_certificate = Some(PathBuf::from(path.as_ref()));
                }
                // The hosts are tried in their order, whatever a driver would do.
                Some(("load_balance_hosts", "disable")) => {}
                Some(("load_balance_hosts", _)) => return Err(Wrong::new(IN_ORDER)),
                // It always is.
                Some(("sslmode", "verify-ca" | "verify-full")) => others.push("sslmode=require"),
                Some(_) | None => others.push(parameter),
            }
        }
        let config: tokio_postgres::Config = format!("{address}?{}", others.join("&")).parse().map_err(|_| right())?;
        let hosts_are_hosts = config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => !name.is_empty() && !name.contains(['@', '/', ':', '#']),
            Host::Unix(_) => true,
        });
        let named = config.get_dbname().is_some_and(|name| !name.is_empty() && !name.contains(['@', '/']));
        if config.get_hosts().is_empty() || !hosts_are_hosts || !named {
            return Err(right());
        }
        Ok(Self { config, root_certificate })
    }
}

impl StoreUrl {
    /// What kind of store it is: the word that its address begins with.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sled(_) => "sled",
            Self::Postgres(_) => "postgres",
        }
    }

    /// The folder of an embedded store.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Sled(folder) => Some(folder),
            Self::Postgres(_) => None,
        }
    }
}

/// As it is written in the configuration.
impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|wrong| wrong.to_string())
    }
}

impl Parse for StoreUrl {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let only = "a store is `sled:<folder>` or `postgres://…`";
        match text.split_once(':') {
            Some(("sled", folder)) if folder.starts_with("//") => {
                let folder = quoted(&format!("sled:{}", folder.trim_start_matches("//")));
                Err(Wrong::new(format!("a folder is written without `//`. Use {folder}.")))
            }
            Some(("sled", folder)) if !folder.is_empty() => Ok(Self::Sled(PathBuf::from(folder))),
            Some(("postgres" | "postgresql", _)) => {
                Database::parse(text).map(|database| Self::Postgres(Box::new(database)))
            }
            Some(_) => Err(Wrong::new(format!("{only}. Use `sled:data`."))),
            None => Err(Wrong::new(format!("{only}. Use {}.", quoted(&format!("sled:{text}"))))),
        }
    }

    /// The address of a database often holds its password, in more than one place.
    fn shown(text: &str) -> String {
        match text.split_once("://") {
            Some((scheme, _)) if scheme != "sled" => quoted(&format!("{scheme}://…")),
            Some(_) | None => quoted(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Parse, StoreUrl};

    #[test]
    fn a_folder_is_a_store() {
        assert_eq!(StoreUrl::parse("sled:/var/lib/thoughts"), Ok(StoreUrl::Sled(PathBuf::from("/var/lib/thoughts"))));
    }

    #[test]
    fn what_is_not_a_store_is_refused_with_what_would_be_right() {
        let refusal = |text: &str| StoreUrl::parse(text).map_err(|wrong| wrong.to_string());
        let says = |text: &str| Err(text.to_owned());
        assert_eq!(refusal("data"), says("a store is `sled:<folder>` or `postgres://…`. Use `sled:data`."));
        assert_eq!(refusal("sled:"), says("a store is `sled:<folder>` or `postgres://…`. Use `sled:data`."));
        assert_eq!(refusal("sled:///srv/data"), says("a folder is written without `//`. Use `sled:/srv/data`."));
        assert!(refusal("postgresql://db").is_err());
    }

    #[test]
    fn a_database_is_a_store() {
        let parsed =
            StoreUrl::parse("postgres://ann:p%40ss@a:5433,b/thoughts?sslmode=verify-full&sslrootcert=%2Fca.pem");
        let Ok(StoreUrl::Postgres(database)) = parsed else { panic!("{parsed:?}") };
        assert_eq!(database.config.get_password(), Some(&b"p@ss"[..]));
        assert_eq!((database.config.get_hosts().len(), database.config.get_ports()), (2, &[5433, 5432][..]));
        assert_eq!(database.root_certificate, Some(PathBuf::from("/ca.pem")));
        assert!(!format!("{database:?}").contains("p@ss"));
    }

    #[test]
    fn a_parameter_without_effect_is_refused_by_its_name() {
        let refused =
            StoreUrl::parse("postgres://ann:hunter2@a,b/x?load_balance_hosts=random").unwrap_err().to_string();
        assert!(refused.contains("`load_balance_hosts` has no effect") && !refused.contains("hunter2"), "{refused}");
        assert!(StoreUrl::parse("postgres://ann@a,b/x?load_balance_hosts=disable&connect_timeout=3").is_ok());
    }

    #[test]
    fn a_password_that_is_not_encoded_is_told_to_nobody() {
        for password in ["hun/ter2", "hun@ter2", "hun?ter2", "hun#ter2"] {
            let refused = StoreUrl::parse(&format!("postgres://ann:{password}@db/x"));
            let Err(wrong) = refused else { continue };
            assert!(!wrong.to_string().contains("ter2"), "{wrong}");
        }
    }
}
