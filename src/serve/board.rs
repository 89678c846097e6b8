//! What is known of the account now: a fold over the entries of the ledger, read by everybody who asks over HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use serde::Serialize;
use tokio::sync::broadcast;

use super::folder::Written;
use super::health::{Health, Policies};
use crate::account::{Halt, PoolId, Receipt};
use crate::base::{Mix, Timestamp};
use crate::decision::Decision;
use crate::engine::{Entry, PoolView};
use crate::policy::{self, Mode};
use crate::world::PoolRecord;

/// What is known of the account now; cheap to clone.
#[derive(Clone, Debug)]
pub struct Board(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    standing: RwLock<Standing>,
    events: broadcast::Sender<Event>,
}

/// Everything that is known.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The pools, by id.
    pub pools: BTreeMap<PoolId, PoolStanding>,
    /// How the sidecar itself fares.
    pub health: Health,
    /// The policies in effect.
    pub policies: Policies,
    /// The same, to decide by.
    pub in_effect: Arc<policy::Policies>,
    /// The same as they are written, by their names; a policy that was not read from a file has no text.
    pub written: Arc<BTreeMap<String, Written>>,
    events: u64,
}

/// What is known of one pool.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolStanding {
    /// The pool.
    pub pool: PoolId,
    /// The policy that decides for it.
    pub policy: Arc<str>,
    /// How much the policy may do; `None` when it is no longer in effect.
    pub mode: Option<Mode>,
    /// When it was last decided for.
    pub decided_at: Timestamp,
    /// The number of that decision in the ledger, where the ledger numbers its lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// When it was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// The pool as it was then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PoolRecord>,
    /// What could not be read of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Somebody's word that it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halt: Option<Halt>,
    /// The latest decision: the same object as in the ledger.
    pub decision: Arc<Decision>,
    /// The latest order and what became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Settled>,
}

/// An order with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settled {
    /// When it was decided.
    pub at: Timestamp,
    /// What the pool was told to have.
    pub target: Mix,
    /// What became of it.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// The whole account in a few numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Pools that are steered.
    pub pools: usize,
    /// Those of them that could not be read at the latest look.
    pub unread: usize,
    /// The nodes they have.
    pub current: Mix,
    /// The nodes they are told to have.
    pub target: Mix,
}

impl PoolStanding {
    /// Returns what the pool is told to have: its target at the latest look, or what was ordered then and accepted.
    pub fn target(&self) -> Mix {
        let accepted = self
            .receipt
            .as_ref()
            .filter(|settled| settled.at == self.decision.at && matches!(settled.receipt, Receipt::Accepted));
        accepted.map_or(self.decision.start, |settled| settled.target)
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number since the sidecar began, from 1.
    pub id: u64,
    /// What kind it is: the kind of a ledger line, `reload` or `health`.
    pub kind: &'static str,
    /// What is told of it, as JSON; for an entry the line of the ledger.
    pub json: Arc<str>,
}

/// Events that a slow listener may be behind before it loses some: ten ticks of a large account.
const EVENTS_WAITING_MAX: usize = 5_000;

impl Board {
    /// Returns a board on which nothing stands yet.
    pub fn new(began: Timestamp) -> Self {
        let standing = Standing {
            health: Health::new(began),
            ..Standing::default()
        };
        Self(Arc::new(Shared {
            standing: RwLock::new(standing),
            events: broadcast::Sender::new(EVENTS_WAITING_MAX),
        }))
    }

    /// Returns what stands on it; for as long as it is held nothing changes, and the loop waits.
    pub fn read(&self) -> RwLockReadGuard<'_, Standing> {
        self.0.standing.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears of everything that happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// Takes in an entry that the ledger has kept as a line, under a number where it numbers them.
    pub fn take(&self, entry: &Entry<'_>, line: &str, number: Option<u64>) {
        self.write(|standing| standing.take(entry, number));
        self.tell(kind(entry), line);
    }

    /// Changes what stands on it.
    pub fn write<T>(&self, change: impl FnOnce(&mut Standing) -> T) -> T {
        change(&mut self.0.standing.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells all listeners of something.
    pub fn tell(&self, kind: &'static str, json: &str) {
        let id = self.write(|standing| {
            standing.events += 1;
            standing.events
        });
        if self.0.events.receiver_count() > 0 {
            let json = Arc::from(json);
            // Without a listener there is nobody to tell.
            let _ = self.0.events.send(Event { id, kind, json });
        }
    }
}

/// Returns the word for what an entry is about.
pub(super) const fn kind(entry: &Entry<'_>) -> &'static str {
    match entry {
        Entry::Started { .. } => "started",
        Entry::Blind { .. } => "blind",
        Entry::Unmatched { .. } => "unmatched",
        Entry::Account { .. } => "account",
        Entry::Decided { .. } => "decided",
        Entry::Settled { .. } => "settled",
    }
}

fn added(one: Mix, other: Mix) -> Mix {
    Mix {
        dedicated: one.dedicated + other.dedicated,
        spot: one.spot + other.spot,
    }
}

impl Standing {
    /// Returns the whole account in a few numbers.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for pool in self.pools.values() {
            totals.pools += 1;
            totals.unread += usize::from(pool.fault.is_some());
            totals.target = added(totals.target, pool.target());
            totals.current = added(totals.current, pool.decision.current);
        }
        totals
    }

    fn take(&mut self, entry: &Entry<'_>, number: Option<u64>) {
        match entry {
            Entry::Started { policies, .. } => {
                self.policies = Policies::from(*policies);
                self.in_effect = Arc::new((*policies).clone());
                // What no policy speaks of any more is not steered.
                self.pools.retain(|pool, _| policies.policy_for(pool).is_some());
            }
            Entry::Blind { at, error } => {
                self.health.look(*at, Some(error.message.clone()));
            }
            Entry::Unmatched { at } | Entry::Account { at, .. } => {
                self.health.look(*at, None);
            }
            Entry::Decided { decision, seen } => {
                if seen.is_some() {
                    self.health.look(decision.at, None);
                }
                self.decided(decision, *seen, number);
            }
            Entry::Settled { order, receipt } => {
                if let Some(pool) = self.pools.get_mut(&order.pool) {
                    pool.receipt = Some(Settled {
                        at: order.at,
                        target: order.target,
                        receipt: (*receipt).clone(),
                    });
                }
            }
        }
    }

    fn decided(&mut self, decision: &Decision, seen: Option<&PoolView>, number: Option<u64>) {
        let before = self.pools.remove(&decision.pool);
        let is_whole = seen.is_some_and(|view| view.fault.is_none());
        let state = match seen.filter(|_| is_whole) {
            Some(view) => Some((decision.at, PoolRecord::from(&view.state))),
            None => before
                .as_ref()
                .and_then(|before| before.seen_at.zip(before.state.clone())),
        };
        let (seen_at, state) = state.unzip();
        let fault = match seen {
            Some(view) => view.fault.as_ref().map(|fault| fault.message.clone()),
            None => self.health.account_fault.clone(),
        };
        let standing = PoolStanding {
            pool: decision.pool.clone(),
            policy: decision.policy.clone(),
            mode: self.policies.mode(&decision.policy),
            decided_at: decision.at,
            number,
            seen_at,
            state,
            fault,
            halt: seen.and_then(|view| view.halt.clone()),
            decision: Arc::new(decision.clone()),
            receipt: before.and_then(|before| before.receipt),
        };
        self.pools.insert(decision.pool.clone(), standing);
    }
}
