//! What holds when nothing is given, and whose word is the last.

use std::{path::PathBuf, time::Duration};

use super::super::{Anonymous, Config, Listen, LogFormat, StoreUrl, variables};
use super::{folder, nothing};

#[test]
fn nothing_given_is_what_the_contract_says() {
    let config = Config::load(&nothing()).unwrap();
    assert_eq!(config.base_url.to_string(), "http://localhost:3000");
    assert_eq!(config.listen, Listen::Tcp("127.0.0.1:3000".parse().unwrap()));
    assert_eq!(config.store, StoreUrl::Sled(PathBuf::from("data")));
    assert_eq!(config.secret, None);
    assert_eq!(config.anonymous, Anonymous::Read);
    assert_eq!(config.registration_url, None);
    assert_eq!(config.session_idle, Duration::from_hours(7 * 24));
    assert_eq!(config.session_max, Duration::from_hours(30 * 24));
    assert!(config.trusted_proxies.is_empty());
    assert_eq!(config.metrics_listen, None);
    assert_eq!(config.log.to_string(), "info");
    assert_eq!(config.log_format, LogFormat::Text);
    assert!(config.providers.is_empty() && config.upstreams.is_empty());
}

#[test]
fn the_variables_are_those_of_the_contract() {
    let names: Vec<String> = variables().into_iter().map(|variable| variable.name).collect();
    assert_eq!(
        names,
        [
            "THOUGHTS_CONFIG",
            "THOUGHTS_BASE_URL",
            "THOUGHTS_LISTEN",
            "THOUGHTS_STORE",
            "THOUGHTS_SECRET",
            "THOUGHTS_ANONYMOUS",
            "THOUGHTS_REGISTRATION_URL",
            "THOUGHTS_SESSION_IDLE",
            "THOUGHTS_SESSION_MAX",
            "THOUGHTS_TRUSTED_PROXIES",
            "THOUGHTS_METRICS_LISTEN",
            "THOUGHTS_LOG",
            "THOUGHTS_LOG_FORMAT",
            "THOUGHTS_OIDC_ISSUER",
            "THOUGHTS_OIDC_CLIENT_ID",
            "THOUGHTS_OIDC_CLIENT_SECRET",
            "THOUGHTS_OIDC_CLIENT_KEY",
            "THOUGHTS_OIDC_SCOPES",
            "THOUGHTS_OIDC_AUDIENCE",
            "THOUGHTS_OIDC_ALLOW",
            "THOUGHTS_OIDC_ADMIN",
            "THOUGHTS_OIDC_GROUPS_CLAIM",
        ]
    );
}

#[test]
fn no_two_variables_share_a_name_and_each_says_what_it_means() {
    let mut variables = variables();
    assert!(variables.iter().all(|variable| variable.row.meaning.ends_with('.')));
    variables.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(variables.is_sorted_by(|one, next| one.name < next.name));
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let (_folder, sources) = folder(&[("thoughts.toml", "listen = '127.0.0.1:1'\nanonymous = 'none'\n")]);
    let config = Config::load(&sources.with("THOUGHTS_LISTEN", "127.0.0.1:2")).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:2");
    assert_eq!(config.anonymous, Anonymous::None);
    assert_eq!(config.log_format, LogFormat::Text);
}

#[test]
fn a_variable_that_is_not_ours_is_not_looked_at() {
    assert!(Config::load(&nothing().with("PATH", "").with("THOUGHTSX", "1")).is_ok());
}
