//! Where clients get their tokens: the endpoints of managed identities and of the directory, for this account only.
//!
//! Managed identity: IMDS (`/metadata/identity/oauth2/token`) and App Service (`/msi/token`). Directory: client secret and
//! federated assertion by OAuth 2.0 client credentials, and the document that MSAL reads first. What real clients send
//! and read was captured from azure-identity 1.27.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::arm;
use super::asked::base;
use super::authentication::Scheme;
use super::outside::{Outside, SUBSCRIPTION};
use super::token::{BATCH, Bearer, MANAGEMENT};
use crate::base::Span;

/// Tokens of the directory last an hour at most; those of managed identities a day.
const DIRECTORY_LASTS_MAX: Span = Span::hours(1);

/// The identity of the machine when none is named.
const SYSTEM_IDENTITY: &str = "22222222-2222-2222-2222-222222222222";

type Pairs = Vec<(String, String)>;

/// Returns the routes; they need no authentication, for they give it.
pub fn routes(outside: &Arc<Outside>, scheme: Scheme) -> Router {
    Router::new()
        .route("/metadata/identity/oauth2/token", get(imds))
        .route("/msi/token", get(app_service))
        .route("/{tenant}/oauth2/v2.0/token", post(directory))
        .route("/{tenant}/oauth2/token", post(directory))
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            get(move |path, request| async move { openid(&path, request, scheme) }),
        )
        .with_state(Arc::clone(outside))
}

async fn imds(
    State(outside): State<Arc<Outside>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Response {
    let is_meant = headers
        .get("metadata")
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    if !is_meant {
        return refuse(400, "invalid_request", "Required metadata header not specified");
    }
    managed(&outside, &query)
}

async fn app_service(
    State(outside): State<Arc<Outside>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Response {
    let secret = headers.get("x-identity-header");
    if secret.is_none_or(|secret| secret.as_bytes() != outside.identity_secret.as_bytes()) {
        return refuse(
            401,
            "unauthorized_client",
            "X-IDENTITY-HEADER is missing or is not the IDENTITY_HEADER of this account",
        );
    }
    managed(&outside, &query)
}

fn managed(outside: &Outside, query: &Pairs) -> Response {
    let Some(version) = parameter(query, "api-version") else {
        return refuse(
            400,
            "bad_request_102",
            "Required parameter api-version is missing",
        );
    };
    let Some(audience) = parameter(query, "resource") else {
        return refuse(400, "invalid_resource", "Required parameter resource is missing");
    };
    let Some(audience) = audience_of(audience) else {
        return refuse(
            400,
            "invalid_resource",
            &unknown_resource(audience, &outside.mint.tenant),
        );
    };
    let named = ["client_id", "object_id", "principal_id"]
        .iter()
        .find_map(|name| parameter(query, name));
    let resource = ["mi_res_id", "msi_res_id"]
        .iter()
        .find_map(|name| parameter(query, name));
    let bearer = Bearer {
        client: named.unwrap_or(SYSTEM_IDENTITY).to_owned(),
        resource: Some(resource.map_or_else(machine, str::to_owned)),
    };
    let now = outside.now();
    let token = outside.mint.issue(audience, &bearer, now, outside.token_lasts);
    // Numbers are texts in these answers.
    let mut answer = json!({
        "access_token": token,
        "expires_on": whole_seconds((now + outside.token_lasts).unix_seconds()).to_string(),
        "resource": audience,
        "token_type": "Bearer",
        "client_id": bearer.client,
    });
    if !version.starts_with("2019") {
        answer["expires_in"] = Value::String(whole_seconds(outside.token_lasts.as_seconds()).to_string());
    }
    Json(answer).into_response()
}

/// The machine that the managed identity is of.
fn machine() -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourcegroups/{}/providers/Microsoft.Compute/virtualMachines/desk",
        arm::GROUP
    )
}

