//! A fixed budget of the swarm's worlds: named seeds, each with why it is there, and laws that are broken on purpose.
//!
//! `lowtide swarm` runs as many as are asked for.

use std::sync::{Arc, Mutex};

use lowtide::swarm::{Ground, Law, Plan, Without, run, run_again};

/// A world that is run every time.
struct Named {
    ground: Ground,
    seed: u64,
    /// The hours before calm; as the seed has them, and a whole calm behind them, where none are given.
    hours: Option<u32>,
    /// Whether everything may go wrong in it.
    rough: bool,
    /// Why it is there.
    why: &'static str,
}

impl Named {
    fn plan(&self) -> Plan {
        Plan {
            ground: self.ground,
            hours: self.hours,
            without: if self.rough {
                Without::default()
            } else {
                Without::all()
            },
            ..Plan::of(self.seed)
        }
    }
}

const fn account(seed: u64, hours: u32, rough: bool, why: &'static str) -> Named {
    Named {
        ground: Ground::Account,
        seed,
        hours: Some(hours),
        rough,
        why,
    }
}

const fn pools(seed: u64, hours: u32, rough: bool, why: &'static str) -> Named {
    Named {
        ground: Ground::Pools,
        seed,
        hours: Some(hours),
        rough,
        why,
    }
}

const fn calm(seed: u64, why: &'static str) -> Named {
    Named {
        ground: Ground::Pools,
        seed,
        hours: None,
        rough: true,
        why,
    }
}

/// Worlds of the account: every request, byte for byte.
const ACCOUNTS: &[Named] = &[
    account(22, 1, false, "nothing goes wrong"),
    account(
        17,
        1,
        true,
        "old answers come again, lists lack an element, and the service is busy",
    ),
    account(
        10014,
        1,
        true,
        "a job that cannot be read and names no pool, after a start that knows no job yet",
    ),
];

/// Worlds of simulated pools.
const POOLS: &[Named] = &[
    pools(
        2,
        3,
        true,
        "an order that takes idle nodes alone keeps more than it names",
    ),
    pools(
        9,
        3,
        true,
        "the same from nothing, behind nodes that finish their tasks",
    ),
    pools(
        15,
        2,
        true,
        "a policy takes the place of another that had installed a formula, and ends it when nobody renews it",
    ),
    pools(
        2027,
        8,
        true,
        "a pool whose policy ends the formula of an earlier one asks for its share of the cores like any other",
    ),
];

/// Worlds of simulated pools with a calm that is long enough to tell who never comes to rest.
const CALM: &[Named] = &[
    calm(
        10002,
        "a pool comes back by its name under another policy, which leaves formulas alone",
    ),
    calm(
        30234,
        "a node that boots for ever, in a pool that takes idle nodes alone",
    ),
    calm(
        50062,
        "the same, with the money of the month spent and tasks that fit no node",
    ),
    calm(
        10029,
        "an order that takes idle nodes alone, and a node too many that works on a task without end",
    ),
];

fn keep_every_law(named: &[Named]) {
    for named in named {
        if let (_, Some(found)) = run(&named.plan(), None) {
            panic!("{found}\n  it is there for: {}", named.why);
        }
    }
}

#[test]
fn named_accounts_keep_every_law() {
    keep_every_law(ACCOUNTS);
}

#[test]
fn named_pools_keep_every_law() {
    keep_every_law(POOLS);
}

#[test]
fn named_pools_come_to_rest() {
    keep_every_law(CALM);
}

#[test]
fn quiet_pools_come_to_rest_and_rough_ones_meet_every_kind_of_fault() {
    let quiet = |seed| {
        let plan = Plan {
            ground: Ground::Pools,
            hours: Some(3),
            without: Without::all(),
            ..Plan::of(seed)
        };
        let (tally, found) = run(&plan, None);
        assert!(found.is_none(), "{}", found.unwrap());
        assert!(tally.faults.is_empty() && tally.blind == 0, "{tally:?}");
        tally.rested
    };
    let rested: u64 = (2..4).map(quiet).sum();
    assert!(
        rested > 500,
        "{rested} looks in the calm are too few to prove much"
    );
}

/// A law that nothing breaks says nothing: each is broken on purpose, found as what it is, and shown again by its command.
#[test]
fn every_law_is_found_when_it_is_broken_and_the_command_shows_it_again() {
    for law in Law::ALL {
        // Worlds in which there is something to do wrong early: a pool that cannot be seen, one that is to move in the calm, …
        let (seed, quiet) = match law {
            Law::Blind => (5, false),
            Law::Rest => (3, true),
            Law::Same | Law::Bill => (1, false),
            _ => (0, false),
        };
        let plan = Plan {
            ground: Ground::Pools,
            // The calm of a world of few hours is shorter than what the aftermath explains.
            hours: (law != Law::Rest).then_some(3),
            without: if quiet { Without::all() } else { Without::default() },
            plant: Some(law),
            ..Plan::of(seed)
        };
        let (tally, found) = run(&plan, None);
        let found = found.or_else(|| run_again(&plan, &tally));
        let found = found.unwrap_or_else(|| panic!("nothing breaks the law `{law}`"));
        // A ledger that lost lines breaks its bill before it is replayed.
        let expected = [law, if law == Law::Replay { Law::Bill } else { law }];
        assert!(expected.contains(&found.law), "`{law}`: {found}");
        assert!(is_shown_again(&found.command(), &plan), "{}", found.command());
    }
}

/// Says whether a command names all that a world is made by.
fn is_shown_again(command: &str, plan: &Plan) -> bool {
    let law = plan.plant.map(Law::word).unwrap_or_default();
    let hours = plan
        .hours
        .map_or(String::new(), |hours| format!(" --hours {hours}"));
    let named = format!("lowtide swarm --seed {} --ground pools{hours}", plan.seed);
    command.starts_with(&named) && command.ends_with(&format!("--plant {law}"))
}

#[test]
fn the_same_seed_is_the_same_world() {
    let trace = |plan: &Plan| {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        let keep = move |line: &str| kept.lock().unwrap().push(line.to_owned());
        run(plan, Some(Arc::new(keep)));
        std::mem::take(&mut *lines.lock().unwrap())
    };
    for named in [account(22, 1, false, ""), pools(2, 2, true, "")] {
        let plan = named.plan();
        let (one, two) = (trace(&plan), trace(&plan));
        assert!(one.len() > 10, "{} lines are too few to prove much", one.len());
        for (one, two) in one.iter().zip(&two) {
            assert_eq!(one, two);
        }
        assert_eq!(one.len(), two.len());
    }
}
