//! The door of the interface: where it listens, how many come in at a time, and who they are as far as TLS tells.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

use super::limits::{CONNECTIONS_MAX, IDLE_MAX};
use super::settings::HttpSettings;
use super::tls::{Certificates, TlsError};
use crate::doors::{Doorway, ListenError, Stream, listen};

/// Where the interface is open.
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
    certificates: Option<Certificates>,
}

/// Says why the door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The port is taken, or is not ours to take.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// Whether they have shown a certificate of the client authority.
    pub(super) certified: bool,
}

impl Door {
    /// Opens it: the port is taken and the certificates are read.
    ///
    /// # Errors
    /// A port that cannot be had, certificates that cannot be used.
    pub async fn open(settings: &HttpSettings) -> Result<Self, DoorError> {
        let certificates = settings.tls.clone().map(Certificates::open).transpose()?;
        let listener = listen(settings.listen).await?;
        let address = listener.local_addr().unwrap_or(settings.listen);
        Ok(Self {
            listener,
            address,
            certificates,
        })
    }

    /// Returns where it is, with its true port.
    pub fn url(&self) -> String {
        let scheme = if self.certificates.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// Returns its address, with its true port.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what reads its certificates again; `None` where it has none.
    pub(super) fn certificates(&self) -> Option<Certificates> {
        self.certificates.clone()
    }

    /// Lets in until told to stop; requests under way are answered first.
    pub async fn serve(self, router: Router, until: impl Future<Output = ()> + Send + 'static) {
        let doorway = match self.certificates {
            None => Doorway::plain(self.listener),
            Some(certificates) => Doorway::secure(self.listener, move || certificates.settings()),
        };
        let entrance = Entrance {
            doorway,
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        };
        let service = router.into_make_service_with_connect_info::<Peer>();
        let served = axum::serve(entrance, service).with_graceful_shutdown(until).await;
        debug_assert!(served.is_ok(), "axum serves until it is told to stop");
    }
}

/// A door with so many places behind it.
struct Entrance {
    doorway: Doorway,
    places: Arc<Semaphore>,
}

impl Listener for Entrance {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.expect("the places are never closed");
        let (stream, from) = self.doorway.arrived().await;
        let idle = Box::pin(tokio::time::sleep(IDLE_MAX));
        let guest = Guest {
            stream,
            idle,
            _place: place,
        };
        (guest, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.doorway.address())
    }
}

/// A connection that has a place, and loses it when nothing moves for long.
struct Guest {
    stream: Stream,
    idle: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Connected<IncomingStream<'_, Entrance>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Entrance>) -> Self {
        Self {
            certified: stream.io().stream.is_certified(),
        }
    }
}

impl Guest {
    fn moved<T>(&mut self, context: &mut Context<'_>, moved: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if moved.is_ready() {
            self.idle.as_mut().reset(Instant::now() + IDLE_MAX);
            return moved;
        }
        match self.idle.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let moved = Pin::new(&mut self.stream).poll_read(context, into);
        self.moved(context, moved)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.moved(context, moved)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.moved(context, moved)
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
