//! The key of the account, read again at each reload: whoever exchanges it needs no restart.

use secrecy::ExposeSecret as _;
use tokio::runtime::Handle;
use tokio::sync::broadcast::error::RecvError;
use tracing::{info, warn};

use super::board::Board;
use super::config::{Config, Surroundings};
use crate::azure::Client;
use crate::azure::shared_key::Key;

/// Reads the key again whenever there was a reload, from now on; what cannot be used changes nothing.
pub(super) fn renew_key(runtime: &Handle, board: &Board, (config, client): (Config, Client)) {
    let file = &config.file.account;
    if file.key_file.is_none() && file.key_env.is_none() {
        return;
    }
    let mut events = board.subscribe();
    runtime.spawn(async move {
        loop {
            match events.recv().await {
                Ok(event) if event.kind == "reload" => {}
                Ok(_) => continue,
                // One of those that were lost may have been a reload.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
            let (config, client) = (config.clone(), client.clone());
            // A file system may take its time.
            let read = tokio::task::spawn_blocking(move || rekey(&config, &client)).await;
            match read {
                Ok(Ok(true)) => info!("the key of the account was read again"),
                Ok(Ok(false)) => {}
                Ok(Err(why)) => warn!(error = %why, "the key of the account counts that counted before"),
                Err(_) => warn!("a mistake in lowtide kept the key of the account from being read again"),
            }
        }
    });
}

/// Reads the key of the account again, and signs with it from now on; says whether requests are signed with a key.
///
/// # Errors
/// When it cannot be read or is none; the one from before counts on.
pub(super) fn rekey(config: &Config, client: &Client) -> Result<bool, String> {
    let variable = |name: &str| std::env::var(name).ok();
    let surroundings = Surroundings { variable: &variable };
    let text = config.account_key(surroundings).map_err(|fault| fault.message)?;
    let Some(text) = text else { return Ok(false) };
    let key = Key::parse(text.expose_secret()).map_err(|error| error.to_string())?;
    Ok(client.rekey(key))
}
