//! Node counts and the two lanes that nodes run in.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A count of nodes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Nodes(pub u32);

impl Nodes {
    /// No node.
    pub const ZERO: Self = Self(0);

    /// Returns the count as the service makes it of a target: truncated toward zero and clamped to what a count can hold.
    ///
    /// Truncation is recorded (Azure/Batch#151: 2.9 became 2). Returns `None` for a number that is not finite.
    pub fn truncate(target: f64) -> Option<Self> {
        target.is_finite().then_some(Self(target as u32))
    }

    /// Returns the smallest count that is no less than `nodes`; below zero and NaN give none.
    pub fn ceil(nodes: f64) -> Self {
        Self(nodes.ceil() as u32)
    }

    /// Returns the count as a number for arithmetic.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0)
    }

    /// Returns the difference, or none when `other` is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Nodes {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Nodes {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Nodes {
    fn sum<I: Iterator<Item = Self>>(nodes: I) -> Self {
        nodes.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The way a node is paid for: always there, or cheap until it is taken away ("low-priority" in the API).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Lane {
    /// A dedicated node.
    Dedicated,
    /// A spot node, called low-priority by the service.
    Spot,
}

impl Lane {
    /// Both lanes, dedicated first.
    pub const ALL: [Self; 2] = [Self::Dedicated, Self::Spot];

    /// Returns the word that tables, metrics and JSON use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dedicated => "dedicated",
            Self::Spot => "spot",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// How many nodes of each lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mix {
    /// Dedicated nodes.
    pub dedicated: Nodes,
    /// Spot nodes.
    pub spot: Nodes,
}

impl Mix {
    /// No node in either lane.
    pub const ZERO: Self = Self {
        dedicated: Nodes::ZERO,
        spot: Nodes::ZERO,
    };

    /// Returns a mix of that many dedicated and spot nodes.
    pub const fn new(dedicated: u32, spot: u32) -> Self {
        Self {
            dedicated: Nodes(dedicated),
            spot: Nodes(spot),
        }
    }

    /// Returns the nodes of both lanes together.
    pub fn total(self) -> Nodes {
        self.dedicated + self.spot
    }

    /// Returns what one has beyond another, lane by lane.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self {
            dedicated: self.dedicated.saturating_sub(other.dedicated),
            spot: self.spot.saturating_sub(other.spot),
        }
    }

    /// Returns the nodes of one lane.
    pub const fn get(self, lane: Lane) -> Nodes {
        match lane {
            Lane::Dedicated => self.dedicated,
            Lane::Spot => self.spot,
        }
    }

    /// Returns the same mix with another count in one lane.
    #[must_use]
    pub const fn with(self, lane: Lane, nodes: Nodes) -> Self {
        match lane {
            Lane::Dedicated => Self {
                dedicated: nodes,
                ..self
            },
            Lane::Spot => Self { spot: nodes, ..self },
        }
    }
}

/// Writes `3 dedicated + 5 spot`.
impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} dedicated + {} spot", self.dedicated, self.spot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_truncate_toward_zero_and_never_wrap() {
        for (target, nodes) in [(2.9, 2), (0.5, 0), (-3.7, 0), (5e9, u32::MAX)] {
            assert_eq!(Nodes::truncate(target), Some(Nodes(nodes)));
        }
        assert_eq!(Nodes::truncate(f64::NAN), None);
        assert_eq!(Nodes::truncate(f64::INFINITY), None);
    }
}
