//! A world with a ledger, of which everything is held against the laws, and which may be killed at any point.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bill::Bill;
use super::dice::Dice;
use super::docket::Docket;
use super::faults::FaultKind;
use super::found::Law;
use super::laws::Laws;
use super::plant;
use super::rest::Rest;
use crate::account::{Halt, Order, PoolId, PoolPattern, Receipt};
use crate::base::{Mix, Timestamp};
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, World};
use crate::policy::Policies;
use crate::world::line;

/// A world that is below the ledger, as the one who made it knows it.
pub(super) trait Below: World {
    /// Returns the share of lines that the ledger does not take now.
    fn ledger_fails(&self) -> f64;

    /// Returns what is truly there of a pool.
    fn truth(&mut self, pool: &PoolId) -> Option<Truth>;

    /// Lets somebody else resize a pool at this moment.
    fn meddle(&mut self, pool: &PoolId);

    /// Says for which targets the order that follows was decided.
    fn expect(&mut self, order: &Order, start: Mix);
}

/// What is truly there of a pool.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Truth {
    /// Tasks that wait or run, and that its nodes have slots enough for.
    pub(super) unfinished: u64,
    /// Tasks that wait and that no node of it has slots enough for.
    pub(super) never: u64,
    /// The milliseconds that nodes of each lane were there and not taken away, added up.
    pub(super) paid: [u64; 2],
    /// How often a node came, went, was taken away or came back.
    pub(super) n_turns: u64,
    /// The nodes of each lane that work on tasks, where some tasks never end; none where all do.
    pub(super) working: Mix,
}

/// A life of the sidecar, from one start to the next.
pub(super) struct Watched<'a, W> {
    pub(super) world: W,
    docket: Arc<Docket>,
    pub(super) laws: Laws<'a>,
    pub(super) rest: Rest<'a>,
    pub(super) bill: Bill<'a>,
    life: Life,
    dice: Dice,
    /// What was kept.
    pub(super) ledger: String,
    /// The orders of the lines that were kept in this look and are not carried out, with where each pool stood.
    kept: BTreeMap<PoolId, (Order, Mix)>,
    pub(super) is_killed: bool,
    /// Whether the latest line was kept.
    pub(super) is_whole: bool,
    /// Whether every line was kept.
    pub(super) has_all: bool,
    n_entries: u64,
}

/// What is drawn for a life.
#[derive(Clone, Debug)]
pub(super) struct Life {
    /// When it ends by itself.
    pub(super) until: Timestamp,
    /// The share of points at which it is killed.
    pub(super) kills: f64,
    /// What is halted.
    pub(super) halts: Vec<(PoolPattern, Halt)>,
    /// What the chance of its ledger is drawn from.
    pub(super) dice: Dice,
    /// What is drawn from which answers are kept together.
    pub(super) receipts: Dice,
}

impl<'a, W: Below> Watched<'a, W> {
    pub(super) fn new(world: W, docket: &Arc<Docket>, (policies, held): Held<'a>, life: Life) -> Self {
        Self {
            world,
            laws: Laws::new(docket.clone(), held),
            rest: Rest::new(docket.clone(), policies),
            bill: Bill::new(docket.clone(), policies),
            docket: docket.clone(),
            dice: life.dice.clone(),
            life,
            ledger: String::new(),
            kept: BTreeMap::new(),
            is_killed: false,
            is_whole: false,
            has_all: true,
            n_entries: 0,
        }
    }

    /// Says whether it dies at this point; once it is dead it stays dead.
    fn dies(&mut self, point: &str) -> bool {
        let kills = self.life.kills;
        if !self.is_killed && kills > 0.0 && !self.docket.is_calm() && self.dice.chance(kills) {
            self.is_killed = true;
            self.docket.count(|tally| tally.strike(FaultKind::Kill));
            self.docket.tell(|| format!("killed {point}"));
        }
        self.is_killed
    }

