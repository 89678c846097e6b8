//! Text → tree. The grammar in `grammar/formula.pest` is a superset of the language; what the service would not read is
//! said here in words, and reading goes on behind it, so that all faults of a text come at once.

mod build;
mod recover;
mod scan;

use super::ast::{Ast, Place};
use super::{Dialect, Lean};
use crate::base::{Code, Diagnostic};

/// 8 KB: the service's limit ("maximum length is 8192 characters", Batch SDK constants, `AutoScaleFormulaTooLong`).
pub const CHARACTERS_MAX: usize = 8192;
/// The service's limit ("up to 100 statements", automatic scaling guide).
pub(super) const STATEMENTS_MAX: usize = 100;
/// Ours: brackets, arms and operators nested deeper are refused, so that no walk over the tree can exhaust the stack.
///
/// Real formulas stay below 30.
pub(super) const DEPTH_MAX: usize = 128;
/// Ours: after so many syntax faults the rest is noise.
const FAULTS_MAX: usize = 25;

pub(super) const TOO_LONG: Code = Code("F001");
pub(super) const TOO_MANY_STATEMENTS: Code = Code("F002");
pub(super) const MISSING_SEMICOLON: Code = Code("F003");
pub(super) const UNEXPECTED: Code = Code("F004");
pub(super) const EMPTY: Code = Code("F005");
pub(super) const TOO_DEEP: Code = Code("F006");
pub(super) const FOREIGN_COMMENT: Code = Code("F007");
pub(super) const FOREIGN_QUOTES: Code = Code("F008");
pub(super) const TEMPLATE: Code = Code("F009");
pub(super) const REMAINDER: Code = Code("F010");
pub(super) const SINGLE_EQUALS: Code = Code("F011");
pub(super) const UNCLOSED: Code = Code("F012");
pub(super) const UNTERMINATED: Code = Code("F013");
pub(super) const NUMBER: Code = Code("F014");
pub(super) const LOST_NAME: Code = Code("F015");

/// A text that could be read.
pub(super) struct Parsed {
    /// Its tree.
    pub(super) ast: Ast,
    /// What only this reader, or only the lenient dialect, lets pass.
    pub(super) leans: Vec<(Lean, Place)>,
}

/// Returns the tree of a formula as it is written.
///
/// # Errors
/// Every syntax fault, by place.
pub fn tree(source: &str, dialect: Dialect) -> Result<Ast, Vec<Diagnostic>> {
    Ok(parse(source, dialect).map_err(|faulty| faulty.faults)?.ast)
}

/// What could be read of a text with faults.
pub(super) struct Faulty {
    /// Every syntax fault, by place.
    pub(super) faults: Vec<Diagnostic>,
    /// What could be read all the same, so that names and types can be checked in it.
    pub(super) rest: Option<Ast>,
    /// Whether statements are missing from the rest, and with them the names they define.
    pub(super) is_partial: bool,
}

impl From<Diagnostic> for Faulty {
    fn from(fault: Diagnostic) -> Self {
        Self {
            faults: vec![fault],
            rest: None,
            is_partial: true,
        }
    }
}

/// Reads a formula.
pub(super) fn parse(source: &str, dialect: Dialect) -> Result<Parsed, Faulty> {
    let characters = source.chars().count();
    if characters > CHARACTERS_MAX {
        let message =
            format!("the formula has {characters} characters, and the service takes {CHARACTERS_MAX}");
        let fault = Diagnostic::error(TOO_LONG, 0..0, message);
        return Err(fault
            .help("drop comments and blank lines, or shorten names")
            .into());
    }
    if let Some(deep) = scan::too_deep(source) {
        return Err(too_deep(deep).into());
    }
    let (readable, mut faults, mut leans) = recover::recover(source, dialect);
    let is_partial = !matches!(
        readable,
        Some(recover::Readable::Whole(_) | recover::Readable::Patched { blanked: false, .. })
    );
    let rest = readable.map(|readable| {
        let built = build::build(source, readable, dialect);
        faults.extend(built.faults);
        leans.extend(built.leans);
        built.ast
    });
    if let Some(ast) = &rest {
        if ast.statements.is_empty() && faults.is_empty() {
            faults.push(empty(source));
        }
        faults.extend(too_many(ast));
    }
    match rest {
        Some(ast) if faults.is_empty() => {
            leans.sort_by_key(|(_, place)| place.start);
            Ok(Parsed { ast, leans })
        }
        rest => {
            faults.sort_by_key(|fault| (fault.span.start, fault.code));
            faults.dedup_by_key(|fault| (fault.span.start, fault.code));
            Err(Faulty {
                faults,
                rest,
                is_partial,
            })
        }
    }
}

fn too_many(ast: &Ast) -> Option<Diagnostic> {
    let extra = ast.statements.get(STATEMENTS_MAX)?;
    let count = ast.statements.len();
    let message = format!("the formula has {count} statements, and the service takes {STATEMENTS_MAX}");
    let fault = Diagnostic::error(TOO_MANY_STATEMENTS, extra.span.clone(), message);
    Some(fault.help("join statements: a value that is used once can stand where it is used"))
}

fn empty(source: &str) -> Diagnostic {
    Diagnostic::error(
        EMPTY,
        0..source.chars().next().map_or(0, char::len_utf8),
        "the formula has no statement",
    )
    .help("set a target: $TargetDedicatedNodes = 0;")
}

fn too_deep(span: Place) -> Diagnostic {
    Diagnostic::error(
        TOO_DEEP,
        span,
        format!("the formula nests deeper than {DEPTH_MAX} levels"),
    )
    .help("give inner parts a name in a statement of their own")
}
