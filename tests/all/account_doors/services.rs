//! The services that clients call before the account: the directory, managed identities, the control plane.

use reqwest::Response;
use serde_json::{Value, json};

use super::doors::{Account, whole};

const TENANT: &str = "11111111-1111-1111-1111-111111111111";
const ACCOUNT: &str = "/subscriptions/44444444-4444-4444-4444-444444444444/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts";

async fn directory(account: &Account, tenant: &str, form: &[(&str, &str)]) -> Response {
    let address = account.secure(&format!("/{tenant}/oauth2/v2.0/token"));
    account.client.post(address).form(form).send().await.unwrap()
}

#[tokio::test]
async fn the_directory_takes_a_secret_or_an_assertion_and_tells_why_not() {
    let account = whole().await;
    let scope = ("scope", "https://batch.core.windows.net//.default");
    let client = [("client_id", "c"), ("grant_type", "client_credentials"), scope];
    let kind = (
        "client_assertion_type",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    );
    let with = |more: &[(&'static str, &'static str)]| [&client[..], more].concat();
    let elsewhere = [
        ("client_id", "c"),
        ("grant_type", "client_credentials"),
        ("scope", "https://graph/.default"),
    ];
    for (tenant, form, status, part) in [
        (TENANT, with(&[("client_secret", "lowtide")]), 200, ""),
        (TENANT, with(&[("client_assertion", "a.b.c"), kind]), 200, ""),
        (TENANT, with(&[("client_secret", "guess")]), 401, "AADSTS7000215"),
        // A line end at the end of the file that holds the assertion.
        (
            TENANT,
            with(&[("client_assertion", "a.b.c\n"), kind]),
            401,
            "AADSTS50027",
        ),
        (TENANT, with(&[]), 401, "AADSTS7000216"),
        ("other", with(&[("client_secret", "lowtide")]), 400, "AADSTS90002"),
        (
            TENANT,
            [&elsewhere[..], &[("client_secret", "lowtide")]].concat(),
            400,
            "AADSTS500011",
        ),
        (TENANT, vec![("client_id", "c")], 400, "AADSTS70003"),
    ] {
        let response = directory(&account, tenant, &form).await;
        assert_eq!(response.status(), status, "{form:?}");
        let body: Value = response.json().await.unwrap();
        if status == 200 {
            assert_eq!(body["expires_in"], 3600);
            let token = body["access_token"].as_str().unwrap();
            let pool = account.secure("/pools/p0?api-version=2025-06-01");
            let read = account.client.get(pool).bearer_auth(token).send().await.unwrap();
            assert_eq!(read.status(), 200);
        } else {
            let told = body["error_description"].as_str().unwrap();
            assert!(told.contains(part), "{told}");
        }
    }
}

#[tokio::test]
async fn managed_identities_answer_as_imds_and_app_service_do() {
    let account = whole().await;
    let query = "resource=https%3A%2F%2Fbatch.core.windows.net%2F";
    let imds = account.plain(&format!(
        "/metadata/identity/oauth2/token?api-version=2018-02-01&client_id=me&{query}"
    ));
    let app = account.plain(&format!("/msi/token?api-version=2019-08-01&{query}"));
    for (address, header, status) in [
        (&imds, ("metadata", "true"), 200),
        (&imds, ("x-other", "true"), 400),
        (&app, ("x-identity-header", "lowtide"), 200),
        (&app, ("x-identity-header", "guess"), 401),
        (
            &account.plain("/msi/token?api-version=2019-08-01"),
            ("x-identity-header", "lowtide"),
            400,
        ),
    ] {
        let response = account
            .client
            .get(address)
            .header(header.0, header.1)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{address} {header:?}");
        let body: Value = response.json().await.unwrap();
        if status == 200 {
            assert_eq!(body["token_type"], "Bearer");
            assert_eq!(body["resource"], "https://batch.core.windows.net/");
            assert!(body["expires_on"].as_str().unwrap().parse::<i64>().unwrap() > 1_700_000_000);
        }
    }
}

#[tokio::test]
async fn the_document_that_msal_reads_names_endpoints_of_this_host() {
    let account = whole().await;
    let address = account.secure(&format!("/{TENANT}/v2.0/.well-known/openid-configuration"));
    let body: Value = account
        .client
        .get(address)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        body["token_endpoint"],
        account.secure(&format!("/{TENANT}/oauth2/v2.0/token"))
    );
    assert_eq!(body["issuer"], account.secure(&format!("/{TENANT}/v2.0")));
}

async fn arm(account: &Account, method: reqwest::Method, path: &str) -> (u16, Value) {
    let token = account.token("https://management.azure.com/").await;
    let request = account
        .client
        .request(method, account.secure(path))
        .bearer_auth(token);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn the_control_plane_tells_the_account_its_quotas_and_its_keys() {
    let account = whole().await;
    let get = reqwest::Method::GET;
    let (status, body) = arm(
        &account,
        get.clone(),
        &format!("{ACCOUNT}/Lowtide?api-version=2024-02-01"),
    )
    .await;
    assert_eq!(status, 200);
    let properties = &body["properties"];
    assert_eq!(
        properties["accountEndpoint"],
        json!(format!("localhost:{}", account.https.port()))
    );
    assert_eq!(properties["dedicatedCoreQuota"], 900);
    assert_eq!(
        properties["dedicatedCoreQuotaPerVMFamily"],
        json!([{ "name": "standardDSv5Family", "coreQuota": 100 }])
    );
    let keys = format!("{ACCOUNT}/lowtide/listKeys?api-version=2024-02-01");
    let (status, body) = arm(&account, reqwest::Method::POST, &keys).await;
    assert_eq!((status, &body["accountName"]), (200, &json!("lowtide")));
    assert_eq!(body["primary"], lowtide::emulator::outside::DEVELOPMENT_KEY);
    let (status, body) = arm(&account, get.clone(), &format!("{ACCOUNT}/other")).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (404, &json!("ResourceNotFound"))
    );
    let (status, body) = arm(&account, get.clone(), "/subscriptions/5/resourceGroups").await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (404, &json!("SubscriptionNotFound"))
    );
    let usages =
        "/subscriptions/44444444-4444-4444-4444-444444444444/providers/Microsoft.Compute/locations/x/usages";
    let (_, body) = arm(&account, get, usages).await;
    assert_eq!(body["value"][1]["name"]["value"], "lowPriorityCores");
    assert_eq!(
        (&body["value"][1]["currentValue"], &body["value"][1]["limit"]),
        (&json!(4), &json!(300))
    );
}

#[tokio::test]
async fn the_control_plane_wants_a_token_of_its_own() {
    let account = whole().await;
    let batch = account.token("https://batch.core.windows.net/").await;
    let request = account.client.get(account.secure("/subscriptions"));
    let bare = request.try_clone().unwrap().send().await.unwrap();
    assert_eq!(bare.status(), 401);
    let other = request.bearer_auth(batch).send().await.unwrap();
    assert_eq!(other.status(), 401);
    let endpoints = account
        .client
        .get(account.secure("/metadata/endpoints?api-version=2022-09-01"));
    let endpoints: Value = endpoints.send().await.unwrap().json().await.unwrap();
    assert_eq!(endpoints["batch"], "https://batch.core.windows.net/");
    assert_eq!(endpoints["resourceManager"], account.secure(""));
}
