//! Which runs a page shows in depth, and how much of each, so that no page grows beyond a few megabytes.

use crate::sim::Follow;
use crate::sim::sweep::SweepReport;

/// Runs in depth: one takes some 100 KB with its turns, and nobody goes through more.
pub const RUNS_MAX: usize = 24;

/// What is kept of each: a point for two pixels of a wide screen, and as many turns as a person reads.
pub const FOLLOW: Follow = Follow {
    points: 720,
    turns: 200,
};

/// Returns the contenders of a sweep, by place, those that matter most first: the front by its cost, what it is compared with, the
/// other settings by their cost.
pub fn ranked(sweep: &SweepReport, n_seeds: usize) -> Vec<usize> {
    let (n_points, n_others) = (sweep.points.len(), sweep.others.len() / n_seeds.max(1));
    let by_cost = sweep.by_cost();
    let on_front = |wanted: bool| {
        let places = by_cost.iter().copied();
        places.filter(move |place| sweep.points[*place].on_front == wanted)
    };
    let others = n_points..n_points + n_others;
    on_front(true).chain(others).chain(on_front(false)).collect()
}

/// Returns which runs are shown, by their place among all runs, where each contender has one for each seed: every contender with the
/// first seed before any with the second.
pub fn wanted(ranked: &[usize], n_seeds: usize) -> Vec<usize> {
    (0..n_seeds)
        .flat_map(|seed| ranked.iter().map(move |contender| contender * n_seeds + seed))
        .take(RUNS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_seed_of_everybody_comes_before_the_second_of_anybody() {
        assert_eq!(wanted(&[1, 0], 2), [2, 0, 3, 1]);
        let many: Vec<usize> = (0..30).collect();
        assert_eq!(wanted(&many, 3).len(), RUNS_MAX);
        assert_eq!(wanted(&many, 3)[23], 69);
    }
}
