//! The loop.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::{Seat, hold_unseen, shared_by, workings};
use super::given_up::{follows_ours, give_up, is_leased};
use super::mistake::{caught, hold_mistaken};
use super::share::{Resting, share};
use super::{AccountView, Entry, Observation, ObserveError, PoolView, Question, SignalAsk, Turn, World};
use crate::account::{Holding, Order, PoolId, PoolPattern, PoolState, Receipt};
use crate::base::{Mix, Span, Timestamp};
use crate::decision::{Decision, Memory, Reason, Snapshot};
use crate::policy::{Policies, Policy, Workings};
use crate::signal::{Metric, Reading};

/// Runs the pools of one account by their policies until the world ends it; returns what is then remembered.
///
/// Each policy looks at once and then at its interval. Clocks are read to the millisecond, which is what the ledger
/// keeps, so that a replay sees the same instants.
pub fn run(world: &mut impl World, policies: &Policies, memory: Memory) -> Memory {
    let mut engine = Engine::new(policies, memory);
    let mut at = Timestamp::from_ticks(i64::MIN);
    while let Some(now) = world.wait_until(at) {
        // A clock that was set back must not stop time.
        engine.tick(world, now.whole_milliseconds().max(at));
        match engine.next_due() {
            Some(due) => at = due,
            None => break,
        }
    }
    engine.memory
}

/// The engine of one account with the memory that its ticks share.
struct Engine<'a> {
    policies: &'a Policies,
    desks: Vec<Desk>,
    memory: Memory,
    /// Whether the ledger holds all that later entries build on.
    ledger_whole: bool,
    observation: Observation,
    patterns: Vec<PoolPattern>,
    turns: Vec<Turn>,
    metrics: Vec<Metric>,
    signals: Vec<SignalAsk>,
    /// The pools of this look that a mistake of ours keeps from being decided for, by their place in what was seen.
    mistakes: BTreeMap<usize, Reason>,
}

/// A decision of a look, with what was seen of the pool; `None` when nothing could be.
type Decided<'a> = (Decision, Option<&'a PoolView>);

/// What belongs to one policy.
struct Desk {
    workings: Vec<Workings>,
    due: Timestamp,
    /// How long samples are of use to it.
    keeps: Span,
}

