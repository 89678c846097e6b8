//! The chance that enough nodes stay usable: some go one by one, and a shock takes many at a time.

use statrs::function::beta::beta_reg;
use statrs::function::gamma::ln_gamma;

use super::hazard::chance;
use super::{EvictionModel, Outset};
use crate::base::{Nodes, Probability, Span};

/// What a lead time holds for spot nodes that are there now.
///
/// With C the nodes that are usable at its end, out of n: C is beta-binomial with the survival and the correlation when no
/// shock comes, and beta-binomial with the survival of a shock and its correlation when one does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// The chance that no shock comes.
    pub up: Probability,
    /// The chance of one node to be there at the end when no shock comes.
    pub survival: Probability,
    /// The correlation between two nodes then; 0 when each goes by itself.
    pub correlation: f64,
    /// The chance of one node to be there at the end when a shock does come.
    pub survival_of_shock: Probability,
    /// The correlation between two nodes then; 1 when all go or none.
    pub correlation_of_shock: f64,
}

/// No pool is asked for more spot nodes than this to be safe; the service's pools end far below.
const NODES_MAX: u32 = 1 << 20;

impl EvictionModel {
    /// Returns what a lead time holds for nodes that stand where `outset` says.
    pub fn outlook(&self, outset: Outset, lead: Span) -> Outlook {
        let Self::Regime { regime } = self else {
            return Outlook {
                up: Probability::ONE,
                survival: self.survival(outset, lead),
                correlation: 0.0,
                survival_of_shock: Probability::ZERO,
                correlation_of_shock: 1.0,
            };
        };
        let alone = regime.node.survival(lead.max(Span::ZERO));
        Outlook {
            up: regime.stays_up(outset.run_age, lead),
            survival: alone,
            correlation: 0.0,
            survival_of_shock: chance(alone.get() * regime.shock.spares().get()),
            correlation_of_shock: regime.shock.correlation,
        }
    }
}

impl Outlook {
    /// Returns the chance that at least `needed` of `nodes` are usable at the end.
    pub fn at_least(&self, needed: Nodes, nodes: Nodes) -> Probability {
        let calm = beta_binomial_tail(needed.0, nodes.0, self.survival.get(), self.correlation);
        let shaken = beta_binomial_tail(
            needed.0,
            nodes.0,
            self.survival_of_shock.get(),
            self.correlation_of_shock,
        );
        chance(self.up.get() * calm + self.up.complement().get() * shaken)
    }

