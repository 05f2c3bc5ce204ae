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

#[test]
fn serving_needs_a_provider() {
    assert!(load_file(PROVIDER).require_provider().is_ok());
    assert_eq!(
        Config::load(&nothing()).unwrap().require_provider().unwrap_err().to_string(),
        "no provider is configured: set `THOUGHTS_OIDC_ISSUER`, `THOUGHTS_OIDC_CLIENT_ID` and `THOUGHTS_OIDC_CLIENT_SECRET`, or try Thoughts without one by `thoughts demo`."
    );
}
