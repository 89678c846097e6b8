//! Pools that share an account, in worlds that refuse, fail and take their time: what always holds of all orders together.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use lowtide::account::{CoreQuotas, Holding, Order, PoolState, Receipt, Refusal, RefusalKind};
use lowtide::base::{Lane, Mix, Nodes, Span, Timestamp};
use lowtide::decision::{Decision, Memory, Reason};
use lowtide::engine::{AccountView, Entry, Observation, ObserveError, Question, RecordError, World, run};
use lowtide::policy::{self, AccountFile, AccountPolicy, Policies, Policy};
use lowtide::signal::{Metric, Sample};
use lowtide::world::{Kept, MemoryLedger, replay};
use proptest::prelude::*;

/// One pool of a made-up account.
#[derive(Clone, Debug)]
struct Farm {
    /// What its policy says beside the formula; `None` for a pool that no policy speaks of.
    rest: Option<String>,
    size: &'static str,
    start: Mix,
    /// What it asks for, tick by tick; the last holds on.
    asks: Vec<Mix>,
}

/// What happens at one tick of the world's clock, a minute each.
#[derive(Clone, Copy, Debug)]
struct Minute {
    /// Whether orders are refused.
    refuses: bool,
    /// Whether the account cannot be seen.
    unseen: bool,
    /// How many nodes of a pool come and go at most.
    moves: u32,
}

const CALM: Minute = Minute {
    refuses: false,
    unseen: false,
    moves: 1000,
};

/// An account in which nodes come and go after a while.
struct Account {
    farms: Vec<Farm>,
    pools: Vec<PoolState>,
    minutes: Vec<Minute>,
    quotas: CoreQuotas,
    now: Timestamp,
    end: Timestamp,
    /// The decisions of each tick, with what all pools held before.
    made: Rc<RefCell<Made>>,
}

fn start() -> Timestamp {
    "2026-11-25T10:00:00Z".parse().unwrap()
}

fn name(index: usize) -> String {
    format!("farm-{index}")
}

impl Account {
    fn new(farms: &[Farm], quotas: &CoreQuotas, minutes: Vec<Minute>, lasts: Span) -> Self {
        let pool = |(index, farm): (usize, &Farm)| {
            let mut pool = PoolState::new(name(index).parse().unwrap());
            (pool.target, pool.current) = (farm.start, farm.start);
            pool.vm_size = Some(farm.size.into());
            pool
        };
        Self {
            farms: farms.to_vec(),
            pools: farms.iter().enumerate().map(pool).collect(),
            minutes,
            quotas: quotas.clone(),
            now: start(),
            end: start() + lasts,
            made: Rc::default(),
        }
    }

    fn minute(&self) -> Minute {
        let passed = self.now.since(start()).ticks() / Span::minutes(1).ticks();
        let index = usize::try_from(passed).unwrap();
        *self.minutes.get(index).or(self.minutes.last()).unwrap_or(&CALM)
    }
}

