//! The page of a backtest or a sweep.

use super::data::{Data, Depth, Figure, Kind, Point, Sheet, StepRow, TurnRow, lanes, seconds};
use super::names::{listed, unique};
use super::wanted::{ranked, wanted};
use crate::policy::Prices;
use crate::sim::sweep::{SweepPoint, SweepReport, front};
use crate::sim::workload::Workload;
use crate::sim::{Contender, Options, Report, Run, Turn, wait_marks};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The command line.
    pub command: String,
    /// Who took part, in the order of the runs.
    pub contenders: &'a [Contender],
    /// What they had to do.
    pub workload: &'a Workload,
    /// What the runs shared.
    pub options: &'a Options,
    /// What was said of where spot nodes come from and what they cost, where something was.
    pub spot: Option<String>,
    /// The settings of a sweep, as they were given.
    pub sweep: Vec<String>,
}

/// What the fact of the policies is called.
const POLICIES: &str = "Policies";

/// Returns the page of a backtest.
pub fn of_report(asked: &Asked<'_>, report: &Report) -> Data {
    let n_seeds = asked.options.seeds.len();
    let everybody: Vec<usize> = (0..asked.contenders.len()).collect();
    let runs: Vec<&Run> = report.runs.iter().collect();
    let shown = wanted(&everybody, n_seeds);
    let sheet = Sheet::new("Figures", report.to_cells(), |row| place(&shown, row));
    let mut points: Vec<Point> = runs
        .chunks(n_seeds.max(1))
        .enumerate()
        .map(|(contender, runs)| Point {
            own: matches!(asked.contenders[contender], Contender::Policy(_)),
            run: place(&shown, contender * n_seeds),
            ..mean(runs[0].policy.clone(), runs)
        })
        .collect();
    let pairs: Vec<_> = points.iter().map(|point| (point.cost, point.wait_p95)).collect();
    for (point, on_front) in points.iter_mut().zip(front(&pairs)) {
        point.front = on_front;
    }
    Data {
        kind: Kind::Backtest,
        title: format!("Backtest: {}", asked.workload.name),
        ..common(asked, &runs, &shown, sheet, points)
    }
}

/// Returns the page of a sweep.
pub fn of_sweep(asked: &Asked<'_>, sweep: &SweepReport) -> Data {
    let n_seeds = asked.options.seeds.len();
    let swept = sweep.points.iter().flat_map(|point| &point.runs);
    let runs: Vec<&Run> = swept.chain(&sweep.others).collect();
    let shown = wanted(&ranked(sweep, n_seeds), n_seeds);
    let by_cost = sweep.by_cost();
    let n_points = sweep.points.len();
    let of_row = |row: usize| match by_cost.get(row) {
        Some(point) => place(&shown, point * n_seeds),
        None => place(&shown, n_points * n_seeds + (row - n_points)),
    };
    let sheet = Sheet::new("Settings", sweep.to_cells(), of_row);
    let settings = sweep.points.iter().enumerate().map(|(place_, point)| Point {
        own: true,
        label: Some(setting_label(point)),
        front: point.on_front,
        run: place(&shown, place_ * n_seeds),
        ..mean(setting_name(point), &point.runs.iter().collect::<Vec<_>>())
    });
    let others = sweep
        .others
        .chunks(n_seeds.max(1))
        .enumerate()
        .map(|(other, runs)| Point {
            run: place(&shown, (n_points + other) * n_seeds),
            ..mean(runs[0].policy.clone(), &runs.iter().collect::<Vec<_>>())
        });
    let points: Vec<Point> = settings.chain(others).collect();
    let mut data = Data {
        kind: Kind::Sweep,
        title: format!("Sweep: {}", asked.workload.name),
        ..common(asked, &runs, &shown, sheet, points)
    };
    // The facts tell the policies as they stand, each once; the settings are told by themselves.
    let policies = unique(sweep.points.iter().map(|point| point.policy.clone()));
    for (name, word) in &mut data.facts {
        if name == POLICIES {
            *word = listed(&policies);
        }
    }
    for (depth, run) in data.runs.iter_mut().zip(&shown) {
        if let Some(point) = sweep.points.get(run / n_seeds.max(1)) {
            depth.name = setting_name(point);
        }
    }
    data
}

