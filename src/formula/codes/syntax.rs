//! F0xx: texts that cannot be read.

use super::CodeRow;

#[rustfmt::skip] // A table: its rows stay together.
pub(super) const ROWS: &[CodeRow] = &[
    CodeRow::shown("F001", "the formula is too long", "The service takes 8,192 characters.",
        "x = 1;«          »×820", "x = 1;"),
    CodeRow::shown("F002", "the formula has too many statements", "The service takes 100 statements.",
        "«x = 1; »×101", "«x = 1; »×100"),
    CodeRow::shown("F003", "a `;` is missing", "A line end does not end a statement; the next line is read as part of it.",
        "x = 1\ny = 2;", "x = 1;\ny = 2;"),
    CodeRow::shown("F004", "something else was expected", "The text does not follow the grammar at this place.",
        "$TargetDedicatedNodes = 3 *;", "$TargetDedicatedNodes = 3 * 2;"),
    CodeRow::shown("F005", "the formula is empty", "A formula is one or more statements; comments alone are none.",
        "// later", "$TargetDedicatedNodes = 0; // later"),
    CodeRow::shown("F006", "the formula is nested too deeply", "Deeper than 128 levels no person can follow, and no stack should have to.",
        "x = «(»×200 1 «)»×200;", "x = ((1));"),
    CodeRow::shown("F007", "a comment of another language", "Comments begin with `//`; `#` and `/* */` are not read by the service.",
        "x = 1; # one", "x = 1; // one"),
    CodeRow::shown("F008", "quotes of another language", "Strings have plain double quotes; what a JSON file or a shell escapes must arrive unescaped.",
        "t = time(\\\"2026-11-25\\\");", "t = time(\"2026-11-25\");"),
    CodeRow::shown("F009", "a template was not filled in", "`${…}` and the like are for the tool that makes the formula; the service does not know them.",
        "$TargetDedicatedNodes = ${nodes};", "$TargetDedicatedNodes = 4;"),
    CodeRow::shown("F010", "there is no operator `%`", "The language has no remainder; floor makes one.",
        "x = 7 % 2;", "x = 7 - 2 * floor(7 / 2);"),
    CodeRow::shown("F011", "`=` where a comparison is meant", "`=` assigns, and only at the start of a statement.",
        "x = 1; y = x = 1 ? 2 : 3;", "x = 1; y = x == 1 ? 2 : 3;"),
    CodeRow::shown("F012", "a bracket is not closed", "The formula ends inside of it.",
        "x = max(0, 1", "x = max(0, 1)"),
    CodeRow::shown("F013", "a string is not closed", "A string ends on the line where it begins.",
        "t = time(\"2026-11-25);", "t = time(\"2026-11-25\");"),
    CodeRow::shown("F014", "not a number", "A number is larger than a double can be, or written in a way that the service does not read.",
        "x = 1e999;", "x = 31;"),
    CodeRow::shown("F015", "a name is missing", "Shells and templates replace `$name` by nothing when the text is not quoted.",
        " = 4;", "$TargetDedicatedNodes = 4;"),
    CodeRow::shown("F016", "the formula would be too long when laid out", "Said by fmt, which leaves it as it is: line breaks and indentation count as characters for the service.",
        "x = «max(1, »×60 2 «)»×60;", "y = «max(1, »×9 2 «)»×9; x = «max(1, »×9 y «)»×9;"),
];
