//! Solves the program by a primal-dual interior point method (Mehrotra's predictor and corrector).
//!
//! Its one dear step, the normal equations, is cheap here: a job meets only the knots of its own hours, so that with the jobs
//! eliminated first what is left is a matrix within an envelope, and two dense rows where tasks may be late. Whatever the
//! method does, what is published is the exact value of a feasible dual point, which is a bound wherever it stops.

use super::program::Program;
use super::skyline::Skyline;

/// What the method found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Solution {
    /// The value of the best dual point: the bound.
    pub(super) value: f64,
    /// The point.
    pub(super) point: Vec<f64>,
    /// By what share of itself the program's optimum can lie above the value; infinite when the method broke off early.
    pub(super) gap: f64,
    /// How many steps it took.
    pub(super) iterations: u32,
}

/// When the method stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stop {
    /// At this relative gap.
    pub(super) gap: f64,
    /// After so many steps.
    pub(super) iterations: u32,
}

struct Interior<'a> {
    program: &'a Program,
    /// The columns' activities and slacks.
    x: Vec<f64>,
    s: Vec<f64>,
    /// The directions in which they go.
    dx: Vec<f64>,
    ds: Vec<f64>,
    lambda: Vec<f64>,
    y: Vec<f64>,
    matrix: Skyline,
    /// The dense rows of the prices of being late; after `factor`, the matrix's inverse times them, too.
    border: [Vec<f64>; 2],
    solved: [Vec<f64>; 2],
    corner: [[f64; 2]; 2],
    /// The sum of `x / s` over each job's columns.
    sums: Vec<f64>,
    local: Vec<f64>,
}

/// Solves a program.
pub(super) fn solve(program: &Program, stop: Stop) -> Solution {
    let mut method = Interior::start(program);
    let mut best = Solution {
        value: 0.0,
        point: vec![0.0; program.right.len()],
        gap: f64::INFINITY,
        iterations: 0,
    };
    for iteration in 0..=stop.iterations {
        let mut point = method.y.clone();
        program.make_feasible(&mut point);
        let value = program.value(&point);
        if value > best.value {
            (best.value, best.point) = (value, point);
        }
        best.gap = match (method.primal() - best.value) / best.value {
            gap if gap.is_finite() => gap.max(0.0),
            _ => f64::INFINITY,
        };
        best.iterations = iteration;
        if best.gap <= stop.gap || iteration == stop.iterations || !method.step() {
            break;
        }
    }
    best
}

impl<'a> Interior<'a> {
    /// A point within: each worth half a boot, each job spread evenly over its columns.
    fn start(program: &'a Program) -> Self {
        let n = program.columns.len();
        let n_jobs = program.weights.len();
        let mut method = Self {
            program,
            x: vec![0.0; n],
            s: vec![0.0; n],
            dx: vec![0.0; n],
            ds: vec![0.0; n],
            lambda: vec![0.0; n_jobs],
            y: vec![0.0; program.right.len()],
            matrix: Skyline::new(program.envelope()),
            border: [vec![0.0; program.n_grid], vec![0.0; program.n_grid]],
            solved: [vec![0.0; program.n_grid], vec![0.0; program.n_grid]],
            corner: [[0.0; 2]; 2],
            sums: vec![0.0; n_jobs],
            local: vec![0.0; program.right.len()],
        };
        method.start_dual();
        method.start_primal();
        method
    }

    fn n_late(&self) -> usize {
        self.program.right.len() - self.program.n_grid
    }

    fn start_dual(&mut self) {
        let program = self.program;
        let boots = &program.columns[program.begins[program.weights.len()]..];
        for column in boots {
            // A boot's column is the only one with a single positive entry.
            if let Some((row, _)) = column.iter().next().filter(|(_, entry)| *entry > 0.0)
                && column.iter().count() == 1
            {
                self.y[row] = column.cost / 2.0;
            }
        }
        let mean_cost = program.columns[..program.begins[program.weights.len()]]
            .iter()
            .map(|column| column.cost)
            .sum::<f64>()
            / program.begins[program.weights.len()].max(1) as f64;
        if self.n_late() == 2 {
            self.y[program.n_grid] = mean_cost / 10.0;
            self.y[program.n_grid + 1] = 0.01;
        }
        for job in 0..program.weights.len() {
            let costs = program.columns[program.of(job)]
                .iter()
                .map(|column| column.cost - column.times(&self.y));
            let least = costs.fold(f64::INFINITY, f64::min);
            self.lambda[job] = least - 0.5 * (least.abs() + 0.1 * mean_cost) - 1e-9;
        }
        self.slacks();
    }

