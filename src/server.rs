//! The listener, and what runs beside it: started together, stopped together.

use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::Arc;

use poem::{Endpoint, Response};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::{App, StartError};
use crate::config::Listen;
use crate::metrics::Metrics;
use crate::serving::{Listener, Patience, serve};
use crate::store::StoreError;
use crate::{control, fleet, jobs, web};

/// A server that is running. Its tasks, the listeners, the jobs, the control socket and what hears other instances, end
/// when [`Running::stop`] tells them to.
pub struct Running {
    app: Arc<App>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    jobs: JoinHandle<()>,
    control: JoinHandle<()>,
    /// What hears other instances, where there may be any.
    fleet: Option<JoinHandle<()>>,
}

impl Running {
    /// Listens where the configuration says, and serves `app` there.
    ///
    /// # Errors
    /// `Listen` where that address can't be had, `Store` where the store is closed.
    pub async fn start(app: Arc<App>) -> Result<Self, StartError> {
        let listener = bind(&app.config.listen).await?;
        let for_metrics = match &app.config.metrics_listen {
            Some(listen) => Some(bind(listen).await?),
            None => None,
        };
        // Before anything is served: nothing falls between what a page shows and what is heard.
        let following = app.store.follow().await?;
        let (stop, stopped) = watch::channel(false);
        let mut listeners = vec![start(listener, web::mount(&app), stopped.clone())];
        if let Some(listener) = for_metrics {
            listeners.push(start(listener, Metrics { app: app.clone() }, stopped.clone()));
        }
        let jobs = tokio::spawn(jobs::run(app.clone(), stopped.clone()));
        let control = tokio::spawn(control::run(app.clone(), stopped.clone()));
        let fleet = following.map(|following| tokio::spawn(fleet::run(app.clone(), following, stopped)));
        Ok(Self { app, stop, listeners, jobs, control, fleet })
    }

    /// Finishes what is under way, for ten seconds at most, and puts everything on disk.
    ///
    /// # Errors
    /// Where the store could not put everything on disk.
    pub async fn stop(self) -> Result<(), StoreError> {
        // Nobody listening any more is what this is to bring about.
        let _ = self.stop.send(true);
        // A stream is under way for as long as somebody listens.
        self.app.live.close();
        let mut tasks = Vec::new();
        for listener in self.listeners {
            tasks.push(listener.await);
        }
        tasks.extend([self.jobs.await, self.control.await]);
        if let Some(fleet) = self.fleet {
            tasks.push(fleet.await);
        }
        for error in tasks.into_iter().filter_map(Result::err) {
            tracing::error!(%error, "a task ended badly");
        }
        self.app.refreshes.finish().await;
        self.app.store.close().await
    }
}

/// Serves `site` until told to stop, and then what is under way.
fn start(
    listener: Listener,
    site: impl Endpoint<Output = Response> + 'static,
    mut stopped: watch::Receiver<bool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let told = async {
            // An error means that the sender is gone, which is a reason to stop as well.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        serve(listener, site, Patience::default(), told).await;
    })
}

/// Whether a socket is there that nobody answers on: left over from a program that was killed. What is no socket,
/// or can't be asked, is somebody's, and stays.
pub async fn is_left_over(path: &Path) -> bool {
    let socket = std::fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket());
    let answer = tokio::net::UnixStream::connect(path).await;
    socket && answer.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

async fn bind(listen: &Listen) -> Result<Listener, StartError> {
    listener(listen).await.map_err(|error| StartError::Listen { listen: listen.to_string(), error })
}

async fn listener(listen: &Listen) -> io::Result<Listener> {
    match listen {
        Listen::Tcp(address) => Listener::tcp(*address).await,
        Listen::Unix(path) => {
            if is_left_over(path).await {
                tokio::fs::remove_file(path).await?;
            }
            Listener::unix(path)
        }
    }
}
