//! What is shown of the live demo: gathered frame by frame from the account and from the sidecar's board.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio::sync::broadcast;

use super::keys::Action;
use super::scene::{Money, NodeStates, PoolScene, Scene, Told};
use super::sidecar::Sidecar;
use super::stage::Stage;
use crate::account::PoolId;
use crate::base::{Lane, Mix, Span, Timestamp};
use crate::serve::Event;

/// Decisions that are kept to be shown; no screen has more rows.
const TOLD_MAX: usize = 200;
/// Points of the plot of a queue that are kept; no plot is wider.
const QUEUE_MAX: usize = 200;
/// The plot of a queue has a point for so long.
const QUEUE_STEP: Span = Span::minutes(3);

/// The demo as it goes on.
pub(super) struct Show {
    stage: Stage,
    sidecar: Sidecar,
    events: broadcast::Receiver<Event>,
    scene: Scene,
    queues: BTreeMap<String, Vec<u64>>,
    plotted: Option<Timestamp>,
    /// Why each pool was held when it was last told.
    held: BTreeMap<String, String>,
    stormed: bool,
    untold: Vec<Told>,
}

impl Show {
    pub(super) fn new(stage: Stage, sidecar: Sidecar, speed: f64) -> Self {
        let scene = Scene {
            account: "demo".to_owned(),
            speed,
            url: sidecar.url().to_owned(),
            token: sidecar.token().to_owned(),
            ..Scene::default()
        };
        Self {
            events: sidecar.board().subscribe(),
            stage,
            sidecar,
            scene,
            queues: BTreeMap::new(),
            plotted: None,
            held: BTreeMap::new(),
            stormed: false,
            untold: Vec::new(),
        }
    }

    pub(super) const fn scene(&self) -> &Scene {
        &self.scene
    }

    pub(super) const fn money(&self) -> Money {
        self.scene.money
    }

