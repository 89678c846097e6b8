//! The jobs that wait for an agent of a pool of Azure DevOps, counted as KEDA's scaler counts them.
//!
//! Source: `kedacore/keda`, `pkg/scalers/azure_pipelines_scaler.go`, and "Distributed Task - Pools - Get Agent Pools" of the
//! reference. A job waits while it has neither a result nor a time at which an agent received it. With demands, a job counts whose
//! own demands, but for the version of the agent, are all among them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use reqwest::{RequestBuilder, Url};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::asking::Way;
use super::sources_file::{DevOpsFile, SecretFile};
use super::web;
use crate::azure::Tokens;
use crate::azure::transport::Reply;
use crate::base::{Span, Timestamp};
use crate::signal::{Found, Lack};

/// An organization that is asked.
pub(super) struct Organization {
    url: Url,
    pass: Pass,
    /// What is remembered from look to look.
    kept: Mutex<Kept>,
}

/// What lets us in.
enum Pass {
    Token(SecretFile),
    Identity(Box<Tokens>),
}

#[derive(Default)]
struct Kept {
    /// The numbers of agent pools by their names: they never change.
    pools: BTreeMap<String, u64>,
    /// What was last counted, by what was asked.
    counts: BTreeMap<(String, Vec<String>), (Timestamp, Found)>,
    /// Until when the service wants to be left alone.
    rest_until: Option<Timestamp>,
}

/// What a token of this machine's identity is for: the number of Azure DevOps among the applications of Entra ID.
const RESOURCE: &str = "499b84ac-1321-427f-aa17-267ca6975798";
/// The newest requests that are looked through, as KEDA does: those that wait are among them unless more wait.
const REQUESTS_MAX: usize = 250;
/// The longest rest that is kept to; a service that asks for more is asked again after it.
const REST_MAX: Span = Span::minutes(10);

#[derive(Deserialize)]
struct Listed<T> {
    value: Vec<T>,
}

#[derive(Deserialize)]
struct AgentPool {
    id: u64,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobRequest {
    #[serde(default)]
    result: Option<serde_json::Value>,
    #[serde(default)]
    receive_time: Option<serde_json::Value>,
    #[serde(default)]
    demands: Option<Vec<String>>,
}

impl Organization {
    /// Prepares an organization; `identity` gives the tokens of this machine for a resource.
    pub(super) fn new(
        file: &DevOpsFile,
        identity: impl FnOnce(&str) -> Result<Tokens, String>,
    ) -> Result<Self, String> {
        let url = web::base(&file.url)?;
        if !web::may_carry_secrets(&url) {
            return Err(format!("a token would go over an open line to {url}; take https"));
        }
        let pass = match &file.token {
            Some(token) => Pass::Token(token.clone()),
            None => Pass::Identity(Box::new(identity(RESOURCE)?)),
        };
        Ok(Self {
            url,
            pass,
            kept: Mutex::default(),
        })
    }

    /// Returns the jobs that wait for an agent of a pool, and when they were counted.
    pub(super) async fn count(
        &self,
        way: &Way,
        pool: &str,
        demands: &[String],
    ) -> Result<(Timestamp, Found), String> {
        let now = way.clock.now();
        let key = (pool.to_owned(), demands.to_vec());
        if let Some(until) = self
            .with_kept(|kept| kept.rest_until)
            .filter(|until| now < *until)
        {
            // The last number grows old, and says so.
            return self
                .with_kept(|kept| kept.counts.get(&key).cloned())
                .ok_or_else(|| format!("the service wants to be left alone until {until}"));
        }
        let Some(id) = self.pool_id(way, pool).await? else {
            return Ok((now, Found::Lacking(Lack::Absent)));
        };
        let id = id.to_string();
        let path = ["_apis", "distributedtask", "pools", id.as_str(), "jobrequests"];
        let top = REQUESTS_MAX.to_string();
        let reply = self.get(way, &path, &[("$top", &top)]).await?;
        let listed: Listed<JobRequest> = read(&reply)?;
        let found = waiting(&listed.value, demands);
        let counted = (now, found);
        self.with_kept(|kept| kept.counts.insert(key, counted.clone()));
        Ok(counted)
    }

    async fn pool_id(&self, way: &Way, pool: &str) -> Result<Option<u64>, String> {
        if let Some(id) = self.with_kept(|kept| kept.pools.get(pool).copied()) {
            return Ok(Some(id));
        }
        let path = ["_apis", "distributedtask", "pools"];
        let reply = self.get(way, &path, &[("poolName", pool)]).await?;
        let listed: Listed<AgentPool> = read(&reply)?;
        let found = listed
            .value
            .iter()
            .find(|other| other.name.eq_ignore_ascii_case(pool));
        let id = found.map(|found| found.id);
        if let Some(id) = id {
            self.with_kept(|kept| kept.pools.insert(pool.to_owned(), id));
        }
        Ok(id)
    }

