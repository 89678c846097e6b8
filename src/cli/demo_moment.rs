//! One decision out of the demo's day, with what its formula did.

use crate::account::PoolState;
use crate::decision::{Decision, Memory, Verdict};
use crate::engine::Entry;
use crate::formula::{Formula, Inputs, PoolFacts, Trace};
use crate::policy::Policy;
use crate::sim::{self, Contender, demo};

/// A decision and the evaluation that it rests on.
pub(super) struct Moment {
    pub(super) formula: Formula,
    pub(super) trace: Trace,
    pub(super) decision: Decision,
}

/// The working day has begun, and builds come faster than they go.
const HOUR: u32 = 9;

/// Runs the policy's day and returns its first step up after nine; the engine keeps what it saw, as it does for a ledger.
pub(super) fn find() -> Option<Moment> {
    let contenders = demo::contenders();
    let own = contenders.iter().find_map(|contender| match contender {
        Contender::Policy(policy) => Some((contender, policy)),
        _ => None,
    });
    let (contender, policy) = own?;
    let mut memory = Memory::default();
    let mut moment = None;
    let mut keep = |entry: &Entry<'_>| {
        if let Entry::Decided {
            decision,
            seen: Some(seen),
        } = entry
            && moment.is_none()
        {
            memory.absorb(decision.at, &seen.state, &seen.samples, seen.work.as_ref());
            memory.hear(decision.at, &seen.state.id, &seen.readings);
            if decision.verdict() == Verdict::Out && decision.at.hour() >= HOUR {
                moment = explain(policy, &memory, &seen.state, decision);
            }
        }
        Ok(())
    };
    let (workload, options) = (demo::workload(), demo::options());
    sim::backtest_one(contender, &workload, &options, 0, Some(&mut keep), &|_| {}).ok()?;
    moment
}

fn explain(policy: &Policy, memory: &Memory, state: &PoolState, decision: &Decision) -> Option<Moment> {
    let formula = policy.formulas().next()?.1.formula.clone();
    let inputs = Inputs {
        now: decision.at,
        pool: PoolFacts::from(state),
        history: &memory.pool(&state.id)?.history,
        seed: 0,
    };
    let (_, trace) = formula.evaluator().run_traced(&inputs);
    Some(Moment {
        formula,
        trace,
        decision: decision.clone(),
    })
}
