//! The doors of the account: plain http and https, on ports of the caller's choice or of the system's.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::authentication::Scheme;
use super::authority::{Authority, AuthorityError};
use super::front::whole;
use super::link::{Link, Severable};
use super::outside::Outside;
use crate::doors::{self, ListenError, Stream, listen};

/// Where an account listens.
pub struct Doors {
    http: Option<TcpListener>,
    https: Option<(TcpListener, Authority)>,
}

/// Says why a door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The port is taken, or is not ours to take.
    #[error(transparent)]
    Listen(#[from] ListenError),
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
                Doorway(doors::Doorway::plain(listener)),
                router,
                stopped.clone(),
            )));
        }
        if let Some((listener, authority)) = self.https {
            let router = whole(handlers, &outside, Scheme::Https);
            let settings = Arc::new(authority.server()?);
            open.push(tokio::spawn(attend(
                Doorway(doors::Doorway::secure(listener, move || Arc::clone(&settings))),
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
pub struct Doorway(doors::Doorway);

impl Listener for Doorway {
    type Io = Severable<Stream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, from) = self.0.arrived().await;
        (Severable::new(stream), from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.address())
    }
}
