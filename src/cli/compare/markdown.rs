//! A comparison as Markdown: a table with a row for each workload on each market, and below it what it comes to. It is about
//! the first contender; all others stand beside it.

mod sums;

use std::io::{self, Write};

use super::super::render::visible;
use super::super::terminal::Terminal;
use super::names::Markets;
use super::show::{percent, span};
use crate::sim::compare::{Comparison, Row, Summary, Terms};

/// What a cost is told as a multiple of.
#[derive(Clone, Copy, PartialEq)]
enum Measure {
    /// What no plan without misses can cost less than.
    Bound,
    /// The cost of the contender that all are held against.
    Against,
    /// Nothing for the first contender, whose cost is told itself, and its cost for the others.
    First,
}

struct Table<'a> {
    /// The rows of each case, one for each contender.
    cases: Vec<&'a [Row]>,
    summaries: &'a [Summary],
    terms: Terms,
    measure: Measure,
    markets: Markets,
}

/// Writes the table and what it comes to.
pub(super) fn write(comparison: &Comparison, terms: Terms, terminal: &mut Terminal) -> io::Result<()> {
    let text = Table::of(comparison, terms).text();
    terminal.out().write_all(text.as_bytes())
}

impl<'a> Table<'a> {
    fn of(comparison: &'a Comparison, terms: Terms) -> Self {
        let rows = &comparison.rows;
        let measure = if rows.iter().any(|row| row.bound.is_some()) {
            Measure::Bound
        } else if terms.against.is_some() {
            Measure::Against
        } else {
            Measure::First
        };
        Self {
            cases: rows.chunks(comparison.summaries.len().max(1)).collect(),
            summaries: &comparison.summaries,
            terms,
            measure,
            markets: Markets::of(rows.iter().map(|row| row.spot.as_str())),
        }
    }

    fn text(&self) -> String {
        let groups = self.groups();
        let lines = [
            self.caption(&groups),
            self.table(&groups),
            self.sums(),
            self.cheaper(),
            self.breaks(),
        ];
        lines.join("\n\n") + "\n"
    }

