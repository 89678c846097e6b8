//! A run as a picture for a terminal: what was needed and what was paid for, hour by hour, on one scale.

use super::cluster::Hour;
use super::report::Run;

/// Eighths of a character cell, from empty to full.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Lines of one band: 4 × 8 levels tell a tenth from a seventh, and three bands fit a small terminal.
const BAND_LINES: usize = 4;

/// Room for the labels on the left.
const LABEL_WIDTH: usize = 14;

impl Run {
    /// Returns a picture at most `width` characters wide; empty when the run is shorter than an hour.
    ///
    /// A column is the mean of the hours that share it. Needed and paid have one scale, so that they can be compared.
    pub fn to_plot(&self, width: usize) -> String {
        let n_hours = self.hours.len();
        let room = width.saturating_sub(LABEL_WIDTH).max(24);
        let (repeat, hours_each) = if n_hours <= room {
            ((room / n_hours.max(1)).clamp(1, 4), 1)
        } else {
            (1, n_hours.div_ceil(room))
        };
        let series = |value: fn(&Hour) -> f64| -> Vec<f64> {
            self.hours
                .chunks(hours_each)
                .map(|hours| hours.iter().map(value).sum::<f64>() / hours.len() as f64)
                .flat_map(|mean| std::iter::repeat_n(mean, repeat))
                .collect()
        };
        if n_hours == 0 {
            return String::new();
        }
        let (needed, paid) = (series(|hour| hour.demand_nodes), series(|hour| hour.billed_nodes));
        let waiting = series(|hour| hour.waiting_tasks);
        let most = needed.iter().chain(&paid).copied().fold(0.0, f64::max);
        let most_waiting = waiting.iter().copied().fold(0.0, f64::max);
        let mut text = band("nodes needed", &needed, most);
        text += &band("nodes paid", &paid, most);
        text += &band("tasks waiting", &waiting, most_waiting);
        text + &axis(n_hours, hours_each, repeat)
    }
}

/// Draws one series; the label stands on its last line and the scale's end on its first.
fn band(label: &str, values: &[f64], most: f64) -> String {
    let mut text = String::new();
    for line in (0..BAND_LINES).rev() {
        let left = match line {
            0 => format!("{label:<13}"),
            _ if line == BAND_LINES - 1 => format!("{:>12.0}┤", most.ceil()),
            _ => String::new(),
        };
        let cells: String = values.iter().map(|value| cell(*value, most, line)).collect();
        text += format!("{left:<LABEL_WIDTH$}{cells}").trim_end();
        text.push('\n');
    }
    text
}

fn cell(value: f64, most: f64, line: usize) -> char {
    let eighths = if most > 0.0 {
        (value / most * (8 * BAND_LINES) as f64).round() as usize
    } else {
        0
    };
    BLOCKS[eighths.saturating_sub(8 * line).min(8)]
}

/// Columns from one label of the axis to the next, at least.
const LABEL_COLUMNS: usize = 7;

/// Hours from one label to the next: hours of a short run, days and weeks of a long one.
const TICK_HOURS: [usize; 8] = [1, 3, 6, 24, 48, 24 * 7, 24 * 28, 24 * 7 * 52];

/// Draws the days, or the hours of a run that is short.
fn axis(n_hours: usize, hours_each: usize, repeat: usize) -> String {
    let hours_between = LABEL_COLUMNS * hours_each / repeat;
    let unit_hours = TICK_HOURS.into_iter().find(|hours| *hours >= hours_between);
    let unit_hours = unit_hours.unwrap_or(TICK_HOURS[TICK_HOURS.len() - 1]);
    let n_columns = n_hours.div_ceil(hours_each) * repeat;
    let mut ticks = " ".repeat(LABEL_WIDTH);
    let mut names = ticks.clone();
    for column in 0..n_columns {
        let hour = column / repeat * hours_each;
        let is_first_of_unit = column % repeat == 0 && hour % unit_hours < hours_each;
        ticks.push(if is_first_of_unit { '┴' } else { '─' });
        if is_first_of_unit && names.chars().count() <= ticks.chars().count() {
            let (count, unit) = if unit_hours < 24 {
                (hour, "h")
            } else {
                (hour / 24, "d")
            };
            let pad = ticks.chars().count() - 1;
            names = format!("{names:<pad$}{count}{unit} ");
        }
    }
    format!("{ticks}\n{}\n", names.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_filled_by_the_part_of_the_value_that_reaches_its_line() {
        let column = |value| {
            (0..BAND_LINES)
                .map(|line| cell(value, 32.0, line))
                .collect::<String>()
        };
        for (value, cells) in [
            (0.0, "    "),
            (1.0, "▁   "),
            (8.0, "█   "),
            (12.0, "█▄  "),
            (32.0, "████"),
        ] {
            assert_eq!(column(value), cells, "{value}");
        }
        assert_eq!(cell(0.0, 0.0, 0), ' ');
    }

    #[test]
    fn the_axis_names_days_without_running_them_together() {
        let names = |axis: String| {
            axis.lines()
                .last()
                .unwrap()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(names(axis(26, 1, 3)), "0h 3h 6h 9h 12h 15h 18h 21h 24h");
        assert_eq!(names(axis(80, 1, 1)), "0d 1d 2d 3d");
        assert_eq!(names(axis(1488, 20, 1)), "0d 7d 14d 21d 28d 35d 42d 49d 56d");
        assert_eq!(
            axis(1488, 20, 1)
                .lines()
                .last()
                .unwrap()
                .split_whitespace()
                .next(),
            Some("0d")
        );
    }
}
