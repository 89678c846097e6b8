//! The few answers of Azure Resource Manager that `az` asks for before it comes to a Batch account: the endpoints of the
//! cloud, the subscription, the account with its quotas, its keys, and the cores of the region.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::asked::base;
use super::authentication::Scheme;
use super::outside::{AccountFacts, Outside, SUBSCRIPTION};
use super::token::{BATCH, MANAGEMENT};

/// The resource group of the account; requests may name any other as well.
pub const GROUP: &str = "local";

#[derive(Clone)]
struct Arm {
    outside: Arc<Outside>,
    scheme: Scheme,
}

/// Returns the routes.
pub fn routes(outside: &Arc<Outside>, scheme: Scheme) -> Router {
    let arm = Arm {
        outside: Arc::clone(outside),
        scheme,
    };
    Router::new()
        .route("/metadata/endpoints", get(endpoints))
        .route("/subscriptions", any(resource))
        .route("/subscriptions/{*rest}", any(resource))
        .route("/tenants", any(resource))
        .with_state(arm)
}

/// The endpoints of the cloud, as `az cloud register --endpoint-resource-manager` reads them.
async fn endpoints(State(arm): State<Arm>, request: Request) -> Json<Value> {
    let (parts, _) = request.into_parts();
    let base = base(&parts, arm.scheme.name());
    let nowhere = "https://localhost";
    Json(json!({
        "name": "lowtide",
        "portal": nowhere,
        "authentication": {
            "loginEndpoint": base,
            "audiences": [MANAGEMENT],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graphAudience": "https://graph.windows.net/",
        "graph": nowhere,
        "media": nowhere,
        "batch": BATCH,
        "resourceManager": base,
        "gallery": nowhere,
        "sqlManagement": nowhere,
        "vmImageAliasDoc": nowhere,
        "activeDirectoryDataLake": nowhere,
        "microsoftGraphResourceId": "https://graph.microsoft.com/",
        "suffixes": {
            "storage": "core.windows.net",
            "keyVaultDns": "vault.azure.net",
            "acrLoginServer": "azurecr.io",
            "sqlServerHostname": "database.windows.net",
            "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
        },
    }))
}

async fn resource(State(arm): State<Arm>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if let Err(detail) = let_in(&parts, &arm) {
        return refuse(401, "InvalidAuthenticationToken", &detail);
    }
    let path = parts.uri.path().trim_matches('/').to_owned();
    // Names in resource ids are not told apart by case.
    let lower = path.to_ascii_lowercase();
    let segments: Vec<_> = lower.split('/').collect();
    let facts = (arm.outside.facts)();
    match (&parts.method, segments.as_slice()) {
        (&Method::GET, ["tenants"]) => {
            let tenant = &arm.outside.mint.tenant;
            list([json!({ "id": format!("/tenants/{tenant}"), "tenantId": tenant, "displayName": "local" })])
        }
        (&Method::GET, ["subscriptions"]) => list([subscription(&arm)]),
        (_, ["subscriptions", id, ..]) if *id != SUBSCRIPTION => {
            let told =
                format!("The subscription '{id}' could not be found; the local one is {SUBSCRIPTION}.");
            refuse(404, "SubscriptionNotFound", &told)
        }
        (&Method::GET, ["subscriptions", _]) => Json(subscription(&arm)).into_response(),
        (&Method::GET, ["subscriptions", _, "resourcegroups"]) => list([group(GROUP, &facts)]),
        (&Method::GET, ["subscriptions", _, "resourcegroups", name]) => {
            Json(group(name, &facts)).into_response()
        }
        (
            &Method::GET,
            [
                "subscriptions",
                _,
                "providers",
                "microsoft.batch",
                "batchaccounts",
            ],
        ) => list([account(&arm, &parts, GROUP, &facts)]),
        (
            &Method::GET,
            [
                "subscriptions",
                _,
                "providers",
                "microsoft.batch",
                "locations",
                _,
                "quotas",
            ],
        ) => Json(json!({ "accountQuota": 1 })).into_response(),
        (
            &Method::GET,
            [
                "subscriptions",
                _,
                "providers",
                "microsoft.compute",
                "locations",
                _,
                "usages",
            ],
        ) => list(usages(&facts)),
        (
            method,
            [
                "subscriptions",
                _,
                "resourcegroups",
                group,
                "providers",
                "microsoft.batch",
                "batchaccounts",
                rest @ ..,
            ],
        ) => batch_account(&arm, &parts, method, group, rest),
        _ => refuse(
            404,
            "NotFound",
            &format!("There is no {} /{path} here.", parts.method),
        ),
    }
}

fn batch_account(arm: &Arm, parts: &Parts, method: &Method, group: &str, rest: &[&str]) -> Response {
    let facts = (arm.outside.facts)();
    match (method, rest) {
        (&Method::GET, []) => list([account(arm, parts, group, &facts)]),
        (_, [name, ..]) if !arm.outside.account.eq_ignore_ascii_case(name) => {
            let told = format!(
                "The Resource 'Microsoft.Batch/batchAccounts/{name}' under resource group '{group}' was not found; the \
                 local account is '{}'.",
                arm.outside.account
            );
            refuse(404, "ResourceNotFound", &told)
        }
        (&Method::GET, [_]) => Json(account(arm, parts, group, &facts)).into_response(),
        (&Method::POST, [_, "listkeys"]) if !arm.outside.modes.shared_key => refuse(
            409,
            "OperationNotSupported",
            "The account takes tokens only, its keys are of no use.",
        ),
        (&Method::POST, [_, "listkeys"]) => {
            let [primary, secondary] = &arm.outside.keys;
            Json(json!({
                "accountName": arm.outside.account,
                "primary": primary.text,
                "secondary": secondary.text,
            }))
            .into_response()
        }
        _ => refuse(404, "NotFound", &format!("There is no {method} of that here.")),
    }
}

fn let_in(parts: &Parts, arm: &Arm) -> Result<(), String> {
    let header = parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|header| header.to_str().ok());
    let token = header.and_then(|header| header.split_once(' '));
    let Some((_, token)) = token.filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer")) else {
        return Err(
            "Authentication failed. The 'Authorization' header is missing a bearer token.".to_owned(),
        );
    };
    if arm.scheme == Scheme::Http {
        return Err("Tokens are taken over https only.".to_owned());
    }
    arm.outside
        .mint
        .check(token.trim(), &[MANAGEMENT], arm.outside.now())
}

