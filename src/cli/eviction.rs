//! `lowtide eviction`: what recorded evictions say, as models and as a picture.

mod plot;
mod record;
mod told;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;

use super::exit::{Exit, Failure};
use super::files;
use super::options::{Output, OutputOption};
use super::render::visible;
use super::terminal::{Paint, Terminal};
use crate::base::Probability;
use crate::market::Study;
use crate::market::recorded::{self, CapacitySteps, Recorded, TableFormat};
use record::{LossRecord, Record};
use told::Part;

/// Fit models to recorded evictions and show which one to believe
#[derive(Debug, clap::Args)]
#[command(after_help = "\
FILE is a table with a header line, plain or gzip: lifetimes with the columns life_s and end_kind
(preempted, or stopped_by_user when its owner ended it) and perhaps started_at; or capacity steps
with t_s and available, whose last row has -1 and ends the recording.

The score held out is the logarithm of the likelihood, per end, of lives that the model was not
fitted to: more is better, and 0.01 is little. A task up to the break-even length, run again from
the start after each eviction, is cheaper on spot nodes.")]
pub(super) struct Eviction {
    /// The recorded lives; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How the file is laid out: auto (by its columns), lifetimes or steps
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    format: Format,
    /// The share of lives that models are scored on and not fitted to, below 1
    #[arg(long, value_name = "SHARE", default_value = "0.3", value_parser = parse_share)]
    holdout: f64,
    /// Spot prices as shares of the dedicated price, for which break-even task lengths are told
    #[arg(long, value_name = "RATIO", value_delimiter = ',', default_value = "0.2,0.25", value_parser = parse_ratio)]
    price_ratio: Vec<f64>,
    /// Draws the lives that are held out
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    output: OutputOption,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Auto,
    Lifetimes,
    Steps,
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "write a share such as 0.3; 0 holds nothing out".to_owned())
}

fn parse_ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| *ratio > 0.0 && *ratio < 1.0);
    ratio.ok_or_else(|| "write the spot price as a share of the dedicated one, such as 0.2".to_owned())
}

impl Eviction {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let source = files::read_inflated(&self.file)?;
        let format = match self.format {
            Format::Auto => None,
            Format::Lifetimes => Some(TableFormat::Lifetimes),
            Format::Steps => Some(TableFormat::Steps),
        };
        let name = source.name.clone();
        let recorded = match recorded::read(&source.text, format) {
            Ok(recorded) => recorded,
            Err(faults) => return Err(Failure::Text(source, faults)),
        };
        let (format, losses) = match &recorded {
            Recorded::Lifetimes(_) => (TableFormat::Lifetimes, None),
            Recorded::Steps(steps) => (TableFormat::Steps, Some(losses(steps))),
        };
        let parts = self.parts(&recorded);
        match self.output.output {
            Output::Json => terminal.json(&Record::new(self, &name, format, losses, &parts))?,
            Output::Text => self.print(&name, &recorded, &parts, terminal)?,
        }
        Ok(Exit::Success)
    }

    fn parts(&self, recorded: &Recorded) -> Vec<Part> {
        let share = Probability::new(self.holdout).expect("the command line takes shares below 1");
        let study = |lives| Study::of(lives, share, self.seed);
        match recorded {
            Recorded::Lifetimes(lives) => vec![Part {
                name: "nodes",
                end: "evicted",
                censored: "stopped by their owner",
                is_of_nodes: true,
                study: study(lives),
            }],
            Recorded::Steps(steps) => vec![
                Part {
                    name: "capacity",
                    end: "lost",
                    censored: "still there at the end",
                    is_of_nodes: true,
                    study: study(&steps.ups),
                },
                Part {
                    name: "outages",
                    end: "over",
                    censored: "lasting at the end",
                    is_of_nodes: false,
                    study: study(&steps.downs),
                },
            ],
        }
    }

    fn print(
        &self,
        name: &str,
        recorded: &Recorded,
        parts: &[Part],
        terminal: &mut Terminal,
    ) -> io::Result<()> {
        let (paint, width) = (terminal.paint(), terminal.width());
        let out = terminal.out();
        writeln!(out, "{}", paint.on(Paint::HEADING, visible(name)))?;
        if let Recorded::Steps(steps) = recorded {
            out.write_all(told_losses(steps).as_bytes())?;
        }
        for part in parts {
            writeln!(out)?;
            if part.study.n_lives == 0 {
                writeln!(out, "{}: none were recorded", part.name)?;
                continue;
            }
            out.write_all(part.heading(paint).as_bytes())?;
            if part.study.n_ended == 0 {
                writeln!(out, "none ended, so no model can be fitted")?;
                continue;
            }
            writeln!(out, "\n{}", part.models(paint).trim_end())?;
            let held_out = part.study.n_held_out;
            let note = if held_out > 0 {
                format!("◂ foretells best the {held_out} lives held out (ln L per end, more is better)")
            } else {
                "◂ least AIC; nothing was held out".to_owned()
            };
            writeln!(out, "{}", paint.on(Paint::ASIDE, note))?;
            writeln!(out, "\n{}", part.hazards(paint).trim_end())?;
            if part.is_of_nodes {
                writeln!(
                    out,
                    "\nlongest task that is cheaper on spot, restarted from scratch"
                )?;
                out.write_all(part.break_even(&self.price_ratio, paint).as_bytes())?;
            }
            let best = part.study.best().map(|fit| (fit.family.name(), &fit.lifetime));
            writeln!(out, "\nshare that lives on, by age")?;
            out.write_all(plot::survival(&part.study, best, width).as_bytes())?;
        }
        Ok(())
    }
}

fn losses(steps: &CapacitySteps) -> LossRecord {
    LossRecord {
        units: steps.units,
        losses: steps.losses,
        lost: steps.lost,
        lost_by_halves: steps.lost_by_halves,
    }
}

/// Says how capacity goes: one by one, or much at once, which no hazard of single nodes tells.
fn told_losses(steps: &CapacitySteps) -> String {
    let up_hours: f64 = steps.ups.iter().map(|life| life.length.as_hours()).sum();
    let all_hours = f64::from(steps.units) * steps.length.as_hours();
    let up_share = if all_hours > 0.0 {
        up_hours / all_hours
    } else {
        0.0
    };
    let capacity = format!(
        "{:.1} hours, at most {} at once, {:.0} % of the time up\n",
        steps.length.as_hours(),
        steps.units,
        up_share * 100.0
    );
    if steps.lost == 0 || steps.units < 2 {
        return capacity;
    }
    let by_halves = f64::from(steps.lost_by_halves) / f64::from(steps.lost);
    format!(
        "{capacity}{} losses took {}; {:.0} % of them went in losses of half of what was up or more\n\
         units that go together are counted one by one, so intervals are too narrow\n",
        steps.losses,
        steps.lost,
        by_halves * 100.0
    )
}
