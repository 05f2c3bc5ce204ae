//! What `/metrics` shows. Names and labels are promised in docs/running.md; every label has few values.

use std::sync::atomic::AtomicI64;

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::caches::Caches;
use super::fleet::Fleet;
use super::requests::Requests;
use super::sign_ins::Outcome;
use super::{Event, Label};

pub(super) type Labels<const N: usize> = [(&'static str, Label); N];

/// A counter for each combination of these labels.
pub(super) struct Counted<const N: usize> {
    labels: [&'static str; N],
    family: Family<Labels<N>, Counter>,
}

impl<const N: usize> Counted<N> {
    fn new(registry: &mut Registry, name: &str, help: &str, labels: [&'static str; N]) -> Self {
        let family = Family::default();
        registry.register(name, help, family.clone());
        Self { labels, family }
    }

    /// Once more.
    pub(super) fn inc(&self, values: [Label; N]) {
        let mut values = values.into_iter();
        let labels = self.labels.map(|label| (label, values.next().unwrap_or_default()));
        self.family.get_or_create(&labels).inc();
    }
}

/// Everything that is counted.
pub(super) struct Counters {
    registry: Registry,
    sign_ins_started: Counted<1>,
    sign_ins: Counted<3>,
    sent_round: Counted<1>,
    sessions_created: Counted<1>,
    sessions_ended: Counted<1>,
    refreshes: Counted<1>,
    api_tokens: Counted<1>,
    members: Counted<1>,
    back_channel_logouts: Counted<1>,
    pub(super) refusals: Counted<1>,
    pub(super) upstream_calls: Counted<2>,
    pub(super) requests: Requests,
    pub(super) open_streams: Gauge,
    provider_up: Family<Labels<1>, Gauge>,
    provider_skew: Family<Labels<1>, Gauge>,
    pub(super) caches: Caches,
    pub(super) fleet: Fleet,
    resident_memory: Gauge<i64, AtomicI64>,
}

impl Counters {
    /// Nothing counted yet; the program began at `start`.
    pub(super) fn new(start: Timestamp) -> Self {
        let mut registry = Registry::default();
        let process = registry.sub_registry_with_prefix("process");
        let started = Gauge::<i64, AtomicI64>::default();
        started.set(start.as_second());
        process.register("start_time_seconds", "When the process began, in seconds since 1970", started);
        let resident_memory = Gauge::default();
        process.register("resident_memory_bytes", "Memory that the process holds, in bytes", resident_memory.clone());
        let ours = registry.sub_registry_with_prefix("thoughts");
        ours.register("build", "Which build this is", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        let open_streams = Gauge::default();
        ours.register("open_streams", "Streams of events that are open", open_streams.clone());
        let (provider_up, provider_skew) = (Family::default(), Family::default());
        ours.register("provider_up", "1 where the provider answered the last time, 0 where not", provider_up.clone());
        let skew = "Seconds that the provider's clock is ahead of ours";
        ours.register("provider_clock_skew_seconds", skew, provider_skew.clone());
        Self {
            sign_ins_started: Counted::new(ours, "sign_ins_started", "People sent to a provider", ["provider"]),
            sign_ins: Counted::new(ours, "sign_ins", "Sign-ins that ended", ["provider", "outcome", "cause"]),
            sent_round: Counted::new(ours, "sign_ins_sent_round", "Loops stopped, by likely cause", ["cause"]),
            sessions_created: Counted::new(ours, "sessions_created", "Sessions that began", ["provider"]),
            sessions_ended: Counted::new(ours, "sessions_ended", "Sessions that ended", ["why"]),
            refreshes: Counted::new(ours, "token_refreshes", "Refreshes of access tokens", ["outcome"]),
            api_tokens: Counted::new(ours, "api_tokens", "What happened to API tokens", ["what"]),
            members: Counted::new(ours, "accounts", "What happened to accounts", ["what"]),
            back_channel_logouts: Counted::new(ours, "back_channel_logouts", "Logout tokens", ["outcome"]),
            refusals: Counted::new(ours, "refusals", "Requests refused", ["kind"]),
            upstream_calls: Counted::new(ours, "upstream_calls", "Calls of upstreams", ["upstream", "outcome"]),
            requests: Requests::new(ours),
            caches: Caches::new(ours),
            fleet: Fleet::new(ours),
            registry,
            open_streams,
            provider_up,
            provider_skew,
            resident_memory,
        }
    }

    /// Counts what happened.
    pub(super) fn count(&self, event: &Event<'_>) {
        let named = |name: &str| Label::from(name.to_owned());
        match event {
            Event::SignInStarted { provider } => self.sign_ins_started.inc([named(provider)]),
            Event::SignInEnded(sign_in) => {
                let (outcome, cause) = match sign_in.outcome {
                    Outcome::SignedIn(_) => ("success", ""),
                    Outcome::Failed { cause, .. } => ("failure", cause),
                };
                self.sign_ins.inc([named(&sign_in.provider), outcome.into(), cause.into()]);
            }
            Event::SentRound { cause, .. } => self.sent_round.inc([(*cause).into()]),
            Event::SessionCreated(session) => self.sessions_created.inc([named(&session.provider)]),
            Event::SessionEnded(_, why) => self.sessions_ended.inc([why.label().into()]),
            // Counted as the refusal and as the end of the session that it is.
            Event::Forbidden { .. } | Event::AllowedNoMore(_) => {}
            Event::TokensRefreshed(_) => self.refreshes.inc(["ok".into()]),
            Event::RefreshFailed { cause, .. } => self.refreshes.inc([(*cause).into()]),
            Event::RefreshTokenDead { .. } => self.refreshes.inc(["refresh_dead".into()]),
            Event::IdentityLinked { .. } => self.members.inc(["identity_linked".into()]),
            Event::IdentityUnlinked { .. } => self.members.inc(["identity_unlinked".into()]),
            Event::UserDeleted(_) => self.members.inc(["deleted".into()]),
            Event::ApiTokenCreated(_) => self.api_tokens.inc(["created".into()]),
            Event::ApiTokenRevoked { .. } => self.api_tokens.inc(["revoked".into()]),
            Event::ApiTokenRefused(cause) => self.api_tokens.inc([format!("refused_{cause}").into()]),
            Event::BackChannelLogout { .. } => self.back_channel_logouts.inc(["ok".into()]),
            Event::BackChannelLogoutRefused { cause, .. } => self.back_channel_logouts.inc([(*cause).into()]),
        }
    }

    pub(super) fn provider(&self, name: &str, up: Option<bool>, skew: Option<i64>) {
        let labels = [("provider", Label::from(name.to_owned()))];
        if let Some(up) = up {
            self.provider_up.get_or_create(&labels).set(up.into());
        }
        if let Some(skew) = skew {
            self.provider_skew.get_or_create(&labels).set(skew);
        }
    }

    /// All of it, in `OpenMetrics`.
    pub(super) fn exposition(&self) -> String {
        if let Some(bytes) = resident_memory() {
            self.resident_memory.set(bytes);
        }
        let mut text = String::new();
        // A String takes all that is written to it.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// `2xx`, and so on.
pub(super) fn status_class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// Where the system tells it: Linux, in kB.
fn resident_memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<i64>().ok()?.checked_mul(1024)
}
