//! A whole account at the service's limits, over real sockets: what a look costs.
//!
//! `cargo test --test all azure::scale -- --nocapture` prints requests, seconds and memory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use lowtide::azure::{Client, Clock, Credential, Live, shared_key::Key};
use lowtide::base::Span;
use lowtide::emulator::listener::Doors;
use lowtide::emulator::outside::{AccountKey, DEVELOPMENT_KEY, Outside};
use lowtide::emulator::{Desk, Service, Setup};
use lowtide::engine::{Observation, Question, World};
use lowtide::signal::Metric;
use serde_json::json;

use super::settings;
use crate::emulator::ask;

/// Quotas of an account at the most (Batch service quotas): 500 pools, 1,000 active jobs.
const POOLS: usize = 500;
const JOBS: usize = 1000;

fn account() -> Desk {
    let mut setup = Setup::at(lowtide::emulator::outside::wall_clock());
    setup.account.pools_max = 500;
    setup.account.jobs_max = 1000;
    let mut desk = Desk::new(setup);
    let mut add = |line: &str, body: serde_json::Value| {
        ask(&mut desk, line, &body.to_string(), None).unwrap_or_else(|refused| panic!("{refused:?}"));
    };
    for pool in 0..POOLS {
        add(
            "POST /pools",
            json!({ "id": format!("pool-{pool}"), "vmSize": "standard_d2s_v5", "targetDedicatedNodes": 0,
                "virtualMachineConfiguration": { "imageReference": { "publisher": "canonical",
                    "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts", "version": "latest" },
                    "nodeAgentSKUId": "batch.node.ubuntu 22.04" } }),
        );
    }
    for job in 0..JOBS {
        let pool = format!("pool-{}", job % POOLS);
        add(
            "POST /jobs",
            json!({ "id": format!("job-{job}"), "poolInfo": { "poolId": pool } }),
        );
        // Every fourth job has work.
        if job % 4 == 0 {
            add(
                &format!("POST /jobs/job-{job}/tasks"),
                json!({ "id": "t", "commandLine": "work" }),
            );
        }
    }
    desk
}

fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim()
        .trim_end_matches("kB")
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib >> 10)
}

#[test]
fn an_account_at_its_limits_is_seen_in_one_round() {
    let service = Service::new(account(), 1.0, None);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let doors = runtime.block_on(Doors::open(Some(any), None)).unwrap();
    let url = format!("http://{}", doors.http().unwrap());
    let key = AccountKey::parse(DEVELOPMENT_KEY).unwrap();
    let facts = service.clone();
    let name = service.with(|desk| desk.setup().account.name.clone());
    let outside = Outside::new(name.clone(), &key, Arc::new(move || facts.facts()));
    runtime.spawn(doors.serve(service.handlers(), Arc::new(outside), std::future::pending()));

    let mut settings = settings(&url);
    settings.account = name;
    let key = Credential::SharedKey(Key::parse(DEVELOPMENT_KEY).unwrap());
    // Its pauses are over at once, so that what is measured is work and not the rate that we allow ourselves.
    let clock = Clock::stepped(lowtide::emulator::outside::wall_clock());
    let client = Client::new(settings, key, clock.clone()).unwrap();
    let mut live = Live::new(client.clone(), runtime.handle().clone());
    let patterns = ["*".parse().unwrap()];
    let metrics = [Metric::PendingTasks];
    let mut seen = Observation::default();
    let mut requests = Vec::new();
    for round in 1..=3 {
        let (before, began) = (client.traffic().sent, Instant::now());
        seen.clear();
        let question = Question {
            now: clock.now(),
            pools: &patterns,
            turns: &[],
            metrics: &metrics,
            signals: &[],
            work: false,
            account: true,
        };
        live.observe(&question, &mut seen).unwrap();
        let sent = client.traffic().sent - before;
        println!(
            "look {round}: {sent} requests, {:.2} s; at 50 requests a second {:.0} s; peak of client and account {:?} MiB",
            began.elapsed().as_secs_f64(),
            (sent as f64 - 100.0).max(0.0) / 50.0,
            peak_mib(),
        );
        requests.push(sent);
        assert_eq!(seen.pools().len(), POOLS);
        assert!(seen.pools().iter().all(|view| view.fault.is_none()));
        runtime.block_on(clock.sleep(std::time::Duration::from_secs_f64(
            Span::SAMPLE_PERIOD.as_seconds(),
        )));
    }
    // Pools, fifty pages of node counts, jobs, and each job once; then the busy quarter and a fifth of the quiet ones.
    assert_eq!(requests[0], 1 + 50 + 1 + 1000);
    assert!(
        requests[1..].iter().all(|sent| (360..=500).contains(sent)),
        "{requests:?}"
    );
    assert_eq!(client.traffic().repeated, 0);
}
