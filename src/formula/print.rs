//! The canonical layout of a formula: one statement a line, every comment kept.
//!
//! The printer walks the tree in the order of the source. Before each token it looks whether comments stood in front of
//! it: a comment ends its line wherever it stands, so it takes the place of the space or break that would come there.
//! The layout depends on the tree, on the comments with the fact of standing behind code or on a line of their own, and
//! on blank lines between statements; all of these come out as they went in, so formatting twice changes nothing.

use super::Dialect;
use super::ast::{Ast, BinaryOp, Call, Comment, Expr, ExprKind, Place, Statement, UnaryOp};
use super::layout::Doc;
use super::parse::{CHARACTERS_MAX, parse};
use crate::base::{Code, Diagnostic};

/// Lines are broken when they would be longer: what fits beside a second column in an editor.
const WIDTH: usize = 100;

const LAYOUT_TOO_LONG: Code = Code("F016");

/// Why a formula was not laid out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It cannot be read: every syntax fault, by place.
    #[error("the formula cannot be read")]
    Unreadable(Vec<Diagnostic>),
    /// The service takes it as it is and would not take it laid out: line breaks and indentation count as characters.
    #[error(
        "laid out the formula would have {characters} characters, and the service takes {CHARACTERS_MAX}"
    )]
    TooLong {
        /// How many characters it would have.
        characters: usize,
        /// Where the statement stands that would grow most.
        grown: Place,
        /// By how many characters that statement would grow.
        growth: usize,
    },
}

impl FormatError {
    /// Returns what to tell the person who wrote the formula.
    pub fn diagnostics(self) -> Vec<Diagnostic> {
        let message = self.to_string();
        match self {
            Self::Unreadable(faults) => faults,
            Self::TooLong { grown, growth, .. } => {
                let help = if growth == 0 {
                    "drop comments and blank lines, or leave it as it is".to_owned()
                } else {
                    format!(
                        "this statement grows by {growth}: give inner parts a name in a statement of their own"
                    )
                };
                vec![Diagnostic::error(LAYOUT_TOO_LONG, grown, message).help(help)]
            }
        }
    }
}

/// Lays out a formula.
///
/// # Errors
/// Every syntax fault, or that the formula would be longer than the service takes.
pub fn format(source: &str, dialect: Dialect) -> Result<String, FormatError> {
    let parsed = parse(source, dialect).map_err(|faulty| FormatError::Unreadable(faulty.faults))?;
    let LaidOut { text, growth, grown } = print(&parsed.ast, source);
    let characters = text.chars().count();
    if characters <= CHARACTERS_MAX {
        return Ok(text);
    }
    Err(FormatError::TooLong {
        characters,
        grown,
        growth,
    })
}

/// A formula as it was laid out, and which of its statements has grown most.
struct LaidOut {
    text: String,
    /// Characters that were added to that statement.
    growth: usize,
    /// Its name, or its first character where it has none: the whole of it could be thousands of characters.
    grown: Place,
}

/// Lays out a formula; `source` is the text that `ast` was read from.
fn print(ast: &Ast, source: &str) -> LaidOut {
    let mut printer = Printer {
        source,
        comments: &ast.comments,
    };
    let mut text = String::new();
    let (mut growth, mut grown) = (0, 0..0);
    let mut end = 0;
    for statement in &ast.statements {
        end = printer.comments_between(&mut text, end, statement.span.start);
        if !text.is_empty() {
            text.push_str(if printer.has_blank_line(end, statement.span.start) {
                "\n\n"
            } else {
                "\n"
            });
        }
        let laid_out = printer.statement(statement).render(WIDTH);
        // The `;` is no part of a statement's place.
        let written = source[statement.span.clone()].chars().count() + 1;
        let added = laid_out.chars().count().saturating_sub(written);
        if added >= growth {
            (growth, grown) = (added, head(statement, source));
        }
        text.push_str(&laid_out);
        end = statement.span.end;
    }
    printer.comments_between(&mut text, end, source.len());
    text.push('\n');
    LaidOut { text, growth, grown }
}

/// Returns where the name stands that a statement sets, or its first character.
fn head(statement: &Statement, source: &str) -> Place {
    let start = statement.span.start;
    match &statement.target {
        Some(target) => target.span.clone(),
        None => start..source.ceil_char_boundary(start + 1),
    }
}

struct Printer<'a> {
    source: &'a str,
    /// The comments that are not printed yet.
    comments: &'a [Comment],
}

