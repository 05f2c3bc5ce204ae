//! Two instances of one site on one database, as people meet them behind something that passes each request on to
//! either.

use thoughts::app::App;
use thoughts::config::Config;
use thoughts::server::Running;

use super::site::free_address;
use super::{Person, Site, postgres};

/// Two instances that are running. Each listens at an address of its own; people know the first one's.
pub struct Fleet {
    pub one: Site,
    pub other: Instance,
    /// Where the database is.
    pub database: String,
}

/// One more instance of a site. It ends with the test.
pub struct Instance {
    pub base: String,
    _running: Running,
}

/// Two instances as configured by default; `None` where there is no PostgreSQL.
pub async fn fleet() -> Option<Fleet> {
    Fleet::with("").await
}

impl Fleet {
    /// Two instances whose `thoughts.toml` says this.
    pub async fn with(file: &str) -> Option<Self> {
        Some(Self::on(&postgres::database().await?, &[], file).await)
    }

    /// Two instances on this database, the first with these settings besides.
    pub async fn on(database: &str, settings: &[(&str, &str)], file: &str) -> Self {
        let one = Site::on_database(database, settings, file).await;
        let (listener, base) = free_address();
        let listen = listener.local_addr().unwrap().to_string();
        drop(listener);
        let mut sources = one.sources.clone().with("THOUGHTS_LISTEN", &listen);
        sources.environment.remove("THOUGHTS_METRICS_LISTEN");
        let app = App::open(Config::load(&sources).unwrap(), one.clock.clone()).await.unwrap();
        let running = Running::start(app).await.unwrap();
        Self { one, other: Instance { base, _running: running }, database: database.to_owned() }
    }

    /// The same browser, answered by the other instance.
    pub fn elsewhere(&self, person: &Person) -> Person {
        person.at(&self.other.base)
    }

    /// A person of this name who has signed in, as the one and the other instance meet them.
    pub async fn member(&self, name: &str) -> [Person; 2] {
        self.member_with(name, &[]).await
    }

    /// The same, with what else can be said on the provider's page.
    pub async fn member_with(&self, name: &str, more: &[(&str, &str)]) -> [Person; 2] {
        let person = self.one.member_with(name, more).await;
        let elsewhere = self.elsewhere(&person);
        [person, elsewhere]
    }

    /// Finishes a sign-in at the other instance: what a browser is sent back to, asked of that one.
    pub async fn come_back_elsewhere(&self, person: &Person, callback: &str) -> super::Answer {
        let path = callback.strip_prefix(&self.one.base).expect("it is one of ours");
        self.elsewhere(person).get(path).await
    }
}
