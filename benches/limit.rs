//! The limits: bare Poem handlers, in a process of their own made of this very binary.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use futures_util::TryStreamExt as _;
use hyper::body::Bytes;
use poem::endpoint::make;
use poem::http::{HeaderName, HeaderValue, StatusCode};
use poem::listener::{Listener as _, TcpListener};
use poem::web::Form;
use poem::{Body, FromRequest as _, Request, Response, Server};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};

use crate::fill;
use crate::process::{Process, free_port};

/// Starts a limit that answers every request as one was answered: its status, its headers, its body. Where it is a form
/// that is sent, it reads the form first, and answers when sled has put it on disk, with all that came meanwhile.
pub fn start(answer: &hyper::Response<Bytes>) -> Process {
    // Beside the stores, so that it is on the same disk.
    std::fs::create_dir_all(fill::kept()).unwrap();
    let folder = tempfile::tempdir_in(fill::kept()).unwrap();
    let kept = folder.path();
    std::fs::write(kept.join("body"), answer.body()).unwrap();
    let mut lines = std::fs::File::create(kept.join("headers")).unwrap();
    for (name, value) in answer.headers() {
        if !["content-length", "date", "transfer-encoding", "connection"].contains(&name.as_str()) {
            writeln!(lines, "{name}\t{}", value.to_str().unwrap()).unwrap();
        }
    }
    std::fs::write(kept.join("status"), answer.status().as_str()).unwrap();
    of("constant", kept.to_str().unwrap()).in_folder(folder)
}

/// Starts a bare reverse proxy to a port of this machine.
pub fn proxy(to: u16) -> Process {
    of("proxy", &format!("http://127.0.0.1:{to}"))
}

fn of(kind: &str, of: &str) -> Process {
    let port = free_port();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["limit", kind, &port.to_string(), of]);
    Process::start(command, port, "serving")
}

#[derive(Deserialize)]
struct Fields {
    message: String,
    visibility: String,
    once: String,
}

/// Something to be written, and who waits for it.
type Write = (Vec<u8>, oneshot::Sender<()>);

/// sled's own group commit: a thread takes what waits, has sled put it on disk together, and tells all of them.
fn group_commit(folder: &Path) -> mpsc::Sender<Write> {
    let db = sled::Config::default().path(folder).flush_every_ms(None).mode(sled::Mode::HighThroughput).open().unwrap();
    let (sender, mut writes) = mpsc::channel::<Write>(1024);
    std::thread::spawn(move || {
        let mut number: u64 = 0;
        while let Some(first) = writes.blocking_recv() {
            let mut waiting = Vec::new();
            let mut next = Some(first);
            while let Some((bytes, who)) = next {
                number += 1;
                db.insert(number.to_be_bytes(), bytes).unwrap();
                waiting.push(who);
                next = writes.try_recv().ok();
            }
            db.flush().unwrap();
            for who in waiting {
                // Whoever asked may have gone away meanwhile.
                let _ = who.send(());
            }
        }
    });
    sender
}

/// Answers a constant.
async fn constant(
    request: Request,
    writer: mpsc::Sender<Write>,
    status: StatusCode,
    headers: &[(HeaderName, HeaderValue)],
    body: &'static [u8],
) -> poem::Result<Response> {
    if request.method() == poem::http::Method::POST {
        let (request, mut body) = request.split();
        let Form(fields) = Form::<Fields>::from_request(&request, &mut body).await?;
        let (done, on_disk) = oneshot::channel();
        writer.send(([fields.message, fields.visibility, fields.once].concat().into_bytes(), done)).await.unwrap();
        on_disk.await.unwrap();
    }
    let mut response = Response::builder().status(status).body(Body::from_bytes(Bytes::from_static(body)));
    for (name, value) in headers {
        response.headers_mut().append(name, value.clone());
    }
    Ok(response)
}

/// Hands a request on, and the answer back.
async fn forwarded(request: Request, client: reqwest::Client, to: String) -> poem::Result<Response> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let answer = client.get(format!("{to}{path}")).send().await.map_err(poem::error::BadGateway)?;
    let mut response = Response::builder().status(answer.status());
    if let Some(content_type) = answer.headers().get("content-type") {
        response = response.header("content-type", content_type);
    }
    Ok(response.body(Body::from_bytes_stream(answer.bytes_stream().map_err(std::io::Error::other))))
}

/// What the process does.
pub fn serve(arguments: Vec<String>) {
    let [kind, port, of] = arguments.try_into().expect("a kind, a port, and what it is of");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let acceptor = TcpListener::bind(format!("127.0.0.1:{port}")).into_acceptor().await.unwrap();
        let server = Server::new_with_acceptor(acceptor);
        if kind == "proxy" {
            rustls::crypto::ring::default_provider().install_default().unwrap();
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            eprintln!("serving");
            server.run(make(move |request| forwarded(request, client.clone(), of.clone()))).await.unwrap();
        } else {
            let body: &'static [u8] = std::fs::read(format!("{of}/body")).unwrap().leak();
            let headers: &'static [_] = read_headers(&of).leak();
            let status: StatusCode = std::fs::read_to_string(format!("{of}/status")).unwrap().parse().unwrap();
            let writer = group_commit(&Path::new(&of).join("sled"));
            eprintln!("serving");
            server.run(make(move |request| constant(request, writer.clone(), status, headers, body))).await.unwrap();
        }
    });
}

fn read_headers(folder: &str) -> Vec<(HeaderName, HeaderValue)> {
    let headers = std::fs::read_to_string(format!("{folder}/headers")).unwrap();
    let pairs = headers.lines().map(|line| line.split_once('\t').unwrap());
    pairs.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}
