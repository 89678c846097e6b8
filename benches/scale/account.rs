//! The large account, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lowtide::base::Timestamp;
use lowtide::emulator::asked::Asked as Request;
use lowtide::emulator::{Account, Desk, Setup};

use super::Asked;

/// The variable that asks this program to fill an account and write it to a file, and to do nothing else.
pub(crate) const FILLS: &str = "LOWTIDE_SCALE_FILLS";

/// As large as it needs to be, and quick with nodes.
const SCENARIO: &str = "version: 1
account: { dedicatedCores: 1000000, spotCores: 1000000, pools: 100000, activeJobs: 100000 }
";

/// A local account that answers over loopback; it ends with this value.
pub(crate) struct Emulated {
    process: Child,
    pub(crate) url: String,
    /// What time it was there when it opened.
    pub(crate) now: Timestamp,
}

fn opened() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000)
}

fn ask(desk: &mut Desk, path: &str, body: &str) {
    let asked = Request {
        method: "POST".parse().expect("a verb"),
        base: "http://localhost".to_owned(),
        path: path.to_owned(),
        query: vec![("api-version".to_owned(), "2025-06-01".to_owned())],
        ..Request::default()
    };
    let answer = desk.answer(&asked, body.as_bytes());
    assert!(answer.is_ok(), "{path}: {answer:?}");
}

/// Makes the pools, the jobs and their tasks, and writes the account down.
pub(crate) fn fill(path: &Path, asked: &Asked) {
    let mut desk = Desk::new(Setup {
        account: Account {
            pools_max: u32::MAX,
            jobs_max: u32::MAX,
            dedicated_cores: u32::MAX,
            ..Account::default()
        },
        ..Setup::at(opened())
    });
    let name = |pool: usize| {
        let kind = if pool % 5 == 4 { "turn" } else { "flow" };
        format!("{kind}-{pool:04}")
    };
    for pool in 0..asked.pools {
        let body = format!(
            "{{\"id\":\"{}\",\"vmSize\":\"standard_d4s_v5\",\"taskSlotsPerNode\":4,\"targetDedicatedNodes\":2}}",
            name(pool)
        );
        ask(&mut desk, "/pools", &body);
    }
    for job in 0..asked.jobs {
        let pool = name(job % asked.pools);
        ask(
            &mut desk,
            "/jobs",
            &format!("{{\"id\":\"job-{job:05}\",\"poolInfo\":{{\"poolId\":\"{pool}\"}}}}"),
        );
        let numbers: Vec<usize> = (0..asked.tasks).collect();
        for chunk in numbers.chunks(100) {
            // From half an hour to two hours, so that something ends at each look.
            let tasks: Vec<String> = chunk
                .iter()
                .map(|task| {
                    let seconds = 1_800 + (job * 7_919 + task * 104_729) % 5_400;
                    format!(
                        "{{\"id\":\"task-{task:05}\",\"commandLine\":\"/bin/bash -c 'sleep {seconds}'\"}}"
                    )
                })
                .collect();
            let body = format!("{{\"value\":[{}]}}", tasks.join(","));
            ask(&mut desk, &format!("/jobs/job-{job:05}/addtaskcollection"), &body);
        }
    }
    std::fs::write(path, desk.state()).expect("the account can be written");
}

/// Returns a command that runs on the second core, where there is a way to say so.
fn elsewhere(program: &str) -> Command {
    if has_taskset() {
        let mut command = Command::new("taskset");
        command.args(["-c", "1", program]);
        return command;
    }
    Command::new(program)
}

fn has_taskset() -> bool {
    let tried = Command::new("taskset").args(["-c", "1", "true"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Binds this process to the first core, and says whether it is.
pub(crate) fn pin() -> &'static str {
    let id = std::process::id().to_string();
    let bound = Command::new("taskset")
        .args(["-a", "-c", "-p", "0", &id])
        .output();
    match bound {
        Ok(output) if output.status.success() && has_taskset() => "on one core, the account on another",
        _ => "on any core: there is no `taskset`, or no second core",
    }
}

impl Emulated {
    /// Fills an account and lets it answer.
    pub(crate) fn open(folder: &Path, asked: &Asked) -> Self {
        let (state, scenario) = (folder.join("state.json"), folder.join("scenario.yaml"));
        std::fs::write(&scenario, SCENARIO).expect("a scenario can be written");
        let this = std::env::current_exe().expect("this program is a file");
        // In a process of its own, so that its memory is not taken for the sidecar's.
        let filled = Command::new(this).env(FILLS, &state).status();
        assert!(
            filled.is_ok_and(|status| status.success()),
            "the account is filled"
        );
        let mut process = elsewhere(env!("CARGO_BIN_EXE_lowtide"))
            .arg("emulate")
            .arg("--scenario")
            .arg(&scenario)
            .arg("--state")
            .arg(&state)
            .args(["--listen", "127.0.0.1:0", "-o", "json", "--speed"])
            .arg(asked.speed.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("lowtide runs");
        let output = process.stdout.take().expect("its output is read");
        let mut said = BufReader::new(output).lines().map_while(Result::ok);
        let url = said.find_map(|line| {
            let (_, rest) = line.split_once("\"http\": \"")?;
            Some(rest.split('"').next()?.to_owned())
        });
        Self {
            process,
            url: url.expect("it says where it listens"),
            now: opened(),
        }
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
