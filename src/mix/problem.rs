//! What the mix solver is asked: numbers alone, whatever model or policy they come from.

use crate::base::{Nodes, Probability, Span, Usd, UsdHourly};
use crate::market::{Hazard, Outlook, Work};

/// How many nodes of which lane, given all this?
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The usable nodes that are needed at the end of the horizon.
    pub demand: Nodes,
    /// The chance that is tolerated that fewer are usable then; 1 leaves the demand to the price of lateness.
    pub risk: Probability,
    /// From now until the demand is to be met.
    pub horizon: Span,
    /// How long a mix is expected to be kept; the costs of a change are spread over it.
    pub dwell: Span,
    /// The dedicated lane.
    pub dedicated: LaneTerms,
    /// The spot lane.
    pub spot: LaneTerms,
    /// The bounds of both lanes together.
    pub total: Between,
    /// Who may choose the share of spot.
    pub rule: ShareRule,
    /// What the horizon holds for spot nodes.
    pub outlook: Outlook,
    /// Whether spot cannot be had now. The chance of the outlook to be up is then that of an outage to end in time, which no
    /// eviction rate changes.
    pub outage: bool,
    /// Evictions per spot node-hour, shocks included, as the tasks meet them.
    pub hazard: Hazard,
    /// A typical task, and what an eviction destroys of it.
    pub work: Work,
    /// What one missing node costs for each hour that it is missing, beside the risk.
    pub lateness: UsdHourly,
}

/// What there is to know of one lane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LaneTerms {
    /// A node for an hour.
    pub price: UsdHourly,
    /// The bounds of this lane.
    pub bounds: Between,
    /// The most nodes that the account may hold; stronger than the bounds. `None` when nothing limits them.
    pub quota: Option<Nodes>,
    /// The nodes that are usable now.
    pub ready: Nodes,
    /// The nodes that boot now.
    pub booting: Vec<Booting>,
    /// How long a node of this lane takes to boot, as learned.
    pub boot: Span,
    /// What it costs to give up a node that is there: drained, moved, its work in progress.
    pub stop: Usd,
}

/// Nodes that boot since the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booting {
    /// How many.
    pub nodes: Nodes,
    /// For how long.
    pub age: Span,
}

/// From and to, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// The least.
    pub min: Nodes,
    /// The most.
    pub max: Nodes,
}

/// Who may choose the share of spot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ShareRule {
    /// The solver: the least expected cost.
    ExpectedCost,
    /// Spot as far as risk, bounds and quotas let it; the fewest dedicated nodes, then the least cost.
    SpotFirst,
    /// A fixed share of all nodes is spot, rounded to the nearest node and as near as bounds and quotas let it.
    Fixed {
        /// That share.
        spot: Probability,
    },
    /// No spot but what the bounds demand.
    DedicatedOnly,
}

/// Says what is wrong with a problem, and the way out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProblemError {
    /// A price, cost or rate that is no amount.
    #[error("{field} is {value}; give a finite number of 0 or more")]
    NotAnAmount {
        /// Which.
        field: &'static str,
        /// What it is.
        value: f64,
    },
    /// A correlation outside of 0 to 1.
    #[error("{field} is {value}; give a number from 0 to 1")]
    NotAShare {
        /// Which.
        field: &'static str,
        /// What it is.
        value: f64,
    },
    /// A span that must last.
    #[error("{field} is {value}; give a span of a second or more")]
    TooShort {
        /// Which.
        field: &'static str,
        /// What it is.
        value: Span,
    },
    /// A span that must not be negative.
    #[error("{field} is {value}; give a span of zero or more")]
    Negative {
        /// Which.
        field: &'static str,
        /// What it is.
        value: Span,
    },
    /// More nodes than a pool can have.
    #[error("{field} is {value} nodes; give at most {}", Problem::NODES_MAX)]
    TooMany {
        /// Which.
        field: &'static str,
        /// What it is.
        value: u64,
    },
    /// A node without cores.
    #[error("a node has no cores; give the cores of the machine size, 1 or more")]
    NoCores,
    /// A list that must rise and does not.
    #[error("{field} does not rise from entry to entry; give each time once, in order")]
    NotRising {
        /// Which.
        field: &'static str,
    },
    /// Bounds that no mix meets.
    #[error(
        "{field} asks for at least {min} and at most {max} nodes; raise the upper bound or lower the lower one"
    )]
    Crossed {
        /// Which.
        field: &'static str,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
}

impl Between {
    /// No bounds.
    pub const ANY: Self = Self {
        min: Nodes(0),
        max: Nodes(u32::MAX),
    };

    /// Returns the range from `min` to `max`.
    pub const fn new(min: u32, max: u32) -> Self {
        Self {
            min: Nodes(min),
            max: Nodes(max),
        }
    }
}

impl Default for Between {
    fn default() -> Self {
        Self::ANY
    }
}

