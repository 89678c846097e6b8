//! Reads a script: every command becomes a step, every fault a diagnostic.

mod expect;
mod fault;
mod words;

use std::ops::Range;

use pest::Parser;
use pest::iterators::Pair;

use super::script::{Act, Step, Text};
use crate::base::{Diagnostic, Span, Timestamp};
use crate::formula::{Dialect, PoolFacts, Scope};
use crate::signal::{Metric, Series, parse_shorthand};
use grammar::{Rule, ScriptParser};

mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/script.pest"]
    pub(super) struct ScriptParser;
}

/// A script is written by hand; a megabyte of it is a generated file that belongs to `eval --jsonl`.
const BYTES_MAX: usize = 1 << 20;

/// Two million samples, 16 MB: twelve metrics for half a month at 30 seconds.
const SAMPLES_MAX: usize = 2_000_000;

/// Reads a script whole, with every fault in it.
pub(super) fn read(source: &str) -> Result<Vec<Step>, Vec<Diagnostic>> {
    if source.len() > BYTES_MAX {
        return Err(vec![fault::too_long(source.len(), BYTES_MAX)]);
    }
    let mut reader = Reader::default();
    let script = ScriptParser::parse(Rule::script, source)
        .expect("every line is a command, a comment or a wrong line")
        .next()
        .expect("a parse gives the rule it was asked for");
    for line in script.into_inner() {
        if let Err(fault) = reader.line(line) {
            reader.faults.push(fault);
        }
    }
    reader.finish(source)
}

/// What the lines above the current one have set.
struct Reader {
    steps: Vec<Step>,
    faults: Vec<Diagnostic>,
    period: Option<Span>,
    start: Timestamp,
    pool: PoolFacts,
    scope: Scope,
    n_samples: usize,
    formula_known: bool,
    /// The evaluation that no expectation has followed yet.
    unproved: Option<Range<usize>>,
    evaluated: bool,
    n_expectations: usize,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            faults: Vec::new(),
            period: None,
            start: Timestamp::EPOCH,
            pool: PoolFacts::default(),
            scope: Scope::default(),
            n_samples: 0,
            formula_known: false,
            unproved: None,
            evaluated: false,
            n_expectations: 0,
        }
    }
}

impl Reader {
    fn line(&mut self, line: Pair<'_, Rule>) -> Result<(), Diagnostic> {
        let span = range(&line);
        match line.as_rule() {
            Rule::comment | Rule::EOI => return Ok(()),
            Rule::load => return self.load(line),
            Rule::eval => return self.eval(line),
            Rule::expect => return self.expect(line),
            Rule::unclosed => return Err(fault::unclosed(line.as_str(), span)),
            Rule::wrong => return Err(fault::wrong(line.as_str(), span)),
            _ => {}
        }
        let act = match line.as_rule() {
            Rule::clear => self.forget(),
            Rule::series => self.series(line)?,
            Rule::pool => self.pool(line)?,
            Rule::now => Act::Now(words::time(&inner(line), self.start)?),
            Rule::seed => Act::Seed(words::whole(&inner(line))?),
            Rule::dialect => self.scope(Scope {
                dialect: dialect(&inner(line))?,
                ..self.scope
            }),
            Rule::percent => {
                let default_sample_percent = words::number(&inner(line))?;
                self.scope(Scope {
                    default_sample_percent,
                    ..self.scope
                })
            }
            Rule::formula => self.formula(line),
            other => unreachable!("`line` has no alternative {other:?}"),
        };
        self.push(span, act);
        Ok(())
    }

    fn push(&mut self, span: Range<usize>, act: Act) {
        self.steps.push(Step { span, act });
    }

    /// `clear` forgets the settings; what a script owes (expectations, limits) stays counted.
    fn forget(&mut self) -> Act {
        let fresh = Self::default();
        self.period = fresh.period;
        self.start = fresh.start;
        self.pool = fresh.pool;
        self.scope = fresh.scope;
        self.formula_known = false;
        Act::Clear
    }

    fn scope(&mut self, scope: Scope) -> Act {
        self.scope = scope;
        Act::Scope(scope)
    }

    fn load(&mut self, line: Pair<'_, Rule>) -> Result<(), Diagnostic> {
        for part in line.into_inner() {
            match part.as_rule() {
                Rule::span => self.period = Some(words::period(&part)?),
                _ => self.start = words::time(&part, Timestamp::EPOCH)?,
            }
        }
        Ok(())
    }

