//! Another service, on a free port, that answers by path and remembers what it was asked.

use std::sync::{Arc, Mutex};

use poem::endpoint::make;
use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::{Body, Endpoint, Request, Response, Server};
use tokio::task::JoinHandle;

use super::site::free_address;

/// A service that is running. It ends with the test.
pub struct Upstream {
    pub origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    server: JoinHandle<()>,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The access token that came with it.
    pub fn token(&self) -> &str {
        self.header("authorization").unwrap().strip_prefix("Bearer ").unwrap()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Upstream {
    pub fn start() -> Self {
        let (listener, origin) = free_address();
        listener.set_nonblocking(true).unwrap();
        let acceptor = TcpAcceptor::from_std(listener).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let server = tokio::spawn({
            let service = service(seen.clone());
            async move { Server::new_with_acceptor(acceptor).run(service).await.unwrap() }
        });
        Self { origin, seen, server }
    }

    /// What arrived until now.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// An `[[upstream]]` table for it, called `notes`, with these lines more.
    pub fn table(&self, more: &str) -> String {
        format!("[[upstream]]\nname = 'notes'\nurl = '{}/base'\nprefix = '/v1/'\n{more}\n", self.origin)
    }
}

fn service(seen: Arc<Mutex<Vec<Seen>>>) -> impl Endpoint + 'static {
    make(move |mut request: Request| {
        let seen = seen.clone();
        async move {
            let path = request.uri().path_and_query().unwrap().to_string();
            let body = request.take_body();
            if path == "/base/v1/echo" {
                return Ok(Response::builder().body(Body::from_bytes_stream(body.into_bytes_stream())));
            }
            let body = body.into_bytes().await.unwrap_or_default();
            let headers = request.headers().iter();
            let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
            seen.lock().unwrap().push(Seen {
                method: request.method().to_string(),
                path: path.clone(),
                headers: headers.collect(),
                body: String::from_utf8_lossy(&body).into_owned(),
            });
            answer(&path).await
        }
    })
}

async fn answer(path: &str) -> poem::Result<Response> {
    let json = Response::builder().content_type("application/json");
    Ok(match path {
        "/base/v1/redirect" => Response::builder().status(StatusCode::FOUND).header("location", "/base/v1/x").finish(),
        "/base/v1/refused" => Response::builder().status(StatusCode::UNAUTHORIZED).finish(),
        "/base/v1/missing" => json.status(StatusCode::NOT_FOUND).body(r#"{"error":"no such note"}"#),
        "/base/v1/headers" => json
            .header("set-cookie", "theirs=1")
            .header("access-control-allow-origin", "*")
            .header("hx-redirect", "https://evil.example/")
            .header("x-note", "kept")
            .body("{}"),
        "/base/v1/page" => Response::builder().content_type("text/html").body("<script>alert(1)</script>"),
        "/base/v1/long" => Response::builder().body("x".repeat(100_000)),
        "/base/v1/silent" => std::future::pending().await,
        _ => json.body(r#"{"name":"<b>Ada</b>","notes":2}"#),
    })
}
