//! What lowtide asks of an account, operation by operation, and the least role that allows it.
//!
//! Names of actions are those of the resource provider `Microsoft.Batch` ("Azure permissions for Compute", and the built-in role
//! "Azure Batch Data Contributor", read 2026-11): pools and their nodes are guarded by actions, jobs and their tasks by data actions.

use serde::Serialize;

/// An operation of the service that lowtide uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its name in the reference of the REST API.
    pub name: &'static str,
    /// What allows it.
    pub permission: Permission,
    /// What it is used for.
    pub used_for: &'static str,
}

/// What allows an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Permission {
    /// `Microsoft.Batch/batchAccounts/pools/read`.
    ReadPools,
    /// `Microsoft.Batch/batchAccounts/pools/write`.
    WritePools,
    /// `Microsoft.Batch/batchAccounts/jobs/read`, a data action.
    ReadJobs,
}

#[rustfmt::skip] // A table: its rows stay together.
/// The operations that lowtide uses.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "Pool - List", permission: Permission::ReadPools, used_for: "every look" },
    Operation { name: "Pool - Get", permission: Permission::ReadPools, used_for: "comparing when an answer was lost" },
    Operation { name: "Account - List Pool Node Counts", permission: Permission::ReadPools, used_for: "every look" },
    Operation { name: "Compute Node - List", permission: Permission::ReadPools, used_for: "nodes one by one, where a policy wants them" },
    Operation { name: "Job - List", permission: Permission::ReadJobs, used_for: "every look" },
    Operation { name: "Job - Get Task Counts", permission: Permission::ReadJobs, used_for: "every look" },
    Operation { name: "Task - List", permission: Permission::ReadJobs, used_for: "tasks one by one, where a policy wants them" },
    Operation { name: "Pool - Resize", permission: Permission::WritePools, used_for: "orders" },
    Operation { name: "Pool - Stop Resize", permission: Permission::WritePools, used_for: "orders that cannot wait" },
    Operation { name: "Pool - Remove Nodes", permission: Permission::WritePools, used_for: "nodes that go by name" },
    Operation { name: "Compute Node - Disable Scheduling", permission: Permission::WritePools, used_for: "nodes that empty before they go" },
    Operation { name: "Compute Node - Enable Scheduling", permission: Permission::WritePools, used_for: "nodes that are needed after all" },
    Operation { name: "Pool - Disable Auto Scale", permission: Permission::WritePools, used_for: "taking a pool over" },
    Operation { name: "Pool - Enable Auto Scale", permission: Permission::WritePools, used_for: "lease formulas, and handing a pool back" },
];

impl Permission {
    /// Returns the resource provider's name for it.
    pub const fn action(self) -> &'static str {
        match self {
            Self::ReadPools => "Microsoft.Batch/batchAccounts/pools/read",
            Self::WritePools => "Microsoft.Batch/batchAccounts/pools/write",
            Self::ReadJobs => "Microsoft.Batch/batchAccounts/jobs/read",
        }
    }

    /// Says whether it stands among the data actions of a role.
    pub const fn is_of_data(self) -> bool {
        matches!(self, Self::ReadJobs)
    }
}

/// A role as `az role definition create --role-definition` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleDefinition {
    /// Its name.
    pub name: String,
    /// Always true: it is no role of the service.
    pub is_custom: bool,
    /// What it is for.
    pub description: String,
    /// What it allows.
    pub actions: Vec<&'static str>,
    /// What it forbids of that.
    pub not_actions: Vec<&'static str>,
    /// What it allows with jobs and tasks.
    pub data_actions: Vec<&'static str>,
    /// What it forbids of that.
    pub not_data_actions: Vec<&'static str>,
    /// Where it can be assigned; the subscription is the operator's to fill in.
    pub assignable_scopes: Vec<String>,
}

/// Returns the least role that lowtide works with on an account.
pub fn minimal_role(account: &str) -> RoleDefinition {
    let actions = |of_data: bool| {
        let wanted = OPERATIONS.iter().map(|operation| operation.permission);
        let mut actions: Vec<_> = wanted
            .filter(|permission| permission.is_of_data() == of_data)
            .map(Permission::action)
            .collect();
        actions.sort_unstable();
        actions.dedup();
        actions
    };
    RoleDefinition {
        name: format!("Lowtide of {account}"),
        is_custom: true,
        description: "Reads pools, nodes, jobs and tasks of a Batch account, and resizes its pools"
            .to_owned(),
        actions: actions(false),
        not_actions: Vec::new(),
        data_actions: actions(true),
        not_data_actions: Vec::new(),
        assignable_scopes: vec!["/subscriptions/SUBSCRIPTION".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_allows_three_things_and_no_more() {
        let role = serde_json::to_value(minimal_role("acme")).unwrap();
        assert_eq!(
            role["Actions"],
            serde_json::json!([
                "Microsoft.Batch/batchAccounts/pools/read",
                "Microsoft.Batch/batchAccounts/pools/write"
            ])
        );
        assert_eq!(
            role["DataActions"],
            serde_json::json!(["Microsoft.Batch/batchAccounts/jobs/read"])
        );
        assert_eq!(role["IsCustom"], true);
        assert_eq!(
            role["AssignableScopes"],
            serde_json::json!(["/subscriptions/SUBSCRIPTION"])
        );
    }
}
