//! What a large account takes of the sidecar: 500 pools and 1,000 active jobs, looked at every 30 seconds.
//!
//! `cargo bench --profile release --bench scale`: the loop with its client, engine, ledger (SQLite), board and metrics in this
//! process, on one core where `taskset` is there, against `lowtide emulate` in another process over loopback.
//!
//! | variable | says | usually |
//! |---|---|---|
//! | `LOWTIDE_POOLS`, `LOWTIDE_JOBS` | how large the account is | 500, 1000 |
//! | `LOWTIDE_TASKS` | tasks of each job | 20 |
//! | `LOWTIDE_HOURS` | hours of the account's time; 24 shows whether memory stays | 0.25 |
//! | `LOWTIDE_SPEED` | how many times as fast the clocks run; a look must fit into 30 s of theirs | 10 |
//! | `LOWTIDE_LINES` | `alone`: each line of the ledger is kept by itself, `answers`: each answer to an order, for comparison | together |
//! | `LOWTIDE_BY` | what the policies look at: `counts` (formulas) or `tasks` (a backlog: tasks and nodes one by one) | counts |

#![expect(clippy::print_stdout, reason = "it is what a benchmark is for")]

mod account;
mod laps;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lowtide::azure::shared_key::Key;
use lowtide::azure::{ApiVersion, Client, Clock, Credential, Limits, Live, Settings};
use lowtide::base::Span;
use lowtide::decision::Memory;
use lowtide::emulator::outside::DEVELOPMENT_KEY;
use lowtide::serve::{Board, Book, Control, Folder, HaltsOfStore, Steered, Steering};
use lowtide::store::{Place, Store};
use tokio::runtime::Runtime;

use account::Emulated;
use laps::{Alone, Laps, Timed, TimedBook};

/// What is measured.
#[derive(Clone, Debug)]
struct Asked {
    pools: usize,
    jobs: usize,
    tasks: usize,
    hours: f64,
    speed: f64,
    one_by_one: bool,
    alone: Alone,
}

fn number<T: std::str::FromStr>(variable: &str, usual: T) -> T {
    let given = std::env::var(variable).ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

impl Asked {
    fn of_environment() -> Self {
        Self {
            pools: number("LOWTIDE_POOLS", 500),
            jobs: number("LOWTIDE_JOBS", 1_000),
            tasks: number("LOWTIDE_TASKS", 20),
            hours: number("LOWTIDE_HOURS", 0.25),
            speed: number("LOWTIDE_SPEED", 10.0),
            one_by_one: std::env::var("LOWTIDE_BY").is_ok_and(|by| by == "tasks"),
            alone: match std::env::var("LOWTIDE_LINES").as_deref() {
                Ok("alone") => Alone::Lines,
                Ok("answers") => Alone::Answers,
                _ => Alone::None,
            },
        }
    }
}

/// A policy of most pools, and one of every fifth pool, which all change at the same moment.
fn write_policies(folder: &Path, one_by_one: bool) -> std::io::Result<()> {
    let demand = if one_by_one {
        "  - backlog: { drainWithin: 1h }"
    } else {
        "  - formula:
      role: targets
      text: |
        share = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);
        tasks = share < 70 ? max(0, $PendingTasks.GetSample(1)) : max($PendingTasks.GetSample(1), avg($PendingTasks.GetSample(TimeInterval_Minute * 5)));
        $TargetDedicatedNodes = max(1, min(4, tasks / 8));"
    };
    let flow = format!(
        "version: 1\npool: flow-*\ninterval: 30s\ndemand:\n{demand}\nbounds: {{ total: [1, 4], dedicated: [1, 4], spot: [0, 0] }}\n"
    );
    let turn = "version: 1\npool: turn-*\ninterval: 30s\ndemand:\n  - formula:
      role: targets
      text: |
        m = time().minute;
        $TargetDedicatedNodes = m < 5 || (m >= 10 && m < 15) || (m >= 20 && m < 25) || (m >= 30 && m < 35) ? 3 : 2;
bounds: { total: [0, 4] }\n";
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("flow.yaml"), flow)?;
    std::fs::write(folder.join("turn.yaml"), turn)
}

fn client(account: &Emulated, clock: Clock, speed: f64) -> Client {
    let settings = Settings {
        endpoint: account.url.parse().expect("an address is an endpoint"),
        account: "lowtide".to_owned(),
        version: ApiVersion::V2025,
        authorities: None,
        limits: Limits {
            // The machine is to be measured, not the patience with a service.
            per_second: 100_000.0,
            whole: Duration::from_secs(90).mul_f64(speed),
            ..Limits::default()
        },
        seed: 1,
    };
    let key = Key::parse(DEVELOPMENT_KEY).expect("the development key is one");
    Client::new(settings, Credential::SharedKey(key), clock).expect("a client can be made")
}

fn main() {
    if let Ok(path) = std::env::var(account::FILLS) {
        account::fill(Path::new(&path), &Asked::of_environment());
        return;
    }
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let asked = Asked::of_environment();
    let folder = std::env::temp_dir().join(format!("lowtide-scale-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    measure(&folder, &asked);
    // It is of no use any more; what cannot be removed the system removes.
    let _ = std::fs::remove_dir_all(&folder);
}

fn measure(folder: &Path, asked: &Asked) {
    write_policies(&folder.join("policies"), asked.one_by_one).expect("policies can be written");
    let account = Emulated::open(folder, asked);
    println!(
        "{} pools, {} active jobs of {} tasks, a look every 30 s, {}; {}",
        asked.pools,
        asked.jobs,
        asked.tasks,
        if asked.one_by_one {
            "tasks and nodes one by one"
        } else {
            "tasks and nodes counted"
        },
        account::pin()
    );
    let laps = steer(folder, asked, &account);
    laps.lock().expect("nobody else has it").tell(asked.hours);
}

fn steer(folder: &Path, asked: &Asked, account: &Emulated) -> Arc<Mutex<Laps>> {
    // As the process of `lowtide serve` has it.
    let runtime: Runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let clock = Clock::Faster {
        since: Instant::now(),
        then: account.now,
        speed: asked.speed,
    };
    let client = client(account, clock.clone(), asked.speed);
    let place: Place = Place::Sqlite(folder.join("lowtide.db"));
    let store = Store::open(&place.into()).expect("a ledger can be made");
    let mut policies = Folder::new(folder.join("policies"));
    let reading = policies.read();
    let in_effect = reading
        .policies
        .unwrap_or_else(|| panic!("the policies are whole: {:?}", reading.faults));
    let laps = Arc::new(Mutex::new(Laps::begin(
        client.clone(),
        clock.now() + Span::from_seconds(asked.hours * 3600.0),
    )));
    let live = Live::new(client, runtime.handle().clone());
    let control = Control::new(live.stopper());
    let inside = Timed::around(live, Arc::clone(&laps));
    let ledger = TimedBook::around(Book::Store(store.clone()), Arc::clone(&laps), asked.alone);
    let world = Steered::new(inside, ledger, Board::new(clock.now()), control, policies);
    let mut world = world.expect("the metrics have names of their own");
    world.brakes.halts = Box::new(HaltsOfStore::new(store));
    let mut steering = Steering {
        world,
        policies: in_effect,
    };
    steering.run(Memory::default());
    laps
}
