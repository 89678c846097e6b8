//! Conditions on a run, such as `p95_wait>10m`: what a check in continuous integration, or a tuner, holds a policy to.

use std::fmt;
use std::str::FromStr;

use super::report::Run;
use super::table::brief;
use crate::base::{Span, Usd, did_you_mean};

/// A figure of a run compared with a number.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    figure: &'static Figure,
    compares: Comparison,
    /// In seconds, dollars, shares from 0 or counts.
    value: f64,
}

/// Says why a text is not a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConditionError(String);

/// A figure of a run by its name.
#[derive(Debug)]
struct Figure {
    name: &'static str,
    unit: Unit,
    /// Nothing where the run has no such figure.
    of: fn(&Run) -> Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Seconds, written as a duration.
    Time,
    /// Dollars.
    Money,
    /// A share, written as 0.05 or 5%.
    Share,
    /// A number.
    Number,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Over,
    OverOrAt,
    Under,
    UnderOrAt,
}

/// The figures, as `--fail-if` spells them.
const FIGURES: [Figure; 29] = [
    figure("cost", Unit::Money, |run| Some(run.cost.total.0)),
    figure("dedicated_cost", Unit::Money, |run| Some(run.cost.dedicated.0)),
    figure("spot_cost", Unit::Money, |run| Some(run.cost.spot.0)),
    figure("wasted", Unit::Money, |run| Some(run.cost.wasted.0)),
    figure("cost_to_bound", Unit::Number, |run| run.hindsight?.cost_to_bound),
    figure("cost_to_bound_with_misses", Unit::Number, |run| {
        run.hindsight?.cost_to_bound_with_misses
    }),
    figure("p50_wait", Unit::Time, |run| Some(run.wait.p50)),
    figure("p95_wait", Unit::Time, |run| Some(run.wait.p95)),
    figure("p99_wait", Unit::Time, |run| Some(run.wait.p99)),
    figure("max_wait", Unit::Time, |run| Some(run.wait.max)),
    figure("p50_delay", Unit::Time, |run| Some(run.delay.p50)),
    figure("p95_delay", Unit::Time, |run| Some(run.delay.p95)),
    figure("p99_delay", Unit::Time, |run| Some(run.delay.p99)),
    figure("max_delay", Unit::Time, |run| Some(run.delay.max)),
    figure("misses", Unit::Share, |run| Some(run.misses.share)),
    figure("missed_work", Unit::Share, |run| Some(run.misses.work_share)),
    figure("missed_tasks", Unit::Number, |run| Some(run.misses.tasks.into())),
    figure("deadline_missed", Unit::Number, |run| {
        run.tasks.deadline_missed.map(f64::from)
    }),
    figure("deadline_late", Unit::Time, |run| Some(run.deadlines?.late.max)),
    figure("unfinished", Unit::Number, |run| {
        Some(run.tasks.unfinished.into())
    }),
    figure("terminated", Unit::Number, |run| {
        Some(run.tasks.terminated.into())
    }),
    figure("never_runnable", Unit::Number, |run| {
        Some(run.tasks.never_runnable.into())
    }),
    figure("evicted", Unit::Number, |run| Some(run.tasks.evicted.into())),
    figure("requeued", Unit::Number, |run| Some(run.tasks.requeued.into())),
    figure("evictions", Unit::Number, |run| Some(run.evictions.into())),
    figure("node_hours", Unit::Number, |run| Some(run.node_hours.total)),
    figure("node_starts", Unit::Number, |run| Some(run.node_starts.into())),
    figure("orders", Unit::Number, |run| Some(run.orders as f64)),
    figure("reversals", Unit::Number, |run| Some(run.reversals as f64)),
];

const fn figure(name: &'static str, unit: Unit, of: fn(&Run) -> Option<f64>) -> Figure {
    Figure { name, unit, of }
}

impl Condition {
    /// Says whether the condition is about the bound, which must then be asked for.
    pub fn needs_bound(&self) -> bool {
        self.figure.name.starts_with("cost_to_bound")
    }

