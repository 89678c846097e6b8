//! The Azure Batch client against a scripted server on loopback, and against the facts of the service.

mod account;
mod command;
mod desk;
mod emulated;
mod examined;
pub(crate) mod facts;
mod faults;
mod jobs;
mod live;
mod scale;
mod steered;
mod tokens;
mod turns;

use lowtide::azure::{ApiVersion, Client, Clock, Credential, Limits, Settings, shared_key};
use lowtide::base::Timestamp;

use desk::Desk;

const ACCOUNT: &str = "emuacct";
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn settings(url: &str) -> Settings {
    Settings {
        endpoint: url.parse().unwrap(),
        account: ACCOUNT.to_owned(),
        version: ApiVersion::V2025,
        authorities: None,
        limits: Limits::default(),
        seed: 7,
    }
}

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A client whose pauses are over at once.
fn client_of(desk: &Desk) -> Client {
    let key = Credential::SharedKey(shared_key::Key::parse(KEY).unwrap());
    Client::new(settings(&desk.url), key, Clock::stepped(noon())).unwrap()
}

/// Runs what waits, to its end.
fn wait<T>(what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(what)
}
