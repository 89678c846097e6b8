//! The command line as people meet it: transcripts of commands with their output and exit code.
//!
//! `TRYCMD=overwrite cargo test --test all transcripts` writes what the commands say now; read it before committing.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use lowtide::base::Span;
use lowtide::emulator::listener::Doors;
use lowtide::emulator::outside::{AccountKey, DEVELOPMENT_KEY, Outside, wall_clock};
use lowtide::emulator::{Desk, Service, Setup};
use lowtide::serve::http::HttpSettings;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::emulator::ask;
use crate::interface;

/// Commands in documents for readers are run as well, where they stand in a `console` block.
const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md"];

fn cases() -> trycmd::TestCases {
    let cases = trycmd::TestCases::new();
    cases.register_bin("lowtide", Path::new(env!("CARGO_BIN_EXE_lowtide")));
    cases.env("COLUMNS", "100").env("NO_COLOR", "1");
    cases
}

#[test]
fn commands_say_what_the_transcripts_say() {
    let cases = cases();
    cases.case("tests/cli/*.trycmd").case("tests/cli/*.toml");
    for document in DOCUMENTS {
        cases.case(document);
    }
}

/// Each chapter's commands run in the folder of its own files, such as `docs/start.in` for `docs/start.md`.
#[test]
fn commands_say_what_the_book_says() {
    cases().case("docs/**/*.md");
}

/// Opens an account that has been there for an hour, with one pool of one node.
fn open_account(runtime: &Runtime) -> String {
    let now = wall_clock();
    let mut desk = Desk::new(Setup::at(now - Span::hours(1)));
    for (line, body) in [
        (
            "POST /pools",
            json!({ "id": "render", "vmSize": "standard_d4s_v5", "targetDedicatedNodes": 1, "taskSlotsPerNode": 2 }),
        ),
        (
            "POST /jobs",
            json!({ "id": "frames", "poolInfo": { "poolId": "render" } }),
        ),
    ] {
        ask(&mut desk, line, &body.to_string(), None).unwrap_or_else(|refused| panic!("{refused:?}"));
    }
    desk.advance(now);
    let service = Service::new(desk, 1.0, None);
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let doors = runtime.block_on(Doors::open(Some(any), None)).unwrap();
    let url = format!("http://{}", doors.http().unwrap());
    let key = AccountKey::parse(DEVELOPMENT_KEY).unwrap();
    let facts = service.clone();
    let outside = Outside::new("lowtide", &key, Arc::new(move || facts.facts()));
    runtime.spawn(doors.serve(service.handlers(), Arc::new(outside), std::future::pending()));
    url
}

#[test]
fn commands_about_what_runs_say_what_the_transcripts_say() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Runtime::new().unwrap();
    let url = open_account(&runtime);
    let served = runtime.block_on(interface::serve(HttpSettings::loopback(), interface::tokens()));
    {
        let cases = cases();
        cases
            .env("AZURE_BATCH_ENDPOINT", &url)
            .env("AZURE_BATCH_ACCOUNT", "lowtide")
            .env("AZURE_BATCH_ACCESS_KEY", DEVELOPMENT_KEY)
            .env("LOWTIDE_SERVER", &served.url);
        cases.case("tests/cli/live/*.trycmd");
    }
    // The doctor takes account, policies and certificates from the configuration of the sidecar.
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("policies")).unwrap();
    file("key", DEVELOPMENT_KEY);
    file("ca.pem", "no certificate");
    file(
        "policies/render.yaml",
        "version: 1\npool: render\nbounds: { total: [0, 9] }\n\
         demand: [ { formula: { role: targets, text: \"$TargetDedicatedNodes = 3;\" } } ]\n",
    );
    let config = format!(
        "version = 1\naccount = {{ endpoint = \"{url}\", name = \"lowtide\", keyFile = \"key\" }}\n\
         policies = {{ folder = \"policies\" }}\n\
         http = {{ tls = {{ certificateFile = \"ca.pem\", keyFile = \"key\" }} }}\n"
    );
    file("lowtide.toml", &config);
    let run = Command::new(env!("CARGO_BIN_EXE_lowtide"))
        .args(["doctor", "-o", "json", "--config"])
        .arg(folder.path().join("lowtide.toml"))
        .env_remove("AZURE_BATCH_ENDPOINT")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    let report: serde_json::Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let told = |name: &str| {
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name).unwrap();
        check["told"].as_str().unwrap().to_owned()
    };
    assert_eq!(report["account"], "lowtide", "{said}");
    assert!(!told("policies").contains("none is given"), "{said}");
    assert!(said.contains("ca.pem"), "{said}");
}
