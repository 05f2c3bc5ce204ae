//! How the commands reach a server that has the embedded store, which is one process's alone: a socket in the store's
//! folder, for the owner of that folder. It answers with a backup.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{Stream, TryStreamExt as _};
use http::{Method, StatusCode};
use poem::{Body, Endpoint, Request, Response};
use tokio::sync::watch;

use crate::app::App;
use crate::backup::{self, BackupError};
use crate::config::Listen;
use crate::serving::{Listener, Patience, serve};

/// What is asked for.
const BACKUP: &str = "/backup";

/// Where the socket of the store in `folder` is.
fn socket(folder: &Path) -> PathBuf {
    folder.join("control")
}

/// Answers until `stopped` says so. Without an embedded store there is nothing to answer for; where the socket can't be
/// made, the log says so and the server does without: a backup can then be made while it is stopped.
pub async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let Some(folder) = app.config.store.folder() else { return };
    let path = socket(folder);
    // Who has the store has the folder: what is there is left over.
    let _ = tokio::fs::remove_file(&path).await;
    let listener = match Listen::unix(&path) {
        Ok(path) => Listener::unix(path),
        Err(why) => Err(io::Error::other(why)),
    };
    match listener {
        Ok(listener) => {
            let stop = async move {
                // An error means that the sender is gone, which is a reason to stop as well.
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            serve(listener, Control { app }, Patience::default(), stop).await;
        }
        Err(error) => tracing::warn!(path = %path.display(), %error, "no backup can be made while this server runs"),
    }
    let _ = tokio::fs::remove_file(&path).await;
}

struct Control {
    app: Arc<App>,
}

impl Endpoint for Control {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let asked = Some(request.uri().path()).filter(|_| *request.method() == Method::GET);
        Ok(match asked {
            Some(BACKUP) => self.backup().await,
            Some(_) | None => StatusCode::NOT_FOUND.into(),
        })
    }
}

impl Control {
    async fn backup(&self) -> Response {
        tracing::info!("a backup is being made");
        match backup::of_store(self.app.store.as_ref(), self.app.clock.now()).await {
            Ok(bytes) => {
                let bytes = bytes.inspect_err(|error| tracing::error!(%error, "a backup was broken off"));
                Body::from_bytes_stream(bytes.map_err(io::Error::other)).into()
            }
            Err(error) => {
                tracing::error!(%error, "a backup could not be begun");
                Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).body(error.to_string())
            }
        }
    }
}

fn client(folder: &Path) -> Result<reqwest::Client, reqwest::Error> {
    // The client insists on one though it will only speak plain HTTP; where one is installed it stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().unix_socket(socket(folder)).build()
}

/// Asks the server that has the store in `folder` for a backup; `None` where none answers.
///
/// # Errors
/// `BrokenOff` where it answers and can't.
pub async fn backup(
    folder: &Path,
) -> Result<Option<impl Stream<Item = Result<Vec<u8>, BackupError>> + use<>>, BackupError> {
    let broken_off = |error: reqwest::Error| BackupError::BrokenOff(error.without_url().to_string());
    let answer = match client(folder).map_err(broken_off)?.get(format!("http://localhost{BACKUP}")).send().await {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => return Ok(None),
        Err(error) => return Err(broken_off(error)),
    };
    if !answer.status().is_success() {
        return Err(BackupError::BrokenOff(answer.text().await.unwrap_or_default()));
    }
    // What the server could not read ends the answer in the middle, and there is no place in it for the reason.
    let cut = |error: reqwest::Error| BackupError::BrokenOff(format!("{}; its log says why", error.without_url()));
    Ok(Some(answer.bytes_stream().map_ok(|piece| piece.to_vec()).map_err(cut)))
}
