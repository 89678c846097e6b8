//! One look at a live account, and the decisions about it; then, if wanted, the same decisions once more with their orders.
//!
//! Deciding is pure, so that a second pass over the same look decides the same: first nothing is ordered and the plan is
//! shown, then every decision is written down and its order goes out.

use std::path::Path;

use super::account_options::Connected;
use super::exit::Failure;
use crate::account::{Order, Receipt};
use crate::azure::Live;
use crate::base::Timestamp;
use crate::decision::{Decision, Memory};
use crate::engine::{self, Entry, Observation, ObserveError, PoolView, Priced, Question, RecordError, World};
use crate::policy::Policies;
use crate::world::{JsonLines, Ledger, line};

/// What one look at an account came to.
pub(super) struct Looked {
    at: Timestamp,
    seen: Observation,
    memory: Memory,
    /// The decisions, each with what it was made of.
    pub(super) decisions: Vec<Decision>,
    views: Vec<Option<PoolView>>,
}

/// A world that is looked at once and takes no order.
struct Look<'a> {
    live: &'a mut Live,
    at: Option<Timestamp>,
    seen: Observation,
    decisions: Vec<Decision>,
    views: Vec<Option<PoolView>>,
    error: Option<ObserveError>,
}

impl World for Look<'_> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        if self.at.is_some() {
            return None;
        }
        self.at = self.live.wait_until(at).map(Timestamp::whole_milliseconds);
        self.at
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let looked = self.live.observe(question, into);
        self.error = looked.clone().err();
        self.seen.clone_from(into);
        looked
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        if let Entry::Decided { decision, seen } = entry {
            self.decisions.push((*decision).clone());
            self.views.push(seen.cloned());
        }
        Ok(())
    }

    fn act(&mut self, _: &Order) -> Receipt {
        Receipt::Withheld
    }
}

/// Looks at an account once and decides for its pools.
pub(super) fn look(connected: &mut Connected, policies: &Policies) -> Result<Looked, Failure> {
    let mut world = Look {
        live: &mut connected.live,
        at: None,
        seen: Observation::default(),
        decisions: Vec::new(),
        views: Vec::new(),
        error: None,
    };
    let memory = engine::run(&mut world, policies, Memory::default());
    if let Some(error) = world.error {
        return Err(Failure::World {
            message: error.message,
            help: None,
        });
    }
    Ok(Looked {
        at: world.at.expect("a live account is looked at before it ends"),
        seen: world.seen,
        memory,
        decisions: world.decisions,
        views: world.views,
    })
}

impl Looked {
    /// Returns what an hour of a decision costs, where that was reckoned.
    pub(super) fn price(&self, policies: &Policies, decision: &Decision) -> Option<Priced> {
        let place = self
            .decisions
            .iter()
            .position(|other| other.pool == decision.pool)?;
        let view = self.views.get(place)?.as_ref()?;
        let remembered = self.memory.pools.get(&decision.pool)?;
        let snapshot = remembered.snapshot(self.at, &view.state, view.work.as_ref());
        engine::priced(policies, &snapshot, decision)
    }

    /// Says whether a pool could not be read.
    pub(super) fn has_faults(&self) -> bool {
        self.views.iter().flatten().any(|view| view.fault.is_some())
    }

    /// Says whether anything would be ordered.
    pub(super) fn changes(&self) -> bool {
        self.decisions.iter().any(|decision| decision.order().is_some())
    }
}

/// An order with what became of it.
pub(super) type Outcome = (Order, Receipt);

/// A world in which all is as it was looked at, and orders go out once they are written down.
struct Act<'a> {
    live: &'a mut Live,
    at: Option<Timestamp>,
    seen: &'a Observation,
    ledger: JsonLines,
    lost: Option<RecordError>,
    outcomes: Vec<Outcome>,
}

impl World for Act<'_> {
    fn wait_until(&mut self, _: Timestamp) -> Option<Timestamp> {
        self.at.take()
    }

    fn observe(&mut self, _: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        into.clone_from(self.seen);
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        let kept = self.ledger.append(&line(entry));
        if let Err(error) = &kept {
            self.lost.get_or_insert(error.clone());
        }
        kept
    }

    fn act(&mut self, order: &Order) -> Receipt {
        let receipt = self.live.act(order);
        self.outcomes.push((order.clone(), receipt.clone()));
        receipt
    }
}

/// Carries out what was decided, each order after its line in the ledger; returns what became of them, and what kept some from
/// going out.
pub(super) fn order(
    connected: &mut Connected,
    policies: &Policies,
    looked: &Looked,
    ledger: &Path,
) -> Result<(Vec<Outcome>, Option<RecordError>), Failure> {
    let ledger = JsonLines::open(ledger).map_err(|error| Failure::World {
        message: error.message,
        help: Some("nothing was ordered; name another file with --ledger FILE".to_owned()),
    })?;
    let mut world = Act {
        live: &mut connected.live,
        at: Some(looked.at),
        seen: &looked.seen,
        ledger,
        lost: None,
        outcomes: Vec::new(),
    };
    engine::run(&mut world, policies, Memory::default());
    Ok((world.outcomes, world.lost))
}
