//! One task: what was given, what it does, and how it ended.

use serde::{Deserialize, Serialize};

use crate::base::{Span, Timestamp};

/// The state of a task (`BatchTaskState`); `preparing` passes too quickly to be seen here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TaskState {
    Active,
    Running,
    Completed,
}

impl TaskState {
    /// Returns the word on the wire.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Running => "running",
            Self::Completed => "completed",
        }
    }
}

/// How a run of a task ends, when it is not stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Course {
    /// It takes a while and ends with an exit code.
    Lasts { run: Span, exit_code: i32 },
    /// A real command runs, and tells when it has ended.
    Command,
}

/// Why a task failed (`TaskFailureInformation`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    /// `usererror` or `servererror`.
    pub(super) is_user: bool,
    pub(super) code: String,
    pub(super) message: String,
}

/// A task of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) id: Box<str>,
    /// The request that made it, as compact JSON: a hundred thousand tasks fit in memory so.
    pub(super) given: Box<str>,
    pub(super) slots: u32,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) state: TaskState,
    pub(super) state_since: Timestamp,
    pub(super) before: Option<(TaskState, Timestamp)>,
    pub(super) course: Course,
    /// `maxWallClockTime`.
    pub(super) limit: Option<Span>,
    /// `maxTaskRetryCount`; −1 is without end.
    pub(super) retries_max: i32,
    /// Grows with each run, so that the end of an earlier one is void.
    pub(super) run: u32,
    pub(super) retries: u32,
    pub(super) last_retry: Option<Timestamp>,
    pub(super) requeues: u32,
    pub(super) last_requeue: Option<Timestamp>,
    pub(super) started: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    pub(super) exit_code: Option<i32>,
    pub(super) failure: Option<Box<Failure>>,
    /// Where it runs or last ran: the place and the id of its node.
    pub(super) node: Option<(u32, Box<str>)>,
    /// Tasks that must have succeeded before; none when it depends on nothing.
    pub(super) depends_on: Option<Box<DependsOn>>,
}

/// `dependsOn` of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DependsOn {
    /// Lower-case ids.
    pub(super) ids: Vec<String>,
    /// Ranges of ids that are whole numbers, both ends included.
    pub(super) ranges: Vec<(u32, u32)>,
}

impl Task {
    /// Returns a task of one slot that waits from now on, is not tried again and depends on nothing; `given` is its request.
    pub(super) fn new(id: &str, given: String, course: Course, now: Timestamp) -> Self {
        Self {
            id: id.into(),
            given: given.into(),
            slots: 1,
            created: now,
            modified: now,
            state: TaskState::Active,
            state_since: now,
            before: None,
            course,
            limit: None,
            retries_max: 0,
            run: 0,
            retries: 0,
            last_retry: None,
            requeues: 0,
            last_requeue: None,
            started: None,
            ended: None,
            exit_code: None,
            failure: None,
            node: None,
            depends_on: None,
        }
    }

    /// Says whether it ended well.
    pub(super) fn succeeded(&self) -> bool {
        self.state == TaskState::Completed && self.failure.is_none()
    }

    /// Moves its state.
    pub(super) fn turn(&mut self, state: TaskState, now: Timestamp) {
        self.before = Some((self.state, self.state_since));
        self.state = state;
        self.state_since = now;
    }
}

/// Returns how a task runs by its command line and settings: seconds of `sleep N` and the code of `exit N`, or what the
/// settings `LOWTIDE_RUN_SECONDS` and `LOWTIDE_EXIT_CODE` say, which are stronger.
pub(super) fn read_course(command: &str, settings: &[(String, String)]) -> (Option<Span>, i32) {
    let setting = |name: &str| {
        let found = settings.iter().rev().find(|(other, _)| other == name);
        found.map(|(_, value)| value.trim())
    };
    let run = setting("LOWTIDE_RUN_SECONDS")
        .and_then(seconds)
        .or_else(|| sleeps(command));
    let exit_code = setting("LOWTIDE_EXIT_CODE")
        .and_then(|code| code.parse().ok())
        .or_else(|| number_behind(command, "exit")?.parse().ok())
        .unwrap_or(0);
    (run, exit_code)
}

/// Adds up every `sleep` of a command line, with GNU's units.
fn sleeps(command: &str) -> Option<Span> {
    let mut rest = command;
    let mut whole = None;
    while let Some(number) = number_behind(rest, "sleep") {
        let (number, unit) = match number.strip_suffix(['s', 'm', 'h', 'd']) {
            Some(bare) => (bare, &number[bare.len()..]),
            None => (number, "s"),
        };
        let factor = match unit {
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => 1,
        };
        if let Some(span) = seconds(number) {
            whole = Some(whole.unwrap_or(Span::ZERO) + span * factor);
        }
        let at = rest.find("sleep").map_or(rest.len(), |at| at + "sleep".len());
        rest = &rest[at..];
    }
    whole
}

/// Returns the word behind a command's name, without quotes and separators.
fn number_behind<'a>(command: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = command;
    loop {
        let at = rest.find(name)?;
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        rest = after;
        let is_word = before
            .chars()
            .next_back()
            .is_none_or(|letter| !letter.is_alphanumeric() && letter != '_');
        if !is_word || !after.starts_with(char::is_whitespace) {
            continue;
        }
        let word = after.split_whitespace().next().unwrap_or("");
        let end = word
            .find(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '.' | '-'))
            .unwrap_or(word.len());
        return Some(&word[..end]);
    }
}

/// A task lives 180 days at the most (Batch quotas and limits).
const SECONDS_MAX: f64 = 180.0 * 86_400.0;

fn seconds(text: &str) -> Option<Span> {
    let seconds: f64 = text.parse().ok()?;
    (0.0..=SECONDS_MAX)
        .contains(&seconds)
        .then(|| Span::from_seconds(seconds).whole_milliseconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_tells_how_long_it_runs() {
        for (command, expected) in [
            ("sleep 30", (Some(Span::seconds(30)), 0)),
            ("/bin/bash -c \"sleep 30\"", (Some(Span::seconds(30)), 0)),
            (
                "/bin/sh -c 'sleep 1m; sleep 0.5; exit 3'",
                (Some(Span::from_seconds(60.5)), 3),
            ),
            ("cmd /c exit 1", (None, 1)),
            ("oversleep 9 --exit", (None, 0)),
            ("sleep", (None, 0)),
            ("sleep -4", (None, 0)),
            ("sleep 1e99", (None, 0)),
            ("echo exit 1x", (None, 0)),
            ("", (None, 0)),
        ] {
            assert_eq!(read_course(command, &[]), expected, "{command}");
        }
        let settings = [
            ("LOWTIDE_RUN_SECONDS".to_owned(), "7".to_owned()),
            ("LOWTIDE_EXIT_CODE".to_owned(), "2".to_owned()),
        ];
        assert_eq!(read_course("sleep 30", &settings), (Some(Span::seconds(7)), 2));
    }
}
