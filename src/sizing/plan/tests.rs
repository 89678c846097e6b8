//! Plans for small pools, checked by hand.

use proptest::{prop_assert, proptest};

use super::{Course, Lanes, Plan, Sight};
use crate::account::{LostRuns, Node, NodeActivity, RunningTask, WaitingTask, Work};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::market::{Checkpoint, Hazard, LostWork};
use crate::sizing::learned::look;
use crate::sizing::{DurationModel, LIMITS, Learned, MissLimits};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_seconds(60 * minute)
}

fn waiting(submitted: i64, ran: i64) -> WaitingTask {
    WaitingTask {
        submitted: at(submitted),
        slots: 1,
        ran: Span::minutes(ran),
        lost: LostRuns::of_longest(Span::minutes(ran)),
        job: None,
    }
}

fn running(lane: Lane) -> RunningTask {
    RunningTask {
        submitted: at(990),
        started: at(995),
        slots: 1,
        ran: Span::ZERO,
        lost: LostRuns::default(),
        lane,
        cordoned: false,
        job: None,
    }
}

fn node(lane: Lane, busy_slots: u32) -> Node {
    Node {
        lane,
        activity: NodeActivity::Ready,
        since: at(900),
        granted: at(896),
        busy_slots,
    }
}

/// What is learned when 2000 tasks of 10 minutes ended in time, and spot has been asked for in vain for a while.
fn learned(outage: bool) -> Learned {
    learned_with(outage, 0)
}

/// The same when some of these tasks were late.
fn learned_with(outage: bool, n_late: usize) -> Learned {
    let mut learned = Learned::default();
    for task in 0..2000 {
        let delay = Span::minutes(if task < n_late { 30 } else { 0 });
        learned.durations.learn(Span::minutes(10));
        learned.budget.learn(&LIMITS, delay, Span::minutes(10), 1);
    }
    for minute in [990, 1000] {
        look(&mut learned, minute, u32::from(outage), &Work::default());
    }
    learned
}

fn plan(work: &Work, learned: &Learned, slots: u32, lanes: Lanes) -> Plan {
    let model = learned.model(at(1000), work);
    Sight {
        slots,
        lanes,
        ..sight(work, learned, &model)
    }
    .plan()
}

fn sight<'a>(work: &'a Work, learned: &'a Learned, model: &'a DurationModel) -> Sight<'a> {
    Sight {
        now: at(1000),
        interval: Span::minutes(1),
        work,
        slots: 4,
        learned,
        model,
        limits: LIMITS,
        lanes: Lanes::Both,
        lost: LostWork::All,
        counts_oversized: false,
        quantile: None,
        spot_share: 0.2,
        spot_loss: Hazard(0.05),
    }
}

#[test]
fn nothing_to_do_needs_no_node() {
    let work = Work {
        nodes: vec![node(Lane::Spot, 0), node(Lane::Dedicated, 0)],
        ..Work::default()
    };
    let plan = plan(&work, &learned(false), 1, Lanes::Both);
    assert_eq!((plan.target, plan.cordon), (Mix::ZERO, Mix::ZERO));
}

#[test]
fn work_is_asked_of_spot_and_dedicated_nodes_finish_what_they_have() {
    let work = Work {
        waiting: vec![waiting(990, 0); 5],
        running: vec![running(Lane::Dedicated), running(Lane::Spot)],
        nodes: vec![node(Lane::Dedicated, 1), node(Lane::Spot, 1)],
        ..Work::default()
    };
    let plan = plan(&work, &learned(false), 1, Lanes::Both);
    assert_eq!(plan.course, Course::Spot);
    assert_eq!(plan.cordon, Mix::new(1, 0));
    // The one busy spot node may be free in time, but nobody counts on more than 0.7 of it.
    assert_eq!(plan.target, Mix::new(1, 6));
}

#[test]
fn a_queue_gets_nodes_however_short_its_wait_and_however_much_is_late() {
    let work = Work {
        waiting: vec![waiting(900, 0); 200],
        ..Work::default()
    };
    for (wait, n_late) in [(15, 0), (15, 2_000), (5, 2_000), (2, 0), (1, 2_000)] {
        let learned = learned_with(false, n_late);
        let model = learned.model(at(1000), &work);
        let limits = MissLimits {
            wait: Span::minutes(wait),
            ..LIMITS
        };
        for (lanes, lane) in [(Lanes::Both, Lane::Spot), (Lanes::Dedicated, Lane::Dedicated)] {
            let sight = Sight {
                limits,
                lanes,
                ..sight(&work, &learned, &model)
            };
            let nodes = sight.plan().target.get(lane);
            assert_eq!(
                nodes,
                Nodes(50),
                "a wait of {wait} minutes with {n_late} late, {lane}"
            );
        }
    }
}

