//! Reading on behind a syntax fault: the statement it stands in is blanked out, byte for byte, and the rest is read again,
//! so that every place stays true.

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pairs;

use super::scan::{code_bytes, last_token_end};
use super::{
    FAULTS_MAX, LOST_NAME, MISSING_SEMICOLON, STATEMENTS_MAX, UNCLOSED, UNEXPECTED, UNTERMINATED, too_deep,
};
use crate::base::Diagnostic;
use crate::formula::ast::Place;
use crate::formula::{Dialect, Lean};
use grammar::{Grammar, Rule};

/// The generated parser; its `Rule` stays inside this room.
#[allow(missing_docs, reason = "generated from the grammar")]
pub(super) mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/formula.pest"]
    pub(in crate::formula::parse) struct Grammar;
}

/// The text that could be read in the end, owned when something had to be blanked out.
pub(super) enum Readable<'a> {
    /// The source itself.
    Whole(Pairs<'a, Rule>),
    /// A copy of the same length; `blanked` says whether statements are missing from it.
    Patched { copy: String, blanked: bool },
}

type Recovered<'a> = (Option<Readable<'a>>, Vec<Diagnostic>, Vec<(Lean, Place)>);

/// Reads a text with the grammar; the first part is `None` where nothing readable is left.
pub(super) fn recover(source: &str, dialect: Dialect) -> Recovered<'_> {
    let mut faults = Vec::new();
    let mut leans = Vec::new();
    let mut error = match Grammar::parse(Rule::formula, source) {
        Ok(pairs) => return (Some(Readable::Whole(pairs)), faults, leans),
        Err(error) => error,
    };
    let mut copy = source.to_owned();
    let mut blanked = false;
    loop {
        let Some(offset) = offset_of(&error) else {
            faults.push(too_deep(0..0));
            return (None, faults, leans);
        };
        let fault = describe(&copy, offset, &error);
        if let (MISSING_SEMICOLON, Some(fix)) = (fault.code, &fault.fix) {
            end_statement(&mut copy, fix.span.start..offset);
            // A formula with more of them has too many statements in any case.
            if dialect == Dialect::Lenient && leans.len() < STATEMENTS_MAX {
                leans.push((Lean::Lexical, fault.span.clone()));
            } else {
                faults.push(fault);
            }
        } else {
            blank_statement(&mut copy, offset);
            blanked = true;
            faults.push(fault);
        }
        if faults.len() >= FAULTS_MAX {
            return (None, faults, leans);
        }
        match Grammar::parse(Rule::formula, &copy) {
            Ok(_) => return (Some(Readable::Patched { copy, blanked }), faults, leans),
            Err(next) => error = next,
        }
    }
}

/// Where the grammar gave up; `None` where it gave up because the stack ran low.
fn offset_of(error: &pest::error::Error<Rule>) -> Option<usize> {
    match (&error.variant, &error.location) {
        (ErrorVariant::CustomError { .. }, _) => None,
        (_, InputLocation::Pos(at) | InputLocation::Span((at, _))) => Some(*at),
    }
}

/// Turns the statement around `offset` into spaces; its `;` goes with it, and line ends stay.
fn blank_statement(copy: &mut String, offset: usize) {
    let mut start = 0;
    let mut end = None;
    code_bytes(copy, |at, byte| {
        if byte == b';' && at < offset {
            start = at + 1;
        } else if byte == b';' {
            end = Some(at + 1);
        }
        end.is_none()
    });
    let end = end.unwrap_or(copy.len());
    blank(copy, start..end);
}

/// Puts a `;` over the first byte of the gap between two statements; a comment that begins there goes.
fn end_statement(copy: &mut String, gap: Place) {
    if !copy[gap.start..].starts_with(char::is_whitespace) {
        blank(copy, gap.clone());
    }
    let first = copy[gap.start..].chars().next().map_or(0, char::len_utf8);
    copy.replace_range(gap.start..gap.start + first, &";".repeat(first));
}

