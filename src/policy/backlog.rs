//! The backlog strategy: as many nodes as let the waiting tasks start in time, each kind where it costs least.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::{Ask, Need};
use super::complaint::Complaint;
use super::{Demand, Objective, Percent, Policy};
use crate::base::{Lane, Mix, Nodes, Probability, Span};
use crate::decision::{BacklogAsk, Reason, Snapshot};
use crate::market::{Hazard, LostWork, ModelKind, Prior, Work, break_even_of};
use crate::sizing::{Course, DurationModel, Lanes, Learned, MissLimits, Plan, Sight};

/// How long tasks may be kept, and how many may be kept longer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Backlog {
    /// The delay that every task may have beyond its run time; 15m when left out.
    pub drain_within: Span,
    /// The delay that a task may have as a multiple of its run time, where that is more; 1 when left out.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub slowdown: f64,
    /// The share of tasks that may have more; 5% when left out.
    pub missed_tasks: Percent,
    /// The share of work, counted in run time, whose tasks may have more; 10% when left out.
    pub missed_work: Percent,
    /// What share of like tasks ends by the time at which a task is taken to end; what is expected of them when left out. The
    /// higher, the later slots are counted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.01, max = 0.99))]
    pub quantile: Option<f64>,
    /// What becomes of tasks that need more slots than a node has, and can never run; excludeAndAlert when left out.
    pub infeasible_tasks: InfeasibleTasks,
}

/// What becomes of tasks that need more slots than a node of the pool has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum InfeasibleTasks {
    /// No node is asked for them, and each decision says how many there are.
    #[default]
    ExcludeAndAlert,
    /// No node is asked for them.
    Exclude,
    /// They are counted like others.
    Include,
}

/// What is believed of evictions before any are seen, and how long what is seen counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Eviction {
    /// How evictions come about, where expectedCost splits a need; regime when left out.
    pub model: ModelKind,
    /// What is believed at first.
    pub prior: EvictionPrior,
    /// After this time what was seen counts half; 24h when left out.
    pub half_life: Span,
}

/// A rate of evictions and what the belief in it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EvictionPrior {
    /// Evictions of a node in an hour; 0.05 when left out, the edge of the least of Azure's published bands.
    #[schemars(range(min = 0.0, max = 3600.0))]
    pub per_node_hour: f64,
    /// The node-hours of looking on that it weighs as much as; 20h when left out.
    pub weight: Span,
}

impl Default for Backlog {
    /// A quarter of an hour or the run time again, as bounded slowdown counts it; and few that have more.
    fn default() -> Self {
        Self {
            drain_within: Span::minutes(15),
            slowdown: 1.0,
            missed_tasks: Percent(5.0),
            missed_work: Percent(10.0),
            quantile: None,
            infeasible_tasks: InfeasibleTasks::default(),
        }
    }
}

impl Default for Eviction {
    fn default() -> Self {
        Self {
            model: ModelKind::default(),
            prior: EvictionPrior::default(),
            half_life: Span::hours(24),
        }
    }
}

impl Default for EvictionPrior {
    fn default() -> Self {
        Self {
            per_node_hour: 0.05,
            weight: Span::hours(20),
        }
    }
}

/// Below, a node that is ordered at once boots too late; a task that may wait for a week needs no autoscaler.
const DRAIN_WITHIN: [Span; 2] = [Span::minutes(5), Span::days(7)];

impl Backlog {
    /// Returns what cannot be meant.
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        if !(DRAIN_WITHIN[0]..=DRAIN_WITHIN[1]).contains(&self.drain_within) {
            let message = format!(
                "no backlog can be drained within {}",
                self.drain_within.in_short()
            );
            complaints.push(Complaint::new(
                &["drainWithin"],
                message,
                "take 5m, in which a node can boot, to 7d",
            ));
        }
        complaints
    }

    /// Returns what delay is allowed.
    pub fn limits(&self) -> MissLimits {
        MissLimits {
            wait: self.drain_within,
            slowdown: self.slowdown,
            tasks: self.missed_tasks.0 / 100.0,
            work: self.missed_work.0 / 100.0,
        }
    }

    /// Returns what the strategy asks for by the mix of its policy.
    ///
    /// # Errors
    /// When the tasks and nodes of the pool are not known one by one.
    pub fn ask(&self, policy: &Policy, snapshot: &Snapshot<'_>) -> Result<Ask, Reason> {
        let work = snapshot.work.ok_or(Reason::WorkUnknown)?;
        let model = snapshot.learned.model(snapshot.now, work);
        let sight = Sight {
            now: snapshot.now,
            interval: policy.interval,
            work,
            slots: snapshot.pool.task_slots_per_node,
            learned: snapshot.learned,
            model: &model,
            limits: self.limits(),
            lanes: policy.lanes(snapshot, &model),
            lost: policy.lost_work(snapshot.learned),
            counts_oversized: self.infeasible_tasks == InfeasibleTasks::Include,
            quantile: self.quantile,
            spot_loss: snapshot.learned.spot_loss(policy.eviction.prior()).mean(),
            spot_share: policy.prices.spot.0 / policy.prices.dedicated.0.max(f64::MIN_POSITIVE),
        };
        let plan = match policy.objective {
            Objective::FixedShare(_) => {
                let nodes = sight.nodes();
                let reason = Reason::Backlog(self.reason(&sight.plan()));
                return Ok(Ask::Need(Need { nodes, reason }));
            }
            _ => policy.spill(sight.plan()),
        };
        Ok(Ask::Plan {
            target: plan.target,
            cordon: plan.cordon,
            reason: Reason::Backlog(self.reason(&plan)),
        })
    }

    fn reason(&self, plan: &Plan) -> BacklogAsk {
        BacklogAsk {
            course: plan.course,
            waiting: plan.waiting,
            never_fit: if self.infeasible_tasks == InfeasibleTasks::ExcludeAndAlert {
                plan.never_fit
            } else {
                0
            },
            drain_within: self.drain_within,
            spare_tasks: hundredths(plan.left.tasks),
            spare_work: hundredths(plan.left.work),
            risked_tasks: hundredths(plan.risk.tasks),
            risked_work: hundredths(plan.risk.work),
            late_task: hundredths(plan.price.task),
            late_hour: hundredths(plan.price.hour),
        }
    }
}

