//! The track strategy: keeps a metric near its target, as the Horizontal Pod Autoscaler of Kubernetes does.
//!
//! Source: Kubernetes documentation, "Horizontal Pod Autoscaling", section "Algorithm details" (read November 2026):
//! wanted = ⌈nodes × value ÷ target⌉, nothing within the tolerance of a ratio of 1; what is missing counts as the target
//! when the ratio says to shrink and as nothing when it says to grow; what is not ready yet counts as nothing when it says
//! to grow; and when the ratio so found says the opposite, or lies within the tolerance, the count stays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::Need;
use super::complaint::Complaint;
use super::source::{Source, metric_missing};
use crate::base::{Nodes, Span};
use crate::decision::{Reason, Snapshot, TrackAsk, Unsampled};
use crate::signal::{Metric, Series};

/// A metric that is kept near a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Track {
    /// The metric, an average over the nodes, such as `$CPUPercent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// A query of another source than the pool's samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Where the metric comes from; the pool's samples when left out.
    #[serde(default)]
    pub source: Source,
    /// The value that is aimed at, in the metric's own unit.
    pub target: f64,
    /// How far the ratio of value and target may be from 1 before anything is done; 0.1 when left out.
    #[serde(default = "tolerance")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub tolerance: f64,
    /// The time over which the metric is averaged, back from its newest sample; 2m when left out.
    #[serde(default = "window")]
    pub window: Span,
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
        let mut complaints: Vec<_> = self.source.complaint("source").into_iter().collect();
        if complaints.is_empty() && self.query.is_some() {
            complaints.extend(Source::Prometheus.complaint("query"));
        }
        if complaints.is_empty() && self.metric.is_none() {
            complaints.push(metric_missing());
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

    /// Returns the need.
    ///
    /// # Errors
    /// When the metric has no sample.
    pub fn need(&self, snapshot: &Snapshot<'_>) -> Result<Need, Reason> {
        let metric = self
            .metric
            .expect("a policy without a metric to track is refused");
        let seen = snapshot
            .history
            .get(metric)
            .and_then(|series| self.seen(series, snapshot));
        let Some((sum, present, possible)) = seen else {
            return Err(Reason::Unsampled(Unsampled {
                strategy: "track".to_owned(),
                metric: metric.name().to_owned(),
            }));
        };
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
        Ok(Need {
            nodes: wanted,
            reason: Reason::Track(TrackAsk {
                metric: metric.name().to_owned(),
                value,
                target: self.target,
                tolerance: self.tolerance,
                ready: load.ready,
                starting: load.starting,
                present,
                possible,
                wanted,
            }),
        })
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
        Track {
            metric: Some(Metric::CpuPercent),
            query: None,
            source: Source::Samples,
            target: 50.0,
            tolerance: tolerance(),
            window: window(),
        }
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
