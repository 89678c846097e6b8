//! The fewest slots that must be added now so that every waiting task starts in time.
//!
//! Adding a slot for each waiting task starts them all at once and leaves the nodes idle a minute later. Most tasks can wait
//! a little, and a slot that one task leaves serves the next: the look-ahead plays the next minutes with expected numbers of
//! releases, and asks for the least peak that starts every task before it is due.
//!
//! With `i` slots idle now, `rel(k)` running tasks expected to end by step `k`, `boot(k)` slots ready by then, `F(k)` the
//! chance that a task which starts now has ended `k` steps later, and `x` slots added now that are ready from step `l` on:
//!
//! ```text
//! cap(k) = i + rel(k) + boot(k) + x·[k ≥ l] + Σ_{j<k} start(j)·F(k−j)
//! start(k) = what cap(k) and the queue leave
//! x suffices when Σ_{j≤k} start(j) ≥ due(k) for every k ≥ l
//! ```
//!
//! What can as well be added at the next look is not added now: until then tasks may come that share its slots, and others
//! may end. So of the fewest that suffice only those are added without which they would have to be more a look later. A lone
//! task's node is ordered when it must be, and serves those that came in the meantime.

/// What the next steps look like; all numbers but the steps are slots.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lookahead {
    /// The step from which slots added now can be used.
    pub lead: usize,
    /// The steps from one look to the next, at least 1.
    pub look: usize,
    /// Slots that are free now.
    pub free: f64,
    /// For each step, the slots that running tasks are expected to have left by then.
    pub released: Vec<f64>,
    /// For each step, the slots of booting nodes that are ready by then.
    pub booted: Vec<f64>,
    /// For each step, the chance that a task which starts now has ended by then.
    pub ended: Vec<f64>,
    /// The slots that the waiting tasks need.
    pub waiting: f64,
    /// For each step, how much of the queue, from its head on, must have started by then.
    pub due: Vec<f64>,
}

impl Lookahead {
    /// Returns the slots to add now.
    pub fn extra_now(&self) -> u32 {
        let all = self.least_extra();
        least(all, |now| self.suffices(now, all))
    }

    /// Returns the fewest added slots that suffice, up to what the queue needs.
    ///
    /// Added slots are bounded by the queue: with a slot for each waiting task every task has started at `lead`.
    pub fn least_extra(&self) -> u32 {
        let most = self.waiting.ceil().max(0.0) as u32;
        least(most, |extra| self.suffices(extra, extra))
    }

    /// Says whether everything starts in time with slots that are added now, and more at the next look so that they are `all`.
    fn suffices(&self, now: u32, all: u32) -> bool {
        let mut starts = vec![0.0; self.due.len()];
        let mut started = 0.0;
        for step in 0..self.due.len() {
            let reused: f64 = starts[..step]
                .iter()
                .zip(self.ended[1..=step].iter().rev())
                .map(|(start, ended)| start * ended)
                .sum();
            let added = if step >= self.lead + self.look {
                all
            } else if step >= self.lead {
                now
            } else {
                0
            };
            let slots = self.free + self.released[step] + self.booted[step] + f64::from(added) + reused;
            let start = (slots - started).min(self.waiting - started).max(0.0);
            starts[step] = start;
            started += start;
            // A part of a task that is left over is an artefact of expected numbers.
            if step >= self.lead && started + 1e-9 < self.due[step] {
                return false;
            }
        }
        true
    }
}

