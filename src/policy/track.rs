//! The track strategy: keeps a metric near its target, as the Horizontal Pod Autoscaler of Kubernetes does.
//!
//! Source: Kubernetes documentation, "Horizontal Pod Autoscaling", section "Algorithm details" (read November 2026):
//! wanted = ⌈nodes × value ÷ target⌉, nothing within the tolerance of a ratio of 1; what is missing counts as the target
//! when the ratio says to shrink and as nothing when it says to grow; what is not ready yet counts as nothing when it says
//! to grow; and when the ratio so found says the opposite, or lies within the tolerance, the count stays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::{Answer, Ask, Need};
use super::complaint::Complaint;
use super::outside::Heard;
use super::source::{Jobs, Messages, Source, Told, WhenMissing, is_usual, outside_only};
use crate::base::{Nodes, Span};
use crate::decision::{Aged, Reason, Snapshot, TrackAsk, Unsampled};
use crate::signal::{Metric, Series};

/// A metric that is kept near a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Track {
    /// The metric, an average over the nodes, such as `$CPUPercent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// The query whose result is tracked, for Prometheus; `{pool}` stands for the id of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The name of the file or command that tells the number; `{pool}` stands for the id of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the metric comes from; the pool's samples when left out.
    #[serde(default)]
    pub source: Source,
    /// Which endpoint of the source is asked, by the name it has in the file of sources; `default` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The value that is aimed at, in the metric's own unit.
    pub target: f64,
    /// How far the ratio of value and target may be from 1 before anything is done; 0.1 when left out.
    #[serde(default = "tolerance")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub tolerance: f64,
    /// The time over which samples of the pool are averaged, back from the newest one; 2m when left out. A query averages itself.
    #[serde(default = "window")]
    pub window: Span,
    /// The age from which the number is stale; 3m when left out. For sources outside of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Span>,
    /// What is done while the number is missing or stale; hold when left out. For sources outside of the pool.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub missing: WhenMissing,
}

/// `--horizontal-pod-autoscaler-tolerance`, default 0.1.
fn tolerance() -> f64 {
    0.1
}

/// Four samples: one that is off does not decide alone.
fn window() -> Span {
    Span::minutes(2)
}

/// A longer average would follow the load of another hour.
const WINDOW_MAX: Span = Span::hours(1);

impl Track {
    /// Returns what cannot be meant.
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = self.told().complaints();
        if matches!(
            self.source,
            Source::StorageQueue | Source::AzureDevOps | Source::GitHub
        ) {
            let message = format!(
                "`{}` counts what waits, which more nodes work off and do not keep near a target",
                self.source.word()
            );
            let help = "take the strategy `queue` for it, or a query of Prometheus here";
            complaints.push(Complaint::new(&["source"], message, help));
        }
        if self.source == Source::Samples {
            let settings = [
                ("staleAfter", self.stale_after.is_some()),
                ("missing", !is_usual(&self.missing)),
            ];
            let help = "leave it out: `guards: { missing: … }` speaks of the age of samples";
            complaints.extend(outside_only(&settings, help));
        }
        if !self.target.is_finite() || self.target <= 0.0 {
            let message = format!("a target of {} cannot be kept near", self.target);
            complaints.push(Complaint::new(&["target"], message, "take a number above 0"));
        }
        if self.window < Span::SAMPLE_PERIOD || self.window > WINDOW_MAX {
            let message = format!("the metric cannot be averaged over {}", self.window.in_short());
            let help = "take 30s to 1h; samples are 30 seconds apart";
            complaints.push(Complaint::new(&["window"], message, help));
        }
        complaints
    }

    pub(super) fn told(&self) -> Told<'_> {
        Told {
            source: self.source,
            has_metric: self.metric.is_some(),
            name: self.name.as_deref(),
            query: self.query.as_deref(),
            endpoint: self.endpoint.as_deref(),
            messages: Messages::All,
            jobs: Jobs::All,
            demands: &[],
            labels: &[],
            stale_after: self.stale_after,
            missing: self.missing,
        }
    }

    /// Returns what it asks for.
    ///
    /// # Errors
    /// When nothing is known of the number.
    pub(super) fn ask(&self, snapshot: &Snapshot<'_>) -> Result<Answer, Reason> {
        let Some(outside) = self.outside() else {
            return self.need(snapshot).map(Answer::from);
        };
        let (value, age, caveat) = match outside.hear("track", snapshot) {
            Heard::Number { value, age, caveat } => (value, age, caveat),
            Heard::Nothing(why) => return Err(why),
            Heard::Ignored(why) => return Ok(Answer::Ignored(why)),
            Heard::Floor(nodes, why) => {
                let reason = why.clone();
                return Ok(Answer::Asks(Ask::Need(Need { nodes, reason }), Some(why)));
            }
        };
        let signal = outside.query.for_pool(snapshot.pool.id.as_str()).id();
        let aged = Aged {
            age,
            stale_after: outside.stale_after,
        };
        let need = self.aim(signal.as_str(), (value, 1, 1), Some(aged), snapshot);
        Ok(Answer::Asks(Ask::Need(need), caveat))
    }

    /// Returns the need by a metric of the pool.
    fn need(&self, snapshot: &Snapshot<'_>) -> Result<Need, Reason> {
        let metric = self
            .metric
            .expect("a policy without a metric to track is refused");
        let seen = snapshot
            .history
            .get(metric)
            .and_then(|series| self.seen(series, snapshot));
        let seen = seen.ok_or_else(|| {
            Reason::Unsampled(Unsampled {
                strategy: "track".to_owned(),
                metric: metric.name().to_owned(),
            })
        })?;
        Ok(self.aim(metric.name(), seen, None, snapshot))
    }

    /// Brings a sum over so many of so many possible samples near the target.
    fn aim(
        &self,
        name: &str,
        (sum, present, possible): (f64, u32, u32),
        aged: Option<Aged>,
        snapshot: &Snapshot<'_>,
    ) -> Need {
        let nodes = &snapshot.pool.nodes;
        let value = sum / f64::from(present);
        let load = Load {
            sum,
            present,
            possible,
            ready: nodes.usable,
            starting: nodes.starting,
        };
        let wanted = self.wanted(&load);
        Need {
            nodes: wanted,
            reason: Reason::Track(TrackAsk {
                metric: name.to_owned(),
                value,
                target: self.target,
                tolerance: self.tolerance,
                ready: load.ready,
                starting: load.starting,
                present,
                possible,
                wanted,
                aged,
            }),
        }
    }

    /// The sum of the samples in the window, how many there are and how many there could be.
    fn seen(&self, series: &Series, snapshot: &Snapshot<'_>) -> Option<(f64, u32, u32)> {
        // A sample is a minute old when it arrives: those that cannot be here yet are not missing.
        let age = snapshot.now.since(series.newest()?);
        let window = series.window(snapshot.now, age, age + self.window);
        let present = u32::try_from(window.values.len()).unwrap_or(u32::MAX);
        (present > 0).then(|| (window.values.iter().sum(), present, window.possible.max(present)))
    }

    fn wanted(&self, load: &Load) -> Nodes {
        let there = load.ready + load.starting;
        let ratio = load.sum / f64::from(load.present) / self.target;
        if there == Nodes::ZERO {
            // Nothing times anything is nothing: the ratio itself is the only way up, as nomad-autoscaler does it.
            return Nodes::ceil(ratio);
        }
        if self.is_near(ratio) {
            return there;
        }
        let missing = f64::from(load.possible - load.present);
        let (filled, nodes) = if ratio < 1.0 {
            (missing * self.target, load.ready)
        } else {
            (0.0, there)
        };
        let mean = (load.sum + filled) / f64::from(load.possible);
        let sure = mean / self.target * load.ready.as_f64() / nodes.as_f64();
        let turned = (sure < 1.0) != (ratio < 1.0);
        if turned || self.is_near(sure) || nodes == Nodes::ZERO {
            return there;
        }
        // Nodes on their way are as good as there when nodes are taken away, too.
        Nodes::ceil(sure * nodes.as_f64())
    }

    fn is_near(&self, ratio: f64) -> bool {
        // As the controller compares, both ends included: 1.1 is within 0.1, whatever 1.1 - 1 is in binary.
        (1.0 - self.tolerance..=1.0 + self.tolerance).contains(&ratio)
    }
}

