//! What `lowtide demo` runs: a day of builds, sized by the formula that everybody copies and by a policy of this project.

use std::sync::Arc;

use super::Options;
use super::cluster::Setup;
use super::contender::{Contender, NATIVE_INTERVAL};
use super::workload::{CiRecipe, Workload, generate};
use crate::base::Diagnostic;
use crate::policy;

/// The pattern that most published formulas follow, as a policy: the higher of the newest count and a short average, halved
/// step by step when nothing is pending.
///
/// It counts a task as a node, which is right only where a node runs one task.
pub const COPIED_POLICY: &str = r"version: 1
pool: ci-agents
interval: 15m
demand:
  - formula:
      role: targets
      text: |
        span = TimeInterval_Minute * 5;
        enough = $PendingTasks.GetSamplePercent(span) >= 70;
        tasks = enough
            ? max($PendingTasks.GetSample(1), avg($PendingTasks.GetSample(span)))
            : max(0, $PendingTasks.GetSample(1));
        wanted = tasks > 0 ? tasks : $TargetDedicatedNodes / 2;
        $TargetDedicatedNodes = max(0, min(wanted, 40));
        $NodeDeallocationOption = taskcompletion;
bounds: { total: [0, 40], dedicated: [0, 40], spot: [0, 0] }
";

/// The policy of `policies/ci-agents.yaml`.
pub const OWN_POLICY: &str = include_str!("../../policies/ci-agents.yaml");

/// The seed of the day; another day is as good, but the README shows this one.
pub const SEED: u64 = 1;

/// Returns a Monday with some 600 builds and a nightly batch.
pub fn workload() -> Arc<Workload> {
    Arc::new(generate(&CiRecipe::default(), SEED))
}

/// Returns a pool whose nodes run four builds at a time.
pub fn options() -> Options {
    Options {
        setup: Setup {
            task_slots_per_node: 4,
            ..Setup::default()
        },
        ..Options::default()
    }
}

/// Returns the copied formula as the service runs it, the policy as the engine runs it, and a pool that is always on.
pub fn contenders() -> Vec<Contender> {
    let own = read("ci-agents", OWN_POLICY);
    let prices = own.prices;
    vec![
        Contender::Native {
            policy: read("copied formula", COPIED_POLICY),
            interval: NATIVE_INTERVAL,
        },
        Contender::Policy(own),
        Contender::Peak { prices },
    ]
}

fn read(name: &str, source: &str) -> policy::Policy {
    let (policy, findings) = policy::read(name, source, &mut |path| {
        Err(format!("no file `{path}` is embedded"))
    });
    let faults: Vec<&Diagnostic> = findings.all().collect();
    policy.unwrap_or_else(|| panic!("an embedded policy is whole, but: {faults:?}"))
}
