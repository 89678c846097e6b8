//! What a ledger remembers of a life, held against what the engine did.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::docket::Docket;
use super::found::Law;
use super::lives::Left;
use super::plant;
use crate::decision::Memory;
use crate::world::{MemoryRecord, remember, replay};

/// Memory of one pool as its ledger line: a week of eight metrics, each sample in a few bytes, and what was learned.
const MEMORY_BYTES_MAX: usize = 3 << 20;

/// Returns what the ledger of a life remembers; nothing where it has no line.
pub(super) fn recall(docket: &Docket, left: &Left) -> Option<Memory> {
    docket.count(|tally| tally.ledger_bytes += left.ledger.len() as u64);
    if let Err(error) = replay(&left.ledger) {
        docket.find(Law::Replay, error.to_string());
    }
    let recalled = match remember(&latest_lines(&left.ledger)) {
        Ok(remembered) => {
            if let Some((line, why)) = remembered.unreadable.first() {
                docket.find(Law::Replay, format!("line {line} cannot be read: {why}"));
            }
            (!left.ledger.is_empty()).then_some(remembered.memory)
        }
        Err(error) => {
            docket.find(Law::Replay, error.to_string());
            None
        }
    };
    if let Some(recalled) = recalled.as_ref().filter(|_| left.is_whole) {
        // The last look may have been cut off, so that a pool that it does not show is not forgotten.
        let mut seen_last = recalled.clone();
        seen_last.pools.retain(|id, _| left.kept.pools.contains_key(id));
        for (id, pool) in left.kept.pools.iter().filter(|(_, pool)| pool.gone) {
            if let Some(told) = seen_last.pools.get_mut(id).filter(|told| !told.gone) {
                let leased_at = told.ours.leased_at;
                told.clone_from(pool);
                told.ours.leased_at = leased_at;
            }
        }
        let (told, true_one) = (MemoryRecord::from(&seen_last), MemoryRecord::from(&left.kept));
        if told != true_one {
            let what = apart("", &json(&told), &json(&true_one)).unwrap_or_default();
            docket.find(
                Law::Replay,
                format!("the ledger remembers otherwise than the engine did{what}"),
            );
        }
    }
    weigh(docket, left);
    recalled
}

fn json(record: &MemoryRecord) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}

/// Returns the first place in which two documents differ, with what is there.
fn apart(place: &str, told: &Value, true_one: &Value) -> Option<String> {
    let below =
        |name: String, told: &Value, true_one: &Value| apart(&format!("{place}/{name}"), told, true_one);
    match (told, true_one) {
        _ if told == true_one => None,
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            let at = |of: &Map<String, Value>, name: &str| of.get(name).cloned().unwrap_or_default();
            let mut names = names.into_iter();
            names.find_map(|name| below(name.clone(), &at(one, name), &at(other, name)))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(index, (one, other))| below(index.to_string(), one, other))
        }
        _ => Some(format!(": {place} is {told} and was {true_one}")),
    }
}

fn weigh(docket: &Docket, left: &Left) {
    let n_pools = left.kept.pools.len().max(1);
    let most = plant::memory_bytes_max(&docket.plan, MEMORY_BYTES_MAX) * n_pools;
    let started = left
        .ledger
        .lines()
        .filter(|line| line.starts_with(r#"{"kind":"started""#));
    if let Some(long) = started.map(str::len).find(|length| *length > most) {
        docket.find(
            Law::Memory,
            format!("{long} bytes are remembered of {n_pools} pools"),
        );
    }
}

/// Returns the lines from the latest start on.
fn latest_lines(ledger: &str) -> Vec<String> {
    let lines: Vec<&str> = ledger.lines().collect();
    let started = |line: &&str| line.starts_with(r#"{"kind":"started""#);
    let from = lines.iter().rposition(started).unwrap_or(0);
    lines[from..].iter().map(|line| (*line).to_owned()).collect()
}
