//! The settings of a `nextflow.config`, each under its whole name and with its place.

use std::ops::Range;

use pest::Parser;
use pest::error::InputLocation;
use pest::iterators::Pair;

use crate::base::{Code, Diagnostic, Span};

/// The generated parser; its `Rule` stays inside this room.
#[allow(missing_docs, reason = "generated from the grammar")]
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/nextflow.pest"]
    pub(super) struct Grammar;
}

use grammar::{Grammar, Rule};

use super::super::length::length;

const UNREADABLE: Code = Code("I001");

/// No configuration nests deeper; the generated parser recurses on the stack.
const DEPTH_MAX: usize = 64;

/// A setting.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting {
    /// Its whole name, part by part.
    pub(super) path: Vec<String>,
    /// Its value.
    pub(super) value: Value,
    /// The bytes of the value.
    pub(super) span: Range<usize>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A text, its escapes resolved.
    Text(String),
    /// A text in which Groovy replaces something.
    Replaced,
    /// A number.
    Number(f64),
    /// A length of time.
    Length(Span),
    /// True or false.
    Flag(bool),
    /// Nothing.
    Null,
    /// What cannot be read without running it.
    Other,
}

/// What of a configuration can be read, and where the rest stands.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub(super) settings: Vec<Setting>,
    /// Lines that are neither blocks nor settings, each within the names of its blocks.
    pub(super) passed: Vec<(Vec<String>, Range<usize>)>,
}

/// Reads a configuration.
pub(super) fn read(source: &str) -> Result<Config, Vec<Diagnostic>> {
    closed(source).map_err(|fault| vec![fault])?;
    let mut pairs = Grammar::parse(Rule::config, source).map_err(|error| {
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        let fault = Diagnostic::error(UNREADABLE, at..at, "the configuration cannot be read from here");
        vec![fault.help("close every bracket and every quote")]
    })?;
    let mut config = Config::default();
    let root = pairs.next().expect("the grammar gives one configuration");
    gather(root, &mut Vec::new(), &mut config);
    Ok(config)
}

/// Looks whether every bracket and quote is closed and none nests too deep, so that the grammar need not try again and again.
fn closed(source: &str) -> Result<(), Diagnostic> {
    let mut open: Vec<(usize, u8)> = Vec::new();
    let mut at = 0;
    let fault = |at: usize, message: String, help: &str| {
        Err(Diagnostic::error(UNREADABLE, at..at + 1, message).help(help))
    };
    while let Some(rest) = source.as_bytes().get(at..).filter(|rest| !rest.is_empty()) {
        let length = match rest {
            [b'/', b'/', ..] => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] => find(&rest[2..], b"*/").map_or(0, |end| end + 4),
            [b'\'', b'\'', b'\'', ..] | [b'"', b'"', b'"', ..] => quoted(rest, 3),
            [b'\'' | b'"', ..] => quoted(rest, 1),
            _ => 1,
        };
        match rest[0] {
            _ if length == 0 => {
                return fault(
                    at,
                    "this is never closed".to_owned(),
                    "close the quote or the comment",
                );
            }
            byte @ (b'{' | b'[' | b'(') => open.push((at, byte)),
            byte @ (b'}' | b']' | b')') => {
                let wanted = open.pop().map(|(_, byte)| match byte {
                    b'{' => b'}',
                    b'[' => b']',
                    _ => b')',
                });
                if wanted != Some(byte) {
                    let message = format!("`{}` closes nothing", char::from(byte));
                    return fault(at, message, "look for a bracket that is missing before it");
                }
            }
            _ => {}
        }
        if open.len() > DEPTH_MAX {
            let message = format!("brackets nest deeper than {DEPTH_MAX} levels");
            return fault(at, message, "name a configuration of nextflow");
        }
        at += length;
    }
    match open.last() {
        None => Ok(()),
        Some((at, byte)) => {
            let message = format!("`{}` is never closed", char::from(*byte));
            fault(*at, message, "close it, or take it away")
        }
    }
}

/// Returns how long a text with its quotes is; 0 when it is never closed.
fn quoted(rest: &[u8], quotes: usize) -> usize {
    let quote = &rest[..quotes];
    let mut at = quotes;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'\n' if quotes == 1 => return 0,
            _ if rest[at..].starts_with(quote) => return at + quotes,
            _ => at += 1,
        }
    }
    0
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|part| part == wanted)
}

fn gather(pair: Pair<'_, Rule>, within: &mut Vec<String>, config: &mut Config) {
    for item in pair.into_inner() {
        let span = item.as_span().start()..item.as_span().end();
        match item.as_rule() {
            Rule::block => {
                let depth = within.len();
                let path = item.clone().into_inner().next().expect("a block has a name");
                within.extend(parts(path));
                gather(item, within, config);
                within.truncate(depth);
            }
            Rule::setting => {
                let mut inner = item.into_inner();
                let path = inner.next().expect("a setting has a name");
                let written = inner.next().expect("a setting has a value");
                let span =
                    written.as_span().start()..written.as_str().trim_end().len() + written.as_span().start();
                config.settings.push(Setting {
                    path: within.iter().cloned().chain(parts(path)).collect(),
                    value: value(written),
                    span,
                });
            }
            Rule::passed => config.passed.push((within.clone(), span)),
            _ => {}
        }
    }
}

fn parts(path: Pair<'_, Rule>) -> Vec<String> {
    let unquoted = |part: Pair<'_, Rule>| part.as_str().trim_matches(['\'', '"']).to_owned();
    path.into_inner().map(unquoted).collect()
}

