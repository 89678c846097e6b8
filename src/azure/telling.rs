//! What a look has listed, in the engine's terms: the tasks and nodes of a pool, and what the account shares.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::Fault;
use super::cadence::{JobMemory, Jobs};
use super::live::PoolMemory;
use super::look::{JobTasks, Seen};
use super::nodes::ServiceNode;
use super::standing::pool_state;
use super::taskbook::{NodesById, Taskbook, add_unlisted};
use crate::account::{Holding, JobIndex, NodeDeallocationOption, PoolState, Work};
use crate::base::Timestamp;
use crate::engine::AccountView;

/// Tells the work of a pool; what has ended is told from the second look on.
pub(super) fn tell(
    now: Timestamp,
    pool: &PoolState,
    key: &str,
    jobs: &mut Jobs,
    memory: &mut PoolMemory,
    seen: &mut Seen,
    into: &mut Work,
) {
    let nodes: &[ServiceNode] = seen.nodes.get(key).map_or(&[], Vec::as_slice);
    memory.roster.see(now, nodes, &mut into.nodes, &mut into.ended);
    let by_id: NodesById<'_> = nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let mut priorities: HashMap<JobIndex, i32> = HashMap::new();
    let here = jobs
        .iter_mut()
        .chain(seen.over.iter_mut())
        .filter(|(_, job)| job.pool == key);
    for (id, job) in here {
        let tasks = seen.tasks.remove(id).unwrap_or_default();
        let index = into.jobs.add(id);
        priorities.insert(index, job.priority);
        tell_job(now, index, job, &tasks, &by_id, into);
    }
    let priority = |job: Option<JobIndex>| job.and_then(|job| priorities.get(&job)).copied().unwrap_or(0);
    // Jobs of a higher priority go first, and tasks that fit on no node wait for ever, behind all others.
    into.waiting.sort_by_key(|task| {
        let never = task.slots > pool.task_slots_per_node;
        (never, Reverse(priority(task.job)), task.submitted)
    });
}

fn tell_job(
    now: Timestamp,
    index: JobIndex,
    job: &mut JobMemory,
    tasks: &JobTasks,
    nodes: &NodesById<'_>,
    into: &mut Work,
) {
    let book = job.book.get_or_insert_with(|| Taskbook::begin(now));
    book.see_unfinished(now, index, &tasks.unfinished, nodes, into);
    if tasks.is_cut {
        let counts = (job.counts.task_counts, job.counts.task_slot_counts);
        add_unlisted(now, index, &tasks.unfinished, counts, into);
    }
    book.see_finished(now, index, &tasks.finished, into);
    job.completed_told = Some(job.counts.task_counts.completed);
}

/// Tells what the pools that were not asked about hold; quotas are not told by the data plane.
pub(super) fn account(seen: &Seen) -> AccountView {
    let holding = |pool: &super::Pool| {
        let id = pool.id.parse().ok()?;
        Some(Holding::from(&pool_state(
            id,
            pool,
            NodeDeallocationOption::default(),
        )))
    };
    let fault = seen.unread.first().map(|unread| {
        let id = unread.id.as_deref().unwrap_or("a pool without an id");
        let fault = Fault::Unreadable {
            request: format!("GET /pools ({id})"),
            why: unread.why.clone(),
        };
        fault.to_observe_error()
    });
    AccountView {
        quotas: None,
        pools: seen.others.iter().filter_map(holding).collect(),
        fault,
    }
}
