//! Whether what was decided is what was expected, and what always holds.

use super::account::WrittenAccount;
use super::file::{Count, Expect, OrderWanted, OrderWord, TestFileTest};
use super::{Made, told};
use crate::base::{Lane, Mix, Nodes, Span};
use crate::decision::Decision;
use crate::policy::{Policies, Policy};
use crate::proof::report::Mismatch;
use crate::world::replay;

/// Compares the decisions with one expectation; returns what it was held against, and the difference if there is one.
pub(super) fn judge(expect: &Expect, test: &TestFileTest, made: &[Made]) -> (String, Option<Mismatch>) {
    let since = |decision: &Decision| decision.at.since(test.start);
    let decisions = made.iter().map(|made| &made.decision);
    let meant = |decision: &&Decision| {
        expect
            .pool
            .as_deref()
            .is_none_or(|pool| decision.pool.as_str() == pool)
    };
    let decisions = decisions.filter(meant);
    let chosen: Vec<&Decision> = if let Some(at) = expect.at {
        decisions
            .filter(|decision| since(decision) >= at)
            .take(1)
            .collect()
    } else {
        let from = expect.from.unwrap_or(Span::ZERO);
        let until = expect.until.unwrap_or(test.lasts + Span::seconds(1));
        decisions
            .filter(|decision| (from..until).contains(&since(decision)))
            .collect()
    };
    let wanted = wanted(expect);
    let Some(first) = chosen.first() else {
        let mismatch = Mismatch {
            expected: wanted,
            got: "no decision in that time".to_owned(),
            trace: Vec::new(),
        };
        return (test.name.clone(), Some(mismatch));
    };
    let off = chosen
        .iter()
        .find(|decision| difference(expect, decision).is_some());
    let holds = if expect.once {
        chosen
            .iter()
            .any(|decision| difference(expect, decision).is_none())
    } else {
        off.is_none()
    };
    let shown = off.copied().unwrap_or(first);
    let evaluated = format!("{} at {}", test.name, told(shown.at, test));
    let mismatch = (!holds).then(|| Mismatch {
        expected: wanted,
        got: difference(expect, shown).unwrap_or_default(),
        trace: shown.to_text().lines().map(str::to_owned).collect(),
    });
    (evaluated, mismatch)
}

/// Returns what a decision is instead of what was expected; `None` when it is that.
fn difference(expect: &Expect, decision: &Decision) -> Option<String> {
    let mut got = Vec::new();
    if let Some(wanted) = expect.order {
        let order = decision.order().map(|order| order.target);
        let holds = match wanted {
            OrderWanted::Word(OrderWord::None) => order.is_none(),
            OrderWanted::Word(OrderWord::Any) => order.is_some(),
            OrderWanted::Mix(mix) => order == Some(mix),
        };
        if !holds {
            got.push(order.map_or_else(|| "no order".to_owned(), |mix| format!("order of {mix}")));
        }
    }
    if let Some(wanted) = &expect.hold {
        let code = decision.hold().map_or("none", |reason| reason.code());
        if code != wanted {
            got.push(format!("a hold because of {code}"));
        }
    }
    if let Some(wanted) = &expect.reason {
        let codes: Vec<_> = decision.steps().iter().map(|step| step.reason.code()).collect();
        if !codes.contains(&wanted.as_str()) {
            got.push(format!("steps because of {}", codes.join(", ")));
        }
    }
    if let Some(wanted) = expect.verdict {
        let verdict = decision.verdict();
        if verdict != wanted {
            got.push(format!("verdict {}", verdict.word()));
        }
    }
    let outcome = decision.outcome();
    for (name, wanted, nodes) in counts(expect, outcome) {
        if wanted.is_some_and(|wanted| !wanted.holds(nodes)) {
            got.push(format!("{nodes} {name} nodes"));
        }
    }
    (!got.is_empty()).then(|| got.join(", "))
}

