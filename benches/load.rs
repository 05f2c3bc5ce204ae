//! The load: a fixed number of connections, each with one request under way, for a fixed time.

use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::fill;
use crate::generator::thought_id;
use crate::process::Process;
use crate::table::short;

/// A request that is sent again and again.
#[derive(Clone)]
pub struct Ask {
    /// `GET`, `POST`.
    pub method: &'static str,
    /// Path and query; `{thought}` in it stands for a thought that is drawn anew each time, and `{number}` for its number.
    pub path: String,
    /// How many thoughts there are.
    pub thoughts: u64,
    /// Headers besides `Host`.
    pub headers: Vec<(&'static str, String)>,
    /// Cookies, of which each connection sends one, in turn.
    pub cookies: Vec<String>,
    /// The body; `{n}` in it stands for a number that is new each time.
    pub body: String,
    /// The status that every answer must have.
    pub status: StatusCode,
    /// The bytes that every answer's body must have, where they are the same each time.
    pub length: Option<usize>,
}

impl Ask {
    /// A `GET` with these headers that is answered with 200.
    pub fn get(path: impl Into<String>, headers: &[(&'static str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self {
            method: "GET",
            path: path.into(),
            thoughts: 0,
            headers,
            cookies: Vec::new(),
            body: String::new(),
            status: StatusCode::OK,
            length: None,
        }
    }

    /// What the connection of this number sends.
    fn of_connection(&self, number: usize) -> Self {
        let mut ask = self.clone();
        if !ask.cookies.is_empty() {
            ask.headers.push(("cookie", ask.cookies[number % ask.cookies.len()].clone()));
        }
        ask
    }

    fn request(&self, number: u64) -> Request<Full<Bytes>> {
        let path = if self.thoughts == 0 {
            self.path.clone()
        } else {
            let some = fill::some_public(number, self.thoughts);
            let path = self.path.replace("{thought}", &thought_id(some).to_string());
            path.replace("{number}", &some.to_string())
        };
        let mut request = Request::builder().method(self.method).uri(path).header("host", "localhost");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(Full::new(Bytes::from(self.body.replace("{n}", &number.to_string())))).unwrap()
    }
}

/// What a load has shown.
#[derive(Clone, Copy)]
pub struct Measured {
    /// Requests a second.
    pub rate: f64,
    /// Milliseconds within which half of them, and 99 of 100, were answered.
    pub p50: f64,
    /// See `p50`.
    pub p99: f64,
    /// Microseconds of CPU time of the server for each.
    pub cpu: f64,
    /// Megabytes of memory that the server has in use after them.
    pub memory: f64,
}

impl Display for Measured {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { rate, p50, p99, cpu, memory } = *self;
        let (rate, p50, p99, cpu) = (short(rate), short(p50), short(p99), short(cpu));
        write!(f, "{rate}/s, p50 {p50} ms, p99 {p99} ms, CPU {cpu} µs, {memory:.0} MB")
    }
}

/// A connection to 127.0.0.1.
pub async fn connect(port: u16) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Sends one request and gives its answer, whole.
pub async fn once(port: u16, ask: &Ask) -> Response<Bytes> {
    let mut connection = connect(port).await;
    let (parts, body) = connection.send_request(ask.request(0)).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

/// A number for each request there is, so that no two forms are the same.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// What a server was asked for: the microseconds that each request took, and the seconds of time and of CPU time in all.
#[derive(Default)]
pub struct Taken {
    /// Each request.
    pub each: Vec<u32>,
    /// All of it, by the clock.
    pub seconds: f64,
    /// What of it the server worked.
    pub cpu: f64,
}

impl Taken {
    /// What it comes to.
    pub fn of(mut self, server: &Process) -> Measured {
        let requests = self.each.len() as f64;
        self.each.sort_unstable();
        let at = |part: f64| f64::from(self.each[((self.each.len() - 1) as f64 * part) as usize]) / 1000.0;
        Measured {
            rate: requests / self.seconds,
            p50: at(0.5),
            p99: at(0.99),
            cpu: self.cpu * 1e6 / requests,
            memory: server.memory(),
        }
    }
}

/// Who asks a server, each over a connection of its own.
pub struct Side<'a> {
    server: &'a Process,
    ask: &'a Ask,
    connections: Vec<SendRequest<Full<Bytes>>>,
    taken: Taken,
}

impl<'a> Side<'a> {
    /// Connects.
    pub async fn new((server, ask): (&'a Process, &'a Ask), connections: usize) -> Self {
        let connections = join_all((0..connections).map(|_| connect(server.port))).await;
        Self { server, ask, connections, taken: Taken::default() }
    }

