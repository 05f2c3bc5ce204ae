//! A way to the database that can be cut off at the worst moment: when a change is committed, and before that is said.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// What the server says when it has done what it was asked for and nothing is under way (`ReadyForQuery`, idle).
const DONE: &[u8] = &[b'Z', 0, 0, 0, 5, b'I'];

/// The way: a port on loopback.
pub(super) struct Relay {
    /// The database by this way.
    pub(super) config: Config,
    kept: Arc<Kept>,
}

/// What is kept back.
#[derive(Default)]
struct Kept {
    /// Whether the answer to the next commit is.
    next: AtomicBool,
    /// It is, and the commit is done.
    back: Notify,
    /// The connection is to be cut off.
    cut: Notify,
}

impl Relay {
    /// A way to this database.
    pub(super) async fn to(database: &Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = Config::new();
        config.host("127.0.0.1").port(listener.local_addr().unwrap().port());
        config.user(database.get_user().unwrap()).dbname(database.get_dbname().unwrap());
        let kept = Arc::new(Kept::default());
        tokio::spawn({
            let (database, kept) = (database.clone(), kept.clone());
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let kept = kept.clone();
                    let port = database.get_ports().first().copied().unwrap_or(5432);
                    match &database.get_hosts()[0] {
                        Host::Unix(folder) => {
                            let socket = folder.join(format!(".s.PGSQL.{port}"));
                            tokio::spawn(carry(client, UnixStream::connect(socket).await.unwrap(), kept));
                        }
                        Host::Tcp(name) => {
                            let server = TcpStream::connect((name.as_str(), port)).await.unwrap();
                            tokio::spawn(carry(client, server, kept));
                        }
                    }
                }
            }
        });
        Self { config, kept }
    }

    /// Whoever commits next gets no answer.
    pub(super) fn keep_back_the_next_answer_to_a_commit(&self) {
        self.kept.next.store(true, Ordering::SeqCst);
    }

    /// Waits until that commit is done.
    pub(super) async fn kept_back(&self) {
        self.kept.back.notified().await;
    }

    /// Cuts off the connection that waits for the answer.
    pub(super) fn cut_off(&self) {
        self.kept.cut.notify_one();
    }
}

/// Carries what each side says to the other, until one of them ends or is cut off.
async fn carry(mut client: TcpStream, mut server: impl AsyncRead + AsyncWrite + Unpin, kept: Arc<Kept>) {
    let (mut asked, mut said) = ([0; 16 * 1024], [0; 16 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(bytes @ 1..) = read else { return };
                let asked = &asked[..bytes];
                if server.write_all(asked).await.is_err() {
                    return;
                }
                if holds(asked, b"COMMIT") && kept.next.swap(false, Ordering::SeqCst) {
                    let mut answer = Vec::new();
                    while !answer.ends_with(DONE) && server.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {}
                    kept.back.notify_one();
                    kept.cut.notified().await;
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