fn value(pair: Pair<'_, Rule>) -> Value {
    let inner = pair.into_inner().next().expect("a value is plain or not");
    if inner.as_rule() != Rule::plain {
        return Value::Other;
    }
    let plain = inner.into_inner().next().expect("a plain value is of one kind");
    match plain.as_rule() {
        Rule::flag => Value::Flag(plain.as_str() == "true"),
        Rule::null => Value::Null,
        Rule::number => plain.as_str().parse().map_or(Value::Other, Value::Number),
        Rule::duration => length(&plain.as_str().replacen('.', " ", 1)).map_or(Value::Other, Value::Length),
        _ => text(plain),
    }
}

fn text(pair: Pair<'_, Rule>) -> Value {
    let mut text = String::new();
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::one | Rule::three => text = unescaped(part.as_str()),
            Rule::replaced => {
                let raw = part.into_inner().next().map_or("", |inner| inner.as_str());
                if has_bare_dollar(raw) {
                    return Value::Replaced;
                }
                text = unescaped(raw);
            }
            Rule::call if part.as_str().starts_with(".trim") => text = text.trim().to_owned(),
            Rule::call => text = stripped(&text),
            _ => {}
        }
    }
    Value::Text(text)
}

fn has_bare_dollar(raw: &str) -> bool {
    let mut escaped = false;
    raw.chars().any(|c| {
        let bare = c == '$' && !escaped;
        escaped = c == '\\' && !escaped;
        bare
    })
}

/// Resolves the escapes of Groovy; one that it does not know stays as it is.
fn unescaped(raw: &str) -> String {
    let mut text = String::new();
    let mut rest = raw.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('\n') | None => {}
            Some(c @ ('\\' | '\'' | '"' | '$')) => text.push(c),
            Some(c) => text.extend(['\\', c]),
        }
    }
    text
}

/// Takes the indentation away that all lines share, as Groovy's `stripIndent` does.
fn stripped(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let lines = text.split('\n').filter(|line| !line.trim().is_empty());
    let shared = lines.map(indent).min().unwrap_or(0);
    let cut = |line: &str| line.get(shared..).unwrap_or("").to_owned();
    text.split('\n').map(cut).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str) -> Vec<String> {
        let config = read(source).unwrap_or_else(|faults| panic!("{source}: {faults:?}"));
        let settings = config.settings.iter();
        settings
            .map(|setting| {
                format!(
                    "{} = {:?} at {}",
                    setting.path.join("."),
                    setting.value,
                    &source[setting.span.clone()]
                )
            })
            .collect()
    }

    #[test]
    fn blocks_and_dotted_names_say_the_same() {
        let wanted = ["azure.batch.pools.auto.vmCount = Number(5.0) at 5"];
        assert_eq!(told("azure { batch { pools { auto { vmCount = 5 } } } }"), wanted);
        assert_eq!(told("azure.batch.pools.auto.vmCount = 5"), wanted);
        assert_eq!(
            told("azure.batch {\n  pools.'auto' {\n    vmCount=5 // nodes\n  }\n}"),
            wanted
        );
    }

    #[test]
    fn values_of_every_kind_are_read_and_what_must_be_run_is_not() {
        assert_eq!(
            told(
                "a = 'x'\nb = '''y\n  $z'''\nc = \"no $dollar\"\nd = \"\\$kept\"\ne = true; f = null\ng = 5.min\nh = '10 min'\n\
                 i = 2 * 3\nj = { task.cpus\n  }\nk = [a: 1,\n b: 2]\nl = 1.5\nm = '''\n   p\n    q\n'''.stripIndent()\nn = ''\n"
            ),
            [
                "a = Text(\"x\") at 'x'",
                "b = Text(\"y\\n  $z\") at '''y\n  $z'''",
                "c = Replaced at \"no $dollar\"",
                "d = Text(\"$kept\") at \"\\$kept\"",
                "e = Flag(true) at true;",
                "f = Null at null",
                "g = Length(Span(3000000000)) at 5.min",
                "h = Text(\"10 min\") at '10 min'",
                "i = Other at 2 * 3",
                "j = Other at { task.cpus\n  }",
                "k = Other at [a: 1,\n b: 2]",
                "l = Number(1.5) at 1.5",
                "m = Text(\"\\np\\n q\\n\") at '''\n   p\n    q\n'''.stripIndent()",
                "n = Text(\"\") at ''",
            ]
        );
    }

    #[test]
    fn what_is_neither_is_passed_over_as_a_whole() {
        let source = "includeConfig 'base.config'\nprocess {\n  withName: 'ALIGN.*' { cpus = 4 }\n  queue = 'q'\n}\n\
                      def f(x) { return x + '}' }\nif (a) { b = 1 }\nx.y = 3\n";
        assert_eq!(
            told(source),
            ["process.queue = Text(\"q\") at 'q'", "x.y = Number(3.0) at 3"]
        );
        let config = read(source).unwrap();
        let passed: Vec<_> = config
            .passed
            .iter()
            .map(|(_, span)| &source[span.clone()])
            .collect();
        assert_eq!(passed[0], "includeConfig 'base.config'");
        assert_eq!(passed.len(), 4, "{passed:?}");
    }

    #[test]
    fn nothing_makes_it_panic_or_run_away() {
        for source in [
            "",
            "}",
            "a {",
            "a = ",
            "'",
            "a = '''",
            "{{{{",
            &"{".repeat(100_000),
            &"a{".repeat(63),
            "\\",
            "a = \"\\",
        ] {
            let _ = read(source);
        }
        for (source, wanted) in [
            ("a {", "`{` is never closed"),
            ("a }", "`}` closes nothing"),
            ("a ( }", "`}` closes nothing"),
            ("a = 'b\nc = 1", "this is never closed"),
            ("/* a", "this is never closed"),
        ] {
            assert_eq!(read(source).unwrap_err()[0].message, wanted, "{source}");
        }
    }
}