    /// Asks for that long. Gives how many requests a second that were.
    pub async fn ask(&mut self, time: Duration) -> f64 {
        let (cpu, begun, before) = (self.server.cpu(), Instant::now(), self.taken.each.len());
        let mut tasks = JoinSet::new();
        for (number, connection) in self.connections.drain(..).enumerate() {
            tasks.spawn(one(connection, self.ask.of_connection(number), begun + time));
        }
        for (connection, each) in tasks.join_all().await {
            self.connections.push(connection);
            self.taken.each.extend(each);
        }
        let seconds = begun.elapsed().as_secs_f64();
        self.taken.seconds += seconds;
        self.taken.cpu += self.server.cpu() - cpu;
        (self.taken.each.len() - before) as f64 / seconds
    }

    /// What it has come to.
    pub fn measured(self) -> Measured {
        self.taken.of(self.server)
    }
}

/// Drives `server` with `connections` connections for that long.
pub async fn drive(server: &Process, ask: &Ask, connections: usize, time: Duration) -> Measured {
    let mut side = Side::new((server, ask), connections).await;
    side.ask(time).await;
    side.measured()
}

/// What one connection asks. Gives it back, with the microseconds that each of its requests took.
async fn one(
    mut connection: SendRequest<Full<Bytes>>,
    ask: Ask,
    until: Instant,
) -> (SendRequest<Full<Bytes>>, Vec<u32>) {
    let mut taken = Vec::new();
    while Instant::now() < until {
        let begun = Instant::now();
        connection.ready().await.unwrap();
        let answer = connection.send_request(ask.request(NUMBER.fetch_add(1, Ordering::Relaxed))).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(status, ask.status, "{} {}: {}", ask.method, ask.path, String::from_utf8_lossy(&body));
        if let Some(length) = ask.length {
            assert_eq!(body.len(), length, "{} {}", ask.method, ask.path);
        }
        taken.push(begun.elapsed().as_micros() as u32);
    }
    (connection, taken)
}

/// How often each side has its turn: the machine is quicker or slower from one second to the next.
pub const TURNS: u32 = 12;

/// Ours and the limit in turn, over connections that stay. Gives both, and their ratio, as [`ratio_in_turn`] finds it.
pub async fn in_turn(
    ours: (&Process, &Ask),
    limit: (&Process, &Ask),
    connections: usize,
    time: Duration,
) -> (Measured, Measured, f64) {
    let (mut ours, mut limit) = (Side::new(ours, connections).await, Side::new(limit, connections).await);
    let ratio = ratio_in_turn(async |turn| ours.ask(turn).await, async |turn| limit.ask(turn).await, time).await;
    (ours.measured(), limit.measured(), ratio)
}

/// Has both sides work for `time` each, in turn, who is first changing. Each gives how many requests a second a turn has
/// come to; gives the median of the ratios of two turns that follow each other: what happens for a moment to one side
/// alone moves it little.
pub async fn ratio_in_turn(
    mut ours: impl AsyncFnMut(Duration) -> f64,
    mut limit: impl AsyncFnMut(Duration) -> f64,
    time: Duration,
) -> f64 {
    let turn = time / TURNS;
    let mut ratios = Vec::new();
    for number in 0..TURNS {
        ratios.push(if number % 2 == 0 {
            let ours = ours(turn).await;
            ours / limit(turn).await
        } else {
            let limit = limit(turn).await;
            ours(turn).await / limit
        });
    }
    ratios.sort_unstable_by(f64::total_cmp);
    let [below, above] = [(ratios.len() - 1) / 2, ratios.len() / 2];
    f64::midpoint(ratios[below], ratios[above])
}
