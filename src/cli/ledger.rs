//! `lowtide ledger`: what is done with a ledger as a whole.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure, Source};
use super::ledger_option::{BATCH, LedgerOption, each_line, failure, keep, moment, open_to_write, place};
use super::options::{Output, OutputOption};
use super::render::{counted, counted_are, visible};
use super::table_file::TablePath;
use super::terminal::{Paint, Terminal};
use super::{files, ledger_table, wiring};
use crate::account::PoolId;
use crate::base::Timestamp;
use crate::store::report::Stretch;
use crate::store::{Found, Search, Store, StoreSettings};
use crate::world::{EntryKind, Replayed, replay};

/// Search a ledger, check it, and bring it from one database to another
#[derive(Debug, clap::Args)]
pub(super) struct Ledger {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Search(SearchVerb),
    Export(Export),
    Import(Import),
    Verify(Verify),
    Rescue(Rescue),
}

/// Find lines by pool, time, kind, reason and words
#[derive(Debug, clap::Args)]
struct SearchVerb {
    /// Words that its sentences have; one may end in `*`
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// About this pool
    #[arg(long, value_name = "POOL")]
    pool: Option<PoolId>,
    /// From this time on: 2026-11-22T09:00:00Z, or 90m ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// Up to this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,
    /// started, blind, unmatched, account, decided or settled
    #[arg(long, value_name = "KIND")]
    kind: Option<EntryKind>,
    /// With a step for this reason, by its code: cooldown, bounded, observeFailed, …
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// From the oldest to the latest
    #[arg(long)]
    oldest_first: bool,
    /// At most so many lines
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    ledger: LedgerOption,
    #[command(flatten)]
    output: OutputOption,
}

/// Write a ledger as JSON lines, byte for byte, or its decisions as a table
#[derive(Debug, clap::Args)]
struct Export {
    /// Where to; standard output when left out
    #[arg(long, short = 'O', value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write a row for each decision to FILE.csv or FILE.parquet instead, for notebooks
    #[arg(long, value_name = "FILE", value_parser = str::parse::<TablePath>, conflicts_with = "out")]
    table: Option<TablePath>,
    /// About this pool alone; such lines cannot be decided again
    #[arg(long, value_name = "POOL")]
    pool: Option<PoolId>,
    /// From this time on: 2026-11-22T09:00:00Z, or 90m ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// Up to this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,
    #[command(flatten)]
    ledger: LedgerOption,
}

/// Put JSON lines, as `apply` and `ledger export` write them, into a database
#[derive(Debug, clap::Args)]
#[command(after_help = "\
An import that was cut off is taken up where it ended: lines that are there already are passed over.
With --each a line is kept by itself, and its number written to standard output once it is kept.")]
struct Import {
    /// The lines; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[expect(clippy::doc_markdown, reason = "it is the help of a command")]
    /// Where to: a file of SQLite, which is made where there is none, or postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "FILE|URL", env = "LOWTIDE_LEDGER", hide_env_values = true)]
    ledger: String,
    /// Keep and acknowledge each line by itself
    #[arg(long)]
    each: bool,
    /// Add to a ledger that holds other lines already
    #[arg(long)]
    append: bool,
}

/// Decide a ledger again: the same bytes must come out
#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    ledger: LedgerOption,
}

/// Put a damaged ledger file aside as it is, and save what can be read of it in a new one
#[derive(Debug, clap::Args)]
struct Rescue {
    /// The damaged file
    #[arg(value_name = "FILE")]
    file: String,
}

impl Ledger {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        match &self.verb {
            Verb::Search(verb) => verb.run(terminal),
            Verb::Export(verb) => verb.run(terminal),
            Verb::Import(verb) => verb.run(terminal),
            Verb::Verify(verb) => verb.run(terminal),
            Verb::Rescue(verb) => verb.run(terminal),
        }
    }
}

impl SearchVerb {
    fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let store = self.ledger.open(terminal)?;
        let search = Search {
            pool: self.pool.clone(),
            from: self.from,
            to: self.to,
            kind: self.kind,
            reason: self.reason.clone(),
            text: (!self.words.is_empty()).then(|| self.words.join(" ")),
            newest_first: !self.oldest_first,
            after: None,
            limit: self.limit.clamp(1, Search::LIMIT_MAX),
        };
        let page = store.search(&search).map_err(failure)?;
        for found in &page.found {
            match self.output.output {
                Output::Json => writeln!(terminal.out(), "{}", found.line)?,
                Output::Text => {
                    let line = in_a_line(found, terminal.paint());
                    writeln!(terminal.out(), "{line}")?;
                }
            }
        }
        if page.found.is_empty() {
            terminal.say("note: no such line\n")?;
        } else if page.next.is_some() {
            let shown = page.found.len();
            terminal.say(&format!(
                "note: there are more than these {shown}; ask for more with -n, or more narrowly\n"
            ))?;
        }
        Ok(Exit::Success)
    }
}