/// Cuts a number for people to the hundredth.
fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0 + 0.0
}

impl Eviction {
    /// Returns what cannot be meant.
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut wrong = |path: &[&str], span: Span| {
            let message = format!("evictions cannot be weighed by {}", span.in_short());
            complaints.push(Complaint::new(path, message, "take 1m to 365d"));
        };
        let range = Span::minutes(1)..=Span::days(365);
        if !range.contains(&self.half_life) {
            wrong(&["halfLife"], self.half_life);
        }
        if !range.contains(&self.prior.weight) {
            wrong(&["prior", "weight"], self.prior.weight);
        }
        complaints
    }

    /// Returns what is believed at first.
    pub const fn prior(&self) -> Prior {
        Prior {
            per_node_hour: Hazard(self.prior.per_node_hour),
            weight: self.prior.weight,
        }
    }
}

/// Spot is given up only when its price is beyond doubt no saving: a pool without spot nodes learns nothing more of them, and
/// has to forget first.
const SURE: f64 = 0.2;

impl Policy {
    /// Returns the first backlog among the strategies; the limits of a pool are its.
    pub fn backlog(&self) -> Option<&Backlog> {
        self.demand.iter().find_map(|demand| match demand {
            Demand::Backlog(backlog) => Some(backlog),
            _ => None,
        })
    }

    /// Returns what an eviction destroys of a task, as the policy says or as it was learned.
    pub(super) fn lost_work(&self, learned: &Learned) -> LostWork {
        self.lost_work.unwrap_or_else(|| learned.resumes.rule())
    }

    /// Returns which nodes a backlog may be worked off with.
    ///
    /// Work that is lost is done again: with a loss rate that makes a spot hour that counts dearer than a dedicated one,
    /// spot is left alone until what was seen of it has faded.
    pub(super) fn lanes(&self, snapshot: &Snapshot<'_>, model: &DurationModel) -> Lanes {
        let spot_max = self.bounds.spot.max;
        match self.objective {
            Objective::DedicatedOnly => Lanes::Dedicated,
            _ if spot_max == Nodes::ZERO => Lanes::Dedicated,
            Objective::SpotFirst => Lanes::Spot,
            Objective::FixedShare(_) => Lanes::Both,
            Objective::ExpectedCost => {
                let (dedicated, spot) = (self.prices.dedicated.0, self.prices.spot.0);
                let lost = snapshot.learned.spot_loss(self.eviction.prior());
                let low = lost.quantile(Probability::new(SURE).expect("a fifth is a chance"));
                let work = Work {
                    length: model.mean_of_work(),
                    boot: snapshot.learned.boot(),
                    lost: self.lost_work(snapshot.learned),
                };
                if spot <= 0.0 {
                    return Lanes::Both;
                }
                match break_even_of(spot / dedicated.max(f64::MIN_POSITIVE), &work) {
                    Some(most) if low.0 <= most.0 => Lanes::Both,
                    _ => Lanes::Dedicated,
                }
            }
        }
    }

    /// Gives dedicated nodes to what the bound of spot nodes leaves over.
    fn spill(&self, plan: Plan) -> Plan {
        let over = plan.target.spot.saturating_sub(self.bounds.spot.max);
        let asks_spot = matches!(plan.course, Course::Spot | Course::Shelter { .. });
        if over == Nodes::ZERO || !asks_spot || self.objective == Objective::SpotFirst {
            return plan;
        }
        let target = Mix {
            dedicated: plan.target.dedicated + over,
            spot: self.bounds.spot.max,
        };
        Plan {
            target,
            cordon: plan.cordon.with(Lane::Dedicated, Nodes::ZERO),
            ..plan
        }
    }
}
