//! A world from its opening to its rest; and shorter ones that break the same law.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::courier::Courier;
use super::dice::{Dice, Purpose};
use super::faults::FaultKind;
use super::found::{Found, Law};
use super::plan::Plan;
use super::scene::{Scene, Trace};
use super::tally::Tally;
use super::watched::Watched;
use super::wishes;
use crate::account::{Halt, HaltScope, PoolPattern};
use crate::azure::shared_key::Key;
use crate::azure::{Client, Clock, Credential, Limits, Live, Runs, Settings};
use crate::base::{Span, Timestamp};
use crate::decision::{Decision, Memory, Reason};
use crate::emulator::outside::DEVELOPMENT_KEY;
use crate::engine;
use crate::policy::{Mode, Policies};
use crate::world::{MemoryRecord, remember, replay};

/// Runs a world; returns what it came to, and the first law that was broken.
pub fn run(plan: &Plan, trace: Option<Trace>) -> (Tally, Option<Found>) {
    let scene = Scene::open(plan, trace);
    let lived = catch_unwind(AssertUnwindSafe(|| World::new(plan, &scene).live()));
    let found = match lived {
        Ok(()) => scene.found(),
        Err(panic) => Some(Found {
            plan: plan.clone(),
            law: Law::Total,
            at: scene.now(),
            what: said(&*panic),
        }),
    };
    let mut tally = scene.state().tally.clone();
    tally.worlds = 1;
    tally.simulated = scene.now() - plan.start();
    tally.tasks = scene.n_tasks();
    (tally, found)
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("something that is no text")
        .to_owned()
}

/// Returns the shortest world with the fewest faults that still breaks the same law, of those that are tried within a budget.
pub fn shrink(found: Found, tries_max: u32) -> Found {
    let mut least = found;
    let mut tries = 0;
    let mut attempt = |plan: Plan, least: &mut Found| {
        if tries >= tries_max {
            return false;
        }
        tries += 1;
        match run(&plan, None).1 {
            Some(smaller) if smaller.law == least.law => {
                *least = smaller;
                true
            }
            _ => false,
        }
    };
    for kind in FaultKind::ALL {
        let mut plan = least.plan.clone();
        if plan.without.0.insert(kind) {
            attempt(plan, &mut least);
        }
    }
    loop {
        let hours = least.plan.rough().ticks() / Span::hours(1).ticks();
        let hours = u32::try_from(hours / 2).unwrap_or(0);
        let mut plan = least.plan.clone();
        plan.hours = Some(hours);
        if hours == 0 || !attempt(plan, &mut least) {
            return least;
        }
    }
}

/// A world while it is lived in.
struct World {
    plan: Plan,
    scene: Arc<Scene>,
    runtime: Arc<Runtime>,
    dice: Dice,
    kills: f64,
    /// How long a life of the sidecar lasts when nothing kills it.
    life: Span,
    memory: Memory,
    reload: u64,
}

/// Memory of one pool as its ledger line: a week of eight metrics, each sample in a few bytes, and what was learned.
const MEMORY_BYTES_MAX: usize = 3 << 20;

impl World {
    fn new(plan: &Plan, scene: &Arc<Scene>) -> Self {
        let clock = scene.clock.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .on_thread_park(move || clock.leap())
            .build()
            .expect("a runtime without sockets and timers asks the system for nothing");
        runtime.spawn(scene.clone().live());
        let mut dice = Dice::new(plan.seed, Purpose::Ledger);
        let kills = dice.pick(&[0.0, 0.0005, 0.005, 0.05]);
        Self {
            plan: plan.clone(),
            scene: scene.clone(),
            runtime: Arc::new(runtime),
            kills: if plan.has(FaultKind::Kill) { kills } else { 0.0 },
            life: dice.span(Span::hours(1), Span::hours(36)),
            dice,
            memory: Memory::default(),
            reload: 0,
        }
    }

    fn live(mut self) {
        let calm_from = self.plan.start() + self.plan.rough();
        while self.scene.now() < calm_from && self.scene.found().is_none() {
            // Operators change their minds between two starts.
            self.reload += u64::from(self.dice.chance(0.2));
            let until = (self.scene.now() + self.life).min(calm_from);
            let policies = wishes::policies(&self.plan, self.reload);
            self.life_of(&policies, until);
        }
        if self.scene.found().is_some() {
            return;
        }
        let policies = wishes::policies(&self.plan, self.reload);
        let decided = self.life_of(&policies, calm_from + self.plan.calm());
        self.rest(&policies, &decided);
    }

