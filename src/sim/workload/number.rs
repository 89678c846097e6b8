//! Numbers of job logs: seconds and cores, where a negative one means unknown.

use crate::base::Span;

/// 100 years: no log lasts longer, and later arithmetic stays far from the ends of the calendar.
const SECONDS_MAX: f64 = 100.0 * 365.25 * 86_400.0;

/// A million cores: more than any machine of the archive.
const CORES_MAX: f64 = 1e6;

/// Reads seconds; negative is unknown, and anything but a number in range is an error.
pub(super) fn seconds(word: &str) -> Result<Option<Span>, ()> {
    number(word, SECONDS_MAX).map(|seconds| seconds.map(Span::from_seconds))
}

/// Reads a count of cores; zero and negative are unknown.
pub(super) fn cores(word: &str) -> Result<Option<u32>, ()> {
    number(word, CORES_MAX).map(|cores| cores.map(|cores| cores.ceil() as u32).filter(|cores| *cores > 0))
}

fn number(word: &str, most: f64) -> Result<Option<f64>, ()> {
    match word.parse::<f64>() {
        Ok(number) if number.abs() <= most => Ok((number >= 0.0).then_some(number)),
        _ => Err(()),
    }
}
