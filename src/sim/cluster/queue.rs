//! The tasks that wait, first in, first out.
//!
//! Tasks are known by their place in the log, which is in order of submission. Those that never ran are a range of it, and
//! those that went back are all older than that range, so that their places are the order of the whole queue.

use std::collections::BTreeMap;

use crate::account::LostRuns;
use crate::base::Span;
use crate::sim::workload::Task;

/// What became of a task before it waits or runs now; nothing when it never ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// The longest that it ran before it lost its node.
    pub(super) ran: Span,
    /// All its runs that ended so.
    pub(super) lost: LostRuns,
    /// The work that it has saved.
    pub(super) kept: Span,
}

/// The waiting tasks.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Tasks that ran and went back.
    returned: BTreeMap<u32, Past>,
    /// The first task that has never run.
    fresh: u32,
    /// How many tasks have been submitted.
    submitted: u32,
    /// How many of the tasks before `fresh` can never run.
    never_passed: u32,
    /// The submitted tasks that can never run.
    never: Vec<u32>,
    /// The slots that the other waiting tasks need.
    waiting_slots: u64,
}

impl Queue {
    /// Takes in the next task of the log.
    pub(super) fn submit(&mut self, tasks: &[Task], slots_per_node: u32) {
        let slots = tasks[self.submitted as usize].slots;
        if slots > slots_per_node {
            self.never.push(self.submitted);
        } else {
            self.waiting_slots += u64::from(slots);
        }
        self.submitted += 1;
    }

    /// Returns the task that is to run next, without taking it.
    pub(super) fn head(&mut self, tasks: &[Task], slots_per_node: u32) -> Option<u32> {
        if let Some((task, _)) = self.returned.first_key_value() {
            return Some(*task);
        }
        while self.fresh < self.submitted && tasks[self.fresh as usize].slots > slots_per_node {
            self.fresh += 1;
            self.never_passed += 1;
        }
        (self.fresh < self.submitted).then_some(self.fresh)
    }

    /// Takes the head away.
    pub(super) fn take(&mut self, task: u32, slots: u32) -> Past {
        self.waiting_slots -= u64::from(slots);
        if task == self.fresh {
            self.fresh += 1;
            Past::default()
        } else {
            self.returned
                .remove(&task)
                .expect("only the head of the queue is taken")
        }
    }

    /// Puts a task back at its place.
    pub(super) fn put_back(&mut self, task: u32, slots: u32, past: Past) {
        self.returned.insert(task, past);
        self.waiting_slots += u64::from(slots);
    }

    /// Returns how many tasks wait, those that can never run included.
    pub(super) fn waiting(&self) -> u32 {
        self.returned.len() as u32 + (self.submitted - self.fresh) + self.never_passed
    }

    pub(super) const fn submitted(&self) -> u32 {
        self.submitted
    }

    /// Returns the submitted tasks that can never run.
    pub(super) fn never(&self) -> &[u32] {
        &self.never
    }

    pub(super) const fn waiting_slots(&self) -> u64 {
        self.waiting_slots
    }

    /// Returns the waiting tasks that can run, in order, and what became of them before.
    pub(super) fn feasible<'a>(
        &'a self,
        tasks: &'a [Task],
        slots_per_node: u32,
    ) -> impl Iterator<Item = (u32, Past)> + 'a {
        let fits = move |task: &u32| tasks[*task as usize].slots <= slots_per_node;
        let fresh = (self.fresh..self.submitted).filter(fits);
        let returned = self.returned.iter().map(|(task, past)| (*task, *past));
        returned.chain(fresh.map(|task| (task, Past::default())))
    }
}
