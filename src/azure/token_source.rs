//! Where tokens come from, and how each source is asked.
//!
//! Sources: "How to use managed identities for Azure resources on an Azure VM to acquire an access token", "How to use
//! managed identities for App Service", "Microsoft identity platform and the OAuth 2.0 client credentials flow".

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};

use super::lenient;
use super::token_fault::TokenFault;
use super::tokens::Token;
use super::transport::{Reply, exchange, http_client};
use super::{Clock, Endpoint, Fault};
use crate::base::{Span, Timestamp};

/// Who vouches for us; shows no secret.
#[derive(Clone)]
pub enum TokenSource {
    /// The metadata service of a virtual machine (IMDS).
    Machine {
        /// Scheme and host: `http://169.254.169.254`, unless a pod's authority stands in for it.
        authority: String,
        /// The client id of an identity that a user assigned; the machine's own otherwise.
        client_id: Option<String>,
    },
    /// App Service, Functions, Container Apps.
    AppService {
        /// The URL that the service gives (`IDENTITY_ENDPOINT`).
        endpoint: String,
        /// The secret that goes with it (`IDENTITY_HEADER`).
        header: SecretString,
        /// The client id of an identity that a user assigned.
        client_id: Option<String>,
    },
    /// A token of another issuer, exchanged (workload identity federation).
    Federated {
        /// Who asks, and whom.
        application: Application,
        /// The file that the issuer keeps fresh.
        file: PathBuf,
    },
    /// An application with a secret.
    ClientSecret {
        /// Who asks, and whom.
        application: Application,
        /// Its secret.
        secret: SecretString,
    },
    /// The login of a developer, through `az`.
    AzureCli {
        /// The program.
        program: PathBuf,
        /// The tenant, where it is not that of the login.
        tenant: Option<String>,
    },
}

/// An application in a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Scheme and host of the authority, such as `https://login.microsoftonline.com`.
    pub authority: String,
    /// The tenant.
    pub tenant: String,
    /// The id of the application.
    pub client_id: String,
}

/// How tokens are asked for.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// Sources on this machine, which no proxy can reach.
    direct: reqwest::Client,
    /// Sources in the world.
    proxied: reqwest::Client,
    /// The resource that a token is for; that of the Batch service has a slash at its end.
    resource: String,
}

/// A source that takes longer is not there.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// The metadata service is a hop away: where it is not, nothing answers, and nobody shall wait long for that.
const MACHINE_TIMEOUT: Duration = Duration::from_secs(5);
/// `az` takes about a second, and more when it renews its own login.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(1);
/// Tries of one fetch; the metadata service asks for 70 seconds of patience while it is updated (410).
const TRIES_MAX: u32 = 4;
const TRIES_MAX_WHEN_GONE: u32 = 8;
/// A token whose end is not told is asked for again after this; `az` keeps them itself.
const UNTOLD_LIFE: Span = Span::minutes(10);

impl Fetch {
    /// Returns the way to tokens for the service at an endpoint.
    ///
    /// # Errors
    /// When the authorities are no certificates.
    pub fn new(endpoint: &Endpoint, authorities: Option<&[u8]>) -> Result<Self, Fault> {
        Self::for_resource(resource_of(endpoint), authorities)
    }

    /// Returns the way to tokens for a resource.
    ///
    /// # Errors
    /// When the authorities are no certificates.
    pub fn for_resource(resource: &str, authorities: Option<&[u8]>) -> Result<Self, Fault> {
        Ok(Self {
            direct: http_client(authorities, false)?,
            proxied: http_client(authorities, true)?,
            resource: resource.to_owned(),
        })
    }

