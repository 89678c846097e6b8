//! How small and how large both targets can get, and what that rests on.

use std::fmt;

use super::calendar::Moment;
use super::facts::Facts;
use super::interval::Interval;
use super::walk::{Known, Walk};
use super::world::{NODES_MAX, World, lane_index};
use crate::base::{Lane, Nodes};
use crate::formula::Formula;
use crate::formula::builtin::Member;
use crate::formula::checked::{Checked, Kind, Node, Target};

/// The proven ranges of both targets after a run that ends well, truncated and clamped as the service does.
///
/// They hold for samples from 0 to 10^15, for any pool with at least one slot on a node, and at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetRanges {
    /// The dedicated target.
    pub dedicated: TargetRange,
    /// The spot target.
    pub spot: TargetRange,
}

/// The proven range of one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetRange {
    /// The least that it can become.
    pub low: Nodes,
    /// The most that it can become; `None` when nothing bounds it.
    pub high: Option<Nodes>,
    /// What the range rests on.
    pub basis: Basis,
}

/// What a range rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// It is always the same number.
    Constant,
    /// The formula bounds it, whatever the samples and the pool say.
    Bounded,
    /// The formula bounds it in a pool that has at most so many nodes of each kind, now and as its targets.
    Pool(Nodes),
    /// The samples can make it as large as they like.
    Unbounded,
    /// The formula does not set it, and the pool keeps its target.
    Unset,
    /// No run ends well, and the pool keeps its target.
    Failing,
}

/// Writes `0 to 25, whatever the samples say`.
impl fmt::Display for TargetRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let low = self.low;
        match (self.basis, self.high) {
            (Basis::Unset, _) => f.write_str("not set by the formula; the pool keeps its target"),
            (Basis::Failing, _) => f.write_str("never set, since every run fails; the pool keeps its target"),
            (Basis::Constant, Some(high)) => write!(f, "always {high}"),
            (Basis::Bounded, Some(high)) => write!(f, "{low} to {high}, whatever the samples say"),
            (Basis::Pool(pool), Some(high)) => {
                write!(
                    f,
                    "{low} to {high} in a pool of at most {pool} nodes of each kind"
                )
            }
            (_, _) => write!(f, "{low} or more, without an upper bound"),
        }
    }
}

impl TargetRanges {
    /// Returns the range of one lane.
    pub const fn get(&self, lane: Lane) -> TargetRange {
        match lane {
            Lane::Dedicated => self.dedicated,
            Lane::Spot => self.spot,
        }
    }
}

/// Proves how small and how large both targets of a formula can get.
pub fn target_ranges(formula: &Formula) -> TargetRanges {
    Analysis::of(formula).ranges()
}

/// A bound beyond this comes from the largest pool that a count can hold, if it comes from a pool: half of it, say.
const MILLION: Nodes = Nodes(1_000_000);

/// Larger than nearly every pool, and far from where a factor is lost to truncation.
const LARGE_POOL: Nodes = Nodes(1000);

/// A formula that is bounded by its pool at all settles in two or three steps.
const POOL_STEPS_MAX: usize = 8;

/// What is proven about a formula in any world.
pub(crate) struct Analysis<'a> {
    checked: &'a Checked,
    default_percent: f64,
    /// What is known of each expression.
    pub(crate) facts: Facts,
    /// What both targets can be before truncation.
    pub(crate) targets: [Interval; 2],
}

impl<'a> Analysis<'a> {
    /// Goes over a formula once for any moment and once for each cell of the grids that its conditions need.
    pub(crate) fn of(formula: &'a Formula) -> Self {
        let checked = formula.checked();
        let default_percent = formula.scope().default_sample_percent;
        let any = Walk::new(checked, &World::ANY, default_percent)
            .learning()
            .run(None);
        let mut analysis = Self {
            checked,
            default_percent,
            facts: any.facts,
            targets: any.targets,
        };
        let again = depending_on_time(checked);
        for member in members_of_grids(checked) {
            analysis.prove_on_grid(
                member,
                Known {
                    statements: &any.statements,
                    again: &again,
                },
            );
        }
        analysis
    }

