//! The beta-binomial tail as a walk: how likely too few of the nodes asked for are there, and how many are missing.
//!
//! K of n nodes are there, beta-binomial with mean share q and correlation rho. Written with t = rho/(1 - rho) it is Pólya's
//! urn: given that k of n are there, the next one is there with chance (q + k t)/(1 + n t); t = 0 is the binomial. For a need
//! of m nodes, F = P(K <= m-1) and G = E(m-K)+, with p the mass at m-1:
//!
//! ```text
//! one node more asked:   F -= p (q + (m-1) t)/(1 + n t)
//! one node more needed:  F += p'
//! ```
//!
//! Masses go from one to the next by a ratio. A step is a few multiplications and a division; a place that is more steps away
//! than a sum has terms is summed afresh (`urn`). G follows from F and p. With f(k) the mass at k,
//!
//! ```text
//! (k + 1)(1 - q + (n-k-1) t) f(k+1) = (n - k)(q + k t) f(k), and     n q - k = (n - k)(q + k t) - k (1 - q + (n-k) t)
//! ```
//!
//! so that (n q - k) f(k), summed over k < m, telescopes to D = (n-m+1)(q + (m-1) t) p, as de Moivre found for the binomial:
//! G = (m - n q) F + D, and E[K; K < m] = n q F - D. One more node asked lowers G by (q F + t E[K; K < m])/(1 + n t), which is
//! q F - t D/(1 + n t).

use super::urn::{Place, Urn, WALK_MAX};

/// F and the mass it changes by, at one place (asked, needed).
#[derive(Clone, Debug)]
pub(super) struct Tail {
    urn: Urn,
    asked: u32,
    needed: u32,
    /// The mass at `needed - 1`.
    mass: Scaled,
    short: f64,
}

impl Tail {
    /// Returns the tail for a need when nothing is asked yet.
    pub(super) fn new(q: f64, rho: f64, needed: u32) -> Self {
        // Within 1e-15 of never and always the ratios of masses stay numbers; of a million nodes that moves 1e-9.
        const EDGE: f64 = 1e-15;
        // A correlation of 1 to within 1e-9 is all or nothing, and below 1e-14 none: of a million nodes that moves 1e-8.
        let rho = rho.clamp(0.0, 1.0 - 1e-9);
        let rho = if rho < 1e-14 { 0.0 } else { rho };
        let mut tail = Self {
            urn: Urn::new(q.clamp(EDGE, 1.0 - EDGE), rho / (1.0 - rho)),
            asked: 0,
            needed,
            mass: Scaled::ZERO,
            short: 0.0,
        };
        tail.jump_to(0, needed);
        tail
    }

    /// Returns the chance that fewer are there than needed.
    pub(super) fn short(&self) -> f64 {
        self.short.clamp(0.0, 1.0)
    }

    /// Returns the mean count of nodes that are missing.
    pub(super) fn missing(&self) -> f64 {
        let needed = f64::from(self.needed);
        let missing = (needed - f64::from(self.asked) * self.urn.q) * self.short + self.telescoped();
        missing.clamp(0.0, needed)
    }

    /// Returns by how much one more node asked lowers what is missing.
    pub(super) fn relief(&self) -> f64 {
        let Urn { q, t, .. } = self.urn;
        let of_others = t * self.telescoped() / (1.0 + f64::from(self.asked) * t);
        (q * self.short - of_others).max(0.0)
    }

    /// Returns the mean count of those that are there, counted only when they are fewer than needed.
    pub(super) fn there_and_short(&self) -> f64 {
        (f64::from(self.asked) * self.urn.q * self.short - self.telescoped()).max(0.0)
    }

    /// Returns D.
    fn telescoped(&self) -> f64 {
        let Some(top) = self.needed.checked_sub(1).filter(|top| *top < self.asked) else {
            return 0.0;
        };
        let top = f64::from(top);
        (f64::from(self.asked) - top) * (self.urn.q + top * self.urn.t) * self.mass.get()
    }

