//! A way to the database that can be cut off at the worst moment: when a change is committed, and before that is said.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// What the server says when it has done what it was asked for and nothing is under way (`ReadyForQuery`, idle).
const DONE: &[u8] = &[b'Z', 0, 0, 0, 5, b'I'];

/// The way: a port on loopback.
pub(super) struct Relay {
    /// The database by this way.
    pub(super) config: Config,
    cuts: Arc<AtomicBool>,
}

impl Relay {
    /// A way to this database.
    pub(super) async fn to(database: &Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = Config::new();
        config.host("127.0.0.1").port(listener.local_addr().unwrap().port());
        config.user(database.get_user().unwrap()).dbname(database.get_dbname().unwrap());
        let cuts = Arc::new(AtomicBool::new(false));
        tokio::spawn({
            let (database, cuts) = (database.clone(), cuts.clone());
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let cuts = cuts.clone();
                    let port = database.get_ports().first().copied().unwrap_or(5432);
                    match &database.get_hosts()[0] {
                        Host::Unix(folder) => {
                            let socket = folder.join(format!(".s.PGSQL.{port}"));
                            tokio::spawn(carry(client, UnixStream::connect(socket).await.unwrap(), cuts));
                        }
                        Host::Tcp(name) => {
                            let server = TcpStream::connect((name.as_str(), port)).await.unwrap();
                            tokio::spawn(carry(client, server, cuts));
                        }
                    }
                }
            }
        });
        Self { config, cuts }
    }

    /// The next connection that commits is cut off between the commit and its answer.
    pub(super) fn cut_at_the_next_commit(&self) {
        self.cuts.store(true, Ordering::SeqCst);
    }
}

/// Carries what each side says to the other, until one of them ends or the answer of a commit is kept back.
async fn carry(mut client: TcpStream, mut server: impl AsyncRead + AsyncWrite + Unpin, cuts: Arc<AtomicBool>) {
    let (mut asked, mut said) = ([0; 16 * 1024], [0; 16 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(bytes @ 1..) = read else { return };
                let asked = &asked[..bytes];
                if server.write_all(asked).await.is_err() {
                    return;
                }
                if holds(asked, b"COMMIT") && cuts.swap(false, Ordering::SeqCst) {
                    let mut kept_back = Vec::new();
                    while !kept_back.ends_with(DONE) && server.read_buf(&mut kept_back).await.is_ok_and(|read| read > 0) {}
                    return;
                }
            }
            read = server.read(&mut said) => {
                let Ok(bytes @ 1..) = read else { return };
                if client.write_all(&said[..bytes]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
