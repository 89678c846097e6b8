//! Plans for deadlines, checked by hand.

use proptest::{prop_assert, proptest};

use super::{DueCourse, DuePlan, DueRule, DueSight};
use crate::account::{LostRuns, Node, NodeActivity, RunningTask, WaitingTask, Work};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::market::{Checkpoint, Hazard, LostWork, Prior};
use crate::sizing::learned::look;
use crate::sizing::{Lanes, Learned, RunTimes};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_seconds(60 * minute)
}

fn node(lane: Lane, busy_slots: u32) -> Node {
    Node {
        lane,
        activity: NodeActivity::Ready,
        since: at(0),
        granted: at(-4),
        busy_slots,
    }
}

/// So many tasks that were submitted at a minute; spot nodes are there or are missing since minute 0.
fn queue(tasks: &[(usize, i64)], nodes: Vec<Node>) -> Work {
    let waiting = tasks.iter().flat_map(|(count, submitted)| {
        let task = WaitingTask {
            submitted: at(*submitted),
            slots: 1,
            ran: Span::ZERO,
            lost: LostRuns::default(),
            job: None,
        };
        std::iter::repeat_n(task, *count)
    });
    Work {
        waiting: waiting.collect(),
        nodes,
        ..Work::default()
    }
}

struct Case {
    now: i64,
    /// The minutes from submission to deadline.
    within: i64,
    work: Work,
    /// Since when spot has been away, if it is.
    away: Option<i64>,
    most: u32,
    /// How many tasks have ended.
    ended: usize,
    lost: LostWork,
}

impl Case {
    fn of(now: i64, work: Work) -> Self {
        Self {
            now,
            within: 600,
            work,
            away: None,
            most: 100,
            ended: 2000,
            lost: LostWork::All,
        }
    }

    fn away(self) -> Self {
        Self {
            away: Some(0),
            ..self
        }
    }

    /// Plans with tasks that are known to run for half an hour.
    fn plan(&self) -> DuePlan {
        let mut learned = Learned::default();
        for minute in self.away.into_iter().flat_map(|away| away..=self.now) {
            look(&mut learned, minute, 1000, &Work::default());
        }
        let mut runs = RunTimes::default();
        (0..self.ended).for_each(|_| runs.learn(Span::minutes(30)));
        let rule = DueRule {
            runs: Some(&runs),
            typical: None,
            confidence: 0.95,
            switch: Span::minutes(10),
        };
        let due = |submitted: Timestamp| Some((0, submitted + Span::minutes(self.within)));
        let waiting: Vec<_> = self.work.waiting.iter().map(|task| due(task.submitted)).collect();
        let running: Vec<_> = self.work.running.iter().map(|task| due(task.submitted)).collect();
        let others = learned.durations.model([]);
        let sight = DueSight {
            now: at(self.now),
            interval: Span::minutes(1),
            work: &self.work,
            slots: 1,
            learned: &learned,
            others: &others,
            rules: &[rule],
            waiting: &waiting,
            running: &running,
            most: Nodes(self.most),
            most_spot: Nodes(100),
            lanes: Lanes::Both,
            spot_share: 0.2,
            prior: Prior::worth_one_eviction(Hazard(0.05)),
            lost: self.lost,
        };
        sight.plan()
    }
}

#[test]
fn while_there_is_slack_spot_does_it_by_fewer_nodes_than_tasks() {
    let plan = Case::of(0, queue(&[(60, 0)], Vec::new())).plan();
    assert_eq!(plan.course, DueCourse::Spot);
    assert_eq!(plan.target.dedicated, Nodes(0));
    assert!((10..=30).contains(&plan.target.spot.0), "{plan:?}");
    assert_eq!((plan.tasks, plan.late, plan.due), (60, 0, Some(at(600))));
    // A task runs for up to 31 minutes, a few percent over half an hour, and a change takes ten.
    let latest = plan.latest_start.unwrap().since(at(0)).as_seconds() / 60.0;
    assert!((553.0..560.0).contains(&latest), "{latest}");
    // With an hour left every task gets its node.
    let hasty = Case::of(535, queue(&[(60, 0)], Vec::new())).plan();
    assert_eq!((hasty.course, hasty.target.spot), (DueCourse::Spot, Nodes(60)));
}

