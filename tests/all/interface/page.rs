//! The dashboard: its files, and what the interface tells it alone.

use std::sync::{Arc, Mutex};

use lowtide::azure::Stop;
use lowtide::base::Timestamp;
use lowtide::engine::Entry;
use lowtide::formula::documented::PENDING_TASKS;
use lowtide::formula::{Formula, Scope};
use lowtide::policy::{Policies, read};
use lowtide::serve::http::{Door, History, HttpSettings, PlanError, Planner, Site, Stands};
use lowtide::serve::{Board, Control, Metrics, Written};
use lowtide::sim::cluster::{Eviction, Setup};
use lowtide::sim::{Contender, Options, backtest_one, demo};
use lowtide::store::Store;
use lowtide::store::report::{Stretch, Tally};
use lowtide::world::line;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{READ_TOKEN, Served, open, schema, serve, tokens};

const POLICY: &str = "version: 1\npool: farm\ninterval: 1m\ndemand: [ { backlog: { drainWithin: 5m } } ]\n\
    bounds: { total: [0, 40] }\nmix: { objective: expectedCost, prices: { dedicated: 0.2, spot: 0.04 } }\n";

/// Returns the names that a text of the page refers to.
fn referred(text: &str) -> Vec<String> {
    let quoted = text.split('"').skip(1).step_by(2);
    let local = quoted.filter(|name| name.starts_with("/page/") || name.starts_with("./"));
    let name = |name: &str| {
        format!(
            "/page/{}",
            name.trim_start_matches("/page/").trim_start_matches("./")
        )
    };
    local.map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_whole_and_may_load_nothing_else() {
    let mut settings = HttpSettings::loopback();
    settings.listen = "0.0.0.0:0".parse().unwrap();
    // Reads need a token here; the page does not, or nobody could enter one.
    let mut served = serve(settings, tokens()).await;
    served.url = served.url.replace("0.0.0.0", "127.0.0.1");
    let mut open: Vec<String> = vec!["/".to_owned()];
    let mut seen: Vec<String> = Vec::new();
    while let Some(path) = open.pop() {
        if seen.contains(&path) {
            continue;
        }
        let response = served.ask(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers().clone();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("script-src 'self';"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        let tag = headers["etag"].to_str().unwrap().to_owned();
        let again = served
            .ask(Method::GET, &path)
            .header("if-none-match", &tag)
            .send()
            .await
            .unwrap();
        assert_eq!(again.status(), 304, "{path}");
        let text = response.text().await.unwrap();
        for foreign in ["https://", "http://"] {
            let named = text
                .lines()
                .filter(|line| line.contains(foreign) && !line.contains("www.w3.org"));
            let loads = named.filter(|line| !path.contains("vendor") && !line.trim_start().starts_with("//"));
            assert_eq!(loads.count(), 0, "{path} names another site");
        }
        if !path.contains("vendor") {
            open.extend(referred(&text));
        }
        seen.push(path);
    }
    for part in [
        "/page/main.js",
        "/page/pool.js",
        "/page/vendor/uplot/uplot.js",
        "/page/base.css",
        "/page/icon.svg",
    ] {
        assert!(
            seen.contains(&part.to_owned()),
            "{part} is not reached from the page"
        );
    }
    assert_eq!(served.get("/api/v1/pools").await.0, 401);
    assert_eq!(served.get("/page/nothing.js").await.0, 401);
}

/// A sidecar that has steered a day of builds.
async fn after_a_day() -> Served {
    let (store, standing, end) = a_day();
    enter(store, standing, end).await
}

/// What a day of builds leaves: the ledger, what is known of it now, and when it ended.
pub(super) fn a_day() -> (Store, (Board, Arc<Mutex<Metrics>>), Timestamp) {
    let (policy, findings) = read("farm", POLICY, &mut |_| Err(String::new()));
    let policy = policy.unwrap_or_else(|| panic!("{:?}", findings.policy));
    let store = Store::in_memory();
    let board = Board::new(demo::workload().start);
    let metrics = Arc::new(Mutex::new(Metrics::new().unwrap()));
    let mut end = demo::workload().start;
    let options = Options {
        setup: Setup {
            task_slots_per_node: 4,
            eviction: Eviction::Constant {
                per_node_hour: 0.2,
                back_after: lowtide::base::Span::minutes(5),
            },
            ..Setup::default()
        },
        ..Options::default()
    };
    let mut keep = |entry: &Entry<'_>| {
        let text = line(entry);
        let number = store.keep(&text).unwrap();
        board.take(entry, &text, Some(number));
        metrics.lock().unwrap().take(entry);
        if let Entry::Decided { decision, .. } = entry {
            end = end.max(decision.at);
        }
        Ok(())
    };
    let run = backtest_one(
        &Contender::Policy(policy),
        &demo::workload(),
        &options,
        0,
        Some(&mut keep),
        &|_| {},
    );
    assert!(run.unwrap().evictions > 0, "the day has evictions");
    let written = Written {
        text: POLICY.to_owned(),
        ..Written::default()
    };
    board.write(|standing| standing.written = Arc::new([("farm".to_owned(), written)].into()));
    (store, (board, metrics), end)
}

async fn enter(store: Store, standing: (Board, Arc<Mutex<Metrics>>), now: Timestamp) -> Served {
    enter_with(store, standing, now, None).await
}

/// Opens the interface of a sidecar whose past is also elsewhere.
pub(super) async fn enter_with(
    store: Store,
    (board, metrics): (Board, Arc<Mutex<Metrics>>),
    now: Timestamp,
    history: Option<History>,
) -> Served {
    let control = Control::new(Stop::default());
    let door = Door::open(&HttpSettings::loopback()).await.unwrap();
    let site = Site::new(Stands {
        account: "acme".to_owned(),
        board: board.clone(),
        metrics,
        control: control.clone(),
        memory: Some(store),
        history,
        planner: Planner::new(|_: &Policies| Err(PlanError("nobody plans here".to_owned()))),
        dry_run: false,
        now: Arc::new(move || now),
    });
    let url = door.url();
    let pages = site.pages(axum::Router::new(), HttpSettings::loopback(), tokens());
    let (stop, mut stopped) = watch::channel(());
    let until = async move {
        let _ = stopped.changed().await;
    };
    tokio::spawn(door.open_for(pages, (board.clone(), tokens()), until));
    Served {
        url,
        board,
        control,
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        _stop: stop,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_told_in_points_and_marks_that_can_be_explained() {
    let served = after_a_day().await;
    let (_, document) = served.get("/api/v1/openapi.json").await;
    let path = "/api/v1/pools/farm/series?from=26h&points=120";
    let (status, told) = served.get(path).await;
    assert_eq!(status, 200, "{told}");
    schema::check(&document, ("get", path, 200), &told);
    let column = |name: &str| told[name].as_array().unwrap();
    let length = column("at").len();
    assert!((60..=125).contains(&length), "{length} points");
    for name in [
        "dedicated",
        "spot",
        "targetSpot",
        "asked",
        "waiting",
        "running",
        "preempted",
        "costHourly",
    ] {
        assert_eq!(column(name).len(), length, "{name}");
    }
    assert!(
        column("waiting")
            .iter()
            .any(|waiting| waiting.as_f64() > Some(0.0)),
        "nobody ever waits"
    );
    assert!(
        column("costHourly").iter().any(|cost| cost.as_f64() > Some(0.0)),
        "nothing costs anything"
    );
    assert!(told["decisions"].as_u64() > Some(1_000) && told["whole"] == true);
    let marks = column("marks");
    assert!(!marks.is_empty() && marks.len() <= 300, "{}", marks.len());
    for mark in marks.iter().step_by(marks.len() / 5 + 1) {
        let at = mark["at"].as_str().unwrap();
        let (_, explained) = served.get(&format!("/api/v1/pools/farm/explain?at={at}")).await;
        assert_eq!(explained["number"], mark["number"], "{mark}");
        assert!(!explained["decision"]["steps"].as_array().unwrap().is_empty());
    }
    for wrong in ["from=40d", "from=1h&to=2h", "from=soon", "pints=3"] {
        assert_eq!(
            served.get(&format!("/api/v1/pools/farm/series?{wrong}")).await.0,
            400,
            "{wrong}"
        );
    }
    let (_, empty) = served.get("/api/v1/pools/nobody/series").await;
    assert_eq!(empty["at"], json!([]));
    let (_, pools) = served.get("/api/v1/pools").await;
    let measures = &pools["pools"][0]["measures"];
    assert!(
        measures["evicted"].as_u64() > Some(0) && measures["spent"].as_f64() > Some(0.1),
        "{measures}"
    );
    assert!(measures["waitedP95Seconds"].as_f64() > Some(0.0), "{measures}");
    let (_, account) = served.get("/api/v1/account").await;
    assert_eq!(account["spent"], measures["spent"], "{account}");
}

#[tokio::test(flavor = "multi_thread")]
async fn savings_are_those_of_the_report() {
    let (store, standing, end) = a_day();
    let formula = Formula::compile(PENDING_TASKS, &Scope::default()).unwrap();
    let reported = store.savings(&Stretch::default(), &formula).unwrap().remove(0);
    let served = enter(store, standing, end).await;
    let (_, document) = served.get("/api/v1/openapi.json").await;
    let path = "/api/v1/savings?for=7d";
    let (status, told) = served.get(path).await;
    assert_eq!(status, 200, "{told}");
    schema::check(&document, ("get", path, 200), &told);
    assert_eq!(told["whole"], true);
    let total = &told["total"];
    for (name, reported) in [
        ("held", reported.held.0),
        ("allDedicated", reported.all_dedicated.0),
        ("formula", reported.formula.0),
        ("heldBesideFormula", reported.held.0),
        ("hours", reported.hours),
    ] {
        let told = total[name].as_f64().unwrap();
        assert!(
            reported > 0.1 && (told - reported).abs() < 1e-6,
            "{name}: {told} {reported}"
        );
    }
    assert_eq!(told["pools"][0]["saved"], *total, "there is one pool");
    assert_eq!(told["assumes"].as_array().unwrap().len(), 3);
    let (_, nobody) = served.get("/api/v1/savings?pool=nobody").await;
    assert_eq!(
        (&nobody["pools"], &nobody["total"]["held"]),
        (&json!([]), &json!(0.0))
    );
    for wrong in ["for=30d", "pool=a/b", "since=1h"] {
        assert_eq!(
            served.get(&format!("/api/v1/savings?{wrong}")).await.0,
            400,
            "{wrong}"
        );
    }
}

#[test]
fn a_tally_comes_to_the_same_however_small_its_slices_are() {
    let (store, _, end) = a_day();
    let mut whole = Tally::of_the_last(lowtide::base::Span::days(7), end);
    assert!(store.tally(&mut whole, usize::MAX).unwrap());
    let mut sliced = Tally::of_the_last(lowtide::base::Span::days(7), end);
    let mut slices = 0;
    while !store.tally(&mut sliced, 97).unwrap() {
        slices += 1;
    }
    assert!(slices > 10, "{slices} slices");
    assert_eq!(sliced.sums(), whole.sums());
    assert!(store.tally(&mut whole, 1).unwrap(), "nothing follows");
    assert_eq!(sliced.sums(), whole.sums());
    // Of an hour, the hour in which it begins counts whole.
    let mut hour = Tally::of_the_last(lowtide::base::Span::hours(1), end);
    store.tally(&mut hour, usize::MAX).unwrap();
    let counted = hour.sums().pools.into_values().next().unwrap().hours;
    assert!((0.5..=2.0).contains(&counted), "{counted} hours");
}

/// Asks what another policy would have made of it, as a page of this sidecar does: without a token.
async fn what_if(served: &Served, text: &str) -> (u16, Value) {
    let asked = served.ask(Method::POST, "/api/v1/pools/farm/what-if");
    served
        .told(asked.json(&json!({ "text": text, "for": "2d" })))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_policy_is_tried_on_the_past_and_nothing_is_written() {
    let served = after_a_day().await;
    let (_, document) = served.get("/api/v1/openapi.json").await;
    let (_, before) = served.get("/api/v1/pools/farm/decisions?limit=1").await;
    let path = "/api/v1/pools/farm/what-if";
    let (status, same) = what_if(&served, POLICY).await;
    assert_eq!(status, 200, "{same}");
    schema::check(&document, ("post", path, 200), &same);
    assert_eq!(
        same["present"], same["changed"],
        "the same policy comes to the same"
    );
    assert!(
        same["tasks"].as_u64() > Some(400) && same["recordedCost"].as_f64() > Some(0.1),
        "{same}"
    );
    assert!(
        same["assumes"][0].as_str().unwrap().contains("times an hour"),
        "{}",
        same["assumes"]
    );
    let (_, slow) = what_if(&served, &POLICY.replace("drainWithin: 5m", "drainWithin: 1h")).await;
    let figure = |of: &str, name: &str| slow[of][name].as_f64().unwrap();
    assert_eq!(slow["present"], same["present"]);
    assert!(
        figure("changed", "waitP95Seconds") > 2.0 * figure("present", "waitP95Seconds"),
        "{slow}"
    );
    assert!(figure("changed", "cost") < figure("present", "cost"), "{slow}");
    for (text, word) in [
        (POLICY.replace("bounds", "bonds"), "did you mean"),
        (POLICY.replace("pool: farm", "pool: other"), "speaks of other"),
        (
            POLICY.replace(
                "backlog: { drainWithin: 5m }",
                "formula: { file: own.formula, role: targets }",
            ),
            "names no `own.formula`",
        ),
    ] {
        let (status, told) = what_if(&served, &text).await;
        assert_eq!(status, 422, "{told}");
        schema::check(&document, ("post", path, 422), &told);
        assert!(told.to_string().contains(word), "{word}: {told}");
    }
    let (_, faulty) = what_if(&served, &POLICY.replace("bounds", "bonds")).await;
    assert_eq!(
        (&faulty["faults"][0]["line"], &faulty["faults"][0]["column"]),
        (&json!(5), &json!(1))
    );
    let (_, after) = served.get("/api/v1/pools/farm/decisions?limit=1").await;
    assert_eq!(before, after, "the ledger is as it was");
    let foreign = served
        .ask(Method::POST, path)
        .header("origin", "https://evil.example");
    assert_eq!(served.told(foreign.json(&json!({ "text": POLICY }))).await.0, 403);
    let read = served
        .ask(Method::POST, path)
        .bearer_auth(READ_TOKEN)
        .json(&json!({ "text": POLICY, "for": "9d" }));
    assert_eq!(served.told(read).await.0, 400);
    let (_, text) = served.get("/api/v1/policies/farm").await;
    schema::check(&document, ("get", "/api/v1/policies/farm", 200), &text);
    assert_eq!(text["text"], POLICY);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_task_was_seen_nothing_can_be_tried() {
    let served = open().await;
    let policy = super::POLICY;
    let asked = served
        .ask(Method::POST, "/api/v1/pools/render/what-if")
        .json(&json!({ "text": policy }));
    let (status, told) = served.told(asked).await;
    assert_eq!(
        (status, &told["type"]),
        (409, &json!("urn:lowtide:problem:nothing-recorded")),
        "{told}"
    );
    let unknown = served
        .ask(Method::POST, "/api/v1/pools/rendr/what-if")
        .json(&json!({ "text": policy }));
    assert_eq!(served.told(unknown).await.0, 404);
    assert_eq!(served.get("/api/v1/policies/nobody").await.0, 404);
}
