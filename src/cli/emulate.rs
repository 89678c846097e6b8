//! `lowtide emulate`: a Batch account on this machine, for real clients.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::exit::{Exit, Failure, Source};
use super::options::{Output, OutputOption};
use super::terminal::Terminal;
use super::{files, wiring};
use crate::base::Timestamp;
use crate::emulator::faults::{HttpFaults, Wire};
use crate::emulator::listener::Doors;
use crate::emulator::outside::{AccountKey, DEVELOPMENT_KEY, IDENTITY_SECRET, Modes, Outside};
use crate::emulator::{Desk, Scenario, Service, Setup};
use crate::sim::SpotMarket;
use crate::sim::workload::{ReadOptions, Workload};

/// Serve a local Batch account to real clients: pools, nodes, jobs, tasks and formulas
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The account's name and key are fixed, known to everybody, and for development only; it listens
on this machine unless told otherwise. Ctrl-C ends it.")]
pub(super) struct Emulate {
    /// What the account is like and what happens to it; see `lowtide schema scenario`
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// How many times as fast as the wall's the account's clock runs
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = parse_speed)]
    speed: f64,
    /// Where to listen for plain http, which clients accept with the account's key; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:10800")]
    listen: SocketAddr,
    /// Where to listen for https, which clients want before they send a token
    #[arg(long, value_name = "ADDRESS")]
    tls_listen: Option<SocketAddr>,
    /// Where the certificate authority of the https endpoint is kept, and made when it is not there
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = ".lowtide",
        requires = "tls_listen"
    )]
    tls_folder: PathBuf,
    /// Keep the account in this file, and go on with it after a restart
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Run the real command of each task on this machine; whoever reaches the account can run anything as you
    #[arg(long)]
    run_commands: bool,
    #[command(flatten)]
    output: OutputOption,
}

/// A scenario, with the market and the workload that it names.
struct Read {
    source: Source,
    scenario: Scenario,
    spot: SpotMarket,
    workload: Option<Workload>,
}

/// What a client needs to know.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reached {
    account: String,
    /// None where tokens alone are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'static str>,
    http: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    https: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<PathBuf>,
}

fn parse_speed(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|speed| (0.001..=Service::SPEED_MAX).contains(speed))
        .ok_or_else(|| format!("write a number from 0.001 to {}", Service::SPEED_MAX))
}

