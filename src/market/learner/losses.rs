//! How much of a fleet goes at once: the mean share, and how much nodes share their fate.

use serde::{Deserialize, Serialize};

use crate::market::Shock;

/// Shocks seen, as sums from which share and correlation follow; faded by age.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Losses {
    /// Shocks.
    n_shocks: f64,
    /// Their shares, summed.
    shares: f64,
    /// Shocks of fleets of at least two nodes, where pairs can be compared.
    n_paired: f64,
    /// The share of pairs of which one node was lost and one not, summed over shocks.
    discordant: f64,
}

/// The prior is worth one shock.
const PRIOR_SHOCKS: f64 = 1.0;

impl Losses {
    /// Takes in a shock that took `lost` of `fleet` nodes.
    pub(super) fn count(&mut self, fleet: u32, lost: u32, weight: f64) {
        if fleet == 0 {
            return;
        }
        let (n, k) = (f64::from(fleet), f64::from(lost.min(fleet)));
        self.n_shocks += weight;
        self.shares += weight * k / n;
        if fleet >= 2 {
            self.n_paired += weight;
            self.discordant += weight * 2.0 * k * (n - k) / (n * (n - 1.0));
        }
    }

    pub(super) fn fade(&mut self, factor: f64) {
        for sum in [
            &mut self.n_shocks,
            &mut self.shares,
            &mut self.n_paired,
            &mut self.discordant,
        ] {
            *sum *= factor;
        }
    }

    /// Returns the mean share and the correlation within a fleet.
    ///
    /// Nodes of one fleet go the same way or not: one shock is one observation of the share, whatever the size of the fleet.
    /// The correlation is the one at which pairs differ as often as they did: P(differ) = 2 q (1 - q) (1 - rho).
    pub(super) fn shock(&self, prior: Shock) -> Shock {
        let share = (PRIOR_SHOCKS * prior.share + self.shares) / (PRIOR_SHOCKS + self.n_shocks);
        let differ = |share: f64, correlation: f64| 2.0 * share * (1.0 - share) * (1.0 - correlation);
        let expected = differ(prior.share, prior.correlation);
        let discordant = (PRIOR_SHOCKS * expected + self.discordant) / (PRIOR_SHOCKS + self.n_paired);
        let alone = differ(share, 0.0);
        let correlation = if alone > 0.0 {
            (1.0 - discordant / alone).clamp(0.0, 1.0)
        } else {
            1.0
        };
        Shock {
            share: share.clamp(0.0, 1.0),
            correlation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIOR: Shock = Shock {
        share: 0.75,
        correlation: 0.4,
    };

    #[test]
    fn the_prior_is_believed_until_shocks_are_seen() {
        let mut losses = Losses::default();
        let shock = losses.shock(PRIOR);
        assert!((shock.share - 0.75).abs() < 1e-12 && (shock.correlation - 0.4).abs() < 1e-12);
        losses.count(0, 0, 1.0);
        assert_eq!(losses, Losses::default());
        losses.count(10, 10, 1.0);
        assert!((losses.shock(PRIOR).share - 0.875).abs() < 1e-12);
    }

    #[test]
    fn all_or_nothing_is_a_correlation_of_one_and_steady_halves_are_none() {
        let mut all_or_none = Losses::default();
        let mut halves = Losses::default();
        for turn in 0..200 {
            all_or_none.count(16, if turn % 2 == 0 { 16 } else { 0 }, 1.0);
            halves.count(16, 8, 1.0);
        }
        assert!(all_or_none.shock(PRIOR).correlation > 0.98);
        assert!(halves.shock(PRIOR).correlation < 0.01);
        assert!((halves.shock(PRIOR).share - 0.5).abs() < 0.01);
    }
}
