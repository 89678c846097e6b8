//! Why a step was taken: a kind and its numbers, from which the sentence is made.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    AccountShare, AccountUnseen, BacklogAsk, BreakerOpen, Cooldown, CostSplit, DeadlineCourse, Flapping,
    ForecastAsk, Halted, HourlyBudget, InShadow, LeaseElsewhere, LeaseStep, LeaseWaits, MonthlyBudget,
    OthersWord, QueueAsk, QuotaLimit, Replaces, Retakes, ScheduleAsk, ScheduleMost, SharedMonth,
    SignalMissing, SizeUnknown, SpotStorm, StepLimit, TakesOver, TrackAsk, Unsampled,
};
use crate::account::AllocationState;
use crate::base::{Nodes, Span, Timestamp};

/// Why a step was taken.
///
/// The numbers are all there is; the sentence that people read is written from them and is never stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Reason {
    /// A formula asks for this many nodes.
    Formula {
        /// Which formula of the policy, from 1.
        formula: u32,
        /// How many formulas the policy has; the one that asks for most nodes wins.
        of: u32,
        /// Whether `stop()` ended the run.
        stopped: bool,
    },
    /// A formula asks for this many usable nodes, whatever their lanes.
    FormulaDemand {
        /// Which strategy of the policy, from 1.
        formula: u32,
        /// How many strategies the policy has; the one that asks for most nodes wins.
        of: u32,
        /// Whether `stop()` ended the run.
        stopped: bool,
        /// The sum of its targets.
        nodes: Nodes,
    },
    /// A schedule needs this many usable nodes now.
    Schedule(ScheduleAsk),
    /// What came in earlier seasons needs this many usable nodes.
    Forecast(ForecastAsk),
    /// Work must be done by a time.
    Deadline(DeadlineCourse),
    /// The policy has a deadline, and the tasks of the pool are not told one by one.
    DeadlineUnseen,
    /// A tracked metric needs this many usable nodes.
    Track(TrackAsk),
    /// A queue needs this many usable nodes.
    Queue(QueueAsk),
    /// A strategy can ask for nothing, because its metric has no sample.
    Unsampled(Unsampled),
    /// A signal from outside is missing, stale or known in part, and no node is taken away meanwhile.
    SignalMissing(Box<SignalMissing>),
    /// Waiting tasks need nodes.
    Backlog(BacklogAsk),
    /// The tasks and nodes of the pool are not known one by one, which a backlog is told by.
    WorkUnknown,
    /// A rule of a schedule allows fewer nodes now.
    ScheduleMost(ScheduleMost),
    /// What the pool may have of what all pools of the account share.
    Share(Box<AccountShare>),
    /// The money of a month that pools share is spent.
    SharedMonth(SharedMonth),
    /// What the account shares could not be looked at, so that no nodes are added.
    AccountUnseen(AccountUnseen),
    /// The cores of a node are not known, so that no quota can be kept by adding nodes.
    SizeUnknown(SizeUnknown),
    /// The cores that the policy may use hold fewer nodes.
    Quota(QuotaLimit),
    /// An hour would cost more than the policy may spend.
    HourlyBudget(HourlyBudget),
    /// The money of the month is spent.
    MonthlyBudget(MonthlyBudget),
    /// Many spot nodes were taken away in a short time.
    Storm(SpotStorm),
    /// The policy takes no larger steps.
    Step(StepLimit),
    /// The latest change is not long enough ago.
    Cooldown(Cooldown),
    /// The target goes up and down too often.
    Flap(Flapping),
    /// The needed nodes are split between the lanes by the mix of the policy.
    Split {
        /// What the mix aims at, by the policy's word.
        objective: String,
        /// The share of spot nodes that the policy fixes, from 0 to 1, when it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        spot_share: Option<f64>,
        /// The nodes that are split.
        nodes: Nodes,
    },
    /// The needed nodes are split between the lanes at the least expected cost.
    SplitByCost(Box<CostSplit>),
    /// The needed nodes cannot be split at the least expected cost.
    SplitFault {
        /// Why.
        message: String,
    },
    /// A bound of the policy was passed.
    Bound {
        /// Which bound.
        bound: BoundName,
        /// Its lower end.
        min: Nodes,
        /// Its upper end.
        max: Nodes,
        /// What was asked for.
        asked: Nodes,
    },
    /// The policy only ever adds nodes.
    OutOnly,
    /// A metric that the policy reads has no sample that is new enough to take nodes away on.
    StaleSamples {
        /// The metric, with its `$`.
        metric: String,
        /// When its newest sample was taken; `None` when there has never been one.
        newest: Option<Timestamp>,
        /// The age from which samples are stale.
        stale_after: Span,
    },
    /// Too few samples of a metric that the policy reads have arrived to take nodes away on.
    ThinSamples {
        /// The metric, with its `$`.
        metric: String,
        /// How many arrived.
        present: u32,
        /// How many could have arrived.
        possible: u32,
        /// The share of them that is enough, in percent.
        enough_percent: f64,
    },
    /// A resize is under way, and the service takes one at a time.
    NotSteady {
        /// What is under way.
        state: AllocationState,
    },
    /// Nodes are taken away when they are idle, and none is.
    AllWork {
        /// The nodes that run tasks, which are all.
        nodes: Nodes,
    },
    /// The pool runs a formula of its own, which forbids resizes from outside.
    ServiceAutoScale,
    /// Somebody halted the pool.
    Halted(Halted),
    /// The policy is paused.
    Paused,
    /// The policy decides in the shadow: it says what it would order and orders nothing.
    Shadow(InShadow),
    /// A formula of ours carries the target.
    Lease(LeaseStep),
    /// The policy resizes the pool again: the formula of ours is disabled.
    LeaseEnds,
    /// No policy speaks of the pool any more: the formula of ours is disabled.
    GivenUp,
    /// No policy speaks of the pool any more, and it follows no formula of ours: it is asked about no longer.
    LetGo,
    /// The service takes no formula so soon after another.
    LeaseWaits(LeaseWaits),
    /// Somebody else steers the pool by a formula.
    LeaseElsewhere(LeaseElsewhere),
    /// No formula can be made that is safe.
    LeaseFault {
        /// Why.
        message: String,
    },
    /// The pool's own formula is disabled, and the pool is steered from here on.
    TakesOver(TakesOver),
    /// A resize that drags on is stopped first.
    Retakes(Retakes),
    /// Nodes of no use are replaced.
    Replaces(Replaces),
    /// Nodes of no use are not replaced for a while, because that did not help.
    BreakerOpen(BreakerOpen),
    /// Somebody else changed the pool a while ago.
    OthersWord(OthersWord),
    /// A formula of the policy gave no targets.
    FormulaFault {
        /// Which formula of the policy, from 1.
        formula: u32,
        /// How many formulas the policy has.
        of: u32,
        /// The service's code, such as `InsufficientSampleData`.
        fault: String,
        /// The line of the formula, from 1.
        line: u32,
        /// The character in that line, from 1.
        column: u32,
        /// What is wrong there.
        message: String,
    },
    /// The pool could not be looked at.
    ObserveFailed {
        /// Whether the next look may succeed without anyone doing anything.
        retry: bool,
        /// What went wrong.
        message: String,
    },
    /// A mistake in lowtide itself kept the pool from being decided for.
    Mistake {
        /// What it says.
        message: String,
    },
}

