//! A study of recorded lives as people read it: tables of models, hazards and break-even task lengths.

use crate::base::{Probability, Span};
use crate::cli::terminal::Paint;
use crate::market::{AgeHazard, Bathtub, Family, Fit, Hazard, LENGTH_MAX, Lifetime, Studied, Study};

/// One kind of life in a file, studied.
#[derive(Debug)]
pub(super) struct Part {
    /// What lived.
    pub(super) name: &'static str,
    /// What its end is called.
    pub(super) end: &'static str,
    /// What an end that was not seen is called.
    pub(super) censored: &'static str,
    /// Whether tasks run on it, so that a price can be weighed against its hazard.
    pub(super) is_of_nodes: bool,
    pub(super) study: Study,
}

/// The share of cases in which an interval holds the truth.
pub(super) fn level() -> Probability {
    Probability::new(0.8).expect("0.8 lies between 0 and 1")
}

impl Part {
    /// Returns counts in a line.
    pub(super) fn heading(&self, paint: Paint) -> String {
        let study = &self.study;
        let lives = if study.n_lives == 1 { "life" } else { "lives" };
        let counts = format!("{}: {} {lives}", self.name, study.n_lives);
        let median = study.median().map_or_else(
            || "more than half outlive the recording".to_owned(),
            |median| format!("median {}", short(median)),
        );
        format!(
            "{}\n{} {}, {} {}; {median}; {:.0} hours in all\n",
            paint.on(Paint::HEADING, counts),
            study.n_ended,
            self.end,
            study.n_lives - study.n_ended,
            self.censored,
            study.hours
        )
    }

    /// Returns the table of models.
    pub(super) fn models(&self, paint: Paint) -> String {
        let mut rows = vec![
            ["model", "parameters", "ln L", "AIC", "held out"]
                .map(String::from)
                .to_vec(),
        ];
        rows.extend(self.study.families.iter().map(row_of_model));
        let families = self.study.families.iter().map(|studied| studied.family);
        self.marked(&columns(&rows, 2), families, paint)
    }

    /// Returns the lines of a table whose rows are models, the best of them marked.
    fn marked(&self, lines: &[String], families: impl Iterator<Item = Family>, paint: Paint) -> String {
        let best = self.study.best().map(|fit| fit.family);
        let heading = lines.first().map(|line| paint.on(Paint::ASIDE, line)).into_iter();
        let rows = lines.iter().skip(1).zip(families).map(|(line, family)| {
            if best == Some(family) {
                paint.on(Paint::GOOD, format!("{line} ◂"))
            } else {
                line.clone()
            }
        });
        heading.chain(rows).map(|line| line + "\n").collect()
    }

    /// Returns the table of hazards by age.
    pub(super) fn hazards(&self, paint: Paint) -> String {
        let mut rows = vec![vec![
            "age".to_owned(),
            "ended".to_owned(),
            "hours".to_owned(),
            "ends per hour".to_owned(),
            "80 % interval".to_owned(),
        ]];
        rows.extend(self.study.hazards.iter().filter_map(row_of_hazard));
        painted(&columns(&rows, 1), paint)
    }

    /// Returns the table of break-even task lengths.
    pub(super) fn break_even(&self, ratios: &[f64], paint: Paint) -> String {
        let mut rows = vec![vec!["spot price / dedicated".to_owned()]];
        rows[0].extend(ratios.iter().map(ToString::to_string));
        let fits = || {
            self.study
                .families
                .iter()
                .filter_map(|studied| studied.fit.as_ref())
        };
        for fit in fits() {
            let mut row = vec![fit.family.name().to_owned()];
            row.extend(ratios.iter().map(|ratio| length(fit, *ratio)));
            rows.push(row);
        }
        self.marked(&columns(&rows, 1), fits().map(|fit| fit.family), paint)
    }
}

