//! The sidecar: its configuration, its policies from a folder, its loop, and what it exports.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use lowtide::account::{Order, PoolState, Receipt};
use lowtide::azure::Stop;
use lowtide::base::{Span, Timestamp};
use lowtide::decision::Memory;
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World};
use lowtide::policy::Policy;
use lowtide::serve::config::{CODES, Config};
use lowtide::serve::{Board, Control, Ended, Folder, METRICS, Reading, Status, Steered, Steering};
use lowtide::world::{MemoryLedger, replay};

/// The shortest configuration there is.
const SHORTEST: &str =
    "account = { endpoint = \"http://127.0.0.1:1\", name = \"a\" }\npolicies = { folder = \"p\" }\n";

fn said(part: &str) -> Vec<&'static str> {
    let source = format!("version = 1\n{SHORTEST}{part}\n");
    let faults = Config::parse(&source, Path::new(".")).err().unwrap_or_default();
    faults.iter().map(|fault| fault.code.0).collect()
}

#[test]
fn every_bad_example_gets_its_code_alone_and_good_ones_get_nothing() {
    for row in CODES {
        let Some(example) = row.example else { continue };
        assert_eq!(said(example.bad), [row.code.0], "{}", example.bad);
        assert_eq!(said(example.good), [""; 0], "{}", example.good);
    }
}

#[test]
fn every_fault_is_told_at_once_and_where_it_stands() {
    let source = "version = 2
dryrun = true
[account]
endpoint = \"ftp://a\"
keyFile = \"a\"
keyEnv = \"B\"
[policies]
folder = \"p\"
poll = \"1d\"
[ledger]
sqlite = \"a.db\"
jsonLines = \"a.jsonl\"
lease = \"1h\"
[http]
listen = \"localhost\"
";
    let faults = Config::parse(source, Path::new(".")).expect_err("it is full of faults");
    let told: Vec<_> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.code, &source[fault.span.clone()]))
        .collect();
    assert_eq!(
        told,
        ["G005 2", "G002 dryrun", "G005 \"ftp://a\"", "G005 \"localhost\"",]
    );
    let mended = source
        .replace("version = 2", "version = 1")
        .replace("dryrun", "dryRun")
        .replace("ftp://a", "http://a")
        .replace("localhost", "127.0.0.1:1");
    let faults = Config::parse(&mended, Path::new(".")).expect_err("settings contradict each other");
    let told: Vec<_> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.code, &mended[fault.span.clone()]))
        .collect();
    assert_eq!(
        told,
        [
            "G006 \"http://a\"",
            "G006 \"B\"",
            "G006 \"1d\"",
            "G006 \"a.jsonl\"",
            "G006 \"1h\"",
        ]
    );
}

const SMALL: &str = "version: 1\npool: a\ninterval: 30s\nbounds: { dedicated: [0, 4] }\n\
                     demand:\n  - formula: { text: \"$TargetDedicatedNodes = 1;\", role: targets }\n";

fn names(reading: &Reading) -> Option<Vec<(String, String)>> {
    let of = |policy: &Policy| (policy.name.to_string(), policy.pool.as_str().to_owned());
    let policies = reading.policies.as_ref()?;
    Some(policies.policies.iter().map(of).collect())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it is compared with one that may be absent"
)]
fn named(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
    Some(
        pairs
            .iter()
            .map(|(name, pool)| ((*name).to_owned(), (*pool).to_owned()))
            .collect(),
    )
}

#[test]
fn a_faulty_file_keeps_what_it_was_and_the_others_go_on() {
    let place = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
    let mut folder = Folder::new(place.path().to_owned());
    assert!(
        folder.read().faults[0].diagnostics[0]
            .message
            .contains("no policy")
    );
    write("a.yaml", SMALL);
    write("b.yaml", &SMALL.replace("pool: a", "pool: b"));
    write("b.test.yaml", "not: read");
    assert_eq!(names(&folder.read()), named(&[("a", "a"), ("b", "b")]));
    assert_eq!(names(&folder.read()), None, "nothing changed");

    write("a.yaml", &SMALL.replace("30s", "5s"));
    write("b.yaml", &SMALL.replace("pool: a", "pool: c"));
    write("c.yaml", "version: 1\nnonsense: true\n");
    let reading = folder.read();
    assert_eq!(names(&reading), named(&[("a", "a"), ("b", "c")]));
    let faulty: Vec<_> = reading.faults.iter().map(|fault| &fault.file).collect();
    assert_eq!(faulty.len(), 2, "{faulty:?}");

    fs::remove_file(place.path().join("a.yaml")).unwrap();
    assert_eq!(names(&folder.read()), named(&[("b", "c")]));
    fs::remove_file(place.path().join("b.yaml")).unwrap();
    let emptied = folder.read();
    assert_eq!(names(&emptied), None, "what runs goes on");
    assert!(!emptied.faults.is_empty());
}

