//! What a person hands in to be judged: the inputs of one evaluation, or a recorded account.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{PoolRecord, SampleRuns, SamplesRecord};
use crate::account::{PoolId, PoolState};
use crate::base::document::Node;
use crate::base::schema::{Format, Schema, SchemaCodes};
use crate::base::{Code, Diagnostic, Span, Timestamp};
use crate::decision::Snapshot;
use crate::formula::{Inputs, PoolFacts};
use crate::signal::History;

const UNREADABLE: Code = Code("S001");
const WRONG_SAMPLES: Code = Code("S007");
const CODES: SchemaCodes = SchemaCodes {
    unknown_key: Code("S002"),
    duplicate_key: Code("S003"),
    missing_key: Code("S004"),
    wrong_type: Code("S005"),
    wrong_value: Code("S006"),
};

/// The inputs of one evaluation, as `eval --inputs` reads them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputsFile {
    /// The moment of the evaluation.
    pub now: Timestamp,
    /// The pool.
    #[serde(default)]
    pub pool: PoolRecord,
    /// The time between two samples.
    #[serde(default = "sample_period")]
    pub period: Span,
    /// The seed of `rand()`.
    #[serde(default)]
    pub seed: u64,
    /// The samples of each metric.
    #[serde(default)]
    pub samples: SamplesRecord,
}

/// A recorded account, as `plan --snapshot` reads it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotFile {
    /// The moment that it was recorded at.
    pub now: Timestamp,
    /// The seed of all chance in the decisions.
    #[serde(default)]
    pub seed: u64,
    /// The pools of the account.
    pub pools: Vec<SnapshotPoolFile>,
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
}

fn sample_period() -> Span {
    Span::SAMPLE_PERIOD
}

/// All that one evaluation sees, owned.
#[derive(Clone, Debug)]
pub struct EvalInputs {
    /// The moment.
    pub now: Timestamp,
    /// The pool.
    pub pool: PoolFacts,
    /// The samples.
    pub history: History,
    /// The seed of `rand()`.
    pub seed: u64,
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
}

impl EvalInputs {
    /// Returns the inputs as the evaluator takes them.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            now: self.now,
            pool: self.pool,
            history: &self.history,
            seed: self.seed,
        }
    }
}

impl SnapshotPool {
    /// Returns the snapshot as the engine takes it.
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            now: self.now,
            seed: self.seed,
            pool: &self.state,
            history: &self.history,
        }
    }
}

impl InputsFile {
    /// Reads the inputs of one evaluation, JSON or YAML.
    ///
    /// # Errors
    /// Every fault of the text, by place.
    pub fn parse(source: &str) -> Result<EvalInputs, Vec<Diagnostic>> {
        let (file, document) = read::<Self>(source)?;
        file.settle(&Place::new(source, document.as_ref()))
    }

    /// Returns the inputs of a file that was read as a part of another text.
    ///
    /// # Errors
    /// Every fault, without a place.
    pub fn into_inputs(self) -> Result<EvalInputs, Vec<Diagnostic>> {
        self.settle(&Place::new("", None))
    }

    fn settle(&self, place: &Place<'_>) -> Result<EvalInputs, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let history = place.history(&[], self.period, &self.samples, &mut faults);
        finish(
            faults,
            EvalInputs {
                now: self.now,
                pool: self.pool.facts(),
                history,
                seed: self.seed,
            },
        )
    }

    /// Returns the JSON Schema of the file.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }
}

impl SnapshotFile {
    /// Reads a recorded account, JSON or YAML; the pools keep their order.
    ///
    /// # Errors
    /// Every fault of the text, by place.
    pub fn parse(source: &str) -> Result<Vec<SnapshotPool>, Vec<Diagnostic>> {
        let (file, document) = read::<Self>(source)?;
        let mut faults = Vec::new();
        let place = Place::new(source, document.as_ref());
        let mut pools: Vec<SnapshotPool> = Vec::new();
        for (index, pool) in file.pools.iter().enumerate() {
            let path = ["pools", &index.to_string()];
            let history = place.history(&path, pool.period, &pool.samples, &mut faults);
            let Some(id) = &pool.pool.id else {
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
            });
        }
        finish(faults, pools)
    }

    /// Returns the JSON Schema of the file.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }
}

