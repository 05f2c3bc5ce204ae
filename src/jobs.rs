//! What runs by itself: each job has a name, a period, and one step, and they run until the program stops. To
//! add one, add a row to [`JOBS`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::app::{App, JobRun};
use crate::backup::{self, Kept};
use crate::domain::thought::Thought;
use crate::domain::unsent::Unsent;
use crate::store::{Result, StoreError};

/// How many records a step forgets at most, so that it never holds up writers for long.
const AT_ONCE: usize = 500;

/// Days for which a form's `once` value is remembered: longer than any tab's retry.
const ONCE_DAYS: i64 = 2;

type Step = for<'a> fn(&'a App) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

struct Job {
    name: &'static str,
    every: Duration,
    step: Step,
}

const JOBS: &[Job] = &[
    Job { name: "discover providers", every: Duration::from_mins(1), step: |app| Box::pin(discover(app)) },
    Job { name: "purge deleted thoughts", every: Duration::from_hours(1), step: |app| Box::pin(purge_deleted(app)) },
    Job { name: "purge deleted members", every: Duration::from_mins(1), step: |app| Box::pin(purge_members(app)) },
    Job { name: "purge sessions", every: Duration::from_mins(10), step: |app| Box::pin(purge_sessions(app)) },
    Job { name: "purge logouts", every: Duration::from_mins(10), step: |app| Box::pin(purge_logouts(app)) },
    Job { name: "purge unsent texts", every: Duration::from_mins(5), step: |app| Box::pin(purge_unsent(app)) },
    Job { name: "keep a snapshot", every: Duration::from_hours(1), step: |app| Box::pin(keep_snapshot(app)) },
    Job { name: "index for searching", every: Duration::from_secs(1), step: |app| Box::pin(index(app)) },
    Job { name: "purge once values", every: Duration::from_hours(1), step: |app| Box::pin(purge_once(app)) },
];

/// Runs every job, beginning now, until `stopped` says so.
pub async fn run(app: Arc<App>, stopped: watch::Receiver<bool>) {
    join_all(JOBS.iter().map(|job| repeat(job, &app, stopped.clone()))).await;
}

async fn repeat(job: &Job, app: &App, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(job.every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            _ = ticks.tick() => {}
        }
        // A step is broken off where it waits for somebody else; what it has written is whole.
        let done = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            done = (job.step)(app) => done,
        };
        let error = done.as_ref().err().map(ToString::to_string);
        let is_news = app.job_runs.note(job.name, JobRun { every: job.every, at: app.clock.now(), error });
        match done {
            // One that runs every second would fill the log while the database is away.
            _ if !is_news => {}
            Err(error) => tracing::error!(job = job.name, %error, "a job failed; it is tried again in its time"),
            Ok(()) => tracing::info!(job = job.name, "a job that had failed works again"),
        }
    }
}

/// Keeps what is known of the providers fresh, so that the first page already knows where forms may lead. A
/// provider that doesn't answer is no reason not to run: it is asked again.
async fn discover(app: &App) -> Result<()> {
    join_all(app.providers.all().iter().map(|provider| async {
        if let Err(error) = provider.oidc.discover().await {
            tracing::warn!(provider = %provider.config.name, %error, "provider_unavailable");
        }
    }))
    .await;
    Ok(())
}

/// Keeps a snapshot a day of an embedded store, beside it, for the day on which it can't be read.
async fn keep_snapshot(app: &App) -> Result<()> {
    let Some(folder) = app.config.store.folder() else { return Ok(()) };
    let now = app.clock.now();
    let failed = |error: &dyn std::fmt::Display| StoreError::Failed(format!("no snapshot was made: {error}"));
    let kept = Kept::beside(folder);
    if kept.is_due(now).map_err(|error| failed(&error))? && !backup::is_empty(app.store.as_ref()).await? {
        backup::keep(&kept, app.store.as_ref(), now).await.map_err(|error| failed(&error))?;
        tracing::info!("snapshot_kept");
    }
    Ok(())
}

/// Thoughts are found without it too, but then it takes longer.
async fn index(app: &App) -> Result<()> {
    while app.store.index(app.clock.now()).await? {}
    Ok(())
}

async fn purge_deleted(app: &App) -> Result<()> {
    let before = days_ago(app, Thought::RESTORABLE_DAYS);
    until_done(|| app.store.purge_deleted(before, AT_ONCE)).await
}

async fn purge_members(app: &App) -> Result<()> {
    while app.store.purge_members(AT_ONCE).await? {}
    Ok(())
}

/// Whose a session was is known for as long as a text waits: that of a form may come when the session is over.
async fn purge_sessions(app: &App) -> Result<()> {
    let before = minutes_ago(app, Unsent::MINUTES);
    until_done(|| app.store.purge_sessions(before, AT_ONCE)).await
}

async fn purge_logouts(app: &App) -> Result<()> {
    let now = app.clock.now();
    until_done(|| app.store.purge_logouts(now, AT_ONCE)).await
}

async fn purge_unsent(app: &App) -> Result<()> {
    let before = minutes_ago(app, Unsent::MINUTES);
    until_done(|| app.store.purge_unsent(before, AT_ONCE)).await
}

async fn purge_once(app: &App) -> Result<()> {
    let before = days_ago(app, ONCE_DAYS);
    until_done(|| app.store.purge_once(before, AT_ONCE)).await
}

fn days_ago(app: &App, days: i64) -> Timestamp {
    minutes_ago(app, 24 * 60 * days)
}

fn minutes_ago(app: &App, minutes: i64) -> Timestamp {
    app.clock.now().saturating_sub(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MIN)
}

async fn until_done<F: Future<Output = Result<usize>>>(step: impl Fn() -> F) -> Result<()> {
    while step().await? == AT_ONCE {}
    Ok(())
}
