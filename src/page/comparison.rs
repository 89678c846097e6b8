//! The page of a comparison: contenders over many cases.

use std::ops::Range;

use super::data::{Cases, Data, Figure, Kind, Point, Sheet};
use super::names::{listed, unique};
use crate::base::Span;
use crate::sim::bound::Tolerance;
use crate::sim::compare::{Case, Comparison, Row};
use crate::sim::sweep::front;
use crate::sim::{Cells, Contender};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    /// The command line.
    pub command: String,
    /// Who took part, in the order of the rows of each case; the last one is the reference.
    pub contenders: &'a [Contender],
    /// What they had to do.
    pub cases: &'a [Case],
    /// What may be late.
    pub tolerance: Tolerance,
    /// What was said of what was read.
    pub notes: Vec<String>,
}

/// Returns the page of a comparison, whose tables are those of the terminal: what it comes to, and each case.
pub fn of_comparison(compared: &Compared<'_>, comparison: &Comparison, sums: Cells, rows: Cells) -> Data {
    let n_contenders = compared.contenders.len().max(1);
    let over = Over::of(&comparison.rows);
    let by_case: Vec<&[Row]> = comparison.rows.chunks(n_contenders).collect();
    let mut points: Vec<Point> = (0..compared.contenders.len())
        .filter_map(|contender| {
            let own: Vec<&Row> = by_case.iter().map(|rows| &rows[contender]).collect();
            let ratios = by_case.iter().filter_map(|rows| over.ratio(rows, contender));
            point(&compared.contenders[contender], &own, &ratios.collect::<Vec<_>>())
        })
        .collect();
    let pairs: Vec<_> = points.iter().map(|point| (point.cost, point.wait_p95)).collect();
    for (point, on_front) in points.iter_mut().zip(front(&pairs)) {
        point.front = on_front;
    }
    Data {
        kind: Kind::Comparison,
        title: title(compared),
        program: concat!("lowtide ", env!("CARGO_PKG_VERSION")).to_owned(),
        command: compared.command.clone(),
        facts: facts(compared, &comparison.rows),
        notes: compared.notes.clone(),
        sheets: vec![
            Sheet::new("Over all cases", sums, |_| None),
            Sheet::new("Cases", rows, |_| None),
        ],
        points,
        cases: Some(cases(compared.contenders, &by_case, over)),
        runs: Vec::new(),
        runs_left_out: 0,
        wait_marks: Vec::new(),
    }
}

/// What costs are told as multiples of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Over {
    /// What no plan without misses can cost less than.
    Bound,
    /// The cost of the reference, where no bound was asked for.
    Reference,
}

impl Over {
    fn of(rows: &[Row]) -> Self {
        if rows.iter().any(|row| row.bound.is_some()) {
            Self::Bound
        } else {
            Self::Reference
        }
    }

    /// Returns what a contender cost in a case, where it met the limit.
    fn ratio(self, rows: &[Row], contender: usize) -> Option<f64> {
        let row = &rows[contender];
        match self {
            Self::Bound => row.cost_to_bound,
            Self::Reference => {
                let ratio = row.cost / rows.last()?.cost;
                Some(ratio).filter(|ratio| row.met && ratio.is_finite())
            }
        }
    }
}

/// Returns a contender over the cases in which it met the limit; `None` where it did in none.
fn point(contender: &Contender, own: &[&Row], ratios: &[f64]) -> Option<Point> {
    let (n_cases, n_ratios) = (own.len() as f64, ratios.len() as f64);
    let mean = |figure: fn(&Row) -> f64| own.iter().map(|row| figure(row)).sum::<f64>() / n_cases;
    let logs: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (!ratios.is_empty()).then(|| Point {
        name: contender.name(),
        label: None,
        own: matches!(contender, Contender::Policy(_)),
        cost: (logs / n_ratios).exp(),
        wait_p95: mean(|row| row.wait_p95),
        late: mean(|row| row.misses),
        front: false,
        bound: None,
        bound_with_misses: None,
        run: None,
    })
}