    /// Returns what a run has where the condition holds for it, such as `p95_wait is 12m 30s`; nothing where it does not.
    ///
    /// A figure that the run has not cannot be held against a number, which is as bad: a run that misses the limit has no
    /// `cost_to_bound`.
    pub fn holds_for(&self, run: &Run) -> Option<String> {
        let name = self.figure.name;
        let Some(figure) = (self.figure.of)(run) else {
            return Some(format!("there is no {name}"));
        };
        let holds = match self.compares {
            Comparison::Over => figure > self.value,
            Comparison::OverOrAt => figure >= self.value,
            Comparison::Under => figure < self.value,
            Comparison::UnderOrAt => figure <= self.value,
        };
        holds.then(|| format!("{name} is {}", self.figure.unit.told(figure)))
    }
}

impl FromStr for Condition {
    type Err = ConditionError;
    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let wrong = |message: String| Err(ConditionError(message));
        let Some(at) = text.find(['<', '>']) else {
            return wrong(format!(
                "`{text}` compares nothing; write a figure, > or <, and a number, such as p95_wait>10m"
            ));
        };
        let (name, rest) = (text[..at].trim(), &text[at..]);
        let (compares, value) = match (rest.strip_prefix(">="), rest.strip_prefix("<=")) {
            (Some(value), _) => (Comparison::OverOrAt, value),
            (_, Some(value)) => (Comparison::UnderOrAt, value),
            _ if rest.starts_with('>') => (Comparison::Over, &rest[1..]),
            _ => (Comparison::Under, &rest[1..]),
        };
        let Some(figure) = FIGURES.iter().find(|figure| figure.name == name) else {
            let names = FIGURES.map(|figure| figure.name);
            let near = did_you_mean(name, names)
                .map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
            return wrong(format!(
                "there is no figure `{name}`{near}; there are {}",
                names.join(", ")
            ));
        };
        let value = value.trim();
        match figure.unit.read(value) {
            Some(value) => Ok(Self {
                figure,
                compares,
                value,
            }),
            None => wrong(format!(
                "`{value}` is not what {name} is compared with; write {}",
                figure.unit.example()
            )),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.compares {
            Comparison::Over => ">",
            Comparison::OverOrAt => ">=",
            Comparison::Under => "<",
            Comparison::UnderOrAt => "<=",
        };
        write!(
            f,
            "{}{sign}{}",
            self.figure.name,
            self.figure.unit.told(self.value)
        )
    }
}

impl Unit {
    fn read(self, text: &str) -> Option<f64> {
        let number = |text: &str| {
            text.trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
        };
        match self {
            Self::Time => text.parse::<Span>().ok().map(Span::as_seconds),
            Self::Money => number(text.trim_start_matches('$')),
            Self::Share => match text.strip_suffix('%') {
                Some(percent) => Some(number(percent)? / 100.0),
                None => number(text),
            },
            Self::Number => number(text),
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Self::Time => "a duration with its unit, such as 10m",
            Self::Money => "dollars, such as 120.5",
            Self::Share => "a share, such as 0.05 or 5%",
            Self::Number => "a number, such as 1.2",
        }
    }

    fn told(self, figure: f64) -> String {
        match self {
            Self::Time => brief(figure),
            Self::Money => Usd(figure).to_string(),
            Self::Share => format!("{:.2} %", 100.0 * figure),
            Self::Number => {
                let text = format!("{figure:.3}");
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_as_people_write_them() {
        for (text, told) in [
            ("p95_wait>10m", "p95_wait>10m 00s"),
            (" misses >= 5% ", "misses>=5.00 %"),
            ("misses>0.05", "misses>5.00 %"),
            ("cost > $120.5", "cost>$120.50"),
            ("cost_to_bound<=1.15", "cost_to_bound<=1.15"),
            ("evicted<100", "evicted<100"),
            ("deadline_missed>0", "deadline_missed>0"),
            ("deadline_late>5m", "deadline_late>5m 00s"),
        ] {
            assert_eq!(text.parse::<Condition>().unwrap().to_string(), told);
        }
    }

    #[test]
    fn what_is_no_condition_is_told_with_a_way_out() {
        for (text, why) in [
            ("p95_wait", "compares nothing"),
            ("p95wait>10m", "did you mean `p95_wait`?"),
            ("speed>3", "there are cost, dedicated_cost,"),
            ("p95_wait>10", "write a duration with its unit"),
            ("cost>cheap", "write dollars"),
            ("evicted>NaN", "write a number"),
            ("misses>", "write a share"),
            (">3", "no figure ``"),
        ] {
            let error = text.parse::<Condition>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
