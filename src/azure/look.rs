//! One look at a whole account: pools, node counts, active jobs and their task counts, side by side.
//!
//! ```text
//! pools ──┬─► node counts ──────────────┐
//! jobs ───┴─► task counts of each job ──┼─► what was seen
//!               └─► its tasks  (if asked) ──┤
//!             nodes of each pool (if asked) ┘
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;

use tokio::task::JoinSet;

use super::cadence::{self, Jobs};
use super::jobs::{Job, ServiceTask, TaskCounts};
use super::lists::{Listed, Query, Unread};
use super::nodes::{PoolNodeCounts, ServiceNode};
use super::pools::Pool;
use super::words::PoolStage;
use super::{Client, Fault};
use crate::base::Timestamp;
use crate::engine::Turn;

/// What is asked of an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// Which pools, and which of them are only sampled this time.
    pub(super) turns: &'a [Turn],
    /// Whether those that are only sampled are counted.
    pub(super) samples: bool,
    /// Whether tasks are counted.
    pub(super) tasks: bool,
    /// Whether tasks and nodes are listed one by one.
    pub(super) work: bool,
    /// The number of the round, by which quiet jobs take turns.
    pub(super) round: u64,
}

/// What was seen, by the ids of pools in lower case.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The pools that are looked at or sampled.
    pub(super) pools: Vec<Pool>,
    /// Those of them whose turn it is.
    pub(super) asked: BTreeSet<String>,
    /// The pools that nobody speaks of.
    pub(super) others: Vec<Pool>,
    /// Pools that could not be read.
    pub(super) unread: Vec<Unread>,
    pub(super) counts: HashMap<String, PoolNodeCounts>,
    pub(super) nodes: HashMap<String, Vec<ServiceNode>>,
    /// The tasks of jobs that were asked for them.
    pub(super) tasks: BTreeMap<String, JobTasks>,
    /// Jobs that were there at the last look and are over.
    pub(super) over: Jobs,
    /// The first fault of each pool.
    pub(super) faults: HashMap<String, Fault>,
    /// What keeps every pool from being judged.
    pub(super) fault: Option<Fault>,
}

/// The tasks of a job, one by one.
#[derive(Debug, Default)]
pub(super) struct JobTasks {
    /// Those that are not over, or as many as are listed.
    pub(super) unfinished: Vec<ServiceTask>,
    /// Whether there are more than were listed.
    pub(super) is_cut: bool,
    /// Those that ended since the last look.
    pub(super) finished: Vec<ServiceTask>,
}

/// Tasks of one job that are listed one by one; further ones are known by number. Twenty pages are read within seconds.
const TASKS_LISTED_MAX: usize = 20_000;
/// Pools whose node counts come on one page (Account - List Pool Node Counts).
const COUNTS_PAGE: u32 = 10;

const FIELDS_OF_A_POOL: &str = "id,eTag,state,allocationState,allocationStateTransitionTime,vmSize,taskSlotsPerNode,\
currentDedicatedNodes,targetDedicatedNodes,currentLowPriorityNodes,targetLowPriorityNodes,enableAutoScale,\
autoScaleFormula,resizeErrors";
const FIELDS_OF_A_JOB: &str = "id,priority,poolInfo,executionInfo";
const FIELDS_OF_A_TASK: &str = "id,state,creationTime,requiredSlots,executionInfo,nodeInfo";
const FIELDS_OF_A_NODE: &str = "id,state,schedulingState,stateTransitionTime,allocationTime,lastBootTime,\
isDedicated,runningTasksCount,runningTaskSlotsCount";

const ACTIVE: &str = "state eq 'active'";
const UNFINISHED: &str = "state eq 'active' or state eq 'preparing' or state eq 'running'";

