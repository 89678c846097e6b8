//! The beta-binomial distribution at one place, without a walk to it: its mass, and the two sums below a need.
//!
//! K of n nodes are there; q is the mean share and t = rho/(1 - rho), as in `tail`. With a = q/t and b = (1 - q)/t the mass is
//!
//! ```text
//! f(k) = NB(k; a) NB(n - k; b) / NB(n; a + b)      NB(x; r) = r/(r + x) binomial(r; r + x, p),   p = (a + b)/(a + b + n)
//! ```
//!
//! whatever p, and the binomial is written with deviances (Loader, Fast and Accurate Computation of Binomial Probabilities,
//! 2000), so that no large numbers cancel. The chance of fewer than m is summed in one of three ways, whichever is shortest:
//!
//! - *down* the masses, which ends after a few deviations where losses hardly go together;
//! - as 1 minus a sum over *rising b*: P(K < m) under b + 1 exceeds that under b by m C(n, m) B(a + m, b + n - m + 1)/(b B(a, b)),
//!   and b without end means that none is there; the ratio of the terms is about 1 - m/n;
//! - as a sum over *rising a*, likewise, of ratio about m/n.
//!
//! E[K; K < m] is n q P(K' < m - 1), with K' of n - 1 nodes and a + 1.

use statrs::function::gamma::ln_gamma;

/// How many masses of a walk cost as much as one sum afresh.
pub(super) const WALK_MAX: u32 = 48;

/// A place of the distribution: the parameters and the counts, with a need of 1 to n.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub q: f64,
    pub t: f64,
    /// The nodes asked for, n.
    pub asked: f64,
    /// The nodes needed, m.
    pub needed: f64,
}

/// The sums below a need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Below {
    /// P(K < m).
    pub short: f64,
    /// E(m - K)+.
    pub missing: f64,
}

/// What a sum may leave out, beside its first term.
const NEGLIGIBLE: f64 = 1e-17;
/// Sums longer than this are stopped: all that a walk over the largest pool would add up.
const TERMS_MAX: u32 = 4_000_000;

impl Place {
    /// Returns the logarithm of the mass at `k`, 0 to n.
    #[expect(
        clippy::many_single_char_names,
        reason = "the letters are those of the formulas above"
    )]
    pub(super) fn ln_mass(&self, k: f64) -> f64 {
        let (n, q, t) = (self.asked, self.q, self.t);
        if t <= 0.0 {
            return ln_binomial(k, n - k, (q, 1.0 - q));
        }
        let (a, b) = (q / t, (1.0 - q) / t);
        let whole = 1.0 / t + n;
        let p = ((1.0 / t) / whole, n / whole);
        ln_failures(k, a, p) + ln_failures(n - k, b, p) - ln_failures(n, 1.0 / t, p)
    }

    /// Returns the sums below the need, of the mass just below it.
    #[expect(
        clippy::many_single_char_names,
        reason = "the letters are those of the formulas above"
    )]
    pub(super) fn below(&self, mass: f64) -> Below {
        let (n, m, q, t) = (self.asked, self.needed, self.q, self.t);
        let above_mean = m - 1.0 > n * q;
        if mass <= 0.0 {
            // So far from the mean that nothing, or all, is below.
            let (short, missing) = if above_mean { (1.0, m - n * q) } else { (0.0, 0.0) };
            return Below { short, missing };
        }
        if t <= 0.0 || self.terms_down() <= self.terms_rising() {
            return if above_mean {
                self.up(mass)
            } else {
                self.down(mass)
            };
        }
        let (a, b) = (q / t, (1.0 - q) / t);
        // m C(n, m) B(a + m, b + n - m + 1)/B(a, b), by way of the mass at m - 1.
        let first = mass * (n - m + 1.0) * (a + m - 1.0) / (a + b + n);
        let short = rising(first, (n, m), (a, b));
        // The same for K': its mass at m - 2 is the mass at m - 1 times (m - 1)/(n q).
        let there = if m > 1.0 {
            let mass = mass * (m - 1.0) / (n * q);
            let first = mass * (n - m + 1.0) * (a + m - 1.0) / (a + b + n);
            n * q * rising(first, (n - 1.0, m - 1.0), (a + 1.0, b))
        } else {
            0.0
        };
        Below {
            short,
            missing: m * short - there,
        }
    }

    /// Returns about how many masses count below the need.
    fn terms_down(&self) -> f64 {
        let (n, m, q, t) = (self.asked, self.needed, self.q, self.t);
        if q < t || 1.0 - q < t {
            // The masses rise again towards an end.
            return m;
        }
        let deviation = (n * q * (1.0 - q) * (1.0 + n * t) / (1.0 + t)).sqrt();
        m.min(8.5 * deviation + 8.0)
    }

    /// Returns about how many terms the shorter of the two rising sums has, twice.
    fn terms_rising(&self) -> f64 {
        2.0 * rising_terms(
            (self.asked, self.needed),
            (self.q / self.t, (1.0 - self.q) / self.t),
        )
        .0
    }

    /// Returns the same as `down`, by the masses of the nodes that are not there: of them n - m at most when m are there.
    fn up(&self, mass: f64) -> Below {
        let (n, m, q, t) = (self.asked, self.needed, self.q, self.t);
        let mirror = Self {
            q: 1.0 - q,
            needed: n - m + 1.0,
            ..*self
        };
        let next = mass * (n - m + 1.0) * (q + (m - 1.0) * t) / (m * (1.0 - q + (n - m) * t));
        let above = mirror.down(next);
        // E(m - K)+ = m - E K + E(K - m)+, and the mirror counts one node more.
        Below {
            short: 1.0 - above.short,
            missing: m - n * q + above.missing - above.short,
        }
    }

    fn down(&self, mass: f64) -> Below {
        let (n, q, t) = (self.asked, self.q, self.t);
        // Masses that fall, and fall faster and faster, leave less than a geometric sum.
        let falls_for_good = q >= t && 1.0 - q >= t;
        let mut k = self.needed - 1.0;
        let mut weight = 1.0;
        let (mut term, mut short, mut missing) = (mass, mass, mass);
        while k > 0.0 {
            let ratio = k * (1.0 - q + (n - k) * t) / ((n - k + 1.0) * (q + (k - 1.0) * t));
            term *= ratio;
            weight += 1.0;
            short += term;
            missing += weight * term;
            k -= 1.0;
            if falls_for_good && ratio < 1.0 && term <= NEGLIGIBLE * short * (1.0 - ratio) {
                break;
            }
        }
        Below { short, missing }
    }
}

