//! `thoughts check`: tries everything a sign-in needs, and says for each: ok, or what to change.

use std::io;
use std::path::{Path, PathBuf};

use super::{Failed, health, way_in};
use crate::app::{Providers, SignInProvider, keys_of, shown_store, try_store};
use crate::clock::Clock;
use crate::config::{BaseUrl, Config, Listen, Sources};
use crate::oidc::{Facts, Introduction, SignInError};
use crate::paths;
use crate::server::is_left_over;
use crate::store::Found;

/// Seconds that clocks may differ before it is worth a word; at sixty, sign-ins fail.
const SKEW: i64 = 5;

/// One line of what was found.
pub enum Finding {
    /// As it should be.
    Ok(String),
    /// It works, and could be better: what that would take.
    Note(String),
    /// It does not work: what to change.
    Fix(String),
}

/// Prints a line a finding. Exit 1 where one of them is to be mended.
pub async fn run(config: Option<PathBuf>) -> Result<(), Failed> {
    let config = Config::load(&Sources::from_process(config))?;
    config.require_provider()?;
    let mut findings = vec![base_url(&config.base_url)];
    // A server that is running has the listener and the store, and answers for both.
    let serving = health::ask(&config).await.is_ok();
    findings.push(if serving {
        Finding::Ok(format!("a server is running on {} and is ready: its store answers", config.listen))
    } else {
        listener(&config.listen).await
    });
    if !serving {
        findings.push(store(&config).await);
    }
    findings.extend(secret(&config));
    findings.extend(way_in::findings(&config, serving).await);
    for one in Providers::new(&config, &Clock::system())?.all() {
        findings.extend(provider(one, &config.base_url).await);
    }
    let mut to_mend = 0;
    for finding in findings {
        match finding {
            Finding::Ok(what) => println!("ok    {what}"),
            Finding::Note(what) => println!("note  {what}"),
            Finding::Fix(what) => {
                to_mend += 1;
                println!("FIX   {what}");
            }
        }
    }
    match to_mend {
        0 => Ok(()),
        1 => Err(Failed::Other("one thing is to be mended before people can sign in".to_owned())),
        many => Err(Failed::Other(format!("{many} things are to be mended before people can sign in"))),
    }
}

fn base_url(base_url: &BaseUrl) -> Finding {
    let url = base_url.join("/");
    if base_url.is_https() {
        Finding::Ok(format!("base URL {url}: cookies are bound to this host and to https"))
    } else {
        Finding::Note(format!("base URL {url}: http is for this machine alone; people elsewhere need an https address"))
    }
}

async fn listener(listen: &Listen) -> Finding {
    match listen {
        Listen::Tcp(address) => match tokio::net::TcpListener::bind(address).await {
            Ok(_) => Finding::Ok(format!("listener {listen} is free")),
            Err(error) => taken(listen, &error, "Stop what has it"),
        },
        Listen::Unix(path) => socket(listen, path).await,
    }
}

/// What is found where the socket is to be. A server puts its own in the place of one that was left over, and of nothing
/// else.
async fn socket(listen: &Listen, path: &Path) -> Finding {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder
        && !folder.is_dir()
    {
        return Finding::Fix(format!("listener {listen}: the folder {} is not there. Make it", folder.display()));
    }
    if path.symlink_metadata().is_err() {
        Finding::Ok(format!("listener {listen}: its folder is there"))
    } else if is_left_over(path).await {
        Finding::Ok(format!("listener {listen}: a socket is there that nobody answers on, and is replaced"))
    } else {
        taken(listen, &io::ErrorKind::AddrInUse.into(), "Stop what has it, or take it away")
    }
}

fn taken(listen: &Listen, error: &io::Error, what_to_do: &str) -> Finding {
    Finding::Fix(format!(
        "listener {listen}: {error}, and no Thoughts that is ready answers there. {what_to_do}, or choose another \
         THOUGHTS_LISTEN"
    ))
}

/// What seals all that must be read again. Where none has been made yet, nothing is wrong, and the way in says what it keeps
/// from being tried.
fn secret(config: &Config) -> Option<Finding> {
    match (keys_of(config), &config.secret, config.store.folder()) {
        (Ok(Some(_)), Some(_), _) => Some(Finding::Ok("secret: THOUGHTS_SECRET is long enough".to_owned())),
        (Ok(Some(_)), None, Some(folder)) => {
            Some(Finding::Ok(format!("secret: the one that is kept in {} can be read", folder.display())))
        }
        (Ok(Some(_)), None, None) | (Ok(None), _, _) => None,
        (Err(error), _, _) => Some(Finding::Fix(error.to_string())),
    }
}

/// Tries the store, and leaves it as it is.
async fn store(config: &Config) -> Finding {
    let shown = shown_store(&config.store);
    match try_store(&config.store).await {
        Ok(Found::Store) => Finding::Ok(format!("store {shown} opens and answers")),
        Ok(Found::Older) => Finding::Note(format!(
            "store {shown} has a layout of before, and this version brings it up to date when it opens it. There is no way \
             back: first make a backup, with the version that serves it now"
        )),
        Ok(Found::Nothing) => Finding::Ok(format!("store {shown}: nothing is there yet, and it can be made")),
        Err(error) => Finding::Fix(error.to_string()),
    }
}