/// Looks at an account once; `over` are jobs that were found to be over before, and whose last tasks are untold. They stay
/// where they are when the look fails.
///
/// # Errors
/// When the pools cannot be listed; what fails for one pool alone is in the answer.
pub(super) async fn look(
    client: &Client,
    wanted: Wanted<'_>,
    jobs: &mut Jobs,
    over: &mut Jobs,
) -> Result<Seen, Fault> {
    let (all_pools, active) =
        tokio::join!(list_pools(client), list_jobs(client, wanted.tasks || wanted.work));
    let all_pools = all_pools?;
    let n_pools = all_pools.found.len();
    let mut seen = choose(all_pools, wanted.turns);
    let keys: BTreeSet<String> = seen.pools.iter().map(|pool| key(&pool.id)).collect();
    seen.over = std::mem::take(over);
    match active {
        Ok(Some(active)) => take_in_jobs(&mut seen, jobs, &active, &keys),
        Ok(None) => {}
        Err(fault) => seen.fault = Some(fault),
    }
    let asks_jobs = seen.fault.is_none() && (wanted.tasks || wanted.work);
    let (asked, rest): (Vec<&Pool>, Vec<&Pool>) = seen
        .pools
        .iter()
        .partition(|pool| seen.asked.contains(&key(&pool.id)));
    let rest = rest.into_iter().filter(|_| wanted.samples);
    // Nodes that are listed one by one are counted there.
    let counted: Vec<&Pool> = asked
        .iter()
        .copied()
        .filter(|_| !wanted.work)
        .chain(rest)
        .collect();
    let (counts, answers, nodes) = tokio::join!(
        list_counts(client, &counted, n_pools),
        ask_jobs(client, wanted, jobs, &seen, asks_jobs),
        list_nodes(client, &asked, wanted.work),
    );
    match counts {
        Ok(counts) => seen.counts = counts,
        Err(fault) => {
            let hidden: Vec<String> = counted.iter().map(|pool| key(&pool.id)).collect();
            for pool in hidden {
                seen.faults.entry(pool).or_insert_with(|| fault.clone());
            }
        }
    }
    for (id, answer) in answers {
        take_in(&mut seen, jobs, id, answer);
    }
    for (pool, nodes) in nodes {
        match nodes.and_then(|nodes| nodes.whole(&format!("GET /pools/{pool}/nodes"))) {
            Ok(nodes) => {
                seen.nodes.insert(pool, nodes);
            }
            Err(fault) => {
                seen.faults.entry(pool).or_insert(fault);
            }
        }
    }
    Ok(seen)
}

/// Takes in the list of active jobs. One that cannot be read hides the pool that it names, or else the one that it was on when it was
/// last read; the other pools are steered. One that names none and never was read, as after a restart, may be on any pool: it hides
/// all of them, as a list does that cannot be read.
fn take_in_jobs(seen: &mut Seen, jobs: &mut Jobs, active: &Listed<Job>, keys: &BTreeSet<String>) {
    let unread: Vec<_> = active
        .unread
        .iter()
        .map(|unread| {
            let known = unread.id.as_ref().and_then(|id| jobs.get_key_value(id));
            (
                unread.pool.as_deref().map(key),
                known.map(|(id, job)| (id.clone(), job.clone())),
                Fault::Unreadable {
                    request: format!(
                        "GET /jobs ({})",
                        unread.id.as_deref().unwrap_or("a job without an id")
                    ),
                    why: unread.why.clone(),
                },
            )
        })
        .collect();
    seen.over
        .extend(cadence::see(jobs, &active.found, |pool| keys.contains(pool)));
    for (named, known, fault) in unread {
        match named.or_else(|| known.as_ref().map(|(_, job)| job.pool.clone())) {
            Some(pool) => _ = seen.faults.entry(pool).or_insert(fault),
            None => _ = seen.fault.get_or_insert(fault),
        }
        if let Some((id, job)) = known {
            seen.over.remove(&id);
            jobs.insert(id, job);
        }
    }
}

/// Returns the id of a pool as it is compared: two pools of one account cannot differ in case alone.
pub(super) fn key(id: &str) -> String {
    id.to_ascii_lowercase()
}

async fn list_pools(client: &Client) -> Result<Listed<Pool>, Fault> {
    let query = Query {
        select: FIELDS_OF_A_POOL,
        ..Query::default()
    };
    client.pools(&query).await
}

