//! Watches the folder with the policies, and the files with secrets: what the system tells of them, and a look now and then.
//!
//! ```text
//! changed ─► quiet for a moment ─► asks the loop to read again     (an editor or a roll-out writes several times)
//! poll ────► asks the loop to read again                           (network file systems tell nothing)
//! ```
//!
//! Where no text has changed nothing is asked.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::control::Control;
use super::folder::Folder;
use crate::base::Span;

/// Writers that take longer from one file to the next are read twice, which does no harm.
const QUIET: Duration = Duration::from_millis(300);

/// Where something is written all the time, such as a log beside a key, it is not waited for any longer.
const QUIET_AWAITED_MAX: Duration = Duration::from_secs(2);

/// Certificates are a few KiB, keys and tokens less.
const SECRET_BYTES_MAX: u64 = 1 << 20;

/// Watches until it is dropped.
#[derive(Debug)]
pub(super) struct Watcher {
    _told: Option<RecommendedWatcher>,
}

/// What is watched, as it was last looked at.
struct Seen {
    folder: PathBuf,
    files: Vec<PathBuf>,
    texts: (u64, u64),
}

impl Seen {
    /// Looks at it again, and says whether anything has changed.
    fn look(self) -> (Self, bool) {
        let texts = (Folder::texts(&self.folder), print(&self.files));
        let changed = texts != self.texts;
        (Self { texts, ..self }, changed)
    }
}

impl Watcher {
    /// Begins to watch a folder, and some files beside it.
    pub(super) fn begin(
        runtime: &Runtime,
        (folder, files): (&Folder, Vec<PathBuf>),
        poll: Span,
        control: &Control,
    ) -> Self {
        let (changed, heard) = mpsc::channel(1);
        let path = folder.path();
        let told = watch(path, &files, changed.clone());
        if let Err(error) = &told {
            warn!(
                folder = %path.display(), %error,
                "the system does not tell when policies change; they are read every {}", poll.in_short()
            );
        }
        let poll = Duration::from_secs_f64(poll.as_seconds().max(1.0));
        let seen = Seen {
            folder: path.to_owned(),
            texts: (folder.seen(), print(&files)),
            files,
        };
        runtime.spawn(attend(heard, changed, poll, (seen, control.clone())));
        Self { _told: told.ok() }
    }
}

/// Returns what tells whether any of some files has changed; no secret can be told from it.
fn print(files: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let text = std::fs::File::open(file).and_then(|file| {
            let mut text = Vec::new();
            file.take(SECRET_BYTES_MAX).read_to_end(&mut text)?;
            Ok(text)
        });
        text.ok().hash(&mut hasher);
    }
    hasher.finish()
}

fn watch(folder: &Path, files: &[PathBuf], changed: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let is_access = |event: &notify::Event| matches!(event.kind, EventKind::Access(_));
        if event.is_ok_and(|event| !is_access(&event)) {
            // One change that waits is enough to read everything.
            let _ = changed.try_send(());
        }
    })?;
    watcher.watch(folder, RecursiveMode::Recursive)?;
    // Their folders, for a new file takes the place of an old one. One that is not told of is looked at now and then.
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    for folder in folders {
        let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
    }
    Ok(watcher)
}

/// Asks the loop to read again after each change, once nothing changes for a moment, and now and then. It begins with a look of its
/// own: opening a ledger takes a while, and policies that change meanwhile were read before.
async fn attend(
    mut heard: mpsc::Receiver<()>,
    _open: mpsc::Sender<()>,
    poll: Duration,
    (mut seen, control): (Seen, Control),
) {
    let mut wait = Duration::ZERO;
    loop {
        match tokio::time::timeout(wait, heard.recv()).await {
            Ok(None) => return,
            Ok(Some(())) => {
                let quiet = async { while tokio::time::timeout(QUIET, heard.recv()).await.is_ok() {} };
                // It is looked at all the same when it does not become quiet.
                let _ = tokio::time::timeout(QUIET_AWAITED_MAX, quiet).await;
            }
            Err(_) => {}
        }
        let look = tokio::task::spawn_blocking(move || seen.look()).await;
        wait = poll;
        // A folder that cannot be looked at in one piece is no longer watched; signals are heeded still.
        let Ok((now, changed)) = look else { return };
        seen = now;
        if changed {
            debug!("policies or secrets have changed");
            control.reload();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::Stop;

    fn runtime() -> Runtime {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    }

    #[test]
    fn a_change_is_seen_where_something_is_written_all_the_time() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
        std::fs::create_dir(place.path().join("policies")).unwrap();
        write("policies/render.yaml", "one");
        write("key", "one");
        let runtime = runtime();
        let mut folder = Folder::new(place.path().join("policies"));
        folder.read();
        let control = Control::new(Stop::default());
        let key = place.path().join("key");
        let _watcher = Watcher::begin(&runtime, (&folder, vec![key]), Span::hours(1), &control);
        // Its first look comes before the change.
        std::thread::sleep(Duration::from_millis(100));
        write("policies/render.yaml", "two");
        for line in 0..200 {
            write("log", &line.to_string());
            if control.asked().reload {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("a log beside the key keeps it from looking");
    }

    #[test]
    fn what_changed_before_it_watched_is_seen() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("render.yaml");
        std::fs::write(&file, "one").unwrap();
        let runtime = runtime();
        let asked = |changes: bool| {
            let mut folder = Folder::new(place.path().to_owned());
            folder.read();
            if changes {
                std::fs::write(&file, "two").unwrap();
            }
            let control = Control::new(Stop::default());
            let _watcher = Watcher::begin(&runtime, (&folder, Vec::new()), Span::hours(1), &control);
            let tries = if changes { 200 } else { 20 };
            for _ in 0..tries {
                if control.asked().reload {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            control.asked().reload
        };
        assert!(!asked(false), "nothing has changed");
        assert!(asked(true), "it changed while a ledger was opened");
    }
}
