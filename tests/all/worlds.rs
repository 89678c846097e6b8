//! The invariants of the house over worlds that fail, lie, forget and repeat themselves.

mod wanted;

use lowtide::account::{
    AllocationState, Halt, HaltScope, Lease, NodeDeallocationOption, Order, OwnFormula, PoolState, Receipt,
    Refusal, RefusalKind,
};
use lowtide::base::{Mix, Nodes, Span, Timestamp};
use lowtide::decision::{Decision, Memory};
use lowtide::engine::{Entry, Observation, ObserveError, PoolView, Question, RecordError, World, run};
use lowtide::policy::{Actuator, Mode, Policies, Policy, ThenReplace};
use lowtide::signal::{Metric, Sample};
use lowtide::world::{DryRun, Kept, MemoryLedger, line, replay};
use proptest::prelude::*;

use wanted::policy;

/// What happens at one tick.
#[derive(Clone, Debug)]
struct Tick {
    late: i64,
    blind: bool,
    records_fail: bool,
    refused: bool,
    pools: Vec<PoolPlan>,
}

/// What is seen of one pool at one tick.
#[derive(Clone, Debug)]
struct PoolPlan {
    name: usize,
    target: Mix,
    current: Mix,
    allocation: AllocationState,
    auto_scale: bool,
    /// Which formula is told when it follows one.
    formula: usize,
    broken: u32,
    halt: Option<Halt>,
    fault: bool,
    samples: Vec<(usize, i64, f64)>,
}

const NAMES: [&str; 3] = ["farm-a", "farm-b", "other"];
const METRICS: [Metric; 3] = [Metric::PendingTasks, Metric::ActiveTasks, Metric::CpuPercent];

fn nodes() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..60_u32, 1 => Just(u32::MAX)]
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![8 => (0..100_i32).prop_map(f64::from), 2 => any::<f64>()]
}

fn pool_plan() -> impl Strategy<Value = PoolPlan> {
    let states = prop_oneof![
        4 => Just(AllocationState::Steady),
        1 => Just(AllocationState::Resizing),
        1 => Just(AllocationState::Stopping),
    ];
    let mix = || (nodes(), nodes()).prop_map(|(dedicated, spot)| Mix::new(dedicated, spot));
    // Some samples are of the future, some of long ago, some come twice.
    let samples = prop::collection::vec((0..3_usize, -60..1200_i64, value()), 0..30);
    let flags = (prop::bool::weighted(0.3), prop::bool::weighted(0.1));
    let scopes = prop::sample::select(vec![HaltScope::In, HaltScope::Out, HaltScope::All]);
    let halt = (scopes, prop::option::of(-1000..1000_i64)).prop_map(|(scope, seconds)| Halt {
        scope,
        until: seconds.map(|seconds| Timestamp::from_unix_seconds(1_800_000_000 + seconds)),
        why: String::new(),
        by: None,
    });
    let rest = (0..4_usize, 0..4_u32, prop::option::weighted(0.1, halt));
    (0..3_usize, mix(), mix(), states, flags, samples, rest).prop_map(
        |(name, target, current, allocation, (auto_scale, fault), samples, (formula, broken, halt))| {
            PoolPlan {
                name,
                target,
                current,
                allocation,
                auto_scale,
                formula,
                broken,
                halt,
                fault,
                samples,
            }
        },
    )
}

fn tick() -> impl Strategy<Value = Tick> {
    let flags = (
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.1),
        any::<bool>(),
    );
    (0..5000_i64, flags, prop::collection::vec(pool_plan(), 0..4)).prop_map(
        |(late, (blind, records_fail, refused), mut pools)| {
            pools.sort_by_key(|pool| pool.name);
            pools.dedup_by_key(|pool| pool.name);
            Tick {
                late,
                blind,
                records_fail,
                refused,
                pools,
            }
        },
    )
}

/// A world that goes by its plan, and holds every entry and order against the invariants.
struct Chaos<'a> {
    policies: &'a Policies,
    ticks: &'a [Tick],
    next: usize,
    now: Timestamp,
    newest: [[Option<Timestamp>; 3]; 3],
    promised: Vec<Order>,
}

impl<'a> Chaos<'a> {
    fn new(policies: &'a Policies, ticks: &'a [Tick]) -> Self {
        Self {
            policies,
            ticks,
            next: 0,
            now: Timestamp::from_unix_seconds(1_800_000_000),
            newest: [[None; 3]; 3],
            promised: Vec::new(),
        }
    }

