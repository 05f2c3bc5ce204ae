//! A whole site, in this process, on free ports: the store in a folder of its own, a demo provider beside it, and a
//! clock that goes only when it is told to.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use thoughts::app::App;
use thoughts::clock::Clock;
use thoughts::config::{Config, Sources};
use thoughts::demo::{self, Fault};
use thoughts::jose::ClientKey;
use thoughts::server::Running;

use super::Person;

/// What the demo provider knows the site as.
pub const CLIENT_ID: &str = "thoughts";
/// And what the site proves it with.
pub const CLIENT_SECRET: &str = "a secret of the tests, and of nothing else";

/// What every instance has on PostgreSQL.
pub const SECRET: &str = "a secret of the tests that every instance has";

/// A site that is running. It ends with the test.
pub struct Site {
    pub app: Arc<App>,
    pub clock: Clock,
    pub provider: demo::Provider,
    /// The second provider, called `other`, where there are two; the first is then called `main`.
    pub other: Option<demo::Provider>,
    pub base: String,
    /// What it was configured by, for another instance of it.
    pub sources: Sources,
    _kept: Kept,
}

/// What lives as long as the site.
struct Kept {
    _running: Running,
    _folder: TempDir,
}

/// A site as configured by default.
pub async fn site() -> Site {
    Site::with(&[]).await
}

/// What differs from one site to another.
struct Setup<'a> {
    /// Settings besides those that every site needs.
    settings: &'a [(&'a str, &'a str)],
    /// What the site proves itself to the provider with.
    client_secret: Option<&'a str>,
    /// Or the private key with which it does, in PEM.
    client_key: Option<&'a str>,
    /// What is wrong with the provider before anyone asks it.
    faults: &'a [Fault],
    /// What stands in `thoughts.toml`.
    file: &'a str,
    /// What the configuration says of a second provider besides who it is, if there is one.
    other: Option<&'a str>,
    /// Where it keeps what it knows, if that is not to be found for it.
    store: Option<&'a str>,
}

const USUAL: Setup<'_> = Setup {
    settings: &[],
    client_secret: Some(CLIENT_SECRET),
    client_key: None,
    faults: &[],
    file: "",
    other: None,
    store: None,
};