fn setting_name(point: &SweepPoint) -> String {
    let settings = point.set.iter().map(|(path, value)| format!(" {path}={value}"));
    point.policy.clone() + &settings.collect::<Vec<_>>().concat()
}

/// Returns what tells a setting from the others, with no more of its paths than their last key.
fn setting_label(point: &SweepPoint) -> String {
    let settings = point.set.iter().map(|(path, value)| {
        let keys: Vec<&str> = path.split('.').collect();
        let last = keys.iter().rposition(|key| key.parse::<usize>().is_err());
        format!("{}={value}", keys[last.unwrap_or(0)..].join("."))
    });
    settings.collect::<Vec<_>>().join(" ")
}

/// Returns where a run stands among those that are shown.
fn place(shown: &[usize], run: usize) -> Option<usize> {
    shown.iter().position(|one| *one == run)
}

/// Returns the means of some runs, one for each seed.
fn mean(name: String, runs: &[&Run]) -> Point {
    let n_runs = runs.len().max(1) as f64;
    let of = |figure: fn(&Run) -> f64| runs.iter().map(|run| figure(run)).sum::<f64>() / n_runs;
    let bound = |figure: fn(&Run) -> Option<f64>| {
        let bounds: Option<Vec<f64>> = runs.iter().map(|run| figure(run)).collect();
        bounds.map(|bounds| bounds.iter().sum::<f64>() / n_runs)
    };
    Point {
        name,
        label: None,
        own: false,
        cost: of(|run| run.cost.total.0),
        wait_p95: of(|run| run.wait.p95),
        late: of(|run| run.misses.share),
        front: false,
        bound: bound(|run| run.hindsight.map(|hindsight| hindsight.bound_cost.0)),
        bound_with_misses: bound(|run| {
            let cost = run
                .hindsight
                .and_then(|hindsight| hindsight.bound_cost_with_misses);
            cost.map(|cost| cost.0)
        }),
        run: None,
    }
}

/// Returns what both pages have.
fn common(asked: &Asked<'_>, runs: &[&Run], shown: &[usize], sheet: Sheet, points: Vec<Point>) -> Data {
    let n_seeds = asked.options.seeds.len();
    let deep: Vec<Depth> = shown
        .iter()
        .map(|place| {
            depth(
                &asked.contenders[place / n_seeds.max(1)],
                runs[*place],
                n_seeds > 1,
            )
        })
        .collect();
    Data {
        kind: Kind::Backtest,
        title: String::new(),
        program: concat!("lowtide ", env!("CARGO_PKG_VERSION")).to_owned(),
        command: asked.command.clone(),
        facts: facts(asked, runs),
        notes: asked.workload.notes.clone(),
        sheets: vec![sheet],
        points,
        cases: None,
        runs_left_out: runs.len() - deep.len(),
        runs: deep,
        wait_marks: wait_marks()
            .map(|mark| Figure::hundredths(mark.as_seconds()))
            .collect(),
    }
}

fn facts(asked: &Asked<'_>, runs: &[&Run]) -> Vec<(String, String)> {
    let (workload, options) = (asked.workload, asked.options);
    let mut facts = Vec::new();
    let mut tell = |name: &str, word: String| facts.push((name.to_owned(), word));
    let are_own = |own: bool| {
        let of = asked.contenders.iter();
        let of = of.filter(|contender| matches!(contender, Contender::Policy(_)) == own);
        unique(of.map(Contender::name))
    };
    tell(POLICIES, listed(&are_own(true)));
    if !asked.sweep.is_empty() {
        tell("Settings", asked.sweep.join("; "));
    }
    let others = are_own(false);
    if !others.is_empty() {
        tell("Compared with", listed(&others));
    }
    let read = format!(
        "{}: {} jobs, {} tasks, {:.0} slot-hours of work",
        workload.name,
        workload.n_jobs,
        workload.tasks.len(),
        workload.slot_hours()
    );
    tell("Workload", read);
    if workload.left_out.total() > 0 {
        tell("Left out", workload.left_out.to_string());
    }
    let spot = listed(&unique(runs.iter().map(|run| run.spot.clone())));
    let asked_for = asked.spot.as_ref().filter(|asked| !spot.contains(asked.as_str()));
    tell(
        "Spot",
        asked_for.map_or(spot.clone(), |asked| format!("{asked}: {spot}")),
    );
    tell("Prices", prices(asked));
    let slots = options.setup.task_slots_per_node;
    tell("A node", format!("{slots} task slots, boots {}", boot(options)));
    let limit = &options.limit;
    let share = format!("{} % of its own run", 100.0 * limit.share);
    tell(
        "A task is late",
        format!("after the longer of {} and {share}", limit.least.in_short()),
    );
    tell("Seeds", seeds(&options.seeds));
    facts
}