/// Returns P(K < m) from the part of the first term that both sums share.
fn rising(shared: f64, (n, m): (f64, f64), (a, b): (f64, f64)) -> f64 {
    let (_, of_rest) = rising_terms((n, m), (a, b));
    // The two sums are each other's mirror: the nodes that are there for those that are not.
    if of_rest {
        1.0 - rising_sum(shared / b, (b, n - m + 1.0), (a + b, n))
    } else {
        rising_sum(shared / a, (a, m), (a + b, n))
    }
}

/// Returns about how many terms the shorter sum has, and whether it is the one over rising b.
fn rising_terms((n, m): (f64, f64), (a, b): (f64, f64)) -> (f64, bool) {
    let terms = |a: f64, b: f64, m: f64| {
        let ratio = (a + m) / (a + b + n + 1.0);
        let rises_for = ((ratio * (a + b) - a - 1.0) / (1.0 - ratio)).max(0.0);
        2.0 * rises_for + 40.0 / -ratio.ln()
    };
    let (by_a, by_b) = (terms(a, b, m), terms(b, a, n - m + 1.0));
    (by_a.min(by_b), by_b < by_a)
}

fn rising_sum(first: f64, (a, m): (f64, f64), (whole, n): (f64, f64)) -> f64 {
    let (mut term, mut sum) = (first, first);
    for j in 0..TERMS_MAX {
        let j = f64::from(j);
        let ratio = (a + j + m) * (whole + j) / ((whole + j + n + 1.0) * (a + j + 1.0));
        term *= ratio;
        sum += term;
        if ratio < 1.0 && term <= NEGLIGIBLE * sum * (1.0 - ratio) {
            break;
        }
    }
    sum
}

/// Returns the logarithm of the chance of `x` failures before success number `r`, successes having the chance `p.0`.
fn ln_failures(x: f64, r: f64, p: (f64, f64)) -> f64 {
    if x <= 0.0 {
        return r * ln_of_share(p);
    }
    (r / (r + x)).ln() + ln_binomial(r, x, p)
}

