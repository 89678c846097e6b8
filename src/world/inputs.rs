//! The inputs of one evaluation, as a person hands them in.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reading::{Place, finish, read, sample_period};
use super::{PoolRecord, SamplesRecord};
use crate::base::{Diagnostic, Span, Timestamp};
use crate::formula::{Inputs, PoolFacts};
use crate::signal::History;

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

impl InputsFile {
    /// Reads the inputs of one evaluation, JSON or YAML.
    ///
    /// # Errors
    /// Every fault of the text, by place.
    pub fn parse(source: &str) -> Result<EvalInputs, Vec<Diagnostic>> {
        let reading = read::<Self>(source)?;
        let (faults, place) = reading.place(source);
        reading.file.settle(faults, &place)
    }

    /// Returns the inputs of a file that was read as a part of another text.
    ///
    /// # Errors
    /// Every fault, without a place.
    pub fn into_inputs(self) -> Result<EvalInputs, Vec<Diagnostic>> {
        self.settle(Vec::new(), &Place::nowhere())
    }

    fn settle(&self, mut faults: Vec<Diagnostic>, place: &Place<'_>) -> Result<EvalInputs, Vec<Diagnostic>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Metric;
    use crate::world::reading::faults;

    #[test]
    fn inputs_have_a_default_for_everything_but_now() {
        let inputs = InputsFile::parse(r#"{ "now": "2016-10-13T19:18:47.805Z" }"#).unwrap();
        assert_eq!(inputs.pool, PoolFacts::default());
        assert_eq!((inputs.seed, inputs.history.iter().count()), (0, 0));
    }

    #[test]
    fn faults_of_spelling_hide_none_of_meaning() {
        let source = r#"{
            "noww": "2016-10-13T19:18:47.805Z",
            "seeds": "one",
            "samples": { "$PendingTask": { "start": "2016-10-13T19:09:17.805Z", "values": "3 x 20" } }
        }"#;
        assert_eq!(
            faults(source, InputsFile::parse),
            [
                "S002 \"noww\": `noww` is not a key that is known here (did you mean `now`?)",
                "S002 \"seeds\": `seeds` is not a key that is known here (did you mean `seed`?)",
                "S005 \"one\": expected a whole number, found the text `one` ()",
                "S002 \"$PendingTask\": `$PendingTask` is not a key that is known here (did you mean `$PendingTasks`?)",
                "S007 x: `x` is not a sample; write 3, 3x20 (twenty times 3), 0+2x5 (0, 2, 4, 6, 8), _ or _x4 (missing) ()",
            ]
        );
        // Without the period nobody knows what the samples mean.
        let source = source.replace("\"seeds\": \"one\"", "\"period\": 30");
        assert_eq!(faults(&source, InputsFile::parse).len(), 3);
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
