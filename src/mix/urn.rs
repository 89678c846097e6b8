//! The beta-binomial distribution at one place, without a walk to it: its mass, and the two sums below a need.
//!
//! K of n nodes are there; q is the mean share and t = rho/(1 - rho), as in `tail`. With a = q/t and b = (1 - q)/t the mass is
//!
//! ```text
//! f(k) = NB(k; a) NB(n - k; b) / NB(n; a + b)      NB(x; r) = r/(r + x) binomial(r; r + x, p),   p = (a + b)/(a + b + n)
//! ```
//!
//! whatever p, and the binomial is written with deviances (Loader, Fast and Accurate Computation of Binomial Probabilities,
//! 2000), so that no large numbers cancel. With the p of n whites among a + b + n, the last of the three has none. The chance of
//! fewer than m is summed in one of three ways, whichever is shortest:
//!
//! - *down* the masses, which ends after a few deviations where losses hardly go together;
//! - as 1 minus a sum over *rising b*: P(K < m) under b + 1 exceeds that under b by m C(n, m) B(a + m, b + n - m + 1)/(b B(a, b)),
//!   and b without end means that none is there; the ratio of the terms is about 1 - m/n;
//! - as a sum over *rising a*, likewise, of ratio about m/n.
//!
//! What is missing needs no sum of its own (`tail`).

use statrs::function::gamma::ln_gamma;

/// How many masses of a walk cost as much as one sum afresh.
pub(super) const WALK_MAX: u32 = 48;

/// The parameters of a distribution, with what of a mass depends on them alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Urn {
    pub q: f64,
    pub t: f64,
    /// What a and b exceed Stirling's formula by, less what a + b does; zero without correlation.
    errors: f64,
}

/// A place of the distribution: the urn and the counts, with a need of 1 to n.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub urn: Urn,
    /// The nodes asked for, n.
    pub asked: f64,
    /// The nodes needed, m.
    pub needed: f64,
}

/// What a sum may leave out, beside its first term.
const NEGLIGIBLE: f64 = 1e-17;
/// Sums longer than this are stopped: all that a walk over the largest pool would add up.
const TERMS_MAX: u32 = 4_000_000;

impl Urn {
    pub(super) fn new(q: f64, t: f64) -> Self {
        let errors = if t > 0.0 {
            stirling_error(q / t) + stirling_error((1.0 - q) / t) - stirling_error(1.0 / t)
        } else {
            0.0
        };
        Self { q, t, errors }
    }

    /// Returns a and b.
    fn balls(&self) -> (f64, f64) {
        (self.q / self.t, (1.0 - self.q) / self.t)
    }
}

