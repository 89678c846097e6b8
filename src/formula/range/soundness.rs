//! Whatever a formula evaluates to lies in what was proven of it: tried on random formulas, pools and samples.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::calendar::Moment;
use super::interval::Interval;
use super::targets::Analysis;
use super::value::Value;
use super::walk::Walk;
use super::world::World;
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::formula::{self, Basis, Formula, Inputs, PoolFacts, Scope};
use crate::signal::{History, Metric, Series};

/// A formula in the making: the names that exist so far, by type.
struct Maker {
    chance: Pcg64Mcg,
    numbers: Vec<String>,
    vectors: Vec<String>,
    instants: Vec<String>,
}

const TASKS: [&str; 3] = ["$ActiveTasks", "$RunningTasks", "$PendingTasks"];
const COUNTERS: [&str; 6] = [
    "$TargetDedicatedNodes",
    "$TargetLowPriorityNodes",
    "$CurrentDedicatedNodes",
    "$CurrentLowPriorityNodes",
    "$TaskSlotsPerNode",
    "$UsableNodeCount",
];

impl Maker {
    fn below(&mut self, end: usize) -> usize {
        self.chance.random_range(0..end)
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    fn known(&mut self, names: &[String], otherwise: &str) -> String {
        if names.is_empty() {
            return otherwise.to_owned();
        }
        names[self.below(names.len())].clone()
    }

    fn number(&mut self, depth: usize) -> String {
        let next = depth.saturating_sub(1);
        if depth == 0 {
            let names = self.numbers.clone();
            return match self.below(5) {
                0 => self
                    .one_of(&["0", "1", "2", "0.5", "1.1", "10", "70", "23", "6"])
                    .to_owned(),
                1 => self.one_of(&COUNTERS).to_owned(),
                2 => self.member(),
                _ => self.known(&names, "3"),
            };
        }
        match self.below(14) {
            13 => {
                // What a clamp leaves over: the walk knows that it is not negative.
                let names = self.numbers.clone();
                let (one, other) = (self.known(&names, "2"), self.known(&names, "2"));
                match self.below(3) {
                    0 => format!("({one} - min({one}, {}))", self.number(next)),
                    1 => format!("({one} - floor(min({one}, {other})))"),
                    _ => format!("({one} - {other})"),
                }
            }
            0 => format!("({} + {})", self.number(next), self.number(next)),
            1 => format!("({} - {})", self.number(next), self.number(next)),
            2 => format!("({} * {})", self.number(next), self.number(next)),
            3 => format!("({} / {})", self.number(next), self.number(next)),
            4 => format!(
                "({} ? {} : {})",
                self.condition(next),
                self.number(next),
                self.number(next)
            ),
            5 => self.condition(next),
            6 | 7 => {
                let name = self.one_of(&["avg", "max", "min", "sum", "len", "range", "std", "norm"]);
                format!("{name}({})", self.vector(next))
            }
            8 | 9 => {
                let name = self.one_of(&["max", "min"]);
                format!("{name}({}, {})", self.number(next), self.number(next))
            }
            10 => format!("max({}, {})", self.vector(next), self.number(next)),
            11 => {
                let name = self.one_of(&["ceil", "floor", "round", "ln", "lg", "log", "-", "!"]);
                format!("{name}({})", self.number(next))
            }
            _ => format!("{}.GetSamplePercent({})", self.one_of(&TASKS), self.window()),
        }
    }

    fn condition(&mut self, depth: usize) -> String {
        let next = depth.saturating_sub(1);
        match self.below(6) {
            0 if depth > 0 => format!("({} && {})", self.condition(next), self.condition(next)),
            1 if depth > 0 => format!("({} || {})", self.condition(next), self.condition(next)),
            2 => {
                let names = self.numbers.clone();
                let name = self.known(&names, "$CurrentDedicatedNodes");
                format!("({name} {} {})", self.comparison(), self.number(next))
            }
            3 => format!(
                "({} {} {})",
                self.instant(next),
                self.comparison(),
                self.instant(next)
            ),
            _ => format!(
                "({} {} {})",
                self.number(next),
                self.comparison(),
                self.number(next)
            ),
        }
    }

    fn comparison(&mut self) -> &'static str {
        self.one_of(&["<", "<=", ">", ">=", "==", "!="])
    }

    fn member(&mut self) -> String {
        let member = self.one_of(&["hour", "weekday", "month", "day", "minute", "second", "year"]);
        format!("{}.{member}", self.instant(1))
    }

