//! What a pool may use: cores and money.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::caps::Caps;
use super::complaint::Complaint;
use super::{Bounds, Prices};
use crate::base::{Lane, Mix, Nodes, Timestamp, Usd, UsdHourly};
use crate::decision::{GuardMemory, MonthlyBudget, QuotaLimit};

/// The most cores or nodes that a pool may use, lane by lane; the tighter of the two counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Quota {
    /// The cores of dedicated nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedicated_cores: Option<u32>,
    /// The cores of spot nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot_cores: Option<u32>,
    /// The cores of one node; needed where cores are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub cores_per_node: Option<u32>,
    /// The dedicated nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedicated_nodes: Option<Nodes>,
    /// The spot nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot_nodes: Option<Nodes>,
    /// The cores of both lanes together, dedicated ones first, that the pool gets before others share what is left; what it does not
    /// want of them is lent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guaranteed_cores: Option<u32>,
    /// Who is served first where pools share: the higher; 0 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1000, max = 1000))]
    pub priority: Option<i32>,
}

/// What a pool may cost, in US dollars at the prices of the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Budget {
    /// What its nodes may cost in an hour; never passed by an order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub per_hour: Option<f64>,
    /// What its nodes may cost in a month, which begins in UTC; what follows when it is spent, onSoft says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub per_month: Option<f64>,
    /// What follows when the money of the month is spent; spotOnly when left out.
    pub on_soft: OnSoft,
}

/// What follows when the money of the month is spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnSoft {
    /// No dedicated nodes beyond the least that the bounds want; spot nodes take their place.
    #[default]
    SpotOnly,
    /// No nodes beyond the least that the bounds want.
    LeastOnly,
}

impl OnSoft {
    /// Returns the word that policies use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SpotOnly => "spotOnly",
            Self::LeastOnly => "leastOnly",
        }
    }
}

impl Quota {
    /// Returns the most nodes of a lane; `None` when nothing is said.
    pub fn nodes(&self, lane: Lane) -> Option<Nodes> {
        let (cores, nodes) = match lane {
            Lane::Dedicated => (self.dedicated_cores, self.dedicated_nodes),
            Lane::Spot => (self.spot_cores, self.spot_nodes),
        };
        let of_cores = cores
            .zip(self.cores_per_node)
            .map(|(cores, each)| Nodes(cores / each.max(1)));
        match (of_cores, nodes) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Lowers the caps; returns the reason when there is a quota at all.
    pub(super) fn lower(&self, caps: &mut Caps) -> Option<QuotaLimit> {
        let most = Lane::ALL.map(|lane| self.nodes(lane));
        for (lane, most) in Lane::ALL.into_iter().zip(most) {
            if let Some(most) = most {
                caps.lower_lane(lane, most);
            }
        }
        most.iter().any(Option::is_some).then(|| QuotaLimit {
            dedicated: most[0],
            spot: most[1],
            asked: Mix::ZERO,
        })
    }

    /// Returns what cannot be meant.
    pub(super) fn complaints(&self, bounds: &Bounds) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let cores = self.dedicated_cores.or(self.spot_cores);
        if cores.is_some() && self.cores_per_node.is_none() {
            let message = "cores are given, and not how many of them a node has";
            complaints.push(Complaint::new(&[], message, "add `coresPerNode: …`"));
        }
        let most = |lane| {
            let bound = bounds.lane(lane).max;
            self.nodes(lane).map_or(bound, |most| most.min(bound))
        };
        for lane in Lane::ALL {
            let least = bounds.lane(lane).min;
            if most(lane) < least {
                let message = format!(
                    "the quota holds {} {lane} nodes, and the bounds want {least} at least",
                    most(lane)
                );
                complaints.push(Complaint::new(
                    &[],
                    message,
                    "lower the least of the bounds, or raise the quota",
                ));
            }
        }
        let both = most(Lane::Dedicated) + most(Lane::Spot);
        if complaints.is_empty() && both < bounds.total.min {
            let least = bounds.total.min;
            let message =
                format!("the quota holds {both} nodes in total, and the bounds want {least} at least");
            complaints.push(Complaint::new(
                &[],
                message,
                "lower the least of the bounds, or raise the quota",
            ));
        }
        complaints
    }
}

impl Prices {
    /// Returns what the nodes of a pool have cost in the month of a moment.
    pub fn month(self, memory: &GuardMemory, now: Timestamp) -> Usd {
        Lane::ALL
            .iter()
            .map(|lane| Usd(self.get(*lane).0 * memory.month_hours(*lane, now)))
            .sum()
    }
}

impl Budget {
    /// Returns what the month has cost so far, when that is all it may.
    pub(super) fn spent(
        &self,
        prices: Prices,
        memory: &GuardMemory,
        now: Timestamp,
    ) -> Option<MonthlyBudget> {
        let limit = Usd(self.per_month?);
        let spent = prices.month(memory, now);
        (spent >= limit).then(|| MonthlyBudget {
            limit,
            spent,
            then: self.on_soft.word().to_owned(),
        })
    }

    /// Lowers the caps as `onSoft` says.
    pub(super) fn lower(&self, caps: &mut Caps) {
        caps.lower_lane(Lane::Dedicated, caps.bounds.dedicated.min);
        if self.on_soft == OnSoft::LeastOnly {
            caps.lower_lane(Lane::Spot, caps.bounds.spot.min);
            caps.lower_total(caps.bounds.total.min);
        }
    }

    /// Lowers the caps as `onSoft` says and returns what is left of a mix; spot takes the place of dedicated nodes as far as it can.
    pub fn soften(&self, caps: &mut Caps, asked: Mix) -> Mix {
        self.lower(caps);
        let dedicated = asked.dedicated.min(caps.bounds.dedicated.max);
        caps.fit(Mix {
            dedicated,
            spot: asked.spot + asked.dedicated.saturating_sub(dedicated),
        })
    }

    /// Returns what cannot be meant; `caps` are those of the policy without the money.
    pub(super) fn complaints(&self, caps: &Caps) -> Vec<Complaint> {
        let least = caps.cheapest();
        let rate = caps.rate(least);
        let limit = self.per_hour.map(UsdHourly);
        let too_small = limit.filter(|limit| *limit < rate);
        too_small.map_or_else(Vec::new, |limit| {
            let (limit, rate) = (Usd(limit.0), Usd(rate.0));
            let message =
                format!("{limit} an hour do not pay for the least of the bounds, {least} at {rate}");
            vec![Complaint::new(
                &["perHour"],
                message,
                "raise it, or lower the least of the bounds",
            )]
        })
    }
}
