//! How the database is reached: a bounded pool and connections beside it, TLS, several hosts, and how long anything may take.

use std::fmt::Write as _;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Connect, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use futures_util::future::{join_all, select_ok};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::citus::is_citus;
use super::transaction::text_of;
use crate::store::{Result, StoreError};

/// Connections at most, of one instance.
const CONNECTIONS: usize = 20;

/// Of them for changes at most, so that changes that wait for something leave room to read.
pub(super) const FOR_CHANGES: usize = 15;

/// And for searches at most: one costs as much as many pages, and what anybody may ask for is not to take all there is.
pub(super) const FOR_SEARCHES: usize = 5;

/// How long a free connection is waited for.
pub(super) const WAIT: Duration = Duration::from_secs(3);

/// How long a statement may take.
pub(super) const STATEMENT: Duration = Duration::from_secs(5);

/// After how long without a word a connection is given up. The database breaks off what takes longer than
/// [`STATEMENT`] and says so; what says nothing is gone, or a commit that waits for a standby that is gone.
pub(super) const SILENCE: Duration = Duration::from_secs(7);

/// How long it may take to connect, all hosts tried.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// What is said of who has not connected by then.
pub(super) const NO_ANSWER: &str = "the database did not answer in time";

/// How much later than the one before it each further host is tried, unless that has answered.
const HEAD_START: Duration = Duration::from_millis(200);

/// Bytes of a connection's name that PostgreSQL shows: `NAMEDATALEN`, without the zero at its end.
const NAME: usize = 63;

/// How long the system waits for a word of a host that may be gone.
const GONE: Duration = Duration::from_secs(10);

/// What every connection begins with. A transaction that its instance has left lets go of its locks after a while. A plan
/// is made once, and reads an index in its order: what is tested is what runs. Citus alone has to see the values of what it
/// asks several servers for; and it lets changes go on side by side, for one that is caught in a deadlock is tried again.
pub(super) const BEGIN: &str = concat!(
    "SET statement_timeout = 5000; SET idle_in_transaction_session_timeout = 15000; \
    SET enable_bitmapscan = off; SET citus.enable_deadlock_prevention = off; \
    SELECT set_config('plan_cache_mode', 'force_generic_plan', false) WHERE NOT ",
    is_citus!()
);

/// The way to the database, for a pool and for connections beside it.
#[derive(Clone)]
pub(super) struct Way {
    config: Config,
    hosts: Hosts,
}

impl Way {
    /// Where the address says. Nothing is connected yet.
    pub(super) fn new(config: &Config, root_certificate: Option<&Path>) -> Result<Self> {
        let config = with_defaults(config);
        let tls = tls(root_certificate)
            .map_err(|why| StoreError::Open(format!("the store {} can't be reached by TLS: {why}", shown(&config))))?;
        let hosts = Hosts { each: each_host(&config), tls: MakeRustlsConnect::new(tls) };
        Ok(Self { config, hosts })
    }

    /// The pool. Nothing is connected yet.
    pub(super) fn pool(&self) -> Result<Pool> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        // The time that the pool itself gives a connection is for connecting, and not for this.
        let begin = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
            Box::pin(async move {
                match timeout(CONNECT, client.batch_execute(BEGIN)).await {
                    Ok(begun) => begun.map_err(HookError::Backend),
                    Err(_) => Err(HookError::message(NO_ANSWER)),
                }
            })
        });
        Pool::builder(Manager::from_connect(self.config.clone(), self.hosts.clone(), recycling))
            .max_size(CONNECTIONS)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CONNECT))
            .recycle_timeout(Some(CONNECT))
            .runtime(Runtime::Tokio1)
            .post_create(begin)
            .build()
            .map_err(|error| StoreError::Open(format!("the store {} can't be opened: {error}", shown(&self.config))))
    }

    /// A connection beside the pool, which the database's administrator sees by the program's name with `for_what`
    /// behind it.
    pub(super) async fn connect(&self, for_what: &str) -> Result<(Client, Carrier), Error> {
        let mut hosts = self.hosts.clone();
        let given = self.config.get_application_name().unwrap_or_default();
        let name = format!("{} {for_what}", cut(given, NAME.saturating_sub(for_what.len() + 1)));
        for host in &mut hosts.each {
            host.application_name(&name);
        }
        hosts.first().await
    }

    /// Has the database break off what it does for this connection, if it can be told.
    pub(super) async fn break_off(&self, client: &Client) {
        // What can't be told ends by itself, as long as a statement may take.
        let _ = timeout(CONNECT, client.cancel_token().cancel_query(self.hosts.tls.clone())).await;
    }

    /// Why each of several hosts will not do, where none does: the pool tells of the one alone that failed last.
    pub(super) async fn why_none_of_several(&self) -> Option<String> {
        if self.hosts.each.len() < 2 {
            return None;
        }
        let tries = self.hosts.each.iter().map(|host| async {
            let why = match timeout(CONNECT, host.connect(self.hosts.tls.clone())).await {
                Ok(Ok(_)) => return None,
                Ok(Err(error)) => text_of(&error),
                Err(_) => "it did not answer in time".to_owned(),
            };
            Some(format!("{}: {why}", hosts_of(host)))
        });
        let each: Option<Vec<_>> = join_all(tries).await.into_iter().collect();
        each.map(|each| each.join("; "))
    }
}