    fn instant(&mut self, depth: usize) -> String {
        let names = self.instants.clone();
        match self.below(4) {
            0 if depth > 0 => format!("(time() + {} * TimeInterval_Minute)", self.number(depth - 1)),
            1 => "(time() + 90 * TimeInterval_Minute)".to_owned(),
            2 => self.known(&names, "time()"),
            _ => "time()".to_owned(),
        }
    }

    fn vector(&mut self, depth: usize) -> String {
        let next = depth.saturating_sub(1);
        let names = self.vectors.clone();
        match self.below(7) {
            0 if depth > 0 => format!(
                "({} {} {})",
                self.vector(next),
                self.one_of(&["+", "-", "*", "/"]),
                self.number(next)
            ),
            1 if depth > 0 => format!("vec({}, {})", self.vector(next), self.number(next)),
            2 => format!(
                "{}.GetSample({})",
                self.one_of(&TASKS),
                self.one_of(&["1", "3", "10"])
            ),
            3 => format!("{}.GetSample({}, 50)", self.one_of(&TASKS), self.window()),
            4 if depth > 0 => format!("ceil({}, {})", self.number(next), self.number(next)),
            _ => self.known(&names, "vec(1, 2)"),
        }
    }

    fn window(&mut self) -> String {
        let minutes = self.below(20) + 1;
        format!("TimeInterval_Minute * {minutes}")
    }

    fn formula(seed: u64) -> String {
        let mut maker = Self {
            chance: Pcg64Mcg::seed_from_u64(seed),
            numbers: Vec::new(),
            vectors: Vec::new(),
            instants: Vec::new(),
        };
        let mut text = String::new();
        for index in 0..6 {
            let line = match maker.below(8) {
                0 | 1 => {
                    let value = maker.vector(2);
                    maker.vectors.push(format!("v{index}"));
                    format!("v{index} = vec({value});\n")
                }
                6 => {
                    let names = maker.numbers.clone();
                    let (one, other) = (maker.known(&names, "2"), maker.number(1));
                    let name = format!("n{}", maker.below(4));
                    maker.numbers.push(name.clone());
                    format!("{name} = min({one}, {other});\n")
                }
                5 => {
                    let value = maker.condition(2);
                    maker.numbers.push(format!("c{index}"));
                    format!("c{index} = {value};\n")
                }
                2 => {
                    let value = maker.instant(1);
                    maker.instants.push(format!("t{index}"));
                    format!("t{index} = {value};\n")
                }
                3 => format!("$TargetDedicatedNodes = {};\n", maker.number(2)),
                4 => format!("$TargetLowPriority = {};\n", maker.number(2)),
                _ => {
                    // Names are set again now and then.
                    let name = format!("n{}", maker.below(4));
                    let value = maker.number(3);
                    maker.numbers.push(name.clone());
                    format!("{name} = {value};\n")
                }
            };
            text.push_str(&line);
        }
        text + &format!("$TargetDedicatedNodes = {};\n", maker.number(3))
    }
}

/// A pool and its samples, with the narrowest world that they are in.
struct Scene {
    now: Timestamp,
    pool: PoolFacts,
    history: History,
    world: World,
}

impl Scene {
    fn of(seed: u64) -> Self {
        let mut chance = Pcg64Mcg::seed_from_u64(seed ^ 0x5eed);
        let mut count = |most: u32| chance.random_range(0..=most);
        let now = Timestamp::from_unix_seconds(1_764_000_000 + i64::from(count(40_000_000)));
        let pool = PoolFacts {
            target: Mix::new(count(12), count(3)),
            current: Mix::new(count(12), count(3)),
            usable: Nodes(count(12)),
            task_slots_per_node: count(7) + 1,
            ..PoolFacts::default()
        };
        let (active, running) = (f64::from(count(30)), f64::from(count(9)));
        let mut history = History::new();
        let gaps = [0, 2, 10][count(2) as usize];
        for (metric, tasks) in [
            (Metric::ActiveTasks, active),
            (Metric::RunningTasks, running),
            (Metric::PendingTasks, active + running),
        ] {
            let mut series = Series::new(now - Span::minutes(30), Span::SAMPLE_PERIOD);
            for _ in 0..60 {
                let missing = gaps > 0 && count(gaps) == 0;
                series
                    .push((!missing).then_some(tasks))
                    .expect("sixty samples fit");
            }
            history.insert(metric, series);
        }
        let point = |nodes: Nodes| Interval::point(nodes.as_f64());
        let pair = |mix: Mix| [point(mix.dedicated), point(mix.spot)];
        let world = World {
            target: pair(pool.target),
            current: pair(pool.current),
            usable: point(pool.usable),
            slots: Interval::point(f64::from(pool.task_slots_per_node)),
            ..World::ANY
        };
        Self {
            now,
            pool,
            history,
            world: world.with_tasks(active, running),
        }
    }

