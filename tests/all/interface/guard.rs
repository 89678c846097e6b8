//! Who may do what, and what is told when somebody may not.

use std::path::Path;

use lowtide::serve::http::{HttpSettings, TlsFiles, Tokens};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use reqwest::Method;
use serde_json::{Value, json};

use super::{READ_TOKEN, Served, TOKEN, open, serve, tokens};

async fn kind(served: &Served, request: reqwest::RequestBuilder) -> (u16, String) {
    let (status, problem) = served.told(request).await;
    let kind = problem["type"]
        .as_str()
        .unwrap_or("")
        .trim_start_matches("urn:lowtide:problem:")
        .to_owned();
    if status >= 400 {
        assert!(!problem["wayOut"].as_str().unwrap_or("").is_empty(), "{problem}");
    }
    (status, kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_need_a_token_that_lets_write() {
    let served = open().await;
    let reload = || served.ask(Method::POST, "/api/v1/reload");
    for (request, expected) in [
        (reload(), (401, "token-needed")),
        (
            reload().bearer_auth("wrong-token-0123456789"),
            (401, "token-wrong"),
        ),
        (
            reload().header("authorization", "Basic YTpi"),
            (401, "token-wrong"),
        ),
        (reload().bearer_auth(READ_TOKEN), (403, "writes-closed")),
        (reload().bearer_auth(TOKEN), (202, "")),
        (
            served.ask(Method::GET, "/api/v1/reload").bearer_auth(TOKEN),
            (405, "wrong-method"),
        ),
        (served.ask(Method::GET, "/api/v1/nothing"), (404, "not-found")),
    ] {
        let told = kind(&served, request).await;
        assert_eq!((told.0, told.1.as_str()), expected);
    }
    let response = reload().send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"lowtide\"");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let closed = serve(HttpSettings::loopback(), Tokens::none()).await;
    let told = kind(&closed, closed.ask(Method::POST, "/api/v1/reload")).await;
    assert_eq!(told, (403, "writes-closed".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_open_on_loopback_and_to_names_that_are_ours() {
    let mut settings = HttpSettings::loopback();
    settings.names = vec!["sidecar.test".to_owned()];
    let served = serve(settings, tokens()).await;
    let with_host = |host: &str| served.ask(Method::GET, "/api/v1/pools").header("host", host);
    for (host, expected) in [
        ("localhost:9464", 200),
        ("127.0.0.1", 200),
        ("[::1]:9464", 200),
        ("Sidecar.test", 200),
        ("evil.example", 403),
        ("evil.example:9464", 403),
    ] {
        assert_eq!(kind(&served, with_host(host)).await.0, expected, "{host}");
    }
    // A token says enough.
    let told = served
        .told(with_host("evil.example").bearer_auth(READ_TOKEN))
        .await;
    assert_eq!(told.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_need_a_token_where_others_reach_the_door() {
    let mut settings = HttpSettings::loopback();
    settings.listen = "0.0.0.0:0".parse().unwrap();
    let mut served = serve(settings.clone(), tokens()).await;
    served.url = served.url.replace("0.0.0.0", "127.0.0.1");
    let pools = || served.ask(Method::GET, "/api/v1/pools");
    assert_eq!(kind(&served, pools()).await, (401, "token-needed".to_owned()));
    assert_eq!(served.told(pools().bearer_auth(READ_TOKEN)).await.0, 200);
    settings.open_reads = true;
    let mut served = serve(settings, tokens()).await;
    served.url = served.url.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(served.get("/api/v1/pools").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_is_refused_in_time() {
    let mut served = open().await;
    let large = json!({ "policies": [ { "name": "x", "text": "x".repeat(2 << 20) } ] });
    assert_eq!(served.post("/api/v1/plan", &large).await.0, 413);
    // The connection is closed on whoever still sends.
    served.http = reqwest::Client::builder().no_proxy().build().unwrap();
    let headers = served
        .ask(Method::GET, "/api/v1/pools")
        .header("x-much", "x".repeat(20_000));
    assert_eq!(
        kind(&served, headers).await,
        (431, "headers-too-large".to_owned())
    );
    let broken = served
        .ask(Method::POST, "/api/v1/plan")
        .bearer_auth(TOKEN)
        .body("{");
    assert_eq!(kind(&served, broken).await, (400, "bad-request".to_owned()));
    let unknown = served
        .ask(Method::POST, "/api/v1/pools/render/pause")
        .bearer_auth(TOKEN)
        .json(&json!({ "skope": "in" }));
    assert_eq!(kind(&served, unknown).await, (400, "bad-request".to_owned()));
    let unknown = served.ask(Method::GET, "/api/v1/pools/render/decisions?form=1h");
    assert_eq!(kind(&served, unknown).await, (400, "bad-request".to_owned()));
    let mut last = (0, Value::Null);
    for _ in 0..40 {
        last = served.post("/api/v1/reload", &json!({})).await;
        if last.0 != 202 {
            break;
        }
    }
    assert_eq!(last.0, 429, "{}", last.1);
    assert_eq!(last.1["retryAfter"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_carry_what_keeps_browsers_from_more() {
    let served = open().await;
    let response = served.ask(Method::GET, "/api/v1/pools").send().await.unwrap();
    for (name, expected) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ] {
        assert_eq!(response.headers()[name], expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_replaced_by_a_reload() {
    use std::sync::{Arc, Mutex};
    let text = Arc::new(Mutex::new(TOKEN.to_owned()));
    let shared = Arc::clone(&text);
    let source = move || {
        Ok(lowtide::serve::http::Texts {
            write: Some(shared.lock().unwrap().clone().into()),
            read: None,
        })
    };
    let served = serve(HttpSettings::loopback(), Tokens::with(Arc::new(source)).unwrap()).await;
    assert_eq!(served.post("/api/v1/reload", &json!({})).await.0, 202);
    *text.lock().unwrap() = "another-token-0123456789".to_owned();
    served.board.tell("reload", "{}");
    // It is read again by a task beside this one.
    for _ in 0..200 {
        if served.post("/api/v1/reload", &json!({})).await.0 == 401 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the old token still counts");
}

/// An authority, and what it has signed.
struct Authority {
    key: KeyPair,
    params: CertificateParams,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { key, params, pem }
    }

    /// A certificate and its key, PEM.
    fn sign(&self, names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let params = CertificateParams::new(names).unwrap();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let pem = params.signed_by(&key, &issuer).unwrap().pem();
        (pem, key.serialize_pem())
    }
}

fn write(folder: &Path, authority: &Authority) {
    let (certificate, key) = authority.sign(&["localhost", "127.0.0.1"]);
    std::fs::write(folder.join("tls.crt"), certificate).unwrap();
    std::fs::write(folder.join("tls.key"), key).unwrap();
}

fn client(authority: &Authority, identity: Option<(String, String)>) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(authority.pem.as_bytes()).unwrap();
    let mut builder = reqwest::Client::builder().no_proxy().tls_certs_only([root]);
    if let Some((certificate, key)) = identity {
        builder = builder.identity(reqwest::Identity::from_pem((certificate + &key).as_bytes()).unwrap());
    }
    builder.build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_client_authority_lets_write_and_no_other() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let (servers, clients, strangers) = (
        Authority::new("servers"),
        Authority::new("clients"),
        Authority::new("strangers"),
    );
    write(folder.path(), &servers);
    std::fs::write(folder.path().join("clients.pem"), &clients.pem).unwrap();
    let mut settings = HttpSettings::loopback();
    settings.tls = Some(TlsFiles {
        certificate: folder.path().join("tls.crt"),
        key: folder.path().join("tls.key"),
        client_authority: Some(folder.path().join("clients.pem")),
    });
    let mut served = serve(settings, tokens()).await;
    assert!(served.url.starts_with("https://"));
    served.http = client(&servers, None);
    let reload = |served: &Served| served.ask(Method::POST, "/api/v1/reload");
    assert_eq!(
        kind(&served, reload(&served)).await,
        (401, "token-needed".to_owned())
    );
    assert_eq!(
        served.told(reload(&served).bearer_auth(TOKEN)).await.0,
        202,
        "a token will do as well"
    );
    let response = served.ask(Method::GET, "/api/v1/pools").send().await.unwrap();
    assert!(response.headers().contains_key("strict-transport-security"));

    served.http = client(&servers, Some(clients.sign(&["operator"])));
    assert_eq!(served.told(reload(&served)).await.0, 202);
    let foreign = reload(&served).header("origin", "https://evil.example");
    assert_eq!(kind(&served, foreign).await, (403, "foreign-host".to_owned()));
    served.http = client(&servers, Some(strangers.sign(&["operator"])));
    assert!(
        reload(&served).send().await.is_err(),
        "a stranger's certificate opens nothing"
    );

    // Certificates are replaced while it runs.
    let renewed = Authority::new("renewed");
    write(folder.path(), &renewed);
    served.board.tell("reload", "{}");
    served.http = client(&renewed, None);
    for _ in 0..200 {
        if served.ask(Method::GET, "/api/v1/pools").send().await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the old certificate still counts");
}
