//! Where spot machines come from: units of capacity that are up or down, and the machines that wait for one.
//!
//! Every spot machine is of one unit, of those that are up the one with the fewest machines, in turn among equals. A unit
//! that goes down takes all its machines. What cannot be had waits, and is had as soon as a unit is up and the service has
//! tried again.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand_pcg::Pcg64Mcg;

use super::calendar::NodeRef;
use crate::base::{Span, Timestamp};
use crate::sim::Supply;

/// The spot market as one pool meets it.
#[derive(Debug, Default)]
pub(crate) struct Spot {
    /// Without a supply machines can always be had.
    supply: Option<Arc<Supply>>,
    units: Vec<Unit>,
    /// The units that are up, by machines and by when they were last given one.
    open: BTreeSet<(u32, u64, u32)>,
    n_given: u64,
    /// Machines that were asked for and were not to be had.
    pub(super) ungranted: u32,
    /// Nodes that were taken away and wait for another machine, in that order; some may have been removed meanwhile.
    pub(super) preempted: Vec<NodeRef>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Unit {
    is_up: bool,
    /// The run that it is in, or that comes next.
    run: usize,
    machines: u32,
    last_given: u64,
}

impl Spot {
    /// Returns the market as it is at the start.
    pub(crate) fn new(supply: Option<Arc<Supply>>, start: Timestamp) -> Self {
        let mut spot = Self::default();
        let runs = supply.as_deref().map_or(&[][..], Supply::units);
        for (number, runs) in (0..).zip(runs) {
            let run = runs.partition_point(|run| run.until <= start);
            let is_up = runs.get(run).is_some_and(|run| run.from <= start);
            spot.units.push(Unit {
                is_up,
                run,
                ..Unit::default()
            });
            if is_up {
                spot.open.insert((0, 0, number));
            }
        }
        spot.supply = supply;
        spot
    }

    pub(crate) const fn n_units(&self) -> u32 {
        self.units.len() as u32
    }

    /// Says whether machines are given out by a supply.
    pub(super) const fn has_supply(&self) -> bool {
        self.supply.is_some()
    }

    /// Draws how long a machine lasts by itself, if the supply says so.
    pub(crate) fn draw_life(&self, chance: &mut Pcg64Mcg) -> Option<Span> {
        self.supply.as_deref()?.lives()?.draw(chance)
    }

    /// Says whether a machine can be had.
    pub(crate) fn is_open(&self) -> bool {
        self.supply.is_none() || !self.open.is_empty()
    }

    pub(crate) fn is_up(&self, unit: u32) -> bool {
        self.units[unit as usize].is_up
    }

    /// Returns when a unit goes down or comes up next.
    pub(crate) fn next_turn(&self, unit: u32) -> Option<Timestamp> {
        let supply = self.supply.as_deref()?;
        let state = &self.units[unit as usize];
        let run = supply.units()[unit as usize].get(state.run)?;
        let at = if state.is_up { run.until } else { run.from };
        supply.end().is_none_or(|end| at < end).then_some(at)
    }

    /// Turns a unit the other way; its machines, when it goes down, are to be released one by one.
    pub(crate) fn turn(&mut self, unit: u32) {
        let state = &mut self.units[unit as usize];
        let key = (state.machines, state.last_given, unit);
        if state.is_up {
            self.open.remove(&key);
            state.run += 1;
        } else {
            self.open.insert(key);
        }
        state.is_up = !state.is_up;
    }

    /// Gives a machine, and returns its unit; it must be open.
    pub(crate) fn give(&mut self) -> Option<u32> {
        self.supply.as_ref()?;
        let (.., unit) = self.open.pop_first().expect("a unit is up");
        self.n_given += 1;
        let state = &mut self.units[unit as usize];
        state.machines += 1;
        state.last_given = self.n_given;
        self.open.insert((state.machines, state.last_given, unit));
        Some(unit)
    }

    /// Takes a machine back.
    pub(crate) fn release(&mut self, unit: u32) {
        let state = &mut self.units[unit as usize];
        let key = (state.machines, state.last_given, unit);
        state.machines -= 1;
        if self.open.remove(&key) {
            self.open.insert((state.machines, state.last_given, unit));
        }
    }

    /// Counts a machine that is on a unit already.
    pub(crate) fn seat(&mut self, unit: u32) {
        let state = &mut self.units[unit as usize];
        let key = (state.machines, state.last_given, unit);
        state.machines += 1;
        if self.open.remove(&key) {
            self.open.insert((state.machines, state.last_given, unit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::UpRun;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second)
    }

    fn run(from: i64, until: i64) -> UpRun {
        UpRun {
            from: at(from),
            until: at(until),
        }
    }

    #[test]
    fn machines_go_to_the_unit_with_the_fewest_in_turn_among_equals() {
        let supply = Supply::new("s", vec![vec![run(0, 10)], vec![run(0, 20)], vec![run(30, 40)]]);
        let mut spot = Spot::new(Some(Arc::new(supply)), at(5));
        let given: Vec<_> = (0..4).map(|_| spot.give()).collect();
        assert_eq!(given, [Some(0), Some(1), Some(0), Some(1)]);
        spot.release(1);
        assert_eq!(spot.give(), Some(1));
        assert_eq!(
            [0, 1, 2].map(|unit| spot.next_turn(unit)),
            [Some(at(10)), Some(at(20)), Some(at(30))]
        );
        spot.turn(0);
        assert_eq!((spot.give(), spot.next_turn(0)), (Some(1), None));
        spot.turn(1);
        assert!(!spot.is_open());
        spot.turn(2);
        assert_eq!((spot.give(), spot.next_turn(2)), (Some(2), Some(at(40))));
    }

    #[test]
    fn what_is_up_where_the_telling_ends_stays_up() {
        let spot = Spot::new(Some(Arc::new(Supply::always(at(0), at(100)))), at(0));
        assert_eq!((spot.next_turn(0), spot.is_open()), (None, true));
    }
}
