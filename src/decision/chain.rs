//! The decision as a chain of steps.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ForecastAsk, Reason, SignalSeen};
use crate::account::{
    Etag, LeaseOrder, NodeDeallocationOption, Order, PoolId, PoolState, Removal, Replacement,
};
use crate::base::{Mix, Timestamp};

/// What part of deciding a step belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// A strategy says what is needed.
    Propose,
    /// What is needed is split between the lanes.
    Split,
    /// The account says what of it the pool may have beside the others.
    Allocate,
    /// A guard or bound says what is allowed.
    Restrain,
    /// How that is ordered, and what is done beside it; it ends where it starts.
    Order,
    /// Nothing shall be done; always the last step.
    Hold,
}

/// One link of the chain: where it ends, and why. It starts where the step before it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its part in deciding.
    pub stage: Stage,
    /// Where it ends.
    pub to: Mix,
    /// Why.
    pub reason: Reason,
}

/// What was decided for one pool at one moment, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The pool.
    pub pool: PoolId,
    /// When.
    pub at: Timestamp,
    /// The name of the policy that decided.
    pub policy: Arc<str>,
    /// The nodes that were there.
    pub current: Mix,
    /// The target that the pool had: where the chain starts.
    pub start: Mix,
    /// What an order does to running tasks.
    pub option: NodeDeallocationOption,
    /// Which nodes an order may take away.
    pub removal: Removal,
    /// The ready nodes of each lane that shall take no further tasks.
    pub cordon: Mix,
    /// Those that took none when the pool was looked at.
    pub cordoned: Mix,
    /// Whether an order stops a resize that is under way.
    pub retake: bool,
    /// Whether an order disables the formula that the pool follows.
    pub release: bool,
    /// The formula that carries the outcome.
    pub lease: Option<LeaseOrder>,
    /// Nodes of no use that an order replaces.
    pub replace: Option<Replacement>,
    /// The version of the pool that was looked at.
    pub etag: Option<Etag>,
    /// What was seen of the signals from outside that its policy asks for.
    pub signals: Vec<SignalSeen>,
    /// What was forecast and is believed, where another strategy asked for more.
    pub forecast: Option<Box<ForecastAsk>>,
    steps: Vec<Step>,
}

impl Decision {
    /// Returns a chain without steps that starts at the pool's target.
    pub fn begin(pool: &PoolState, at: Timestamp, policy: Arc<str>) -> Self {
        Self {
            pool: pool.id.clone(),
            at,
            policy,
            current: pool.current,
            start: pool.target,
            option: pool.option,
            removal: Removal::Any,
            cordon: pool.cordoned,
            cordoned: pool.cordoned,
            retake: false,
            release: false,
            lease: None,
            replace: None,
            etag: pool.etag.clone(),
            signals: Vec::new(),
            forecast: None,
            // Propose, split, a bound or guard and a hold are the most that is usual.
            steps: Vec::with_capacity(4),
        }
    }

    /// Adds a step; after a hold there is none.
    pub fn step(&mut self, stage: Stage, to: Mix, reason: Reason) {
        assert!(self.hold().is_none(), "a hold is the last step of a chain");
        assert!(
            stage != Stage::Hold || to == self.start,
            "a hold goes back to the pool's target"
        );
        assert!(
            stage != Stage::Order || to == self.outcome(),
            "how something is ordered does not change what is"
        );
        self.steps.push(Step { stage, to, reason });
    }

    /// Ends the chain where it started.
    pub fn hold_because(&mut self, reason: Reason) {
        self.step(Stage::Hold, self.start, reason);
    }

    /// Lets a hold be a step like others, where something is to be ordered that leaves the target.
    pub fn rest(&mut self) {
        if let Some(step) = self.steps.last_mut().filter(|step| step.stage == Stage::Hold) {
            step.stage = Stage::Restrain;
        }
    }

    /// Returns the steps in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns where the last step ends.
    pub fn outcome(&self) -> Mix {
        self.steps.last().map_or(self.start, |step| step.to)
    }

    /// Says whether nodes of some lane would be taken away.
    pub fn shrinks(&self) -> bool {
        let outcome = self.outcome();
        outcome.dedicated < self.start.dedicated || outcome.spot < self.start.spot
    }

    /// Returns why nothing shall be done, when the chain ends in a hold.
    pub fn hold(&self) -> Option<&Reason> {
        self.steps
            .last()
            .filter(|step| step.stage == Stage::Hold)
            .map(|step| &step.reason)
    }

    /// Says whether an order does more than to change the target.
    pub fn order_is_more(&self) -> bool {
        let beside = self.retake || self.release || self.lease.is_some() || self.replace.is_some();
        beside || self.cordon != self.cordoned
    }

    /// Returns the order that follows: none when the pool has its target already, and in a hold.
    pub fn order(&self) -> Option<Order> {
        let changes = self.outcome() != self.start || self.order_is_more();
        (changes && self.hold().is_none()).then(|| Order {
            pool: self.pool.clone(),
            at: self.at,
            target: self.outcome(),
            option: self.option,
            removal: self.removal,
            cordon: self.cordon,
            retake: self.retake,
            release: self.release,
            lease: self.lease.clone(),
            replace: self.replace,
            etag: self.etag.clone(),
        })
    }
}
