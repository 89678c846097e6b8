//! How an order is carried out.
//!
//! ```text
//! retake?  stop the resize ─► wait for steady, a little ─► (not yet: refused, the next look orders again)
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
use super::victims::{Shrink, cordons, shrink};
use super::words::Allocation;
use super::{Client, Fault};
use crate::account::{Etag, NodeDeallocationOption, Order, PoolState, Refusal, RefusalKind, Removal};
use crate::base::{Lane, Mix};

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
    if seen.is_some_and(|pool| pool.auto_scale) {
        return refuse(
            RefusalKind::Invalid,
            "the pool follows an autoscale formula of its own; disable it first (Pool - Disable Auto Scale)",
        );
    }
    let mut etag = order.etag.clone();
    if order.retake {
        etag = acting.retake().await?;
    }
    let resizes = order.retake || seen.is_none_or(|pool| pool.target != order.target);
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
            .map(|listed| listed.found)
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
        let Shrink { first, mut victims } = shrink(self.order.target, nodes);
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
