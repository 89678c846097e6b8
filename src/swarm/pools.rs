//! Simulated pools below the ledger, whose looks and orders fail as those of an account do.
//!
//! There is no client and no request, so that days pass in a second: what the client makes of a fault (a look at nothing, a pool
//! that is hidden, an order whose answer was lost) happens here at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::conduct::{Conduct, Wrong};
use super::dice::{Dice, Purpose};
use super::docket::{Docket, Trace};
use super::faults::FaultKind;
use super::found::Law;
use super::plan::Plan;
use super::plant;
use super::pools_open::{self, Seat};
use super::veil;
use super::watched::{Below, Truth};
use super::weather::Weather;
use crate::account::{Holding, Order, PoolId, Receipt, Refusal, RefusalKind};
use crate::base::{Lane, Mix, Span, Timestamp};
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, World};
use crate::sim::cluster::NodeState;

/// Pools that outlive those who steer them.
pub(super) struct Pools {
    docket: Arc<Docket>,
    now: Arc<AtomicI64>,
    seats: Vec<Seat>,
    weather: Weather,
    wire: Dice,
    people: Dice,
    /// When somebody does something next.
    next_deed: Timestamp,
    pace: Span,
    /// Orders that arrive after they were given up.
    late: Vec<(Timestamp, Order, Conduct)>,
    conduct: Option<Conduct>,
    n_tasks: u64,
}

/// A life's answer to an order that nobody knows the fate of.
fn unanswered(kind: FaultKind) -> Receipt {
    Receipt::Refused(Refusal {
        kind: RefusalKind::Unreachable,
        message: format!("a fault of the swarm: {kind}"),
    })
}

impl Pools {
    pub(super) fn open(plan: &Plan, trace: Option<Trace>) -> (Self, Arc<Docket>) {
        let start = plan.start().whole_milliseconds();
        let now = Arc::new(AtomicI64::new(start.ticks()));
        let told = now.clone();
        let docket = Docket::new(plan, trace, move || {
            Timestamp::from_ticks(told.load(Ordering::Relaxed))
        });
        let docket = Arc::new(docket);
        let mut people = Dice::new(plan.seed, Purpose::People);
        let opened = pools_open::open(plan, &mut people);
        let pace = people.span(Span::minutes(30), Span::hours(12));
        let pools = Self {
            docket: docket.clone(),
            now,
            n_tasks: opened.n_tasks,
            seats: opened.seats,
            weather: Weather::new(plan, Dice::new(plan.seed, Purpose::Weather)),
            wire: Dice::new(plan.seed, Purpose::Wire),
            next_deed: start + pace,
            pace,
            people,
            late: Vec::new(),
            conduct: None,
        };
        (pools, docket)
    }

    pub(super) const fn n_tasks(&self) -> u64 {
        self.n_tasks
    }

    fn now(&self) -> Timestamp {
        self.docket.now()
    }

    fn told(&self) -> Timestamp {
        self.now() + self.weather.clocks().0
    }

    fn turn(&mut self) {
        let before = self.weather.clocks();
        self.weather.turn(self.now());
        let after = self.weather.clocks();
        for (kind, before, after) in [
            (FaultKind::OwnClock, before.0, after.0),
            (FaultKind::ServiceClock, before.1, after.1),
        ] {
            if before != after {
                self.docket.count(|tally| tally.strike(kind));
                self.docket.tell(|| format!("{kind}: off by {after}"));
            }
        }
    }

