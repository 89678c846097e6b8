//! F1xx: names that do not exist and types that do not fit. The service finds them when it evaluates, one at a time.

use super::CodeRow;

#[rustfmt::skip] // A table: its rows stay together.
pub(super) const ROWS: &[CodeRow] = &[
    CodeRow::shown("F101", "a name is not defined", "The run fails there, and the pool stays as it is.",
        "$TargetDedicatedNodes = nodes;", "nodes = 3; $TargetDedicatedNodes = nodes;"),
    CodeRow::shown("F102", "there is no such function", "The run fails there, and the pool stays as it is.",
        "x = mean(1, 2);", "x = avg(1, 2);"),
    CodeRow::shown("F103", "there is no such member or method", "Timestamps have members and data sets have sample methods; nothing else has any.",
        "h = time().hours;", "h = time().hour;"),
    CodeRow::shown("F104", "the wrong number of arguments", "The run fails there, and the pool stays as it is.",
        "x = val(vec(1, 2));", "x = val(vec(1, 2), 0);"),
    CodeRow::shown("F105", "an argument has the wrong type", "The run fails there, and the pool stays as it is.",
        "x = max(time());", "x = max(time().hour, 8);"),
    CodeRow::shown("F106", "an operator does not take these types", "Only the pairs in the table of operations have a meaning.",
        "x = time() * 2;", "x = time() + 2 * TimeInterval_Hour;"),
    CodeRow::shown("F107", "a name that cannot be assigned", "The service sets its metrics and constants itself.",
        "$PendingTasks = 4;", "pending = 4;"),
    CodeRow::shown("F108", "a target of the wrong type", "A target is a number, and the deallocation option one of four words.",
        "$TargetDedicatedNodes = time();", "$TargetDedicatedNodes = time().hour;"),
    CodeRow::shown("F109", "a data set is used as a value", "A metric has samples and no value of its own.",
        "$TargetDedicatedNodes = $PendingTasks;", "$TargetDedicatedNodes = max(0, $PendingTasks.GetSample(1));"),
    CodeRow::shown("F111", "a test that is no number", "The test of a ternary is a number; nonzero is true.",
        "x = time() ? 1 : 2;", "x = time().hour ? 1 : 2;"),
    CodeRow::shown("F112", "not a deallocation option", "There are requeue, terminate, taskcompletion and retaineddata.",
        "$NodeDeallocationOption = \"drain\";", "$NodeDeallocationOption = taskcompletion;"),
    CodeRow::shown("F113", "not a date and time", "W3C-DTF with at most seven digits after the second, or RFC 1123.",
        "t = time(\"tomorrow\");", "t = time(\"2026-11-26T08:00:00Z\");"),
];
