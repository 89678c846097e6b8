//! The first count at which something is low enough, found by Newton's steps that a bracket holds.

/// What is found at a count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub is_enough: bool,
    /// What is to be low enough, about how low, and by how much one more lowers it.
    pub amount: f64,
    pub wanted: f64,
    pub fall: f64,
}

impl Look {
    /// Returns by how many more the amount comes to what is wanted when it goes on to fall in proportion.
    fn step(&self) -> f64 {
        (self.amount / self.wanted).ln() * self.amount / self.fall
    }
}

/// Returns the least count of `low` to `high` that is enough; `None` when none of them is. What is above one that is enough must be
/// enough too.
pub(super) fn first((low, high): (u32, u32), guess: u32, mut look: impl FnMut(u32) -> Look) -> Option<u32> {
    // All below `from` are too few; `found`, once it is one, is enough.
    let (mut from, mut found) = (low, None);
    let mut at = guess.clamp(low, high);
    for round in 1_u32.. {
        let here = look(at);
        if here.is_enough {
            found = Some(at);
        } else {
            from = at + 1;
        }
        let to = found.unwrap_or(high.saturating_add(1));
        if from >= to {
            break;
        }
        let step = here.step();
        // Where the fall tells nothing, or tells it badly, the range is halved.
        at = if step.is_finite() && round % 4 != 0 {
            (f64::from(at) + step)
                .ceil()
                .clamp(f64::from(from), f64::from(to - 1)) as u32
        } else {
            from + (to - from) / 2
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn falling(excess: f64, slope: f64) -> Look {
        Look {
            is_enough: excess <= 0.0,
            amount: excess.exp(),
            wanted: 1.0,
            fall: slope * excess.exp(),
        }
    }

    #[test]
    fn the_first_is_found_wherever_it_is() {
        let line = |at: u32| falling(70.5 - f64::from(at), 1.0);
        assert_eq!(first((0, 100), 3, line), Some(71));
        assert_eq!(first((0, 70), 3, line), None);
        assert_eq!(first((80, 100), 99, line), Some(80));
        // A cliff has no slope; the range is halved.
        let step = |at: u32| falling(if at < 9 { f64::INFINITY } else { f64::NEG_INFINITY }, 0.0);
        assert_eq!(first((0, u32::MAX), 0, step), Some(9));
    }

    proptest! {
        #[test]
        fn no_slope_leads_astray(root in 0_u32..2_000, bounds in (0_u32..1_000, 0_u32..1_500), slope in -3.0..3.0_f64, guess in 0_u32..3_000) {
            let (low, high) = (bounds.0, bounds.0 + bounds.1);
            let found = first((low, high), guess, |at| falling(f64::from(root) - f64::from(at), slope));
            prop_assert_eq!(found, (root <= high).then_some(root.max(low)));
        }
    }
}
