//! The words every room shares: time, node counts, money, chance, and what is wrong with a text.
//!
//! Floor 0 of the house. Nothing here reads a clock, a file or the environment.

mod code_row;
mod diagnostic;
pub mod document;
mod money;
mod nodes;
pub mod schema;
mod suggest;
mod time;
mod toml_document;

pub use code_row::{CodeRow, Example};
pub use diagnostic::{Code, Diagnostic, Fix, Label, LineColumn, LineIndex, Severity};
pub use money::{Probability, Usd, UsdHourly};
pub use nodes::{Lane, Mix, Nodes};
pub use suggest::did_you_mean;
pub use time::{Span, TimeError, Timestamp};
