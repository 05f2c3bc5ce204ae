//! An answer that goes on for as long as somebody listens. hyper keeps 16 KB of buffers for a connection, which most
//! streams never have a use for; so such an answer takes the connection from it, and writes the little there is by itself.
//!
//! Its end is the end of the connection. Source: RFC 9112, section 6.3, rule 8.

use std::io;

use futures_util::StreamExt as _;
use http::HeaderValue;
use http::header::{CONNECTION, DATE};
use jiff::fmt::rfc2822::DateTimePrinter;
use poem::Response;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::clock::Clock;

/// Among the extensions of an answer: it is one of these.
#[derive(Clone, Copy, Debug)]
pub struct Endless;

/// Bytes that are read at a time of what nobody is to send.
const UNASKED: usize = 64;

/// Writes the answer, until it ends or the other side does.
pub(super) async fn send<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, mut answer: Response) -> io::Result<()> {
    let mut body = answer.take_body().into_bytes_stream();
    stream.write_all(&head(answer)).await?;
    loop {
        let mut unasked = [0; UNASKED];
        tokio::select! {
            piece = body.next() => match piece {
                Some(piece) => stream.write_all(&piece.map_err(io::Error::other)?).await?,
                None => break,
            },
            // Nothing more is to come but the end.
            read = stream.read(&mut unasked) => if read? == 0 { break },
        }
    }
    stream.shutdown().await
}

/// Status line and headers. Source: RFC 9112, sections 4 and 5; RFC 9110, section 6.6.1 for the date.
fn head(mut answer: Response) -> Vec<u8> {
    let status = answer.status();
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if let Some(date) = date() {
        headers.insert(DATE, date);
    }
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).into_bytes();
    for (name, value) in headers.iter() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn date() -> Option<HeaderValue> {
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&Clock::system().now()).ok()?;
    HeaderValue::try_from(date).ok()
}
