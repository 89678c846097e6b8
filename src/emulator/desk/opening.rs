//! What is in the account when it is opened, as a scenario says: pools with ready nodes, jobs.

use serde_json::{Value, json};

use super::body::Body;
use super::refs::NodeRef;
use super::resize::mix;
use super::{Desk, Setup};
use crate::base::document::Node;
use crate::base::{Code, Diagnostic, Lane};
use crate::emulator::answer::Refused;
use crate::emulator::scenario::{Scenario, ScenarioPool};

/// What the account does not take.
const REFUSED: Code = Code("E008");

impl Desk {
    /// Opens an account with what a scenario puts into it; `source` is its text, to show what is refused.
    ///
    /// # Errors
    /// With the refusal of every pool and job that the service would not take, in its place.
    pub fn open(setup: Setup, scenario: &Scenario, source: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut desk = Self::new(setup);
        let document = Node::parse(source).ok();
        let mut faults = Vec::new();
        let mut refused = |list: &str, index: usize, refused: &Refused| {
            let found = document
                .as_ref()
                .and_then(|document| document.at(&[list, &index.to_string()]));
            let span = found.map_or(0..0, |node| node.span.clone());
            let values = refused.values.iter();
            let values: Vec<String> = values.map(|(key, value)| format!("{key}: {value}")).collect();
            let message = format!("{}: {}", refused.code, refused.message);
            faults.push(Diagnostic::error(REFUSED, span, message).help(values.join(", ")));
        };
        for (index, pool) in scenario.pools().iter().enumerate() {
            if let Err(error) = desk.open_pool(pool) {
                refused("pools", index, &error);
            }
        }
        for (index, job) in scenario.jobs().iter().enumerate() {
            let body = json!({ "poolInfo": { "poolId": job.pool }, "priority": job.priority });
            if let Err(error) = desk.make_job(job.id.as_str(), &mut body_of(body)) {
                refused("jobs", index, &error);
            }
        }
        desk.calm();
        if faults.is_empty() { Ok(desk) } else { Err(faults) }
    }

    /// Makes a pool whose nodes are ready, as far as quotas and the market have them.
    fn open_pool(&mut self, pool: &ScenarioPool) -> Result<(), Refused> {
        let mut body = json!({ "vmSize": pool.vm_size, "taskSlotsPerNode": pool.task_slots_per_node });
        if let Some(line) = &pool.start_task {
            body["startTask"] = json!({ "commandLine": line, "waitForSuccess": true });
        }
        let number = self.make_pool(pool.id.as_str(), &mut body_of(body))?;
        self.pool_mut(number).target = mix(pool.dedicated, pool.spot);
        for (lane, wants) in [(Lane::Dedicated, pool.dedicated), (Lane::Spot, pool.spot)] {
            let granted = self.within_quota(number, lane, wants);
            for _ in 0..granted {
                if lane == Lane::Spot && !self.market.is_open() {
                    self.pool_mut(number).resize.awaited += 1;
                    self.pool_mut(number).resize.timed_out = true;
                    continue;
                }
                let index = self.add_node(number, lane);
                self.ready_at_once(NodeRef { pool: number, index });
            }
        }
        if let Some(source) = &pool.formula {
            self.enable_autoscale(number, Some(source.clone()), pool.interval)?;
        }
        Ok(())
    }
}

fn body_of(value: Value) -> Body {
    match value {
        Value::Object(map) => Body(map),
        _ => Body(serde_json::Map::new()),
    }
}
