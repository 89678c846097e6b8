//! What the strategies of a policy ask for, and which of them is followed.
//!
//! The one that wants most nodes wins. Messages that are not tasks yet come on top of what a backlog wants, for a backlog knows
//! the tasks that are there and nothing of those that are on their way.

use crate::account::{AllocationState, NodeDeallocationOption, Removal};
use crate::base::{Lane, Mix, Nodes};
use crate::decision::{Decision, ForecastAsk, Reason, Snapshot, Stage};
use crate::policy::{Answer, Ask, Demand, Need, Objective, Policy, Workings};
use crate::sizing::Course;

/// What the strategies of a policy come to.
pub(super) enum Proposal {
    /// Every strategy asked.
    Whole,
    /// Some asked; why the first of the others did not, or why no node may be taken away on what one of them asked.
    Partial(Reason),
    /// None asked; why the first did not.
    None(Reason),
}

/// What was asked so far.
#[derive(Default)]
struct Asked {
    best: Option<Ask>,
    /// What comes on top of the best, where that is what the backlog asks.
    joined: Vec<Need>,
    first_fault: Option<Reason>,
    first_ignored: Option<Reason>,
    /// What is forecast and believed, whichever strategy is followed.
    forecast: Option<ForecastAsk>,
}

impl Asked {
    fn total(&self) -> Option<Nodes> {
        let joined: Nodes = self.joined.iter().map(|need| need.nodes).sum();
        self.best.as_ref().map(|ask| ask.total() + joined)
    }

    /// Keeps what is forecast, where the policy tells it.
    fn note(&mut self, demand: &Demand, ask: &Ask) {
        if let (Demand::Forecast(forecast), Ask::Need(need)) = (demand, ask)
            && let Reason::Forecast(ask) = &need.reason
            && forecast.told == Some(true)
            && ask.trusted
        {
            self.forecast.get_or_insert_with(|| ask.clone());
        }
    }

    /// Takes an ask in the place of the best when it is for more.
    fn weigh(&mut self, ask: Ask, joined: Vec<Need>) {
        let more: Nodes = joined.iter().map(|need| need.nodes).sum();
        if self.total().is_none_or(|most| most < ask.total() + more) {
            (self.best, self.joined) = (Some(ask), joined);
        }
    }
}

/// Lets every strategy ask and proposes what the one asks that wants most nodes, the first among equals.
pub(super) fn propose(
    policy: &Policy,
    workings: &mut [Workings],
    snapshot: &Snapshot<'_>,
    decision: &mut Decision,
) -> Proposal {
    let mut asked = Asked::default();
    let mut joining = join(policy, snapshot, &mut asked);
    let of = u32::try_from(policy.demand.len()).unwrap_or(u32::MAX);
    for (number, (demand, workings)) in (1..).zip(policy.demand.iter().zip(workings)) {
        if demand.joins_backlog(policy) {
            continue;
        }
        match demand.ask((number, of), workings, policy, snapshot) {
            Ok(Answer::Asks(ask, caveat)) => {
                asked.first_fault = asked.first_fault.or(caveat);
                let is_backlog = matches!(demand, Demand::Backlog(_));
                let joined = if is_backlog {
                    std::mem::take(&mut joining)
                } else {
                    Vec::new()
                };
                asked.note(demand, &ask);
                asked.weigh(ask, joined);
            }
            Ok(Answer::Ignored(why)) => asked.first_ignored = asked.first_ignored.or(Some(why)),
            Err(fault) => asked.first_fault = asked.first_fault.or(Some(fault)),
        }
    }
    // Without a backlog that could ask, messages need nodes all the same.
    for need in joining {
        asked.weigh(Ask::Need(need), Vec::new());
    }
    let Some(best) = asked.best else {
        let why = asked.first_fault.or(asked.first_ignored);
        return Proposal::None(why.expect("a policy has at least one strategy"));
    };
    if let Err(fault) = take(policy, snapshot, decision, (best, asked.joined)) {
        return Proposal::None(fault);
    }
    // Where it led, it stands in the chain.
    let mut steps = decision.steps().iter();
    let led = steps.any(|step| matches!(step.reason, Reason::Forecast(_)));
    decision.forecast = asked.forecast.filter(|_| !led).map(Box::new);
    asked.first_fault.map_or(Proposal::Whole, Proposal::Partial)
}

/// Returns what comes on top of the backlog: the nodes of messages that are not tasks yet.
fn join(policy: &Policy, snapshot: &Snapshot<'_>, asked: &mut Asked) -> Vec<Need> {
    let mut joining = Vec::new();
    for demand in policy.demand.iter().filter(|demand| demand.joins_backlog(policy)) {
        match demand.ask((0, 0), &mut Workings::Nothing, policy, snapshot) {
            Ok(Answer::Asks(Ask::Need(need), caveat)) => {
                asked.first_fault = asked.first_fault.take().or(caveat);
                joining.push(need);
            }
            Ok(Answer::Asks(..)) => {}
            Ok(Answer::Ignored(why)) => asked.first_ignored = asked.first_ignored.take().or(Some(why)),
            Err(fault) => asked.first_fault = asked.first_fault.take().or(Some(fault)),
        }
    }
    joining
}

/// Takes the steps of what is followed.
fn take(
    policy: &Policy,
    snapshot: &Snapshot<'_>,
    decision: &mut Decision,
    (best, joined): (Ask, Vec<Need>),
) -> Result<(), Reason> {
    match best {
        Ask::Need(mut need) => {
            for more in joined {
                let whole = Mix::ZERO.with(Lane::Dedicated, need.nodes);
                decision.step(Stage::Propose, whole, need.reason);
                need = Need {
                    nodes: need.nodes + more.nodes,
                    reason: more.reason,
                };
            }
            policy.split(decision, snapshot, need)?;
        }
        Ask::Plan {
            target,
            cordon,
            reason,
        } => {
            let dedicated = matches!(&reason, Reason::Backlog(why) if why.course == Course::Dedicated);
            decision.option = NodeDeallocationOption::TaskCompletion;
            decision.removal = Removal::Idle;
            decision.cordon = cordon;
            // Spot that cannot be had keeps a pool resizing until the service gives up; what is needed now cannot wait for that.
            decision.retake = snapshot.pool.allocation == AllocationState::Resizing;
            decision.step(Stage::Propose, target, reason);
            for more in joined {
                add(policy, decision, more, dedicated);
            }
        }
        Ask::Targets {
            target,
            option,
            reason,
        } => {
            decision.option = option;
            decision.step(Stage::Propose, target, reason);
        }
    }
    Ok(())
}

/// Adds nodes to a plan: of spot while the plan counts on it and as far as the bounds let it, of the dedicated lane otherwise.
fn add(policy: &Policy, decision: &mut Decision, more: Need, dedicated: bool) {
    let target = decision.outcome();
    let room = policy.bounds.spot.max.saturating_sub(target.spot);
    let spot = if dedicated || policy.objective == Objective::DedicatedOnly {
        Nodes::ZERO
    } else {
        more.nodes.min(room)
    };
    for (lane, nodes) in [
        (Lane::Spot, spot),
        (Lane::Dedicated, more.nodes.saturating_sub(spot)),
    ] {
        // Nodes that the plan lets run empty take the tasks that come.
        decision.cordon = decision
            .cordon
            .with(lane, decision.cordon.get(lane).saturating_sub(nodes));
    }
    let target = Mix {
        dedicated: target.dedicated + more.nodes.saturating_sub(spot),
        spot: target.spot + spot,
    };
    decision.step(Stage::Propose, target, more.reason);
}
