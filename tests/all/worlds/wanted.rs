//! Policies of every kind: modes, bounds, formulas and ways to order.

use lowtide::base::Span;
use lowtide::policy::{
    self, Actuator, Bounds, LeaseFallback, LeaseFormula, MissingGuard, Mode, OrderRules, OthersRule,
    OwnFormulaRule, Policy, Range, ReplaceRule,
};
use proptest::prelude::*;

const FORMULAS: [&str; 7] = [
    "$TargetDedicatedNodes = max(0, $PendingTasks.GetSample(1))",
    "$TargetLowPriorityNodes = avg($PendingTasks.GetSample(TimeInterval_Minute * 5, 50)); $TargetDedicatedNodes = 1",
    "$TargetDedicatedNodes = $TargetDedicatedNodes / 2; $NodeDeallocationOption = taskcompletion",
    "$TargetDedicatedNodes = 16777216; $TargetLowPriorityNodes = -3",
    "$TargetDedicatedNodes = 1 / $ActiveTasks.Count()",
    "$n = rand() * 50; $TargetDedicatedNodes = $n; $TargetLowPriorityNodes = 50 - $n",
    "$TargetLowPriorityNodes = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 10) < 70 ? 0 : max($PendingTasks.GetSample(9))",
];

fn range() -> impl Strategy<Value = Range> {
    (0..40_u32, 0..40_u32).prop_map(|(one, other)| Range::new(one.min(other), one.max(other)))
}

/// Every way to order.
fn orders() -> impl Strategy<Value = OrderRules> {
    let fallbacks = vec![LeaseFallback::Tasks, LeaseFallback::Least, LeaseFallback::Keep];
    let leases = prop::option::of(prop::sample::select(fallbacks));
    (leases, any::<bool>(), 0..3000_i64, 2..40_i64).prop_map(|(fallback, takes, respected, unusable)| {
        OrderRules {
            actuator: fallback.map_or(Actuator::Resize, |fallback| {
                Actuator::LeaseFormula(LeaseFormula {
                    lease: Span::hours(1),
                    fallback,
                    holder: None,
                })
            }),
            own_formula: if takes {
                OwnFormulaRule::TakeOver
            } else {
                OwnFormulaRule::Leave
            },
            others: OthersRule {
                respect_for: Span::seconds(respected),
            },
            replace: ReplaceRule {
                unusable: Span::minutes(unusable),
                ..ReplaceRule::default()
            },
            ..OrderRules::default()
        }
    })
}

pub(super) fn policy(pool: &'static str) -> impl Strategy<Value = Policy> {
    let modes = prop::sample::select(vec![
        Mode::Full,
        Mode::Full,
        Mode::OutOnly,
        Mode::Shadow,
        Mode::Paused,
    ]);
    let formulas = prop::collection::vec(prop::sample::select(FORMULAS.to_vec()), 1..3);
    (
        range(),
        range(),
        range(),
        modes,
        10..600_i64,
        formulas,
        any::<bool>(),
        orders(),
    )
        .prop_map(
            move |(total, dedicated, spot, mode, seconds, formulas, minded, orders)| {
                let demand: Vec<_> = formulas
                    .iter()
                    .map(|text| serde_json::json!({ "formula": { "text": text, "role": "targets" } }))
                    .collect();
                let source = serde_json::json!({ "version": 1, "pool": pool, "demand": demand });
                let (policy, findings) = policy::read(pool, &source.to_string(), &mut |_| unreachable!());
                let policy = policy.unwrap_or_else(|| panic!("{findings:?}"));
                Policy {
                    mode,
                    interval: Span::seconds(seconds),
                    bounds: Bounds {
                        total,
                        dedicated,
                        spot,
                    },
                    missing: MissingGuard {
                        minded,
                        ..policy.missing
                    },
                    orders,
                    ..policy
                }
            },
        )
        .prop_filter("bounds that can be met", |policy| policy.bounds.can_be_met())
}