    /// Returns by how much one more node asked lowers the chance to fall short, and the relief of the next one.
    pub(super) fn steps(&self) -> (f64, f64) {
        let Some(top) = self.needed.checked_sub(1).filter(|top| *top <= self.asked) else {
            return (0.0, 0.0);
        };
        let (n, k, Urn { q, t, .. }) = (f64::from(self.asked), f64::from(top), self.urn);
        let of_chance = self.mass.get() * (q + k * t) / (1.0 + n * t);
        let of_relief = of_chance * (q + (k + 1.0) * t) / (1.0 + (n + 1.0) * t);
        (of_chance, of_relief)
    }

    /// Moves to another place: step by step to one nearby, afresh to one far away.
    pub(super) fn move_to(&mut self, asked: u32, needed: u32) {
        let far = self.asked.abs_diff(asked) + self.needed.abs_diff(needed) > WALK_MAX;
        // Past the end of the distribution all is known without a sum.
        if far || needed == 0 || needed > asked {
            return self.jump_to(asked, needed);
        }
        if self.needed == 0 || self.needed > self.asked {
            return self.jump_to(asked, needed);
        }
        // Within the distribution all the way: first to where more are asked, or fewer needed.
        while self.asked < asked {
            self.ask_one_more();
        }
        while self.needed > needed {
            self.need_one_less();
        }
        while self.needed < needed {
            self.need_one_more();
        }
        while self.asked > asked {
            self.ask_one_less();
        }
    }

    fn jump_to(&mut self, asked: u32, needed: u32) {
        (self.asked, self.needed) = (asked, needed);
        let place = Place {
            urn: self.urn,
            asked: f64::from(asked),
            needed: f64::from(needed),
        };
        if needed == 0 {
            (self.mass, self.short) = (Scaled::ZERO, 0.0);
        } else if needed > asked {
            self.mass = if needed == asked + 1 {
                Scaled::exp(place.ln_mass(place.asked))
            } else {
                Scaled::ZERO
            };
            self.short = 1.0;
        } else {
            self.mass = Scaled::exp(place.ln_mass(place.needed - 1.0));
            // What is no number is less than any risk.
            self.short = place.short(self.mass.get());
        }
    }

    /// From here on the need is at least 1 and at most what is asked, before and after the step.
    fn ask_one_more(&mut self) {
        let (n, k) = (f64::from(self.asked), f64::from(self.needed - 1));
        let Urn { q, t, .. } = self.urn;
        let part = 1.0 / (1.0 + n * t);
        self.short -= self.mass.get() * (q + k * t) * part;
        self.mass = self
            .mass
            .times((n + 1.0) * (1.0 - q + (n - k) * t) * part / (n + 1.0 - k));
        self.asked += 1;
    }

    fn ask_one_less(&mut self) {
        self.asked -= 1;
        let (n, k) = (f64::from(self.asked), f64::from(self.needed - 1));
        let Urn { q, t, .. } = self.urn;
        let whole = 1.0 + n * t;
        self.mass = self
            .mass
            .times((n + 1.0 - k) * whole / ((n + 1.0) * (1.0 - q + (n - k) * t)));
        self.short += self.mass.get() * (q + k * t) / whole;
    }

    fn need_one_more(&mut self) {
        let (n, k) = (f64::from(self.asked), f64::from(self.needed));
        let Urn { q, t, .. } = self.urn;
        let up = (n - k + 1.0) * (q + (k - 1.0) * t);
        self.mass = self.mass.times(up / (k * (1.0 - q + (n - k) * t)));
        self.short += self.mass.get();
        self.needed += 1;
    }

    fn need_one_less(&mut self) {
        self.short -= self.mass.get();
        self.needed -= 1;
        let (n, k) = (f64::from(self.asked), f64::from(self.needed));
        let Urn { q, t, .. } = self.urn;
        let down = k * (1.0 - q + (n - k) * t);
        self.mass = self.mass.times(down / ((n - k + 1.0) * (q + (k - 1.0) * t)));
    }
}

/// A mass with its own exponent: 0.9 to the power of 10,000 is no `f64`, and grows into one again along a walk.
#[derive(Clone, Copy, Debug)]
struct Scaled {
    digits: f64,
    /// How often 2^-512 is still to be multiplied in.
    steps: u32,
}

