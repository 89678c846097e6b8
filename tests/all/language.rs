//! The language beside its scripts: the examples of the built-ins, limits, and chance.

use lowtide::account::NodeDeallocationOption;
use lowtide::base::{Mix, Timestamp};
use lowtide::formula::builtin::{FUNCTIONS, MEMBERS, METHODS, SERVICE_VARIABLES};
use lowtide::formula::{AutoScaleRun, Dialect, Formula, Inputs, PoolFacts, Scope, Value};
use lowtide::signal::History;

fn run(source: &str, seed: u64) -> AutoScaleRun {
    let history = History::new();
    let pool = PoolFacts {
        target: Mix::new(2, 1),
        option: NodeDeallocationOption::TaskCompletion,
        ..PoolFacts::default()
    };
    let inputs = Inputs {
        now: Timestamp::EPOCH,
        pool,
        history: &history,
        seed,
    };
    match Formula::compile(source, &Scope::default()) {
        Ok(formula) => formula.auto_scale_run(&inputs),
        Err(faults) => AutoScaleRun::of_syntax_error(source, &faults, &inputs),
    }
}

fn error_code(source: &str) -> Option<String> {
    run(source, 0).error.map(|error| error.code)
}

#[test]
fn the_examples_of_every_function_print_what_they_say() {
    let mut count = 0;
    for row in FUNCTIONS {
        assert!(!row.examples.is_empty(), "{} has no example", row.name);
        assert!(row.signature.contains(row.name), "{}", row.signature);
        for (example, printed) in row.examples {
            let answer = run(example, 0);
            let expected = format!(";x={printed}");
            assert_eq!(answer.error, None, "{example}");
            assert!(
                answer.results.ends_with(&expected),
                "{example}: {}",
                answer.results
            );
            count += 1;
        }
    }
    assert!(count >= FUNCTIONS.len());
}

/// What the scripts of this folder call and read, as one text.
fn scripts() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formulas");
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let scripts = paths.filter(|path| path.extension().is_some_and(|extension| extension == "test"));
    scripts
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

#[test]
fn no_built_in_is_without_a_script() {
    let scripts = scripts();
    let functions = FUNCTIONS.iter().map(|row| format!(" {}(", row.name));
    let methods = METHODS.iter().map(|row| format!(".{}(", row.name));
    let members = MEMBERS.iter().map(|(name, ..)| format!(".{name} "));
    let variables = SERVICE_VARIABLES.iter().map(|(name, ..)| (*name).to_owned());
    for piece in functions.chain(methods).chain(members).chain(variables) {
        assert!(scripts.contains(&piece), "no script has `{piece}`");
    }
}

#[test]
fn a_formula_may_have_8192_characters_and_not_one_more() {
    // Characters, not bytes: `ü` takes two bytes.
    let formula = |characters: usize| format!("x=1;//{}", "ü".repeat(characters - 6));
    assert_eq!(error_code(&formula(8192)), None);
    assert_eq!(
        error_code(&formula(8193)).as_deref(),
        Some("AutoScaleFormulaTooLong")
    );
}

#[test]
fn a_formula_may_have_100_statements_and_not_one_more() {
    assert_eq!(error_code(&"x=1;".repeat(100)), None);
    assert_eq!(error_code(&"x=1;;".repeat(100)), None);
    let code = error_code(&"x=1;".repeat(101));
    assert_eq!(code.as_deref(), Some("AutoScalingFormulaSyntaxError"));
}

#[test]
fn lenient_forgives_every_missing_semicolon_that_a_formula_can_have() {
    let compile = |lines: usize| Formula::compile(&"x = 1\n".repeat(lines), &Scope::new(Dialect::Lenient));
    for lines in [2, 30, 100] {
        assert!(compile(lines).is_ok(), "{lines} lines");
    }
    assert!(!compile(101).unwrap_err().is_empty());
    assert!(!compile(200).unwrap_err().is_empty());
}

#[test]
fn brackets_nest_as_deep_as_any_person_would_write_and_no_deeper() {
    let nested = |depth: usize| format!("x={}1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(error_code(&nested(40)), None);
    let code = error_code(&nested(1000));
    assert_eq!(code.as_deref(), Some("AutoScalingFormulaSyntaxError"));
}

#[test]
fn rand_is_seeded() {
    let formula = "a = rand(); b = rand(); c = rand();";
    let numbers = |seed| run(formula, seed).results;
    assert_eq!(numbers(7), numbers(7));
    assert_ne!(numbers(7), numbers(8));
    for seed in 0..100 {
        let compiled = Formula::compile("x = rand()", &Scope::new(Dialect::Service)).unwrap();
        let mut evaluator = compiled.evaluator();
        let history = History::new();
        let inputs = Inputs {
            now: Timestamp::EPOCH,
            pool: PoolFacts::default(),
            history: &history,
            seed,
        };
        evaluator.run(&inputs).unwrap();
        let Some(Value::Double(number)) = evaluator.value("x") else {
            panic!("rand() gives a number");
        };
        assert!((0.0..1.0).contains(&number), "seed {seed} gave {number}");
    }
}

#[test]
fn a_failed_run_keeps_the_pool_as_it_is() {
    let kept = "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=1;$NodeDeallocationOption=taskcompletion";
    for source in [
        "",
        "x = ",
        "$TargetDedicatedNodes = 9; nothing_of_that_name",
        "$TargetDedicatedNodes = 9; $NodeDeallocationOption = requeue; x = avg($PendingTasks.GetSample(TimeInterval_Hour));",
    ] {
        let answer = run(source, 0);
        assert_eq!(answer.results, kept, "{source}");
        assert!(answer.error.is_some(), "{source}");
    }
}

#[test]
fn a_record_names_the_syntax_fault_even_behind_a_wrong_name() {
    let source = "x = time().hours\ny = 1;";
    let faults = Formula::compile(source, &Scope::default()).unwrap_err();
    assert_eq!(faults[0].code.0, "F103", "the wrong name stands first");
    let history = History::new();
    let inputs = Inputs {
        now: Timestamp::EPOCH,
        pool: PoolFacts::default(),
        history: &history,
        seed: 0,
    };
    let error = AutoScaleRun::of_syntax_error(source, &faults, &inputs)
        .error
        .unwrap();
    assert_eq!(error.code, "AutoScalingFormulaSyntaxError");
    assert!(
        error.values[0].value.starts_with("Line 2, Col 1: "),
        "{}",
        error.values[0].value
    );
}
