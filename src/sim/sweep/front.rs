//! What a sweep found: the settings with their runs, and the front of those that no other beats in cost and wait.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::Setting;
use crate::base::Usd;
use crate::sim::condition::Condition;
use crate::sim::report::{Report, Run};
use crate::sim::table::{Cells, brief};

/// Everything a sweep found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepReport {
    /// One for each policy and setting, in the order given.
    pub points: Vec<SweepPoint>,
    /// The runs of what the policies are compared with.
    pub others: Vec<Run>,
    /// How long it took; the only thing that differs when it is run again.
    pub wall_seconds: f64,
}

/// What one setting of a policy came to; figures are means over the seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepPoint {
    /// The policy without its setting.
    pub policy: String,
    /// What it has at each path.
    pub set: BTreeMap<String, String>,
    /// The bill.
    pub cost: Usd,
    /// Seconds that 95 of 100 tasks waited at most.
    pub wait_p95: f64,
    /// The share of tasks that ended too late.
    pub late: f64,
    /// Whether no other setting costs less and waits no longer, or waits less and costs no more.
    pub on_front: bool,
    /// The conditions that hold for one of its runs, with what that run has.
    pub fails: Vec<String>,
    /// Its runs, one for each seed.
    pub runs: Vec<Run>,
}

/// Says of each pair whether no other is as good in both and better in one.
pub fn front(points: &[(f64, f64)]) -> Vec<bool> {
    let beats = |one: &(f64, f64), two: &(f64, f64)| one.0 <= two.0 && one.1 <= two.1 && one != two;
    points
        .iter()
        .map(|point| !points.iter().any(|other| beats(other, point)))
        .collect()
}

/// Marks the points that no other beats in cost and wait.
pub(super) fn mark_front(points: &mut [SweepPoint]) {
    let pairs: Vec<_> = points
        .iter()
        .map(|point| (point.cost.0, point.wait_p95))
        .collect();
    for (point, on_front) in points.iter_mut().zip(front(&pairs)) {
        point.on_front = on_front;
    }
}

impl SweepReport {
    /// Returns what the runs of a backtest come to whose first contenders are these policies with these settings.
    pub fn new(
        report: Report,
        swept: &[(String, Setting)],
        n_seeds: usize,
        conditions: &[Condition],
    ) -> Self {
        let mut runs = report.runs.into_iter();
        let mut points: Vec<_> = swept
            .iter()
            .map(|(policy, setting)| {
                let runs = runs.by_ref().take(n_seeds).collect();
                SweepPoint::new(policy, setting, runs, conditions)
            })
            .collect();
        mark_front(&mut points);
        Self {
            points,
            others: runs.collect(),
            wall_seconds: report.wall_seconds,
        }
    }

    /// Returns the paths that are swept, in the order of the first policy that has them.
    fn paths(&self) -> Vec<&String> {
        let mut paths: Vec<&String> = Vec::new();
        for path in self.points.iter().flat_map(|point| point.set.keys()) {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
    }

    /// Returns the places of the settings, the cheapest first.
    pub fn by_cost(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.points.len()).collect();
        places.sort_by(|one, two| self.points[*one].cost.0.total_cmp(&self.points[*two].cost.0));
        places
    }

    /// Returns the cells of the table: the settings, the cheapest first, and what they are compared with.
    pub fn to_cells(&self) -> Cells {
        let paths = self.paths();
        let with_fails = self.points.iter().any(|point| !point.fails.is_empty());
        let mut head = vec!["", "policy"];
        head.extend(paths.iter().map(|path| path.as_str()));
        head.extend(["cost", "wait p95", "late", "redone", "orders"]);
        head.extend(with_fails.then_some("fails"));
        let mut rows = Vec::new();
        for point in self.by_cost().into_iter().map(|place| &self.points[place]) {
            let mut row = vec![mark(point.on_front), point.policy.clone()];
            let values = paths
                .iter()
                .map(|path| point.set.get(*path).cloned().unwrap_or_default());
            row.extend(values);
            row.extend(figures(point.cost, point.wait_p95, point.late, &point.runs));
            row.extend(with_fails.then(|| point.fails.join("; ")));
            rows.push(row);
        }
        for run in &self.others {
            let mut row = vec![String::new(), run.policy.clone()];
            row.extend(paths.iter().map(|_| String::new()));
            let runs = std::slice::from_ref(run);
            row.extend(figures(run.cost.total, run.wait.p95, run.misses.share, runs));
            rows.push(row);
        }
        Cells {
            head: head.into_iter().map(str::to_owned).collect(),
            rows,
            notes: vec![
                "* no other setting is as good in cost and wait and better in one of them".to_owned(),
            ],
        }
    }

    /// Returns a table of the settings, the cheapest first, and what it says; no colour, each line ended.
    pub fn to_table(&self) -> String {
        let n_paths = self.paths().len();
        let cells = self.to_cells();
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(cells.head);
        for row in cells.rows {
            table.add_row(row);
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if (2..n_paths + 7).contains(&index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt() + "\n" + &cells.notes.join("\n") + "\n"
    }
}

fn mark(on_front: bool) -> String {
    if on_front { "*".to_owned() } else { String::new() }
}

fn figures(cost: Usd, wait_p95: f64, late: f64, runs: &[Run]) -> [String; 5] {
    let each = |count: fn(&Run) -> u64| {
        let sum: u64 = runs.iter().map(count).sum();
        format!("{:.0}", sum as f64 / runs.len().max(1) as f64)
    };
    [
        cost.to_string(),
        brief(wait_p95),
        format!("{:.1} %", 100.0 * late),
        each(|run| (run.tasks.evicted + run.tasks.requeued).into()),
        each(|run| run.orders),
    ]
}

impl SweepPoint {
    pub(super) fn new(policy: &str, setting: &Setting, runs: Vec<Run>, conditions: &[Condition]) -> Self {
        let mean = |figure: fn(&Run) -> f64| runs.iter().map(figure).sum::<f64>() / runs.len().max(1) as f64;
        let fails = conditions
            .iter()
            .filter_map(|condition| runs.iter().find_map(|run| condition.holds_for(run)));
        Self {
            policy: policy.to_owned(),
            set: setting.0.iter().cloned().collect(),
            cost: Usd(mean(|run| run.cost.total.0)),
            wait_p95: mean(|run| run.wait.p95),
            late: mean(|run| run.misses.share),
            on_front: false,
            fails: fails.collect(),
            runs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_is_what_nothing_beats() {
        let points = [
            (1.0, 9.0),
            (2.0, 5.0),
            (2.0, 6.0),
            (3.0, 5.0),
            (4.0, 1.0),
            (4.0, 1.0),
        ];
        assert_eq!(front(&points), [true, true, false, false, true, true]);
        assert_eq!(front(&[]), [] as [bool; 0]);
    }
}
