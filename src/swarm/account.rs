//! The account at its opening: quotas, how long things take, the spot market, what goes wrong with machines, pools and jobs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::dice::{Dice, Purpose};
use super::faults::FaultKind;
use super::plan::Plan;
use crate::base::{Span, Timestamp};
use crate::emulator::asked::Asked;
use crate::emulator::{Account, Desk, Setup, Spread, Timing, Trouble, TroubleKind};
use crate::sim::{SpotMarket, Supply, Times, UpRun};

/// Sizes of machines, of two families and with few and many cores.
const SIZES: [&str; 4] = [
    "standard_d2s_v5",
    "standard_d4s_v5",
    "standard_d8ds_v5",
    "standard_f4s_v2",
];

/// What a pool is made of.
#[derive(Clone, Debug)]
pub(super) struct PoolPlan {
    pub(super) id: String,
    pub(super) size: &'static str,
    pub(super) slots: u32,
    pub(super) dedicated: u32,
    pub(super) spot: u32,
    /// Whether its nodes run a start task.
    pub(super) start_task: bool,
}

impl PoolPlan {
    pub(super) fn draw(id: String, dice: &mut Dice) -> Self {
        let most = dice.pick(&[0, 0, 2, 8]);
        Self {
            id,
            size: dice.pick(&SIZES),
            slots: dice.pick(&[1, 1, 2, 4]),
            dedicated: dice.between(0, most),
            spot: dice.between(0, most),
            start_task: dice.chance(0.3),
        }
    }

    pub(super) fn body(&self) -> String {
        let mut body = json!({
            "id": self.id, "vmSize": self.size, "taskSlotsPerNode": self.slots,
            "targetDedicatedNodes": self.dedicated, "targetLowPriorityNodes": self.spot,
            "virtualMachineConfiguration": {
                "imageReference": { "publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy",
                    "sku": "22_04-lts", "version": "latest" },
                "nodeAgentSKUId": "batch.node.ubuntu 22.04"
            }
        });
        if self.start_task {
            body["startTask"] = json!({ "commandLine": "prepare", "waitForSuccess": true });
        }
        body.to_string()
    }
}

/// An account, and how many pools and jobs it began with.
pub(super) struct Opened {
    pub(super) desk: Desk,
    pub(super) n_pools: u32,
    pub(super) n_jobs: u32,
}

/// Opens the account of a world.
pub(super) fn open(plan: &Plan) -> Opened {
    let mut dice = Dice::new(plan.seed, Purpose::Account);
    let mut desk = Desk::new(setup(plan, &mut dice));
    let n_pools = dice.between(1, 4);
    for number in 0..n_pools {
        let pool = PoolPlan::draw(format!("pool-{number}"), &mut dice);
        let body = pool.body();
        // An order that quota forbids makes a pool all the same.
        let _ = ask(&mut desk, "POST", "/pools", &body);
    }
    let n_jobs = dice.between(1, 2 + n_pools);
    for number in 0..n_jobs {
        let pool = dice.between(0, n_pools - 1);
        let _ = ask(&mut desk, "POST", "/jobs", &job_body(number, pool, &mut dice));
    }
    Opened {
        desk,
        n_pools,
        n_jobs,
    }
}

pub(super) fn job_body(number: u32, pool: u32, dice: &mut Dice) -> String {
    let priority = dice.pick(&[0, 0, 0, 10, -10]);
    json!({ "id": format!("job-{number}"), "priority": priority, "poolInfo": { "poolId": format!("pool-{pool}") } })
        .to_string()
}

/// Carries out a request of somebody else than us; returns the answer's body, or nothing when it was refused.
pub(super) fn ask(desk: &mut Desk, method: &str, path: &str, body: &str) -> Option<serde_json::Value> {
    let asked = Asked {
        method: method.parse().ok()?,
        base: "http://desk".to_owned(),
        path: path.to_owned(),
        api_version: "2025-06-01".to_owned(),
        ..Asked::default()
    };
    let answer = desk.answer(&asked, body.as_bytes()).ok()?;
    Some(answer.body.unwrap_or_default())
}

