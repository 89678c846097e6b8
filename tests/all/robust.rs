//! No text makes the language panic, overflow the stack or run away.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::tame::hold;

/// The words of the language, and the mistakes that people make in it.
const WORDS: &[&str] = &[
    "$PendingTasks",
    "$ActiveTasks",
    "$CPUPercent",
    "$TargetDedicatedNodes",
    "$TargetLowPriorityNodes",
    "$TargetDedicated",
    "$NodeDeallocationOption",
    "$CurrentDedicatedNodes",
    "$TaskSlotsPerNode",
    "requeue",
    "taskcompletion",
    "TimeInterval_Minute",
    "TimeInterval_Year",
    "TimeInterval_Zero",
    "GetSample",
    "GetSamplePercent",
    "GetSamplePeriod",
    "Count",
    "HistoryBeginTime",
    "avg",
    "max",
    "min",
    "val",
    "vec",
    "time",
    "percentile",
    "std",
    "stop",
    "rand",
    "round",
    "lg",
    "weekday",
    "hour",
    "x",
    "$x",
    "y",
    "v",
    "t",
    "0",
    "1",
    "2",
    "0.5",
    "70",
    "1e308",
    "600.0",
    ".5",
    "1e9",
    "\"2026-11-22\"",
    "\"\"",
    "\"Mon, 06 Oct 2014 10:20:00 GMT\"",
    "=",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "!",
    "&&",
    "||",
    "?",
    ":",
    "(",
    ")",
    ".",
    ",",
    ";",
    ";\n",
    "// note\n",
    "\r\n",
    "#",
    "/*",
    "*/",
    "%",
    "'",
    "\\\"",
    "${",
    "}",
    "[",
    "]",
    "ü",
    "\u{FEFF}",
    "\0",
    "and",
    "++",
    "+=",
];

/// Formulas as people run them.
const FORMULAS: &[&str] = &[
    "$samples = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 15);\n$tasks = $samples < 70 ? max(0, $PendingTasks.GetSample(1)) : max($PendingTasks.GetSample(1), avg($PendingTasks.GetSample(TimeInterval_Minute * 15)));\n$targetVMs = $tasks > 0 ? $tasks : max(0, $TargetDedicatedNodes / 2);\n$TargetDedicatedNodes = max(0, min($targetVMs, 20));\n$NodeDeallocationOption = taskcompletion;\n",
    "$curTime = time();\r\n$workHours = $curTime.hour >= 8 && $curTime.hour < 18;\r\n$isWeekday = $curTime.weekday >= 1 && $curTime.weekday <= 5;\r\n$TargetDedicatedNodes = $workHours && $isWeekday ? 20:10;",
    "sli = TimeInterval_Second * 600.0; // ten minutes\nlastsample = val($PendingTasks.GetSample(1), 0);\nsamplevecavg = avg($PendingTasks.GetSample(sli, 10));\nrebalance = 0 == 1;\n$TargetLowPriorityNodes = lastsample + 0.999;",
    "lifespan = time() - time(\"2024-10-30T00:00:00.880011Z\");\nspan = TimeInterval_Minute * 60;\nstartup = lifespan < span;\nv = ($ActiveTasks.GetSample(3) + $RunningTasks.GetSample(3)) / 4;\n$TargetDedicatedNodes = ($PendingTasks.Count() ? 0 : 1) + max(v) - min(v);",
];

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(
            &[
                "0",
                "1",
                "2.5",
                "1000000",
                "x",
                "y",
                "v",
                "t",
                "$PendingTasks",
                "$TargetDedicatedNodes",
                "time()"
            ][..]
        )
        .prop_map(str::to_owned),
        select(
            &[
                "requeue",
                "TimeInterval_Hour",
                "TimeInterval_100ns",
                "vec()",
                "vec(1, 2)",
                "\"2026\"",
                "rand()"
            ][..]
        )
        .prop_map(str::to_owned),
        select(
            &[
                "GetSample(1)",
                "GetSample(1e18)",
                "GetSample(TimeInterval_Minute, 0)",
                "Count()",
                "HistoryBeginTime()"
            ][..]
        )
        .prop_map(|method| format!("$ActiveTasks.{method}")),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operator = select(&["+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "&&", "||"][..]);
        let function = select(
            &[
                "avg", "max", "min", "len", "sum", "std", "norm", "range", "vec", "ceil", "floor", "round",
                "ln", "lg", "log",
            ][..],
        );
        let of_two = select(&["val", "percentile"][..]);
        let member = select(&["year", "month", "day", "weekday", "hour", "minute", "second"][..]);
        let method = select(&["GetSample", "GetSamplePercent"][..]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(left, op, right)| format!("{left} {op} {right}")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            inner.clone().prop_map(|inner| format!("-{inner}")),
            inner.clone().prop_map(|inner| format!("!{inner}")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (function, prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(name, arguments)| format!("{name}({})", arguments.join(", "))),
            (of_two, inner.clone(), inner.clone()).prop_map(|(name, a, b)| format!("{name}({a}, {b})")),
            (inner.clone(), member).prop_map(|(inner, member)| format!("({inner}).{member}")),
            (method, prop::collection::vec(inner, 1..4))
                .prop_map(|(name, arguments)| format!("$PendingTasks.{name}({})", arguments.join(", "))),
        ]
    })
}

