//! The past that the ledger no longer has, out of a server that answers range queries as Prometheus documents them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::routing::post;
use lowtide::serve::http::History;
use lowtide::source::{Environment, Exported, PassFile, PrometheusFile};
use serde_json::{Value, json};

use super::page::{a_day, enter_with};
use super::{Served, schema};

type Form = BTreeMap<String, String>;

/// A server with what it was asked.
struct Prometheus {
    url: String,
    asked: Arc<Mutex<Vec<Form>>>,
}

/// Series of a query: the labels of each, and the value that it has throughout.
fn series(query: &str) -> Vec<(Value, f64)> {
    if query.contains("lowtide_target_nodes") {
        let mut told = Vec::new();
        for (stage, dedicated, spot) in [("current", 2.0, 5.0), ("split", 3.0, 6.0), ("outcome", 2.0, 6.0)] {
            told.push((json!({ "class": "dedicated", "stage": stage }), dedicated));
            told.push((json!({ "class": "spot", "stage": stage }), spot));
        }
        return told;
    }
    if query.contains("lowtide_tasks") {
        let state = |state: &str| json!({ "state": state });
        return vec![(state("waiting"), 7.0), (state("running"), 20.0)];
    }
    vec![(json!({}), if query.contains("lowtide_nodes") { 1.0 } else { 0.6 })]
}

impl Prometheus {
    async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Form>>> = Arc::default();
        let kept = Arc::clone(&asked);
        let answer = move |body: String| {
            let url = reqwest::Url::parse(&format!("http://form/?{body}")).unwrap();
            let form: Form = url.query_pairs().into_owned().collect();
            kept.lock().unwrap().push(form.clone());
            async move { axum::Json(matrix(&form)) }
        };
        let pages = axum::Router::new().route("/prometheus/api/v1/query_range", post(answer));
        tokio::spawn(async move { axum::serve(listener, pages).await });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<Form> {
        self.asked.lock().unwrap().clone()
    }
}

fn matrix(form: &Form) -> Value {
    let number = |name: &str| form[name].parse::<f64>().unwrap();
    let (start, end, step) = (number("start"), number("end"), number("step"));
    let steps = ((end - start) / step).round() as u32;
    let values = |value: f64| -> Vec<Value> {
        let at = |n: u32| start + f64::from(n) * step;
        (0..=steps).map(|n| json!([at(n), value.to_string()])).collect()
    };
    let result: Vec<Value> = series(&form["query"])
        .into_iter()
        .map(|(metric, value)| json!({ "metric": metric, "values": values(value) }))
        .collect();
    json!({ "status": "success", "data": { "resultType": "matrix", "result": result } })
}

/// A sidecar that has steered a day of builds, and asks a server for what was before.
async fn beside(url: &str, all: bool) -> Served {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (store, standing, end) = a_day();
    let file = PrometheusFile {
        url: format!("{url}/prometheus"),
        pass: PassFile::default(),
        history: BTreeMap::new(),
    };
    let labels = [("job".to_owned(), "west".to_owned())].into();
    let server = Exported::new(&file, &labels, Environment::new(|_| None), None).unwrap();
    let server = Arc::new(server);
    enter_with(store, standing, end, Some(History { server, all })).await
}

/// Returns a column up to a moment, in seconds since 1970.
fn before(told: &Value, name: &str, until: f64) -> Vec<Value> {
    let at = told["at"].as_array().unwrap().iter();
    let column = told[name].as_array().unwrap().iter();
    at.zip(column)
        .filter(|(at, _)| at.as_f64().unwrap() < until)
        .map(|(_, value)| value.clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ledger_no_longer_has_is_asked_for_once() {
    let server = Prometheus::open().await;
    let served = beside(&server.url, false).await;
    let (_, document) = served.get("/api/v1/openapi.json").await;
    let path = "/api/v1/pools/farm/series?from=5d&points=120";
    let (status, told) = served.get(path).await;
    assert_eq!(status, 200, "{told}");
    schema::check(&document, ("get", path, 200), &told);
    assert_eq!(told["history"]["of"], "both", "{}", told["history"]);
    let until: lowtide::base::Timestamp = told["history"]["until"].as_str().unwrap().parse().unwrap();
    let until = until.unix_seconds();
    for (name, value) in [
        ("dedicated", json!(2)),
        ("spot", json!(4)),
        ("targetSpot", json!(6)),
        ("asked", json!(9)),
        ("waiting", json!(7.0)),
        ("running", json!(20.0)),
        ("preempted", json!(1)),
        ("costHourly", json!(0.6)),
    ] {
        let column = before(&told, name, until);
        assert!(
            column.len() > 60 && column.iter().all(|other| *other == value),
            "{name}: {column:?}"
        );
        assert_eq!(
            told[name].as_array().unwrap().len(),
            told["at"].as_array().unwrap().len(),
            "{name}"
        );
    }
    let at: Vec<f64> = told["at"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_f64)
        .collect();
    assert!(at.is_sorted() && at.len() <= 125, "{} points", at.len());
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    for form in &asked {
        assert!(form["query"].contains("pool=\"farm\",job=\"west\""), "{form:?}");
        assert_eq!(form["step"], "3600", "{form:?}");
    }
    served.get(path).await;
    assert_eq!(server.asked().len(), 4, "what is past is not asked for again");
    let (_, own) = served
        .get("/api/v1/pools/farm/series?from=5d&points=120&history=ledger")
        .await;
    assert_eq!(own["history"], json!({ "of": "ledger" }));
    let (_, near) = served.get("/api/v1/pools/farm/series?from=6h").await;
    assert_eq!(
        near["history"],
        json!({ "of": "ledger" }),
        "the ledger has it all"
    );
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_the_past_can_be_taken_from_there_and_the_decisions_stay_those_of_the_ledger() {
    let server = Prometheus::open().await;
    let served = beside(&server.url, true).await;
    let (_, told) = served.get("/api/v1/pools/farm/series?from=6h").await;
    assert_eq!(told["history"], json!({ "of": "prometheus" }));
    assert_eq!(
        before(&told, "spot", f64::MAX)
            .into_iter()
            .filter(|spot| *spot != json!(4))
            .count(),
        0
    );
    assert!(!told["marks"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_answers_the_ledger_stands_in_and_the_page_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let served = beside(&url, false).await;
    let (_, document) = served.get("/api/v1/openapi.json").await;
    let path = "/api/v1/pools/farm/series?from=5d";
    let (status, told) = served.get(path).await;
    assert_eq!(status, 200, "{told}");
    schema::check(&document, ("get", path, 200), &told);
    assert_eq!(told["history"]["of"], "ledger");
    let fault = told["history"]["fault"].as_str().unwrap();
    assert!(fault.contains("cannot be reached"), "{fault}");
    let (_, own) = served.get(&format!("{path}&history=ledger")).await;
    assert_eq!(told["at"], own["at"], "the ledger tells what it has");
    let plain = super::open().await;
    let (status, problem) = plain.get("/api/v1/pools/render/series?history=prometheus").await;
    assert_eq!(status, 400, "{problem}");
    assert!(
        problem["wayOut"].as_str().unwrap().contains("[history]"),
        "{problem}"
    );
}
