//! The behaviours that formulas lean on and no document promises.
//!
//! Each has a code. Seen while checking, it is a warning (an error in the strict dialect); seen while evaluating, it is
//! part of the trace.

use crate::base::Code;

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