impl Place {
    /// Returns the logarithm of the mass at `k`, 0 to n.
    #[expect(
        clippy::many_single_char_names,
        reason = "the letters are those of the formulas above"
    )]
    pub(super) fn ln_mass(&self, k: f64) -> f64 {
        let (n, Urn { q, t, errors }) = (self.asked, self.urn);
        if t <= 0.0 {
            return ln_binomial(k, n - k, (q, 1.0 - q));
        }
        let (a, b) = self.urn.balls();
        let whole = 1.0 / t + n;
        let p = ((1.0 / t) / whole, n / whole);
        let (there, away) = (failures(k, a, p), failures(n - k, b, p));
        let (error, square) = failures_at_mean(n, 1.0 / t);
        there.0 + away.0 - error - errors + 0.5 * (there.1 * away.1 / square).ln()
    }

    /// Returns the chance of fewer than needed, P(K < m), from the mass just below it.
    pub(super) fn short(&self, mass: f64) -> f64 {
        let (n, m, Urn { q, t, .. }) = (self.asked, self.needed, self.urn);
        let above_mean = m - 1.0 > n * q;
        if mass <= 0.0 {
            // So far from the mean that nothing, or all, is below.
            return if above_mean { 1.0 } else { 0.0 };
        }
        // With few nodes for the balls of the urn, as good as one by one, the rising sums hardly change from term to term.
        if t * n < 1.0 || self.terms_down() <= self.terms_rising() {
            return if above_mean {
                self.up(mass)
            } else {
                self.down(mass)
            };
        }
        let (a, b) = self.urn.balls();
        // m C(n, m) B(a + m, b + n - m + 1)/B(a, b), by way of the mass at m - 1.
        let first = mass * (n - m + 1.0) * (a + m - 1.0) / (a + b + n);
        rising(first, (n, m), (a, b))
    }

    /// Returns about how many masses count below the need.
    fn terms_down(&self) -> f64 {
        let (n, m, Urn { q, t, .. }) = (self.asked, self.needed, self.urn);
        if q < t || 1.0 - q < t {
            // The masses rise again towards an end.
            return m;
        }
        let deviation = (n * q * (1.0 - q) * (1.0 + n * t) / (1.0 + t)).sqrt();
        m.min(8.5 * deviation + 8.0)
    }

    /// Returns about how many masses take as long as the shorter of the two rising sums, of which a term has more to multiply.
    fn terms_rising(&self) -> f64 {
        2.0 * rising_terms((self.asked, self.needed), self.urn.balls()).0
    }

    /// Returns the same as `down`, by the masses of the nodes that are not there: of them n - m at most when m are there.
    fn up(&self, mass: f64) -> f64 {
        let (n, m, Urn { q, t, .. }) = (self.asked, self.needed, self.urn);
        let mirror = Self {
            urn: Urn {
                q: 1.0 - q,
                ..self.urn
            },
            needed: n - m + 1.0,
            ..*self
        };
        let next = mass * (n - m + 1.0) * (q + (m - 1.0) * t) / (m * (1.0 - q + (n - m) * t));
        1.0 - mirror.down(next)
    }

    fn down(&self, mass: f64) -> f64 {
        let (n, Urn { q, t, .. }) = (self.asked, self.urn);
        // Masses that fall, and fall faster and faster, leave less than a geometric sum.
        let falls_for_good = q >= t && 1.0 - q >= t;
        let mut k = self.needed - 1.0;
        let (mut term, mut short) = (mass, mass);
        while k > 0.0 {
            let ratio = k * (1.0 - q + (n - k) * t) / ((n - k + 1.0) * (q + (k - 1.0) * t));
            term *= ratio;
            short += term;
            k -= 1.0;
            if falls_for_good && ratio < 1.0 && term <= NEGLIGIBLE * short * (1.0 - ratio) {
                break;
            }
        }
        short
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

/// Returns the chance of `x` failures before success number `r`, successes having the chance `p.0`: its logarithm but for what `r`
/// exceeds Stirling's formula by, and a factor of the chance, squared.
fn failures(x: f64, r: f64, p: (f64, f64)) -> (f64, f64) {
    if x <= 0.0 {
        return (r * ln_of_share(p) + stirling_error(r), 1.0);
    }
    let (error, square) = failures_at_mean(x, r);
    let n = r + x;
    (error - deviance(r, n * p.0) - deviance(x, n * p.1), square)
}

/// Returns the same where `p` is such that `x` are the mean, so that nothing deviates.
fn failures_at_mean(x: f64, r: f64) -> (f64, f64) {
    let n = r + x;
    (
        stirling_error(n) - stirling_error(x),
        r / (std::f64::consts::TAU * x * n),
    )
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
        if x.fract() == 0.0 {
            return STIRLING_ERRORS[x as usize];
        }
        return ln_gamma(x + 1.0) - (x + 0.5) * x.ln() + x - LN_SQRT_TAU;
    }
    let r = 1.0 / (x * x);
    (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r / 1188.0)))) / x
}

/// The same of whole numbers below the series: few nodes that are away are the most usual of all counts.
const STIRLING_ERRORS: [f64; 16] = [
    -0.918_938_533_204_672_8,
    0.081_061_466_795_327_26,
    0.041_340_695_955_409_29,
    0.027_677_925_684_998_34,
    0.020_790_672_103_765_093,
    0.016_644_691_189_821_193,
    0.013_876_128_823_070_748,
    0.011_896_709_945_891_77,
    0.010_411_265_261_972_096,
    0.009_255_462_182_712_733,
    0.008_330_563_433_362_87,
    0.007_573_675_487_951_841,
    0.006_942_840_107_209_53,
    0.006_408_994_188_004_207,
    0.005_951_370_112_758_848,
    0.005_554_733_551_962_801,
];

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
            urn: Urn::new(q, rho / (1.0 - rho)),
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
                let (down, fast) = (at.by_masses(mass), at.short(mass));
                assert!((down - fast).abs() < 1e-10, "{at:?} {down:?} {fast:?}");
            }
        }
    }

    impl Place {
        fn by_masses(&self, mass: f64) -> f64 {
            if self.needed - 1.0 > self.asked * self.urn.q {
                self.up(mass)
            } else {
                self.down(mass)
            }
        }
    }

    #[test]
    fn errors_of_whole_numbers_are_those_of_the_gamma_function() {
        for (x, error) in (0_u32..).zip(STIRLING_ERRORS) {
            let x = f64::from(x);
            let leading = if x > 0.0 { (x + 0.5) * x.ln() } else { 0.0 };
            let direct = ln_gamma(x + 1.0) - leading + x - 0.5 * std::f64::consts::TAU.ln();
            assert!((error - direct).abs() < 1e-13, "{x}: {error} {direct}");
        }
        let next = stirling_error(16.0);
        assert!(next < STIRLING_ERRORS[15] && next > 0.9 * STIRLING_ERRORS[15]);
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
            let short = at.short(at.ln_mass(at.needed - 1.0).exp());
            let exact = 1.0 - beta_binomial_tail(needed, asked, q, rho);
            prop_assert!((short - exact).abs() < 1e-8, "{at:?} {short} {exact}");
        }
    }
}