impl Printer<'_> {
    /// Writes the comments that stand between two statements; returns where the last of them ends.
    fn comments_between(&mut self, text: &mut String, mut end: usize, next: usize) -> usize {
        let mut first_of_line = text.is_empty();
        while let Some(comment) = self.take_comment(next) {
            if !text.is_empty() {
                let behind_code = !first_of_line && self.is_behind_code(&comment);
                let blank = self.has_blank_line(end, comment.span.start);
                text.push_str(if behind_code {
                    " "
                } else if blank {
                    "\n\n"
                } else {
                    "\n"
                });
            }
            text.push_str(comment.text.trim_end());
            end = comment.span.end;
            first_of_line = true;
        }
        end
    }

    fn take_comment(&mut self, before: usize) -> Option<Comment> {
        let (first, rest) = self.comments.split_first()?;
        (first.span.start < before).then(|| {
            self.comments = rest;
            first.clone()
        })
    }

    /// Says whether code stands in front of the comment on its line.
    fn is_behind_code(&self, comment: &Comment) -> bool {
        let before = &self.source[..comment.span.start];
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        !line.trim().is_empty()
    }

    fn has_blank_line(&self, from: usize, to: usize) -> bool {
        let mut lines = self.source[from..to].split('\n').skip(1).peekable();
        // The last piece is the start of the line on which the next thing stands.
        while let Some(line) = lines.next() {
            if lines.peek().is_some() && line.trim().is_empty() {
                return true;
            }
        }
        false
    }

    fn statement(&mut self, statement: &Statement) -> Doc {
        let mut parts = Vec::new();
        if let Some(target) = &statement.target {
            let equals = self.find('=', target.span.end, statement.value.span.start);
            parts.push(Doc::text(&target.text));
            parts.push(self.gap(equals, Doc::text(" ")).indent());
            parts.push(Doc::text("="));
            parts.push(self.gap(statement.value.span.start, Doc::text(" ")).indent());
        }
        parts.push(self.expression(&statement.value));
        parts.push(Doc::text(";"));
        Doc::concat(parts)
    }

    /// Returns what stands in front of the token at `at`: its comments, or `otherwise` where there are none.
    fn gap(&mut self, at: usize, otherwise: Doc) -> Doc {
        let comments = self.comments_inside(at);
        if comments.is_empty() {
            return otherwise;
        }
        Doc::concat(comments.into_iter().chain([Doc::hard_line()]).collect())
    }

    /// Returns the comments in front of the token at `at`, without the line end of the last.
    fn comments_inside(&mut self, at: usize) -> Vec<Doc> {
        let mut parts = Vec::new();
        while let Some(comment) = self.take_comment(at) {
            let behind_code = parts.is_empty() && self.is_behind_code(&comment);
            parts.push(if behind_code {
                Doc::comment(" ")
            } else {
                Doc::hard_line()
            });
            parts.push(Doc::comment(comment.text.trim_end()));
        }
        parts
    }

    /// Returns where a mark stands between two tokens; comments between them are passed over.
    fn find(&self, mark: char, from: usize, to: usize) -> usize {
        let mut at = from;
        while at < to {
            let comment = self.comments.iter().find(|comment| comment.span.contains(&at));
            if let Some(comment) = comment {
                at = comment.span.end;
            } else if self.source[at..].starts_with(mark) {
                return at;
            } else {
                at = self.source.ceil_char_boundary(at + 1);
            }
        }
        to
    }

    fn expression(&mut self, expr: &Expr) -> Doc {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Name(_) => {
                Doc::text(&self.source[expr.span.clone()])
            }
            ExprKind::Group(inner) => self.bracketed(inner, expr.span.end - 1),
            ExprKind::Call(call) => self.call(call, expr.span.end - 1),
            ExprKind::Method(object, call) => {
                let mut parts = vec![self.object(object), self.dot(object, call.name.span.start)];
                parts.push(self.call(call, expr.span.end - 1));
                Doc::concat(parts)
            }
            ExprKind::Member(object, name) => {
                let parts = vec![
                    self.object(object),
                    self.dot(object, name.span.start),
                    Doc::text(&name.text),
                ];
                Doc::concat(parts)
            }
            ExprKind::Unary(op, operand) => self.unary(*op, operand),
            ExprKind::Binary(..) => {
                let (first, rest) = self.binary(expr);
                Doc::concat(vec![first, rest.indent()]).group()
            }
            ExprKind::Conditional(..) => self.conditional(expr),
        }
    }

    /// Lays out what stands before a dot; a number keeps its distance, because `8.hour` would be read as 8 and a name.
    fn object(&mut self, object: &Expr) -> Doc {
        let laid_out = self.expression(object);
        match object.kind {
            ExprKind::Number(_) => Doc::concat(vec![laid_out, Doc::text(" ")]),
            _ => laid_out,
        }
    }

    /// Lays out `(inner)`; operators inside line up with the first operand, since the brackets set them apart.
    fn bracketed(&mut self, inner: &Expr, close: usize) -> Doc {
        let opening = self.gap(inner.span.start, Doc::soft_line());
        let (first, rest) = match &inner.kind {
            ExprKind::Binary(..) => self.binary(inner),
            _ => (self.expression(inner), Doc::nothing()),
        };
        self.closed("(", Doc::concat(vec![opening, first, rest]), close)
    }

    fn call(&mut self, call: &Call, close: usize) -> Doc {
        let opening = self.gap(call.open, Doc::nothing()).indent();
        let mut inner = Vec::new();
        for (index, argument) in call.arguments.iter().enumerate() {
            if index > 0 {
                inner.push(Doc::text(","));
            }
            let space = if index == 0 { Doc::soft_line() } else { Doc::line() };
            inner.push(self.gap(argument.span.start, space));
            inner.push(self.expression(argument));
        }
        let bracket = self.closed("(", Doc::concat(inner), close);
        Doc::concat(vec![Doc::text(&call.name.text), opening, bracket])
    }

    /// Puts the closing bracket at `close` behind an indented content and the comments that are left in it.
    fn closed(&mut self, open: &str, content: Doc, close: usize) -> Doc {
        let comments = self.comments_inside(close);
        let last = if comments.is_empty() {
            Doc::soft_line()
        } else {
            Doc::hard_line()
        };
        let content = Doc::concat([content].into_iter().chain(comments).collect());
        Doc::concat(vec![Doc::text(open), content.indent(), last, Doc::text(")")]).group()
    }

    fn dot(&mut self, object: &Expr, name: usize) -> Doc {
        let dot = self.find('.', object.span.end, name);
        let before = self.gap(dot, Doc::nothing());
        let after = self.gap(name, Doc::nothing());
        Doc::concat(vec![before, Doc::text("."), after]).indent()
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr) -> Doc {
        // `- -x`: two minus signs in a row would read as an operator of other languages.
        let twice = op == UnaryOp::Negate && matches!(operand.kind, ExprKind::Unary(UnaryOp::Negate, _));
        let space = if twice { Doc::text(" ") } else { Doc::nothing() };
        let gap = self.gap(operand.span.start, space).indent();
        Doc::concat(vec![Doc::text(op.symbol()), gap, self.expression(operand)])
    }

    /// Lays out a chain of operators of one precedence: the first operand, and the others each with its operator.
    fn binary(&mut self, expr: &Expr) -> (Doc, Doc) {
        let mut links = Vec::new();
        let mut first = expr;
        let mut level = None;
        while let ExprKind::Binary(op, place, left, right) = &first.kind {
            if level.is_some_and(|level| level != precedence(*op)) {
                break;
            }
            level = Some(precedence(*op));
            links.push((*op, place.start, right));
            first = left;
        }
        let first = self.expression(first);
        let mut rest = Vec::new();
        for (op, at, operand) in links.into_iter().rev() {
            rest.push(self.gap(at, Doc::line()));
            rest.push(Doc::text(op.symbol()));
            rest.push(self.gap(operand.span.start, Doc::text(" ")).indent());
            rest.push(self.expression(operand));
        }
        (first, Doc::concat(rest))
    }

    /// Lays out `test ? then : otherwise`; a ladder of them keeps each test with its answer on one line:
    ///
    /// ```text
    /// x = a ? 1
    ///     : b ? 2
    ///     : 3;
    /// ```
    fn conditional(&mut self, expr: &Expr) -> Doc {
        let is_ladder = matches!(&expr.kind, ExprKind::Conditional(_, _, _, otherwise)
            if matches!(otherwise.kind, ExprKind::Conditional(..)));
        let mut head = Doc::nothing();
        let mut rungs = Vec::new();
        let mut current = expr;
        while let ExprKind::Conditional(question, test, then, otherwise) = &current.kind {
            let test = self.expression(test);
            let before = self.gap(question.start, Doc::line());
            let after = self.gap(then.span.start, Doc::text(" ")).indent();
            let answer = Doc::concat(vec![before, Doc::text("?"), after, self.expression(then)]);
            if !is_ladder {
                head = test;
                rungs.push(answer);
            } else if rungs.is_empty() {
                head = Doc::concat(vec![test, answer.indent()]).group();
            } else {
                rungs.push(Doc::concat(vec![test, answer.indent()]).group());
            }
            let colon = self.find(':', then.span.end, otherwise.span.start);
            rungs.push(self.gap(colon, Doc::line()));
            rungs.push(Doc::text(":"));
            rungs.push(self.gap(otherwise.span.start, Doc::text(" ")).indent());
            current = otherwise;
        }
        rungs.push(self.expression(current));
        Doc::concat(vec![head, Doc::concat(rungs).indent()]).group()
    }
}

/// Operators of one level are laid out as one chain; see the precedence table of the grammar.
const fn precedence(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 0,
        BinaryOp::And => 1,
        BinaryOp::Equal | BinaryOp::NotEqual => 2,
        BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual => 3,
        BinaryOp::Add | BinaryOp::Subtract => 4,
        BinaryOp::Multiply | BinaryOp::Divide => 5,
    }
}
