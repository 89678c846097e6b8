//! How a need of usable nodes is split between the lanes.

use super::{Need, Objective, Policy, Range};
use crate::base::{Mix, Nodes};
use crate::decision::{BoundName, Decision, Reason, Snapshot, Stage};

impl Policy {
    /// Proposes a need and splits it: two steps of the chain.
    ///
    /// A need stands in the dedicated lane until it is split, for that is what a usable node is when none is taken away.
    ///
    /// # Errors
    /// Why it cannot be split at the least expected cost.
    pub fn split(&self, decision: &mut Decision, snapshot: &Snapshot<'_>, need: Need) -> Result<(), Reason> {
        let Need { nodes, reason: why } = need;
        let whole = Mix {
            dedicated: nodes,
            spot: Nodes::ZERO,
        };
        decision.step(Stage::Propose, whole, why);
        let nodes = self.at_most_in_total(decision, nodes);
        if self.objective == Objective::ExpectedCost {
            return self.split_by_cost(decision, snapshot, nodes);
        }
        let reason = Reason::Split {
            objective: self.objective.word().to_owned(),
            spot_share: match self.objective {
                Objective::FixedShare(share) => Some(share),
                Objective::DedicatedOnly | Objective::SpotFirst | Objective::ExpectedCost => None,
            },
            nodes,
        };
        decision.step(Stage::Split, self.mix_of(nodes), reason);
        Ok(())
    }

    /// Cuts a need to the most nodes of both lanes, so that the mix splits what there can be and not what is cut later.
    fn at_most_in_total(&self, decision: &mut Decision, asked: Nodes) -> Nodes {
        let Range { min, max } = self.bounds.total;
        if asked <= max {
            return asked;
        }
        let cut = Mix {
            dedicated: max,
            spot: Nodes::ZERO,
        };
        let reason = Reason::Bound {
            bound: BoundName::Total,
            min,
            max,
            asked,
        };
        decision.step(Stage::Restrain, cut, reason);
        max
    }

    fn mix_of(&self, nodes: Nodes) -> Mix {
        let wanted = match self.objective {
            Objective::DedicatedOnly => Nodes::ZERO,
            Objective::SpotFirst | Objective::ExpectedCost => nodes,
            // Rounded down, so that the lane that stays gets the odd node.
            Objective::FixedShare(share) => Nodes((nodes.as_f64() * share).floor() as u32),
        };
        let (dedicated, spot) = (self.bounds.dedicated, self.bounds.spot);
        // What one lane cannot hold the other one takes, as far as it may.
        let at_least = nodes.saturating_sub(dedicated.max);
        let at_most = nodes.saturating_sub(dedicated.min).min(spot.max);
        let spot = match self.objective {
            Objective::DedicatedOnly => Nodes::ZERO,
            Objective::SpotFirst | Objective::ExpectedCost | Objective::FixedShare(_) => {
                wanted.max(at_least).min(at_most)
            }
        };
        Mix {
            dedicated: nodes.saturating_sub(spot),
            spot,
        }
    }
}

impl Objective {
    /// Returns the word that policies use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::DedicatedOnly => "dedicatedOnly",
            Self::SpotFirst => "spotFirst",
            Self::ExpectedCost => "expectedCost",
            Self::FixedShare(_) => "fixedShare",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(objective: &str, bounds: &str) -> Policy {
        let source = format!(
            "version: 1\npool: p\ndemand: [{{ formula: {{ role: demand, text: $TargetDedicatedNodes = 1; }} }}]\n\
             bounds: {bounds}\nmix: {{ objective: {objective} }}\n"
        );
        let (policy, findings) = crate::policy::read("p", &source, &mut |_| Err(String::new()));
        policy.unwrap_or_else(|| panic!("{findings:?}"))
    }

    #[test]
    fn what_one_lane_cannot_hold_the_other_takes() {
        let narrow = "{ total: [0, 100], dedicated: [2, 10], spot: [0, 30] }";
        for (objective, bounds, nodes, expected) in [
            ("dedicatedOnly", narrow, 8, Mix::new(8, 0)),
            ("spotFirst", narrow, 8, Mix::new(2, 6)),
            ("spotFirst", narrow, 1, Mix::new(1, 0)),
            ("spotFirst", narrow, 35, Mix::new(5, 30)),
            ("{ fixedShare: 0.8 }", narrow, 10, Mix::new(2, 8)),
            ("{ fixedShare: 0.5 }", narrow, 7, Mix::new(4, 3)),
            ("{ fixedShare: 0.5 }", narrow, 30, Mix::new(10, 20)),
            ("{ fixedShare: 1.0 }", narrow, 40, Mix::new(10, 30)),
            ("spotFirst", "{ spot: [0, 0] }", 9, Mix::new(9, 0)),
        ] {
            let split = policy(objective, bounds).mix_of(Nodes(nodes));
            assert_eq!(split, expected, "{nodes} nodes by {objective} in {bounds}");
        }
    }
}