fn counts(expect: &Expect, outcome: Mix) -> [(&'static str, Option<Count>, Nodes); 3] {
    [
        ("dedicated", expect.dedicated, outcome.dedicated),
        ("spot", expect.spot, outcome.spot),
        ("total", expect.total, outcome.total()),
    ]
}

fn wanted(expect: &Expect) -> String {
    let mut wanted = Vec::new();
    match expect.order {
        Some(OrderWanted::Word(OrderWord::None)) => wanted.push("no order".to_owned()),
        Some(OrderWanted::Word(OrderWord::Any)) => wanted.push("an order".to_owned()),
        Some(OrderWanted::Mix(mix)) => wanted.push(format!("order of {mix}")),
        None => {}
    }
    wanted.extend(expect.hold.iter().map(|code| format!("a hold because of {code}")));
    wanted.extend(
        expect
            .reason
            .iter()
            .map(|code| format!("a step because of {code}")),
    );
    wanted.extend(
        expect
            .verdict
            .map(|verdict| format!("verdict {}", verdict.word())),
    );
    for (name, count, _) in counts(expect, Mix::ZERO) {
        wanted.extend(count.map(|count| format!("{count} {name} nodes")));
    }
    wanted.join(", ")
}

impl Count {
    fn holds(self, nodes: Nodes) -> bool {
        match self {
            Self::Exactly(wanted) => nodes == wanted,
            Self::Between([least, most]) => (least..=most).contains(&nodes),
        }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly(nodes) => write!(f, "{nodes}"),
            Self::Between([least, most]) => write!(f, "{least} to {most}"),
        }
    }
}

/// Money is added up in binary fractions; a millionth more is none.
const MONEY_SLACK: f64 = 1.0 + 1e-6;

/// A rule that holds at every look, and how it is told.
type Rule<'a> = (&'static str, &'a dyn Fn(&Made) -> bool);

/// Returns what always holds, each with the first decision that breaks it.
pub(super) fn invariants<'a>(
    test: &'a TestFileTest,
    policies: &'a Policies,
    account: &'a WrittenAccount<'_>,
    ledger: &str,
) -> impl Iterator<Item = (&'static str, Option<Mismatch>)> + use<'a> {
    let replayed = replay(ledger).err().map(|error| Mismatch {
        expected: "the same bytes".to_owned(),
        got: error.to_string(),
        trace: Vec::new(),
    });
    let made = &account.made;
    let policy = |made: &Made| policies.policy_for(&made.decision.pool);
    let rate = |policy: &Policy, mix: Mix| -> f64 {
        let of = |lane| mix.get(lane).as_f64() * policy.prices.get(lane).0;
        Lane::ALL.map(of).iter().sum()
    };
    let rules: [Rule<'_>; 4] = [
        ("always: outcomes within bounds, or no further outside", &|made| {
            let decision = &made.decision;
            policy(made).is_some_and(|policy| policy.bounds.allow(decision.start, decision.outcome()))
        }),
        (
            "always: no order passes the quota or the money of an hour",
            &|made| {
                let (start, outcome) = (made.decision.start, made.decision.outcome());
                policy(made).is_some_and(|policy| {
                    let within = |lane: &Lane| {
                        let most = policy.quota.nodes(*lane).unwrap_or(Nodes(u32::MAX));
                        outcome.get(*lane) <= most.max(start.get(*lane))
                    };
                    let limit = policy
                        .budget
                        .per_hour
                        .unwrap_or(f64::INFINITY)
                        .max(rate(policy, start));
                    Lane::ALL.iter().all(within) && rate(policy, outcome) <= limit * MONEY_SLACK
                })
            },
        ),
        (
            "always: nothing is taken away on missing samples or unseen",
            &|made| !made.blind || !made.decision.shrinks(),
        ),
        (
            "always: orders together do not pass what the account shares",
            &|made| !account.watch.passed_by(&made.decision),
        ),
    ];
    let broken = |holds: &dyn Fn(&Made) -> bool| {
        made.iter().find(|made| !holds(made)).map(|made| Mismatch {
            expected: "it holds at every look".to_owned(),
            got: format!("not at {}", told(made.decision.at, test)),
            trace: made.decision.to_text().lines().map(str::to_owned).collect(),
        })
    };
    let shares = account.watch.is_of_use();
    let mut found: Vec<_> = rules
        .iter()
        .take(if shares { 4 } else { 3 })
        .map(|(rule, holds)| (*rule, broken(*holds)))
        .collect();
    found.push(("always: the ledger replays to the same bytes", replayed));
    found.into_iter()
}
