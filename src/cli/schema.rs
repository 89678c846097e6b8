//! `lowtide schema`: the JSON Schema of a file, from the types that read it.

use clap::ValueEnum;

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use super::wiring;

/// Print the JSON Schema of a kind of file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
An editor checks a policy while it is written when the schema is beside it:
  lowtide schema policy > policy.schema.json
and the policy begins with
  # yaml-language-server: $schema=policy.schema.json")]
pub(super) struct Schema {
    /// The kind of file
    #[arg(value_enum)]
    kind: Kind,
}

/// The kinds of file with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// What an operator wants for a pool
    Policy,
    /// What the pools of an account share (a file of kind: account)
    Account,
    /// What `eval --inputs` reads
    Inputs,
    /// What `plan --snapshot` reads
    Snapshot,
    /// What `test` reads of a policy (*.test.yaml)
    Test,
    /// What `emulate --scenario` reads
    Scenario,
    /// What `serve --config` reads (TOML)
    Config,
    /// What `plan --sources` reads (TOML)
    Sources,
}

impl Schema {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        terminal.json(&wiring::schema(self.kind))?;
        Ok(Exit::Success)
    }
}
