//! `thoughts serve`: runs the server until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::{Failed, log};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, Sources};
use crate::server::Running;

/// Serves as configured.
pub async fn run(config: Option<PathBuf>) -> Result<(), Failed> {
    let config = Config::load(&Sources::from_process(config))?;
    config.require_provider()?;
    log::start(&config);
    let app = App::open(config, Clock::system()).await?;
    until_told_to_stop(app, || {}).await
}

/// Serves `app` until SIGTERM or SIGINT. `say` is called once somebody can connect.
pub async fn until_told_to_stop(app: Arc<App>, say: impl FnOnce()) -> Result<(), Failed> {
    let no_signals = |error: std::io::Error| Failed::Other(format!("the system gives no signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let running = Running::start(app.clone()).await?;
    tracing::info!(listen = %app.config.listen, base_url = %app.config.base_url.join("/"), "serving");
    say();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: what is under way is finished first");
    running.stop().await?;
    Ok(())
}
