//! What a local account takes: memory of a thousand pools and a hundred thousand tasks, and requests a second.
//!
//! `cargo bench --bench emulator`; the server runs on one thread, its clients on another, over loopback, with signed requests.
//! `desk` is the account alone, `http` the whole way through sockets, front and signature.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lowtide::azure::shared_key::{Key, Signed, Variant, authorization, string_to_sign};
use lowtide::base::{Span, Timestamp};
use lowtide::emulator::asked::Asked;
use lowtide::emulator::listener::Doors;
use lowtide::emulator::outside::{AccountKey, DEVELOPMENT_KEY, Outside, wall_clock};
use lowtide::emulator::{Account, Desk, Service, Setup};

const POOLS: usize = 1_000;
const TASKS: usize = 100_000;
const LASTS: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 4;

/// What is asked for, as clients ask.
const READS: [(&str, &str); 5] = [
    ("one pool", "/pools/pool-0500"),
    ("task counts of a job", "/jobs/job-050/taskcounts"),
    ("node counts, a page of 10", "/nodecounts"),
    ("tasks of a job, a page of 100", "/jobs/job-050/tasks"),
    ("pools, a page of 1,000", "/pools"),
];

fn query(path: &str) -> Vec<(String, String)> {
    let mut query = vec![("api-version".to_owned(), "2025-06-01".to_owned())];
    if path.ends_with("/tasks") {
        query.push(("maxresults".to_owned(), "100".to_owned()));
    }
    query
}

fn ask(desk: &mut Desk, method: &str, path: &str, body: &str) {
    let asked = Asked {
        method: method.parse().expect("a verb"),
        base: "http://localhost".to_owned(),
        path: path.to_owned(),
        query: query(path),
        ..Asked::default()
    };
    let answer = desk.answer(&asked, body.as_bytes());
    assert!(answer.is_ok(), "{method} {path}: {answer:?}");
}

/// Fills an account: a thousand pools of which a hundred have ten nodes each, and a hundred jobs of a thousand tasks.
fn filled() -> Desk {
    let mut desk = Desk::new(Setup {
        account: Account {
            pools_max: u32::MAX,
            jobs_max: u32::MAX,
            dedicated_cores: u32::MAX,
            ..Account::default()
        },
        ..Setup::at(Timestamp::from_unix_seconds(1_800_000_000))
    });
    for pool in 0..POOLS {
        let nodes = if pool % 10 == 0 { 10 } else { 0 };
        let body = format!(
            "{{\"id\":\"pool-{pool:04}\",\"vmSize\":\"standard_d4s_v5\",\"taskSlotsPerNode\":4,\"targetDedicatedNodes\":{nodes}}}"
        );
        ask(&mut desk, "POST", "/pools", &body);
    }
    for job in 0..100 {
        let body = format!(
            "{{\"id\":\"job-{job:03}\",\"poolInfo\":{{\"poolId\":\"pool-{:04}\"}}}}",
            job * 10
        );
        ask(&mut desk, "POST", "/jobs", &body);
        for chunk in 0..TASKS / 100 / 100 {
            let tasks: Vec<String> = (0..100)
                .map(|task| format!("{{\"id\":\"task-{chunk:02}-{task:02}\",\"commandLine\":\"/bin/bash -c 'sleep 600'\"}}"))
                .collect();
            let body = format!("{{\"value\":[{}]}}", tasks.join(","));
            ask(
                &mut desk,
                "POST",
                &format!("/jobs/job-{job:03}/addtaskcollection"),
                &body,
            );
        }
    }
    desk
}

/// Returns the memory of this process in MiB, where the system tells it.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(f64::NAN);
    pages * 4096.0 / f64::from(1 << 20)
}

/// Returns how often something is done in a second.
fn per_second(mut what: impl FnMut()) -> f64 {
    let begun = Instant::now();
    let mut n_done = 0_u32;
    while begun.elapsed() < LASTS {
        what();
        n_done += 1;
    }
    f64::from(n_done) / begun.elapsed().as_secs_f64()
}