#[cfg(unix)]
#[test]
fn a_mounted_folder_is_exchanged_as_a_whole() {
    use std::os::unix::fs::symlink;
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    for (version, pool) in [("..one", "a"), ("..two", "b")] {
        fs::create_dir(root.join(version)).unwrap();
        let text = SMALL.replace("pool: a", &format!("pool: {pool}"));
        fs::write(root.join(version).join("p.yaml"), text).unwrap();
    }
    symlink("..one", root.join("..data")).unwrap();
    symlink("..data/p.yaml", root.join("p.yaml")).unwrap();
    let mut folder = Folder::new(root.to_owned());
    assert_eq!(names(&folder.read()), named(&[("p", "a")]));
    symlink("..two", root.join("..data_tmp")).unwrap();
    fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    assert_eq!(names(&folder.read()), named(&[("p", "b")]));
}

/// A world of one pool and some minutes, in which something happens before each look.
struct Minutes {
    now: Timestamp,
    left: u32,
    pool: PoolState,
    happens: Box<dyn FnMut(u32)>,
    breaks_at: Option<u32>,
    orders: Rc<RefCell<Vec<Order>>>,
}

impl World for Minutes {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.left = self.left.checked_sub(1)?;
        (self.happens)(self.left);
        self.now = (self.now + Span::seconds(30)).max(at);
        Some(self.now)
    }

    fn observe(&mut self, _: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        into.push(self.pool.clone());
        assert_ne!(self.breaks_at, Some(self.left), "a mistake of ours");
        Ok(())
    }

    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        self.pool.target = order.target;
        self.pool.current = order.target;
        self.orders.borrow_mut().push(order.clone());
        Receipt::Accepted
    }
}

pub(crate) fn policy(nodes: u32) -> String {
    format!(
        "version: 1\npool: a\ninterval: 30s\nbounds: {{ total: [0, 9] }}\n\
         demand: [ {{ formula: {{ role: targets, text: \"$TargetDedicatedNodes = {nodes};\" }} }} ]\n"
    )
}

/// Steers for six looks; `happens` gets the folder and how many looks are left.
fn steer(
    place: &Path,
    mut happens: impl FnMut(&Path, &Control, u32) + 'static,
    breaks_at: Option<u32>,
) -> (Steering<Minutes, MemoryLedger>, Rc<RefCell<Vec<Order>>>) {
    fs::write(place.join("a.yaml"), policy(1)).unwrap();
    let start: Timestamp = "2026-11-25T09:00:00Z".parse().unwrap();
    let control = Control::new(Stop::default());
    let (asked, folder) = (control.clone(), place.to_owned());
    let orders = Rc::default();
    let inside = Minutes {
        now: start,
        left: 6,
        pool: PoolState::new("a".parse().unwrap()),
        happens: Box::new(move |left| happens(&folder, &asked, left)),
        breaks_at,
        orders: Rc::clone(&orders),
    };
    let mut folder = Folder::new(place.to_owned());
    let policies = folder.read().policies.unwrap();
    let mut world = Steered::new(
        inside,
        MemoryLedger::default(),
        Board::new(start),
        control,
        folder,
    )
    .unwrap();
    world.brakes.kill_switch = Some(place.join("STOP"));
    let mut steering = Steering { world, policies };
    assert!(matches!(steering.run(Memory::default()), Ended::Whole(_)));
    let ledger = &steering.world.ledger.text;
    replay(ledger).unwrap_or_else(|error| panic!("{error}\n{ledger}"));
    (steering, orders)
}

fn targets(orders: &RefCell<Vec<Order>>) -> Vec<u32> {
    orders
        .borrow()
        .iter()
        .map(|order| order.target.total().0)
        .collect()
}

#[test]
fn a_policy_that_changes_is_in_effect_and_nothing_is_forgotten() {
    let place = tempfile::tempdir().unwrap();
    let (steering, orders) = steer(
        place.path(),
        |folder, control, left| match left {
            4 => {
                fs::write(folder.join("a.yaml"), policy(3)).unwrap();
                control.reload();
            }
            2 => {
                fs::write(folder.join("a.yaml"), "version: 1\npool: a\n").unwrap();
                control.reload();
            }
            _ => {}
        },
        None,
    );
    assert_eq!(targets(&orders), [1, 3]);
    let started: Vec<_> = steering
        .world
        .ledger
        .text
        .lines()
        .filter(|line| line.starts_with("{\"kind\":\"started\""))
        .collect();
    assert_eq!(started.len(), 2, "a broken file begins no new run: {started:#?}");
    assert!(started[1].contains("\"seenAt\""), "what is remembered goes on");
    let standing = steering.world.board.read();
    assert!(!standing.health.reload.is_whole());
    assert_eq!(standing.health.reload.faults[0].code, "P004");
    assert_eq!(standing.health.readiness().status, Status::Degraded);
}

