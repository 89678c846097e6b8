//! Survival as a picture for a terminal: what was observed as an area, a model as dots on it.

use crate::base::{Probability, Span};
use crate::market::{Lifetime, Study};

/// Eighths of a character cell, from empty to full.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Lines of the area: 10 × 8 levels show a percent or two, and two pictures fit a screen.
const LINES: usize = 10;

/// Room for the percentages on the left.
const LABEL_WIDTH: usize = 6;

/// The mark of a model.
const MARK: char = '•';

/// When the longest life is this many medians long, ages stand on a logarithmic axis, or the half of all lives would share a
/// column or two.
const MEDIANS_ON_LINEAR: f64 = 20.0;

/// Ages that may be named below the picture.
const TICKS: [(f64, &str); 20] = [
    (10.0, "10s"),
    (30.0, "30s"),
    (60.0, "1m"),
    (120.0, "2m"),
    (300.0, "5m"),
    (600.0, "10m"),
    (1800.0, "30m"),
    (3600.0, "1h"),
    (7200.0, "2h"),
    (14_400.0, "4h"),
    (28_800.0, "8h"),
    (57_600.0, "16h"),
    (86_400.0, "1d"),
    (172_800.0, "2d"),
    (345_600.0, "4d"),
    (604_800.0, "7d"),
    (1_209_600.0, "14d"),
    (2_419_200.0, "28d"),
    (7_776_000.0, "90d"),
    (31_536_000.0, "1y"),
];

/// Which age, in hours, a column shows.
#[derive(Clone, Copy)]
enum Axis {
    Linear { most: f64 },
    Logarithmic { least: f64, most: f64 },
}

impl Axis {
    fn of(study: &Study) -> Self {
        let most = study.longest.as_hours().max(1.0 / 3600.0);
        let median = study.median().map_or(most, Span::as_hours);
        let first = study.curve.first().map_or(most, |step| step.hours);
        if most > MEDIANS_ON_LINEAR * median {
            Self::Logarithmic {
                // Four decades are as much as a picture can show.
                least: first.max(most / 1e4),
                most,
            }
        } else {
            Self::Linear { most }
        }
    }

    /// Returns the age of a place between 0 and 1.
    fn age(self, place: f64) -> f64 {
        match self {
            Self::Linear { most } => place * most,
            Self::Logarithmic { least, most } => least * (most / least).powf(place),
        }
    }

    fn place(self, age: f64) -> f64 {
        match self {
            Self::Linear { most } => age / most,
            Self::Logarithmic { least, most } => (age / least).ln() / (most / least).ln(),
        }
    }
}

/// Returns a picture at most `width` characters wide of what was observed and of a model.
pub(super) fn survival(study: &Study, model: Option<(&str, &Lifetime)>, width: usize) -> String {
    let n_columns = width.saturating_sub(LABEL_WIDTH + 1).clamp(24, 72);
    let axis = Axis::of(study);
    let ages: Vec<f64> = (0..n_columns)
        .map(|column| axis.age((column as f64 + 0.5) / n_columns as f64))
        .collect();
    let observed: Vec<f64> = ages.iter().map(|age| study.survival(*age)).collect();
    let marks: Vec<Option<usize>> = ages
        .iter()
        .map(|age| {
            let (_, lifetime) = model?;
            let survival = lifetime.survival(Span::ZERO, Span::from_seconds(age * 3600.0));
            Some(line_of(survival))
        })
        .collect();
    let mut text = String::new();
    for line in (0..LINES).rev() {
        let label = match line {
            9 => "100 %",
            4 => " 50 %",
            0 => "  0 %",
            _ => "",
        };
        let cells = observed.iter().zip(&marks).map(|(share, mark)| {
            if *mark == Some(line) {
                MARK
            } else {
                cell(*share, line)
            }
        });
        let cells: String = cells.collect();
        text += format!("{label:<LABEL_WIDTH$}{cells}").trim_end();
        text.push('\n');
    }
    text += &ticks(axis, n_columns);
    let of_model = model.map_or_else(String::new, |(name, _)| format!("   {MARK} {name}"));
    text + &format!("{:LABEL_WIDTH$}█ observed (Kaplan-Meier){of_model}\n", "")
}

