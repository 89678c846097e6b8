//! Capacity that comes and goes, taken apart into the lives of its units.

use super::{LIVES_MAX, WRONG_ROW, too_many};
use crate::base::{Diagnostic, Span, Timestamp};
use crate::market::Life;

/// Capacity that came and went: unit k is up while at least k units are available.
#[derive(Clone, Debug, PartialEq)]
pub struct CapacitySteps {
    /// How long units were up.
    pub ups: Vec<Life>,
    /// How long they were down.
    pub downs: Vec<Life>,
    /// The most units that were available at once.
    pub units: u32,
    /// How long was recorded.
    pub length: Span,
    /// Steps down.
    pub losses: u32,
    /// Units that they took.
    pub lost: u32,
    /// Of them, units lost in steps that took at least half of what was up.
    pub lost_by_halves: u32,
}

/// From when so many units are available; `None` ends the recording.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) at: Timestamp,
    pub(super) units: Option<u32>,
}

impl CapacitySteps {
    pub(super) fn of(steps: &[Step], end_of_text: usize, faults: &mut Vec<Diagnostic>) -> Self {
        let units = steps.iter().filter_map(|step| step.units).max().unwrap_or(0);
        let mut capacity = Self {
            ups: Vec::new(),
            downs: Vec::new(),
            units,
            length: Span::ZERO,
            losses: 0,
            lost: 0,
            lost_by_halves: 0,
        };
        if !faults.is_empty() {
            return capacity;
        }
        let place = end_of_text.saturating_sub(1)..end_of_text;
        let (Some(first), Some(end)) = (steps.first(), steps.last().filter(|last| last.units.is_none()))
        else {
            let message = "the recording has no end";
            let fault = Diagnostic::error(WRONG_ROW, place, message);
            faults.push(fault.help("end it with a row whose `available` is -1: without it nobody knows how long the last value held"));
            return capacity;
        };
        if units as usize > LIVES_MAX {
            faults.push(too_many(place));
            return capacity;
        }
        capacity.length = end.at - first.at;
        let mut since = vec![first.at; units as usize];
        let mut held = first.units.unwrap_or(0);
        for step in &steps[1..] {
            let Some(next) = step.units else { break };
            capacity.note_loss(held, next);
            let (low, high) = (held.min(next) as usize, held.max(next) as usize);
            let kind = if next < held {
                &mut capacity.ups
            } else {
                &mut capacity.downs
            };
            for began in &mut since[low..high] {
                kind.push(life(std::mem::replace(began, step.at), step.at, true));
            }
            held = next;
            if capacity.ups.len() + capacity.downs.len() > LIVES_MAX {
                faults.push(too_many(place));
                return capacity;
            }
        }
        for (unit, began) in since.into_iter().enumerate() {
            let kind = if unit < held as usize {
                &mut capacity.ups
            } else {
                &mut capacity.downs
            };
            kind.push(life(began, end.at, false));
        }
        capacity
    }

    fn note_loss(&mut self, before: u32, after: u32) {
        let lost = before.saturating_sub(after);
        if lost > 0 {
            self.losses += 1;
            self.lost = self.lost.saturating_add(lost);
            if lost >= before.div_ceil(2) {
                self.lost_by_halves = self.lost_by_halves.saturating_add(lost);
            }
        }
    }
}

fn life(started: Timestamp, ended_at: Timestamp, ended: bool) -> Life {
    Life {
        started,
        length: ended_at - started,
        ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::recorded::{Recorded, read};

    #[test]
    fn capacity_is_taken_apart_into_units() {
        let text = "t_s,available\n0,2\n100,0\n150,3\n400,2\n500,-1\n";
        let Recorded::Steps(steps) = read(text, None).unwrap() else {
            panic!("other format");
        };
        let told = |lives: &[Life]| -> Vec<_> {
            lives
                .iter()
                .map(|life| (life.length.as_seconds(), life.ended))
                .collect()
        };
        assert_eq!(
            told(&steps.ups),
            [
                (100.0, true),
                (100.0, true),
                (250.0, true),
                (350.0, false),
                (350.0, false)
            ]
        );
        assert_eq!(
            told(&steps.downs),
            [(50.0, true), (50.0, true), (150.0, true), (100.0, false)]
        );
        assert_eq!((steps.units, steps.length), (3, Span::seconds(500)));
        assert_eq!((steps.losses, steps.lost, steps.lost_by_halves), (2, 3, 2));
    }
}
