//! The behaviours that formulas lean on and no document promises.
//!
//! Each has a code. Seen while checking, it is a warning (an error in the strict dialect); what a run leaned on is part of
//! its trace. Some are met by evaluation itself, which knows whether they mattered; the others are seen in the text alone,
//! and belong to the trace of every run that reaches their statement.

use super::{Formula, Trace};
use crate::base::{Code, Severity};

macro_rules! leans {
    ($($variant:ident $code:literal $message:literal $help:literal;)*) => {
        /// A behaviour that no document promises.
        #[allow(clippy::doc_markdown, reason = "the messages are for people, not for rustdoc")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Lean { $(#[doc = $message] $variant,)* }

        impl Lean {
            /// Every one of them, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns its code.
            pub const fn code(self) -> Code {
                match self { $(Self::$variant => Code($code),)* }
            }

            /// Returns what is leaned on, as a sentence.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// Returns the way out.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)* }
            }
        }
    };
}

leans! {
    SingleElement "F301" "a vector of one element is used as a number" "take the number out: val(v, 0), or max(0, v)";
    DefaultPercent "F302" "no samplePercent is given; the service then wants 70 %, which no document says" "give it: GetSample(span, 70), or test GetSamplePercent first";
    EmptyReduction "F303" "the vector is empty, and its reduction counts as 0" "test len(v) or GetSamplePercent first, or add a fallback: max(0, v)";
    NegativeTarget "F304" "a negative target counts as 0" "clamp it: max(0, …)";
    TimestampMinusInterval "F305" "timestamp - timeinterval is not in the table of operations" "write t + (-1 * interval)";
    DoubleThenVector "F306" "a number on the left of a vector is not in the table of operations" "put the vector on the left: v * 2";
    QuotedOption "F307" "the deallocation option is a quoted or computed string" "write the bare word: requeue, terminate, taskcompletion or retaineddata";
    MetricAsNumber "F308" "a data set is used as a number, read as GetSample(1)" "say which samples: max(0, $X.GetSample(1))";
    WindowBelowPeriod "F309" "the window is shorter than the 30 seconds between two samples" "look back at least a minute, better five";
    YearLength "F310" "the length of TimeInterval_Year is not documented; 365 days here" "write TimeInterval_Day * 365";
    PercentileMethod "F311" "how percentile chooses its element is not documented; nearest rank here" "use avg, max or min where it matters";
    ExtendedNumber "F312" "numbers like .5, 5. and 1e3 are not documented" "write 0.5, 5 or 1000";
    Lexical "F313" "the service does not read this; the lenient dialect does" "write it as the service reads it";
    ComputedTime "F314" "time() with a computed string is not documented" "write the date into the call";
    NonFinite "F315" "the value is not a finite number" "test the divisor before dividing";
    VectorOnlyFunction "F316" "vec() left the documentation in 2016" "pass the numbers to the function directly";
}

impl Lean {
    /// Says whether evaluation itself tells of it, at the moment when a run meets it.
    pub const fn is_met_in_runs(self) -> bool {
        match self {
            Self::SingleElement
            | Self::DefaultPercent
            | Self::EmptyReduction
            | Self::NegativeTarget
            | Self::DoubleThenVector
            | Self::WindowBelowPeriod
            | Self::NonFinite => true,
            Self::TimestampMinusInterval
            | Self::QuotedOption
            | Self::MetricAsNumber
            | Self::YearLength
            | Self::PercentileMethod
            | Self::ExtendedNumber
            | Self::Lexical
            | Self::ComputedTime
            | Self::VectorOnlyFunction => false,
        }
    }

    fn with_code(code: Code) -> Option<Self> {
        Self::ALL.iter().copied().find(|lean| lean.code() == code)
    }
}