/// The bounds that a policy can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BoundName {
    /// Both lanes together.
    Total,
    /// Dedicated nodes.
    Dedicated,
    /// Spot nodes.
    Spot,
}

impl BoundName {
    /// Returns the word that policies use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Dedicated => "dedicated",
            Self::Spot => "spot",
        }
    }
}

impl Reason {
    /// Returns the reason's code as ledger, metrics and JSON write it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Formula { .. } => "formula",
            Self::FormulaDemand { .. } => "formulaDemand",
            Self::Schedule(_) => "schedule",
            Self::Forecast(_) => "forecast",
            Self::Deadline(_) => "deadline",
            Self::DeadlineUnseen => "deadlineUnseen",
            Self::Track(_) => "track",
            Self::Queue(_) => "queue",
            Self::Unsampled(_) => "unsampled",
            Self::SignalMissing(_) => "signalMissing",
            Self::ScheduleMost(_) => "scheduleMost",
            Self::Share(_) => "share",
            Self::SharedMonth(_) => "sharedMonth",
            Self::AccountUnseen(_) => "accountUnseen",
            Self::SizeUnknown(_) => "sizeUnknown",
            Self::Quota(_) => "quota",
            Self::HourlyBudget(_) => "hourlyBudget",
            Self::MonthlyBudget(_) => "monthlyBudget",
            Self::Storm(_) => "storm",
            Self::Step(_) => "step",
            Self::Cooldown(_) => "cooldown",
            Self::Flap(_) => "flap",
            Self::Split { .. } => "split",
            Self::SplitByCost(_) => "splitByCost",
            Self::SplitFault { .. } => "splitFault",
            Self::Bound { .. } => "bound",
            Self::Backlog(_) => "backlog",
            Self::WorkUnknown => "workUnknown",
            Self::OutOnly => "outOnly",
            Self::StaleSamples { .. } => "staleSamples",
            Self::ThinSamples { .. } => "thinSamples",
            Self::NotSteady { .. } => "notSteady",
            Self::AllWork { .. } => "allWork",
            Self::ServiceAutoScale => "serviceAutoScale",
            Self::Halted(_) => "halted",
            Self::Paused => "paused",
            Self::Shadow(_) => "shadow",
            Self::Lease(_) => "lease",
            Self::LeaseEnds => "leaseEnds",
            Self::GivenUp => "givenUp",
            Self::LetGo => "letGo",
            Self::LeaseWaits(_) => "leaseWaits",
            Self::LeaseElsewhere(_) => "leaseElsewhere",
            Self::LeaseFault { .. } => "leaseFault",
            Self::TakesOver(_) => "takesOver",
            Self::Retakes(_) => "retakes",
            Self::Replaces(_) => "replaces",
            Self::BreakerOpen(_) => "breakerOpen",
            Self::OthersWord(_) => "othersWord",
            Self::FormulaFault { .. } => "formulaFault",
            Self::ObserveFailed { .. } => "observeFailed",
            Self::Mistake { .. } => "mistake",
        }
    }

    /// Returns the sentence, made from the numbers.
    pub fn text(&self) -> String {
        self.to_string()
    }
}