/// Returns a signed request as it goes over the wire.
fn request(key: &Key, path: &str) -> String {
    let query: Vec<String> = query(path)
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let query = query.join("&");
    let date = wall_clock()
        .to_utc()
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let signed = Signed {
        method: "GET",
        account: "lowtide",
        path,
        query: &query,
        headers: &[("ocp-date", &date)],
    };
    let signature = key.sign(&string_to_sign(&signed, Variant::PYTHON));
    format!(
        "GET {path}?{query} HTTP/1.1\r\nhost: localhost\r\nocp-date: {date}\r\nauthorization: {}\r\n\r\n",
        authorization("lowtide", &signature)
    )
}

/// Asks the same again and again over some connections, and returns the answers in a second.
fn over_http(address: SocketAddr, request: &str) -> std::io::Result<f64> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        connections.push(BufReader::new(stream));
    }
    let begun = Instant::now();
    let mut n_done = 0_u32;
    let mut body = Vec::new();
    while begun.elapsed() < LASTS {
        for connection in &mut connections {
            connection.get_mut().write_all(request.as_bytes())?;
        }
        for connection in &mut connections {
            let mut length = 0;
            let mut line = String::new();
            let mut is_first = true;
            loop {
                line.clear();
                connection.read_line(&mut line)?;
                assert!(!is_first || line.contains(" 200 "), "{line}");
                is_first = false;
                if line == "\r\n" {
                    break;
                }
                if let Some(text) = line.strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap_or(0);
                }
            }
            body.resize(length, 0);
            connection.read_exact(&mut body)?;
            n_done += 1;
        }
    }
    Ok(f64::from(n_done) / begun.elapsed().as_secs_f64())
}

fn serve(desk: Desk, ready: &std::sync::mpsc::Sender<SocketAddr>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime of one thread");
    runtime.block_on(async {
        let service = Service::new(desk, 1.0, None);
        let key = AccountKey::parse(DEVELOPMENT_KEY).expect("the development key is one");
        let facts = Arc::clone(&service);
        let outside = Outside::new("lowtide", &key, Arc::new(move || facts.facts()));
        let doors = Doors::open(Some(([127, 0, 0, 1], 0).into()), None)
            .await
            .expect("a free port");
        ready
            .send(doors.http().expect("the plain door is open"))
            .expect("somebody waits for it");
        let _ = doors
            .serve(service.handlers(), Arc::new(outside), std::future::pending())
            .await;
    });
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn main() -> std::io::Result<()> {
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let before = resident();
    let begun = Instant::now();
    let mut desk = filled();
    println!(
        "{POOLS} pools, {TASKS} tasks: {:.0} MiB, made in {:.2} s",
        resident() - before,
        begun.elapsed().as_secs_f64()
    );
    let begun = Instant::now();
    let events_before = desk.n_changes();
    let start = desk.now();
    desk.advance(start + Span::hours(4));
    let n_events = desk.n_changes() - events_before;
    println!(
        "four hours of it: {n_events} events in {:.2} s; {:.0} MiB",
        begun.elapsed().as_secs_f64(),
        resident() - before
    );
    let begun = Instant::now();
    let state = desk.state();
    println!(
        "its state: {} MiB in {:.2} s",
        state.len() >> 20,
        begun.elapsed().as_secs_f64()
    );
    drop(state);
    for (what, path) in READS {
        println!(
            "desk: {what}: {:.0} a second",
            per_second(|| ask(&mut desk, "GET", path, ""))
        );
    }
    let (ready, is_ready) = std::sync::mpsc::channel();
    std::thread::spawn(move || serve(desk, &ready));
    let address = is_ready.recv().expect("the server listens");
    let key = Key::parse(DEVELOPMENT_KEY).expect("the development key is one");
    for (what, path) in READS {
        println!(
            "http: {what}: {:.0} a second",
            over_http(address, &request(&key, path))?
        );
    }
    Ok(())
}
