//! Why a need was split between the lanes as it was, where the least expected cost decides.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{Nodes, Span, UsdHourly};
use crate::mix::{Promise, Settling, WaitEnd, WaitPlan};

/// The needed nodes are split at the least expected cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CostSplit {
    /// The usable nodes that are needed.
    pub nodes: Nodes,
    /// What the best mix keeps.
    pub promise: Promise,
    /// The chance that the best mix meets the need once its nodes have booted, 0 to 1.
    pub chance: f64,
    /// The chance that is tolerated that it does not, 0 to 1.
    pub risk: f64,
    /// What the best mix is expected to cost, lateness included.
    pub cost: UsdHourly,
    /// Evictions of a spot node in an hour, as learned.
    pub hazard: f64,
    /// The rate from which on work that is done again makes spot dearer than dedicated nodes; `None` where no rate does.
    pub break_even: Option<f64>,
    /// Why the mix was kept or changed.
    pub settling: Settling,
    /// The dedicated nodes that stay only until spot nodes have come in their place.
    #[serde(default, skip_serializing_if = "is_none")]
    pub kept: Nodes,
    /// What is done about spot nodes that do not come; `None` when they do, or when none are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<SpotOutage>,
}

/// Spot nodes that are wanted do not come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpotOutage {
    /// For how long.
    pub age: Span,
    /// The nodes that do not come.
    pub missing: Nodes,
    /// The rate at which the outage is expected to end now, per hour.
    pub ends_hourly: f64,
    /// How long they are still waited for; no time when dedicated nodes take their place.
    pub wait: WaitPlan,
}

impl SpotOutage {
    /// Says whether dedicated nodes take the place of what does not come.
    pub fn falls_back(&self) -> bool {
        self.wait.wait <= Span::ZERO
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_none(nodes: &Nodes) -> bool {
    *nodes == Nodes::ZERO
}

impl fmt::Display for CostSplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |chance: f64| (chance * 1000.0).round() / 10.0;
        let hundredth = |number: f64| (number * 100.0).round() / 100.0;
        write!(
            f,
            "{} nodes split by expectedCost: usable with a chance of {} % ({} % wanted)",
            self.nodes,
            percent(self.chance),
            percent(1.0 - self.risk)
        )?;
        match self.promise {
            Promise::Met => {}
            Promise::Late => f.write_str(", though late")?,
            Promise::WhileSpotLasts => f.write_str(", kept only while spot lasts")?,
            Promise::Part { nodes } => write!(f, ", where the bounds hold {nodes} at most")?,
        }
        write!(f, "; {} evictions an hour", hundredth(self.hazard))?;
        match self.break_even {
            Some(rate) => write!(f, ", spot pays below {}", hundredth(rate))?,
            None => f.write_str(", spot pays at no rate")?,
        }
        match &self.settling {
            Settling::First | Settling::Same | Settling::Broken { .. } => {}
            Settling::Dwelling { left } => write!(f, "; the mix is kept for another {}", left.in_short())?,
            Settling::WithinBand { .. } => f.write_str("; another mix would save too little")?,
            Settling::Cheaper { saves } => write!(f, "; saves {}", hundredth(saves.0))?,
        }
        if self.kept > Nodes::ZERO {
            write!(f, "; {} dedicated nodes stay until spot has come", self.kept)?;
        }
        self.outage.map_or(Ok(()), |outage| write!(f, "; {outage}"))
    }
}

impl fmt::Display for SpotOutage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredth = |number: f64| (number * 100.0).round() / 100.0;
        write!(
            f,
            "{} spot nodes have not come for {}",
            self.missing,
            self.age.in_short()
        )?;
        if !self.falls_back() {
            return write!(
                f,
                ": waited for another {}, which brings them with a chance of {} %",
                self.wait.wait.in_short(),
                hundredth(self.wait.chance * 100.0)
            );
        }
        f.write_str(": dedicated nodes take their place, ")?;
        match self.wait.until {
            WaitEnd::NotWorthIt {
                hazard_needed: Some(needed),
            } => write!(
                f,
                "the outage ends at {} an hour and waiting pays from {} on",
                hundredth(self.ends_hourly),
                hundredth(needed)
            ),
            WaitEnd::NotWorthIt { .. } => f.write_str("spot would save nothing"),
            WaitEnd::SlackGone { .. } => f.write_str("they were waited for as long as the policy lets it"),
            WaitEnd::BudgetGone { .. } => f.write_str("no more may be late"),
        }
    }
}
