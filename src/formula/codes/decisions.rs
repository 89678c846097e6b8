//! F201 to F210: conditions, days and hours.

use super::CodeRow;

#[rustfmt::skip] // A table: its rows stay together.
pub(super) const ROWS: &[CodeRow] = &[
    CodeRow::shown("F201", "a condition is never true", "Proven by intervals, and for times by trying each hour of a week, each month, day and minute.",
        "now = time(); weekend = now.weekday < 1 && now.weekday > 5; $TargetDedicatedNodes = weekend ? 8 : 1;",
        "now = time(); weekend = now.weekday < 1 || now.weekday > 5; $TargetDedicatedNodes = weekend ? 8 : 1;"),
    CodeRow::shown("F202", "a condition is always true", "The other arm can never be taken.",
        "now = time(); day = now.hour >= 8 || now.hour < 18; $TargetDedicatedNodes = day ? 8 : 1;",
        "now = time(); day = now.hour >= 8 && now.hour < 18; $TargetDedicatedNodes = day ? 8 : 1;"),
    CodeRow::shown("F203", "a condition is a constant", "Nothing in it has a name, so that it says the same forever.",
        "rebalance = 0 == 1; $TargetDedicatedNodes = rebalance ? 4 : 2;",
        "rebalance = 0; $TargetDedicatedNodes = rebalance == 1 ? 4 : 2;"),
    CodeRow::shown("F204", "a value is compared with itself", "One of the two sides is a slip.",
        "n = $CurrentDedicatedNodes; $TargetDedicatedNodes = n > n ? 1 : 2;",
        "n = $CurrentDedicatedNodes; $TargetDedicatedNodes = n > 4 ? 1 : 2;"),
    CodeRow::shown("F205", "both arms are the same", "The test decides nothing.",
        "n = $CurrentDedicatedNodes; $TargetDedicatedNodes = n > 4 ? 2 : 2;",
        "n = $CurrentDedicatedNodes; $TargetDedicatedNodes = n > 4 ? 4 : 2;"),
    CodeRow::shown("F206", "a comparison of a comparison", "`a < b < c` compares 0 or 1 with c.",
        "h = time().hour; $TargetDedicatedNodes = 8 <= h < 18 ? 4 : 0;",
        "h = time().hour; $TargetDedicatedNodes = 8 <= h && h < 18 ? 4 : 0;"),
    CodeRow::shown("F207", "an operator takes itself back", "`!!x` and `-(-x)` hide a slip or say nothing.",
        "h = time().hour; $TargetDedicatedNodes = !!(h > 8) ? 4 : 0;",
        "h = time().hour; $TargetDedicatedNodes = h > 8 ? 4 : 0;"),
    CodeRow::shown("F208", "a weekday after Saturday", "Weekdays go from 0, Sunday, to 6, Saturday; there is no 7.",
        "d = time().weekday; $TargetDedicatedNodes = d >= 6 && d <= 7 ? 4 : 0;",
        "d = time().weekday; $TargetDedicatedNodes = d == 0 || d == 6 ? 4 : 0;"),
    CodeRow::shown("F209", "Sunday is taken for a workday", "Sunday is 0, so `weekday < 6` holds on Sundays and `weekday > 5` does not.",
        "d = time().weekday; $TargetDedicatedNodes = d < 6 ? 4 : 0;",
        "d = time().weekday; $TargetDedicatedNodes = d > 0 && d < 6 ? 4 : 0;"),
    CodeRow::shown("F210", "hours are UTC", "time() knows no time zone; office hours shift by the distance from UTC.",
        "h = time().hour; $TargetDedicatedNodes = h >= 8 && h < 18 ? 4 : 0;",
        "h = (time() + 1 * TimeInterval_Hour).hour; $TargetDedicatedNodes = h >= 8 && h < 18 ? 4 : 0;"),
];