fn line_of(share: Probability) -> usize {
    ((share.get() * LINES as f64) as usize).min(LINES - 1)
}

fn cell(share: f64, line: usize) -> char {
    let eighths = (share * (8 * LINES) as f64).round() as usize;
    BLOCKS[eighths.saturating_sub(8 * line).min(8)]
}

/// Columns from one name of the axis to the next on a linear axis, at least.
const COLUMNS_BETWEEN: f64 = 8.0;

/// Draws the axis and the names of its ages, without running them together.
fn ticks(axis: Axis, n_columns: usize) -> String {
    let mut line: Vec<char> = vec!['─'; n_columns];
    let mut names = String::new();
    for (hours, name) in named_ages(axis, n_columns) {
        let column = (axis.place(hours) * n_columns as f64) as usize;
        let is_free = names.is_empty() || column >= names.chars().count() + 2;
        if is_free && column + name.len() <= n_columns + 2 {
            line[column] = '┴';
            names = format!("{names:<column$}{name}");
        }
    }
    let line: String = line.into_iter().collect();
    format!("{:LABEL_WIDTH$}{line}\n{:LABEL_WIDTH$}{names}\n", "", "")
}

/// Returns the ages, in hours, that may be named: even steps on a linear axis, round ages on a logarithmic one.
fn named_ages(axis: Axis, n_columns: usize) -> Vec<(f64, String)> {
    let is_inside = |hours: f64| (0.0..1.0).contains(&axis.place(hours));
    match axis {
        Axis::Linear { most } => {
            let least_step = most * COLUMNS_BETWEEN / n_columns as f64;
            let mut steps = TICKS.iter().map(|(seconds, _)| seconds / 3600.0);
            let step = steps.find(|step| *step >= least_step).unwrap_or(least_step);
            let ages = (0..n_columns)
                .map(|n| n as f64 * step)
                .take_while(|age| is_inside(*age));
            let named = |age: f64| (age, Span::from_seconds((age * 3600.0).round()).in_short());
            ages.map(named).collect()
        }
        Axis::Logarithmic { .. } => {
            let ages = TICKS
                .iter()
                .map(|(seconds, name)| (seconds / 3600.0, (*name).to_owned()));
            ages.filter(|(age, _)| is_inside(*age)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::market::{Hazard, Life};

    #[test]
    fn a_curve_falls_from_left_to_right_and_a_model_lies_on_it() {
        let lives: Vec<_> = (1..=24_i64)
            .map(|hours| Life {
                started: Timestamp::from_unix_seconds(hours),
                length: Span::hours(hours),
                ended: true,
            })
            .collect();
        let study = Study::of(&lives, Probability::ZERO, 0);
        let model = Lifetime::Exponential { hazard: Hazard(0.08) };
        let picture = survival(&study, Some(("exponential", &model)), 55);
        insta::assert_snapshot!(picture, @"
        100 % •••▅▁▁
              ███•••▆▆▃▃
              ██████•••█▇▇▄▄▁▁
              █████████••••███▅▅▂▂
              █████████████••••███▇▇▃▃
         50 % █████████████████••••••███▅▅▁▁
              ███████████████████████•••••••▆▆▃▃
              ██████████████████████████████••••••••••
              ████████████████████████████████████████••••••••
          0 % ████████████████████████████████████████████▇▇▃▃
              ┴───────┴───────┴───────┴───────┴───────┴───────
              0s      4h      8h      12h     16h     20h
              █ observed (Kaplan-Meier)   • exponential
        ");
    }

    #[test]
    fn long_tails_stand_on_a_logarithmic_axis() {
        let axis = Axis::Logarithmic {
            least: 0.01,
            most: 100.0,
        };
        assert!((axis.age(0.5) - 1.0).abs() < 1e-12 && (axis.place(1.0) - 0.5).abs() < 1e-12);
        let drawn = ticks(axis, 60);
        assert!(
            drawn.contains("1h") && drawn.contains("1m") && drawn.contains("4d"),
            "{drawn}"
        );
    }
}
