//! A formula of ours on a pool that a look has missed: it stays ours when the policy has another name by then.

use lowtide::account::{Lease, Order, OwnFormula, PoolState, Receipt};
use lowtide::base::{Mix, Span, Timestamp};
use lowtide::decision::Memory;
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};
use lowtide::policy::{self, Policies};
use lowtide::world::{Kept, MemoryLedger, remember, replay};

/// A world that shows what each look has, a minute apart, and takes every order.
struct Shown {
    looks: std::vec::IntoIter<Option<PoolState>>,
    now: Timestamp,
}

impl World for Shown {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.now = at.max(self.now + Span::minutes(1));
        (self.looks.len() > 0).then_some(self.now)
    }

    fn observe(&mut self, _: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        if let Some(pool) = self.looks.next().flatten() {
            into.push(pool);
        }
        Ok(())
    }

    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }

    fn act(&mut self, _: &Order) -> Receipt {
        Receipt::Accepted
    }
}

fn noon() -> Timestamp {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

fn pool() -> PoolState {
    PoolState {
        target: Mix::new(2, 0),
        current: Mix::new(2, 0),
        ..PoolState::new("p".parse().unwrap())
    }
}

/// The pool as it follows a formula by somebody's name.
fn leased(holder: &str) -> PoolState {
    PoolState {
        auto_scale: true,
        formula: Some(OwnFormula::Lease(Lease {
            holder: holder.into(),
            target: Mix::new(2, 0),
            until: noon() + Span::minutes(30),
        })),
        ..pool()
    }
}

/// Lets a policy steer by what the looks from a moment on have; returns what is remembered, and the ledger.
fn steer(
    name: &str,
    rest: &str,
    memory: Memory,
    (from, looks): (Timestamp, Vec<Option<PoolState>>),
) -> (Memory, String) {
    let text = format!(
        "version: 1\npool: p\ninterval: 60s\nbounds: {{ total: [0, 9] }}\nguards: {{ missing: {{ then: ignore }} }}\n\
         demand: [ {{ formula: {{ role: targets, text: \"$TargetDedicatedNodes = 2;\" }} }} ]\n{rest}"
    );
    let (policy, findings) = policy::read(name, &text, &mut |_| unreachable!());
    let policies = Policies::from(vec![policy.unwrap_or_else(|| panic!("{findings:?}"))]);
    let mut world = Kept {
        world: Shown {
            looks: looks.into_iter(),
            now: from,
        },
        ledger: MemoryLedger::default(),
    };
    let memory = run(&mut world, &policies, memory);
    let ledger = world.ledger.text;
    replay(&ledger).unwrap();
    (memory, ledger)
}

const LEASES: &str = "actuator: { leaseFormula: { lease: 30m, fallback: tasks } }\n";

#[test]
fn a_formula_of_ours_is_taken_off_by_the_policys_next_name_although_a_look_missed_the_pool() {
    for missed in [0, 1, 3] {
        let mut looks = vec![Some(pool()), Some(leased("before"))];
        looks.extend(vec![None; missed]);
        let (memory, ledger) = steer("before", LEASES, Memory::default(), (noon(), looks));
        assert!(ledger.contains("\"result\":\"accepted\""), "{ledger}");
        let lines: Vec<String> = ledger.lines().map(str::to_owned).collect();
        let told = remember(&lines).unwrap().memory;
        let id = "p".parse().unwrap();
        assert!(told.pools[&id].ours.leased_at.is_some(), "{ledger}");
        // Its time is over by then, and nobody renews it.
        let later = noon() + Span::hours(1);
        for memory in [memory, told] {
            let looks = vec![Some(leased("before")), Some(pool())];
            let (_, ledger) = steer("after", "", memory, (later, looks));
            assert!(
                ledger.contains("\"code\":\"leaseEnds\"") && ledger.contains("\"release\":true"),
                "{missed} missed: {ledger}"
            );
        }
    }
}

#[test]
fn what_was_never_ours_is_left_and_so_is_what_was_ours_too_long_ago() {
    let later = noon() + Span::hours(1);
    let (_, ledger) = steer(
        "after",
        "",
        Memory::default(),
        (later, vec![Some(leased("somebody"))]),
    );
    assert!(ledger.contains("\"code\":\"serviceAutoScale\""), "{ledger}");

    let looks = vec![Some(pool()), Some(leased("before")), None];
    let (memory, _) = steer("before", LEASES, Memory::default(), (noon(), looks));
    assert_eq!(memory.pools.len(), 1);
    let (memory, _) = steer("before", LEASES, memory, (noon() + Span::days(8), vec![None]));
    assert_eq!(
        memory.pools.len(),
        0,
        "a pool that went is not remembered for ever"
    );
}

#[test]
fn a_pool_that_comes_back_is_a_new_one() {
    let looks = vec![Some(pool()), Some(leased("before")), None];
    let (memory, _) = steer("before", LEASES, Memory::default(), (noon(), looks));
    // Somebody made another one by the name, which nobody has changed since.
    let larger = PoolState {
        target: Mix::new(7, 0),
        current: Mix::new(7, 0),
        ..pool()
    };
    let (memory, ledger) = steer(
        "before",
        LEASES,
        memory,
        (noon() + Span::minutes(10), vec![Some(larger)]),
    );
    assert!(!ledger.contains("othersWord"), "{ledger}");
    assert!(ledger.contains("\"code\":\"lease\""), "{ledger}");
    let pool = memory.pools.values().next().unwrap();
    assert!(!pool.gone && pool.ours.foreign.is_none());
}
