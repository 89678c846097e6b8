//! Pools that share quotas and a budget: guarantees, priority, fairness, and what must always hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use lowtide::account::PoolId;
use lowtide::base::{Lane, Mix, Nodes, UsdHourly};
use lowtide::mix::{Claim, Cores, LanePrices, Limit, Share, Shared, allocate};
use proptest::prelude::*;

const PRICES: LanePrices = LanePrices {
    dedicated: UsdHourly(1.0),
    spot: UsdHourly(0.2),
};

/// The name of the one budget.
const MONEY: &str = "money";

fn money(budget: Option<f64>) -> BTreeMap<Arc<str>, UsdHourly> {
    budget
        .map(|budget| (MONEY.into(), UsdHourly(budget)))
        .into_iter()
        .collect()
}

fn wants(dedicated: u32, spot: u32) -> Claim {
    Claim {
        wants: Mix::new(dedicated, spot),
        holds: Mix::ZERO,
        cores_per_node: 4,
        family: None,
        budgets: vec![MONEY.into()],
        prices: PRICES,
        guarantee: Cores::default(),
        priority: 0,
    }
}

fn dedicated_cores(cores: u32) -> Shared {
    Shared {
        dedicated_cores: Some(cores),
        ..Shared::default()
    }
}

fn divide<const N: usize>(claims: [(&str, Claim); N], shared: &Shared) -> BTreeMap<String, Share> {
    let claims = claims
        .into_iter()
        .map(|(id, claim)| (id.parse().unwrap(), claim))
        .collect();
    let shares = allocate(&claims, shared).unwrap();
    shares
        .into_iter()
        .map(|(id, share)| (id.to_string(), share))
        .collect()
}

#[test]
fn without_limits_each_pool_has_what_it_wants() {
    let shares = divide([("a", wants(3, 5)), ("b", wants(0, 0))], &Shared::default());
    assert_eq!(shares["a"].nodes, Mix::new(3, 5));
    assert_eq!(shares["b"], Share::default());
}

#[test]
fn what_is_scarce_is_divided_evenly_and_what_one_leaves_goes_to_the_others() {
    // Eleven nodes: 2, then the rest in halves; the odd one to the first id.
    let shares = divide(
        [("b", wants(9, 0)), ("a", wants(9, 0)), ("small", wants(2, 0))],
        &dedicated_cores(44),
    );
    let nodes = |id: &str| shares[id].nodes.dedicated.0;
    assert_eq!((nodes("small"), nodes("a"), nodes("b")), (2, 5, 4));
    assert_eq!(shares["small"].short, []);
    let short = &shares["b"].short[0];
    assert_eq!((short.lane, short.lacks), (Lane::Dedicated, Nodes(5)));
    assert_eq!(
        short.because,
        Limit::Quota {
            cores_left: 0,
            cores: 44
        }
    );
}

#[test]
fn guarantees_come_first_then_a_node_each_then_priority() {
    let kept = Claim {
        guarantee: Cores {
            dedicated: 8,
            spot: 0,
        },
        ..wants(6, 0)
    };
    let first = Claim {
        priority: 50,
        ..wants(9, 0)
    };
    // Ten nodes: two guaranteed, one to start the last pool, all others to the first.
    let shares = divide(
        [("kept", kept), ("first", first), ("last", wants(9, 0))],
        &dedicated_cores(40),
    );
    let nodes = |id: &str| shares[id].nodes.dedicated.0;
    assert_eq!((nodes("kept"), nodes("first"), nodes("last")), (2, 7, 1));
    assert_eq!(shares["kept"].guaranteed, Mix::new(2, 0));
}

