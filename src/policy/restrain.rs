//! What restrains an outcome. The order of the list is the policy.

use super::guard::keep_nodes;
use super::{Demand, Mode, Policy};
use crate::base::{Nodes, Timestamp};
use crate::decision::{Decision, Reason, ScheduleMost, Snapshot};

impl Policy {
    /// Restrains what was proposed; `fault` is why some strategy could not ask.
    pub fn restrain(&self, decision: &mut Decision, snapshot: &Snapshot<'_>, fault: Option<Reason>) {
        // What is asked for, within what is allowed.
        self.bounds.restrain(decision);
        let scheduled = self.scheduled_most(snapshot.now);
        if let Some((most, until)) = scheduled {
            self.bounds.restrain_to(decision, most, |asked| {
                Reason::ScheduleMost(ScheduleMost { most, until, asked })
            });
        }
        let bounds = scheduled.map_or(self.bounds, |(most, _)| self.bounds.at_most(most));
        // Nothing is taken away on what is not known.
        if let Some(fault) = fault {
            keep_nodes(&bounds, decision, fault);
        }
        if decision.shrinks()
            && let Some(objection) = self
                .missing
                .objection(snapshot.now, &self.metrics, snapshot.history)
        {
            keep_nodes(&bounds, decision, objection);
        }
        // Nothing is taken away in this mode.
        if self.mode == Mode::OutOnly {
            keep_nodes(&bounds, decision, Reason::OutOnly);
        }
    }

    /// Returns the most nodes that the schedules allow now, and until when.
    fn scheduled_most(&self, now: Timestamp) -> Option<(Nodes, Timestamp)> {
        let schedules = self.demand.iter().filter_map(|demand| match demand {
            Demand::Schedule(schedule) => schedule.most(now),
            Demand::Formula(_) => None,
        });
        schedules.min_by_key(|(most, _)| *most)
    }
}
