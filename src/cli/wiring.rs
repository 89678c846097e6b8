//! The one place that names concrete parts: clocks, worlds and sources.

use std::io::{self, Read};
use std::path::Path;

use chrono::Utc;

use super::exit::{Failure, Source};
use super::files;
use super::schema::Kind;
use crate::base::{Diagnostic, Timestamp};
use crate::decision::Snapshot;
use crate::formula::PoolFacts;
use crate::market::{PricePath, recorded};
use crate::policy;
use crate::signal::History;
use crate::sim::SpotMarket;
use crate::sim::workload::{self, CiRecipe, ReadOptions, TaskRecipe, Workload};
use crate::world::{EvalInputs, InputsFile, RecordedAccount, SnapshotFile, SnapshotPool};

/// Returns the current time; nothing else in the house reads a clock for a decision.
pub(super) fn now() -> Timestamp {
    Timestamp::from_utc(Utc::now())
}

/// Reads the inputs of one evaluation.
pub(super) fn read_inputs(text: &str) -> Result<EvalInputs, Vec<Diagnostic>> {
    InputsFile::parse(text)
}

/// Returns the inputs of an evaluation now, of a pool without nodes or samples.
pub(super) fn inputs_of_nothing() -> EvalInputs {
    EvalInputs {
        now: now(),
        pool: PoolFacts::default(),
        history: History::new(),
        seed: 0,
    }
}

/// Reads a recorded account.
pub(super) fn read_snapshot(text: &str) -> Result<RecordedAccount, Vec<Diagnostic>> {
    SnapshotFile::parse(text)
}

/// Returns one pool of a recorded account as the engine takes it.
pub(super) fn snapshot(pool: &SnapshotPool) -> Snapshot<'_> {
    pool.snapshot()
}

/// Returns the schema of a kind of file.
pub(super) fn schema(kind: Kind) -> schemars::Schema {
    match kind {
        Kind::Policy => policy::schema(),
        Kind::Account => policy::account_schema(),
        Kind::Inputs => InputsFile::schema(),
        Kind::Snapshot => SnapshotFile::schema(),
        Kind::Test => crate::proof::policy_test_schema(),
        Kind::Scenario => crate::emulator::Scenario::schema(),
        Kind::Config => crate::serve::config::Config::schema(),
        Kind::Sources => crate::source::SourcesFile::schema(),
    }
}

/// Reads a job log, or makes up a workload that comes with the program.
pub(super) fn read_workload(name: &str, options: &ReadOptions) -> Result<Workload, Failure> {
    if let Some(recipe) = name.strip_prefix("generate:") {
        let recipe: TaskRecipe = recipe
            .parse()
            .map_err(|error| Failure::Usage(format!("the workload `{name}`: {error}")))?;
        return Ok(recipe.make());
    }
    let days = match name.strip_prefix("builtin:") {
        None => return read_log(name, options),
        Some("ci-day") => 1,
        Some("ci-week") => 7,
        Some(other) => {
            let message = format!(
                "there is no workload `builtin:{other}`; there are builtin:ci-day and builtin:ci-week"
            );
            return Err(Failure::Usage(message));
        }
    };
    let recipe = CiRecipe {
        days,
        ..CiRecipe::default()
    };
    Ok(workload::generate(&recipe, 0))
}

/// Reads a recorded spot market, several with `+` between them side by side, or returns one that is made up.
pub(super) fn read_market(name: &str) -> Result<SpotMarket, Failure> {
    if let Some(market) = SpotMarket::modelled(name) {
        return market.map_err(|error| Failure::Usage(format!("the spot market `{name}`: {error}")));
    }
    let mut whole: Option<SpotMarket> = None;
    for name in name.split('+') {
        let market = read_market_file(name)?;
        whole = Some(match whole {
            None => market,
            Some(others) => others.beside(&market).ok_or_else(|| {
                Failure::Usage(format!(
                    "`{name}` cannot stand beside another market: only steps of capacity can"
                ))
            })?,
        });
    }
    Ok(whole.expect("a split text has at least one part"))
}

/// Reads what a spot node costs over time, from the start of a run.
pub(super) fn read_spot_prices(path: &Path, start: Timestamp) -> Result<PricePath, Failure> {
    let source = files::read_inflated(path)?;
    recorded::read_prices(&source.text, start).map_err(|faults| Failure::Text(source, faults))
}

fn read_market_file(name: &str) -> Result<SpotMarket, Failure> {
    let path = Path::new(name);
    let source = files::read_inflated(path)?;
    let short = path
        .file_stem()
        .map_or(name.into(), |stem| stem.to_string_lossy());
    SpotMarket::read(&short, &source.text).map_err(|faults| Failure::Text(source, faults))
}

fn read_log(name: &str, options: &ReadOptions) -> Result<Workload, Failure> {
    let path = Path::new(name);
    let bytes = if name == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let unreadable = |error| Failure::Text(Source::named(name), vec![files::unreadable(path, &error)]);
    let bytes = bytes.map_err(unreadable)?;
    workload::read(&bytes, name, options).map_err(|error| {
        let texts = error.faults.into_iter().map(|fault| {
            let mut source = Source::new(name, fault.text);
            match fault.line {
                // A row whose text is not known is named by its number.
                Some(line) if source.text.is_empty() => source.name = format!("{name}:{line}"),
                Some(line) => source.first_line = usize::try_from(line).unwrap_or(usize::MAX),
                None => {}
            }
            let diagnostic = Diagnostic::error(fault.code, fault.span, fault.message).help(fault.help);
            (source, vec![diagnostic])
        });
        Failure::Texts(texts.collect())
    })
}