    /// Returns the cases that differ by price alone, the lowest price first.
    fn groups(&self) -> Vec<Vec<&'a [Row]>> {
        let mut groups: Vec<Vec<&[Row]>> = Vec::new();
        for &case in &self.cases {
            let own = &case[0];
            // Files of the same name are other cases at the same price.
            let fits = |group: &&mut Vec<&[Row]>| {
                same_place(&group[0][0], own)
                    && group[0][0].seed == own.seed
                    && group.iter().all(|other| other[0].price_ratio != own.price_ratio)
            };
            match groups.iter_mut().find(fits) {
                Some(group) => group.push(case),
                None => groups.push(vec![case]),
            }
        }
        for group in &mut groups {
            group.sort_by(|one, two| one[0].price_ratio.total_cmp(&two[0].price_ratio));
        }
        groups
    }

    fn caption(&self, groups: &[Vec<&[Row]>]) -> String {
        let first = self.name(0);
        let prices = groups.first().map_or_else(Vec::new, |group| {
            group.iter().map(|case| case[0].price_ratio.to_string()).collect()
        });
        let costs = match self.measure {
            Measure::Bound => "Costs are multiples of the bound without misses".to_owned(),
            Measure::Against => format!("Costs are multiples of those of {}", self.other()),
            Measure::First => {
                format!(
                    "The cost of {first} is in hours of a dedicated node, the others' are multiples of it"
                )
            }
        };
        let lowest = if prices.len() > 1 {
            ", at the lowest price"
        } else {
            ""
        };
        let mut text = format!(
            "{costs}; a spot node costs {} of a dedicated one. The bold figures are those of {first}, and so are wait, late and orders \
             (accepted a day, and how many of them went against the one before){lowest}. `!`: more was late than the {:.0} % of the \
             tasks and {:.0} % of the work that may be, or tasks did not end.",
            prices.join(" · "),
            100.0 * self.terms.tolerance.tasks,
            100.0 * self.terms.tolerance.work,
        );
        if self.cases.iter().any(|case| case[0].deadline_missed.is_some()) {
            text += " In brackets: missed deadlines";
            text += &self.terms.against.filter(|other| *other > 0).map_or_else(
                || ".".to_owned(),
                |_| format!(", in bold those of {first} and of {}.", self.other()),
            );
        }
        text
    }

    fn table(&self, groups: &[Vec<&[Row]>]) -> String {
        let with_misses = self.cases.iter().any(|case| case[0].bound_with_misses.is_some());
        let several = groups.iter().enumerate().any(|(place, group)| {
            groups[..place]
                .iter()
                .any(|before| same_place(&before[0][0], &group[0][0]))
        });
        let mut head = vec!["log".to_owned(), "market".to_owned()];
        head.extend(several.then(|| "seed".to_owned()));
        head.push(match self.measure {
            Measure::Bound => "cost ÷ bound".to_owned(),
            Measure::Against => format!("cost ÷ {}'s", self.other()),
            Measure::First => "cost".to_owned(),
        });
        head.extend(with_misses.then(|| "the bound with as much late".to_owned()));
        head.extend(["wait p95", "late tasks, work", "orders, reversals"].map(str::to_owned));
        head.extend((1..self.summaries.len()).map(|contender| self.name(contender)));
        let mut lines = vec![line(&head), format!("|{}", "---|".repeat(head.len()))];
        for group in groups {
            let own = &group[0][0];
            let joined = |cell: &dyn Fn(&[Row]) -> String| {
                group
                    .iter()
                    .map(|case| cell(case))
                    .collect::<Vec<_>>()
                    .join(" · ")
            };
            let mut cells = vec![written(&own.workload), self.market(own)];
            cells.extend(several.then(|| own.seed.to_string()));
            cells.push(format!("**{}**", joined(&|case| self.figure(case, 0))));
            cells.extend(
                with_misses.then(|| {
                    joined(&|case| two(case[0].bound_with_misses.map(|bound| case[0].cost / bound)))
                }),
            );
            cells.push(minutes(own.wait_p95));
            cells.push(format!("{}, {}", percent(own.misses), percent(own.work_misses)));
            cells.push(format!("{:.0}, {:.0}", own.orders_daily, own.reversals_daily));
            let others = 1..self.summaries.len();
            cells.extend(others.map(|other| joined(&|case| self.figure(case, other))));
            lines.push(line(&cells));
        }
        lines.join("\n")
    }

    /// Returns what a contender cost in a case, whether it broke the limit and what deadlines it missed.
    fn figure(&self, case: &[Row], contender: usize) -> String {
        let row = &case[contender];
        let mut text = match self.measure {
            Measure::First if contender == 0 => format!("{:.0}", row.cost),
            _ => two(self.ratio(case, contender)),
        };
        // That deadlines were missed is told by how many.
        if !row.met && row.deadline_missed.is_none_or(|missed| missed == 0) {
            text += "!";
        }
        let other = self.terms.against.filter(|other| contender == 0 && *other > 0);
        match (
            row.deadline_missed,
            other.and_then(|other| case[other].deadline_missed),
        ) {
            (None, _) => text,
            (Some(own), None) => format!("{text} ({own})"),
            (Some(own), Some(others)) => format!("{text} ({own}, {others})"),
        }
    }

    fn ratio(&self, case: &[Row], contender: usize) -> Option<f64> {
        let row = &case[contender];
        let ratio = match self.measure {
            Measure::Bound => row.cost / row.bound?,
            Measure::Against => row.cost_to_other?,
            Measure::First => row.cost / case[0].cost,
        };
        Some(ratio).filter(|ratio| ratio.is_finite())
    }

    fn place(&self, row: &Row) -> String {
        let alike = |other: &Row| same_place(other, row) && other.seed != row.seed;
        let several = self.cases.iter().any(|case| alike(&case[0]));
        let seed = if several {
            format!(" with seed {}", row.seed)
        } else {
            String::new()
        };
        format!(
            "{} on {}{seed} at {}",
            written(&row.workload),
            self.market(row),
            row.price_ratio
        )
    }

    fn market(&self, row: &Row) -> String {
        written(&self.markets.get(&row.spot))
    }

    fn name(&self, contender: usize) -> String {
        written(&self.summaries[contender].contender)
    }

    /// Returns the name of the contender that all are held against.
    fn other(&self) -> String {
        self.terms
            .against
            .map_or_else(String::new, |other| self.name(other))
    }
}

