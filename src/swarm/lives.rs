//! The lives of a sidecar, one after the other: each begins with what the ledger of the one before remembers.

use std::sync::Arc;

use super::dice::{Dice, Purpose};
use super::docket::{Docket, Trace};
use super::faults::FaultKind;
use super::found::Law;
use super::plan::{Ground, Plan};
use super::plant::{self, Planted};
use super::pools::Pools;
use super::recall::recall;
use super::steered::Account;
use super::watched::{Below, Life, Watched};
use super::wishes;
use crate::account::{Halt, HaltScope, PoolPattern};
use crate::base::{Span, Timestamp};
use crate::decision::{Decision, Memory, Reason};
use crate::engine;
use crate::policy::Policies;

/// A world while it is lived in.
pub(super) struct Lives {
    plan: Plan,
    docket: Arc<Docket>,
    ground: Stands,
    dice: Dice,
    kills: f64,
    /// How long a life of the sidecar lasts when nothing kills it.
    lasts: Span,
    memory: Memory,
    reload: u64,
    /// What is wanted since the latest reload.
    policies: Policies,
}

/// What the engine stands on.
enum Stands {
    Account(Account),
    Pools(Box<Pools>),
}

/// What is left of a life.
pub(super) struct Left {
    pub(super) ledger: String,
    pub(super) kept: Memory,
    /// Whether the latest line was kept, and nothing killed it.
    pub(super) is_whole: bool,
    decided: Vec<Decision>,
}

impl Lives {
    pub(super) fn open(plan: &Plan, trace: Option<Trace>) -> Self {
        let (ground, docket) = match plan.ground {
            Ground::Account => {
                let (account, docket) = Account::open(plan, trace);
                (Stands::Account(account), docket)
            }
            Ground::Pools => {
                let (pools, docket) = Pools::open(plan, trace);
                (Stands::Pools(Box::new(pools)), docket)
            }
        };
        let mut dice = Dice::new(plan.seed, Purpose::Ledger);
        let kills = dice.pick(&[0.0, 0.0005, 0.005, 0.05]);
        Self {
            plan: plan.clone(),
            docket,
            ground,
            kills: if plan.has(FaultKind::Kill) { kills } else { 0.0 },
            lasts: dice.span(Span::hours(1), Span::hours(36)),
            dice,
            memory: Memory::default(),
            reload: 0,
            policies: wishes::policies(plan, 0),
        }
    }

    pub(super) fn docket(&self) -> Arc<Docket> {
        self.docket.clone()
    }

    pub(super) fn n_tasks(&self) -> u64 {
        match &self.ground {
            Stands::Account(account) => account.n_tasks(),
            Stands::Pools(pools) => pools.n_tasks(),
        }
    }

    /// Lives until it has been calm for long enough, or a law is broken.
    pub(super) fn live(&mut self) {
        let calm_from = self.plan.calm_from();
        while self.docket.now() < calm_from && !self.docket.is_broken() {
            // Operators change their minds between two starts.
            if self.dice.chance(0.2) {
                self.reload += 1;
                self.policies = wishes::policies(&self.plan, self.reload);
            }
            let until = (self.docket.now() + self.lasts).min(calm_from);
            self.life_until(until);
        }
        if self.docket.is_broken() {
            return;
        }
        let decided = self.life_until(calm_from + self.plan.calm());
        if !self.docket.is_broken() {
            self.rest(&decided);
        }
    }

    /// Lives from one start to the next; returns the decisions of the last tick.
    fn life_until(&mut self, until: Timestamp) -> Vec<Decision> {
        let seed = self.dice.seed();
        let life = Life {
            until,
            kills: self.kills,
            halts: self.halts(until),
            dice: Dice::new(seed, Purpose::Ledger),
            receipts: Dice::new(seed, Purpose::Receipts),
        };
        let policies = &self.policies;
        let before = std::mem::take(&mut self.memory);
        let left = match &mut self.ground {
            Stands::Account(account) => lived(account.enter(), &self.docket, policies, (&before, life)),
            Stands::Pools(pools) => lived(&mut **pools, &self.docket, policies, (&before, life)),
        };
        self.docket.count(|tally| tally.restarts += 1);
        self.docket
            .tell(|| "a start from what the ledger remembers".to_owned());
        self.memory = recall(&self.docket, &left).unwrap_or(before);
        left.decided
    }

    /// Draws what somebody halts in a life; at rest nothing is.
    fn halts(&mut self, until: Timestamp) -> Vec<(PoolPattern, Halt)> {
        if until > self.plan.calm_from() || !self.plan.has(FaultKind::People) || !self.dice.chance(0.2) {
            return Vec::new();
        }
        let halt = Halt {
            scope: self.dice.pick(&[HaltScope::In, HaltScope::Out, HaltScope::All]),
            until: Some(self.docket.now() + self.dice.span(Span::minutes(5), Span::hours(12))),
            why: "maintenance".to_owned(),
            by: None,
        };
        let pools = self.dice.pick(&["pool-*", "pool-0", "pool-1"]);
        self.docket.tell(|| format!("halted: {pools}, {halt:?}"));
        vec![(pools.parse().expect("a pattern"), halt)]
    }

    /// Nothing has failed for a while: every pool is seen. Where pools come to, every look of the calm is held against.
    fn rest(&self, decided: &[Decision]) {
        for decision in decided {
            if let Some(Reason::ObserveFailed { message, .. }) = decision.hold() {
                let what = format!("it is calm, and {} is not seen: {message}", decision.pool);
                self.docket.find(Law::Rest, what);
            }
        }
    }
}

/// Runs the engine once over a world that is watched.
fn lived<W: Below>(
    world: W,
    docket: &Arc<Docket>,
    policies: &Policies,
    (before, life): (&Memory, Life),
) -> Left {
    let held = plant::narrower(&docket.plan, policies);
    let mut world = Watched::new(world, docket, (policies, &held), life);
    world.bill.begin(before);
    let mut planted = Planted::new(&mut world, docket.plan.plant);
    let kept = engine::run(&mut planted, policies, before.clone());
    if !docket.is_broken() {
        world.bill.end(&world.ledger, (before, &kept), world.has_all);
    }
    Left {
        is_whole: world.is_whole && !world.is_killed,
        decided: world.laws.latest().to_vec(),
        ledger: world.ledger,
        kept,
    }
}
