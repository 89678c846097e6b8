//! What a code means: a row of the catalogue that `lowtide reference codes` prints.

use super::Code;

/// One code of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRow {
    /// The code, such as `F214`.
    pub code: Code,
    /// What it says, in a few words.
    pub title: &'static str,
    /// Why it matters, or the way out, in a sentence or two.
    pub why: &'static str,
    /// What gets the code and what does not, where a few lines can show it.
    pub example: Option<Example>,
}

/// Two texts, of which one gets a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// A text that gets the code.
    pub bad: &'static str,
    /// A text that does what was meant and does not get it.
    pub good: &'static str,
}

impl CodeRow {
    /// Returns a row without an example.
    pub const fn new(code: Code, title: &'static str, why: &'static str) -> Self {
        Self {
            code,
            title,
            why,
            example: None,
        }
    }

    /// Returns a row with an example, from the texts that a table has.
    pub const fn shown(
        code: &'static str,
        title: &'static str,
        why: &'static str,
        bad: &'static str,
        good: &'static str,
    ) -> Self {
        Self::new(Code(code), title, why).example(bad, good)
    }

    /// Adds an example.
    #[must_use]
    pub const fn example(self, bad: &'static str, good: &'static str) -> Self {
        Self {
            example: Some(Example { bad, good }),
            ..self
        }
    }
}
