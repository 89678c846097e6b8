//! Whether tasks go on where they were when they lost their node, learned from those that ended.
//!
//! Nobody tells a scheduler that a task saves its work. But one that starts anew runs at least as long as it had run before it
//! lost its node, and one that goes on from what it saved needs only the rest: a last run that is clearly shorter than one that
//! was lost is of a task that saves, and has saved within that lost run.

use serde::{Deserialize, Serialize};

use super::RunTimes;
use crate::account::FinishedTask;
use crate::base::Span;
use crate::market::{Checkpoint, LostWork};

/// What is known of tasks that lost a run and ended well later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Resumes {
    /// How many they were, up to those that are remembered.
    seen: f64,
    /// The share of them whose last run was clearly shorter than one that they had lost; the latest weighs most.
    share: f64,
    /// How long that lost run was, of those.
    lost: RunTimes,
}

/// Run times of one task on two nodes differ, but by less than this.
const SHORTER: f64 = 0.8;

/// The latest tasks that lost a run count most, as if no more than so many were known.
const REMEMBERED: f64 = 200.0;

/// Tasks save their work where so many of them were seen to,
const SEEN_LEAST: f64 = 4.0;

/// and this share: of tasks that save, those that are lost soon after their start and near their end do not show it.
const SHARE_LEAST: f64 = 0.08;

/// Tasks are taken to save as often as this share of the shortest runs that they went on from, so that one odd task of twenty
/// says nothing.
const ODD: f64 = 0.05;

impl Resumes {
    /// Says whether no task has lost a run so far.
    pub fn is_empty(&self) -> bool {
        self.seen <= 0.0
    }

    /// Takes in a task that ended well.
    pub fn learn(&mut self, task: &FinishedTask) {
        if task.ran <= Span::ZERO {
            return;
        }
        let resumed = task.ended - task.started < task.ran.scale(SHORTER);
        self.seen = (self.seen + 1.0).min(REMEMBERED);
        self.share += (f64::from(u8::from(resumed)) - self.share) / self.seen;
        if resumed {
            self.lost.learn(task.ran);
        }
    }

    /// Returns what tasks keep of a run that lost its node.
    ///
    /// How often they save is not seen: it is at least once in the shortest runs that they went on from, and is taken to be
    /// no more often than that.
    pub fn rule(&self) -> LostWork {
        if self.share < SHARE_LEAST || self.seen * self.share < SEEN_LEAST {
            return LostWork::All;
        }
        let every = self.lost.quantile(ODD);
        every.map_or(LostWork::All, |every| {
            LostWork::SinceCheckpoint(Checkpoint {
                every,
                cost: Span::ZERO,
                restart: Span::ZERO,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::account::LostRuns;
    use crate::base::Timestamp;

    /// A task of so many minutes that lost a run after `lost` of them and saves its work `every` so many.
    fn task(minutes: i64, lost: i64, every: Option<i64>) -> FinishedTask {
        let saved = every.map_or(0, |every| lost / every * every);
        FinishedTask {
            submitted: Timestamp::EPOCH,
            started: Timestamp::EPOCH,
            ended: Timestamp::EPOCH + Span::minutes(minutes - saved),
            slots: 1,
            ran: Span::minutes(lost),
            lost: LostRuns::of_longest(Span::minutes(lost)),
            job: None,
        }
    }

    fn of(tasks: impl IntoIterator<Item = FinishedTask>) -> Resumes {
        let mut resumes = Resumes::default();
        tasks.into_iter().for_each(|task| resumes.learn(&task));
        resumes
    }

    fn every(resumes: &Resumes) -> Option<Span> {
        match resumes.rule() {
            LostWork::All => None,
            LostWork::SinceCheckpoint(Checkpoint { every, .. }) => Some(every),
        }
    }

    #[test]
    fn tasks_that_need_only_the_rest_save_their_work() {
        // An hour each, lost after 1 to 59 minutes, saved every ten.
        let saving = of((0..200).map(|n| task(60, 1 + 7 * n % 59, Some(10))));
        let long = every(&saving).unwrap();
        // One that was lost after 35 minutes and needed another 30 says nothing; after 37 minutes it does.
        assert!(long > Span::minutes(30) && long < Span::minutes(45), "{long:?}");
        // Short tasks show it sooner.
        let short = of((0..200).map(|n| task(12 + n % 50, 1 + n * 7 % (11 + n % 50), Some(10))));
        let short = every(&short).unwrap();
        assert!(short > Span::minutes(9) && short < Span::minutes(20), "{short:?}");
    }

    #[test]
    fn one_odd_task_of_twenty_and_the_first_few_say_nothing() {
        let mut odd = of((0..190).map(|n| task(60, 1 + n % 59, None)));
        for _ in 0..10 {
            odd.learn(&task(60, 50, Some(10)));
        }
        assert_eq!(odd.rule(), LostWork::All);
        assert_eq!(of([task(60, 50, Some(10)); 3]).rule(), LostWork::All);
        assert_ne!(of([task(60, 50, Some(10)); 4]).rule(), LostWork::All);
        assert!(of([task(60, 0, None)]).is_empty());
    }

    #[test]
    fn what_tasks_did_long_ago_is_forgotten() {
        let mut resumes = of(vec![task(60, 50, Some(10)); 300]);
        for _ in 0..700 {
            resumes.learn(&task(60, 50, None));
        }
        assert_eq!(resumes.rule(), LostWork::All);
    }

    proptest! {
        #[test]
        fn tasks_that_start_anew_are_never_taken_to_save(
            runs in proptest::collection::vec((2i64..5000, 0.0f64..1.0), 0..300),
        ) {
            let resumes = of(runs.into_iter().map(|(run, share)| task(run, (run as f64 * share) as i64, None)));
            prop_assert_eq!(resumes.rule(), LostWork::All);
            let text = serde_json::to_string(&resumes).unwrap();
            prop_assert_eq!(serde_json::from_str::<Resumes>(&text).unwrap(), resumes);
        }
    }
}