impl Emulate {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let scenario = self.scenario()?;
        let desk = self.desk(scenario.as_ref())?;
        if desk.setup().account.tokens_only && self.tls_listen.is_none() {
            return Err(Failure::Usage(
                "the account of this scenario takes tokens only, which clients send by https alone; add --tls-listen \
                 127.0.0.1:0"
                    .to_owned(),
            ));
        }
        let http = scenario.map_or_else(HttpFaults::default, |read| read.scenario.http().clone());
        let service = Service::new(desk, self.speed, self.state.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.serve(&service, http, terminal))?;
        // Whatever still waits has nobody to wait for.
        runtime.shutdown_background();
        if let (Err(error), Some(path)) = (service.write_state(), &self.state) {
            return Err(files::not_written(path, &error));
        }
        Ok(Exit::Success)
    }

    fn scenario(&self) -> Result<Option<Read>, Failure> {
        let Some(path) = &self.scenario else {
            return Ok(None);
        };
        let source = files::read(path)?;
        let scenario = Scenario::parse(&source.text);
        let scenario = scenario.map_err(|faults| Failure::Text(source.clone(), faults))?;
        let spot = match scenario.spot() {
            Some(name) => wiring::read_market(&beside(path, name))?,
            None => SpotMarket::Unlimited,
        };
        let tasks = scenario.workload();
        let workload = tasks.map(|name| wiring::read_workload(&beside(path, name), &ReadOptions::default()));
        Ok(Some(Read {
            source,
            scenario,
            spot,
            workload: workload.transpose()?,
        }))
    }

    fn desk(&self, read: Option<&Read>) -> Result<Desk, Failure> {
        let setup = |opened| Setup {
            run_commands: self.run_commands,
            ..read.map_or_else(
                || Setup::at(opened),
                |read| {
                    read.scenario
                        .setup(opened, read.spot.clone(), read.workload.clone())
                },
            )
        };
        if let Some(path) = self.state.as_deref().filter(|path| path.exists()) {
            return read_state(path, setup);
        }
        let opened = read
            .and_then(|read| read.scenario.start())
            .unwrap_or_else(wiring::now);
        match read {
            None => Ok(Desk::new(setup(opened))),
            Some(read) => Desk::open(setup(opened), &read.scenario, &read.source.text)
                .map_err(|faults| Failure::Text(read.source.clone(), faults)),
        }
    }

    async fn serve(
        &self,
        service: &Arc<Service>,
        http: HttpFaults,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let https = self
            .tls_listen
            .map(|address| (address, self.tls_folder.as_path()));
        let doors = Doors::open(Some(self.listen), https).await;
        let doors = doors.map_err(|error| Failure::Usage(error.to_string()))?;
        let (account, tokens_only) = service.with(|desk| {
            let account = &desk.setup().account;
            (account.name.clone(), account.tokens_only)
        });
        let reached = reached(&doors, &account, !tokens_only);
        match self.output.output {
            Output::Json => terminal.json(&reached)?,
            Output::Text => self.greet(&reached, terminal)?,
        }
        terminal.flush()?;
        let outside = Arc::new(outside(service, &account, http));
        let end = Arc::new(tokio::sync::Notify::new());
        let living = tokio::spawn(Arc::clone(service).live({
            let end = Arc::clone(&end);
            async move { end.notified().await }
        }));
        let served = doors.serve(service.handlers(), outside, stopped()).await;
        end.notify_one();
        // It ends by itself; when it met a mistake of ours, that has been explained.
        let _ = living.await;
        served.map_err(|error| Failure::Usage(error.to_string()))
    }

    fn greet(&self, reached: &Reached, terminal: &mut Terminal) -> io::Result<()> {
        let Reached { account, http, .. } = reached;
        let out = terminal.out();
        let speed = if self.speed == 1.0 {
            String::new()
        } else {
            format!(", its clock {} times as fast", self.speed)
        };
        writeln!(
            out,
            "A Batch account on this machine{speed}, for development only.\n"
        )?;
        writeln!(out, "  account   {account}")?;
        if let Some(key) = reached.key {
            writeln!(out, "  key       {key}")?;
        }
        writeln!(out, "  endpoint  {http}")?;
        if let (Some(https), Some(certificate)) = (&reached.https, &reached.certificate) {
            writeln!(
                out,
                "  endpoint  {https}, trusted through {}",
                certificate.display()
            )?;
        }
        if let Some(key) = reached.key {
            writeln!(
                out,
                "\naz:\n  export AZURE_BATCH_ACCOUNT={account} AZURE_BATCH_ACCESS_KEY={key} AZURE_BATCH_ENDPOINT={http}\n\
                 Python:\n  BatchClient(\"{http}\", AzureNamedKeyCredential(\"{account}\", \"{key}\"))"
            )?;
        }
        if let Some(certificate) = &reached.certificate {
            writeln!(
                out,
                "tokens:\n  export REQUESTS_CA_BUNDLE={} IDENTITY_ENDPOINT={http}/msi/token IDENTITY_HEADER={IDENTITY_SECRET}",
                certificate.display()
            )?;
        }
        if self.run_commands {
            writeln!(
                out,
                "\nTasks run their real commands as you: keep others away from the endpoint."
            )?;
        }
        writeln!(out, "\nCtrl-C ends it.")
    }
}

/// Returns the account as the outside sees it.
fn outside(service: &Arc<Service>, account: &str, http: HttpFaults) -> Outside {
    let key = AccountKey::parse(DEVELOPMENT_KEY).expect("the key of the documentation is one");
    let (facts, elapsed) = (Arc::clone(service), Arc::clone(service));
    let tokens_only = service.with(|desk| desk.setup().account.tokens_only);
    Outside {
        modes: if tokens_only { Modes::TOKENS } else { Modes::BOTH },
        wire: Wire::new(http, Arc::new(move || elapsed.elapsed())),
        ..Outside::new(account, &key, Arc::new(move || facts.facts()))
    }
}

/// Returns a file that a scenario names, as seen from the scenario's own folder; other names as they are.
fn beside(scenario: &Path, name: &str) -> String {
    let named = scenario.parent().map(|folder| folder.join(name));
    match named.filter(|path| path.is_file()) {
        Some(path) => path.to_string_lossy().into_owned(),
        None => name.to_owned(),
    }
}

fn reached(doors: &Doors, account: &str, takes_keys: bool) -> Reached {
    let http = doors
        .http()
        .map_or_else(String::new, |address| format!("http://{address}"));
    let https = doors.https();
    Reached {
        account: account.to_owned(),
        key: takes_keys.then_some(DEVELOPMENT_KEY),
        http,
        https: https.map(|(address, _)| {
            // The certificate is for names of this machine, by which clients know it.
            if address.ip().is_loopback() {
                format!("https://localhost:{}", address.port())
            } else {
                format!("https://{address}")
            }
        }),
        certificate: https.map(|(_, path)| std::path::absolute(path).unwrap_or_else(|_| path.to_owned())),
    }
}

fn read_state(path: &Path, setup: impl FnOnce(Timestamp) -> Setup) -> Result<Desk, Failure> {
    let named = || Source::named(&path.to_string_lossy());
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Text(named(), vec![files::unreadable(path, &error)]))?;
    Desk::restore(&text, setup).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// Waits until somebody ends the program: Ctrl-C, or SIGTERM as service managers send it.
async fn stopped() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
