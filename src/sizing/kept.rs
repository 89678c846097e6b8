//! What a task still has of the runs in which it lost its node.

use crate::account::LostRuns;
use crate::base::Span;
use crate::market::{Checkpoint, LostWork};

/// How much of a task is done, in the time that an undisturbed run takes for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// As much as is likely.
    pub(super) likely: Span,
    /// As much as can be counted on.
    pub(super) least: Span,
    /// How long a further run takes to load it.
    pub(super) load: Span,
}

impl Kept {
    /// Returns what is kept of lost runs.
    ///
    /// Nobody tells how far a task had come when it saved last. Runs that are lost at a constant rate, after `m` in the mean,
    /// keep `s ÷ (e^(s ÷ m) − 1)` each of saves that are `s` apart; that of one run is known, and how far many are off grows
    /// with the root of their number.
    pub(super) fn of(lost: LostRuns, rule: LostWork) -> Self {
        let LostWork::SinceCheckpoint(Checkpoint { every, cost, restart }) = rule else {
            return Self::default();
        };
        let count = f64::from(lost.count);
        let stretch = (every + cost).as_seconds().max(1.0);
        let in_all = lost.in_all.as_seconds() - restart.as_seconds() * (count - 1.0);
        if lost.count == 0 || in_all <= 0.0 {
            return Self::default();
        }
        let (likely, off) = if lost.count == 1 {
            ((in_all / stretch).floor() * stretch, 0.0)
        } else {
            let each = stretch / ((stretch * count / in_all).exp() - 1.0);
            (count * each, 0.5 * stretch * count.sqrt())
        };
        let load = if likely > 0.0 { restart } else { Span::ZERO };
        Self {
            likely: Span::from_seconds(likely),
            least: Span::from_seconds((likely - off).max(0.0)),
            load,
        }
    }

    /// Returns how long the whole task takes of which a last run took so long.
    pub(super) fn whole(self, run: Span) -> Span {
        self.likely + (run - self.load).max(Span::ZERO)
    }

    /// Returns how long a task takes at the least of which a run has taken so long by now.
    pub(super) fn at_least(self, run: Span) -> Span {
        self.least + (run - self.load).max(Span::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: LostWork = LostWork::SinceCheckpoint(Checkpoint {
        every: Span::minutes(10),
        cost: Span::ZERO,
        restart: Span::minutes(1),
    });

    fn of(minutes: &[i64], rule: LostWork) -> Kept {
        let lost = minutes
            .iter()
            .fold(LostRuns::default(), |lost, run| lost.and(Span::minutes(*run)));
        Kept::of(lost, rule)
    }

    #[test]
    fn one_run_keeps_what_it_saved_and_of_many_it_is_what_is_likely() {
        assert_eq!(of(&[25], LostWork::All), Kept::default());
        assert_eq!(of(&[], EVERY), Kept::default());
        assert_eq!(of(&[9], EVERY), Kept::default());
        let one = of(&[25], EVERY);
        assert_eq!((one.likely, one.least), (Span::minutes(20), Span::minutes(20)));
        // A minute of the last run went to the load.
        assert_eq!(one.whole(Span::minutes(16)), Span::minutes(35));
        // Three runs of an hour lose half of ten minutes each, and two of them a minute.
        let three = of(&[60, 50, 70], EVERY);
        let likely = three.likely.as_seconds() / 60.0;
        assert!((162.0..165.0).contains(&likely), "{likely}");
        assert!(three.least < three.likely);
        // Runs that seldom reach a save keep next to nothing.
        assert!(of(&[2; 9], EVERY).likely < Span::minutes(2));
    }
}