impl Scaled {
    const ZERO: Self = Self {
        digits: 0.0,
        steps: 0,
    };
    /// 2^512.
    const STEP: f64 = 1.340_780_792_994_259_7e154;

    /// Returns e to a power of zero or less.
    fn exp(power: f64) -> Self {
        // ln(2^512).
        const LN_STEP: f64 = 354.891_356_446_692;
        let steps = (-power / LN_STEP).floor().clamp(0.0, f64::from(u32::MAX));
        Self {
            digits: (power + steps * LN_STEP).exp(),
            steps: steps as u32,
        }
    }

    fn times(self, factor: f64) -> Self {
        let digits = self.digits * factor;
        if digits < 1.0 / Self::STEP && digits > 0.0 {
            Self {
                digits: digits * Self::STEP,
                steps: self.steps + 1,
            }
        } else if digits > 1.0 && self.steps > 0 {
            Self {
                digits: digits / Self::STEP,
                steps: self.steps - 1,
            }
        } else {
            Self { digits, ..self }
        }
    }

    fn get(self) -> f64 {
        if self.steps == 0 { self.digits } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::beta_binomial_tail;

    fn at(q: f64, rho: f64, asked: u32, needed: u32) -> Tail {
        let mut tail = Tail::new(q, rho, needed);
        tail.move_to(asked, needed);
        tail
    }

    #[test]
    fn small_cases_are_those_done_by_hand() {
        // Three coins, two needed: 0 or 1 heads in 4 of 8 cases; missing 2/8 + 3/8.
        let coins = at(0.5, 0.0, 3, 2);
        assert!((coins.short() - 0.5).abs() < 1e-12 && (coins.missing() - 0.625).abs() < 1e-12);
        // rho = 1/3 and q = 1/2 make K uniform on 0..=3: missing of two (2 + 1)/4.
        let uniform = at(0.5, 1.0 / 3.0, 3, 2);
        assert!((uniform.short() - 0.5).abs() < 1e-12 && (uniform.missing() - 0.75).abs() < 1e-12);
        // All or nothing.
        let together = at(0.8, 1.0, 50, 40);
        assert!((together.short() - 0.2).abs() < 1e-6 && (together.missing() - 8.0).abs() < 1e-5);
        assert_eq!(
            (at(0.3, 0.2, 9, 0).short(), at(0.3, 0.2, 0, 4).missing()),
            (0.0, 4.0)
        );
    }

    #[test]
    fn masses_too_small_for_a_number_come_back() {
        // 0.9^20000 is 1e-915; of 20,000 nodes 18,000 are there on average.
        for (needed, short) in [(17_700, 0.0), (18_000, 0.5), (18_300, 1.0)] {
            let tail = at(0.9, 0.0, 20_000, needed);
            assert!((tail.short() - short).abs() < 6e-3, "{needed}: {}", tail.short());
            let exact = 1.0 - beta_binomial_tail(needed, 20_000, 0.9, 0.0);
            assert!(
                (tail.short() - exact).abs() < 1e-9,
                "{needed}: {} {exact}",
                tail.short()
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn a_walk_by_any_way_ends_at_the_sum_of_the_masses(
            q in 0.0..=1.0_f64,
            rho in 0.0..=0.99_f64,
            stops in proptest::collection::vec((0_u32..40, 0_u32..60), 1..6),
        ) {
            let mut tail = Tail::new(q, rho, stops[0].1);
            let mut asked = 0;
            for (more, needed) in stops {
                asked += more;
                tail.move_to(asked, needed);
                let short = |needed| 1.0 - beta_binomial_tail(needed, asked, q, rho);
                proptest::prop_assert!((tail.short() - short(needed)).abs() < 1e-9);
                // E(m-K)+ is the sum of P(K <= j) for j < m.
                let missing: f64 = (1..=needed).map(short).sum();
                proptest::prop_assert!((tail.missing() - missing).abs() < 1e-8);
                let next = at(q, rho, asked + 1, needed);
                proptest::prop_assert!((tail.relief() - (tail.missing() - next.missing())).abs() < 1e-8);
            }
        }
    }
}
