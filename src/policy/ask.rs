//! What a strategy asks for: the one place where strategies are evaluated.

use super::{Demand, DemandFormula, Fits, Held, Policy, Role};
use crate::account::NodeDeallocationOption;
use crate::base::{Lane, Mix, Nodes};
use crate::decision::{Reason, Snapshot};
use crate::formula::{Evaluator, Fault, Inputs, PoolFacts};

/// What a strategy asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// So many usable nodes, which the mix of the policy splits between the lanes.
    Need(Need),
    /// These targets: the strategy splits the nodes itself.
    Targets {
        /// Both lanes.
        target: Mix,
        /// What an order does to running tasks.
        option: NodeDeallocationOption,
        /// Why.
        reason: Reason,
    },
    /// These targets, of which some nodes take no further tasks, and only nodes without a task may go.
    Plan {
        /// Both lanes.
        target: Mix,
        /// The ready nodes of each lane that take no further tasks.
        cordon: Mix,
        /// Why.
        reason: Reason,
    },
}

/// What a strategy answers when it can.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It asks for this; no node may be taken away where a reason says so.
    Asks(Ask, Option<Reason>),
    /// Its signal is missing, for this reason, and the others decide without it.
    Ignored(Reason),
}

/// How many usable nodes are needed, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// Nodes that can run tasks.
    pub nodes: Nodes,
    /// Why.
    pub reason: Reason,
}

/// The memory that evaluations of one strategy share.
#[derive(Debug)]
pub enum Workings {
    /// A formula's.
    Formula(Box<Evaluator>),
    /// A schedule's: what it says for now.
    Schedule(Option<Held>),
    /// A forecast's: what was fitted for the pools of the policy.
    Forecast(Fits),
    /// None is needed.
    Nothing,
}

impl From<Need> for Answer {
    fn from(need: Need) -> Self {
        Self::Asks(Ask::Need(need), None)
    }
}

impl Ask {
    /// Returns the nodes that are asked for, whatever their lanes.
    pub fn total(&self) -> Nodes {
        match self {
            Self::Need(need) => need.nodes,
            Self::Targets { target, .. } | Self::Plan { target, .. } => target.total(),
        }
    }
}

impl Demand {
    /// Returns the memory that evaluations of this strategy share.
    pub fn workings(&self) -> Workings {
        match self {
            Self::Formula(demand) => Workings::Formula(Box::new(demand.formula.evaluator())),
            Self::Schedule(_) => Workings::Schedule(None),
            Self::Forecast(_) => Workings::Forecast(Fits::default()),
            Self::Track(_) | Self::Queue(_) | Self::Backlog(_) | Self::Deadlines(_) => Workings::Nothing,
        }
    }

    /// Returns what the strategy asks for; `number` of `of` is its place in the policy, from 1, and `workings` are its own.
    ///
    /// # Errors
    /// Why it can ask for nothing; the pool then keeps at least what it has.
    pub fn ask(
        &self,
        (number, of): (u32, u32),
        workings: &mut Workings,
        policy: &Policy,
        snapshot: &Snapshot<'_>,
    ) -> Result<Answer, Reason> {
        let ask = match (self, workings) {
            (Self::Formula(demand), Workings::Formula(evaluator)) => {
                demand.ask((number, of), evaluator, snapshot)?
            }
            (Self::Schedule(schedule), Workings::Schedule(held)) => {
                Ask::Need(schedule.need(snapshot.now, held))
            }
            (Self::Track(track), _) => return track.ask(snapshot),
            (Self::Queue(queue), _) => return queue.ask(policy, snapshot),
            (Self::Forecast(forecast), Workings::Forecast(fits)) => Ask::Need(forecast.need(snapshot, fits)),
            (Self::Deadlines(deadlines), _) => deadlines.ask(policy, snapshot)?,
            (Self::Backlog(backlog), _) => backlog.ask(policy, snapshot)?,
            (Self::Formula(_) | Self::Schedule(_) | Self::Forecast(_), _) => {
                panic!("the workings are those of the strategy")
            }
        };
        Ok(Answer::Asks(ask, None))
    }

    /// Says whether what it asks for comes on top of what the backlog of its policy asks for.
    pub fn joins_backlog(&self, policy: &Policy) -> bool {
        matches!(self, Self::Queue(queue) if queue.joins_backlog(policy))
    }
}

impl DemandFormula {
    fn ask(
        &self,
        (formula, of): (u32, u32),
        evaluator: &mut Evaluator,
        snapshot: &Snapshot<'_>,
    ) -> Result<Ask, Reason> {
        let outcome = evaluator
            .run(&inputs(snapshot))
            .map_err(|fault| fault_reason(formula, of, fault))?;
        let stopped = outcome.stopped;
        // A lane that the formula never sets keeps the pool's own target, which is no need: it would be added to itself at
        // every look.
        let nodes = Lane::ALL
            .into_iter()
            .filter(|lane| self.formula.sets(*lane))
            .map(|lane| outcome.target.get(lane))
            .sum();
        Ok(match self.role {
            Role::Targets => Ask::Targets {
                target: outcome.target,
                option: outcome.option,
                reason: Reason::Formula { formula, of, stopped },
            },
            Role::Demand => Ask::Need(Need {
                nodes,
                reason: Reason::FormulaDemand {
                    formula,
                    of,
                    stopped,
                    nodes,
                },
            }),
        })
    }
}

fn fault_reason(formula: u32, of: u32, fault: Fault) -> Reason {
    Reason::FormulaFault {
        formula,
        of,
        fault: fault.code.word().to_owned(),
        line: u32::try_from(fault.at.line).unwrap_or(u32::MAX),
        column: u32::try_from(fault.at.column).unwrap_or(u32::MAX),
        message: fault.message,
    }
}

fn inputs<'a>(snapshot: &Snapshot<'a>) -> Inputs<'a> {
    let pool = snapshot.pool;
    Inputs {
        now: snapshot.now,
        pool: PoolFacts::from(pool),
        history: snapshot.history,
        seed: snapshot.seed,
    }
}
