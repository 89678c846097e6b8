//! The catalogue of the faults that a file of sources can have.

use crate::base::CodeRow;

/// Every code, in order.
#[rustfmt::skip] // A table: its rows stay together.
pub const CODES: &[CodeRow] = &[
    CodeRow::shown("Q001", "the file of sources cannot be read", "It is TOML: texts stand in quotes, and a key stands once in its table.",
        "[prometheus.default]\nurl = http://prometheus:9090", "[prometheus.default]\nurl = \"http://prometheus:9090\""),
    CodeRow::shown("Q002", "a key that is not known", "A key that nobody reads would change nothing and look as if it did.",
        "[files]\nfolders = \"/var/lib/lowtide\"", "[files]\nfolder = \"/var/lib/lowtide\""),
    CodeRow::shown("Q004", "a key is missing", "Nothing sensible can be assumed in its place.",
        "[command.depth]\ntimeout = \"5s\"", "[command.depth]\nrun = [\"/usr/local/bin/depth\"]"),
    CodeRow::shown("Q005", "a value of another kind", "Secrets are named by the file or variable that holds them, and never written down.",
        "[storageQueue.default]\naccount = \"acme\"\nkey = \"c2VjcmV0\"",
        "[storageQueue.default]\naccount = \"acme\"\nkey = { file = \"/run/secrets/storage-key\" }"),
    CodeRow::shown("Q006", "a value that cannot be used", "It is of the right kind, and nothing that can stand here.",
        "[command.depth]\nrun = [\"depth\"]\ntimeout = \"5m\"", "[command.depth]\nrun = [\"depth\"]\ntimeout = \"5s\""),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourcesFile;

    fn said(source: &str) -> Vec<&'static str> {
        let faults = SourcesFile::parse(source).err().unwrap_or_default();
        let mut codes: Vec<_> = faults.iter().map(|fault| fault.code.0).collect();
        codes.dedup();
        codes
    }

    #[test]
    fn every_bad_example_gets_its_code_alone_and_good_ones_get_nothing() {
        for row in CODES {
            let example = row.example.expect("every row has one");
            assert_eq!(said(example.bad), [row.code.0], "{}", example.bad);
            assert_eq!(said(example.good), [""; 0], "{}", example.good);
        }
    }
}