    /// Asks a source, again while that may help.
    pub(super) async fn token(&self, source: &TokenSource, clock: &Clock) -> Result<Token, TokenFault> {
        for tried in 1.. {
            let fault = match self.token_once(source, clock).await {
                Ok(token) => return Ok(token),
                Err(fault) => fault,
            };
            let tries_max = match &fault {
                TokenFault::Refused { status: 410, .. } => TRIES_MAX_WHEN_GONE,
                // The metadata service answers so while it starts.
                TokenFault::Refused { status: 404, .. } if matches!(source, TokenSource::Machine { .. }) => {
                    TRIES_MAX
                }
                fault if fault.may_pass() => TRIES_MAX,
                _ => 1,
            };
            if tried >= tries_max {
                return Err(fault);
            }
            clock
                .sleep(Duration::from_secs(2_u64.pow(tried - 1).min(20)))
                .await;
        }
        unreachable!("the tries are counted and end")
    }

    async fn token_once(&self, source: &TokenSource, clock: &Clock) -> Result<Token, TokenFault> {
        let resource = self.resource.as_str();
        let (request, deadline) = match source {
            TokenSource::Machine { authority, client_id } => {
                let url = format!(
                    "{}/metadata/identity/oauth2/token",
                    authority.trim_end_matches('/')
                );
                let query = [("api-version", "2018-02-01"), ("resource", resource)];
                let request = self.direct.get(url).query(&query).header("Metadata", "true");
                (with_client_id(request, client_id.as_deref()), MACHINE_TIMEOUT)
            }
            TokenSource::AppService {
                endpoint,
                header,
                client_id,
            } => {
                let query = [("api-version", "2019-08-01"), ("resource", resource)];
                let request = self
                    .direct
                    .get(endpoint)
                    .query(&query)
                    .header("X-IDENTITY-HEADER", header.expose_secret());
                (with_client_id(request, client_id.as_deref()), ANSWER_TIMEOUT)
            }
            TokenSource::Federated { application, file } => {
                let assertion = read_assertion(file)?;
                let more = [
                    (
                        "client_assertion_type",
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    ),
                    ("client_assertion", assertion.expose_secret()),
                ];
                (self.exchange_for(application, &more), ANSWER_TIMEOUT)
            }
            TokenSource::ClientSecret { application, secret } => {
                let more = [("client_secret", secret.expose_secret())];
                (self.exchange_for(application, &more), ANSWER_TIMEOUT)
            }
            TokenSource::AzureCli { program, tenant } => {
                let text = run_az(program, resource, tenant.as_deref()).await?;
                return read_token(source.name(), &text, clock.now());
            }
        };
        let reply = exchange(request, deadline)
            .await
            .map_err(|fault| TokenFault::NoAnswer {
                source_name: source.name(),
                why: fault.to_string(),
            })?;
        if !reply.status.is_success() {
            return Err(refused(source, &reply));
        }
        read_token(source.name(), &reply.body, clock.now())
    }

    /// Asks the identity platform for a token of an application (client credentials).
    fn exchange_for(&self, application: &Application, more: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let authority = application.authority.trim_end_matches('/');
        let url = format!("{authority}/{}/oauth2/v2.0/token", application.tenant);
        // The slash that the resource ends in stays: the scope has two of them.
        let scope = format!("{}/.default", self.resource);
        let mut form = vec![
            ("client_id", application.client_id.as_str()),
            ("grant_type", "client_credentials"),
            ("scope", scope.as_str()),
        ];
        form.extend_from_slice(more);
        self.proxied.post(url).form(&form)
    }
}

fn with_client_id(request: reqwest::RequestBuilder, client_id: Option<&str>) -> reqwest::RequestBuilder {
    match client_id {
        Some(id) => request.query(&[("client_id", id)]),
        None => request,
    }
}

/// Returns what a token for the Batch service of a cloud is for.
pub(super) fn resource_of(endpoint: &Endpoint) -> &'static str {
    let host = endpoint.host();
    if host.ends_with(".usgovcloudapi.net") {
        "https://batch.core.usgovcloudapi.net/"
    } else if host.ends_with(".chinacloudapi.cn") {
        "https://batch.chinacloudapi.cn/"
    } else {
        "https://batch.core.windows.net/"
    }
}

