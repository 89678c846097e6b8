//! The account of the live demo: its pools, the tasks that come, and the storms that take its spot machines.
//!
//! It is the same local account that `lowtide emulate` serves, behind the same door; what is done to it here is what its owner and
//! the provider do: submit tasks, take machines away. Nothing here knows of the sidecar.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

use super::scene::NodeStates;
use crate::base::{Span, Timestamp};
use crate::emulator::asked::Asked;
use crate::emulator::faults::Wire;
use crate::emulator::listener::Doors;
use crate::emulator::outside::{AccountKey, DEVELOPMENT_KEY, Outside};
use crate::emulator::{Desk, Scenario, Service};
use crate::sim::SpotMarket;

/// The account as it is opened: Monday morning, a little before the first builds.
const SCENARIO: &str = r"version: 1
start: 2026-11-23T07:30:00Z
seed: 7
account: { name: demo, dedicatedCores: 240, spotCores: 400 }
timing: { task: 'lognormal:9m/0.7', evictionsHourly: 0.02 }
pools:
  - { id: builds, vmSize: standard_d4s_v5, taskSlotsPerNode: 4 }
  - { id: render, vmSize: standard_d8s_v5, dedicated: 1, taskSlotsPerNode: 2 }
jobs:
  - { id: builds, pool: builds }
  - { id: render, pool: render }
";

/// Spot machines are taken away first so long after the opening, then so often.
const FIRST_STORM: Span = Span::minutes(75);
const STORMS_APART: Span = Span::hours(3);
/// How long a storm lasts.
const STORM_LASTS: Span = Span::minutes(25);
/// How often it is looked whether tasks are due.
const STEP: Span = Span::minutes(1);

/// The account with what happens to it.
pub(super) struct Stage {
    service: Arc<Service>,
    address: SocketAddr,
    chance: Pcg64Mcg,
    opened: Timestamp,
    /// Until when tasks have been submitted.
    submitted: Timestamp,
    n_tasks: u64,
    next_storm: Timestamp,
    storm_ends: Option<Timestamp>,
}

impl Stage {
    /// Opens the account and its door; it lives on the runtime until `until`.
    pub(super) async fn open(
        (speed, seed): (f64, u64),
        until: impl Future<Output = ()> + Clone + Send + 'static,
    ) -> Result<Self, String> {
        let scenario = Scenario::parse(SCENARIO).expect("the scenario of the demo is whole");
        let opened = scenario
            .start()
            .expect("the scenario of the demo says when it begins");
        let desk = Desk::open(
            scenario.setup(opened, SpotMarket::Unlimited, None),
            &scenario,
            SCENARIO,
        );
        let desk = desk.expect("the account takes what the scenario of the demo puts into it");
        let service = Service::new(desk, speed, None);
        let doors = Doors::open(Some(SocketAddr::from(([127, 0, 0, 1], 0))), None).await;
        let doors = doors.map_err(|error| error.to_string())?;
        let address = doors.http().ok_or("the door of the account has no address")?;
        let shared = Arc::clone(&service);
        let key = AccountKey::parse(DEVELOPMENT_KEY).expect("the development key is one");
        let outside = Outside {
            wire: Wire::default(),
            ..Outside::new("demo", &key, Arc::new(move || shared.facts()))
        };
        tokio::spawn(Arc::clone(&service).live(until.clone()));
        let handlers = service.handlers();
        tokio::spawn(async move { doors.serve(handlers, Arc::new(outside), until).await });
        Ok(Self {
            service,
            address,
            chance: Pcg64Mcg::seed_from_u64(seed),
            opened,
            submitted: opened,
            n_tasks: 0,
            next_storm: opened + FIRST_STORM,
            storm_ends: None,
        })
    }

    /// Returns where the account answers.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the time in the account.
    pub(super) fn now(&self) -> Timestamp {
        self.service.with(|desk| desk.now())
    }

    /// Returns for how long the storm goes on.
    pub(super) fn storm_left(&self, now: Timestamp) -> Option<Span> {
        self.storm_ends
            .map(|ends| ends.since(now))
            .filter(|left| !left.is_negative())
    }

