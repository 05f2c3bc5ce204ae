//! Someone who listens to what changes.

use std::time::Duration;

use reqwest::{Method, Response};

use super::Person;

/// How long a stream may take to say what a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream.
pub struct Listening {
    pub response: Response,
    /// The last id that it gave.
    pub last: Option<String>,
    unread: String,
}

impl Person {
    /// Listens, from the beginning on.
    pub async fn listen(&self) -> Listening {
        self.listen_at("/events").await
    }

    /// Listens, and has read as far as where the stream stands.
    pub async fn listen_at(&self, path: &str) -> Listening {
        let response = self.open(Method::GET, path, None, "").await;
        assert_eq!(response.status(), 200);
        Listening { response, last: None, unread: String::new() }
    }
}

impl Listening {
    /// The next event and what it says; `None` at the end.
    pub async fn next(&mut self) -> Option<(String, String)> {
        loop {
            let said = self.said().await?;
            if said.is_some() {
                return said;
            }
        }
    }

    /// What the next block says, if it is an event.
    async fn said(&mut self) -> Option<Option<(String, String)>> {
        let block = self.block().await?;
        let field =
            |name: &str| block.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()));
        self.last = field("id").or(self.last.take());
        Some(field("event").map(|event| (event, field("data").unwrap())))
    }

    /// All that is said up to the next empty line.
    pub async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.find("\n\n") {
                let rest = self.unread.split_off(end + 2);
                let mut block = std::mem::replace(&mut self.unread, rest);
                block.truncate(end);
                return Some(block);
            }
            let piece = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("it says nothing");
            // A connection that is cut is an end as well.
            self.unread += std::str::from_utf8(&piece.ok().flatten()?).unwrap();
        }
    }

    /// Reads as far as where the stream stands, and gives what it said till then; from there on it tells what is new.
    pub async fn settle(&mut self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        loop {
            let before = self.last.take();
            match self.said().await.expect("it ended before it stood") {
                Some(said) => all.push(said),
                None if self.last.is_some() => return all,
                None => {}
            }
            self.last = self.last.take().or(before);
        }
    }
}

/// A stream of this person's that stands where it will tell what is new.
pub async fn listening(person: &Person) -> Listening {
    let mut stream = person.listen().await;
    stream.settle().await;
    stream
}

/// What a stream says of the thought at this path.
pub fn told(event: &str, path: &str) -> (String, String) {
    (event.to_owned(), path.rsplit('/').next().unwrap().to_owned())
}

/// The stream says why, and nothing after it.
pub async fn ends(stream: &mut Listening, why: &str) {
    assert_eq!(stream.next().await, Some(("ended".to_owned(), why.to_owned())));
    assert_eq!(stream.next().await, None);
}
