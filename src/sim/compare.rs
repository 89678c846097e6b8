//! Contenders over many cases: each workload on each spot market at each price, and what that comes to.

use std::cmp::Ordering;
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use super::bound::{Ask, Tolerance};
use super::cluster::SetupError;
use super::lateness::with_dues;
use super::report::Run;
use super::workload::Workload;
use super::{Contender, Options, backtest, end};
use crate::base::{Span, Usd, UsdHourly};
use crate::policy::Prices;

/// One workload on one market at one price with one seed.
#[derive(Clone, Debug)]
pub struct Case {
    /// The tasks.
    pub workload: Arc<Workload>,
    /// The pool, the market, the limit and the seed.
    pub options: Options,
    /// What a spot node costs, as a share of a dedicated one, which costs a dollar an hour.
    pub price_ratio: f64,
}

/// What one contender did in one case.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The workload.
    pub workload: String,
    /// Task slots of a node.
    pub slots: u32,
    /// The spot market.
    pub spot: String,
    /// The seed.
    pub seed: u64,
    /// The price of spot as a share of the price of dedicated.
    pub price_ratio: f64,
    /// The contender.
    pub contender: String,
    /// The bill in hours of a dedicated node.
    pub cost: f64,
    /// Whether all tasks ended, no more of them late than is tolerated; where tasks are due at known times, none after it was.
    pub met: bool,
    /// How many tasks missed their deadlines, where they have some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_missed: Option<u32>,
    /// By how many seconds the latest of these was late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_late_max: Option<f64>,
    /// The bill as a multiple of that of the contender that the comparison is against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_to_other: Option<f64>,
    /// No plan without misses costs less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// The bill as a multiple of that, where the limit was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_to_bound: Option<f64>,
    /// No plan with the misses that are tolerated costs less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_with_misses: Option<f64>,
    /// The bill as a multiple of that, where the limit was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_to_bound_with_misses: Option<f64>,
    /// 95 of 100 tasks waited no longer, in seconds.
    pub wait_p95: f64,
    /// 95 of 100 tasks ended no later than this after they could have, in seconds.
    pub delay_p95: f64,
    /// The share of tasks that were late.
    pub misses: f64,
    /// Their share of the work.
    pub work_misses: f64,
    /// Accepted orders a day.
    pub orders_daily: f64,
    /// Accepted orders a day that went against the one before.
    pub reversals_daily: f64,
}

/// What a contender comes to over all cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The contender.
    pub contender: String,
    /// How many cases there are.
    pub cases: usize,
    /// In how many it met the limit.
    pub met: usize,
    /// In how many the reference met it.
    pub reference_met: usize,
    /// In how many of those this contender met it, too.
    pub met_with_reference: usize,
    /// The geometric mean of cost to bound over the cases in which it met the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// The greatest cost to bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst: Option<f64>,
    /// The geometric mean of cost to the bound with misses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_with_misses: Option<f64>,
    /// The greatest cost to the bound with misses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_with_misses: Option<f64>,
    /// How many tasks missed their deadlines in all cases, where they have some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_missed: Option<u32>,
    /// The cases beside those of the contender that the comparison is against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
}

/// A contender beside another one, case by case.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Against {
    /// The geometric mean of its bill as a multiple of the other's.
    pub mean: f64,
    /// Half of the cases cost no more than this multiple.
    pub median: f64,
    /// Nine of ten cases cost no more than this multiple.
    pub p90: f64,
    /// No case costs more than this multiple.
    pub worst: f64,
    /// In how many cases it costs more than the other, by more than a hundredth.
    pub dearer: usize,
    /// In how many cases it misses more deadlines than the other.
    pub misses_more: usize,
    /// In how many cases it misses fewer.
    pub misses_fewer: usize,
}

/// All rows, case by case, and the summaries, contender by contender.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// One for each case and contender.
    pub rows: Vec<Row>,
    /// One for each contender.
    pub summaries: Vec<Summary>,
}

/// How long a comparison goes on after the last task may end, at the least: a task that is late may start again several times
/// before it ends.
const AFTERWARDS: Span = Span::days(1);

/// So many times the longest task, where that is more.
const AFTERWARDS_RUNS: f64 = 4.0;

