//! Faults of the wire, as a client meets them.

use std::sync::atomic::Ordering;

use lowtide::base::Span;
use lowtide::emulator::outside::{Modes, wall_clock};
use reqwest::Method;

use super::doors::{open, refusal};

const POOL: &str = "/pools/p0?api-version=2025-06-01";
const RESIZE: &str = "/pools/p0/resize?api-version=2025-06-01";

#[tokio::test]
async fn a_burst_of_refusals_says_when_to_come_back_and_changes_nothing() {
    let faults = r#"{"faults": [{"kind": "tooManyRequests", "times": 1, "retryAfter": "3s"},
                               {"kind": "serverBusy", "times": 1}, {"kind": "internalError", "times": 1}]}"#;
    let account = open(Modes::BOTH, faults, Span::ZERO).await;
    for (status, code, after) in [
        (429, "TooManyRequests", Some("3")),
        (503, "ServerBusy", None),
        (500, "InternalError", None),
    ] {
        let response = account.send(Method::POST, RESIZE, Some("{}")).await.unwrap();
        let header = response.headers().get("retry-after");
        assert_eq!(header.map(|value| value.to_str().unwrap()), after);
        assert!(response.headers().contains_key("request-id"));
        let (got, said, _) = refusal(response).await;
        assert_eq!((got, said.as_str()), (status, code));
    }
    assert_eq!(account.resizes.load(Ordering::SeqCst), 0);
    let response = account.send(Method::POST, RESIZE, Some("{}")).await.unwrap();
    assert_eq!(response.status(), 202);
}

#[tokio::test]
async fn a_lost_answer_comes_after_the_effect_and_a_refused_connection_before() {
    for (kind, effects) in [("lost", 1), ("refused", 0)] {
        let faults = format!(r#"{{"faults": [{{"kind": "{kind}", "method": "POST", "times": 1}}]}}"#);
        let account = open(Modes::BOTH, &faults, Span::ZERO).await;
        let lost = account.send(Method::POST, RESIZE, Some("{}")).await;
        assert!(lost.is_err(), "{kind}: {lost:?}");
        assert_eq!(account.resizes.load(Ordering::SeqCst), effects, "{kind}");
        // The account goes on.
        let response = account.send(Method::POST, RESIZE, Some("{}")).await.unwrap();
        assert_eq!(response.status(), 202);
    }
}

#[tokio::test]
async fn a_timed_out_operation_took_effect() {
    let faults = r#"{"faults": [{"kind": "operationTimedOut"}]}"#;
    let account = open(Modes::BOTH, faults, Span::ZERO).await;
    let response = account.send(Method::POST, RESIZE, Some("{}")).await.unwrap();
    assert_eq!(refusal(response).await.1, "OperationTimedOut");
    assert_eq!(account.resizes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_torn_answer_breaks_off_in_its_body_over_both_doors() {
    let faults = r#"{"faults": [{"kind": "torn", "path": "/pools"}]}"#;
    let account = open(Modes::BOTH, faults, Span::ZERO).await;
    let torn = account.send(Method::GET, POOL, None).await.unwrap();
    assert_eq!(torn.status(), 200);
    assert!(torn.bytes().await.is_err());
    let token = account.token("https://batch.core.windows.net/").await;
    let request = account.client.get(account.secure(POOL)).bearer_auth(token);
    let torn = request.send().await.unwrap();
    assert_eq!(torn.status(), 200);
    assert!(torn.bytes().await.is_err());
    // An answer without a body breaks off in its first line.
    assert!(account.send(Method::POST, RESIZE, Some("{}")).await.is_err());
}

#[tokio::test]
async fn a_slow_answer_comes() {
    let faults = r#"{"faults": [{"kind": "slow", "delay": "0.05s"}]}"#;
    let account = open(Modes::BOTH, faults, Span::ZERO).await;
    let response = account.send(Method::POST, RESIZE, Some("{}")).await.unwrap();
    assert_eq!(response.status(), 202);
}

#[tokio::test]
async fn a_server_whose_clock_is_off_says_so_and_judges_by_it() {
    let account = open(Modes::BOTH, r#"{"clockSkew": "20m"}"#, Span::ZERO).await;
    let refused = account.send(Method::GET, POOL, None).await.unwrap();
    let date = refused.headers()["date"].to_str().unwrap().to_owned();
    let date = lowtide::emulator::asked::http_date(&date).unwrap();
    let off = date - wall_clock();
    assert!(Span::minutes(15) < off && off < Span::minutes(25), "{off}");
    assert_eq!(refusal(refused).await.0, 403);
    // A client that goes by the server's clock is let in.
    let corrected = account.signed(Method::GET, POOL, None, date);
    assert_eq!(corrected.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn faults_wait_for_their_time() {
    let faults = r#"{"faults": [{"kind": "serverBusy", "from": "1h", "for": "1m"}]}"#;
    for (minutes, status) in [(59, 200), (60, 503), (61, 200)] {
        let account = open(Modes::BOTH, faults, Span::minutes(minutes)).await;
        let response = account.send(Method::GET, POOL, None).await.unwrap();
        assert_eq!(response.status(), status, "{minutes}");
    }
}
