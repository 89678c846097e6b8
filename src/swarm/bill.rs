//! Bills: what the report says, what guards remember, and what nodes were truly there must be one and the same.
//!
//! - The report of a life is the nodes of each look times their price until the next look, reckoned here a second time.
//! - What a month has cost, as guards remember it, is the same without the report's limit on a pause.
//! - In the calm every look is true, so that both are the true time of nodes, but for what came or went between two looks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::docket::Docket;
use super::faults::FaultKind;
use super::found::Law;
use super::watched::Truth;
use crate::account::{PoolId, PoolState};
use crate::base::{Lane, Mix, Span, Timestamp};
use crate::decision::{Decision, Memory};
use crate::engine::Entry;
use crate::policy::{Policies, Prices};
use crate::store::report::{HELD_FOR_MAX, cost_of_lines};

/// What the pools of a life cost.
pub(super) struct Bill<'a> {
    docket: Arc<Docket>,
    policies: &'a Policies,
    pools: BTreeMap<PoolId, Account>,
}

/// What one pool cost.
#[derive(Debug, Default)]
struct Account {
    /// The latest look that the ledger of this life has.
    told: Option<Paid>,
    node_hours: [f64; 2],
    dollars: f64,
    /// The latest look that is remembered, of this life or the one before.
    remembered: Option<(Timestamp, Mix)>,
    milliseconds: [u64; 2],
    calm: Option<Calm>,
}

/// What was there at a look.
#[derive(Clone, Copy, Debug)]
struct Paid {
    at: Timestamp,
    nodes: Mix,
    prices: Option<Prices>,
}

/// The looks of the calm beside what was there.
#[derive(Debug)]
struct Calm {
    at: Timestamp,
    nodes: Mix,
    truth: Truth,
    /// Node-milliseconds by lane as the looks tell them.
    told: [u64; 2],
    /// What the longest time between two looks was.
    gap_max: u64,
    n_first: u64,
}

/// Reports of longer ledgers would take longer than their lives.
const LEDGER_BYTES_MAX: usize = 4 << 20;
const TICKS_PER_MILLISECOND: i64 = 10_000;

impl<'a> Bill<'a> {
    pub(super) const fn new(docket: Arc<Docket>, policies: &'a Policies) -> Self {
        Self {
            docket,
            policies,
            pools: BTreeMap::new(),
        }
    }

    /// Begins with what is remembered.
    pub(super) fn begin(&mut self, memory: &Memory) {
        for (id, pool) in &memory.pools {
            let account = self.pools.entry(id.clone()).or_default();
            account.remembered = Some((pool.seen_at, paid(&pool.last_seen)));
        }
    }

    /// Takes in what was kept.
    pub(super) fn entry(&mut self, entry: &Entry<'_>) {
        let Entry::Decided {
            decision,
            seen: Some(view),
        } = entry
        else {
            return;
        };
        let prices = self
            .policies
            .policy_for(&decision.pool)
            .map(|policy| policy.prices);
        let account = self.pools.entry(decision.pool.clone()).or_default();
        let (at, nodes) = (decision.at, paid(&view.state));
        if let Some(before) = account.told {
            account.add(before, (at - before.at).min(HELD_FOR_MAX));
        }
        account.told = Some(Paid { at, nodes, prices });
        if prices.is_some() {
            if let Some((then, before)) = account.remembered {
                let passed = (at.since(then).ticks().max(0) / TICKS_PER_MILLISECOND).unsigned_abs();
                for lane in Lane::ALL {
                    account.milliseconds[lane as usize] += passed * u64::from(before.get(lane).0);
                }
            }
            account.remembered = Some((at, nodes));
        }
    }

    /// Looks at a pool in the calm, of which the truth is known.
    pub(super) fn look(&mut self, decision: &Decision, truth: Option<Truth>) {
        let now = self.docket.now();
        let account = self.pools.entry(decision.pool.clone()).or_default();
        let (Some(truth), Some(Paid { nodes, .. })) = (truth, account.told) else {
            return;
        };
        let Some(calm) = &mut account.calm else {
            account.calm = Some(Calm {
                at: now,
                nodes,
                truth,
                told: [0; 2],
                gap_max: 0,
                n_first: u64::from(nodes.total().0),
            });
            return;
        };
        if let Some(what) = calm.look(now, nodes, truth) {
            self.docket
                .find(Law::Bill, format!("pool {}: {what}", decision.pool));
        }
    }