async fn provider(provider: &SignInProvider, base_url: &BaseUrl) -> Vec<Finding> {
    let name = &provider.config.name;
    let issuer = provider.oidc.issuer();
    let facts = match provider.oidc.facts().await {
        Ok(facts) => facts,
        Err(error) => return vec![Finding::Fix(format!("provider {name}: {}", error.with_advice()))],
    };
    let mut findings = vec![match facts.keys {
        0 => Finding::Fix(format!(
            "provider {name}: {issuer} answers, and its key set has no key that could sign an ID token. Make one there, and \
             choose it for this client"
        )),
        keys => Finding::Ok(format!("provider {name}: {issuer} answers, with its keys ({keys})")),
    }];
    findings.extend(promises(name.as_str(), &facts));
    if let Some(key) = &provider.config.client_key {
        findings.push(Finding::Note(format!(
            "provider {name}: register this public key (JWK) for {}: {}",
            provider.config.client_id,
            key.public_jwk()
        )));
    }
    let introduction = introduction(provider).await;
    // Who is not known there is refused here too, for the same reason.
    let known = !matches!(introduction, Finding::Fix(_));
    findings.push(introduction);
    if facts.pushed_authorization_request_endpoint.is_some() && known {
        findings.push(pushed(provider).await);
    }
    findings.push(Finding::Note(format!(
        "provider {name}: register, letter for letter: redirect URI {}, post-logout redirect URI {}, back-channel logout \
         URI {}",
        base_url.join(paths::CALLBACK),
        base_url.join(paths::LOGOUT),
        base_url.join(paths::BACK_CHANNEL_LOGOUT)
    )));
    findings
}

fn promises(name: &str, facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !facts.algorithm_accepted {
        let what = "signs ID tokens by none of RS256, PS256, ES256, EdDSA. Choose one of them for this client there";
        findings.push(Finding::Fix(format!("provider {name} {what}")));
    }
    findings.push(match facts.pkce_s256 {
        Some(true) => Finding::Ok(format!("provider {name} offers PKCE by S256")),
        Some(false) => Finding::Fix(format!("provider {name} offers PKCE, and not by S256. Turn it on there")),
        None => Finding::Note(format!("provider {name} does not say whether it knows PKCE; most do")),
    });
    let words = |yes: bool, what: &str, without: &str| {
        if yes {
            Finding::Ok(format!("provider {name} {what}"))
        } else {
            Finding::Note(format!("provider {name} {without}"))
        }
    };
    findings.push(words(
        facts.end_session,
        "can end its session when someone signs out here",
        "cannot be told to end its session: signing out ends the one here, and the page says so",
    ));
    findings.push(words(
        facts.backchannel_logout,
        "can tell us when someone signs out there",
        "does not say that it can tell us when someone signs out there: sessions here then end by their own limits",
    ));
    findings.push(clock(name, facts.skew));
    findings
}

fn clock(name: &str, skew: Option<i64>) -> Finding {
    match skew {
        None => Finding::Note(format!("provider {name} does not tell its time")),
        Some(skew) if skew.abs() <= SKEW => Finding::Ok(format!("provider {name}: its clock and ours agree")),
        Some(skew) => {
            let way = if skew > 0 { "ahead of" } else { "behind" };
            let what = format!("provider {name}: its clock is {} s {way} ours. Set both by NTP", skew.abs());
            if skew.abs() < 60 { Finding::Note(what) } else { Finding::Fix(what) }
        }
    }
}

async fn introduction(provider: &SignInProvider) -> Finding {
    let name = &provider.config.name;
    let (credential, what_to_do) = match (&provider.config.client_key, &provider.config.client_secret) {
        (Some(_), _) => (
            "the client key",
            "Copy THOUGHTS_OIDC_CLIENT_ID anew, and register the public key above for it there, as the way in which it \
             authenticates (private_key_jwt)",
        ),
        (None, Some(_)) => (
            "the client secret",
            "Copy THOUGHTS_OIDC_CLIENT_ID and THOUGHTS_OIDC_CLIENT_SECRET anew, without blanks at the ends",
        ),
        (None, None) => (
            "that there is no client secret",
            "Copy THOUGHTS_OIDC_CLIENT_ID anew; unless it is a public client there, set THOUGHTS_OIDC_CLIENT_SECRET too",
        ),
    };
    match provider.oidc.introduce().await {
        Ok(Introduction::Accepted) => Finding::Ok(format!("provider {name} accepts the client id and {credential}")),
        Ok(Introduction::Refused(code)) => {
            Finding::Fix(format!("provider {name} refuses the client ({code}). {what_to_do}"))
        }
        Ok(Introduction::Unclear(what)) => Finding::Note(format!(
            "provider {name} does not say whether it accepts {credential} ({what}): a sign-in will tell"
        )),
        Err(error) => Finding::Fix(format!("provider {name}: {error}")),
    }
}

/// Hands the provider the request that a sign-in would begin with; nobody then comes with it.
async fn pushed(provider: &SignInProvider) -> Finding {
    let name = &provider.config.name;
    match provider.oidc.begin(None).await {
        Ok(_) => Finding::Ok(format!("provider {name} takes our authorization request beforehand (PAR)")),
        Err(error @ SignInError::PushRefused { .. }) => Finding::Fix(format!(
            "provider {name}: {error}. Register the redirect URI below, letter for letter, and allow the scopes for this \
             client"
        )),
        Err(error) => Finding::Fix(format!("provider {name}: {error}")),
    }
}
