//! `thoughts demo`: the server with a provider inside it, for a first look. The protocol between the two is the
//! real one, over real HTTP; the relying party knows no special case.

mod seed;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{Failed, log, serve};
use crate::app::App;
use crate::clock::{Clock, random};
use crate::config::{Config, Sources};
use crate::demo::{Client, Provider, Settings};
use crate::paths;

/// Where the demo keeps its data, unless it is told otherwise: apart from an installation's.
const FOLDER: &str = "sled:demo-data";

/// The provider's port, where it is free.
const PORT: u16 = 3001;

/// What the demo's provider keeps, so that it stays the same provider from one start to the next.
#[derive(Serialize, Deserialize)]
struct Kept {
    port: u16,
    key_pem: String,
    client_secret: String,
}

/// Serves as configured, with the demo provider as the only one.
pub async fn run(config: Option<PathBuf>) -> Result<(), Failed> {
    let mut sources = Sources::from_process(config);
    let mut config = Config::load(&sources)?;
    refuse_what_is_no_demo(&config)?;
    let chosen =
        sources.environment.contains_key("THOUGHTS_STORE") || config.store != Config::load(&Sources::default())?.store;
    if !chosen {
        sources = sources.with("THOUGHTS_STORE", FOLDER);
        config = Config::load(&sources)?;
    }
    log::start(&config);
    // Beside another store than a folder, the provider is kept where one would be.
    let folder = config.store.folder().map_or_else(|| PathBuf::from(PROVIDER), Path::to_owned);
    let (kept, listener) = kept(&folder)?;
    let issuer = format!("http://localhost:{}", kept.port);
    let provider = Provider::start(listener, provider_settings(&config, &kept, &issuer))
        .await
        .map_err(|error| Failed::Other(format!("the demo provider can't start: {error}")))?;
    let sources = sources
        .with("THOUGHTS_OIDC_ISSUER", &issuer)
        .with("THOUGHTS_OIDC_CLIENT_ID", CLIENT_ID)
        .with("THOUGHTS_OIDC_CLIENT_SECRET", &kept.client_secret)
        .with("THOUGHTS_OIDC_ADMIN", "admin=true");
    let app = App::open(Config::load(&sources)?, Clock::system()).await?;
    seed::seed(&app, &issuer).await?;
    let address = app.config.base_url.join("/");
    let say = || println!("Thoughts: open {address} and sign in with any name. Ctrl-C ends it.");
    let served = serve::until_told_to_stop(app, say).await;
    if let Err(error) = provider.stop().await {
        tracing::warn!(%error, "the demo provider ended badly");
    }
    served
}

const CLIENT_ID: &str = "thoughts-demo";
/// Where the demo provider is kept without a store's folder.
const PROVIDER: &str = "demo-data";
const KEPT: &str = "demo-provider.json";

/// Anyone can sign in as anyone: that must not be on a network.
fn refuse_what_is_no_demo(config: &Config) -> Result<(), Failed> {
    let base_url = config.base_url.join("/");
    if !config.base_url.is_loopback() {
        return Err(Failed::Use(format!(
            "THOUGHTS_BASE_URL is `{base_url}`: the demo lets anyone sign in under any name, so it runs on this machine \
             alone. Use `http://localhost:3000`, or `thoughts serve` with a provider of your own."
        )));
    }
    if !config.listen.is_loopback() {
        return Err(Failed::Use(format!(
            "THOUGHTS_LISTEN is `{}`: the demo lets anyone sign in under any name, so it listens to this machine alone. \
             Use `127.0.0.1:3000`, or `thoughts serve` with a provider of your own.",
            config.listen
        )));
    }
    if !config.providers.is_empty() {
        return Err(Failed::Use(
            "THOUGHTS_OIDC_ISSUER or `[[provider]]` is set: the demo brings a provider of its own. Take that out, or use \
             `thoughts serve`."
                .to_owned(),
        ));
    }
    Ok(())
}

/// What was kept from the last start, or made at the first; and a listener on the provider's port. Where that is
/// taken by now, another port makes another provider, which is said.
fn kept(folder: &Path) -> Result<(Kept, TcpListener), Failed> {
    let path = folder.join(KEPT);
    let failed = |error: String| Failed::Other(format!("{}: {error}", path.display()));
    let kept = match fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice::<Kept>(&bytes).map_err(|error| failed(error.to_string()))?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error.to_string())),
    };
    let wanted = kept.as_ref().map_or(PORT, |kept| kept.port);
    let listener = listen(wanted).or_else(|_| listen(0)).map_err(|error| failed(error.to_string()))?;
    let port = listener.local_addr().map_err(|error| failed(error.to_string()))?.port();
    let kept = match kept {
        Some(kept) if kept.port == port => return Ok((kept, listener)),
        Some(kept) => {
            tracing::warn!(wanted, port, "the demo provider's port is taken: on another it is another provider");
            Kept { port, ..kept }
        }
        None => Kept {
            port,
            key_pem: Provider::new_key_pem().map_err(|error| failed(error.to_string()))?,
            client_secret: BASE64_URL_SAFE_NO_PAD.encode(random::<32>()),
        },
    };
    let text = serde_json::to_vec_pretty(&kept).map_err(|error| failed(error.to_string()))?;
    fs::create_dir_all(folder).and_then(|()| write(&path, &text)).map_err(|error| failed(error.to_string()))?;
    Ok((kept, listener))
}

/// Writes a file that is its owner's alone: it holds the provider's key.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text)
}

fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

fn provider_settings(config: &Config, kept: &Kept, issuer: &str) -> Settings {
    Settings {
        clients: vec![Client {
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(kept.client_secret.clone()),
            jwks: Vec::new(),
            redirect_uris: vec![config.base_url.join(paths::CALLBACK)],
            post_logout_redirect_uris: vec![config.base_url.join(paths::LOGOUT)],
            backchannel_logout_uri: Some(config.base_url.join(paths::BACK_CHANNEL_LOGOUT)),
        }],
        key_pem: Some(kept.key_pem.clone()),
        ..Settings::new(issuer)
    }
}