/// Returns a line in short: when, about which pool, what it comes to.
fn in_a_line(found: &Found, paint: Paint) -> String {
    let pool = found.pool.as_ref().map_or("", PoolId::as_str);
    let told = serde_json::from_str::<serde_json::Value>(&found.line).unwrap_or_default();
    let steps = told["steps"].as_array();
    let step = steps
        .and_then(|steps| steps.last())
        .and_then(|step| step["text"].as_str());
    let said = match found.kind {
        EntryKind::Decided => {
            let mix = |mix: &serde_json::Value| {
                Some(format!(
                    "{}+{}",
                    mix["dedicated"].as_u64()?,
                    mix["spot"].as_u64()?
                ))
            };
            let order = mix(&told["order"]).map(|order| format!("→ {order}  "));
            let target = mix(&told["target"]).unwrap_or_default();
            format!(
                "{target} {}{}",
                order.unwrap_or_default(),
                step.unwrap_or_default()
            )
        }
        EntryKind::Settled => {
            let receipt = &told["receipt"];
            let words = [receipt["result"].as_str(), receipt["message"].as_str()];
            words.into_iter().flatten().collect::<Vec<_>>().join(": ")
        }
        EntryKind::Blind => told["error"]["message"].as_str().unwrap_or_default().to_owned(),
        EntryKind::Started => {
            let names = told["policies"].as_array().into_iter().flatten();
            let names: Vec<_> = names.filter_map(|policy| policy["name"].as_str()).collect();
            format!("by {}", names.join(", "))
        }
        EntryKind::Unmatched | EntryKind::Account => String::new(),
    };
    let head = format!("{:>7}  {}  {:<9}", found.number, found.at, found.kind.word());
    let line = format!(
        "{}  {}  {}",
        paint.on(Paint::ASIDE, head),
        paint.on(Paint::NAME, pool),
        visible(&said)
    );
    line.trim_end().to_owned()
}

impl Export {
    fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let store = self.ledger.open(terminal)?;
        if let Some(path) = &self.table {
            let stretch = Stretch {
                from: self.from,
                to: self.to,
                pool: self.pool.clone(),
            };
            ledger_table::write(&store, &stretch, path, terminal)?;
            return Ok(Exit::Success);
        }
        let search = Search {
            pool: self.pool.clone(),
            from: self.from,
            to: self.to,
            limit: Search::LIMIT_MAX,
            ..Search::default()
        };
        match self.out.as_deref().filter(|path| *path != Path::new("-")) {
            None => {
                write_lines(&store, &search, terminal.out())??;
            }
            Some(path) => {
                let not_written = |error| files::not_written(path, &error);
                let mut out = BufWriter::new(File::create(path).map_err(not_written)?);
                let count = write_lines(&store, &search, &mut out)?.map_err(not_written)?;
                let file = out
                    .into_inner()
                    .map_err(|error| not_written(error.into_error()))?;
                file.sync_all().map_err(not_written)?;
                let lines = counted_are(count, "line");
                terminal.say(&format!("{lines} written to {}\n", path.display()))?;
            }
        }
        Ok(Exit::Success)
    }
}

fn write_lines(store: &Store, search: &Search, out: &mut impl Write) -> Result<io::Result<u64>, Failure> {
    let mut written = Ok(0);
    let each = &mut |found: Found| {
        if let Ok(count) = &written {
            let count = count + 1;
            written = writeln!(out, "{}", found.line).map(|()| count);
        }
    };
    store.walk(search, each).map_err(failure)?;
    Ok(written)
}

impl Import {
    fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let store = open_to_write(&self.ledger)?;
        let name = self.file.display().to_string();
        let mut there = if self.append {
            None
        } else {
            Some(There::new(&store))
        };
        let (mut kept, mut passed) = (0, 0);
        // Who waits for a line's number sends no other before.
        let at_once = if self.each { 1 } else { BATCH };
        let torn = each_line(self.input()?, (&name, at_once), |lines, first| {
            let mut lines = lines;
            let mut first = first;
            if let Some(known) = &mut there {
                let same = known
                    .pass(lines)
                    .map_err(|why| differs(&self.ledger, &name, first + why))?;
                passed += same;
                (lines, first) = (&lines[same..], first + same);
                if !lines.is_empty() {
                    there = None;
                }
            }
            keep(&store, lines, (&name, first))?;
            kept += lines.len();
            if self.each && !lines.is_empty() {
                writeln!(terminal.out(), "{first}")?;
                terminal.flush()?;
            }
            Ok(())
        })?;
        let again = if passed > 0 {
            format!("; {passed} were there already")
        } else {
            String::new()
        };
        let torn = if torn {
            "; the last line has no end and is left out"
        } else {
            ""
        };
        terminal.say(&format!(
            "{} kept in {}{again}{torn}\n",
            counted_are(kept, "line"),
            self.ledger_name()?
        ))?;
        Ok(Exit::Success)
    }

    /// Returns the ledger without what is secret of its address.
    fn ledger_name(&self) -> Result<String, Failure> {
        Ok(place(&self.ledger)?.to_string())
    }

    fn input(&self) -> Result<Box<dyn io::BufRead>, Failure> {
        if self.file == Path::new("-") {
            return Ok(Box::new(BufReader::new(io::stdin())));
        }
        let file = File::open(&self.file).map_err(|error| {
            let source = Source::named(&self.file.display().to_string());
            Failure::Text(source, vec![files::unreadable(&self.file, &error)])
        })?;
        Ok(Box::new(BufReader::new(file)))
    }
}

