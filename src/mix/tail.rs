//! The beta-binomial tail as a walk: how likely too few of the nodes asked for are there, and how many are missing.
//!
//! K of n nodes are there, beta-binomial with mean share q and correlation rho. Written with t = rho/(1 - rho) it is Pólya's
//! urn: given that k of n are there, the next one is there with chance (q + k t)/(1 + n t); t = 0 is the binomial. For a need
//! of m nodes, F = P(K <= m-1) and G = E(m-K)+, with p the mass at m-1:
//!
//! ```text
//! one node more asked:   F -= p (q + (m-1) t)/(1 + n t)        G -= (q F + t (m F - G))/(1 + n t)
//! one node more needed:  F += p'                               G += F (the new one)
//! ```
//!
//! for E[K; K < m] = m F - G. Masses go from one to the next by a ratio. A step is a few multiplications and a division, so
//! that the solver can walk along the whole frontier of feasible mixes for the price of one sum.

use std::cmp::Ordering;

/// F, G and the masses they are made of, at one place (asked, needed).
#[derive(Clone, Debug)]
pub(super) struct Tail {
    q: f64,
    t: f64,
    asked: u32,
    needed: u32,
    /// The mass at `needed - 1`.
    mass: Scaled,
    /// The chance that every node asked for is there.
    whole: Scaled,
    short: f64,
    missing: f64,
}

impl Tail {
    /// Returns the tail for a need when nothing is asked yet.
    pub(super) fn new(q: f64, rho: f64, needed: u32) -> Self {
        // Within 1e-15 of never and always the ratios of masses stay numbers; of a million nodes that moves 1e-9.
        const EDGE: f64 = 1e-15;
        // A correlation of 1 to within 1e-9 is all or nothing.
        let rho = rho.clamp(0.0, 1.0 - 1e-9);
        Self {
            q: q.clamp(EDGE, 1.0 - EDGE),
            t: rho / (1.0 - rho),
            asked: 0,
            needed,
            mass: if needed == 1 { Scaled::ONE } else { Scaled::ZERO },
            whole: Scaled::ONE,
            short: if needed > 0 { 1.0 } else { 0.0 },
            missing: f64::from(needed),
        }
    }

    /// Returns the chance that fewer are there than needed.
    pub(super) fn short(&self) -> f64 {
        self.short.clamp(0.0, 1.0)
    }

    /// Returns the mean count of nodes that are missing.
    pub(super) fn missing(&self) -> f64 {
        self.missing.clamp(0.0, f64::from(self.needed))
    }

    /// Returns by how much one more node asked lowers what is missing.
    pub(super) fn relief(&self) -> f64 {
        let (needed, asked) = (f64::from(self.needed), f64::from(self.asked));
        let there_and_short = needed * self.short - self.missing;
        ((self.q * self.short + self.t * there_and_short) / (1.0 + asked * self.t)).max(0.0)
    }

    /// Moves to another place; what is asked only grows.
    pub(super) fn move_to(&mut self, asked: u32, needed: u32) {
        while self.asked < asked {
            self.ask_one_more();
        }
        while self.needed < needed {
            self.need_one_more();
        }
        while self.needed > needed {
            self.need_one_less();
        }
    }

    fn ask_one_more(&mut self) {
        let (n, q, t) = (f64::from(self.asked), self.q, self.t);
        let part = 1.0 / (1.0 + n * t);
        self.whole = self.whole.times((q + n * t) * part);
        self.asked += 1;
        let Some(top) = self.needed.checked_sub(1) else {
            return;
        };
        let k = f64::from(top);
        let there_and_short = f64::from(self.needed) * self.short - self.missing;
        self.missing -= (q * self.short + t * there_and_short) * part;
        if self.asked > top {
            self.short -= self.mass.get() * (q + k * t) * part;
            self.mass = self
                .mass
                .times((n + 1.0) * (1.0 - q + (n - k) * t) * part / (n + 1.0 - k));
        } else if self.asked == top {
            self.mass = self.whole;
        }
    }

    fn need_one_more(&mut self) {
        let top = self.needed;
        self.needed += 1;
        self.mass = if top > self.asked {
            Scaled::ZERO
        } else if top == self.asked {
            self.whole
        } else if top == 0 {
            self.none()
        } else {
            let (n, k) = (f64::from(self.asked), f64::from(top));
            let up = (n - k + 1.0) * (self.q + (k - 1.0) * self.t);
            self.mass.times(up / (k * (1.0 - self.q + (n - k) * self.t)))
        };
        self.short += self.mass.get();
        self.missing += self.short;
    }

    fn need_one_less(&mut self) {
        let top = self.needed - 1;
        self.needed = top;
        self.missing -= self.short;
        self.short -= self.mass.get();
        if top == 0 {
            (self.mass, self.short, self.missing) = (Scaled::ZERO, 0.0, 0.0);
            return;
        }
        self.mass = match top.cmp(&(self.asked + 1)) {
            Ordering::Greater => Scaled::ZERO,
            Ordering::Equal => self.whole,
            Ordering::Less => {
                let (n, k) = (f64::from(self.asked), f64::from(top));
                let down = k * (1.0 - self.q + (n - k) * self.t);
                self.mass
                    .times(down / ((n - k + 1.0) * (self.q + (k - 1.0) * self.t)))
            }
        };
    }

    /// Returns the chance that none is there.
    fn none(&self) -> Scaled {
        (0..self.asked).fold(Scaled::ONE, |mass, n| {
            let n = f64::from(n);
            mass.times((1.0 - self.q + n * self.t) / (1.0 + n * self.t))
        })
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
    const ONE: Self = Self {
        digits: 1.0,
        steps: 0,
    };
    /// 2^512.
    const STEP: f64 = 1.340_780_792_994_259_7e154;

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
