//! `lowtide doctor`: what is wrong with an account and with what steers it, why that matters, and the way out.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::account_options::{AccountOptions, failure, runtime};
use super::configured::Configured;
use super::exit::{Exit, Failure};
use super::options::{Output, OutputOption};
use super::render::visible;
use super::terminal::{Paint, Terminal};
use super::{policies, wrap};
use crate::account::PoolPattern;
use crate::base::Span;
use crate::doctor::{
    Ends, Examined, Expiring, Finding, Outcome, Report, ends_of_certificates, ends_of_sas, ends_of_token,
    examine, minimal_role,
};

/// Examine a Batch account: who we are to it, what we may do, clocks, quotas, stuck pools, useless nodes, what ends soon
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It only reads. What cannot be looked at is told as unknown and never taken for healthy.
Exit codes: 0 all is well, 1 the account does not answer, 3 warnings, 4 errors.")]
pub(super) struct Doctor {
    /// Only this pool, or those that match a pattern such as `genomics-*`
    #[arg(value_name = "POOL")]
    pool: Option<PoolPattern>,
    /// The configuration of a sidecar: its account in place of the options below, its policies, and the certificates it names
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Policies, or directories with *.yaml files, to compare with the pools and their quotas
    #[arg(long, value_name = "POLICY", num_args = 1..)]
    policies: Vec<PathBuf>,
    /// Certificates whose end is looked at (PEM)
    #[arg(long, value_name = "FILE")]
    certificate: Vec<PathBuf>,
    /// Files with a shared access signature, or an address that has one, whose end is looked at
    #[arg(long, value_name = "FILE")]
    sas: Vec<PathBuf>,
    /// Files with a token that says when it ends
    #[arg(long, value_name = "FILE")]
    token_file: Vec<PathBuf>,
    /// Print the least role that lowtide works with, as `az role definition create` takes it, and ask nothing
    #[arg(long)]
    role: bool,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    account: AccountOptions,
}

/// Certificates are renewed a month before they end by those who renew them by themselves; three weeks leave time to notice
/// that they did not.
const NOTICE_OF_CERTIFICATE: Span = Span::days(21);
/// Somebody has to make a signature anew by hand.
const NOTICE_OF_SIGNATURE: Span = Span::days(7);
/// Whoever keeps a token fresh does it well before this.
const NOTICE_OF_TOKEN: Span = Span::minutes(10);

impl Doctor {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        if self.role {
            terminal.json(&minimal_role(self.account.named().unwrap_or("ACCOUNT")))?;
            return Ok(Exit::Success);
        }
        let configured = self.config.as_deref().map(Configured::read).transpose()?;
        let read = match &configured {
            _ if !self.policies.is_empty() => Some(policies::read_all(&self.policies)?),
            Some(configured) => Some(configured.policies()?.1),
            None => None,
        };
        let (client, runtime) = match &configured {
            Some(configured) => (configured.client()?, runtime()?),
            None => self.account.client_and_runtime()?,
        };
        let certificates = configured.map_or_else(Vec::new, |configured| configured.certificates());
        let expiring = self.expiring(&certificates);
        let examined = Examined {
            client: &client,
            pools: self.pool.as_ref(),
            policies: read.as_ref(),
            expiring: &expiring,
        };
        let report = runtime
            .block_on(examine(&examined))
            .map_err(|fault| failure(&fault))?;
        match self.output.output {
            Output::Json => terminal.json(&report)?,
            Output::Text => print(&report, terminal)?,
        }
        Ok(match report.worst() {
            Some(Outcome::Error) => Exit::Failed,
            Some(Outcome::Warning) => Exit::Warnings,
            _ => Exit::Success,
        })
    }

    fn expiring(&self, configured: &[PathBuf]) -> Vec<Expiring> {
        let read = |path: &Path, ends: fn(&[u8]) -> Ends| match std::fs::read(path) {
            Ok(bytes) => ends(&bytes),
            Err(error) => Ends::Unreadable(error.to_string()),
        };
        let certificates = self.certificate.iter().chain(configured).map(|path| Expiring {
            what: format!("the certificate in {}", path.display()),
            ends: read(path, ends_of_certificates),
            renewal: "have a new one issued and put it in its place; the sidecar takes it at the next reload",
            notice: NOTICE_OF_CERTIFICATE,
        });
        let signatures = self.sas.iter().map(|path| Expiring {
            what: format!("the signature in {}", path.display()),
            ends: read(path, |bytes| ends_of_sas(&String::from_utf8_lossy(bytes))),
            renewal: "make a new one (`az storage queue generate-sas`), or use an identity, which needs none",
            notice: NOTICE_OF_SIGNATURE,
        });
        let tokens = self.token_file.iter().map(|path| Expiring {
            what: format!("the token in {}", path.display()),
            ends: read(path, |bytes| ends_of_token(&String::from_utf8_lossy(bytes))),
            renewal: "see to what keeps the file fresh (the projected volume of the pod, the agent of the machine)",
            notice: NOTICE_OF_TOKEN,
        });
        certificates.chain(signatures).chain(tokens).collect()
    }
}