/// What is measured, over how many nodes.
struct Load {
    sum: f64,
    present: u32,
    possible: u32,
    ready: Nodes,
    starting: Nodes,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track() -> Track {
        serde_json::from_value(serde_json::json!({ "metric": "$CPUPercent", "target": 50.0 })).unwrap()
    }

    /// Checks four samples of a value, some of them missing, over ready and starting nodes.
    fn check(value: f64, missing: u32, ready: u32, starting: u32, wanted: u32) {
        let present = 4 - missing;
        let load = Load {
            sum: value * f64::from(present),
            present,
            possible: 4,
            ready: Nodes(ready),
            starting: Nodes(starting),
        };
        assert_eq!(
            track().wanted(&load),
            Nodes(wanted),
            "{value} on {ready} + {starting}, {missing} missing"
        );
    }

    #[test]
    fn the_count_follows_the_ratio() {
        // The documentation's own: 200m against 100m doubles, 50m against 100m halves.
        check(100.0, 0, 4, 0, 8);
        check(25.0, 0, 4, 0, 2);
        check(60.0, 0, 10, 0, 12);
        check(55.0, 0, 10, 0, 10);
        check(45.1, 0, 10, 0, 10);
        check(44.0, 0, 10, 0, 9);
    }

    #[test]
    fn what_is_missing_makes_a_step_smaller_and_never_turns_it() {
        // A quarter of the samples is missing: 75 of 50 is 1.5, with nothing in its place 1.125.
        check(75.0, 1, 8, 0, 9);
        // 60 of 50 is 1.2, and with nothing in the missing one's place 0.9: the count stays.
        check(60.0, 1, 10, 0, 10);
        // 20 of 50 is 0.4, and with the target in the missing one's place 0.55.
        check(20.0, 1, 10, 0, 6);
        check(40.0, 2, 10, 0, 10);
    }

    #[test]
    fn nodes_that_start_count_as_idle_when_the_pool_grows() {
        // 4 ready nodes at 100 and 2 that start: (4 × 100 + 2 × 0) ÷ 6 is 67, and 67 ÷ 50 × 6 is 8.
        check(100.0, 0, 4, 2, 8);
        // With 4 that start the mean is the target.
        check(100.0, 0, 4, 4, 8);
        check(25.0, 0, 4, 2, 2);
    }

    #[test]
    fn from_nothing_the_ratio_itself_is_the_count() {
        check(120.0, 0, 0, 0, 3);
        check(0.0, 0, 0, 0, 0);
        // Nodes are on their way and none is ready: wait for them.
        check(120.0, 0, 0, 3, 3);
    }
}