#[test]
fn what_a_guarantee_does_not_need_is_lent_until_it_does() {
    let owner = |wanted: u32| Claim {
        guarantee: Cores {
            dedicated: 32,
            spot: 0,
        },
        ..wants(wanted, 0)
    };
    let idle = divide(
        [("owner", owner(1)), ("guest", wants(9, 0))],
        &dedicated_cores(40),
    );
    assert_eq!(idle["guest"].nodes, Mix::new(9, 0));
    assert_eq!(idle["owner"].lent, Mix::new(7, 0));
    let busy = divide(
        [("owner", owner(9)), ("guest", wants(9, 0))],
        &dedicated_cores(40),
    );
    assert_eq!(
        (busy["owner"].nodes, busy["guest"].nodes),
        (Mix::new(8, 0), Mix::new(2, 0))
    );
}

#[test]
fn a_budget_buys_what_still_fits() {
    let shared = Shared {
        budgets: money(Some(2.5)),
        ..Shared::default()
    };
    // Shares grow together: of ten wanted of each lane, two dedicated and two spot nodes cost 2.4; nothing more fits.
    let shares = divide([("a", wants(10, 10))], &shared);
    assert_eq!(shares["a"].nodes, Mix::new(2, 2));
    assert!(shares["a"].short.iter().all(|short| matches!(
        short.because,
        Limit::Budget { left, .. } if (left.0 - 0.1).abs() < 1e-9
    )));
}

#[test]
fn a_family_has_a_quota_of_its_own_for_dedicated_nodes() {
    let of_family = |claim: Claim| Claim {
        family: Some("DSv5".into()),
        ..claim
    };
    let shared = Shared {
        families: BTreeMap::from([("DSv5".into(), 8)]),
        ..dedicated_cores(40)
    };
    let shares = divide(
        [
            ("a", of_family(wants(3, 5))),
            ("b", of_family(wants(3, 0))),
            ("c", wants(9, 0)),
        ],
        &shared,
    );
    let nodes = |id: &str| shares[id].nodes;
    assert_eq!(
        (nodes("a"), nodes("b"), nodes("c")),
        (Mix::new(1, 5), Mix::new(1, 0), Mix::new(8, 0))
    );
    let because = |id: &str| shares[id].short[0].because.clone();
    assert!(matches!(because("a"), Limit::Family { cores: 8, .. }));
    assert_eq!(
        because("c"),
        Limit::Quota {
            cores_left: 0,
            cores: 40
        }
    );
}

#[test]
fn who_holds_more_than_its_share_keeps_others_waiting_until_it_is_gone() {
    let holds = |claim: Claim, dedicated| Claim {
        holds: Mix::new(dedicated, 0),
        ..claim
    };
    let owner = Claim {
        guarantee: Cores {
            dedicated: 24,
            spot: 0,
        },
        ..wants(9, 0)
    };
    // Ten nodes, of which a guest holds nine: the owner of six takes the one that is free, and the guest shall keep four.
    let shares = divide(
        [("guest", holds(wants(9, 0), 9)), ("owner", owner)],
        &dedicated_cores(40),
    );
    assert_eq!(
        (shares["owner"].nodes, shares["owner"].now),
        (Mix::new(6, 0), Mix::new(1, 0))
    );
    assert_eq!(
        (shares["guest"].nodes, shares["guest"].now),
        (Mix::new(4, 0), Mix::new(4, 0))
    );
}

#[test]
fn faults_are_told() {
    let one = |claim: Claim| {
        allocate(
            &BTreeMap::from([("a".parse().unwrap(), claim)]),
            &Shared::default(),
        )
    };
    let no_cores = Claim {
        cores_per_node: 0,
        ..wants(1, 0)
    };
    assert_eq!(
        one(no_cores).unwrap_err().to_string(),
        "a node has no cores; give the cores of the machine size, 1 or more"
    );
    assert!(one(wants(u32::MAX, u32::MAX)).is_err());
    let mut broke = wants(1, 1);
    broke.prices.spot = UsdHourly(f64::NAN);
    assert!(one(broke).is_err());
}