impl World for Account {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        let at = at.max(self.now);
        if at > self.now {
            let moves = self.minute().moves;
            for pool in &mut self.pools {
                for lane in Lane::ALL {
                    let (has, shall) = (pool.current.get(lane).0, pool.target.get(lane).0);
                    let then = shall.clamp(has.saturating_sub(moves), has.saturating_add(moves));
                    pool.current = pool.current.with(lane, Nodes(then));
                }
            }
        }
        self.now = at;
        (at <= self.end).then_some(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let minute = self.minute();
        let passed = usize::try_from(self.now.since(start()).ticks() / Span::minutes(1).ticks()).unwrap();
        for (pool, farm) in self.pools.iter().zip(&self.farms) {
            if !question.pools.iter().any(|pattern| pattern.matches(&pool.id)) {
                continue;
            }
            let asks = farm
                .asks
                .get(passed)
                .or(farm.asks.last())
                .copied()
                .unwrap_or_default();
            let sample = |metric, nodes: Nodes| Sample {
                metric,
                taken: self.now - Span::seconds(30),
                value: nodes.as_f64(),
            };
            let view = into.push(pool.clone());
            view.samples.push(sample(Metric::PendingTasks, asks.dedicated));
            view.samples.push(sample(Metric::ActiveTasks, asks.spot));
        }
        assert!(question.account, "what pools share is asked for");
        into.account = Some(AccountView {
            quotas: Some(self.quotas.clone()),
            pools: self.pools.iter().map(Holding::from).collect(),
            fault: minute.unseen.then(|| ObserveError {
                message: "no answer".to_owned(),
                retry: true,
            }),
        });
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        if let Entry::Decided { decision, .. } = entry {
            let mut made = self.made.borrow_mut();
            if made.last().is_none_or(|(at, ..)| *at != decision.at) {
                made.push((decision.at, self.pools.clone(), Vec::new()));
            }
            made.last_mut().unwrap().2.push((*decision).clone());
        }
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        if self.minute().refuses {
            return Receipt::Refused(Refusal {
                kind: RefusalKind::Throttled,
                message: "too busy".to_owned(),
            });
        }
        let pool = self.pools.iter_mut().find(|pool| pool.id == order.pool).unwrap();
        pool.target = order.target;
        Receipt::Accepted
    }
}

fn policy(index: usize, rest: &str) -> Option<Policy> {
    let source = format!(
        "version: 1\npool: {}\ndemand:\n  - formula:\n      role: targets\n      text: |\n        \
         $TargetDedicatedNodes = $PendingTasks.GetSample(1);\n        \
         $TargetLowPriorityNodes = $ActiveTasks.GetSample(1);\n{rest}",
        name(index)
    );
    policy::read(&name(index), &source, &mut |_| Err(String::new())).0
}

fn account(text: &str) -> AccountPolicy {
    let file: AccountFile = serde_json::from_str(text).unwrap();
    AccountPolicy::from_file("account", &file).unwrap()
}

/// What was made at each tick: the moment, what all pools held before, and the decisions.
type Made = Vec<(Timestamp, Vec<PoolState>, Vec<Decision>)>;

/// Runs an account; returns what was made at each tick, what is there in the end, and the ledger.
fn run_account(world: Account, policies: &Policies) -> (Made, Vec<PoolState>, String) {
    let made = world.made.clone();
    let mut kept = Kept {
        world,
        ledger: MemoryLedger::default(),
    };
    run(&mut kept, policies, Memory::default());
    let made = made.borrow().clone();
    (made, kept.world.pools, kept.ledger.text)
}

fn cores(size: &str) -> u64 {
    u64::from(lowtide::account::vm_size(size).unwrap().cores)
}

/// What pools use when each goes to what is larger of what it holds and what is ordered: cores by lane, those of one family, money.
fn used(pools: &[PoolState], decisions: &[Decision], policies: &Policies) -> ([u64; 3], f64) {
    let mut cores_used = [0; 3];
    let mut cost = 0.0;
    for pool in pools {
        let size = pool.vm_size.as_deref().unwrap();
        let decision = decisions.iter().find(|decision| decision.pool == pool.id);
        let ordered = decision.map_or(pool.target, Decision::outcome);
        let prices = policies.policy_for(&pool.id).map(|policy| policy.prices);
        for (index, lane) in Lane::ALL.into_iter().enumerate() {
            let nodes = ordered.get(lane).max(pool.held().get(lane));
            cores_used[index] += u64::from(nodes.0) * cores(size);
            cost += prices.map_or(0.0, |prices| nodes.as_f64() * prices.get(lane).0);
            if lane == Lane::Dedicated && size.ends_with("ds_v5") {
                cores_used[2] += u64::from(nodes.0) * cores(size);
            }
        }
    }
    (cores_used, cost)
}

