//! The interface of the sidecar over real sockets: answers against their description, who may do what, limits, events.

mod events;
mod guard;
mod history;
mod page;
mod schema;

use std::sync::{Arc, Mutex};

use lowtide::account::{Order, PoolState, Receipt};
use lowtide::azure::Stop;
use lowtide::base::{Mix, Nodes, Timestamp};
use lowtide::decision::Memory;
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};
use lowtide::policy::{Policies, read};
use lowtide::serve::http::{Door, HttpSettings, PlanLook, Planner, Site, Stands, Texts, Tokens};
use lowtide::serve::{Board, Book, Control, Folder, Metrics, Steered};
use lowtide::store::Store;
use lowtide::world::glance;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::watch;

pub(crate) const TOKEN: &str = "write-token-0123456789abcdef";
const READ_TOKEN: &str = "read-token-0123456789abcdef";

/// A policy that wants three nodes.
const POLICY: &str = "version: 1\npool: render\ninterval: 60s\n\
    demand: [ { formula: { role: targets, text: \"$TargetDedicatedNodes = 3;\" } } ]\n\
    mix: { prices: { dedicated: 0.2, spot: 0.04 } }\nbounds: { total: [0, 20] }\n";

/// A world with one pool, which takes what it is ordered, and ends after so many looks.
struct Small {
    now: Timestamp,
    looks: u32,
    target: Mix,
}

impl Small {
    fn new(looks: u32) -> Self {
        Self {
            now: "2026-11-22T09:00:00Z".parse().unwrap(),
            looks,
            target: Mix::new(1, 0),
        }
    }
}

impl World for Small {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.looks = self.looks.checked_sub(1)?;
        self.now = self.now.max(at);
        Some(self.now)
    }

    fn observe(&mut self, _: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let mut pool = PoolState::new("render".parse().unwrap());
        pool.target = self.target;
        pool.current = self.target;
        pool.nodes.usable = self.target.total();
        pool.nodes.idle = Nodes(1);
        into.push(pool);
        Ok(())
    }

    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        self.target = order.target;
        Receipt::Accepted
    }
}

fn policies() -> Policies {
    let (policy, findings) = read("fixed", POLICY, &mut |_| Err(String::new()));
    Policies::from(vec![policy.unwrap_or_else(|| panic!("{:?}", findings.policy))])
}

/// The interface of a sidecar that has looked twice.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) board: Board,
    pub(crate) control: Control,
    pub(crate) http: reqwest::Client,
    _stop: watch::Sender<()>,
}

pub(crate) fn tokens() -> Tokens {
    let source = || {
        Ok(Texts {
            write: Some(TOKEN.into()),
            read: Some(READ_TOKEN.into()),
        })
    };
    Tokens::with(Arc::new(source)).unwrap()
}

/// Opens the interface; must be called where a runtime is.
pub(crate) async fn serve(settings: HttpSettings, tokens: Tokens) -> Served {
    let board = Board::new("2026-11-22T08:59:00Z".parse().unwrap());
    let control = Control::new(Stop::default());
    let store = Store::in_memory();
    let metrics = Arc::new(Mutex::new(Metrics::new().unwrap()));
    let door = Door::open(&settings).await.unwrap();
    let planner = Planner::new(|policies| {
        let mut world = Small::new(2);
        let glance = glance(&mut world, policies, Memory::default());
        let glance = glance.map_err(|error| lowtide::serve::http::PlanError(error.message))?;
        Ok(PlanLook {
            at: glance.at,
            decisions: glance
                .decisions
                .iter()
                .map(|decision| (decision.clone(), None))
                .collect(),
            faults: Vec::new(),
        })
    });
    let site = Site::new(Stands {
        account: "acme".to_owned(),
        board: board.clone(),
        metrics: Arc::clone(&metrics),
        control: control.clone(),
        memory: Some(store.clone()),
        planner,
        history: None,
        dry_run: false,
        now: Arc::new(|| "2026-11-22T09:02:00Z".parse().unwrap()),
    });
    let parts = (Book::Store(store), board.clone(), control.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let (book, board, control) = parts;
        let folder = Folder::new("nowhere".into());
        let mut world = Steered::new(Small::new(2), book, board, control, folder).unwrap();
        world.metrics = metrics;
        run(&mut world, &policies(), Memory::default());
    });
    looked.await.unwrap();
    let url = door.url();
    let pages = site.pages(axum::Router::new(), settings, tokens.clone());
    let (stop, mut stopped) = watch::channel(());
    let until = async move {
        let _ = stopped.changed().await;
    };
    tokio::spawn(door.open_for(pages, (board.clone(), tokens.clone()), until));
    Served {
        url,
        board,
        control,
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        _stop: stop,
    }
}

