//! The one function through which every request goes: signed, rated, bounded, tried again where that is worth it.
//!
//! ```text
//! ask ─► turn in the queue ─► the rate allows it ─► sign ─► exchange ─► answer
//!  ▲                                                              └─ fault ─► worth another try? ─► pause ─┐
//!  └───────────────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use reqwest::{Method, Url};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::credential::Credential;
use super::rate::Rate;
use super::retry::{self, Repeat};
use super::shared_key::{Key, Signed, Variant, authorization, string_to_sign};
use super::transport::{self, Carrier, Reply, Road, http_client, request_maker};
use super::{Clock, Fault, Settings};
use crate::account::Etag;

/// A client of one Batch account; cheap to clone, and clones share limits and tokens.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    road: Road,
    settings: Settings,
    /// Replaced as a whole where the key of the account is another one.
    credential: ArcSwap<Credential>,
    turns: Semaphore,
    rate: Mutex<Rate>,
    chance: Mutex<Pcg64Mcg>,
    clock: Clock,
    counts: Counts,
    leads: OnceLock<Leads>,
}

/// Says whether this process may change anything.
type Leads = Box<dyn Fn() -> bool + Send + Sync>;

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    repeated: AtomicU64,
    throttled: AtomicU64,
}

/// What a client has sent so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests, repeated ones included.
    pub sent: u64,
    /// Requests that were sent again.
    pub repeated: u64,
    /// Answers that asked for fewer requests.
    pub throttled: u64,
}

/// A request before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Encoded as it goes into the URL.
    pub(super) path: String,
    /// Encoded, without `api-version`.
    pub(super) query: String,
    pub(super) body: Option<Vec<u8>>,
    pub(super) if_match: Option<Etag>,
    pub(super) repeat: Repeat,
}

