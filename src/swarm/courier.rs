//! The courier: carries requests to the account's door within the process, and lets them meet every fault that a network,
//! a proxy and a service have.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::handler::Handler as _;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::conduct::Conduct;
use super::faults::FaultKind;
use super::found::Law;
use super::scene::Scene;
use crate::azure::{Carried, Carrier, Fault, Reply};
use crate::base::Span;

/// Carries requests to the account of a scene.
pub(super) struct Courier(pub(super) Arc<Scene>);

/// A request on its way.
#[derive(Clone)]
struct Parcel {
    method: reqwest::Method,
    url: reqwest::Url,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The order that it belongs to.
    conduct: Option<Arc<Mutex<Conduct>>>,
}

/// A page of 500 pools with their formulas has less.
const BODY_BYTES_MAX: usize = 64 << 20;

impl Carrier for Courier {
    fn carry(&self, request: reqwest::Request, deadline: Duration) -> Carried<'_> {
        let scene = self.0.clone();
        let parcel = Parcel {
            method: request.method().clone(),
            url: request.url().clone(),
            headers: request.headers().clone(),
            body: request
                .body()
                .and_then(reqwest::Body::as_bytes)
                .unwrap_or_default()
                .to_vec(),
            conduct: scene.state().conduct.clone(),
        };
        Box::pin(async move {
            Trip {
                scene,
                parcel,
                deadline,
            }
            .go()
            .await
        })
    }
}

/// A request with the world that it travels through.
struct Trip {
    scene: Arc<Scene>,
    parcel: Parcel,
    deadline: Duration,
}

impl Trip {
    async fn go(self) -> Result<Reply, Fault> {
        self.scene.turn();
        let path = self.parcel.url.path().to_owned();
        if self.is_write() && self.parcel.conduct.is_none() {
            let what = format!("{} {path} was sent without an order", self.parcel.method);
            self.scene.docket.find(Law::Line, what);
        }
        let (kind, way) = self.draw();
        if let Some(kind) = kind {
            self.scene
                .docket
                .tell(|| format!("  {} {path}: {kind}", self.parcel.method));
        } else if self.is_write() {
            self.scene.docket.tell(|| {
                format!(
                    "  {} {path} {}",
                    self.parcel.method,
                    String::from_utf8_lossy(&self.parcel.body)
                )
            });
        }
        self.scene.clock.sleep(way).await;
        let reply = match kind {
            None => self.plain().await,
            Some(kind) => self.struck(kind).await,
        };
        let is_whole = !matches!(kind, Some(FaultKind::Unreadable | FaultKind::Partial));
        if let (Some(pool), Ok(reply)) = (self.lists_nodes_of(), &reply)
            && is_whole
            && reply.status == StatusCode::OK
        {
            self.scene.docket.list(pool.to_owned());
        }
        reply
    }

    /// Returns the pool whose nodes are asked for one by one.
    fn lists_nodes_of(&self) -> Option<&str> {
        let path = self.parcel.url.path();
        path.strip_suffix("/nodes")
            .filter(|_| !self.is_write())
            .and_then(pool_of)
    }

    /// Notes what could not be read.
    fn note_blur(&self, about: String) {
        let docket = &self.scene.docket;
        if self.parcel.url.path() == "/nodecounts" {
            docket.blur_counts(about);
        } else {
            docket.blur(about);
        }
    }

    fn is_write(&self) -> bool {
        self.parcel.method != reqwest::Method::GET && self.parcel.method != reqwest::Method::HEAD
    }

    /// Draws what happens to it, and how long the way takes.
    fn draw(&self) -> (Option<FaultKind>, Span) {
        let mut state = self.scene.state();
        self.scene.docket.count(|tally| tally.calls += 1);
        let way = Span::seconds(1)
            .scale(0.005 + 0.1 * state.wire.share())
            .whole_milliseconds();
        let likely = state.weather.likely().to_vec();
        let mut struck = None;
        for (kind, share) in likely {
            if state.wire.chance(share) && struck.is_none() && self.can_meet(kind) {
                struck = Some(kind);
                self.scene.docket.count(|tally| tally.strike(kind));
            }
        }
        (struck, way)
    }

    fn can_meet(&self, kind: FaultKind) -> bool {
        match kind {
            FaultKind::Conflict | FaultKind::Changed | FaultKind::Late | FaultKind::Twice => self.is_write(),
            FaultKind::Unreadable | FaultKind::Partial | FaultKind::Stale => !self.is_write(),
            _ => true,
        }
    }

