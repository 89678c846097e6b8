//! Whether work that must be done by a time is on its way: pure arithmetic, without a pool or a policy.
//!
//! Source: "Can't Be Late: Optimizing Spot Instance Savings under Deadlines" (Wu and others, NSDI 2024): uniform progress
//! takes what is cheap while the work done is on or above the line t × C ÷ R, takes what is sure when it lags, and when
//! the slack is less than two changes of machine nothing but what is sure. There one machine works; here as many as needed,
//! so that the rate that keeps to the line is a number of nodes: the work left, divided by the time left.

use crate::base::{Nodes, Span, Timestamp};

/// Work that must be done by a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// The moment.
    pub now: Timestamp,
    /// When the first of its work was submitted.
    pub began: Timestamp,
    /// When it must be done.
    pub due: Timestamp,
    /// What has been done, in seconds of one node.
    pub done: f64,
    /// What is left, in seconds of one node.
    pub left: f64,
    /// The longest that a single part may still take; no number of nodes makes it shorter.
    pub longest: Span,
    /// How long a node takes from its order to its first task.
    pub switch: Span,
    /// The most dedicated nodes that there may be.
    pub most: Nodes,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// On the line or above it: any usable nodes will do.
    Ahead,
    /// Below the line: the nodes must be sure.
    Behind,
    /// The slack is less than two changes of node: the nodes must be sure until the end.
    Tight,
    /// Even the most nodes would end after it is due.
    Lost,
}

/// What a job needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// Where it stands.
    pub progress: Progress,
    /// The nodes that end it in time when they start now; the most that there may be when none do.
    pub nodes: Nodes,
    /// The latest moment at which the most nodes could still be ordered.
    pub latest_start: Timestamp,
    /// When the most nodes would end it, ordered now.
    pub earliest_end: Timestamp,
}

impl Job {
    /// Returns what the job needs now.
    pub fn course(&self) -> Course {
        let fastest = self.fastest();
        let slack = self.due.since(self.now) - self.switch - fastest;
        let progress = if self.left <= 0.0 {
            Progress::Ahead
        } else if slack.is_negative() {
            Progress::Lost
        } else if slack < self.switch * 2 {
            Progress::Tight
        } else if self.lags() {
            Progress::Behind
        } else {
            Progress::Ahead
        };
        let time = self.due.since(self.now) - self.switch;
        let nodes = match progress {
            Progress::Lost => self.most,
            // The slack is not negative, so that there is time, and no more than the most nodes are needed.
            _ => Nodes::ceil(self.left / time.as_seconds().max(1.0) - ROUNDING).min(self.most),
        };
        Course {
            progress,
            nodes,
            latest_start: self.due - self.switch - fastest,
            earliest_end: self.now + self.switch + fastest,
        }
    }

    /// The time that the most nodes need for what is left.
    fn fastest(&self) -> Span {
        if self.left <= 0.0 {
            return Span::ZERO;
        }
        if self.most == Nodes::ZERO {
            return Span::days(36_500);
        }
        Span::from_seconds(self.left / self.most.as_f64()).max(self.longest)
    }

    /// Whether less is done than the line wants.
    fn lags(&self) -> bool {
        let (passed, whole) = (self.now.since(self.began), self.due.since(self.began));
        let line = (self.done + self.left) * (passed.as_seconds() / whole.as_seconds().max(1.0));
        self.done + self.left * ROUNDING < line
    }
}

