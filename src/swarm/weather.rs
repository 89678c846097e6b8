//! When it is calm and when it is rough: phases in which some kinds of faults are likely.

use super::dice::Dice;
use super::faults::FaultKind;
use super::plan::Plan;
use crate::base::{Span, Timestamp};

/// The phases of a world, drawn as time goes on.
#[derive(Debug)]
pub(super) struct Weather {
    plan: Plan,
    dice: Dice,
    until: Timestamp,
    /// After it nothing fails any more.
    calm_from: Timestamp,
    /// The kinds that strike in this phase, each with the share of calls that it strikes.
    likely: Vec<(FaultKind, f64)>,
    own_off: Span,
    service_off: Span,
    ledger_fails: f64,
}

impl Weather {
    pub(super) fn new(plan: &Plan, dice: Dice) -> Self {
        Self {
            until: plan.start(),
            calm_from: plan.start() + plan.rough(),
            plan: plan.clone(),
            dice,
            likely: Vec::new(),
            own_off: Span::ZERO,
            service_off: Span::ZERO,
            ledger_fails: 0.0,
        }
    }

    pub(super) fn is_calm(&self, now: Timestamp) -> bool {
        now >= self.calm_from
    }

    /// Goes on to the phase of a moment.
    pub(super) fn turn(&mut self, now: Timestamp) {
        if self.is_calm(now) {
            self.clear();
            return;
        }
        while self.until <= now {
            self.clear();
            let lasts = self.dice.span(Span::minutes(3), Span::hours(6));
            self.until += lasts;
            // A third of the time nothing is wrong, and sometimes almost everything is.
            let roughness = self.dice.pick(&[0.0, 0.01, 0.03, 0.1, 0.3, 0.9]);
            if roughness == 0.0 {
                continue;
            }
            // Clocks are off whatever the wire does.
            self.draw_clocks();
            let n_kinds = self.dice.between(1, 5);
            for _ in 0..n_kinds {
                let kind = self.dice.pick(FaultKind::OF_THE_WIRE);
                let share = roughness * self.dice.share();
                if self.plan.has(kind) {
                    self.likely.push((kind, share));
                }
            }
            let fails = if self.dice.chance(0.2) {
                self.dice.share()
            } else {
                0.0
            };
            if self.plan.has(FaultKind::Ledger) {
                self.ledger_fails = fails;
            }
        }
    }

    fn draw_clocks(&mut self) {
        let mut off = |kind: FaultKind| {
            let is_off = self.dice.chance(0.1);
            let most = self.dice.pick(&[
                Span::seconds(20),
                Span::minutes(5),
                Span::minutes(40),
                Span::hours(3),
            ]);
            let size = self.dice.span(Span::seconds(1), most);
            let back = self.dice.chance(0.5);
            match is_off && self.plan.has(kind) {
                true if back => -size,
                true => size,
                false => Span::ZERO,
            }
        };
        self.own_off = off(FaultKind::OwnClock);
        self.service_off = off(FaultKind::ServiceClock);
    }

    fn clear(&mut self) {
        self.likely.clear();
        self.own_off = Span::ZERO;
        self.service_off = Span::ZERO;
        self.ledger_fails = 0.0;
    }

    /// Returns how far off our clock is, and the service's.
    pub(super) const fn clocks(&self) -> (Span, Span) {
        (self.own_off, self.service_off)
    }

    /// Returns the kinds that may strike a call, each with its share.
    pub(super) fn likely(&self) -> &[(FaultKind, f64)] {
        &self.likely
    }

    /// Returns the share of lines that the ledger does not take.
    pub(super) const fn ledger_fails(&self) -> f64 {
        self.ledger_fails
    }
}