prop_compose! {
    fn claim()(
        wants in (0_u32..12, 0_u32..12),
        cores_per_node in prop_oneof![Just(4_u32), 1_u32..9],
        prices in (0.0..2.0_f64, 0.0..0.5_f64),
        guarantee in (0_u32..30, 0_u32..30),
        priority in 0_i32..3,
    ) -> Claim {
        Claim {
            wants: Mix::new(wants.0, wants.1),
            holds: Mix::ZERO,
            cores_per_node,
            family: None,
            budgets: vec![MONEY.into()],
            prices: LanePrices { dedicated: UsdHourly(prices.0), spot: UsdHourly(prices.1) },
            guarantee: Cores { dedicated: guarantee.0, spot: guarantee.1 },
            priority,
        }
    }
}

fn pools(claims: Vec<Claim>) -> BTreeMap<PoolId, Claim> {
    (0..)
        .zip(claims)
        .map(|(index, claim)| (format!("pool-{index}").parse().unwrap(), claim))
        .collect()
}

fn shared() -> impl Strategy<Value = Shared> {
    let cores = || proptest::option::of(0_u32..160);
    (cores(), cores(), proptest::option::of(0.0..30.0_f64)).prop_map(|(dedicated, spot, budget)| Shared {
        dedicated_cores: dedicated,
        spot_cores: spot,
        budgets: money(budget),
        ..Shared::default()
    })
}

/// What a division uses: the cores of each lane and the money.
fn used(claims: &BTreeMap<PoolId, Claim>, mixes: impl Fn(&PoolId) -> Mix) -> (u32, u32, f64) {
    claims
        .iter()
        .fold((0, 0, 0.0), |(dedicated, spot, cost), (id, claim)| {
            let mix = mixes(id);
            (
                dedicated + mix.dedicated.0 * claim.cores_per_node,
                spot + mix.spot.0 * claim.cores_per_node,
                cost + mix.dedicated.as_f64() * claim.prices.dedicated.0
                    + mix.spot.as_f64() * claim.prices.spot.0,
            )
        })
}

fn fits(shared: &Shared, (dedicated, spot, cost): (u32, u32, f64), slack: f64) -> bool {
    shared.dedicated_cores.is_none_or(|cores| dedicated <= cores)
        && shared.spot_cores.is_none_or(|cores| spot <= cores)
        && shared
            .budgets
            .get(MONEY)
            .is_none_or(|budget| cost <= budget.0 + slack)
}

