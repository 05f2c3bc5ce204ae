//! A stream that fails when nothing has moved on it for a while, in neither direction: whoever is at the other end is
//! gone, or holds the connection for its own sake.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::due::Due;

/// The stream, and since when nothing moves on it, if it was seen not to.
pub(super) struct Idle<S> {
    stream: S,
    patience: Duration,
    still: Option<Instant>,
    due: Due,
}

impl<S: Unpin> Idle<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, still: None, due: Due::after(patience) }
    }

    /// What came of moving bytes; where nothing could move, whether that is so for too long.
    fn moved<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.still = None;
            return outcome;
        }
        let still = *self.still.get_or_insert_with(Instant::now);
        self.due.poll(still + self.patience, context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Idle<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_read(context, into);
        self.moved(context, outcome)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Idle<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.moved(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.moved(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    const PATIENCE: Duration = Duration::from_mins(1);
    const NEARLY: Duration = Duration::from_secs(59);

    #[tokio::test(start_paused = true)]
    async fn a_stream_fails_when_nothing_has_moved_for_that_long() {
        let (ours, mut theirs) = duplex(16);
        let mut ours = Idle::new(ours, PATIENCE);
        let begun = Instant::now();
        let mut piece = [0; 1];
        for _ in 0..3 {
            tokio::time::advance(NEARLY).await;
            theirs.write_all(b"a").await.unwrap();
            ours.read_exact(&mut piece).await.unwrap();
        }
        let moved = Instant::now();
        let error = ours.read_exact(&mut piece).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(Instant::now() - moved >= PATIENCE && moved - begun > 2 * PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_written_keeps_the_reading_side_alive() {
        let (ours, mut theirs) = duplex(16);
        let (mut reading, mut writing) = tokio::io::split(Idle::new(ours, PATIENCE));
        let read = tokio::spawn(async move { reading.read_u8().await });
        for _ in 0..3 {
            tokio::time::sleep(NEARLY).await;
            writing.write_all(b"still here").await.unwrap();
            theirs.read_exact(&mut [0; 10]).await.unwrap();
        }
        theirs.write_all(b"!").await.unwrap();
        assert_eq!(read.await.unwrap().unwrap(), b'!');
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_not_written_to_for_ever() {
        let (ours, _theirs) = duplex(16);
        let error = Idle::new(ours, PATIENCE).write_all(&[0; 17]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
