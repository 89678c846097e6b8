//! What happens, as server-sent events: a listener that was away goes on where it was, and a slow one loses events, not memory.
//!
//! ```text
//! Board ─► one task ─► Kept: the latest events, bounded ─► each listener reads on at its own number
//! ```
//!
//! A number is that of the run of the process and that of the event in it, such as `6a3f5c10-42`. Whoever comes back with a number
//! that is not kept any more, or of another run, is told so by an event `gap` and goes on from what is there.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Sse, KeepAlive};
use axum::response::{IntoResponse, Response, Sse as Events};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use utoipa::IntoParams;

use super::super::{Board, Event};
use super::extract::Params;
use super::limits::{EVENT_BYTES_MAX, EVENTS_KEPT_MAX, KEEP_ALIVE, LISTENERS_MAX};
use super::problem::{Kind, Problem};
use super::site::Site;
use crate::account::PoolPattern;

/// The latest events; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Recent(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// The run of the process, so that numbers of an earlier one are known to be none of this.
    run: u64,
    kept: Mutex<Kept>,
    latest: watch::Sender<u64>,
    places: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<Event>,
    bytes: usize,
}

/// What is listened to.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Listened {
    /// Only events of these kinds, with commas between them: started, decided, settled, blind, unmatched, account, reload, health.
    kinds: Option<String>,
    /// Only what kind of event it is, about which pool and when: for those who read the rest when they want it.
    #[serde(default)]
    brief: bool,
    /// Only events about this pool, or those that match a pattern; events about the whole account are told all the same.
    pool: Option<String>,
}

impl Recent {
    /// Keeps the events of a board from now on; must be called where a runtime is.
    pub(super) fn of(board: &Board, run: u64) -> Self {
        let recent = Self(Arc::new(Shared {
            run,
            kept: Mutex::default(),
            latest: watch::Sender::new(0),
            places: Arc::new(Semaphore::new(LISTENERS_MAX)),
        }));
        tokio::spawn(recent.clone().listen(board.subscribe()));
        recent
    }

