//! Samples and windows: what was measured, when, and what never arrived.
//!
//! A [`Series`] keeps the samples of one metric on the fixed grid of the Batch service with its gaps; a [`History`]
//! keeps one series for each metric of a pool.

mod history;
mod metric;
mod sample;
mod series;
mod shorthand;

pub use history::History;
pub use metric::Metric;
pub use sample::Sample;
pub use series::{Series, SeriesFull, Window, as_number};
pub use shorthand::{ShorthandError, parse_shorthand};