    async fn plain(&self) -> Result<Reply, Fault> {
        let reply = deliver(&self.scene, &self.parcel).await;
        if !self.is_write() {
            self.scene.keep_earlier(self.parcel.url.as_str(), &reply);
        }
        Ok(reply)
    }

    async fn struck(&self, kind: FaultKind) -> Result<Reply, Fault> {
        match kind {
            FaultKind::TimeoutBefore => self.give_up().await,
            FaultKind::TimeoutAfter => {
                deliver(&self.scene, &self.parcel).await;
                self.give_up().await
            }
            FaultKind::Late => {
                let (scene, parcel) = (self.scene.clone(), self.parcel.clone());
                let after = crate::base::Span::from_seconds(self.deadline.as_secs_f64())
                    + scene.state().wire.span(Span::seconds(1), Span::minutes(10));
                tokio::spawn(async move {
                    scene.clock.sleep(after).await;
                    deliver(&scene, &parcel).await;
                });
                self.give_up().await
            }
            FaultKind::FailedAfter => {
                deliver(&self.scene, &self.parcel).await;
                Ok(refusal(500, "OperationTimedOut", None))
            }
            FaultKind::Torn => {
                let reply = deliver(&self.scene, &self.parcel).await;
                // What a write was answered is in its status.
                if matches!(reply.status.as_u16(), 201 | 202 | 204) {
                    let body = Vec::new();
                    return Ok(Reply { body, ..reply });
                }
                Err(Fault::Torn {
                    server: "desk".to_owned(),
                    why: "end of file before message length reached".to_owned(),
                })
            }
            FaultKind::Unreachable => Err(Fault::Unreachable {
                server: "desk".to_owned(),
                why: "connection refused".to_owned(),
            }),
            FaultKind::Slow => {
                let reply = deliver(&self.scene, &self.parcel).await;
                let wait = self.scene.state().wire.span(Span::seconds(1), Span::minutes(1));
                if wait.as_seconds() >= self.deadline.as_secs_f64() {
                    return self.give_up().await;
                }
                self.scene.clock.sleep(wait).await;
                Ok(reply)
            }
            FaultKind::Twice => {
                let first = deliver(&self.scene, &self.parcel).await;
                let second = deliver(&self.scene, &self.parcel).await;
                Ok(if self.scene.state().wire.chance(0.5) {
                    first
                } else {
                    second
                })
            }
            FaultKind::Stale => {
                let earlier = self.scene.state().earlier.get(self.parcel.url.as_str()).cloned();
                match earlier {
                    Some(reply) => Ok(reply),
                    None => self.plain().await,
                }
            }
            FaultKind::Unreadable | FaultKind::Partial => self.blur(kind).await,
            _ => Ok(self.refused(kind)),
        }
    }

    async fn give_up(&self) -> Result<Reply, Fault> {
        self.scene
            .clock
            .sleep(Span::from_seconds(self.deadline.as_secs_f64()))
            .await;
        Err(Fault::TimedOut {
            server: "desk".to_owned(),
            after: self.deadline,
        })
    }

    fn refused(&self, kind: FaultKind) -> Reply {
        let mut state = self.scene.state();
        match kind {
            FaultKind::Throttled => refusal(429, "TooManyRequests", None),
            FaultKind::ThrottledFor => refusal(429, "TooManyRequests", Some(state.wire.between(0, 120))),
            FaultKind::Busy => refusal(503, "ServerBusy", None),
            FaultKind::Conflict => {
                let code = state.wire.pick(&[
                    "PoolBeingResized",
                    "OperationInvalidForCurrentState",
                    "PoolBeingDeleted",
                ]);
                refusal(409, code, None)
            }
            FaultKind::Changed => refusal(412, "ConditionNotMet", None),
            _ => refusal(500, "InternalError", None),
        }
    }

