//! What a learner believes: models, rates with their uncertainty, storms and recoveries.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::watch::{DOWN_BINS, DOWN_CUTS, UP_BINS, UP_CUTS};
use super::{AGE_BINS, AGE_CUTS, Capacity, Learner, Toll};
use crate::base::{Probability, Span, Timestamp};
use crate::market::{Assumptions, EvictionModel, Hazard, Lifetime, Piecewise, Rate, Regime, Rhythm, rhythm};

/// Which kind of model is made of the evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ModelKind {
    /// One rate.
    Constant,
    /// By the age of the node.
    AgeDependent,
    /// By the hour of the day.
    TimeOfDay,
    /// By the state of the market: the one that knows of shocks and outages.
    #[default]
    Regime,
}

/// Which value of an uncertain rate is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estimate {
    /// The expected one.
    Mean,
    /// The one that evictions stay below, and the ends of outages above, with this chance: for decisions on the safe side.
    Cautious(Probability),
}

/// How much has been seen, faded by its age.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Hours that nodes were there.
    pub node_hours: f64,
    /// Nodes that the provider took.
    pub evictions: f64,
    /// Of them, those that went one by one.
    pub single: f64,
    /// Runs of capacity that have ended.
    pub runs_ended: f64,
    /// Outages that have ended.
    pub outages_ended: f64,
}

impl Estimate {
    fn of(self, rate: Rate) -> Hazard {
        match self {
            Self::Mean => rate.mean(),
            Self::Cautious(chance) => rate.quantile(chance),
        }
    }

    fn of_recovery(self, rate: Rate) -> Hazard {
        match self {
            Self::Mean => rate.mean(),
            Self::Cautious(chance) => rate.quantile(chance.complement()),
        }
    }
}

impl Learner {
    /// Returns how much has been seen.
    pub fn seen(&self) -> Seen {
        Seen {
            node_hours: self.all.hours(),
            evictions: self.all.events(),
            single: self.single,
            runs_ended: self.watch.ups.events(),
            outages_ended: self.watch.downs.events(),
        }
    }

    /// Returns what is believed of a node's rate of eviction, whatever its age, the hour and the cause.
    pub fn rate(&self, assumptions: &Assumptions) -> Rate {
        let prior = assumptions.node.rate();
        Rate {
            events: prior.events + self.all.events(),
            hours: prior.hours + self.all.hours(),
        }
    }

    /// Returns the model that the evidence makes of this kind.
    pub fn model(&self, assumptions: &Assumptions, kind: ModelKind, estimate: Estimate) -> EvictionModel {
        match kind {
            ModelKind::Constant => EvictionModel::Constant {
                hazard: estimate.of(self.rate(assumptions)),
            },
            ModelKind::AgeDependent => EvictionModel::AgeDependent {
                lifetime: pieces(
                    &AGE_CUTS,
                    self.age_rates(assumptions).map(|rate| estimate.of(rate)),
                ),
            },
            ModelKind::TimeOfDay => {
                let prior = assumptions.node.rate();
                let rates = self.hours.rates([prior.mean().0; rhythm::BINS], prior.events);
                EvictionModel::TimeOfDay {
                    rhythm: Box::new(Rhythm::from_bins(|bin| estimate.of(rates[bin]))),
                }
            }
            ModelKind::Regime => EvictionModel::Regime {
                regime: Box::new(self.regime(assumptions, estimate)),
            },
        }
    }

    /// Returns what the evidence says of shocks and outages.
    pub fn regime(&self, assumptions: &Assumptions, estimate: Estimate) -> Regime {
        let prior = assumptions.node.rate();
        let single = Rate {
            events: prior.events + self.single,
            hours: prior.hours + self.all.hours(),
        };
        let ups = self
            .watch
            .ups
            .rates(assumptions.up_rates::<UP_BINS>(&UP_CUTS), 1.0);
        let downs = self
            .watch
            .downs
            .rates(assumptions.down_rates::<DOWN_BINS>(&DOWN_CUTS), 1.0);
        Regime {
            up: pieces(&UP_CUTS, ups.map(|rate| estimate.of(rate))),
            down: pieces(&DOWN_CUTS, downs.map(|rate| estimate.of_recovery(rate))),
            node: estimate.of(single),
            shock: self.losses.shock(assumptions.shock),
        }
    }

    /// Returns where the market stands.
    pub const fn capacity(&self) -> Capacity {
        self.watch.capacity
    }

    /// Returns how long nodes that are wanted have come; `None` unless they do.
    pub fn up_for(&self, at: Timestamp) -> Option<Span> {
        match self.watch.capacity {
            Capacity::Up { since } => Some((at - since).max(Span::ZERO)),
            _ => None,
        }
    }

    /// Returns how long nodes that are wanted have not come; `None` unless they do not.
    pub fn down_for(&self, at: Timestamp) -> Option<Span> {
        match self.watch.capacity {
            Capacity::Down { since } => Some((at - since).max(Span::ZERO)),
            _ => None,
        }
    }

    /// Returns the chance that the outage ends within a span; `None` when there is none.
    pub fn outage_ends_within(
        &self,
        assumptions: &Assumptions,
        at: Timestamp,
        span: Span,
        estimate: Estimate,
    ) -> Option<Probability> {
        let age = self.down_for(at)?;
        Some(self.regime(assumptions, estimate).ends_outage(age, span))
    }

    /// Returns what was evicted within a span before a moment, to the minute; of an hour at most.
    pub fn toll(&self, at: Timestamp, within: Span) -> Toll {
        self.recent.toll(at, within)
    }

    /// Returns the toll of a storm: at least this share of the fleet evicted within a span; `None` when there is no storm.
    pub fn storm(&self, at: Timestamp, share: f64, within: Span) -> Option<Toll> {
        let toll = self.toll(at, within);
        (toll.evicted.0 > 0 && toll.share() >= share).then_some(toll)
    }

    fn age_rates(&self, assumptions: &Assumptions) -> [Rate; AGE_BINS] {
        let prior = assumptions.node.rate();
        self.ages.rates([prior.mean().0; AGE_BINS], prior.events)
    }
}

fn pieces<const N: usize>(cuts: &[f64], hazards: [Hazard; N]) -> Lifetime {
    let pieces = Piecewise::new(cuts.to_vec(), hazards.to_vec());
    Lifetime::Piecewise(
        pieces.expect("cuts are constants that rise, and a gamma's mean and quantiles are finite"),
    )
}
