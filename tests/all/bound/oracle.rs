//! What the bound is compared with: the program of its definition, solved by simplex, and every plan of a small case.

use microlp::{ComparisonOp, OptimizationDirection};

use super::Case;

/// The definition: start times, slot averages of node counts, and counts that rise by boots.
pub(super) fn written_out(case: &Case, step: i64) -> f64 {
    let (step, boot) = (step as f64, case.boot as f64);
    let limit = |run: i64| case.delay(run);
    let end = case
        .tasks
        .iter()
        .map(|(submit, run, _)| (submit + 2 * run) as f64 + limit(*run));
    let n_steps = (end.fold(0.0, f64::max) / step).ceil() as usize + 1;
    let mut program = microlp::Problem::new(OptimizationDirection::Minimize);
    let prices = [1.0, case.spot];
    let mut nodes = Vec::new();
    let mut boots = Vec::new();
    for price in prices {
        let add = |program: &mut microlp::Problem, cost: f64| -> Vec<_> {
            (0..n_steps)
                .map(|_| program.add_var(cost, (0.0, f64::INFINITY)))
                .collect()
        };
        nodes.push(add(&mut program, price * step));
        boots.push(add(&mut program, price * boot));
    }
    let mut occupied = vec![vec![Vec::new(); n_steps]; 2];
    for (submit, run, slots) in &case.tasks {
        let (earliest, run) = (*submit as f64, *run as f64);
        let latest = earliest + limit(run as i64);
        let mut starts = [vec![(earliest, latest)], Vec::new()];
        for (from, until) in case.units.iter().flatten() {
            let from = (*from as f64 + boot).max(earliest);
            let until = (*until as f64 - run).min(latest);
            if from <= until {
                starts[1].push((from, until));
            }
        }
        let mut once = Vec::new();
        for (lane, spans) in starts.iter().enumerate() {
            for (from, until) in spans {
                let mut times = vec![*from, *until];
                for knot in 0..=n_steps {
                    let knot = knot as f64 * step;
                    times.extend([knot, knot - run]);
                }
                for start in times.into_iter().filter(|time| (*from..=*until).contains(time)) {
                    let column = program.add_var(0.0, (0.0, f64::INFINITY));
                    once.push((column, 1.0));
                    for (slot, occupied) in occupied[lane].iter_mut().enumerate() {
                        let (begin, end) = (slot as f64 * step, (slot + 1) as f64 * step);
                        let overlap = (start + run).min(end) - start.max(begin);
                        if overlap > 0.0 {
                            let share = f64::from(*slots) / f64::from(case.slots);
                            occupied.push((column, overlap / step * share));
                        }
                    }
                }
            }
        }
        program.add_constraint(&once, ComparisonOp::Eq, 1.0);
    }
    for lane in 0..2 {
        for slot in 0..n_steps {
            let mut row = vec![(nodes[lane][slot], 1.0)];
            row.extend(
                occupied[lane][slot]
                    .iter()
                    .map(|(column, share)| (*column, -share)),
            );
            program.add_constraint(&row, ComparisonOp::Ge, 0.0);
            let mut row = vec![(boots[lane][slot], 1.0), (nodes[lane][slot], -1.0)];
            if slot > 0 {
                row.push((nodes[lane][slot - 1], 1.0));
            }
            program.add_constraint(&row, ComparisonOp::Ge, 0.0);
        }
    }
    program.solve().unwrap().into_solution().unwrap().objective()
}

/// The cheapest of all plans whose tasks start at whole minutes: each task has a start, a lane and a node.
pub(super) fn cheapest_plan(case: &Case) -> f64 {
    /// Start, end, slots.
    type Run = (i64, i64, u32);
    struct Search<'a> {
        case: &'a Case,
        /// Lane, and the runs on it.
        nodes: Vec<(usize, Vec<Run>)>,
        best: f64,
    }
    fn cost(case: &Case, lane: usize, runs: &[Run]) -> Option<f64> {
        let mut runs = runs.to_vec();
        runs.sort_unstable();
        for (start, ..) in &runs {
            let busy = runs
                .iter()
                .filter(|(from, until, _)| from <= start && start < until);
            if busy.map(|(.., slots)| slots).sum::<u32>() > case.slots {
                return None;
            }
        }
        let (mut paid, mut end) = (case.boot, runs[0].0);
        for (from, until, _) in &runs {
            // A node waits, or goes and another boots in time.
            paid += (from - end).clamp(0, case.boot) + (until - from.max(&end)).max(0);
            end = end.max(*until);
        }
        let holds = |(from, until): &&(i64, i64)| from + case.boot <= runs[0].0 && end <= *until;
        match lane {
            0 => Some(paid as f64),
            _ if case.units.iter().flatten().any(|run| holds(&run)) => Some(paid as f64 * case.spot),
            _ => None,
        }
    }
    impl Search<'_> {
        fn place(&mut self, task: usize) {
            let costs = self.nodes.iter().map(|(lane, runs)| cost(self.case, *lane, runs));
            let Some(sum) = costs.sum::<Option<f64>>().filter(|sum| *sum < self.best) else {
                return;
            };
            let Some((submit, run, slots)) = self.case.tasks.get(task).copied() else {
                self.best = sum;
                return;
            };
            let slack = self.case.slack(task);
            for start in (submit..=submit + slack).step_by(60) {
                for node in 0..self.nodes.len() {
                    self.nodes[node].1.push((start, start + run, slots));
                    self.place(task + 1);
                    self.nodes[node].1.pop();
                }
                for lane in 0..2 {
                    self.nodes.push((lane, vec![(start, start + run, slots)]));
                    self.place(task + 1);
                    self.nodes.pop();
                }
            }
        }
    }
    let mut search = Search {
        case,
        nodes: Vec::new(),
        best: f64::INFINITY,
    };
    search.place(0);
    search.best
}