    /// Lets time pass, and everything happen that happens by itself.
    fn advance(&mut self, to: Timestamp) {
        loop {
            let late = self.late.iter().map(|(at, ..)| *at).min();
            let deed = (self.next_deed < self.docket.plan.calm_from()).then_some(self.next_deed);
            let next = [late, deed]
                .into_iter()
                .flatten()
                .min()
                .filter(|next| *next <= to);
            let at = next.unwrap_or(to);
            self.now.store(at.ticks(), Ordering::Relaxed);
            for seat in &mut self.seats {
                seat.sim.wait_until(at);
            }
            if next.is_none() {
                break;
            }
            while let Some(index) = self.late.iter().position(|(due, ..)| *due <= at) {
                let (_, order, conduct) = self.late.swap_remove(index);
                self.conduct = Some(conduct);
                self.deliver(&order);
                self.conduct = None;
            }
            if self.next_deed <= at {
                self.deed();
                self.next_deed = at + self.pace.scale(0.05 + 1.9 * self.people.share());
            }
        }
        if self.docket.is_calm() {
            let gone = self.seats.iter_mut().filter(|seat| seat.is_gone);
            gone.for_each(|seat| seat.come_back(to));
        }
    }

    /// Somebody resizes a pool, or takes it away and brings it back.
    fn deed(&mut self) {
        let most = u32::try_from(self.seats.len() - 1).unwrap_or(0);
        let index = self.people.between(0, most) as usize;
        let (dedicated, spot) = (self.people.between(0, 12), self.people.between(0, 12));
        let goes = self.people.chance(0.1);
        if !self.docket.plan.has(FaultKind::People) {
            return;
        }
        self.docket.count(|tally| tally.strike(FaultKind::People));
        let seat = &mut self.seats[index];
        if goes || seat.is_gone {
            if seat.is_gone {
                seat.come_back(self.docket.now());
            } else {
                seat.is_gone = true;
            }
            self.docket
                .tell(|| format!("people: {} is gone: {}", seat.id, seat.is_gone));
            return;
        }
        let id = seat.id.clone();
        self.resize(&id, Mix::new(dedicated, spot));
    }

    fn resize(&mut self, pool: &PoolId, target: Mix) {
        let order = Order {
            target,
            retake: true,
            ..Order::new(pool.clone(), self.now())
        };
        let receipt = self.seat(pool).map(|seat| seat.sim.act(&order));
        self.docket
            .tell(|| format!("people: {pool} to {target}: {receipt:?}"));
    }

    fn seat(&mut self, pool: &PoolId) -> Option<&mut Seat> {
        self.seats
            .iter_mut()
            .find(|seat| seat.id == *pool && !seat.is_gone)
    }

    /// Draws what happens to a call.
    fn strike(&mut self, writes: bool) -> Option<FaultKind> {
        self.docket.count(|tally| tally.calls += 1);
        let likely = self.weather.likely().to_vec();
        let mut struck = None;
        for (kind, share) in likely {
            if self.wire.chance(share) && struck.is_none() && veil::can_meet(kind, writes) {
                struck = Some(kind);
            }
        }
        if let Some(kind) = struck {
            self.docket.count(|tally| tally.strike(kind));
        }
        struck
    }

    /// Hands an order in, and holds what it changes against what was ordered.
    fn deliver(&mut self, order: &Order) -> Receipt {
        let Some(seat) = self.seat(&order.pool) else {
            return Receipt::Refused(Refusal {
                kind: RefusalKind::Missing,
                message: "The specified pool does not exist.".to_owned(),
            });
        };
        let (before, there) = (seat.sim.cluster().target(), seat.sim.cluster().census().mix());
        let receipt = seat.sim.act(order);
        let after = seat.sim.cluster().target();
        let judged = self.conduct.as_mut().map_or(Ok(()), |conduct| {
            conduct.there = there;
            conduct.judge(before, after)
        });
        match judged {
            Ok(()) => {}
            Err(Wrong::Foreign(what)) => self.docket.find(Law::Foreign, what),
            Err(Wrong::Order(what)) => self.docket.find(Law::Order, what),
        }
        receipt
    }

