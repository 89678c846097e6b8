//! The lists of the service, as data: what can be filtered by, what can be selected, how long a page is.
//!
//! Filters: the page of the REST API on filters in list operations. Names: the entities of both API versions in use,
//! 2024-02-01.19.0 and 2025-06-01.

use super::filter::{Kind, Operators, Property};
use super::list::ListKind;

const fn by(path: &'static str, kind: Kind, operators: Operators) -> Property {
    Property {
        path,
        kind,
        operators,
    }
}

const fn time(path: &'static str) -> Property {
    by(path, Kind::Time, Operators::Order)
}

/// The pools of an account.
pub const POOLS: ListKind = ListKind {
    name: "pools",
    properties: &[
        by("id", Kind::Text, Operators::All),
        by("state", Kind::Text, Operators::Equal),
        by("allocationState", Kind::Text, Operators::Equal),
        by("enableAutoScale", Kind::Truth, Operators::Differ),
        by("vmSize", Kind::Text, Operators::Differ),
        by("enableInterNodeCommunication", Kind::Truth, Operators::Differ),
        time("stateTransitionTime"),
        time("allocationStateTransitionTime"),
        time("creationTime"),
        time("lastModified"),
    ],
    fields: &[
        "id",
        "displayName",
        "url",
        "eTag",
        "lastModified",
        "creationTime",
        "state",
        "stateTransitionTime",
        "allocationState",
        "allocationStateTransitionTime",
        "vmSize",
        "cloudServiceConfiguration",
        "virtualMachineConfiguration",
        "resizeTimeout",
        "resizeErrors",
        "resourceTags",
        "currentDedicatedNodes",
        "currentLowPriorityNodes",
        "targetDedicatedNodes",
        "targetLowPriorityNodes",
        "enableAutoScale",
        "autoScaleFormula",
        "autoScaleEvaluationInterval",
        "autoScaleRun",
        "enableInterNodeCommunication",
        "networkConfiguration",
        "startTask",
        "certificateReferences",
        "applicationPackageReferences",
        "applicationLicenses",
        "taskSlotsPerNode",
        "taskSchedulingPolicy",
        "userAccounts",
        "metadata",
        "stats",
        "mountConfiguration",
        "identity",
        "targetNodeCommunicationMode",
        "currentNodeCommunicationMode",
        "upgradePolicy",
    ],
    page_max: 1_000,
    dotted_page_max: 1_000,
};

/// The nodes of a pool.
pub const NODES: ListKind = ListKind {
    name: "nodes",
    properties: &[
        by("state", Kind::Text, Operators::Differ),
        time("stateTransitionTime"),
        time("lastBootTime"),
        time("allocationTime"),
        by("startTaskInfo/state", Kind::Text, Operators::Equal),
        by("startTaskInfo/result", Kind::Text, Operators::Differ),
        by("startTaskInfo/exitCode", Kind::Number, Operators::Order),
        time("startTaskInfo/startTime"),
        time("startTaskInfo/endTime"),
    ],
    fields: &[
        "id",
        "url",
        "state",
        "schedulingState",
        "stateTransitionTime",
        "lastBootTime",
        "allocationTime",
        "ipAddress",
        "ipv6Address",
        "affinityId",
        "vmSize",
        "totalTasksRun",
        "runningTasksCount",
        "runningTaskSlotsCount",
        "totalTasksSucceeded",
        "recentTasks",
        "startTask",
        "startTaskInfo",
        "certificateReferences",
        "errors",
        "isDedicated",
        "endpointConfiguration",
        "nodeAgentInfo",
        "virtualMachineInfo",
    ],
    page_max: 1_000,
    dotted_page_max: 1_000,
};

/// How many nodes each pool has in each state. Ten pools a page, which the newer version does not promise to exceed.
pub const NODE_COUNTS: ListKind = ListKind {
    name: "poolnodecounts",
    properties: &[by("poolId", Kind::Text, Operators::Equal)],
    fields: &["poolId", "dedicated", "lowPriority"],
    page_max: 10,
    dotted_page_max: 10,
};

/// The jobs of an account.
pub const JOBS: ListKind = ListKind {
    name: "jobs",
    properties: &[
        by("id", Kind::Text, Operators::All),
        by("state", Kind::Text, Operators::Equal),
        by("executionInfo/poolId", Kind::Text, Operators::All),
        time("stateTransitionTime"),
        time("creationTime"),
        time("lastModified"),
        time("executionInfo/startTime"),
        time("executionInfo/endTime"),
    ],
    fields: &[
        "id",
        "displayName",
        "usesTaskDependencies",
        "url",
        "eTag",
        "lastModified",
        "creationTime",
        "state",
        "stateTransitionTime",
        "previousState",
        "previousStateTransitionTime",
        "priority",
        "allowTaskPreemption",
        "maxParallelTasks",
        "constraints",
        "jobManagerTask",
        "jobPreparationTask",
        "jobReleaseTask",
        "commonEnvironmentSettings",
        "poolInfo",
        "onAllTasksComplete",
        "onTaskFailure",
        "networkConfiguration",
        "metadata",
        "executionInfo",
        "stats",
    ],
    page_max: 1_000,
    dotted_page_max: 1_000,
};

/// The tasks of a job.
pub const TASKS: ListKind = ListKind {
    name: "tasks",
    properties: &[
        by("id", Kind::Text, Operators::All),
        by("state", Kind::Text, Operators::Equal),
        by("executionInfo/result", Kind::Text, Operators::Differ),
        by("executionInfo/exitCode", Kind::Number, Operators::Order),
        time("stateTransitionTime"),
        time("creationTime"),
        time("lastModified"),
        time("executionInfo/startTime"),
        time("executionInfo/endTime"),
    ],
    fields: &[
        "id",
        "displayName",
        "url",
        "eTag",
        "lastModified",
        "creationTime",
        "exitConditions",
        "state",
        "stateTransitionTime",
        "previousState",
        "previousStateTransitionTime",
        "commandLine",
        "containerSettings",
        "resourceFiles",
        "outputFiles",
        "environmentSettings",
        "affinityInfo",
        "constraints",
        "requiredSlots",
        "userIdentity",
        "executionInfo",
        "nodeInfo",
        "multiInstanceSettings",
        "stats",
        "dependsOn",
        "applicationPackageReferences",
        "authenticationTokenSettings",
    ],
    page_max: 1_000,
    dotted_page_max: 1_000,
};

/// What the pools of an account used, by half hours.
pub const USAGE: ListKind = ListKind {
    name: "poolusagemetrics",
    properties: &[by("poolId", Kind::Text, Operators::All)],
    fields: &["poolId", "startTime", "endTime", "vmSize", "totalCoreHours"],
    page_max: 1_000,
    dotted_page_max: 1_000,
};

/// The images that the service knows agents for.
pub const IMAGES: ListKind = ListKind {
    name: "supportedimages",
    properties: &[
        by("osType", Kind::Text, Operators::Differ),
        by("verificationType", Kind::Text, Operators::Differ),
        by("nodeAgentSKUId", Kind::Text, Operators::Differ),
    ],
    fields: &[
        "nodeAgentSKUId",
        "imageReference",
        "osType",
        "capabilities",
        "batchSupportEndOfLife",
        "verificationType",
    ],
    page_max: 1_000,
    dotted_page_max: 1_000,
};

#[cfg(test)]
pub(super) const ALL: [ListKind; 7] = [POOLS, NODES, NODE_COUNTS, JOBS, TASKS, USAGE, IMAGES];
