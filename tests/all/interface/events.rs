//! Server-sent events: what is heard, and how a listener goes on where it was.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Served, open};

/// Reads events until so many are there.
async fn heard(served: &Served, query: &str, last: Option<&str>, n: usize) -> Vec<(String, String, Value)> {
    let mut request = served.ask(Method::GET, &format!("/api/v1/events{query}"));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let mut response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let mut events = Vec::new();
    while events.len() < n {
        let piece = tokio::time::timeout(std::time::Duration::from_secs(20), response.chunk()).await;
        let piece = piece
            .expect("an event comes in time")
            .unwrap()
            .expect("the stream goes on");
        text.push_str(std::str::from_utf8(&piece).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| {
                let line = event.lines().find_map(|line| line.strip_prefix(name));
                line.map_or(String::new(), |value| value.trim().to_owned())
            };
            if event.contains("data:") {
                let data = serde_json::from_str(&field("data:")).unwrap();
                events.push((field("id:"), field("event:"), data));
            }
            text = rest.to_owned();
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_hears_what_happens_and_goes_on_where_it_was() {
    let served = open().await;
    // Everything since the beginning, for whoever says that it heard the first.
    let (_, _, first) = &heard(&served, "", Some("0-0"), 1).await[0];
    assert!(first["why"].as_str().unwrap().contains("another run"), "{first}");
    let listening = heard(&served, "", None, 3);
    let telling = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        for n in 0..3 {
            served.board.tell("health", &json!({ "n": n }).to_string());
        }
    };
    let (events, ()) = tokio::join!(listening, telling);
    let numbers: Vec<&Value> = events.iter().map(|(_, _, data)| &data["n"]).collect();
    assert_eq!(numbers, [&json!(0), &json!(1), &json!(2)]);
    assert_eq!(events[0].1, "health");
    // Whoever was away after the first hears the other two at once.
    let again = heard(&served, "", Some(&events[0].0), 2).await;
    assert_eq!(again, events[1..]);
    // From before the first event on, what the loop has told is there too, line by line.
    let run = events[0].0.split('-').next().unwrap();
    let decided = heard(
        &served,
        "?kinds=decided&pool=render",
        Some(&format!("{run}-0")),
        2,
    )
    .await;
    assert_eq!(decided[0].2["pool"], "render");
    assert_eq!(decided[0].2["kind"], "decided");
    assert_eq!(decided[0].2["order"]["dedicated"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_listen_and_places_come_back() {
    let served = open().await;
    let mut listeners = Vec::new();
    let refused = loop {
        let response = served.ask(Method::GET, "/api/v1/events").send().await.unwrap();
        if response.status() != 200 {
            break response;
        }
        listeners.push(response);
        assert!(listeners.len() < 200, "there is no limit");
    };
    assert_eq!((refused.status().as_u16(), listeners.len()), (503, 64));
    drop(listeners);
    for _ in 0..500 {
        // Whoever left is noticed when something is told.
        served.board.tell("health", "{}");
        if served
            .ask(Method::GET, "/api/v1/events")
            .send()
            .await
            .unwrap()
            .status()
            == 200
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no place came back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brief_listener_hears_which_pool_and_when() {
    let served = open().await;
    let listening = heard(&served, "?brief=true", None, 2);
    let telling = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let line = json!({ "kind": "decided", "pool": "render", "at": "2026-11-22T09:02:00.000Z", "seen": { "much": 7 } });
        served.board.tell("decided", &line.to_string());
        served.board.tell("health", &json!({ "n": 1 }).to_string());
    };
    let (events, ()) = tokio::join!(listening, telling);
    assert_eq!(events[0].1, "decided");
    assert_eq!(
        events[0].2,
        json!({ "pool": "render", "at": "2026-11-22T09:02:00.000Z" })
    );
    assert_eq!((events[1].1.as_str(), &events[1].2), ("health", &json!({})));
}