fn mixes(most: u32) -> impl Strategy<Value = Mix> {
    (0..most, 0..most).prop_map(|(dedicated, spot)| Mix::new(dedicated, spot))
}

prop_compose! {
    fn farm()(
        policed in prop::bool::weighted(0.85),
        mode in prop::sample::select(vec!["full", "full", "full", "full", "outOnly", "shadow", "paused"]),
        interval in prop::sample::select(vec!["60s", "90s", "3m"]),
        guarantee in prop::option::of(0_u32..40),
        priority in -2_i32..3,
        bounds in (0_u32..3, 0_u32..3),
        step in prop::option::of(1_u32..6),
        minded in any::<bool>(),
        size in prop::sample::select(vec!["standard_d2s_v3", "standard_d4ds_v5", "standard_d8ds_v5"]),
        start in mixes(8),
        asks in prop::collection::vec(mixes(14), 1..8),
    ) -> Farm {
        let guarantee = guarantee.map_or(String::new(), |cores| format!("guaranteedCores: {cores}, "));
        let step = step.map_or(String::new(), |step| format!("\n  step: {{ out: {step}, in: 30% }}"));
        let rest = format!(
            "mode: {mode}\ninterval: {interval}\nquota: {{ {guarantee}priority: {priority} }}\n\
             bounds: {{ dedicated: [{}, 1000], spot: [{}, 1000], total: [0, 1000] }}\n\
             mix: {{ prices: {{ dedicated: 0.2, spot: 0.05 }} }}\n\
             guards:\n  missing: {{ then: {} }}{step}\n",
            bounds.0, bounds.1, if minded { "hold" } else { "ignore" },
        );
        Farm { rest: policed.then_some(rest), size, start, asks }
    }
}

prop_compose! {
    fn minute()(refuses in prop::bool::weighted(0.15), unseen in prop::bool::weighted(0.1), moves in 0_u32..6) -> Minute {
        Minute { refuses, unseen, moves }
    }
}

