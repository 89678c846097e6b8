//! What a node cost over time, out of a table.

use super::{FAULTS_MAX, Table, without_faults};
use crate::base::{Diagnostic, Span, Timestamp, UsdHourly};
use crate::market::{PricePath, PriceStep};

/// A million dollars an hour is a slip of the pen.
const USD_HOURLY_MAX: f64 = 1e6;

/// Reads a price over time: columns `t_s` and `usd_hourly` and a row for each change, in order of time from the start of a run.
///
/// # Errors
/// Every fault, by place, up to twenty.
pub fn read_prices(text: &str, start: Timestamp) -> Result<PricePath, Vec<Diagnostic>> {
    let table = Table::new(text, ["t_s", "usd_hourly"]).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    let mut steps: Vec<PriceStep> = Vec::new();
    for row in table.rows(&mut faults) {
        if faults.len() >= FAULTS_MAX {
            break;
        }
        let [at, price] = table.needed.map(|column| row[column]);
        let usd = price.text.parse::<f64>().ok();
        let usd = usd.filter(|usd| (0.0..=USD_HOURLY_MAX).contains(usd));
        let (Some(seconds), Some(usd)) = (at.seconds(), usd) else {
            faults.push(if usd.is_some() {
                at.wrong("seconds since the start", "write a number from 0 to 1e9")
            } else {
                price.wrong("dollars an hour", "write a number from 0 to 1e6")
            });
            continue;
        };
        let from = start + Span::from_seconds(seconds);
        if steps.last().is_some_and(|last| last.from >= from) {
            faults.push(at.wrong("a later moment than in the row before", "sort the rows by time"));
        } else {
            let price = UsdHourly(usd);
            steps.push(PriceStep { from, price });
        }
    }
    let mut steps = without_faults(steps, faults)?.into_iter().peekable();
    let first = steps.peek().map(|step| step.price);
    first
        .and_then(|first| PricePath::new(first, steps.collect()))
        .ok_or_else(|| {
            let place = text.len().saturating_sub(1)..text.len();
            let fault = Diagnostic::error(super::NO_LIFE, place, "the table has no price");
            vec![fault.help("give a row such as 0,0.04: the seconds since the start, and dollars an hour")]
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::LineIndex;

    #[test]
    fn a_price_holds_until_the_next() {
        let at = Timestamp::from_unix_seconds;
        let path = read_prices("t_s,usd_hourly\n0,0.04\n3600,0.08\n", at(100)).unwrap();
        assert_eq!(path.price_at(at(3699)), UsdHourly(0.04));
        assert_eq!(path.price_at(at(3700)), UsdHourly(0.08));
    }

    #[test]
    fn every_fault_of_a_price_has_its_place() {
        let told = |text: &str| -> Vec<String> {
            let index = LineIndex::new(text);
            let faults = read_prices(text, Timestamp::EPOCH).unwrap_err();
            let told = faults.iter().map(|fault| {
                let at = index.at(fault.span.start);
                format!("{}:{} {}", at.line, at.column, fault.message)
            });
            told.collect()
        };
        assert_eq!(told(""), ["1:1 the table has no column `t_s`"]);
        assert_eq!(told("t_s,usd_hourly\n"), ["1:15 the table has no price"]);
        assert_eq!(
            told("t_s,usd_hourly\n0,-1\n5,1\n5,2\n6,NaN\nx,1\n7\n"),
            [
                "2:3 expected dollars an hour, found `-1`",
                "4:1 expected a later moment than in the row before, found `5`",
                "5:3 expected dollars an hour, found `NaN`",
                "6:1 expected seconds since the start, found `x`",
                "7:1 the row has 1 fields and the header 2",
            ]
        );
    }
}
