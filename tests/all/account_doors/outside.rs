//! What is let in, and what the front refuses before a handler sees it.

use lowtide::base::Span;
use lowtide::emulator::outside::{Modes, wall_clock};
use reqwest::Method;
use serde_json::Value;

use crate::account_facts::{OF_THE_FRONT, differ};
use crate::azure::facts::facts;

use super::doors::{open, refusal, whole};

const POOL: &str = "/pools/p0?api-version=2025-06-01";
const RESIZE: &str = "/pools/p0/resize?api-version=2025-06-01";

#[tokio::test]
async fn a_signed_request_is_answered_with_the_headers_of_the_service() {
    let account = whole().await;
    let request = account
        .signed(Method::GET, POOL, None, wall_clock())
        .header("client-request-id", "mine")
        .header("return-client-request-id", "true");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    for (name, value) in [
        ("etag", "0x8D1"),
        ("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("dataserviceversion", "3.0"),
        ("server", "Microsoft-HTTPAPI/2.0"),
        ("client-request-id", "mine"),
        ("content-type", "application/json;odata=minimalmetadata"),
    ] {
        assert_eq!(response.headers()[name], value, "{name}");
    }
    assert_eq!(response.headers()["request-id"].len(), 36);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["id"], "p0");
    let kind = format!("http://{}/$metadata#pools/@Element", account.http);
    assert_eq!(body["odata.metadata"], Value::String(kind));
    let head = account.send(Method::HEAD, POOL, None).await.unwrap();
    assert_eq!(head.status(), 200);
}

#[tokio::test]
async fn what_the_front_refuses() {
    let account = whole().await;
    let long = "x".repeat((1 << 20) + 1);
    for (method, path, body, status, code) in [
        (
            Method::GET,
            "/pools/p0",
            None,
            400,
            "MissingRequiredQueryParameter",
        ),
        (
            Method::GET,
            "/pools/p0?api-version=latest",
            None,
            400,
            "UnsupportedRequestVersion",
        ),
        (
            Method::GET,
            "/pools/p0?api-version=2025-6-1",
            None,
            400,
            "UnsupportedRequestVersion",
        ),
        (
            Method::GET,
            "/pools/p0?api-version=2024-02-01.19",
            None,
            400,
            "UnsupportedRequestVersion",
        ),
        (
            Method::GET,
            "/pools/p0?api-version=2025-06-01&timeOut=0",
            None,
            400,
            "InvalidQueryParameterValue",
        ),
        (
            Method::GET,
            "/pools/p1?api-version=2025-06-01",
            None,
            404,
            "PoolNotFound",
        ),
        (
            Method::GET,
            "/lakes?api-version=2025-06-01",
            None,
            404,
            "ResourceNotFound",
        ),
        (
            Method::GET,
            "/?api-version=2025-06-01",
            None,
            404,
            "ResourceNotFound",
        ),
        (Method::PUT, POOL, Some("{}"), 405, "UnsupportedHttpVerb"),
        (Method::POST, RESIZE, Some("{"), 400, "InvalidRequestBody"),
        (
            Method::POST,
            RESIZE,
            Some(long.as_str()),
            413,
            "RequestBodyTooLarge",
        ),
        (
            Method::GET,
            "/broken?api-version=2025-06-01",
            None,
            500,
            "InternalError",
        ),
    ] {
        let response = account.send(method, path, body).await.unwrap();
        let (got, said, _) = refusal(response).await;
        assert_eq!((got, said.as_str()), (status, code), "{path}");
    }
}

