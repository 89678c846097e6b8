//! An emulated account below the ledger, steered by the client as a real one is.

use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;

use super::account::ask;
use super::conduct::Conduct;
use super::courier::Courier;
use super::docket::{Docket, Trace};
use super::plan::Plan;
use super::plant;
use super::scene::Scene;
use super::watched::{Below, Truth};
use crate::account::{Order, PoolId, Receipt};
use crate::azure::shared_key::Key;
use crate::azure::{Client, Clock, Credential, Leaping, Limits, Live, Runs, Settings};
use crate::base::{Mix, Timestamp};
use crate::emulator::outside::DEVELOPMENT_KEY;
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, World};

/// An account that outlives those who steer it.
pub(super) struct Account {
    scene: Arc<Scene>,
    runtime: Arc<Runtime>,
}

impl Account {
    pub(super) fn open(plan: &Plan, trace: Option<Trace>) -> (Self, Arc<Docket>) {
        let clock = Arc::new(Leaping::new(plan.start()));
        let told = clock.clone();
        let docket = Arc::new(Docket::new(plan, trace, move || told.now()));
        let scene = Scene::open(plan, clock, docket.clone());
        let clock = scene.clock.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .on_thread_park(move || clock.leap())
            .build()
            .expect("a runtime without sockets and timers asks the system for nothing");
        runtime.spawn(scene.clone().live());
        let runtime = Arc::new(runtime);
        (Self { scene, runtime }, docket)
    }

    /// Returns the account as someone sees it who has seen nothing of it before.
    pub(super) fn enter(&self) -> Steered {
        Steered {
            live: Live::new(self.client(), Runs::Here(self.runtime.clone())),
            scene: self.scene.clone(),
            conduct: None,
        }
    }

    pub(super) fn n_tasks(&self) -> u64 {
        self.scene.n_tasks()
    }

    fn client(&self) -> Client {
        let settings = Settings {
            endpoint: "http://127.0.0.1:1".parse().expect("an endpoint"),
            account: "lowtide".to_owned(),
            version: crate::azure::ApiVersion::default(),
            authorities: None,
            limits: Limits::default(),
            seed: self.scene.docket.plan.seed,
        };
        let key = Credential::SharedKey(Key::parse(DEVELOPMENT_KEY).expect("the key of development is one"));
        let clock = Clock::Leaping(self.scene.clock.clone());
        Client::carried(settings, key, clock, Arc::new(Courier(self.scene.clone())))
            .expect("nothing is sent yet")
    }
}

/// An account in one life of the sidecar.
pub(super) struct Steered {
    live: Live,
    scene: Arc<Scene>,
    conduct: Option<Arc<Mutex<Conduct>>>,
}

impl World for Steered {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.live.wait_until(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.live.observe(question, into)
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.live.record(entry)
    }

    fn act(&mut self, order: &Order) -> Receipt {
        self.scene.state().conduct = self.conduct.take();
        let receipt = self.live.act(order);
        self.scene.state().conduct = None;
        receipt
    }
}

impl Below for Steered {
    fn ledger_fails(&self) -> f64 {
        self.scene.state().weather.ledger_fails()
    }

    fn truth(&mut self, pool: &PoolId) -> Option<Truth> {
        self.scene.with_desk(|desk| {
            let (paid, n_turns) = desk.paid_milliseconds(pool)?;
            let (unfinished, never) = desk.unfinished(pool)?;
            Some(Truth {
                unfinished,
                never,
                paid,
                n_turns,
                working: Mix::ZERO,
            })
        })
    }

    fn meddle(&mut self, pool: &PoolId) {
        let path = format!("/pools/{pool}");
        let mixes = self.scene.mixes_of(pool.as_str());
        let Mix { dedicated, spot } = plant::meddled(mixes.unwrap_or_default().0);
        let body = format!(r#"{{"targetDedicatedNodes":{dedicated},"targetLowPriorityNodes":{spot}}}"#);
        self.scene.with_desk(|desk| {
            let _ = ask(desk, "POST", &format!("{path}/stopresize"), "");
            let _ = ask(desk, "POST", &format!("{path}/resize"), &body);
        });
    }

    fn expect(&mut self, order: &Order, start: Mix) {
        self.conduct = Some(Arc::new(Mutex::new(Conduct::new(order, start))));
    }
}
