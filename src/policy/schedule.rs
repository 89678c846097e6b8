//! The schedule strategy: so many nodes at such times, whatever is to do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Bounds;
use super::ask::Need;
use super::calendar::{CronLine, Holiday, Zone};
use super::complaint::Complaint;
use crate::base::{Nodes, Span, Timestamp};
use crate::decision::{Reason, ScheduleAsk};

/// How many nodes there are at least, and at most, at which times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// The time zone whose clock the rules follow.
    pub timezone: Zone,
    /// The rules; where several hold at a time, the largest atLeast and the smallest atMost of them do.
    #[schemars(length(min = 1))]
    pub rules: Vec<Rule>,
    /// Days on which no rule begins, by the calendar of the time zone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
}

/// One rule of a schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// When the rule begins to hold.
    pub cron: CronLine,
    /// How long it then holds, in hours that pass: 11h from 07:00 end at 18:00 but for a night in which the clock changes.
    #[serde(rename = "for")]
    pub lasts: Span,
    /// The usable nodes that are needed while it holds.
    pub at_least: Nodes,
    /// The most nodes of both lanes together while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Nodes>,
}

/// What a schedule needs, and from when until when that is all it says.
#[derive(Clone, Debug)]
pub struct Held {
    from: Timestamp,
    until: Option<Timestamp>,
    need: Need,
}

/// A rule that held for longer would hold for ever in all but name; a month has a rule of its own then.
const LASTS_MAX: Span = Span::days(31);

impl Schedule {
    /// Returns what cannot be meant.
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let index = index.to_string();
            if rule.lasts < Span::seconds(1) || rule.lasts > LASTS_MAX {
                let message = format!("a rule cannot hold for {}", rule.lasts.in_short());
                let help = "take 1s to 31d";
                complaints.push(Complaint::new(&["rules", &index, "for"], message, help));
            }
            if let Some(most) = rule.at_most.filter(|most| *most < rule.at_least) {
                let message = format!("atMost {most} is less than atLeast {}", rule.at_least);
                let help = "no number of nodes meets both; swap them or leave one out";
                complaints.push(Complaint::new(&["rules", &index, "atMost"], message, help));
            }
        }
        complaints
    }

    /// Returns the rules that allow fewer nodes than the bounds want at least, which they could not enforce.
    pub(super) fn complaints_within(&self, bounds: &Bounds) -> Vec<Complaint> {
        let least = bounds.total.min.max(bounds.dedicated.min + bounds.spot.min);
        let rules = self.rules.iter().enumerate();
        rules
            .filter_map(|(index, rule)| {
                let most = rule.at_most.filter(|most| *most < least)?;
                let message = format!("the rule allows {most} nodes, and the bounds want {least} at least");
                let help = "lower the least of the bounds, or raise atMost";
                Some(Complaint::new(
                    &["rules", &index.to_string(), "atMost"],
                    message,
                    help,
                ))
            })
            .collect()
    }

    /// Returns the need of a moment; what was found for another moment of the same span is taken as it is.
    pub fn need(&self, now: Timestamp, held: &mut Option<Held>) -> Need {
        let known = held
            .as_ref()
            .filter(|held| held.from <= now && held.until.is_none_or(|until| now < until));
        match known {
            Some(held) => held.need.clone(),
            None => held.insert(self.find(now)).need.clone(),
        }
    }

    fn find(&self, now: Timestamp) -> Held {
        let mut strongest: Option<(usize, &Rule)> = None;
        for (index, rule) in self.rules.iter().enumerate() {
            if self.until(rule, now).is_some()
                && strongest.is_none_or(|(_, best)| best.at_least < rule.at_least)
            {
                strongest = Some((index, rule));
            }
        }
        let until = self.next_change(now);
        let need = Need {
            nodes: strongest.map_or(Nodes::ZERO, |(_, rule)| rule.at_least),
            reason: Reason::Schedule(ScheduleAsk {
                rule: strongest.map(|(index, _)| u32::try_from(index + 1).unwrap_or(u32::MAX)),
                at_least: strongest.map_or(Nodes::ZERO, |(_, rule)| rule.at_least),
                next_change: until,
            }),
        };
        Held {
            from: now,
            until,
            need,
        }
    }

    /// Returns the most nodes that the rules of a moment allow, and until when; `None` when none of them says.
    pub fn most(&self, now: Timestamp) -> Option<(Nodes, Timestamp)> {
        let holding = self.rules.iter().filter_map(|rule| {
            let most = rule.at_most?;
            Some((most, self.until(rule, now)?))
        });
        holding.min_by_key(|(most, _)| *most)
    }

    /// Returns until when a rule holds that holds now; a rule that began on a holiday did not begin.
    fn until(&self, rule: &Rule, now: Timestamp) -> Option<Timestamp> {
        let mut began = rule.cron.latest(self.timezone, now)?;
        while self.timezone.is_holiday(began, &self.holidays) {
            // What began on the day before may still hold.
            let (day, _) = self.timezone.day(began);
            began = rule.cron.latest(self.timezone, day - Span::seconds(1))?;
            if now >= began + rule.lasts {
                return None;
            }
        }
        Some(began + rule.lasts).filter(|until| now < *until)
    }

    /// Returns when a rule next begins or ends.
    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let ends = self.rules.iter().filter_map(|rule| self.until(rule, now));
        let begins = self.rules.iter().filter_map(|rule| self.begins(rule, now));
        ends.chain(begins).min()
    }

    /// Returns when a rule next begins.
    fn begins(&self, rule: &Rule, now: Timestamp) -> Option<Timestamp> {
        let mut next = rule.cron.next(self.timezone, now)?;
        for _ in 0..HOLIDAYS_IN_A_ROW_MAX {
            if !self.timezone.is_holiday(next, &self.holidays) {
                return Some(next);
            }
            let (_, day) = self.timezone.day(next);
            next = rule.cron.next(self.timezone, day - Span::seconds(1))?;
        }
        None
    }
}

