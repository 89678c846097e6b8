//! A problem's chances, taken from a model of evictions.

use super::break_even::HAZARD_MAX;
use super::{EndsWithin, Problem};
use crate::base::{Probability, Span, Timestamp};
use crate::market::{EvictionModel, Hazard, Outlook, Outset, Regime};

impl Problem {
    /// Returns the same problem in a market that can be had now: the outlook of the model over the horizon, and its mean hazard
    /// over one attempt at a task.
    #[must_use]
    pub fn in_market(self, model: &EvictionModel, outset: Outset) -> Self {
        let hazard = model.mean_hazard(outset, self.work.length + self.work.boot);
        Self {
            outlook: model.outlook(outset, self.horizon),
            outage: false,
            // A model under which no node lives through a task has no finite rate.
            hazard: Hazard(hazard.0.min(HAZARD_MAX)),
            ..self
        }
    }

    /// Returns the same problem in an outage that has lasted for a while: spot is there at the end of the horizon when the outage
    /// ends early enough for nodes to boot.
    #[must_use]
    pub fn in_outage(self, regime: &Regime, outage_age: Span) -> Self {
        let boots_by = self.horizon - self.spot.boot;
        let up = if boots_by > Span::ZERO {
            regime.ends_outage(outage_age, boots_by)
        } else {
            Probability::ZERO
        };
        let model = EvictionModel::Regime {
            regime: Box::new(regime.clone()),
        };
        let start = Outset::fresh(Timestamp::EPOCH, Span::ZERO);
        let hazard = model.mean_hazard(start, self.work.length + self.work.boot);
        Self {
            outlook: Outlook {
                up,
                survival: regime.node.survival(self.horizon),
                correlation: 0.0,
                survival_of_shock: Probability::ZERO,
                correlation_of_shock: 1.0,
            },
            outage: true,
            hazard: Hazard(hazard.0.min(HAZARD_MAX)),
            ..self
        }
    }
}

impl EndsWithin {
    /// Returns the chances of an outage of this age to end, at times up to `latest` that lie close at first and wide later on, as
    /// its hazard changes most now.
    pub fn of_regime(regime: &Regime, outage_age: Span, latest: Span) -> Vec<Self> {
        const TIMES: u32 = 32;
        let mut ends: Vec<Self> = Vec::new();
        for index in 1..=TIMES {
            let part = f64::from(index) / f64::from(TIMES);
            let span = latest.scale(part * part);
            let before = ends.last().map_or(Span::ZERO, |end| end.span);
            if span > before {
                ends.push(Self {
                    span,
                    chance: regime.ends_outage(outage_age, span),
                });
            }
        }
        ends
    }
}
