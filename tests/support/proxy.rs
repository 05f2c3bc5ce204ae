//! A reverse proxy, set up rightly or wrongly.

use poem::endpoint::make;
use poem::listener::TcpAcceptor;
use poem::{Request, Response, Server};
use tokio::task::JoinHandle;

use super::site::free_address;

/// A proxy that is running. It ends with the test.
pub struct Proxy {
    pub origin: String,
    server: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Proxy {
    /// Passes each `GET` on to the server at `to`, without the beginning `off` of its path, with the browser's `Host` unless
    /// there is one among these headers.
    pub fn start(to: String, off: &'static str, headers: &'static [(&'static str, &'static str)]) -> Self {
        let (listener, origin) = free_address();
        listener.set_nonblocking(true).unwrap();
        let acceptor = TcpAcceptor::from_std(listener).unwrap();
        let pass = make(move |request: Request| {
            let path = request.uri().path_and_query().unwrap().to_string();
            let host = request.header("host").unwrap().to_owned();
            let to = format!("{to}{}", path.strip_prefix(off).unwrap());
            async move {
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                let mut passed = client.get(to);
                if headers.iter().all(|(name, _)| *name != "host") {
                    passed = passed.header("host", host);
                }
                for (name, value) in headers {
                    passed = passed.header(*name, *value);
                }
                let answer = passed.send().await.unwrap();
                let mut passed = Response::builder().status(answer.status());
                // The connection's own are the proxy's to say.
                for (name, value) in answer.headers() {
                    if !["connection", "content-length", "date", "transfer-encoding"].contains(&name.as_str()) {
                        passed = passed.header(name, value);
                    }
                }
                Ok::<_, poem::Error>(passed.body(answer.bytes().await.unwrap()))
            }
        });
        let server = tokio::spawn(async move { Server::new_with_acceptor(acceptor).run(pass).await.unwrap() });
        Self { origin, server }
    }
}
