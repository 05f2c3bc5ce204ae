//! PostgreSQL servers of a test's own, which it stops, kills, silences and promotes as it likes: on 127.0.0.1, each in a
//! folder of a room that goes with the test.

use std::fmt::Display;
use std::io::{self, BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use super::postgres::{as_its_user, programs};
use super::site::free_address;

/// Makes a folder, says where, and when nobody writes to it any more, however the test ended, ends the servers that run
/// there and removes it. The memory that a killed server has left with the system goes as well.
const SCRIPT: &str = r#"
trap '' INT TERM
cd /
folder=$(mktemp -d /tmp/thoughts-engines.XXXXXX) || exit 1
trap 'rm -rf -- "$folder"' EXIT
echo "$folder"
read -r _ || true
for file in "$folder"/*/postmaster.pid; do
    [ -e "$file" ] || continue
    server=$(sed -n 1p "$file")
    kill -KILL "$server" $(ps -o pid= --ppid "$server")
    ipcrm -m "$(sed -n 7p "$file" | awk '{print $2}')"
done
"#;

/// What every server is started with: nothing of it outside its folder, and every commit on disk.
const SETTINGS: &str = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c dynamic_shared_memory_type=mmap";

/// The folder of a test's servers.
struct Room {
    folder: PathBuf,
    programs: PathBuf,
    /// Its pipe closes with this process.
    shell: Child,
}

impl Drop for Room {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // The test ends when nothing is left.
        let _ = self.shell.wait();
    }
}

/// A server, running or not.
pub struct Engine {
    room: Arc<Room>,
    pub port: u16,
    settings: String,
}

/// Who are to be told something.
#[derive(Clone, Copy)]
enum Told {
    /// Stop where they are: `SIGSTOP`.
    Freeze,
    /// End at once: `SIGKILL`.
    Kill,
}

impl Engine {
    /// A new server that runs with these settings besides those that all have; `None` where there is no PostgreSQL on
    /// this machine, which is said.
    pub async fn start_new(settings: &str) -> Option<Self> {
        let programs = programs()?;
        let mut shell = as_its_user("sh".as_ref());
        let mut shell = shell
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut folder = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut folder).unwrap();
        let room = Arc::new(Room { folder: folder.trim_end().into(), programs, shell });
        let engine = Self::in_room(room, settings);
        let data = engine.data();
        engine
            .run("initdb", &["-D", &data, "-U", "thoughts", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"])
            .await;
        engine.start().await;
        Some(engine)
    }

    fn in_room(room: Arc<Room>, settings: &str) -> Self {
        let (listener, _) = free_address();
        Self { room, port: listener.local_addr().unwrap().port(), settings: settings.to_owned() }
    }

    /// A second server, which takes everything over from this one as it is written; the first one does not answer a
    /// commit before the second has it on disk. It runs when this returns.
    pub async fn synchronous_standby(&self) -> Self {
        let standby = Self::in_room(self.room.clone(), &self.settings);
        standby.follow(self).await;
        standby
    }

    /// Forgets everything and becomes a standby of that one.
    pub async fn follow(&self, primary: &Self) {
        let data = self.data();
        // What the killed one has left is its owner's alone, or root's.
        let _ = std::fs::remove_dir_all(&data);
        let from = primary.address("replication=true");
        self.run("pg_basebackup", &["-D", &data, "-d", &from, "-R", "-X", "stream", "-c", "fast", "--no-sync"]).await;
        self.start().await;
        let client = primary.client().await;
        client.batch_execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await.unwrap();
        client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        let synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while client.query_one(synchronous, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
    }

    /// Speaks TLS from now on, with a certificate for this name (`IP:127.0.0.1`, `DNS:example.org`) that an authority of
    /// its own has signed. Gives where that one's certificate is.
    pub async fn speak_tls(&self, name: &str) -> PathBuf {
        let folder = self.folder();
        let script = format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=tests \
                -keyout ca.key -out ca.pem && \
             openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=postgres -keyout server.key -out server.csr && \
             echo subjectAltName={name} >server.ext && \
             openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.crt"
        );
        let made = as_its_user("sh".as_ref()).args(["-c", &script]).current_dir(&folder).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let client = self.client().await;
        client.batch_execute("ALTER SYSTEM SET ssl = on").await.unwrap();
        client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        let spoken = "SELECT pg_read_file('server.crt') <> '' AND setting = 'on' FROM pg_settings WHERE name = 'ssl'";
        while !client.query_one(spoken, &[]).await.unwrap().get::<_, bool>(0) {}
        folder.join("ca.pem")
    }

    /// Lets in over TCP whoever these lines of `pg_hba.conf` let in.
    pub async fn let_in(&self, lines: &str) {
        let client = self.client().await;
        std::fs::write(self.folder().join("pg_hba.conf"), lines).unwrap();
        client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        // Who is connected before it is read does not notice; whoever comes later does.
        while tokio_postgres::connect(&self.address("sslmode=disable"), NoTls).await.is_ok() {}
    }

    /// Where it listens, as an address names it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The address of its database.
    pub fn address(&self, parameters: &str) -> String {
        address(self.host(), parameters)
    }

    /// A connection to it.
    pub async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.address(""), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Starts it, and waits until it answers.
    pub async fn start(&self) {
        let options = format!("{SETTINGS} -p {} {}", self.port, self.settings);
        let log = format!("{}.log", self.data());
        self.run("pg_ctl", &["start", "-w", "-D", &self.data(), "-l", &log, "-o", &options]).await;
    }

    /// Stops it as an operator does, with whoever is connected.
    pub async fn stop(&self) {
        self.run("pg_ctl", &["stop", "-w", "-m", "fast", "-D", &self.data()]).await;
    }

    /// Makes a standby take writes, and waits until it does.
    pub async fn promote(&self) {
        self.run("pg_ctl", &["promote", "-w", "-D", &self.data()]).await;
    }

    /// Pulls the plug, and lets what is sent to its port get lost from then on, as where the whole machine is gone.
    pub async fn vanish(&self) -> Hole {
        self.kill();
        Hole::at(self.port).await
    }

    /// All of its processes stand still; the system goes on taking connections for them.
    pub fn freeze(&self) {
        self.tell(Told::Freeze);
    }

    /// Pulls the plug: SIGKILL for all of its processes.
    pub fn kill(&self) {
        let file = self.folder().join("postmaster.pid");
        let lines = std::fs::read_to_string(&file).unwrap();
        self.tell(Told::Kill);
        // What would have been taken back by a machine that went down.
        let shared = lines.lines().nth(6).and_then(|line| line.split_whitespace().last()).unwrap();
        Command::new("ipcrm").args(["-m", shared]).status().unwrap();
        std::fs::remove_file(file).unwrap();
    }

    fn tell(&self, what: Told) {
        let file = std::fs::read_to_string(self.folder().join("postmaster.pid")).unwrap();
        let postmaster = file.lines().next().unwrap();
        // It stands still first: whom it makes while the others are looked for would go on, and hold its port.
        signal("-STOP", &[postmaster]);
        while state(postmaster).expect("a server that runs") != 'T' {
            std::thread::yield_now();
        }
        let children = Command::new("ps").args(["-o", "pid=", "--ppid", postmaster]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let all: Vec<_> = std::iter::once(postmaster).chain(children.split_whitespace()).collect();
        match what {
            Told::Freeze => signal("-STOP", &all),
            Told::Kill => {
                signal("-KILL", &all);
                // One that waits to be noticed has let go of everything.
                while all.iter().any(|process| state(process).is_some_and(|state| !['Z', 'X'].contains(&state))) {
                    std::thread::yield_now();
                }
            }
        }
    }

    fn folder(&self) -> PathBuf {
        self.room.folder.join(self.port.to_string())
    }

    fn data(&self) -> String {
        self.folder().display().to_string()
    }

    /// Runs one of PostgreSQL's programs to its end, which must be a good one.
    async fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = as_its_user(&self.room.programs.join(program));
        command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let done = tokio::task::spawn_blocking(move || command.status().unwrap()).await.unwrap();
        let log = || std::fs::read_to_string(format!("{}.log", self.data())).unwrap_or_default();
        assert!(done.success(), "{program} {arguments:?}: {done}: {}", log());
    }
}

/// A port of 127.0.0.1 whose packets get lost: who wants to connect hears nothing, neither yes nor no.
pub struct Hole {
    pub port: u16,
    _listener: TcpListener,
    /// One that nobody takes, or waits in vain because another came first.
    _connection: JoinHandle<io::Result<TcpStream>>,
}

impl Hole {
    /// One at any free port.
    pub async fn new() -> Self {
        Self::at(0).await
    }

    async fn at(port: u16) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, port).into()).unwrap();
        // There is room for one; while it is taken the system drops what comes. Source: listen(2), tcp(7).
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let connection = tokio::spawn(TcpStream::connect(address));
        while !is_full(address.port()) {
            tokio::task::yield_now().await;
        }
        Self { port: address.port(), _listener: listener, _connection: connection }
    }

    /// Where it is, as an address names it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// Whether somebody waits to be taken by who listens on this port of 127.0.0.1. Source: `proc_pid_net(5)`.
fn is_full(port: u16) -> bool {
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let ours = format!(" 0100007F:{port:04X} 00000000:0000 0A ");
    let waiting = sockets.lines().find_map(|line| line.split_once(&ours)).and_then(|(_, queues)| queues.get(..17));
    waiting.expect("a socket that listens").rsplit_once(':').is_some_and(|(_, received)| received != "00000000")
}

/// The address of a database on these hosts.
pub fn address(hosts: impl Display, parameters: &str) -> String {
    format!("postgres://thoughts@{hosts}/postgres?{parameters}")
}

/// Sends a signal to processes. One that has ended meanwhile is no failure.
fn signal(signal: &str, processes: &[&str]) {
    Command::new("kill").arg(signal).args(processes).stderr(Stdio::null()).status().unwrap();
}

/// What a process is doing, as `proc_pid_stat(5)` has it; `None` where there is none.
fn state(process: &str) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}
