//! The ledger in a real PostgreSQL. These tests need a server that may be stopped and started: `scripts/store/postgres.sh` installs
//! and starts one and runs them; nothing else does.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail there"
)]

mod faults;
mod lead;
mod server;
mod shelf;

use std::process::ExitCode;

/// The tests by name.
const TESTS: &[(&str, fn())] = &[
    (
        "lines come out byte for byte and are found",
        shelf::lines_come_out_and_are_found,
    ),
    (
        "a time is found whatever the clocks did",
        shelf::a_time_is_found_whatever_the_clocks_did,
    ),
    (
        "old runs go, the latest stays",
        shelf::old_runs_go_and_the_latest_stays,
    ),
    ("halts outlive the process", shelf::halts_outlive_the_process),
    (
        "two that start together make one schema",
        shelf::two_that_start_together_make_one_schema,
    ),
    (
        "a schema from the future is left alone",
        shelf::a_schema_from_the_future_is_left_alone,
    ),
    ("the words of libpq for TLS hold", shelf::the_words_for_tls_hold),
    (
        "one steers, the next follows",
        lead::one_steers_and_the_next_follows,
    ),
    (
        "a lead that is not renewed is taken over",
        lead::a_lead_that_is_not_renewed_is_taken_over,
    ),
    (
        "a holder that slept writes nothing",
        lead::a_holder_that_slept_writes_nothing,
    ),
    (
        "a stopped process writes nothing when it wakes",
        lead::a_stopped_process_writes_nothing_when_it_wakes,
    ),
    (
        "many that want the lead: one at a time",
        lead::many_that_want_the_lead,
    ),
    (
        "a process that is killed loses nothing",
        faults::a_process_that_is_killed_loses_nothing,
    ),
    (
        "a server that stops and starts",
        faults::a_server_that_stops_and_starts,
    ),
    ("a server that is killed", faults::a_server_that_is_killed),
    ("a server that hangs", faults::a_server_that_hangs),
    ("a table that is locked", faults::a_table_that_is_locked),
    ("no secret in what is said", faults::no_secret_in_what_is_said),
];

#[expect(
    clippy::print_stdout,
    reason = "a harness of its own, which tells what it ran"
)]
fn main() -> ExitCode {
    if std::env::var_os("LOWTIDE_POSTGRES_URL").is_none() {
        let count = TESTS.len();
        println!(
            "not run: {count} tests of the ledger in PostgreSQL; scripts/store/postgres.sh starts a server and runs them"
        );
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let mut failed = 0;
    for (name, test) in TESTS {
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let begun = std::time::Instant::now();
        let outcome = std::panic::catch_unwind(test);
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("{word:<6} {:6.1} s  {name}", begun.elapsed().as_secs_f64());
        failed += usize::from(outcome.is_err());
    }
    if failed > 0 {
        println!("{failed} failed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
