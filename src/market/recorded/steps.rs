//! Capacity that comes and goes, taken apart into the lives of its units.

use super::{LIVES_MAX, too_many};
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

/// From when so many units are available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, since the start of the recording.
    pub at: Span,
    /// How many; `None` ends the recording.
    pub units: Option<u32>,
    /// Where in the text the number stands: its first byte and the one behind.
    pub place: (usize, usize),
}

impl CapacitySteps {
    /// Takes steps apart of which the last, and no other, ends the recording.
    pub(super) fn of(steps: &[Step]) -> Result<Self, Diagnostic> {
        let most = steps
            .iter()
            .max_by_key(|step| step.units)
            .expect("a recording has an end");
        let units = most.units.unwrap_or(0);
        if units as usize > LIVES_MAX {
            return Err(too_many(most.place.0..most.place.1));
        }
        let mut capacity = Self {
            ups: Vec::new(),
            downs: Vec::new(),
            units,
            length: Span::ZERO,
            losses: 0,
            lost: 0,
            lost_by_halves: 0,
        };
        let (first, end) = (steps[0], steps[steps.len() - 1]);
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
                return Err(too_many(step.place.0..step.place.1));
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
        Ok(capacity)
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

fn life(started: Span, ended_at: Span, ended: bool) -> Life {
    Life {
        started: Timestamp::EPOCH + started,
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
