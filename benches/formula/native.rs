//! The benchmark formula as a person would write it in Rust, over the same windows of the same samples. Both versions add
//! up the samples of their window one by one.

use lowtide::base::{Mix, Nodes, Span, Timestamp};
use lowtide::signal::{Series, Window};

/// Computes both targets; windows are found by the index of the engine's own series.
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
    decided(tasks, target)
}

/// Computes the same from samples in the order of their time, gaps left out: two binary searches for each window.
pub(crate) fn targets_by_search(samples: &[(Timestamp, f64)], now: Timestamp, target: Mix) -> Mix {
    let window = || {
        let first = samples.partition_point(|(taken, _)| *taken <= now - Span::minutes(15));
        let end = samples.partition_point(|(taken, _)| *taken <= now);
        &samples[first..end]
    };
    let last = samples.last().map_or(0.0, |(_, value)| *value);
    let possible = Window::possible(Span::minutes(15), Span::SAMPLE_PERIOD);
    let tasks = if Window::share(window().len(), possible) < 70.0 {
        last.max(0.0)
    } else {
        let window = window();
        let sum: f64 = window.iter().rev().map(|(_, value)| value).sum();
        last.max(sum / window.len() as f64)
    };
    decided(tasks, target)
}

fn decided(tasks: f64, target: Mix) -> Mix {
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
