//! F3xx: behaviour that no document promises, seen while checking or while evaluating; errors in the strict dialect.

use super::CodeRow;

#[rustfmt::skip] // A table: its rows stay together.
pub(super) const ROWS: &[CodeRow] = &[
    CodeRow::shown("F301", "a vector of one element is used as a number", "Common in the wild; no document says that it converts.",
        "n = vec(3); $TargetDedicatedNodes = n;", "n = vec(3); $TargetDedicatedNodes = val(n, 0);"),
    CodeRow::shown("F302", "no share of samples is given", "The service then wants 70 %, which is known from one error message only (batch-shipyard#138).",
        "n = avg($PendingTasks.GetSample(TimeInterval_Minute * 5));", "n = avg($PendingTasks.GetSample(TimeInterval_Minute * 5, 70));"),
    CodeRow::shown("F303", "a reduction of nothing counts as 0", "Seen while evaluating: the vector was empty.",
        "n = avg($PendingTasks.GetSample(1));", "n = max(0, $PendingTasks.GetSample(1));"),
    CodeRow::shown("F304", "a negative target counts as 0", "Seen while evaluating: the target was -1 or less.",
        "$TargetDedicatedNodes = 1 - 4;", "$TargetDedicatedNodes = max(0, 1 - 4);"),
    CodeRow::shown("F305", "an interval is taken from an instant", "timestamp - timeinterval is not in the table of operations.",
        "t = time() - TimeInterval_Hour;", "t = time() + -1 * TimeInterval_Hour;"),
    CodeRow::shown("F306", "a number on the left of a vector", "The table of operations has the vector on the left.",
        "v = 2 * vec(1, 2);", "v = vec(1, 2) * 2;"),
    CodeRow::shown("F307", "a quoted or computed deallocation option", "The guide shows bare words only.",
        "$NodeDeallocationOption = \"taskcompletion\";", "$NodeDeallocationOption = taskcompletion;"),
    CodeRow::shown("F308", "a data set is read as its newest sample", "The lenient dialect understands a metric used as a number; the service does not.",
        "n = $PendingTasks / 2;", "n = max(0, $PendingTasks.GetSample(1)) / 2;"),
    CodeRow::shown("F309", "a window below the period of samples", "Seen while evaluating: how many samples such a window could hold is not documented.",
        "n = $PendingTasks.GetSamplePercent(TimeInterval_Second * 5);", "n = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);"),
    CodeRow::shown("F310", "the length of a year", "365 days here; no document says.",
        "t = time() + TimeInterval_Year;", "t = time() + TimeInterval_Day * 365;"),
    CodeRow::shown("F311", "how percentile chooses", "Nearest rank here; no document says.",
        "n = percentile($PendingTasks.GetSample(10), 90);", "n = max($PendingTasks.GetSample(10));"),
    CodeRow::shown("F312", "an undocumented form of number", "The guide shows 5 and 0.25; .5, 5. and 1e3 are read here.",
        "n = .5;", "n = 0.5;"),
    CodeRow::shown("F313", "read by the lenient dialect only", "`#` comments, a missing `;` and the like are errors for the service.",
        "n = 1 # one", "n = 1 // one"),
    CodeRow::shown("F314", "a computed time", "The guide shows time() with a string that is written there.",
        "day = vec(1, 2); t = time(len(day) > 1 ? \"2026-11-25\" : \"2026-11-26\");", "t = time(\"2026-11-25\");"),
    CodeRow::shown("F315", "not a finite number", "Seen while evaluating: a division by zero.",
        "n = 1 / $CurrentDedicatedNodes;", "n = 1 / max(1, $CurrentDedicatedNodes);"),
    CodeRow::shown("F316", "vec() is no longer documented", "It left the guide in 2016.",
        "n = avg(vec(1, 2));", "n = avg(1, 2);"),
];