fn policies(farms: &[Farm], stated: &str) -> Policies {
    let policies = farms.iter().enumerate();
    let policies = policies.filter_map(|(index, farm)| policy(index, farm.rest.as_ref()?));
    let mut policies = Policies::from(policies.collect::<Vec<_>>());
    policies.account = Some(account(stated));
    policies
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn all_orders_together_keep_to_quotas_and_budgets_and_a_ledger_of_them_replays(
        farms in prop::collection::vec(farm(), 1..6),
        minutes in prop::collection::vec(minute(), 1..12),
        quotas in (prop::option::of(0_u32..120), prop::option::of(0_u32..160), prop::option::of(0_u32..60)),
        hourly in 0_u32..120,
    ) {
        let (dedicated, spot, family) = quotas;
        let quotas = CoreQuotas {
            dedicated_cores: dedicated,
            spot_cores: spot,
            families: family.map(|cores| ("standardDDSv5Family".to_owned(), cores)).into_iter().collect(),
        };
        let budget = f64::from(hourly) / 10.0;
        let stated = format!(r#"{{ "version": 1, "kind": "account", "budgets": {{ "all": {{ "perHour": {budget} }} }} }}"#);
        let policies = policies(&farms, &stated);
        let world = Account::new(&farms, &quotas, minutes, Span::minutes(14));
        let (made, _, ledger) = run_account(world, &policies);
        let limits = [dedicated, spot, family].map(|cores| cores.map_or(u64::MAX, u64::from));
        for (at, before, decisions) in &made {
            let (had, cost) = used(before, &[], &policies);
            let (have, costs) = used(before, decisions, &policies);
            for ((have, had), limit) in have.into_iter().zip(had).zip(limits) {
                prop_assert!(have <= had.max(limit), "{at}: {have} cores of {limit}, {had} before: {decisions:#?}");
            }
            prop_assert!(costs <= cost.max(budget) + 1e-6, "{at}: {costs} of {budget}, {cost} before");
            for decision in decisions {
                let start = decision.start;
                let bounds = &policies.policy_for(&decision.pool).unwrap().bounds;
                prop_assert!(bounds.allow(start, decision.outcome()), "{}", decision.to_text());
            }
        }
        if let Err(error) = replay(&ledger) {
            prop_assert!(false, "{error}");
        }
    }

    #[test]
    fn in_time_every_guarantee_is_kept_and_nobody_starves(
        wanted in prop::collection::vec((1_u32..12, 0_u32..12, -2_i32..3, 0_u32..3), 2..6),
        more in 0_u32..30,
        holder in 0_usize..6,
    ) {
        // Quota for a node of each and for what is guaranteed; one pool begins with all of it.
        let guarantees: u32 = wanted.iter().map(|(_, guarantee, ..)| guarantee * 4).sum();
        let each = u32::try_from(wanted.len()).unwrap() * 4;
        let quotas = CoreQuotas { dedicated_cores: Some(guarantees + each + more), ..CoreQuotas::default() };
        let holder = holder % wanted.len();
        let intervals = ["60s", "2m", "90s"];
        let farms: Vec<Farm> = wanted.iter().enumerate().map(|(index, (nodes, guarantee, priority, interval))| Farm {
            rest: Some(format!(
                "interval: {}\nquota: {{ guaranteedCores: {}, priority: {priority} }}\nguards: {{ missing: {{ then: ignore }} }}\n",
                intervals[*interval as usize], guarantee * 4,
            )),
            size: "standard_d4ds_v5",
            start: Mix::new(if index == holder { (guarantees + each + more) / 4 } else { 0 }, 0),
            asks: vec![Mix::new(if index == holder { 1000 } else { *nodes }, 0)],
        }).collect();
        let policies = policies(&farms, r#"{ "version": 1, "kind": "account" }"#);
        let slow = Minute { moves: 7, ..CALM };
        let world = Account::new(&farms, &quotas, vec![slow], Span::minutes(60));
        let (_, pools, _) = run_account(world, &policies);
        for ((pool, farm), (_, guarantee, ..)) in pools.iter().zip(&farms).zip(&wanted) {
            let promised = Nodes(*guarantee).min(farm.asks[0].dedicated);
            prop_assert!(pool.current.dedicated >= promised, "{}: {} of {promised}", pool.id, pool.current);
            prop_assert!(pool.current.dedicated > Nodes::ZERO, "{} starves", pool.id);
        }
        let all: u32 = pools.iter().map(|pool| pool.current.dedicated.0 * 4).sum();
        prop_assert!(all + 4 > guarantees + each + more, "nothing that fits is left over: {all}");
    }
}

/// Two pools on 40 cores: one has borrowed all of them, the other is guaranteed 24 and wants 8 nodes from the second minute on.
fn lender() -> (Vec<Farm>, CoreQuotas) {
    let farm = |quota: &str, start, asks: &[u32]| Farm {
        rest: Some(format!(
            "interval: 60s\nquota: {{ {quota} }}\nguards: {{ missing: {{ then: ignore }} }}\n"
        )),
        size: "standard_d4s_v5",
        start: Mix::new(start, 0),
        asks: asks.iter().map(|nodes| Mix::new(*nodes, 0)).collect(),
    };
    let farms = vec![
        farm("priority: 50", 10, &[10]),
        farm("guaranteedCores: 24", 0, &[0, 8]),
    ];
    let quotas = CoreQuotas {
        dedicated_cores: Some(40),
        ..CoreQuotas::default()
    };
    (farms, quotas)
}

#[test]
fn what_was_lent_comes_back_as_soon_as_it_is_free() {
    let (farms, quotas) = lender();
    let policies = policies(&farms, r#"{ "version": 1, "kind": "account" }"#);
    let world = Account::new(&farms, &quotas, vec![CALM], Span::minutes(4));
    let (made, _, ledger) = run_account(world, &policies);
    let outcomes: Vec<Vec<u32>> = made
        .iter()
        .map(|(.., decisions)| {
            decisions
                .iter()
                .map(|decision| decision.outcome().dedicated.0)
                .collect()
        })
        .collect();
    // Lent; asked for, and given back; taken.
    assert_eq!(outcomes, [[10, 0], [4, 0], [4, 6], [4, 6], [4, 6]]);
    let told = |tick: usize, pool: usize| {
        let decision: &Decision = &made[tick].2[pool];
        let step = decision
            .steps()
            .iter()
            .find(|step| step.reason.code() == "share")
            .unwrap();
        step.reason.text()
    };
    assert_eq!(
        told(1, 0),
        "its share of the account is 4 dedicated + 0 spot of 10 dedicated + 0 spot; priority 50; 6 dedicated short of 40 dedicated cores (0 left, 4 a node)"
    );
    assert_eq!(
        told(1, 1),
        "its share of the account is 6 dedicated + 0 spot of 8 dedicated + 0 spot; 24 cores guaranteed, 6 nodes by that, 0 cores lent; 2 dedicated short of 40 dedicated cores (0 left, 4 a node); 6 of it still held by others"
    );
    assert_eq!(
        made[1].2[0].option,
        lowtide::account::NodeDeallocationOption::TaskCompletion
    );
    assert!(replay(&ledger).is_ok());
}

#[test]
fn an_account_that_cannot_be_seen_or_counted_adds_no_nodes() {
    let (mut farms, quotas) = lender();
    farms[0].start = Mix::new(4, 0);
    let holds = |farms: &[Farm], minute: Minute| {
        let policies = policies(farms, r#"{ "version": 1, "kind": "account" }"#);
        let world = Account::new(farms, &quotas, vec![minute], Span::ZERO);
        let (made, _, ledger) = run_account(world, &policies);
        assert!(replay(&ledger).is_ok());
        made[0].2[0].hold().map(Reason::text)
    };
    let unseen = Minute { unseen: true, ..CALM };
    assert_eq!(
        holds(&farms, unseen).unwrap(),
        "no nodes are added, for what the account shares is not known: no answer (tried again at the next look)"
    );
    farms[0].size = "odd";
    assert_eq!(
        holds(&farms, CALM).unwrap(),
        "no nodes are added, for nobody knows the cores of a node of pool farm-0, whose size is odd; state them as \
         `coresPerNode` in the `quota` of its policy, or under `sizes` of the account"
    );
    farms[0].size = "standard_d4s_v5";
    assert_eq!(holds(&farms, CALM), None);
}

#[test]
fn the_money_of_a_month_is_that_of_all_pools_of_a_budget() {
    let (mut farms, quotas) = lender();
    farms[1].asks = vec![Mix::new(2, 0)];
    let stated = r#"{ "version": 1, "kind": "account", "budgets": { "farms": { "pools": ["farm-*"], "perMonth": 0.1 } } }"#;
    let policies = policies(&farms, stated);
    let world = Account::new(&farms, &quotas, vec![CALM], Span::minutes(5));
    let (made, ..) = run_account(world, &policies);
    // Ten nodes at 0.192 dollars an hour have cost 10 cents after a little more than three minutes.
    let spot: BTreeMap<i64, Vec<u32>> = made
        .iter()
        .map(|(at, _, decisions)| {
            let minute = at.since(start()).ticks() / Span::minutes(1).ticks();
            (
                minute,
                decisions
                    .iter()
                    .map(|decision| decision.outcome().spot.0)
                    .collect(),
            )
        })
        .collect();
    assert_eq!(spot[&2], [0, 0]);
    assert_eq!(spot[&5], [10, 2], "{}", made[5].2[0].to_text());
    let codes: Vec<_> = made[5].2[1]
        .steps()
        .iter()
        .map(|step| step.reason.code())
        .collect();
    assert_eq!(codes, ["formula", "sharedMonth", "share"]);
}
