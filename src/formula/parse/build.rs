//! The grammar's pairs → the tree. Precedence is the one table here; each function asserts the shape it is given.

use std::cell::RefCell;
use std::sync::LazyLock;

use pest::Parser;
use pest::iterators::{Pair, Pairs};
use pest::pratt_parser::{Assoc, Op, PrattParser};

use super::recover::Readable;
use super::recover::grammar::{Grammar, Rule};
use super::scan::{Piece, pieces};
use super::{
    DEPTH_MAX, FOREIGN_COMMENT, FOREIGN_QUOTES, NUMBER, REMAINDER, SINGLE_EQUALS, TEMPLATE, too_deep,
};
use crate::base::{Code, Diagnostic};
use crate::formula::ast::{Ast, BinaryOp, Call, Comment, Expr, ExprKind, Name, Place, Statement, UnaryOp};
use crate::formula::{Dialect, Lean};

/// Not documented, and fixed by formulas in production: the order of C.
static PRECEDENCE: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    use Rule::{
        add, and, assign, divide, equal, greater, greater_or_equal, less, less_or_equal, multiply, negate,
        not, not_equal, or, remainder, subtract,
    };
    let left = |rule| Op::infix(rule, Assoc::Left);
    PrattParser::new()
        .op(left(or))
        .op(left(and))
        .op(left(equal) | left(not_equal) | left(assign))
        .op(left(less) | left(less_or_equal) | left(greater) | left(greater_or_equal))
        .op(left(add) | left(subtract))
        .op(left(multiply) | left(divide) | left(remainder))
        .op(Op::prefix(negate) | Op::prefix(not))
});

/// What came of a text that the grammar could read.
pub(super) struct Built {
    pub(super) ast: Ast,
    pub(super) faults: Vec<Diagnostic>,
    pub(super) leans: Vec<(Lean, Place)>,
}

/// Builds the tree of a source, or of what could be read of it.
pub(super) fn build(source: &str, readable: Readable<'_>, dialect: Dialect) -> Built {
    match readable {
        Readable::Whole(pairs) => build_pairs(source, pairs, dialect),
        Readable::Patched { copy, .. } => {
            let pairs = Grammar::parse(Rule::formula, &copy).expect("the copy was read before");
            build_pairs(&copy, pairs, dialect)
        }
    }
}

fn build_pairs(source: &str, mut pairs: Pairs<'_, Rule>, dialect: Dialect) -> Built {
    let formula = pairs.next().expect("the grammar gives one formula");
    let builder = Builder {
        dialect,
        faults: RefCell::default(),
        leans: RefCell::default(),
        templates: RefCell::default(),
    };
    let statements = formula
        .into_inner()
        .filter(|pair| pair.as_rule() == Rule::statement)
        .map(|pair| builder.statement(pair))
        .collect();
    let comments = builder.comments(source);
    Built {
        ast: Ast { statements, comments },
        faults: builder.faults.into_inner(),
        leans: builder.leans.into_inner(),
    }
}

/// Collects on the way down; the closures of the Pratt parser share it.
struct Builder {
    dialect: Dialect,
    faults: RefCell<Vec<Diagnostic>>,
    leans: RefCell<Vec<(Lean, Place)>>,
    /// Where a `${…}` was left, which may hold what looks like a comment.
    templates: RefCell<Vec<Place>>,
}

/// An expression with the height of its tree.
type Built1 = (Expr, usize);

impl Builder {
    /// The comments of a text that the grammar could read.
    fn comments(&self, source: &str) -> Vec<Comment> {
        let mut comments = Vec::new();
        pieces(source, |range, piece| {
            let templates = self.templates.borrow();
            if piece == Piece::Comment && templates.iter().all(|place| !place.contains(&range.start)) {
                comments.push(self.comment(range.start, &source[range]));
            }
            true
        });
        comments
    }

    fn comment(&self, start: usize, text: &str) -> Comment {
        let text = text.trim_end();
        let span = start..start + text.len();
        if !text.starts_with("//") {
            let message = if text.starts_with('#') {
                "`#` does not begin a comment"
            } else {
                "`/*` does not begin a comment"
            };
            self.foreign(FOREIGN_COMMENT, span.clone(), message, "write `// …`");
        }
        Comment {
            span,
            text: text.to_owned(),
        }
    }

    /// A mistake that the lenient dialect understands.
    fn foreign(&self, code: Code, span: Place, message: &str, help: &str) {
        if self.dialect == Dialect::Lenient {
            self.leans.borrow_mut().push((Lean::Lexical, span));
        } else {
            self.fault(Diagnostic::error(code, span, message).help(help));
        }
    }

    fn fault(&self, fault: Diagnostic) {
        self.faults.borrow_mut().push(fault);
    }