impl LaneTerms {
    /// Returns a lane of this price without bounds, nodes, boot time or costs of stopping.
    pub fn priced(price: UsdHourly) -> Self {
        Self {
            price,
            ..Self::default()
        }
    }

    /// Returns the nodes that are there, ready or not.
    pub fn there(&self) -> Nodes {
        self.ready + self.booting.iter().map(|batch| batch.nodes).sum()
    }

    /// Returns the nodes that are there and usable after `horizon`; what boots for longer than it should is taken to be ready
    /// at any moment.
    pub fn there_in_time(&self, horizon: Span) -> Nodes {
        let in_time = |batch: &&Booting| self.boot - batch.age <= horizon;
        self.ready + self.booting.iter().filter(in_time).map(|batch| batch.nodes).sum()
    }
}

impl Problem {
    /// No problem speaks of more nodes: the service's largest pools have thousands, and the work grows with the count.
    pub const NODES_MAX: u32 = 1_000_000;

    /// Returns what is wrong with the problem, the first fault found.
    pub fn check(&self) -> Result<(), ProblemError> {
        let lanes = [("dedicated", &self.dedicated), ("spot", &self.spot)];
        for (name, lane) in lanes {
            lane.check(match name {
                "dedicated" => &DEDICATED,
                _ => &SPOT,
            })?;
        }
        amount("lateness", self.lateness.0)?;
        amount("hazard", self.hazard.0)?;
        share("outlook.correlation", self.outlook.correlation)?;
        share("outlook.correlation_of_shock", self.outlook.correlation_of_shock)?;
        lasting("horizon", self.horizon)?;
        lasting("dwell", self.dwell)?;
        not_negative("work.length", self.work.length)?;
        not_negative("work.boot", self.work.boot)?;
        count("demand", u64::from(self.demand.0))?;
        count("total.min", u64::from(self.total.min.0))?;
        let least = u64::from(self.dedicated.bounds.min.0) + u64::from(self.spot.bounds.min.0);
        let most = u64::from(self.dedicated.bounds.max.0) + u64::from(self.spot.bounds.max.0);
        ordered(
            "total",
            u64::from(self.total.min.0).max(least),
            u64::from(self.total.max.0).min(most),
        )
    }
}

/// The names of a lane's fields in messages.
struct Names {
    price: &'static str,
    stop: &'static str,
    boot: &'static str,
    age: &'static str,
    there: &'static str,
    bounds: &'static str,
    min: &'static str,
}

const DEDICATED: Names = Names {
    price: "dedicated.price",
    stop: "dedicated.stop",
    boot: "dedicated.boot",
    age: "dedicated.booting.age",
    there: "dedicated nodes that are there",
    bounds: "dedicated.bounds",
    min: "dedicated.bounds.min",
};

const SPOT: Names = Names {
    price: "spot.price",
    stop: "spot.stop",
    boot: "spot.boot",
    age: "spot.booting.age",
    there: "spot nodes that are there",
    bounds: "spot.bounds",
    min: "spot.bounds.min",
};

impl LaneTerms {
    fn check(&self, names: &Names) -> Result<(), ProblemError> {
        amount(names.price, self.price.0)?;
        amount(names.stop, self.stop.0)?;
        not_negative(names.boot, self.boot)?;
        for batch in &self.booting {
            not_negative(names.age, batch.age)?;
        }
        count(names.there, u64::from(self.there().0))?;
        count(names.min, u64::from(self.bounds.min.0))?;
        ordered(
            names.bounds,
            u64::from(self.bounds.min.0),
            u64::from(self.bounds.max.0),
        )
    }
}

/// The largest amount that is taken for one; sums of products of such amounts stay finite.
const AMOUNT_MAX: f64 = 1e12;

pub(super) fn amount(field: &'static str, value: f64) -> Result<(), ProblemError> {
    let fine = (0.0..=AMOUNT_MAX).contains(&value);
    fine.then_some(())
        .ok_or(ProblemError::NotAnAmount { field, value })
}

pub(super) fn share(field: &'static str, value: f64) -> Result<(), ProblemError> {
    let fine = (0.0..=1.0).contains(&value);
    fine.then_some(()).ok_or(ProblemError::NotAShare { field, value })
}

fn lasting(field: &'static str, value: Span) -> Result<(), ProblemError> {
    let fine = value >= Span::seconds(1);
    fine.then_some(()).ok_or(ProblemError::TooShort { field, value })
}

pub(super) fn not_negative(field: &'static str, value: Span) -> Result<(), ProblemError> {
    let fine = value >= Span::ZERO;
    fine.then_some(()).ok_or(ProblemError::Negative { field, value })
}

fn count(field: &'static str, value: u64) -> Result<(), ProblemError> {
    let fine = value <= u64::from(Problem::NODES_MAX);
    fine.then_some(()).ok_or(ProblemError::TooMany { field, value })
}

fn ordered(field: &'static str, min: u64, max: u64) -> Result<(), ProblemError> {
    let fine = min <= max;
    fine.then_some(())
        .ok_or(ProblemError::Crossed { field, min, max })
}
