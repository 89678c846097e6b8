//! The linear program over a grid of times, and the exact value of any of its dual points.

use super::instance::{DEDICATED, Instance, Job, SPOT, Window};
use super::skyline::Skyline;

/// The program in the form that its dual is stated in: the greatest `weights · λ + right · y` with, for each column,
/// `λ[job] + entries · y ≤ cost`.
///
/// The unknowns `y` are the worth of a ready node at each knot of the grid, dedicated and spot in turn, and after them,
/// where tasks may be late, the price of a late task and of late work.
#[derive(Debug)]
pub(super) struct Program {
    /// First those of jobs, job by job, then the free ones.
    pub(super) columns: Vec<Column>,
    /// Where each job's columns begin, and, last, where the free ones do.
    pub(super) begins: Vec<usize>,
    /// The jobs' weights.
    pub(super) weights: Vec<f64>,
    /// What each unknown is worth in the objective.
    pub(super) right: Vec<f64>,
    /// How many unknowns belong to the grid; the rest are the prices of being late.
    pub(super) n_grid: usize,
    step: f64,
    /// What a boot costs on each lane.
    boot_cost: [f64; 2],
    /// What a step of waiting costs on each lane.
    idle_cost: [f64; 2],
}

/// One way to run a job, or what a node can do without one: boot, idle, go.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Column {
    pub(super) cost: f64,
    /// The unknowns, each once; the rest have no entry.
    pub(super) rows: [u32; 4],
    pub(super) entries: [f64; 4],
}

/// A thousandth of a second of a node.
const BOOT_COST_MIN: f64 = 1e-3;

impl Column {
    fn push(&mut self, row: usize, entry: f64) {
        if entry == 0.0 {
            return;
        }
        let row = row as u32;
        let places = self.rows.iter().zip(&self.entries);
        let place = places
            .into_iter()
            .position(|(other, entry)| *entry == 0.0 || *other == row)
            .expect("a column has at most four entries");
        self.rows[place] = row;
        self.entries[place] += entry;
    }

    fn with(cost: f64, entries: &[(usize, f64)]) -> Self {
        let mut column = Self {
            cost,
            ..Self::default()
        };
        for (row, entry) in entries {
            column.push(*row, *entry);
        }
        column
    }

    /// Returns the entries and their rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let all = self.rows.iter().zip(&self.entries);
        all.filter(|(_, entry)| **entry != 0.0)
            .map(|(row, entry)| (*row as usize, *entry))
    }

    /// Returns the inner product with the unknowns.
    pub(super) fn times(&self, unknowns: &[f64]) -> f64 {
        (0..4)
            .map(|place| self.entries[place] * unknowns[self.rows[place] as usize])
            .sum()
    }
}

impl Program {
    /// Returns the program of an instance over a grid with knots every `step` seconds.
    pub(super) fn new(instance: &Instance, step: f64) -> Self {
        let n_knots = knots(instance, step);
        let n_grid = 2 * n_knots;
        let mut program = Self {
            columns: Vec::new(),
            begins: Vec::with_capacity(instance.jobs.len() + 1),
            weights: instance.jobs.iter().map(|job| job.weight).collect(),
            right: vec![0.0; n_grid],
            n_grid,
            step,
            boot_cost: instance.prices.map(|price| price * instance.boot),
            idle_cost: instance.prices.map(|price| price * step),
        };
        for lane in 0..2 {
            program.right[lane] = -instance.initial[lane];
        }
        if let Some(late) = instance.late {
            program.right.extend([-late.tasks, -late.work]);
        }
        let mut columns = Vec::new();
        let mut room = Room::default();
        for job in &instance.jobs {
            program.begins.push(columns.len());
            program.ways(instance, job, &mut room, &mut columns);
        }
        program.begins.push(columns.len());
        program.columns = columns;
        program.add_free();
        program
    }

    /// Adds all ways to run a job.
    fn ways(&self, instance: &Instance, job: &Job, room: &mut Room, into: &mut Vec<Column>) {
        for lane in 0..2 {
            instance.starts(job, lane, &mut room.spans);
            break_points(&room.spans, job.run, self.step, &mut room.times);
            let run = |start: &f64| self.run(instance.prices[lane], job, lane, *start);
            into.extend(room.times.iter().map(run));
        }
        if instance.late.is_some() {
            into.push(late_column(instance, job, self.n_grid));
        }
    }

