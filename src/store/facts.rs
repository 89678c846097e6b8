//! What a ledger line is searched by and reported from, read out of the line itself.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::{StoreError, StoreFault};
use crate::base::{Mix, Nodes, Timestamp};
use crate::decision::Verdict;
use crate::world::EntryKind;

/// Dedicated and spot price of a node hour, in dollars, by the name of the policy.
pub(super) type PricesByPolicy = BTreeMap<String, [f64; 2]>;

/// What a line is searched by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Facts {
    pub(super) kind: EntryKind,
    pub(super) at: Timestamp,
    pub(super) pool: Option<String>,
    pub(super) policy: Option<String>,
    /// What a decision comes to, or what became of an order, in one word.
    pub(super) verdict: Option<String>,
    /// Where a decision ends, or what was ordered.
    pub(super) target: Option<Mix>,
    /// The nodes that were seen to be there, without those that are preempted, which nobody pays for.
    pub(super) held: Option<Mix>,
    /// The codes of its reasons, separated by spaces.
    pub(super) reasons: String,
    /// What it says.
    pub(super) text: String,
    /// Whether something depends on it: what follows must not be on the disk, nor an order out, before it is.
    pub(super) weighty: bool,
    /// The prices of the policies that begin with it.
    pub(super) prices: Option<PricesByPolicy>,
}

#[derive(Deserialize)]
struct Read<'a> {
    kind: EntryKind,
    at: Timestamp,
    #[serde(borrow, default)]
    pool: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    policy: Option<Cow<'a, str>>,
    #[serde(default)]
    current: Option<Mix>,
    #[serde(default)]
    target: Option<Mix>,
    #[serde(default)]
    order: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    hold: Option<serde::de::IgnoredAny>,
    #[serde(borrow, default)]
    steps: Vec<Step<'a>>,
    #[serde(borrow, default)]
    receipt: Option<Receipt<'a>>,
    #[serde(borrow, default)]
    error: Option<Message<'a>>,
    #[serde(default)]
    policies: Vec<Priced>,
    #[serde(default)]
    seen: Option<Seen>,
}

#[derive(Deserialize)]
struct Seen {
    /// What was seen of the account has none.
    #[serde(default)]
    pool: SeenPool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeenPool {
    #[serde(default)]
    preempted_nodes: Nodes,
}

#[derive(Deserialize)]
struct Step<'a> {
    to: Mix,
    #[serde(borrow)]
    reason: Code<'a>,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Code<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Receipt<'a> {
    #[serde(borrow)]
    result: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Priced {
    name: String,
    prices: [f64; 2],
}

impl Facts {
    /// Reads the facts of a line.
    ///
    /// # Errors
    /// When it is not one that an engine wrote.
    pub(super) fn read(line: &str) -> Result<Self, StoreError> {
        let read: Read<'_> = serde_json::from_str(line).map_err(|error| {
            let start = line.floor_char_boundary(60);
            let message = format!("`{}…` is no line of a ledger: {error}", &line[..start]);
            StoreError::new(StoreFault::Foreign, message)
        })?;
        if line.contains('\n') {
            let message = "a line of a ledger has no line end inside";
            return Err(StoreError::new(StoreFault::Foreign, message));
        }
        Ok(read.facts())
    }
}

impl Read<'_> {
    fn facts(self) -> Facts {
        let last = self.steps.last().map(|step| step.to);
        let decided = self.kind == EntryKind::Decided;
        let target = last.or(self.target);
        let verdict = match (&self.receipt, self.target) {
            (Some(receipt), _) => Some(receipt.result.to_string()),
            (None, Some(start)) if decided => Some(
                Verdict::of(start, target.unwrap_or(start), self.hold.is_some())
                    .word()
                    .to_owned(),
            ),
            _ => None,
        };
        let held = self.current.zip(self.seen.as_ref()).map(|(current, seen)| Mix {
            spot: current.spot.saturating_sub(seen.pool.preempted_nodes),
            ..current
        });
        let codes = self.steps.iter().map(|step| &step.reason.code);
        let codes = codes.chain(self.receipt.as_ref().and_then(|receipt| receipt.kind.as_ref()));
        let texts = self.steps.iter().map(|step| &step.text);
        let texts = texts.chain(self.receipt.as_ref().and_then(|receipt| receipt.message.as_ref()));
        let texts = texts.chain(self.error.as_ref().map(|error| &error.message));
        let started = self.kind == EntryKind::Started;
        Facts {
            kind: self.kind,
            at: self.at,
            verdict,
            target,
            held,
            reasons: words(codes, " "),
            text: words(texts, "\n"),
            weighty: started || self.kind == EntryKind::Settled || self.order.is_some(),
            prices: started.then(|| {
                let prices = self.policies.into_iter();
                prices.map(|policy| (policy.name, policy.prices)).collect()
            }),
            pool: self.pool.map(Cow::into_owned),
            policy: self.policy.map(Cow::into_owned),
        }
    }
}

fn words<'a>(words: impl Iterator<Item = &'a Cow<'a, str>>, between: &str) -> String {
    let words: Vec<&str> = words.map(AsRef::as_ref).collect();
    words.join(between)
}

#[cfg(test)]
mod tests {
    use super::Facts;
    use crate::world::EntryKind;

    #[test]
    fn what_was_seen_of_the_account_is_a_line_too() {
        let line = r#"{"kind":"account","at":"2026-11-30T10:04:31.296Z","seen":{}}"#;
        let facts = Facts::read(line).expect("an engine wrote it");
        assert_eq!(
            (facts.kind, facts.pool, facts.held),
            (EntryKind::Account, None, None)
        );
    }
}
