//! Requests that make a pool or change what it is: add, patch, update-properties.

use serde_json::{Map, Value};

use super::Desk;
use super::autoscale::{INTERVAL, NODES_MAX, checked_interval, compile};
use super::body::{Body, checked_id};
use super::job::JobState;
use super::pool::Pool;
use super::refuse;
use super::resize::{Wanted, mix};
use super::task::TaskState;
use crate::account::{NodeDeallocationOption, vm_size};
use crate::base::{Mix, Span};
use crate::emulator::answer::{Answer, Refused};
use crate::formula::Formula;

/// `resizeTimeout` of Pool - Add and Pool - Resize: 15 minutes by default, at least 5.
pub(super) const RESIZE_TIMEOUT: Span = Span::minutes(15);
const RESIZE_TIMEOUT_MIN: Span = Span::minutes(5);

/// Properties that are kept as they were given and only told again.
const TOLD_AGAIN: &[&str] = &[
    "displayName",
    "virtualMachineConfiguration",
    "cloudServiceConfiguration",
    "enableInterNodeCommunication",
    "networkConfiguration",
    "startTask",
    "certificateReferences",
    "applicationPackageReferences",
    "applicationLicenses",
    "taskSchedulingPolicy",
    "userAccounts",
    "metadata",
    "mountConfiguration",
    "identity",
    "resourceTags",
    "targetNodeCommunicationMode",
    "upgradePolicy",
];

/// Properties that update-properties replaces; what is not given is gone.
const REPLACED: &[&str] = &[
    "startTask",
    "applicationPackageReferences",
    "certificateReferences",
    "metadata",
    "targetNodeCommunicationMode",
];

/// Where the nodes of a new pool come from.
enum Sized {
    Fixed(Wanted),
    ByFormula {
        source: String,
        interval: Span,
        formula: Formula,
    },
}

/// Reads and checks `resizeTimeout`.
pub(super) fn resize_timeout(body: &mut Body) -> Result<Span, Refused> {
    match body.span("resizeTimeout")? {
        Some(timeout) if timeout < RESIZE_TIMEOUT_MIN => Err(refuse::value(
            "resizeTimeout",
            &timeout.to_string(),
            "the resize timeout must be at least 5 minutes",
        )),
        given => Ok(given.unwrap_or(RESIZE_TIMEOUT)),
    }
}

/// Reads both targets; at least one is given, or none.
pub(super) fn targets(body: &mut Body) -> Result<(Option<u32>, Option<u32>), Refused> {
    let mut target = |name| {
        let given = body.integer(name, 0, i64::from(NODES_MAX))?;
        Ok::<_, Refused>(given.map(|nodes| nodes as u32))
    };
    Ok((target("targetDedicatedNodes")?, target("targetLowPriorityNodes")?))
}

impl Desk {
    /// Pool - Add.
    pub(super) fn add_pool(&mut self, bytes: &[u8]) -> Result<Answer, Refused> {
        let mut body = Body::read(bytes)?;
        let id = checked_id(body.text("id")?)?;
        let number = self.make_pool(&id, &mut body)?;
        let pool = self.pool(number);
        Ok(Answer::created(format!("/pools/{id}")).version(pool.etag(), pool.modified))
    }

    /// Makes a pool of what is given, and begins to fill it.
    pub(super) fn make_pool(&mut self, id: &str, body: &mut Body) -> Result<u32, Refused> {
        let size = body
            .text("vmSize")?
            .ok_or_else(|| refuse::missing("vmSize"))?
            .to_ascii_lowercase();
        let meaning = vm_size(&size);
        let cores = meaning.as_ref().map_or(1, |size| size.cores);
        let family = meaning.map_or_else(|| format!("{size}Family"), |size| size.family);
        let slots_max = i64::from(cores * 4).min(256);
        let slots = match body.integer("taskSlotsPerNode", 1, slots_max)? {
            Some(slots) => slots,
            None => body.integer("maxTasksPerNode", 1, slots_max)?.unwrap_or(1),
        };
        let sized = sized(body)?;
        let given = body.told_again(TOLD_AGAIN);
        let packs = fills_by_packing(&given)?;
        self.check_new_pool(id)?;

        let number = self.number();
        let id = id.parse().expect("the id was checked");
        let mut pool = Pool::new(number, id, self.now);
        pool.vm_size = size;
        pool.cores = cores;
        pool.family = family;
        pool.slots_per_node = slots as u32;
        pool.packs = packs;
        pool.given = given;
        self.pool_names
            .insert(pool.id.as_str().to_ascii_lowercase(), number);
        self.pools.insert(number, pool);
        self.adopt_jobs(number);
        self.stir(number);
        let (created, now) = (self.now, self.now);
        match sized {
            Sized::Fixed(wanted) if wanted.target == Mix::ZERO => {
                self.pool_mut(number).resize_timeout = wanted.timeout;
            }
            Sized::Fixed(wanted) => self.begin_resize(number, wanted, &[]),
            Sized::ByFormula {
                source,
                interval,
                formula,
            } => {
                self.pool_mut(number).autoscale_enabled_at = Some(now);
                self.set_autoscale(number, source, interval, formula);
            }
        }
        // What a new pool does at once belongs to its making.
        self.pool_mut(number).modified = created;
        Ok(number)
    }

    fn check_new_pool(&self, id: &str) -> Result<(), Refused> {
        if let Some(number) = self.pool_names.get(&id.to_ascii_lowercase()) {
            return Err(if self.pool(*number).deleting.is_some() {
                refuse::conflict("PoolBeingDeleted", "The specified pool is being deleted.")
            } else {
                refuse::conflict("PoolExists", "The specified pool already exists.")
            });
        }
        if self.pools.len() as u64 >= u64::from(self.setup.account.pools_max) {
            return Err(refuse::conflict(
                "PoolQuotaReached",
                "The pool quota for the account has been reached.",
            ));
        }
        Ok(())
    }

