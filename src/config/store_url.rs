//! Where the data is.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{
    error::{Wrong, quoted},
    parse::Parse,
};

/// Which store, and where it is. One more kind of store is one more variant, one more arm in `parse`, and what the compiler asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// The embedded store in this folder.
    Sled(PathBuf),
}

impl StoreUrl {
    /// What kind of store it is: the word that its address begins with.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sled(_) => "sled",
        }
    }

    /// The folder of an embedded store.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Sled(folder) => Some(folder),
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
        let only = "this version has only `sled:<folder>`";
        match text.split_once(':') {
            Some(("sled", folder)) if folder.starts_with("//") => {
                let folder = quoted(&format!("sled:{}", folder.trim_start_matches("//")));
                Err(Wrong::new(format!("a folder is written without `//`. Use {folder}.")))
            }
            Some(("sled", folder)) if !folder.is_empty() => Ok(Self::Sled(PathBuf::from(folder))),
            Some(("postgres" | "postgresql", _)) => {
                Err(Wrong::new(format!("PostgreSQL is not in it yet; {only}. Use `sled:data`.")))
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
        assert_eq!(refusal("data"), says("this version has only `sled:<folder>`. Use `sled:data`."));
        assert_eq!(refusal("sled:"), says("this version has only `sled:<folder>`. Use `sled:data`."));
        assert_eq!(refusal("sled:///srv/data"), says("a folder is written without `//`. Use `sled:/srv/data`."));
        assert!(refusal("postgresql://db").is_err());
    }
}
