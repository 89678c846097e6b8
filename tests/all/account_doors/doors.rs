//! An account with one pool behind the doors, on free ports of this machine, and a client that signs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use lowtide::azure::shared_key::{Key, Signed, Variant, authorization, string_to_sign};
use lowtide::base::{Span, Timestamp};
use lowtide::emulator::answer::{Answer, Refused};
use lowtide::emulator::asked::Asked;
use lowtide::emulator::body::Json;
use lowtide::emulator::faults::{HttpFaults, Wire};
use lowtide::emulator::listener::Doors;
use lowtide::emulator::outside::{AccountFacts, AccountKey, DEVELOPMENT_KEY, Modes, Outside, wall_clock};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A running account.
pub(super) struct Account {
    pub(super) http: SocketAddr,
    pub(super) https: SocketAddr,
    pub(super) client: Client,
    /// How many resizes took effect.
    pub(super) resizes: Arc<AtomicU32>,
    _stop: oneshot::Sender<()>,
    _folder: TempDir,
}

fn facts() -> AccountFacts {
    AccountFacts {
        location: "westeurope".to_owned(),
        is_user_subscription: false,
        dedicated_cores: 900,
        spot_cores: 300,
        family_cores: vec![("standardDSv5Family".to_owned(), 100)],
        pools_max: 100,
        jobs_max: 300,
        dedicated_cores_used: 8,
        spot_cores_used: 4,
    }
}

/// One pool, `p0`, that counts its resizes; `broken` panics.
fn handlers(resizes: &Arc<AtomicU32>) -> Router {
    let resizes = Arc::clone(resizes);
    let resize = move |asked: Asked, Json(_): Json<Value>| async move {
        asked.meets("0x8D1", Timestamp::EPOCH)?;
        resizes.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Refused>(
            Answer::empty(202)
                .version("0x8D1", Timestamp::EPOCH)
                .about("/pools/p0/resize"),
        )
    };
    let read = |asked: Asked, Path(id): Path<String>| async move {
        if id != "p0" {
            return Err(Refused::new(
                404,
                "PoolNotFound",
                "The specified pool does not exist.",
            ));
        }
        asked.meets("0x8D1", Timestamp::EPOCH)?;
        let padding = "x".repeat(20_000);
        Ok(
            Answer::read(json!({ "id": "p0", "displayName": padding }), "pools/@Element")
                .version("0x8D1", Timestamp::EPOCH),
        )
    };
    let broken = || async {
        let nothing = std::hint::black_box(None::<Answer>);
        nothing.expect("this handler is broken for a test")
    };
    Router::new()
        .route("/pools/{id}", get(read))
        .route("/pools/p0/resize", post(resize))
        .route("/broken", get(broken))
}

/// Opens an account that lets in these, with these faults, this long after its start.
pub(super) async fn open(modes: Modes, faults: &str, elapsed: Span) -> Account {
    // Every test binary chooses its provider of cryptography once; a second choice changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = TempDir::new().unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let doors = Doors::open(Some(any), Some((any, folder.path()))).await.unwrap();
    let http = doors.http().unwrap();
    let (https, certificate) = doors.https().unwrap();
    let certificate = Certificate::from_pem(&std::fs::read(certificate).unwrap()).unwrap();
    let faults: HttpFaults = serde_json::from_str(faults).unwrap();
    let key = AccountKey::parse(DEVELOPMENT_KEY).unwrap();
    let outside = Outside {
        modes,
        wire: Wire::new(faults, Arc::new(move || elapsed)),
        ..Outside::new("lowtide", &key, Arc::new(facts))
    };
    let resizes = Arc::new(AtomicU32::new(0));
    let (stop, stopped) = oneshot::channel();
    let handlers = handlers(&resizes);
    tokio::spawn(doors.serve(handlers, Arc::new(outside), async {
        let _ = stopped.await;
    }));
    let client = Client::builder()
        .tls_certs_only([certificate])
        .no_proxy()
        .build()
        .unwrap();
    Account {
        http,
        https,
        client,
        resizes,
        _stop: stop,
        _folder: folder,
    }
}

/// Opens an account without faults.
pub(super) async fn whole() -> Account {
    open(Modes::BOTH, "{}", Span::ZERO).await
}

impl Account {
    /// Returns an address behind the plain door.
    pub(super) fn plain(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// Returns an address behind the https door, by the name that its certificate has.
    pub(super) fn secure(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.https.port())
    }

    /// Sends a signed request, with a body or none.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
    ) -> reqwest::Result<Response> {
        self.signed(method, path, body, wall_clock()).send().await
    }

    /// Signs a request of that time as the Python client does.
    pub(super) fn signed(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
        at: Timestamp,
    ) -> RequestBuilder {
        let date = at.to_utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let length = body.unwrap_or_default().len().to_string();
        let (path_alone, query) = path.split_once('?').unwrap_or((path, ""));
        let headers = [("ocp-date", date.as_str()), ("content-length", length.as_str())];
        let signed = Signed {
            method: method.as_str(),
            account: "lowtide",
            path: path_alone,
            query,
            headers: &headers,
        };
        let text = string_to_sign(&signed, Variant::PYTHON);
        let signature = Key::parse(DEVELOPMENT_KEY).unwrap().sign(&text);
        let is_read = method == Method::GET;
        let request = self
            .client
            .request(method, self.plain(path))
            .header("ocp-date", date.as_str())
            .header("authorization", authorization("lowtide", &signature));
        match body {
            Some(body) => request.body(body.to_owned()),
            None if is_read => request,
            None => request.header("content-length", "0"),
        }
    }

    /// Gets a token of a managed identity.
    pub(super) async fn token(&self, resource: &str) -> String {
        let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=";
        let request = self
            .client
            .get(self.plain(path) + resource)
            .header("metadata", "true");
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

/// Returns status, code and the first particular of a refusal.
pub(super) async fn refusal(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (status, text(&body["code"]), text(&body["values"][0]["value"]))
}