fn formula() -> impl Strategy<Value = String> {
    let name = select(
        &[
            "x",
            "y",
            "v",
            "t",
            "$TargetDedicatedNodes",
            "$TargetLowPriority",
            "$NodeDeallocationOption",
        ][..],
    );
    let statement = (prop::option::of(name), expression()).prop_map(|(name, value)| match name {
        Some(name) => format!("{name} = {value};\n"),
        None => format!("{value};\n"),
    });
    prop::collection::vec(statement, 1..8).prop_map(|statements| statements.concat())
}

/// A real formula with some stretches cut out, doubled, or replaced by a word.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<Index>(), 0..12_usize, 0..3_u8, select(WORDS));
    (select(FORMULAS), prop::collection::vec(edit, 1..5)).prop_map(|(formula, edits)| {
        let mut text = formula.to_owned();
        for (at, length, kind, word) in edits {
            let start = text.floor_char_boundary(at.index(text.len() + 1));
            let end = text
                .floor_char_boundary((start + length).min(text.len()))
                .max(start);
            let stretch = text[start..end].to_owned();
            match kind {
                0 => text.replace_range(start..end, ""),
                1 => text.insert_str(start, &stretch),
                _ => text.replace_range(start..end, word),
            }
        }
        text
    })
}

proptest! {
    // What was found once is written down as a case with a name, not as a seed.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        hold(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn text_is_read_or_refused(text in "\\PC{0,80}") {
        hold(&text);
    }

    #[test]
    fn any_order_of_words_is_read_or_refused(words in prop::collection::vec(select(WORDS), 0..40), gap in " ?") {
        hold(&words.join(&gap));
    }

    #[test]
    fn every_well_formed_formula_evaluates(formula in formula()) {
        hold(&formula);
    }

    #[test]
    fn formulas_with_mistakes_are_read_or_refused(formula in mutated()) {
        hold(&formula);
    }
}

/// Runs on a thread with one megabyte of stack: half of what the threads of a service have, in a build that is not optimised.
fn on_a_small_stack(body: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    let joined = thread.spawn(body).expect("a thread can be started").join();
    joined.expect("no text panics");
}

