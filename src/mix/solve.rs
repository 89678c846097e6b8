//! The best mix, what else there was, and when the answer would change.

use super::branch;
use super::ray::Ray;
use super::search::{Candidate, Search, Walker};
use super::supply::{Supply, tolerated};
use super::terms::Terms;
use super::{Bill, Lost, Problem, ProblemError, Promise, RunnerUp, ShareRule, Solution, break_even};
use crate::base::{Mix, Nodes, UsdHourly};

/// Returns the mix of least expected cost that keeps the strongest promise any mix can keep, with what else there was.
///
/// # Errors
///
/// The first fault of the problem, with the way out.
pub fn solve(problem: &Problem) -> Result<Solution, ProblemError> {
    problem.check()?;
    let terms = Terms::new(problem);
    let answer = answer(&terms, problem.rule);
    let best = answer.best;
    let other = answer.other(&terms);
    Ok(Solution {
        mix: best.mix(),
        promise: answer.promise,
        chance: 1.0 - best.short,
        bill: best.bill,
        runner_up: runner_up(&terms, problem.rule, &answer, other),
        break_even: break_even::of(problem, &terms, &best, other.as_ref()),
    })
}

/// Returns the mix of [`solve`] with its promise and bill alone, for those who do not show what else there was.
///
/// # Errors
///
/// The first fault of the problem, with the way out.
pub fn cheapest(problem: &Problem) -> Result<Evaluation, ProblemError> {
    problem.check()?;
    let Answer { promise, best, .. } = answer(&Terms::new(problem), problem.rule);
    Ok(Evaluation {
        mix: best.mix(),
        promise,
        kept: true,
        chance: 1.0 - best.short,
        bill: best.bill,
    })
}

/// Returns what a given mix comes to, held against a promise.
///
/// # Errors
///
/// The first fault of the problem, with the way out.
pub fn evaluate(problem: &Problem, mix: Mix, promise: Promise) -> Result<Evaluation, ProblemError> {
    problem.check()?;
    let terms = Terms::new(problem);
    let search = Search {
        terms: &terms,
        promise,
    };
    let (dedicated, spot) = (mix.dedicated.0, mix.spot.0.min(Problem::NODES_MAX));
    let mut walker = Walker::new(&search, dedicated);
    walker.move_to(dedicated, spot);
    let candidate = walker.candidate(dedicated, spot);
    Ok(Evaluation {
        mix,
        promise,
        kept: terms.limits.allow(dedicated, mix.spot.0) && walker.keeps(),
        chance: 1.0 - candidate.short,
        bill: candidate.bill,
    })
}

/// What a mix comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// The mix.
    pub mix: Mix,
    /// The promise that it is held against.
    pub promise: Promise,
    /// Whether it keeps the promise within bounds and quotas.
    pub kept: bool,
    /// The chance that the demand is met at the end of the horizon, 0 to 1.
    pub chance: f64,
    /// What an hour of it is expected to cost.
    pub bill: Bill,
}

impl Candidate {
    fn mix(&self) -> Mix {
        Mix::new(self.dedicated, self.spot)
    }
}

/// The best mix under a rule, and the strongest promise that any mix keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub promise: Promise,
    pub best: Candidate,
    /// The best one with spot, where it was found on the way and is not the best.
    with_spot: Option<Candidate>,
}

impl Answer {
    /// Returns the best mix of the other kind that keeps the promise: without spot, or with it.
    fn other(&self, terms: &Terms) -> Option<Candidate> {
        if self.best.spot <= least_spot(terms) && self.with_spot.is_some() {
            return self.with_spot;
        }
        let search = Search {
            terms,
            promise: self.promise,
        };
        if self.best.spot > least_spot(terms) {
            search.without_spot()
        } else {
            search.with_spot(f64::INFINITY)
        }
    }
}

/// Returns the best mix under a rule and the promise it keeps.
pub(super) fn answer(terms: &Terms, rule: ShareRule) -> Answer {
    for promise in [Promise::Met, Promise::Late, Promise::WhileSpotLasts] {
        if let Some(best) = best(terms, rule, promise) {
            return best;
        }
    }
    let mut nodes = most_promised(terms, rule);
    loop {
        let promise = Promise::Part { nodes };
        if let Some(best) = best(terms, rule, promise) {
            return best;
        }
        // The two sums that tell the most and whether it is kept may differ in their last digit.
        assert!(nodes > Nodes::ZERO, "a promise of no node is always kept");
        nodes = nodes.saturating_sub(Nodes(1));
    }
}

/// Returns the best mix under a rule that keeps a promise.
fn best(terms: &Terms, rule: ShareRule, promise: Promise) -> Option<Answer> {
    let search = Search { terms, promise };
    let mut with_spot = None;
    let best = match rule {
        ShareRule::ExpectedCost => {
            let without = search.without_spot();
            let below = without.map_or(f64::INFINITY, |without| without.cost);
            with_spot = search.with_spot(f64::INFINITY);
            with_spot.filter(|with| with.cost < below).or(without)
        }
        ShareRule::SpotFirst => branch::fewest_dedicated(&search, terms.limits.spot),
        ShareRule::Fixed { spot } => Ray::new(terms, spot).cheapest(promise),
        ShareRule::DedicatedOnly => search.without_spot(),
    };
    best.map(|best| Answer {
        promise,
        best,
        with_spot,
    })
}

