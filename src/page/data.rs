//! What a page shows, as its script reads it.

use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::base::{Mix, Timestamp};
use crate::sim::Cells;

/// Everything that a page shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Data {
    /// What it is about.
    pub kind: Kind,
    /// Its title.
    pub title: String,
    /// What made it.
    pub program: String,
    /// The command that makes it again.
    pub command: String,
    /// What was run, or looked at: names with their words.
    pub facts: Vec<(String, String)>,
    /// What a reader must know.
    pub notes: Vec<String>,
    /// The tables that a terminal shows.
    pub sheets: Vec<Sheet>,
    /// What is set against each other in cost and wait.
    pub points: Vec<Point>,
    /// What costs are case by case; of a comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases: Option<Cases>,
    /// What can be looked at in depth.
    pub runs: Vec<Depth>,
    /// How many runs or pools there are beside these.
    pub runs_left_out: usize,
    /// The waits, in seconds, at which the distribution is told.
    pub wait_marks: Vec<Figure>,
}

/// What a page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Contenders beside each other.
    Backtest,
    /// The settings of a policy beside each other.
    Sweep,
    /// What a ledger tells.
    Ledger,
    /// Contenders over many cases.
    Comparison,
}

/// A table as the terminal shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sheet {
    /// What it is about.
    pub title: String,
    /// The headings.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
    /// By row: the run that it is about, where that can be looked at in depth.
    pub runs: Vec<Option<usize>>,
    /// How many rows there are beside these.
    pub left_out: usize,
    /// What is said below it.
    pub notes: Vec<String>,
}

/// One contender or setting in cost and wait; means over the seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// What it is called.
    pub name: String,
    /// What stands beside its dot, where that is something shorter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether it is one of the policies, and not what they are compared with.
    pub own: bool,
    /// The bill, in US dollars; of a comparison, as a multiple.
    pub cost: f64,
    /// Seconds that 95 of 100 tasks waited at most.
    pub wait_p95: f64,
    /// The share of tasks that ended too late.
    pub late: f64,
    /// Whether no other is as good in both and better in one.
    pub front: bool,
    /// What no plan without misses can cost less than.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// What no plan with as many misses as may be can cost less than.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_with_misses: Option<f64>,
    /// Its run in depth, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<usize>,
}

/// What contenders cost case by case.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cases {
    /// What costs are multiples of.
    pub over: String,
    /// Who took part.
    pub contenders: Vec<String>,
    /// The workload of each case, and its market with price and seed.
    pub names: Vec<[String; 2]>,
    /// By contender and case; null where the limit was not met.
    pub ratios: Vec<Vec<Figure>>,
    /// How many cases there are beside these.
    pub left_out: usize,
}

impl Cases {
    /// Cases that can be told apart on a screen.
    pub const SHOWN_MAX: usize = 600;
}

/// One run, or one pool of a ledger, in depth: columns of equal length, one place for each step; null where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Depth {
    /// What it is called.
    pub name: String,
    /// The seed of a run, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// When the first step begins, in seconds since 1970.
    pub start: f64,
    /// How long a step is, in seconds.
    pub step: f64,
    /// Nodes that the tasks would fill.
    pub demand: Vec<Figure>,
    /// Tasks that wait.
    pub waiting: Vec<Figure>,
    /// Dedicated nodes that are paid for.
    pub dedicated: Vec<Figure>,
    /// Spot nodes that are paid for.
    pub spot: Vec<Figure>,
    /// Of both: nodes that boot.
    pub starting: Vec<Figure>,
    /// Of both: nodes that are ready and have no task.
    pub idle: Vec<Figure>,
    /// Spot nodes that are taken away.
    pub preempted: Vec<Figure>,
    /// The bill so far.
    pub cost: Vec<Figure>,
    /// What as many nodes would have cost so far, were all dedicated; of a ledger.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub all_dedicated: Vec<Figure>,
    /// Nodes that were evicted.
    pub evictions: Vec<Figure>,
    /// The share of tasks that waited no longer than each mark; of a simulation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<Figure>,
    /// The decisions that changed something, and those at which a hold began.
    pub turns: Vec<TurnRow>,
    /// How many of these there were in all.
    pub n_turns: u64,
    /// Why there is no decision, where there cannot be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undecided: Option<&'static str>,
    /// The figures of the run as `-o json` tells them; of a simulation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figures: Option<serde_json::Value>,
}

/// A decision in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnRow {
    /// When, in seconds since 1970.
    pub at: f64,
    /// What it comes to: out, in, shift, steady or hold.
    pub verdict: &'static str,
    /// The target that the pool had: dedicated, spot.
    pub from: [u32; 2],
    /// Where the decision ends.
    pub to: [u32; 2],
    /// The chain.
    pub steps: Vec<StepRow>,
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRow {
    /// Its part in deciding.
    pub stage: String,
    /// Where it ends.
    pub to: Mix,
    /// Why.
    pub text: String,
}

/// A number in as few letters as it needs, or nothing where it is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure(pub Option<f64>);

impl Figure {
    /// Returns a number of nodes, tasks or hours: hundredths are more than a chart can show.
    pub fn hundredths(number: f64) -> Self {
        Self(Some((number * 100.0).round() / 100.0))
    }

    /// Returns dollars or a share, to a ten-thousandth.
    pub fn fine(number: f64) -> Self {
        Self(Some((number * 1e4).round() / 1e4))
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            None => serializer.serialize_none(),
            Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                serializer.serialize_i64(number as i64)
            }
            Some(number) => serializer.serialize_f64(number),
        }
    }
}

impl Sheet {
    /// Rows that a person may go through; more are told as a number.
    pub const ROWS_MAX: usize = 500;

    /// Returns a table of a terminal, whose rows are about these runs.
    pub fn new(title: &str, cells: Cells, runs: impl Fn(usize) -> Option<usize>) -> Self {
        let Cells {
            head,
            mut rows,
            mut notes,
        } = cells;
        let left_out = rows.len().saturating_sub(Self::ROWS_MAX);
        rows.truncate(Self::ROWS_MAX);
        notes.truncate(Self::ROWS_MAX);
        Self {
            title: title.to_owned(),
            head,
            runs: (0..rows.len()).map(runs).collect(),
            rows,
            left_out,
            notes,
        }
    }
}

/// Returns a moment as the script reads it.
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.unix_seconds()
}

/// Returns the nodes of both lanes as the script reads them.
pub(super) const fn lanes(mix: Mix) -> [u32; 2] {
    [mix.dedicated.0, mix.spot.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_takes_no_more_letters_than_it_needs() {
        let figures = [
            Figure(None),
            Figure::hundredths(2.0),
            Figure::hundredths(2.0049),
            Figure::hundredths(0.125),
            Figure::fine(0.192_04),
            Figure(Some(1e300)),
        ];
        let text = serde_json::to_string(&figures).unwrap();
        assert_eq!(text, "[null,2,2,0.13,0.192,1e+300]");
    }
}
