//! Which running sidecar a verb speaks to, and what it says to it.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Certificate, Identity, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;

use super::exit::{Failure, Source};
use super::files;

/// The options of every verb that speaks to a running sidecar.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Sidecar")]
pub(super) struct ServerOptions {
    /// Where the sidecar answers, such as `http://127.0.0.1:9464`
    #[arg(long, value_name = "URL", env = "LOWTIDE_SERVER", hide_env_values = true)]
    pub(super) server: Option<String>,
    #[expect(clippy::doc_markdown, reason = "it is the help of a command")]
    /// The file with the token that lets write; LOWTIDE_TOKEN holds the token itself
    #[arg(long, value_name = "FILE", env = "LOWTIDE_TOKEN_FILE", hide_env_values = true)]
    token_file: Option<PathBuf>,
    /// The certificate of the authority that the sidecar's own is signed by (PEM)
    #[arg(long, value_name = "FILE")]
    server_ca_file: Option<PathBuf>,
    /// A certificate with its key, which lets write in the place of a token (PEM)
    #[arg(long, value_name = "FILE")]
    client_certificate: Option<PathBuf>,
}

/// A running sidecar.
pub(super) struct Server {
    http: reqwest::Client,
    url: String,
    token: Option<SecretString>,
    runtime: tokio::runtime::Runtime,
}

/// What is asked tells within a minute, or says that it cannot.
const ANSWER_MAX: Duration = Duration::from_secs(65);
/// An answer of a sidecar of 500 pools has about a megabyte.
const ANSWER_BYTES_MAX: usize = 64 << 20;

impl ServerOptions {
    /// Prepares to ask; nothing is sent yet.
    pub(super) fn connect(&self) -> Result<Server, Failure> {
        let Some(server) = self.server.as_deref().filter(|server| !server.trim().is_empty()) else {
            return Err(Failure::Usage(
                "no sidecar is given: say where it answers with --server URL or LOWTIDE_SERVER, such as http://127.0.0.1:9464"
                    .to_owned(),
            ));
        };
        let url = if server.contains("://") {
            server.trim().to_owned()
        } else {
            format!("http://{}", server.trim())
        };
        let url = url.trim_end_matches('/').to_owned();
        let parsed = reqwest::Url::parse(&url)
            .map_err(|error| Failure::Usage(format!("`{server}` is no address: {error}")))?;
        let token = self.token()?;
        if token.is_some() && parsed.scheme() == "http" && !is_loopback(&parsed) {
            return Err(Failure::Usage(format!(
                "a token would go to {url} unencrypted, where everybody on the way could read it; use https"
            )));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Server {
            http: self.http(is_loopback(&parsed))?,
            url,
            token,
            runtime,
        })
    }

    fn token(&self) -> Result<Option<SecretString>, Failure> {
        let text = match &self.token_file {
            Some(path) => files::read(path)?.text,
            None => std::env::var("LOWTIDE_TOKEN").unwrap_or_default(),
        };
        let first = text.lines().map(str::trim).find(|line| !line.is_empty());
        Ok(first.map(SecretString::from))
    }

    fn http(&self, is_loopback: bool) -> Result<reqwest::Client, Failure> {
        // Installed twice it is refused, which changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let wrong = |path: &PathBuf, error: reqwest::Error| Failure::World {
            message: format!("`{}` cannot be used: {error}", path.display()),
            help: Some("it should hold certificates, and a key where one is needed, in PEM form".to_owned()),
        };
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|error| {
                let named = Source::named(&path.to_string_lossy());
                Failure::Text(named, vec![files::unreadable(path, &error)])
            })
        };
        let authorities = match &self.server_ca_file {
            None => Vec::new(),
            Some(path) => Certificate::from_pem_bundle(&read(path)?).map_err(|error| wrong(path, error))?,
        };
        let identity = match &self.client_certificate {
            None => None,
            Some(path) => Some(Identity::from_pem(&read(path)?).map_err(|error| wrong(path, error))?),
        };
        let builder = || {
            let mut builder = reqwest::Client::builder()
                .user_agent(concat!("lowtide/", env!("CARGO_PKG_VERSION")))
                .timeout(ANSWER_MAX)
                .redirect(reqwest::redirect::Policy::none());
            if let Some(identity) = identity.clone() {
                builder = builder.identity(identity);
            }
            if is_loopback { builder.no_proxy() } else { builder }
        };
        builder()
            .tls_certs_merge(authorities.iter().cloned())
            .build()
            .or_else(|_| builder().tls_certs_only(authorities).build())
            .map_err(|error| Failure::World {
                message: format!("no HTTP client can be made: {error}"),
                help: None,
            })
    }
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or("");
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

impl Server {
    /// Reads a page.
    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::GET, path, None::<&()>)
    }

    /// Asks for something.
    pub(super) fn post(&self, path: &str, body: &impl Serialize) -> Result<Value, Failure> {
        self.ask(Method::POST, path, Some(body))
    }

    /// Returns where the sidecar answers.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    fn ask(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<Value, Failure> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let away = |error: &dyn std::error::Error| {
            let innermost = std::iter::successors(Some(error), |error| error.source()).last();
            Failure::World {
                message: format!(
                    "the sidecar at {} does not answer: {}",
                    self.url,
                    innermost.unwrap_or(error)
                ),
                help: Some(
                    "check the address, that it runs, and --server-ca-file where it speaks https".to_owned(),
                ),
            }
        };
        let (status, bytes) = self.runtime.block_on(async {
            let mut response = request.send().await.map_err(|error| away(&error))?;
            let status = response.status();
            let mut bytes = Vec::new();
            while let Some(piece) = response.chunk().await.map_err(|error| away(&error))? {
                bytes.extend_from_slice(&piece);
                if bytes.len() > ANSWER_BYTES_MAX {
                    break;
                }
            }
            Ok::<_, Failure>((status, bytes))
        })?;
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() && !answer.is_null() {
            return Ok(answer);
        }
        let word = |key: &str| answer[key].as_str().map(str::to_owned);
        Err(Failure::World {
            message: word("detail").map_or_else(
                || {
                    format!(
                        "what answers at {} is no sidecar of lowtide (status {status})",
                        self.url
                    )
                },
                |detail| format!("the sidecar refuses: {detail}"),
            ),
            help: word("wayOut"),
        })
    }
}
