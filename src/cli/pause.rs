//! `lowtide pause` and `lowtide resume`: pools that are left alone for a while, and that are not any more.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::exit::{Exit, Failure};
use super::options::{Output, OutputOption};
use super::render::visible;
use super::server_options::ServerOptions;
use super::terminal::{Paint, Terminal};
use super::wiring;
use crate::account::{Halt, HaltScope, PoolPattern};
use crate::base::{Span, Timestamp};
use crate::serve::http::allow;
use crate::store::{KeptHalt, Place, Store, StoreError, StoreSettings};

/// Leave pools alone for a while or until they are resumed: nodes are neither added nor taken away
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A pause is kept in the ledger and survives restarts. What is under way goes on; orders that would
follow are held with the reason given here.")]
pub(super) struct Pause {
    /// The pool, or a pattern such as `genomics-*`
    #[arg(value_name = "POOL")]
    pools: PoolPattern,
    #[command(flatten)]
    scope: ScopeOption,
    /// For how long, such as 2h; until it is resumed when left out
    #[arg(long = "for", value_name = "TIME")]
    lasts: Option<Span>,
    /// Why, for those who wonder later
    #[arg(long, value_name = "SENTENCE", default_value = "", hide_default_value = true)]
    why: String,
    #[command(flatten)]
    to: To,
    #[command(flatten)]
    output: OutputOption,
}

/// End the pauses of pools
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Pauses end that were made for exactly what is named here: one of `genomics-*` goes on when
genomics-main alone is resumed. They are everybody's unless --by names one who paused.")]
pub(super) struct Resume {
    /// The pool, or the pattern that was paused
    #[arg(value_name = "POOL")]
    pools: PoolPattern,
    #[command(flatten)]
    scope: ScopeOption,
    /// Only the pause that this person made, by the name that is told of it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    to: To,
    #[command(flatten)]
    output: OutputOption,
}

/// What a pause forbids.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct ScopeOption {
    /// Taking nodes away
    #[arg(long = "in")]
    inward: bool,
    /// Adding nodes
    #[arg(long = "out")]
    outward: bool,
    /// Both, which is usual
    #[arg(long = "all")]
    both: bool,
}

/// Who is told.
#[derive(Debug, clap::Args)]
struct To {
    #[command(flatten)]
    server: ServerOptions,
    /// The ledger itself, in the place of a running sidecar, which sees it at its next look
    #[arg(long, value_name = "FILE")]
    ledger: Option<String>,
}

impl ScopeOption {
    const fn scope(&self) -> Option<HaltScope> {
        match (self.inward, self.outward, self.both) {
            (true, ..) => Some(HaltScope::In),
            (_, true, _) => Some(HaltScope::Out),
            (.., true) => Some(HaltScope::All),
            _ => None,
        }
    }
}

impl Pause {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        if self.lasts.is_some_and(|lasts| lasts <= Span::seconds(0)) {
            return Err(Failure::Usage(
                "a pause lasts longer than nothing: write --for 2h".to_owned(),
            ));
        }
        let scope = self.scope.scope().unwrap_or(HaltScope::All);
        let by = whoami();
        let answer = match &self.to.ledger {
            Some(ledger) => {
                let halt = Halt {
                    scope,
                    until: self.lasts.map(|lasts| wiring::now() + lasts),
                    why: self.why.clone(),
                    by: Some(by),
                };
                let kept = KeptHalt {
                    pools: self.pools.clone(),
                    halt,
                    since: wiring::now(),
                };
                let store = open(ledger)?;
                store.halt(&kept).map_err(|error| failed(&error))?;
                standing(&store, &self.pools)?
            }
            None => {
                let body = json!({
                    "scope": scope,
                    "for": self.lasts.map(Span::in_short),
                    "why": self.why,
                    "by": by,
                });
                self.to
                    .server
                    .connect()?
                    .post(&path(&self.pools, "pause"), &body)?
            }
        };
        tell(&answer, &self.pools, self.output.output, terminal)?;
        Ok(Exit::Success)
    }
}

impl Resume {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let answer = match &self.to.ledger {
            Some(ledger) => {
                let store = open(ledger)?;
                allow(&store, &self.pools, self.scope.scope(), self.by.as_deref())
                    .map_err(|error| failed(&error))?;
                standing(&store, &self.pools)?
            }
            None => {
                let body = json!({ "scope": self.scope.scope(), "by": self.by });
                self.to
                    .server
                    .connect()?
                    .post(&path(&self.pools, "resume"), &body)?
            }
        };
        tell(&answer, &self.pools, self.output.output, terminal)?;
        Ok(Exit::Success)
    }
}