impl Search<'_> {
    /// Returns the cheapest mix that keeps the promise with no spot node but what the limits demand.
    pub(super) fn without_spot(&self) -> Option<Candidate> {
        let least = self.least_spot();
        branch::cheapest(self, (least, least), f64::INFINITY)
    }

    /// Returns the cheapest mix that keeps the promise with more spot nodes than the limits demand; one that costs `below` or more is
    /// not looked for.
    pub(super) fn with_spot(&self, below: f64) -> Option<Candidate> {
        branch::cheapest(self, self.range_with_spot(), below)
    }

    /// Returns the spot nodes that a mix with more of them than the limits demand has.
    pub(super) fn range_with_spot(&self) -> (u32, u32) {
        (self.least_spot().saturating_add(1), self.terms.limits.spot.1)
    }

    /// Returns the fewest spot nodes that the limits allow: their own, or what the total wants and dedicated cannot give.
    fn least_spot(&self) -> u32 {
        least_spot(self.terms)
    }
}

/// Returns the fewest spot nodes of any mix.
pub(super) fn least_spot(terms: &Terms) -> u32 {
    let limits = terms.limits;
    limits
        .spot
        .0
        .max(limits.total.0.saturating_sub(limits.dedicated.1))
}

/// Returns the most nodes that some mix can promise while no shock comes.
fn most_promised(terms: &Terms, rule: ShareRule) -> Nodes {
    let limits = terms.limits;
    let (dedicated, spot) = match rule {
        ShareRule::Fixed { spot } => Ray::new(terms, spot).largest(),
        ShareRule::DedicatedOnly => {
            let spot = least_spot(terms);
            (limits.dedicated.1.min(limits.total.1 - spot), spot)
        }
        // A dedicated node in place of a spot node only adds, so the mix with most of them promises most.
        ShareRule::ExpectedCost | ShareRule::SpotFirst => {
            let dedicated = limits.dedicated.1.min(limits.total.1 - limits.spot.0);
            (dedicated, limits.spot.1.min(limits.total.1 - dedicated))
        }
    };
    // Dedicated nodes keep themselves; beyond them the chance to fall short rises with the count.
    let kept = dedicated.min(terms.demand);
    let constraint = Promise::Part { nodes: Nodes(kept) }.constraint(terms.demand);
    let mut supply = Supply::new(terms, constraint, dedicated);
    let (mut nodes, mut high) = (kept, terms.demand);
    while nodes < high {
        let middle = nodes + (high - nodes).div_ceil(2);
        supply.want(middle, dedicated, spot);
        if tolerated(supply.short(), terms.risk) {
            nodes = middle;
        } else {
            high = middle - 1;
        }
    }
    Nodes(nodes)
}

/// Returns the best mix of another kind than the answer, and why it lost.
fn runner_up(terms: &Terms, rule: ShareRule, answer: &Answer, other: Option<Candidate>) -> Option<RunnerUp> {
    let Answer { promise, best, .. } = *answer;
    if rule != ShareRule::ExpectedCost
        && let Some(Answer { best: free, .. }) = self::best(terms, ShareRule::ExpectedCost, promise)
        && free.mix() != best.mix()
    {
        let saves = UsdHourly((best.cost - free.cost).max(0.0));
        return Some(free.lost(Lost::AgainstTheRule { saves }));
    }
    let uses_spot = best.spot > least_spot(terms);
    // Spot nodes that stand in for no dedicated one are no other way to do it.
    if let Some(other) = other.filter(|other| uses_spot || other.dedicated < best.dedicated) {
        let lost = Lost::Dearer {
            by: UsdHourly(other.cost - best.cost),
            line: other.bill.dearest_line_over(&best.bill),
        };
        return Some(other.lost(lost));
    }
    let search = Search { terms, promise };
    search.riskier(uses_spot).filter(|other| other.mix != best.mix())
}

impl Candidate {
    fn lost(&self, lost: Lost) -> RunnerUp {
        RunnerUp {
            mix: self.mix(),
            bill: self.bill,
            lost,
        }
    }
}

impl Search<'_> {
    /// Returns the mix that would give the promised count on one lane, as far as the limits let it, when that breaks the promise.
    fn riskier(&self, without_spot: bool) -> Option<RunnerUp> {
        let terms = self.terms;
        let limits = terms.limits;
        let promised = self.promise.constraint(terms.demand).need;
        let least = least_spot(terms);
        let (dedicated, spot) = if without_spot {
            let room = limits.total.1.checked_sub(least)?;
            (
                promised.clamp(limits.dedicated.0, limits.dedicated.1.min(room)),
                least,
            )
        } else {
            let dedicated = limits
                .dedicated
                .0
                .max(limits.total.0.saturating_sub(limits.spot.1));
            let most = limits.spot.1.min(limits.total.1.checked_sub(dedicated)?);
            let wanted = promised.max(limits.total.0).saturating_sub(dedicated);
            (dedicated, wanted.max(limits.spot.0).min(most))
        };
        let mut walker = Walker::new(self, dedicated);
        walker.move_to(dedicated, spot);
        if walker.keeps() || !limits.allow(dedicated, spot) {
            return None;
        }
        Some(walker.candidate(dedicated, spot).lost(Lost::Riskier {
            chance: 1.0 - walker.short(),
            wanted: 1.0 - terms.risk,
        }))
    }
}
