//! The benchmark formula as a person would write it in Rust, over the same windows of the same series.

use lowtide::base::{Mix, Nodes, Span, Timestamp};
use lowtide::signal::Series;

/// Computes both targets.
pub(crate) fn targets(series: &Series, now: Timestamp, target: Mix) -> Mix {
    let window = series.window(now, Span::ZERO, Span::minutes(15));
    let last = series.latest(1).first().copied().unwrap_or(0.0);
    let tasks = if window.percent() < 70.0 {
        last.max(0.0)
    } else {
        let window = series.window(now, Span::ZERO, Span::minutes(15));
        let sum: f64 = window.values.iter().rev().sum();
        last.max(sum / window.values.len() as f64)
    };
    let wanted = if tasks > 0.0 {
        tasks
    } else {
        (target.dedicated.as_f64() / 2.0).max(0.0)
    };
    let dedicated = wanted.clamp(0.0, 20.0);
    let spot = (tasks * 2.0 - dedicated).clamp(0.0, 40.0);
    let nodes = |target: f64| Nodes::truncate(target).expect("finite");
    Mix {
        dedicated: nodes(dedicated),
        spot: nodes(spot),
    }
}
