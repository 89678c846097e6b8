//! The folder with the policies: read again whenever it may have changed, and a file that cannot be used keeps what it was.
//!
//! ```text
//! file ─ read ─► whole ──► in effect ─┐
//!          └──► faulty ─► what it was before, if it was ever whole ─► in effect
//! ```
//!
//! A file that is gone takes its policy with it; a folder without any policy, or that cannot be read, changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use crate::base::{Code, Diagnostic, Severity};
use crate::policy::{self, AccountPolicy, Policies, Policy};
use crate::world::{files_below, is_policy, policy_hash};

/// No policy and no formula comes near.
const BYTES_MAX: u64 = 16 << 20;

/// The file cannot be read at all; the code of `lowtide check` for the same.
const UNREADABLE: Code = Code("C001");

/// The policies of a folder, as they are in effect.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// What each file last meant, for those that were ever whole.
    whole: BTreeMap<PathBuf, Meaning>,
    /// The policies in effect, by what they mean.
    print: Option<String>,
    /// What it held when it was last read.
    seen: u64,
}

#[derive(Clone, Debug)]
enum Meaning {
    Policy(Box<Policy>, Written),
    Account(Box<AccountPolicy>),
}

/// A policy as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The text of its file.
    pub text: String,
    /// The files with formulas that it names, by the names that it gives them.
    pub files: BTreeMap<String, String>,
}

/// What became of reading a folder again.
#[derive(Debug, Default)]
pub struct Reading {
    /// The policies in effect now; `None` where nothing that was read has changed, or nothing could be.
    pub policies: Option<Policies>,
    /// Everything that is wrong, file by file.
    pub faults: Vec<FaultyText>,
}

/// A text with everything that is wrong with it.
#[derive(Clone, Debug)]
pub struct FaultyText {
    /// The file.
    pub file: String,
    /// What it holds.
    pub text: String,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// A file as it was read just now.
struct Now {
    path: PathBuf,
    meaning: Option<Meaning>,
    faults: Vec<FaultyText>,
}

impl Folder {
    /// Returns a folder that nothing was read of yet.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            whole: BTreeMap::new(),
            print: None,
            seen: 0,
        }
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what tells whether any file has changed since it was last read.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Returns what tells whether any file under a folder has changed: their names and texts.
    pub(super) fn texts(path: &Path) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut paths = Vec::new();
        if let Err((path, error)) = files_below(path, &|_| true, &mut paths) {
            path.hash(&mut hasher);
            error.to_string().hash(&mut hasher);
        }
        for path in paths {
            path.hash(&mut hasher);
            read_text(&path).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Reads the folder and returns what is in effect from now on, unless it is what was in effect before.
    pub fn read(&mut self) -> Reading {
        // Before anything is read, so that what changes meanwhile is seen to have changed.
        self.seen = Self::texts(&self.path);
        let mut paths = Vec::new();
        let found = files_below(&self.path, &is_policy, &mut paths);
        let files: Vec<Now> = paths.iter().map(|path| read_file(path)).collect();
        let mut reading = Reading::default();
        if let Err((path, error)) = found {
            reading.faults.push(unreadable(&path, &error.to_string()));
            return reading;
        }
        if files.is_empty() {
            let why = "there is no policy (*.yaml) in it";
            reading.faults.push(unreadable(&self.path, why));
            return reading;
        }
        let before = std::mem::take(&mut self.whole);
        for file in files {
            reading.faults.extend(file.faults);
            if let Some(meaning) = file.meaning.or_else(|| before.get(&file.path).cloned()) {
                self.whole.insert(file.path, meaning);
            }
        }
        let policies = self.policies(&mut reading.faults);
        if policies.policies.is_empty() {
            // Whoever empties a folder by mistake must not stop what runs.
            self.whole = before;
        } else if self.print.as_ref() != Some(&print(&policies)) {
            self.print = Some(print(&policies));
            reading.policies = Some(policies);
        }
        reading
    }

    /// Returns the policies in effect as they are written, by their names.
    pub fn written(&self) -> BTreeMap<String, Written> {
        let policies = self.whole.values().filter_map(|meaning| match meaning {
            Meaning::Policy(policy, written) => Some((policy.name.to_string(), written.clone())),
            Meaning::Account(_) => None,
        });
        policies.collect()
    }

    /// Returns the policies of all files that are or were whole, in the order of their paths.
    fn policies(&self, faults: &mut Vec<FaultyText>) -> Policies {
        let mut policies = Policies {
            policies: Vec::new(),
            account: None,
        };
        let mut first: Option<&Path> = None;
        for (path, meaning) in &self.whole {
            match (meaning, first) {
                (Meaning::Policy(policy, _), _) => policies.policies.push((**policy).clone()),
                (Meaning::Account(account), None) => {
                    policies.account = Some((**account).clone());
                    first = Some(path);
                }
                (Meaning::Account(_), Some(first)) => {
                    let why = format!(
                        "it says what pools share, as `{}` does, which counts; keep one",
                        first.display()
                    );
                    faults.push(unreadable(path, &why));
                }
            }
        }
        policies
    }
}

impl FaultyText {
    /// Says whether it keeps the file from being used.
    pub fn is_error(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|found| found.severity == Severity::Error)
    }
}

