//! Requests to a pool that is there: resize, stop, remove nodes, autoscale, delete.

use super::Desk;
use super::autoscale::{NODES_MAX, compile};
use super::body::Body;
use super::pool_making::{resize_timeout, targets};
use super::refs::Event;
use super::refuse;
use super::resize::{Wanted, mix};
use crate::account::{AllocationState, NodeDeallocationOption};
use crate::base::{Lane, Nodes, Span};
use crate::emulator::answer::{Answer, Refused};
use crate::emulator::asked::Asked;

/// Pool - Remove nodes: "a maximum of 100 nodes may be removed per request".
const REMOVED_MAX: usize = 100;

impl Desk {
    /// Returns a pool by its id, in any case.
    pub(super) fn find_pool(&self, id: &str) -> Result<u32, Refused> {
        self.pool_names
            .get(&id.to_ascii_lowercase())
            .copied()
            .ok_or_else(|| refuse::not_found("PoolNotFound"))
    }

    /// Returns a pool that is to be written to: it is not being deleted, and the request's condition holds.
    pub(super) fn find_pool_to_write(&self, id: &str, asked: &Asked) -> Result<u32, Refused> {
        let number = self.find_pool(id)?;
        let pool = self.pool(number);
        if pool.deleting.is_some() {
            return Err(refuse::conflict(
                "PoolBeingDeleted",
                "The specified pool is being deleted.",
            ));
        }
        asked.meets(&pool.etag(), pool.modified)?;
        Ok(number)
    }

    /// Checks that a pool takes an order for nodes.
    fn check_steady(&self, number: u32) -> Result<(), Refused> {
        let pool = self.pool(number);
        if pool.autoscale.is_some() {
            return Err(refuse::state("automatic scaling is enabled on the pool"));
        }
        if pool.allocation != AllocationState::Steady {
            return Err(refuse::being_resized());
        }
        Ok(())
    }

    /// Pool - Resize. An omitted target stays as it is, which the service does not document.
    pub(super) fn resize_pool(&mut self, number: u32, bytes: &[u8]) -> Result<(), Refused> {
        let mut body = Body::read(bytes)?;
        let (dedicated, spot) = targets(&mut body)?;
        let timeout = resize_timeout(&mut body)?;
        let option = deallocation_option(&mut body)?;
        if dedicated.is_none() && spot.is_none() {
            return Err(refuse::missing("targetDedicatedNodes"));
        }
        self.check_steady(number)?;
        let before = self.pool(number).target;
        let target = mix(
            dedicated.unwrap_or(before.dedicated.0),
            spot.unwrap_or(before.spot.0),
        );
        let wanted = Wanted {
            target,
            option,
            timeout,
        };
        self.begin_resize(number, wanted, &[]);
        Ok(())
    }

    /// Pool - Stop resize.
    pub(super) fn stop_resizing(&mut self, number: u32) -> Result<(), Refused> {
        if self.pool(number).allocation != AllocationState::Resizing {
            return Err(refuse::state("the pool is not being resized"));
        }
        self.stop_resize(number);
        Ok(())
    }

    /// Pool - Remove nodes: the targets fall by what goes.
    pub(super) fn remove_nodes(&mut self, number: u32, bytes: &[u8]) -> Result<(), Refused> {
        let mut body = Body::read(bytes)?;
        let timeout = resize_timeout(&mut body)?;
        let option = deallocation_option(&mut body)?;
        let list = body
            .list("nodeList")?
            .ok_or_else(|| refuse::missing("nodeList"))?;
        if list.is_empty() || list.len() > REMOVED_MAX {
            return Err(refuse::value(
                "nodeList",
                &format!("{} nodes", list.len()),
                "from 1 to 100 nodes can be removed at once",
            ));
        }
        self.check_steady(number)?;
        let pool = self.pool(number);
        let mut leaving = Vec::new();
        for id in &list {
            let id = id.as_str().unwrap_or("");
            let place = pool.place_of(id);
            let place = place.ok_or_else(|| refuse::not_found("NodeNotFound").with("NodeId", id))?;
            if !leaving.contains(&place) {
                leaving.push(place);
            }
        }
        let mut target = pool.target;
        for index in &leaving {
            let lane = pool.nodes[*index as usize].lane;
            target = target.with(lane, target.get(lane).saturating_sub(Nodes(1)));
        }
        let wanted = Wanted {
            target,
            option,
            timeout,
        };
        self.begin_resize(number, wanted, &leaving);
        Ok(())
    }

