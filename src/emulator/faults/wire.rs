//! The wire: requests pass through it, and some meet a fault.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::strike::Strikes;
use super::{HttpFault, HttpFaultKind, HttpFaults};
use crate::base::Span;
use crate::emulator::answer::Refused;
use crate::emulator::asked::Asked;
use crate::emulator::link::{Cut, Link};

/// The faults of an account's wire and what they did so far.
pub struct Wire {
    faults: HttpFaults,
    elapsed: Arc<dyn Fn() -> Span + Send + Sync>,
    strikes: Mutex<Strikes>,
}

impl Default for Wire {
    fn default() -> Self {
        Self::new(HttpFaults::default(), Arc::new(|| Span::ZERO))
    }
}

impl Wire {
    /// Returns a wire with these faults; `elapsed` tells the time since the start of the account, on its clock.
    pub fn new(faults: HttpFaults, elapsed: Arc<dyn Fn() -> Span + Send + Sync>) -> Self {
        let strikes = Mutex::new(Strikes::new(&faults));
        Self {
            faults,
            elapsed,
            strikes,
        }
    }

    /// Returns how far the server's clock is off.
    pub fn clock_skew(&self) -> Span {
        self.faults.clock_skew.unwrap_or(Span::ZERO)
    }

    /// Lets a request through, or what the faults leave of it.
    pub async fn pass(&self, request: Request, asked: &Asked, next: Next) -> Response {
        if self.faults.faults.is_empty() {
            return next.run(request).await;
        }
        let strikes = self.strikes.lock();
        let fault =
            strikes
                .unwrap_or_else(PoisonError::into_inner)
                .next(&self.faults, asked, (self.elapsed)());
        let Some(fault) = fault else {
            return next.run(request).await;
        };
        let link = request.extensions().get::<ConnectInfo<Link>>();
        let link = link.map(|ConnectInfo(link)| link.clone());
        let cut = |mut response: Response, keeps_half| {
            if let Some(link) = link {
                response.extensions_mut().insert(Cut { link, keeps_half });
            }
            response
        };
        match fault.kind {
            HttpFaultKind::Slow => {
                let response = next.run(request).await;
                tokio::time::sleep(wait(fault)).await;
                response
            }
            HttpFaultKind::OperationTimedOut => {
                next.run(request).await;
                refuse(fault)
            }
            HttpFaultKind::Torn => cut(next.run(request).await, true),
            HttpFaultKind::Lost => cut(next.run(request).await, false),
            HttpFaultKind::Refused => cut(refuse(fault), false),
            HttpFaultKind::TooManyRequests | HttpFaultKind::ServerBusy | HttpFaultKind::InternalError => {
                refuse(fault)
            }
        }
    }
}

fn wait(fault: &HttpFault) -> Duration {
    let delay = fault.delay.unwrap_or(Span::seconds(1));
    Duration::from_secs_f64(delay.as_seconds().clamp(0.0, super::DELAY_MAX.as_seconds()))
}

fn refuse(fault: &HttpFault) -> Response {
    let (status, code, message) = match fault.kind {
        // The sentence of a recorded answer.
        HttpFaultKind::TooManyRequests => (
            429,
            "TooManyRequests",
            "Request failed as server encountered too many requests. Please try again.",
        ),
        HttpFaultKind::ServerBusy => (
            503,
            "ServerBusy",
            "The server is currently unable to receive requests. Please retry your request.",
        ),
        HttpFaultKind::OperationTimedOut => (
            500,
            "OperationTimedOut",
            "The operation could not be completed within the permitted time.",
        ),
        _ => (
            500,
            "InternalError",
            "The server encountered an internal error. Please retry the request.",
        ),
    };
    let mut response = Refused::new(status, code, message).into_response();
    if let Some(after) = fault.retry_after {
        let seconds = after.as_seconds().ceil().max(0.0) as u64;
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}
