//! The way in, tried: a request to the base URL, as people's browsers send it, and what of it arrives at the server that
//! answers there, on whichever machine it runs.

use std::time::Duration;

use http::StatusCode;
use reqwest::redirect::Policy;

use super::check::Finding;
use crate::app::{Arrival, Mark, Misfit, keys_of};
use crate::clock::Clock;
use crate::config::Config;
use crate::paths::HEALTHZ;

/// What the proxy in front passes on. Whether a server is running on this machine too says whose fault it is where
/// another one answers.
pub async fn findings(config: &Config, serving: bool) -> Vec<Finding> {
    let base_url = &config.base_url;
    let keys = match keys_of(config) {
        Ok(Some(keys)) => keys,
        Ok(None) => {
            return vec![Finding::Note(format!(
                "there is no secret here yet, which the server at base URL {base_url} would know us by: what arrives by it \
                 could not be tried. Run this again once the server has been started, or with its THOUGHTS_SECRET"
            ))];
        }
        // The check of the secret says so.
        Err(_) => return Vec::new(),
    };
    let mark = match Mark::new(&keys, Clock::system().now()) {
        Ok(mark) => mark,
        Err(error) => return vec![Finding::Fix(error.to_string())],
    };
    match ask(&format!("{}?{}", base_url.join(HEALTHZ), mark.query())).await {
        Ok((status, answer)) => match answer.and_then(|answer| mark.open(&keys, &answer)) {
            Some(arrival) => arrived(&arrival, config),
            None => vec![somebody_else(config, status, serving)],
        },
        Err(why) => vec![Finding::Note(format!(
            "base URL {base_url} does not answer from this machine ({why}): what arrives by it could not be tried. \
             {}",
            if serving { "Look whether it does from elsewhere" } else { "Run this again once the server is running" }
        ))],
    }
}

/// The answer to a request, and what it says of how that arrived.
async fn ask(url: &str) -> Result<(StatusCode, Option<Vec<u8>>), reqwest::Error> {
    // The client insists on one; where one is installed it stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(5)).build()?;
    let answer = client.get(url).send().await.map_err(reqwest::Error::without_url)?;
    Ok((answer.status(), answer.headers().get(Mark::ANSWER).map(|answer| answer.as_bytes().to_vec())))
}

fn somebody_else(config: &Config, status: StatusCode, serving: bool) -> Finding {
    let what = format!(
        "base URL {} is answered ({status}) by something else than a server with this secret and this time",
        config.base_url
    );
    if serving {
        Finding::Fix(format!(
            "{what}. Let the proxy pass it on to {}, or set THOUGHTS_BASE_URL to the address that people use; where it is \
             another instance, give both the same THOUGHTS_SECRET and set their clocks by NTP",
            config.listen
        ))
    } else {
        // Before the first start a proxy answers for itself.
        Finding::Note(format!(
            "{what}: what arrives by it could not be tried. Run this again once the server is running, with its \
             THOUGHTS_SECRET"
        ))
    }
}

fn arrived(arrival: &Arrival, config: &Config) -> Vec<Finding> {
    let base_url = &config.base_url;
    let mut findings = Vec::new();
    if arrival.path != format!("{}{HEALTHZ}", base_url.path()) {
        findings.push(Finding::Fix(format!(
            "base URL {base_url}: its path arrives as `{}`. Let the proxy pass paths on as they are (nginx: `proxy_pass` \
             without a path at its end)",
            arrival.path.strip_suffix(HEALTHZ).unwrap_or(&arrival.path)
        )));
    }
    findings.extend(arrival.misfits(config).into_iter().map(|misfit| match misfit {
        // Sign-ins work.
        Misfit::Untrusted { .. } => Finding::Note(misfit.to_string()),
        Misfit::AnotherHost { .. } | Misfit::NotHttps { .. } | Misfit::HttpBehindHttps { .. } => {
            Finding::Fix(misfit.to_string())
        }
    }));
    if findings.is_empty() {
        findings.push(Finding::Ok(format!("base URL {base_url} leads here, with its host, scheme and path")));
    }
    findings
}
