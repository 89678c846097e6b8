//! A formula of ours on a pool: it carries a target until a moment, and a mark by which it is known again.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{Mix, Nodes, Timestamp};

/// What a formula of ours says on its first line: until when it gives which target, and who renews it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lease {
    /// Who renews it.
    pub holder: Arc<str>,
    /// What it gives the pool.
    pub target: Mix,
    /// Until when; the rule behind it holds from then on.
    pub until: Timestamp,
}

/// The formula that a pool follows by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnFormula {
    /// One of ours, unchanged since it was made.
    Lease(Lease),
    /// Any other, word by word.
    Other(Arc<str>),
}

/// A formula of ours that is to be installed (Pool - Enable Auto Scale).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseOrder {
    /// What its mark says.
    #[serde(flatten)]
    pub lease: Lease,
    /// The whole text.
    pub formula: Arc<str>,
}

/// The beginning of every formula of ours; a later shape of the line has a later number.
const MARK: &str = "// lowtide lease 1:";

impl Lease {
    /// Returns a formula with its mark before it.
    pub fn sign(&self, body: &str) -> String {
        let line = self.line();
        format!("{MARK} {line} sum={:016x}\n{body}", sum(&line, body))
    }

    /// Returns what a formula's mark says; `None` when there is none, or when the text was changed since it was made.
    pub fn read(formula: &str) -> Option<Self> {
        let (mark, body) = formula.strip_prefix(MARK)?.split_once('\n')?;
        let mut holder = None;
        let (mut dedicated, mut spot) = (None, None);
        let (mut until, mut told) = (None, None);
        for word in mark.split_ascii_whitespace() {
            match word.split_once('=')? {
                ("holder", name) => holder = Some(name),
                ("dedicated", nodes) => dedicated = nodes.parse().ok(),
                ("spot", nodes) => spot = nodes.parse().ok(),
                ("until", at) => until = at.parse().ok(),
                ("sum", digits) => told = u64::from_str_radix(digits, 16).ok(),
                _ => return None,
            }
        }
        let lease = Self {
            holder: holder?.into(),
            target: Mix {
                dedicated: Nodes(dedicated?),
                spot: Nodes(spot?),
            },
            until: until?,
        };
        (told? == sum(&lease.line(), body)).then_some(lease)
    }

    /// Returns a name as a holder is written: letters, digits, dots, hyphens and underscores, and no more than 64 of them.
    pub fn holder_of(name: &str) -> Arc<str> {
        let written = name.chars().take(64).map(|letter| match letter {
            letter if letter.is_ascii_alphanumeric() || "._-".contains(letter) => letter,
            _ => '-',
        });
        let written: String = written.collect();
        if written.is_empty() {
            "-".into()
        } else {
            written.into()
        }
    }

    fn line(&self) -> String {
        let Mix { dedicated, spot } = self.target;
        format!(
            "holder={} dedicated={dedicated} spot={spot} until={}",
            self.holder, self.until
        )
    }
}

impl OwnFormula {
    /// Returns the formula of a pool as it is known again.
    pub fn of(formula: &str) -> Self {
        Lease::read(formula).map_or_else(|| Self::Other(formula.into()), Self::Lease)
    }
}

/// Returns the FNV-1a hash of what is signed, line ends aside, which the service may write in its own way. It tells a text that
/// somebody edited from one that nobody did; it is no proof against forgery, and need not be: whoever may write a pool's formula
/// may write any.
fn sum(line: &str, body: &str) -> u64 {
    let bytes = line.bytes().chain([b'\n']).chain(body.bytes());
    bytes
        .filter(|byte| *byte != b'\r')
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease() -> Lease {
        Lease {
            holder: Lease::holder_of("ci agents/1"),
            target: Mix::new(3, 12),
            until: "2026-11-30T08:30:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_formula_of_ours_is_known_again_until_somebody_edits_it() {
        let formula = lease().sign("x = 1;\ny = 2;\n");
        assert_eq!(
            formula.lines().next(),
            Some(
                "// lowtide lease 1: holder=ci-agents-1 dedicated=3 spot=12 until=2026-11-30T08:30:00.000Z sum=70b8b57b9fcef095"
            )
        );
        assert_eq!(OwnFormula::of(&formula), OwnFormula::Lease(lease()));
        assert_eq!(Lease::read(&formula.replace('\n', "\r\n")), Some(lease()));
        for (from, to) in [
            ("y = 2", "y = 3"),
            ("spot=12", "spot=13"),
            ("1:", "2:"),
            ("\n", ""),
        ] {
            let edited = formula.replacen(from, to, 1);
            assert_eq!(OwnFormula::of(&edited), OwnFormula::Other(edited.as_str().into()));
        }
        assert_eq!(Lease::read("$TargetDedicatedNodes = 1;"), None);
    }

    #[test]
    fn any_name_makes_a_holder() {
        assert_eq!(&*Lease::holder_of(""), "-");
        assert_eq!(&*Lease::holder_of("größe=1 2"), "gr--e-1-2");
        assert_eq!(Lease::holder_of(&"x".repeat(99)).len(), 64);
    }
}
