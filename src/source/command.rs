//! A command that prints a number: no shell, nothing on its standard input, bounded time and output.

use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::number;
use super::sources_file::CommandFile;
use crate::signal::{Found, Lack};

/// The most that is repeated of what a failed command says.
const SAID_CHARS_MAX: usize = 120;
/// The most that is read of what it says.
const SAID_BYTES_MAX: u64 = 4 << 10;

/// Runs a command for a pool and reads what it prints.
pub(super) async fn run(command: &CommandFile, arguments: &[String]) -> Found {
    let timeout = std::time::Duration::from_secs_f64(command.timeout.as_seconds().max(0.0));
    let fault = |why: String| Found::Lacking(Lack::Fault(why));
    match tokio::time::timeout(timeout, run_to_end(arguments)).await {
        Ok(Ok(found)) => found,
        Ok(Err(why)) => fault(why),
        Err(_) => fault(format!("it did not end within {}", command.timeout.in_short())),
    }
}

async fn run_to_end(arguments: &[String]) -> Result<Found, String> {
    let (program, rest) = arguments.split_first().ok_or("nothing is run")?;
    let mut child = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|why| format!("`{program}` cannot be run: {why}"))?;
    let stdout = child.stdout.take().ok_or("it has no output")?;
    let stderr = child.stderr.take().ok_or("it has no output")?;
    let (out, said) = tokio::try_join!(number_of(stdout), sentence_of(stderr))?;
    let status = child.wait().await.map_err(|why| why.to_string())?;
    if status.success() {
        return Ok(number::read(&out));
    }
    let line = said
        .lines()
        .next()
        .unwrap_or("")
        .chars()
        .filter(|c| !c.is_control());
    let line: String = line.take(SAID_CHARS_MAX).collect();
    let end = status
        .code()
        .map_or_else(|| "a signal".to_owned(), |code| format!("status {code}"));
    Err(if line.is_empty() {
        format!("it ended with {end}")
    } else {
        format!("it ended with {end}: {line}")
    })
}

/// Reads what the command prints; one byte more than is allowed tells that there is more.
async fn number_of(output: impl AsyncRead + Unpin) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let read = output.take(number::BYTES_MAX + 1).read_to_end(&mut out).await;
    read.map_err(|why| format!("its output cannot be read: {why}"))?;
    if out.len() as u64 > number::BYTES_MAX {
        return Err(format!("it prints more than {} bytes", number::BYTES_MAX));
    }
    Ok(out)
}

/// Reads the beginning of what the command says, and lets it say the rest to nobody.
async fn sentence_of(mut output: impl AsyncRead + Unpin) -> Result<String, String> {
    let mut said = Vec::new();
    // What it says matters only when it fails, and then the beginning is enough.
    let _ = (&mut output).take(SAID_BYTES_MAX).read_to_end(&mut said).await;
    let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    async fn ran(timeout: Span, run: &[&str]) -> Found {
        let arguments: Vec<String> = run.iter().map(|part| (*part).to_owned()).collect();
        let command = CommandFile {
            run: arguments.clone(),
            timeout,
        };
        super::run(&command, &arguments).await
    }

    #[tokio::test]
    async fn a_command_has_its_time_its_output_and_no_shell() {
        let second = Span::seconds(10);
        assert_eq!(ran(second, &["echo", "41"]).await, Found::Value(41.0));
        assert_eq!(ran(second, &["echo", ""]).await, Found::Lacking(Lack::Empty));
        // No shell reads the arguments: this is what is printed, and no number.
        assert_eq!(
            ran(second, &["echo", "$((1+1))"]).await,
            Found::Lacking(Lack::NotANumber)
        );
        for (timeout, run, part) in [
            (
                second,
                &["sh", "-c", "echo no licence >&2; exit 3"][..],
                "it ended with status 3: no licence",
            ),
            (second, &["yes"], "it prints more than"),
            (Span::from_seconds(0.1), &["sleep", "60"], "it did not end within"),
            (second, &["lowtide-has-no-such-program"], "cannot be run"),
        ] {
            let found = ran(timeout, run).await;
            let Found::Lacking(Lack::Fault(why)) = &found else {
                panic!("{run:?}: {found:?}")
            };
            assert!(why.contains(part), "{why}");
        }
    }
}