    /// Returns the fewest spot nodes of which at least `needed` are usable at the end with a chance of at least
    /// `confidence`; `None` when no number of them is enough, as when a shock that takes all is likelier than the risk.
    pub fn nodes_needed(&self, needed: Nodes, confidence: Probability) -> Option<Nodes> {
        let enough = |nodes: u32| self.at_least(needed, Nodes(nodes)) >= confidence;
        if enough(needed.0) {
            return Some(needed);
        }
        let mut low = needed.0;
        let mut high = needed.0.max(1);
        while !enough(high) {
            if high >= NODES_MAX {
                return None;
            }
            low = high;
            high = high.saturating_mul(2).min(NODES_MAX);
        }
        while high - low > 1 {
            let middle = low.midpoint(high);
            if enough(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(Nodes(high))
    }
}

/// Returns P(K >= needed) for K beta-binomial out of n with mean share q and correlation rho.
pub fn beta_binomial_tail(needed: u32, n: u32, q: f64, rho: f64) -> f64 {
    // Below, the parameters a and b are so large that the difference of their log-gammas is noise.
    const CORRELATION_MIN: f64 = 1e-7;
    if needed == 0 {
        return 1.0;
    }
    if needed > n || q <= 0.0 {
        return 0.0;
    }
    if q >= 1.0 {
        return 1.0;
    }
    if rho >= 1.0 {
        return q;
    }
    if rho < CORRELATION_MIN {
        return beta_reg(f64::from(needed), f64::from(n - needed) + 1.0, q);
    }
    let spread = (1.0 - rho) / rho;
    let (a, b) = (q * spread, (1.0 - q) * spread);
    let above_mean = f64::from(needed) > f64::from(n) * q;
    if above_mean {
        masses_up(needed, n, a, b)
    } else {
        // K >= needed is n - K <= n - needed, and its complement n - K >= n - needed + 1.
        1.0 - masses_up(n - needed + 1, n, b, a)
    }
}

/// Returns the sum of the masses of k = from ..= n, each made from the one before:
/// p(k+1)/p(k) = (n-k)(a+k) / ((k+1)(b+n-k-1)).
fn masses_up(from: u32, n: u32, a: f64, b: f64) -> f64 {
    let (count, k) = (f64::from(n), f64::from(from));
    let ln_choose = ln_gamma(count + 1.0) - ln_gamma(k + 1.0) - ln_gamma(count - k + 1.0);
    let ln_beta = |x: f64, y: f64| ln_gamma(x) + ln_gamma(y) - ln_gamma(x + y);
    let mut mass = (ln_choose + ln_beta(a + k, b + count - k) - ln_beta(a, b)).exp();
    let mut sum = mass;
    for k in from..n {
        let k = f64::from(k);
        mass *= (count - k) * (a + k) / ((k + 1.0) * (b + count - k - 1.0));
        sum += mass;
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::market::{Hazard, Lifetime, Regime, Shock};

    fn outlook(up: f64) -> Outlook {
        Outlook {
            up: chance(up),
            survival: chance(0.9),
            correlation: 0.0,
            survival_of_shock: Probability::ZERO,
            correlation_of_shock: 1.0,
        }
    }

    #[test]
    fn tails_are_those_of_small_cases_done_by_hand() {
        // Three nodes, q = 0.5: P(K >= 2) = 4/8.
        assert!((beta_binomial_tail(2, 3, 0.5, 0.0) - 0.5).abs() < 1e-12);
        // a = b = 1 (rho = 1/3): K is uniform on 0..=3.
        for needed in 0..=4 {
            let exact = f64::from(4 - needed) / 4.0;
            assert!(
                (beta_binomial_tail(needed, 3, 0.5, 1.0 / 3.0) - exact).abs() < 1e-12,
                "{needed}"
            );
        }
        assert_eq!(beta_binomial_tail(7, 10, 0.8, 1.0), 0.8);
        assert_eq!(
            (
                beta_binomial_tail(0, 0, 0.0, 0.0),
                beta_binomial_tail(1, 0, 1.0, 0.0)
            ),
            (1.0, 0.0)
        );
        // A vanishing correlation is the binomial.
        let (near, at) = (
            beta_binomial_tail(85, 100, 0.9, 1e-6),
            beta_binomial_tail(85, 100, 0.9, 0.0),
        );
        assert!((near - at).abs() < 1e-4, "{near} {at}");
    }

    #[test]
    fn when_a_shock_that_takes_all_is_likelier_than_the_risk_no_amount_of_spot_is_enough() {
        assert_eq!(outlook(0.94).nodes_needed(Nodes(10), chance(0.95)), None);
        let enough = outlook(0.96).nodes_needed(Nodes(10), chance(0.95)).unwrap();
        assert!(enough > Nodes(10) && enough < Nodes(20), "{enough:?}");
        assert!(outlook(0.96).at_least(Nodes(10), enough) >= chance(0.95));
        assert!(outlook(0.96).at_least(Nodes(10), Nodes(enough.0 - 1)) < chance(0.95));
        assert_eq!(
            outlook(0.5).nodes_needed(Nodes::ZERO, chance(0.95)),
            Some(Nodes::ZERO)
        );
    }

    #[test]
    fn correlated_losses_need_more_nodes_than_a_binomial_believes() {
        let correlated = Outlook {
            correlation: 0.42,
            ..outlook(1.0)
        };
        let binomial = outlook(1.0).nodes_needed(Nodes(10), chance(0.9)).unwrap();
        let needed = correlated.nodes_needed(Nodes(10), chance(0.9)).unwrap();
        assert_eq!((binomial, needed), (Nodes(13), Nodes(16)));
    }

    #[test]
    fn a_regime_gives_its_chance_of_a_shock_and_what_the_shock_leaves() {
        let regime = Regime {
            up: Lifetime::Exponential { hazard: Hazard(0.5) },
            down: Lifetime::Exponential { hazard: Hazard(1.0) },
            node: Hazard(0.01),
            shock: Shock {
                share: 0.75,
                correlation: 0.4,
            },
        };
        let model = EvictionModel::Regime {
            regime: Box::new(regime),
        };
        let outset = Outset::fresh(Timestamp::EPOCH, Span::hours(3));
        let outlook = model.outlook(outset, Span::hours(1));
        assert!((outlook.up.get() - (-0.5_f64).exp()).abs() < 1e-12);
        assert!((outlook.survival.get() - (-0.01_f64).exp()).abs() < 1e-12);
        assert!((outlook.survival_of_shock.get() - 0.25 * (-0.01_f64).exp()).abs() < 1e-12);
        assert_eq!(model.stays_up(Span::hours(3), Span::hours(1)), outlook.up);
    }

    proptest::proptest! {
        #[test]
        fn more_nodes_never_lower_the_chance(
            needed in 0_u32..60,
            n in 0_u32..200,
            up in 0.0..=1.0_f64,
            q in 0.0..=1.0_f64,
            rho in 0.0..=1.0_f64,
        ) {
            let outlook = Outlook { up: chance(up), survival: chance(q), correlation: rho, ..outlook(1.0) };
            let of = |n| outlook.at_least(Nodes(needed), Nodes(n)).get();
            proptest::prop_assert!(of(n + 1) >= of(n) - 1e-9);
            let fewer = outlook.at_least(Nodes(needed + 1), Nodes(n)).get();
            proptest::prop_assert!(fewer <= of(n) + 1e-9);
        }
    }
}