    async fn listen(self, mut heard: tokio::sync::broadcast::Receiver<Event>) {
        loop {
            match heard.recv().await {
                Ok(event) => self.keep(event),
                // Those that were lost leave a hole in the numbers, which listeners are told of.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn keep(&self, event: Event) {
        let id = event.id;
        let mut kept = self.lock();
        kept.bytes += event.json.len();
        kept.events.push_back(event);
        while kept.events.len() > EVENTS_KEPT_MAX || (kept.bytes > EVENT_BYTES_MAX && kept.events.len() > 1) {
            if let Some(oldest) = kept.events.pop_front() {
                kept.bytes -= oldest.json.len();
            }
        }
        drop(kept);
        self.0.latest.send_replace(id);
    }

    /// Returns the first event behind a number, and whether some between the two are lost.
    fn after(&self, seen: u64) -> Option<(Event, bool)> {
        let kept = self.lock();
        let place = kept.events.partition_point(|event| event.id <= seen);
        let event = kept.events.get(place)?.clone();
        let is_torn = event.id > seen + 1;
        Some((event, is_torn))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Whoever panicked while holding it left events that are as good as any.
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns where a listener begins: behind the number that it brings, or at what comes next.
    fn begin(&self, last: Option<&str>) -> Begin {
        let latest = *self.0.latest.borrow();
        let Some(last) = last else {
            return Begin {
                seen: latest,
                gap: None,
            };
        };
        let number = last.split_once('-').and_then(|(run, id)| {
            let run = u64::from_str_radix(run, 16).ok()?;
            (run == self.0.run).then(|| id.parse::<u64>().ok()).flatten()
        });
        match number.filter(|number| *number <= latest) {
            Some(seen) => Begin { seen, gap: None },
            None => Begin {
                seen: latest,
                gap: Some("the number is of another run of the sidecar".to_owned()),
            },
        }
    }
}

/// Where a listener begins.
struct Begin {
    seen: u64,
    gap: Option<String>,
}

/// One listener.
struct Listener {
    recent: Recent,
    latest: watch::Receiver<u64>,
    seen: u64,
    gap: Option<String>,
    kinds: Option<Vec<String>>,
    pool: Option<PoolPattern>,
    brief: bool,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    async fn next(mut self) -> Option<(Result<Sse, Infallible>, Self)> {
        loop {
            if let Some(why) = self.gap.take() {
                return Some((Ok(gap(&why)), self));
            }
            self.latest.mark_unchanged();
            let Some((event, is_torn)) = self.recent.after(self.seen) else {
                self.latest.changed().await.ok()?;
                continue;
            };
            if is_torn {
                let lost = event.id - self.seen - 1;
                self.seen = event.id - 1;
                self.gap = Some(format!("{lost} events came faster than they were read"));
                continue;
            }
            self.seen = event.id;
            if self.wants(&event) {
                let id = format!("{:x}-{}", self.recent.0.run, event.id);
                let told = if self.brief {
                    brief(&event)
                } else {
                    event.json.to_string()
                };
                return Some((Ok(Sse::default().id(id).event(event.kind).data(told)), self));
            }
        }
    }

    fn wants(&self, event: &Event) -> bool {
        let is_kind = self
            .kinds
            .as_ref()
            .is_none_or(|kinds| kinds.iter().any(|kind| kind == event.kind));
        is_kind && self.pool.as_ref().is_none_or(|wanted| is_about(event, wanted))
    }
}

/// Says whether an event is about one of the pools, or about all of them.
fn is_about(event: &Event, wanted: &PoolPattern) -> bool {
    #[derive(Deserialize)]
    struct About {
        pool: Option<crate::account::PoolId>,
    }
    let about = serde_json::from_str::<About>(&event.json)
        .ok()
        .and_then(|about| about.pool);
    about.is_none_or(|pool| wanted.matches(&pool))
}

/// Returns what kind of event it is, about which pool, and when.
fn brief(event: &Event) -> String {
    #[derive(Default, Deserialize, Serialize)]
    struct Brief {
        #[serde(skip_serializing_if = "Option::is_none")]
        pool: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    }
    let brief: Brief = serde_json::from_str(&event.json).unwrap_or_default();
    serde_json::to_string(&brief).expect("two texts are JSON")
}

fn gap(why: &str) -> Sse {
    let data = serde_json::json!({
        "why": why,
        "wayOut": "read what is missing from /api/v1/pools/{pool}/decisions",
    });
    Sse::default().event("gap").data(data.to_string())
}

/// Listen to what happens: every line of the ledger, and what befalls the sidecar itself.
///
/// Each event carries a number; send the last one as `Last-Event-ID` (as browsers do) to go on behind it. An event `gap` says that
/// some are lost.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "reads",
    params(Listened, ("Last-Event-ID" = Option<String>, Header, description = "The number of the last event that was heard")),
    responses(
        (status = 200, description = "Events, until the listener leaves", content_type = "text/event-stream", body = String),
        (status = 400, description = "A parameter cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many listen", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn listen(
    State(site): State<Site>,
    Params(listened): Params<Listened>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let recent = site.recent().clone();
    let place = Arc::clone(&recent.0.places).try_acquire_owned().map_err(|_| {
        Problem::new(
            Kind::TooManyAtOnce,
            format!("{LISTENERS_MAX} listen already"),
            "close those that nobody reads; one listener can serve many readers",
        )
        .again_in(15)
    })?;
    let pool = listened
        .pool
        .as_deref()
        .map(str::parse::<PoolPattern>)
        .transpose();
    let pool = pool.map_err(|error| {
        Problem::new(
            Kind::BadRequest,
            error.to_string(),
            "name a pool, or a pattern such as genomics-*",
        )
    })?;
    let last = headers.get("last-event-id").and_then(|last| last.to_str().ok());
    let Begin { seen, gap } = recent.begin(last);
    let kinds = listened.kinds.as_deref().map(|kinds| {
        let kinds = kinds.split(',').map(|kind| kind.trim().to_owned());
        kinds.filter(|kind| !kind.is_empty()).collect()
    });
    let listener = Listener {
        latest: recent.0.latest.subscribe(),
        recent,
        seen,
        gap,
        kinds,
        pool,
        brief: listened.brief,
        _place: place,
    };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("nothing new");
    let mut response = Events::new(stream::unfold(listener, Listener::next))
        .keep_alive(keep_alive)
        .into_response();
    // Proxies that gather an answer before they pass it on would pass nothing on for ever.
    response
        .headers_mut()
        .insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    Ok(response)
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener(behind {})", self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    fn event(id: u64, length: usize) -> Event {
        Event {
            id,
            kind: "decided",
            json: "x".repeat(length).into(),
        }
    }

    #[tokio::test]
    async fn the_latest_events_are_kept_and_what_is_lost_shows() {
        let board = Board::new(Timestamp::from_unix_seconds(0));
        let recent = Recent::of(&board, 0x2a);
        for id in 1..=EVENTS_KEPT_MAX as u64 + 10 {
            recent.keep(event(id, 10));
        }
        let (first, torn) = recent.after(0).unwrap();
        assert_eq!((first.id, torn), (11, true));
        let (next, torn) = recent.after(11).unwrap();
        assert_eq!((next.id, torn), (12, false));
        assert!(recent.after(EVENTS_KEPT_MAX as u64 + 10).is_none());
        // One event that is larger than all may be together is kept all the same, alone.
        recent.keep(event(5_000, EVENT_BYTES_MAX + 1));
        assert_eq!(recent.lock().events.len(), 1);
    }

    #[tokio::test]
    async fn a_listener_goes_on_where_it_was_unless_that_was_another_run() {
        let board = Board::new(Timestamp::from_unix_seconds(0));
        let recent = Recent::of(&board, 0x2a);
        for id in 1..=5 {
            recent.keep(event(id, 1));
        }
        let begin = |last: Option<&str>| {
            let Begin { seen, gap } = recent.begin(last);
            (seen, gap.is_some())
        };
        assert_eq!(begin(None), (5, false));
        assert_eq!(begin(Some("2a-3")), (3, false));
        assert_eq!(begin(Some("2b-3")), (5, true));
        for wrong in ["2a-99", "3", "", "2a-x", "zz-1"] {
            assert_eq!(begin(Some(wrong)), (5, true), "{wrong}");
        }
    }
}