    /// Lives from one start to the next; returns the decisions of the last tick.
    fn life_of(&mut self, policies: &Policies, until: Timestamp) -> Vec<Decision> {
        let client = self.client();
        let live = Live::new(client, Runs::Here(self.runtime.clone()));
        let dice = Dice::new(self.dice.seed(), Purpose::Ledger);
        let mut world = Watched::new(live, &self.scene, policies, until, dice);
        world.kills = self.kills;
        world.halts = self.halts(until);
        let before = std::mem::take(&mut self.memory);
        let kept = engine::run(&mut world, policies, before.clone());
        self.scene.state().tally.restarts += 1;
        self.scene
            .tell(|| "a start from what the ledger remembers".to_owned());
        self.memory = self.recall(&world, &kept).unwrap_or(before);
        world.laws.latest().to_vec()
    }

    /// Draws what somebody halts in a life; at rest nothing is.
    fn halts(&mut self, until: Timestamp) -> Vec<(PoolPattern, Halt)> {
        if until > self.plan.start() + self.plan.rough()
            || !self.plan.has(FaultKind::People)
            || !self.dice.chance(0.2)
        {
            return Vec::new();
        }
        let halt = Halt {
            scope: self.dice.pick(&[HaltScope::In, HaltScope::Out, HaltScope::All]),
            until: Some(self.scene.now() + self.dice.span(Span::minutes(5), Span::hours(12))),
            why: "maintenance".to_owned(),
            by: None,
        };
        let pools = self.dice.pick(&["pool-*", "pool-0", "pool-1"]);
        self.scene.tell(|| format!("halted: {pools}, {halt:?}"));
        vec![(pools.parse().expect("a pattern"), halt)]
    }

    /// Returns what the ledger of a life remembers, and holds it against what the engine did.
    fn recall(&self, world: &Watched<'_>, kept: &Memory) -> Option<Memory> {
        self.scene.state().tally.ledger_bytes += world.ledger.len() as u64;
        if let Err(error) = replay(&world.ledger) {
            self.scene.find(Law::Replay, error.to_string());
        }
        let recalled = match remember(&latest_lines(&world.ledger)) {
            Ok(remembered) => {
                if let Some((line, why)) = remembered.unreadable.first() {
                    self.scene
                        .find(Law::Replay, format!("line {line} cannot be read: {why}"));
                }
                (!world.ledger.is_empty()).then_some(remembered.memory)
            }
            Err(error) => {
                self.scene.find(Law::Replay, error.to_string());
                None
            }
        };
        if let Some(recalled) = recalled.as_ref().filter(|_| world.is_whole && !world.is_killed) {
            let (told, true_one) = (MemoryRecord::from(recalled), MemoryRecord::from(kept));
            if told != true_one {
                self.scene.find(
                    Law::Replay,
                    "the ledger remembers otherwise than the engine did".to_owned(),
                );
            }
        }
        let started = world
            .ledger
            .lines()
            .filter(|line| line.starts_with(r#"{"kind":"started""#));
        let n_pools = kept.pools.len().max(1);
        if let Some(long) = started
            .map(str::len)
            .find(|length| *length > MEMORY_BYTES_MAX * n_pools)
        {
            self.scene.find(
                Law::Memory,
                format!("{long} bytes are remembered of {n_pools} pools"),
            );
        }
        recalled
    }

    fn client(&self) -> Client {
        let settings = Settings {
            endpoint: "http://127.0.0.1:1".parse().expect("an endpoint"),
            account: "lowtide".to_owned(),
            version: crate::azure::ApiVersion::default(),
            authorities: None,
            limits: Limits::default(),
            seed: self.plan.seed,
        };
        let key = Credential::SharedKey(Key::parse(DEVELOPMENT_KEY).expect("the key of development is one"));
        let clock = Clock::Leaping(self.scene.clock.clone());
        Client::carried(settings, key, clock, Arc::new(Courier(self.scene.clone())))
            .expect("nothing is sent yet")
    }

    /// Nothing has failed for a while: whoever may work has done it, and pools are where their policies want them.
    fn rest(&self, policies: &Policies, decided: &[Decision]) {
        for decision in decided {
            let Some(policy) = policies.policy_for(&decision.pool) else {
                continue;
            };
            let text = decision.to_text();
            if let Some(Reason::ObserveFailed { message, .. }) = decision.hold() {
                self.scene.find(
                    Law::Rest,
                    format!("it is calm, and {} is not seen: {message}", decision.pool),
                );
            }
            if policy.mode == Mode::Full && decision.order().is_some_and(|order| order.retake) {
                self.scene.find(
                    Law::Rest,
                    format!("it is calm, and a resize is stopped still: {text}"),
                );
            }
        }
    }
}

/// Returns the lines from the latest start on.
fn latest_lines(ledger: &str) -> Vec<String> {
    let lines: Vec<&str> = ledger.lines().collect();
    let started = |line: &&str| line.starts_with(r#"{"kind":"started""#);
    let from = lines.iter().rposition(started).unwrap_or(0);
    lines[from..].iter().map(|line| (*line).to_owned()).collect()
}
