//! An OpenID Provider that is none of ours (npm's oidc-provider, see `tests/interoperability`), in a process of its
//! own: where Node is missing these tests say so, and in CI they fail.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Answer, Person};

/// Its program, and what that is made of.
const FILES: &[&str] = &["package.json", "package-lock.json", ".npmrc", "provider.mjs"];

/// The folder it runs in, installed, or why there is none.
static INSTALLED: LazyLock<Result<PathBuf, String>> = LazyLock::new(install);

/// The provider, serving. It ends with its test.
pub struct OidcProvider {
    child: Child,
    pub issuer: String,
}

impl OidcProvider {
    /// Serves these clients (in oidc-provider's words), with access tokens that last so many seconds. `None` where
    /// there is no Node, which is said, and in CI is a failure.
    pub fn start(clients: &Value, access_token_ttl: u32) -> Option<Self> {
        let folder = match &*INSTALLED {
            Ok(folder) => folder,
            Err(why) => {
                assert!(std::env::var("CI").is_err(), "CI needs Node: install nodejs and npm ({why})");
                eprintln!("SKIPPED: this test needs Node (Debian: nodejs and npm): {why}");
                return None;
            }
        };
        let mut child = Command::new("node")
            .arg("provider.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let settings = json!({ "clients": clients, "access_token_ttl": access_token_ttl });
        writeln!(child.stdin.as_mut().unwrap(), "{settings}").unwrap();
        let mut issuer = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut issuer).unwrap();
        assert!(issuer.starts_with("http://127.0.0.1:"), "it ended before it served: run node provider.mjs by hand");
        Some(Self { child, issuer: issuer.trim().to_owned() })
    }

    /// What has happened at the provider, by the names that oidc-provider gives its events.
    pub async fn events(&self) -> Vec<String> {
        let answer = Person::new(&self.issuer).get("/test/events").await;
        serde_json::from_value(answer.json()).unwrap()
    }

    /// The same without what must not happen.
    pub async fn has_seen(&self, event: &str) -> bool {
        let events = self.events().await;
        assert!(!events.iter().any(|event| event.contains("error")), "{events:?}");
        events.iter().any(|seen| seen == event)
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Person {
    /// Signs in by the page of that provider's, as far as the site then sends them.
    pub async fn sign_in_there(&self, name: &str) -> Answer {
        let page = self.follow(self.get("/login").await).await;
        let (action, _) = page.form("input[name=login]");
        self.follow(self.post(&action, &[("login", name)]).await).await
    }

    /// Says yes to that provider's question whether to sign out there too.
    pub async fn confirm_sign_out(&self, page: &Answer) -> Answer {
        let (action, fields) = page.form("input[name=xsrf]");
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(&action, &[fields.as_slice(), &[("logout", "yes")]].concat()).await
    }
}

/// Installs it once for each lockfile, below the target folder; other processes wait meanwhile.
fn install() -> Result<PathBuf, String> {
    let answers =
        |program: &str| Command::new(program).arg("--version").output().map_err(|error| format!("{program}: {error}"));
    answers("node")?;
    answers("npm")?;
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interoperability");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interoperability");
    fs::create_dir_all(&folder).unwrap();
    let turn = File::create(folder.join("lock")).unwrap();
    turn.lock().unwrap();
    let lockfile = fs::read(from.join("package-lock.json")).unwrap();
    let installed = fs::read(folder.join("installed")).is_ok_and(|of| of == lockfile);
    for file in FILES {
        let text = fs::read(from.join(file)).unwrap();
        // One that is the same is left alone: another process may be reading it.
        if !fs::read(folder.join(file)).is_ok_and(|there| there == text) {
            fs::write(folder.join(file), text).unwrap();
        }
    }
    if !installed {
        let npm = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .output()
            .unwrap();
        if !npm.status.success() {
            return Err(format!("npm ci: {}", String::from_utf8_lossy(&npm.stderr)));
        }
        fs::write(folder.join("installed"), lockfile).unwrap();
    }
    Ok(folder)
}
