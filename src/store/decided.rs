//! Decisions one after the other, each with the nodes that it saw and what they cost.

use std::collections::VecDeque;

use super::report::{Held, Stretch};
use super::{Found, Keeper, Store, StoreError};

/// The nodes of the decisions to come, in the order of their lines.
#[derive(Default)]
struct Ahead {
    held: VecDeque<(u64, Held)>,
    after: u64,
    is_over: bool,
}

impl Store {
    /// Calls with each decision of a stretch, the oldest line first, and with the nodes that it saw, until it is told to stop; says
    /// whether it came to the end.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn decisions(
        &self,
        stretch: &Stretch,
        each: &mut dyn FnMut(Found, Option<Held>) -> bool,
    ) -> Result<bool, StoreError> {
        let mut search = stretch.decisions();
        let mut ahead = Ahead::default();
        loop {
            let page = self.search(&search)?;
            for found in page.found {
                let held = ahead.take(self, stretch, found.number)?;
                if !each(found, held) {
                    return Ok(false);
                }
            }
            match page.next {
                Some(next) => search.after = Some(next),
                None => return Ok(true),
            }
        }
    }
}

impl Ahead {
    /// Returns what a decision saw; lines are asked for in their order.
    fn take(&mut self, store: &Store, stretch: &Stretch, number: u64) -> Result<Option<Held>, StoreError> {
        loop {
            match self.held.front() {
                Some((first, _)) if *first > number => return Ok(None),
                Some((first, _)) => {
                    let is_it = *first == number;
                    let held = self.held.pop_front().map(|(_, held)| held);
                    if is_it {
                        return Ok(held);
                    }
                }
                None if self.is_over => return Ok(None),
                None => {
                    // What lies before the line is of no use any more.
                    self.after = self.after.max(number.saturating_sub(1));
                    self.held = ask!(store, keeper => keeper.held(stretch, self.after))?.into();
                    self.is_over = self.held.is_empty();
                    self.after = self.held.back().map_or(self.after, |(last, _)| *last);
                }
            }
        }
    }
}