    fn prove_on_grid(&mut self, member: Member, known: Known<'_>) {
        let mut facts = Facts::default();
        let mut targets = [Interval::EMPTY; 2];
        for moment in Moment::grid(member) {
            let walk = Walk::new(self.checked, &World::ANY.at(moment), self.default_percent);
            let pass = walk.learning_truths(facts).run(Some(known));
            facts = pass.facts;
            targets = [targets[0].join(pass.targets[0]), targets[1].join(pass.targets[1])];
        }
        self.facts.narrow(facts);
        for (known, found) in self.targets.iter_mut().zip(targets) {
            known.low = known.low.max(found.low);
            known.high = known.high.min(found.high);
        }
    }

    /// Returns what both targets can be in a narrower world, dedicated first, before truncation.
    pub(crate) fn targets_in(&self, world: &World) -> [Interval; 2] {
        Walk::new(self.checked, world, self.default_percent)
            .run(None)
            .targets
    }

    pub(crate) fn ranges(&self) -> TargetRanges {
        TargetRanges {
            dedicated: self.range(Lane::Dedicated),
            spot: self.range(Lane::Spot),
        }
    }

    fn range(&self, lane: Lane) -> TargetRange {
        let interval = self.targets[lane_index(lane)];
        let low = Nodes::truncate(interval.low.max(0.0)).unwrap_or(Nodes::ZERO);
        let high = truncated_high(interval);
        let is_set =
            self.checked.statements.iter().any(
                |statement| matches!(&statement.target, Target::Nodes { lane: set, .. } if *set == lane),
            );
        let range = |low, high, basis| TargetRange { low, high, basis };
        if !is_set {
            return range(Nodes::ZERO, None, Basis::Unset);
        }
        if interval.is_empty() {
            return range(Nodes::ZERO, None, Basis::Failing);
        }
        let beyond_pools = high.is_none_or(|high| high > MILLION);
        match (high, beyond_pools.then(|| self.pool_bound(lane)).flatten()) {
            (Some(most), _) if most == low => range(low, high, Basis::Constant),
            (Some(_), None) => range(low, high, Basis::Bounded),
            (_, Some((most, pool))) => range(low, Some(most), Basis::Pool(pool)),
            (None, None) => range(low, None, Basis::Unbounded),
        }
    }

    /// Returns a bound that no run exceeds in a pool that is within it itself, and the size of such a pool.
    ///
    /// Found by growing the pool from nothing until a run adds nothing more. What ×1.1 makes of one node is cut off again,
    /// so that a large pool is tried first.
    fn pool_bound(&self, lane: Lane) -> Option<(Nodes, Nodes)> {
        let after = |pool: Nodes| -> Option<[Nodes; 2]> {
            let world = World::ANY.with_nodes(Interval::new(0.0, pool.as_f64()));
            let [dedicated, spot] = self.targets_in(&world);
            Some([truncated_high(dedicated)?, truncated_high(spot)?])
        };
        let grown = after(LARGE_POOL)?;
        if grown.into_iter().any(|most| most > LARGE_POOL) {
            return None;
        }
        let mut pool = Nodes::ZERO;
        for _ in 0..POOL_STEPS_MAX {
            let [dedicated, spot] = after(pool)?;
            let next = pool.max(dedicated).max(spot);
            if next > pool {
                pool = next;
            } else if pool == Nodes::ZERO {
                return Some((grown[lane_index(lane)], LARGE_POOL));
            } else {
                return Some(([dedicated, spot][lane_index(lane)], pool));
            }
        }
        None
    }
}

/// Returns the most that a target becomes after truncation; `None` when only the 32 bits of a count bound it.
fn truncated_high(interval: Interval) -> Option<Nodes> {
    (interval.high < NODES_MAX).then(|| Nodes::truncate(interval.high.max(0.0)).unwrap_or(Nodes::ZERO))
}

/// Returns the members of time that need a grid, each grid once.
fn members_of_grids(checked: &Checked) -> Vec<Member> {
    let mut members = Vec::new();
    for statement in &checked.statements {
        statement.value.walk(&mut |node| {
            if let Kind::Member(_, member) = &node.kind {
                let grid = match member {
                    Member::Weekday => Member::Hour,
                    // No grid tells their values apart, and one without cells would prove everything.
                    Member::Year | Member::Second => return,
                    other => *other,
                };
                if !members.contains(&grid) {
                    members.push(grid);
                }
            }
        });
    }
    members
}

