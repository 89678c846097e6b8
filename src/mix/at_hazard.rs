//! A problem at another eviction rate.

use super::Problem;
use crate::base::Probability;
use crate::market::{Hazard, Outlook};

impl Problem {
    /// Returns the same problem at another eviction rate, with all hazards in proportion: a chance to last S becomes S^x at x
    /// times the rate. Where the rate is nothing now, all of the new one is of single nodes.
    #[must_use]
    pub fn at_hazard(&self, hazard: Hazard) -> Self {
        let old = &self.outlook;
        let outlook = if self.hazard.0 > 0.0 {
            let x = hazard.0 / self.hazard.0;
            let spared = if old.survival.get() > 0.0 {
                old.survival_of_shock.get() * old.survival.get().powf(x - 1.0)
            } else {
                old.survival_of_shock.get()
            };
            Outlook {
                up: if self.outage { old.up } else { power(old.up, x) },
                survival: power(old.survival, x),
                survival_of_shock: chance(spared),
                ..*old
            }
        } else {
            let alone = hazard.survival(self.horizon).get();
            Outlook {
                survival: chance(old.survival.get() * alone),
                survival_of_shock: chance(old.survival_of_shock.get() * alone),
                ..*old
            }
        };
        Self {
            outlook,
            hazard,
            ..self.clone()
        }
    }
}

fn power(base: Probability, exponent: f64) -> Probability {
    chance(base.get().powf(exponent))
}

/// Returns a number as a chance; what is no number is never.
fn chance(number: f64) -> Probability {
    Probability::new(number.clamp(0.0, 1.0)).unwrap_or(Probability::ZERO)
}
