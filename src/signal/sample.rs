//! One measured value as a world tells it.

use super::Metric;
use crate::base::Timestamp;

/// A value of a metric and when it was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// What was measured.
    pub metric: Metric,
    /// When.
    pub taken: Timestamp,
    /// How much.
    pub value: f64,
}
