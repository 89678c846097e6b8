//! Where signals come from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::complaint::Complaint;

/// Where a signal comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The samples that the Batch service takes of the pool.
    #[default]
    Samples,
    /// A Prometheus server.
    Prometheus,
    /// A queue of an Azure storage account.
    StorageQueue,
    /// A queue or topic of an Azure Service Bus.
    ServiceBus,
}

impl Source {
    const fn word(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Prometheus => "prometheus",
            Self::StorageQueue => "storageQueue",
            Self::ServiceBus => "serviceBus",
        }
    }

    /// Refuses a source that this version cannot ask, by its name; `key` is what names it in the policy.
    pub(super) fn complaint(self, key: &str) -> Option<Complaint> {
        (self != Self::Samples).then(|| {
            let message = format!(
                "the source `{}` is one that this version of Lowtide cannot ask, so the strategy would be blind",
                self.word()
            );
            let help = "take one of the pool's own metrics: `metric: $PendingTasks`, without `source`, `query` and `name`";
            Complaint::new(&[key], message, help)
        })
    }
}

/// What is said where no metric is named.
pub(super) fn metric_missing() -> Complaint {
    let help =
        "add `metric: …`, one of the pool's own: $ActiveTasks, $PendingTasks, $RunningTasks, $CPUPercent …";
    Complaint::new(&[], "the metric is missing", help)
}