fn cases(contenders: &[Contender], by_case: &[&[Row]], over: Over) -> Cases {
    // More than are drawn apart on a wide screen tell nothing more; the tables and -o csv have all.
    let shown = &by_case[..by_case.len().min(Cases::SHOWN_MAX)];
    let column = |contender: usize| {
        let ratios = shown.iter().map(|rows| over.ratio(rows, contender));
        ratios
            .map(|ratio| ratio.map_or(Figure(None), Figure::fine))
            .collect()
    };
    let seeds = unique(shown.iter().map(|rows| rows[0].seed.to_string()));
    Cases {
        over: match over {
            Over::Bound => "bound".to_owned(),
            Over::Reference => contenders.last().map_or_else(String::new, Contender::name),
        },
        contenders: contenders.iter().map(Contender::name).collect(),
        names: shown.iter().map(|rows| name(&rows[0], seeds.len() > 1)).collect(),
        ratios: (0..contenders.len()).map(column).collect(),
        left_out: by_case.len() - shown.len(),
    }
}

/// Returns what a case is told by: its workload, and the price with its market, which may be long.
fn name(row: &Row, with_seed: bool) -> [String; 2] {
    let seed = if with_seed {
        format!(", seed {}", row.seed)
    } else {
        String::new()
    };
    let market = format!("at {} on {}{seed}", row.price_ratio, row.spot);
    [row.workload.clone(), market]
}

fn title(compared: &Compared<'_>) -> String {
    let (n_contenders, n_cases) = (compared.contenders.len(), compared.cases.len());
    let cases = if n_cases == 1 { "case" } else { "cases" };
    format!("Comparison: {n_contenders} contenders in {n_cases} {cases}")
}

fn facts(compared: &Compared<'_>, rows: &[Row]) -> Vec<(String, String)> {
    let (contenders, cases) = (compared.contenders, compared.cases);
    let mut facts = Vec::new();
    let mut tell = |name: &str, word: String| facts.push((name.to_owned(), word));
    let are_own = |own: bool| {
        let of = contenders.iter();
        let of = of.filter(|contender| matches!(contender, Contender::Policy(_)) == own);
        listed(&unique(of.map(Contender::name)))
    };
    tell("Policies", are_own(true));
    tell("Compared with", are_own(false));
    let of_cases = |told: &dyn Fn(&Case) -> String| listed(&unique(cases.iter().map(told)));
    let workload = |case: &Case| {
        let (name, n_tasks) = (&case.workload.name, case.workload.tasks.len());
        format!("{name} ({n_tasks} tasks)")
    };
    tell("Workloads", of_cases(&workload));
    tell("Spot", listed(&unique(rows.iter().map(|row| row.spot.clone()))));
    tell(
        "Spot costs of dedicated",
        of_cases(&|case| percent(case.price_ratio)),
    );
    let node = |case: &Case| {
        let Range { start, end } = boots(case);
        let boot = if start == end {
            start.in_short()
        } else {
            format!("{} to {}", start.in_short(), end.in_short())
        };
        format!(
            "{} task slots, boots for {boot}",
            case.options.setup.task_slots_per_node
        )
    };
    tell("A node", of_cases(&node));
    let late = |case: &Case| {
        let limit = &case.options.limit;
        let (least, share) = (limit.least.in_short(), percent(limit.share));
        format!("after the longer of {least} and {share} of its own run")
    };
    tell("A task is late", of_cases(&late));
    let Tolerance { tasks, work } = compared.tolerance;
    tell(
        "The limit is met",
        format!(
            "with at most {} of the tasks late, and {} of the work",
            percent(tasks),
            percent(work)
        ),
    );
    let seeds = of_cases(&|case| {
        let seeds = case.options.seeds.iter().map(u64::to_string);
        seeds.collect::<Vec<_>>().join(", ")
    });
    tell("Seeds", seeds);
    facts
}

fn percent(share: f64) -> String {
    format!("{} %", (1000.0 * share).round() / 10.0)
}

fn boots(case: &Case) -> Range<Span> {
    let (least, most) = case.options.setup.boot.range();
    least..most
}
