//! The guard that never lets missing knowledge take nodes away.

use super::MissingGuard;
use crate::base::{Span, Timestamp};
use crate::decision::Reason;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Series;

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
