//! The queue strategy: nodes for the messages that wait, before they are tasks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Policy;
use super::ask::{Answer, Ask, Need};
use super::complaint::Complaint;
use super::outside::Heard;
use super::source::{Jobs, Messages, Source, Told, WhenMissing, is_usual, outside_only};
use crate::base::{Nodes, Span};
use crate::decision::{Aged, QueueAsk, Reason, Snapshot, Unsampled};
use crate::signal::{Metric, as_number};

/// A queue whose length says how many nodes are needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Queue {
    /// The metric that is the queue's length, such as `$ActiveTasks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// The name of the queue, agent pool, repository, file or command; `{pool}` stands for the id of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The query whose result is the queue's length, for Prometheus; `{pool}` stands for the id of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Where the length comes from; the pool's samples when left out.
    #[serde(default)]
    pub source: Source,
    /// Which endpoint of the source is asked, by the name it has in the file of sources; `default` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Which messages of a storage queue count; all when left out.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub messages: Messages,
    /// The demands of the agents: only jobs of Azure DevOps whose demands are all among these count; all jobs when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demands: Vec<String>,
    /// The labels of the runners besides self-hosted, linux and x64: only jobs of GitHub whose labels are all among these count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Which jobs of GitHub count; those that wait and those that run when left out.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub jobs: Jobs,
    /// The tasks that a message becomes; 1 when left out.
    #[serde(default = "one")]
    #[schemars(range(min = 0.0))]
    pub tasks_per_message: f64,
    /// The task slots that such a task takes; 1 when left out.
    #[serde(default = "one_slot")]
    #[schemars(range(min = 1))]
    pub slots: u32,
    /// What the messages of another source than the pool's samples are added to; tasks when left out, and nothing for jobs of
    /// GitHub that count while they run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plus: Option<Plus>,
    /// The age from which the length is stale; 3m when left out. For sources outside of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Span>,
    /// What is done while the length is missing or stale; hold when left out. For sources outside of the pool.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub missing: WhenMissing,
}

/// What messages are added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Plus {
    /// What the tasks of the pool need: a message is gone as soon as its task is there. Beside a backlog its nodes come on top of
    /// those of the backlog, otherwise the tasks that are active or running count too.
    Tasks,
    /// Nothing: a message is there until its task has ended, and would count twice.
    Nothing,
}

fn one() -> f64 {
    1.0
}

fn one_slot() -> u32 {
    1
}

impl Queue {
    /// Returns what cannot be meant.
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = self.told().complaints();
        if self.source == Source::Samples {
            let settings = [
                ("plus", self.plus.is_some()),
                ("staleAfter", self.stale_after.is_some()),
                ("missing", !is_usual(&self.missing)),
            ];
            let help = "leave it out: samples of the pool count its tasks, and `guards: { missing: … }` speaks of their age";
            complaints.extend(outside_only(&settings, help));
        }
        complaints
    }

    pub(super) fn told(&self) -> Told<'_> {
        Told {
            source: self.source,
            has_metric: self.metric.is_some(),
            name: self.name.as_deref(),
            query: self.query.as_deref(),
            endpoint: self.endpoint.as_deref(),
            messages: self.messages,
            jobs: self.jobs,
            demands: &self.demands,
            labels: &self.labels,
            stale_after: self.stale_after,
            missing: self.missing,
        }
    }

    /// Says whether its messages come on top of what the tasks of the pool need.
    pub(super) fn adds_tasks(&self) -> bool {
        let counts_running = self.source == Source::GitHub && self.jobs == Jobs::All;
        let usual = if counts_running {
            Plus::Nothing
        } else {
            Plus::Tasks
        };
        self.source != Source::Samples && self.plus.unwrap_or(usual) == Plus::Tasks
    }

    /// Says whether its nodes come on top of those of the backlog of a policy.
    pub(super) fn joins_backlog(&self, policy: &Policy) -> bool {
        self.adds_tasks() && policy.backlog().is_some()
    }

    /// Returns the need: nodes on which all tasks of all messages run at once.
    ///
    /// # Errors
    /// When nothing is known of its length.
    pub(super) fn ask(&self, policy: &Policy, snapshot: &Snapshot<'_>) -> Result<Answer, Reason> {
        let Some(outside) = self.outside() else {
            return self.need(snapshot).map(Answer::from);
        };
        let (messages, age, mut caveat) = match outside.hear("queue", snapshot) {
            Heard::Number { value, age, caveat } => (value, age, caveat),
            Heard::Nothing(why) => return Err(why),
            Heard::Ignored(why) => return Ok(Answer::Ignored(why)),
            Heard::Floor(nodes, why) => {
                let reason = why.clone();
                return Ok(Answer::Asks(Ask::Need(Need { nodes, reason }), Some(why)));
            }
        };
        let mut pending = None;
        if self.adds_tasks() && !self.joins_backlog(policy) {
            match pending_tasks(snapshot) {
                Some(tasks) => pending = Some(tasks),
                None => caveat = caveat.or_else(|| Some(unsampled(Metric::PendingTasks))),
            }
        }
        let signal = outside.query.for_pool(snapshot.pool.id.as_str()).id();
        let length = Length {
            name: signal.as_str(),
            messages,
            pending,
            joins: self.joins_backlog(policy),
            aged: Some(Aged {
                age,
                stale_after: outside.stale_after,
            }),
        };
        Ok(Answer::Asks(Ask::Need(self.fill(&length, snapshot)), caveat))
    }

    /// Returns the need by a metric of the pool.
    fn need(&self, snapshot: &Snapshot<'_>) -> Result<Need, Reason> {
        let metric = self.metric.expect("a policy without a queue is refused");
        let newest = snapshot
            .history
            .get(metric)
            .and_then(|series| series.values().last());
        let messages = newest.copied().ok_or_else(|| unsampled(metric))?;
        let length = Length {
            name: metric.name(),
            messages,
            pending: None,
            joins: false,
            aged: None,
        };
        Ok(self.fill(&length, snapshot))
    }

    /// Fills nodes with the tasks of so many messages, and with those that are there already.
    fn fill(&self, length: &Length<'_>, snapshot: &Snapshot<'_>) -> Need {
        let slots_per_node = snapshot.pool.task_slots_per_node.max(1);
        let tasks = length.messages.max(0.0) * self.tasks_per_message;
        // A task does not stretch over two nodes.
        let tasks_per_node = f64::from((slots_per_node / self.slots.max(1)).max(1));
        let nodes = Nodes::ceil((tasks + length.pending.unwrap_or(0.0)) / tasks_per_node);
        Need {
            nodes,
            reason: Reason::Queue(QueueAsk {
                metric: length.name.to_owned(),
                messages: length.messages,
                tasks,
                slots: self.slots,
                slots_per_node,
                nodes,
                pending: length.pending,
                joins: length.joins,
                aged: length.aged,
            }),
        }
    }
}