/// Puts spaces over a range; line ends stay.
fn blank(copy: &mut String, range: Place) {
    let spaces: String = copy[range.clone()]
        .bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect();
    copy.replace_range(range, &spaces);
}

/// Says in words what is wrong at `offset`.
fn describe(source: &str, offset: usize, error: &pest::error::Error<Rule>) -> Diagnostic {
    let rest = &source[offset..];
    let found = token(rest);
    let span = offset..offset + found.len();
    let before = &source[..last_token_end(source, offset)];
    if let Some(fault) = unclosed_string(source, offset) {
        return fault;
    }
    if found.is_empty() {
        return at_end(source, offset, before);
    }
    if let Some((message, help)) = foreign(rest) {
        return Diagnostic::error(UNEXPECTED, span, message).help(help);
    }
    if lost_name(before, rest) {
        return Diagnostic::error(LOST_NAME, span, format!("a name is missing before `{found}`"))
            .help("a shell or template may have replaced a `$…` name by nothing; quote the formula so that `$` survives");
    }
    if let Some(fault) = missing_semicolon(source, offset, before, found) {
        return fault;
    }
    let open = unmatched_open(source, offset);
    let expected = expectation(error, open.is_some());
    let fault = Diagnostic::error(UNEXPECTED, span, format!("expected {expected}, found `{found}`"));
    match (found, open) {
        (")", None) => fault.help("there is no bracket to close here; take the `)` away"),
        (_, Some(open)) => fault
            .label(open..open + 1, "this bracket is still open")
            .help("close it with `)`"),
        _ => fault,
    }
}

/// The token that begins here, as far as a message should quote it.
fn token(rest: &str) -> &str {
    let Some(first) = rest.chars().next() else {
        return "";
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let length = match first {
        c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()).min(40),
        '&' | '|' | '=' | '<' | '>' | '!' if rest[1..].starts_with(['=', '&', '|']) => 2,
        c => c.len_utf8(),
    };
    &rest[..length]
}

/// Characters that belong to other languages.
fn foreign(rest: &str) -> Option<(&'static str, &'static str)> {
    Some(match rest.as_bytes() {
        [b'\\', ..] => (
            "a backslash is not part of a formula",
            "the quotes were escaped for another language; write plain \"…\"",
        ),
        [b'[' | b']', ..] => (
            "vectors have no brackets",
            "write vec(1, 2) for a vector and val(v, 0) for its first element",
        ),
        [b'{' | b'}', ..] => (
            "braces are not part of a formula",
            "a template may not have been filled in; formulas have no blocks",
        ),
        [b'^', ..] => ("there is no operator `^`", "multiply instead: x * x"),
        [b'+' | b'-' | b'*' | b'/', b'=', ..] => (
            "there is no operator that assigns and computes",
            "write it out: x = x + 1",
        ),
        [b'+', b'+', ..] | [b'-', b'-', ..] => ("there is no `++` or `--`", "write it out: x = x + 1"),
        [b'+', ..] => ("there is no sign `+`", "take it away, or write the left operand"),
        [b'&' | b'|', ..] if !rest.starts_with("&&") && !rest.starts_with("||") => {
            ("there are no operators on bits", "write && or ||")
        }
        [b'@' | b'~' | b'`', ..] => ("this character is not part of a formula", "take it away"),
        _ => return None,
    })
}

/// A `.` or `=` with nothing before it is what is left of `$Name.…` and `$Name = …` after a shell.
fn lost_name(before: &str, rest: &str) -> bool {
    let begins = before.is_empty()
        || before.ends_with([
            ';', '(', ',', '=', '?', ':', '+', '-', '*', '/', '<', '>', '&', '|',
        ]);
    begins && (rest.starts_with('.') || rest.starts_with('=') && (before.is_empty() || before.ends_with(';')))
}

