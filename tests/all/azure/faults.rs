//! A server with faults: what is tried again, after which pause, and what is not.

use std::time::Duration;

use lowtide::account::{Etag, NodeDeallocationOption};
use lowtide::azure::shared_key::{Key, Signed, Variant, string_to_sign};
use lowtide::azure::{Client, Clock, Credential, Fault, Limits, Query, Resize};
use lowtide::base::{Mix, Span};
use serde_json::json;

use super::desk::{Answer, Desk};
use super::{ACCOUNT, KEY, client_of, noon, settings, wait};

fn pool() -> Answer {
    Answer::json(
        200,
        &json!({ "id": "p", "targetDedicatedNodes": "5", "currentDedicatedNodes": 5.0, "eTag": "\"0x1\"" }),
    )
}

fn busy(status: u16, retry_after: &str) -> Answer {
    Answer::json(status, &json!({ "code": "TooManyRequests" })).with("retry-after", retry_after)
}

fn resize() -> Resize {
    Resize {
        target: Mix::new(1, 2),
        option: NodeDeallocationOption::Requeue,
        timeout: None,
    }
}

#[test]
fn numbers_in_quotes_and_versions_in_quotes_are_read() {
    let desk = Desk::script(vec![pool()]);
    let pool = wait(client_of(&desk).pool("p")).unwrap();
    assert_eq!((pool.target(), pool.current()), (Mix::new(5, 0), Mix::new(5, 0)));
    assert_eq!(pool.version(), Some(Etag("0x1".into())));
}

#[test]
fn a_server_that_is_busy_is_left_alone_as_long_as_it_asks() {
    let desk = Desk::script(vec![busy(429, "7"), busy(503, "11"), pool()]);
    let client = client_of(&desk);
    wait(client.pool("p")).unwrap();
    let waited: Duration = client.clock().pauses().iter().sum();
    assert!(waited >= Duration::from_secs(18), "{waited:?}");
    let traffic = client.traffic();
    assert_eq!((traffic.sent, traffic.repeated, traffic.throttled), (3, 2, 2));
}

#[test]
fn a_rest_that_is_longer_than_the_whole_time_is_told_at_once() {
    let desk = Desk::script(vec![busy(429, "3600")]);
    let client = client_of(&desk);
    let fault = wait(client.pool("p")).unwrap_err();
    assert!(fault.is_throttling(), "{fault:?}");
    assert!(client.clock().pauses().is_empty());
    assert_eq!(desk.asked().len(), 1);
}

#[test]
fn a_read_survives_answers_that_tear_and_get_lost() {
    let torn = Answer::Torn {
        body: "{\"id\":".to_owned(),
    };
    let desk = Desk::script(vec![torn, Answer::Lost, pool()]);
    assert_eq!(wait(client_of(&desk).pool("p")).unwrap().id, "p");
    assert_eq!(desk.asked().len(), 3);
}

#[test]
fn a_resize_is_sent_again_only_when_it_was_certainly_not_taken() {
    for (answer, times) in [
        (Answer::Lost, 1),
        (Answer::json(500, &json!({ "code": "InternalError" })), 1),
        (Answer::json(409, &json!({ "code": "PoolBeingResized" })), 1),
        (busy(429, "1"), 4),
        (busy(503, "1"), 4),
    ] {
        let desk = Desk::script(vec![answer.clone()]);
        let fault = wait(client_of(&desk).resize("p", &resize(), None)).unwrap_err();
        assert_eq!(desk.asked().len(), times, "{answer:?}: {fault}");
    }
}

#[test]
fn an_order_that_waits_is_not_sent_when_the_lead_is_lost_meanwhile() {
    let desk = Desk::script(vec![busy(429, "7"), Answer::empty(202)]);
    let client = client_of(&desk);
    let clock = client.clock().clone();
    let leads_until = clock.now() + Span::seconds(5);
    client.only_while(move || clock.now() < leads_until);
    let fault = wait(client.resize("p", &resize(), None)).unwrap_err();
    assert!(matches!(fault, Fault::NotLeading { .. }), "{fault:?}");
    assert!(!fault.may_have_happened());
    assert_eq!(
        fault.to_string(),
        "POST /pools/p/resize was not sent: the lead was lost before its turn came"
    );
    assert_eq!(
        desk.asked().len(),
        1,
        "before the service wanted to be left alone"
    );
}

#[test]
fn a_look_needs_no_lead() {
    let desk = Desk::script(vec![pool()]);
    let client = client_of(&desk);
    client.only_while(|| false);
    wait(client.pool("p")).unwrap();
}

#[test]
fn a_silent_server_is_not_waited_for() {
    let desk = Desk::script(vec![Answer::Silent]);
    let mut settings = settings(&desk.url);
    settings.limits.one_try = Duration::from_millis(50);
    let key = Credential::SharedKey(Key::parse(KEY).unwrap());
    let client = Client::new(settings, key, Clock::stepped(noon())).unwrap();
    let fault = wait(client.resize("p", &resize(), None)).unwrap_err();
    assert!(
        matches!(fault, Fault::TimedOut { .. }) && fault.may_have_happened(),
        "{fault:?}"
    );
    assert_eq!(desk.asked().len(), 1);
}

