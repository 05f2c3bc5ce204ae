//! Ten thousand who listen.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, StatusCode};
use tokio::task::JoinSet;

use crate::load::{self, Ask};
use crate::process::Process;
use crate::table::{Row, Table, short};
use crate::{Options, fill, site};

/// How many listen. The system must let two processes have so many files open.
const STREAMS: usize = 10_000;

/// Memory of each, how soon a change reaches them all, and how fast pages are meanwhile.
pub async fn measure(options: &Options, table: &mut Table) {
    if !options.wants("streams") {
        return;
    }
    let filled = fill::of(1_000).await;
    let server = site::on(&filled).await;
    let page = Ask::get("/", &[("cookie", &filled.cookie)]);
    let alone = load::drive(&server, &page, 64, options.time()).await;
    let before = server.memory();
    let (mut streams, kept) = open(&server).await;
    let each = (server.memory() - before) * 1024.0 / STREAMS as f64;
    table.add(Row {
        what: format!("{STREAMS} open streams, memory of each"),
        reach: "at most 16 KB",
        found: format!("{} KB", short(each)),
        beside: String::new(),
        reached: each <= 16.0,
    });
    let beside = load::drive(&server, &page, 64, options.time()).await;
    let ratio = beside.rate / alone.rate;
    table.add(Row {
        what: format!("feed page beside {STREAMS} streams"),
        reach: "0.7 of its rate without them",
        found: format!("{ratio:.2}"),
        beside: super::pages::beside(&beside, &alone).replace("the limit", "without them"),
        reached: ratio >= 0.7,
    });
    let reached = reach_all(&server, &filled.cookie, &mut streams).await;
    // What was shared there is not to be measured with: it is filled anew the next time.
    std::fs::remove_file(filled.folder.join("whole")).unwrap();
    table.add(Row {
        what: format!("a change reaches {STREAMS} streams"),
        reach: "all of them",
        found: format!("{} in {} ms", reached.0, reached.1.as_millis()),
        beside: String::new(),
        reached: reached.0 == STREAMS,
    });
    drop(kept);
}

/// Opens all of them, anonymous ones, and reads of each what comes at once.
async fn open(server: &Process) -> (Vec<Incoming>, Vec<SendRequest<Full<Bytes>>>) {
    let mut opening = JoinSet::new();
    let (mut streams, mut kept) = (Vec::new(), Vec::new());
    for _ in 0..STREAMS {
        let port = server.port;
        opening.spawn(async move {
            let mut connection = load::connect(port).await;
            let request = Request::get("/events").header("host", "localhost").header("accept", "text/event-stream");
            let answer = connection.send_request(request.body(Full::default()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            let mut stream = answer.into_body();
            stream.frame().await.unwrap().unwrap();
            (stream, connection)
        });
        while opening.len() >= 64 {
            let (stream, connection) = opening.join_next().await.unwrap().unwrap();
            streams.push(stream);
            kept.push(connection);
        }
    }
    for (stream, connection) in opening.join_all().await {
        streams.push(stream);
        kept.push(connection);
    }
    (streams, kept)
}

/// Shares a thought, and gives how many streams were told, and how long it took until the last one was.
async fn reach_all(server: &Process, cookie: &str, streams: &mut Vec<Incoming>) -> (usize, Duration) {
    let mut listening = JoinSet::new();
    for mut stream in std::mem::take(streams) {
        listening.spawn(async move {
            loop {
                let frame = stream.frame().await?.ok()?;
                // A heartbeat is a comment.
                if frame.into_data().is_ok_and(|data| !data.starts_with(b":")) {
                    return Some(Instant::now());
                }
            }
        });
    }
    let begun = Instant::now();
    let mut share = Ask::get("/thoughts", &[("cookie", cookie), ("content-type", "application/x-www-form-urlencoded")]);
    (share.method, share.status) = ("POST", StatusCode::SEE_OTHER);
    share.body.push_str("visibility=public&message=Hello&once=streams");
    let answer = load::once(server.port, &share).await;
    assert_eq!(answer.status(), share.status);
    let mut told = Vec::new();
    let all = async {
        while let Some(one) = listening.join_next().await {
            told.extend(one.unwrap());
        }
    };
    // Whoever was not told by then is not told.
    let _ = tokio::time::timeout(Duration::from_secs(20), all).await;
    let last = told.iter().max().copied().unwrap_or(begun);
    (told.len(), last - begun)
}