    fn statement(&self, pair: Pair<'_, Rule>) -> Statement {
        let only = pair
            .into_inner()
            .next()
            .expect("a statement holds an assignment or an expression");
        if only.as_rule() != Rule::assignment {
            let value = self.expr(only, 0).0;
            return Statement {
                span: value.span.clone(),
                target: None,
                value,
            };
        }
        let mut parts = only.into_inner().filter(|pair| pair.as_rule() != Rule::assign);
        let (name, value) = (parts.next().expect("a name"), parts.next().expect("a value"));
        let name = self.name(&name);
        let value = self.expr(value, 0).0;
        Statement {
            span: name.span.start..value.span.end,
            target: Some(name),
            value,
        }
    }

    fn name(&self, pair: &Pair<'_, Rule>) -> Name {
        let span = place(pair);
        let text = pair.as_str();
        if text.starts_with("${") {
            self.templates.borrow_mut().push(span.clone());
            self.fault(
                Diagnostic::error(TEMPLATE, span.clone(), format!("`{text}` was not filled in"))
                    .help("the template that makes this formula left it; a name is written $name"),
            );
        }
        Name {
            span,
            text: text.to_owned(),
        }
    }

    fn expr(&self, pair: Pair<'_, Rule>, depth: usize) -> Built1 {
        assert_eq!(pair.as_rule(), Rule::expr, "the grammar puts an expression here");
        if depth > DEPTH_MAX {
            return self.too_deep(place(&pair));
        }
        let mut parts = pair.into_inner();
        let (test, height) = self.operation(&parts.next().expect("an operation"), depth + 1);
        let Some(question) = parts.next() else {
            return (test, height);
        };
        let (then, then_height) = self.expr(parts.next().expect("the first arm"), depth + 1);
        let (otherwise, otherwise_height) = self.expr(parts.next().expect("the second arm"), depth + 1);
        let span = test.span.start..otherwise.span.end;
        let kind = ExprKind::Conditional(
            place(&question),
            Box::new(test),
            Box::new(then),
            Box::new(otherwise),
        );
        self.within(
            Expr { span, kind },
            height.max(then_height).max(otherwise_height) + 1,
        )
    }

    fn operation(&self, pair: &Pair<'_, Rule>, depth: usize) -> Built1 {
        assert_eq!(
            pair.as_rule(),
            Rule::operation,
            "the grammar puts an operation here"
        );
        let mut parts = pair.clone().into_inner();
        if let (Some(only), None) = (parts.next(), parts.next()) {
            return self.postfix(only, depth);
        }
        PRECEDENCE
            .map_primary(|primary| self.postfix(primary, depth))
            .map_prefix(|operator, (operand, height)| {
                let op = if operator.as_rule() == Rule::negate {
                    UnaryOp::Negate
                } else {
                    UnaryOp::Not
                };
                let span = operator.as_span().start()..operand.span.end;
                self.within(
                    Expr {
                        span,
                        kind: ExprKind::Unary(op, Box::new(operand)),
                    },
                    height + 1,
                )
            })
            .map_infix(|left, operator, right| self.binary(left, &operator, right))
            .parse(pair.clone().into_inner())
    }

    fn binary(
        &self,
        (left, left_height): Built1,
        operator: &Pair<'_, Rule>,
        (right, right_height): Built1,
    ) -> Built1 {
        let at = place(operator);
        let op = binary_op(operator.as_rule())
            .unwrap_or_else(|| self.foreign_operator(operator.as_rule(), at.clone()));
        let span = left.span.start..right.span.end;
        let kind = ExprKind::Binary(op, at, Box::new(left), Box::new(right));
        self.within(Expr { span, kind }, left_height.max(right_height) + 1)
    }

    fn foreign_operator(&self, rule: Rule, at: Place) -> BinaryOp {
        if rule == Rule::assign {
            self.foreign(
                SINGLE_EQUALS,
                at,
                "`=` assigns, and only at the start of a statement",
                "compare with `==`",
            );
            return BinaryOp::Equal;
        }
        self.fault(
            Diagnostic::error(REMAINDER, at, "there is no operator `%`").help("write a - b * floor(a / b)"),
        );
        BinaryOp::Divide
    }

    /// Refuses a tree that has grown too high, and goes on without it.
    fn within(&self, expr: Expr, height: usize) -> Built1 {
        if height > DEPTH_MAX {
            self.too_deep(expr.span)
        } else {
            (expr, height)
        }
    }

    fn too_deep(&self, span: Place) -> Built1 {
        if self
            .faults
            .borrow()
            .iter()
            .all(|fault| fault.code != super::TOO_DEEP)
        {
            self.fault(too_deep(span.clone()));
        }
        (
            Expr {
                span,
                kind: ExprKind::Number(0.0),
            },
            1,
        )
    }

    fn postfix(&self, pair: Pair<'_, Rule>, depth: usize) -> Built1 {
        assert_eq!(pair.as_rule(), Rule::postfix, "the grammar puts a value here");
        let mut parts = pair.into_inner().peekable();
        let first = parts.next().expect("a primary");
        let (mut object, mut height) = match parts.next_if(|next| next.as_rule() == Rule::arguments) {
            Some(arguments) => self.function(&first, arguments, depth),
            None => self.primary(first, depth),
        };
        for member in parts {
            let end = member.as_span().end();
            let mut inner = member.into_inner();
            let name = self.name(&inner.next().expect("a member has a name"));
            let span = object.span.start..end;
            let kind = match inner.next() {
                None => ExprKind::Member(Box::new(object), name),
                Some(arguments) => {
                    let (call, arguments_height) = self.call(name, arguments, depth);
                    height = height.max(arguments_height);
                    ExprKind::Method(Box::new(object), call)
                }
            };
            let span = span.start..trimmed_end(span.end, &kind);
            (object, height) = self.within(Expr { span, kind }, height + 1);
        }
        (object, height)
    }

