//! The table of the paths, and how they are put together with what stands before them.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get, post};
use tracing::{info, warn};

use super::super::{Board, Event};
use super::front::Front;
use super::settings::HttpSettings;
use super::site::Site;
use super::tls::Certificates;
use super::tokens::Tokens;
use super::{Door, decisions, events, overview, page, pools, savings, series, steering, what_if};

/// Every path of the interface with its method.
pub(super) fn table() -> Vec<(&'static str, &'static str, MethodRouter<Site>)> {
    vec![
        ("get", "/api/v1/account", get(overview::account)),
        ("get", "/api/v1/policies", get(overview::policies)),
        ("get", "/api/v1/policies/{name}", get(overview::policy_text)),
        ("get", "/api/v1/openapi.json", get(overview::openapi)),
        ("get", "/api/v1/events", get(events::listen)),
        ("get", "/api/v1/savings", get(savings::savings)),
        ("get", "/api/v1/pools", get(pools::all)),
        ("get", "/api/v1/pools/{id}", get(pools::one)),
        ("get", "/api/v1/pools/{id}/decisions", get(decisions::search)),
        ("get", "/api/v1/pools/{id}/explain", get(decisions::explain)),
        ("get", "/api/v1/pools/{id}/series", get(series::series)),
        ("post", "/api/v1/pools/{id}/what-if", post(what_if::what_if)),
        ("post", "/api/v1/pools/{id}/pause", post(steering::pause)),
        ("post", "/api/v1/pools/{id}/resume", post(steering::resume)),
        ("post", "/api/v1/plan", post(steering::plan)),
        ("post", "/api/v1/reload", post(steering::reload)),
    ]
}

impl Site {
    /// Returns the pages of the interface, beside pages of others, behind guard and limits.
    pub fn pages(&self, others: Router, settings: HttpSettings, tokens: Tokens) -> Router {
        let pages = table()
            .into_iter()
            .fold(Router::new(), |router, (_, path, method)| {
                router.route(path, method)
            });
        Front::new(settings, tokens)
            .before(pages.with_state(self.clone()).merge(others).merge(page::router()))
    }
}

impl Door {
    /// Serves pages until told to stop; tokens and certificates are read again whenever the board tells of a reload.
    pub async fn open_for(
        self,
        pages: Router,
        (board, tokens): (Board, Tokens),
        until: impl Future<Output = ()> + Send + 'static,
    ) {
        let certificates = self.certificates();
        let renewal = tokio::spawn(renew(board.subscribe(), tokens, certificates.map(Arc::new)));
        self.serve(pages, until).await;
        renewal.abort();
    }
}

/// Reads tokens and certificates again whenever there was a reload; what cannot be used changes nothing.
async fn renew(
    mut events: tokio::sync::broadcast::Receiver<Event>,
    tokens: Tokens,
    certificates: Option<Arc<Certificates>>,
) {
    use tokio::sync::broadcast::error::RecvError;
    loop {
        match events.recv().await {
            Ok(event) if event.kind == "reload" => {}
            Ok(_) => continue,
            // One of those that were lost may have been a reload.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
        match tokens.reload() {
            Ok(()) => info!("tokens read again"),
            Err(error) => warn!(%error, "those tokens count that counted before"),
        }
        if let Some(Err(error)) = certificates.as_ref().map(|certificates| certificates.reload()) {
            warn!(%error, "those certificates count that counted before");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::table;

    #[test]
    fn every_path_is_described_and_nothing_else() {
        let document = serde_json::to_value(super::super::document()).unwrap();
        let mut described = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                described.insert(format!("{method} {path}"));
            }
        }
        let served: BTreeSet<String> = table()
            .iter()
            .map(|(method, path, _)| format!("{method} {path}"))
            .collect();
        assert_eq!(served, described);
    }
}
