//! The past of a pool's metrics out of Prometheus: what formulas look back on when the program starts without a memory.

use std::collections::BTreeMap;

use super::asking::Way;
use super::prometheus::{POINTS_MAX, Prometheus};
use crate::base::{Span, Timestamp};
use crate::signal::Sample;
use crate::world::WantedPast;

/// Returns the samples that the servers have of a pool's metrics, each metric's oldest first; what cannot be had is a gap.
pub(super) async fn tell(
    way: &Way,
    servers: &BTreeMap<String, Prometheus>,
    wanted: &WantedPast<'_>,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    for metric in wanted.metrics {
        let query = servers.values().find_map(|server| {
            let (_, query) = server.history.iter().find(|(other, _)| other == metric)?;
            Some((server, query.replace("{pool}", wanted.pool.as_str())))
        });
        let Some((server, query)) = query else { continue };
        for stretch in stretches(wanted.from, wanted.to) {
            let points = match server.range(way, &query, stretch).await {
                Ok(points) => points,
                Err(why) => {
                    tracing::warn!(pool = %wanted.pool, %metric, %why, "a stretch of the past is not known");
                    continue;
                }
            };
            samples.extend(points.into_iter().map(|(taken, value)| Sample {
                metric: *metric,
                taken,
                value,
            }));
        }
    }
    samples
}

/// Cuts a time into pieces of so many points as one answer may have, on the grid of the samples, oldest first.
fn stretches(from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let step = Span::SAMPLE_PERIOD;
    let on_grid = |at: Timestamp| Timestamp::from_ticks(at.ticks().div_euclid(step.ticks()) * step.ticks());
    let (mut start, end) = (on_grid(from) + step, on_grid(to));
    let mut stretches = Vec::new();
    while start <= end {
        let stop = (start + step * (POINTS_MAX - 1)).min(end);
        stretches.push((start, stop));
        start = stop + step;
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_is_asked_for_in_pieces_without_gap_or_overlap() {
        let to = Timestamp::from_unix_seconds(1_800_000_017);
        let pieces = stretches(to - Span::days(7), to);
        assert_eq!(pieces.len(), 3);
        for (start, stop) in &pieces {
            assert!(stop.since(*start) / Span::SAMPLE_PERIOD < POINTS_MAX as f64);
        }
        for pair in pieces.windows(2) {
            assert_eq!(pair[1].0.since(pair[0].1), Span::SAMPLE_PERIOD);
        }
        assert_eq!(pieces[2].1, Timestamp::from_unix_seconds(1_800_000_000));
        assert!(stretches(to, to - Span::hours(1)).is_empty());
    }
}
