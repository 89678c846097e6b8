//! What is likely not meant in the formulas of a policy that can be read.

use super::findings::{FileFindings, Findings};
use super::inline::InlineText;
use super::read::span;
use super::{DemandFormula, Policy};
use crate::base::document::Node;
use crate::base::{Code, Diagnostic};
use crate::formula;

/// A formula without an upper bound; in a policy the bounds are one.
const NO_UPPER_BOUND: Code = Code("F219");

/// Lints the formulas of a policy; `source` is the text that it was read from.
pub fn lint(policy: &Policy, source: &str) -> Findings {
    let mut findings = Findings::default();
    let document = Node::parse(source).ok();
    for (index, demand) in policy.formulas() {
        let diagnostics = lints(demand);
        if diagnostics.is_empty() {
            continue;
        }
        if let Some(file) = &demand.file {
            findings.files.push(FileFindings {
                file: file.clone(),
                source: demand.formula.source().into(),
                diagnostics,
            });
        } else if let Some(document) = &document {
            let place = span(document, &["demand", &index.to_string(), "formula", "text"]);
            let inline = InlineText::find(source, place, demand.formula.source());
            let placed = diagnostics.iter().map(|fault| inline.place(fault));
            findings.policy.extend(placed);
        }
    }
    findings
}

fn lints(demand: &DemandFormula) -> Vec<Diagnostic> {
    let found = formula::lint(&demand.formula).into_iter();
    found.filter(|found| found.code != NO_UPPER_BOUND).collect()
}