    fn tick(&self) -> &'a Tick {
        &self.ticks[self.next - 1]
    }

    fn check(&self, decision: &Decision, seen: Option<&PoolView>) {
        let (start, outcome) = (decision.start, decision.outcome());
        let policy = self.policies.policy_for(&decision.pool).unwrap();
        assert!(!decision.steps().is_empty(), "no ledger line without a reason");
        assert!(
            policy.bounds.allow(start, outcome),
            "{outcome} leaves {:?}",
            policy.bounds
        );
        let order = decision.order();
        let beside = order.as_ref().is_some_and(|order| {
            order.lease.is_some() || order.release || order.replace.is_some() || order.retake
        });
        assert_eq!(order.is_some(), outcome != start || beside);
        if let Some(order) = &order {
            let (pool, lease) = (&seen.unwrap().state, order.lease.as_ref());
            assert!(policy.mode != Mode::Shadow && policy.mode != Mode::Paused);
            assert!(lease.is_none_or(|order| order.lease.target == outcome));
            assert!(
                !pool.auto_scale || order.release || lease.is_some(),
                "it follows a formula"
            );
            assert!(
                pool.allocation == AllocationState::Steady || order.retake,
                "the service refuses it"
            );
        }
        let halt = seen.and_then(|view| view.halt.as_ref());
        match halt.filter(|halt| halt.holds(decision.at)).map(|halt| halt.scope) {
            None => {}
            Some(HaltScope::In) => {
                assert!(outcome.dedicated >= start.dedicated && outcome.spot >= start.spot);
            }
            Some(HaltScope::Out) => {
                assert!(outcome.dedicated <= start.dedicated && outcome.spot <= start.spot);
            }
            Some(HaltScope::All) => assert!(order.is_none()),
        }
        if decision.hold().is_some() || seen.is_none_or(|view| view.fault.is_some()) {
            assert_eq!(outcome, start, "a failed look changes nothing");
        }
        if policy.mode == Mode::OutOnly || self.is_stale(policy, decision) {
            assert!(outcome.dedicated >= start.dedicated && outcome.spot >= start.spot);
        }
        assert!(policy.mode != Mode::Paused || outcome == start);
        for step in decision.steps() {
            assert!(!step.reason.text().is_empty());
        }
    }

    /// Says whether a metric that the policy reads has no sample that the guard could take for new.
    fn is_stale(&self, policy: &Policy, decision: &Decision) -> bool {
        let pool = NAMES
            .iter()
            .position(|name| *name == decision.pool.as_str())
            .unwrap();
        // A sample moves to the grid by half a period at most.
        let limit = policy.missing.stale_after + Span::SAMPLE_PERIOD;
        policy.missing.minded
            && policy.metrics.iter().any(|metric| {
                let metric = METRICS.iter().position(|other| other == metric).unwrap();
                self.newest[pool][metric].is_none_or(|newest| decision.at - newest >= limit)
            })
    }
}

impl World for Chaos<'_> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        assert!(self.promised.is_empty(), "an order was written down and not sent");
        let tick = self.ticks.get(self.next)?;
        self.next += 1;
        self.now = at.max(self.now) + Span::from_ticks(tick.late * 7919);
        Some(self.now)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let error = || ObserveError {
            message: "nobody answers".to_owned(),
            retry: true,
        };
        if self.tick().blind {
            return Err(error());
        }
        for plan in &self.tick().pools {
            let mut state = PoolState::new(NAMES[plan.name].parse().unwrap());
            if !question.pools.iter().any(|pattern| pattern.matches(&state.id)) {
                continue;
            }
            state.target = plan.target;
            state.current = plan.current;
            state.nodes.usable = Nodes(plan.current.total().0 / 2);
            state.allocation = plan.allocation;
            state.auto_scale = plan.auto_scale;
            state.formula = formula(plan, question.now).filter(|_| plan.auto_scale);
            state.nodes.unusable = Nodes(plan.broken);
            state.option = NodeDeallocationOption::ALL[plan.samples.len() % 4];
            let view = into.push(state);
            view.fault = plan.fault.then(error);
            view.halt.clone_from(&plan.halt);
            for (metric, age, value) in &plan.samples {
                let taken = question.now - Span::seconds(*age);
                let newest = &mut self.newest[plan.name][*metric];
                if value.is_finite() && taken <= question.now {
                    *newest = (*newest).max(Some(taken));
                }
                view.samples.push(Sample {
                    metric: METRICS[*metric],
                    taken,
                    value: *value,
                });
            }
        }
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        if let Entry::Decided { decision, seen } = entry {
            self.check(decision, *seen);
            self.promised.extend(decision.order());
        }
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        let line = self.promised.iter().position(|promised| promised == order);
        self.promised.remove(line.expect("no order without its line"));
        if self.tick().refused {
            Receipt::Refused(Refusal {
                kind: RefusalKind::Changed,
                message: "someone was here".to_owned(),
            })
        } else {
            Receipt::Accepted
        }
    }
}

