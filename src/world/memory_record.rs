//! What the engine remembers, as the ledger keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{PoolRecord, SampleRun, SampleRuns, SamplesRecord, Values};
use crate::base::{Mix, Span, Timestamp};
use crate::decision::{BrokenNodes, GuardMemory, Memory, OurOrders, PoolMemory, SignalMemory, SpotMemory};
use crate::signal::{History, Series};
use crate::sizing::Learned;

/// The memory of an engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemoryRecord(Vec<PoolMemoryRecord>);

/// What is remembered of one pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoolMemoryRecord {
    seen_at: Timestamp,
    pool: PoolRecord,
    samples: SamplesRecord,
    #[serde(default, skip_serializing_if = "SignalMemory::is_empty")]
    signals: SignalMemory,
    #[serde(default)]
    guards: GuardMemory,
    #[serde(default, skip_serializing_if = "is_blank")]
    learned: Learned,
    #[serde(default, skip_serializing_if = "is_unseen")]
    spot: SpotMemory,
    #[serde(default, skip_serializing_if = "is_usual")]
    ours: OurOrders,
    #[serde(default, skip_serializing_if = "is_usual")]
    broken: BrokenNodes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<Mix>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
}

impl From<&Memory> for MemoryRecord {
    fn from(memory: &Memory) -> Self {
        let pools = memory.pools.values().map(|pool| PoolMemoryRecord {
            seen_at: pool.seen_at,
            pool: PoolRecord::from(&pool.last_seen),
            samples: whole(&pool.history),
            signals: pool.signals.clone(),
            guards: pool.guards.clone(),
            learned: pool.learned.clone(),
            spot: pool.spot.clone(),
            ours: pool.ours.clone(),
            broken: pool.broken.clone(),
            asked: pool.asked,
            gone: pool.gone,
        });
        Self(pools.collect())
    }
}

impl MemoryRecord {
    /// Returns the memory.
    ///
    /// # Errors
    /// When a part of it cannot be what an engine remembered.
    pub fn memory(&self) -> Result<Memory, String> {
        let mut pools = BTreeMap::new();
        for record in &self.0 {
            let id = record.pool.id.clone().ok_or("a remembered pool has no id")?;
            let mut history = History::new();
            for (metric, runs) in &record.samples.0 {
                let series = runs.series(Span::SAMPLE_PERIOD);
                if let Some(series) = series.map_err(|(_, _, why)| format!("{metric}: {why}"))? {
                    history.insert(*metric, series);
                }
            }
            let remembered = PoolMemory {
                seen_at: record.seen_at,
                last_seen: record.pool.state(id.clone()),
                history,
                signals: record.signals.clone(),
                guards: record.guards.clone(),
                learned: record.learned.clone(),
                spot: record.spot.clone(),
                ours: record.ours.clone(),
                broken: record.broken.clone(),
                asked: record.asked,
                gone: record.gone,
            };
            pools.insert(id, remembered);
        }
        Ok(Memory { pools })
    }
}

/// Says whether a part of a memory need not be written.
fn is_usual<T: Default + PartialEq>(part: &T) -> bool {
    *part == T::default()
}

fn is_blank(learned: &Learned) -> bool {
    *learned == Learned::default()
}

fn is_unseen(spot: &SpotMemory) -> bool {
    *spot == SpotMemory::default()
}

/// Returns every slot of every series, gaps included, so that reading gives the same series again.
fn whole(history: &History) -> SamplesRecord {
    let runs = history.iter().map(|(metric, series)| {
        let run = SampleRun {
            start: series.taken(0),
            values: Values::Short(short(series)),
        };
        (metric, SampleRuns::One(run))
    });
    SamplesRecord(runs.collect())
}

/// Returns the samples of a series in short, gaps included.
pub fn short(series: &Series) -> String {
    let slots = (0..series.slots()).map(|slot| series.get(slot));
    let mut words: Vec<(Option<f64>, usize)> = Vec::new();
    for value in slots {
        match words.last_mut() {
            Some((last, count)) if last.map(f64::to_bits) == value.map(f64::to_bits) => *count += 1,
            _ => words.push((value, 1)),
        }
    }
    let words: Vec<String> = words
        .into_iter()
        .map(|(value, count)| {
            let value = value.map_or_else(|| "_".to_owned(), |value| value.to_string());
            if count == 1 {
                value
            } else {
                format!("{value}x{count}")
            }
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::PoolState;
    use crate::signal::{Metric, Sample};

    #[test]
    fn a_memory_comes_back_as_it_was() {
        let mut memory = Memory::default();
        let pool = PoolState::new("farm".parse().unwrap());
        let at = |second| Timestamp::from_unix_seconds(second);
        let samples = [(0, 1.5), (30, 1.5), (120, -2.5), (121, 7.0)].map(|(second, value)| Sample {
            metric: Metric::PendingTasks,
            taken: at(second),
            value,
        });
        memory.absorb(at(150), &pool, &samples, None);
        let mut grown = pool.clone();
        grown.target = Mix::new(2, 3);
        memory.absorb(at(180), &grown, &[], None);
        let text = serde_json::to_string(&MemoryRecord::from(&memory)).unwrap();
        assert!(text.contains(r#""values":"1.5x2 _x2 -2.5""#), "{text}");
        let record: MemoryRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(record.memory().unwrap(), memory);
    }
}