/// Reads the federated token, which its issuer replaces in the file; a line end behind it is not part of it.
fn read_assertion(file: &Path) -> Result<SecretString, TokenFault> {
    let text = std::fs::read_to_string(file).map_err(|why| TokenFault::File {
        path: file.display().to_string(),
        why: why.to_string(),
    })?;
    Ok(text.trim().into())
}

async fn run_az(program: &Path, resource: &str, tenant: Option<&str>) -> Result<Vec<u8>, TokenFault> {
    let fault = |why: String| TokenFault::Command { why };
    let mut command = tokio::process::Command::new(program);
    command
        .args([
            "account",
            "get-access-token",
            "--output",
            "json",
            "--resource",
            resource,
        ])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(tenant) = tenant {
        command.args(["--tenant", tenant]);
    }
    let output = tokio::time::timeout(COMMAND_TIMEOUT, command.output())
        .await
        .map_err(|_| fault(format!("it did not end within {} s", COMMAND_TIMEOUT.as_secs())))?
        .map_err(|why| fault(format!("`{}` cannot be run: {why}", program.display())))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(fault(said.lines().next().unwrap_or("it said nothing").to_owned()))
}

/// A token as all sources write it, numbers as numbers or strings.
#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(alias = "accessToken", default, deserialize_with = "secret")]
    access_token: Option<SecretString>,
    #[serde(default, deserialize_with = "lenient::number")]
    expires_on: Option<i64>,
    #[serde(default, deserialize_with = "lenient::number")]
    expires_in: Option<i64>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

fn read_token(source_name: &'static str, text: &[u8], now: Timestamp) -> Result<Token, TokenFault> {
    // The parser's own words may repeat what they stumble over.
    let unreadable = |why: &str| TokenFault::Unreadable {
        source_name,
        why: why.to_owned(),
    };
    let answer: TokenAnswer =
        serde_json::from_slice(text).map_err(|_| unreadable("it is not the JSON of one"))?;
    let text = answer
        .access_token
        .filter(|token| !token.expose_secret().is_empty())
        .ok_or_else(|| unreadable("it has no `access_token`"))?;
    if !text.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(unreadable("its `access_token` cannot stand in a header"));
    }
    let expires = match (answer.expires_in, answer.expires_on) {
        // Reckoned from our own clock, it holds whatever the other clock says.
        (Some(seconds), _) => now + Span::seconds(seconds),
        (None, Some(at)) => Timestamp::from_unix_seconds(at),
        (None, None) => now + UNTOLD_LIFE,
    };
    Ok(Token { text, expires })
}

/// The identity platform's error, and that of the metadata service.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenError {
    error: String,
    error_description: String,
}

fn refused(source: &TokenSource, reply: &Reply) -> TokenFault {
    let error: TokenError = serde_json::from_slice(&reply.body).unwrap_or_default();
    let sentence = error.error_description.lines().next().unwrap_or("");
    let why = [error.error.as_str(), sentence]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(": ");
    TokenFault::Refused {
        source_name: source.name(),
        status: reply.status.as_u16(),
        why: source.redact(why),
    }
}

impl TokenSource {
    /// Returns how the source is called in messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Machine { .. } => "the machine's managed identity",
            Self::AppService { .. } => "the service's managed identity",
            Self::Federated { .. } => "workload identity federation",
            Self::ClientSecret { .. } => "the client secret",
            Self::AzureCli { .. } => "az",
        }
    }

    /// Takes our own secrets out of what a source says.
    fn redact(&self, text: String) -> String {
        let secret = match self {
            Self::AppService { header, .. } => Some(header.clone()),
            Self::ClientSecret { secret, .. } => Some(secret.clone()),
            Self::Federated { file, .. } => read_assertion(file).ok(),
            Self::Machine { .. } | Self::AzureCli { .. } => None,
        };
        match secret {
            Some(secret) if !secret.expose_secret().is_empty() => {
                text.replace(secret.expose_secret(), "[REDACTED]")
            }
            _ => text,
        }
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