    /// Lets the jobs that named a pool before it was there run in it.
    fn adopt_jobs(&mut self, number: u32) {
        let name = self.pool(number).id.as_str().to_ascii_lowercase();
        let mine = self
            .jobs
            .values()
            .filter(|job| job.state != JobState::Completed && job.pool_id.eq_ignore_ascii_case(&name));
        let mine: Vec<u32> = mine.map(|job| job.number).collect();
        for job in mine {
            self.bind(job, number);
        }
    }

    /// Lets a job run in a pool: what needs more slots than a node has never waits.
    pub(super) fn bind(&mut self, job: u32, number: u32) {
        let per_node = self.pool(number).slots_per_node;
        let found = self.job_mut(job);
        let key = (-found.priority, job);
        let waits = found.tasks.iter().filter(|(place, task)| {
            task.state == TaskState::Active && task.slots <= per_node && !found.blocked.contains(place)
        });
        found.waiting = waits.map(|(place, _)| *place).collect();
        self.pool_mut(number).jobs.insert(key);
        self.retally(job);
    }

    /// Pool - Patch: what is given replaces what was.
    pub(super) fn patch_pool(&mut self, number: u32, bytes: &[u8]) -> Result<Answer, Refused> {
        let mut body = Body::read(bytes)?;
        let slots = body.integer("taskSlotsPerNode", 1, 256)?;
        let size = body.text("vmSize")?;
        let given = body.told_again(TOLD_AGAIN);
        let packs = fills_by_packing(&given)?;
        let now = self.now;
        let pool = self.pool_mut(number);
        if (slots.is_some() || size.is_some()) && pool.present().next().is_some() {
            return Err(refuse::state(
                "vmSize and taskSlotsPerNode can be changed while the pool has no node",
            ));
        }
        if given.contains_key("taskSchedulingPolicy") {
            pool.packs = packs;
        }
        if let Some(slots) = slots {
            pool.slots_per_node = slots as u32;
        }
        if let Some(size) = size {
            pool.vm_size = size.to_ascii_lowercase();
            if let Some(meaning) = vm_size(&size) {
                (pool.cores, pool.family) = (meaning.cores, meaning.family);
            }
        }
        for (name, value) in given {
            // An empty start task is how a patch takes one away.
            let is_none = name == "startTask" && value.as_object().is_some_and(Map::is_empty);
            if is_none {
                pool.given.remove(&name);
            } else {
                pool.given.insert(name, value);
            }
        }
        pool.touch(now);
        if slots.is_some() {
            let jobs: Vec<u32> = pool.jobs.iter().map(|(_, job)| *job).collect();
            for job in jobs {
                self.bind(job, number);
            }
        }
        let pool = self.pool(number);
        Ok(Answer::empty(200).version(pool.etag(), pool.modified))
    }

    /// Pool - Update properties: what is not given is gone.
    pub(super) fn update_pool(&mut self, number: u32, bytes: &[u8]) -> Result<Answer, Refused> {
        let mut body = Body::read(bytes)?;
        for required in ["applicationPackageReferences", "metadata"] {
            if !body.0.contains_key(required) {
                return Err(refuse::missing(required));
            }
        }
        let now = self.now;
        let pool = self.pool_mut(number);
        for name in REPLACED {
            match body.take(name) {
                Some(value) => pool.given.insert((*name).to_owned(), value),
                None => pool.given.remove(*name),
            };
        }
        pool.touch(now);
        let pool = self.pool(number);
        Ok(Answer::empty(204).version(pool.etag(), pool.modified))
    }
}

/// Reads `taskSchedulingPolicy.nodeFillType`.
fn fills_by_packing(given: &Map<String, Value>) -> Result<bool, Refused> {
    let Some(policy) = given.get("taskSchedulingPolicy") else {
        return Ok(false);
    };
    let mut policy = Body(policy.as_object().cloned().unwrap_or_default());
    let word = policy.word("nodeFillType", &["spread", "pack"])?;
    Ok(word == Some("pack"))
}

/// Reads where the nodes of a new pool come from.
fn sized(body: &mut Body) -> Result<Sized, Refused> {
    let timeout = resize_timeout(body)?;
    let by_formula = body.truth("enableAutoScale")?.unwrap_or(false);
    let (dedicated, spot) = targets(body)?;
    let source = body.text("autoScaleFormula")?;
    let interval = body.span("autoScaleEvaluationInterval")?;
    let settings = |property: &str, reason: &str| {
        refuse::autoscale_settings()
            .with("PropertyName", property)
            .with("Reason", reason)
    };
    if !by_formula {
        if source.is_some() || interval.is_some() {
            return Err(settings(
                "autoScaleFormula",
                "it cannot be given unless enableAutoScale is true",
            ));
        }
        let target = mix(dedicated.unwrap_or(0), spot.unwrap_or(0));
        let option = NodeDeallocationOption::Requeue;
        return Ok(Sized::Fixed(Wanted {
            target,
            option,
            timeout,
        }));
    }
    if dedicated.is_some() || spot.is_some() {
        return Err(settings(
            "targetDedicatedNodes",
            "targets cannot be given when enableAutoScale is true",
        ));
    }
    let source = source.ok_or_else(|| refuse::missing("autoScaleFormula"))?;
    let formula = compile(&source)?;
    let interval = checked_interval(interval)?.unwrap_or(INTERVAL);
    Ok(Sized::ByFormula {
        source,
        interval,
        formula,
    })
}