impl Reason {
    fn old_or_few_samples(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaleSamples {
                metric,
                newest: Some(newest),
                stale_after,
            } => write!(
                f,
                "no nodes are taken away on old news: the newest sample of {metric} is of {newest}, stale after {}",
                stale_after.in_short()
            ),
            Self::StaleSamples { metric, .. } => write!(
                f,
                "no nodes are taken away blindly: {metric} has had no sample yet"
            ),
            Self::ThinSamples {
                metric,
                present,
                possible,
                enough_percent,
            } => write!(
                f,
                "no nodes are taken away on thin news: {present} of {possible} samples of {metric} arrived, {enough_percent} % are enough"
            ),
            _ => Ok(()),
        }
    }
}

impl Reason {
    fn failure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FormulaFault {
                formula,
                of,
                fault,
                line,
                column,
                message,
            } => {
                match of {
                    1 => f.write_str("the formula")?,
                    _ => write!(f, "formula {formula} of {of}")?,
                }
                write!(
                    f,
                    " gave no targets: {fault} at line {line}, column {column}: {message}"
                )
            }
            Self::ObserveFailed { retry, message } => {
                write!(f, "the pool could not be looked at: {message}")?;
                f.write_str(if *retry {
                    " (tried again at the next look)"
                } else {
                    ""
                })
            }
            Self::Mistake { message } => write!(
                f,
                "a mistake in lowtide kept the pool from being decided for, please report it: {message}"
            ),
            _ => Ok(()),
        }
    }

    fn about_the_order(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shadow(apart) => fmt::Display::fmt(apart, f),
            Self::Lease(step) => fmt::Display::fmt(step, f),
            Self::LeaseEnds => f.write_str(
                "the policy resizes the pool again (actuator: resize): the formula of ours is disabled",
            ),
            Self::GivenUp => f.write_str("no policy speaks of the pool any more: the formula of ours is disabled, and the target stays"),
            Self::LetGo => f.write_str("no policy speaks of the pool any more, and it follows no formula of ours: it is left to others"),
            Self::LeaseWaits(why) => fmt::Display::fmt(why, f),
            Self::LeaseElsewhere(why) => fmt::Display::fmt(why, f),
            Self::LeaseFault { message } => write!(f, "no formula can carry the target: {message}"),
            Self::TakesOver(why) => fmt::Display::fmt(why, f),
            Self::Retakes(why) => fmt::Display::fmt(why, f),
            Self::Replaces(why) => fmt::Display::fmt(why, f),
            Self::BreakerOpen(why) => fmt::Display::fmt(why, f),
            Self::OthersWord(why) => fmt::Display::fmt(why, f),
            _ => Ok(()),
        }
    }
}

