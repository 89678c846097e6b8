//! From a way of authentication and the usual variables to a credential; the variables are handed in.
//!
//! Their names are those that the official clients read: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`,
//! `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_AUTHORITY_HOST`, `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`,
//! `AZURE_POD_IDENTITY_AUTHORITY_HOST`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::shared_key::{Key, KeyError};
use super::{Application, Credential, Endpoint, Fault, Fetch, TokenSource, Tokens};

/// A way of authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Auth {
    /// The first of the others that is spoken of.
    #[default]
    Auto,
    /// The key of the account.
    SharedKey,
    /// The identity of the machine or service that this runs on.
    ManagedIdentity,
    /// A token of another issuer, in the file that `AZURE_FEDERATED_TOKEN_FILE` names.
    WorkloadIdentity,
    /// An application with the secret in `AZURE_CLIENT_SECRET`.
    ClientSecret,
    /// The login of a developer.
    Az,
}

/// What a credential is made of.
pub struct Means<'a> {
    /// Where it is for.
    pub endpoint: &'a Endpoint,
    /// The key of the account, where one is given.
    pub key: Option<&'a str>,
    /// Certificates of authorities that are trusted besides the system's, as PEM.
    pub authorities: Option<&'a [u8]>,
    /// The variables of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// Says why there is no credential; tells no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Something that the way needs is not given.
    #[error("{way} needs {what}")]
    Missing {
        /// The way, as the command line spells it.
        way: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The way to tokens cannot be prepared.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Where the metadata service of every Azure machine answers.
const METADATA_SERVICE: &str = "http://169.254.169.254";

/// Returns the credential of a way.
///
/// # Errors
/// When something is missing or malformed.
pub fn credential(auth: Auth, means: &Means<'_>) -> Result<Credential, CredentialError> {
    let way = if auth == Auth::Auto {
        means.first_way()
    } else {
        auth
    };
    if way == Auth::SharedKey {
        let key = means.key.ok_or(CredentialError::Missing {
            way: "sharedKey",
            what: "the account key: --account-key, or AZURE_BATCH_ACCESS_KEY",
        })?;
        return Ok(Credential::SharedKey(Key::parse(key)?));
    }
    let source = means.source(way)?;
    let fetch = Fetch::new(means.endpoint, means.authorities)?;
    Ok(Credential::Tokens(Arc::new(Tokens::new(source, fetch))))
}

/// Returns the tokens of the identity that the variables speak of, for another resource than the Batch service.
///
/// # Errors
/// When something is missing or malformed.
pub fn tokens_for(resource: &str, means: &Means<'_>) -> Result<Tokens, CredentialError> {
    let way = match means.first_way() {
        // A key is that of an account, and opens nothing else.
        Auth::SharedKey => Auth::ManagedIdentity,
        way => way,
    };
    let fetch = Fetch::for_resource(resource, means.authorities)?;
    Ok(Tokens::new(means.source(way)?, fetch))
}

impl Means<'_> {
    /// Returns where the tokens of a way come from.
    fn source(&self, way: Auth) -> Result<TokenSource, CredentialError> {
        Ok(match way {
            Auth::WorkloadIdentity => TokenSource::Federated {
                application: self.application("workloadIdentity")?,
                file: self
                    .get("AZURE_FEDERATED_TOKEN_FILE")
                    .ok_or(CredentialError::Missing {
                        way: "workloadIdentity",
                        what: "AZURE_FEDERATED_TOKEN_FILE",
                    })?
                    .into(),
            },
            Auth::ClientSecret => TokenSource::ClientSecret {
                application: self.application("clientSecret")?,
                secret: self
                    .get("AZURE_CLIENT_SECRET")
                    .ok_or(CredentialError::Missing {
                        way: "clientSecret",
                        what: "AZURE_CLIENT_SECRET",
                    })?
                    .into(),
            },
            Auth::Az => TokenSource::AzureCli {
                program: self.az().unwrap_or_else(|| "az".into()),
                tenant: self.get("AZURE_TENANT_ID"),
            },
            Auth::ManagedIdentity | Auth::Auto | Auth::SharedKey => self.managed_identity(),
        })
    }

    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.get(name).is_some())
    }

    fn first_way(&self) -> Auth {
        if self.key.is_some() {
            Auth::SharedKey
        } else if self.has(&["AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"]) {
            Auth::WorkloadIdentity
        } else if self.has(&["AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"]) {
            Auth::ClientSecret
        } else if self.has(&["IDENTITY_ENDPOINT", "IDENTITY_HEADER"])
            || self.has(&["AZURE_POD_IDENTITY_AUTHORITY_HOST"])
        {
            Auth::ManagedIdentity
        } else if self.az().is_some() {
            Auth::Az
        } else {
            Auth::ManagedIdentity
        }
    }

    fn managed_identity(&self) -> TokenSource {
        let client_id = self.get("AZURE_CLIENT_ID");
        match (self.get("IDENTITY_ENDPOINT"), self.get("IDENTITY_HEADER")) {
            (Some(endpoint), Some(header)) => TokenSource::AppService {
                endpoint,
                header: header.into(),
                client_id,
            },
            _ => TokenSource::Machine {
                authority: self
                    .get("AZURE_POD_IDENTITY_AUTHORITY_HOST")
                    .unwrap_or_else(|| METADATA_SERVICE.to_owned()),
                client_id,
            },
        }
    }

    fn application(&self, way: &'static str) -> Result<Application, CredentialError> {
        let missing = |what| CredentialError::Missing { way, what };
        Ok(Application {
            authority: self
                .get("AZURE_AUTHORITY_HOST")
                .unwrap_or_else(|| authority_of(self.endpoint).to_owned()),
            tenant: self.get("AZURE_TENANT_ID").ok_or(missing("AZURE_TENANT_ID"))?,
            client_id: self.get("AZURE_CLIENT_ID").ok_or(missing("AZURE_CLIENT_ID"))?,
        })
    }

    /// Looks for `az` where programs are looked for.
    fn az(&self) -> Option<PathBuf> {
        let name = if cfg!(windows) { "az.cmd" } else { "az" };
        let paths = self.get("PATH")?;
        std::env::split_paths(&paths)
            .map(|folder| folder.join(name))
            .find(|program| Path::is_file(program))
    }
}

