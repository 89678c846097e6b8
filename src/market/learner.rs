//! Learning what a market does from what is seen of it, one observation at a time.
//!
//! Every observation takes the same short time and the memory never grows: what is kept are events and hours in a few bins,
//! the evictions of the past hour, and where the market stands. Priors come from [`Assumptions`] and count less the more is
//! seen; what is seen fades with its age. A learner written as JSON and read again goes on to the same bytes.

mod beliefs;
mod losses;
mod recent;
mod tally;
mod watch;

use serde::{Deserialize, Serialize};

use super::piecewise::overlaps;
use super::{Assumptions, rhythm};
use crate::base::{Nodes, Span, Timestamp};

pub use beliefs::{Estimate, ModelKind, Seen};
pub use recent::Toll;
pub use watch::Capacity;

use losses::Losses;
use recent::Recent;
use tally::Tally;
use watch::{SILENCE_MAX, Turn, Watch};

/// Ages of a node at which its hazard may change, in hours.
const AGE_CUTS: [f64; 8] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 23.0];
/// Bins of them.
const AGE_BINS: usize = AGE_CUTS.len() + 1;

/// Fewer nodes lost at once than this are single evictions, whatever their share: of two nodes of a fleet of two nothing
/// else could be told from one.
const SHOCK_NODES_MIN: u32 = 2;

/// What is seen of the spot lane of a pool at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Nodes were there for the span that ends now; each was `age` old at its end, where that is known. What becomes of them
    /// is told apart: a node that we stop ourselves (right-censored) or that lives on has just lived.
    Lived {
        /// The nodes.
        nodes: Nodes,
        /// How long.
        span: Span,
        /// How old they were at the end.
        age: Option<Span>,
    },
    /// The provider took nodes away, each `age` old, where that is known.
    Evicted {
        /// The nodes.
        nodes: Nodes,
        /// How old they were.
        age: Option<Span>,
    },
    /// Nodes came, new or back again.
    Arrived {
        /// The nodes.
        nodes: Nodes,
    },
    /// How many nodes are wanted and how many are held, those being allocated among them. Comes last at its moment.
    Fleet {
        /// The target.
        wanted: Nodes,
        /// What is there.
        held: Nodes,
    },
}

/// What can be seen without knowing single nodes: counts since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The target of spot nodes.
    pub wanted: Nodes,
    /// Those that are there.
    pub held: Nodes,
    /// Those that the provider took since the last look.
    pub evicted: Nodes,
    /// Those that came since the last look.
    pub arrived: Nodes,
}

/// What has been learned of the spot market of one pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Learner {
    /// The moment that everything is faded to.
    as_of: Option<Timestamp>,
    /// All evictions and node-hours.
    all: Tally<1>,
    /// Evictions outside of shocks.
    single: f64,
    /// Those of known age, by age.
    ages: Tally<AGE_BINS>,
    /// By hour of the day.
    hours: Tally<{ rhythm::BINS }>,
    recent: Recent,
    /// Losses that may be or become a shock.
    cluster: Option<Cluster>,
    losses: Losses,
    watch: Watch,
}

/// Losses close together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Cluster {
    began: Timestamp,
    /// The nodes that were there before.
    fleet: u32,
    lost: u32,
    is_shock: bool,
}

impl Learner {
    /// Returns a learner that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what was seen at a moment. Moments need not rise for nodes; for the fleet they do.
    pub fn learn(&mut self, assumptions: &Assumptions, at: Timestamp, evidence: Evidence) {
        // Records hold milliseconds; a learner that knew more would not go on alike after being read from one.
        let at = Timestamp::from_ticks(at.ticks() - at.ticks().rem_euclid(10_000));
        let weight = self.fade_to(assumptions, at);
        self.close_cluster(assumptions, at);
        match evidence {
            Evidence::Lived { nodes, span, age } => self.lived(at, nodes.as_f64() * weight, span, age),
            Evidence::Evicted { nodes, age } if nodes > Nodes::ZERO => {
                self.evicted(assumptions, at, nodes, age, weight);
            }
            Evidence::Arrived { nodes } if nodes > Nodes::ZERO => self.watch.note_arrival(),
            Evidence::Evicted { .. } | Evidence::Arrived { .. } => {}
            Evidence::Fleet { wanted, held } => {
                let turn = self.watch.look(at, wanted.0, held.0, assumptions.grant_within);
                if let Some(Turn::RanOut { held }) = turn {
                    self.losses.count(held, 0, weight);
                }
            }
        }
    }

