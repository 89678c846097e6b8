//! A pool as the Batch REST API tells it, as far as its size goes.

use super::lenient::{Lenient, document, get};
use crate::account::{NodeDeallocationOption, PoolId, PoolState};
use crate::base::document::{Data, Node};
use crate::base::{Code, Diagnostic, Nodes, Span};
use crate::formula::split_results;

const LACKS: Code = Code("I003");

/// A pool as `az batch pool show` and the REST API give it; what is not there is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct NativePool {
    /// Its id.
    pub id: PoolId,
    /// The size of its machines.
    pub vm_size: Option<String>,
    /// Whether its own formula runs.
    pub auto_scale: Option<bool>,
    /// Its formula.
    pub formula: Option<String>,
    /// How often the formula runs.
    pub interval: Option<Span>,
    /// The dedicated nodes that it was told to have.
    pub target_dedicated: Option<Nodes>,
    /// The spot nodes that it was told to have.
    pub target_spot: Option<Nodes>,
    /// How many tasks a node runs at the same time.
    pub task_slots_per_node: Option<u32>,
    /// What its latest run said is done to running tasks; the pool itself does not tell.
    pub deallocation: Option<NodeDeallocationOption>,
}

impl NativePool {
    /// Reads one pool, a list of pools, or a page of the REST API; keys that do not concern the size are passed over.
    ///
    /// # Errors
    /// Everything that cannot be used, by place.
    pub fn read_all(source: &str) -> Result<Vec<Self>, Vec<Diagnostic>> {
        let document = document(source)?;
        let mut lenient = Lenient::default();
        let listed = get(&document, "value").unwrap_or(&document);
        let pools: Vec<Self> = match &listed.data {
            Data::List(pools) => pools
                .iter()
                .filter_map(|pool| Self::read(pool, &mut lenient))
                .collect(),
            _ => Self::read(&document, &mut lenient).into_iter().collect(),
        };
        lenient.finish(pools)
    }

    fn read(node: &Node, lenient: &mut Lenient) -> Option<Self> {
        let Some(id) = lenient.text(node, "id") else {
            let fault = Diagnostic::error(LACKS, node.span.clone(), "the pool has no `id`");
            let help = "give what `az batch pool show` or `az batch pool list` prints";
            lenient.faults.push(fault.help(help));
            return None;
        };
        let parsed = id.parse();
        if parsed.is_err() {
            let place = get(node, "id").unwrap_or(node);
            lenient.wrong(place, "id", "1 to 64 letters, digits, hyphens and underscores");
        }
        // What else is wrong with it is told all the same.
        let id = parsed.unwrap_or_else(|_| "unnamed".parse().expect("it is an id"));
        let run = get(node, "autoScaleRun");
        let results = run.and_then(|run| get(run, "results")).and_then(Node::as_text);
        let pool = Self {
            vm_size: lenient.text(node, "vmSize"),
            auto_scale: lenient.flag(node, "enableAutoScale"),
            formula: lenient.text(node, "autoScaleFormula"),
            interval: lenient.length(node, "autoScaleEvaluationInterval"),
            target_dedicated: lenient.count(node, "targetDedicatedNodes").map(Nodes),
            target_spot: lenient.count(node, "targetLowPriorityNodes").map(Nodes),
            // Before task slots there were tasks: the same number under its name of then.
            task_slots_per_node: lenient
                .count(node, "taskSlotsPerNode")
                .or_else(|| lenient.count(node, "maxTasksPerNode")),
            deallocation: results.and_then(deallocation),
            id,
        };
        let tells = [
            "autoScaleFormula",
            "targetDedicatedNodes",
            "targetLowPriorityNodes",
        ];
        let says_nothing = tells.iter().all(|key| get(node, key).is_none());
        if says_nothing {
            let message = format!("pool `{}` has neither a formula nor targets", pool.id);
            let fault = Diagnostic::error(LACKS, node.span.clone(), message);
            lenient
                .faults
                .push(fault.help("ask for the whole pool, without `$select` or `--query`"));
        }
        Some(pool)
    }
}

/// What a recorded account tells; it knows neither formula nor interval.
impl From<&PoolState> for NativePool {
    fn from(pool: &PoolState) -> Self {
        Self {
            id: pool.id.clone(),
            vm_size: pool.vm_size.as_deref().map(str::to_owned),
            auto_scale: Some(pool.auto_scale),
            formula: None,
            interval: None,
            target_dedicated: Some(pool.target.dedicated),
            target_spot: Some(pool.target.spot),
            task_slots_per_node: Some(pool.task_slots_per_node),
            deallocation: Some(pool.option),
        }
    }
}

/// Returns the node deallocation option of a run's results.
fn deallocation(results: &str) -> Option<NodeDeallocationOption> {
    let values = split_results(results);
    values.get("$NodeDeallocationOption")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_come_alone_listed_or_in_a_page() {
        let pool = r#"{"id": "a", "targetDedicatedNodes": "2", "targetLowPriorityNodes": 0, "vmSize": null,
            "autoScaleEvaluationInterval": "0:05:00", "autoScaleFormula": "x = 1;", "enableAutoScale": true,
            "maxTasksPerNode": 4, "url": "https://acct.region.batch.azure.com/pools/a",
            "autoScaleRun": {"results": "$TargetDedicatedNodes=2;$NodeDeallocationOption=taskcompletion"}}"#;
        let read = NativePool::read_all(pool).unwrap();
        assert_eq!(read[0].target_dedicated, Some(Nodes(2)));
        assert_eq!(read[0].interval, Some(Span::minutes(5)));
        assert_eq!(
            (read[0].task_slots_per_node, read[0].vm_size.as_deref()),
            (Some(4), None)
        );
        assert_eq!(read[0].deallocation, Some(NodeDeallocationOption::TaskCompletion));
        for listed in [format!("[{pool}]"), format!("{{\"value\": [{pool}]}}")] {
            assert_eq!(NativePool::read_all(&listed).unwrap(), read);
        }
        assert_eq!(NativePool::read_all("[]").unwrap(), []);
    }

    #[test]
    fn every_fault_of_every_pool_is_told() {
        let source = r#"[{"id": "a b", "targetDedicatedNodes": -1},
            {"id": "c", "autoScaleEvaluationInterval": "often", "enableAutoScale": "perhaps"}, {"vmSize": 3}]"#;
        let faults = NativePool::read_all(source).unwrap_err();
        let told: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "`id` is `a b`",
                "`targetDedicatedNodes` is `-1`",
                "pool `c` has neither a formula nor targets",
                "`autoScaleEvaluationInterval` is `often`",
                "`enableAutoScale` is `perhaps`",
                "the pool has no `id`",
            ]
        );
    }
}
