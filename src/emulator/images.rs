//! `/supportedimages`: a few of the images that the service has agents for.
//!
//! A real account lists some two hundred; names and agents of these are from its documentation and its clients' examples.

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::odata::{IMAGES, List};

/// Agent, publisher, offer, sku and operating system.
const KNOWN: [(&str, &str, &str, &str, &str); 6] = [
    ("batch.node.debian 12", "debian", "debian-12", "12", "linux"),
    (
        "batch.node.el 9",
        "almalinux",
        "almalinux-x86_64",
        "9-gen2",
        "linux",
    ),
    (
        "batch.node.ubuntu 20.04",
        "canonical",
        "0001-com-ubuntu-server-focal",
        "20_04-lts",
        "linux",
    ),
    (
        "batch.node.ubuntu 22.04",
        "canonical",
        "0001-com-ubuntu-server-jammy",
        "22_04-lts",
        "linux",
    ),
    (
        "batch.node.ubuntu 22.04",
        "microsoft-azure-batch",
        "ubuntu-server-container",
        "22-04-lts",
        "linux",
    ),
    (
        "batch.node.windows amd64",
        "microsoftwindowsserver",
        "windowsserver",
        "2022-datacenter",
        "windows",
    ),
];

/// Returns the route.
pub(super) fn routes() -> Router {
    Router::new().route("/supportedimages", get(list))
}

async fn list(asked: Asked) -> Result<Answer, Refused> {
    let list = List::of(&asked, &IMAGES)?;
    let mut images: Vec<_> = KNOWN.iter().map(print).collect();
    images.sort_by_key(key);
    Ok(list.page(images, key, Value::clone))
}

fn key(image: &Value) -> String {
    let reference = &image["imageReference"];
    [
        &image["nodeAgentSKUId"],
        &reference["publisher"],
        &reference["offer"],
        &reference["sku"],
    ]
    .map(|part| part.as_str().unwrap_or(""))
    .join("/")
}

fn print((agent, publisher, offer, sku, system): &(&str, &str, &str, &str, &str)) -> Value {
    json!({
        "nodeAgentSKUId": agent,
        "imageReference": { "publisher": publisher, "offer": offer, "sku": sku, "version": "latest" },
        "osType": system,
        "verificationType": "verified",
    })
}
