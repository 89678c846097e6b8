//! The laws of the formatter, over formulas with white space and comments in odd places.

use lowtide::base::{Code, Span, Timestamp};
use lowtide::formula::ast::{Call, Expr, ExprKind};
use lowtide::formula::{Dialect, FormatError, Formula, Inputs, PoolFacts, Scope, format, tree};
use lowtide::signal::{History, Metric, Series};
use proptest::prelude::*;

fn check(source: &str, expected: &str) {
    let formatted = format(source, Dialect::Service).unwrap();
    assert_eq!(formatted, expected, "laid out from:\n{source}");
    assert_eq!(
        format(&formatted, Dialect::Service).unwrap(),
        formatted,
        "formatting twice"
    );
}

#[test]
fn one_statement_a_line_and_spaces_around_operators() {
    check(
        "a=1;b=-a*2+3;c=!(a>=b)&&a!=1||b<2",
        "a = 1;\nb = -a * 2 + 3;\nc = !(a >= b) && a != 1 || b < 2;\n",
    );
    check("x = - -1 ;; y=--1", "x = - -1;\ny = - -1;\n");
    check("f ( 1,vec( ) ) ;", "f(1, vec());\n");
    check(
        "$x=$PendingTasks . GetSample(1) ;t=time( ).hour",
        "$x = $PendingTasks.GetSample(1);\nt = time().hour;\n",
    );
}

#[test]
fn numbers_strings_and_brackets_stay_as_written() {
    check(
        "x=((1.50+.5))*600.0;t=time( \" a  b\" )",
        "x = ((1.50 + .5)) * 600.0;\nt = time(\" a  b\");\n",
    );
}

#[test]
fn a_number_keeps_its_distance_from_a_dot() {
    // Found by chance: `8.hour` would be read as 8 and a name.
    check("x = 8 .hour;", "x = 8 .hour;\n");
    check("x = 8 . hour;", "x = 8 .hour;\n");
}

#[test]
fn comments_and_blank_lines_stay() {
    check(
        "\n\n// head\n\n\n\n//second\na=1; // behind  \n\n\n// own\nb=2 // before the mark\n;\n\n// end\n\n\n",
        "// head\n\n//second\na = 1; // behind\n\n// own\nb = 2; // before the mark\n\n// end\n",
    );
    check("a=1;// one\r\n\r\nb=2;\r\n", "a = 1; // one\n\nb = 2;\n");
    check("a=1 // x\n; // y\nb=2", "a = 1; // x\n// y\nb = 2;\n");
}

#[test]
fn a_comment_inside_an_expression_keeps_its_line_end() {
    check("x = a // why\n+ b;", "x = a // why\n    + b;\n");
    check("x = // why\n a + b;", "x = // why\n    a + b;\n");
    check(
        "x = max(a, // first\nb);",
        "x = max(\n    a, // first\n    b\n);\n",
    );
    check(
        "x = max(a // first\n, b\n// last\n);",
        "x = max(\n    a, // first\n    b\n    // last\n);\n",
    );
    check("x = max( // none\n);", "x = max( // none\n);\n");
    check("x = (// in\na);", "x = ( // in\n    a\n);\n");
    check(
        "x = c ? // yes\n a : // no\n b;",
        "x = c\n    ? // yes\n        a\n    : // no\n        b;\n",
    );
    check(
        "x = c // test\n ? a // yes\n : b // no\n;",
        "x = c // test\n    ? a // yes\n    : b; // no\n",
    );
    check(
        "x = $A // set\n . // dot\n GetSample // call\n (1);",
        "x = $A // set\n    . // dot\n    GetSample // call\n    (1);\n",
    );
    check("x = - // minus\n 1;", "x = - // minus\n    1;\n");
}

#[test]
fn long_statements_break_where_they_mean_something() {
    let source = "$TargetDedicatedNodes = max(minimumNumberOfNodes, min(maximumNumberOfNodes, avg($PendingTasks.GetSample(TimeInterval_Minute * 15, 70)) / slots + 0.5));";
    check(
        source,
        "\
$TargetDedicatedNodes = max(
    minimumNumberOfNodes,
    min(
        maximumNumberOfNodes,
        avg($PendingTasks.GetSample(TimeInterval_Minute * 15, 70)) / slots + 0.5
    )
);
",
    );
    let source = "$TargetDedicatedNodes = $isWorkingWeekdayHour ? numberOfNodesInTheDaytime : $isWeekend ? numberOfNodesAtTheWeekend : 0;";
    check(
        source,
        "\
$TargetDedicatedNodes = $isWorkingWeekdayHour ? numberOfNodesInTheDaytime
    : $isWeekend ? numberOfNodesAtTheWeekend
    : 0;
",
    );
    let source = "$tasks = $samples < 70 ? max(0, $ActiveTasks.GetSample(1)) : max($ActiveTasks.GetSample(1), avg($ActiveTasks.GetSample(TimeInterval_Minute * 15)));";
    check(
        source,
        "\
$tasks = $samples < 70
    ? max(0, $ActiveTasks.GetSample(1))
    : max($ActiveTasks.GetSample(1), avg($ActiveTasks.GetSample(TimeInterval_Minute * 15)));
",
    );
    let source = "$isWorkingWeekdayHour = $curTime.hour >= 8 && $curTime.hour < 18 && $curTime.weekday >= 1 && $curTime.weekday <= 5;";
    check(
        source,
        "\
$isWorkingWeekdayHour = $curTime.hour >= 8
    && $curTime.hour < 18
    && $curTime.weekday >= 1
    && $curTime.weekday <= 5;
",
    );
}

