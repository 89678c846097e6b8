//! The whole of the integration tests in one binary, so that linking stays cheap.

mod cluster;
mod format;