impl<'a> Engine<'a> {
    fn new(policies: &'a Policies, memory: Memory) -> Self {
        let desk = |policy: &Policy| Desk {
            workings: workings(policy),
            due: Timestamp::from_ticks(i64::MIN),
            keeps: policy.keeps_samples(),
        };
        Self {
            policies,
            desks: policies.policies.iter().map(desk).collect(),
            memory,
            ledger_whole: false,
            observation: Observation::default(),
            patterns: Vec::new(),
            turns: Vec::new(),
            metrics: Vec::new(),
            signals: Vec::new(),
            mistakes: BTreeMap::new(),
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.desks.iter().map(|desk| desk.due).min()
    }

    /// Looks, judges, writes down, acts.
    fn tick(&mut self, world: &mut impl World, now: Timestamp) {
        if !self.ledger_whole {
            self.begin_ledger(world, now);
        }
        self.prepare_question(now);
        let mut observation = std::mem::take(&mut self.observation);
        observation.clear();
        let question = Question {
            now,
            pools: &self.patterns,
            turns: &self.turns,
            metrics: &self.metrics,
            signals: &self.signals,
            work: self.policies.policies.iter().any(Policy::wants_work),
            account: self.policies.share(),
        };
        match world.observe(&question, &mut observation) {
            Ok(()) => self.see(world, now, &mut observation),
            Err(error) => self.stay_blind(world, now, &error),
        }
        self.observation = observation;
        for (desk, policy) in self.desks.iter_mut().zip(&self.policies.policies) {
            if desk.due <= now {
                desk.due = next_after(now, desk.due, policy.interval);
            }
        }
    }

    /// Writes down all that later entries build on; every policy then looks at once, as it does in a replay from there.
    fn begin_ledger(&mut self, world: &mut impl World, now: Timestamp) {
        let entry = Entry::Started {
            at: now,
            policies: self.policies,
            memory: &self.memory,
        };
        self.ledger_whole = world.record(&entry).is_ok();
        self.desks.iter_mut().for_each(|desk| desk.due = now);
    }

    fn prepare_question(&mut self, now: Timestamp) {
        self.patterns.clear();
        self.turns.clear();
        self.metrics.clear();
        self.signals.clear();
        let policies = &self.policies.policies;
        for (index, (desk, policy)) in self.desks.iter().zip(policies).enumerate() {
            // A world that samples between two looks does so for all of them: whoever looks rarely would know too little else.
            self.metrics.extend_from_slice(&policy.metrics);
            let due = desk.due <= now;
            let pools = policy.pool.clone();
            self.turns.push(Turn { pools, due });
            if !due {
                continue;
            }
            self.patterns.push(policy.pool.clone());
            let asks = policy.asks().map(|ask| SignalAsk {
                query: ask.query,
                pool: policy.pool.clone(),
                unless: policies[..index].iter().map(|other| other.pool.clone()).collect(),
                stale_after: ask.stale_after,
                counts: ask.counts,
            });
            self.signals.extend(asks);
        }
        let given_up = self
            .memory
            .pools
            .iter()
            .filter(|(id, pool)| is_leased(pool) && self.policies.index_for(id).is_none());
        self.patterns
            .extend(given_up.map(|(id, _)| PoolPattern::from(id)));
        self.metrics.sort_unstable();
        self.metrics.dedup();
    }

    /// Returns the place of the policy that is due for a pool.
    fn due_for(&self, pool: &PoolId, now: Timestamp) -> Option<usize> {
        self.policies
            .index_for(pool)
            .filter(|index| self.desks[*index].due <= now)
    }

    fn see(&mut self, world: &mut impl World, now: Timestamp, observation: &mut Observation) {
        let mut matched = Vec::new();
        self.mistakes.clear();
        for (place, view) in observation.pools_mut().iter_mut().enumerate() {
            let Some(index) = self.due_for(&view.state.id, now) else {
                continue;
            };
            matched.push((place, index));
            if let Err(mistake) = caught(|| self.take_in(now, index, view)) {
                self.mistakes.insert(place, mistake);
            }
        }
        let account = self.look_at_account(observation, &matched);
        let first = match &account {
            _ if matched.is_empty() => Some(Entry::Unmatched { at: now }),
            Some(seen) => Some(Entry::Account { at: now, seen }),
            None => None,
        };
        let views = observation.pools();
        let decisions = self.decide_seen(now, views, &matched, account.as_ref());
        let seen = matched.iter().map(|(place, _)| Some(&views[*place]));
        let mut decided: Vec<Decided<'_>> = decisions.into_iter().zip(seen).collect();
        let given_up = self.given_up(views);
        let released = given_up
            .iter()
            .filter_map(|view| Some((give_up(view, now)?, Some(*view))));
        decided.extend(released);
        self.settle(world, first, &decided);
        self.forget_given_up(&given_up);
        if matched.len() < self.memory.pools.len() {
            self.forget_vanished(now);
        }
    }

    /// Takes in what was seen of a pool, and learns from it.
    fn take_in(&mut self, now: Timestamp, index: usize, view: &mut PoolView) {
        // What is no number is a sample that never arrived.
        view.samples.retain(|sample| sample.value.is_finite());
        for sample in &mut view.samples {
            sample.taken = sample.taken.whole_milliseconds();
            // Minus zero becomes zero, which is how it is read again.
            sample.value += 0.0;
        }
        if let Some(until) = view.halt.as_mut().and_then(|halt| halt.until.as_mut()) {
            *until = until.whole_milliseconds();
        }
        self.policies.policies[index].forget_what_is_left(&mut view.state);
        if let Some(work) = &mut view.work {
            work.cut_to_milliseconds();
        }
        view.readings.iter_mut().for_each(Reading::settle);
        self.memory
            .absorb(now, &view.state, &view.samples, view.work.as_ref());
        self.memory.hear(now, &view.state.id, &view.readings);
        if let Some(pool) = self.memory.pools.get_mut(&view.state.id) {
            pool.history.keep(self.desks[index].keeps);
        }
        self.learn(index, now, view);
    }

    /// Returns the pools that follow a formula of ours, and of which no policy speaks any more.
    fn given_up<'v>(&self, views: &'v [PoolView]) -> Vec<&'v PoolView> {
        let is_given_up = |view: &&PoolView| {
            let id = &view.state.id;
            self.memory.pools.get(id).is_some_and(is_leased) && self.policies.index_for(id).is_none()
        };
        views.iter().filter(is_given_up).collect()
    }

    /// Forgets the formulas of ours that pools no longer follow: what is disabled is looked at once more, which the ledger tells, and
    /// then no longer asked about.
    fn forget_given_up(&mut self, given_up: &[&PoolView]) {
        for view in given_up {
            let pool = self.memory.pools.get_mut(&view.state.id);
            if let Some(pool) = pool.filter(|_| view.fault.is_none() && !follows_ours(view)) {
                pool.ours.leased_at = None;
            }
        }
    }

    /// Returns what the account shares, of its pools only those that are not decided for now, each once, in the order of their ids.
    fn look_at_account(
        &self,
        observation: &mut Observation,
        matched: &[(usize, usize)],
    ) -> Option<AccountView> {
        let seen = observation.account.take();
        let mut account = shared_by(self.policies, seen.as_ref())?.into_owned();
        let views = observation.pools();
        let decided: BTreeSet<&PoolId> = matched.iter().map(|(place, _)| &views[*place].state.id).collect();
        account.pools.retain(|holding| !decided.contains(&holding.pool));
        account.pools.sort_by(|one, other| one.pool.cmp(&other.pool));
        account.pools.dedup_by(|one, other| one.pool == other.pool);
        Some(account)
    }

    /// Forgets the pools that were asked about and are there no longer, all but the formula of ours on them.
    fn forget_vanished(&mut self, now: Timestamp) {
        let pools = std::mem::take(&mut self.memory.pools);
        let kept = pools.into_iter().filter_map(|(id, pool)| {
            let stays = pool.seen_at == now || self.due_for(&id, now).is_none();
            let pool = if stays { Some(pool) } else { pool.vanished(now) };
            Some((id, pool?))
        });
        self.memory.pools = kept.collect();
    }

    /// Learns from what a pool does, by the limits of its policy.
    fn learn(&mut self, index: usize, now: Timestamp, view: &PoolView) {
        let policy = &self.policies.policies[index];
        let Some(pool) = self.memory.pools.get_mut(&view.state.id) else {
            return;
        };
        if policy.splits_by_cost() {
            let lost = pool.guards.lost_at(now);
            pool.spot.see(&policy.assumptions(), now, &view.state, lost);
        }
        policy.learn(&mut pool.learned, now, &view.state, view.work.as_ref());
    }

    /// Decides for the pools that were seen, each by its policy and all together by what they share.
    fn decide_seen(
        &mut self,
        now: Timestamp,
        views: &[PoolView],
        matched: &[(usize, usize)],
        account: Option<&AccountView>,
    ) -> Vec<Decision> {
        let (policies, memory) = (self.policies, &self.memory);
        let mut seats = Vec::with_capacity(matched.len());
        let mut places = Vec::with_capacity(matched.len());
        let mut unseen = Vec::new();
        for (place, index) in matched {
            let (view, policy) = (&views[*place], &policies.policies[*index]);
            let is_seen = view.fault.is_none() && !self.mistakes.contains_key(place);
            let desk = &mut self.desks[*index];
            let taken = is_seen.then(|| {
                caught(|| {
                    let remembered = &memory.pools[&view.state.id];
                    let snapshot = Snapshot {
                        halt: view.halt.as_ref(),
                        ..remembered.snapshot(now, &view.state, view.work.as_ref())
                    };
                    Seat::take(policy, &mut desk.workings, snapshot)
                })
            });
            match taken {
                Some(Ok(seat)) => {
                    seats.push(seat);
                    places.push(*place);
                }
                Some(Err(mistake)) => {
                    // Nobody knows what it left of them.
                    desk.workings = workings(policy);
                    self.mistakes.insert(*place, mistake);
                    unseen.push(Holding::from(&view.state));
                }
                None => unseen.push(Holding::from(&view.state)),
            }
        }
        if let Some(account) = account {
            let resting: Vec<Resting<'_>> = account
                .pools
                .iter()
                .chain(&unseen)
                .map(|holding| Resting {
                    holding,
                    policy: policies.policy_for(&holding.pool),
                    memory: memory.pool(&holding.pool),
                })
                .collect();
            share(policies, account, &mut seats, &resting);
        }
        let asked: Option<Vec<_>> = account.map(|_| seats.iter().map(|seat| seat.asked).collect());
        let mut decided = BTreeMap::new();
        for (place, seat) in places.iter().zip(seats) {
            match caught(|| seat.finish()) {
                Ok(decision) => {
                    decided.insert(*place, decision);
                }
                Err(mistake) => {
                    self.mistakes.insert(*place, mistake);
                }
            }
        }
        if let Some(asked) = asked {
            self.remember_asked(views, &places, &asked);
        }
        let decisions = matched.iter().map(|(place, index)| {
            let (policy, pool) = (&policies.policies[*index], &views[*place].state);
            match (&views[*place].fault, self.mistakes.remove(place)) {
                (Some(error), _) => hold_unseen(policy, pool, now, error),
                (None, Some(mistake)) => hold_mistaken(policy, pool, now, mistake),
                (None, None) => decided
                    .remove(place)
                    .expect("each pool that was seen is decided for"),
            }
        });
        decisions.collect()
    }

    /// Remembers what pools asked for, for those that look between their looks.
    fn remember_asked(&mut self, views: &[PoolView], places: &[usize], asked: &[Option<Mix>]) {
        for (place, asked) in places.iter().zip(asked) {
            if let Some(pool) = self.memory.pools.get_mut(&views[*place].state.id) {
                pool.asked = *asked;
            }
        }
    }

    fn stay_blind(&mut self, world: &mut impl World, now: Timestamp, error: &ObserveError) {
        let hold =
            |index: usize, pool: &PoolState| hold_unseen(&self.policies.policies[index], pool, now, error);
        let holds: Vec<Decided<'_>> = self
            .memory
            .pools
            .values()
            .filter(|pool| !pool.gone)
            .filter_map(|pool| {
                let index = self.due_for(&pool.last_seen.id, now)?;
                Some((hold(index, &pool.last_seen), None))
            })
            .collect();
        self.settle(world, Some(Entry::Blind { at: now, error }), &holds);
    }

    /// Writes the decisions of a look down, all of them before the first order goes out; then carries out the orders, and writes down
    /// what became of them.
    fn settle(&mut self, world: &mut impl World, first: Option<Entry<'_>>, decided: &[Decided<'_>]) {
        let mut entries = Vec::with_capacity(1 + decided.len());
        entries.extend(first);
        let decisions = decided.iter();
        entries.extend(decisions.map(|(decision, seen)| Entry::Decided {
            decision,
            seen: *seen,
        }));
        self.record(world, &entries);
        let mut settled = Vec::new();
        for (decision, seen) in decided {
            let Some(order) = decision.order().filter(|_| self.ledger_whole) else {
                continue;
            };
            let receipt = self.carry_out(world, &order, *seen);
            settled.push((order, receipt));
            if world.keeps_receipts(settled.len()) {
                self.write_down(world, &mut settled);
            }
        }
        self.write_down(world, &mut settled);
    }

    /// Carries out an order, and remembers it.
    fn carry_out(&mut self, world: &mut impl World, order: &Order, seen: Option<&PoolView>) -> Receipt {
        let receipt = world.act(order);
        if let (Some(pool), Some(view)) = (self.memory.pools.get_mut(&order.pool), seen) {
            pool.ours.ordered(order, &view.state, &receipt);
            if receipt == Receipt::Accepted {
                pool.broken.ordered(order);
            }
        }
        receipt
    }

    /// Writes down what became of some orders.
    fn write_down(&mut self, world: &mut impl World, settled: &mut Vec<(Order, Receipt)>) {
        let entries = settled
            .iter()
            .map(|(order, receipt)| Entry::Settled { order, receipt });
        self.record(world, &entries.collect::<Vec<_>>());
        settled.clear();
    }

    /// Writes entries down; after one that was lost nothing more is written, nor done, until the ledger begins anew.
    fn record(&mut self, world: &mut impl World, entries: &[Entry<'_>]) {
        if self.ledger_whole && !entries.is_empty() {
            self.ledger_whole = world.record_all(entries).is_ok();
        }
    }
}

/// Returns the first instant after `now` on the grid that `due` and the interval make.
fn next_after(now: Timestamp, due: Timestamp, interval: Span) -> Timestamp {
    let step = interval.ticks().max(1);
    let passed = now.since(due).ticks() / step;
    due + Span::from_ticks(step.saturating_mul(passed.saturating_add(1)))
}