/// What is known of a queue.
struct Length<'a> {
    name: &'a str,
    messages: f64,
    pending: Option<f64>,
    joins: bool,
    aged: Option<Aged>,
}

/// Returns the tasks of the pool that are active or running, one by one where they are known so.
fn pending_tasks(snapshot: &Snapshot<'_>) -> Option<f64> {
    if let Some(work) = snapshot.work {
        let n_tasks = work.waiting.len() + work.running.len();
        return Some(as_number(n_tasks));
    }
    let series = snapshot.history.get(Metric::PendingTasks)?;
    series.values().last().copied()
}

fn unsampled(metric: Metric) -> Reason {
    Reason::Unsampled(Unsampled {
        strategy: "queue".to_owned(),
        metric: metric.name().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::PoolState;
    use crate::base::{Span, Timestamp};
    use crate::decision::GuardMemory;
    use crate::signal::{History, Series};

    #[test]
    fn messages_become_tasks_and_tasks_fill_nodes() {
        let now = Timestamp::EPOCH + Span::hours(1);
        for (messages, tasks_per_message, slots, slots_per_node, nodes) in [
            (10.0, 1.0, 1, 1, 10),
            (10.0, 1.0, 1, 4, 3),
            (10.0, 2.5, 1, 4, 7),
            // Two tasks of two slots on a node of five.
            (10.0, 1.0, 2, 5, 5),
            // A task larger than a node takes one all the same; that it never fits is told elsewhere.
            (2.0, 1.0, 8, 4, 2),
            (-1.0, 1.0, 1, 1, 0),
        ] {
            let mut series = Series::new(now - Span::minutes(1), Span::SAMPLE_PERIOD);
            series.push(Some(messages)).unwrap();
            let mut history = History::new();
            history.insert(Metric::ActiveTasks, series);
            let mut pool = PoolState::new("p".parse().unwrap());
            pool.task_slots_per_node = slots_per_node;
            let queue: Queue = serde_json::from_value(serde_json::json!({
                "metric": "$ActiveTasks", "tasksPerMessage": tasks_per_message, "slots": slots
            }))
            .unwrap();
            let snapshot = Snapshot {
                now,
                seed: 0,
                pool: &pool,
                history: &history,
                signals: &crate::decision::SignalMemory::default(),
                guards: &GuardMemory::default(),
                learned: &crate::sizing::Learned::default(),
                spot: &crate::decision::SpotMemory::default(),
                ours: &crate::decision::OurOrders::default(),
                broken: &crate::decision::BrokenNodes::default(),
                work: None,
                halt: None,
            };
            assert_eq!(queue.need(&snapshot).unwrap().nodes, Nodes(nodes), "{messages}");
        }
    }
}
