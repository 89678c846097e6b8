//! The whole of the integration tests in one binary, so that linking stays cheap.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail there"
)]

mod account_doors;
mod account_facts;
mod azure;
mod backtest;
mod baseline;
mod book;
mod bound;
mod cluster;
mod cluster_faults;
mod cluster_laws;
mod cluster_spot;
mod codes;
mod damaged_files;
mod deadlines;
mod decisions;
mod emulator;
mod emulator_laws;
mod forecasts;
mod format;
mod golden;
mod guards;
mod imports;
mod interface;
mod jsonl;
mod language;
mod leases;
mod ledger_kills;
mod ledger_told;
mod left_leases;
mod lint;
mod long_ledger;
mod look_as_one;
mod lsp;
mod market;
mod market_fit;
mod market_learner;
mod missing_signals;
mod mix;
mod own_authority;
mod policies;
mod policy_tests;
mod report_pages;
mod retrace;
mod robust;
mod same_decision;
mod same_readings;
mod scripts;
mod serve;
mod serve_metrics;
mod sharing;
mod sources;
mod store;
mod store_faults;
mod store_search;
mod store_together;
mod swarm;
mod sweep;
mod tables;
mod tame;
mod tidy;
mod traced;
mod transcripts;
mod with_signals;
mod worlds;
