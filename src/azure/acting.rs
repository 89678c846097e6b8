//! How an order is carried out.
//!
//! ```text
//! retake?  stop the resize ─► wait for steady, a little ─► (not yet: refused, the next look orders again)
//! release? disable its formula ─► wait for steady, a little ─► (not yet: refused, the next look goes on)
//! replace? remove nodes of no use by name ─► wait for steady, a little ─► (not yet: the next look orders what is missing)
//!    ├─► lease: enable a formula that carries the target
//!    └─► any nodes may go:  resize
//!        idle ones only:    resize to what grows or was awaited in vain ─► remove idle nodes by name, 100 at a time
//!              └─► cordon: disable or enable the scheduling of nodes
//! ```
//!
//! A pool that is `resizing` takes no other order, and with `taskcompletion` stays so for as long as its longest task: the
//! reason for which nodes are cordoned first and removed by name once they are idle. What does not fit into one order is left
//! to the next look, which sees that it is missing.

use std::time::Duration;

use super::look::nodes_of;
use super::nodes::{REMOVED_AT_ONCE_MAX, ServiceNode};
use super::pools::{Pool, Resize};
use super::victims::{Shrink, broken, cordons, shrink};
use super::words::Allocation;
use super::{Client, Fault};
use crate::account::{
    Etag, LeaseOrder, NodeDeallocationOption, Order, PoolState, Refusal, RefusalKind, Removal, Replacement,
};
use crate::base::{Lane, Mix};
use crate::policy::LeaseFormula;

/// An order with what it takes to carry it out.
pub(super) struct Acting<'a> {
    pub(super) client: &'a Client,
    pub(super) order: &'a Order,
    /// The pool as the order was decided on, where it was seen.
    pub(super) seen: Option<&'a PoolState>,
}

/// Pauses between two looks at a pool that is about to be steady.
const PAUSE: Duration = Duration::from_millis(500);

/// Carries an order out.
pub(super) async fn carry_out(acting: &Acting<'_>) -> Result<(), Refusal> {
    let Acting { order, seen, .. } = acting;
    let follows_formula = seen.is_some_and(|pool| pool.auto_scale);
    if follows_formula && !order.release && order.lease.is_none() {
        return refuse(
            RefusalKind::Invalid,
            "the pool follows an autoscale formula of its own; disable it first (Pool - Disable Auto Scale)",
        );
    }
    let mut etag = order.etag.clone();
    if order.retake {
        etag = acting.retake().await?;
    }
    if order.release || (follows_formula && order.replace.is_some()) {
        etag = acting.disable_formula(etag.as_ref()).await?;
    }
    if let Some(replacement) = &order.replace {
        match acting.replace(replacement, etag.as_ref()).await? {
            Some(pool) => etag = pool.version(),
            // What is missing then is ordered at the next look.
            None => return Ok(()),
        }
    }
    if let Some(lease) = &order.lease {
        return acting.install(lease, etag.as_ref()).await;
    }
    let redone = order.retake || order.replace.is_some();
    let resizes = redone || seen.is_none_or(|pool| pool.target != order.target);
    let cordons = seen.is_some_and(|pool| pool.cordoned != order.cordon);
    let is_by_name = resizes && order.removal == Removal::Idle;
    let mut nodes = if is_by_name || cordons {
        acting.nodes().await?
    } else {
        Vec::new()
    };
    if is_by_name {
        acting.resize_by_name(&mut nodes, etag).await?;
    } else if resizes {
        acting.resize(order.target, order.option, etag.as_ref()).await?;
    }
    if cordons {
        acting.cordon(&nodes, resizes).await?;
    }
    Ok(())
}