fn read_file(path: &Path) -> Now {
    let faulty = |faults| Now {
        path: path.to_owned(),
        meaning: None,
        faults,
    };
    let text = match read_text(path) {
        Ok(text) => text,
        Err(why) => return faulty(vec![unreadable(path, &why)]),
    };
    let name = path.file_stem().map_or_else(
        || path.display().to_string(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    if policy::is_account(&text) {
        return match policy::read_account(&name, &text) {
            (Some(account), _) => Now {
                path: path.to_owned(),
                meaning: Some(Meaning::Account(Box::new(account))),
                faults: Vec::new(),
            },
            (None, diagnostics) => faulty(vec![FaultyText::of(path, text, diagnostics)]),
        };
    }
    let mut files = BTreeMap::new();
    let (read, findings) = policy::read(&name, &text, &mut |file| {
        let text = read_text(&beside(path, file))?;
        files.insert(file.to_owned(), text.clone());
        Ok(text)
    });
    match read {
        Some(policy) => Now {
            path: path.to_owned(),
            meaning: Some(Meaning::Policy(Box::new(policy), Written { text, files })),
            faults: Vec::new(),
        },
        None => {
            let mut faults = vec![FaultyText::of(path, text, findings.policy)];
            faults.extend(findings.files.into_iter().map(|file| {
                let path = beside(path, &file.file);
                FaultyText::of(&path, file.source.to_string(), file.diagnostics)
            }));
            faults.retain(FaultyText::is_error);
            faulty(faults)
        }
    }
}

impl FaultyText {
    fn of(path: &Path, text: String, diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            file: path.display().to_string(),
            text,
            diagnostics,
        }
    }
}

fn unreadable(path: &Path, why: &str) -> FaultyText {
    let message = format!("`{}` cannot be used: {why}", path.display());
    FaultyText::of(
        path,
        String::new(),
        vec![Diagnostic::error(UNREADABLE, 0..0, message)],
    )
}

/// Returns what policies mean, in short.
fn print(policies: &Policies) -> String {
    let mut print: String = policies.policies.iter().map(policy_hash).collect();
    if let Some(account) = &policies.account {
        let file = serde_json::to_string(&account.to_file()).expect("an account is made of numbers and text");
        print.push_str(&file);
    }
    print
}

fn beside(policy: &Path, file: &str) -> PathBuf {
    policy.parent().unwrap_or(Path::new("")).join(file)
}

fn read_text(path: &Path) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > BYTES_MAX {
        return Err(format!("it is larger than {} MiB", BYTES_MAX >> 20));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned())
}