async fn list_jobs(client: &Client, asked: bool) -> Result<Option<Listed<Job>>, Fault> {
    if !asked {
        return Ok(None);
    }
    let query = Query {
        select: FIELDS_OF_A_JOB,
        filter: ACTIVE,
        page: None,
    };
    client.jobs(&query).await.map(Some)
}

/// Says whether it is a pool's turn; nothing where nobody speaks of it.
fn turn_of(id: &str, turns: &[Turn]) -> Option<bool> {
    let id = id.parse().ok()?;
    let turn = turns.iter().find(|turn| turn.pools.matches(&id))?;
    Some(turn.due)
}

/// Keeps the pools that are wanted and there to stay.
fn choose(all: Listed<Pool>, turns: &[Turn]) -> Seen {
    let wanted = |id: &str| turn_of(id, turns).is_some();
    let (pools, others): (Vec<Pool>, Vec<Pool>) = all.found.into_iter().partition(|pool| wanted(&pool.id));
    let asked = pools.iter().filter(|pool| turn_of(&pool.id, turns) == Some(true));
    let mut seen = Seen {
        asked: asked.map(|pool| key(&pool.id)).collect(),
        pools,
        others,
        unread: all.unread,
        ..Seen::default()
    };
    seen.pools.retain(|pool| pool.state != PoolStage::Deleting);
    seen
}

/// Counts nodes: pool by pool when few of many are wanted, else page by page.
async fn list_counts(
    client: &Client,
    pools: &[&Pool],
    n_pools: usize,
) -> Result<HashMap<String, PoolNodeCounts>, Fault> {
    let n_pages = n_pools.div_ceil(COUNTS_PAGE as usize);
    let mut found = HashMap::new();
    let mut add = |listed: Listed<PoolNodeCounts>| {
        found.extend(
            listed
                .found
                .into_iter()
                .map(|counts| (key(&counts.pool_id), counts)),
        );
    };
    if pools.len() < n_pages {
        let one = |pool: &Pool| {
            let (client, filter) = (client.clone(), format!("poolId eq '{}'", pool.id));
            async move {
                let query = Query {
                    filter: &filter,
                    ..Query::default()
                };
                client.node_counts(&query).await
            }
        };
        for listed in together(pools.iter().copied().map(one)).await {
            add(listed?);
        }
    } else if !pools.is_empty() {
        let query = Query {
            page: Some(COUNTS_PAGE),
            ..Query::default()
        };
        add(client.node_counts(&query).await?);
    }
    Ok(found)
}

/// Lists the nodes of a pool with what is read of them.
pub(super) async fn nodes_of(client: &Client, pool: &str) -> Result<Listed<ServiceNode>, Fault> {
    let query = Query {
        select: FIELDS_OF_A_NODE,
        ..Query::default()
    };
    client.nodes(pool, &query).await
}

async fn list_nodes(
    client: &Client,
    pools: &[&Pool],
    asked: bool,
) -> Vec<(String, Result<Listed<ServiceNode>, Fault>)> {
    let one = |pool: &Pool| {
        let (client, id) = (client.clone(), pool.id.clone());
        async move { (key(&id), nodes_of(&client, &id).await) }
    };
    together(pools.iter().copied().filter(|_| asked).map(one)).await
}

/// What a job was answered.
struct JobAnswer {
    /// `None` when it is over, or not asked again.
    counts: Option<Result<TaskCounts, Fault>>,
    tasks: Option<Result<JobTasks, Fault>>,
}

async fn ask_jobs(
    client: &Client,
    wanted: Wanted<'_>,
    jobs: &Jobs,
    seen: &Seen,
    asked: bool,
) -> Vec<(String, JobAnswer)> {
    let now = client.clock().now();
    let is_over = |id: &String| seen.over.contains_key(id);
    let lists = |job: &cadence::JobMemory| wanted.work && seen.asked.contains(&job.pool);
    let counts = |job: &cadence::JobMemory| wanted.tasks || seen.asked.contains(&job.pool);
    let due = jobs
        .iter()
        .filter(|(_, job)| job.is_due(wanted.round) && counts(job));
    // What a job that is over did since the last look would be lost otherwise.
    let last = seen
        .over
        .iter()
        .filter(|(_, job)| lists(job) && job.book.is_some());
    let ask = |(id, job): (&String, &cadence::JobMemory)| {
        let (client, id, is_over, work) = (client.clone(), id.clone(), is_over(id), lists(job));
        let told_to = job.book.as_ref().map_or(now, |book| book.told_to);
        let completed_told = job.completed_told;
        async move {
            let answer = ask_job(&client, &id, is_over, work, (told_to, completed_told)).await;
            (id, answer)
        }
    };
    together(due.chain(last).filter(|_| asked).map(ask)).await
}