fn setup(plan: &Plan, dice: &mut Dice) -> Setup {
    let start = plan.start();
    let rough = plan.rough();
    let usual = Setup::at(start);
    let timing = timing(plan, dice);
    let spot = market(plan, dice);
    let troubles = if plan.has(FaultKind::Machines) {
        troubles(start, rough, dice)
    } else {
        Vec::new()
    };
    Setup {
        seed: dice.seed(),
        account: Account {
            dedicated_cores: dice.pick(&[900, 900, 64, 24]),
            spot_cores: dice.pick(&[900, 900, 64, 24]),
            family_cores: if dice.chance(0.2) {
                BTreeMap::from([("standardDSv5Family".to_owned(), 32)])
            } else {
                BTreeMap::new()
            },
            ..usual.account
        },
        timing,
        spot,
        run_time: Times::Fixed(Span::minutes(2)),
        troubles,
        ..usual
    }
}

fn timing(plan: &Plan, dice: &mut Dice) -> Timing {
    let mut spread = |least: i64, most: i64| {
        let longest = dice.between(least as u32, most as u32);
        Spread {
            least: Span::seconds(least),
            most: Span::seconds(i64::from(longest)),
        }
    };
    let mut timing = Timing {
        allocation: spread(10, 240),
        creating: spread(10, 60),
        starting: spread(30, 600),
        start_task: spread(5, 120),
        leaving: spread(10, 120),
        stopping: spread(5, 120),
        ..Timing::default()
    };
    if plan.has(FaultKind::Storm) && dice.chance(0.3) {
        timing.evictions_hourly = dice.pick(&[0.01, 0.1, 0.5]);
    }
    timing
}

/// Units of spot capacity that go down one by one and all at once; after the rough time all of them are up.
pub(super) fn market(plan: &Plan, dice: &mut Dice) -> SpotMarket {
    if !plan.has(FaultKind::Storm) || dice.chance(0.3) {
        return SpotMarket::Unlimited;
    }
    let (start, calm) = (plan.start(), plan.start() + plan.rough());
    let end = calm + Plan::CALM + Span::days(1);
    let n_storms = dice.between(0, 6);
    let storms: Vec<(Timestamp, Timestamp)> = (0..n_storms)
        .map(|_| {
            let from = start + plan.rough().scale(dice.share());
            (from, from + dice.span(Span::minutes(2), Span::hours(8)))
        })
        .collect();
    let n_units = dice.between(1, 8);
    let mean_up = dice.span(Span::minutes(20), Span::days(3));
    let units = (0..n_units)
        .map(|_| unit(start, calm, end, mean_up, &storms, dice))
        .collect();
    SpotMarket::Supply(Arc::new(Supply::new("storms", units)))
}

fn unit(
    start: Timestamp,
    calm: Timestamp,
    end: Timestamp,
    mean_up: Span,
    storms: &[(Timestamp, Timestamp)],
    dice: &mut Dice,
) -> Vec<UpRun> {
    let mut runs: Vec<UpRun> = Vec::new();
    let mut from = start;
    while from < calm {
        let mut until = (from + mean_up.scale(0.1 + 2.0 * dice.share())).min(calm);
        let storm = storms.iter().find(|storm| from < storm.1 && storm.0 < until);
        let mut next = until + dice.span(Span::minutes(1), Span::hours(4));
        if let Some((begin, over)) = storm {
            until = until.min(*begin);
            next = next.max(*over);
        }
        if from < until {
            runs.push(UpRun {
                from: from.whole_milliseconds(),
                until: until.whole_milliseconds(),
            });
        }
        from = next;
    }
    runs.push(UpRun {
        from: from.max(calm).whole_milliseconds(),
        until: end.whole_milliseconds(),
    });
    runs
}

fn troubles(start: Timestamp, rough: Span, dice: &mut Dice) -> Vec<Trouble> {
    let n_troubles = dice.between(0, 4);
    (0..n_troubles)
        .map(|_| {
            let from = start + rough.scale(dice.share());
            let until = (from + dice.span(Span::minutes(5), Span::hours(12))).min(start + rough);
            let share = dice.share();
            let kind = match dice.between(0, 4) {
                0 => TroubleKind::SlowAllocation(1.0 + 9.0 * share),
                1 => TroubleKind::NoCapacity,
                2 => TroubleKind::StuckResize,
                3 => TroubleKind::StartTasksFail(share),
                _ => TroubleKind::NodesUnusable(share),
            };
            let pools = if dice.chance(0.5) { "*" } else { "pool-0" };
            Trouble {
                from: from.whole_milliseconds(),
                until: until.whole_milliseconds(),
                pools: pools.parse().expect("a pattern"),
                kind,
            }
        })
        .collect()
}
