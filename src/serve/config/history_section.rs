//! Where the past is that the ledger no longer has, as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::source::{PassFile, PrometheusFile};

/// The Prometheus that scrapes this sidecar: pages take the past from it that the ledger no longer has.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HistorySection {
    /// Where it answers, with the path before `/api/v1`.
    pub prometheus: String,
    /// The labels that its series have beside those of the sidecar, where it scrapes several: `{ job = "lowtide-west" }`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Whether all of the past is taken from there, and not only what the ledger no longer has.
    #[serde(default)]
    pub all: bool,
    /// What lets us in.
    #[serde(flatten)]
    pub pass: PassFile,
}

/// Labels that the sidecar gives its series itself.
const OWN_LABELS: [&str; 4] = ["pool", "class", "stage", "state"];

impl HistorySection {
    /// Returns the server, as sources of signals name one.
    pub fn server(&self) -> PrometheusFile {
        PrometheusFile {
            url: self.prometheus.clone(),
            pass: self.pass.clone(),
            history: BTreeMap::new(),
        }
    }

    /// Returns what cannot be meant: the key, what is wrong with it, and a way out.
    pub(super) fn complaints(&self) -> Vec<(&'static str, String, &'static str)> {
        let server = self.server();
        let mut found = Vec::new();
        if let Some(why) = server.url_fault() {
            let message = format!("`{}` is no URL of a Prometheus: {why}", self.prometheus);
            found.push((
                "prometheus",
                message,
                "write it like https://host/path, without a secret in it",
            ));
        }
        for (what, help) in self.pass.contradictions() {
            found.push(("prometheus", format!("it has {what}"), help));
        }
        for name in self.labels.keys() {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let is_name = name.starts_with(|c: char| !c.is_ascii_digit()) && name.chars().all(fits);
            if !is_name {
                let message = format!("`{name}` is no name of a label");
                found.push(("labels", message, "take letters, digits and _"));
            } else if OWN_LABELS.contains(&name.as_str()) {
                let message = format!("the sidecar gives `{name}` itself");
                found.push(("labels", message, "name labels that the server adds, such as job"));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::serve::config::Config;

    fn faults(history: &str) -> Vec<String> {
        let text = format!(
            "version = 1\n[account]\nendpoint = \"https://acme.westeurope.batch.azure.com\"\n[policies]\nfolder = \"policies\"\n\
             [history]\n{history}\n"
        );
        let read = Config::parse(&text, Path::new("."));
        let faults = read.err().unwrap_or_default();
        faults.iter().map(|fault| fault.message.clone()).collect()
    }

    #[test]
    fn what_cannot_be_meant_is_told_at_once() {
        assert_eq!(
            faults("prometheus = \"http://127.0.0.1:9090\"\nlabels = { job = \"west\" }"),
            [""; 0]
        );
        let wrong = faults(
            "prometheus = \"prometheus:9090\"\nuser = \"ada\"\nscope = \"https://monitor\"\nlabels = { pool = \"a\", \"a-b\" = \"c\" }",
        );
        assert_eq!(wrong.len(), 5, "{wrong:?}");
        for part in [
            "is no URL",
            "several of token",
            "without the other",
            "gives `pool` itself",
            "`a-b` is no name",
        ] {
            assert!(
                wrong.iter().any(|fault| fault.contains(part)),
                "{part}: {wrong:?}"
            );
        }
    }
}