#[test]
fn what_was_ordered_at_the_latest_look_is_the_target_at_once() {
    let place = tempfile::tempdir().unwrap();
    let (steering, orders) = steer(
        place.path(),
        |folder, control, left| {
            if left == 1 {
                fs::write(folder.join("a.yaml"), policy(3)).unwrap();
                control.reload();
            }
        },
        None,
    );
    assert_eq!(targets(&orders), [1, 3]);
    let standing = steering.world.board.read();
    let pool = standing.pools.values().next().unwrap();
    assert_eq!(pool.decision.start.total().0, 1, "as it was seen");
    assert_eq!(pool.target().total().0, 3, "as it was told");
    assert_eq!(standing.totals().target.total().0, 3);
}

#[test]
fn a_kill_switch_stops_everything_with_its_reason() {
    let place = tempfile::tempdir().unwrap();
    let (steering, orders) = steer(
        place.path(),
        |folder, control, left| match left {
            5 => fs::write(folder.join("STOP"), "inspection until noon\n").unwrap(),
            2 => {
                fs::remove_file(folder.join("STOP")).unwrap();
                control.look();
            }
            _ => {}
        },
        None,
    );
    assert_eq!(targets(&orders), [1], "only once it is gone");
    let ledger = &steering.world.ledger.text;
    assert!(ledger.contains("inspection until noon"), "{ledger}");
}

#[test]
fn a_clock_that_is_set_back_begins_everything_anew_and_waits_for_nothing() {
    use std::sync::atomic::{AtomicI64, Ordering};
    // Seconds after the start, as the machine tells them.
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("a.yaml"), policy(1)).unwrap();
    let start: Timestamp = "2026-11-25T09:00:00Z".parse().unwrap();
    let inside = Minutes {
        now: start,
        left: 4,
        pool: PoolState::new("a".parse().unwrap()),
        // Before the last two looks it is an hour earlier.
        happens: Box::new(|left| {
            let seconds = if left < 2 {
                -3_600
            } else {
                30 * i64::from(4 - left)
            };
            CLOCK.store(seconds, Ordering::SeqCst);
        }),
        breaks_at: None,
        orders: Rc::default(),
    };
    let mut folder = Folder::new(place.path().to_owned());
    let policies = folder.read().policies.unwrap();
    let control = Control::new(Stop::default());
    let mut world = Steered::new(
        inside,
        MemoryLedger::default(),
        Board::new(start),
        control,
        folder,
    )
    .unwrap();
    world.now = || {
        let start: Timestamp = "2026-11-25T09:00:00Z".parse().unwrap();
        start + Span::seconds(CLOCK.load(Ordering::SeqCst))
    };
    let mut steering = Steering { world, policies };
    steering.run(Memory::default());
    let started = |line: &&str| line.starts_with("{\"kind\":\"started\"");
    let ledger = &steering.world.ledger.text;
    assert_eq!(ledger.lines().filter(started).count(), 2, "{ledger}");
}

#[test]
fn a_mistake_in_a_look_holds_the_pools_and_ends_nothing() {
    let place = tempfile::tempdir().unwrap();
    let (steering, orders) = steer(place.path(), |_, _, _| {}, Some(3));
    assert_eq!(targets(&orders), [1]);
    let ledger = &steering.world.ledger.text;
    let blind = ledger
        .lines()
        .filter(|line| line.contains("a mistake in lowtide"));
    assert_eq!(blind.count(), 2, "the blind look and its hold: {ledger}");
    let last = ledger.lines().last().unwrap();
    assert!(
        last.starts_with("{\"kind\":\"decided\""),
        "it looks again: {last}"
    );
}

#[test]
fn what_is_exported_is_what_the_ledger_says() {
    let place = tempfile::tempdir().unwrap();
    let (steering, _) = steer(place.path(), |_, _, _| {}, None);
    let health = steering.world.board.read().health.clone();
    let text = steering.world.metrics.lock().unwrap().export(&health);
    for line in [
        "lowtide_apply_total{pool=\"a\",result=\"accepted\"} 1",
        "lowtide_decisions_total{direction=\"out\",pool=\"a\",reason=\"formula\"} 1",
        "lowtide_decisions_total{direction=\"same\",pool=\"a\",reason=\"formula\"} 5",
        "lowtide_target_nodes{class=\"dedicated\",pool=\"a\",stage=\"outcome\"} 1",
        "lowtide_ledger_writable 1",
        "lowtide_ready 1",
    ] {
        assert!(
            text.lines().any(|other| other == line),
            "{line} is not in\n{text}"
        );
    }
    let known: Vec<_> = METRICS.iter().map(|row| row.name).collect();
    for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(known.contains(&name), "{name} is in no table");
    }
}

#[test]
fn the_table_is_what_rules_and_dashboards_read() {
    let read = include_str!("../../deploy/metrics.tsv");
    for line in read.lines().skip(1) {
        let mut columns = line.split('\t');
        let [name, kind, labels] = [(); 3].map(|()| columns.next().unwrap_or_default());
        let row = METRICS.iter().find(|row| row.name == name);
        let row = row.unwrap_or_else(|| panic!("{name} is read and not exported"));
        assert_eq!(row.kind.word(), kind, "{name}");
        assert_eq!(row.labels.join(","), labels, "{name}");
    }
}
