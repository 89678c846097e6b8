//! An entry of the ledger as one line of JSON.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{MemoryRecord, PolicyRecord, PoolRecord, SamplesRecord};
use crate::account::{
    CoreQuotas, Halt, Holding, Lease, NodeDeallocationOption, PoolId, Receipt, Removal, Replacement, Work,
};
use crate::base::{Mix, Timestamp};
use crate::decision::Decision;
use crate::engine::{AccountView, Entry, ObserveError, PoolView};
use crate::policy::AccountFile;
use crate::signal::Reading;

/// Returns the line, without its line end.
pub fn line(entry: &Entry<'_>) -> String {
    let line = match entry {
        Entry::Started { at, policies, memory } => serde_json::to_string(&Started {
            kind: Kind::Started,
            at: *at,
            policies: policies.policies.iter().map(PolicyRecord::from).collect(),
            account: policies.account.as_ref().map(|account| AccountPolicyRecord {
                name: account.name.clone(),
                file: account.to_file(),
            }),
            memory: MemoryRecord::from(*memory),
        }),
        Entry::Blind { at, error } => serde_json::to_string(&Blind {
            kind: Kind::Blind,
            at: *at,
            error: FaultRecord::from(*error),
        }),
        Entry::Unmatched { at } => serde_json::to_string(&Unmatched {
            kind: Kind::Unmatched,
            at: *at,
        }),
        Entry::Account { at, seen } => serde_json::to_string(&AccountLine {
            kind: Kind::Account,
            at: *at,
            seen: AccountRecord::from(*seen),
        }),
        Entry::Decided { decision, seen } => serde_json::to_string(&DecidedOut {
            kind: Kind::Decided,
            decision,
            seen: seen.map(SeenRecord::from),
        }),
        Entry::Settled { order, receipt } => serde_json::to_string(&Settled {
            kind: Kind::Settled,
            pool: order.pool.clone(),
            at: order.at,
            target: order.target,
            node_deallocation_option: order.option,
            removal: order.removal,
            cordon: order.cordon,
            retake: order.retake,
            release: order.release,
            lease: order.lease.as_ref().map(|order| order.lease.clone()),
            replace: order.replace,
            receipt: (*receipt).clone(),
        }),
    };
    line.expect("entries are made of numbers and text")
}

/// What a line is about; see [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The engine began.
    Started,
    /// Nothing could be seen.
    Blind,
    /// No pool matched.
    Unmatched,
    /// What the account shares.
    Account,
    /// A decision.
    Decided,
    /// What became of an order.
    Settled,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Started,
        Self::Blind,
        Self::Unmatched,
        Self::Account,
        Self::Decided,
        Self::Settled,
    ];

    /// Returns the word that lines have for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Blind => "blind",
            Self::Unmatched => "unmatched",
            Self::Account => "account",
            Self::Decided => "decided",
            Self::Settled => "settled",
        }
    }
}

/// Reads the word that lines have for it.
impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        let kind = Self::ALL.into_iter().find(|kind| kind.word() == word);
        kind.ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            format!("`{word}` is no kind of ledger line; there are {words}")
        })
    }
}

/// What every line has.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) at: Timestamp,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Started {
    kind: Kind,
    at: Timestamp,
    pub(super) policies: Vec<PolicyRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<AccountPolicyRecord>,
    pub(super) memory: MemoryRecord,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Blind {
    kind: Kind,
    at: Timestamp,
    pub(super) error: FaultRecord,
}

#[derive(Serialize)]
struct Unmatched {
    kind: Kind,
    at: Timestamp,
}

/// What the operator states that pools share.
#[derive(Serialize, Deserialize)]
pub(super) struct AccountPolicyRecord {
    pub(super) name: Arc<str>,
    pub(super) file: AccountFile,
}

/// What the account was seen to share.
#[derive(Serialize, Deserialize)]
pub(super) struct AccountLine {
    kind: Kind,
    at: Timestamp,
    pub(super) seen: AccountRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quotas: Option<CoreQuotas>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pools: Vec<HoldingRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<FaultRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HoldingRecord {
    pool: PoolId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vm_size: Option<Arc<str>>,
    target: Mix,
    current: Mix,
}

#[derive(Serialize)]
struct DecidedOut<'a> {
    kind: Kind,
    #[serde(flatten)]
    decision: &'a Decision,
    seen: Option<SeenRecord>,
}

/// What a replay needs of a decided line.
#[derive(Deserialize)]
pub(super) struct Decided {
    pub(super) seen: Option<SeenRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settled {
    kind: Kind,
    pub(super) pool: PoolId,
    at: Timestamp,
    target: Mix,
    node_deallocation_option: NodeDeallocationOption,
    #[serde(default, skip_serializing_if = "is_usual")]
    removal: Removal,
    #[serde(default, skip_serializing_if = "is_usual")]
    cordon: Mix,
    #[serde(default, skip_serializing_if = "is_usual")]
    retake: bool,
    #[serde(default, skip_serializing_if = "is_usual")]
    release: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease: Option<Lease>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replace: Option<Replacement>,
    pub(super) receipt: Receipt,
}

/// Says whether a part of an order need not be written.
fn is_usual<T: Default + PartialEq>(part: &T) -> bool {
    *part == T::default()
}

/// What was seen of a pool.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SeenRecord {
    pub(super) pool: PoolRecord,
    pub(super) samples: SamplesRecord,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) readings: Vec<Reading>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) work: Option<Work>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) halt: Option<Halt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<FaultRecord>,
}

/// What could not be seen.
#[derive(Serialize, Deserialize)]
pub(super) struct FaultRecord {
    message: String,
    retry: bool,
}

impl From<&AccountView> for AccountRecord {
    fn from(view: &AccountView) -> Self {
        let pool = |holding: &Holding| HoldingRecord {
            pool: holding.pool.clone(),
            vm_size: holding.vm_size.clone(),
            target: holding.target,
            current: holding.current,
        };
        Self {
            quotas: view.quotas.clone(),
            pools: view.pools.iter().map(pool).collect(),
            fault: view.fault.as_ref().map(FaultRecord::from),
        }
    }
}

impl From<AccountRecord> for AccountView {
    fn from(record: AccountRecord) -> Self {
        let pool = |record: HoldingRecord| Holding {
            pool: record.pool,
            vm_size: record.vm_size,
            target: record.target,
            current: record.current,
        };
        Self {
            quotas: record.quotas,
            pools: record.pools.into_iter().map(pool).collect(),
            fault: record.fault.map(ObserveError::from),
        }
    }
}

impl From<&PoolView> for SeenRecord {
    fn from(view: &PoolView) -> Self {
        Self {
            pool: PoolRecord::from(&view.state),
            samples: SamplesRecord::of(&view.samples),
            readings: view.readings.clone(),
            work: view.work.clone(),
            halt: view.halt.clone(),
            fault: view.fault.as_ref().map(FaultRecord::from),
        }
    }
}

impl From<&ObserveError> for FaultRecord {
    fn from(error: &ObserveError) -> Self {
        Self {
            message: error.message.clone(),
            retry: error.retry,
        }
    }
}

impl From<FaultRecord> for ObserveError {
    fn from(record: FaultRecord) -> Self {
        Self {
            message: record.message,
            retry: record.retry,
        }
    }
}