fn same_place(one: &Row, two: &Row) -> bool {
    (&one.workload, one.slots, &one.spot) == (&two.workload, two.slots, &two.spot)
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// Returns a name whose characters mean nothing to Markdown.
fn written(name: &str) -> String {
    let mut text = String::new();
    for c in visible(name).chars() {
        if "\\|*_`<[".contains(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

fn two(ratio: Option<f64>) -> String {
    let known = ratio.filter(|ratio| ratio.is_finite());
    known.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

/// Waits are read side by side: in whole minutes, and only what is shorter in seconds.
fn minutes(seconds: f64) -> String {
    if seconds < 60.0 {
        span(seconds)
    } else {
        format!("{:.0}m", seconds / 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::bound::Tolerance;

    /// The rows of a case: costs and whether the limit was kept, of the policy `own`, of `other` and of `dedicated`.
    fn case(spot: &str, price_ratio: f64, told: [(f64, bool); 3]) -> Vec<Row> {
        let row = |(contender, (cost, met)): (&str, (f64, bool))| Row {
            workload: "log|1".to_owned(),
            slots: 1,
            spot: spot.to_owned(),
            seed: 0,
            price_ratio,
            contender: contender.to_owned(),
            cost,
            met,
            deadline_missed: None,
            deadline_late_max: None,
            cost_to_other: None,
            bound: Some(100.0),
            cost_to_bound: met.then_some(cost / 100.0),
            bound_with_misses: Some(80.0),
            cost_to_bound_with_misses: met.then_some(cost / 80.0),
            wait_p95: 1815.0,
            delay_p95: 0.0,
            misses: 0.034,
            work_misses: 0.12,
            orders_daily: 12.4,
            reversals_daily: 3.6,
        };
        ["own", "other", "dedicated"]
            .into_iter()
            .zip(told)
            .map(row)
            .collect()
    }

    fn comparison(cases: Vec<Vec<Row>>) -> Comparison {
        let summary = |contender: usize| {
            let own = || cases.iter().map(|rows| &rows[contender]);
            Summary {
                contender: own().next().unwrap().contender.clone(),
                cases: cases.len(),
                met: own().filter(|row| row.met).count(),
                reference_met: cases.len(),
                met_with_reference: 0,
                mean: None,
                worst: None,
                mean_with_misses: Some(1.5),
                worst_with_misses: Some(1.75),
                deadline_missed: own()
                    .filter_map(|row| row.deadline_missed)
                    .reduce(|sum, missed| sum + missed),
                against: None,
            }
        };
        Comparison {
            summaries: (0..3).map(summary).collect(),
            rows: cases.into_iter().flatten().collect(),
        }
    }

    fn text(cases: Vec<Vec<Row>>, against: Option<usize>) -> String {
        let tolerance = Tolerance {
            tasks: 0.05,
            work: 0.1,
        };
        Table::of(&comparison(cases), Terms { tolerance, against }).text()
    }

    #[test]
    fn prices_stand_in_one_cell_and_what_breaks_the_limit_is_marked_and_listed() {
        let told = text(
            vec![
                case("az5", 0.25, [(120.0, true), (150.0, true), (400.0, true)]),
                case("az5", 0.2, [(110.0, true), (99.0, false), (500.0, true)]),
                case("a_k80", 0.2, [(160.0, false), (120.0, true), (500.0, true)]),
                case("a_k80", 0.25, [(160.0, true), (152.0, true), (400.0, true)]),
            ],
            None,
        );
        let expected = "
| log | market | cost ÷ bound | the bound with as much late | wait p95 | late tasks, work | orders, reversals | other | dedicated |
|---|---|---|---|---|---|---|---|---|
| log\\|1 | az5 | **1.10 · 1.20** | 1.38 · 1.50 | 30m | 3.4 %, 12.0 % | 12, 4 | 0.99! · 1.50 | 5.00 · 4.00 |
| log\\|1 | k80 | **1.60! · 1.60** | 2.00 · 2.00 | 30m | 3.4 %, 12.0 % | 12, 4 | 1.20 · 1.52 | 5.00 · 4.00 |

- own: keeps to the limit in 3 of 4 cases; cost ÷ the bound 1.28 in the geometric mean, 1.60 at worst over these 3, above 1.40 in 1, at most 1.15 in 1; cost ÷ the bound with as much late 1.50 in the geometric mean, 1.75 at worst
- other: keeps to the limit in 3 of 4 cases; cost ÷ the bound 1.40 in the geometric mean, 1.52 at worst over these 3, above 1.40 in 2, at most 1.15 in 0
- dedicated: keeps to the limit in 4 of 4 cases; cost ÷ the bound 4.47 in the geometric mean, 5.00 at worst over these 4, above 1.40 in 4, at most 1.15 in 0

In 2 of 4 cases something else is cheaper than own and keeps to the limit:

- other: log\\|1 on k80 at 0.2, by 25.0 %, where own breaks the limit
- other: log\\|1 on k80 at 0.25, by 5.0 %

In 1 of the 4 cases in which dedicated keeps to the limit, own does not:

- log\\|1 on k80 at 0.2: 3.4 % of the tasks and 12.0 % of the work late
";
        let (caption, rest) = told.split_once('\n').unwrap();
        assert!(
            caption.contains("costs 0.2 · 0.25 of a dedicated one"),
            "{caption}"
        );
        assert_eq!(rest, expected);
    }

    #[test]
    fn without_a_bound_costs_are_told_against_the_policy_and_seeds_stand_in_a_column() {
        let seeds = [0, 1].map(|seed| {
            let mut rows = case("az5", 0.2, [(120.0, true), (150.0, true), (400.0, true)]);
            for row in &mut rows {
                (row.seed, row.bound, row.bound_with_misses) = (seed, None, None);
            }
            rows
        });
        let told = text(seeds.to_vec(), None);
        for line in [
            "| log | market | seed | cost | wait p95 | late tasks, work | orders, reversals | other | dedicated |",
            "| log\\|1 | az5 | 1 | **120** | 30m | 3.4 %, 12.0 % | 12, 4 | 1.25 | 3.33 |",
            "Nothing that keeps to the limit is cheaper than own in any of 2 cases.",
            "own keeps to the limit wherever dedicated does, in 2 of 2 cases.",
        ] {
            assert!(told.lines().any(|other| other == line), "{line}\n{told}");
        }
        assert!(
            told.contains("- other: keeps to the limit in 2 of 2 cases; cost ÷ own's 1.25 in the"),
            "{told}"
        );
    }

    #[test]
    fn missed_deadlines_stand_behind_the_cost() {
        let mut rows = case("az5", 0.2, [(95.0, false), (100.0, false), (400.0, true)]);
        for (row, missed) in rows.iter_mut().zip([3, 7, 0]) {
            (row.bound, row.bound_with_misses) = (None, None);
            row.deadline_missed = Some(missed);
            row.cost_to_other = Some(row.cost / 100.0);
        }
        let told = text(vec![rows], Some(1));
        assert!(told.contains("| **0.95 (3, 7)** |"), "{told}");
        assert!(told.contains("| 1.00 (7) | 4.00 (0) |"), "{told}");
        assert!(told.contains("of the work late, 3 deadlines missed"), "{told}");
    }
}
