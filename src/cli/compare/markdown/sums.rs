//! What stands below the table: what each contender comes to, where something else is the better one, and where the limit is
//! broken.

use std::fmt::Write;

use super::super::super::render::counted;
use super::super::show::percent;
use super::{Measure, Table, written};
use crate::sim::compare::{Row, geometric_mean};

/// Cases that cost more than this multiple of the bound are counted, as dear.
const DEAR: f64 = 1.40;

/// And those that cost no more than this, as near to it.
const NEAR: f64 = 1.15;

/// Costs that differ by a smaller share are the same, summed in another order.
const SAME: f64 = 1e-9;

impl Table<'_> {
    /// Returns what each contender comes to, a line for each.
    pub(super) fn sums(&self) -> String {
        let sum = |contender: usize| {
            let summary = &self.summaries[contender];
            let mut text = format!(
                "- {}: keeps to the limit in {} of {}",
                self.name(contender),
                summary.met,
                counted(summary.cases, "case")
            );
            if contender > 0 || self.measure == Measure::Bound {
                text += &self.costs(contender);
            }
            if let (0, Some(mean), Some(worst)) =
                (contender, summary.mean_with_misses, summary.worst_with_misses)
            {
                text += &format!(
                    "; cost ÷ the bound with as much late {mean:.2} in the geometric mean, {worst:.2} at worst"
                );
            }
            if let Some(missed) = summary.deadline_missed {
                text += &format!("; {} missed", counted(missed, "deadline"));
            }
            if let Some(against) = summary.against.filter(|_| self.terms.against != Some(contender)) {
                text += &format!(
                    "; cost ÷ {}'s {:.2} in the geometric mean, {:.2} at worst over all cases",
                    self.other(),
                    against.mean,
                    against.worst
                );
                if summary.deadline_missed.is_some() {
                    let (more, fewer) = (against.misses_more, against.misses_fewer);
                    text += &format!(", more deadlines missed than it in {more}, fewer in {fewer}");
                }
            }
            text
        };
        (0..self.summaries.len()).map(sum).collect::<Vec<_>>().join("\n")
    }

    /// Returns what a contender costs over the cases in which it keeps to the limit.
    fn costs(&self, contender: usize) -> String {
        let what = match self.measure {
            Measure::Bound => "the bound".to_owned(),
            Measure::First => format!("{}'s", self.name(0)),
            Measure::Against => return String::new(),
        };
        let kept = self.cases.iter().filter(|case| case[contender].met);
        let ratios: Vec<f64> = kept.filter_map(|case| self.ratio(case, contender)).collect();
        let worst = ratios.iter().copied().reduce(f64::max);
        let (Some(mean), Some(worst)) = (geometric_mean(&ratios), worst) else {
            return String::new();
        };
        let of = ratios.len();
        let mut text =
            format!("; cost ÷ {what} {mean:.2} in the geometric mean, {worst:.2} at worst over these {of}");
        if self.measure == Measure::Bound {
            let above = ratios.iter().filter(|ratio| **ratio > DEAR).count();
            let at_most = ratios.iter().filter(|ratio| **ratio <= NEAR).count();
            text += &format!(", above {DEAR:.2} in {above}, at most {NEAR:.2} in {at_most}");
        }
        text
    }

    /// Returns every case in which another contender costs less than the first and keeps to the limit.
    pub(super) fn cheaper(&self) -> String {
        let (first, cases) = (self.name(0), counted(self.cases.len(), "case"));
        let (mut lines, mut n_found) = (String::new(), 0);
        for case in &self.cases {
            let own = &case[0];
            let mut others: Vec<&Row> = case[1..]
                .iter()
                .filter(|other| other.met && other.cost < own.cost * (1.0 - SAME))
                .collect();
            others.sort_by(|one, two| one.cost.total_cmp(&two.cost));
            n_found += usize::from(!others.is_empty());
            for other in others {
                let less = percent(1.0 - other.cost / own.cost);
                let breaks = if own.met {
                    String::new()
                } else {
                    format!(", where {first} breaks the limit")
                };
                let (name, place) = (written(&other.contender), self.place(own));
                let _ = write!(lines, "\n- {name}: {place}, by {less}{breaks}");
            }
        }
        if n_found == 0 {
            return format!("Nothing that keeps to the limit is cheaper than {first} in any of {cases}.");
        }
        format!(
            "In {n_found} of {cases} something else is cheaper than {first} and keeps to the limit:\n{lines}"
        )
    }

    /// Returns every case in which the first contender breaks the limit and the reference does not.
    pub(super) fn breaks(&self) -> String {
        let (first, last) = (self.name(0), self.name(self.summaries.len() - 1));
        let kept = || self.cases.iter().filter(|case| case[case.len() - 1].met);
        let broken: Vec<_> = kept().filter(|case| !case[0].met).collect();
        if broken.is_empty() {
            return format!(
                "{first} keeps to the limit wherever {last} does, in {} of {}.",
                kept().count(),
                counted(self.cases.len(), "case")
            );
        }
        let mut text = format!(
            "In {} of the {} in which {last} keeps to the limit, {first} does not:\n",
            broken.len(),
            counted(kept().count(), "case")
        );
        for case in broken {
            let own = &case[0];
            let missed = own.deadline_missed.filter(|missed| *missed > 0);
            let missed = missed.map_or_else(String::new, |missed| {
                format!(", {} missed", counted(missed, "deadline"))
            });
            let (tasks, work) = (percent(own.misses), percent(own.work_misses));
            let _ = write!(
                text,
                "\n- {}: {tasks} of the tasks and {work} of the work late{missed}",
                self.place(own)
            );
        }
        text
    }
}
