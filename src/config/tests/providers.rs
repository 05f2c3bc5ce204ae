//! Providers, from the variables and from the file.

use super::super::{AllowRule, ClaimRule, Config, Scope};
use super::{PROVIDER, folder, load_file, nothing, refusal, refusal_of_file};

#[test]
fn the_variables_make_one_provider() {
    let config = Config::load(
        &nothing()
            .with("THOUGHTS_OIDC_ISSUER", "https://id.example.org/")
            .with("THOUGHTS_OIDC_CLIENT_ID", "thoughts")
            .with("THOUGHTS_OIDC_CLIENT_SECRET", "hunter2")
            .with("THOUGHTS_OIDC_ALLOW", "Example.org, ann@example.net, team=Night Shift")
            .with("THOUGHTS_OIDC_ADMIN", "groups=admins"),
    )
    .unwrap();
    let [provider] = config.providers.as_slice() else { unreachable!("one provider, not {:?}", config.providers) };
    assert_eq!(provider.name.as_str(), "default");
    assert_eq!(provider.issuer.as_str(), "https://id.example.org/");
    assert_eq!(provider.client_secret.as_ref().unwrap().expose(), "hunter2");
    assert_eq!(provider.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(), ["openid", "profile", "email"]);
    assert_eq!(provider.groups_claim, "groups");
    let claim = |claim: &str, value: &str| ClaimRule { claim: claim.to_owned(), value: value.to_owned() };
    assert_eq!(
        provider.allow,
        [
            AllowRule::EmailDomain("example.org".to_owned()),
            AllowRule::Email("ann@example.net".to_owned()),
            AllowRule::Claim(claim("team", "Night Shift")),
        ]
    );
    assert_eq!(provider.admin, Some(claim("groups", "admins")));
}

#[test]
fn the_variables_win_over_the_one_provider_of_the_file() {
    let (_folder, sources) = folder(&[("thoughts.toml", &format!("{PROVIDER}name = 'home'\n"))]);
    let config = Config::load(&sources.with("THOUGHTS_OIDC_CLIENT_ID", "other")).unwrap();
    assert_eq!(config.providers[0].client_id, "other");
    assert_eq!(config.providers[0].name.as_str(), "home");
}

#[test]
fn a_variable_of_the_provider_is_refused_where_the_file_has_several() {
    let text = format!("{PROVIDER}name = 'a'\n{PROVIDER}name = 'b'\n");
    let (_folder, sources) = folder(&[("thoughts.toml", &text)]);
    assert_eq!(
        refusal(&sources.with("THOUGHTS_OIDC_CLIENT_ID", "x")),
        "`THOUGHTS_OIDC_CLIENT_ID` and `provider` in `thoughts.toml` (line 1) do not go together: it cannot say which of the 2 providers it is for. Write it in that provider's table."
    );
}

#[test]
fn two_providers_of_one_name_are_refused() {
    assert_eq!(
        refusal_of_file(&format!("{PROVIDER}{PROVIDER}name = 'default'\n")),
        "`provider[1].name` in `thoughts.toml` and `provider[2].name` in `thoughts.toml` (line 7) are both `default`: give each a name of its own."
    );
}

/// The example of RFC 8410, 10.3.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";

#[test]
fn a_private_key_takes_the_place_of_the_secret_from_a_file_or_among_the_settings() {
    let (_folder, sources) = folder(&[("thoughts.toml", PROVIDER), ("key.pem", KEY)]);
    let by_file = Config::load(&sources.with("THOUGHTS_OIDC_CLIENT_KEY_FILE", "key.pem")).unwrap();
    let in_place = load_file(&format!("{PROVIDER}client_key = \"\"\"\n{KEY}\"\"\"\n"));
    for config in [by_file, in_place] {
        let key = config.providers[0].client_key.as_ref().unwrap();
        assert_eq!(key.algorithms().collect::<Vec<_>>(), ["EdDSA"]);
        let shown = format!("{config:?}");
        assert!(!shown.contains("MC4CAQ"), "{shown}");
    }
}

#[test]
fn a_secret_and_a_private_key_together_are_refused() {
    let (_folder, sources) = folder(&[("thoughts.toml", &format!("{PROVIDER}client_secret = 'hunter2'\n"))]);
    assert_eq!(
        refusal(&sources.with("THOUGHTS_OIDC_CLIENT_KEY", KEY)),
        "`provider[1].client_secret` in `thoughts.toml` (line 4) and `THOUGHTS_OIDC_CLIENT_KEY` are both set, and one proves who this site is: keep the one that the provider knows."
    );
}

#[test]
fn a_private_key_that_is_none_is_refused_without_being_printed() {
    assert_eq!(
        refusal_of_file(&format!("{PROVIDER}client_key = '/run/hunter2.pem'\n")),
        "`provider[1].client_key` in `thoughts.toml` (line 4) is a secret, not shown here: there is no private key in PEM in it. Use one that begins with `-----BEGIN PRIVATE KEY-----`, or give the variable with `_FILE` the path of its file."
    );
}

#[test]
fn serving_needs_a_provider() {
    assert!(load_file(PROVIDER).require_provider().is_ok());
    assert_eq!(
        Config::load(&nothing()).unwrap().require_provider().unwrap_err().to_string(),
        "no provider is configured: set `THOUGHTS_OIDC_ISSUER`, `THOUGHTS_OIDC_CLIENT_ID` and `THOUGHTS_OIDC_CLIENT_SECRET`, or try Thoughts without one by `thoughts demo`."
    );
}
