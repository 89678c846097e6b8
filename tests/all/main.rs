//! The whole of the integration tests in one binary, so that linking stays cheap.

mod backtest;
mod cluster;
mod format;
mod lint;