/// Returns the formula that a pool follows: not told, its own, one of ours, or one of somebody else.
fn formula(plan: &PoolPlan, now: Timestamp) -> Option<OwnFormula> {
    let lease = |holder: &str| {
        OwnFormula::Lease(Lease {
            holder: Lease::holder_of(holder),
            target: plan.current,
            until: (now + Span::minutes(i64::from(plan.broken) * 20 - 20)).whole_milliseconds(),
        })
    };
    match plan.formula {
        0 => None,
        1 => Some(OwnFormula::Other("$TargetDedicatedNodes = 1;".into())),
        2 => Some(lease("farm-*")),
        _ => Some(lease("somebody")),
    }
}

/// A world whose ledger cannot be written at some ticks.
struct Leaky<'a> {
    chaos: Chaos<'a>,
    ledger: MemoryLedger,
}

impl World for Leaky<'_> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.chaos.wait_until(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.chaos.observe(question, into)
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        // The second pool's entries are those that get lost, so that a tick may be kept in part.
        let lost = matches!(entry, Entry::Decided { decision, .. } if decision.pool.as_str() != NAMES[0])
            || matches!(entry, Entry::Started { .. } | Entry::Settled { .. });
        if self.chaos.tick().records_fail && lost {
            // Where a line of a look is lost, none of its orders goes out.
            self.chaos.promised.clear();
            return Err(RecordError {
                message: "the disk is full".to_owned(),
            });
        }
        self.chaos.record(entry)?;
        self.ledger.text += &line(entry);
        self.ledger.text.push('\n');
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        self.chaos.act(order)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_world_breaks_the_invariants_and_every_ledger_replays(
        farm in policy("farm-*"),
        other in policy("other"),
        ticks in prop::collection::vec(tick(), 1..30),
    ) {
        let policies = Policies::from(vec![farm, other]);
        let mut world = Leaky {
            chaos: Chaos::new(&policies, &ticks),
            ledger: MemoryLedger::default(),
        };
        run(&mut world, &policies, Memory::default());
        let lines = world.ledger.text.lines().count();
        match replay(&world.ledger.text) {
            Ok(replayed) => prop_assert_eq!(replayed.lines, lines),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn a_dry_run_decides_the_same_and_orders_nothing(
        farm in policy("farm-*"),
        ticks in prop::collection::vec(tick(), 1..20),
    ) {
        let mut policies = Policies::from(vec![farm]);
        // Who orders nothing cannot know what others did, nor what came of an order.
        let orders = &mut policies.policies[0].orders;
        orders.actuator = Actuator::Resize;
        orders.others.respect_for = Span::ZERO;
        orders.replace.then = ThenReplace::Leave;
        let decided = |text: &str| -> Vec<String> {
            text.lines().filter(|line| line.contains(r#""kind":"decided""#)).map(str::to_owned).collect()
        };
        let mut real = Kept { world: Chaos::new(&policies, &ticks), ledger: MemoryLedger::default() };
        run(&mut real, &policies, Memory::default());
        let mut dry = Kept { world: DryRun(Deaf(Chaos::new(&policies, &ticks))), ledger: MemoryLedger::default() };
        run(&mut dry, &policies, Memory::default());
        prop_assert_eq!(decided(&real.ledger.text), decided(&dry.ledger.text));
        prop_assert!(!dry.ledger.text.contains(r#""result":"accepted""#));
    }
}

/// A world that must not be asked to act.
struct Deaf<'a>(Chaos<'a>);

impl World for Deaf<'_> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.0.promised.clear();
        self.0.wait_until(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.0.observe(question, into)
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.0.record(entry)
    }

    fn act(&mut self, order: &Order) -> Receipt {
        panic!("a dry run ordered {order:?}");
    }
}

/// A world of one idle pool that is looked at a few times.
pub(crate) fn quiet(looks: usize) -> impl World {
    Quiet { looks }
}

struct Quiet {
    looks: usize,
}

impl World for Quiet {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.looks = self.looks.checked_sub(1)?;
        Some(at.max(Timestamp::from_unix_seconds(1_800_000_000)))
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let view = into.push(PoolState::new("ci-agents".parse().unwrap()));
        view.samples.push(Sample {
            metric: Metric::PendingTasks,
            taken: question.now,
            value: 3.0,
        });
        Ok(())
    }

    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }

    fn act(&mut self, _: &Order) -> Receipt {
        Receipt::Accepted
    }
}