/// Returns the least number up to `most` that suffices, where more suffices whenever less does, and `most` is taken to.
fn least(most: u32, suffices: impl Fn(u32) -> bool) -> u32 {
    if most == 0 || suffices(0) {
        return 0;
    }
    let (mut too_few, mut enough) = (0, 1);
    while enough < most && !suffices(enough) {
        too_few = enough;
        enough = enough.saturating_mul(2);
    }
    let mut enough = enough.min(most);
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        if suffices(middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    enough
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A queue of equal tasks in an empty pool: `waiting` of them, due at step `due_at`, each running `run` steps.
    fn burst(waiting: u32, lead: usize, due_at: usize, run: usize) -> Lookahead {
        let steps = due_at + 1;
        Lookahead {
            lead,
            look: 1,
            released: vec![0.0; steps],
            booted: vec![0.0; steps],
            ended: (0..steps).map(|step| f64::from(step >= run)).collect(),
            waiting: f64::from(waiting),
            due: (0..steps)
                .map(|step| if step >= due_at { f64::from(waiting) } else { 0.0 })
                .collect(),
            ..Lookahead::default()
        }
    }

    #[test]
    fn short_tasks_share_slots_and_long_ones_do_not() {
        // Ready at step 4, due at step 12: one-step tasks start at the nine steps 4 to 12 on each slot.
        assert_eq!(burst(900, 4, 12, 1).least_extra(), 100);
        // Tasks of four steps start at 4, 8 and 12.
        assert_eq!(burst(900, 4, 12, 4).least_extra(), 300);
        // Tasks that outlast the look-ahead need a slot each.
        assert_eq!(burst(900, 4, 12, 60).least_extra(), 900);
        assert_eq!(burst(0, 4, 12, 1).least_extra(), 0);
    }

    #[test]
    fn what_can_wait_for_the_next_look_waits() {
        // A task that is due at step 12 needs its node at step 12, not at step 4.
        assert_eq!(burst(1, 4, 12, 60).extra_now(), 0);
        assert_eq!(burst(1, 12, 12, 60).extra_now(), 1);
        // Short tasks share fewer slots the later these come: the hundred that suffice are ordered now, but for those that
        // one start less does not need.
        let now = burst(900, 4, 12, 1).extra_now();
        assert!((90..=100).contains(&now), "{now}");
        // Looks that are further apart than the time that is left wait for nothing.
        let mut rare = burst(1, 4, 12, 60);
        rare.look = 9;
        assert_eq!(rare.extra_now(), 1);
    }

    #[test]
    fn what_is_there_and_what_boots_counts() {
        let mut burst = burst(10, 4, 12, 60);
        burst.free = 2.0;
        burst.released.fill(3.0);
        burst.booted[5..].fill(1.0);
        assert_eq!(burst.least_extra(), 4);
    }

    #[test]
    fn ten_thousand_tasks_are_sized_in_a_moment() {
        let n_probes = 14 + 14;
        let steps = 13;
        // The arithmetic of one probe, so that the claim does not hang on the speed of the machine.
        assert!(n_probes * steps * steps / 2 < 5_000);
        assert_eq!(burst(10_000, 4, 12, 60).least_extra(), 10_000);
    }

    proptest! {
        #[test]
        fn the_least_suffices_and_one_less_does_not(
            waiting in 0u32..3000, lead in 0usize..6, more in 1usize..10, run in 1usize..20,
            free in 0u32..50, ends in 0.0f64..20.0,
        ) {
            let due_at = lead + more;
            let mut ahead = burst(waiting, lead, due_at, run);
            ahead.free = f64::from(free);
            for (step, released) in ahead.released.iter_mut().enumerate() {
                *released = ends * step as f64;
            }
            let least = ahead.least_extra();
            prop_assert!(least <= waiting);
            prop_assert!(ahead.suffices(least, least));
            prop_assert!(least == 0 || !ahead.suffices(least - 1, least - 1));
            let now = ahead.extra_now();
            prop_assert!(now <= least && ahead.suffices(now, least));
            prop_assert!(now == 0 || !ahead.suffices(now - 1, least));
        }

        #[test]
        fn more_time_never_needs_more_slots(waiting in 0u32..3000, run in 1usize..20, due_at in 4usize..20) {
            let sooner = burst(waiting, 4, due_at, run).least_extra();
            prop_assert!(burst(waiting, 4, due_at + 1, run).least_extra() <= sooner);
        }
    }
}
