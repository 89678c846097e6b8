//! What a handler gives back: an answer or a refusal, as facts; the front writes them down (`finish`).
//!
//! The headers are those of recorded traffic: `request-id`, an unquoted `ETag`, `DataServiceVersion`, and
//! `client-request-id` only when it was asked back.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LAST_MODIFIED, LOCATION, SERVER};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::asked::Asked;
use crate::base::Timestamp;

/// What the service calls the type of its error bodies.
const ERROR_KIND: &str = "Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element";
const JSON_KIND: &str = "application/json;odata=minimalmetadata";

/// A request that the account does not carry out: the status, the service's code, a sentence and its particulars.
///
/// REST API, "Batch status and error codes". As a response it carries itself; [`finish`] writes the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status, 400 to 599, or 304 for a read whose condition fails.
    pub status: u16,
    /// The service's code, such as `PoolBeingResized`.
    pub code: &'static str,
    /// A sentence for people; the front adds the lines with the request's id and the time.
    pub message: String,
    /// Pairs such as (`PropertyName`, `targetDedicatedNodes`).
    pub values: Vec<(String, String)>,
}

/// A request that was carried out: the status, a body or none, and what the headers tell.
///
/// As a response it carries itself; [`finish`] writes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The HTTP status, 200 to 299.
    pub status: u16,
    /// The JSON object of the body; none gives an empty body.
    pub body: Option<Value>,
    /// What `odata.metadata` says after `$metadata#`, such as `pools/@Element`; none leaves it out.
    pub kind: Option<&'static str>,
    /// The version of the entity, unquoted: `0x8DB240238A4192F`.
    pub etag: Option<String>,
    /// When the entity last changed.
    pub last_modified: Option<Timestamp>,
    /// The path of what was created, such as `/pools/p0`; becomes an absolute `Location`.
    pub location: Option<String>,
    /// The path of the entity or action of a write; becomes an absolute `DataServiceId`.
    pub data_service_id: Option<String>,
}

impl Refused {
    /// Returns a refusal without particulars.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            values: Vec::new(),
        }
    }

    /// Adds a particular.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.push((key.into(), value.into()));
        self
    }

    fn body(&self, asked: &Asked, now: Timestamp) -> Value {
        let message = format!("{}\nRequestId:{}\nTime:{now}", self.message, asked.request_id);
        let mut body = json!({
            "odata.metadata": format!("{}/$metadata#{ERROR_KIND}", asked.base),
            "code": self.code,
            "message": { "lang": "en-US", "value": message },
        });
        if !self.values.is_empty() {
            let pair = |(key, value): &(String, String)| json!({ "key": key, "value": value });
            body["values"] = self.values.iter().map(pair).collect();
        }
        body
    }
}

impl Answer {
    /// Returns an answer of that status without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// Returns a 200 with a body, an object, of that kind (`pools/@Element`).
    pub fn read(body: Value, kind: &'static str) -> Self {
        Self {
            status: 200,
            body: Some(body),
            kind: Some(kind),
            ..Self::default()
        }
    }

    /// Returns a 201 for what now stands at that path.
    pub fn created(path: impl Into<String>) -> Self {
        let path = path.into();
        Self {
            status: 201,
            location: Some(path.clone()),
            data_service_id: Some(path),
            ..Self::default()
        }
    }

    /// Adds the version of the entity.
    #[must_use]
    pub fn version(mut self, etag: impl Into<String>, last_modified: Timestamp) -> Self {
        self.etag = Some(etag.into());
        self.last_modified = Some(last_modified);
        self
    }

    /// Adds the path of the entity or action that was written.
    #[must_use]
    pub fn about(mut self, path: impl Into<String>) -> Self {
        self.data_service_id = Some(path.into());
        self
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        carry(self.status, self)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        carry(self.status, self)
    }
}

fn carry<T: Clone + Send + Sync + 'static>(status: u16, facts: T) -> Response {
    let status = StatusCode::from_u16(status).expect("handlers name statuses of the service");
    let mut response = status.into_response();
    response.extensions_mut().insert(facts);
    response
}

/// Writes down what a response carries, with the headers that every answer of the service has.
///
/// `now` is the wall clock: the times of error texts are those of the server, not of the simulated account.
pub fn finish(mut response: Response, asked: &Asked, now: Timestamp) -> Response {
    if let Some(refused) = response.extensions_mut().remove::<Refused>() {
        // 304 has no body by HTTP, and the body of HEAD is never sent.
        if refused.status != 304 && asked.method != Method::HEAD {
            write(&mut response, &refused.body(asked, now));
        }
    } else if let Some(answer) = response.extensions_mut().remove::<Answer>() {
        tell(response.headers_mut(), &answer, asked);
        if let Some(mut body) = answer.body {
            if let (Some(kind), Some(object)) = (answer.kind, body.as_object_mut()) {
                let kind = Value::String(format!("{}/$metadata#{kind}", asked.base));
                object.insert("odata.metadata".to_owned(), kind);
            }
            write(&mut response, &body);
        }
    }
    common(response.headers_mut(), asked);
    response
}

