//! `thoughts.toml`, and variables whose value is in a file.

use std::path::PathBuf;

use super::super::{Anonymous, Config, LogFormat};
use super::{folder, load_file, nothing, refusal, refusal_of_file};

#[test]
fn the_flag_wins_over_the_variable_that_names_a_file() {
    let (_folder, mut sources) = folder(&[("a.toml", "anonymous = 'none'"), ("b.toml", "nonsense = 1")]);
    sources.config_flag = Some(PathBuf::from("a.toml"));
    let config = Config::load(&sources.with("THOUGHTS_CONFIG", "b.toml")).unwrap();
    assert_eq!(config.anonymous, Anonymous::None);
}

#[test]
fn a_named_file_replaces_the_one_in_the_working_directory() {
    let (_folder, sources) = folder(&[("thoughts.toml", "nonsense = 1"), ("b.toml", "log_format = 'json'")]);
    let config = Config::load(&sources.with("THOUGHTS_CONFIG", "b.toml")).unwrap();
    assert_eq!(config.log_format, LogFormat::Json);
}

#[test]
fn a_named_file_that_is_missing_is_refused() {
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_CONFIG", "x.toml")),
        "the file `x.toml` that `THOUGHTS_CONFIG` names cannot be read: No such file or directory (os error 2). Correct its path or who may read it."
    );
    let mut sources = nothing();
    sources.config_flag = Some(PathBuf::from("x.toml"));
    assert!(refusal(&sources).starts_with("the file `x.toml` that `--config` names cannot be read: "));
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_its_line_and_without_its_text() {
    assert_eq!(
        refusal_of_file("listen = '127.0.0.1:1'\nsecret = hunter2hunter2\n"),
        "`thoughts.toml` is not TOML at line 2: string values must be quoted, expected literal string. Write `key = \"value\"`, one a line."
    );
}

#[test]
fn a_variable_can_be_given_as_a_file_whose_last_line_end_is_dropped() {
    let (_folder, sources) = folder(&[("secret", "0123456789abcdef0123456789abcdef\r\n")]);
    let config = Config::load(&sources.with("THOUGHTS_SECRET_FILE", "secret")).unwrap();
    assert_eq!(config.secret.unwrap().first().expose(), "0123456789abcdef0123456789abcdef");
}

#[test]
fn a_variable_and_its_file_together_are_refused() {
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_LISTEN", "127.0.0.1:1").with("THOUGHTS_LISTEN_FILE", "x")),
        "`THOUGHTS_LISTEN` and `THOUGHTS_LISTEN_FILE` are both set: keep one of them."
    );
}

#[test]
fn a_file_of_a_variable_that_cannot_be_read_is_refused() {
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_LISTEN_FILE", "x")),
        "the file `x` that `THOUGHTS_LISTEN_FILE` names cannot be read: No such file or directory (os error 2). Correct its path or who may read it."
    );
}

#[test]
fn a_secret_written_where_its_file_belongs_is_not_printed() {
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_OIDC_CLIENT_SECRET_FILE", "hunter2")),
        "the file that `THOUGHTS_OIDC_CLIENT_SECRET_FILE` names cannot be read: No such file or directory (os error 2). Correct its path or who may read it."
    );
}

#[test]
fn a_bad_value_from_a_file_is_told_by_the_name_that_was_written() {
    let (_folder, sources) = folder(&[("listen", "3000\n")]);
    let line = refusal(&sources.with("THOUGHTS_LISTEN_FILE", "listen"));
    assert!(line.starts_with("`THOUGHTS_LISTEN_FILE` is `3000`: "), "{line}");
}

#[test]
fn a_list_is_an_array_or_the_same_text() {
    let array = load_file("trusted_proxies = ['10.0.0.0/8', '::1']");
    let text = load_file("trusted_proxies = '10.0.0.0/8, ::1'");
    assert_eq!(array.trusted_proxies, text.trusted_proxies);
    assert_eq!(array.trusted_proxies[1].to_string(), "::1/128");
}

#[test]
fn one_bad_value_of_a_list_is_named_by_itself() {
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_TRUSTED_PROXIES", "::1, 10.0.0/8")),
        "`THOUGHTS_TRUSTED_PROXIES` holds `10.0.0/8`: that is neither a network nor an address. Use one like `10.0.0.0/8` or `::1`."
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_refused() {
    assert_eq!(
        refusal_of_file("listen = ['127.0.0.1:1']"),
        "`listen` in `thoughts.toml` (line 1) is a list: it takes one value. Write it without `[` and `]`."
    );
    assert_eq!(
        refusal_of_file("[listen]\nport = 1"),
        "`listen` in `thoughts.toml` (line 1) is a table: it takes one value. Write `key = \"value\"`."
    );
    assert_eq!(
        refusal_of_file("[provider]\nissuer = 'x'"),
        "`provider` in `thoughts.toml` (line 1) is not a list of tables: write its name in double brackets, like `[[provider]]`."
    );
}
