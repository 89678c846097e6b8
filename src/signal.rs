//! Samples and windows: what was measured, when, and what never arrived.
//!
//! A [`Series`] keeps the samples of one metric on the fixed grid of the Batch service with its gaps; a [`History`]
//! keeps one series for each metric of a pool. A [`Reading`] is what a source outside of the account says at one moment.

mod history;
mod metric;
mod query;
mod reading;
mod sample;
mod series;
mod shorthand;

pub use history::History;
pub use metric::Metric;
pub use query::{Asked, SignalQuery};
pub use reading::{Found, Lack, Reading, SignalId};
pub use sample::Sample;
pub use series::{Series, SeriesFull, Window, as_number};
pub use shorthand::{ShorthandError, parse_shorthand};
