//! The bound with hindsight: by hand, against the program of its definition written out, against every plan of small cases, and
//! against what the simulator bills.

mod oracle;

use std::sync::Arc;

use lowtide::base::{Mix, Span, Timestamp, UsdHourly};
use lowtide::policy::Prices;
use lowtide::sim::bound::{Problem, Tolerance};
use lowtide::sim::cluster::{Boot, Setup};
use lowtide::sim::workload::{Due, Task, Workload};
use lowtide::sim::{Contender, DelayLimit, Options, SpotMarket, Supply, UpRun, backtest};
use proptest::prelude::*;

use oracle::{cheapest_plan, written_out};

/// A case in seconds; prices are 1 and `spot` dollars an hour.
#[derive(Clone, Debug)]
struct Case {
    /// Submission, run, slots.
    tasks: Vec<(i64, i64, u32)>,
    slots: u32,
    boot: i64,
    /// Up-runs of each unit.
    units: Vec<Vec<(i64, i64)>>,
    spot: f64,
    /// The least delay and the share of the run.
    limit: (i64, f64),
    initial: (u32, u32),
    checkpoint: Option<i64>,
    /// How long after its submission each task may begin and be in time for its deadline; without any there are no deadlines.
    slacks: Vec<Option<i64>>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            tasks: vec![(0, 3600, 1)],
            slots: 1,
            boot: 240,
            units: Vec::new(),
            spot: 0.2,
            limit: (900, 0.0),
            initial: (0, 0),
            checkpoint: None,
            slacks: Vec::new(),
        }
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(second)
}

impl Case {
    fn workload(&self) -> Workload {
        let task = |(index, (submit, run, slots)): (usize, &(i64, i64, u32))| Task {
            submit: at(*submit),
            run: Span::seconds(*run),
            slots: *slots,
            job: None,
            due: self
                .slacks
                .get(index)
                .and_then(|slack| slack.map(|slack| Due::after(Span::seconds(slack + run)))),
        };
        Workload::new("case", at(0), self.tasks.iter().enumerate().map(task).collect())
    }

    /// Returns what a run may be delayed where there are no deadlines.
    fn delay(&self, run: i64) -> f64 {
        (self.limit.0 as f64).max(self.limit.1 * run as f64)
    }

    /// Returns how long after its submission a task may start; what has no deadline beside others that have one is put off for
    /// no longer than half an hour.
    fn slack(&self, task: usize) -> i64 {
        match self.slacks.get(task) {
            Some(Some(slack)) => *slack,
            Some(None) if self.slacks.iter().any(Option::is_some) => 1800,
            _ => self.delay(self.tasks[task].1) as i64,
        }
    }

    fn prices(&self) -> Prices {
        Prices {
            dedicated: UsdHourly(1.0),
            spot: UsdHourly(self.spot),
        }
    }

    fn options(&self) -> Options {
        let run = |(from, until): &(i64, i64)| UpRun {
            from: at(*from),
            until: at(*until),
        };
        let units = self.units.iter().map(|runs| runs.iter().map(run).collect());
        Options {
            setup: Setup {
                task_slots_per_node: self.slots,
                boot: Boot::Fixed(Span::seconds(self.boot)),
                initial: Mix::new(self.initial.0, self.initial.1),
                ..Setup::study()
            },
            spot: SpotMarket::Supply(Arc::new(Supply::new("units", units.collect()))),
            limit: DelayLimit {
                least: Span::seconds(self.limit.0),
                share: self.limit.1,
            },
            tail: Span::hours(20),
            ..Options::default()
        }
    }

