//! What is forecast stands in every decision of a policy that forecasts, and a ledger from before is decided to the same bytes.

use lowtide::account::{Order, PoolState, Receipt};
use lowtide::base::{Mix, Span, Timestamp};
use lowtide::decision::Memory;
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};
use lowtide::policy::{Policies, read};
use lowtide::signal::{Metric, Sample};
use lowtide::world::{Ledger as _, MemoryLedger, line, replay};
use serde_json::Value;

const POLICY: &str = "version: 1\npool: office\ninterval: 5m\nbounds: { total: [0, 50] }\ndemand:\n\
    \x20 - queue: { metric: $PendingTasks }\n\
    \x20 - forecast: { metric: $PendingTasks, season: 24h, horizon: 30m }\n";

/// A pool whose forty tasks are there from nine to five, every day.
struct Office {
    now: Timestamp,
    sampled: Timestamp,
    ends: Timestamp,
    target: Mix,
    ledger: MemoryLedger,
}

fn tasks(at: Timestamp) -> f64 {
    let hour = at.unix_seconds().rem_euclid(86_400.0) / 3_600.0;
    if (9.0..17.0).contains(&hour) { 40.0 } else { 0.0 }
}

impl World for Office {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.now = self.now.max(at);
        (self.now < self.ends).then_some(self.now)
    }

    fn observe(&mut self, _: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let mut pool = PoolState::new("office".parse().unwrap());
        (pool.target, pool.current) = (self.target, self.target);
        pool.nodes.usable = self.target.total();
        pool.task_slots_per_node = 4;
        let view = into.push(pool);
        while self.sampled + Span::SAMPLE_PERIOD <= self.now {
            self.sampled += Span::SAMPLE_PERIOD;
            view.samples.push(Sample {
                metric: Metric::PendingTasks,
                taken: self.sampled,
                value: tasks(self.sampled),
            });
        }
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.ledger.append(&line(entry))
    }

    fn act(&mut self, order: &Order) -> Receipt {
        self.target = order.target;
        Receipt::Accepted
    }
}

/// Returns the ledger of some days.
fn ledger_of(days: i64, policy: &str) -> String {
    let (policy, findings) = read("office", policy, &mut |_| Err(String::new()));
    let policy = policy.unwrap_or_else(|| panic!("{:?}", findings.policy));
    let begins: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    let mut world = Office {
        now: begins,
        sampled: begins,
        ends: begins + Span::days(days),
        target: Mix::ZERO,
        ledger: MemoryLedger::default(),
    };
    run(&mut world, &Policies::from(vec![policy]), Memory::default());
    world.ledger.text
}

fn decided(ledger: &str) -> Vec<Value> {
    let lines = ledger
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == "decided").collect()
}

/// Takes every object of a name out of a text, which has no object inside.
fn without(text: &str, name: &str) -> String {
    let begins = format!(",\"{name}\":{{");
    let mut left = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(&begins) {
        left.push_str(before);
        rest = behind.split_once('}').unwrap().1;
    }
    left + rest
}

#[test]
fn a_forecast_that_is_believed_is_told_whichever_strategy_leads() {
    let ledger = ledger_of(3, POLICY);
    replay(&ledger).unwrap();
    let third_day = decided(&ledger).split_off(2 * 24 * 12);
    let (mut led, mut beside) = (0, 0);
    for line in &third_day {
        let code = line["steps"][0]["reason"]["code"].as_str().unwrap();
        let at = line["at"].as_str().unwrap();
        if code == "forecast" {
            led += 1;
            assert_eq!(line["forecast"], Value::Null, "{at}: it stands in the chain");
            // At half past eight half of the samples around nine are from before.
            let value = line["steps"][0]["reason"]["value"].as_f64().unwrap();
            assert!((20.0..=40.0).contains(&value), "{at}: {value}");
        } else if at.contains("T12:") || at.contains("T20:") {
            beside += 1;
            let expected = if at.contains("T12:") { 40.0 } else { 0.0 };
            assert_eq!(line["forecast"]["value"], expected, "{at}");
        }
    }
    assert!(led >= 5, "it leads before nine: {led}");
    assert_eq!(beside, 24);
}

#[test]
fn a_ledger_from_before_forecasts_were_told_is_decided_to_the_same_bytes() {
    let ledger = ledger_of(3, POLICY);
    assert!(ledger.contains(",\"told\":true"), "the policy says that it tells");
    let before = ledger
        .replace(",\"told\":true", "")
        .lines()
        .map(|line| {
            // The strategy of the policy has the same name: it stands on the line that begins.
            if line.contains("\"kind\":\"decided\"") {
                without(line, "forecast")
            } else {
                line.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
        + "\n";
    assert!(before.len() + 10_000 < ledger.len(), "forecasts were told");
    let replayed = replay(&before).unwrap();
    assert_eq!(replayed.decisions, decided(&ledger).len());
    let silent = ledger_of(3, &POLICY.replace("30m }", "30m, told: false }"));
    assert_eq!(decided(&silent).len(), replayed.decisions);
    assert!(decided(&silent).iter().all(|line| line["forecast"].is_null()));
}

#[test]
fn a_model_that_was_fitted_is_told_and_a_ledger_from_before_is_decided_to_the_same_bytes() {
    let ledger = ledger_of(7, POLICY);
    assert!(
        ledger.contains(",\"fitted\":true"),
        "the policy says that a model is fitted"
    );
    // A replay begins with nothing fitted.
    let replayed = replay(&ledger).unwrap();
    assert_eq!(replayed.decisions, decided(&ledger).len());
    let ways = |line: &&str| line.contains(",\"ways\":{\"seasonal\":0.0,");
    assert!(ledger.lines().filter(ways).count() > 150, "the errors are told");
    let before = ledger
        .lines()
        .map(|line| {
            let line = without(&line.replace(",\"fitted\":true", ""), "ways");
            let mut parts = line.split("; seasons ");
            let mut left = parts.next().unwrap().to_owned();
            parts.for_each(|part| left.push_str(&part[part.find(')').unwrap()..]));
            left + "\n"
        })
        .collect::<String>();
    let replayed = replay(&before).unwrap();
    assert_eq!(replayed.decisions, decided(&ledger).len());
}
