//! What a sidecar exported, asked back from a Prometheus that scrapes it: the past of a pool that the ledger no longer has.
//!
//! A gauge is taken from the instance that led at that moment, for a standby goes on exporting what it last knew.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_http_query::response::RangeVector;

use super::PrometheusFile;
use super::asking::{Environment, Way, identity};
use super::prometheus::Prometheus;
use crate::account::PoolId;
use crate::azure::Clock;
use crate::azure::transport::http_client;
use crate::base::{Span, Timestamp};

/// A server that has what a sidecar exported.
pub struct Exported {
    way: Way,
    server: Prometheus,
    /// `,job="west"`: what else its series are told by.
    labels: String,
}

/// What was exported of a pool at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastPoint {
    /// Dedicated and spot nodes that were there; preempted ones are among them.
    pub current: [Option<f64>; 2],
    /// Dedicated and spot nodes where the decision ended.
    pub outcome: [Option<f64>; 2],
    /// Nodes that were asked for, both lanes together, before quotas, bounds and guards.
    pub asked: Option<f64>,
    /// Spot nodes that were taken away.
    pub preempted: Option<f64>,
    /// Tasks that waited.
    pub waiting: Option<f64>,
    /// Tasks that ran.
    pub running: Option<f64>,
    /// What an hour cost, in dollars.
    pub cost_hourly: Option<f64>,
}

/// Counters move at each look: over less than this, some steps would have seen none.
const RATE_LEAST: Span = Span::minutes(5);

impl Exported {
    /// Prepares a server; nothing is asked yet. `labels` are those that its series have beside the sidecar's own, and `authorities`
    /// certificates that are trusted besides the system's, as PEM.
    ///
    /// # Errors
    /// Why it cannot be asked as it stands.
    pub fn new(
        file: &PrometheusFile,
        labels: &BTreeMap<String, String>,
        environment: Environment,
        authorities: Option<&[u8]>,
    ) -> Result<Self, String> {
        let server = Prometheus::new(file, |scope| {
            identity(&file.url, scope, authorities, &environment)
        })?;
        let http = http_client(authorities, true).map_err(|fault| fault.to_string())?;
        let mut told = String::new();
        for (name, value) in labels {
            told += &format!(",{name}={}", quoted(value));
        }
        Ok(Self {
            way: Way {
                http,
                clock: Clock::system(),
                environment,
            },
            server,
            labels: told,
        })
    }

    /// Returns what was exported of a pool from one moment to another, both included, at each step; moments at which nothing was are
    /// left out.
    ///
    /// # Errors
    /// What the server says, or why it cannot be asked.
    pub async fn past(
        &self,
        pool: &PoolId,
        frame: (Timestamp, Timestamp, Span),
    ) -> Result<BTreeMap<Timestamp, PastPoint>, String> {
        let queries = self.queries(pool, frame.2);
        let [stages, preempted, tasks, cost] = queries.each_ref().map(|query| self.ask(query, frame));
        let (stages, preempted, tasks, cost) = tokio::try_join!(stages, preempted, tasks, cost)?;
        let mut past = BTreeMap::new();
        for series in &stages {
            let lane = usize::from(label(series, "class") == "spot");
            let stage = label(series, "stage").to_owned();
            each(&mut past, series, |point, nodes| {
                point.staged(&stage, lane, nodes);
            });
        }
        for series in &preempted {
            each(&mut past, series, |point, nodes| point.preempted = Some(nodes));
        }
        for series in &tasks {
            let waits = label(series, "state") == "waiting";
            each(&mut past, series, |point, tasks| {
                let place = if waits {
                    &mut point.waiting
                } else {
                    &mut point.running
                };
                *place = Some(tasks);
            });
        }
        for series in &cost {
            each(&mut past, series, |point, dollars| {
                point.cost_hourly = Some(dollars);
            });
        }
        // A rate reaches a little into the time before and behind: it tells of no moment by itself.
        past.retain(|_, point| point.current.iter().any(Option::is_some));
        Ok(past)
    }

    async fn ask(
        &self,
        query: &str,
        frame: (Timestamp, Timestamp, Span),
    ) -> Result<Vec<RangeVector>, String> {
        self.server.ranges(&self.way, query, frame, None).await
    }

    /// Returns the queries: targets by stage, spot nodes that were taken away, tasks, and what an hour cost.
    fn queries(&self, pool: &PoolId, step: Span) -> [String; 4] {
        let (pool, labels) = (quoted(pool.as_str()), &self.labels);
        let of = |metric: &str, more: &str| format!("{metric}{{pool={pool}{labels}{more}}}");
        let plain = labels.trim_start_matches(',');
        let leads = format!("and on (job, instance) (lowtide_leader{{{plain}}} == 1)");
        let stages = of("lowtide_target_nodes", ",stage=~\"current|split|outcome\"");
        let window = step.max(RATE_LEAST).as_seconds();
        [
            format!("max by (class, stage) ({stages} {leads})"),
            format!(
                "sum(max by (class) ({} {leads}))",
                of("lowtide_nodes", ",state=\"preempted\"")
            ),
            format!("max by (state) ({} {leads})", of("lowtide_tasks", "")),
            format!(
                "3600 * sum(rate({}[{window}s]))",
                of("lowtide_cost_usd_total", "")
            ),
        ]
    }
}

impl PastPoint {
    fn staged(&mut self, stage: &str, lane: usize, nodes: f64) {
        match stage {
            "current" => self.current[lane] = Some(nodes),
            "outcome" => self.outcome[lane] = Some(nodes),
            "split" => *self.asked.get_or_insert(0.0) += nodes,
            _ => {}
        }
    }
}

fn label<'a>(series: &'a RangeVector, name: &str) -> &'a str {
    series.metric().get(name).map_or("", String::as_str)
}

/// Calls with each point of a series that is a number, and the moment that it belongs to.
fn each(
    past: &mut BTreeMap<Timestamp, PastPoint>,
    series: &RangeVector,
    mut with: impl FnMut(&mut PastPoint, f64),
) {
    let numbers = series
        .samples()
        .iter()
        .filter(|sample| sample.value().is_finite());
    for sample in numbers {
        let at = Timestamp::from_unix_seconds(0) + Span::from_seconds(sample.timestamp());
        with(past.entry(at).or_default(), sample.value());
    }
}

/// Returns a text as the query language writes it.
fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}

impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exported")
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::PassFile;

    #[test]
    fn queries_name_the_pool_the_labels_and_whoever_led() {
        let file = PrometheusFile {
            url: "http://127.0.0.1:9090".to_owned(),
            pass: PassFile::default(),
            history: BTreeMap::new(),
        };
        let labels = [("job".to_owned(), "we\"st".to_owned())].into();
        let server = Exported::new(&file, &labels, Environment::new(|_| None), None).unwrap();
        let queries = server.queries(&"render".parse().unwrap(), Span::seconds(72));
        assert_eq!(
            queries[2],
            "max by (state) (lowtide_tasks{pool=\"render\",job=\"we\\\"st\"} and on (job, instance) \
             (lowtide_leader{job=\"we\\\"st\"} == 1))"
        );
        assert_eq!(
            queries[3],
            "3600 * sum(rate(lowtide_cost_usd_total{pool=\"render\",job=\"we\\\"st\"}[300s]))"
        );
    }
}