    /// Puts the problem of the case to a question.
    fn ask<T>(&self, question: impl FnOnce(&Problem<'_>) -> T) -> T {
        let (workload, options) = (self.workload(), self.options());
        question(&Problem {
            checkpoint: self.checkpoint.map(Span::seconds),
            ..Problem::of(&workload, &options, self.prices(), 0)
        })
    }

    /// Returns the bound of the program alone, in seconds of a dedicated node.
    fn on(&self, step: i64) -> f64 {
        self.late_on(step, None)
    }

    fn late_on(&self, step: i64, tolerance: Option<Tolerance>) -> f64 {
        self.ask(|problem| problem.bound_on(Span::seconds(step), tolerance).cost.0 * 3600.0)
    }
}

/// What the solver may leave between its bound and the optimum.
const SLACK: f64 = 2e-4;

#[track_caller]
fn check(found: f64, expected: f64) {
    assert!(
        found <= expected * (1.0 + 1e-12) && found >= expected * (1.0 - SLACK),
        "{found} is not {expected}"
    );
}

#[test]
fn one_task_pays_its_run_and_a_boot() {
    check(Case::default().on(300), 3600.0 + 240.0);
    // A node of four slots is paid by a quarter, and by three quarters.
    let quarters = |slots| Case {
        tasks: vec![(0, 3600, slots)],
        slots: 4,
        ..Case::default()
    };
    check(quarters(1).on(300), 3840.0 / 4.0);
    check(quarters(3).on(300), 3840.0 * 0.75);
    // What fits on no node runs in no plan.
    assert_eq!(quarters(5).on(300), 0.0);
}

#[test]
fn two_tasks_share_a_node_that_waits_or_boots_again_whichever_is_cheaper() {
    let second_at = |submit| Case {
        tasks: vec![(0, 600, 1), (submit, 600, 1)],
        boot: 600,
        limit: (0, 0.0),
        ..Case::default()
    };
    check(second_at(600).on(300), 600.0 + 1200.0);
    check(second_at(900).on(300), 600.0 + 1500.0);
    check(second_at(1800).on(300), 1200.0 + 1200.0);
    check(second_at(300).on(300), 1200.0 + 1200.0);
}

#[test]
fn a_spot_run_needs_a_unit_that_is_up_from_a_boot_before_it_to_its_end() {
    let up = |from, until| Case {
        units: vec![vec![(from, until)]],
        ..Case::default()
    };
    // Ready at 240 s at the earliest: until 240 + 3600 it just fits.
    check(up(0, 3840).on(300), 0.2 * 3840.0);
    check(up(0, 3839).on(300), 3840.0);
    // It may start at 900 s at the latest.
    check(up(660, 9000).on(300), 0.2 * 3840.0);
    check(up(661, 9000).on(300), 3840.0);
    // Two units that take turns do not make one that lasts.
    let turns = Case {
        units: vec![vec![(0, 2500)], vec![(2000, 4500)]],
        ..Case::default()
    };
    check(turns.on(300), 3840.0);
}

#[test]
fn a_node_that_is_there_at_the_start_needs_no_boot() {
    let there = |dedicated| Case {
        tasks: vec![(0, 3600, 1), (0, 3600, 1)],
        initial: (dedicated, 0),
        ..Case::default()
    };
    check(there(1).on(300), 7200.0 + 240.0);
    check(there(2).on(300), 7200.0);
    check(there(9).on(300), 7200.0);
    let spot = Case {
        units: vec![vec![(-60, 3600)]],
        limit: (0, 0.0),
        initial: (0, 1),
        ..Case::default()
    };
    check(spot.on(300), 0.2 * 3600.0);
}

#[test]
fn boots_and_nodes_that_cost_nothing_are_no_trouble() {
    let no_boot = Case {
        boot: 0,
        ..Case::default()
    };
    check(no_boot.on(300), 3600.0);
    let free = Case {
        units: vec![vec![(0, 9000)]],
        spot: 0.0,
        ..Case::default()
    };
    assert!(free.on(300) < 1e-6);
    let nothing = Case {
        tasks: Vec::new(),
        ..Case::default()
    };
    assert_eq!(nothing.on(300), 0.0);
    assert_eq!(nothing.ask(|problem| problem.bound(None).cost.0), 0.0);
}

#[test]
fn a_task_that_is_due_may_wait_until_then_and_no_longer() {
    let due_after = |slack| Case {
        units: vec![vec![(2000, 12_000)]],
        slacks: vec![Some(slack)],
        ..Case::default()
    };
    // Spot is ready from 2240 s on: after the limit on waits.
    check(due_after(2240).on(300), 0.2 * 3840.0);
    check(due_after(2239).on(300), 3840.0);
    // With no slack it runs at once, however long others may wait.
    let patient = Case {
        limit: (90_000, 0.0),
        ..due_after(0)
    };
    check(patient.on(300), 3840.0);
    // The second has no deadline: it runs at some time, in a gap as long as a boot at the best.
    let beside = Case {
        tasks: vec![(0, 3600, 1), (0, 1200, 1)],
        slacks: vec![Some(0), None],
        ..due_after(0)
    };
    check(beside.on(300), 3840.0 + 0.2 * (1200.0 - 240.0));
    // No plan does a task in time that runs for longer than it has.
    let mut hopeless = beside.clone();
    hopeless.slacks[0] = Some(-1);
    check(hopeless.on(300), 0.2 * (1200.0 - 240.0));
}

/// Twenty tasks, hours apart.
fn twenty() -> Case {
    Case {
        tasks: (0..20).map(|number| (number * 20_000, 3600, 1)).collect(),
        ..Case::default()
    }
}

#[test]
fn what_may_be_late_still_runs_but_needs_no_node_of_its_own() {
    let tolerance = |tasks, work| Some(Tolerance { tasks, work });
    // One of twenty is late, and may fill a gap.
    check(
        twenty().late_on(300, tolerance(0.05, 1.0)),
        19.0 * 3840.0 + 3360.0,
    );
    check(
        twenty().late_on(300, tolerance(1.0, 0.1)),
        18.0 * 3840.0 + 2.0 * 3360.0,
    );
    check(twenty().late_on(300, tolerance(0.05, 0.0)), 20.0 * 3840.0);
    // Spot comes late for all but long enough.
    let late_spot = Case {
        units: vec![vec![(500_000, 600_000)]],
        ..twenty()
    };
    check(
        late_spot.late_on(300, tolerance(0.05, 0.1)),
        19.0 * 3840.0 + 0.2 * 3360.0,
    );
}

#[test]
fn checkpoints_let_a_task_go_on_where_another_unit_is_up() {
    let case = Case {
        units: vec![vec![(-1000, 1800), (2400, 4440)]],
        limit: (900, 0.0),
        ..Case::default()
    };
    check(case.on(300), 3840.0);
    let saves = |interval| Case {
        checkpoint: Some(interval),
        ..case.clone()
    };
    // 1800 s until the unit goes, 1800 s more from 2640 on: two boots on spot.
    let bound = saves(600).on(300);
    assert!((0.2 * 3600.0..=0.2 * 4080.0).contains(&bound), "{bound}");
    // With a checkpoint beyond its end it is as without.
    check(saves(5000).on(300), 3840.0);
    // Runs of eleven minutes leave seven to work: an interval of ten never gets through.
    let short = Case {
        units: vec![(0..20).map(|n| (n * 1000, n * 1000 + 660)).collect()],
        ..saves(600)
    };
    assert!(short.on(300) >= 3600.0, "{}", short.on(300));
    assert!(short.ask(|problem| problem.fluid().0) * 3600.0 < 2500.0);
}

prop_compose! {
    fn small()(
        tasks in prop::collection::vec((0_i64..40, 1_i64..30, 1_u32..3), 1..4),
        slots in 2_u32..4,
        boot in 0_i64..9,
        runs in prop::collection::vec(prop::collection::vec((0_i64..30, 1_i64..40), 0..3), 0..3),
        spot in 0.05_f64..1.2,
        limit in (0_i64..8, 0.0_f64..0.5),
    ) -> Case {
        let lay = |runs: &Vec<(i64, i64)>| {
            let mut from = 0;
            runs.iter().map(|(gap, length)| {
                from += gap + 1;
                let run = (from * 60, (from + length) * 60);
                from += length;
                run
            }).collect()
        };
        Case {
            tasks: tasks.iter().map(|(submit, run, slots)| (submit * 60, run * 60, *slots)).collect(),
            slots,
            boot: boot * 60,
            units: runs.iter().map(lay).collect(),
            spot,
            limit: (limit.0 * 60, limit.1),
            ..Case::default()
        }
    }
}

prop_compose! {
    fn with_deadlines()(
        case in small(),
        slacks in prop::collection::vec(prop::option::weighted(0.8, 0_i64..10), 3),
    ) -> Case {
        let slacks = slacks.into_iter().take(case.tasks.len());
        Case { slacks: slacks.map(|slack| slack.map(|slack| slack * 60)).collect(), ..case }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn with_deadlines_it_is_never_above_the_cheapest_plan_that_meets_them(
        case in with_deadlines(),
        step in 1_i64..12,
        dedicated in 1_u32..4,
        spot in 0_u32..4,
    ) {
        let plan = cheapest_plan(&case);
        prop_assert!(case.on(step * 60) <= plan);
        let best = case.ask(|problem| problem.bound(None).cost.0 * 3600.0);
        prop_assert!(best <= plan, "{best} is above {plan}");
        let saves = Case { checkpoint: Some(180), ..case.clone() };
        let best = saves.ask(|problem| problem.bound(None).cost.0 * 3600.0);
        prop_assert!(best <= plan, "with checkpoints {best} is above {plan}");
        // What is simulated and meets them costs no less either.
        let there = Case { initial: (dedicated, spot), ..case };
        let contender = Contender::Static { mix: Mix::new(dedicated, spot), prices: there.prices() };
        let workload = Arc::new(there.workload());
        let report = backtest(&[contender], &workload, &there.options(), &|_| {}).unwrap();
        let run = &report.runs[0];
        let bound = there.ask(|problem| problem.bound(None).cost);
        if run.keeps_to(None) {
            prop_assert!(bound <= run.cost.total, "{bound:?} is above {:?}", run.cost);
        }
    }

    #[test]
    fn it_is_the_optimum_of_the_program_of_its_definition(case in small(), step in 2_i64..12) {
        let step = step * 60;
        let optimum = written_out(&case, step);
        let bound = case.on(step);
        prop_assert!(
            bound <= optimum * (1.0 + 1e-6) && bound >= optimum * (1.0 - SLACK) - 1e-3,
            "{bound} is not {optimum}"
        );
    }

    #[test]
    fn it_is_never_above_the_cheapest_plan(case in small(), step in 1_i64..12) {
        let bound = case.on(step * 60);
        let plan = cheapest_plan(&case);
        prop_assert!(bound <= plan, "{bound} is above {plan}");
        let best = case.ask(|problem| problem.bound(None).cost.0 * 3600.0);
        prop_assert!(best <= plan, "{best} is above {plan}");
        let every_minute = Case { checkpoint: Some(180), ..case.clone() };
        let best = every_minute.ask(|problem| problem.bound(None).cost.0 * 3600.0);
        prop_assert!(best <= plan, "with checkpoints {best} is above {plan}");
    }

    #[test]
    fn a_finer_grid_tightens_and_more_time_or_more_spot_loosens(case in small()) {
        let bound = case.on(600);
        let same = bound * (1.0 - SLACK) - 1e-3;
        prop_assert!(case.on(300) >= same);
        prop_assert!(case.on(200) >= same);
        let later = Case { limit: (case.limit.0 + 300, case.limit.1 + 0.1), ..case.clone() };
        prop_assert!(later.on(600) <= bound * (1.0 + SLACK) + 1e-3);
        let mut more = case.clone();
        more.units.push(vec![(0, 2400)]);
        prop_assert!(more.on(600) <= bound * (1.0 + SLACK) + 1e-3);
        let saves = Case { checkpoint: Some(300), ..case.clone() };
        prop_assert!(saves.on(600) <= bound * (1.0 + SLACK) + 1e-3);
        let late = case.late_on(600, Some(Tolerance { tasks: 0.5, work: 0.5 }));
        prop_assert!(late <= bound * (1.0 + SLACK) + 1e-3);
    }

    #[test]
    fn the_three_bounds_come_in_order(case in small()) {
        let (all_spot, fluid, bound) =
            case.ask(|problem| (problem.all_spot(), problem.fluid(), problem.bound(None).cost));
        prop_assert!(all_spot.0 <= fluid.0 * (1.0 + 1e-9));
        prop_assert!(fluid <= bound);
        prop_assert!(fluid.0 * 3600.0 <= case.on(600) * (1.0 + SLACK) + 1e-3);
    }

    #[test]
    fn no_plan_that_is_simulated_and_meets_the_limit_costs_less(
        case in small(),
        dedicated in 0_u32..4,
        spot in 0_u32..4,
    ) {
        let case = Case { initial: (dedicated, spot), ..case };
        let workload = Arc::new(case.workload());
        let contender = Contender::Static { mix: Mix::new(dedicated, spot), prices: case.prices() };
        let report = backtest(&[contender], &workload, &case.options(), &|_| {}).unwrap();
        let run = &report.runs[0];
        let bound = case.ask(|problem| problem.bound(None).cost);
        if run.misses.tasks == 0 && run.tasks.completed == run.tasks.submitted {
            prop_assert!(bound <= run.cost.total, "{bound:?} is above {:?}", run.cost);
        }
    }
}