fn length(fit: &Fit, ratio: f64) -> String {
    match fit.break_even_length(ratio) {
        Some(length) => short(length),
        None => format!("over {}", short(LENGTH_MAX)),
    }
}

fn row_of_model(studied: &Studied) -> Vec<String> {
    let name = studied.family.name().to_owned();
    let Some(fit) = &studied.fit else {
        return vec![
            name,
            "cannot have made these lives".to_owned(),
            "–".to_owned(),
            "–".to_owned(),
            "–".to_owned(),
        ];
    };
    vec![
        name,
        parameters(&fit.lifetime),
        format!("{:.1}", fit.log_likelihood),
        format!("{:.1}", fit.aic()),
        studied
            .held_out
            .map_or_else(|| "–".to_owned(), |score| format!("{score:.4}")),
    ]
}

fn row_of_hazard(hazard: &AgeHazard) -> Option<Vec<String>> {
    let (low, high) = hazard.interval(level())?;
    let ages = match hazard.to {
        Some(to) => format!("{} to {}", short(hazard.from), short(to)),
        None => format!("over {}", short(hazard.from)),
    };
    Some(vec![
        ages,
        hazard.ended.to_string(),
        format!("{:.1}", hazard.hours),
        per_hour(hazard.hazard()?.0),
        format!("{} to {}", per_hour(low.0), per_hour(high.0)),
    ])
}

fn per_hour(rate: f64) -> String {
    let told = Hazard(rate).to_string();
    told.trim_end_matches("/h").to_owned()
}

/// Returns the parameters of a lifetime in words and units.
fn parameters(lifetime: &Lifetime) -> String {
    let hours = |hours: f64| short(Span::from_seconds(hours * 3600.0));
    match lifetime {
        Lifetime::Exponential { hazard } => format!("{hazard}"),
        Lifetime::Weibull { shape, scale_hours } => {
            format!("shape {shape:.2}, scale {}", hours(*scale_hours))
        }
        Lifetime::LogNormal { mu, sigma } => format!("median {}, sigma {sigma:.2}", hours(mu.exp())),
        Lifetime::Bathtub(Bathtub {
            share,
            early_hours,
            end,
        }) => {
            let early = format!("{:.0} % early ({})", share * 100.0, hours(*early_hours));
            match end {
                Some(end) => format!("{early}, end {} ± {}", hours(end.at_hours), hours(end.late_hours)),
                None => early,
            }
        }
        Lifetime::Piecewise(pieces) => {
            let hazards = pieces.hazards();
            match hazards {
                [only] => format!("1 piece, {only}"),
                _ => format!(
                    "{} pieces, {} to {}",
                    hazards.len(),
                    hazards[0],
                    hazards[hazards.len() - 1]
                ),
            }
        }
    }
}

/// Returns a length in at most two units, as far as anybody acts on it.
fn short(span: Span) -> String {
    let seconds = span.as_seconds();
    let unit = match seconds {
        s if s < 600.0 => 1.0,
        s if s < 86_400.0 => 60.0,
        s if s < 10.0 * 86_400.0 => 3600.0,
        _ => 86_400.0,
    };
    Span::from_seconds((seconds / unit).round() * unit).in_short()
}

/// Lays rows out in columns two spaces apart; the first `n_left` are aligned left, the others right.
fn columns(rows: &[Vec<String>], n_left: usize) -> Vec<String> {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                if column < n_left {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn painted(lines: &[String], paint: Paint) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        text += &if index == 0 {
            paint.on(Paint::ASIDE, line)
        } else {
            line.clone()
        };
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_at_most_two_units() {
        for (seconds, told) in [
            (0.4, "0s"),
            (75.4, "1m15s"),
            (3_661.0, "1h1m"),
            (86_399.0, "1d"),
            (100_000.0, "1d4h"),
            (5_000_000.0, "58d"),
        ] {
            assert_eq!(short(Span::from_seconds(seconds)), told);
        }
    }
}
