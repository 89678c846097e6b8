//! The doors of the account: plain http and https, on ports of the caller's choice or of the system's.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::authentication::Scheme;
use super::authority::{Authority, AuthorityError};
use super::front::whole;
use super::link::{Link, Severable};
use super::outside::Outside;

/// A client that says nothing for so long after it connected is no TLS client.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Connections whose handshake is done and that wait to be served; far more than clients open at once.
const WAITING_MAX: usize = 1_024;

/// Where an account listens.
pub struct Doors {
    http: Option<TcpListener>,
    https: Option<(TcpListener, Authority)>,
}

/// Says why a door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The port is taken, or is not ours to take.
    #[error("cannot listen on {address}: {error}; choose another port, or 0 for any that is free")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The certificate authority cannot be read or made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl Doors {
    /// Opens the doors; the authority of the https door is read from a folder, or made there.
    ///
    /// # Errors
    /// A port that cannot be had, a folder that cannot be read or written.
    pub async fn open(
        http: Option<SocketAddr>,
        https: Option<(SocketAddr, &Path)>,
    ) -> Result<Self, DoorError> {
        let http = match http {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let https = match https {
            Some((address, folder)) => {
                let listener = listen(address).await?;
                Some((listener, Authority::open(folder)?))
            }
            None => None,
        };
        Ok(Self { http, https })
    }

    /// Returns where the plain door is, with its true port.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Returns where the https door is, with its true port, and the certificate that clients have to trust.
    pub fn https(&self) -> Option<(SocketAddr, &Path)> {
        let (listener, authority) = self.https.as_ref()?;
        Some((listener.local_addr().ok()?, authority.certificate_path()))
    }

    /// Serves the data plane's handlers, with all that stands around them, until told to stop.
    ///
    /// Requests under way are answered first.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub async fn serve(
        self,
        handlers: Router,
        outside: Arc<Outside>,
        until: impl Future<Output = ()>,
    ) -> Result<(), DoorError> {
        let (stop, stopped) = watch::channel(());
        let mut open = Vec::new();
        if let Some(listener) = self.http {
            let router = whole(handlers.clone(), &outside, Scheme::Http);
            open.push(tokio::spawn(attend(
                Doorway::plain(listener),
                router,
                stopped.clone(),
            )));
        }
        if let Some((listener, authority)) = self.https {
            let router = whole(handlers, &outside, Scheme::Https);
            let acceptor = TlsAcceptor::from(Arc::new(authority.server()?));
            open.push(tokio::spawn(attend(
                Doorway::secure(listener, acceptor),
                router,
                stopped,
            )));
        }
        until.await;
        drop(stop);
        for door in open {
            // A door that panicked is closed all the same.
            let _ = door.await;
        }
        Ok(())
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, DoorError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| DoorError::Listen { address, error })
}

async fn attend(doorway: Doorway, router: Router, mut stopped: watch::Receiver<()>) {
    let service = router.into_make_service_with_connect_info::<Link>();
    let until = async move {
        // The sender says nothing and goes when it is time.
        let _ = stopped.changed().await;
    };
    let served = axum::serve(doorway, service).with_graceful_shutdown(until).await;
    debug_assert!(served.is_ok(), "axum serves until it is told to stop");
}

/// A door that connections come through, each of them severable.
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

impl Doorway {
    fn plain(listener: TcpListener) -> Self {
        Self::arrive(listener, |stream, from, sender| async move {
            let _ = sender.send((Stream::Plain(stream), from)).await;
        })
    }

    fn secure(listener: TcpListener, acceptor: TlsAcceptor) -> Self {
        Self::arrive(listener, move |stream, from, sender| {
            let acceptor = acceptor.clone();
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
}

impl Listener for Doorway {
    type Io = Severable<Stream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.arrivals.recv().await {
            Some((stream, from)) => (Severable::new(stream), from),
            // The task that takes connections ends after this door only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
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
