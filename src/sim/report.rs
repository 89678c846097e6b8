//! What a backtest found, as INTERFACES.md lays it out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bound::Hindsight;
use super::cluster::{Cluster, Elasticity, Hour, Meter, NodeState};
use super::delay::{DelayLimit, Misses, Wait};
use super::fold::Fold;
use super::followed::Followed;
use super::lateness::Lateness;
use super::prices::PricePaths;
use crate::base::{Lane, Usd};

/// Everything a backtest found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// One for each contender and seed, in the order given.
    pub runs: Vec<Run>,
    /// How long it took; the only thing that differs when it is run again.
    pub wall_seconds: f64,
}

/// What one contender did with one seed.
///
/// What is not known is left out: `deadlineMissed` where no task is due at a known time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The contender.
    pub policy: String,
    /// The workload.
    pub workload: String,
    /// How spot nodes are evicted.
    pub spot: String,
    /// The seed of all chance.
    pub seed: u64,
    /// Money in US dollars.
    pub cost: Cost,
    /// Node-hours that were paid for.
    pub node_hours: NodeHours,
    /// Seconds from a task's submission to the start of the run that ended well.
    pub wait: Wait,
    /// Seconds by which tasks ended later than if they had run at once and to their end, lost runs included.
    pub delay: Wait,
    /// Tasks that ended too late.
    pub misses: Misses,
    /// Tasks that are due at a known time, where there are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadlines: Option<Lateness>,
    /// The bound with hindsight, where it was asked for.
    #[serde(flatten)]
    pub hindsight: Option<Hindsight>,
    /// Counts of tasks.
    pub tasks: Tasks,
    /// How often a node was evicted.
    pub evictions: u32,
    /// How often a machine began to boot.
    pub node_starts: u32,
    /// How often a node failed to start, stuck or broke.
    pub node_faults: u32,
    /// How closely the nodes followed the tasks.
    pub elasticity: Elasticity,
    /// Orders that were accepted.
    pub orders: u64,
    /// Accepted orders against the direction of the one before.
    pub reversals: u64,
    /// Decisions that ended in a hold, by the reason's code.
    pub holds: BTreeMap<&'static str, u64>,
    /// Decisions taken.
    pub decisions: u64,
    /// Events of the simulation: node changes, arrivals and samples.
    pub events: u64,
    /// The hours of the run, for plots.
    #[serde(skip)]
    pub hours: Vec<Hour>,
    /// What it did in depth, where that was asked for.
    #[serde(skip)]
    pub followed: Option<Box<Followed>>,
}

/// Money in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Both lanes together.
    pub total: Usd,
    /// Dedicated nodes.
    pub dedicated: Usd,
    /// Spot nodes.
    pub spot: Usd,
    /// The part of the total that was paid for nodes without a task: booting, idle, leaving or of no use.
    pub wasted: Usd,
}

/// Node-hours that were paid for, by lane and by what the nodes did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeHours {
    /// Both lanes together.
    pub total: f64,
    /// Dedicated nodes.
    pub dedicated: f64,
    /// Spot nodes.
    pub spot: f64,
    /// Of the total: nodes with a task.
    pub busy: f64,
    /// Of the total: nodes that boot.
    pub starting: f64,
    /// Of the total: nodes that are ready and have no task.
    pub idle: f64,
    /// Of the total: nodes that are being removed.
    pub leaving: f64,
    /// Of the total: nodes that are of no use.
    pub unusable: f64,
    /// The tasks' work in node-hours, lost work included; less than `busy` where nodes are partly filled.
    pub work: f64,
    /// The part of the work that was lost to evictions and removals.
    pub lost: f64,
}

/// Counts of tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tasks {
    /// Tasks that were submitted.
    pub submitted: u32,
    /// Tasks that ended well.
    pub completed: u32,
    /// Tasks that a removal with `terminate` ended.
    pub terminated: u32,
    /// Tasks that had not ended when the run did; those that can never run included.
    pub unfinished: u32,
    /// Of the unfinished: tasks that need more slots than a node has.
    pub never_runnable: u32,
    /// Tasks that ended after they were due, or can only end so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_missed: Option<u32>,
    /// How often a task lost its work to an eviction.
    pub evicted: u32,
    /// How often a task lost its work to a removal with `requeue`.
    pub requeued: u32,
    /// How often a task lost its work to a node that broke.
    pub broken: u32,
}

/// What a run is called in its report.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) policy: String,
    pub(super) workload: String,
    pub(super) spot: String,
    pub(super) seed: u64,
}

/// What a run is judged by.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) prices: PricePaths,
    pub(super) limit: DelayLimit,
}

impl Run {
    pub(super) fn new(names: Names, cluster: &Cluster, fold: Fold, terms: &Terms) -> Self {
        let delays = cluster.delays();
        let deadlines = Lateness::judge(&cluster.workload().tasks, &delays);
        let (delay, misses) = terms.limit.judge(&cluster.workload().tasks, delays);
        let tally = cluster.tally();
        let bill = |lane| {
            let price = terms.prices.get(lane);
            cluster.meter().bill(lane, price, cluster.workload().start)
        };
        let ((dedicated, idle_dedicated), (spot, idle_spot)) = (bill(Lane::Dedicated), bill(Lane::Spot));
        Self {
            policy: names.policy,
            workload: names.workload,
            spot: names.spot,
            seed: names.seed,
            cost: Cost {
                total: dedicated + spot,
                dedicated,
                spot,
                wasted: idle_dedicated + idle_spot,
            },
            node_hours: node_hours(cluster.meter(), cluster),
            wait: Wait::of(cluster.waits()),
            delay,
            misses,
            deadlines,
            hindsight: None,
            tasks: Tasks {
                submitted: cluster.submitted(),
                completed: tally.succeeded,
                terminated: tally.terminated,
                unfinished: cluster.waiting() + cluster.running(),
                never_runnable: cluster.never(),
                deadline_missed: deadlines.map(|deadlines| deadlines.missed),
                evicted: tally.evicted,
                requeued: tally.requeued,
                broken: tally.broken,
            },
            evictions: tally.evictions,
            node_starts: tally.node_starts,
            node_faults: tally.node_faults,
            elasticity: cluster.elasticity(),
            orders: fold.orders,
            reversals: fold.reversals,
            holds: fold.holds,
            decisions: fold.decisions,
            events: cluster.n_events(),
            hours: cluster.hours().to_vec(),
            followed: None,
        }
    }
}

fn node_hours(meter: &Meter, cluster: &Cluster) -> NodeHours {
    let slots = f64::from(cluster.setup().task_slots_per_node);
    let of_lane = |wanted: Lane| meter.node_hours(|lane, state| lane == wanted && state.is_billed());
    let of_state = |wanted: NodeState| meter.node_hours(|_, state| state == wanted);
    NodeHours {
        total: meter.node_hours(|_, state| state.is_billed()),
        dedicated: of_lane(Lane::Dedicated),
        spot: of_lane(Lane::Spot),
        busy: meter.node_hours(|_, state| state.is_busy()),
        starting: of_state(NodeState::Starting),
        idle: of_state(NodeState::Idle),
        leaving: of_state(NodeState::Leaving),
        unusable: of_state(NodeState::Unusable),
        work: meter.busy_slot_hours() / slots,
        lost: cluster.lost_slot_hours() / slots,
    }
}
