//! A recorded account, as a person hands it in to be planned for.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use super::reading::{CODES, finish, read, sample_period};
use super::{PoolRecord, ReadingFile, SamplesRecord};
use crate::account::{CoreQuotas, Halt, PoolId, PoolState, Work};
use crate::base::{Diagnostic, Span, Timestamp};
use crate::decision::{BrokenNodes, GuardMemory, OurOrders, SignalMemory, Snapshot, SpotMemory};
use crate::engine::AccountView;
use crate::signal::History;
use crate::sizing::Learned;

/// A recorded account, as `plan --snapshot` reads it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotFile {
    /// The moment that it was recorded at.
    pub now: Timestamp,
    /// The seed of all chance in the decisions.
    #[serde(default)]
    pub seed: u64,
    /// The pools of the account, those without a policy too.
    pub pools: Vec<SnapshotPoolFile>,
    /// What they share.
    #[serde(default)]
    pub account: Option<SharedFile>,
}

/// What the pools of a recorded account share.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharedFile {
    /// The quotas of the account; nothing is limited by them when they are left out.
    #[serde(default)]
    pub quotas: Option<CoreQuotas>,
}

/// A recorded account.
#[derive(Clone, Debug)]
pub struct RecordedAccount {
    /// Its pools, in the order of the file.
    pub pools: Vec<SnapshotPool>,
    /// What they share; all that hold something of it are among the pools.
    pub shared: AccountView,
}

/// One pool of a recorded account.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotPoolFile {
    /// The pool.
    pub pool: PoolRecord,
    /// The time between two samples.
    #[serde(default = "sample_period")]
    pub period: Span,
    /// The samples of each metric.
    #[serde(default)]
    pub samples: SamplesRecord,
    /// What sources outside of the account said for it.
    #[serde(default)]
    pub readings: Vec<ReadingFile>,
    /// Its tasks and nodes one by one.
    #[serde(default)]
    pub work: Option<Work>,
    /// Somebody's word that it is left alone.
    #[serde(default)]
    pub halt: Option<Halt>,
}

/// One pool of a recorded account with its sampled past.
#[derive(Clone, Debug)]
pub struct SnapshotPool {
    /// The moment.
    pub now: Timestamp,
    /// The seed of all chance in the decision.
    pub seed: u64,
    /// The pool.
    pub state: PoolState,
    /// Its samples.
    pub history: History,
    /// What sources outside of the account said.
    pub signals: SignalMemory,
    /// What guards remember of it.
    pub guards: GuardMemory,
    /// What a backlog has learned of it.
    pub learned: Learned,
    /// What is known of its spot market.
    pub spot: SpotMemory,
    /// What is remembered of orders, and of what others did.
    pub ours: OurOrders,
    /// What is remembered of its nodes that are of no use.
    pub broken: BrokenNodes,
    /// Its tasks and nodes one by one.
    pub work: Option<Work>,
    /// Somebody's word that it is left alone.
    pub halt: Option<Halt>,
}

impl SnapshotPool {
    /// Returns the snapshot as the engine takes it.
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            now: self.now,
            seed: self.seed,
            pool: &self.state,
            history: &self.history,
            signals: &self.signals,
            guards: &self.guards,
            learned: &self.learned,
            spot: &self.spot,
            ours: &self.ours,
            broken: &self.broken,
            work: self.work.as_ref(),
            halt: self.halt.as_ref(),
        }
    }
}

impl SnapshotFile {
    /// Reads a recorded account, JSON or YAML; the pools keep their order.
    ///
    /// # Errors
    /// Every fault of the text, by place.
    pub fn parse(source: &str) -> Result<RecordedAccount, Vec<Diagnostic>> {
        let reading = read::<Self>(source)?;
        let (mut faults, place) = reading.place(source);
        let file = &reading.file;
        let mut pools: Vec<SnapshotPool> = Vec::new();
        for (index, pool) in file.pools.iter().enumerate() {
            let path = ["pools", &index.to_string()];
            let history = place.history(&path, pool.period, &pool.samples, &mut faults);
            let signals = heard(
                file.now,
                &pool.readings,
                &|keys: &[&str]| place.span(&[&path[..], keys].concat()),
                &mut faults,
            );
            let Some(id) = &pool.pool.id else {
                if place.lacks(&["id"], &path) {
                    continue;
                }
                let span = place.span(&[path[0], path[1], "pool"]);
                faults.push(
                    Diagnostic::error(CODES.missing_key, span, "the pool has no `id`")
                        .help("add the pool's `id`, so that a policy can be found for it"),
                );
                continue;
            };
            if pools.iter().any(|other| other.state.id == *id) {
                faults.push(twice(id, place.span(&[path[0], path[1], "pool", "id"])));
            }
            pools.push(SnapshotPool {
                now: file.now,
                seed: file.seed,
                state: pool.pool.state(id.clone()),
                history,
                signals,
                guards: GuardMemory::default(),
                learned: Learned::default(),
                spot: SpotMemory::default(),
                ours: OurOrders::default(),
                broken: BrokenNodes::default(),
                work: pool.work.clone(),
                halt: pool.halt.clone(),
            });
        }
        let shared = AccountView {
            quotas: file.account.as_ref().and_then(|shared| shared.quotas.clone()),
            ..AccountView::default()
        };
        finish(faults, RecordedAccount { pools, shared })
    }