/// Returns the logarithm of the chance of `x` successes and `y` failures, with the chances `p`.
fn ln_binomial(x: f64, y: f64, p: (f64, f64)) -> f64 {
    if x <= 0.0 {
        return y * ln_of_share((p.1, p.0));
    }
    if y <= 0.0 {
        return x * ln_of_share(p);
    }
    let n = x + y;
    stirling_error(n)
        - stirling_error(x)
        - stirling_error(y)
        - deviance(x, n * p.0)
        - deviance(y, n * p.1)
        - 0.5 * (std::f64::consts::TAU * x * (y / n)).ln()
}

/// Returns the logarithm of the first of two shares that make 1.
fn ln_of_share((share, rest): (f64, f64)) -> f64 {
    if rest < 0.5 { (-rest).ln_1p() } else { share.ln() }
}

/// Returns by how much ln x! exceeds Stirling's formula (x + 1/2) ln x - x + ln(2 pi)/2.
fn stirling_error(x: f64) -> f64 {
    const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_8;
    // The first term left out, 691/(360360 x^11), is below 1e-16 from here on.
    const SERIES_FROM: f64 = 16.0;
    if x < SERIES_FROM {
        return ln_gamma(x + 1.0) - (x + 0.5) * x.ln() + x - LN_SQRT_TAU;
    }
    let r = 1.0 / (x * x);
    (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r / 1188.0)))) / x
}

/// Returns x ln(x/mean) + mean - x.
fn deviance(x: f64, mean: f64) -> f64 {
    let v = (x - mean) / (x + mean);
    if v.abs() >= 0.1 {
        return x * (x / mean).ln() + mean - x;
    }
    // 2 x (v + v^3/3 + v^5/5 + ...) - (x - mean); eight terms of at most a hundredth of the one before.
    let square = v * v;
    let (mut sum, mut power) = ((x - mean) * v, 2.0 * x * v);
    for odd in [3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0] {
        power *= square;
        sum += power / odd;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::beta_binomial_tail;
    use proptest::prelude::*;

    fn place(q: f64, rho: f64, asked: u32, needed: u32) -> Place {
        Place {
            q,
            t: rho / (1.0 - rho),
            asked: f64::from(asked),
            needed: f64::from(needed),
        }
    }

    #[test]
    fn masses_are_those_done_by_hand() {
        // Three coins; rho = 1/3 and q = 1/2 make the count uniform; of one node q is the whole of it.
        for (at, k, mass) in [
            (place(0.5, 0.0, 3, 2), 1.0, 0.375),
            (place(0.5, 1.0 / 3.0, 3, 2), 1.0, 0.25),
            (place(0.7, 0.9, 1, 1), 1.0, 0.7),
            (place(0.7, 1e-12, 2, 1), 0.0, 0.09),
        ] {
            assert!((at.ln_mass(k).exp() - mass).abs() < 1e-12, "{at:?}");
        }
    }

    #[test]
    fn the_ways_to_sum_agree_on_ten_thousand_nodes() {
        for rho in [1e-9, 1e-4, 0.01, 0.1, 0.42, 0.9, 0.999_999] {
            for (q, needed) in [(0.9, 8_900), (0.5, 300), (0.96, 9_990), (0.3, 5_000), (0.99, 1)] {
                let at = place(q, rho, 10_000, needed);
                let mass = at.ln_mass(at.needed - 1.0).exp();
                let (down, fast) = (at.by_masses(mass), at.below(mass));
                assert!(
                    (down.short - fast.short).abs() < 1e-10,
                    "{at:?} {down:?} {fast:?}"
                );
                assert!(
                    (down.missing - fast.missing).abs() < 1e-10 * at.needed,
                    "{at:?} {down:?} {fast:?}"
                );
            }
        }
    }

    impl Place {
        fn by_masses(&self, mass: f64) -> Below {
            if self.needed - 1.0 > self.asked * self.q {
                self.up(mass)
            } else {
                self.down(mass)
            }
        }
    }

    proptest! {
        #[test]
        fn a_sum_afresh_is_the_tail_of_the_market(
            q in 0.001..0.999_f64,
            rho in prop_oneof![Just(0.0), 1e-6..1e-3_f64, 0.0..0.99_f64],
            (asked, share) in (1_u32..5_000, 0.0..1.0_f64),
        ) {
            let needed = 1 + (f64::from(asked - 1) * share) as u32;
            let at = place(q, rho, asked, needed);
            let below = at.below(at.ln_mass(at.needed - 1.0).exp());
            let exact = 1.0 - beta_binomial_tail(needed, asked, q, rho);
            prop_assert!((below.short - exact).abs() < 1e-8, "{at:?} {below:?} {exact}");
        }
    }
}