    /// Looks at one pool, and hides or spoils what is seen of it.
    fn look(&mut self, index: usize, question: &Question<'_>, into: &mut Observation) {
        let n_seen = into.pools().len();
        let fault = self.strike(false);
        let off = self.weather.clocks().1;
        let seat = &mut self.seats[index];
        // It tells its own account, which stands for nothing.
        let told = seat.sim.observe(question, into);
        debug_assert!(told.is_ok(), "a simulated pool can always be looked at");
        let Some(view) = into.pools_mut().get_mut(n_seen) else {
            return;
        };
        view.state.vm_size = Some(seat.size.into());
        view.samples.iter_mut().for_each(|sample| sample.taken += off);
        let name = seat.id.as_str().to_owned();
        if let Some(kind) = fault {
            self.docket.tell(|| format!("  {name}: {kind}"));
            if veil::spoil(view, kind, &mut seat.before, &mut self.wire) {
                self.docket.blur(name);
            }
        }
        if view.fault.is_none() && fault != Some(FaultKind::Stale) {
            seat.before.see(view, &self.weather);
        }
    }
}

impl World for &mut Pools {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        loop {
            self.turn();
            let told = self.told();
            if told >= at {
                return Some(told);
            }
            let next = self.now() + (at - told);
            self.advance(next.whole_milliseconds());
        }
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.turn();
        if let Some(kind) = self.strike(false).filter(|kind| veil::blinds(*kind)) {
            return Err(ObserveError {
                message: format!("a fault of the swarm: {kind}"),
                retry: true,
            });
        }
        for index in 0..self.seats.len() {
            if !self.seats[index].is_gone {
                self.look(index, question, into);
            }
        }
        if let Some(account) = &mut into.account {
            let there = self.seats.iter().filter(|seat| !seat.is_gone);
            account.pools = there.map(holding).collect();
        }
        Ok(())
    }

    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        let fault = self.strike(true);
        let receipt = match fault {
            None | Some(FaultKind::Slow) => self.deliver(order),
            Some(kind @ (FaultKind::TimeoutAfter | FaultKind::FailedAfter | FaultKind::Torn)) => {
                self.deliver(order);
                unanswered(kind)
            }
            Some(FaultKind::Twice) => {
                let first = self.deliver(order);
                self.deliver(order);
                first
            }
            Some(kind @ FaultKind::Late) => {
                let at = self.now() + self.wire.span(Span::seconds(1), Span::minutes(10));
                if let Some(conduct) = self.conduct.clone() {
                    self.late.push((at.whole_milliseconds(), order.clone(), conduct));
                }
                unanswered(kind)
            }
            Some(kind) => Receipt::Refused(Refusal {
                kind: veil::refusal(kind),
                message: format!("a fault of the swarm: {kind}"),
            }),
        };
        self.conduct = None;
        receipt
    }
}

fn holding(seat: &Seat) -> Holding {
    let cluster = seat.sim.cluster();
    Holding {
        pool: seat.id.clone(),
        vm_size: Some(seat.size.into()),
        target: cluster.target(),
        current: cluster.census().mix(),
    }
}

impl Below for &mut Pools {
    fn ledger_fails(&self) -> f64 {
        self.weather.ledger_fails()
    }

    fn truth(&mut self, pool: &PoolId) -> Option<Truth> {
        let cluster = self.seat(pool)?.sim.cluster();
        let billed = |lane: Lane| {
            let states = NodeState::ALL.into_iter().filter(|state| state.is_billed());
            let ticks: u128 = states.map(|state| cluster.meter().node_ticks(lane, state)).sum();
            u64::try_from(ticks / 10_000).unwrap_or(u64::MAX)
        };
        let tally = cluster.tally();
        Some(Truth {
            unfinished: u64::from((cluster.waiting() + cluster.running()).saturating_sub(cluster.never())),
            never: u64::from(cluster.never()),
            paid: Lane::ALL.map(billed),
            // Whatever comes goes once.
            n_turns: 2 * u64::from(tally.node_starts) + u64::from(tally.evictions),
            working: cluster.census().working(),
        })
    }

    fn meddle(&mut self, pool: &PoolId) {
        if let Some(seat) = self.seat(pool) {
            let target = plant::meddled(seat.sim.cluster().target());
            self.resize(pool, target);
        }
    }

    fn expect(&mut self, order: &Order, start: Mix) {
        self.conduct = Some(Conduct::new(order, start));
    }
}