#[test]
fn the_lenient_dialect_keeps_its_comments_and_gains_semicolons() {
    let formatted = format("a = 1 # one\nb = 2", Dialect::Lenient).unwrap();
    assert_eq!(format(&formatted, Dialect::Lenient).unwrap(), formatted);
    assert!(formatted.contains("# one"), "{formatted}");
}

#[test]
fn a_text_that_is_no_formula_is_refused_with_its_faults() {
    for source in ["a = ;", "// nothing"] {
        let error = format(source, Dialect::Service).unwrap_err();
        assert!(matches!(&error, FormatError::Unreadable(faults) if !faults.is_empty()));
        assert!(!error.diagnostics().is_empty());
    }
}

#[test]
fn what_would_be_too_long_for_the_service_is_left_as_it_is() {
    // A comment makes the formula just as long as the service takes, its line end included.
    let of_length = |length: usize| format!("x = 1; // {}\n", "y".repeat(length - 11));
    assert_eq!(format(&of_length(8192), Dialect::Service), Ok(of_length(8192)));
    let one_more = of_length(8193);
    let error = format(one_more.trim_end(), Dialect::Service).unwrap_err();
    assert_eq!(
        error,
        FormatError::TooLong {
            characters: 8193,
            grown: 0..1,
            growth: 0
        }
    );

    // The first lines have 16 characters; each of 60 brackets opens a line, puts `1,` on one and closes on one, all of them
    // 4 further in than those of the bracket around: 16 + 7500 + 7375 + 242 + 7198 + 3.
    let deep = format!("a = 1;\nb = {}2{};\n", "max(1, ".repeat(60), ")".repeat(60));
    let error = format(&deep, Dialect::Service).unwrap_err();
    let [fault] = &error.diagnostics()[..] else {
        panic!("one reason is enough");
    };
    assert_eq!((fault.code, fault.span.clone()), (Code("F016"), 7..8));
    assert_eq!(
        fault.message,
        "laid out the formula would have 22334 characters, and the service takes 8192"
    );
}

/// The tree without places, and the comments in order.
fn shape(source: &str) -> String {
    let ast = tree(source, Dialect::Service).unwrap_or_else(|faults| panic!("{source}\n{faults:?}"));
    let mut shape = String::new();
    for statement in &ast.statements {
        let target = statement.target.as_ref().map_or("", |name| &name.text);
        shape.extend([target, " = ", &expr(&statement.value), ";\n"]);
    }
    let comments = ast.comments.iter().map(|comment| comment.text.trim_end());
    shape + &comments.collect::<Vec<_>>().join("\n")
}

fn expr(of: &Expr) -> String {
    match &of.kind {
        ExprKind::Number(number) => format!("{number}"),
        ExprKind::Text(text) => format!("{text:?}"),
        ExprKind::Name(name) => name.clone(),
        ExprKind::Group(inner) => format!("[{}]", expr(inner)),
        ExprKind::Call(one) => call(one),
        ExprKind::Method(object, one) => format!("({} . {})", expr(object), call(one)),
        ExprKind::Member(object, name) => format!("({} . {})", expr(object), name.text),
        ExprKind::Unary(op, operand) => format!("({op:?} {})", expr(operand)),
        ExprKind::Binary(op, _, left, right) => format!("({op:?} {} {})", expr(left), expr(right)),
        ExprKind::Conditional(_, test, then, otherwise) => {
            format!("(if {} {} {})", expr(test), expr(then), expr(otherwise))
        }
    }
}

fn call(of: &Call) -> String {
    let arguments: Vec<_> = of.arguments.iter().map(expr).collect();
    format!("{}({})", of.name.text, arguments.join(", "))
}

/// What the service would answer on three samples, without the places of errors.
fn answer(source: &str) -> (String, Option<String>) {
    let mut series = Series::new(Timestamp::EPOCH, Span::SAMPLE_PERIOD);
    (0..3).for_each(|index| series.push(Some(f64::from(index))).unwrap());
    let mut history = History::new();
    history.insert(Metric::PendingTasks, series);
    let inputs = Inputs {
        now: Timestamp::from_unix_seconds(90),
        pool: PoolFacts::default(),
        history: &history,
        seed: 0,
    };
    let formula = Formula::compile(source, &Scope::default()).unwrap();
    let run = formula.auto_scale_run(&inputs);
    let told = run.error.map(|error| {
        let text = &error.values[0].value;
        text.split_once(": ")
            .map_or(text.clone(), |(_, text)| text.to_owned())
    });
    (run.results, told)
}