    /// A node is worth what its start and its end say: nothing is gained by being at it, only by getting and giving it.
    fn run(&self, price: f64, job: &Job, lane: usize, start: f64) -> Column {
        let mut column = Column {
            cost: price * job.run,
            ..Column::default()
        };
        for (time, sign) in [(start, -1.0), (start + job.run, 1.0)] {
            let (knot, share) = self.place(time);
            column.push(2 * knot + lane, sign * (1.0 - share));
            column.push(2 * (knot + 1) + lane, sign * share);
        }
        column
    }

    /// Returns the knot at or before a time, and how far the time lies towards the next.
    fn place(&self, time: f64) -> (usize, f64) {
        let steps = time / self.step;
        let last = self.n_grid / 2 - 1;
        let knot = (steps.floor().max(0.0) as usize).min(last);
        let share = if knot == last { 0.0 } else { steps - knot as f64 };
        // Within a billionth of a step a time is on the knot.
        if share < 1e-9 {
            (knot, 0.0)
        } else if share > 1.0 - 1e-9 {
            (knot + 1, 0.0)
        } else {
            (knot, share)
        }
    }

    fn add_free(&mut self) {
        for row in 0..self.n_grid {
            let lane = row % 2;
            // A boot that costs nothing would leave no room between the bounds; the least keeps it open, and the value
            // is taken at a point that obeys the true one.
            let boot = self.boot_cost[lane].max(BOOT_COST_MIN);
            self.columns.push(Column::with(boot, &[(row, 1.0)]));
            self.columns.push(Column::with(0.0, &[(row, -1.0)]));
            // Where a step of waiting costs more than a boot, no worth can rise faster than that anyway.
            if row >= 2 && self.idle_cost[lane] < self.boot_cost[lane] {
                let idle = Column::with(self.idle_cost[lane], &[(row, 1.0), (row - 2, -1.0)]);
                self.columns.push(idle);
            }
        }
        for row in self.n_grid..self.right.len() {
            self.columns.push(Column::with(0.0, &[(row, -1.0)]));
        }
    }

    /// Returns the columns of a job.
    pub(super) fn of(&self, job: usize) -> std::ops::Range<usize> {
        self.begins[job]..self.begins[job + 1]
    }

    /// Returns for each unknown of the grid the first that it meets in a job or a free column.
    pub(super) fn envelope(&self) -> Vec<usize> {
        let mut first: Vec<usize> = (0..self.n_grid).collect();
        let mut widen = |columns: &[Column]| {
            let rows = || columns.iter().flat_map(Column::iter).map(|(row, _)| row);
            let rows = || rows().filter(|row| *row < self.n_grid);
            if let Some(low) = rows().min() {
                for row in rows() {
                    first[row] = first[row].min(low);
                }
            }
        };
        for job in 0..self.weights.len() {
            widen(&self.columns[self.of(job)]);
        }
        for column in &self.columns[self.begins[self.weights.len()]..] {
            widen(std::slice::from_ref(column));
        }
        first
    }

    /// Moves a point to where every free column holds, whatever rounding did to it.
    pub(super) fn make_feasible(&self, unknowns: &mut [f64]) {
        for row in 0..self.n_grid {
            let lane = row % 2;
            let waited = if row >= 2 {
                unknowns[row - 2] + self.idle_cost[lane]
            } else {
                f64::INFINITY
            };
            unknowns[row] = unknowns[row].clamp(0.0, self.boot_cost[lane]).min(waited);
        }
        for price in &mut unknowns[self.n_grid..] {
            *price = price.max(0.0);
        }
    }

    /// Returns the value that a feasible point of this program has for another instance with the same windows, prices and
    /// horizon: a bound on that one, too.
    pub(super) fn value_for(&self, instance: &Instance, unknowns: &[f64]) -> f64 {
        let mut room = Room::default();
        let mut ways = Vec::new();
        let mut sum = 0.0;
        for job in &instance.jobs {
            ways.clear();
            self.ways(instance, job, &mut room, &mut ways);
            sum += job.weight * cheapest(&ways, unknowns);
        }
        sum + self.rest(unknowns)
    }

