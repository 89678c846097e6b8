//! Which Batch account a verb speaks to, and how it is allowed to.

use std::path::PathBuf;

use clap::ValueEnum;

use super::exit::{Failure, Source};
use super::signal_options::no_sources;
use super::{files, wiring};
use crate::azure::{
    ApiVersion, Auth, Client, Clock, CredentialError, Endpoint, Fault, Limits, Live, Means, Settings,
    credential,
};
use crate::source::NamedSources;

/// The options of every verb that looks at a live account.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Account")]
pub(super) struct AccountOptions {
    /// The name of the account; the endpoint's first word when it is a public one
    #[arg(
        long,
        value_name = "NAME",
        env = "AZURE_BATCH_ACCOUNT",
        hide_env_values = true
    )]
    account: Option<String>,
    /// Where it answers, such as `https://NAME.westeurope.batch.azure.com`
    #[arg(
        long,
        value_name = "URL",
        env = "AZURE_BATCH_ENDPOINT",
        hide_env_values = true
    )]
    endpoint: Option<String>,
    /// Its key; better in the environment than here, where every process of the machine sees it
    #[arg(
        long,
        value_name = "KEY",
        env = "AZURE_BATCH_ACCESS_KEY",
        hide_env_values = true
    )]
    account_key: Option<String>,
    /// How to be let in: sharedKey, managedIdentity, workloadIdentity, clientSecret, az, or the first of these that the
    /// environment speaks of
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WAY",
        hide_possible_values = true
    )]
    auth: AuthWord,
    /// Certificates of authorities to trust besides the system's (PEM)
    #[arg(long, value_name = "FILE", env = "REQUESTS_CA_BUNDLE", hide_env_values = true)]
    ca_file: Option<PathBuf>,
    /// The version of the interface: 2025-06-01 or 2024-02-01.19.0
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "VERSION",
        hide_possible_values = true
    )]
    api_version: VersionWord,
    /// Requests a second at the most
    #[arg(long, default_value_t = Limits::USUAL_RATE, value_name = "N", value_parser = rate)]
    requests_per_second: f64,
}

/// The words for the ways of authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "camelCase")]
enum AuthWord {
    /// The first that the environment speaks of.
    #[default]
    Auto,
    SharedKey,
    ManagedIdentity,
    WorkloadIdentity,
    ClientSecret,
    Az,
}

/// The words for the versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum VersionWord {
    /// The current one.
    #[default]
    #[value(name = "2025-06-01")]
    V2025,
    #[value(name = "2024-02-01.19.0")]
    V2024,
}

/// A live account with the runtime that drives it.
pub(super) struct Connected {
    /// The account; used while the runtime is there.
    pub(super) live: Live,
    /// The sources of signals besides, where a file names them.
    pub(super) sources: NamedSources,
    /// Certificates of authorities to trust besides the system's, as PEM.
    pub(super) authorities: Option<Vec<u8>>,
    pub(super) runtime: tokio::runtime::Runtime,
}

impl AccountOptions {
    /// Prepares to look at the account; nothing is sent yet.
    pub(super) fn connect(&self) -> Result<Connected, Failure> {
        let client = self.client()?;
        let runtime = runtime()?;
        Ok(Connected {
            live: Live::new(client, runtime.handle().clone()),
            sources: no_sources(),
            authorities: self.authorities()?,
            runtime,
        })
    }

    /// Returns the account's pools as JSON, as the service writes them, with where they come from.
    pub(super) fn pools(&self) -> Result<Source, Failure> {
        let client = self.client()?;
        let pools = runtime()?
            .block_on(client.pools_as_written())
            .map_err(|fault| failure(&fault))?;
        let text = serde_json::to_string_pretty(&pools).expect("what was read as JSON is written as JSON");
        let name = format!("{}/pools", client.settings().endpoint);
        Ok(Source::new(&name, text))
    }

    /// Returns a client of the account with the runtime that drives it; nothing is sent yet.
    pub(super) fn client_and_runtime(&self) -> Result<(Client, tokio::runtime::Runtime), Failure> {
        Ok((self.client()?, runtime()?))
    }

    /// Returns the name of the account, where one is given.
    pub(super) fn named(&self) -> Option<&str> {
        self.account.as_deref().filter(|account| !account.is_empty())
    }

    fn client(&self) -> Result<Client, Failure> {
        let endpoint = self.endpoint()?;
        let account = self.account(&endpoint)?;
        let authorities = self.authorities()?;
        let means = Means {
            endpoint: &endpoint,
            key: self.account_key.as_deref(),
            authorities: authorities.as_deref(),
            variable: &|name| std::env::var(name).ok(),
        };
        let credential = credential(self.auth.into(), &means).map_err(|error| match error {
            CredentialError::Fault(fault) => failure(&fault),
            error => Failure::Usage(error.to_string()),
        })?;
        let settings = Settings {
            endpoint,
            account,
            version: self.api_version.into(),
            authorities,
            limits: Limits {
                per_second: self.requests_per_second,
                ..Limits::default()
            },
            // Clients that start together shall not retry together.
            seed: wiring::now().ticks().cast_unsigned() ^ u64::from(std::process::id()),
        };
        Client::new(settings, credential, Clock::system()).map_err(|fault| failure(&fault))
    }

    fn endpoint(&self) -> Result<Endpoint, Failure> {
        let given = self
            .endpoint
            .as_deref()
            .filter(|endpoint| !endpoint.trim().is_empty());
        let Some(endpoint) = given else {
            return Err(Failure::Usage(
                "no Batch account is given: say where it answers with --endpoint or AZURE_BATCH_ENDPOINT (`az batch account show` \
                 prints accountEndpoint); with a file in its place none is needed"
                    .to_owned(),
            ));
        };
        endpoint
            .parse()
            .map_err(|error: crate::azure::EndpointError| Failure::Usage(error.to_string()))
    }

    fn account(&self, endpoint: &Endpoint) -> Result<String, Failure> {
        let given = self.account.as_deref().filter(|account| !account.is_empty());
        given.or(endpoint.account()).map(str::to_owned).ok_or_else(|| {
            Failure::Usage(format!(
                "the endpoint {endpoint} does not say which account it is: name it with --account or AZURE_BATCH_ACCOUNT"
            ))
        })
    }

    fn authorities(&self) -> Result<Option<Vec<u8>>, Failure> {
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|error| {
                let named = Source::named(&path.to_string_lossy());
                Failure::Text(named, vec![files::unreadable(path, &error)])
            })
        };
        self.ca_file.as_ref().map(read).transpose()
    }
}

/// Returns a runtime that drives a client.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    Ok(runtime)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (0.1..=1000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("use 0.1 to 1000".to_owned())
    }
}

/// Returns a fault of the account as what keeps a command from its work.
pub(super) fn failure(fault: &Fault) -> Failure {
    Failure::World {
        message: fault.to_string(),
        help: fault.help().map(str::to_owned),
    }
}

impl From<AuthWord> for Auth {
    fn from(word: AuthWord) -> Self {
        match word {
            AuthWord::Auto => Self::Auto,
            AuthWord::SharedKey => Self::SharedKey,
            AuthWord::ManagedIdentity => Self::ManagedIdentity,
            AuthWord::WorkloadIdentity => Self::WorkloadIdentity,
            AuthWord::ClientSecret => Self::ClientSecret,
            AuthWord::Az => Self::Az,
        }
    }
}

impl From<VersionWord> for ApiVersion {
    fn from(word: VersionWord) -> Self {
        match word {
            VersionWord::V2025 => Self::V2025,
            VersionWord::V2024 => Self::V2024,
        }
    }
}