/// Adds to a trace what the text of its formula leans on, each at the statement in which it stands.
///
/// What stands behind a statement and before the next one, such as a `#` comment, is counted to the statement before it;
/// what stands before the first statement, to that. Statements that were not reached lean on nothing.
pub(super) fn add_written(trace: &mut Trace, formula: &Formula) {
    let statements = &formula.checked().statements;
    for found in formula.diagnostics() {
        // The strict dialect refuses to lean: then it is an error, and the run fails there.
        let lean = Lean::with_code(found.code)
            .filter(|lean| found.severity < Severity::Error && !lean.is_met_in_runs());
        let index = statements.partition_point(|row| row.span.start <= found.span.start);
        let reached = trace.statements.get_mut(index.saturating_sub(1));
        if let (Some(lean), Some(statement)) = (lean, reached) {
            statement.leans.push((lean, found.span.clone()));
        }
    }
    for statement in &mut trace.statements {
        statement
            .leans
            .sort_by_key(|(lean, place)| (place.start, place.end, *lean));
        statement.leans.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Example, LineIndex, Timestamp};
    use crate::formula::{Dialect, Inputs, PoolFacts, Scope, codes};
    use crate::signal::History;

    /// What each statement that a run reaches leans on: `F310@2:5`.
    fn leans(source: &str, dialect: Dialect) -> Vec<Vec<String>> {
        let Ok(formula) = Formula::compile(source, &Scope::new(dialect)) else {
            return Vec::new();
        };
        let history = History::new();
        let inputs = Inputs {
            now: Timestamp::EPOCH,
            pool: PoolFacts::default(),
            history: &history,
            seed: 0,
        };
        let (_, trace) = formula.evaluator().run_traced(&inputs);
        let index = LineIndex::new(source);
        let shown = |(lean, place): &(Lean, std::ops::Range<usize>)| {
            let at = index.at(place.start);
            format!("{}@{}:{}", lean.code(), at.line, at.column)
        };
        let statements = trace.statements.iter();
        statements
            .map(|statement| statement.leans.iter().map(shown).collect())
            .collect()
    }

    fn check(source: &str, dialect: Dialect, expected: &[&[&str]]) {
        assert_eq!(leans(source, dialect), expected, "{source}");
    }

    #[test]
    fn every_lean_is_in_the_trace_of_its_bad_example_and_of_no_good_one() {
        for lean in Lean::ALL {
            let row = codes::find(lean.code().0).expect("every lean has a row");
            let traced = |source: &str, dialect| {
                let all = leans(source, dialect).concat();
                all.iter().any(|told| told.starts_with(row.code.0))
            };
            let Example { bad, good } = row.example.expect("every row has an example");
            let found = [Dialect::Service, Dialect::Lenient].map(|dialect| traced(bad, dialect));
            assert!(found.contains(&true), "{}: {bad}", row.code);
            assert!(!traced(good, Dialect::Service), "{}: {good}", row.code);
        }
    }

    #[test]
    fn each_stands_at_its_statement_once_and_in_order_of_place() {
        check(
            "v = vec(1, 2);\nw = 2 * v + .5;\nt = time() - TimeInterval_Year;",
            Dialect::Service,
            &[
                &["F316@1:5"],
                &["F306@2:5", "F312@2:13"],
                &["F305@3:12", "F310@3:14"],
            ],
        );
    }

    #[test]
    fn what_stands_between_statements_belongs_to_the_one_before() {
        check(
            "# zero\na = 1 # one\n  + 1;\nb = 2; # two",
            Dialect::Lenient,
            &[&["F313@1:1", "F313@2:7"], &["F313@4:8"]],
        );
    }

    #[test]
    fn only_what_a_run_reaches_is_leaned_on() {
        check("a = 1; stop(); b = .5;", Dialect::Service, &[&[], &[]]);
        check("a = 1; b = nothing; c = .5;", Dialect::Service, &[&[], &[]]);
    }

    #[test]
    fn evaluation_knows_better_what_it_met() {
        let untaken = "x = 0 ? avg($PendingTasks.GetSample(TimeInterval_Minute * 5)) : 1;";
        check(untaken, Dialect::Service, &[&[]]);
    }

    #[test]
    fn the_strict_dialect_refuses_instead_of_leaning() {
        check("t = time() - TimeInterval_Hour;", Dialect::Strict, &[&[]]);
        check(
            "t = time() + TimeInterval_Year;",
            Dialect::Strict,
            &[&["F310@1:14"]],
        );
    }
}