/// Who says it: the user of this machine.
fn whoami() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    user.filter(|user| !user.is_empty())
        .unwrap_or_else(|| "an operator".to_owned())
}

fn path(pools: &PoolPattern, verb: &str) -> String {
    format!("/api/v1/pools/{}/{verb}", pools.as_str().replace('*', "%2A"))
}

fn open(ledger: &str) -> Result<Store, Failure> {
    let place: Place = ledger
        .parse()
        .map_err(|error: StoreError| Failure::Usage(error.to_string()))?;
    Store::open(&StoreSettings::from(place)).map_err(|error| failed(&error))
}

fn failed(error: &StoreError) -> Failure {
    Failure::World {
        message: error.to_string(),
        help: Some("nothing was changed".to_owned()),
    }
}

/// Returns what is halted of what was named, as the sidecar tells it.
fn standing(store: &Store, named: &PoolPattern) -> Result<Value, Failure> {
    let now = wiring::now();
    let halts = store.halts().map_err(|error| failed(&error))?;
    let of_named = halts
        .iter()
        .filter(|kept| kept.pools == *named && kept.halt.holds(now));
    let told = of_named.map(|kept| {
        let mut told = serde_json::to_value(&kept.halt).expect("a halt is made of words");
        told["pool"] = json!(kept.pools.as_str());
        told
    });
    Ok(json!({ "halts": told.collect::<Vec<_>>(), "pools": null }))
}

/// Says what is halted now.
fn tell(answer: &Value, named: &PoolPattern, output: Output, terminal: &mut Terminal) -> io::Result<()> {
    if output == Output::Json {
        return terminal.json(answer);
    }
    let paint = terminal.paint();
    let halts = answer["halts"].as_array().cloned().unwrap_or_default();
    for halt in &halts {
        let line = visible(&halt_text(halt));
        writeln!(terminal.out(), "{}", paint.on(Paint::CARE, line))?;
    }
    if halts.is_empty() {
        writeln!(
            terminal.out(),
            "{}",
            paint.on(Paint::GOOD, format!("{named}: nothing is paused"))
        )?;
    }
    if let Some(pools) = answer["pools"].as_array() {
        let names: Vec<&str> = pools.iter().filter_map(Value::as_str).collect();
        let told = match names.as_slice() {
            [] => "note: no pool that is steered is called so; it counts when there is one\n".to_owned(),
            [one] if *one == named.as_str() => return Ok(()),
            names => format!("note: that is {}\n", names.join(", ")),
        };
        terminal.say(&told)?;
    }
    Ok(())
}

/// Returns a halt in a sentence.
pub(super) fn halt_text(halt: &Value) -> String {
    let word = |key: &str| halt[key].as_str().filter(|word| !word.is_empty());
    let what = match word("scope") {
        Some("in") => "no nodes are taken away",
        Some("out") => "no nodes are added",
        _ => "nothing is ordered",
    };
    let until = word("until").and_then(|until| until.parse::<Timestamp>().ok());
    let until = until.map_or("until it is resumed".to_owned(), |until| {
        let left = until.since(wiring::now());
        let left = if left.is_negative() {
            String::new()
        } else {
            format!(" (in {})", Span::seconds(left.as_seconds() as i64).in_short())
        };
        format!("until {}{left}", until.to_utc().format("%Y-%m-%d %H:%M UTC"))
    });
    let why = word("why").map_or(String::new(), |why| format!(": {why}"));
    let by = word("by").map_or(String::new(), |by| format!(" (by {by})"));
    format!("{}: {what} {until}{why}{by}", word("pool").unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_halt_is_told_in_a_sentence() {
        let halt = json!({ "pool": "genomics-*", "scope": "in", "why": "a release runs", "by": "ada" });
        assert_eq!(
            halt_text(&halt),
            "genomics-*: no nodes are taken away until it is resumed: a release runs (by ada)"
        );
        let halt = json!({ "pool": "p", "scope": "all", "until": "2020-01-01T00:00:00Z" });
        assert_eq!(
            halt_text(&halt),
            "p: nothing is ordered until 2020-01-01 00:00 UTC"
        );
    }

    #[test]
    fn a_pattern_stands_encoded_in_a_path() {
        let pools: PoolPattern = "genomics-*".parse().unwrap();
        assert_eq!(path(&pools, "pause"), "/api/v1/pools/genomics-%2A/pause");
    }
}