fn boot(options: &Options) -> String {
    let (least, most) = options.setup.boot.range();
    if least == most {
        format!("for {}", least.in_short())
    } else {
        format!("for {} to {}", least.in_short(), most.in_short())
    }
}

fn prices(asked: &Asked<'_>) -> String {
    let told = |prices: &Prices| format!("{} dedicated, {} spot", prices.dedicated, prices.spot);
    let prices = unique(asked.contenders.iter().map(|contender| told(&contender.prices())));
    let over_time = asked
        .options
        .prices
        .as_ref()
        .map_or("", |_| "; spot by the table of prices");
    listed(&prices) + over_time
}

fn seeds(seeds: &[u64]) -> String {
    match seeds {
        [] => "none".to_owned(),
        [one] => one.to_string(),
        [first, .., last] => format!("{first} to {last}"),
    }
}

/// Returns a run in depth, as far as it was followed.
fn depth(contender: &Contender, run: &Run, with_seed: bool) -> Depth {
    let told = Depth {
        name: run.policy.clone(),
        seed: with_seed.then_some(run.seed),
        undecided: undecided(contender),
        figures: Some(serde_json::to_value(run).expect("a run is made of numbers and text")),
        ..Depth::default()
    };
    let Some(followed) = &run.followed else {
        return told;
    };
    let course = &followed.course;
    let points = &course.points;
    let column = |value: fn(&crate::sim::cluster::CoursePoint) -> f64| -> Vec<Figure> {
        points
            .iter()
            .map(|point| Figure::hundredths(value(point)))
            .collect()
    };
    Depth {
        start: seconds(course.start),
        step: course.step.as_seconds(),
        demand: column(|point| point.demand),
        waiting: column(|point| point.waiting),
        dedicated: column(|point| point.dedicated),
        spot: column(|point| point.spot),
        starting: column(|point| point.starting),
        idle: column(|point| point.idle),
        preempted: column(|point| point.preempted),
        evictions: column(|point| f64::from(point.evictions)),
        cost: points.iter().map(|point| Figure::fine(point.cost.0)).collect(),
        waits: followed.waits.iter().map(|share| Figure::fine(*share)).collect(),
        turns: followed.turns.kept.iter().map(TurnRow::from).collect(),
        n_turns: followed.turns.n_all,
        ..told
    }
}

const fn undecided(contender: &Contender) -> Option<&'static str> {
    match contender {
        Contender::Policy(_) | Contender::Native { .. } => None,
        Contender::Static { .. } | Contender::Peak { .. } => {
            Some("Nobody decides here: the nodes are the same from start to end.")
        }
        Contender::Baseline { .. } => Some("An autoscaler of others decides here, which tells no reasons."),
    }
}

impl From<&Turn> for TurnRow {
    fn from(turn: &Turn) -> Self {
        let steps = turn.steps.iter().map(|(stage, to, text)| StepRow {
            stage: (*stage).to_owned(),
            to: *to,
            text: text.clone(),
        });
        Self {
            at: seconds(turn.at),
            verdict: turn.verdict.word(),
            from: lanes(turn.from),
            to: lanes(turn.to),
            steps: steps.collect(),
        }
    }
}
