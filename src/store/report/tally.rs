//! Savings of a ledger that grows: read on from where the last reading ended, so many lines at a time, and kept by the hour.
//!
//! ```text
//! ledger ─ lines behind the last one ─► seat of each pool ─► hours ─ those of the time asked for ─► sums
//! ```

use std::collections::{BTreeMap, VecDeque};

use super::savings::{Saved, Seat};
use super::{FormulaCourse, Held, Stretch};
use crate::account::PoolId;
use crate::base::{Span, Timestamp};
use crate::store::{Found, Keeper, Search, Store, StoreError};
use crate::world::look_of;

/// What was saved over the latest so much time, against the formula that the service documents.
#[derive(Debug)]
pub struct Tally {
    lasts: Span,
    from: Timestamp,
    /// The number of the last line that was read.
    after: Option<u64>,
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
    seats: BTreeMap<PoolId, Seat>,
    hours: BTreeMap<i64, BTreeMap<PoolId, Saved>>,
}

/// What a tally comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tallied {
    /// The first moment that counts; `None` before a look was read.
    pub from: Option<Timestamp>,
    /// The latest look.
    pub to: Option<Timestamp>,
    /// What was saved, pool by pool.
    pub pools: BTreeMap<PoolId, Saved>,
}

impl Tally {
    /// Returns the tally of the latest so much time before now, of which nothing is read yet.
    pub fn of_the_last(lasts: Span, now: Timestamp) -> Self {
        Self {
            lasts,
            from: now - lasts,
            after: None,
            began: None,
            ended: None,
            seats: BTreeMap::new(),
            hours: BTreeMap::new(),
        }
    }

    /// Returns what it comes to; the hour in which the time begins counts whole.
    pub fn sums(&self) -> Tallied {
        let mut pools: BTreeMap<PoolId, Saved> = BTreeMap::new();
        for (pool, saved) in self.hours.values().flatten() {
            *pools.entry(pool.clone()).or_default() += *saved;
        }
        let oldest = self
            .hours
            .keys()
            .next()
            .map(|hour| Timestamp::from_ticks(hour * HOUR));
        Tallied {
            from: self.began.max(oldest),
            to: self.ended,
            pools,
        }
    }

    fn see(&mut self, found: &Found, prices: Option<[f64; 2]>) {
        self.after = Some(found.number);
        let Ok(Some((at, view))) = look_of(&found.line) else {
            return;
        };
        self.began.get_or_insert(at);
        self.ended = self.ended.max(Some(at));
        let id = &view.state.id;
        let seat = || Seat::new(at, FormulaCourse::documented());
        let seat = self.seats.entry(id.clone()).or_insert_with(seat);
        let saved = seat.see(at, &view, prices);
        let hour = self.hours.entry(hour_of(at)).or_default();
        *hour.entry(id.clone()).or_default() += saved;
    }

    /// Forgets hours that count no more, and pools that have long been gone.
    fn forget(&mut self) {
        let Some(ended) = self.ended else { return };
        self.hours = self.hours.split_off(&hour_of(ended - self.lasts));
        self.seats.retain(|_, seat| ended - seat.at <= SEAT_KEPT_MAX);
    }
}

const HOUR: i64 = Span::hours(1).ticks();
/// Nothing follows any more from what a pool had before: accounts that make a pool for each job have many of them.
const SEAT_KEPT_MAX: Span = Span::days(1);

const fn hour_of(at: Timestamp) -> i64 {
    at.ticks().div_euclid(HOUR)
}

impl Store {
    /// Reads on in a tally, some more than so many lines at the most; says whether it came to the end of the ledger.
    ///
    /// # Errors
    /// When the ledger cannot be read; what was read until then counts.
    pub fn tally(&self, tally: &mut Tally, lines_max: usize) -> Result<bool, StoreError> {
        let stretch = Stretch {
            from: Some(tally.from),
            ..Stretch::default()
        };
        let mut prices = PricesBehind::default();
        let mut read = 0;
        while read < lines_max {
            let page = self.search(&Search {
                after: tally.after,
                limit: Search::LIMIT_MAX.min(lines_max - read),
                ..stretch.decisions()
            })?;
            for found in &page.found {
                let price = prices.of(self, &stretch, found.number)?;
                tally.see(found, price);
            }
            read += page.found.len();
            tally.forget();
            if page.next.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The prices of lines, which stand beside them: read on as the lines are.
#[derive(Default)]
struct PricesBehind {
    rows: VecDeque<(u64, Held)>,
    is_over: bool,
}

impl PricesBehind {
    fn of(&mut self, store: &Store, stretch: &Stretch, number: u64) -> Result<Option<[f64; 2]>, StoreError> {
        while self.rows.front().is_some_and(|(other, _)| *other < number) {
            self.rows.pop_front();
        }
        if self.rows.is_empty() && !self.is_over {
            let after = number.saturating_sub(1);
            self.rows = ask!(store, keeper => keeper.held(stretch, after))?.into();
            self.is_over = self.rows.is_empty();
        }
        let own = self.rows.front().filter(|(other, _)| *other == number);
        Ok(own.and_then(|(_, held)| held.prices))
    }
}