    /// Holds the ledger of a life, and what was remembered after it, against what was reckoned.
    pub(super) fn end(&self, ledger: &str, (before, after): (&Memory, &Memory), is_whole: bool) {
        let costs = if ledger.len() > LEDGER_BYTES_MAX {
            Ok(Vec::new())
        } else {
            cost_of_lines(ledger.lines())
        };
        match costs {
            Err(error) => self
                .docket
                .find(Law::Bill, format!("no report can be made: {error}")),
            Ok(costs) => {
                for cost in costs {
                    let account = self.pools.get(&cost.pool);
                    let (hours, dollars) = account.map_or(([0.0; 2], 0.0), Account::sums);
                    let told = [cost.dedicated_node_hours, cost.spot_node_hours, cost.total.0];
                    let ours = [hours[0], hours[1], dollars];
                    if told.iter().zip(ours).any(|(told, ours)| !is_close(*told, ours)) {
                        let what = format!("pool {} costs {ours:?}, and the report says {told:?}", cost.pool);
                        self.docket.find(Law::Bill, what);
                    }
                }
            }
        }
        // A pool that is deleted and made again has no past.
        if is_whole && !self.docket.plan.has(FaultKind::People) {
            self.remembered(before, after);
        }
    }

    /// Holds what guards remember of a month against the looks of a life that did not see its end.
    fn remembered(&self, before: &Memory, after: &Memory) {
        for (id, account) in &self.pools {
            let month = |memory: &Memory| memory.pools.get(id)?.guards.month;
            let (Some(then), Some(now)) = (month(before), month(after)) else {
                continue;
            };
            if then.began != now.began {
                continue;
            }
            let spent = [
                now.dedicated_milliseconds
                    .wrapping_sub(then.dedicated_milliseconds),
                now.spot_milliseconds.wrapping_sub(then.spot_milliseconds),
            ];
            if spent != account.milliseconds {
                let what = format!(
                    "pool {id} had nodes for {:?} ms in a life, and {spent:?} ms more are remembered of its month",
                    account.milliseconds
                );
                self.docket.find(Law::Bill, what);
            }
        }
    }
}

impl Account {
    fn add(&mut self, before: Paid, lasts: Span) {
        let Some(prices) = before.prices.filter(|_| lasts > Span::ZERO) else {
            return;
        };
        for lane in Lane::ALL {
            let hours = before.nodes.get(lane).as_f64() * lasts.as_hours();
            self.node_hours[lane as usize] += hours;
            self.dollars += hours * prices.get(lane).0;
        }
    }

    const fn sums(&self) -> ([f64; 2], f64) {
        (self.node_hours, self.dollars)
    }
}

impl Calm {
    /// Goes on to a look; returns what does not add up.
    fn look(&mut self, now: Timestamp, nodes: Mix, truth: Truth) -> Option<String> {
        let gap = (now.since(self.at).ticks() / TICKS_PER_MILLISECOND).unsigned_abs();
        self.gap_max = self.gap_max.max(gap);
        for lane in Lane::ALL {
            self.told[lane as usize] += gap * u64::from(self.nodes.get(lane).0);
        }
        (self.at, self.nodes) = (now, nodes);
        let n_turns = truth.n_turns - self.truth.n_turns + self.n_first;
        // A millisecond of each look is cut off.
        let allowed = (self.gap_max + 1) * (n_turns + 1);
        Lane::ALL.into_iter().find_map(|lane| {
            let true_one = truth.paid[lane as usize] - self.truth.paid[lane as usize];
            let told = self.told[lane as usize];
            (true_one.abs_diff(told) > allowed).then(|| {
                format!(
                    "{lane} nodes were there for {true_one} ms since it is calm, and looks tell of {told} ms; what \
                     came and went between them explains {allowed} ms"
                )
            })
        })
    }
}

/// The nodes that are paid for: all but those that were taken away.
fn paid(state: &PoolState) -> Mix {
    let spot = state.current.spot.saturating_sub(state.nodes.preempted);
    state.current.with(Lane::Spot, spot)
}

fn is_close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}