    fn start_primal(&mut self) {
        let program = self.program;
        let n_late = self.n_late();
        let late_share = self.late_share();
        for job in 0..program.weights.len() {
            let columns = program.of(job);
            let n_runs = columns.len() - usize::from(n_late > 0);
            let weight = program.weights[job];
            let on_time = if n_late > 0 { 1.0 - late_share } else { 1.0 };
            for column in columns.clone().take(n_runs) {
                self.x[column] = weight * on_time / n_runs as f64;
            }
            if n_late > 0 {
                self.x[columns.end - 1] = weight * late_share;
            }
        }
        let free = program.begins[program.weights.len()]..program.columns.len();
        let mean = program.weights.iter().sum::<f64>() / program.n_grid as f64;
        for column in free.clone() {
            self.x[column] = mean + 1e-6;
        }
        let missing = self.missing();
        for column in free {
            let mut entries = program.columns[column].iter();
            if let (Some((row, entry)), None) = (entries.next(), entries.next()) {
                let wanted = missing[row] * entry;
                if row >= program.n_grid {
                    // What is missing there was late by less than it may be: the slack takes it.
                    self.x[column] = (self.x[column] + wanted).max(1e-9);
                } else {
                    self.x[column] += wanted.max(0.0);
                }
            }
        }
    }

    /// Returns a share of every job that can be late at once with room to spare.
    fn late_share(&self) -> f64 {
        let program = self.program;
        let mut used = [0.0; 2];
        if self.n_late() == 0 {
            return 0.0;
        }
        for job in 0..program.weights.len() {
            let column = &program.columns[program.begins[job + 1] - 1];
            for (row, entry) in column.iter() {
                used[row - program.n_grid] -= entry * program.weights[job];
            }
        }
        (0..2)
            .map(|late| -program.right[program.n_grid + late] / used[late])
            .fold(1.0, f64::min)
            * 0.5
    }

    fn slacks(&mut self) {
        let program = self.program;
        for job in 0..program.weights.len() {
            for column in program.of(job) {
                let of = &program.columns[column];
                self.s[column] = of.cost - self.lambda[job] - of.times(&self.y);
            }
        }
        for column in program.begins[program.weights.len()]..program.columns.len() {
            let of = &program.columns[column];
            self.s[column] = of.cost - of.times(&self.y);
        }
        for slack in &mut self.s {
            *slack = slack.max(1e-14);
        }
    }

    /// Returns what the rows of the unknowns lack.
    fn missing(&self) -> Vec<f64> {
        let mut missing = self.program.right.clone();
        for (column, x) in self.program.columns.iter().zip(&self.x) {
            for (row, entry) in column.iter() {
                missing[row] -= entry * x;
            }
        }
        missing
    }

    fn primal(&self) -> f64 {
        let costs = self.program.columns.iter().zip(&self.x);
        costs.map(|(column, x)| column.cost * x).sum()
    }

    /// Goes one step; false when it no longer can.
    fn step(&mut self) -> bool {
        self.assemble();
        self.matrix.factor();
        self.factor_border();
        let n = self.x.len() as f64;
        let mu = dot(&self.x, &self.s) / n;
        let predict: Vec<f64> = self.x.iter().zip(&self.s).map(|(x, s)| -x * s).collect();
        self.direction(&predict);
        let (primal, dual) = (reach(&self.x, &self.dx), reach(&self.s, &self.ds));
        let ahead: f64 = (0..self.x.len())
            .map(|j| (self.x[j] + primal * self.dx[j]) * (self.s[j] + dual * self.ds[j]))
            .sum();
        let centre = (ahead / n / mu).powi(3).clamp(0.0, 1.0) * mu;
        let correct: Vec<f64> = (0..self.x.len())
            .map(|j| centre - self.x[j] * self.s[j] - self.dx[j] * self.ds[j])
            .collect();
        let (d_lambda, dy) = self.direction(&correct);
        let keep = 0.995;
        let primal = (keep * reach(&self.x, &self.dx)).min(1.0);
        let dual = (keep * reach(&self.s, &self.ds)).min(1.0);
        if !(primal.is_finite() && dual.is_finite()) || primal.max(dual) < 1e-8 {
            return false;
        }
        add(&mut self.x, &self.dx, primal);
        add(&mut self.lambda, &d_lambda, dual);
        add(&mut self.y, &dy, dual);
        self.slacks();
        self.y.iter().all(|value| value.is_finite())
    }