async fn ask_job(
    client: &Client,
    id: &str,
    is_over: bool,
    work: bool,
    (told_to, completed_told): (Timestamp, Option<u32>),
) -> JobAnswer {
    let counts = if is_over {
        None
    } else {
        match client.task_counts(id).await {
            Ok(counts) => Some(counts),
            // It went between the list and the question.
            Err(fault) if fault.is_missing() => Some(TaskCounts::default()),
            Err(fault) => {
                return JobAnswer {
                    counts: Some(Err(fault)),
                    tasks: None,
                };
            }
        }
    };
    let tasks = if work {
        Some(list_tasks(client, id, counts, (told_to, completed_told)).await)
    } else {
        None
    };
    JobAnswer {
        counts: counts.map(Ok),
        tasks,
    }
}

/// Lists what is not over when there is any, and what has ended when its number has changed.
async fn list_tasks(
    client: &Client,
    job: &str,
    counts: Option<TaskCounts>,
    (told_to, completed_told): (Timestamp, Option<u32>),
) -> Result<JobTasks, Fault> {
    let mut tasks = JobTasks::default();
    let counts = counts.map(|counts| counts.task_counts);
    if counts.is_some_and(|counts| counts.active > 0 || counts.running > 0) {
        let query = Query {
            select: FIELDS_OF_A_TASK,
            filter: UNFINISHED,
            page: None,
        };
        let listed = client.tasks(job, &query, TASKS_LISTED_MAX).await?;
        tasks.unfinished = listed.whole(&format!("GET /jobs/{job}/tasks"))?;
        tasks.is_cut = tasks.unfinished.len() >= TASKS_LISTED_MAX;
    }
    let has_ended = counts.is_none_or(|counts| completed_told.is_some_and(|told| told != counts.completed));
    if has_ended {
        let filter = format!("state eq 'completed' and executionInfo/endTime ge datetime'{told_to}'");
        let query = Query {
            select: FIELDS_OF_A_TASK,
            filter: &filter,
            page: None,
        };
        match client.tasks(job, &query, TASKS_LISTED_MAX).await {
            Ok(listed) => tasks.finished = listed.whole(&format!("GET /jobs/{job}/tasks"))?,
            Err(fault) if fault.is_missing() => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(tasks)
}

fn take_in(seen: &mut Seen, jobs: &mut Jobs, id: String, answer: JobAnswer) {
    let pool = jobs
        .get(&id)
        .or(seen.over.get(&id))
        .map(|job| job.pool.clone())
        .unwrap_or_default();
    match answer.counts {
        Some(Ok(counts)) => {
            if let Some(job) = jobs.get_mut(&id) {
                job.answered(counts);
            }
        }
        Some(Err(fault)) => {
            seen.faults.entry(pool.clone()).or_insert(fault);
        }
        None => {}
    }
    match answer.tasks {
        Some(Ok(tasks)) => {
            seen.tasks.insert(id, tasks);
        }
        Some(Err(fault)) => {
            seen.faults.entry(pool).or_insert(fault);
        }
        None => {}
    }
}

/// Runs futures side by side, as many at once as the client allows, and returns what they gave in no order.
async fn together<F>(futures: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut set: JoinSet<F::Output> = futures.collect();
    let mut outputs = Vec::with_capacity(set.len());
    while let Some(output) = set.join_next().await {
        // A mistake of ours in one of them is a mistake of the whole.
        outputs.push(output.expect("a look neither panics nor is cancelled"));
    }
    outputs
}
