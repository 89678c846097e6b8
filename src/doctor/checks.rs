//! What has been found so far, while an examination goes on.

use super::{Check, Finding, Outcome};

/// Findings shown of one kind in one pool; a pool of a thousand broken nodes has one trouble, not a thousand.
const OF_ONE_KIND_MAX: usize = 5;

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    checks: Vec<Check>,
    findings: Vec<Finding>,
}

impl Found {
    /// Notes how something stands.
    pub(super) fn check(&mut self, name: &'static str, outcome: Outcome, told: impl Into<String>) {
        self.checks.push(Check {
            name,
            outcome,
            told: told.into(),
        });
    }

    /// Notes something that is wrong; beyond the most of one kind in one pool it is only counted.
    pub(super) fn find(&mut self, finding: Finding) {
        let alike = |other: &&Finding| other.code == finding.code && other.pool == finding.pool;
        if self.findings.iter().filter(alike).count() < OF_ONE_KIND_MAX {
            self.findings.push(finding);
        }
    }

    /// Notes how something stands by what has been found of it: the worst finding with one of these codes, or that all is well.
    pub(super) fn conclude(&mut self, name: &'static str, codes: &[&str], well: impl Into<String>) {
        let of_it: Vec<&Finding> = self
            .findings
            .iter()
            .filter(|finding| codes.contains(&finding.code.0))
            .collect();
        let Some(worst) = of_it.iter().map(|finding| finding.severity).max() else {
            self.check(name, Outcome::Ok, well);
            return;
        };
        let told = match of_it.as_slice() {
            [
                Finding {
                    pool: Some(pool),
                    code,
                    ..
                },
            ] => format!("pool {pool}: {code} below"),
            [one] => format!("{} below", one.code),
            many => format!("{} findings below", many.len()),
        };
        self.check(name, worst, told);
    }

    /// Returns the checks as they were made, and the findings with the worst first.
    pub(super) fn in_order(self) -> (Vec<Check>, Vec<Finding>) {
        let mut findings = self.findings;
        findings.sort_by(|one, other| {
            let by_severity = other.severity.cmp(&one.severity);
            by_severity
                .then_with(|| one.pool.cmp(&other.pool))
                .then_with(|| one.code.cmp(&other.code))
        });
        (self.checks, findings)
    }
}
