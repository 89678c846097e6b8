//! Reads what stands after `expect` or `=>`.

use pest::iterators::Pair;

use super::grammar::Rule;
use super::{inner, words};
use crate::base::{Diagnostic, LineColumn};
use crate::formula::Value;
use crate::proof::script::{Expectation, Wanted};

/// Reads one expectation.
pub(super) fn expectation(pair: Pair<'_, Rule>) -> Result<Expectation, Diagnostic> {
    let parts = Parts(pair.clone());
    Ok(match pair.as_rule() {
        Rule::value => Expectation::Value(None, value(pair)?),
        Rule::named => {
            let wanted = value(parts.find(Rule::value).expect("the grammar asks for a value"))?;
            Expectation::Value(parts.text(Rule::name), wanted)
        }
        Rule::prints => Expectation::Prints(
            parts.text(Rule::name).expect("the grammar asks for a name"),
            parts.text(Rule::rest).unwrap_or_default(),
        ),
        Rule::dedicated => Expectation::Dedicated(words::whole(&inner(pair))?),
        Rule::spot => Expectation::Spot(words::whole(&inner(pair))?),
        Rule::option => Expectation::Option(words::option(&inner(pair))?),
        Rule::stopped => Expectation::Stopped,
        Rule::results => Expectation::Results(parts.text(Rule::rest).unwrap_or_default()),
        Rule::fault => Expectation::Fault {
            code: parts.code(),
            at: parts.position()?,
            detail: parts.text(Rule::detail),
        },
        Rule::diagnostic => Expectation::Diagnostic {
            code: parts.code(),
            at: parts.position()?,
            words: parts
                .find(Rule::quoted)
                .map(|quoted| inner(quoted).as_str().to_owned()),
        },
        Rule::no_diagnostic => Expectation::NoDiagnostic(parts.text(Rule::code)),
        Rule::lean => Expectation::Lean(parts.code(), parts.position()?),
        Rule::no_lean => Expectation::NoLean(parts.text(Rule::code)),
        Rule::read => read(&parts)?,
        Rule::no_read => {
            let metric = parts.find(Rule::metric).map(|word| words::metric(&word));
            Expectation::NoRead(metric.transpose()?)
        }
        other => unreachable!("`expectation` has no alternative {other:?}"),
    })
}

fn read(parts: &Parts<'_>) -> Result<Expectation, Diagnostic> {
    let metric = parts.find(Rule::metric).expect("the grammar asks for a metric");
    let vector = parts.find(Rule::vector).map(vector).transpose()?;
    let values = match vector {
        Some(vector) => Some(Wanted {
            value: vector,
            tolerance: parts.tolerance()?,
        }),
        None => None,
    };
    let possible = parts.find(Rule::possible).map(|pair| words::whole(&inner(pair)));
    Ok(Expectation::Read {
        metric: words::metric(&metric)?,
        values,
        present: parts
            .find(Rule::count)
            .map(|word| words::whole(&word))
            .transpose()?,
        possible: possible.transpose()?,
    })
}

fn value(pair: Pair<'_, Rule>) -> Result<Wanted, Diagnostic> {
    let parts = Parts(pair.clone());
    let first = inner(pair);
    let value = match first.as_rule() {
        Rule::instant => Value::Timestamp(words::parsed(&first, first.as_str())?),
        Rule::interval => Value::TimeInterval(words::parsed(&first, first.as_str())?),
        Rule::number => Value::Double(words::number(&first)?),
        Rule::vector => vector(first)?,
        Rule::quoted => Value::Text(inner(first).as_str().into()),
        other => unreachable!("`value` has no alternative {other:?}"),
    };
    Ok(Wanted {
        value,
        tolerance: parts.tolerance()?,
    })
}

fn vector(pair: Pair<'_, Rule>) -> Result<Value, Diagnostic> {
    let numbers: Result<Vec<_>, _> = pair.into_inner().map(|word| words::number(&word)).collect();
    Ok(Value::DoubleVec(numbers?))
}

/// The parts of an expectation, by rule.
struct Parts<'a>(Pair<'a, Rule>);

impl<'a> Parts<'a> {
    fn find(&self, rule: Rule) -> Option<Pair<'a, Rule>> {
        self.0.clone().into_inner().find(|part| part.as_rule() == rule)
    }

    fn text(&self, rule: Rule) -> Option<String> {
        self.find(rule).map(|part| part.as_str().trim_end().to_owned())
    }

    fn code(&self) -> String {
        self.text(Rule::code).expect("the grammar asks for a code")
    }

    fn tolerance(&self) -> Result<Option<f64>, Diagnostic> {
        self.find(Rule::tolerance)
            .map(|tolerance| words::number(&inner(tolerance)))
            .transpose()
    }

    fn position(&self) -> Result<Option<LineColumn>, Diagnostic> {
        let Some(position) = self.find(Rule::position) else {
            return Ok(None);
        };
        let mut numbers = position.into_inner();
        let mut next = || words::whole(&numbers.next().expect("a position has two numbers"));
        Ok(Some(LineColumn {
            line: next()?,
            column: next()?,
        }))
    }
}
