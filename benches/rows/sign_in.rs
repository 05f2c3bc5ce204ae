//! Signing in: the whole code flow, against a provider in this process, whose own time is not ours.

use std::net::TcpListener;
use std::time::Instant;

use thoughts::demo::{Client, Provider, Settings};
use tokio::task::JoinSet;

use crate::load::Taken;
use crate::person::Person;
use crate::process::Process;
use crate::table::{Row, Table, short};
use crate::{Options, site};

/// What the site and its provider know each other by.
const CLIENT_ID: &str = "bench";
const CLIENT_SECRET: &str = "a secret of the bench";

/// A site and its provider.
pub struct WithProvider {
    /// The site.
    pub server: Process,
    _provider: Provider,
}

impl WithProvider {
    /// Starts both; `file` is what the site's configuration says besides.
    pub async fn start(folder: &std::path::Path, file: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = tokio::task::spawn_blocking(Provider::new_key_pem).await.unwrap().unwrap();
        let provider =
            Provider::start(listener, Settings { key_pem: Some(key), ..Settings::new(&issuer) }).await.unwrap();
        std::fs::write(folder.join("thoughts.toml"), file).unwrap();
        let server = site::start(
            folder,
            &[
                ("THOUGHTS_OIDC_ISSUER", &issuer),
                ("THOUGHTS_OIDC_CLIENT_ID", CLIENT_ID),
                ("THOUGHTS_OIDC_CLIENT_SECRET", CLIENT_SECRET),
            ],
        );
        provider.set_clients(vec![Client {
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.to_owned()),
            jwks: Vec::new(),
            redirect_uris: vec![format!("http://localhost:{}/callback", server.port)],
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
        }]);
        Self { server, _provider: provider }
    }

    /// Signs somebody in.
    pub async fn person(&self, name: &str) -> Person {
        let person = Person::new(&format!("http://localhost:{}", self.server.port));
        let answer = person.sign_in(name).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        person
    }
}

/// Eight people sign in at a time, again and again.
pub async fn measure(options: &Options, table: &mut Table) {
    if !options.wants("sign-in") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let both = std::sync::Arc::new(WithProvider::start(folder.path(), "").await);
    both.person("warm").await;
    let cpu = both.server.cpu();
    let (begun, until) = (Instant::now(), Instant::now() + options.time());
    let mut tasks = JoinSet::new();
    for worker in 0..8 {
        let both = both.clone();
        tasks.spawn(async move {
            let mut taken = Vec::new();
            while Instant::now() < until {
                let begun = Instant::now();
                both.person(&format!("worker{worker}")).await;
                taken.push(begun.elapsed().as_micros() as u32);
            }
            taken
        });
    }
    let each = tasks.join_all().await.into_iter().flatten().collect();
    let taken = Taken { each, seconds: begun.elapsed().as_secs_f64(), cpu: both.server.cpu() - cpu };
    let together = taken.of(&both.server);
    let each = together.cpu / 1e6;
    let rate = 2.0 / each;
    table.add(Row {
        what: "sign-in, whole code flow".to_owned(),
        reach: "over 300 a second on 2 cores, the provider's time apart",
        found: format!("{} a second by its CPU time", short(rate)),
        beside: format!("with the provider and the browsers on the same cores {together}"),
        reached: rate > 300.0,
    });
}