/// Writes the sentence.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Formula { formula, of, stopped } => {
                match of {
                    1 => f.write_str("the formula asks for it")?,
                    _ => write!(f, "formula {formula} of {of} asks for the most")?,
                }
                f.write_str(if *stopped { " (stop() ended it)" } else { "" })
            }
            Self::FormulaDemand {
                formula,
                of,
                stopped,
                nodes,
            } => formula_demand(f, (*formula, *of), *stopped, *nodes),
            Self::Schedule(ask) => ask.fmt(f),
            Self::Forecast(ask) => ask.fmt(f),
            Self::Deadline(course) => course.fmt(f),
            Self::DeadlineUnseen => f.write_str(
                "the tasks of the pool are not known one by one, so that no node is taken away before its deadlines",
            ),
            Self::Track(why) => why.fmt(f),
            Self::Queue(why) => why.fmt(f),
            Self::Unsampled(why) => why.fmt(f),
            Self::SignalMissing(why) => why.fmt(f),
            Self::ScheduleMost(most) => most.fmt(f),
            Self::Share(why) => why.fmt(f),
            Self::SharedMonth(why) => why.fmt(f),
            Self::AccountUnseen(why) => why.fmt(f),
            Self::SizeUnknown(why) => why.fmt(f),
            Self::Quota(why) => why.fmt(f),
            Self::HourlyBudget(why) => why.fmt(f),
            Self::MonthlyBudget(why) => why.fmt(f),
            Self::Storm(why) => why.fmt(f),
            Self::Step(why) => why.fmt(f),
            Self::Cooldown(why) => why.fmt(f),
            Self::Flap(why) => why.fmt(f),
            Self::Split {
                objective,
                spot_share: Some(share),
                nodes,
            } => write!(f, "{nodes} nodes split by {objective}: {share} of them spot"),
            Self::Split { objective, nodes, .. } => write!(f, "{nodes} nodes split by {objective}"),
            Self::SplitByCost(why) => why.fmt(f),
            Self::SplitFault { message } => write!(f, "the needed nodes cannot be split: {message}"),
            Self::Bound {
                bound,
                min,
                max,
                asked,
            } => write!(
                f,
                "{} nodes stay within {min} and {max}; {asked} were asked for",
                bound.word()
            ),
            Self::Backlog(why) => why.fmt(f),
            Self::WorkUnknown => f.write_str(
                "the tasks and nodes of the pool are not known one by one, which a backlog is told by",
            ),
            Self::OutOnly => f.write_str("mode outOnly takes no nodes away"),
            Self::StaleSamples { .. } | Self::ThinSamples { .. } => self.old_or_few_samples(f),
            Self::NotSteady { state } => write!(
                f,
                "the pool is {}; the service takes one resize at a time",
                state.word()
            ),
            Self::AllWork { nodes } => write!(
                f,
                "nodes go once they are idle, and all {nodes} run tasks"
            ),
            Self::ServiceAutoScale => f.write_str(
                "the pool runs an autoscale formula of its own; disable it there to let this policy order",
            ),
            Self::Halted(why) => why.fmt(f),
            Self::Paused => f.write_str("the policy is paused (mode: paused)"),
            Self::Shadow(_)
            | Self::Lease(_)
            | Self::LeaseEnds
            | Self::GivenUp
            | Self::LetGo
            | Self::LeaseWaits(_)
            | Self::LeaseElsewhere(_)
            | Self::LeaseFault { .. }
            | Self::TakesOver(_)
            | Self::Retakes(_)
            | Self::Replaces(_)
            | Self::BreakerOpen(_)
            | Self::OthersWord(_) => self.about_the_order(f),
            Self::FormulaFault { .. } | Self::ObserveFailed { .. } | Self::Mistake { .. } => self.failure(f),
        }
    }
}

fn formula_demand(
    f: &mut fmt::Formatter<'_>,
    (formula, of): (u32, u32),
    stopped: bool,
    nodes: Nodes,
) -> fmt::Result {
    match of {
        1 => f.write_str("the formula needs ")?,
        _ => write!(f, "formula {formula} of {of} needs the most: ")?,
    }
    write!(f, "{nodes} usable nodes")?;
    f.write_str(if stopped { " (stop() ended it)" } else { "" })
}
