use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use poem::endpoint::make;
use poem::{Body, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::*;

/// A server of `endpoint` on a free port, which stops when it is told to.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Served {
    async fn of<E>(endpoint: E, patience: Patience) -> Self
    where
        E: Endpoint + 'static,
        E::Output: poem::IntoResponse,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stop_it = async {
            let _ = stopped.await;
        };
        let endpoint = endpoint.map_to_response();
        let server = tokio::spawn(async move { serve(Listener::Tcp(listener), endpoint, patience, stop_it).await });
        Self { address, stop, server }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// Long enough for whoever means to speak.
fn impatient() -> Patience {
    Patience { idle: Duration::from_secs(1), ..Patience::default() }
}

const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// All that comes until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    // A connection that is reset has ended as well.
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8(all).unwrap()
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for_for_ever() {
    let served = Served::of(make(|_: Request| async { Ok::<_, poem::Error>("hello") }), impatient()).await;
    for (sent, answered) in [(&b""[..], false), (&ASK[..20], false), (ASK, true), (&[ASK, &ASK[..20]].concat(), true)] {
        let mut stream = served.connect().await;
        stream.write_all(sent).await.unwrap();
        assert_eq!(rest(&mut stream).await.contains("hello"), answered, "{}", String::from_utf8_lossy(sent));
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for_for_ever() {
    let read = make(|mut request: Request| async move { request.take_body().into_bytes().await.map(|_| "read") });
    let served = Served::of(read, impatient()).await;
    let mut stream = served.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nabc").await.unwrap();
    assert!(!rest(&mut stream).await.contains("200 OK"));
}

#[tokio::test]
async fn what_is_under_way_is_answered_before_it_stops() {
    let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (came, may) = (asked.clone(), answer.clone());
    let endpoint = make(move |_: Request| {
        let (came, may) = (came.clone(), may.clone());
        async move {
            came.notify_one();
            may.notified().await;
            Ok::<_, poem::Error>("done")
        }
    });
    let served = Served::of(endpoint, Patience::default()).await;
    let (mut busy, mut idle) = (served.connect().await, served.connect().await);
    busy.write_all(ASK).await.unwrap();
    asked.notified().await;
    served.stop.send(()).unwrap();
    assert_eq!(rest(&mut idle).await, "", "who does nothing is let go of at once");
    assert!(TcpStream::connect(served.address).await.is_err(), "nobody else is let in");
    answer.notify_one();
    assert!(rest(&mut busy).await.ends_with("done"));
    served.server.await.unwrap();
}

#[tokio::test]
async fn what_was_begun_is_done_though_whoever_asked_is_gone() {
    let (begun, may) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (done, mut ended) = mpsc::unbounded_channel();
    let (came, go_on) = (begun.clone(), may.clone());
    let endpoint = make(move |request: Request| {
        let (came, go_on, done) = (came.clone(), go_on.clone(), done.clone());
        async move {
            let mut told = Told(done, false);
            came.notify_one();
            go_on.notified().await;
            told.1 = true;
            Ok::<_, poem::Error>(request.method().to_string())
        }
    });
    let served = Served::of(endpoint, Patience::default()).await;
    for (method, goes_on) in [("POST", true), ("DELETE", true), ("GET", false)] {
        let mut stream = served.connect().await;
        let ask = format!("{method} / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        begun.notified().await;
        drop(stream);
        if goes_on {
            may.notify_one();
        }
        assert_eq!(ended.recv().await, Some(goes_on), "{method}");
    }
}

/// Says, when it is let go of, whether all was done.
struct Told(mpsc::UnboundedSender<bool>, bool);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.send(self.1).unwrap();
    }
}

#[tokio::test]
async fn what_is_not_done_in_time_is_broken_off() {
    let never = make(|_: Request| std::future::pending::<poem::Result<&'static str>>());
    let served = Served::of(never, Patience { finish: Duration::ZERO, ..Patience::default() }).await;
    let mut stream = served.connect().await;
    stream.write_all(ASK).await.unwrap();
    served.stop.send(()).unwrap();
    assert_eq!(rest(&mut stream).await, "");
    served.server.await.unwrap();
}

/// Serves an answer that says whatever is sent here, and goes on.
async fn endless() -> (Served, mpsc::UnboundedSender<Bytes>) {
    let (say, words) = mpsc::unbounded_channel::<Bytes>();
    let words = Arc::new(Mutex::new(Some(words)));
    let endpoint = make(move |_: Request| {
        let words = words.lock().unwrap().take().unwrap();
        let body = stream::unfold(words, |mut words| async {
            words.recv().await.map(|piece| (Ok::<_, io::Error>(piece), words))
        });
        let answer =
            Response::builder().extension(Endless).content_type("text/plain").body(Body::from_bytes_stream(body));
        async { Ok::<_, poem::Error>(answer) }
    });
    (Served::of(endpoint, Patience::default()).await, say)
}

#[tokio::test]
async fn an_answer_that_goes_on_has_the_connection_until_it_ends() {
    let (served, say) = endless().await;
    let mut stream = served.connect().await;
    stream.write_all(ASK).await.unwrap();
    let mut all = Vec::new();
    for word in ["one ", "two "] {
        say.send(Bytes::from(word)).unwrap();
        while !all.ends_with(word.as_bytes()) {
            assert_ne!(stream.read_buf(&mut all).await.unwrap(), 0);
        }
    }
    let all = String::from_utf8(all).unwrap().to_ascii_lowercase();
    assert!(all.starts_with("http/1.1 200 ok\r\n"), "{all}");
    for line in ["content-type: text/plain", "connection: close", "date: "] {
        assert!(all.contains(&format!("\r\n{line}")), "{all}");
    }
    stream.write_all(ASK).await.unwrap();
    say.send(Bytes::from("three")).unwrap();
    drop(say);
    assert_eq!(rest(&mut stream).await, "three", "what is asked meanwhile is not answered");
}

#[tokio::test]
async fn an_answer_that_goes_on_ends_when_nobody_listens_any_more() {
    let (served, say) = endless().await;
    let mut stream = served.connect().await;
    stream.write_all(ASK).await.unwrap();
    say.send(Bytes::from("hello")).unwrap();
    stream.read_u8().await.unwrap();
    drop(stream);
    say.closed().await;
}