    /// Spoils the body of an answer.
    async fn blur(&self, kind: FaultKind) -> Result<Reply, Fault> {
        let mut reply = deliver(&self.scene, &self.parcel).await;
        if reply.status != StatusCode::OK {
            return Ok(reply);
        }
        let about = self.about();
        let mut state = self.scene.state();
        if kind == FaultKind::Unreadable {
            let body = state.wire.pick(&[
                "<html>sign in</html>",
                "",
                "{\"value\": [",
                "null",
                "[]",
                "{\"value\": 3}",
                "{}",
            ]);
            reply.body = body.as_bytes().to_vec();
            self.note_blur(about);
            return Ok(reply);
        }
        let mut body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if let Some(elements) = body["value"]
            .as_array_mut()
            .filter(|elements| !elements.is_empty())
        {
            let most = u32::try_from(elements.len() - 1).unwrap_or(0);
            let index = state.wire.between(0, most) as usize;
            let about = pool_in(&elements[index]).unwrap_or(about);
            elements[index] = match state.wire.between(0, 2) {
                0 => json!(17),
                1 => json!({ "id": 17 }),
                _ => {
                    let id = elements[index]["id"].clone();
                    json!({ "id": id, "state": 3, "vmSize": {}, "poolInfo": 1, "executionInfo": 5, "isDedicated": "yes",
                        "dedicated": [], "poolId": [] })
                }
            };
            reply.body = body.to_string().into_bytes();
            self.note_blur(about);
        }
        Ok(reply)
    }

    /// Returns the pool that a request is about; empty where it is about all.
    fn about(&self) -> String {
        let parts: Vec<&str> = self.parcel.url.path().trim_matches('/').split('/').collect();
        match parts[..] {
            ["pools", id, ..] => id.to_owned(),
            ["jobs", job, ..] => self.scene.with_desk(|desk| {
                let body = super::account::ask(desk, "GET", &format!("/jobs/{job}"), "").unwrap_or_default();
                body["poolInfo"]["poolId"].as_str().unwrap_or_default().to_owned()
            }),
            ["nodecounts"] => counted_pool(&self.parcel.url).unwrap_or_default(),
            _ => String::new(),
        }
    }
}

/// Returns the pool whose nodes are counted, where it is one alone.
fn counted_pool(url: &reqwest::Url) -> Option<String> {
    let (_, filter) = url.query_pairs().find(|(name, _)| name == "$filter")?;
    let id = filter.strip_prefix("poolId eq '")?.strip_suffix('\'')?;
    Some(id.to_owned())
}

/// Returns the pool that an element of a list speaks of, where it says so.
fn pool_in(element: &Value) -> Option<String> {
    let is_pool = element.get("vmSize").is_some();
    let named = [&element["poolId"], &element["poolInfo"]["poolId"]];
    let own = is_pool.then(|| &element["id"]);
    let mut names = own.into_iter().chain(named);
    names.find_map(|name| name.as_str().map(str::to_owned))
}

fn refusal(status: u16, code: &str, retry_after: Option<u32>) -> Reply {
    let mut headers = HeaderMap::new();
    if let Some(seconds) = retry_after {
        headers.insert("retry-after", HeaderValue::from(seconds));
    }
    let body = json!({ "code": code, "message": { "lang": "en-US", "value": "a fault of the swarm" } });
    Reply {
        status: StatusCode::from_u16(status).expect("a status"),
        headers,
        body: body.to_string().into_bytes(),
    }
}

/// Hands a request in at the door, and holds what it changes against its order.
async fn deliver(scene: &Arc<Scene>, parcel: &Parcel) -> Reply {
    let pool = pool_of(parcel.url.path());
    let watched = parcel.conduct.as_ref().zip(pool);
    let before = watched.and_then(|(_, pool)| scene.mixes_of(pool));
    let reply = knock(scene, parcel).await;
    if let Some((conduct, pool)) = watched {
        let after = scene.mixes_of(pool).map(|(target, _)| target);
        scene.judge(conduct, before, after);
    }
    reply
}

/// Returns the pool that a path is below.
fn pool_of(path: &str) -> Option<&str> {
    path.strip_prefix("/pools/")?.split('/').next()
}

async fn knock(scene: &Arc<Scene>, parcel: &Parcel) -> Reply {
    let url = &parcel.url;
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut request = Request::builder().method(parcel.method.clone()).uri(path);
    for (name, value) in &parcel.headers {
        request = request.header(name, value);
    }
    if !parcel.headers.contains_key("content-length") && !parcel.body.is_empty() {
        request = request.header("content-length", parcel.body.len());
    }
    let request = request
        .header("host", url.authority())
        .body(Body::from(parcel.body.clone()))
        .expect("the client makes requests that are some");
    let response = scene.door.clone().call(request, ()).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    Reply {
        status: parts.status,
        headers: parts.headers,
        body: body.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_counted_of_one_pool_or_of_all() {
        let of = |query: &str| counted_pool(&format!("http://desk/nodecounts?{query}").parse().unwrap());
        assert_eq!(
            of("$filter=poolId eq 'pool-1'&maxresults=10"),
            Some("pool-1".to_owned())
        );
        assert_eq!(of("maxresults=10"), None);
    }
}
