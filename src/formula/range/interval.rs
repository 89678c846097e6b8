//! Sets of numbers as intervals that know whether NaN is among them.
//!
//! Every operation gives an interval that holds each result the operation can have on numbers of its operands, up to
//! the rounding of a double.

/// The numbers from `low` to `high`, both among them, and perhaps NaN; `low > high` holds no number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) nan: bool,
}

/// Which truth values a condition can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) yes: bool,
    pub(crate) no: bool,
}

impl Truth {
    pub(crate) const BOTH: Self = Self { yes: true, no: true };

    pub(crate) const fn not(self) -> Self {
        Self {
            yes: self.no,
            no: self.yes,
        }
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            yes: self.yes || other.yes,
            no: self.no || other.no,
        }
    }

    pub(crate) const fn number(self) -> Interval {
        match (self.yes, self.no) {
            (true, true) => Interval::new(0.0, 1.0),
            (true, false) => Interval::point(1.0),
            (false, true) => Interval::point(0.0),
            (false, false) => Interval::EMPTY,
        }
    }
}

impl Interval {
    /// No number at all.
    pub(crate) const EMPTY: Self = Self::new(f64::INFINITY, f64::NEG_INFINITY);
    /// Any double, NaN among them.
    pub(crate) const ALL: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
        nan: true,
    };

    pub(crate) const fn new(low: f64, high: f64) -> Self {
        Self {
            low,
            high,
            nan: false,
        }
    }

    pub(crate) const fn point(number: f64) -> Self {
        if number.is_nan() {
            Self {
                nan: true,
                ..Self::EMPTY
            }
        } else {
            Self::new(number, number)
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.low > self.high
    }

    /// Returns the only number, if there is exactly one.
    pub(crate) fn only(self) -> Option<f64> {
        (self.low == self.high && !self.nan).then_some(self.low)
    }

    pub(crate) fn contains(self, number: f64) -> bool {
        if number.is_nan() {
            self.nan
        } else {
            self.low <= number && number <= self.high
        }
    }

    /// Returns the finite numbers of it: a target that is none ends the run.
    pub(crate) const fn finite(self) -> Self {
        Self::new(self.low.max(f64::MIN), self.high.min(f64::MAX))
    }

    /// Returns the least interval that holds both.
    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            nan: self.nan || other.nan,
        }
    }

    /// Returns the numbers that are in both.
    pub(crate) fn meet(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
            nan: self.nan && other.nan,
        }
    }

    pub(crate) fn truth(self) -> Truth {
        Truth {
            yes: self.nan || !self.is_empty() && self.only() != Some(0.0),
            no: self.contains(0.0),
        }
    }

    pub(crate) fn negate(self) -> Self {
        Self {
            low: -self.high,
            high: -self.low,
            nan: self.nan,
        }
    }

    pub(crate) fn add(self, other: Self) -> Self {
        self.corners(other, |a, b| a + b, &[(false, false), (true, true)])
    }

    pub(crate) fn subtract(self, other: Self) -> Self {
        self.add(other.negate())
    }

    pub(crate) fn multiply(self, other: Self) -> Self {
        let all = [(false, false), (false, true), (true, false), (true, true)];
        let product = self.corners(other, |a, b| a * b, &all);
        // 0 × ∞ can hide between the corners: [-1, 1] × [5, ∞].
        let infinite = |x: Self| x.low.is_infinite() || x.high.is_infinite();
        if (infinite(self) && other.contains(0.0)) || (infinite(other) && self.contains(0.0)) {
            return Self {
                nan: true,
                ..product.join(Self::point(0.0))
            };
        }
        product
    }

    pub(crate) fn divide(self, by: Self) -> Self {
        if self.is_empty() || by.is_empty() {
            return Self {
                nan: self.nan || by.nan,
                ..Self::EMPTY
            };
        }
        if by.contains(0.0) {
            // A zero can carry either sign, so either infinity can come out.
            return Self {
                nan: self.nan
                    || by.nan
                    || self.contains(0.0)
                    || self.high.is_infinite()
                    || self.low.is_infinite(),
                ..Self::ALL
            };
        }
        let all = [(false, false), (false, true), (true, false), (true, true)];
        self.corners(by, |a, b| a / b, &all)
    }

    /// Applies a function that never falls.
    pub(crate) fn rising(self, apply: impl Fn(f64) -> f64) -> Self {
        if self.is_empty() {
            return self;
        }
        Self {
            low: apply(self.low),
            high: apply(self.high),
            nan: self.nan,
        }
    }

    /// Applies a logarithm, which has no value below zero.
    pub(crate) fn logarithm(self, apply: impl Fn(f64) -> f64) -> Self {
        let inside = Self {
            low: self.low.max(0.0),
            ..self
        };
        Self {
            nan: self.nan || self.low < 0.0,
            ..inside.rising(apply)
        }
    }

    /// Takes the least or the largest of two numbers; NaN may or may not win.
    pub(crate) fn pick(self, other: Self, choose: impl Fn(f64, f64) -> f64) -> Self {
        if self.nan || other.nan {
            return self.join(other);
        }
        if self.is_empty() || other.is_empty() {
            return Self::EMPTY;
        }
        Self::new(choose(self.low, other.low), choose(self.high, other.high))
    }

    pub(crate) fn less(self, other: Self) -> Truth {
        self.compare(other, self.low < other.high, self.high < other.low)
    }

    pub(crate) fn less_or_equal(self, other: Self) -> Truth {
        self.compare(other, self.low <= other.high, self.high <= other.low)
    }

    pub(crate) fn equal(self, other: Self) -> Truth {
        let overlap = self.low <= other.high && other.low <= self.high;
        let same = self.only().is_some() && self.only() == other.only();
        self.compare(other, overlap, same)
    }

    /// A comparison with NaN is false; one with no number has no outcome.
    fn compare(self, other: Self, possible: bool, certain: bool) -> Truth {
        if (self.is_empty() && !self.nan) || (other.is_empty() && !other.nan) {
            return Truth::default();
        }
        let numbers = !self.is_empty() && !other.is_empty();
        Truth {
            yes: numbers && possible,
            no: self.nan || other.nan || (numbers && !certain),
        }
    }

    /// Applies an operation to chosen ends (`true` is the high one) and encloses what comes out.
    fn corners(self, other: Self, apply: impl Fn(f64, f64) -> f64, ends: &[(bool, bool)]) -> Self {
        let mut result = Self {
            nan: self.nan || other.nan,
            ..Self::EMPTY
        };
        if self.is_empty() || other.is_empty() {
            return result;
        }
        for (left, right) in ends {
            let a = if *left { self.high } else { self.low };
            let b = if *right { other.high } else { other.low };
            let number = apply(a, b);
            if number.is_nan() {
                return Self::ALL;
            }
            result = result.join(Self::point(number));
        }
        // ∞ − ∞ can hide at the other pair of ends of a sum.
        let opposite = apply(self.low, other.high).is_nan() || apply(self.high, other.low).is_nan();
        if opposite { Self::ALL } else { result }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: [f64; 9] = [
        f64::NEG_INFINITY,
        -3.0,
        -1.0,
        -0.0,
        0.0,
        0.5,
        1.0,
        4.0,
        f64::INFINITY,
    ];

    fn intervals() -> impl Iterator<Item = Interval> + Clone {
        let pairs = ENDS
            .iter()
            .flat_map(|low| ENDS.iter().map(move |high| (*low, *high)));
        pairs
            .filter(|(low, high)| low <= high)
            .map(|(low, high)| Interval::new(low, high))
    }

    #[test]
    fn every_result_lies_in_the_interval_of_results() {
        type Pair = (fn(Interval, Interval) -> Interval, fn(f64, f64) -> f64);
        let operations: [(&str, Pair); 6] = [
            ("+", (Interval::add, |a, b| a + b)),
            ("-", (Interval::subtract, |a, b| a - b)),
            ("*", (Interval::multiply, |a, b| a * b)),
            ("/", (Interval::divide, |a, b| a / b)),
            ("min", (|a, b| a.pick(b, f64::min), f64::min)),
            ("max", (|a, b| a.pick(b, f64::max), f64::max)),
        ];
        for (name, (on_sets, on_numbers)) in operations {
            for (a, b) in intervals().flat_map(|a| intervals().map(move |b| (a, b))) {
                let result = on_sets(a, b);
                for (x, y) in ENDS.iter().flat_map(|x| ENDS.iter().map(move |y| (*x, *y))) {
                    if a.contains(x) && b.contains(y) {
                        let number = on_numbers(x, y);
                        assert!(
                            result.contains(number),
                            "{x} {name} {y} = {number} not in {result:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_comparison_knows_when_it_has_one_outcome() {
        let small = Interval::new(0.0, 1.0);
        let large = Interval::new(2.0, 3.0);
        let always = Truth { yes: true, no: false };
        assert_eq!(small.less(large), always);
        assert_eq!(large.less(small), always.not());
        assert_eq!(small.equal(large), always.not());
        assert_eq!(small.less(Interval::point(1.0)), Truth::BOTH);
        assert_eq!(small.less_or_equal(Interval::point(1.0)), always);
        assert_eq!(Interval { nan: true, ..small }.less(large), Truth::BOTH);
    }
}