    /// Returns the JSON Schema of the file.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }
}

/// Returns what is known of signals when these readings were told just now.
fn heard(
    now: Timestamp,
    readings: &[ReadingFile],
    span: &dyn Fn(&[&str]) -> Range<usize>,
    faults: &mut Vec<Diagnostic>,
) -> SignalMemory {
    let mut told = Vec::new();
    for (index, reading) in readings.iter().enumerate() {
        match reading.reading(now, || span(&["readings", &index.to_string()])) {
            Ok(reading) => told.push(reading),
            Err(fault) => faults.push(fault),
        }
    }
    let mut signals = SignalMemory::default();
    signals.hear(now, &told);
    signals
}

fn twice(id: &PoolId, span: Range<usize>) -> Diagnostic {
    Diagnostic::error(CODES.wrong_value, span, format!("pool `{id}` stands twice"))
        .help("keep one of the two")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{Found, Lack};
    use crate::world::reading::faults;

    #[test]
    fn faults_of_spelling_hide_none_of_meaning() {
        let source = r#"{ "now": "2016-10-13T19:18:47Z", "pool": [
            { "pool": { "id": "a", "etags": "1" } }, { "pool": { "id": "a" } }, { "pool": { "id": "b c" } }, { "pool": {} } ] }"#;
        assert_eq!(
            faults(source, SnapshotFile::parse),
            [
                "S002 \"pool\": `pool` is not a key that is known here (did you mean `pools`?)",
                "S002 \"etags\": `etags` is not a key that is known here (did you mean `etag`?)",
                "S006 \"a\": pool `a` stands twice (keep one of the two)",
                "S006 \"b c\": `b c` is not a pool id; use 1 to 64 letters, digits, hyphens and underscores ()",
                "S004 {: the pool has no `id` (add the pool's `id`, so that a policy can be found for it)",
            ]
        );
    }

    #[test]
    fn what_sources_said_is_read_with_its_age() {
        let source = r#"{ "now": "2016-10-13T19:18:47Z", "pools": [ { "pool": { "id": "a" }, "readings": [
            { "signal": "storageQueue:agents", "taken": "2016-10-13T19:18:17Z", "value": 12 },
            { "signal": "file:depth", "lack": "empty" }, { "signal": "command:depth", "value": null } ] } ] }"#;
        let recorded = SnapshotFile::parse(source).unwrap();
        let signals = &recorded.pools[0].signals;
        let past: Vec<_> = signals
            .iter()
            .map(|(id, past)| (id.as_str(), past.found.clone()))
            .collect();
        assert_eq!(
            past,
            [
                ("command:depth", Found::Lacking(Lack::Null)),
                ("file:depth", Found::Lacking(Lack::Empty)),
                ("storageQueue:agents", Found::Value(12.0)),
            ]
        );
        let source = source.replace("\"lack\": \"empty\"", "\"lack\": \"empty\", \"atLeast\": 3");
        let told = faults(&source, SnapshotFile::parse);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("S006 {") && told[0].contains("`file:depth` has several of value"),
            "{told:?}"
        );
    }

    #[test]
    fn the_quotas_of_an_account_are_read_where_they_are_given() {
        let parse = |account: &str| {
            let source = format!(r#"{{ "now": "2016-10-13T19:18:47Z", "pools": []{account} }}"#);
            SnapshotFile::parse(&source).map(|recorded| recorded.shared.quotas)
        };
        assert_eq!(parse(""), Ok(None));
        assert_eq!(parse(r#", "account": {}"#), Ok(None));
        let quotas = parse(
            r#", "account": { "quotas": { "dedicatedCores": 40, "families": { "standardDSv5Family": 8 } } }"#,
        );
        let quotas = quotas.unwrap().unwrap();
        assert_eq!((quotas.dedicated_cores, quotas.spot_cores), (Some(40), None));
        assert_eq!(
            quotas.of_family("standardDSv5Family"),
            Some(("standardDSv5Family", 8))
        );
        assert!(parse(r#", "account": { "quotas": { "dedicatedCores": -1 } }"#).is_err());
    }

    #[test]
    fn a_snapshot_needs_ids_that_differ() {
        let source = r#"{ "now": "2016-10-13T19:18:47Z", "pools": [
            { "pool": { "id": "a" } }, { "pool": { "id": "a" } }, { "pool": {} } ] }"#;
        assert_eq!(
            faults(source, SnapshotFile::parse),
            [
                "S006 \"a\": pool `a` stands twice (keep one of the two)",
                "S004 {: the pool has no `id` (add the pool's `id`, so that a policy can be found for it)",
            ]
        );
    }
}
