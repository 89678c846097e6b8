//! Sets of values of every type.

use super::interval::{Interval, Truth};
use crate::account::NodeDeallocationOption;
use crate::base::{Span, Timestamp};

/// A set of values that an expression can have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    /// None: it is never evaluated to the end.
    Nothing,
    Number(Interval),
    Vector(Vector),
    Time(Times),
    Span(Spans),
    Text(Texts),
    /// Any value of any type.
    Anything,
}

/// Vectors whose elements lie in an interval, with the least and the largest length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Vector {
    pub(crate) elements: Interval,
    pub(crate) shortest: f64,
    pub(crate) longest: f64,
}

/// Instants from `low` to `high` ticks, after now or after 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) after_now: bool,
    pub(crate) low: i64,
    pub(crate) high: i64,
}

/// Lengths of time in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spans {
    pub(crate) low: i64,
    pub(crate) high: i64,
}

/// Which of the four option words a text can be, in the order of `NodeDeallocationOption::ALL`, or any other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) options: u8,
    pub(crate) other: bool,
}

impl Texts {
    /// Returns the set that holds one text alone.
    pub(crate) fn of(text: &str) -> Self {
        let index = NodeDeallocationOption::ALL
            .iter()
            .position(|option| option.word() == text);
        Self {
            options: index.map_or(0, |index| 1 << index),
            other: index.is_none(),
        }
    }
}

/// Distances from now beyond a thousand years could meet the end of the service's clock; they count as any instant.
const DISTANCE_MAX: i64 = Span::days(365_000).ticks();

impl Value {
    pub(crate) const fn point(number: f64) -> Self {
        Self::Number(Interval::point(number))
    }

    pub(crate) const fn truth_value(truth: Truth) -> Self {
        match (truth.yes, truth.no) {
            (false, false) => Self::Nothing,
            _ => Self::Number(truth.number()),
        }
    }

    /// Writes a number for a message: without the dust of binary fractions.
    pub(crate) fn shown(number: f64) -> String {
        let rounded = (number * 1e6).round() / 1e6;
        if rounded.is_finite() && rounded.abs() < 1e12 {
            format!("{}", rounded + 0.0)
        } else {
            format!("{number:e}")
        }
    }

    /// Returns the set as numbers: a vector of one element counts as that element.
    pub(crate) const fn numbers(self) -> Interval {
        match self {
            Self::Number(interval) => interval,
            Self::Vector(vector) => vector.elements,
            Self::Nothing => Interval::EMPTY,
            _ => Interval::ALL,
        }
    }

    /// Returns the set as vectors: a number counts as a vector of one element.
    pub(crate) const fn vector(self) -> Vector {
        match self {
            Self::Vector(vector) => vector,
            Self::Number(elements) => Vector {
                elements,
                shortest: 1.0,
                longest: 1.0,
            },
            _ => Vector {
                elements: Interval::ALL,
                shortest: 0.0,
                longest: f64::INFINITY,
            },
        }
    }

    pub(crate) const fn times(self) -> Times {
        match self {
            Self::Time(times) => times,
            _ => Times::ANY,
        }
    }

    pub(crate) fn is_nothing(self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Number(interval) => interval.is_empty() && !interval.nan,
            _ => false,
        }
    }

    pub(crate) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, value) | (value, Self::Nothing) => value,
            (Self::Number(a), Self::Number(b)) => Self::Number(a.join(b)),
            (Self::Vector(a), Self::Vector(b)) => Self::Vector(Vector {
                elements: a.elements.join(b.elements),
                shortest: a.shortest.min(b.shortest),
                longest: a.longest.max(b.longest),
            }),
            (Self::Time(a), Self::Time(b)) if a.after_now == b.after_now => Self::Time(Times {
                after_now: a.after_now,
                low: a.low.min(b.low),
                high: a.high.max(b.high),
            }),
            (Self::Time(_), Self::Time(_)) => Self::Time(Times::ANY),
            (Self::Span(a), Self::Span(b)) => Self::Span(Spans {
                low: a.low.min(b.low),
                high: a.high.max(b.high),
            }),
            (Self::Text(a), Self::Text(b)) => Self::Text(Texts {
                options: a.options | b.options,
                other: a.other || b.other,
            }),
            _ => Self::Anything,
        }
    }
}

impl Times {
    /// Any instant.
    pub(crate) const ANY: Self = Self {
        after_now: false,
        low: i64::MIN,
        high: i64::MAX,
    };
    /// The instant of the run.
    pub(crate) const NOW: Self = Self {
        after_now: true,
        low: 0,
        high: 0,
    };

    pub(crate) const fn at(instant: Timestamp) -> Self {
        Self {
            after_now: false,
            low: instant.ticks(),
            high: instant.ticks(),
        }
    }

    pub(crate) fn later(self, by: Spans) -> Self {
        let moved = Self {
            low: self.low.saturating_add(by.low),
            high: self.high.saturating_add(by.high),
            ..self
        };
        if !self.after_now {
            let clamp = |ticks| Timestamp::from_ticks(ticks).ticks();
            return if self == Self::ANY {
                self
            } else {
                Self {
                    low: clamp(moved.low),
                    high: clamp(moved.high),
                    ..moved
                }
            };
        }
        let near = -DISTANCE_MAX..=DISTANCE_MAX;
        if near.contains(&moved.low) && near.contains(&moved.high) {
            moved
        } else {
            Self::ANY
        }
    }

    /// Returns the time from `other` to this.
    pub(crate) fn since(self, other: Self) -> Spans {
        if self.after_now != other.after_now || self == Self::ANY || other == Self::ANY {
            return Spans::ANY;
        }
        Spans {
            low: self.low.saturating_sub(other.high),
            high: self.high.saturating_sub(other.low),
        }
    }
}

impl Spans {
    /// Any length.
    pub(crate) const ANY: Self = Self {
        low: i64::MIN,
        high: i64::MAX,
    };

    pub(crate) const fn exactly(span: Span) -> Self {
        Self {
            low: span.ticks(),
            high: span.ticks(),
        }
    }

    /// Returns the only length, if there is exactly one.
    pub(crate) fn only(self) -> Option<Span> {
        (self.low == self.high).then(|| Span::from_ticks(self.low))
    }

    pub(crate) const fn negate(self) -> Self {
        Self {
            low: self.high.saturating_neg(),
            high: self.low.saturating_neg(),
        }
    }

    pub(crate) const fn add(self, other: Self) -> Self {
        Self {
            low: self.low.saturating_add(other.low),
            high: self.high.saturating_add(other.high),
        }
    }

    /// Returns the lengths times the factors; a factor that may be NaN gives any length.
    pub(crate) fn scale(self, factors: Interval) -> Self {
        if factors.nan || factors.is_empty() {
            return Self::ANY;
        }
        let ends = [
            (self.low, factors.low),
            (self.low, factors.high),
            (self.high, factors.low),
            (self.high, factors.high),
        ];
        let mut scaled = ends.map(|(ticks, factor)| Span::from_ticks(ticks).scale(factor).ticks());
        scaled.sort_unstable();
        let zero_times_infinity =
            (factors.low.is_infinite() || factors.high.is_infinite()) && self.low <= 0 && self.high >= 0;
        if zero_times_infinity {
            return Self::ANY;
        }
        Self {
            low: scaled[0],
            high: scaled[3],
        }
    }

    pub(crate) fn numbers(self) -> Interval {
        Interval::new(self.low as f64, self.high as f64)
    }
}
