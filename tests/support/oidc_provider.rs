//! An OpenID Provider that is none of ours (npm's oidc-provider, see `tests/interoperability`), in a process of its
//! own: where Node is missing these tests say so, and in CI they fail.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::{Answer, Person, npm};

/// The provider, serving. It ends with its test.
pub struct OidcProvider {
    child: Child,
    pub issuer: String,
}

impl OidcProvider {
    /// Serves these clients (in oidc-provider's words), with access tokens that last so many seconds. `None` where
    /// there is no Node, which is said, and in CI is a failure.
    pub fn start(clients: &Value, access_token_ttl: u32) -> Option<Self> {
        let folder = npm::installed()?;
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