#[tokio::test]
async fn versions_of_both_forms_and_parameters_in_any_case_are_taken() {
    let account = whole().await;
    for path in [
        "/pools/p0?api-version=2024-02-01.19.0",
        "/pools/p0?API-Version=2025-06-01",
        "/pools/p0?api-version=2099-12-31&timeOut=30&unknown=1",
    ] {
        let response = account.send(Method::GET, path, None).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn conditions_guard_writes_and_spare_reads() {
    let account = whole().await;
    for (method, path, name, value, status) in [
        (Method::GET, POOL, "if-none-match", "\"0x8D1\"", 304),
        (
            Method::GET,
            POOL,
            "if-modified-since",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            304,
        ),
        (Method::GET, POOL, "if-none-match", "0x8D0", 200),
        (Method::POST, RESIZE, "if-match", "0x8D0", 412),
        (Method::POST, RESIZE, "if-match", "*", 202),
    ] {
        // Conditional headers are signed too: the token needs no signature.
        let token = account.token("https://batch.core.windows.net/").await;
        let request = account
            .client
            .request(method, account.secure(path))
            .bearer_auth(token);
        let response = request.header(name, value).send().await.unwrap();
        assert_eq!(response.status(), status, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_request_without_proof_is_not_let_in() {
    let account = whole().await;
    let bare = account.client.get(account.plain(POOL)).send().await.unwrap();
    assert!(
        bare.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Bearer")
    );
    assert_eq!(refusal(bare).await.0, 401);
    let old = account.signed(Method::GET, POOL, None, wall_clock() - Span::minutes(16));
    let (status, code, detail) = refusal(old.send().await.unwrap()).await;
    assert_eq!((status, code.as_str()), (403, "AuthenticationFailed"));
    assert!(detail.contains("15 minutes"), "{detail}");
    let forged = account
        .signed(Method::GET, POOL, None, wall_clock())
        .header("if-match", "*");
    let (status, _, detail) = refusal(forged.send().await.unwrap()).await;
    assert_eq!(status, 403);
    assert!(detail.contains("string to sign: 'GET\n"), "{detail}");
}

#[tokio::test]
async fn tokens_are_taken_over_https_and_of_their_own_audience() {
    let account = whole().await;
    let token = account.token("https://batch.core.windows.net/").await;
    let arm = account.token("https://management.azure.com/").await;
    for (address, token, status) in [
        (account.secure(POOL), &token, 200),
        (account.plain(POOL), &token, 401),
        (account.secure(POOL), &arm, 401),
    ] {
        let response = account
            .client
            .get(&address)
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{address}");
    }
}

#[tokio::test]
async fn an_account_for_tokens_refuses_keys() {
    let account = open(Modes::TOKENS, "{}", Span::ZERO).await;
    let response = account.send(Method::GET, POOL, None).await.unwrap();
    let (status, _, detail) = refusal(response).await;
    assert_eq!(status, 403);
    assert!(detail.contains("SharedKey is not allowed"), "{detail}");
}

#[tokio::test]
async fn refusals_read_as_the_service_was_seen_to_write_them() {
    let account = whole().await;
    let tokens = open(Modes::TOKENS, "{}", Span::ZERO).await;
    let busy = open(
        Modes::BOTH,
        r#"{"faults": [{"kind": "tooManyRequests"}]}"#,
        Span::ZERO,
    )
    .await;
    let other = account.token("https://management.azure.com/").await;
    let forged = account.signed(Method::GET, POOL, None, wall_clock());
    let elsewhere = account.client.get(account.secure(POOL)).bearer_auth(other);
    let counts = "/nodecounts?api-version=2025-06-01";
    // In the order of `OF_THE_FRONT`.
    let refusals = [
        forged.header("if-match", "*").send().await,
        elsewhere.send().await,
        tokens.send(Method::GET, POOL, None).await,
        busy.send(Method::GET, counts, None).await,
    ];
    let facts = facts();
    for (name, response) in OF_THE_FRONT.into_iter().zip(refusals) {
        let fact = facts.iter().find(|fact| fact.name == name).unwrap();
        let response = response.unwrap();
        assert_eq!(response.status(), fact.answer.status, "{name}");
        let body: Value = response.json().await.unwrap();
        let wanted = fact.answer.body.as_ref().unwrap();
        let mut wrong = Vec::new();
        differ(wanted, &body, "", &mut wrong);
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
        let sentence = |body: &Value| {
            let text = body["message"]["value"].as_str().unwrap();
            text.lines().next().unwrap().to_owned()
        };
        assert_eq!(sentence(&body), sentence(wanted), "{name}");
    }
}

#[tokio::test]
async fn images_are_listed_filtered_and_cut() {
    let account = whole().await;
    let path = "/supportedimages?api-version=2025-06-01&maxresults=1&$filter=osType%20eq%20%27linux%27";
    let mut next = Some(path.to_owned());
    let mut agents = Vec::new();
    while let Some(path) = next {
        let body: Value = account
            .send(Method::GET, &path, None)
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let [image] = body["value"].as_array().unwrap().as_slice() else {
            panic!("a page of one: {body}");
        };
        agents.push(image["nodeAgentSKUId"].as_str().unwrap().to_owned());
        let link = body["odata.nextLink"].as_str();
        next = link.map(|link| link.strip_prefix(&account.plain("")).unwrap().to_owned());
    }
    assert!(agents.is_sorted() && 3 < agents.len(), "{agents:?}");
    assert!(!agents.iter().any(|agent| agent.contains("windows")));
}