    /// Returns the value of a feasible point with the best `λ` to it: a bound, whatever the point.
    pub(super) fn value(&self, unknowns: &[f64]) -> f64 {
        let jobs: f64 = (0..self.weights.len())
            .map(|job| self.weights[job] * cheapest(&self.columns[self.of(job)], unknowns))
            .sum();
        jobs + self.rest(unknowns)
    }

    fn rest(&self, unknowns: &[f64]) -> f64 {
        self.right.iter().zip(unknowns).map(|(a, b)| a * b).sum()
    }
}

/// Returns what the cheapest way to run a job costs when nodes are worth what a point says.
fn cheapest(ways: &[Column], unknowns: &[f64]) -> f64 {
    let costs = ways.iter().map(|way| way.cost - way.times(unknowns));
    costs.fold(f64::INFINITY, f64::min)
}

/// Room for what is known of one job at a time.
#[derive(Debug, Default)]
struct Room {
    spans: Vec<Window>,
    times: Vec<f64>,
}

/// Returns how many knots a grid has.
pub(super) fn knots(instance: &Instance, step: f64) -> usize {
    (instance.horizon() / step).ceil() as usize + 1
}

/// Returns about how many multiplications it takes to factor the normal equations once.
pub(super) fn work(instance: &Instance, step: f64) -> f64 {
    let n_knots = knots(instance, step);
    let mut first: Vec<usize> = (0..n_knots).collect();
    for job in &instance.jobs {
        let low = (job.earliest / step) as usize;
        let high = (((job.latest + job.run) / step) as usize + 1).min(n_knots - 1);
        if first[high] > low {
            first[high] = low;
        }
    }
    // A row between the two ends of a job meets its first knot, too.
    for knot in (0..n_knots.saturating_sub(1)).rev() {
        first[knot] = first[knot].min(first[knot + 1]).min(knot);
    }
    // Two lanes side by side make rows twice as long and twice as many.
    8.0 * Skyline::work(&first)
}

/// Returns about how many columns the jobs have.
pub(super) fn n_columns(instance: &Instance, step: f64) -> f64 {
    let of = |job: &Job| 4.0 * ((job.latest - job.earliest) / step + 1.0);
    instance.jobs.iter().map(of).sum()
}

/// Returns the moments to which the starts of a run can be held: its cost is linear between them.
fn break_points(spans: &[Window], run: f64, step: f64, into: &mut Vec<f64>) {
    into.clear();
    for span in spans {
        into.push(span.from);
        into.push(span.until);
        for shift in [0.0, run] {
            let mut knot = ((span.from + shift) / step).floor() + 1.0;
            while knot * step - shift < span.until {
                into.push(knot * step - shift);
                knot += 1.0;
            }
        }
    }
    into.sort_by(f64::total_cmp);
    into.dedup_by(|a, b| *a - *b < 1e-9 * step);
}

/// A late job runs somewhere at some time: at the least it costs what it runs beyond a gap that a node would idle through
/// anyway, and no node idles longer than it boots.
fn late_column(instance: &Instance, job: &Job, n_grid: usize) -> Column {
    let cost = at_some_time(instance, job);
    Column::with(cost, &[(n_grid, -job.tasks / job.weight), (n_grid + 1, -job.run)])
}

/// Returns what a job costs at the least, for a whole node, that runs at some time, whichever that is.
fn at_some_time(instance: &Instance, job: &Job) -> f64 {
    let price = if instance.fits_spot(job.run) {
        instance.prices[SPOT].min(instance.prices[DEDICATED])
    } else {
        instance.prices[DEDICATED]
    };
    price * (job.run - instance.boot).max(0.0)
}

/// Returns what the jobs cost at the least that run no matter when.
pub(super) fn whenever(instance: &Instance) -> f64 {
    let jobs = instance.whenever.iter();
    jobs.map(|job| job.weight * at_some_time(instance, job)).sum()
}
