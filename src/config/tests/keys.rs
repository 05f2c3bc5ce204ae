//! Keys that are unknown, missing, empty or bad.

use std::ffi::OsString;

use super::{PROVIDER, nothing, refusal, refusal_of_file};

#[test]
fn an_unknown_variable_is_refused_with_the_name_it_resembles() {
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_BASEURL", "x")),
        "`THOUGHTS_BASEURL` is not a setting: did you mean `THOUGHTS_BASE_URL`?"
    );
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_OIDC_CLIENTID", "x")),
        "`THOUGHTS_OIDC_CLIENTID` is not a setting: did you mean `THOUGHTS_OIDC_CLIENT_ID`?"
    );
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_SECRETS_FILE", "x")),
        "`THOUGHTS_SECRETS_FILE` is not a setting: did you mean `THOUGHTS_SECRET_FILE`?"
    );
}

#[test]
fn an_unknown_variable_that_resembles_none_is_refused_with_all_there_are() {
    let line = refusal(&nothing().with("THOUGHTS_QQQ", "x"));
    assert!(
        line.starts_with("`THOUGHTS_QQQ` is not a setting: there are `THOUGHTS_CONFIG`, `THOUGHTS_BASE_URL`, "),
        "{line}"
    );
}

#[test]
fn what_kubernetes_sets_for_a_service_is_refused_with_how_to_stop_it() {
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_PORT", "tcp://10.0.0.1:3000")),
        "`THOUGHTS_PORT` is not a setting: Kubernetes sets it for a service called `thoughts`. Write `enableServiceLinks: false` in the pod's `spec`."
    );
}

#[test]
fn an_unknown_key_of_the_file_is_refused_with_the_one_it_resembles() {
    assert_eq!(
        refusal_of_file("\nbase_ur1 = 'x'"),
        "`base_ur1` in `thoughts.toml` (line 2) is not a setting: did you mean `base_url`?"
    );
    assert_eq!(
        refusal_of_file("oidc_issuer = 'x'"),
        "`oidc_issuer` in `thoughts.toml` (line 1) is not a setting: write `issuer` in a `[[provider]]` table."
    );
    assert_eq!(
        refusal_of_file("[[providers]]\nissuer = 'x'"),
        "`providers` in `thoughts.toml` (line 1) is not a setting: did you mean `provider`?"
    );
}

#[test]
fn an_unknown_key_inside_a_table_is_refused_with_its_place() {
    assert_eq!(
        refusal_of_file(&format!("{PROVIDER}[[provider]]\nclientid = 'x'")),
        "`provider[2].clientid` in `thoughts.toml` (line 5) is not a setting: did you mean `client_id`?"
    );
    assert_eq!(
        refusal_of_file("[[upstream]]\nmax_byte = 1"),
        "`upstream[1].max_byte` in `thoughts.toml` (line 2) is not a setting: did you mean `max_bytes`?"
    );
}

#[test]
fn a_provider_without_its_client_id_or_issuer_is_refused() {
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_OIDC_ISSUER", "https://id.example.org")),
        "`THOUGHTS_OIDC_CLIENT_ID` is missing: The id by which the provider knows Thoughts, from its page of clients."
    );
    assert_eq!(
        refusal_of_file("[[provider]]\nclient_id = 'x'"),
        "`provider[1].issuer` in `thoughts.toml` is missing: The provider's issuer, exactly as it writes it, like `https://id.example.org`."
    );
}

#[test]
fn an_empty_value_is_refused_rather_than_taken_for_none() {
    let line = "`THOUGHTS_OIDC_ALLOW` is empty: give it a value, or leave it out.";
    let sources =
        nothing().with("THOUGHTS_OIDC_ISSUER", "https://id.example.org").with("THOUGHTS_OIDC_CLIENT_ID", "thoughts");
    assert_eq!(refusal(&sources.clone().with("THOUGHTS_OIDC_ALLOW", "")), line);
    assert_eq!(refusal(&sources.with("THOUGHTS_OIDC_ALLOW", " , ")), line);
    assert_eq!(
        refusal_of_file("trusted_proxies = []"),
        "`trusted_proxies` in `thoughts.toml` (line 1) is empty: give it a value, or leave it out."
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let mut sources = nothing();
    sources.environment.insert("THOUGHTS_LISTEN".to_owned(), OsString::from_vec(vec![0xff]));
    assert_eq!(refusal(&sources), "`THOUGHTS_LISTEN` is not text: it must be UTF-8.");
}

#[test]
fn a_bad_value_is_refused_with_its_key_and_what_would_be_right() {
    let says =
        "is `http://example.org`: sign-in cookies need https on any host but loopback. Use `https://example.org`.";
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_BASE_URL", "http://example.org")),
        format!("`THOUGHTS_BASE_URL` {says}")
    );
    assert_eq!(
        refusal_of_file("base_url = 'http://example.org'"),
        format!("`base_url` in `thoughts.toml` (line 1) {says}")
    );
    assert_eq!(
        refusal_of_file(&format!("{PROVIDER}scopes = ['profile']")),
        "`provider[1].scopes` in `thoughts.toml` (line 4) is `profile`: without `openid` the provider tells nobody's name. Use `openid profile`."
    );
}

#[test]
fn a_password_in_an_address_is_not_printed() {
    let line = refusal(&nothing().with("THOUGHTS_BASE_URL", "https://ann:hunter2@example.org"));
    assert!(line.starts_with("`THOUGHTS_BASE_URL` is `https://[secret]@example.org`: "), "{line}");
}
