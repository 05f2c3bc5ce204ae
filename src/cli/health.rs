//! `thoughts health`: for a container without a shell.

use std::path::PathBuf;
use std::time::Duration;

use super::Failed;
use crate::config::{Config, Listen, Sources};
use crate::paths::READYZ;

/// Asks the server on this machine whether it is ready.
pub async fn run(config: Option<PathBuf>) -> Result<(), Failed> {
    ask(&Config::load(&Sources::from_process(config))?).await
}

/// Asks the server that is configured so.
pub async fn ask(config: &Config) -> Result<(), Failed> {
    // The client insists on one though it will only speak plain HTTP; where one is installed it stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy();
    let (client, host) = match &config.listen {
        Listen::Tcp(address) if address.ip().is_unspecified() => (client, format!("127.0.0.1:{}", address.port())),
        Listen::Tcp(address) => (client, address.to_string()),
        Listen::Unix(path) => (client.unix_socket(path.as_path()), "localhost".to_owned()),
    };
    let url = format!("http://{host}{}{READYZ}", config.base_url.path());
    let failed = |why: String| Failed::Other(format!("{url} on {}: {why}", config.listen));
    let client = client.build().map_err(|error| failed(error.to_string()))?;
    let response = client.get(&url).send().await.map_err(|error| failed(error.without_url().to_string()))?;
    if response.status().is_success() { Ok(()) } else { Err(failed(format!("answered {}", response.status()))) }
}
