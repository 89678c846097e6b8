//! How long nodes took to boot and tasks waited, of what is told one by one.

use std::collections::BTreeSet;

use crate::account::{NodeActivity, Work};
use crate::base::{Lane, Span, Timestamp};

/// The machines of a pool that were seen before they could take tasks.
#[derive(Debug, Default)]
pub(super) struct Watched {
    starting: BTreeSet<(Lane, Timestamp)>,
}

impl Watched {
    /// Returns how many seconds the nodes of each lane took that can take tasks now and could not before.
    pub(super) fn boots(&mut self, work: &Work) -> Vec<(&'static str, f64)> {
        let mut booted = Vec::new();
        let mut starting = BTreeSet::new();
        for node in &work.nodes {
            let machine = (node.lane, node.granted);
            match node.activity {
                NodeActivity::Starting => {
                    starting.insert(machine);
                }
                NodeActivity::Ready if self.starting.contains(&machine) => {
                    let seconds = node.since.since(node.granted).as_seconds();
                    booted.push((node.lane.word(), seconds));
                }
                _ => {}
            }
        }
        self.starting = starting;
        booted
    }
}

/// Returns how many seconds the tasks waited that were started first between two looks.
pub(super) fn waits(work: &Work, since: Timestamp, now: Timestamp) -> impl Iterator<Item = f64> {
    let running = work.running.iter().filter(|task| task.ran == Span::ZERO);
    let running = running.map(|task| (task.submitted, task.started));
    let finished = work.finished.iter().map(|task| (task.submitted, task.started));
    running
        .chain(finished)
        .filter(move |(_, started)| since < *started && *started <= now)
        .map(|(submitted, started)| started.since(submitted).as_seconds())
}