    fn primary(&self, pair: Pair<'_, Rule>, depth: usize) -> Built1 {
        let span = place(&pair);
        match pair.as_rule() {
            Rule::number => (
                Expr {
                    kind: ExprKind::Number(self.number(&pair)),
                    span,
                },
                1,
            ),
            Rule::text => (
                Expr {
                    kind: ExprKind::Text(self.text(&pair)),
                    span,
                },
                1,
            ),
            Rule::name => (
                Expr {
                    kind: ExprKind::Name(self.name(&pair).text),
                    span,
                },
                1,
            ),
            Rule::group => {
                let (inner, height) = self.expr(
                    pair.into_inner().next().expect("a group holds an expression"),
                    depth + 1,
                );
                self.within(
                    Expr {
                        span,
                        kind: ExprKind::Group(Box::new(inner)),
                    },
                    height + 1,
                )
            }
            rule => unreachable!("the grammar puts no {rule:?} here"),
        }
    }

    fn function(&self, name: &Pair<'_, Rule>, arguments: Pair<'_, Rule>, depth: usize) -> Built1 {
        let span = name.as_span().start()..arguments.as_span().end();
        let (call, height) = self.call(self.name(name), arguments, depth);
        self.within(
            Expr {
                span,
                kind: ExprKind::Call(call),
            },
            height + 1,
        )
    }

    fn call(&self, name: Name, arguments: Pair<'_, Rule>, depth: usize) -> (Call, usize) {
        let open = arguments.as_span().start();
        let mut height = 0;
        let arguments = arguments
            .into_inner()
            .map(|argument| {
                let (argument, argument_height) = self.expr(argument, depth + 1);
                height = height.max(argument_height);
                argument
            })
            .collect();
        (
            Call {
                name,
                open,
                arguments,
            },
            height,
        )
    }

    fn number(&self, pair: &Pair<'_, Rule>) -> f64 {
        let text = pair.as_str();
        let number: f64 = text.parse().expect("the grammar lets only numbers through");
        if !number.is_finite() {
            self.fault(Diagnostic::error(
                NUMBER,
                place(pair),
                format!("`{text}` is larger than a double can be"),
            ));
        }
        let plain = text.starts_with(|c: char| c.is_ascii_digit())
            && text.ends_with(|c: char| c.is_ascii_digit())
            && !text.contains(['e', 'E']);
        if !plain && self.dialect == Dialect::Strict {
            let message = format!("`{text}` is not a number as the documentation writes them");
            self.fault(Diagnostic::error(NUMBER, place(pair), message).help(Lean::ExtendedNumber.help()));
        } else if !plain {
            self.leans.borrow_mut().push((Lean::ExtendedNumber, place(pair)));
        }
        number
    }

    fn text(&self, pair: &Pair<'_, Rule>) -> String {
        let text = pair.as_str();
        if let Some(inner) = text.strip_prefix("\\\"") {
            let message = "the quotes are escaped for another language";
            self.foreign(
                FOREIGN_QUOTES,
                place(pair),
                message,
                "write plain \"…\"; here documents and files need no escapes",
            );
            return inner.strip_suffix("\\\"").unwrap_or(inner).to_owned();
        }
        if text.starts_with('\'') {
            self.foreign(
                FOREIGN_QUOTES,
                place(pair),
                "strings have double quotes",
                "write \"…\"",
            );
        }
        text[1..text.len() - 1].to_owned()
    }
}

/// The grammar's span of a member may take white space along; the name or the `)` is where it ends.
fn trimmed_end(end: usize, kind: &ExprKind) -> usize {
    match kind {
        ExprKind::Member(_, name) => name.span.end,
        _ => end,
    }
}

fn place(pair: &Pair<'_, Rule>) -> Place {
    pair.as_span().start()..pair.as_span().end()
}

fn binary_op(rule: Rule) -> Option<BinaryOp> {
    Some(match rule {
        Rule::or => BinaryOp::Or,
        Rule::and => BinaryOp::And,
        Rule::equal => BinaryOp::Equal,
        Rule::not_equal => BinaryOp::NotEqual,
        Rule::less => BinaryOp::Less,
        Rule::less_or_equal => BinaryOp::LessOrEqual,
        Rule::greater => BinaryOp::Greater,
        Rule::greater_or_equal => BinaryOp::GreaterOrEqual,
        Rule::add => BinaryOp::Add,
        Rule::subtract => BinaryOp::Subtract,
        Rule::multiply => BinaryOp::Multiply,
        Rule::divide => BinaryOp::Divide,
        _ => return None,
    })
}