    fn fails(&mut self) -> bool {
        let share = self.world.ledger_fails();
        if share > 0.0 && self.dice.chance(share) {
            self.docket.count(|tally| tally.strike(FaultKind::Ledger));
            return true;
        }
        false
    }

    fn keep(&mut self, entry: &Entry<'_>) {
        self.n_entries += 1;
        let line = line(entry);
        self.docket.note(&line);
        if plant::loses(&self.docket.plan, self.n_entries) {
            return;
        }
        self.ledger += &line;
        self.ledger.push('\n');
    }

    /// Holds an entry that was kept against the laws.
    fn judge(&mut self, entry: &Entry<'_>) {
        self.laws.entry(entry);
        self.bill.entry(entry);
        match entry {
            Entry::Decided { decision, seen } => {
                let order = decision.order();
                self.kept
                    .extend(order.map(|order| (order.pool.clone(), (order, decision.start))));
                if self.docket.is_calm() {
                    let truth = self.world.truth(&decision.pool);
                    self.rest.look(decision, *seen, truth);
                    self.bill.look(decision, truth);
                }
            }
            Entry::Settled { order, receipt } => self.rest.settled(order, receipt),
            Entry::Started { .. } | Entry::Blind { .. } | Entry::Unmatched { .. } | Entry::Account { .. } => {
            }
        }
    }
}

/// The policies that the engine decides by, and those that its decisions are held against: the same, where nothing is planted.
pub(super) type Held<'a> = (&'a Policies, &'a Policies);

fn lost(why: &str) -> RecordError {
    RecordError {
        message: why.to_owned(),
    }
}

impl<W: Below> World for Watched<'_, W> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.laws.end_tick();
        if self.is_killed || self.docket.now() >= self.life.until || self.docket.is_broken() {
            return None;
        }
        self.world.wait_until(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.docket.clear_blur();
        self.docket.count(|tally| tally.looks += 1);
        self.kept.clear();
        let seen = self.world.observe(question, into);
        if let Err(error) = &seen {
            self.docket.count(|tally| tally.blind += 1);
            self.docket.tell(|| format!("blind: {error}"));
        }
        for view in into.pools_mut() {
            let halts = self.life.halts.iter();
            let of_pool = halts.filter(|(pools, _)| pools.matches(&view.state.id));
            view.halt = Halt::together(of_pool.map(|(_, halt)| halt), question.now);
            plant::distort(&self.docket.plan, view);
        }
        self.laws.begin_tick(question, into);
        seen
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        let had_all = std::mem::replace(&mut self.has_all, false);
        self.is_whole = false;
        if self.dies("before a line") {
            return Err(lost("killed"));
        }
        if self.fails() {
            return Err(lost("the disk is full"));
        }
        self.keep(entry);
        self.is_whole = true;
        self.judge(entry);
        if self.dies("after a line") {
            return Err(lost("killed"));
        }
        self.has_all = had_all;
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        if self.dies("before an order") {
            return Receipt::Withheld;
        }
        let kept = self.kept.remove(&order.pool);
        let Some((_, start)) = kept.filter(|(kept, _)| kept == order) else {
            let what = format!("{order:?} was ordered, and no line of this look says so");
            self.docket.find(Law::Line, what);
            return Receipt::Withheld;
        };
        self.world.expect(order, start);
        if self.docket.plan.plants(Law::Foreign) {
            self.world.meddle(&order.pool);
        }
        let receipt = match plant::twist(&self.docket, order) {
            Some(order) => self.world.act(&order),
            None => Receipt::Accepted,
        };
        self.docket.count(|tally| {
            tally.orders += 1;
            tally.refused += u64::from(matches!(receipt, Receipt::Refused(_)));
        });
        self.docket.tell(|| {
            format!(
                "ordered {} from {start} to {}: {receipt:?}",
                order.pool, order.target
            )
        });
        self.dies("after an order");
        receipt
    }

    fn keeps_receipts(&mut self, _: usize) -> bool {
        self.life.receipts.chance(0.5)
    }
}