impl Site {
    /// A site with these settings besides those that it needs.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::start(Setup { settings, ..USUAL }).await
    }

    /// A site on this PostgreSQL.
    pub async fn on(store: &str) -> Self {
        Self::with(&[("THOUGHTS_STORE", store), ("THOUGHTS_SECRET", SECRET)]).await
    }

    /// A site beside a provider that misbehaves like this from the start. What a provider says of itself is kept
    /// for an hour, so a fault in its metadata or keys that is switched on later would come too late.
    pub async fn beside(faults: &[Fault]) -> Self {
        Self::start(Setup { faults, ..USUAL }).await
    }

    /// A site whose `thoughts.toml` says this.
    pub async fn with_file(file: &str) -> Self {
        Self::start(Setup { file, ..USUAL }).await
    }

    /// A site with these settings and this `thoughts.toml`.
    pub async fn configured(settings: &[(&str, &str)], file: &str) -> Self {
        Self::start(Setup { settings, file, ..USUAL }).await
    }

    /// A site that is a public client: it has no secret, and PKCE alone.
    pub async fn without_client_secret() -> Self {
        Self::start(Setup { client_secret: None, ..USUAL }).await
    }

    /// A site that proves with this private key who it is, beside a provider that misbehaves like this.
    pub async fn with_client_key(pem: &str, faults: &[Fault]) -> Self {
        Self::start(Setup { client_secret: None, client_key: Some(pem), faults, ..USUAL }).await
    }

    /// A site with two providers, and with these lines of configuration for the second.
    pub async fn with_two_providers(other: &str) -> Self {
        Self::start(Setup { other: Some(other), ..USUAL }).await
    }

    /// A site that keeps what it knows in this database, with these settings and this `thoughts.toml`.
    pub async fn on_database(database: &str, settings: &[(&str, &str)], file: &str) -> Self {
        Self::start(Setup { settings, file, store: Some(database), ..USUAL }).await
    }

    async fn start(Setup { settings, client_secret, client_key, faults, file, other, store }: Setup<'_>) -> Self {
        let (provider_listener, issuer) = free_address();
        let (listener, origin) = free_address();
        let listen = listener.local_addr().unwrap().to_string();
        drop(listener);
        let path = settings.iter().find(|(name, _)| *name == "base path").map_or("", |(_, path)| path);
        let base = format!("{origin}{path}");
        let clock = Clock::manual();
        let client = demo::Client {
            client_secret: client_secret.map(str::to_owned),
            jwks: client_key.map(public_jwk).into_iter().collect(),
            ..client(&base)
        };
        let provider = provider(provider_listener, &issuer, client.clone(), &clock).await;
        for fault in faults {
            provider.faults().on(*fault);
        }
        let folder = tempfile::tempdir().unwrap();
        let mut of_provider = vec![
            ("THOUGHTS_OIDC_ISSUER", issuer.as_str()),
            ("THOUGHTS_OIDC_CLIENT_ID", CLIENT_ID),
            ("THOUGHTS_OIDC_ADMIN", "admin=true"),
        ];
        of_provider.extend(client_secret.map(|secret| ("THOUGHTS_OIDC_CLIENT_SECRET", secret)));
        of_provider.extend(client_key.map(|pem| ("THOUGHTS_OIDC_CLIENT_KEY", pem)));
        let mut file = file.to_owned();
        let mut second = None;
        if let Some(lines) = other {
            let (listener, other) = free_address();
            file += &[provider_table("main", &issuer, ""), provider_table("other", &other, lines)].concat();
            // The variables speak of one provider.
            of_provider.clear();
            second = Some(self::provider(listener, &other, client, &clock).await);
        }
        std::fs::write(folder.path().join("thoughts.toml"), file).unwrap();
        let mut sources = Sources { working_directory: folder.path().into(), ..Sources::default() }
            .with("THOUGHTS_BASE_URL", &base)
            .with("THOUGHTS_LISTEN", &listen)
            .with("THOUGHTS_STORE", &found_store(store, folder.path()).await);
        if on_postgres() || store.is_some() {
            sources = sources.with("THOUGHTS_SECRET", SECRET);
        }
        for (name, value) in of_provider.iter().chain(settings).filter(|(name, _)| name.starts_with("THOUGHTS_")) {
            sources = sources.with(name, value);
        }
        let app = App::open(Config::load(&sources).unwrap(), clock.clone()).await.unwrap();
        let running = Running::start(app.clone()).await.unwrap();
        Self { app, clock, provider, other: second, base, sources, _kept: Kept { _running: running, _folder: folder } }
    }

    /// Waits until so many streams are open. That somebody has gone shows when the next heartbeat does not reach them.
    pub async fn streams(&self, open: usize) {
        let somebody = self.stranger();
        let wait = async {
            while self.app.live.streams() != open {
                let count = self.app.live.streams();
                if count > open {
                    self.clock.advance(std::time::Duration::from_secs(25));
                }
                // The server goes on at least as far as these are answered.
                for _ in 0..50 {
                    somebody.get("/healthz").await;
                    if self.app.live.streams() != count {
                        break;
                    }
                }
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(30), wait).await;
        assert!(waited.is_ok(), "{} streams are open, not {open}", self.app.live.streams());
    }

    /// Has the jobs run once more, and waits until this one has, at the time that it is now.
    pub async fn runs(&self, job: &str) {
        let (told, stopped) = tokio::sync::watch::channel(false);
        let jobs = tokio::spawn(thoughts::jobs::run(self.app.clone(), stopped));
        let (somebody, now) = (self.stranger(), self.clock.now());
        let wait = async {
            while !self.app.job_runs.all().iter().any(|(name, run)| *name == job && run.at == now) {
                // The server goes on at least as far as this is answered.
                somebody.get("/healthz").await;
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(30), wait).await;
        assert!(waited.is_ok(), "{job} does not run: {:?}", self.app.job_runs.all());
        drop(told);
        jobs.await.unwrap();
    }

    /// Someone who has never been here.
    pub fn stranger(&self) -> Person {
        Person::new(&self.base)
    }

    /// Someone of this name who has signed in.
    pub async fn member(&self, name: &str) -> Person {
        self.member_with(name, &[]).await
    }

    /// The same, with what else can be said on the provider's page.
    pub async fn member_with(&self, name: &str, more: &[(&str, &str)]) -> Person {
        let person = self.stranger();
        let answer = person.sign_in_with(name, more, "/").await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        person
    }

    /// An admin of this name.
    pub async fn admin(&self, name: &str) -> Person {
        self.member_with(name, &[("admin", "true")]).await
    }
}

/// Whether the sites of this run keep what they know in PostgreSQL.
pub fn on_postgres() -> bool {
    std::env::var_os("THOUGHTS_TEST_STORE").is_some_and(|store| store == "postgres")
}

/// Where a new site keeps what it knows.
pub async fn found_store(given: Option<&str>, folder: &std::path::Path) -> String {
    if let Some(store) = given {
        return store.to_owned();
    }
    if on_postgres() {
        return super::postgres::database().await.expect("THOUGHTS_TEST_STORE=postgres needs PostgreSQL");
    }
    format!("sled:{}", folder.join("data").display())
}

/// A demo provider that knows this client, at the site's time.
async fn provider(listener: TcpListener, issuer: &str, client: demo::Client, clock: &Clock) -> demo::Provider {
    let clock = clock.clone();
    let settings = demo::Settings {
        clients: vec![client],
        key_pem: Some(KEY.clone()),
        clock: demo::Clock::new(move || {
            std::time::UNIX_EPOCH + std::time::Duration::from_millis(clock.now().as_millisecond().unsigned_abs())
        }),
        ..demo::Settings::new(issuer)
    };
    demo::Provider::start(listener, settings).await.unwrap()
}

/// What the configuration says of a provider where there are two.
fn provider_table(name: &str, issuer: &str, more: &str) -> String {
    format!(
        "[[provider]]\nname = '{name}'\nissuer = '{issuer}'\nclient_id = '{CLIENT_ID}'\n\
         client_secret = '{CLIENT_SECRET}'\n{more}\n"
    )
}

/// How the provider knows a site at `base`.
pub fn client(base: &str) -> demo::Client {
    demo::Client {
        client_id: CLIENT_ID.into(),
        client_secret: Some(CLIENT_SECRET.into()),
        jwks: Vec::new(),
        redirect_uris: vec![format!("{base}/callback")],
        post_logout_redirect_uris: vec![format!("{base}/logout")],
        backchannel_logout_uri: Some(format!("{base}/backchannel-logout")),
    }
}

/// What is registered of a private key at a provider.
pub fn public_jwk(pem: &str) -> serde_json::Value {
    serde_json::from_str(ClientKey::from_pem(pem).unwrap().public_jwk()).unwrap()
}

/// One key for all the tests of this process: making one takes a while.
pub static KEY: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| demo::Provider::new_key_pem().unwrap());

/// A listener on a free port of the loopback, and its origin. The port is below those that the system hands out by
/// itself, and given to nobody else in this process, so that whoever lets go of it can have it again.
pub fn free_address() -> (TcpListener, String) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let place = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(97));
        let port = u16::try_from(20_000 + place % 12_000).unwrap();
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            let origin = format!("http://{}", listener.local_addr().unwrap());
            return (listener, origin);
        }
    }
}
