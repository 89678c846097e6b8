//! A pool and its node counts as the service writes them.

use serde_json::{Map, Value, json};

use super::super::node::NodeState;
use super::super::pool::{Pool, ResizeFault};
use super::{auto_scale_run, duration, put, time};
use crate::account::AllocationState;
use crate::base::Lane;
use crate::emulator::etag;

impl Pool {
    /// Returns its version, which follows from when targets, formula or properties last changed.
    pub(in crate::emulator::desk) fn etag(&self) -> String {
        etag(self.modified)
    }
}

pub(super) fn view(pool: &Pool, base: &str) -> Value {
    let mut map = pool.given.clone();
    let (state, since) = match pool.deleting {
        Some(since) => ("deleting", since),
        None => ("active", pool.created),
    };
    let allocation = match pool.allocation {
        AllocationState::Steady => "steady",
        AllocationState::Resizing => "resizing",
        AllocationState::Stopping => "stopping",
    };
    for (name, value) in [
        ("id", json!(pool.id.as_str())),
        ("url", json!(format!("{base}/pools/{}", pool.id))),
        ("eTag", json!(pool.etag())),
        ("lastModified", time(pool.modified)),
        ("creationTime", time(pool.created)),
        ("state", json!(state)),
        ("stateTransitionTime", time(since)),
        ("allocationState", json!(allocation)),
        ("allocationStateTransitionTime", time(pool.allocation_since)),
        ("vmSize", json!(pool.vm_size)),
        ("resizeTimeout", duration(pool.resize_timeout)),
        ("currentDedicatedNodes", json!(pool.current(Lane::Dedicated))),
        ("currentLowPriorityNodes", json!(pool.current(Lane::Spot))),
        ("targetDedicatedNodes", json!(pool.target.dedicated.0)),
        ("targetLowPriorityNodes", json!(pool.target.spot.0)),
        ("enableAutoScale", json!(pool.autoscale.is_some())),
        ("taskSlotsPerNode", json!(pool.slots_per_node)),
    ] {
        map.insert(name.to_owned(), value);
    }
    map.entry("enableInterNodeCommunication").or_insert(json!(false));
    map.entry("taskSchedulingPolicy")
        .or_insert_with(|| json!({ "nodeFillType": if pool.packs { "Pack" } else { "Spread" } }));
    if !pool.resize.errors.is_empty() {
        let errors = pool.resize.errors.iter().map(fault).collect();
        map.insert("resizeErrors".to_owned(), errors);
    }
    if let Some(autoscale) = &pool.autoscale {
        map.insert("autoScaleFormula".to_owned(), json!(autoscale.source));
        map.insert(
            "autoScaleEvaluationInterval".to_owned(),
            duration(autoscale.interval),
        );
        put(
            &mut map,
            "autoScaleRun",
            autoscale.latest.as_ref().map(auto_scale_run),
        );
    }
    Value::Object(map)
}

fn fault(fault: &ResizeFault) -> Value {
    let mut value = json!({ "code": fault.code, "message": fault.message });
    if !fault.values.is_empty() {
        let pair = |(name, text): &(String, String)| json!({ "name": name, "value": text });
        value["values"] = fault.values.iter().map(pair).collect();
    }
    value
}

pub(super) fn counts(pool: &Pool) -> Value {
    let lane = |lane: Lane| {
        let mut map: Map<String, Value> = NodeState::ALL
            .into_iter()
            .map(|(state, _, key)| (key.to_owned(), json!(pool.count(lane, state))))
            .collect();
        map.insert("total".to_owned(), json!(pool.current(lane)));
        Value::Object(map)
    };
    json!({
        "poolId": pool.id.as_str(),
        "dedicated": lane(Lane::Dedicated),
        "lowPriority": lane(Lane::Spot),
    })
}
