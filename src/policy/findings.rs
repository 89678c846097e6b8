//! What is wrong with a policy, in its own file and in those that it names.

use std::sync::Arc;

use crate::base::{Diagnostic, Severity};

/// What was found wrong with a policy and with the formula files that it names.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What is wrong in the policy file itself, formulas written into it included.
    pub policy: Vec<Diagnostic>,
    /// What is wrong in formula files.
    pub files: Vec<FileFindings>,
}

/// What was found wrong with a formula file.
#[derive(Clone, Debug)]
pub struct FileFindings {
    /// The file, as the policy names it.
    pub file: Arc<str>,
    /// Its text.
    pub source: Arc<str>,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

impl Findings {
    /// Says whether anything stops the policy from being used.
    pub fn has_errors(&self) -> bool {
        self.all().any(|found| found.severity == Severity::Error)
    }

    /// Returns everything that was found, the policy's own first.
    pub fn all(&self) -> impl Iterator<Item = &Diagnostic> {
        let in_files = self.files.iter().flat_map(|file| &file.diagnostics);
        self.policy.iter().chain(in_files)
    }
}
