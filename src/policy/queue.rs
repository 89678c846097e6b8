//! The queue strategy: nodes for the messages that wait.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::Need;
use super::complaint::Complaint;
use super::source::{Source, metric_missing};
use crate::base::Nodes;
use crate::decision::{QueueAsk, Reason, Snapshot, Unsampled};
use crate::signal::Metric;

/// A queue whose length says how many nodes are needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Queue {
    /// The metric that is the queue's length, such as `$ActiveTasks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// The queue's name where it is not a metric of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the length comes from; the pool's samples when left out.
    #[serde(default)]
    pub source: Source,
    /// The tasks that a message becomes; 1 when left out.
    #[serde(default = "one")]
    #[schemars(range(min = 0.0))]
    pub tasks_per_message: f64,
    /// The task slots that such a task takes; 1 when left out.
    #[serde(default = "one_slot")]
    #[schemars(range(min = 1))]
    pub slots: u32,
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
        let mut complaints: Vec<_> = self.source.complaint("source").into_iter().collect();
        if complaints.is_empty() && self.name.is_some() {
            complaints.extend(Source::StorageQueue.complaint("name"));
        }
        if complaints.is_empty() && self.metric.is_none() {
            complaints.push(metric_missing());
        }
        complaints
    }

    /// Returns the need: nodes on which all tasks of all messages run at once.
    ///
    /// # Errors
    /// When the metric has no sample.
    pub fn need(&self, snapshot: &Snapshot<'_>) -> Result<Need, Reason> {
        let metric = self.metric.expect("a policy without a queue is refused");
        let newest = snapshot
            .history
            .get(metric)
            .and_then(|series| series.values().last());
        let Some(messages) = newest.copied() else {
            return Err(Reason::Unsampled(Unsampled {
                strategy: "queue".to_owned(),
                metric: metric.name().to_owned(),
            }));
        };
        let slots_per_node = snapshot.pool.task_slots_per_node.max(1);
        let tasks = messages.max(0.0) * self.tasks_per_message;
        // A task does not stretch over two nodes.
        let tasks_per_node = f64::from((slots_per_node / self.slots.max(1)).max(1));
        let nodes = Nodes::ceil(tasks / tasks_per_node);
        Ok(Need {
            nodes,
            reason: Reason::Queue(QueueAsk {
                metric: metric.name().to_owned(),
                messages,
                tasks,
                slots: self.slots,
                slots_per_node,
                nodes,
            }),
        })
    }
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
            let queue = Queue {
                metric: Some(Metric::ActiveTasks),
                name: None,
                source: Source::Samples,
                tasks_per_message,
                slots,
            };
            let snapshot = Snapshot {
                now,
                seed: 0,
                pool: &pool,
                history: &history,
                guards: &GuardMemory::default(),
                learned: &crate::sizing::Learned::default(),
                spot: &crate::decision::SpotMemory::default(),
                work: None,
            };
            assert_eq!(queue.need(&snapshot).unwrap().nodes, Nodes(nodes), "{messages}");
        }
    }
}