fn twice(id: &PoolId, span: Range<usize>) -> Diagnostic {
    Diagnostic::error(CODES.wrong_value, span, format!("pool `{id}` stands twice"))
        .help("keep one of the two")
}

fn finish<T>(faults: Vec<Diagnostic>, value: T) -> Result<T, Vec<Diagnostic>> {
    if faults.is_empty() { Ok(value) } else { Err(faults) }
}

/// Reads a type; only when that fails the text is read again with the place of everything, to tell all its faults.
fn read<T: serde::de::DeserializeOwned + JsonSchema>(
    source: &str,
) -> Result<(T, Option<Node>), Vec<Diagnostic>> {
    if let Ok(file) = serde_json::from_str(source) {
        return Ok((file, None));
    }
    let document = Node::parse(source)
        .map_err(|unreadable| vec![Diagnostic::error(UNREADABLE, unreadable.span, unreadable.message)])?;
    let faults = Schema::of::<T>(FORMATS, CODES).check(&document);
    if !faults.is_empty() {
        return Err(faults);
    }
    let file = serde_json::from_value(document.to_json()).map_err(|error| {
        vec![Diagnostic::error(
            CODES.wrong_value,
            document.span.clone(),
            error.to_string(),
        )]
    })?;
    Ok((file, Some(document)))
}

const FORMATS: &[Format] = &[
    Format {
        name: "Timestamp",
        wanted: "a time like 2026-11-22T09:00:00Z",
        read: |text| {
            text.parse::<Timestamp>()
                .map(|_| ())
                .map_err(|error| error.to_string())
        },
    },
    Format {
        name: "Duration",
        wanted: "a duration like PT30S",
        read: |text| {
            text.parse::<Span>()
                .map(|_| ())
                .map_err(|error| error.to_string())
        },
    },
    Format {
        name: "PoolId",
        wanted: "a pool id",
        read: |text| {
            text.parse::<PoolId>()
                .map(|_| ())
                .map_err(|error| error.to_string())
        },
    },
];

/// Where the parts of a file stand; the text is read for that only when a fault is told.
struct Place<'a> {
    source: &'a str,
    document: Option<&'a Node>,
}

impl<'a> Place<'a> {
    fn new(source: &'a str, document: Option<&'a Node>) -> Self {
        Self { source, document }
    }

    fn span(&self, path: &[&str]) -> Range<usize> {
        let find = |document: &Node| document.at(path).map(|node| node.span.clone());
        match self.document {
            Some(document) => find(document),
            None => Node::parse(self.source).ok().as_ref().and_then(find),
        }
        .unwrap_or(0..0)
    }

    fn history(
        &self,
        path: &[&str],
        period: Span,
        samples: &SamplesRecord,
        faults: &mut Vec<Diagnostic>,
    ) -> History {
        let below = |keys: &[&str]| self.span(&[path, keys].concat());
        let mut history = History::new();
        if period <= Span::ZERO {
            let message = format!("the period between two samples must be longer than nothing, not {period}");
            faults.push(
                Diagnostic::error(CODES.wrong_value, below(&["period"]), message)
                    .help("leave it out for the service's 30 seconds"),
            );
            return history;
        }
        for (metric, runs) in &samples.0 {
            match runs.series(period) {
                Ok(Some(series)) => history.insert(*metric, series),
                Ok(None) => {}
                Err((run, offset, message)) => {
                    let index = run.to_string();
                    let keys: &[&str] = match runs {
                        SampleRuns::One(_) => &["samples", metric.name(), "values"],
                        SampleRuns::Many(_) => &["samples", metric.name(), &index, "values"],
                    };
                    let span = within(self.source, below(keys), offset);
                    faults.push(Diagnostic::error(WRONG_SAMPLES, span, message));
                }
            }
        }
        history
    }
}