/// Beyond a leap year of holidays the same days come again, and a rule never begins. Days on which it would not begin
/// anyhow do not count, so that a rule of one day a year is looked for over three centuries.
const HOLIDAYS_IN_A_ROW_MAX: usize = 366;

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        let node = crate::base::document::Node::parse(text).unwrap();
        serde_json::from_value(node.to_json()).unwrap()
    }

    fn office() -> Schedule {
        schedule(
            "timezone: Europe/Paris
rules:
  - { cron: \"0 7 * * mon-fri\", for: 11h, atLeast: 6 }
  - { cron: \"0 12 * * *\", for: 1h, atLeast: 9, atMost: 12 }
  - { cron: \"0 22 * * *\", for: 9h, atLeast: 2, atMost: 4 }
holidays: [2026-12-25, 05-01]",
        )
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Checks what is needed at a moment, by which rule, and when that may change.
    fn check(moment: &str, nodes: u32, rule: Option<u32>, next: &str) {
        let need = office().need(at(moment), &mut None);
        let Reason::Schedule(ScheduleAsk {
            rule: told,
            next_change,
            ..
        }) = need.reason
        else {
            panic!("{:?}", need.reason)
        };
        assert_eq!(
            (need.nodes, told, next_change),
            (Nodes(nodes), rule, Some(at(next))),
            "{moment}"
        );
    }

    #[test]
    fn the_largest_of_the_rules_that_hold_is_needed() {
        // Paris is an hour ahead of UTC in winter and two in summer; 27 November 2026 is a Friday.
        check("2026-11-27T05:59:59Z", 2, Some(3), "2026-11-27T06:00:00Z");
        check("2026-11-27T06:00:00Z", 6, Some(1), "2026-11-27T11:00:00Z");
        check("2026-11-27T11:30:00Z", 9, Some(2), "2026-11-27T12:00:00Z");
        check("2026-11-27T18:00:00Z", 0, None, "2026-11-27T21:00:00Z");
        check("2026-06-26T05:00:00Z", 6, Some(1), "2026-06-26T10:00:00Z");
        // On Saturday only noon and the night.
        check("2026-11-28T07:00:00Z", 0, None, "2026-11-28T11:00:00Z");
    }

    #[test]
    fn nothing_begins_on_a_holiday_and_what_began_before_goes_on() {
        // Christmas is a Friday; the night that began on Thursday lasts until 07:00 in Paris.
        check("2026-12-25T05:00:00Z", 2, Some(3), "2026-12-25T06:00:00Z");
        check("2026-12-25T09:00:00Z", 0, None, "2026-12-26T11:00:00Z");
        // Every first of May.
        check("2026-05-01T08:00:00Z", 0, None, "2026-05-02T10:00:00Z");
        check("2028-05-01T08:00:00Z", 0, None, "2028-05-02T05:00:00Z");
    }

    #[test]
    fn a_night_in_which_the_clock_changes_lasts_as_long_as_any_other() {
        // The clock goes forward: nine hours from 22:00 end at 08:00.
        check("2026-03-29T05:59:00Z", 2, Some(3), "2026-03-29T06:00:00Z");
        // The clock goes back: they end at 06:00.
        check("2026-10-25T04:59:00Z", 2, Some(3), "2026-10-25T05:00:00Z");
    }

    #[test]
    fn the_smallest_most_of_the_rules_that_hold_counts() {
        let most = |moment| office().most(at(moment));
        assert_eq!(
            most("2026-11-27T11:30:00Z"),
            Some((Nodes(12), at("2026-11-27T12:00:00Z")))
        );
        assert_eq!(
            most("2026-11-27T23:00:00Z"),
            Some((Nodes(4), at("2026-11-28T06:00:00Z")))
        );
        assert_eq!(most("2026-11-27T09:00:00Z"), None);
    }

    #[test]
    fn what_is_remembered_says_the_same_as_what_is_found_anew() {
        let office = office();
        let mut held = None;
        for minute in 0..(4 * 24 * 60) {
            let now = at("2026-12-23T00:00:30Z") + Span::minutes(minute);
            assert_eq!(office.need(now, &mut held), office.need(now, &mut None), "{now}");
        }
    }

    #[test]
    fn a_schedule_comes_back_as_it_was_written() {
        let text = serde_json::to_string(&office()).unwrap();
        assert_eq!(
            serde_json::from_str::<Schedule>(&text).unwrap(),
            office(),
            "{text}"
        );
    }
}
