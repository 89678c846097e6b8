//! What the ledger says was paid, saved and waited: folds over its decisions, each with what it assumes.

mod cost;
mod formula_course;
mod savings;
mod tally;
mod wait;

pub use cost::{Cost, HELD_FOR_MAX};
pub use formula_course::FormulaCourse;
pub use savings::{Saved, Savings, assumptions};
pub use tally::{Tallied, Tally};
pub use wait::Wait;

use crate::account::PoolId;
use crate::base::{Mix, Span, Timestamp};
use crate::world::EntryKind;

use super::facts::{Facts, PricesByPolicy};
use super::{Keeper, Search, Store, StoreError};

/// The nodes of one pool from one decision to the next, which is how long they are taken to be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The pool.
    pub pool: PoolId,
    /// When the decision saw them.
    pub at: Timestamp,
    /// Those that are paid for: preempted ones are not.
    pub nodes: Mix,
    /// What an hour of a dedicated and of a spot node costs by the policy, in dollars; unknown for lines without a policy.
    pub prices: Option<[f64; 2]>,
}

/// The part of the ledger that is reported on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Not after this moment.
    pub to: Option<Timestamp>,
    /// This pool alone.
    pub pool: Option<PoolId>,
}

impl Stretch {
    /// Returns the search for its decisions, oldest first.
    pub fn decisions(&self) -> Search {
        Search {
            pool: self.pool.clone(),
            from: self.from,
            to: self.to,
            kind: Some(EntryKind::Decided),
            limit: Search::LIMIT_MAX,
            ..Search::default()
        }
    }
}

impl Store {
    /// Returns what was paid for, pool by pool.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn cost(&self, stretch: &Stretch) -> Result<Vec<Cost>, StoreError> {
        let mut fold = cost::Fold::default();
        self.each_held(stretch, &mut |held| fold.see(&held))?;
        Ok(fold.finish())
    }

    /// Calls with the nodes that each decision of a stretch saw, in the order of the ledger.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn each_held(&self, stretch: &Stretch, each: &mut dyn FnMut(Held)) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let held = ask!(self, keeper => keeper.held(stretch, after))?;
            let Some((last, _)) = held.last() else {
                return Ok(());
            };
            after = *last;
            for (_, held) in held {
                each(held);
            }
        }
    }
}

/// Returns what the pools of a ledger cost whose lines nobody has put into a store.
///
/// # Errors
/// When a line is not one that an engine wrote.
pub fn cost_of_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Vec<Cost>, StoreError> {
    let mut prices = PricesByPolicy::new();
    let mut fold = cost::Fold::default();
    for line in lines {
        let facts = Facts::read(line)?;
        if let Some(known) = facts.prices {
            prices = known;
        }
        let pool = facts.pool.and_then(|pool| pool.parse().ok());
        let held = pool.zip(facts.held).filter(|_| facts.kind == EntryKind::Decided);
        if let Some((pool, nodes)) = held {
            fold.see(&Held {
                pool,
                at: facts.at,
                nodes,
                prices: facts.policy.and_then(|policy| prices.get(&policy).copied()),
            });
        }
    }
    Ok(fold.finish())
}

/// Returns how long nodes of a look are taken to be there: to the next look, and no longer than [`HELD_FOR_MAX`].
pub fn held_for(at: Timestamp, next: Timestamp) -> Option<Span> {
    let span = next - at;
    (span > Span::ZERO).then(|| span.min(HELD_FOR_MAX))
}