    /// Takes in counts since the last look: nodes that came or went are taken to have done so in the middle between the two,
    /// and no age is known. After a silence of more than an hour nothing is said of what was in between.
    pub fn look(&mut self, assumptions: &Assumptions, at: Timestamp, look: Look) {
        let before = self.watch.seen().filter(|(seen, _)| at - *seen <= SILENCE_MAX);
        if let Some((seen, before)) = before {
            let before = Nodes(before);
            let span = (at - seen).max(Span::ZERO);
            let stayed = before.saturating_sub(look.evicted).min(look.held);
            let moved = before.saturating_sub(stayed) + look.arrived;
            for (nodes, span) in [(stayed, span), (moved, span.scale(0.5))] {
                let age = None;
                self.learn(assumptions, at, Evidence::Lived { nodes, span, age });
            }
        }
        let Look {
            wanted,
            held,
            evicted,
            arrived,
        } = look;
        let evicted = Evidence::Evicted {
            nodes: evicted,
            age: None,
        };
        for evidence in [
            evicted,
            Evidence::Arrived { nodes: arrived },
            Evidence::Fleet { wanted, held },
        ] {
            self.learn(assumptions, at, evidence);
        }
    }

    fn lived(&mut self, at: Timestamp, weight: f64, span: Span, age: Option<Span>) {
        if span <= Span::ZERO {
            return;
        }
        self.all.watch(0, weight * span.as_hours());
        for (bin, hours) in rhythm::overlaps(at, span) {
            self.hours.watch(bin, weight * hours);
        }
        if let Some(age) = age {
            let from = (age - span).max(Span::ZERO).as_hours();
            for (bin, hours) in overlaps(&AGE_CUTS, from, age.as_hours()) {
                self.ages.watch(bin, weight * hours);
            }
        }
    }

    fn evicted(
        &mut self,
        assumptions: &Assumptions,
        at: Timestamp,
        nodes: Nodes,
        age: Option<Span>,
        weight: f64,
    ) {
        let events = nodes.as_f64() * weight;
        self.all.count(0, events);
        self.hours.count(rhythm::bin_at(at), events);
        if let Some(age) = age {
            let bin = AGE_CUTS.partition_point(|cut| *cut <= age.as_hours());
            self.ages.count(bin, events);
        }
        let fleet = self.watch.seen().map_or(0, |(_, held)| held).max(nodes.0);
        self.recent.count(at, nodes.0, fleet);
        let cluster = self.cluster.get_or_insert(Cluster {
            began: at,
            fleet,
            lost: 0,
            is_shock: false,
        });
        cluster.lost = cluster.lost.saturating_add(nodes.0);
        cluster.fleet = cluster.fleet.max(fleet);
        let share = f64::from(cluster.lost) / f64::from(cluster.fleet);
        if !cluster.is_shock && cluster.lost >= SHOCK_NODES_MIN && share >= assumptions.shock_share {
            cluster.is_shock = true;
            self.watch.shock(cluster.began);
        }
    }

    /// Decides what losses were when no more can belong to them.
    fn close_cluster(&mut self, assumptions: &Assumptions, at: Timestamp) {
        let is_over = |cluster: &mut Cluster| (at - cluster.began).abs() > assumptions.shock_within;
        let Some(cluster) = self.cluster.take_if(is_over) else {
            return;
        };
        let age = (at - cluster.began).max(Span::ZERO);
        if cluster.is_shock {
            let weight = faded(age, assumptions.regime_half_life);
            self.losses.count(cluster.fleet, cluster.lost, weight);
        } else {
            self.single += f64::from(cluster.lost) * faded(age, assumptions.half_life);
        }
    }

    /// Fades what is known to a moment and returns what an observation of that moment counts: less than 1 when it comes late.
    fn fade_to(&mut self, assumptions: &Assumptions, at: Timestamp) -> f64 {
        let as_of = *self.as_of.get_or_insert(at);
        if at <= as_of {
            return faded(as_of - at, assumptions.half_life);
        }
        self.as_of = Some(at);
        let factor = faded(at - as_of, assumptions.half_life);
        self.all.fade(factor);
        self.single *= factor;
        self.ages.fade(factor);
        self.hours.fade(factor);
        let factor = faded(at - as_of, assumptions.regime_half_life);
        self.losses.fade(factor);
        self.watch.fade(factor);
        1.0
    }
}

/// Returns what evidence of an age counts.
fn faded(age: Span, half_life: Span) -> f64 {
    (-(age / half_life.max(Span::seconds(1)))).exp2()
}