    async fn get(&self, way: &Way, path: &[&str], parameters: &[(&str, &str)]) -> Result<Reply, String> {
        let mut url = web::below(&self.url, path);
        url.query_pairs_mut().extend_pairs(parameters);
        let bearer = match &self.pass {
            Pass::Identity(tokens) => Some(web::bearer(tokens, &way.clock).await?),
            Pass::Token(_) => None,
        };
        let request = || self.request(way, url.clone(), bearer.as_deref());
        let reply = web::ask(&way.clock, &request).await?;
        let rest_until = web::rest_until(&reply, way.clock.now(), REST_MAX);
        self.with_kept(|kept| kept.rest_until = rest_until);
        Ok(reply)
    }

    fn request(&self, way: &Way, url: Url, bearer: Option<&str>) -> Result<RequestBuilder, String> {
        let request = way.http.get(url).header("accept", "application/json");
        Ok(match (&self.pass, bearer) {
            // A personal access token is the password of nobody in particular.
            (Pass::Token(token), _) => {
                request.basic_auth("", Some(token.read(&way.environment)?.expose_secret()))
            }
            (Pass::Identity(_), Some(bearer)) => request.header("authorization", bearer),
            (Pass::Identity(_), None) => request,
        })
    }

    fn with_kept<T>(&self, with: impl FnOnce(&mut Kept) -> T) -> T {
        // Whoever panicked while holding it left numbers that are as good as any.
        with(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Counts the requests that wait and that agents with these demands can take.
fn waiting(requests: &[JobRequest], demands: &[String]) -> Found {
    let open = requests.iter().filter(|request| request.result.is_none());
    let n_open = open.clone().count();
    let waits = open.filter(|request| request.receive_time.is_none());
    let count = waits.filter(|request| can_take(request, demands)).count();
    if n_open >= REQUESTS_MAX {
        // Not one of those that are shown has ended: older ones may wait, too.
        return Found::AtLeast(count as f64);
    }
    Found::Value(count as f64)
}

fn can_take(request: &JobRequest, demands: &[String]) -> bool {
    let own = request.demands.iter().flatten();
    let mut own = own.filter(|demand| !demand.starts_with("Agent.Version"));
    demands.is_empty() || own.all(|demand| demands.contains(demand))
}

/// Reads an answer; a page to sign in stands in its place when the token is none.
fn read<T: serde::de::DeserializeOwned>(reply: &Reply) -> Result<T, String> {
    match reply.status.as_u16() {
        200 => serde_json::from_slice(&reply.body).map_err(|_| {
            "the answer is none of Azure DevOps; is the url that of an organization?".to_owned()
        }),
        203 | 302 => {
            Err("the service wants a person to sign in: the token is not one, or has expired".to_owned())
        }
        _ => Err(web::refused(reply)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(requests: &str, demands: &[&str]) -> Found {
        let listed: Listed<JobRequest> =
            serde_json::from_str(&format!(r#"{{"value":[{requests}]}}"#)).unwrap();
        let demands: Vec<String> = demands.iter().map(|demand| (*demand).to_owned()).collect();
        waiting(&listed.value, &demands)
    }

    const REQUESTS: &str = r#"
        {"requestId":1,"queueTime":"2026-11-28T11:00:00Z","demands":["Agent.Version -gtVersion 2.182.1","docker"]},
        {"requestId":2,"queueTime":"2026-11-28T11:00:00Z","demands":["Agent.Version -gtVersion 2.182.1"]},
        {"requestId":3,"queueTime":"2026-11-28T11:00:00Z","demands":["java","docker"]},
        {"requestId":4,"queueTime":"2026-11-28T11:00:00Z"},
        {"requestId":5,"assignTime":"2026-11-28T11:00:00Z","receiveTime":"2026-11-28T11:00:01Z","demands":[]},
        {"requestId":6,"receiveTime":"2026-11-28T11:00:01Z","result":"succeeded"},
        {"requestId":7,"result":"canceled"}"#;

    #[test]
    fn jobs_wait_until_an_agent_receives_them_and_demands_filter_them() {
        assert_eq!(count(REQUESTS, &[]), Found::Value(4.0));
        assert_eq!(count(REQUESTS, &["docker"]), Found::Value(3.0));
        assert_eq!(count(REQUESTS, &["docker", "java"]), Found::Value(4.0));
        assert_eq!(count(REQUESTS, &["gpu"]), Found::Value(2.0));
        assert_eq!(count("", &[]), Found::Value(0.0));
        let many = vec![r#"{"requestId":1}"#; REQUESTS_MAX].join(",");
        assert_eq!(count(&many, &[]), Found::AtLeast(250.0));
    }
}
