//! The command line as people meet it: transcripts of commands with their output and exit code.
//!
//! `TRYCMD=overwrite cargo test --test all transcripts` writes what the commands say now; read it before committing.

use std::path::Path;

/// Commands in documents for readers are run as well, where they stand in a `console` block.
const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md"];

fn cases() -> trycmd::TestCases {
    let cases = trycmd::TestCases::new();
    cases.register_bin("lowtide", Path::new(env!("CARGO_BIN_EXE_lowtide")));
    cases.env("COLUMNS", "100").env("NO_COLOR", "1");
    cases
}

#[test]
fn commands_say_what_the_transcripts_say() {
    let cases = cases();
    cases.case("tests/cli/*.trycmd").case("tests/cli/*.toml");
    for document in DOCUMENTS {
        cases.case(document);
    }
}

/// Each chapter's commands run in the folder of its own files, such as `docs/start.in` for `docs/start.md`.
#[test]
fn commands_say_what_the_book_says() {
    cases().case("docs/**/*.md");
}