#[test]
fn spot_that_is_away_is_waited_for_until_the_latest_start() {
    let case = |now| Case::of(now, queue(&[(8, 0)], Vec::new())).away().plan();
    let early = case(120);
    assert_eq!(
        (early.course, early.target.dedicated),
        (DueCourse::Wait, Nodes(0))
    );
    assert!(early.target.spot >= Nodes(1), "its return is seen: {early:?}");
    // The long outage is not believed to end soon, so that each node is ordered for several of the tasks.
    let first = (120..600)
        .find(|now| case(*now).course == DueCourse::Dedicated)
        .unwrap();
    assert!((400..558).contains(&first), "{first}");
    let few = case(first).target.dedicated;
    assert!(Nodes(1) <= few && few < Nodes(8), "{few}");
    // At the latest moment each task gets its own.
    let last = case(558);
    assert_eq!(last.target.dedicated, Nodes(8));
}

#[test]
fn a_task_that_must_start_takes_all_before_it_along() {
    // The first five have 500 minutes more than the one behind them.
    let mut case = Case::of(559, queue(&[(5, 500), (1, 0)], Vec::new()));
    assert_eq!(case.plan().target.dedicated, Nodes(6));
    case.work.waiting.rotate_right(1);
    let plan = case.plan();
    assert_eq!(
        (plan.course, plan.target.dedicated),
        (DueCourse::Dedicated, Nodes(1))
    );
    assert!(plan.target.spot >= Nodes(1));
}

#[test]
fn what_boots_is_not_ordered_twice_and_what_is_done_with_goes() {
    let booting = Node {
        activity: NodeActivity::Starting,
        granted: at(558),
        ..node(Lane::Dedicated, 0)
    };
    let plan = Case::of(559, queue(&[(3, 0)], vec![booting; 3])).away().plan();
    assert_eq!(plan.target.dedicated, Nodes(3));
    let idle = vec![node(Lane::Dedicated, 0), node(Lane::Spot, 0)];
    let plan = Case::of(100, queue(&[], idle)).plan();
    assert_eq!((plan.target, plan.tasks), (Mix::ZERO, 0));
}

#[test]
fn without_a_task_no_spot_node_is_kept_or_waited_for_however_short_spot_is() {
    let idle = vec![node(Lane::Spot, 0); 6];
    assert_eq!(
        Case::of(30, queue(&[], idle.clone())).away().plan().target,
        Mix::ZERO
    );
    // With one its return is asked after.
    let waits = Case::of(30, queue(&[(1, 25)], idle)).away().plan();
    assert_eq!(waits.target, Mix::new(0, 7));
}

#[test]
fn a_task_without_slack_gets_one_dedicated_node_and_no_further_spot_node() {
    let starting = |lane, granted| Node {
        activity: NodeActivity::Starting,
        granted: at(granted),
        ..node(lane, 0)
    };
    // The spot node would come after the moment at which the task must have begun; it boots already, and is not given back for that.
    let spot = starting(Lane::Spot, 568);
    let plan = Case::of(568, queue(&[(1, 0)], vec![spot])).plan();
    assert_eq!((plan.course, plan.target), (DueCourse::Dedicated, Mix::new(1, 1)));
    let plan = Case::of(568, queue(&[(1, 0)], vec![])).plan();
    assert_eq!(plan.target, Mix::new(1, 0));
    // The one that was ordered comes no later than another would.
    let both = vec![spot, starting(Lane::Dedicated, 568)];
    let plan = Case::of(569, queue(&[(1, 0)], both)).plan();
    assert_eq!(plan.target, Mix::new(1, 1));
    // Spot is still there for the tasks behind it, and no more is asked for.
    let three = Case::of(568, queue(&[(1, 0), (2, 500)], vec![spot; 2])).plan();
    assert_eq!(three.target, Mix::new(1, 2));
    // A task that is late in any case gets one node, however often it is looked at.
    let late = Case::of(580, queue(&[(1, 0)], vec![starting(Lane::Spot, 578)])).plan();
    assert_eq!((late.late, late.target), (1, Mix::new(0, 1)));
}

