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
use crate::decision::Memory;
use crate::engine::{self, Entry, Observation, ObserveError, Question, RecordError, World};
use crate::policy::Policies;
use crate::world::{Glance, JsonLines, Ledger, WithSignals, glance, line};

/// Looks at an account once and decides for its pools.
pub(super) fn look(connected: &mut Connected, policies: &Policies) -> Result<Glance, Failure> {
    let mut world = WithSignals::new(&mut connected.live, &mut connected.sources);
    glance(&mut world, policies, Memory::default()).map_err(|error| Failure::World {
        message: error.message,
        help: None,
    })
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
    looked: &Glance,
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