    /// Begins a storm now.
    pub(super) fn storm(&mut self) {
        let now = self.now();
        self.storm_ends = Some(now + STORM_LASTS);
        self.next_storm = now + STORMS_APART;
        self.service.with(Desk::storm);
    }

    /// Lets happen what is due: tasks that come, storms that begin and end.
    pub(super) fn pass(&mut self) {
        let now = self.now();
        if self.storm_ends.is_some_and(|ends| ends <= now) {
            self.storm_ends = None;
            self.service.with(Desk::end_storm);
        }
        if self.next_storm <= now {
            self.storm();
        }
        while self.submitted + STEP <= now {
            self.submitted += STEP;
            self.submit(self.submitted);
        }
    }

    fn submit(&mut self, at: Timestamp) {
        let minutes = at.since(self.opened).as_seconds() / 60.0;
        // Builds come in waves of the working day; a film is rendered every hour and a half.
        let wave = 1.0 + 0.8 * (minutes / 55.0).sin();
        let builds = self.draw(3.0 * wave);
        let frames = if minutes % 90.0 < 8.0 { self.draw(10.0) } else { 0 };
        self.add("builds", builds);
        self.add("render", frames);
    }

    /// Draws how many come of so many on average: the tail of a Poisson, which ends by itself.
    fn draw(&mut self, mean: f64) -> u32 {
        let mut left = (-mean).exp();
        let (mut chance, mut n) = (self.chance.random::<f64>() - left, 0);
        while chance > 0.0 && n < 50 {
            n += 1;
            left *= mean / f64::from(n);
            chance -= left;
        }
        n
    }

    fn add(&mut self, job: &str, tasks: u32) {
        for _ in 0..tasks {
            self.n_tasks += 1;
            let body = json!({ "id": format!("{job}-{}", self.n_tasks), "commandLine": "work" });
            // A task that is not taken is one that does not come.
            let _ = self.ask("POST", &format!("/jobs/{job}/tasks"), Some(&body));
        }
    }

    /// Returns the nodes of each pool by lane and by what they do.
    pub(super) fn nodes(&self) -> BTreeMap<String, [NodeStates; 2]> {
        let counts = self.ask("GET", "/nodecounts", None).unwrap_or_default();
        let pools = counts["value"].as_array().cloned().unwrap_or_default();
        let of = |lane: &Value| {
            let count = |names: &[&str]| {
                let counts = names.iter().filter_map(|name| lane[*name].as_u64());
                u32::try_from(counts.sum::<u64>()).unwrap_or(u32::MAX)
            };
            NodeStates {
                running: count(&["running"]),
                idle: count(&["idle", "offline"]),
                starting: count(&[
                    "creating",
                    "starting",
                    "waitingForStartTask",
                    "rebooting",
                    "reimaging",
                ]),
                preempted: count(&["preempted"]),
                unusable: count(&["unusable", "startTaskFailed", "unknown"]),
            }
        };
        let pool = |pool: &Value| {
            let id = pool["poolId"].as_str()?.to_owned();
            Some((id, [of(&pool["dedicated"]), of(&pool["lowPriority"])]))
        };
        pools.iter().filter_map(pool).collect()
    }

    /// Returns how many tasks of a job wait and run.
    pub(super) fn tasks(&self, job: &str) -> (u32, u32) {
        let counts = self
            .ask("GET", &format!("/jobs/{job}/taskcounts"), None)
            .unwrap_or_default();
        let count = |name: &str| {
            let count = counts["taskCounts"][name].as_u64().unwrap_or(0);
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        (count("active"), count("running"))
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Value> {
        let asked = Asked {
            method: method.parse().ok()?,
            path: path.to_owned(),
            ..Asked::default()
        };
        let body = body.map_or(Vec::new(), |body| body.to_string().into_bytes());
        let answer = self.service.with(|desk| desk.answer(&asked, &body));
        answer.ok()?.body
    }
}
