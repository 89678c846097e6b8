//! Samples as files write them: runs of values on a grid.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::base::{Span, Timestamp};
use crate::signal::{Metric, Sample, Series, parse_shorthand};

/// The samples of some metrics, by the names that formulas use.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct SamplesRecord(pub BTreeMap<Metric, SampleRuns>);

/// The samples of one metric: one run, or several with gaps of any length between them, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SampleRuns {
    /// One run.
    One(SampleRun),
    /// Several runs.
    Many(Vec<SampleRun>),
}

/// Samples at the same distance from each other: sample *i* is taken at `start + i × period`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SampleRun {
    /// When the first one was taken.
    pub start: Timestamp,
    /// The samples, oldest first.
    pub values: Values,
}

/// The values of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Values {
    /// In short: `3`, `3x20` (twenty times 3), `0+2x5` (0, 2, 4, 6, 8), `_` or `_x4` (missing), separated by spaces.
    Short(String),
    /// One by one; null is a sample that never arrived.
    List(Vec<Option<f64>>),
}

impl SampleRuns {
    /// Returns the runs.
    pub fn runs(&self) -> &[SampleRun] {
        match self {
            Self::One(run) => std::slice::from_ref(run),
            Self::Many(runs) => runs,
        }
    }

    /// Returns the series on the grid that the first run starts.
    ///
    /// # Errors
    /// With a run's number from 0, the byte of its short text and the sentence.
    pub fn series(&self, period: Span) -> Result<Option<Series>, (usize, usize, String)> {
        let mut series = None;
        for (index, run) in self.runs().iter().enumerate() {
            let fail = |offset, message| (index, offset, message);
            let values = run.samples().map_err(|(offset, why)| fail(offset, why))?;
            let series = series.get_or_insert_with(|| Series::new(run.start, period));
            for (slot, value) in values.iter().enumerate() {
                let outcome = if index == 0 {
                    series.push(*value)
                } else {
                    let taken = run.start
                        + Span::from_ticks(period.ticks().saturating_mul(slot.cast_signed() as i64));
                    value.map_or(Ok(()), |value| series.record(taken, value).map(|_| ()))
                };
                outcome.map_err(|full| fail(0, full.to_string()))?;
            }
        }
        Ok(series)
    }
}

impl SampleRun {
    fn samples(&self) -> Result<Vec<Option<f64>>, (usize, String)> {
        match &self.values {
            Values::List(values) => Ok(values.clone()),
            Values::Short(text) => parse_shorthand(text).map_err(|error| (error.offset, error.to_string())),
        }
    }
}

impl SamplesRecord {
    /// Returns the record of samples: those of a metric that are 30 seconds apart share a run.
    pub fn of(samples: &[Sample]) -> Self {
        let mut runs: BTreeMap<Metric, Vec<Run>> = BTreeMap::new();
        for sample in samples {
            let runs = runs.entry(sample.metric).or_default();
            match runs.last_mut() {
                Some(run) if run.last + Span::SAMPLE_PERIOD == sample.taken => run.push(sample),
                _ => runs.push(Run::new(sample)),
            }
        }
        Self(
            runs.into_iter()
                .map(|(metric, runs)| (metric, merge(runs)))
                .collect(),
        )
    }

    /// Returns the samples, metric by metric, each one's oldest first.
    ///
    /// # Errors
    /// With the metric and what is wrong with its values.
    pub fn to_samples(&self) -> Result<Vec<Sample>, String> {
        let mut samples = Vec::new();
        for (metric, runs) in &self.0 {
            for run in runs.runs() {
                let values = run.samples().map_err(|(_, why)| format!("{metric}: {why}"))?;
                let mut taken = run.start;
                for value in values {
                    samples.extend(value.map(|value| Sample {
                        metric: *metric,
                        taken,
                        value,
                    }));
                    taken += Span::SAMPLE_PERIOD;
                }
            }
        }
        Ok(samples)
    }
}

