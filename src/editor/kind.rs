//! What a text is: by its name, and where many things have such a name by what stands in it.

use std::path::Path;

/// The kinds of text that something can be said of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An autoscale formula.
    Formula,
    /// What an operator wants for a pool.
    Policy,
    /// What the pools of an account share.
    Account,
    /// Samples in, expectations out.
    PolicyTest,
    /// The configuration of the sidecar.
    Config,
}

impl Kind {
    /// Returns what a text is; `None` for what is not ours, such as any other YAML file that an editor opens.
    ///
    /// The language that the editor takes it for decides first: `autoscale-formula`, as in the grammar for editors, is a formula.
    pub fn of(path: &Path, language: &str, text: &str) -> Option<Self> {
        let name = path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        let begins = |key: &str| text.lines().any(|line| line.starts_with(key));
        if language == "autoscale-formula" || ends(&[".formula"]) {
            return Some(Self::Formula);
        }
        if ends(&[".test.yaml", ".test.yml"]) {
            return begins("policy:").then_some(Self::PolicyTest);
        }
        if name == "lowtide.toml" {
            return Some(Self::Config);
        }
        if !ends(&[".yaml", ".yml"]) && language != "yaml" {
            return None;
        }
        if begins("kind: account") {
            return Some(Self::Account);
        }
        // A policy that is begun has one of its keys that nearly nothing else has at the left.
        let is_policy = begins("demand:") || (begins("pool:") && (begins("version:") || begins("bounds:")));
        is_policy.then_some(Self::Policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_ours_is_spoken_of() {
        let of = |name: &str, language: &str, text: &str| Kind::of(Path::new(name), language, text);
        assert_eq!(of("a/b.formula", "plaintext", ""), Some(Kind::Formula));
        assert_eq!(of("Untitled-1", "autoscale-formula", ""), Some(Kind::Formula));
        assert_eq!(of("a.yaml", "yaml", "version: 1\npool: a\n"), Some(Kind::Policy));
        assert_eq!(of("a.yml", "yaml", "demand:\n"), Some(Kind::Policy));
        assert_eq!(
            of("a.yaml", "yaml", "version: 1\nkind: account\n"),
            Some(Kind::Account)
        );
        assert_eq!(
            of("a.test.yaml", "yaml", "policy: a.yaml\n"),
            Some(Kind::PolicyTest)
        );
        assert_eq!(of("lowtide.toml", "toml", ""), Some(Kind::Config));
        assert_eq!(of("deployment.yaml", "yaml", "apiVersion: v1\nkind: Pod\n"), None);
        assert_eq!(of("pipeline.yml", "yaml", "pool: default\nsteps: []\n"), None);
        assert_eq!(of("Cargo.toml", "toml", ""), None);
        assert_eq!(of("other.test.yaml", "yaml", "cases: []\n"), None);
    }
}