impl Call {
    /// Says whether it changes something.
    fn changes(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// The content type of every body ("Batch service REST API", request headers).
const CONTENT_TYPE: &str = "application/json; odata=minimalmetadata";

impl Client {
    /// Returns a client; nothing is sent yet.
    ///
    /// # Errors
    /// When the authorities are no certificates, or a token would go out unencrypted.
    pub fn new(settings: Settings, credential: Credential, clock: Clock) -> Result<Self, Fault> {
        credential.fits(&settings.endpoint)?;
        let http = http_client(settings.authorities.as_deref(), !settings.endpoint.is_loopback())?;
        Ok(Self::by(Road::Network(http), settings, credential, clock))
    }

    /// Returns a client whose requests are carried in place of a network.
    ///
    /// # Errors
    /// When a token would go out unencrypted.
    pub fn carried(
        settings: Settings,
        credential: Credential,
        clock: Clock,
        carrier: Arc<dyn Carrier>,
    ) -> Result<Self, Fault> {
        credential.fits(&settings.endpoint)?;
        let http = request_maker()?;
        Ok(Self::by(
            Road::Carried(http, carrier),
            settings,
            credential,
            clock,
        ))
    }

    fn by(road: Road, settings: Settings, credential: Credential, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            road,
            turns: Semaphore::new(settings.limits.at_once.max(1)),
            rate: Mutex::new(Rate::new(settings.limits.per_second)),
            chance: Mutex::new(Pcg64Mcg::seed_from_u64(settings.seed)),
            settings,
            credential: ArcSwap::from_pointee(credential),
            clock,
            counts: Counts::default(),
            leads: OnceLock::new(),
        }))
    }

    /// Lets requests that change something go out only while this says so: it is asked before each of them, and before each try,
    /// because an order that waits for its turn or for the service may outlast the lead under which it was written down.
    ///
    /// What is told first stays.
    pub fn only_while(&self, leads: impl Fn() -> bool + Send + Sync + 'static) {
        let _ = self.0.leads.set(Box::new(leads));
    }

    /// Returns what has been sent so far.
    pub fn traffic(&self) -> Traffic {
        let counts = &self.0.counts;
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Traffic {
            sent: of(&counts.sent),
            repeated: of(&counts.repeated),
            throttled: of(&counts.throttled),
        }
    }

    /// Returns whom it speaks to, and how.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns the clock that it waits by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Sends a request until it is answered, refused for good, or its time is over.
    pub(super) async fn ask(&self, call: &Call) -> Result<Reply, Fault> {
        let (clock, limits) = (&self.0.clock, self.0.settings.limits);
        let end = clock.passed() + limits.whole;
        let mut renewed = false;
        for tried in 1.. {
            let left = end.saturating_sub(clock.passed()).min(limits.one_try);
            let fault = match self.try_once(call, left).await {
                Ok(reply) => return Ok(reply),
                Err(fault) => fault,
            };
            if fault.is_throttling() {
                self.0.counts.throttled.fetch_add(1, Ordering::Relaxed);
                lock(&self.0.rate).throttled(clock.passed());
            }
            // A token may be withdrawn before it expires; a new one is worth one more try.
            if matches!(fault, Fault::Refused { status: 401, .. })
                && !renewed
                && self.credential().renew().await
            {
                renewed = true;
                self.0.counts.repeated.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let chance = lock(&self.0.chance).random::<f64>();
            match retry::pause(call.repeat, tried, &fault, chance) {
                Some(pause) if clock.passed() + pause < end => clock.sleep(pause).await,
                _ => return Err(fault),
            }
            self.0.counts.repeated.fetch_add(1, Ordering::Relaxed);
        }
        unreachable!("the tries are counted and end")
    }

    async fn try_once(&self, call: &Call, deadline: Duration) -> Result<Reply, Fault> {
        let reply = self.exchange_once(call, deadline).await?;
        if reply.status.is_success() {
            Ok(reply)
        } else {
            Err(self.refusal(call, &reply))
        }
    }

    /// Sends a request once when its turn has come, and returns the answer whatever it is.
    pub(super) async fn exchange_once(&self, call: &Call, deadline: Duration) -> Result<Reply, Fault> {
        let inner = &*self.0;
        let _turn = inner.turns.acquire().await.expect("the turns are never closed");
        let wait = lock(&inner.rate).take(inner.clock.passed());
        inner.clock.sleep(wait).await;
        let request = self.sign(call).await?;
        if call.changes() && inner.leads.get().is_some_and(|leads| !leads()) {
            return Err(Fault::NotLeading {
                request: format!("{} {}", call.method, call.path),
            });
        }
        inner.counts.sent.fetch_add(1, Ordering::Relaxed);
        self.0.road.exchange(request, deadline).await
    }

    async fn sign(&self, call: &Call) -> Result<reqwest::RequestBuilder, Fault> {
        let inner = &*self.0;
        let url = self.url(call)?;
        let date = inner
            .clock
            .wall()
            .to_utc()
            .format("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        let writes = call.changes();
        let length = call.body.as_ref().map_or(0, Vec::len).to_string();
        let mut headers = vec![("ocp-date", date.as_str())];
        if writes {
            headers.push(("content-length", &length));
        }
        if call.body.is_some() {
            headers.push(("content-type", CONTENT_TYPE));
        }
        if let Some(etag) = &call.if_match {
            headers.push(("if-match", &etag.0));
        }
        let credential = self.credential();
        let authorization = match &*credential {
            Credential::SharedKey(key) => {
                let signed = Signed {
                    method: call.method.as_str(),
                    account: &inner.settings.account,
                    path: url.path(),
                    query: url.query().unwrap_or(""),
                    headers: &headers,
                };
                let signature = key.sign(&string_to_sign(&signed, Variant::PYTHON));
                authorization(&inner.settings.account, &signature)
            }
            Credential::Tokens(tokens) => tokens.bearer(&inner.clock).await?,
        };
        let mut request = inner.road.http().request(call.method.clone(), url.clone());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let id = lock(&inner.chance).random::<u128>();
        request = request
            .header("authorization", authorization)
            .header("accept", "application/json")
            .header("client-request-id", guid(id));
        Ok(match &call.body {
            Some(body) => request.body(body.clone()),
            None => request,
        })
    }

    fn url(&self, call: &Call) -> Result<Url, Fault> {
        let Settings {
            endpoint, version, ..
        } = &self.0.settings;
        let mut text = format!("{}{}?api-version={}", endpoint.base(), call.path, version.word());
        if !call.query.is_empty() {
            text.push('&');
            text.push_str(&call.query);
        }
        Url::parse(&text).map_err(|error| Fault::Senseless(format!("`{text}` is no URL: {error}")))
    }

    /// Returns what its requests are allowed by.
    pub(super) fn credential(&self) -> Arc<Credential> {
        self.0.credential.load_full()
    }

    /// Signs with another key of the account from now on; says whether requests are signed with a key at all.
    pub fn rekey(&self, key: Key) -> bool {
        let signs = matches!(*self.credential(), Credential::SharedKey(_));
        if signs {
            self.0.credential.store(Arc::new(Credential::SharedKey(key)));
        }
        signs
    }

    /// Reads the service's own error ("Batch status and error codes"), or what a proxy says in its place.
    pub(super) fn refusal(&self, call: &Call, reply: &Reply) -> Fault {
        let error: ServiceError = serde_json::from_slice(&reply.body).unwrap_or_default();
        let mut message = error.message.value.lines().next().unwrap_or("").to_owned();
        for named in error
            .values
            .iter()
            .filter(|named| TOLD.contains(&named.key.as_str()))
        {
            // Writing to a string cannot fail.
            let _ = write!(message, " ({}: {})", named.key, named.value);
        }
        Fault::Refused {
            request: format!("{} {}", call.method, call.path),
            status: reply.status.as_u16(),
            code: error.code,
            message: self.credential().redact(message),
            retry_after: transport::retry_after(&reply.headers, self.0.clock.now()),
        }
    }
}

/// The details of an error that help; `AuthenticationErrorDetail` repeats what was signed, which is nobody's business.
const TOLD: [&str; 3] = ["PropertyName", "PropertyValue", "Reason"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServiceError {
    code: String,
    message: ServiceMessage,
    values: Vec<ServiceDetail>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServiceMessage {
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServiceDetail {
    key: String,
    value: String,
}

/// Encodes what stands for one piece of a path or the value of a parameter; commas stay, as the clients leave them.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b',' => {
                encoded.push(char::from(byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

fn guid(id: u128) -> String {
    let hex = format!("{id:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while holding it left a number that is as good as any.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.0.settings.endpoint.base())
            .field("account", &self.0.settings.account)
            .field("credential", &self.credential())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_passes_through_a_url_unchanged() {
        let path = format!("/pools/{}", encode("a b/ü$'?#%+"));
        let url = Url::parse(&format!("http://h{path}?$filter={}", encode("id eq 'x+y'"))).unwrap();
        assert_eq!(url.path(), path);
        assert_eq!(url.query(), Some("$filter=id%20eq%20%27x%2By%27"));
    }

    #[test]
    fn ids_of_requests_have_the_usual_form() {
        assert_eq!(guid(1), "00000000-0000-0000-0000-000000000001");
    }
}