impl Served {
    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Asks and returns status and body.
    pub(crate) async fn told(&self, request: RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.told(self.ask(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.told(self.ask(Method::POST, path).bearer_auth(TOKEN).json(body))
            .await
    }
}

async fn open() -> Served {
    // The crypto of the process; installed twice it is refused, which changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    serve(HttpSettings::loopback(), tokens()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_as_the_description_has_it() {
    let served = open().await;
    let (_, document) = served.get("/api/v1/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut told = Vec::new();
    for path in [
        "/api/v1/account",
        "/api/v1/policies",
        "/api/v1/savings",
        "/api/v1/savings?for=7d&pool=render",
        "/api/v1/pools",
        "/api/v1/pools/render",
        "/api/v1/pools/render/decisions?limit=1",
        "/api/v1/pools/render/decisions?from=2026-11-22T09:00:30Z&text=formula&reason=formula",
        "/api/v1/pools/render/series?from=2026-11-22T08:00:00Z",
        "/api/v1/pools/render/explain",
        "/api/v1/pools/render/explain?at=2026-11-22T09:00:30Z",
    ] {
        let (status, answer) = served.get(path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        schema::check(&document, ("get", path, 200), &answer);
        told.push(answer);
    }
    for (path, body, expected) in [
        ("/api/v1/plan", json!({}), 200),
        (
            "/api/v1/plan",
            json!({ "policies": [ { "name": "own", "text": POLICY.replace('3', "7") } ] }),
            200,
        ),
        (
            "/api/v1/plan",
            json!({ "policies": [ { "name": "own", "text": "version: 1\npool: x\nbonds: 3" } ] }),
            422,
        ),
        (
            "/api/v1/pools/render/pause",
            json!({ "scope": "in", "for": "2h", "why": "a release runs" }),
            200,
        ),
        ("/api/v1/pools/render/pause", json!({ "for": "soon" }), 400),
        ("/api/v1/pools/render/resume", json!({}), 200),
        ("/api/v1/reload", json!({}), 202),
    ] {
        let (status, answer) = served.post(path, &body).await;
        assert_eq!(status, expected, "{path}: {answer}");
        schema::check(&document, ("post", path, expected), &answer);
        told.push(answer);
    }
    for path in [
        "/api/v1/pools/rendr",
        "/api/v1/pools/render/explain?at=2020-01-01T00:00:00Z",
    ] {
        let (status, answer) = served.get(path).await;
        assert_eq!(status, 404, "{path}");
        schema::check(&document, ("get", path, 404), &answer);
        told.push(answer);
    }
    let told = told.iter().map(ToString::to_string).collect::<String>();
    assert!(
        !told.contains(TOKEN) && !told.contains(READ_TOKEN),
        "a token is told"
    );
    assert!(told.contains("did you mean render?"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pools_tell_what_was_decided_and_what_it_costs() {
    let served = open().await;
    let (_, pools) = served.get("/api/v1/pools").await;
    let pool = &pools["pools"][0];
    assert_eq!(pool["pool"], "render");
    assert_eq!(pool["verdict"], "steady");
    assert_eq!(pool["current"], json!({ "dedicated": 3, "spot": 0 }));
    assert_eq!(pool["receipt"]["result"], "accepted");
    let cost = pool["cost"]["now"].as_f64().unwrap();
    assert!((cost - 0.6).abs() < 1e-9, "{cost}");
    let (_, page) = served.get("/api/v1/pools/render/decisions?limit=1").await;
    assert_eq!(
        page["decisions"][0]["decision"]["order"],
        Value::Null,
        "the newest first"
    );
    let next = page["next"].as_u64().unwrap();
    let (_, page) = served
        .get(&format!("/api/v1/pools/render/decisions?limit=1&after={next}"))
        .await;
    assert_eq!(page["decisions"][0]["decision"]["order"]["dedicated"], 3);
    assert_eq!(page["next"], Value::Null);
    let (_, explained) = served
        .get("/api/v1/pools/render/explain?at=2026-11-22T09:00:10Z")
        .await;
    let text = explained["text"].as_str().unwrap();
    assert!(
        text.contains("order 1 dedicated + 0 spot → 3 dedicated + 0 spot"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_orders_nothing_and_tells_what_is_wrong_with_policies_in_its_place() {
    let served = open().await;
    let own = json!({ "policies": [ { "name": "own", "text": POLICY.replace("= 3", "= 7") } ] });
    let (_, plan) = served.post("/api/v1/plan", &own).await;
    assert_eq!(plan["changes"], true);
    assert_eq!(plan["decisions"][0]["order"]["dedicated"], 7);
    let (_, pools) = served.get("/api/v1/pools").await;
    assert_eq!(pools["pools"][0]["target"]["dedicated"], 3, "nothing was ordered");
    let other =
        json!({ "policies": [ { "name": "other", "text": POLICY.replace("pool: render", "pool: other") } ] });
    let (_, plan) = served.post("/api/v1/plan", &other).await;
    assert_eq!(plan["unmatched"], json!(["render"]));
    let wrong = json!({ "policies": [ { "name": "wrong", "text": format!("{POLICY}bonds: 3\n") } ] });
    let (status, problem) = served.post("/api/v1/plan", &wrong).await;
    assert_eq!(status, 422);
    assert_eq!(problem["faults"][0]["file"], "wrong");
    assert_eq!(problem["faults"][0]["line"], 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_kept_told_and_ended() {
    let served = open().await;
    let pause = json!({ "scope": "all", "for": "2h", "why": "a release runs", "by": "ada" });
    let (_, halts) = served.post("/api/v1/pools/r%2A/pause", &pause).await;
    assert_eq!(halts["pools"], json!(["render"]));
    let halt = json!({ "pool": "r*", "scope": "all", "until": "2026-11-22T11:02:00.000Z", "why": "a release runs", "by": "ada" });
    assert_eq!(halts["halts"], json!([halt]));
    assert!(served.control.take().look, "the loop looks at once");
    let (_, pool) = served.get("/api/v1/pools/render").await;
    assert_eq!(pool["pool"]["halt"]["why"], "a release runs");
    let (_, account) = served.get("/api/v1/account").await;
    assert_eq!(account["halts"][0]["pool"], "r*");
    // One way is allowed again, then the other.
    let (_, halts) = served
        .post("/api/v1/pools/r%2A/resume", &json!({ "scope": "out" }))
        .await;
    assert_eq!(halts["halts"][0]["scope"], "in");
    let (_, halts) = served.post("/api/v1/pools/r%2A/resume", &json!({})).await;
    assert_eq!(halts["halts"], json!([]));
    let (status, _) = served.post("/api/v1/reload", &json!({})).await;
    assert_eq!((status, served.control.take().reload), (202, true));
}
