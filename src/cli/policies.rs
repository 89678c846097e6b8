//! Reading policies together with the formula files that they name.

use std::path::{Path, PathBuf};

use super::exit::{Failure, Source};
use super::files;
use crate::base::Diagnostic;
use crate::editor::{Open, TextFindings};
use crate::policy::{self, AccountPolicy, Findings, Policies, Policy};
use crate::sim::sweep::Setting;
use crate::world::is_policy;

/// A policy file as far as it could be read, and everything that was found.
pub(super) struct PolicyText {
    /// The policy, unless there are errors.
    pub(super) policy: Option<Policy>,
    /// The policy file and the formula files with findings, each with its own.
    pub(super) texts: Vec<(Source, Vec<Diagnostic>)>,
}

/// Reads one policy and the formulas that it names.
pub(super) fn read(path: &Path) -> Result<PolicyText, Failure> {
    Ok(understand(path, &name(path), files::read(path)?))
}

/// Says everything of a policy as it stands in an editor, with the formula files that it names, open or not.
pub(super) fn understand_open(path: &Path, text: &str, open: &Open) -> Vec<TextFindings> {
    let source = Source::new(&path.display().to_string(), text.to_owned());
    let load = |file: &Path| {
        open.text(file)
            .map_or_else(|| load(file), |text| Ok(text.to_owned()))
    };
    let mut said = understand_with(path, &name(path), source, &load);
    lint(path, &mut said);
    let texts = said.texts.into_iter();
    texts
        .map(|(source, diagnostics)| TextFindings {
            path: PathBuf::from(source.name),
            text: source.text,
            diagnostics,
        })
        .collect()
}

fn understand(path: &Path, name: &str, source: Source) -> PolicyText {
    understand_with(path, name, source, &load)
}

fn understand_with(
    path: &Path,
    name: &str,
    source: Source,
    load: &dyn Fn(&Path) -> Result<String, String>,
) -> PolicyText {
    if policy::is_account(&source.text) {
        let (_, faults) = policy::read_account(name, &source.text);
        return PolicyText {
            policy: None,
            texts: vec![(source, faults)],
        };
    }
    let (policy, findings) = policy::read(name, &source.text, &mut |file| load(&beside(path, file)));
    let mut texts = vec![(source, Vec::new())];
    gather(path, findings, &mut texts);
    PolicyText { policy, texts }
}

/// Reads one policy with each of some settings; it must be whole as it stands.
///
/// # Errors
/// The first setting with which it cannot be used, and why.
pub(super) fn read_settings(path: &Path, settings: &[Setting]) -> Result<Vec<Policy>, Failure> {
    let source = files::read(path)?;
    if policy::is_account(&source.text) {
        // A backtest is of one pool, which shares nothing.
        return Ok(Vec::new());
    }
    let read = |setting: &Setting| {
        let name = format!("{} {setting}", name(path));
        let text = setting
            .apply(&source.text)
            .map_err(|error| Failure::Usage(format!("{}: {error}", source.name)))?;
        let changed = Source::new(&format!("{} with {setting}", source.name), text);
        let PolicyText { policy, texts } = understand(path, name.trim_end(), changed);
        policy.ok_or(Failure::Texts(texts))
    };
    settings.iter().map(read).collect()
}

/// Returns the path of a file that a policy names.
pub(super) fn beside(policy: &Path, file: &str) -> PathBuf {
    policy.parent().unwrap_or(Path::new("")).join(file)
}

/// Adds what is likely not meant in a policy's formulas.
pub(super) fn lint(path: &Path, text: &mut PolicyText) {
    if let (Some(policy), Some((source, _))) = (&text.policy, text.texts.first()) {
        let findings = policy::lint(policy, &source.text);
        gather(path, findings, &mut text.texts);
    }
}

/// Puts findings to the texts that they are about.
fn gather(path: &Path, findings: Findings, texts: &mut Vec<(Source, Vec<Diagnostic>)>) {
    texts[0].1.extend(findings.policy);
    for file in findings.files {
        let name = beside(path, &file.file).display().to_string();
        match texts.iter_mut().find(|(source, _)| source.name == name) {
            Some((_, diagnostics)) => diagnostics.extend(file.diagnostics),
            None => texts.push((Source::new(&name, file.source.to_string()), file.diagnostics)),
        }
    }
    for (_, diagnostics) in texts {
        diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.code));
    }
}

/// Reads policies to act on, and what their pools share; warnings are for `check`.
///
/// # Errors
/// Every fault of all of them at once.
pub(super) fn read_all(paths: &[PathBuf]) -> Result<Policies, Failure> {
    let mut policies = Vec::new();
    let mut account: Option<(String, AccountPolicy)> = None;
    let mut faulty = Vec::new();
    for path in files::expand(paths, is_policy)? {
        let source = match files::read(&path) {
            Ok(source) => source,
            Err(Failure::Text(source, faults)) => {
                faulty.push((source, faults));
                continue;
            }
            Err(failure) => return Err(failure),
        };
        if policy::is_account(&source.text) {
            match (policy::read_account(&name(&path), &source.text), &account) {
                ((Some(_), _), Some((first, _))) => {
                    let message = format!(
                        "`{first}` and `{}` both say what pools share; name one",
                        source.name
                    );
                    return Err(Failure::Usage(message));
                }
                ((Some(read), _), None) => account = Some((source.name, read)),
                ((None, faults), _) => faulty.push((source, faults)),
            }
            continue;
        }
        match understand(&path, &name(&path), source) {
            PolicyText {
                policy: Some(policy), ..
            } => policies.push(policy),
            PolicyText { texts, .. } => faulty.extend(texts),
        }
    }
    if faulty.is_empty() {
        let account = account.map(|(_, account)| account);
        Ok(Policies { policies, account })
    } else {
        Err(Failure::Texts(faulty))
    }
}

/// A policy's name: the file's without folder and ending.
pub(super) fn name(path: &Path) -> String {
    path.file_stem().map_or_else(
        || path.display().to_string(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

/// Reads a file that another names.
pub(super) fn load(path: &Path) -> Result<String, String> {
    match files::read(path) {
        Ok(source) => Ok(source.text),
        Err(Failure::Text(_, faults)) => Err(faults.into_iter().map(|fault| fault.message).collect()),
        Err(_) => Err("it is no file".to_owned()),
    }
}