/// Three nodes' work is not four nodes' for a fraction of a second.
const ROUNDING: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A job of ten node-hours that is due after ten hours, with 10 minutes to change a node and 20 nodes at most.
    fn job(passed_hours: f64, done_hours: f64) -> Job {
        let began = Timestamp::EPOCH;
        Job {
            now: began + Span::from_seconds(passed_hours * 3600.0),
            began,
            due: began + Span::hours(10),
            done: done_hours * 3600.0,
            left: (10.0 - done_hours) * 3600.0,
            longest: Span::minutes(30),
            switch: Span::minutes(10),
            most: Nodes(20),
        }
    }

    #[test]
    fn the_line_the_rate_and_the_two_changes() {
        let hours = |hours: f64| Span::from_seconds(hours * 3600.0);
        // Ten node-hours on 20 nodes take the 30 minutes of the longest part: the latest start is 40 minutes before the end.
        let course = job(0.0, 0.0).course();
        assert_eq!(
            course.latest_start,
            Timestamp::EPOCH + hours(10.0) - Span::minutes(40)
        );
        assert_eq!(course.earliest_end, Timestamp::EPOCH + Span::minutes(40));
        // At the start nothing must be done yet. Ten hours of work in 9 h 50 m need two nodes.
        assert_eq!((course.progress, course.nodes), (Progress::Ahead, Nodes(2)));
        // After five hours five must be done.
        assert_eq!(job(5.0, 5.0).course().progress, Progress::Ahead);
        assert_eq!(job(5.0, 4.9).course().progress, Progress::Behind);
        // Five hours of work in 4 h 50 m.
        assert_eq!(job(5.0, 5.0).course().nodes, Nodes(2));
        assert_eq!(job(5.0, 0.0).course().nodes, Nodes(3));
        // An hour before the end 20 minutes of slack are left: as much as two changes take.
        assert_eq!(job(9.0, 9.0).course().progress, Progress::Ahead);
        assert_eq!(job(9.01, 9.5).course().progress, Progress::Tight);
        assert_eq!(job(9.01, 0.0).course().nodes, Nodes(13));
        // Half an hour before the end the longest part cannot end in time.
        let lost = job(9.5, 9.0).course();
        assert_eq!((lost.progress, lost.nodes), (Progress::Lost, Nodes(20)));
        assert_eq!(
            lost.earliest_end,
            Timestamp::EPOCH + hours(10.0) + Span::minutes(10)
        );
    }

    #[test]
    fn without_work_nothing_is_needed_and_without_nodes_all_is_lost() {
        let done = Job {
            left: 0.0,
            ..job(9.9, 10.0)
        };
        assert_eq!(done.course().nodes, Nodes(0));
        let none = Job {
            most: Nodes::ZERO,
            ..job(1.0, 1.0)
        };
        assert_eq!(none.course().progress, Progress::Lost);
    }

    proptest! {
        /// Whoever follows the course with sure nodes is in time, unless it was lost from the start.
        #[test]
        fn the_course_is_in_time(
            left_hours in 0.1f64..200.0,
            hours in 1.0f64..48.0,
            longest_minutes in 1i64..120,
            switch_minutes in 0i64..20,
            most in 1u32..60,
        ) {
            let mut job = Job {
                now: Timestamp::EPOCH,
                began: Timestamp::EPOCH,
                due: Timestamp::EPOCH + Span::from_seconds(hours * 3600.0),
                done: 0.0,
                left: left_hours * 3600.0,
                longest: Span::minutes(longest_minutes),
                switch: Span::minutes(switch_minutes),
                most: Nodes(most),
            };
            prop_assume!(job.course().progress != Progress::Lost);
            // Every five minutes the nodes of the course work, those that were ordered a change of node ago.
            let step = Span::minutes(5);
            let mut ordered = Vec::new();
            while job.left > 0.0 && job.now < job.due {
                let course = job.course();
                prop_assert!(course.nodes <= job.most);
                ordered.push((job.now + job.switch, course.nodes));
                let ready = ordered.iter().rev().find(|(ready, _)| *ready <= job.now);
                let nodes = ready.map_or(Nodes::ZERO, |(_, nodes)| *nodes);
                job.left -= nodes.as_f64() * step.as_seconds();
                job.done += nodes.as_f64() * step.as_seconds();
                job.now += step;
            }
            // The last step may end within it.
            let allowed = f64::from(most) * step.as_seconds();
            prop_assert!(job.left <= allowed, "{} node-hours are left", job.left / 3600.0);
        }
    }
}