fn differs(ledger: &str, name: &str, line: usize) -> Failure {
    let ledger = place(ledger).map_or_else(|_| "the ledger".to_owned(), |place| place.to_string());
    Failure::World {
        message: format!(
            "{ledger} holds other lines already: line {line} of {name} is not the one that is there"
        ),
        help: Some("import into a new ledger, or add to this one with --append".to_owned()),
    }
}

/// The lines that a ledger has, to be compared with those of a file.
struct There<'a> {
    store: &'a Store,
    after: Option<u64>,
    over: bool,
}

impl<'a> There<'a> {
    fn new(store: &'a Store) -> Self {
        Self {
            store,
            after: None,
            over: false,
        }
    }

    /// Returns how many of some lines are there; an error is the place of the first that is there otherwise.
    fn pass(&mut self, lines: &[String]) -> Result<usize, usize> {
        let mut same = 0;
        while same < lines.len() && !self.over {
            let search = Search {
                after: self.after,
                limit: (lines.len() - same).min(Search::LIMIT_MAX),
                ..Search::default()
            };
            let Ok(page) = self.store.search(&search) else {
                return Err(same);
            };
            self.over = page.found.is_empty();
            for found in page.found {
                if found.line != lines[same] {
                    return Err(same);
                }
                same += 1;
                self.after = Some(found.number);
            }
        }
        Ok(same)
    }
}

impl Verify {
    fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let store = self.ledger.open(terminal)?;
        let mut check = Check::default();
        let search = Search {
            limit: Search::LIMIT_MAX,
            ..Search::default()
        };
        store
            .walk(&search, &mut |found| check.see(&found))
            .map_err(failure)?;
        check.end_run();
        let Check {
            runs,
            replayed,
            fault,
            ..
        } = check;
        if let Some((first, error)) = fault {
            return Err(Failure::World {
                message: format!("in the run of the engine that begins with line {first}: {error}"),
                help: Some("lines are counted from there".to_owned()),
            });
        }
        let (lines, decisions) = (replayed.lines, replayed.decisions);
        writeln!(
            terminal.out(),
            "{} of {} are decided again to the same bytes, {} among them",
            counted(lines, "line"),
            counted(runs, "run"),
            counted(decisions, "decision")
        )?;
        if replayed.cut > 0 {
            let cut = replayed.cut;
            let note = "looks were cut off where pools share, at the end of a run, and are not compared";
            terminal.say(&format!("note: {cut} {note}\n"))?;
        }
        Ok(Exit::Success)
    }
}

/// A ledger while it is decided again, run by run.
#[derive(Default)]
struct Check {
    text: String,
    first: u64,
    runs: usize,
    replayed: Replayed,
    fault: Option<(u64, String)>,
}

impl Check {
    fn see(&mut self, found: &Found) {
        if found.kind == EntryKind::Started {
            self.end_run();
        }
        if self.text.is_empty() {
            self.first = found.number;
        }
        self.text += &found.line;
        self.text.push('\n');
    }

    fn end_run(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.is_empty() || self.fault.is_some() {
            return;
        }
        self.runs += 1;
        match replay(&text) {
            Ok(replayed) => {
                self.replayed.lines += replayed.lines;
                self.replayed.decisions += replayed.decisions;
                self.replayed.cut += replayed.cut;
            }
            Err(error) => self.fault = Some((self.first, error.to_string())),
        }
    }
}

impl Rescue {
    fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let settings = StoreSettings::from(place(&self.file)?);
        let rescued = Store::rescue(&settings, wiring::now()).map_err(failure)?;
        let lost = match rescued.lost {
            0 => String::new(),
            lost => format!(", {lost} could not be read"),
        };
        writeln!(
            terminal.out(),
            "{} saved in {}{lost}; the damaged file is {}",
            counted_are(rescued.lines, "line"),
            self.file,
            rescued.aside.display()
        )?;
        Ok(Exit::Success)
    }
}