impl Acting<'_> {
    fn pool(&self) -> &str {
        self.order.pool.as_str()
    }

    async fn nodes(&self) -> Result<Vec<ServiceNode>, Refusal> {
        let listed = nodes_of(self.client, self.pool()).await;
        listed
            .and_then(|listed| listed.whole(&format!("GET /pools/{}/nodes", self.pool())))
            .map_err(|fault| fault.to_refusal())
    }

    /// Stops the resize that is under way, and returns the version of the pool once it is steady.
    async fn retake(&self) -> Result<Option<Etag>, Refusal> {
        match self
            .client
            .stop_resize(self.pool(), self.order.etag.as_ref())
            .await
        {
            // A 409 says that it ended by itself since it was looked at.
            Ok(()) | Err(Fault::Refused { status: 409, .. }) => {}
            Err(fault) if fault.may_have_happened() => {}
            Err(fault) => return Err(fault.to_refusal()),
        }
        let Some(pool) = self.steady().await? else {
            return refuse(
                RefusalKind::Resizing,
                "the resize that was under way is being stopped; the order can go out at the next look",
            );
        };
        // Stopping leaves the targets as they were; others are someone else's.
        match self.seen {
            Some(seen) if seen.target != pool.target() => refuse(
                RefusalKind::Changed,
                "someone changed the targets of the pool while its resize was stopped",
            ),
            _ => Ok(pool.version()),
        }
    }

    /// Waits a little for the pool to be steady, and returns it then.
    async fn steady(&self) -> Result<Option<Pool>, Refusal> {
        let clock = self.client.clock();
        let end = clock.passed() + self.client.settings().limits.patience;
        let mut pause = PAUSE;
        loop {
            let pool = self
                .client
                .pool(self.pool())
                .await
                .map_err(|fault| fault.to_refusal())?;
            if pool.allocation_state == Allocation::Steady {
                return Ok(Some(pool));
            }
            if clock.passed() + pause > end {
                return Ok(None);
            }
            clock.sleep(pause).await;
            pause = (pause * 2).min(4 * PAUSE);
        }
    }

    /// Disables the formula that the pool follows, and returns the version of the pool once it is steady. Disabling takes no
    /// condition, so that the pool is looked at before; and it is done again without harm.
    async fn disable_formula(&self, only: Option<&Etag>) -> Result<Option<Etag>, Refusal> {
        let refusal = |fault: Fault| fault.to_refusal();
        let pool = self.client.pool(self.pool()).await.map_err(refusal)?;
        if only.is_some() && pool.version().as_ref() != only {
            return refuse(
                RefusalKind::Changed,
                "someone changed the pool since it was decided to disable its formula",
            );
        }
        match self.client.disable_auto_scale(self.pool()).await {
            Ok(()) => {}
            Err(fault) if fault.may_have_happened() => {}
            Err(fault) => return Err(fault.to_refusal()),
        }
        match self.steady().await? {
            None => refuse(
                RefusalKind::Resizing,
                "its formula is disabled, and the pool is resizing still; the order goes out when it is steady",
            ),
            Some(pool) if pool.enable_auto_scale => refuse(
                RefusalKind::Unreachable,
                "no answer came when its formula was disabled, and the pool follows it still",
            ),
            Some(pool) if self.seen.is_some_and(|seen| seen.target != pool.target()) => refuse(
                RefusalKind::Changed,
                "the targets of the pool changed while its formula was disabled",
            ),
            Some(pool) => Ok(pool.version()),
        }
    }

    /// Removes nodes of no use by name and returns the pool once it is steady.
    async fn replace(&self, replacement: &Replacement, only: Option<&Etag>) -> Result<Option<Pool>, Refusal> {
        let victims = broken(replacement, &self.nodes().await?);
        if !victims.is_empty() {
            self.remove(&victims, only).await?;
        }
        self.steady().await
    }

    /// Lets the pool follow a formula of ours. When the answer is lost the pool is read, and nothing is sent again.
    async fn install(&self, order: &LeaseOrder, only: Option<&Etag>) -> Result<(), Refusal> {
        let formula = (Some(&*order.formula), Some(LeaseFormula::EVALUATED_EVERY));
        let lost = match self.client.enable_auto_scale(self.pool(), formula, only).await {
            Ok(()) => return Ok(()),
            Err(fault) if fault.may_have_happened() => fault,
            Err(fault) => return Err(fault.to_refusal()),
        };
        match self.client.pool(self.pool()).await {
            Ok(pool) if pool.enable_auto_scale && pool.carries(&order.lease) => Ok(()),
            Ok(_) => refuse(
                RefusalKind::Unreachable,
                &format!("{lost}; the pool does not follow the formula, so it was not taken"),
            ),
            Err(fault) => refuse(
                RefusalKind::Unreachable,
                &format!("{lost}; nor can the pool be read: {fault}"),
            ),
        }
    }

    /// Orders targets. When the answer is lost the pool is read and compared, and nothing is sent again.
    async fn resize(
        &self,
        target: Mix,
        option: NodeDeallocationOption,
        only: Option<&Etag>,
    ) -> Result<(), Refusal> {
        let resize = Resize {
            target,
            option,
            timeout: None,
        };
        match self.client.resize(self.pool(), &resize, only).await {
            Ok(()) => Ok(()),
            Err(fault) if fault.may_have_happened() => self.compare(&fault, target).await,
            Err(fault) => Err(fault.to_refusal()),
        }
    }

    /// Reads a pool after a lost answer, and says whether it has the targets that were ordered.
    async fn compare(&self, lost: &Fault, target: Mix) -> Result<(), Refusal> {
        match self.client.pool(self.pool()).await {
            Ok(pool) if pool.target() == target => Ok(()),
            Ok(pool) if self.seen.is_some_and(|seen| seen.target == pool.target()) => refuse(
                RefusalKind::Unreachable,
                &format!("{lost}; the pool is as it was, so the order was not taken"),
            ),
            Ok(_) => refuse(
                RefusalKind::Changed,
                &format!("{lost}; the pool has other targets by now"),
            ),
            Err(fault) => refuse(
                RefusalKind::Unreachable,
                &format!("{lost}; nor can the pool be read: {fault}"),
            ),
        }
    }

    /// Follows an order that may take idle nodes only; the nodes that are removed leave the list.
    async fn resize_by_name(
        &self,
        nodes: &mut Vec<ServiceNode>,
        mut etag: Option<Etag>,
    ) -> Result<(), Refusal> {
        let target = match self.seen {
            Some(seen) => seen.target,
            None => self
                .client
                .pool(self.pool())
                .await
                .map_err(|fault| fault.to_refusal())?
                .target(),
        };
        let Shrink { first, mut victims } = shrink((target, self.order.target), nodes);
        if first != target {
            self.resize(first, self.order.option, etag.as_ref()).await?;
            let grows = Lane::ALL.iter().any(|lane| first.get(*lane) > target.get(*lane));
            if victims.is_empty() || grows {
                return Ok(());
            }
            match self.steady().await? {
                Some(pool) => etag = pool.version(),
                None => return Ok(()),
            }
        }
        nodes.retain(|node| !victims.contains(&node.id));
        while !victims.is_empty() {
            let rest = victims.split_off(victims.len().min(REMOVED_AT_ONCE_MAX));
            self.remove(&victims, etag.as_ref()).await?;
            victims = rest;
            if !victims.is_empty() {
                match self.steady().await? {
                    Some(pool) => etag = pool.version(),
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// Removes nodes by name; one that got a task meanwhile finishes it first.
    async fn remove(&self, nodes: &[String], only: Option<&Etag>) -> Result<(), Refusal> {
        let option = NodeDeallocationOption::TaskCompletion;
        match self.client.remove_nodes(self.pool(), nodes, option, only).await {
            Ok(()) => Ok(()),
            // Whether they go shows at the next look; asking again would be refused while they do.
            Err(fault) if fault.may_have_happened() => match self.client.pool(self.pool()).await {
                Ok(pool) if pool.allocation_state == Allocation::Resizing => Ok(()),
                _ => Err(fault.to_refusal()),
            },
            Err(fault) => Err(fault.to_refusal()),
        }
    }

    /// Lets as many nodes as ordered take no further tasks. A node that cannot be told is seen at the next look; an order that
    /// is nothing but this is refused when none could be.
    async fn cordon(&self, nodes: &[ServiceNode], did_resize: bool) -> Result<(), Refusal> {
        let mut first_fault = None;
        let mut done = did_resize;
        for lane in Lane::ALL {
            let (changing, disable) = cordons(lane, self.order.cordon.get(lane), nodes);
            for node in changing {
                let told = if disable {
                    self.client.disable_scheduling(self.pool(), &node).await
                } else {
                    self.client.enable_scheduling(self.pool(), &node).await
                };
                match told {
                    Ok(()) => done = true,
                    Err(fault) if fault.is_missing() => {}
                    Err(fault) => first_fault = first_fault.or(Some(fault)),
                }
            }
        }
        match first_fault {
            Some(fault) if !done => Err(fault.to_refusal()),
            _ => Ok(()),
        }
    }
}

fn refuse<T>(kind: RefusalKind, message: &str) -> Result<T, Refusal> {
    Err(Refusal {
        kind,
        message: message.to_owned(),
    })
}
