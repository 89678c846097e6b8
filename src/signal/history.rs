//! The sampled past of one pool: a series for each metric that has ever had a sample.

use super::{Metric, Series, SeriesFull};
use crate::base::{Span, Timestamp};

/// One series for each metric of a pool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    series: Vec<(Metric, Series)>,
}

impl History {
    /// Returns a history without samples.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the series of a metric; `None` means that no sample has ever arrived.
    #[inline]
    pub fn get(&self, metric: Metric) -> Option<&Series> {
        self.series
            .iter()
            .find(|(other, _)| *other == metric)
            .map(|(_, series)| series)
    }

    /// Puts a whole series in the place of a metric's samples.
    pub fn insert(&mut self, metric: Metric, series: Series) {
        match self.series.binary_search_by_key(&metric, |(other, _)| *other) {
            Ok(at) => self.series[at].1 = series,
            Err(at) => self.series.insert(at, (metric, series)),
        }
    }

    /// Adds one sample by its time, on a 30-second grid that the metric's first sample starts.
    ///
    /// Returns whether it was taken; see [`Series::record`].
    pub fn record(&mut self, metric: Metric, taken: Timestamp, sample: f64) -> Result<bool, SeriesFull> {
        let at = match self.series.binary_search_by_key(&metric, |(other, _)| *other) {
            Ok(at) => at,
            Err(at) => {
                self.series
                    .insert(at, (metric, Series::new(taken, Span::SAMPLE_PERIOD)));
                at
            }
        };
        self.series[at].1.record(taken, sample)
    }

    /// Forgets what was taken before `keep_from`; see [`Series::forget_before`].
    pub fn forget_before(&mut self, keep_from: Timestamp) {
        self.series
            .iter_mut()
            .for_each(|(_, series)| series.forget_before(keep_from));
    }

    /// Forgets the samples of each metric that are so much older than its newest one: one that comes no more stays as it is.
    pub fn keep(&mut self, span: Span) {
        for (_, series) in &mut self.series {
            if let Some(newest) = series.newest() {
                series.forget_before(newest - span);
            }
        }
    }

    /// Returns the metrics that have samples, with their series, in the order of [`Metric::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Metric, &Series)> {
        self.series.iter().map(|(metric, series)| (*metric, series))
    }
}
