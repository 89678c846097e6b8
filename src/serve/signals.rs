//! What the system's signals ask of the loop: SIGTERM and SIGINT end it, SIGHUP reads the policies again.

use std::io;

use tracing::info;

use super::control::Control;

/// Heeds the signals of this process from now on; on a runtime.
///
/// # Errors
/// When the system does not hand them over.
#[cfg(unix)]
pub(super) fn heed(control: &Control) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    type Heed = fn(&Control);
    let kinds: [(SignalKind, &'static str, Heed); 3] = [
        (SignalKind::terminate(), "SIGTERM", Control::end),
        (SignalKind::interrupt(), "SIGINT", Control::end),
        (SignalKind::hangup(), "SIGHUP", Control::reload),
    ];
    for (kind, name, ask) in kinds {
        let mut heard = signal(kind)?;
        let control = control.clone();
        tokio::spawn(async move {
            while heard.recv().await.is_some() {
                info!(signal = name, "heard");
                ask(&control);
            }
        });
    }
    Ok(())
}

/// Heeds Ctrl-C from now on; on a runtime.
#[cfg(not(unix))]
pub(super) fn heed(control: &Control) -> io::Result<()> {
    let control = control.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            info!(signal = "Ctrl-C", "heard");
            control.end();
        }
    });
    Ok(())
}