/// Runs contenders over cases, on all cores; rows are in the order of both. The last contender is the reference by which cases
/// are told that can be met at all; `against` is the place of the one that the bills of all are held against. `on_case` is called from any thread whenever a case is done.
///
/// # Errors
/// When a case cannot be simulated.
pub fn compare(
    contenders: &[Contender],
    cases: &[Case],
    terms: Terms,
    on_case: &(dyn Fn() + Sync),
) -> Result<Comparison, SetupError> {
    let rows = cases
        .par_iter()
        .map(|case| {
            let mut rows = run_case(contenders, case, terms.tolerance);
            if let (Ok(rows), Some(other)) = (&mut rows, terms.against) {
                let cost = rows[other].cost;
                let ratio = |row: &Row| Some(row.cost / cost).filter(|ratio| ratio.is_finite());
                for row in rows {
                    row.cost_to_other = ratio(row);
                }
            }
            on_case();
            rows
        })
        .collect::<Result<Vec<_>, _>>()?;
    let summaries = (0..contenders.len())
        .map(|contender| summary(&rows, contender, terms.against))
        .collect();
    Ok(Comparison {
        rows: rows.into_iter().flatten().collect(),
        summaries,
    })
}

/// What contenders are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The shares of tasks and of work that may be late.
    pub tolerance: Tolerance,
    /// The place of the contender that the bills of all are held against.
    pub against: Option<usize>,
}

fn run_case(contenders: &[Contender], case: &Case, tolerance: Tolerance) -> Result<Vec<Row>, SetupError> {
    let prices = Prices {
        dedicated: UsdHourly(1.0),
        spot: UsdHourly(case.price_ratio),
    };
    let contenders: Vec<_> = contenders.iter().map(|one| one.at(prices)).collect();
    let longest = case
        .workload
        .tasks
        .iter()
        .map(|task| task.run)
        .max()
        .unwrap_or(Span::ZERO);
    let options = Options {
        tail: case.options.limit.of(longest) + AFTERWARDS.max(longest.scale(AFTERWARDS_RUNS)),
        bound: match case.options.bound {
            Ask::No => Ask::No,
            _ => Ask::AlsoWith(tolerance),
        },
        ..case.options.clone()
    };
    let workload = with_dues(&contenders, &case.workload);
    let days = (end(&workload, options.tail) - workload.start).as_hours() / 24.0;
    let report = backtest(&contenders, &workload, &options, &|_| {})?;
    let row = |run: &Run| row(run, case, tolerance, days);
    Ok(report.runs.iter().map(row).collect())
}

fn row(run: &Run, case: &Case, tolerance: Tolerance, days: f64) -> Row {
    let met = run.keeps_to(Some(tolerance));
    let bound = run.hindsight.map(|hindsight| hindsight.bound_cost.0);
    let with_misses = run
        .hindsight
        .and_then(|hindsight| hindsight.bound_cost_with_misses)
        .map(|Usd(cost)| cost);
    let ratio = |bound: f64| Some(run.cost.total.0 / bound).filter(|ratio| met && ratio.is_finite());
    Row {
        workload: run.workload.clone(),
        slots: case.options.setup.task_slots_per_node,
        spot: run.spot.clone(),
        seed: run.seed,
        price_ratio: case.price_ratio,
        contender: run.policy.clone(),
        cost: run.cost.total.0,
        met,
        deadline_missed: run.tasks.deadline_missed,
        deadline_late_max: run.deadlines.map(|deadlines| deadlines.late.max),
        cost_to_other: None,
        bound,
        cost_to_bound: bound.and_then(ratio),
        bound_with_misses: with_misses,
        cost_to_bound_with_misses: with_misses.and_then(ratio),
        wait_p95: run.wait.p95,
        delay_p95: run.delay.p95,
        misses: run.misses.share,
        work_misses: run.misses.work_share,
        orders_daily: run.orders as f64 / days,
        reversals_daily: run.reversals as f64 / days,
    }
}

