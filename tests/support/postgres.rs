//! One temporary PostgreSQL for all the tests of a process, from Debian's package, and a database of it for each that
//! asks. The lib's tests include this file by its path.
//!
//! `THOUGHTS_TEST_POSTGRES` names another server to make the databases on, without a database
//! (`postgres://thoughts@127.0.0.1:5432`): one of another make, say, or a coordinator of Citus. They stay there.
//!
//! PostgreSQL refuses to run as root, and is run as its own user there. A shell holds it: when the pipe to that closes,
//! however this process ends, the shell stops the server and removes its folder.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;

/// Starts a server in a folder of its own, says where, and ends both when nobody writes to it any more. `fsync` stays on.
const SCRIPT: &str = r#"
trap '' INT TERM
cd /
folder=$(mktemp -d /tmp/thoughts-postgres.XXXXXX) || exit 1
trap 'rm -rf -- "$folder"' EXIT
"$1/initdb" -D "$folder/data" -U thoughts -A trust -E UTF8 --no-locale --no-sync >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
"$1/pg_ctl" -w -D "$folder/data" -l "$folder/log" -o "-k $folder -c listen_addresses= -c max_connections=600" start >/dev/null \
    || { cat "$folder/log" >&2; exit 1; }
echo "$folder"
read -r _ || true
"$1/pg_ctl" -w -D "$folder/data" -m immediate stop >/dev/null
"#;

struct Server {
    /// Without a database.
    address: String,
    /// Where it is this process's own: the pipe to it closes with this process.
    _shell: Option<Child>,
}

/// The address of a new, empty database; `None` where there is no PostgreSQL on this machine, which is said.
pub async fn database() -> Option<String> {
    static SERVER: OnceCell<Option<Server>> = OnceCell::const_new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(async || given().or_else(|| programs().map(|programs| start(&programs)))).await;
    let Server { address, .. } = server.as_ref()?;
    let name = format!("test{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    execute(&format!("{address}/postgres"), &format!("CREATE DATABASE {name}")).await;
    Some(format!("{address}/{name}"))
}

/// The server that whoever runs the tests has named.
#[expect(clippy::disallowed_methods, reason = "whoever tries another server says where it is")]
fn given() -> Option<Server> {
    Some(Server { address: std::env::var("THOUGHTS_TEST_POSTGRES").ok()?, _shell: None })
}

/// Has the database at this address do something, and says for how many rows it did.
pub async fn execute(url: &str, statement: &str) -> u64 {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let rows = client.execute(statement, &[]).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    rows
}

/// The same database, where a function that a test makes takes the place of PostgreSQL's own of that name.
pub fn ours_first(url: &str) -> String {
    format!("{url}?options=-csearch_path%3Dpublic%2Cpg_catalog")
}

/// Where the newest server's programs are; `None` where there are none, which is said.
#[expect(clippy::disallowed_methods, reason = "a machine without PostgreSQL may do without, and CI may not")]
pub fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let newest = programs.filter(|programs| programs.join("initdb").exists()).max();
    if newest.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "there is no PostgreSQL in /usr/lib/postgresql; apt-get install postgresql"
        );
        eprintln!("skipped: there is no PostgreSQL in /usr/lib/postgresql (Debian: apt-get install postgresql)");
    }
    newest
}

/// A command that runs as a user whom PostgreSQL serves.
pub fn as_its_user(program: &Path) -> Command {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn start(programs: &Path) -> Server {
    let mut command = as_its_user(Path::new("sh"));
    command.args(["-c", SCRIPT, "sh"]).arg(programs).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = command.spawn().unwrap();
    let mut folder = String::new();
    BufReader::new(shell.stdout.take().unwrap()).read_line(&mut folder).unwrap();
    assert!(!folder.is_empty(), "PostgreSQL did not start; what it said is above");
    let host = folder.trim_end().replace('/', "%2F");
    Server { address: format!("postgres://thoughts@{host}"), _shell: Some(shell) }
}
