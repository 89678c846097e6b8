//! What was seen of a pool over a while, as files that `backtest` and `test` read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::account::FinishedTask;
use crate::base::{Nodes, Span, Timestamp};
use crate::engine::PoolView;
use crate::signal::{History, Metric};
use crate::world::series_in_short;

/// What was seen of one pool, look by look.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    first: Option<(Timestamp, PoolView)>,
    last: Option<Timestamp>,
    looks: u64,
    history: History,
    /// The tasks that ended well, with the name of their job.
    tasks: Vec<(FinishedTask, String)>,
    /// The tasks and nodes one by one, as JSON, at the looks at which they had changed.
    works: Vec<(Timestamp, String)>,
    /// The most nodes that it had, or was to have.
    most: Nodes,
    unfinished: usize,
}

impl Trace {
    /// Takes in a look; one before the latest is passed over.
    pub fn see(&mut self, at: Timestamp, view: &PoolView) {
        if self.last.is_some_and(|last| at <= last) {
            return;
        }
        self.last = Some(at);
        self.looks += 1;
        let state = &view.state;
        self.most = self.most.max(state.current.total()).max(state.target.total());
        for sample in &view.samples {
            // What has no place in a series never arrived.
            let _ = self.history.record(sample.metric, sample.taken, sample.value);
        }
        if let Some(work) = &view.work {
            for task in &work.finished {
                let job = work.job_of(task.job).unwrap_or_default();
                self.tasks.push((*task, job.to_owned()));
            }
            self.unfinished = work.waiting.len() + work.running.len();
            let text = serde_json::to_string(work).expect("work is made of numbers and text");
            if self.works.last().is_none_or(|(_, last)| *last != text) {
                self.works.push((at, text));
            }
        }
        self.first.get_or_insert_with(|| (at, view.clone()));
    }

    /// Returns how many looks were taken in.
    pub fn looks(&self) -> u64 {
        self.looks
    }

    /// Returns how many tasks ended well.
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Returns when the first of the tasks that ended was submitted.
    pub fn first_submitted(&self) -> Option<Timestamp> {
        self.tasks.iter().map(|(task, _)| task.submitted).min()
    }

    /// Returns how many tasks had not ended at the last look; nobody knows how long they run.
    pub fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Returns the tasks that ended as a table that `backtest --workload` reads.
    pub fn to_task_table(&self) -> String {
        let mut tasks: Vec<&(FinishedTask, String)> = self.tasks.iter().collect();
        tasks.sort_by_key(|(task, _)| (task.submitted, task.started));
        let zero = tasks.first().map_or(Timestamp::EPOCH, |(task, _)| task.submitted);
        let mut text = "submit_s,run_s,cores,job\n".to_owned();
        for (task, job) in tasks {
            let submit = (task.submitted - zero).as_seconds();
            let run = (task.ended - task.started).as_seconds();
            // Writing to a string cannot fail. A job's name has letters, digits, hyphens and underscores (Job - Add).
            let _ = writeln!(text, "{submit},{run},{},{job}", task.slots);
        }
        text
    }

    /// Returns the samples and tasks as a policy test that `test` reads; what must come of it is left to be sharpened.
    pub fn to_policy_test(&self) -> String {
        let Some(((start, view), last)) = self.first.as_ref().zip(self.last) else {
            return String::new();
        };
        let (start, target) = (*start, view.state.target);
        let quoted = |text: &str| json!(text).to_string();
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "tests:\n  - name: as recorded from {start} to {last}");
        let _ = writeln!(
            text,
            "    start: {start}\n    for: {}",
            (last - start).max(Span::minutes(1))
        );
        let slots = view.state.task_slots_per_node;
        let _ = writeln!(
            text,
            "    pool: {{ targetDedicatedNodes: {}, targetLowPriorityNodes: {}, taskSlotsPerNode: {slots} }}",
            target.dedicated, target.spot
        );
        let series: BTreeMap<Metric, _> = self.history.iter().collect();
        if !series.is_empty() {
            text += "    series:\n";
        }
        for (metric, series) in series {
            let from = series.taken(0) - start;
            let values = quoted(&series_in_short(series));
            let _ = writeln!(text, "      {metric}: {{ from: {from}, values: {values} }}");
        }
        if !self.works.is_empty() {
            text += "    states:\n";
        }
        for (at, work) in &self.works {
            let _ = writeln!(text, "      - {{ at: {}, work: {work} }}", *at - start);
        }
        let most = self.most;
        let _ = writeln!(
            text,
            "    expect:\n      # The most that was there; sharpen it to what the policy is for.\n      - {{ from: 0m, total: [0, {most}] }}"
        );
        text
    }
}
