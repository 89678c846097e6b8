//! When the provider takes nodes away: one model out of four kinds, and what follows from any of them.

use serde::{Deserialize, Serialize};

use super::hazard::{chance, hours};
use super::numeric::area_survived;
use super::{Hazard, Lifetime, Regime, Rhythm};
use crate::base::{Probability, Span, Timestamp};

/// How evictions come about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EvictionModel {
    /// At the same rate always.
    Constant {
        /// The rate.
        hazard: Hazard,
    },
    /// By the age of the node.
    AgeDependent {
        /// How long nodes last.
        lifetime: Lifetime,
    },
    /// By the hour of the day.
    TimeOfDay {
        /// The hazards by hour.
        rhythm: Box<Rhythm>,
    },
    /// By the state of the whole pool.
    Regime {
        /// The pool.
        regime: Box<Regime>,
    },
}

/// Where a span begins that a model is asked about; a model looks only at what its kind depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outset {
    /// The instant.
    pub at: Timestamp,
    /// How long the node has been there.
    pub node_age: Span,
    /// How long capacity has been there.
    pub run_age: Span,
}

impl Outset {
    /// Returns the start of a node that comes up now, in a run of capacity of this age.
    pub const fn fresh(at: Timestamp, run_age: Span) -> Self {
        Self {
            at,
            node_age: Span::ZERO,
            run_age,
        }
    }

    /// Returns where the same node stands a span later.
    #[must_use]
    pub fn after(self, span: Span) -> Self {
        Self {
            at: self.at + span,
            node_age: self.node_age + span,
            run_age: self.run_age + span,
        }
    }
}

impl EvictionModel {
    /// No evictions.
    pub const NEVER: Self = Self::Constant {
        hazard: Hazard::NEVER,
    };

    /// Returns the hazard of one node at a moment of its life.
    pub fn hazard(&self, outset: Outset) -> Hazard {
        match self {
            Self::Constant { hazard } => *hazard,
            Self::AgeDependent { lifetime } => lifetime.hazard(outset.node_age),
            Self::TimeOfDay { rhythm } => rhythm.at(outset.at),
            Self::Regime { regime } => {
                let second = Span::seconds(1);
                Hazard(regime.rate(outset.run_age.max(second).as_hours()))
            }
        }
    }

    /// Returns the chance that a node lives through a span.
    pub fn survival(&self, outset: Outset, span: Span) -> Probability {
        chance((-self.cumulative(outset, span.as_hours().max(0.0))).exp())
    }

    /// Returns how long a node is expected to be there within a span: the area under its survival.
    pub fn expected_presence(&self, outset: Outset, span: Span) -> Span {
        hours(self.presence(outset, span.as_hours().max(0.0)))
    }

    /// Returns the steady rate that takes as many nodes over a span; infinite when none lives through it.
    pub fn mean_hazard(&self, outset: Outset, span: Span) -> Hazard {
        if span <= Span::ZERO {
            return self.hazard(outset);
        }
        Hazard(self.cumulative(outset, span.as_hours()) / span.as_hours())
    }

    /// Returns the chance that the pool's capacity, there for a while, stays for a span; only a regime doubts it.
    pub fn stays_up(&self, run_age: Span, span: Span) -> Probability {
        match self {
            Self::Regime { regime } => regime.stays_up(run_age, span),
            Self::Constant { .. } | Self::AgeDependent { .. } | Self::TimeOfDay { .. } => Probability::ONE,
        }
    }

    /// Returns what is wrong with the parameters, with what they must be; `None` when nothing is.
    pub fn fault(&self) -> Option<String> {
        let rate = |hazard: Hazard| Lifetime::Exponential { hazard }.fault();
        match self {
            Self::Constant { hazard } => rate(*hazard),
            Self::AgeDependent { lifetime } => lifetime.fault(),
            Self::TimeOfDay { rhythm } => rhythm.iter().find_map(rate),
            Self::Regime { regime } => regime.fault(),
        }
    }

    /// Returns the integral of the hazard over hours.
    pub(super) fn cumulative(&self, outset: Outset, hours: f64) -> f64 {
        match self {
            Self::Constant { hazard } => hazard.0 * hours,
            Self::AgeDependent { lifetime } => {
                let age = outset.node_age.as_hours().max(0.0);
                lifetime.cumulative_between(age, age + hours)
            }
            Self::TimeOfDay { rhythm } => rhythm.cumulative(outset.at, hours),
            Self::Regime { regime } => regime.cumulative(outset.run_age.as_hours().max(0.0), hours),
        }
    }

    /// Returns the integral of survival over hours.
    pub(super) fn presence(&self, outset: Outset, hours: f64) -> f64 {
        if let Self::Constant { hazard } = self {
            let x = hazard.0 * hours;
            // The series up to x² is exact to 1e-16 here, where the quotient would lose digits.
            return if x < 1e-5 {
                hours * (1.0 - x / 2.0 + x * x / 6.0)
            } else {
                -(-x).exp_m1() / hazard.0
            };
        }
        area_survived(|t| self.cumulative(outset, t), hours, &self.kinks(outset, hours))
    }

    /// Returns after how many hours the hazard jumps, within a number of hours.
    fn kinks(&self, outset: Outset, hours: f64) -> Vec<f64> {
        let since = |kinks: &[f64], age: Span| kinks.iter().map(|kink| kink - age.as_hours()).collect();
        match self {
            Self::Constant { .. } => Vec::new(),
            Self::AgeDependent { lifetime } => since(lifetime.kinks(), outset.node_age),
            Self::Regime { regime } => since(regime.up.kinks(), outset.run_age),
            Self::TimeOfDay { .. } => {
                // Two weeks by the hour; what comes after is smooth enough, or nothing lives to see it.
                const KINKS_MAX: usize = 336;
                let first = Rhythm::next_change(outset.at);
                let n_kinks = (hours.ceil() as usize).min(KINKS_MAX);
                (0..n_kinks).map(|n| first + n as f64).collect()
            }
        }
    }
}