/// As much of a name as is shown in so many bytes: PostgreSQL 16 shows one that is not ASCII in four (`\xc3`).
fn cut(name: &str, bytes: usize) -> String {
    let mut shown = 0;
    let is_shown = |character: &char| {
        shown += if character.is_ascii() { 1 } else { 4 * character.len_utf8() };
        shown <= bytes
    };
    name.chars().take_while(is_shown).collect()
}

/// The address as it was given, and what it leaves open.
fn with_defaults(config: &Config) -> Config {
    let unsaid = Config::new();
    let mut config = config.clone();
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("thoughts");
    }
    // A host that is gone without a word is noticed, by whoever waits for it and by who does not.
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(GONE);
    }
    if config.get_keepalives_idle() == unsaid.get_keepalives_idle() {
        config.keepalives_idle(GONE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(GONE / 2);
    }
    if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    config
}

/// The hosts of an address. The driver's own way is one after the other, and it waits for good for one that takes
/// the connection and then says nothing; so each is tried by itself, and the first that will do is taken.
#[derive(Clone)]
struct Hosts {
    each: Vec<Config>,
    tls: MakeRustlsConnect,
}

impl Hosts {
    async fn first(&self) -> Result<(Client, Carrier), Error> {
        let tries = (0..).zip(&self.each).map(|(place, host)| {
            Box::pin(async move {
                tokio::time::sleep(HEAD_START * place).await;
                host.connect(self.tls.clone()).await
            })
        });
        Ok(select_ok(tries).await?.0)
    }
}

impl Connect for Hosts {
    fn connect(&self, _: &Config) -> Pin<Box<dyn Future<Output = Result<Connected, Error>> + Send + '_>> {
        Box::pin(async move {
            let (client, connection) = self.first().await?;
            let task = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!(%error, "a connection to the database has ended");
                }
            });
            Ok((client, task))
        })
    }
}

/// What carries a connection.
pub(super) type Carrier = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// A connection, and the task that carries it.
type Connected = (Client, JoinHandle<()>);

/// The same address with each of its hosts alone.
fn each_host(config: &Config) -> Vec<Config> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let places = 0..hosts.len().max(addresses.len());
    places
        .map(|place| {
            let mut alone = without_hosts(config);
            match hosts.get(place) {
                Some(Host::Tcp(name)) => drop(alone.host(name)),
                Some(Host::Unix(folder)) => drop(alone.host_path(folder)),
                None => {}
            }
            addresses.get(place).map(|address| alone.hostaddr(*address));
            ports.get(place).or(ports.first()).map(|port| alone.port(*port));
            alone
        })
        .collect()
}

/// All else that an address says.
fn without_hosts(config: &Config) -> Config {
    let mut rest = Config::new();
    config.get_user().map(|user| rest.user(user));
    config.get_password().map(|password| rest.password(password));
    config.get_dbname().map(|name| rest.dbname(name));
    config.get_options().map(|options| rest.options(options));
    config.get_application_name().map(|name| rest.application_name(name));
    config.get_connect_timeout().map(|time| rest.connect_timeout(*time));
    config.get_tcp_user_timeout().map(|time| rest.tcp_user_timeout(*time));
    config.get_keepalives_interval().map(|time| rest.keepalives_interval(time));
    config.get_keepalives_retries().map(|retries| rest.keepalives_retries(retries));
    rest.ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding());
    rest
}

/// Certificates are always checked, against these roots or the system's.
fn tls(root_certificate: Option<&Path>) -> std::result::Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let Some(path) = root_certificate else {
        let trusting = builder.with_platform_verifier().map_err(|error| error.to_string())?;
        return Ok(trusting.with_no_client_auth());
    };
    let unreadable = |error: String| format!("sslrootcert `{}`: {error}", path.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unreadable("it holds no certificate".to_owned()));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Which database it is, for people: without its password.
pub fn shown(config: &Config) -> String {
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{}/{database}", hosts_of(config))
}

/// Its hosts, with the ports that aren't PostgreSQL's own.
fn hosts_of(config: &Config) -> String {
    let ports = config.get_ports();
    let names = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    });
    let mut hosts: Vec<String> = names.collect();
    if hosts.is_empty() {
        hosts.extend(config.get_hostaddrs().iter().map(ToString::to_string));
    }
    for (place, shown) in hosts.iter_mut().enumerate() {
        if let Some(port) = ports.get(place).or(ports.first()).filter(|port| **port != 5432) {
            // A String takes everything.
            let _ = write!(shown, ":{port}");
        }
    }
    hosts.join(",")
}