/// The widest word for an outcome.
const OUTCOME_COLUMNS: usize = 9;
/// The widest name of a check.
const NAME_COLUMNS: usize = 13;

fn style(outcome: Outcome) -> anstyle::Style {
    match outcome {
        Outcome::Ok => Paint::GOOD,
        Outcome::Note | Outcome::Unknown => Paint::ASIDE,
        Outcome::Warning => Paint::CARE,
        Outcome::Error => Paint::BAD,
    }
}

fn print(report: &Report, terminal: &mut Terminal) -> io::Result<()> {
    let (paint, width) = (terminal.paint(), terminal.width());
    let out = terminal.out();
    writeln!(
        out,
        "{} at {}\n",
        paint.on(Paint::HEADING, format!("account {}", visible(&report.account))),
        report.endpoint
    )?;
    for check in &report.checks {
        let outcome = paint.on(
            style(check.outcome),
            format!("{:<OUTCOME_COLUMNS$}", check.outcome.word()),
        );
        let indent = 2 + OUTCOME_COLUMNS + NAME_COLUMNS;
        let told = wrap::hanging(&visible(&check.told), indent, width);
        writeln!(out, "  {outcome}{:<NAME_COLUMNS$}{told}", check.name)?;
    }
    for finding in &report.findings {
        out.write_all(paragraph(finding, paint, width).as_bytes())?;
    }
    let words = match report.worst() {
        None => paint.on(Paint::GOOD, "nothing is wrong"),
        Some(_) => counts(report),
    };
    writeln!(out, "\n{words}")
}

fn paragraph(finding: &Finding, paint: Paint, width: usize) -> String {
    let pool = finding
        .pool
        .as_ref()
        .map_or(String::new(), |pool| format!("pool {}: ", visible(pool)));
    let head = format!("{}[{}]", finding.severity.word(), finding.code);
    let indent = 2 + "way out  ".len();
    let line = |word: &str, text: &str| {
        let text = wrap::hanging(&visible(text), indent, width);
        format!("  {}{text}\n", paint.on(Paint::ASIDE, format!("{word:<9}")))
    };
    let title = wrap::hanging(&format!("{head} {pool}{}", visible(&finding.what)), 2, width);
    let title = title.strip_prefix(&head).unwrap_or(&title);
    format!(
        "\n{}{}\n{}{}",
        paint.on(style(finding.severity), &head),
        paint.on(Paint::HEADING, title),
        line("why", &finding.why),
        line("way out", &finding.way_out)
    )
}

fn counts(report: &Report) -> String {
    let count = |severity: Outcome, word: &str| {
        let n = report
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count();
        match n {
            0 => None,
            1 => Some(format!("1 {word}")),
            n => Some(format!("{n} {word}s")),
        }
    };
    let counted = [
        count(Outcome::Error, "error"),
        count(Outcome::Warning, "warning"),
        count(Outcome::Note, "note"),
    ];
    counted.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