fn list(values: impl IntoIterator<Item = Value>) -> Response {
    let values: Vec<_> = values.into_iter().collect();
    Json(json!({ "value": values })).into_response()
}

fn refuse(status: u16, code: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("statuses are written here");
    (
        status,
        Json(json!({ "error": { "code": code, "message": message } })),
    )
        .into_response()
}

fn subscription(arm: &Arm) -> Value {
    json!({
        "id": format!("/subscriptions/{SUBSCRIPTION}"),
        "subscriptionId": SUBSCRIPTION,
        "tenantId": arm.outside.mint.tenant,
        "displayName": "local",
        "state": "Enabled",
    })
}

fn group(name: &str, facts: &AccountFacts) -> Value {
    json!({
        "id": format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"),
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": facts.location,
        "properties": { "provisioningState": "Succeeded" },
    })
}

fn account(arm: &Arm, parts: &Parts, group: &str, facts: &AccountFacts) -> Value {
    let name = &arm.outside.account;
    let base = base(parts, arm.scheme.name());
    // `az` puts https:// before it.
    let endpoint = base.split_once("://").map_or(base.as_str(), |(_, host)| host);
    let mut modes = Vec::new();
    if arm.outside.modes.shared_key {
        modes.push("SharedKey");
    }
    if arm.outside.modes.token {
        modes.push("AAD");
    }
    let mut properties = json!({
        "accountEndpoint": endpoint,
        "provisioningState": "Succeeded",
        "poolAllocationMode": if facts.is_user_subscription { "UserSubscription" } else { "BatchService" },
        "poolQuota": facts.pools_max,
        "activeJobAndJobScheduleQuota": facts.jobs_max,
        "publicNetworkAccess": "Enabled",
        "allowedAuthenticationModes": modes,
    });
    // In mode UserSubscription the quotas are those of the subscription, and these are absent.
    if !facts.is_user_subscription {
        properties["dedicatedCoreQuota"] = json!(facts.dedicated_cores);
        properties["lowPriorityCoreQuota"] = json!(facts.spot_cores);
        properties["dedicatedCoreQuotaPerVMFamilyEnforced"] = json!(!facts.family_cores.is_empty());
        let families = facts.family_cores.iter();
        properties["dedicatedCoreQuotaPerVMFamily"] = families
            .map(|(family, cores)| json!({ "name": family, "coreQuota": cores }))
            .collect();
    }
    json!({
        "id": format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Batch/batchAccounts/{name}"),
        "name": name,
        "type": "Microsoft.Batch/batchAccounts",
        "location": facts.location,
        "identity": { "type": "None" },
        "properties": properties,
    })
}

/// The cores of the region, which limit accounts of mode `UserSubscription`.
fn usages(facts: &AccountFacts) -> Vec<Value> {
    let usage = |name: &str, said: &str, used: u32, limit: u32| {
        json!({
            "name": { "value": name, "localizedValue": said },
            "unit": "Count",
            "currentValue": used,
            "limit": limit,
        })
    };
    let mut all = vec![
        usage(
            "cores",
            "Total Regional vCPUs",
            facts.dedicated_cores_used,
            facts.dedicated_cores,
        ),
        usage(
            "lowPriorityCores",
            "Total Regional Spot vCPUs",
            facts.spot_cores_used,
            facts.spot_cores,
        ),
    ];
    // What each family has of the cores in use is not told apart here.
    all.extend(
        facts
            .family_cores
            .iter()
            .map(|(family, cores)| usage(family, family, 0, *cores)),
    );
    all
}