#[test]
fn an_outage_is_waited_out_until_lateness_is_worth_dedicated_nodes() {
    let fresh = Work {
        waiting: vec![waiting(998, 0); 40],
        ..Work::default()
    };
    let spot_away = learned_with(true, 100);
    let calm = plan(&fresh, &spot_away, 1, Lanes::Both);
    assert_eq!(calm.course, Course::Wait { since: at(990) });
    assert_eq!(calm.target.dedicated, Nodes::ZERO);
    // Ten minutes of dedicated work cost 8 slot-minutes more than on spot. All that may be late of the count of tasks is used
    // up: a late task counts as nine times as much as while two thirds are, so that tasks whose wait is about to be over are
    // worth it, down to the last.
    let old = Work {
        waiting: vec![waiting(989, 0); 300],
        ..Work::default()
    };
    let urgent = plan(&old, &spot_away, 1, Lanes::Both);
    assert_eq!(
        urgent.course,
        Course::Fallback {
            since: at(990),
            tasks: 300
        }
    );
    assert!(
        urgent.target.dedicated > Nodes(200) && urgent.target.spot >= Nodes(1),
        "{urgent:?}"
    );
    // While nothing was late yet, they may be.
    assert_eq!(
        plan(&old, &learned(true), 1, Lanes::Both).course,
        Course::Wait { since: at(990) }
    );
    // For those that are late anyway nothing can be spared.
    let late = Work {
        waiting: vec![waiting(900, 0); 300],
        ..Work::default()
    };
    assert_eq!(
        plan(&late, &spot_away, 1, Lanes::Both).course,
        Course::Wait { since: at(990) }
    );
}

#[test]
fn without_spot_all_is_asked_of_dedicated_nodes() {
    let work = Work {
        waiting: vec![waiting(990, 0); 9],
        ..Work::default()
    };
    let plan = plan(&work, &learned(false), 4, Lanes::Dedicated);
    assert_eq!((plan.target, plan.course), (Mix::new(3, 0), Course::Dedicated));
}

#[test]
fn the_fullest_nodes_take_tasks_first() {
    let work = Work {
        running: vec![running(Lane::Spot); 6],
        nodes: [3, 1, 2, 0].map(|busy| node(Lane::Spot, busy)).to_vec(),
        ..Work::default()
    };
    let calm = plan(&work, &learned(false), 4, Lanes::Both);
    // Nothing waits: no node takes tasks and the idle one goes.
    assert_eq!((calm.target, calm.cordon), (Mix::new(0, 3), Mix::new(0, 3)));
    let busy = Work {
        waiting: vec![waiting(999, 0); 2],
        ..work
    };
    // One slot on the fullest node and one of the two on the next.
    let plan = plan(&busy, &learned(false), 4, Lanes::Both);
    assert_eq!((plan.target, plan.cordon), (Mix::new(0, 3), Mix::new(0, 1)));
}

#[test]
fn tasks_that_fit_no_node_are_counted_and_get_none() {
    let large = WaitingTask {
        slots: 5,
        ..waiting(900, 0)
    };
    let work = Work {
        waiting: vec![large, waiting(999, 0)],
        ..Work::default()
    };
    let plan = plan(&work, &learned(false), 4, Lanes::Both);
    assert_eq!((plan.waiting, plan.never_fit), (1, 1));
    assert_eq!(plan.target.spot, Nodes(1));
}

#[test]
fn a_higher_quantile_counts_on_slots_later_and_saved_work_is_cheaper_to_place() {
    let learned = learned(false);
    let work = Work {
        running: vec![running(Lane::Spot); 4],
        nodes: vec![node(Lane::Spot, 4)],
        waiting: vec![waiting(999, 0); 6],
        ..Work::default()
    };
    let model = learned.model(at(1000), &work);
    let nodes = |quantile| {
        let sight = Sight {
            quantile,
            ..sight(&work, &learned, &model)
        };
        sight.plan().target.spot
    };
    // All ran for ten minutes: at any quantile they end about then, and a quantile above all that was seen counts on none.
    assert!(nodes(Some(0.5)) <= nodes(Some(0.99)));
    assert!(nodes(None) <= nodes(Some(0.99)));
}

