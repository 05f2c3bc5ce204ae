//! The way in, tried: a request to the base URL, as people's browsers send it, and what of it arrives at the server that
//! runs here.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::StatusCode;
use reqwest::redirect::Policy;

use super::check::Finding;
use crate::app::{Arrival, Arrivals, Misfit};
use crate::clock::random;
use crate::config::Config;
use crate::control;
use crate::paths::HEALTHZ;

/// What the proxy in front passes on, where a server is running.
pub async fn findings(config: &Config) -> Vec<Finding> {
    let Some(folder) = config.store.folder() else { return Vec::new() };
    let base_url = &config.base_url;
    let mark = BASE64_URL_SAFE_NO_PAD.encode(random::<9>());
    let status = match ask(&format!("{}?{}{mark}", base_url.join(HEALTHZ), Arrivals::MARK)).await {
        Ok(status) => status,
        Err(why) => {
            return vec![Finding::Note(format!(
                "base URL {base_url} does not answer from this machine ({why}): what arrives by it could not be tried. \
                 Look whether it does from elsewhere"
            ))];
        }
    };
    match control::arrival(folder, &mark).await {
        Ok(Some(arrival)) => arrived(&arrival, config),
        Ok(None) => vec![Finding::Fix(format!(
            "base URL {base_url} is answered ({status}) by something else than this server. Let the proxy pass it on to \
             {}, or set THOUGHTS_BASE_URL to the address that people use",
            config.listen
        ))],
        Err(why) => vec![Finding::Note(format!(
            "the server that runs here can't be asked what arrived by base URL {base_url} ({why}). Run this as whoever \
             runs it"
        ))],
    }
}

async fn ask(url: &str) -> Result<StatusCode, reqwest::Error> {
    // The client insists on one; where one is installed it stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(5)).build()?;
    Ok(client.get(url).send().await.map_err(reqwest::Error::without_url)?.status())
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