#[test]
fn dedicated_nodes_take_no_further_tasks_once_spot_is_back() {
    let mut work = queue(&[(4, 0)], vec![node(Lane::Dedicated, 1), node(Lane::Spot, 1)]);
    work.running = [Lane::Dedicated, Lane::Spot]
        .map(|lane| RunningTask {
            submitted: at(0),
            started: at(290),
            slots: 1,
            ran: Span::ZERO,
            lost: LostRuns::default(),
            lane,
            cordoned: false,
            job: None,
        })
        .to_vec();
    let plan = Case::of(300, work).plan();
    assert_eq!(plan.cordon, Mix::new(1, 0));
    assert_eq!(plan.target.dedicated, Nodes(1));
    assert!(plan.target.spot >= Nodes(2));
}

#[test]
fn few_dedicated_nodes_are_ordered_earlier_and_what_they_cannot_do_is_told() {
    let case = |now, most| {
        let case = Case::of(now, queue(&[(20, 0)], Vec::new())).away();
        Case { most, ..case }.plan()
    };
    // Four nodes need five rounds of half an hour.
    let first = (1..600)
        .find(|now| case(*now, 4).course == DueCourse::Dedicated)
        .unwrap();
    assert!(first < 600 - 5 * 30 - 10, "{first}");
    assert_eq!(
        (case(first, 4).target.dedicated, case(first, 4).late),
        (Nodes(4), 0)
    );
    // One node needs ten hours for twenty tasks.
    let lost = case(60, 1);
    assert!(lost.late >= 1, "{lost:?}");
    assert_eq!(lost.target.dedicated, Nodes(1));
}

#[test]
fn a_task_that_is_late_whatever_is_done_is_left_to_spot_and_told() {
    let plan = Case::of(580, queue(&[(1, 0)], Vec::new())).plan();
    assert_eq!((plan.late, plan.target.dedicated), (1, Nodes(0)));
    assert_eq!(plan.target.spot, Nodes(1));
    let away = Case::of(580, queue(&[(1, 0)], Vec::new())).away().plan();
    assert_eq!(away.target.dedicated, Nodes(1));
}

const EVERY_HOUR: LostWork = LostWork::SinceCheckpoint(Checkpoint {
    every: Span::hours(1),
    cost: Span::ZERO,
    restart: Span::ZERO,
});

#[test]
fn a_task_of_which_nothing_is_known_may_take_most_of_its_time_where_it_saves_its_work() {
    let latest = |lost| {
        let case = Case::of(0, queue(&[(1, 0)], Vec::new()));
        let plan = Case {
            ended: 0,
            lost,
            ..case
        }
        .plan();
        plan.latest_start.unwrap()
    };
    // Ten hours, of which it may run for eight and a half, and ten minutes until a node is there.
    assert_eq!(latest(EVERY_HOUR), at(80));
    assert!(latest(LostWork::All) > at(240));
}

#[test]
fn of_a_run_that_saved_nothing_it_is_known_that_the_task_runs_for_longer() {
    let mut work = queue(&[(100, 0)], Vec::new());
    for task in &mut work.waiting {
        task.ran = Span::minutes(45);
        task.lost = LostRuns::of_longest(task.ran);
    }
    let case = Case::of(60, work);
    let plan = Case {
        ended: 20,
        lost: EVERY_HOUR,
        ..case
    }
    .plan();
    assert!(plan.longest > Span::minutes(45), "{plan:?}");
}

proptest! {
    #[test]
    fn nothing_is_ordered_beyond_the_most_and_a_step_that_is_due_is_served(
        now in 0i64..1200, within in 10i64..1200, tasks in 0usize..300, most in 0u32..400, is_away: bool,
        ready in 0usize..5,
    ) {
        let work = queue(&[(tasks, 0)], vec![node(Lane::Dedicated, 0); ready]);
        let away = is_away.then_some(0);
        let case = Case::of(now, work);
        let plan = Case { within, away, most, ..case }.plan();
        prop_assert!(plan.target.dedicated <= Nodes(most.max(ready as u32)), "{plan:?}");
        prop_assert!(plan.cordon.dedicated <= Nodes(ready as u32));
        // A run takes half an hour at the least, and ten minutes are kept for a switch.
        let latest = within - 30 - 10;
        let is_due = now >= latest && now + 29 <= within;
        if tasks > 0 && is_due && is_away {
            prop_assert!(plan.target.dedicated >= Nodes(most.min(tasks as u32)), "{plan:?}");
        }
    }
}