fn summary(cases: &[Vec<Row>], contender: usize, other: Option<usize>) -> Summary {
    let reference_met = |rows: &&Vec<Row>| rows.last().is_some_and(|row| row.met);
    let own = || cases.iter().map(|rows| &rows[contender]);
    let ratios: Vec<f64> = own().filter_map(|row| row.cost_to_bound).collect();
    let with_misses: Vec<f64> = own().filter_map(|row| row.cost_to_bound_with_misses).collect();
    Summary {
        contender: own().next().map_or_else(String::new, |row| row.contender.clone()),
        cases: cases.len(),
        met: own().filter(|row| row.met).count(),
        reference_met: cases.iter().filter(reference_met).count(),
        met_with_reference: cases
            .iter()
            .filter(reference_met)
            .filter(|rows| rows[contender].met)
            .count(),
        mean: geometric_mean(&ratios),
        worst: ratios.iter().copied().reduce(f64::max),
        mean_with_misses: geometric_mean(&with_misses),
        worst_with_misses: with_misses.iter().copied().reduce(f64::max),
        deadline_missed: own()
            .filter_map(|row| row.deadline_missed)
            .reduce(|sum, missed| sum + missed),
        against: other.and_then(|other| against(cases, contender, other)),
    }
}

fn against(cases: &[Vec<Row>], contender: usize, other: usize) -> Option<Against> {
    let mut ratios: Vec<f64> = cases
        .iter()
        .filter_map(|rows| rows[contender].cost_to_other)
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let missed = |order: Ordering| {
        let compare =
            |rows: &&Vec<Row>| rows[contender].deadline_missed.cmp(&rows[other].deadline_missed) == order;
        cases.iter().filter(compare).count()
    };
    let at = |share: f64| ratios[((share * ratios.len() as f64).ceil() as usize).max(1) - 1];
    Some(Against {
        mean: geometric_mean(&ratios)?,
        median: at(0.5),
        p90: at(0.9),
        worst: at(1.0),
        dearer: ratios.iter().filter(|ratio| **ratio > 1.01).count(),
        misses_more: missed(Ordering::Greater),
        misses_fewer: missed(Ordering::Less),
    })
}

/// Returns the geometric mean of numbers above zero; nothing of none.
pub fn geometric_mean(values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().map(|value| value.ln()).sum();
    (!values.is_empty()).then(|| (sum / values.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(met: bool, ratio: f64) -> Row {
        Row {
            workload: "w".to_owned(),
            slots: 1,
            spot: "s".to_owned(),
            seed: 0,
            price_ratio: 0.2,
            contender: "c".to_owned(),
            cost: ratio,
            met,
            deadline_missed: None,
            deadline_late_max: None,
            cost_to_other: None,
            bound: Some(1.0),
            cost_to_bound: met.then_some(ratio),
            bound_with_misses: None,
            cost_to_bound_with_misses: None,
            wait_p95: 0.0,
            delay_p95: 0.0,
            misses: 0.0,
            work_misses: 0.0,
            orders_daily: 0.0,
            reversals_daily: 0.0,
        }
    }

    #[test]
    fn a_summary_counts_only_cases_that_were_met() {
        // Three cases, the second contender is the reference.
        let cases = [
            vec![row(true, 1.0), row(true, 3.0)],
            vec![row(true, 4.0), row(false, 9.0)],
            vec![row(false, 1.5), row(true, 3.0)],
        ];
        let first = summary(&cases, 0, None);
        assert_eq!((first.cases, first.met), (3, 2));
        assert_eq!((first.reference_met, first.met_with_reference), (2, 1));
        assert!((first.mean.unwrap() - 2.0).abs() < 1e-12);
        assert_eq!((first.worst, first.mean_with_misses), (Some(4.0), None));
        assert_eq!(summary(&cases, 1, None).met_with_reference, 2);
    }

    #[test]
    fn a_contender_is_held_against_another_case_by_case() {
        let case = |cost: f64, missed, other: f64, other_missed| {
            let due = |row: Row, missed| Row {
                deadline_missed: Some(missed),
                cost_to_other: Some(row.cost / other),
                ..row
            };
            vec![due(row(true, cost), missed), due(row(true, other), other_missed)]
        };
        let cases = [case(1.0, 0, 2.0, 3), case(4.0, 2, 2.0, 0), case(2.0, 0, 2.0, 0)];
        let first = summary(&cases, 0, Some(1));
        assert_eq!(first.deadline_missed, Some(2));
        let against = first.against.unwrap();
        assert!((against.mean - 1.0).abs() < 1e-12);
        assert_eq!((against.median, against.worst, against.dearer), (1.0, 2.0, 1));
        assert_eq!((against.misses_more, against.misses_fewer), (1, 1));
    }
}