/// Returns the word at an offset of a text that stands in the source with or without quotes.
fn within(source: &str, text: Range<usize>, offset: usize) -> Range<usize> {
    let quote = usize::from(source[text.clone()].starts_with(['"', '\'']));
    let start = source.floor_char_boundary((text.start + quote + offset).min(text.end));
    let rest = &source[start..text.end];
    let length = rest
        .find(|c: char| c.is_whitespace() || c == '"' || c == '\'')
        .unwrap_or(rest.len());
    start..start + length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Metric;

    /// Returns each fault as `code place: sentence`, the place being the text that it is about.
    fn faults<T: std::fmt::Debug>(source: &str, read: fn(&str) -> Result<T, Vec<Diagnostic>>) -> Vec<String> {
        read(source)
            .unwrap_err()
            .iter()
            .map(|fault| {
                let help = fault.help.as_deref().unwrap_or("");
                format!(
                    "{} {}: {} ({help})",
                    fault.code,
                    &source[fault.span.clone()],
                    fault.message
                )
            })
            .collect()
    }

    #[test]
    fn inputs_have_a_default_for_everything_but_now() {
        let inputs = InputsFile::parse(r#"{ "now": "2016-10-13T19:18:47.805Z" }"#).unwrap();
        assert_eq!(inputs.pool, PoolFacts::default());
        assert_eq!((inputs.seed, inputs.history.iter().count()), (0, 0));
    }

    #[test]
    fn samples_come_one_by_one_or_in_short() {
        let inputs = InputsFile::parse(
            r#"{
                "now": "2016-10-13T19:18:47.805Z",
                "pool": { "targetDedicatedNodes": 2, "nodeDeallocationOption": "taskcompletion" },
                "samples": {
                    "$PendingTasks": { "start": "2016-10-13T19:09:17.805Z", "values": [50, 50, null, 48] },
                    "$CPUPercent": { "start": "2016-10-13T19:09:17.805Z", "values": "0.5x18 _x2" }
                }
            }"#,
        )
        .unwrap();
        assert_eq!(inputs.pool.target.dedicated.0, 2);
        let pending = inputs.history.get(Metric::PendingTasks).unwrap();
        assert_eq!((pending.slots(), pending.values()), (4, &[50.0, 50.0, 48.0][..]));
        assert_eq!(inputs.history.get(Metric::CpuPercent).unwrap().slots(), 20);
    }

    #[test]
    fn every_fault_of_the_inputs_is_told_with_its_place() {
        let source = r#"{
            "now": "yesterday",
            "pool": { "targetDedicatedNode": 2, "taskSlotsPerNode": 0, "usableNodes": -1 },
            "seed": "seven",
            "samples": { "$PendingTask": { "start": "2016-10-13T19:09:17Z", "values": [1] } }
        }"#;
        assert_eq!(
            faults(source, InputsFile::parse),
            [
                "S006 \"yesterday\": `yesterday` is not a time; write it like 2026-11-22T09:00:00Z ()",
                "S002 \"targetDedicatedNode\": `targetDedicatedNode` is not a key that is known here (did you mean `targetDedicatedNodes`?)",
                "S006 0: 0 is less than 1 ()",
                "S006 -1: -1 is less than 0 ()",
                "S005 \"seven\": expected a whole number, found the text `seven` ()",
                "S002 \"$PendingTask\": `$PendingTask` is not a key that is known here (did you mean `$PendingTasks`?)",
            ]
        );
    }

    #[test]
    fn a_wrong_word_of_a_short_series_is_shown() {
        let source = r#"{ "now": "2016-10-13T19:18:47Z", "samples": {
            "$PendingTasks": { "start": "2016-10-13T19:09:17Z", "values": "3x2 4y5 6" } } }"#;
        let told = faults(source, InputsFile::parse);
        assert!(
            told[0].starts_with("S007 4y5: `4y5` is not a sample;"),
            "{told:?}"
        );
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

    #[test]
    fn a_broken_text_is_told_where_it_breaks() {
        assert_eq!(
            faults("{ \"now\": [", InputsFile::parse),
            ["S001 [: unclosed bracket '[' ()"]
        );
        assert_eq!(
            faults("", InputsFile::parse),
            ["S005 : expected keys with values, found nothing ()"]
        );
    }
}
