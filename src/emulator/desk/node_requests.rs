//! Requests to one node: scheduling, reboot, reimage, deallocate, start.

use super::Desk;
use super::body::Body;
use super::node::{NodeState, Restart};
use super::refs::NodeRef;
use super::refuse;
use crate::emulator::answer::Refused;

impl Desk {
    /// Returns a node of a pool by its id, in any case.
    pub(super) fn find_node(&self, pool: u32, id: &str) -> Result<NodeRef, Refused> {
        let place = self.pool(pool).place_of(id);
        let index = place.ok_or_else(|| refuse::not_found("NodeNotFound"))?;
        Ok(NodeRef { pool, index })
    }

    /// Node - Disable scheduling: its tasks go back, end, or run on.
    pub(super) fn disable_scheduling(&mut self, node: NodeRef, bytes: &[u8]) -> Result<(), Refused> {
        let mut body = Body::read(bytes)?;
        let words = ["requeue", "terminate", "taskcompletion"];
        let option = body.word("nodeDisableSchedulingOption", &words)?;
        self.check_scheduling(node, false)?;
        self.set_scheduling(node, false);
        if option != Some("taskcompletion") {
            self.clear_node(node.pool, node.index, option == Some("terminate"));
        }
        Ok(())
    }

    /// Node - Enable scheduling.
    pub(super) fn enable_scheduling(&mut self, node: NodeRef) -> Result<(), Refused> {
        self.check_scheduling(node, true)?;
        self.set_scheduling(node, true);
        Ok(())
    }

    fn check_scheduling(&self, node: NodeRef, takes_tasks: bool) -> Result<(), Refused> {
        let node = self.node(node);
        if node.takes_tasks == takes_tasks {
            return Err(refuse::conflict(
                "NodeAlreadyInTargetSchedulingState",
                "The specified node is already in the target scheduling state.",
            ));
        }
        match node.state {
            NodeState::Idle | NodeState::Running | NodeState::Offline => Ok(()),
            NodeState::Creating => Err(refuse::conflict(
                "NodeBeingCreated",
                "The specified node is being created.",
            )),
            NodeState::Starting | NodeState::WaitingForStartTask => Err(refuse::conflict(
                "NodeBeingStarted",
                "The specified node is being started.",
            )),
            NodeState::Unusable => Err(refuse::conflict(
                "NodeStateUnusable",
                "The specified node is unusable.",
            )),
            other => Err(refuse::state(&format!("the node is {}", other.word()))),
        }
    }

    /// Node - Reboot, Reimage, Deallocate: the node boots again, or is put away, once its tasks are gone.
    pub(super) fn restart_node(&mut self, node: NodeRef, how: Restart, bytes: &[u8]) -> Result<(), Refused> {
        let mut body = Body::read(bytes)?;
        let words = ["requeue", "terminate", "taskcompletion", "retaineddata"];
        let mut option = None;
        for name in ["nodeRebootOption", "nodeReimageOption", "nodeDeallocateOption"] {
            option = option.or(body.word(name, &words)?);
        }
        let being = |code, what: &str| {
            Err(refuse::conflict(
                code,
                &format!("The specified node is being {what}."),
            ))
        };
        match self.node(node).state {
            NodeState::Creating => return being("NodeBeingCreated", "created"),
            NodeState::Starting => return being("NodeBeingStarted", "started"),
            NodeState::Rebooting => return being("NodeBeingRebooted", "rebooted"),
            NodeState::Reimaging => return being("NodeBeingReimaged", "reimaged"),
            state @ (NodeState::LeavingPool
            | NodeState::Preempted
            | NodeState::Deallocating
            | NodeState::Deallocated) => {
                return Err(refuse::state(&format!("the node is {}", state.word())));
            }
            _ => {}
        }
        if !matches!(option, Some("taskcompletion" | "retaineddata")) {
            self.clear_node(node.pool, node.index, option == Some("terminate"));
        }
        self.restart_after_tasks(node, how);
        Ok(())
    }

    /// Node - Start: of a node that was deallocated.
    pub(super) fn start_deallocated(&mut self, node: NodeRef) -> Result<(), Refused> {
        let state = self.node(node).state;
        if state != NodeState::Deallocated {
            return Err(refuse::state(&format!("the node is {}", state.word())));
        }
        self.boots(node);
        Ok(())
    }
}