type Tokens = Vec<String>;

fn tokens(words: &[&str]) -> Tokens {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn expression() -> impl Strategy<Value = Tokens> {
    let name = prop_oneof![
        Just("a"),
        Just("$PendingTasks"),
        Just("a_name_of_considerable_length"),
        Just("TimeInterval_Minute")
    ];
    let leaf = prop_oneof![
        name.prop_map(|name| tokens(&[name])),
        prop_oneof![Just("1"), Just("0.50"), Just("16777216"), Just("\"a // b\"")]
            .prop_map(|word| tokens(&[word])),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operator = prop_oneof![
            Just("+"),
            Just("-"),
            Just("*"),
            Just("/"),
            Just("<"),
            Just(">="),
            Just("=="),
            Just("!="),
            Just("&&"),
            Just("||"),
        ];
        let list = proptest::collection::vec(inner.clone(), 0..4)
            .prop_map(|arguments| arguments.join(&",".to_owned()));
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(left, op, right)| [
                left,
                tokens(&[op]),
                right
            ]
            .concat()),
            inner
                .clone()
                .prop_map(|inner| [tokens(&["("]), inner, tokens(&[")"])].concat()),
            // `- (…)`, as an operator before a conditional would take its test alone.
            inner
                .clone()
                .prop_map(|inner| [tokens(&["-", "("]), inner, tokens(&[")"])].concat()),
            Just(tokens(&["!", "-", "-", "a"])),
            list.clone()
                .prop_map(|list| [tokens(&["max", "("]), list, tokens(&[")"])].concat()),
            list.prop_map(|list| [
                tokens(&["$PendingTasks", ".", "GetSample", "("]),
                list,
                tokens(&[")"])
            ]
            .concat()),
            Just(tokens(&["time", "(", ")", ".", "hour"])),
            (inner.clone(), inner.clone(), inner).prop_map(|(test, then, otherwise)| {
                [
                    tokens(&["("]),
                    test,
                    tokens(&["?"]),
                    then,
                    tokens(&[":"]),
                    otherwise,
                    tokens(&[")"]),
                ]
                .concat()
            }),
        ]
    })
}

/// What may stand between two tokens; rarely a comment.
fn trivia() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        20 => Just(""),
        20 => Just(" "),
        3 => Just("\n"),
        2 => Just("\r\n\t"),
        1 => Just("\n \n\n"),
        2 => Just(" // behind\n"),
        1 => Just("\n// own ; line ) ( \" '\n"),
        1 => Just(" //\r\n"),
        1 => Just("\n\n  // two  \n// lines\n\n"),
    ]
}

/// A formula and its comments: statements of tokens with trivia before each, and something at the end.
fn formula() -> impl Strategy<Value = (String, Vec<String>)> {
    let statement = (any::<bool>(), expression(), any::<bool>()).prop_map(|(assigns, value, doubled)| {
        let target = if assigns {
            tokens(&["x", "="])
        } else {
            Tokens::new()
        };
        let end = if doubled {
            tokens(&[";", ";"])
        } else {
            tokens(&[";"])
        };
        [target, value, end].concat()
    });
    let statements = proptest::collection::vec(statement, 1..5).prop_map(|statements| statements.concat());
    statements.prop_flat_map(|tokens| {
        let gaps = proptest::collection::vec(trivia(), tokens.len() + 1);
        (Just(tokens), gaps).prop_map(|(tokens, gaps)| {
            let mut text: String = gaps
                .iter()
                .zip(&tokens)
                .flat_map(|(gap, token)| [*gap, token])
                .collect();
            text.push_str(gaps[tokens.len()]);
            let comments = gaps.iter().flat_map(|gap| gap.lines()).map(str::trim);
            let comments = comments
                .filter(|line| line.starts_with("//"))
                .map(str::to_owned)
                .collect();
            (text, comments)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn formatting_keeps_the_tree_and_every_comment((source, comments) in formula()) {
        let formatted = format(&source, Dialect::Service).unwrap();
        prop_assert!(shape(&formatted).ends_with(&comments.join("\n")), "{}", formatted);
        prop_assert_eq!(shape(&formatted), shape(&source), "{}", formatted);
    }

    #[test]
    fn formatting_twice_changes_nothing((source, _) in formula()) {
        let once = format(&source, Dialect::Service).unwrap();
        prop_assert_eq!(format(&once, Dialect::Service).unwrap(), once, "from:\n{}", source);
    }

    #[test]
    fn lines_end_in_lf_and_in_no_space((source, _) in formula()) {
        let formatted = format(&source, Dialect::Service).unwrap();
        prop_assert!(formatted.ends_with('\n') && !formatted.ends_with("\n\n"));
        prop_assert!(!formatted.contains('\r'));
        prop_assert!(formatted.lines().all(|line| line.trim_end() == line && !line.contains('\t')), "{}", formatted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn results_never_change((source, _) in formula()) {
        let formatted = format(&source, Dialect::Service).unwrap();
        prop_assert_eq!(answer(&formatted), answer(&source), "{}", formatted);
    }
}
