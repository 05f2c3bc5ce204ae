//! How the database is reached: a bounded pool, TLS, and how long anything may take.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::{Result, StoreError};

/// Connections at most, of one instance.
const CONNECTIONS: usize = 20;

/// How long a free connection is waited for.
pub(super) const WAIT: Duration = Duration::from_secs(3);

/// How long a statement may take.
pub(super) const STATEMENT: Duration = Duration::from_secs(5);

/// How long it may take to connect, to each of the hosts.
const CONNECT: Duration = Duration::from_secs(5);

/// What every connection begins with. A transaction that its instance has left lets go of its locks after a while. A plan
/// is made once, and reads an index in its order: what is tested is what runs.
pub(super) const BEGIN: &str = "SET statement_timeout = 5000; SET idle_in_transaction_session_timeout = 15000; \
    SET plan_cache_mode = force_generic_plan; SET enable_bitmapscan = off";

/// The pool. Nothing is connected yet.
pub(super) fn pool(config: &Config, root_certificate: Option<&Path>) -> Result<Pool> {
    let mut config = config.clone();
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("thoughts");
    }
    // A server that is gone without a word is noticed.
    config.tcp_user_timeout(Duration::from_secs(15)).keepalives_idle(Duration::from_secs(15));
    if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    let shown = shown(&config);
    let tls = tls(root_certificate)
        .map_err(|why| StoreError::Open(format!("the store {shown} can't be reached by TLS: {why}")))?;
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let begin = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
        Box::pin(async move { client.batch_execute(BEGIN).await.map_err(HookError::Backend) })
    });
    Pool::builder(Manager::from_config(config, MakeRustlsConnect::new(tls), recycling))
        .max_size(CONNECTIONS)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(CONNECT * 3))
        .recycle_timeout(Some(CONNECT))
        .runtime(Runtime::Tokio1)
        .post_create(begin)
        .build()
        .map_err(|error| StoreError::Open(format!("the store {shown} can't be opened: {error}")))
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
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(place, host)| {
        let mut shown = match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        };
        if let Some(port) = ports.get(place).or(ports.first()).filter(|port| **port != 5432) {
            // A String takes everything.
            let _ = write!(shown, ":{port}");
        }
        shown
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{hosts}/{database}")
}
