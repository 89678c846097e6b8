//! The tree of a formula as it was written: every bracket, name and comment with its place.

use std::ops::Range;

/// Bytes of the source.
pub type Place = Range<usize>;

/// A whole formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Ast {
    /// The statements in order; empty statements (`;;`) leave no trace.
    pub statements: Vec<Statement>,
    /// The comments in order, wherever they stand.
    pub comments: Vec<Comment>,
}

/// A comment with its marks, without the line end.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// Where it stands.
    pub span: Place,
    /// Its text, marks included.
    pub text: String,
}

/// One statement, without its `;`.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// From its first to its last token.
    pub span: Place,
    /// The variable it sets; `None` for a bare expression.
    pub target: Option<Name>,
    /// What it computes.
    pub value: Expr,
}

/// A name as written, its `$` included.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// Where it stands.
    pub span: Place,
    /// The name.
    pub text: String,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// From its first to its last token.
    pub span: Place,
    /// What it is.
    pub kind: ExprKind,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number, with its text as written in `span`.
    Number(f64),
    /// A string without its quotes.
    Text(String),
    /// A variable or constant.
    Name(String),
    /// A bracketed expression.
    Group(Box<Expr>),
    /// `function(arguments)`.
    Call(Call),
    /// `object.method(arguments)`.
    Method(Box<Expr>, Call),
    /// `object.member`.
    Member(Box<Expr>, Name),
    /// An operator before its operand.
    Unary(UnaryOp, Box<Expr>),
    /// An operator between two operands, with its place.
    Binary(BinaryOp, Place, Box<Expr>, Box<Expr>),
    /// `test ? then : otherwise`, with the place of the `?`.
    Conditional(Place, Box<Expr>, Box<Expr>, Box<Expr>),
}

/// A name with arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function or method.
    pub name: Name,
    /// Where the `(` stands, which is where the service places its errors.
    pub open: usize,
    /// The arguments.
    pub arguments: Vec<Expr>,
}

/// An operator before its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

impl Expr {
    /// Returns the expression inside any brackets around it.
    pub fn ungrouped(&self) -> &Self {
        match &self.kind {
            ExprKind::Group(inner) => inner.ungrouped(),
            _ => self,
        }
    }
}

impl UnaryOp {
    /// Returns the operator as it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Negate => "-",
            Self::Not => "!",
        }
    }
}

impl BinaryOp {
    /// Returns the operator as it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }

    /// Says whether the operator compares its operands.
    pub const fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }

    /// Says whether the operator is `&&` or `||`.
    pub const fn is_logical(self) -> bool {
        matches!(self, Self::And | Self::Or)
    }
}