    /// Builds the normal equations with the jobs' unknowns eliminated.
    fn assemble(&mut self) {
        let program = self.program;
        let n_grid = program.n_grid;
        self.matrix.clear();
        for border in &mut self.border {
            border.fill(0.0);
        }
        self.corner = [[0.0; 2]; 2];
        let mut late = [0.0; 2];
        for job in 0..program.weights.len() {
            let (mut low, mut high, mut sum) = (usize::MAX, 0, 0.0);
            for column in program.of(job) {
                let d = self.x[column] / self.s[column];
                sum += d;
                for (row, entry) in program.columns[column].iter() {
                    self.local[row] += d * entry;
                    if row < n_grid {
                        low = low.min(row);
                        high = high.max(row);
                    }
                }
                self.add_square(column, d);
            }
            self.sums[job] = sum;
            for (late, local) in late.iter_mut().zip(&mut self.local[n_grid..]) {
                *late = std::mem::take(local);
            }
            for (a, row) in self.corner.iter_mut().enumerate() {
                for (b, corner) in row.iter_mut().enumerate() {
                    *corner -= late[a] * late[b] / sum;
                }
            }
            if low <= high {
                let local = &mut self.local[low..=high];
                self.matrix.subtract_outer(low, local, 1.0 / sum);
                for (border, late) in self.border.iter_mut().zip(late).filter(|(_, late)| *late != 0.0) {
                    add(&mut border[low..=high], local, -late / sum);
                }
                local.fill(0.0);
            }
        }
        for column in program.begins[program.weights.len()]..program.columns.len() {
            self.add_square(column, self.x[column] / self.s[column]);
        }
    }

    fn add_square(&mut self, column: usize, d: f64) {
        let n_grid = self.program.n_grid;
        let column = &self.program.columns[column];
        for (row, entry) in column.iter() {
            for (other, factor) in column.iter().filter(|(other, _)| *other <= row) {
                if row < n_grid {
                    self.matrix.add(row, other, d * entry * factor);
                } else if other < n_grid {
                    self.border[row - n_grid][other] += d * entry * factor;
                } else {
                    self.corner[row - n_grid][other - n_grid] += d * entry * factor;
                    if row != other {
                        self.corner[other - n_grid][row - n_grid] += d * entry * factor;
                    }
                }
            }
        }
    }

    fn factor_border(&mut self) {
        let n_late = self.n_late();
        for late in 0..n_late {
            self.solved[late].copy_from_slice(&self.border[late]);
            self.matrix.solve(&mut self.solved[late]);
        }
        for a in 0..n_late {
            for b in 0..n_late {
                self.corner[a][b] -= dot(&self.border[a], &self.solved[b]);
            }
        }
    }

    /// Sets `dx` and `ds` to where complementarity is `wanted` and every row is met; returns the way of the unknowns.
    fn direction(&mut self, wanted: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let program = self.program;
        let free = program.begins[program.weights.len()]..program.columns.len();
        let mut dy = program.right.clone();
        let mut d_lambda = program.weights.clone();
        let amount = |column: usize| self.x[column] + wanted[column] / self.s[column];
        let weight = |column: usize| self.x[column] / self.s[column];
        let mut meet = |column: usize, amount: f64| {
            for (row, entry) in program.columns[column].iter() {
                dy[row] -= entry * amount;
            }
        };
        for (job, missing) in d_lambda.iter_mut().enumerate() {
            *missing -= program.of(job).map(amount).sum::<f64>();
            let share = *missing / self.sums[job];
            for column in program.of(job) {
                meet(column, amount(column) + weight(column) * share);
            }
        }
        for column in free.clone() {
            meet(column, amount(column));
        }
        self.solve_unknowns(&mut dy);
        let through = |column: usize| program.columns[column].times(&dy);
        for (job, missing) in d_lambda.iter_mut().enumerate() {
            let moved = program.of(job).map(|column| weight(column) * through(column));
            *missing = (*missing - moved.sum::<f64>()) / self.sums[job];
        }
        for (job, moved) in d_lambda.iter().enumerate() {
            for column in program.of(job) {
                self.ds[column] = -moved - through(column);
            }
        }
        for column in free {
            self.ds[column] = -through(column);
        }
        let columns = self.x.iter().zip(&self.s).zip(&self.ds).zip(wanted);
        for (dx, (((x, s), ds), wanted)) in self.dx.iter_mut().zip(columns) {
            *dx = (wanted - x * ds) / s;
        }
        (d_lambda, dy)
    }

    fn solve_unknowns(&self, right: &mut [f64]) {
        let (grid, late) = right.split_at_mut(self.program.n_grid);
        self.matrix.solve(grid);
        if let [first, second] = late {
            let a = *first - dot(&self.border[0], grid);
            let b = *second - dot(&self.border[1], grid);
            let [[aa, ab], [ba, bb]] = self.corner;
            let determinant = aa * bb - ab * ba;
            (*first, *second) = ((a * bb - ab * b) / determinant, (aa * b - ba * a) / determinant);
            add(grid, &self.solved[0], -*first);
            add(grid, &self.solved[1], -*second);
        }
    }
}

/// Returns how far one can go along a direction before an entry is zero; infinite when none falls.
fn reach(from: &[f64], direction: &[f64]) -> f64 {
    let falls = from.iter().zip(direction).filter(|(_, step)| **step < 0.0);
    falls
        .map(|(from, step)| -from / step)
        .fold(f64::INFINITY, f64::min)
        .min(1e10)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], what: &[f64], times: f64) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += times * what;
    }
}