#[test]
fn nothing_nests_deep_enough_to_end_the_stack() {
    // What opens, what stands inside, what closes: once more for each level.
    let shapes = [
        ("(", "1", ")"),
        ("-", "1", ""),
        ("!", "1", ""),
        ("- ", "1", ""),
        ("-(", "1", ")"),
        ("max(", "1", ")"),
        ("vec(1,", "1", ")"),
        ("1+", "1", ""),
        ("1-(", "1", ")"),
        ("1<", "1", ""),
        ("1&&", "1", ""),
        ("1||", "1", ""),
        ("1*-", "1", ""),
        ("1==", "1", ""),
        ("1?1:", "1", ""),
        ("1?", "1", ":1"),
        ("(1?", "1", ":1)"),
        ("0?1:(", "1", ")"),
        ("", "time()", ".hour"),
        ("", "$PendingTasks", ".GetSample(1)"),
        ("$PendingTasks.GetSample(", "1", ")"),
        ("$PendingTasks.GetSample(TimeInterval_Minute*", "1", ",0)"),
        ("x=", "1", ""),
        ("x=1;", "x=1", ""),
        ("x=1\n", "x=1", ""),
        (";", "x=1", ""),
        ("[", "1", "]"),
        ("${", "x", "}"),
        ("/*", "x", "*/"),
        ("'", "x", "'"),
        ("\"", "x", "\""),
        ("\\\"", "x", "\\\""),
        ("//\n", "x", ""),
        ("1 1\n", "1", ""),
        ("x=(;", "1", ""),
        ("x=%;", "1", ""),
        (")", "1", ""),
        ("?", "1", ""),
        ("1,", "1", ""),
    ];
    on_a_small_stack(move || {
        for (open, inside, close) in shapes {
            for depth in [1, 42, 127, 128, 129, 1000, 8191] {
                let source = format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
                if source.len() < 20_000 {
                    hold(&source);
                }
            }
        }
    });
}

#[test]
fn the_ends_of_numbers_and_times_are_survived() {
    for value in [
        "$PendingTasks.GetSample(-1)",
        "$PendingTasks.GetSample(1e18)",
        "$PendingTasks.GetSample(1e308)",
        "$PendingTasks.GetSample(0/0)",
        "$PendingTasks.GetSample(1/0)",
        "$PendingTasks.GetSample(-1/0)",
        "$PendingTasks.GetSample(0.5)",
        "$PendingTasks.GetSample(TimeInterval_Year * 1e308)",
        "$PendingTasks.GetSample(TimeInterval_Year * -1e308, TimeInterval_Year * 1e308, -5)",
        "$PendingTasks.GetSample(TimeInterval_Year * 0 / 0, 1e9)",
        "$PendingTasks.GetSample(TimeInterval_Hour, 0 / 0)",
        "$PendingTasks.GetSample(TimeInterval_Hour, -1 / 0)",
        "$PendingTasks.GetSample(time(\"0001\"), time(\"9999\"), 0)",
        "$PendingTasks.GetSamplePercent(time(\"9999\"), TimeInterval_Year * -30000)",
        "$PendingTasks.GetSamplePercent(TimeInterval_Year * 100000000000)",
        "$PendingTasks.HistoryBeginTime() - TimeInterval_Year * 1e300",
        "val(vec(1, 2), -1)",
        "val(vec(1, 2), 1e300)",
        "val(vec(1, 2), 0 / 0)",
        "val(vec(1, 2), 0.5)",
        "percentile(vec(1, 2), -1e300)",
        "percentile(vec(1, 2), 1e300)",
        "percentile(vec(1, 0 / 0, 2), 0 / 0)",
        "max(0 / 0, 1 / 0)",
        "std(1e308, -1e308)",
        "norm(1e308, 1e308)",
        "round(1e308, -1e308, 0 / 0)",
        "1e308 * 10",
        "-(TimeInterval_Year * 1e300)",
        "TimeInterval_Year * 1e300 / 0",
        "time() + TimeInterval_Year * 1e300",
        "(time() + TimeInterval_Year * -1e300).weekday",
        "time(\"9999-12-31T23:59:59.9999999Z\") + TimeInterval_100ns",
        "time(\"9999-12-31T23:59:59-14:00\")",
        "time(\"0001-01-01T00:00:00+14:00\").year",
        "1e999",
    ] {
        hold(&format!("x = {value}; $TargetDedicatedNodes = x; y = x;"));
        hold(&format!(
            "$TargetDedicatedNodes = max(0, {value}); $TargetLowPriorityNodes = -{value};"
        ));
        hold(&format!("$NodeDeallocationOption = {value}; {value}"));
    }
}

#[test]
fn vectors_that_double_end_at_a_limit() {
    hold(&format!("v = vec(1, 2);{}", "v=vec(v,v,v,v);".repeat(99)));
    hold(&format!("v = vec(1, 2);{}", "v=vec(v,v);v=v+v;v=v*2;".repeat(33)));
    hold(&format!("x = {}1;", "len(vec(v,v))+".repeat(60)));
}
