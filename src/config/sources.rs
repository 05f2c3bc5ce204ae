//! Where settings come from: the process's environment, files named in it, and `thoughts.toml`.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use super::{
    error::{ConfigError, Wrong, quoted},
    file::parse_file,
    given::{Given, Value},
    suggest::hint,
    table::{Place, Table},
    variables::{Home, Variable, variables},
};

/// The file that is read when none is named, if it is there.
const DEFAULT_FILE: &str = "thoughts.toml";

/// Everything the configuration is made of. Handed in, so that tests run side by side without touching the process.
#[derive(Clone, Default)]
pub struct Sources {
    /// The variables whose names begin with `THOUGHTS_`; others are not looked at.
    pub environment: BTreeMap<String, OsString>,
    /// What `--config` named; wins over `THOUGHTS_CONFIG`.
    pub config_flag: Option<PathBuf>,
    /// What relative paths of files to read start from; empty is the process's own.
    pub working_directory: PathBuf,
}

/// Without the values of the variables: some are secrets.
impl fmt::Debug for Sources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sources")
            .field("environment", &self.environment.keys())
            .field("config_flag", &self.config_flag)
            .field("working_directory", &self.working_directory)
            .finish()
    }
}

impl Sources {
    /// The sources of this process: the one place that reads its environment.
    pub fn from_process(config_flag: Option<PathBuf>) -> Self {
        let ours = |(name, value): (OsString, OsString)| {
            let name = name.to_string_lossy().into_owned();
            name.starts_with("THOUGHTS_").then_some((name, value))
        };
        Self {
            environment: std::env::vars_os().filter_map(ours).collect(),
            config_flag,
            working_directory: PathBuf::new(),
        }
    }

    /// The same sources with one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// What the environment gives to the tables of one home.
    pub(super) fn environment(&self, home: Home) -> Result<Table, ConfigError> {
        let variables = variables();
        let mut table = Table::new(Place::Environment { prefix: home.prefix() });
        for (name, value) in self.environment.iter().filter(|(name, _)| name.starts_with("THOUGHTS_")) {
            let (variable, in_file) = find(name, &variables).ok_or_else(|| unknown(name, value, &variables))?;
            if variable.home != home {
                continue;
            }
            let key = quoted(name);
            if in_file && self.environment.contains_key(&variable.name) {
                return Err(ConfigError::Together {
                    first: quoted(&variable.name),
                    second: key,
                    wrong: Wrong::new("are both set: keep one of them."),
                });
            }
            let Some(text) = value.to_str() else {
                return Err(ConfigError::Value {
                    key,
                    value: "not text".to_owned(),
                    wrong: Wrong::new("it must be UTF-8."),
                });
            };
            let text = if in_file { self.read_value(variable, &key, text)? } else { text.to_owned() };
            table.given.insert(variable.row.key.to_owned(), Given { key, value: Value::Text(text) });
        }
        Ok(table)
    }

    fn read_value(&self, variable: &Variable, key: &str, path: &str) -> Result<String, ConfigError> {
        let text = fs::read_to_string(self.working_directory.join(path)).map_err(|cause| {
            ConfigError::Unreadable {
                // Who forgets what `_FILE` means writes the secret itself.
                file: if variable.row.secret {
                    format!("the file that {key} names")
                } else {
                    format!("the file {} that {key} names", quoted(path))
                },
                cause,
            }
        })?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// What the configuration file gives; `None` where there is none and none was named.
    pub(super) fn file(&self, variable: Option<PathBuf>) -> Result<Option<Table>, ConfigError> {
        let named = match (&self.config_flag, variable) {
            (Some(path), _) => Some((path.clone(), "`--config`")),
            (None, Some(path)) => Some((path, "`THOUGHTS_CONFIG`")),
            (None, None) => None,
        };
        let path = named.as_ref().map_or(Path::new(DEFAULT_FILE), |(path, _)| path);
        let file = quoted(&path.to_string_lossy());
        match fs::read_to_string(self.working_directory.join(path)) {
            Ok(text) => parse_file(&file, &text).map(Some),
            Err(cause) if named.is_none() && cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(ConfigError::Unreadable {
                file: match named {
                    Some((_, by)) => format!("the file {file} that {by} names"),
                    None => format!("the file {file}"),
                },
                cause,
            }),
        }
    }
}

/// The variable of this name, and whether the name says that its value is in a file.
fn find<'a>(name: &str, variables: &'a [Variable]) -> Option<(&'a Variable, bool)> {
    let named = |name: &str| variables.iter().find(|variable| variable.name == name);
    named(name)
        .map(|variable| (variable, false))
        .or_else(|| named(name.strip_suffix("_FILE")?).map(|variable| (variable, true)))
}

fn unknown(name: &str, value: &OsString, variables: &[Variable]) -> ConfigError {
    // For a service called `thoughts`, Kubernetes sets THOUGHTS_PORT, THOUGHTS_SERVICE_HOST and more in every pod.
    let kubernetes = name.starts_with("THOUGHTS_SERVICE_")
        || name.starts_with("THOUGHTS_PORT_")
        || value.to_string_lossy().starts_with("tcp://");
    let bare = |name: &str| name.strip_prefix("THOUGHTS_").unwrap_or(name).to_owned();
    let hint = if kubernetes {
        "Kubernetes sets it for a service called `thoughts`. Write `enableServiceLinks: false` in the pod's `spec`."
            .to_owned()
    } else {
        let (stem, suffix) = name.strip_suffix("_FILE").map_or((name, ""), |stem| (stem, "_FILE"));
        let names = variables.iter().map(|variable| bare(&variable.name));
        hint(&bare(stem), names, |name| quoted(&format!("THOUGHTS_{name}{suffix}")))
    };
    ConfigError::Unknown { key: quoted(name), hint }
}