fn covered(claim: &Claim) -> Mix {
    Mix::new(
        (claim.guarantee.dedicated / claim.cores_per_node).min(claim.wants.dedicated.0),
        (claim.guarantee.spot / claim.cores_per_node).min(claim.wants.spot.0),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn limits_are_kept_and_nothing_that_fits_is_left_over(
        claims in proptest::collection::vec(claim(), 0..6),
        shared in shared(),
    ) {
        let claims = pools(claims);
        let shares = allocate(&claims, &shared).unwrap();
        // Prices are rounded to a billionth of a dollar.
        prop_assert!(fits(&shared, used(&claims, |id| shares[id].nodes), 1e-6));
        for (id, claim) in &claims {
            for lane in Lane::ALL {
                let has = shares[id].nodes.get(lane);
                prop_assert!(has <= claim.wants.get(lane));
                if has < claim.wants.get(lane) {
                    let more = |other: &PoolId| {
                        let mix = shares[other].nodes;
                        if other == id { mix.with(lane, has + Nodes(1)) } else { mix }
                    };
                    prop_assert!(!fits(&shared, used(&claims, more), -1e-6), "{id} could have one more {lane}");
                }
            }
            let lacks: u32 = shares[id].short.iter().map(|short| short.lacks.0).sum();
            prop_assert_eq!(lacks, claim.wants.total().0 - shares[id].nodes.total().0);
        }
    }

    #[test]
    fn nothing_that_is_held_is_promised_to_another(
        claims in proptest::collection::vec((claim(), 0_u32..12, 0_u32..12), 0..6),
        shared in shared(),
    ) {
        let held = claims.into_iter().map(|(claim, dedicated, spot)| Claim { holds: Mix::new(dedicated, spot), ..claim });
        let claims = pools(held.collect());
        let shares = allocate(&claims, &shared).unwrap();
        let larger = |one: Mix, other: Mix| Mix {
            dedicated: one.dedicated.max(other.dedicated),
            spot: one.spot.max(other.spot),
        };
        let before = used(&claims, |id| claims[id].holds);
        let after = used(&claims, |id| larger(claims[id].holds, shares[id].now));
        let no_further = Shared {
            dedicated_cores: shared.dedicated_cores.map(|cores| cores.max(before.0)),
            spot_cores: shared.spot_cores.map(|cores| cores.max(before.1)),
            budgets: money(shared.budgets.get(MONEY).map(|budget| budget.0.max(before.2))),
            ..Shared::default()
        };
        prop_assert!(fits(&no_further, after, 1e-6));
        for (id, claim) in &claims {
            let share = &shares[id];
            for lane in Lane::ALL {
                let (may, own) = (share.now.get(lane), share.nodes.get(lane));
                prop_assert!(may <= own && may >= own.min(claim.holds.get(lane)));
            }
        }
    }

    #[test]
    fn guarantees_are_kept_whenever_they_fit_together(
        claims in proptest::collection::vec(claim(), 0..6),
        shared in shared(),
    ) {
        let claims = pools(claims);
        let shares = allocate(&claims, &shared).unwrap();
        if fits(&shared, used(&claims, |id| covered(&claims[id])), -1e-6) {
            for (id, claim) in &claims {
                let (has, promised) = (shares[id].nodes, covered(claim));
                prop_assert!(has.dedicated >= promised.dedicated && has.spot >= promised.spot);
            }
        }
    }

    #[test]
    fn nobody_starves_while_there_is_a_node_for_each(
        claims in proptest::collection::vec(claim(), 1..6),
        more in 0_u32..40,
    ) {
        // Guarantees aside, which come first whatever they leave.
        let free = claims.into_iter().map(|claim| Claim { guarantee: Cores::default(), ..claim }).collect();
        let claims = pools(free);
        let each: u32 = claims.values().map(|claim| claim.cores_per_node).sum();
        let shared = Shared { dedicated_cores: Some(each + more), spot_cores: Some(each + more), ..Shared::default() };
        for (id, share) in allocate(&claims, &shared).unwrap() {
            prop_assert!(share.nodes != Mix::ZERO || claims[&id].wants == Mix::ZERO);
        }
    }

    #[test]
    fn equals_are_served_within_one_node_of_each_other(
        wanted in proptest::collection::vec(0_u32..20, 2..6),
        cores in 0_u32..200,
    ) {
        let claims = pools(wanted.iter().map(|wanted| wants(*wanted, 0)).collect());
        let shares = allocate(&claims, &dedicated_cores(cores)).unwrap();
        let has: Vec<u32> = shares.values().map(|share| share.nodes.dedicated.0).collect();
        for (less, wanted) in has.iter().zip(&wanted) {
            // Who lacks something has at most one node less than anybody.
            prop_assert!(less == wanted || has.iter().all(|most| *most <= less + 1));
        }
    }

    #[test]
    fn with_nodes_of_one_size_and_lane_more_quota_takes_from_nobody(
        claims in proptest::collection::vec(claim(), 0..6),
        cores in 0_u32..160,
        more in 0_u32..40,
        budget in proptest::option::of(0.0..30.0_f64),
    ) {
        let alike = claims.into_iter().map(|claim| Claim {
            wants: Mix { spot: Nodes::ZERO, ..claim.wants },
            cores_per_node: 4,
            prices: PRICES,
            ..claim
        });
        let claims = pools(alike.collect());
        let of = |cores: u32, budget: Option<f64>| {
            allocate(&claims, &Shared { budgets: money(budget), ..dedicated_cores(cores) }).unwrap()
        };
        let (before, wider, richer) = (
            of(cores, budget),
            of(cores + more, budget),
            of(cores, budget.map(|budget| budget + f64::from(more))),
        );
        for (id, share) in &before {
            prop_assert!(wider[id].nodes.dedicated >= share.nodes.dedicated);
            prop_assert!(richer[id].nodes.dedicated >= share.nodes.dedicated);
        }
    }
}
