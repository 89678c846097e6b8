//! What a storage account lets us in by, and the text that its key signs.
//!
//! Source: "Authorize with Shared Key" of the Azure Storage documentation, queue service, version 2009-09-19 and later: the verb,
//! eleven standard headers of which a read has none, the `x-ms-` headers in order, and the resource with its parameters in order.

use std::fmt::Write as _;

/// A read that is signed.
pub(super) struct SignedRead<'a> {
    /// The account.
    pub(super) account: &'a str,
    /// The path as it stands in the URL.
    pub(super) path: &'a str,
    /// The parameters, decoded, in the order of their names.
    pub(super) parameters: &'a [(&'a str, &'a str)],
    /// The `x-ms-` headers, in the order of their names.
    pub(super) headers: &'a [(&'a str, &'a str)],
}

impl SignedRead<'_> {
    /// Returns the text that is signed.
    pub(super) fn text(&self) -> String {
        // No standard header is sent, so that all their places are empty.
        let mut text = "GET\n\n\n\n\n\n\n\n\n\n\n\n".to_owned();
        for (name, value) in self.headers {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name}:{value}");
        }
        let _ = write!(text, "/{}{}", self.account, self.path);
        for (name, value) in self.parameters {
            let _ = write!(text, "\n{name}:{value}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_that_of_the_documentation_and_a_path_with_the_account_has_it_twice() {
        let read = SignedRead {
            account: "devstoreaccount1",
            path: "/devstoreaccount1/agents",
            parameters: &[("comp", "metadata")],
            headers: &[
                ("x-ms-date", "Sun, 22 Nov 2026 09:50:08 GMT"),
                ("x-ms-version", "2021-12-02"),
            ],
        };
        assert_eq!(
            read.text(),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Sun, 22 Nov 2026 09:50:08 GMT\nx-ms-version:2021-12-02\n\
             /devstoreaccount1/devstoreaccount1/agents\ncomp:metadata"
        );
        assert_eq!(
            read.text()
                .split("x-ms-date")
                .next()
                .unwrap()
                .matches('\n')
                .count(),
            12
        );
    }
}
