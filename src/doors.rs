//! Doors of this machine: connections as they come, plain or through TLS, each greeted in a task of its own.
//!
//! A door knows nothing of requests. Whoever serves behind it takes streams from [`Doorway::arrived`].

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A client that says nothing for so long after it connected is no TLS client.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Connections whose handshake is done and that wait to be served; far more than clients open at once.
const WAITING_MAX: usize = 1_024;

/// Says why a port cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}; choose another port, or 0 for any that is free")]
pub struct ListenError {
    /// The address asked for.
    pub address: SocketAddr,
    /// What the system says.
    pub error: io::Error,
}

/// A door that connections come through.
pub struct Doorway {
    address: SocketAddr,
    arrivals: mpsc::Receiver<(Stream, SocketAddr)>,
}

/// A connection, plain or not.
pub enum Stream {
    /// Plain TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Secure(Box<TlsStream<TcpStream>>),
}

/// Opens a port.
///
/// # Errors
/// When it is taken, or is not ours to take.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| ListenError { address, error })
}

impl Doorway {
    /// Returns a door for plain connections.
    pub fn plain(listener: TcpListener) -> Self {
        Self::arrive(listener, |stream, from, sender| async move {
            let _ = sender.send((Stream::Plain(stream), from)).await;
        })
    }

    /// Returns a door for TLS; the settings are asked for at each connection, so that certificates can be replaced.
    pub fn secure(listener: TcpListener, settings: impl Fn() -> Arc<ServerConfig> + Send + 'static) -> Self {
        Self::arrive(listener, move |stream, from, sender| {
            let acceptor = TlsAcceptor::from(settings());
            async move {
                let shaken = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await;
                if let Ok(Ok(stream)) = shaken {
                    let _ = sender.send((Stream::Secure(Box::new(stream)), from)).await;
                }
            }
        })
    }

    /// Takes connections as they come and greets each in a task of its own, so that a slow one holds up none.
    fn arrive<F, G>(listener: TcpListener, greet: F) -> Self
    where
        F: Fn(TcpStream, SocketAddr, mpsc::Sender<(Stream, SocketAddr)>) -> G + Send + 'static,
        G: Future<Output = ()> + Send + 'static,
    {
        let address = listener
            .local_addr()
            .unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
        let (sender, arrivals) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move {
            let mut listener = listener;
            loop {
                let (stream, from) = tokio::select! {
                    arrived = Listener::accept(&mut listener) => arrived,
                    () = sender.closed() => return,
                };
                // Answers are small and awaited: they are not to wait for more to send.
                let _ = stream.set_nodelay(true);
                tokio::spawn(greet(stream, from, sender.clone()));
            }
        });
        Self { address, arrivals }
    }

    /// Returns where the door is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the next connection.
    pub async fn arrived(&mut self) -> (Stream, SocketAddr) {
        match self.arrivals.recv().await {
            Some(arrived) => arrived,
            // The task that takes connections ends after this door only.
            None => std::future::pending().await,
        }
    }
}

impl Stream {
    /// Says whether the other side has shown a certificate, which the settings of the door have then found good.
    pub fn is_certified(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Secure(stream) => stream
                .get_ref()
                .1
                .peer_certificates()
                .is_some_and(|chain| !chain.is_empty()),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, into),
            Self::Secure(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Secure(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Secure(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