    fn series(&mut self, line: Pair<'_, Rule>) -> Result<Act, Diagnostic> {
        let span = range(&line);
        let mut parts = line.into_inner();
        let metric: Metric = words::metric(&parts.next().expect("a series has a metric"))?;
        let Some(period) = self.period else {
            return Err(fault::series_without_load(span));
        };
        let mut series = Series::new(self.start, period);
        if let Some(text) = parts.next() {
            let at = range(&text).start;
            let samples = parse_shorthand(text.as_str()).map_err(|wrong| {
                let start = at + wrong.offset;
                fault::value(start..start + wrong.word.len(), wrong.to_string())
            })?;
            self.n_samples = self.n_samples.saturating_add(samples.len());
            if self.n_samples > SAMPLES_MAX {
                return Err(fault::too_many_samples(range(&text), SAMPLES_MAX));
            }
            for sample in samples {
                series
                    .push(sample)
                    .map_err(|full| fault::value(range(&text), full.to_string()))?;
            }
        }
        Ok(Act::Series(metric, series))
    }

    fn pool(&mut self, line: Pair<'_, Rule>) -> Result<Act, Diagnostic> {
        for fact in line.into_inner() {
            let mut parts = fact.into_inner();
            let name = parts.next().expect("a fact has a name");
            let value = parts.next().expect("a fact has a value");
            words::set_fact(&mut self.pool, &name, &value)?;
        }
        Ok(Act::Pool(self.pool))
    }

    fn formula(&mut self, line: Pair<'_, Rule>) -> Act {
        let text = match text_of(line) {
            Some(Found::File(path)) => Text::File(path),
            Some(Found::Text(text)) => Text::Inline(text),
            None => Text::Inline(String::new()),
        };
        self.formula_known = true;
        Act::Formula(text)
    }

    fn eval(&mut self, line: Pair<'_, Rule>) -> Result<(), Diagnostic> {
        let span = range(&line);
        self.owe(None);
        let at = line
            .clone()
            .into_inner()
            .find(|part| part.as_rule() == Rule::time)
            .map(|part| words::time(&part, self.start));
        let expectation = line
            .clone()
            .into_inner()
            .find(|part| part.as_rule() == Rule::expectation);
        let text = match text_of(line) {
            Some(Found::Text(text)) => Some(text),
            _ => None,
        };
        let known = text.is_some() || self.formula_known;
        self.evaluated = true;
        self.unproved = Some(span.clone());
        let at = at.transpose()?;
        if !known {
            return Err(fault::no_formula(span));
        }
        self.push(span, Act::Eval { at, text });
        expectation.map_or(Ok(()), |expectation| self.expectation(expectation))
    }

    fn expect(&mut self, line: Pair<'_, Rule>) -> Result<(), Diagnostic> {
        if !self.evaluated {
            return Err(fault::nothing_evaluated(range(&line)));
        }
        self.expectation(inner(line))
    }

    fn expectation(&mut self, pair: Pair<'_, Rule>) -> Result<(), Diagnostic> {
        self.unproved = None;
        self.n_expectations += 1;
        let span = range(&pair);
        let expectation = expect::expectation(inner(pair))?;
        self.push(span, Act::Expect(expectation));
        Ok(())
    }

    /// An evaluation that nothing is expected of proves nothing.
    fn owe(&mut self, next: Option<Range<usize>>) {
        if let Some(span) = std::mem::replace(&mut self.unproved, next) {
            self.faults.push(fault::unproved(span));
        }
    }

    fn finish(mut self, source: &str) -> Result<Vec<Step>, Vec<Diagnostic>> {
        self.owe(None);
        if self.n_expectations == 0 && self.faults.is_empty() {
            self.faults.push(fault::proves_nothing(source.len()));
        }
        self.faults.sort_by_key(|fault| fault.span.start);
        if self.faults.is_empty() {
            Ok(self.steps)
        } else {
            Err(self.faults)
        }
    }
}

enum Found {
    Text(String),
    File(String),
}

/// Finds the text that a `formula` or `eval` line brings along.
fn text_of(line: Pair<'_, Rule>) -> Option<Found> {
    let mut ends = "\n";
    for part in line.into_inner() {
        match part.as_rule() {
            Rule::crlf => ends = "\r\n",
            Rule::file => return Some(Found::File(inner(inner(part)).as_str().to_owned())),
            Rule::fence => return Some(Found::Text(block(inner(part).as_str(), ends))),
            Rule::inline | Rule::rest => return Some(Found::Text(part.as_str().trim_end().to_owned())),
            _ => {}
        }
    }
    None
}

/// Returns a block's lines with the line ends asked for; the last line has none.
fn block(body: &str, ends: &str) -> String {
    body.lines().collect::<Vec<_>>().join(ends)
}

