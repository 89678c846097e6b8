//! What an hour of a mix is expected to cost, line by line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::UsdHourly;

/// The expected cost of a mix for each hour, by cause; the total is the sum of the lines and stored nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "Written", try_from = "Written")]
pub struct Bill {
    /// The nodes, at the count that is asked for. Spot nodes that are away are not billed, but the work that they leave is
    /// done later at no lower price, so they count as if they were there.
    pub compute: UsdHourly,
    /// The work that evictions destroy, done again on spot.
    pub redo: UsdHourly,
    /// The nodes that are expected to be missing, at the price of lateness.
    pub lateness: UsdHourly,
    /// Boots of new nodes and the giving up of old ones, spread over the dwell.
    pub churn: UsdHourly,
}

/// A line of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Line {
    /// The nodes.
    Compute,
    /// Work done again.
    Redo,
    /// Missing nodes.
    Lateness,
    /// Changes.
    Churn,
}

impl Bill {
    /// Returns the lines with their names, in the order in which they are added up.
    pub const fn lines(&self) -> [(Line, UsdHourly); 4] {
        [
            (Line::Compute, self.compute),
            (Line::Redo, self.redo),
            (Line::Lateness, self.lateness),
            (Line::Churn, self.churn),
        ]
    }

    /// Returns the sum of the lines.
    pub fn total(&self) -> UsdHourly {
        UsdHourly(self.lines().iter().map(|(_, amount)| amount.0).sum())
    }

    /// Returns the line by which this bill exceeds another one most.
    pub(super) fn dearest_line_over(&self, other: &Self) -> Line {
        let mut most = (Line::Compute, f64::NEG_INFINITY);
        for ((line, here), (_, there)) in self.lines().into_iter().zip(other.lines()) {
            if here.0 - there.0 > most.1 {
                most = (line, here.0 - there.0);
            }
        }
        most.0
    }
}

/// A bill as ledgers and plans show it: with its total, which a reader can check.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    compute: UsdHourly,
    redo: UsdHourly,
    lateness: UsdHourly,
    churn: UsdHourly,
    total: UsdHourly,
}

impl From<Bill> for Written {
    fn from(bill: Bill) -> Self {
        Self {
            compute: bill.compute,
            redo: bill.redo,
            lateness: bill.lateness,
            churn: bill.churn,
            total: bill.total(),
        }
    }
}

impl TryFrom<Written> for Bill {
    type Error = String;
    fn try_from(written: Written) -> Result<Self, String> {
        let bill = Self {
            compute: written.compute,
            redo: written.redo,
            lateness: written.lateness,
            churn: written.churn,
        };
        let sum = bill.total();
        if sum == written.total {
            Ok(bill)
        } else {
            Err(format!(
                "the lines of the bill add up to {sum}, not to its total of {}",
                written.total
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_shows_its_total_and_is_refused_when_it_does_not_add_up() {
        let bill = Bill {
            compute: UsdHourly(0.1),
            redo: UsdHourly(0.2),
            lateness: UsdHourly(0.0),
            churn: UsdHourly(0.3),
        };
        let text = serde_json::to_string(&bill).unwrap();
        assert_eq!(
            text,
            r#"{"compute":0.1,"redo":0.2,"lateness":0.0,"churn":0.3,"total":0.6000000000000001}"#
        );
        assert_eq!(serde_json::from_str::<Bill>(&text).unwrap(), bill);
        let wrong = text.replace("0.6000000000000001", "0.7");
        let error = serde_json::from_str::<Bill>(&wrong).unwrap_err().to_string();
        assert!(
            error.contains("add up to $0.6000000000000001/h, not to its total of $0.7/h"),
            "{error}"
        );
    }
}