fn write(response: &mut Response, body: &Value) {
    *response.body_mut() = Body::from(body.to_string());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(JSON_KIND));
}

fn tell(headers: &mut HeaderMap, answer: &Answer, asked: &Asked) {
    let absolute = |path: &String| format!("{}{path}", asked.base);
    let modified = |at: Timestamp| at.to_utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let told = [
        (ETAG, answer.etag.clone()),
        (LAST_MODIFIED, answer.last_modified.map(modified)),
        (LOCATION, answer.location.as_ref().map(absolute)),
        (
            HeaderName::from_static("dataserviceid"),
            answer.data_service_id.as_ref().map(absolute),
        ),
    ];
    for (name, value) in told {
        // A Host header can hold what a header value of ours cannot; then the header is left out.
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
}

fn common(headers: &mut HeaderMap, asked: &Asked) {
    let id = HeaderValue::try_from(&asked.request_id).expect("the id is of hex digits and hyphens");
    headers.insert("request-id", id);
    headers.insert("dataserviceversion", HeaderValue::from_static("3.0"));
    headers.insert(SERVER, HeaderValue::from_static("Microsoft-HTTPAPI/2.0"));
    if let Some(id) = &asked.client_request_id {
        headers.insert("client-request-id", id.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(client_id: Option<&'static str>) -> Asked {
        Asked {
            base: "http://here:1".to_owned(),
            request_id: "5b1c".to_owned(),
            client_request_id: client_id.map(HeaderValue::from_static),
            ..Asked::default()
        }
    }

    async fn body(response: Response) -> Value {
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    }

    #[tokio::test]
    async fn a_refusal_reads_as_the_service_writes_it() {
        let refused = Refused::new(409, "PoolBeingResized", "The specified pool is being resized")
            .with("PropertyName", "targetDedicatedNodes");
        let response = finish(
            refused.into_response(),
            &asked(Some("mine")),
            Timestamp::from_unix_seconds(1),
        );
        assert_eq!(response.status(), 409);
        assert_eq!(response.headers()["client-request-id"], "mine");
        assert_eq!(
            body(response).await,
            json!({
                "odata.metadata": "http://here:1/$metadata#Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element",
                "code": "PoolBeingResized",
                "message": {
                    "lang": "en-US",
                    "value": "The specified pool is being resized\nRequestId:5b1c\nTime:1970-01-01T00:00:01.000Z"
                },
                "values": [{ "key": "PropertyName", "value": "targetDedicatedNodes" }],
            })
        );
    }

    #[tokio::test]
    async fn an_answer_tells_its_version_and_where_it_stands() {
        let answer = Answer::created("/pools/p0").version("0x8D", Timestamp::from_unix_seconds(0));
        let response = finish(answer.into_response(), &asked(None), Timestamp::EPOCH);
        assert_eq!(response.status(), 201);
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(header("etag").as_deref(), Some("0x8D"));
        assert_eq!(
            header("last-modified").as_deref(),
            Some("Thu, 01 Jan 1970 00:00:00 GMT")
        );
        assert_eq!(header("location").as_deref(), Some("http://here:1/pools/p0"));
        assert_eq!(header("dataserviceid").as_deref(), Some("http://here:1/pools/p0"));
        assert_eq!(header("dataserviceversion").as_deref(), Some("3.0"));
        assert_eq!(header("client-request-id"), None);
        assert_eq!(body(response).await, Value::Null);
    }

    #[tokio::test]
    async fn a_body_names_its_kind() {
        let answer = Answer::read(json!({ "id": "p0" }), "pools/@Element");
        let response = finish(answer.into_response(), &asked(None), Timestamp::EPOCH);
        assert_eq!(
            body(response).await,
            json!({ "odata.metadata": "http://here:1/$metadata#pools/@Element", "id": "p0" })
        );
    }

    #[tokio::test]
    async fn a_read_that_has_not_changed_has_no_body() {
        let refused = Refused::new(304, "ConditionNotMet", "not changed");
        let response = finish(refused.into_response(), &asked(None), Timestamp::EPOCH);
        assert_eq!(response.status(), 304);
        assert_eq!(body(response).await, Value::Null);
    }
}