    /// Returns what was told since the last time, the oldest first.
    pub(super) fn untold(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.untold)
    }

    /// Ends the sidecar, which finishes what it does.
    pub(super) fn end(self) {
        self.sidecar.end();
    }

    /// Does what somebody wants.
    pub(super) fn take(&mut self, action: Action) {
        let n = self.scene.pools.len().max(1);
        match action {
            Action::Quit => {}
            Action::Storm => self.stage.storm(),
            Action::Up => self.scene.chosen = (self.scene.chosen + n - 1) % n,
            Action::Down => self.scene.chosen = (self.scene.chosen + 1) % n,
            Action::Explain => self.scene.explains = !self.scene.explains,
            Action::Pause => {
                if let Some(pool) = self.scene.pools.get(self.scene.chosen) {
                    self.sidecar.pause_or_resume(&pool.id, pool.halt.is_some());
                }
            }
        }
    }

    /// Lets the account go on and gathers what is to be seen.
    pub(super) fn pass(&mut self) {
        self.stage.pass();
        let now = self.stage.now();
        let before = self.scene.at.replace(now);
        self.scene.storm = self.stage.storm_left(now);
        if self.scene.storm.is_some() != self.stormed {
            self.stormed = self.scene.storm.is_some();
            let text = if self.stormed {
                "the provider takes every spot machine"
            } else {
                "spot machines can be had again"
            };
            self.tell(now, "*", "storm", text.to_owned());
        }
        self.gather(now);
        if let Some(before) = before {
            self.scene.money.pass(now.since(before));
        }
        self.hear();
    }

    fn gather(&mut self, now: Timestamp) {
        let plots = self.plotted.is_none_or(|at| at + QUEUE_STEP <= now);
        if plots {
            self.plotted = Some(now);
        }
        let nodes = self.stage.nodes();
        let halts = self.sidecar.halts(now);
        let standing = self.sidecar.board().read();
        let (mut hourly, mut hourly_dedicated) = (0.0, 0.0);
        let mut pools = Vec::new();
        for (id, lanes) in nodes {
            let (waiting, running) = self.stage.tasks(&id);
            let queue = self.queues.entry(id.clone()).or_default();
            if plots {
                queue.push(waiting.into());
                let n_over = queue.len().saturating_sub(QUEUE_MAX);
                queue.drain(..n_over);
            }
            let known: Option<PoolId> = id.parse().ok();
            let stands = known.as_ref().and_then(|id| standing.pools.get(id));
            if let Some(policy) = known.as_ref().and_then(|id| standing.in_effect.policy_for(id)) {
                let there = Lane::ALL.map(|lane| paid(lanes[usize::from(lane == Lane::Spot)]));
                let of = |lane: Lane| there[usize::from(lane == Lane::Spot)] * policy.prices.get(lane).0;
                hourly += of(Lane::Dedicated) + of(Lane::Spot);
                hourly_dedicated += there.iter().sum::<f64>() * policy.prices.dedicated.0;
            }
            let decision = stands.map(|stands| &stands.decision);
            let target = decision.map_or(Mix::ZERO, |decision| decision.outcome());
            pools.push(PoolScene {
                target: [target.dedicated.0, target.spot.0],
                nodes: lanes,
                waiting,
                running,
                queue: queue.clone(),
                halt: known.and_then(|id| halts.get(&id).cloned()),
                verdict: decision.map_or(String::new(), |decision| decision.verdict().word().to_owned()),
                reason: decision
                    .and_then(|decision| match decision.hold() {
                        Some(_) => decision.steps().last(),
                        None => decision.steps().first(),
                    })
                    .map_or(String::new(), |step| step.reason.text()),
                steps: decision.map_or(String::new(), |decision| decision.to_text()),
                id,
            });
        }
        drop(standing);
        self.scene.pools = pools;
        self.scene.money.hourly = hourly;
        self.scene.money.hourly_dedicated = hourly_dedicated;
    }

    /// Hears what the board has told since the last frame.
    fn hear(&mut self) {
        loop {
            match self.events.try_recv() {
                Ok(event) => self.take_in(&event),
                Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => return,
            }
        }
    }

    fn take_in(&mut self, event: &Event) {
        let Ok(line) = serde_json::from_str::<Line>(&event.json) else {
            return;
        };
        let (Some(pool), Some(at)) = (line.pool, line.at) else {
            return;
        };
        // What is ordered follows from what was needed, what is held from the step that held it.
        let said = |step: Option<&Step>| step.map_or(String::new(), |step| step.text.clone());
        match (event.kind, &line.order, &line.hold) {
            ("decided", Some(order), _) => {
                self.held.remove(&pool);
                let (from, to) = (line.target.unwrap_or_default(), order.clone());
                if from == to {
                    // Some nodes take no further tasks, so that they may go later.
                    return;
                }
                let why = said(line.steps.first());
                let grows = from.dedicated < to.dedicated || from.spot < to.spot;
                let shrinks = to.dedicated < from.dedicated || to.spot < from.spot;
                let word = match (grows, shrinks) {
                    (true, true) => "shift",
                    (true, false) => "out",
                    _ => "in",
                };
                self.tell(at, &pool, word, format!("{} → {}  {why}", from.text(), to.text()));
            }
            // A pool that is held for the same reason as before has been told of already.
            ("decided", None, Some(hold)) if self.held.get(&pool) != Some(&hold.code) => {
                self.held.insert(pool.clone(), hold.code.clone());
                self.tell(at, &pool, "hold", said(line.steps.last()));
            }
            ("decided", None, None) => {
                self.held.remove(&pool);
            }
            ("settled", ..) => {
                if let Some(message) = line.receipt.and_then(|receipt| receipt.message) {
                    self.tell(at, &pool, "refused", message);
                }
            }
            _ => {}
        }
    }

    fn tell(&mut self, at: Timestamp, pool: &str, word: &str, text: String) {
        let pool = pool
            .parse()
            .unwrap_or_else(|_| "spot".parse().expect("a word of letters is an id"));
        let told = Told {
            at,
            pool,
            word: word.to_owned(),
            text,
        };
        self.untold.push(told.clone());
        self.scene.told.insert(0, told);
        self.scene.told.truncate(TOLD_MAX);
    }
}

/// Returns how many nodes are paid for: all but those that were taken away.
fn paid(nodes: NodeStates) -> f64 {
    f64::from(nodes.total() - nodes.preempted)
}

/// What matters of a line of the ledger.
#[derive(Deserialize)]
struct Line {
    pool: Option<String>,
    at: Option<Timestamp>,
    target: Option<Nodes>,
    order: Option<Nodes>,
    hold: Option<Code>,
    #[serde(default)]
    steps: Vec<Step>,
    receipt: Option<Receipt>,
}

#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
struct Nodes {
    dedicated: u32,
    spot: u32,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Step {
    text: String,
}

#[derive(Deserialize)]
struct Receipt {
    message: Option<String>,
}

impl Nodes {
    fn text(&self) -> String {
        format!("{}+{}", self.dedicated, self.spot)
    }
}
