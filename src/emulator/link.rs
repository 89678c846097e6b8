//! A connection that can be cut in the middle of an answer.
//!
//! A handler knows of its connection by a [`Link`]; the bytes that may still be written are counted below HTTP and above
//! TLS, so that a client sees what it sees when a proxy dies: part of an answer, or none.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::HttpBody;
use axum::extract::connect_info::Connected;
use axum::response::Response;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::listener::Doorway;

/// No limit.
const WHOLE: u64 = u64::MAX;

/// A handle to a connection: how many bytes may still be written on it.
#[derive(Clone, Debug)]
pub struct Link(Arc<AtomicU64>);

/// An order to cut a connection in its next answer.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The connection.
    pub link: Link,
    /// Whether half of the answer is written first; otherwise nothing is.
    pub keeps_half: bool,
}

/// A stream that stops where its link says.
#[derive(Debug)]
pub struct Severable<T> {
    inner: T,
    link: Link,
}

impl Cut {
    /// Limits what is written to half of an answer, or to nothing.
    pub fn tear(self, response: &Response) {
        let bytes = if self.keeps_half { half(response) } else { 0 };
        self.link.0.store(bytes, Ordering::Relaxed);
    }
}

/// Half of the body and the head before it, or half of a status line where there is no body.
fn half(response: &Response) -> u64 {
    let body = response.body().size_hint().lower();
    if body == 0 {
        return 12;
    }
    // "HTTP/1.1 200 OK", a line each of name and value, the length, and an empty line.
    let lines = response.headers().iter();
    let lines: usize = lines
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    let head = 17 + lines + "content-length: ".len() + body.to_string().len() + 4;
    u64::try_from(head).unwrap_or(WHOLE - body) + body / 2
}

impl<T> Severable<T> {
    /// Returns the stream, whole as yet.
    pub fn new(inner: T) -> Self {
        Self {
            inner,
            link: Link(Arc::new(AtomicU64::new(WHOLE))),
        }
    }

    /// Counts bytes that were written.
    fn wrote(&self, bytes: usize) {
        if self.link.0.load(Ordering::Relaxed) != WHOLE {
            self.link.0.fetch_sub(bytes as u64, Ordering::Relaxed);
        }
    }
}

fn severed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the scenario cut this connection")
}

impl<T: AsyncRead + Unpin> AsyncRead for Severable<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, into)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Severable<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let left = self.link.0.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(Err(severed()));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let written = Pin::new(&mut self.inner).poll_write(context, &bytes[..most]);
        if let Poll::Ready(Ok(written)) = written {
            self.wrote(written);
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.link.0.load(Ordering::Relaxed) == WHOLE {
            return Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        }
        let first = slices.iter().find(|slice| !slice.is_empty());
        self.poll_write(context, first.map_or(&[][..], |slice| slice))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl Connected<IncomingStream<'_, Doorway>> for Link {
    fn connect_info(stream: IncomingStream<'_, Doorway>) -> Self {
        stream.io().link.clone()
    }
}
