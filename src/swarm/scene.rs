//! What the two sides of a world share: its clock, its account, its weather, its people, and what was found.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::routing::{MethodRouter, any_service};

use super::account::{self, ask};
use super::conduct::{Conduct, Wrong};
use super::crowd::Crowd;
use super::dice::{Dice, Purpose};
use super::docket::Docket;
use super::faults::FaultKind;
use super::found::Law;
use super::plan::Plan;
use super::weather::Weather;
use crate::azure::{Leaping, Reply};
use crate::base::{Mix, Timestamp};
use crate::emulator::authentication::Scheme;
use crate::emulator::front::whole;
use crate::emulator::outside::{AccountKey, DEVELOPMENT_KEY, Outside};
use crate::emulator::{Desk, Service};

/// A world in which a sidecar runs.
pub(super) struct Scene {
    pub(super) docket: Arc<Docket>,
    pub(super) clock: Arc<Leaping>,
    service: Arc<Service>,
    /// The account's door, as a request comes to it from the network.
    pub(super) door: MethodRouter<()>,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) weather: Weather,
    pub(super) wire: Dice,
    crowd: Crowd,
    /// The order that is being carried out.
    pub(super) conduct: Option<Arc<Mutex<Conduct>>>,
    /// Answers to reads, for those that come again.
    pub(super) earlier: BTreeMap<String, Reply>,
}

/// Answers that are kept to come again; more would only be older.
const EARLIER_MAX: usize = 64;

impl Scene {
    pub(super) fn open(plan: &Plan, clock: Arc<Leaping>, docket: Arc<Docket>) -> Arc<Self> {
        let opened = account::open(plan);
        let weather = Weather::new(plan, Dice::new(plan.seed, Purpose::Weather));
        let people = Dice::new(plan.seed, Purpose::People);
        let state = State {
            weather,
            wire: Dice::new(plan.seed, Purpose::Wire),
            crowd: Crowd::new(plan, people, opened.n_pools, opened.n_jobs),
            conduct: None,
            earlier: BTreeMap::new(),
        };
        Arc::new_cyclic(|scene: &std::sync::Weak<Self>| {
            let told = clock.clone();
            let service = Service::told(opened.desk, Arc::new(move || told.now()));
            let key = AccountKey::parse(DEVELOPMENT_KEY).expect("the key of development is one");
            let facts = service.clone();
            let mut outside = Outside::new("lowtide", &key, Arc::new(move || facts.facts()));
            let (scene, now) = (scene.clone(), clock.clone());
            outside.clock = Arc::new(move || {
                let off = scene.upgrade().map(|scene| scene.state().weather.clocks().1);
                now.now() + off.unwrap_or_default()
            });
            let door = any_service(whole(service.handlers(), &Arc::new(outside), Scheme::Http));
            Self {
                docket,
                clock,
                service,
                door,
                state: Mutex::new(state),
            }
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked while holding it has been found out already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn with_desk<T>(&self, what: impl FnOnce(&mut Desk) -> T) -> T {
        self.service.with(what)
    }

    /// Turns the weather, and the clocks with it.
    pub(super) fn turn(&self) {
        let now = self.now();
        let mut state = self.state();
        let before = state.weather.clocks();
        state.weather.turn(now);
        let after = state.weather.clocks();
        if before.0 != after.0 {
            self.docket.count(|tally| tally.strike(FaultKind::OwnClock));
            self.clock.set_off(after.0);
        }
        if before.1 != after.1 {
            self.docket.count(|tally| tally.strike(FaultKind::ServiceClock));
        }
        drop(state);
        if before != after {
            self.docket
                .tell(|| format!("clocks: ours is off by {}, the service's by {}", after.0, after.1));
        }
    }

    /// Lives on: people do what they do, each deed at its moment.
    pub(super) async fn live(self: Arc<Self>) {
        loop {
            let next = self.state().crowd.next_at();
            self.clock.sleep(next - self.now()).await;
            let now = self.now();
            let deeds = {
                let mut state = self.state();
                self.with_desk(|desk| state.crowd.act(desk, now))
            };
            for deed in deeds {
                self.docket.count(|tally| tally.strike(FaultKind::People));
                self.docket.tell(|| format!("people: {deed}"));
            }
        }
    }

    pub(super) fn n_tasks(&self) -> u64 {
        self.state().crowd.n_tasks()
    }

    /// Returns the targets of a pool as they truly are, and the nodes that are there.
    pub(super) fn mixes_of(&self, pool: &str) -> Option<(Mix, Mix)> {
        self.with_desk(|desk| {
            let body = ask(desk, "GET", &format!("/pools/{pool}"), "")?;
            let of = |key: &str| u32::try_from(body[key].as_u64()?).ok();
            let target = Mix::new(of("targetDedicatedNodes")?, of("targetLowPriorityNodes")?);
            let there = Mix::new(of("currentDedicatedNodes")?, of("currentLowPriorityNodes")?);
            Some((target, there))
        })
    }

    /// Holds a change that a request of ours made against the order that it belongs to.
    pub(super) fn judge(&self, conduct: &Mutex<Conduct>, before: Option<(Mix, Mix)>, after: Option<Mix>) {
        let (Some((before, there)), Some(after)) = (before, after) else {
            return;
        };
        let mut conduct = conduct.lock().unwrap_or_else(PoisonError::into_inner);
        conduct.there = there;
        let judged = conduct.judge(before, after);
        drop(conduct);
        match judged {
            Ok(()) => {}
            Err(Wrong::Foreign(what)) => self.docket.find(Law::Foreign, what),
            Err(Wrong::Order(what)) => self.docket.find(Law::Order, what),
        }
    }

    /// Keeps an answer to come again.
    pub(super) fn keep_earlier(&self, key: &str, reply: &Reply) {
        let mut state = self.state();
        if state
            .weather
            .likely()
            .iter()
            .any(|(kind, _)| *kind == FaultKind::Stale)
        {
            if state.earlier.len() >= EARLIER_MAX {
                state.earlier.clear();
            }
            state
                .earlier
                .entry(key.to_owned())
                .or_insert_with(|| reply.clone());
        } else if !state.earlier.is_empty() {
            state.earlier.clear();
        }
    }
}