    /// Pool - Enable auto scale.
    pub(super) fn enable_auto_scale(&mut self, number: u32, bytes: &[u8]) -> Result<(), Refused> {
        let mut body = Body::read(bytes)?;
        let source = body.text("autoScaleFormula")?;
        let interval = body.span("autoScaleEvaluationInterval")?;
        self.enable_autoscale(number, source, interval)
    }

    /// Pool - Evaluate auto scale: the run is told and not carried out.
    pub(super) fn evaluate_auto_scale(&mut self, number: u32, bytes: &[u8]) -> Result<Answer, Refused> {
        let mut body = Body::read(bytes)?;
        let source = body.text("autoScaleFormula")?;
        let source = source.ok_or_else(|| refuse::missing("autoScaleFormula"))?;
        if self.pool(number).autoscale.is_none() {
            return Err(refuse::state("automatic scaling is not enabled on the pool"));
        }
        let formula = compile(&source)?;
        let (run, _) = self.try_formula(number, &formula);
        let run = super::views::auto_scale_run(&run);
        Ok(Answer::read(
            run,
            "Microsoft.Azure.Batch.Protocol.Entities.AutoScaleRun",
        ))
    }

    /// Pool - Delete: the resize that runs is stopped, tasks go back, and the pool is gone once its nodes are.
    pub(super) fn delete_pool(&mut self, number: u32) {
        let now = self.now;
        let pool = self.pool_mut(number);
        pool.deleting = Some(now);
        pool.autoscale = None;
        pool.autoscale_version += 1;
        pool.resize.number += 1;
        pool.resize.granting = 0;
        pool.resize.awaited = 0;
        pool.touch(now);
        pool.recall(now);
        let places: Vec<u32> = pool.present().map(|(index, _)| index).collect();
        for index in places {
            self.dismiss(number, index, NodeDeallocationOption::Requeue);
        }
        if self.pool(number).present().next().is_none() {
            let spread = self.setup.timing.job;
            let time = self
                .chance
                .between(spread.least, spread.most)
                .max(Span::seconds(1));
            self.agenda.note(now + time, Event::PoolGone { pool: number });
        }
    }

    /// Lets a pool be gone; its jobs stay and wait for another of its name.
    pub(super) fn pool_is_gone(&mut self, number: u32) {
        let Some(pool) = self.pools.remove(&number) else {
            return;
        };
        self.pool_names.remove(&pool.id.as_str().to_ascii_lowercase());
        self.stirred.remove(&number);
        for (_, job) in pool.jobs {
            if let Some(job) = self.jobs.get_mut(&job) {
                job.told = [0; 4];
            }
        }
    }

    /// Carries out a resize that the scenario says somebody else orders; it is refused as any other would be.
    pub(super) fn foreign_resize(&mut self, number: u32) {
        let Some(foreign) = self.setup.foreign.get(number as usize).cloned() else {
            return;
        };
        let Ok(pool) = self.find_pool(foreign.pool.as_str()) else {
            return;
        };
        if self.pool(pool).deleting.is_some() || self.check_steady(pool).is_err() {
            return;
        }
        let before = self.pool(pool).target;
        let most = |nodes: u32| nodes.min(NODES_MAX);
        let target = mix(
            foreign.dedicated.map_or(before.get(Lane::Dedicated).0, most),
            foreign.spot.map_or(before.get(Lane::Spot).0, most),
        );
        let wanted = Wanted {
            target,
            option: NodeDeallocationOption::Requeue,
            timeout: self.pool(pool).resize_timeout,
        };
        self.begin_resize(pool, wanted, &[]);
    }
}

/// Reads `nodeDeallocationOption`.
pub(super) fn deallocation_option(body: &mut Body) -> Result<NodeDeallocationOption, Refused> {
    let words = NodeDeallocationOption::ALL.map(NodeDeallocationOption::word);
    let word = body.word("nodeDeallocationOption", &words)?;
    Ok(word.map_or(NodeDeallocationOption::Requeue, |word| {
        word.parse().expect("the word stands in the list")
    }))
}