/// Returns who gives tokens in the cloud of an endpoint.
fn authority_of(endpoint: &Endpoint) -> &'static str {
    let host = endpoint.host();
    if host.ends_with(".usgovcloudapi.net") {
        "https://login.microsoftonline.us"
    } else if host.ends_with(".chinacloudapi.cn") {
        "https://login.chinacloudapi.cn"
    } else {
        "https://login.microsoftonline.com"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(key: Option<&str>, variables: &[(&str, &str)]) -> Result<String, String> {
        let endpoint = "https://acme.westeurope.batch.azure.com".parse().unwrap();
        let variable = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let means = Means {
            endpoint: &endpoint,
            key,
            authorities: None,
            variable: &variable,
        };
        credential(Auth::Auto, &means)
            .map(|credential| format!("{credential:?}"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_way_that_the_variables_speak_of_is_taken() {
        let application = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")];
        let with = |more: &[(&'static str, &'static str)]| [&application, more].concat();
        for (key, variables, expected) in [
            (
                Some("aGFsbG8="),
                with(&[("AZURE_CLIENT_SECRET", "s")]),
                "Key([REDACTED])",
            ),
            (
                None,
                with(&[("AZURE_CLIENT_SECRET", "s")]),
                "Tokens(the client secret)",
            ),
            (
                None,
                with(&[("AZURE_FEDERATED_TOKEN_FILE", "/f"), ("AZURE_CLIENT_SECRET", "s")]),
                "Tokens(workload identity federation)",
            ),
            (
                None,
                vec![("IDENTITY_ENDPOINT", "http://h/t"), ("IDENTITY_HEADER", "h")],
                "Tokens(the service's managed identity)",
            ),
            (
                None,
                with(&[("AZURE_CLIENT_SECRET", "")]),
                "Tokens(the machine's managed identity)",
            ),
        ] {
            assert_eq!(way(key, &variables).unwrap(), expected, "{variables:?}");
        }
        assert_eq!(
            way(Some("no base64"), &[]).unwrap_err(),
            KeyError::NotBase64.to_string()
        );
    }
}
