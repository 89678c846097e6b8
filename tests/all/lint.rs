//! Lints over whole formulas: the good ones in `tests/formulas/good` get no warning, the bad ones what their first line
//! says (`// expect: F204 F219`; notes may come on top).

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use lowtide::base::{Diagnostic, Severity};
use lowtide::formula::{Dialect, Formula, Scope, codes, lint};

fn formulas(folder: &str) -> Vec<(String, String)> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "formulas", folder]
        .iter()
        .collect();
    let mut found: Vec<_> = fs::read_dir(&path)
        .expect("the folder is part of the project")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "formula"))
        .map(|path| {
            let name = path
                .file_name()
                .expect("it is a file")
                .to_string_lossy()
                .into_owned();
            (name, fs::read_to_string(path).expect("it is text"))
        })
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

/// Everything that is said about a formula.
fn said(source: &str) -> Vec<Diagnostic> {
    match Formula::compile(source, &Scope::default()) {
        Ok(formula) => formula
            .diagnostics()
            .iter()
            .cloned()
            .chain(lint(&formula))
            .collect(),
        Err(faults) => faults,
    }
}

fn shown(source: &str, found: &[Diagnostic]) -> String {
    let line = |row: &Diagnostic| format!("  {} {} `{}`\n", row.code, row.message, &source[row.span.clone()]);
    found.iter().map(line).collect::<Vec<_>>().concat()
}

#[test]
fn good_formulas_get_no_warning() {
    for (name, source) in formulas("good") {
        let mut found = said(&source);
        found.retain(|row| row.severity > Severity::Note);
        assert!(found.is_empty(), "{name}:\n{}", shown(&source, &found));
    }
}

#[test]
fn bad_formulas_get_what_their_first_line_says() {
    let mut wrong = Vec::new();
    for (name, source) in formulas("bad") {
        let first = source.lines().next().expect("a first line");
        let expected: BTreeSet<&str> = first
            .strip_prefix("// expect:")
            .expect("the first line says what is expected")
            .split_whitespace()
            .collect();
        let found = said(&source);
        let unexpected = found
            .iter()
            .filter(|row| row.severity > Severity::Note && !expected.contains(row.code.0));
        let missing: Vec<&str> = expected
            .iter()
            .copied()
            .filter(|code| !found.iter().any(|row| row.code.0 == *code))
            .collect();
        let unexpected: Vec<Diagnostic> = unexpected.cloned().collect();
        if !(missing.is_empty() && unexpected.is_empty()) {
            wrong.push(format!(
                "{name}: missing {missing:?}, unexpected:\n{}",
                shown(&source, &unexpected)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// A formula with the edit made that a diagnostic of this code proposes.
fn mended(source: &str, code: &str, dialect: Dialect) -> Option<String> {
    let formula = Formula::compile(source, &Scope::new(dialect)).ok()?;
    let found = lint(&formula)
        .into_iter()
        .chain(formula.diagnostics().iter().cloned());
    let fix = found.filter(|row| row.code.0 == code).find_map(|row| row.fix)?;
    let (before, after) = (&source[..fix.span.start], &source[fix.span.end..]);
    Some([before, &fix.replacement, after].concat())
}

#[test]
fn the_option_that_is_missing_is_put_on_a_line_of_its_own() {
    let target = "$TargetDedicatedNodes = min(9, $PendingTasks.GetSample(1))";
    for (end, mended_end) in [
        ("", ";\n@;"),
        (";", ";\n@;"),
        ("\n;\n", "\n;\n@;\n"),
        ("; // all of them\n", "; // all of them\n@;\n"),
        (
            " // all of them\n; // so far\nx = 1;",
            " // all of them\n; // so far\n@;\nx = 1;",
        ),
        (" ; x = 1;", " ;\n@; x = 1;"),
        (";\r\nx = 1;\r\n", ";\r\n@;\r\nx = 1;\r\n"),
        ("; // ü", "; // ü\n@;"),
    ] {
        let source = format!("{target}{end}");
        let expected =
            format!("{target}{mended_end}").replace('@', "$NodeDeallocationOption = taskcompletion");
        let got = mended(&source, "F239", Dialect::Service).expect("there is a fix");
        assert_eq!(got, expected, "{source}");
        let formula = Formula::compile(&got, &Scope::default()).expect("it is a formula");
        assert!(lint(&formula).iter().all(|row| row.code.0 != "F239"), "{got}");
    }
    let lenient = mended(&format!("{target} # all\nx = 1"), "F239", Dialect::Lenient);
    let expected = format!("{target};\n$NodeDeallocationOption = taskcompletion; # all\nx = 1");
    assert_eq!(lenient, Some(expected));
    let lenient = mended(&format!("{target}; /* all\nof them */"), "F239", Dialect::Lenient);
    let expected = format!("{target};\n$NodeDeallocationOption = taskcompletion; /* all\nof them */");
    assert_eq!(lenient, Some(expected));
}

/// Whatever proposes an edit proposes one that mends.
#[test]
fn what_a_lint_proposes_mends_its_bad_example() {
    let mut n_fixes = 0;
    for row in codes::all().filter(|row| row.code.0.starts_with("F2")) {
        let bad = row.example.expect("every row has one").bad;
        if let Some(mended_once) = mended(bad, row.code.0, Dialect::Service) {
            n_fixes += 1;
            let again = mended(&mended_once, row.code.0, Dialect::Service);
            assert_eq!(again, None, "{}: {bad}\n{mended_once}", row.code);
            assert!(
                Formula::compile(&mended_once, &Scope::default()).is_ok(),
                "{mended_once}"
            );
        }
    }
    assert!(n_fixes >= 3, "{n_fixes}");
}

/// Names that are used twice in each statement, deep tests, deep differences: what grows with the square must not double.
#[test]
fn no_shape_of_formula_makes_the_lints_run_away() {
    let doubling = |first: &str, next: &dyn Fn(usize) -> String| {
        let statements: Vec<String> = (1..49).map(next).collect();
        format!("{first}\n{}", statements.join("\n"))
    };
    let nested = |open: &str, middle: &str, close: &str| {
        format!("x = {}{middle}{};", open.repeat(30), close.repeat(30))
    };
    let formulas = [
        doubling("a0 = $CurrentDedicatedNodes;", &|i| {
            format!("a{i} = max(a{p}, a{p}) < 0.7 ? a{p} : a{p};", p = i - 1)
        }),
        doubling("a0 = $CurrentDedicatedNodes;", &|i| {
            format!("a{i} = a{p} - min(a{p}, a{p}, a{p});", p = i - 1)
        }),
        doubling("a0 = $CurrentDedicatedNodes; x = 1;", &|i| {
            format!(
                "a{i} = min(a{p}, a{p} + 1, a{p} + 2); b{i} = x - a{i};",
                p = i - 1
            )
        }),
        nested("(1 < ", "$UsableNodeCount", ")"),
        nested(
            "($PendingTasks.GetSamplePercent(TimeInterval_Minute) < ",
            "70",
            ") ? 1 : 2",
        ),
        nested(
            "(time().hour > 3 ? 1 + ",
            "avg($PendingTasks.GetSample(TimeInterval_Minute))",
            " : 2)",
        ),
    ];
    for source in formulas {
        // With work that doubles, this would not end in a lifetime.
        let formula = Formula::compile(&source, &Scope::default()).expect("it can be read");
        lint(&formula);
    }
}