fn missing_semicolon(source: &str, offset: usize, before: &str, found: &str) -> Option<Diagnostic> {
    let gap = before.len()..offset;
    let complete = before.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, ')' | '"' | '_'));
    let begins = found.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '$' | '_'));
    if !complete || !begins || unmatched_open(source, offset).is_some() {
        return None;
    }
    if let Some(word) = ["and", "or", "not", "AND", "OR"]
        .into_iter()
        .find(|word| *word == found)
    {
        let operator = if word.eq_ignore_ascii_case("or") {
            "||"
        } else {
            "&&"
        };
        let fault = Diagnostic::error(
            UNEXPECTED,
            offset..offset + found.len(),
            format!("there is no operator `{word}`"),
        );
        return Some(fault.help(format!("write {operator}")));
    }
    let next_line = source[gap.clone()].contains('\n');
    let what = if next_line {
        "the line before ends without `;`"
    } else {
        "two statements stand side by side without `;`"
    };
    let fault = Diagnostic::error(MISSING_SEMICOLON, offset..offset + found.len(), what)
        .label(gap.start..gap.start, "here")
        .help("a line end does not end a statement; write `;`");
    Some(if gap.is_empty() {
        fault
    } else {
        fault.fix(gap.start..gap.start, ";")
    })
}

fn unclosed_string(source: &str, offset: usize) -> Option<Diagnostic> {
    let quote = source[offset..]
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\''))?;
    let line = source[offset..].lines().next().unwrap_or_default();
    (!line[1..].contains(quote)).then(|| {
        Diagnostic::error(
            UNTERMINATED,
            offset..offset + line.trim_end().len(),
            "the string does not end on its line",
        )
        .help(format!("close it with `{quote}`"))
    })
}

fn at_end(source: &str, offset: usize, before: &str) -> Diagnostic {
    let last = before.char_indices().next_back().map_or(0, |(at, _)| at);
    let place = last..before.len();
    match unmatched_open(source, offset) {
        Some(open) => Diagnostic::error(UNCLOSED, place, "the formula ends inside a bracket")
            .label(open..open + 1, "this bracket is still open")
            .help("close it with `)`"),
        None => Diagnostic::error(UNEXPECTED, place, "the formula ends in the middle of a statement")
            .help("complete it, or take it away"),
    }
}

/// Returns the innermost bracket of the statement that is still open at `offset`.
fn unmatched_open(source: &str, offset: usize) -> Option<usize> {
    let mut open = Vec::new();
    code_bytes(source, |at, byte| {
        match byte {
            _ if at >= offset => return false,
            b'(' => open.push(at),
            b')' => drop(open.pop()),
            b';' => open.clear(),
            _ => {}
        }
        true
    });
    open.pop()
}

/// Names what the grammar would have taken, most telling first.
fn expectation(error: &pest::error::Error<Rule>, in_bracket: bool) -> String {
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        return "something else".to_owned();
    };
    let mut names: Vec<&str> = positives.iter().filter_map(|rule| human(*rule)).collect();
    if in_bracket && names.contains(&"an operator") {
        names.push("`)`");
    }
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => "the end of the statement".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// Every rule in words; `None` for those that never tell a reader anything.
fn human(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::WHITESPACE | Rule::assign | Rule::member => None,
        Rule::EOI | Rule::formula => Some("`;`"),
        Rule::statement | Rule::assignment => Some("a statement"),
        Rule::expr
        | Rule::operation
        | Rule::postfix
        | Rule::primary
        | Rule::number
        | Rule::text
        | Rule::group
        | Rule::prefix
        | Rule::negate
        | Rule::not => Some("a value"),
        Rule::name => Some("a name"),
        Rule::arguments => Some("`(`"),
        Rule::question
        | Rule::infix
        | Rule::or
        | Rule::and
        | Rule::equal
        | Rule::not_equal
        | Rule::less_or_equal
        | Rule::greater_or_equal
        | Rule::less
        | Rule::greater
        | Rule::add
        | Rule::subtract
        | Rule::multiply
        | Rule::divide
        | Rule::remainder => Some("an operator"),
    }
}
