//! Real commands of tasks: each runs as a process of this machine until it ends or its task does.
//!
//! Only with `--run-commands`: whoever can reach the account can then run anything as the user that started it.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::Command as Process;
use tokio::sync::oneshot;

use super::service::Service;
use super::{Command, CommandEnd, RunId};

/// The commands that run.
#[derive(Default)]
pub(super) struct Running {
    stops: HashMap<RunId, oneshot::Sender<()>>,
}

impl Running {
    /// Starts and stops commands; the end of each is told to the account.
    pub(super) fn turn(&mut self, service: &Arc<Service>, start: Vec<Command>, stop: &[RunId]) {
        // Those that have ended by themselves listen no more.
        self.stops.retain(|_, stop| !stop.is_closed());
        for command in start {
            let (stop, stopped) = oneshot::channel();
            self.stops.insert(command.run, stop);
            tokio::spawn(run(Arc::clone(service), command, stopped));
        }
        for run in stop {
            self.stops.remove(run);
        }
    }

    /// Stops every command.
    pub(super) fn stop(self) {
        drop(self.stops);
    }
}

/// Runs a command to its end, or until the other side of `stopped` is gone.
async fn run(service: Arc<Service>, command: Command, stopped: oneshot::Receiver<()>) {
    let id = command.run;
    let end = tokio::select! {
        end = finish(&command) => end,
        // The process is killed when its handle is dropped.
        _ = stopped => return,
    };
    service.with(|desk| desk.command_ended(id, end));
    service.woken.notify_one();
}

async fn finish(command: &Command) -> CommandEnd {
    let words = words(&command.line);
    let Some((program, arguments)) = words.split_first() else {
        return CommandEnd::NotRun("the command line is empty".to_owned());
    };
    let settings = command.settings.iter();
    let process = Process::new(program)
        .args(arguments)
        .envs(settings.map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await;
    match process {
        // A process that a signal ended has no code; the service tells -1.
        Ok(status) => CommandEnd::Exited(status.code().unwrap_or(-1)),
        Err(error) => CommandEnd::NotRun(format!("{program}: {error}")),
    }
}

/// Cuts a command line into words: "The command line does not run under a shell", so quotes are all that there is to it.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some('"') | None, '\\') if matches!(letters.peek(), Some('"' | '\\')) => {
                word.get_or_insert_default().extend(letters.next());
            }
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::{Desk, Setup};

    #[test]
    fn a_line_is_cut_at_spaces_that_are_not_quoted() {
        for (line, expected) in [
            ("sleep 30", vec!["sleep", "30"]),
            (
                "/bin/bash -c \"sleep 1; exit 3\"",
                vec!["/bin/bash", "-c", "sleep 1; exit 3"],
            ),
            ("a 'b \"c' \"d \\\" e\" ''", vec!["a", "b \"c", "d \" e", ""]),
            ("  ", vec![]),
            ("x\"y z", vec!["xy z"]),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }

    #[tokio::test]
    async fn a_real_command_ends_its_task_with_its_own_exit_code() {
        let setup = Setup {
            run_commands: true,
            ..Setup::at(crate::base::Timestamp::from_unix_seconds(1_800_000_000))
        };
        let mut desk = Desk::new(setup);
        let mut ask = |line: &str, body: &str| {
            let (method, path) = line.split_once(' ').unwrap();
            let asked = crate::emulator::asked::Asked {
                method: method.parse().unwrap(),
                path: path.to_owned(),
                ..Default::default()
            };
            desk.answer(&asked, body.as_bytes()).unwrap();
        };
        ask(
            "POST /pools",
            r#"{"id": "p", "vmSize": "standard_d2s_v5", "targetDedicatedNodes": 1, "taskSlotsPerNode": 4}"#,
        );
        ask("POST /jobs", r#"{"id": "j", "poolInfo": {"poolId": "p"}}"#);
        ask(
            "POST /jobs/j/tasks",
            r#"{"id": "fails", "commandLine": "/bin/sh -c 'exit 7'"}"#,
        );
        ask(
            "POST /jobs/j/tasks",
            r#"{"id": "none", "commandLine": "/no/such/program"}"#,
        );
        ask(
            "POST /jobs/j/tasks",
            r#"{"id": "long", "commandLine": "sleep 600", "constraints": {"maxWallClockTime": "PT1M"}}"#,
        );
        let start = desk.now();
        desk.advance(start + crate::base::Span::minutes(4));
        let (commands, _) = desk.take_commands();
        assert_eq!(commands.len(), 3);
        for command in commands
            .iter()
            .filter(|command| !command.line.starts_with("sleep"))
        {
            let end = finish(command).await;
            desk.command_ended(command.run, end);
        }
        // The third is stopped by the account: it may not run longer.
        let now = desk.now();
        desk.advance(now + crate::base::Span::minutes(1));
        let (_, stopped) = desk.take_commands();
        assert!(stopped.contains(&commands[2].run));
        let tasks = desk.state();
        for expected in [
            "\"exit_code\":7",
            "CommandProgramNotFound",
            "maximum wall clock time",
        ] {
            assert!(tasks.contains(expected), "{expected}");
        }
    }
}