/// What is learned when 2000 tasks ended that ran as long, so many of them late.
fn learned_of(run: Span, n_late: usize) -> Learned {
    let mut learned = Learned::default();
    for task in 0..2000 {
        let delay = if task < n_late { run.scale(2.0) } else { Span::ZERO };
        learned.durations.learn(run);
        learned.budget.learn(&LIMITS, delay, run, 1);
    }
    learned
}

#[test]
fn tasks_for_which_spot_nodes_would_not_last_get_dedicated_ones() {
    let plan = |run: Span, n_late: usize, task: WaitingTask, hourly: f64| {
        let work = Work {
            waiting: vec![task; 3],
            ..Work::default()
        };
        let learned = learned_of(run, n_late);
        let model = learned.model(at(1000), &work);
        let sight = Sight {
            slots: 1,
            spot_loss: Hazard(hourly),
            ..sight(&work, &learned, &model)
        };
        sight.plan()
    };
    let fresh = waiting(990, 0);
    // A run of a day on nodes that are lost every two hours never ends, however cheap they are.
    let day = plan(Span::hours(20), 0, fresh, 0.5);
    assert_eq!(
        (day.course, day.target),
        (Course::Shelter { tasks: 3 }, Mix::new(3, 0))
    );
    for (run, hourly) in [(Span::hours(20), 0.01), (Span::minutes(10), 0.5)] {
        assert_eq!(plan(run, 0, fresh, hourly).course, Course::Spot);
    }
    // One that was lost after an hour can be repeated once more and be in time; nobody pays for that while little is late.
    let lost = waiting(930, 60);
    assert_eq!(plan(Span::hours(3), 0, lost, 0.2).course, Course::Spot);
    assert_eq!(
        plan(Span::hours(3), 300, lost, 0.2).course,
        Course::Shelter { tasks: 3 }
    );
    // With checkpoints it loses next to nothing.
    let work = Work {
        waiting: vec![lost; 3],
        ..Work::default()
    };
    let learned = learned_of(Span::hours(3), 300);
    let model = learned.model(at(1000), &work);
    let saves = Sight {
        lost: LostWork::SinceCheckpoint(Checkpoint {
            every: Span::minutes(10),
            cost: Span::ZERO,
            restart: Span::ZERO,
        }),
        spot_loss: Hazard(0.2),
        ..sight(&work, &learned, &model)
    };
    assert_eq!(saves.plan().course, Course::Spot);
}

#[test]
fn a_dedicated_node_is_for_a_task_only_if_it_still_waits_when_the_node_is_there() {
    let learned = learned_of(Span::hours(3), 300);
    let course = |n_free: usize| {
        let work = Work {
            waiting: vec![waiting(930, 60)],
            nodes: vec![node(Lane::Spot, 0); n_free],
            ..Work::default()
        };
        let model = learned.model(at(1000), &work);
        let sight = Sight {
            slots: 1,
            spot_loss: Hazard(0.2),
            ..sight(&work, &learned, &model)
        };
        sight.plan().course
    };
    assert_eq!(course(0), Course::Shelter { tasks: 1 });
    assert_eq!(course(9), Course::Spot);
}

proptest! {
    #[test]
    fn no_node_with_a_task_goes_and_no_more_is_closed_than_is_there(
        tasks in 0usize..60, age in 0i64..200, ran in 0i64..100, busy in proptest::collection::vec(0u32..5, 0..20),
        dedicated in proptest::collection::vec(0u32..5, 0..20), outage: bool, only: bool,
    ) {
        let node_of = |lane| move |busy: &u32| node(lane, *busy);
        let work = Work {
            waiting: vec![waiting(1000 - age, ran); tasks],
            nodes: busy.iter().map(node_of(Lane::Spot)).chain(dedicated.iter().map(node_of(Lane::Dedicated))).collect(),
            ..Work::default()
        };
        let lanes = if only { Lanes::Dedicated } else { Lanes::Both };
        let plan = plan(&work, &learned(outage), 4, lanes);
        let with_task = |nodes: &[u32]| nodes.iter().filter(|busy| **busy > 0).count() as u32;
        prop_assert!(plan.target.spot.0 >= with_task(&busy));
        prop_assert!(plan.target.dedicated.0 >= with_task(&dedicated));
        prop_assert!(plan.cordon.spot.0 <= busy.len() as u32);
        prop_assert!(plan.cordon.dedicated.0 <= dedicated.len() as u32);
    }
}
