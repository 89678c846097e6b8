//! A market that is up or down as a whole: nodes are lost together, and for a time none can be had.
//!
//! ```text
//!            a shock takes a part of the fleet
//!      Up ───────────────────────────────────────► Down
//!      │▲                                           │
//!      ▼└───────────────────────────────────────────┘
//!  single nodes go       capacity comes back
//! ```

use serde::{Deserialize, Serialize};

use super::hazard::chance;
use super::{Hazard, Lifetime};
use crate::base::{Probability, Span};

/// A pool whose capacity comes and goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Regime {
    /// How long capacity lasts once it is there.
    pub up: Lifetime,
    /// How long an outage lasts.
    pub down: Lifetime,
    /// Evictions of single nodes while capacity is there.
    pub node: Hazard,
    /// What the end of a run takes.
    pub shock: Shock,
}

/// How much of a fleet one shock takes: beta-binomial, with a mean share and a correlation within the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shock {
    /// The mean share of the fleet that goes.
    pub share: f64,
    /// The correlation between two nodes of the fleet: 0 when each goes by itself, 1 when all go or none.
    pub correlation: f64,
}

impl Regime {
    /// Returns the chance that a run of capacity that has lasted for `age` lasts for another `span`.
    pub fn stays_up(&self, age: Span, span: Span) -> Probability {
        self.up.survival(age, span)
    }

    /// Returns the chance that an outage that has lasted for `age` ends within another `span`.
    pub fn ends_outage(&self, age: Span, span: Span) -> Probability {
        self.down.survival(age, span).complement()
    }

    /// Returns the integral of a node's hazard over hours, from an age of the run: its own and the shocks' together.
    ///
    /// A node that a shock has spared is taken to meet the next one as if the run went on: the hazard of shocks is thinned by
    /// the share they take. That errs on the side of more evictions (1 - q + q e^-H is at least e^(-q H)) and keeps
    /// survival a product over spans.
    pub(super) fn cumulative(&self, run_age: f64, hours: f64) -> f64 {
        self.node.0 * hours + self.shock.share * self.up.cumulative_between(run_age, run_age + hours)
    }

    pub(super) fn rate(&self, run_age: f64) -> f64 {
        self.node.0 + self.shock.share * self.up.rate(run_age)
    }

    /// Returns what is wrong with the parameters, with what they must be; `None` when nothing is.
    pub fn fault(&self) -> Option<String> {
        let share = |name: &str, value: f64| {
            Probability::new(value)
                .is_none()
                .then(|| format!("`{name}` is {value} and must lie between 0 and 1"))
        };
        let node = Lifetime::Exponential { hazard: self.node };
        [&self.up, &self.down, &node]
            .into_iter()
            .find_map(Lifetime::fault)
            .or_else(|| share("share", self.shock.share))
            .or_else(|| share("correlation", self.shock.correlation))
    }
}

impl Shock {
    /// A shock that takes the whole fleet.
    pub const ALL: Self = Self {
        share: 1.0,
        correlation: 1.0,
    };

    /// Returns the chance that one node lives through the shock.
    pub fn spares(self) -> Probability {
        chance(1.0 - self.share)
    }
}