fn dialect(word: &Pair<'_, Rule>) -> Result<Dialect, Diagnostic> {
    match word.as_str() {
        "service" => Ok(Dialect::Service),
        "strict" => Ok(Dialect::Strict),
        "lenient" => Ok(Dialect::Lenient),
        other => Err(fault::unknown(
            range(word),
            "dialect",
            other,
            &["service", "strict", "lenient"],
        )),
    }
}

fn range(pair: &Pair<'_, Rule>) -> Range<usize> {
    pair.as_span().start()..pair.as_span().end()
}

fn inner(pair: Pair<'_, Rule>) -> Pair<'_, Rule> {
    pair.into_inner()
        .next()
        .expect("the grammar gives this rule an inner one")
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::base::LineIndex;

    fn faults(script: &str) -> Vec<String> {
        let index = LineIndex::new(script);
        let faults = read(script).expect_err("the script is at fault");
        let told = |fault: &crate::base::Diagnostic| {
            let at = index.at(fault.span.start);
            let help = fault.help.as_deref().unwrap_or_default();
            format!(
                "{} {}:{} {} | {help}",
                fault.code, at.line, at.column, fault.message
            )
        };
        faults.iter().map(told).collect()
    }

    #[test]
    fn every_fault_of_a_script_is_told_at_once() {
        let script = "\
expect 3
$PendingTasks 1x20
lod 30s
load 0s
load 30s from 2016-13-01T00:00:00Z
load 30s
$PendingTask 1
$PendingTasks 1 two
pool targetDedicated=2
pool targetDedicatedNodes=2 nodeDeallocationOption=retain
dialect loose
eval
eval 1 => 1 2
eval 1 + 1
eval at soon 2 => 2
eval 1 => lean F303 at 99999999999999999999:1
";
        let expected = [
            "T007 1:1 nothing has been evaluated yet | put an `eval` line above",
            "T005 2:1 these samples have no time | put a line such as `load 30s from 2016-10-13T19:09:00Z` above",
            "T001 3:1 this line begins with no command | did you mean `load`?",
            "T003 4:6 the time between two samples is above zero | write 30s",
            "T003 5:15 `2016-13-01T00:00:00Z` is not a time; write it like 2026-11-22T09:00:00Z | ",
            "T004 7:1 `$PendingTask` is no metric | did you mean `$PendingTasks`?",
            "T003 8:17 `two` is not a sample; write 3, 3x20 (twenty times 3), 0+2x5 (0, 2, 4, 6, 8), _ or _x4 (missing) | ",
            "T004 9:6 `targetDedicated` is no fact of a pool | did you mean `targetDedicatedNodes`?",
            "T004 10:52 `retain` is no node deallocation option | write one of requeue, terminate, taskcompletion, retaineddata",
            "T004 11:9 `loose` is no dialect | write one of service, strict, lenient",
            "T006 12:1 there is no formula to evaluate here | write it after `eval`, or define one above with `formula`",
            "T008 12:1 this evaluation proves nothing | say what it must give: => 3, or an `expect` line below",
            "T001 13:1 this `eval` line cannot be read | write it like: eval, eval at 2016-10-13T19:18:00Z, eval TEXT or eval TEXT => EXPECTATION",
            "T008 14:1 this evaluation proves nothing | say what it must give: => 3, or an `expect` line below",
            "T003 16:24 `99999999999999999999` is no whole number that fits here | write digits only, such as 3",
        ];
        assert_eq!(faults(script), expected);
    }

    #[test]
    fn a_script_that_proves_nothing_is_a_fault() {
        for (script, fault) in [
            (
                "",
                "T009 1:1 this script expects nothing | add an `eval` line and what it must give",
            ),
            (
                "# only words\n",
                "T009 2:1 this script expects nothing | add an `eval` line and what it must give",
            ),
            (
                "formula \"\"\"\nx = 1\n",
                "T002 1:1 this block of text has no end | close it with a line that begins with \"\"\"",
            ),
        ] {
            assert_eq!(faults(script), [fault], "{script:?}");
        }
        assert!(faults(&"#".repeat(super::BYTES_MAX + 1))[0].starts_with("T010 1:1"));
        assert!(faults("load 1s\n$CPUPercent 1x2000001\n")[0].starts_with("T011 2:13"));
    }

    #[test]
    fn a_script_with_crlf_reads_as_one_without() {
        let script = "# ü\r\nload 30s\r\n  $PendingTasks 1x2 _\r\neval at +1m 1 => 1\r\nexpect no lean\r\n";
        assert_eq!(read(script).map(|steps| steps.len()), Ok(4));
    }
}
