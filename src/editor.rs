//! A language server for formulas and policies: faults while it is typed, completion, explanation and layout, in any editor.
//!
//! ```text
//! editor ─ messages ─► session ─ text, place ─► words (formulas), keys (YAML by its schema) ─► answer
//!                        └─ after each change ─► Knowledge.findings ─► diagnostics
//! ```
//!
//! The protocol is the Language Server Protocol 3.17, spoken through `lsp-server` with the types of `ls-types`. What is said of a
//! text is what `lowtide check` says of it: the floor above hands it in as [`Knowledge`].

mod answers;
mod keys;
mod kind;
mod place;
mod schema;
mod session;
mod spot;
mod words;

pub use kind::Kind;
pub use session::{Knowledge, Open, SessionError, TextFindings, serve};

/// Something that can be typed at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Proposal {
    label: String,
    sort: Sort,
    /// What it is in a few words, such as its signature.
    detail: String,
    doc: String,
    /// What follows it when it is taken, with the cursor between; empty for most.
    around: (&'static str, &'static str),
}

/// What a proposal is, for the sign that an editor puts before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Function,
    Method,
    Member,
    Variable,
    Constant,
    Key,
    Value,
}
