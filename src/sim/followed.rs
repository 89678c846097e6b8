//! What a run did in depth: its course, its turns with their reasons, and how long tasks waited; kept only where it is asked for.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::cluster::{Cluster, Course};
use crate::base::{Mix, Span, Timestamp};
use crate::decision::{Decision, Reason, Verdict};
use crate::engine::Entry;

/// How much of a run is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follow {
    /// The most steps of its course.
    pub points: usize,
    /// The most turns.
    pub turns: usize,
}

/// What a run did in depth.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    /// What the pool had, step by step.
    pub course: Course,
    /// What its engine decided.
    pub turns: Turns,
    /// The share of the tasks that waited no longer than each of [`wait_marks`].
    pub waits: Vec<f64>,
}

/// The decisions that changed something, and those at which a hold began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turns {
    /// Those that are kept, in order of time: where there are too many, those that moved most.
    pub kept: Vec<Turn>,
    /// How many there were.
    pub n_all: u64,
}

/// A decision in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When.
    pub at: Timestamp,
    /// What it comes to.
    pub verdict: Verdict,
    /// The target that the pool had.
    pub from: Mix,
    /// Where the decision ends.
    pub to: Mix,
    /// The chain: what part of deciding each step belongs to, where it ends, and why.
    pub steps: Vec<(&'static str, Mix, String)>,
}

/// Waits at which the distribution is told: ten for each power of ten, from a second to a hundred days.
pub fn wait_marks() -> impl Iterator<Item = Span> {
    (0..=70).map(|tenth| Span::from_seconds(10_f64.powf(f64::from(tenth) / 10.0)))
}

/// Returns the share of waits that are no longer than each mark.
pub(super) fn wait_shares(mut waits: Vec<Span>) -> Vec<f64> {
    waits.sort_unstable();
    let n_waits = waits.len().max(1) as f64;
    wait_marks()
        .map(|mark| waits.partition_point(|wait| *wait <= mark) as f64 / n_waits)
        .collect()
}

/// Keeps the largest of what comes, in the order in which it came; among equals the first stays.
#[derive(Debug)]
pub struct Largest<T> {
    most: usize,
    n_all: u64,
    kept: BTreeMap<(u32, Reverse<u64>), T>,
}

impl<T> Largest<T> {
    /// Keeps at most so many.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            n_all: 0,
            kept: BTreeMap::new(),
        }
    }

    /// Takes in one of some size; it is made only where it is kept.
    pub fn offer(&mut self, size: u32, make: impl FnOnce() -> T) {
        let key = (size, Reverse(self.n_all));
        self.n_all += 1;
        if self.kept.len() >= self.most {
            if self.kept.first_key_value().is_none_or(|(least, _)| key < *least) {
                return;
            }
            self.kept.pop_first();
        }
        self.kept.insert(key, make());
    }

    /// Returns what was kept, and how many came.
    pub fn finish(self) -> (Vec<T>, u64) {
        let kept = self.kept.into_iter().map(|((_, Reverse(n)), one)| (n, one));
        let mut kept: Vec<_> = kept.collect();
        kept.sort_by_key(|(n, _)| *n);
        (kept.into_iter().map(|(_, one)| one).collect(), self.n_all)
    }
}

/// Returns by how many nodes a change moves a target.
pub const fn moved(from: Mix, to: Mix) -> u32 {
    let dedicated = from.dedicated.0.abs_diff(to.dedicated.0);
    dedicated.saturating_add(from.spot.0.abs_diff(to.spot.0))
}

/// Turns while a run goes on.
#[derive(Debug)]
pub(super) struct TurnKeeper {
    largest: Largest<Turn>,
    held: Option<&'static str>,
}

impl TurnKeeper {
    pub(super) const fn new(most: usize) -> Self {
        Self {
            largest: Largest::new(most),
            held: None,
        }
    }

    pub(super) fn see(&mut self, entry: &Entry<'_>) {
        let Entry::Decided { decision, .. } = entry else {
            return;
        };
        let held = decision.hold().map(Reason::code);
        let began = std::mem::replace(&mut self.held, held) != held;
        let is_turn = match decision.verdict() {
            Verdict::Hold => began,
            Verdict::Steady => false,
            Verdict::Out | Verdict::In | Verdict::Shift => true,
        };
        if is_turn {
            let size = moved(decision.start, decision.outcome());
            self.largest.offer(size, || Turn::from(*decision));
        }
    }

    pub(super) fn finish(self) -> Turns {
        let (kept, n_all) = self.largest.finish();
        Turns { kept, n_all }
    }
}

impl From<&Decision> for Turn {
    fn from(decision: &Decision) -> Self {
        let steps = decision.steps().iter();
        Self {
            at: decision.at,
            verdict: decision.verdict(),
            from: decision.start,
            to: decision.outcome(),
            steps: steps
                .map(|step| (step.stage.word(), step.to, step.reason.text()))
                .collect(),
        }
    }
}

impl Followed {
    /// Returns what a pool at its end has to tell, where its course was kept.
    pub(super) fn of(cluster: &mut Cluster, turns: TurnKeeper) -> Option<Self> {
        let course = cluster.take_course()?;
        Some(Self {
            course,
            turns: turns.finish(),
            waits: wait_shares(cluster.waits()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{PoolId, PoolState};
    use crate::decision::Stage;

    fn decided(keeper: &mut TurnKeeper, minute: i64, from: u32, to: u32) {
        let mut pool = PoolState::new("farm".parse::<PoolId>().unwrap());
        pool.target = Mix::new(from, 0);
        let mut decision = Decision::begin(&pool, Timestamp::from_unix_seconds(60 * minute), "p".into());
        decision.step(
            Stage::Propose,
            Mix::new(to, 0),
            Reason::Formula {
                formula: 1,
                of: 1,
                stopped: false,
            },
        );
        keeper.see(&Entry::Decided {
            decision: &decision,
            seen: None,
        });
    }

    #[test]
    fn the_turns_that_moved_most_stay_in_order_of_time() {
        let mut keeper = TurnKeeper::new(2);
        for (minute, from, to) in [(0, 0, 3), (1, 3, 3), (2, 3, 4), (3, 4, 9), (4, 9, 6)] {
            decided(&mut keeper, minute, from, to);
        }
        let turns = keeper.finish();
        assert_eq!(turns.n_all, 4);
        let minutes: Vec<f64> = turns
            .kept
            .iter()
            .map(|turn| turn.at.unix_seconds() / 60.0)
            .collect();
        assert_eq!(minutes, [0.0, 3.0], "of equals the first");
    }

    #[test]
    fn shares_of_waits_rise_from_those_that_did_not_wait_to_all() {
        let waits = [0, 1, 60, 3600].map(Span::seconds).to_vec();
        let shares = wait_shares(waits);
        assert_eq!((shares[0], shares[70]), (0.5, 1.0));
        assert!(shares.is_sorted());
        let minute = wait_marks().position(|mark| mark >= Span::minutes(1)).unwrap();
        assert_eq!(shares[minute], 0.75);
        assert_eq!(wait_shares(Vec::new())[70], 0.0);
    }
}
