//! `/livez`, `/readyz`, `/healthz` and `/metrics`: whether the process answers, whether it steers, and what it counts.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::board::{Board, Totals};
use super::health::{Health, Policies, Readiness, Status};
use super::metrics::Metrics;

/// Returns the pages.
pub fn router(board: Board, metrics: Arc<Mutex<Metrics>>) -> Router {
    let scraped = board.clone();
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/healthz", get(health))
        .with_state(board)
        .route("/metrics", get(|| async move { scrape(&scraped, &metrics) }))
}

fn scrape(board: &Board, metrics: &Mutex<Metrics>) -> Response {
    let health = board.read().health.clone();
    let mut metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
    ([(CONTENT_TYPE, EXPOSITION)], metrics.export(&health)).into_response()
}

/// The exposition format of Prometheus.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All that is known of how the sidecar fares.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthPage {
    /// Whether it is ready, and why not.
    #[serde(flatten)]
    pub readiness: Readiness,
    /// The version of the program.
    pub version: &'static str,
    /// The account in a few numbers.
    pub totals: Totals,
    /// How it fares.
    pub health: Health,
    /// The policies in effect.
    pub policies: Policies,
}

impl HealthPage {
    /// Returns what stands on a board.
    pub fn of(board: &Board) -> Self {
        let standing = board.read();
        Self {
            readiness: standing.health.readiness(),
            version: env!("CARGO_PKG_VERSION"),
            totals: standing.totals(),
            health: standing.health.clone(),
            policies: standing.policies.clone(),
        }
    }
}

impl Status {
    /// Returns what a prober is answered: a standby is ready, or no roll-out would ever end.
    pub const fn answer(self) -> StatusCode {
        match self {
            Self::Ready | Self::Degraded | Self::Standby => StatusCode::OK,
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

async fn ready(State(board): State<Board>) -> Response {
    let readiness = board.read().health.readiness();
    (readiness.status.answer(), Json(readiness)).into_response()
}

/// Answers always: liveness does not fail because the account is away.
async fn health(State(board): State<Board>) -> Json<HealthPage> {
    Json(HealthPage::of(&board))
}
