//! The guards that never let missing knowledge, or a mode, take nodes away.

use super::{Bounds, MissingGuard};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::decision::{Decision, Reason, Stage};
use crate::signal::{History, Metric};

impl Default for MissingGuard {
    /// Stale after 3 minutes: a sample reaches formulas about one minute after it was taken and the next one 30 seconds
    /// later, so that three more must be missing. Thin below half of 10 minutes: a new pool waits some five minutes
    /// before it may shrink, and the 70 % that the documentation's samples ask for leave room for the delay and a gap.
    fn default() -> Self {
        Self {
            minded: true,
            stale_after: Span::minutes(3),
            enough_percent: 50.0,
            within: Span::minutes(10),
        }
    }
}

impl MissingGuard {
    /// Returns why no nodes may be taken away on the samples of these metrics; `None` when they are new and many enough.
    pub fn objection(&self, now: Timestamp, metrics: &[Metric], history: &History) -> Option<Reason> {
        if !self.minded {
            return None;
        }
        metrics
            .iter()
            .find_map(|metric| self.objection_to(now, *metric, history))
    }

    fn objection_to(&self, now: Timestamp, metric: Metric, history: &History) -> Option<Reason> {
        let series = history.get(metric);
        let newest = series.and_then(crate::signal::Series::newest);
        let (Some(series), Some(newest)) = (series, newest) else {
            return Some(self.stale(metric, None));
        };
        if now.since(newest) >= self.stale_after {
            return Some(self.stale(metric, Some(newest)));
        }
        let window = series.window(now, Span::ZERO, self.within);
        (window.percent() < self.enough_percent).then(|| Reason::ThinSamples {
            metric: metric.name().to_owned(),
            present: u32::try_from(window.values.len()).unwrap_or(u32::MAX),
            possible: window.possible,
            enough_percent: self.enough_percent,
        })
    }

    fn stale(&self, metric: Metric, newest: Option<Timestamp>) -> Reason {
        Reason::StaleSamples {
            metric: metric.name().to_owned(),
            newest,
            stale_after: self.stale_after,
        }
    }
}

/// Takes back what the chain would take away, with a reason; a chain that takes nothing away gets no step.
///
/// Growth of the other lane is cut where both together would leave the total bound, spot first.
pub(super) fn keep_nodes(bounds: &Bounds, decision: &mut Decision, reason: Reason) {
    let kept = keep(decision.start, decision.outcome(), bounds.total.max);
    if kept != decision.outcome() {
        decision.step(Stage::Restrain, kept, reason);
    }
}

fn keep(from: Mix, to: Mix, total_max: Nodes) -> Mix {
    if Lane::ALL.iter().all(|lane| to.get(*lane) >= from.get(*lane)) {
        return to;
    }
    let total_max = total_max.max(from.total());
    let mut kept = Mix {
        dedicated: from.dedicated.max(to.dedicated),
        spot: from.spot.max(to.spot),
    };
    for lane in [Lane::Spot, Lane::Dedicated] {
        let excess = kept.total().saturating_sub(total_max);
        let growth = kept.get(lane).saturating_sub(from.get(lane));
        kept = kept.with(lane, kept.get(lane).saturating_sub(excess.min(growth)));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Series;

    #[test]
    fn what_is_there_stays_and_growth_ends_at_the_total() {
        let max = Nodes(20);
        for (from, to, expected) in [
            (Mix::new(5, 5), Mix::new(3, 2), Mix::new(5, 5)),
            (Mix::new(5, 5), Mix::new(8, 2), Mix::new(8, 5)),
            (Mix::new(10, 10), Mix::new(20, 0), Mix::new(10, 10)),
            (Mix::new(2, 16), Mix::new(9, 0), Mix::new(4, 16)),
            (Mix::new(30, 0), Mix::new(10, 10), Mix::new(30, 0)),
            (Mix::new(1, 1), Mix::new(4, 4), Mix::new(4, 4)),
        ] {
            assert_eq!(keep(from, to, max), expected, "{from} to {to}");
        }
    }

    fn objection(samples: &[Option<f64>], ago: Span) -> Option<&'static str> {
        let now = Timestamp::from_unix_seconds(1_000_000);
        let mut series = Series::new(now - ago, Span::SAMPLE_PERIOD);
        for sample in samples {
            series.push(*sample).unwrap();
        }
        let mut history = History::new();
        history.insert(Metric::PendingTasks, series);
        MissingGuard::default()
            .objection(now, &[Metric::PendingTasks], &history)
            .map(|reason| reason.code())
    }

    #[test]
    fn old_few_and_no_samples_are_told_apart() {
        let complete = [Some(1.0); 18];
        let gappy: Vec<_> = (0..18).map(|i| (i % 3 == 0).then_some(1.0)).collect();
        assert_eq!(objection(&complete, Span::minutes(10)), None);
        assert_eq!(objection(&gappy, Span::minutes(10)), Some("thinSamples"));
        assert_eq!(objection(&complete, Span::minutes(13)), Some("staleSamples"));
        assert_eq!(objection(&[], Span::minutes(10)), Some("staleSamples"));
    }
}
