//! The program: what it is made of is put together here, started here and stopped here.

mod arrivals;
mod job_runs;
mod mark;
mod packed;
mod pages;
mod providers;
mod refreshes;
mod rendered;
mod secret;
mod spent;
mod stores;
mod upstreams;

use std::sync::Arc;

use jiff::Timestamp;

pub use arrivals::{Arrival, Arrivals, Misfit};
pub use job_runs::{JobRun, JobRuns};
pub use mark::Mark;
pub use packed::Packed;
pub use pages::{Document, Fresh, PageKey, Pages};
pub use providers::{Providers, SignInProvider};
pub use refreshes::Refreshes;
pub use rendered::{Buttons, Rendered, Shown};
pub use spent::SpentStates;
pub use stores::{open_store, open_whole_store, shown_store, try_store};
pub use upstreams::{SignedInUpstream, Upstreams};

use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::domain::session::Limits;
use crate::keys::Keys;
use crate::live::Hub;
use crate::oidc::{Answer, UpstreamError};
use crate::paths::Paths;
use crate::store::{Store, StoreError};
use crate::telemetry::Telemetry;

/// Everything that handlers and actions need; one of it, shared.
pub struct App {
    /// The settings, checked.
    pub config: Config,
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// Who signs people in.
    pub providers: Providers,
    /// The other services that are called with members' tokens.
    pub upstreams: Upstreams,
    /// The refreshes that are under way.
    pub refreshes: Refreshes,
    /// Tells whoever is looking what has changed.
    pub live: Hub,
    /// Logs, counts and remembers what happened.
    pub telemetry: Telemetry,
    /// The sign-ins that have come back.
    pub spent_states: SpentStates,
    /// How requests arrive.
    pub arrivals: Arrivals,
    /// What thoughts look like.
    pub rendered: Rendered,
    /// What pages look like.
    pub pages: Pages,
    /// When each job ran last.
    pub job_runs: JobRuns,
    /// Tells the time.
    pub clock: Clock,
    /// When the program was started.
    pub started_at: Timestamp,
    /// Makes identifiers.
    pub ids: Ids,
    /// Seals and opens.
    pub keys: Keys,
    /// How long sessions last.
    pub limits: Limits,
    /// Builds paths below the base URL's.
    pub paths: Paths,
    /// The base URL's origin, as a browser writes it in `Origin`.
    pub origin: String,
}

/// Why the program can't start: a line for whoever starts it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret can't be read or made.
    #[error("the secret in {path} can't be {verb}: {error}")]
    Secret {
        /// The file.
        path: String,
        /// What was tried.
        verb: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
    /// There is no secret, and no folder to keep one in.
    #[error("with PostgreSQL a secret is needed: set THOUGHTS_SECRET")]
    NoSecret,
    /// There is no way to speak to a provider.
    #[error(transparent)]
    Http(#[from] crate::oidc::HttpSetupError),
    /// A provider's settings make no provider.
    #[error("provider `{name}`: {why}")]
    Provider {
        /// Its name in the configuration.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The address can't be listened on.
    #[error("can't listen on {listen}: {error}")]
    Listen {
        /// The address.
        listen: String,
        /// What the system said.
        error: std::io::Error,
    },
}

/// The keys of this configuration; `None` where it names no secret and none has been made yet.
///
/// # Errors
/// Where the secret can't be read.
pub fn keys_of(config: &Config) -> Result<Option<Keys>, StartError> {
    if let Some(secrets) = &config.secret {
        let rest: Vec<&[u8]> = secrets.iter().skip(1).map(|secret| secret.expose().as_bytes()).collect();
        return Ok(Some(Keys::derive(secrets.first().expose().as_bytes(), &rest)));
    }
    let kept = config.store.folder().map(secret::kept_in).transpose()?.flatten();
    Ok(kept.map(|secret| Keys::derive(&secret, &[])))
}

impl App {
    /// Opens the store, reads the secret, knows its providers (and asks them nothing yet).
    ///
    /// # Errors
    /// The first of these that can't be done.
    pub async fn open(config: Config, clock: Clock) -> Result<Arc<Self>, StartError> {
        let store = stores::whole(open_store(&config.store).await?).await?;
        let keys = match (keys_of(&config)?, config.store.folder()) {
            (Some(keys), _) => keys,
            (None, Some(folder)) => Keys::derive(&secret::of_folder(folder)?, &[]),
            (None, None) => return Err(StartError::NoSecret),
        };
        let providers = Providers::new(&config, &clock)?;
        Ok(Arc::new(Self {
            limits: Limits { idle: config.session_idle, max: config.session_max },
            paths: Paths::new(config.base_url.path()),
            origin: config.base_url.origin(),
            upstreams: Upstreams::new(&config)?,
            refreshes: Refreshes::default(),
            live: Hub::new(&clock),
            telemetry: Telemetry::new(&clock),
            spent_states: SpentStates::default(),
            arrivals: Arrivals::default(),
            rendered: Rendered::default(),
            pages: Pages::default(),
            job_runs: JobRuns::default(),
            started_at: clock.now(),
            ids: Ids::default(),
            config,
            store,
            providers,
            clock,
            keys,
        }))
    }

    /// Counts what has changed of all that a page could show: what was read since is what there is for as long as the number
    /// stays, for each of its parts only grows. The store knows of what nobody lived to tell of, the hub of what other
    /// instances change. `None` while something could change that neither knows of.
    pub fn version(&self) -> Option<u64> {
        Some(self.live.version()? + self.store.version())
    }

    /// Counts a call of an upstream.
    pub fn called(&self, upstream: &SignedInUpstream, answer: &Result<Answer, UpstreamError>) {
        let outcome = answer.as_ref().map(|answer| answer.status.as_u16()).map_err(UpstreamError::cause);
        self.telemetry.upstream_call(upstream.config.name.as_str(), outcome);
    }

    /// The whole URL of one of our paths, base path included.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}