    fn moments(&self) -> [Moment; 5] {
        use chrono::{Datelike, Timelike};
        let utc = self.now.to_utc();
        let small = |number: u32| u8::try_from(number).expect("members of a time are small");
        [
            Moment::Any,
            Moment::HourOfWeek(small(self.now.weekday() * 24 + self.now.hour())),
            Moment::Month(small(utc.month())),
            Moment::Day(small(utc.day())),
            Moment::Minute(small(utc.minute())),
        ]
    }
}

/// Sums are rounded one element at a time, products of intervals once: a part in 10^9 is forgiven.
fn holds(interval: Interval, number: f64) -> bool {
    let slack = 1e-9 * number.abs().max(1.0);
    interval.contains(number) || (number >= interval.low - slack && number <= interval.high + slack)
}

fn is_proven(value: Value, seen: &formula::Value, now: Timestamp) -> bool {
    match (value, seen) {
        (Value::Anything, _) => true,
        (Value::Number(interval), formula::Value::Double(number)) => holds(interval, *number),
        (Value::Vector(vector), formula::Value::DoubleVec(elements)) => {
            let length = elements.len() as f64;
            (vector.shortest..=vector.longest).contains(&length)
                && elements.iter().all(|element| holds(vector.elements, *element))
        }
        (Value::Time(times), formula::Value::Timestamp(at)) => {
            let ticks = if times.after_now {
                at.since(now).ticks()
            } else {
                at.ticks()
            };
            (times.low..=times.high).contains(&ticks)
        }
        _ => false,
    }
}

#[test]
fn every_value_lies_in_what_was_proven() {
    let (mut formulas, mut values) = (0, 0);
    for seed in 0..400 {
        let source = Maker::formula(seed);
        let formula = Formula::compile(&source, &Scope::default()).expect("the maker keeps to the grammar");
        if formula
            .diagnostics()
            .iter()
            .any(|row| row.severity == crate::base::Severity::Error)
        {
            continue;
        }
        formulas += 1;
        formula::lint(&formula);
        let analysis = Analysis::of(&formula);
        let ranges = analysis.ranges();
        let any = Walk::new(formula.checked(), &World::ANY, 70.0).run(None);
        for at in 0..4 {
            let scene = Scene::of(seed * 4 + at);
            let inputs = Inputs {
                now: scene.now,
                pool: scene.pool,
                history: &scene.history,
                seed: at,
            };
            let (outcome, trace) = formula.evaluator().run_traced(&inputs);
            let walks = scene.moments().map(|moment| {
                let world = scene.world.at(moment);
                Walk::new(formula.checked(), &world, 70.0).run(None)
            });
            for (index, row) in trace.statements.iter().enumerate() {
                let Some(seen) = &row.value else { continue };
                if let formula::Value::Double(number) = seen
                    && let Some(truth) = analysis.facts.truth(&formula.checked().statements[index].value)
                {
                    let possible = if *number == 0.0 { truth.no } else { truth.yes };
                    assert!(possible, "{seed}/{at}: {number} is not in {truth:?}\n{source}");
                }
                for pass in walks.iter().chain([&any]) {
                    let proven = pass.statements[index];
                    assert!(
                        is_proven(proven, seen, scene.now),
                        "{seed}/{at}: {seen:?} not in {proven:?}\n{source}"
                    );
                    values += 1;
                }
            }
            let Ok(outcome) = outcome else { continue };
            for lane in Lane::ALL {
                let (range, nodes) = (ranges.get(lane), outcome.target.get(lane));
                let within_pool = |most: Nodes| {
                    Lane::ALL.into_iter().all(|lane| {
                        scene.pool.target.get(lane) <= most && scene.pool.current.get(lane) <= most
                    })
                };
                let applies = match range.basis {
                    Basis::Pool(most) => within_pool(most),
                    Basis::Unset => false,
                    _ => true,
                };
                let inside = range.low <= nodes && range.high.is_none_or(|high| nodes <= high);
                assert!(
                    !applies || inside,
                    "{seed}/{at}: {nodes} {lane} not in {range}\n{source}"
                );
            }
        }
    }
    assert!(
        formulas > 250 && values > 20_000,
        "{formulas} formulas, {values} values"
    );
}