#[test]
fn nobody_at_the_door_is_said_with_a_way_out() {
    // Bound and closed again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let key = Credential::SharedKey(Key::parse(KEY).unwrap());
    let settings = settings(&format!("http://127.0.0.1:{port}"));
    let client = Client::new(settings, key, Clock::stepped(noon())).unwrap();
    let fault = wait(client.pool("p")).unwrap_err();
    assert!(matches!(fault, Fault::Unreachable { .. }), "{fault:?}");
    assert!(fault.help().unwrap().contains("check the endpoint"));
    assert_eq!(client.traffic().sent, 4);
}

#[test]
fn what_is_signed_is_what_is_sent() {
    let desk = Desk::script(vec![Answer::json(200, &json!({ "value": [] })), pool()]);
    let client = client_of(&desk);
    wait(async {
        let query = Query {
            filter: "startswith(id,'a+b c')",
            select: "id,state",
            page: Some(3),
        };
        client.pools(&query).await.unwrap();
        client.stop_resize("p", None).await.unwrap();
        client
            .resize("p", &resize(), Some(&Etag("0x1".into())))
            .await
            .unwrap();
    });
    let asked = desk.asked();
    assert_eq!(asked[1].header("content-length"), Some("0"));
    assert_eq!(asked[2].header("if-match"), Some("0x1"));
    for request in asked {
        let (path, query) = request.path.split_once('?').unwrap();
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let signed = Signed {
            method: &request.method,
            account: ACCOUNT,
            path,
            query,
            headers: &headers,
        };
        let text = string_to_sign(&signed, Variant::PYTHON);
        let signature = request
            .header("authorization")
            .unwrap()
            .strip_prefix("SharedKey emuacct:")
            .unwrap();
        assert!(Key::parse(KEY).unwrap().verifies(&text, signature), "{text:?}");
    }
}

#[test]
fn a_key_that_is_exchanged_signs_what_follows() {
    let desk = Desk::script(vec![pool(), pool()]);
    let client = client_of(&desk);
    let other = "b3RoZXI=";
    wait(client.pool("p")).unwrap();
    assert!(client.rekey(Key::parse(other).unwrap()));
    wait(client.pool("p")).unwrap();
    let signed_by = |request: &super::desk::Asked, key: &str| {
        let (path, query) = request.path.split_once('?').unwrap();
        let headers = [("ocp-date", request.header("ocp-date").unwrap())];
        let signed = Signed {
            method: &request.method,
            account: ACCOUNT,
            path,
            query,
            headers: &headers,
        };
        let signature = request.header("authorization").unwrap();
        let signature = signature.strip_prefix("SharedKey emuacct:").unwrap();
        Key::parse(key)
            .unwrap()
            .verifies(&string_to_sign(&signed, Variant::PYTHON), signature)
    };
    let asked = desk.asked();
    assert!(signed_by(&asked[0], KEY) && !signed_by(&asked[0], other));
    assert!(signed_by(&asked[1], other) && !signed_by(&asked[1], KEY));
}

#[test]
fn an_element_that_cannot_be_read_spoils_no_other() {
    let page = json!({ "value": [{ "id": "good" }, { "id": "bad", "targetDedicatedNodes": "many" }] });
    let desk = Desk::script(vec![Answer::json(200, &page)]);
    let pools = wait(client_of(&desk).pools(&Query::default())).unwrap();
    assert_eq!(pools.found[0].id, "good");
    assert_eq!(pools.unread[0].id.as_deref(), Some("bad"));
    assert!(pools.unread[0].why.contains("many"), "{pools:?}");
}

#[test]
fn pages_that_lead_in_a_circle_end() {
    let page = json!({ "value": [], "odata.nextLink": "/pools?$skiptoken=1" });
    let desk = Desk::script(vec![Answer::json(200, &page)]);
    let fault = wait(client_of(&desk).pools(&Query::default())).unwrap_err();
    assert!(fault.to_string().contains("read before"), "{fault}");
}

#[test]
fn what_is_no_answer_of_the_service_is_said_as_such() {
    let page = Answer::Whole {
        status: 200,
        headers: Vec::new(),
        body: "<html>log in</html>".to_owned(),
    };
    let desk = Desk::script(vec![page]);
    let fault = wait(client_of(&desk).pools(&Query::default())).unwrap_err();
    assert!(matches!(fault, Fault::Unreadable { .. }), "{fault:?}");
}

#[test]
fn requests_at_once_are_bounded_and_rated() {
    let desk = Desk::script(vec![pool()]);
    let mut settings = settings(&desk.url);
    settings.limits = Limits {
        per_second: 5.0,
        at_once: 2,
        ..Limits::default()
    };
    let key = Credential::SharedKey(Key::parse(KEY).unwrap());
    let client = Client::new(settings, key, Clock::stepped(noon())).unwrap();
    wait(async {
        for _ in 0..15 {
            client.pool("p").await.unwrap();
        }
    });
    // Ten go out at once after a rest of two seconds' worth; five a second from then on.
    let waited: Duration = client.clock().pauses().iter().sum();
    assert!((waited.as_secs_f64() - 1.0).abs() < 0.05, "{waited:?}");
}
