//! From the text of an account's file to what its pools share, or to everything that is wrong with it.

use super::read::{CODES, FORMATS, STAND_INS, UNREADABLE, VERSION, span};
use super::{AccountFile, AccountPolicy};
use crate::base::document::Node;
use crate::base::schema::Schema;
use crate::base::{Code, Diagnostic};

const SHARED: Code = Code("P040");

/// Says whether a text is an account's file and no policy: it has a `kind`.
pub fn is_account(source: &str) -> bool {
    source.contains("kind") && Node::parse(source).is_ok_and(|document| document.get("kind").is_some())
}

/// Reads what the pools of an account share; it is there unless there are faults.
pub fn read_account(name: &str, source: &str) -> (Option<AccountPolicy>, Vec<Diagnostic>) {
    let document = match Node::parse(source) {
        Ok(document) => document,
        Err(unreadable) => {
            let fault = Diagnostic::error(UNREADABLE, unreadable.span, unreadable.message);
            return (None, vec![fault]);
        }
    };
    let mut checked = Schema::of::<AccountFile>(FORMATS, STAND_INS, CODES).check(&document);
    let mut faults = std::mem::take(&mut checked.faults);
    let Some(standing) = checked.standing.take() else {
        return (None, faults);
    };
    // What the schema accepts serde reads: both come from the same types.
    let file: AccountFile = match serde_json::from_value(standing.to_json()) {
        Ok(file) => file,
        Err(error) => {
            if faults.is_empty() {
                faults.push(Diagnostic::error(
                    CODES.wrong_value,
                    document.span.clone(),
                    error.to_string(),
                ));
            }
            return (None, faults);
        }
    };
    if file.version != 1 {
        let message = format!("version {} of the account format is not known", file.version);
        let place = span(&document, &["version"]);
        faults.push(Diagnostic::error(VERSION, place, message).help("write version: 1"));
    }
    let account = match AccountPolicy::from_file(name, &file) {
        Ok(account) => Some(account),
        Err(complaints) => {
            for complaint in complaints {
                let path: Vec<&str> = complaint.path.iter().map(String::as_str).collect();
                let place = span(&document, &path);
                if checked.lacks(&["perHour", "perMonth"], &place) {
                    // The amount is there, and its own fault is told.
                    continue;
                }
                faults.push(Diagnostic::error(SHARED, place, complaint.message).help(complaint.help));
            }
            None
        }
    };
    faults.sort_by_key(|fault| fault.span.start);
    (account.filter(|_| faults.is_empty()), faults)
}

/// Returns the JSON Schema of an account's file.
pub fn account_schema() -> schemars::Schema {
    schemars::schema_for!(AccountFile)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(source: &str) -> Vec<String> {
        assert!(is_account(source), "{source}");
        let (account, faults) = read_account("account", source);
        assert_eq!(account.is_none(), !faults.is_empty());
        faults
            .iter()
            .map(|fault| {
                format!(
                    "{} {}: {}",
                    fault.code,
                    &source[fault.span.clone()],
                    fault.message
                )
            })
            .collect()
    }

    #[test]
    fn an_account_is_read_and_written_as_it_was() {
        let source = "version: 1
kind: account
quotas: { dedicatedCores: 128, spotCores: 256, families: { standardDSv5Family: 64 } }
budgets:
  research: { pools: [genomics-*, trial], perHour: 12.5, perMonth: 4000, onSoft: leastOnly }
  all: { perHour: 40 }
sizes: { Standard_X1: { cores: 6, family: standardXFamily } }
";
        let (account, faults) = read_account("main", source);
        let account = account.unwrap_or_else(|| panic!("{faults:?}"));
        assert!(account.budgets[0].pays(&"anything".parse().unwrap()));
        assert!(!account.budgets[1].pays(&"anything".parse().unwrap()));
        assert_eq!(account.size("standard_x1").map(|size| size.cores), Some(6));
        assert_eq!(account.size("standard_d4s_v5").map(|size| size.cores), Some(4));
        let again = AccountPolicy::from_file("main", &account.to_file());
        assert_eq!(again.as_ref(), Ok(&account));
        let text = serde_json::to_string(&account.to_file()).unwrap();
        assert_eq!(read_account("main", &text).0.as_ref(), Some(&account));
    }

    #[test]
    fn every_fault_of_an_account_is_told_with_its_place() {
        let source = "version: 2
kind: account
quota: { dedicatedCores: 10 }
quotas: { dedicatedCores: 10, families: { standardDSv5Family: 64, dsv5: 3 } }
budgets: { all: { pools: [a b], perHour: -1 }, none: {} }
sizes: { standard_x: { cores: 0 } }
";
        assert_eq!(
            said(source),
            [
                "P007 2: version 2 of the account format is not known",
                "P002 quota: `quota` is not a key that is known here",
                "P040 64: the family `standardDSv5Family` stands twice, written in two ways",
                "P040 64: the family `standardDSv5Family` may use 64 cores, of 10 in all",
                "P006 a b: `a b` is not a pool id; use 1 to 64 letters, digits, hyphens and underscores; * stands for any of them",
                "P006 -1: -1 is less than 0",
                "P040 {: the budget `none` limits nothing",
                "P006 0: 0 is less than 1",
            ]
        );
        assert_eq!(
            said("kind: accounts\nversion: 1")[0].split(' ').next(),
            Some("P006")
        );
    }
}