async fn directory(
    State(outside): State<Arc<Outside>>,
    Path(tenant): Path<String>,
    body: String,
) -> Response {
    let form = form(&body);
    let known = [outside.mint.tenant.as_str(), "common", "organizations"];
    if !known.iter().any(|known| known.eq_ignore_ascii_case(&tenant)) {
        let told = format!(
            "AADSTS90002: Tenant '{tenant}' not found; the local directory is '{}'",
            outside.mint.tenant
        );
        return refuse(400, "invalid_request", &told);
    }
    if parameter(&form, "grant_type") != Some("client_credentials") {
        return refuse(
            400,
            "unsupported_grant_type",
            "AADSTS70003: The grant type is not client_credentials",
        );
    }
    let Some(client) = parameter(&form, "client_id") else {
        return refuse(
            400,
            "invalid_request",
            "AADSTS900144: The request body must contain 'client_id'",
        );
    };
    if let Err(response) = proven(&outside, &form) {
        return *response;
    }
    let wanted = parameter(&form, "scope")
        .or_else(|| parameter(&form, "resource"))
        .unwrap_or("");
    let Some(audience) = audience_of(wanted.strip_suffix("/.default").unwrap_or(wanted)) else {
        return refuse(
            400,
            "invalid_resource",
            &unknown_resource(wanted, &outside.mint.tenant),
        );
    };
    let bearer = Bearer {
        client: client.to_owned(),
        resource: None,
    };
    let lasts = outside.token_lasts.min(DIRECTORY_LASTS_MAX);
    let token = outside.mint.issue(audience, &bearer, outside.now(), lasts);
    let seconds = whole_seconds(lasts.as_seconds());
    Json(json!({ "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token }))
        .into_response()
}

/// Checks that the client is who it says: by its secret, or by the assertion of an issuer that is trusted unseen here.
fn proven(outside: &Outside, form: &Pairs) -> Result<(), Box<Response>> {
    let refuse = |told: &str| Err(Box::new(refuse(401, "invalid_client", told)));
    if let Some(secret) = parameter(form, "client_secret") {
        if secret == outside.identity_secret {
            return Ok(());
        }
        return refuse("AADSTS7000215: Invalid client secret provided");
    }
    let Some(assertion) = parameter(form, "client_assertion") else {
        return refuse("AADSTS7000216: 'client_assertion' or 'client_secret' is required for the grant type");
    };
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    if parameter(form, "client_assertion_type") != Some(kind) {
        return refuse("AADSTS900144: 'client_assertion_type' is not jwt-bearer");
    }
    if assertion.trim() != assertion || assertion.split('.').count() != 3 {
        return refuse(
            "AADSTS50027: JWT token is invalid or malformed; it is three parts with dots between them",
        );
    }
    Ok(())
}

fn openid(Path(tenant): &Path<String>, request: Request, scheme: Scheme) -> Json<Value> {
    let (parts, _) = request.into_parts();
    let base = base(&parts, scheme.name());
    Json(json!({
        "issuer": format!("{base}/{tenant}/v2.0"),
        "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["HS256"],
    }))
}

/// The audience that a token for a resource names; the slash at its end is that of the resource, not of the request.
fn audience_of(resource: &str) -> Option<&'static str> {
    match resource.trim_end_matches('/') {
        "https://batch.core.windows.net" => Some(BATCH),
        "https://management.azure.com" | "https://management.core.windows.net" => Some(MANAGEMENT),
        _ => None,
    }
}

fn unknown_resource(resource: &str, tenant: &str) -> String {
    format!(
        "AADSTS500011: The resource principal named {resource} was not found in the tenant named {tenant}; here are \
         {BATCH} and {MANAGEMENT}"
    )
}

fn refuse(status: u16, error: &str, told: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("statuses are written here");
    (status, Json(json!({ "error": error, "error_description": told }))).into_response()
}

fn parameter<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Reads a form; it has the syntax of a query.
fn form(body: &str) -> Pairs {
    let uri = format!("/?{}", body.trim()).parse().unwrap_or_default();
    Query::<Pairs>::try_from_uri(&uri)
        .map(|Query(pairs)| pairs)
        .unwrap_or_default()
}

fn whole_seconds(seconds: f64) -> i64 {
    seconds.floor() as i64
}
