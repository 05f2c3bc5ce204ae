//! The program itself, as whoever runs it sees it: its own process, its exit code, what it prints.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;
use tokio::sync::watch;

use super::site::{CLIENT_ID, CLIENT_SECRET, SECRET, client, free_address};
use super::{Person, Site};

/// The program with nothing of this process's environment but where to find things.
pub fn thoughts(arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thoughts"));
    command.args(arguments).env_clear();
    command.envs(settings.iter().copied());
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    thoughts(arguments, settings).current_dir(folder.path()).output().unwrap()
}

/// What a command printed that ends well.
pub fn succeeds(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The line with which it ends badly.
pub fn fails(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap().lines().last().unwrap_or_default().to_owned()
}

/// The lines with counts and checksums.
pub fn sums(printed: &str) -> Vec<String> {
    printed.lines().filter(|line| line.contains("sha256")).map(str::to_owned).collect()
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The embedded store in a folder, as the configuration names it.
pub fn store_in(folder: &Path) -> String {
    format!("sled:{}", folder.display())
}

/// How long a line of a server's log is waited for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// A server in a process of its own. It is killed with its test.
pub struct Server {
    child: Child,
    pub base: String,
    settings: Vec<(String, String)>,
    said: watch::Receiver<String>,
}

impl Server {
    /// Serves the store in `folder` on a free port, with the provider at `issuer`, and waits until it is ready.
    pub fn start(folder: &Path, issuer: &str) -> Self {
        Self::start_logging(folder, issuer, "error,thoughts::cli=info")
    }

    /// The same, with another filter of the log.
    pub fn start_logging(folder: &Path, issuer: &str, log: &str) -> Self {
        Self::start_by(thoughts(&["serve"], &[]), &store_in(folder), folder, issuer, log)
    }

    /// Serves another store than the one in `folder`, where the program runs.
    pub fn start_on(store: &str, folder: &Path, issuer: &str) -> Self {
        Self::start_by(thoughts(&["serve"], &[]), store, folder, issuer, "error,thoughts::cli=info")
    }

    /// Runs the program by this command, which sees to what it needs or must not have.
    pub fn start_by(command: Command, store: &str, folder: &Path, issuer: &str, log: &str) -> Self {
        let (listener, base) = free_address();
        let listen = listener.local_addr().unwrap().to_string();
        drop(listener);
        let mut settings = vec![
            ("THOUGHTS_BASE_URL", base.as_str()),
            ("THOUGHTS_LISTEN", &listen),
            ("THOUGHTS_STORE", store),
            ("THOUGHTS_OIDC_ISSUER", issuer),
            ("THOUGHTS_OIDC_CLIENT_ID", CLIENT_ID),
            ("THOUGHTS_OIDC_CLIENT_SECRET", CLIENT_SECRET),
            ("THOUGHTS_LOG", log),
        ];
        if store.starts_with("postgres") {
            settings.push(("THOUGHTS_SECRET", SECRET));
        }
        Self::run(command, folder, &settings, base.clone())
    }

    /// A server that logs all there is to log, in a folder of its own, and Ann, who has signed in there with the
    /// provider of `site`.
    pub async fn that_logs_everything(site: &Site) -> (Self, TempDir, Person) {
        Self::that_logs_everything_as(site, "").await
    }

    /// The same, whose `thoughts.toml` says this.
    pub async fn that_logs_everything_as(site: &Site, file: &str) -> (Self, TempDir, Person) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thoughts.toml"), file).unwrap();
        let server = Self::start_logging(folder.path(), site.provider.issuer(), "trace");
        site.provider.set_clients(vec![client(&server.base)]);
        let ann = Person::new(&server.base);
        assert_eq!(ann.sign_in("Ann").await.status, 303);
        (server, folder, ann)
    }

    /// Runs a command that serves, and waits until it says that it does.
    pub fn spawn(arguments: &[&str], folder: &Path, settings: &[(&str, &str)], base: String) -> Self {
        Self::run(thoughts(arguments, &[]), folder, settings, base)
    }

    fn run(mut command: Command, folder: &Path, settings: &[(&str, &str)], base: String) -> Self {
        let mut child = command
            .envs(settings.iter().copied())
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (noted, said) = watch::channel(String::new());
        let (serves, ready) = std::sync::mpsc::channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        // Reads until the program ends, which it does with its test.
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                if line.contains("serving") {
                    let _ = serves.send(());
                }
                noted.send_modify(|said| *said += &(line + "\n"));
            }
        });
        assert!(ready.recv().is_ok(), "it ended before it served: {}", said.borrow().as_str());
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { child, base, settings, said }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    pub fn said(&self) -> String {
        self.said.borrow().clone()
    }

    /// The same, once these words are in it: it is read while it is written.
    pub async fn until_it_says(&self, words: &str) -> String {
        let mut said = self.said.clone();
        let told = tokio::time::timeout(PATIENCE, said.wait_for(|said| said.contains(words))).await;
        assert!(matches!(told, Ok(Ok(_))), "it does not say {words}: {}", self.said());
        drop(told);
        self.said()
    }

    /// What this server was started with.
    pub fn settings(&self) -> Vec<(&str, &str)> {
        self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Pulls the plug: SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, by SIGTERM, and gives its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone where the test stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything in a folder, one after the other.
pub fn files(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // A socket holds nothing.
        if path.is_dir() {
            bytes.extend(files(&path));
        } else if path.is_file() {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    bytes
}