/// Says of each statement whether its value can differ with the time of the run.
///
/// With a `stop()` anywhere every statement counts, since whether it is reached may depend on time.
fn depending_on_time(checked: &Checked) -> Vec<bool> {
    let mut stops = false;
    let mut variables = vec![false; checked.variables.len()];
    let mut targets = [false; 2];
    let mut again = Vec::with_capacity(checked.statements.len());
    for statement in &checked.statements {
        let mut depends = false;
        statement.value.walk(&mut |node: &Node| {
            depends |= match &node.kind {
                Kind::Now => true,
                Kind::Variable(variable) => variables[variable.0],
                Kind::Nodes { lane, .. } => targets[lane_index(*lane)],
                _ => false,
            };
            stops |= matches!(node.kind, Kind::Stop);
        });
        again.push(depends);
        match &statement.target {
            Target::Variable(variable) => variables[variable.0] = depends,
            Target::Nodes { lane, .. } => targets[lane_index(*lane)] |= depends,
            Target::Nothing | Target::Option => {}
        }
    }
    if stops {
        again.fill(true);
    }
    again
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::Scope;

    fn ranges(source: &str) -> TargetRanges {
        target_ranges(&Formula::compile(source, &Scope::default()).expect("it can be read"))
    }

    #[test]
    fn both_targets_are_bounded_by_what_the_formula_says() {
        let dedicated = [
            ("$TargetDedicatedNodes = 5;", "always 5"),
            ("$TargetDedicatedNodes = 5; $TargetDedicated = 9;", "always 5"),
            ("$TargetDedicated = 9;", "always 9"),
            (
                "$TargetLowPriorityNodes = 1;",
                "not set by the formula; the pool keeps its target",
            ),
            (
                "$TargetDedicatedNodes = min(25, avg($PendingTasks.GetSample(9)));",
                "0 to 25, whatever the samples say",
            ),
            (
                "$TargetDedicatedNodes = max(2, avg($PendingTasks.GetSample(9)));",
                "2 or more, without an upper bound",
            ),
            (
                "$TargetDedicatedNodes = max(min(20, avg($PendingTasks.GetSample(9))), $TargetDedicatedNodes / 2);",
                "0 to 20 in a pool of at most 20 nodes of each kind",
            ),
            (
                "$TargetDedicatedNodes = $CurrentDedicatedNodes * 1.1;",
                "0 or more, without an upper bound",
            ),
            (
                "$TargetDedicatedNodes = $CurrentDedicatedNodes * 0.9;",
                "0 to 900 in a pool of at most 1000 nodes of each kind",
            ),
            (
                "h = time().hour; $TargetDedicatedNodes = h >= 8 && h < 18 ? h - 7 : 12 - h / 2;",
                "0 to 12, whatever the samples say",
            ),
            (
                "d = time().weekday; $TargetDedicatedNodes = d == 0 || d == 6 ? 2 + d : 4;",
                "2 to 8, whatever the samples say",
            ),
            (
                "n = $UsableNodeCount; $TargetDedicatedNodes = n > 10 ? 10 : n < 3 ? 3 : n;",
                "3 to 10, whatever the samples say",
            ),
            (
                "$CurrentDedicatedNodes > 4 ? stop() : 0; $TargetDedicatedNodes = 7;",
                "0 to 7 in a pool of at most 7 nodes of each kind",
            ),
            (
                "$TargetDedicatedNodes = 4; stop(); $TargetDedicatedNodes = 9;",
                "always 4",
            ),
            (
                "$TargetDedicatedNodes = nodes;",
                "0 or more, without an upper bound",
            ),
        ];
        for (source, expected) in dedicated {
            assert_eq!(ranges(source).dedicated.to_string(), expected, "{source}");
        }
    }

    #[test]
    fn what_a_clamp_leaves_over_is_not_negative_unless_a_name_was_set_again() {
        let rest = |middle: &str, rest: &str| {
            let source = format!(
                "x = max(0, min(40, $PendingTasks.GetSample(1))); {middle} $TargetLowPriorityNodes = 3 + ({rest});"
            );
            ranges(&source).spot.low.0
        };
        assert_eq!(rest("d = min(x, 5);", "x - d"), 3);
        assert_eq!(
            rest("$TargetDedicatedNodes = min(x, 5);", "x - $TargetDedicatedNodes"),
            3
        );
        assert_eq!(rest("d = x > 9 ? floor(min(x, 5)) : 0;", "x - d"), 3);
        assert_eq!(rest("d = min(x + 1, 5);", "x - d"), 0);
        assert_eq!(rest("d = min(x, 5); x = x / 2;", "x - d"), 0);
        // The copy was taken while y was another number.
        assert_eq!(rest("y = x * 2; d = y; y = min(x, 5);", "x - d"), 0);
    }
}