/// A run while it is gathered: equal neighbours are counted.
struct Run {
    start: Timestamp,
    last: Timestamp,
    text: String,
    value: f64,
    count: usize,
}

impl Run {
    fn new(sample: &Sample) -> Self {
        Self {
            start: sample.taken,
            last: sample.taken,
            text: String::new(),
            value: sample.value,
            count: 1,
        }
    }

    fn push(&mut self, sample: &Sample) {
        self.last = sample.taken;
        if sample.value.to_bits() == self.value.to_bits() {
            self.count += 1;
        } else {
            self.write();
            (self.value, self.count) = (sample.value, 1);
        }
    }

    fn write(&mut self) {
        let space = if self.text.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = match self.count {
            1 => write!(self.text, "{space}{}", self.value),
            count => write!(self.text, "{space}{}x{count}", self.value),
        };
    }

    fn finish(mut self) -> SampleRun {
        self.write();
        SampleRun {
            start: self.start,
            values: Values::Short(self.text),
        }
    }
}

fn merge(runs: Vec<Run>) -> SampleRuns {
    let mut runs: Vec<SampleRun> = runs.into_iter().map(Run::finish).collect();
    match runs.len() {
        1 => SampleRuns::One(runs.remove(0)),
        _ => SampleRuns::Many(runs),
    }
}

/// Reads the names that formulas use; a name that is no metric, or stands twice, is refused.
impl<'de> Deserialize<'de> for SamplesRecord {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> serde::de::Visitor<'de> for Entries {
            type Value = SamplesRecord;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("metrics with their samples")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<SamplesRecord, A::Error> {
                let mut samples = BTreeMap::new();
                while let Some(metric) = map.next_key::<Metric>()? {
                    if samples.insert(metric, map.next_value()?).is_some() {
                        return Err(serde::de::Error::custom(format!("`{metric}` stands twice")));
                    }
                }
                Ok(SamplesRecord(samples))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl JsonSchema for SamplesRecord {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Samples".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let runs = generator.subschema_for::<SampleRuns>();
        let properties: serde_json::Map<_, _> = Metric::ALL
            .iter()
            .map(|metric| (metric.name().to_owned(), json!(runs)))
            .collect();
        schemars::json_schema!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(metric: Metric, second: i64, value: f64) -> Sample {
        Sample {
            metric,
            taken: Timestamp::from_unix_seconds(second),
            value,
        }
    }

    #[test]
    fn samples_become_runs_and_come_back() {
        let samples = [
            sample(Metric::ActiveTasks, 0, 3.0),
            sample(Metric::ActiveTasks, 30, 3.0),
            sample(Metric::ActiveTasks, 60, 0.1),
            sample(Metric::ActiveTasks, 150, -2.0),
            sample(Metric::PendingTasks, 15, 1e22),
        ];
        let record = SamplesRecord::of(&samples);
        assert_eq!(
            serde_json::to_value(&record).unwrap(),
            json!({
                "$ActiveTasks": [
                    { "start": "1970-01-01T00:00:00.000Z", "values": "3x2 0.1" },
                    { "start": "1970-01-01T00:02:30.000Z", "values": "-2" }
                ],
                "$PendingTasks": { "start": "1970-01-01T00:00:15.000Z", "values": "10000000000000000000000" }
            })
        );
        assert_eq!(record.to_samples().unwrap(), samples);
    }

    #[test]
    fn later_runs_keep_to_the_grid_of_the_first() {
        let runs: SampleRuns = serde_json::from_value(json!([
            { "start": "1970-01-01T00:00:00Z", "values": [1, null] },
            { "start": "1970-01-01T00:02:01Z", "values": "4x2" }
        ]))
        .unwrap();
        let series = runs.series(Span::SAMPLE_PERIOD).unwrap().unwrap();
        let got: Vec<_> = (0..series.slots()).map(|slot| series.get(slot)).collect();
        assert_eq!(got, [Some(1.0), None, None, None, Some(4.0), Some(4.0)]);
    }
}
