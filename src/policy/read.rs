//! From the text of a policy file to a policy, or to everything that is wrong with it.

use std::ops::Range;

use super::caps::Caps;
use super::complaint::Complaint;
use super::file::{BoundsFile, DemandFile, MissingFile, Percent, PolicyFile, PricesFile, Then};
use super::findings::Findings;
use super::formulas::{SCHEDULE, metrics};
use super::{
    Actuator, Bounds, CronLine, Holiday, MissingGuard, OrderRules, Policy, Prices, Range as NodeRange,
    SteadyGuards, Zone,
};
use crate::account::PoolPattern;
use crate::base::document::Node;
use crate::base::schema::{Checked, Format, Schema, SchemaCodes, StandIn};
use crate::base::{Code, Diagnostic, Nodes, Span, UsdHourly};
use crate::decision::Memory;

pub(super) const UNREADABLE: Code = Code("P001");
pub(super) const CODES: SchemaCodes = SchemaCodes {
    unknown_key: Code("P002"),
    duplicate_key: Code("P003"),
    missing_key: Code("P004"),
    wrong_type: Code("P005"),
    wrong_value: Code("P006"),
};
pub(super) const VERSION: Code = Code("P007");
const INTERVAL: Code = Code("P008");
const BOUNDS: Code = Code("P009");
const PRICES: Code = Code("P012");
const MISSING: Code = Code("P013");
const LIMITS: Code = Code("P015");
const EVICTION: Code = Code("P025");
const FALLBACK: Code = Code("P027");
const LOST_WORK: Code = Code("P050");
const GUARDS: Code = Code("P016");
const DEADLINE: Code = Code("P019");
const SCALE_IN: Code = Code("P022");
const ORDERS: Code = Code("P060");

/// Samples are 30 seconds apart and each look costs the account a request, so that below 10 seconds there is nothing new to
/// see; after a day without a look a pool has no autoscaler. The service's own 5 minutes to 168 hours do not bind us.
const INTERVAL_MIN: Span = Span::seconds(10);
const INTERVAL_MAX: Span = Span::hours(24);

/// A sample is about a minute old when it arrives and the next comes 30 seconds later, so that with less than 90 seconds
/// every sample would be stale between two of them.
const STALE_AFTER_MIN: Span = Span::seconds(90);

/// Reads a policy; `load` gives the text of a formula file by the path that the policy writes, or a sentence why not.
///
/// The policy is there unless the findings have errors; warnings do not stop it.
pub fn read(
    name: &str,
    source: &str,
    load: &mut dyn FnMut(&str) -> Result<String, String>,
) -> (Option<Policy>, Findings) {
    let mut reader = Reader {
        source,
        load,
        checked: Checked::default(),
        findings: Findings::default(),
    };
    let policy = reader.policy(name);
    reader.findings.policy.sort_by_key(|found| found.span.start);
    let findings = reader.findings;
    (policy.filter(|_| !findings.has_errors()), findings)
}

/// Returns the JSON Schema of a policy file.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(PolicyFile)
}

pub(super) const FORMATS: &[Format] = &[
    Format {
        name: "Duration",
        wanted: "a duration with its unit, like 90s, 5m or 1h30m",
        read: Format::reads::<Span>,
    },
    Format {
        name: "Percent",
        wanted: "a share with its sign, like 50%",
        read: Format::reads::<Percent>,
    },
    Format {
        name: "TimeZone",
        wanted: "a time zone like Europe/Paris",
        read: Format::reads::<Zone>,
    },
    Format {
        name: "Cron",
        wanted: "a cron line in quotes, like \"0 7 * * mon-fri\"",
        read: Format::reads::<CronLine>,
    },
    Format {
        name: "Day",
        wanted: "a day like 2026-12-25, or 12-25 for every year",
        read: Format::reads::<Holiday>,
    },
    Format {
        name: "PoolPattern",
        wanted: "a pool id, or a pattern like genomics-*",
        read: |text| {
            let read = text.parse::<PoolPattern>();
            read.map(|_| ())
                .map_err(|error| format!("{error}; * stands for any of them"))
        },
    },
];

/// With these a policy is judged of which not even the frame stands; it is not used then.
pub(super) const STAND_INS: &[StandIn] = &[
    StandIn {
        key: "version",
        json: "1",
    },
    StandIn {
        key: "pool",
        json: "\"any\"",
    },
    StandIn {
        key: "demand",
        json: "[]",
    },
    // A formula is read the same whatever it is taken for.
    StandIn {
        key: "role",
        json: "\"targets\"",
    },
];

/// Reads one policy and gathers what is wrong with it.
pub(super) struct Reader<'a> {
    pub(super) source: &'a str,
    pub(super) load: &'a mut dyn FnMut(&str) -> Result<String, String>,
    /// What the schema says of the policy.
    pub(super) checked: Checked,
    pub(super) findings: Findings,
}

impl Reader<'_> {
    fn policy(&mut self, name: &str) -> Option<Policy> {
        let document = match Node::parse(self.source) {
            Ok(document) => document,
            Err(unreadable) => {
                let help = unreadable
                    .message
                    .starts_with("mapping values")
                    .then_some("a text that holds `: ` needs quotes, or stands below `|`");
                self.fault(UNREADABLE, unreadable.span, unreadable.message, help);
                return None;
            }
        };
        self.checked = Schema::of::<PolicyFile>(FORMATS, STAND_INS, CODES).check(&document);
        self.findings.policy.append(&mut self.checked.faults);
        self.say_what_moved(&document);
        // What is wrong with the values that stand is told beside what is wrong with the others.
        let document = self.checked.standing.take()?;
        // What the schema accepts serde reads: both come from the same types.
        let file: PolicyFile = match serde_json::from_value(document.to_json()) {
            Ok(file) => file,
            Err(_) if !self.findings.policy.is_empty() => return None,
            Err(error) => {
                self.fault(CODES.wrong_value, document.span.clone(), error.to_string(), None);
                return None;
            }
        };
        self.version(&file, &document);
        self.interval(file.interval, &document);
        let bounds = self.bounds(&file.bounds, &document);
        let demand = self.demand(&file.demand, &document);
        for (index, strategy) in file.demand.iter().enumerate() {
            if let DemandFile::Schedule(schedule) = strategy {
                let place = ["demand", &index.to_string(), "schedule"];
                self.complain(SCHEDULE, &place, schedule.complaints_within(&bounds), &document);
            }
        }
        let prices = self.prices(file.mix.prices, &document);
        let missing = self.missing(&file.guards.missing, &document);
        let steady = SteadyGuards {
            storm: file.guards.storm,
            step: file.guards.step,
            cooldown: file.guards.cooldown,
            flap: file.guards.flap,
        };
        self.complain(
            EVICTION,
            &["mix", "eviction"],
            file.mix.eviction.complaints(),
            &document,
        );
        self.complain(
            FALLBACK,
            &["mix", "fallback"],
            file.mix.fallback.complaints(),
            &document,
        );
        self.complain(
            LOST_WORK,
            &["mix", "lostWork"],
            file.mix.lost_work.complaints(),
            &document,
        );
        self.complain(GUARDS, &["guards"], steady.complaints(), &document);
        for (index, deadline) in file.deadlines.iter().enumerate() {
            let index = index.to_string();
            self.complain(DEADLINE, &["deadlines", &index], deadline.complaints(), &document);
        }
        self.deadlines_to_ask_for(&file, &document);
        self.complain(SCALE_IN, &["scaleIn"], file.scale_in.complaints(), &document);
        let orders = self.orders(&file, &document);
        self.limits(&file, bounds, prices, &document);
        Some(Policy {
            name: name.into(),
            pool: file.pool.0.parse().ok()?,
            mode: file.mode,
            interval: file.interval,
            metrics: metrics(&demand, &file.guards.missing.required),
            demand,
            bounds,
            eviction: file.mix.eviction,
            objective: file.mix.objective,
            risk: file.mix.risk.unwrap_or(Policy::RISK_USUAL),
            lost_work: file.mix.lost_work.rule(),
            fallback: file.mix.fallback,
            prices,
            deadlines: file.deadlines,
            quota: file.quota,
            budget: file.budget,
            missing,
            steady,
            scale_in: file.scale_in,
            orders,
        })
    }

    /// Says where a key stands now that a deadline had once: what a task saves is one thing for the whole policy.
    fn say_what_moved(&mut self, document: &Node) {
        let Some(deadlines) = document.get("deadlines") else {
            return;
        };
        for found in &mut self.findings.policy {
            let key = &self.source[found.span.clone()];
            let within = deadlines.span.start <= found.span.start && found.span.end <= deadlines.span.end;
            if found.code == CODES.unknown_key && within && key == "checkpoint" {
                "what tasks save is not told by a deadline".clone_into(&mut found.message);
                let way = "write it once for all tasks of the policy: mix: { lostWork: { checkpoint: { every: 10m } } }";
                found.help = Some(way.to_owned());
            }
        }
    }

    fn deadlines_to_ask_for(&mut self, file: &PolicyFile, document: &Node) {
        let by_deadlines = |strategy: &DemandFile| matches!(strategy, DemandFile::Deadlines(_));
        if let (Some(index), true) = (
            file.demand.iter().position(by_deadlines),
            file.deadlines.is_empty(),
        ) {
            let message = "the policy has no deadlines that could ask for nodes";
            let help = "write some, such as deadlines: [ { jobs: \"nightly-*\", finishBy: \"0 6 * * *\", timezone: UTC } ]";
            let place = ["demand", &index.to_string()];
            self.complain(
                DEADLINE,
                &place,
                vec![Complaint::new(&[], message, help)],
                document,
            );
        }
    }

    fn orders(&mut self, file: &PolicyFile, document: &Node) -> OrderRules {
        let orders = OrderRules {
            actuator: file.actuator.clone(),
            own_formula: file.own_formula,
            retake: file.retake,
            others: file.others,
            replace: file.replace,
        };
        self.complain(ORDERS, &[], orders.complaints(file.interval), document);
        let leases = matches!(orders.actuator, Actuator::LeaseFormula(_));
        if leases && file.scale_in.is_by_name() {
            let message = "the service removes no nodes by name while a pool follows a formula";
            let help = "leave unusable, preempted and idle out of `prefer`, or take actuator: resize";
            let complaint = Complaint::new(&["scaleIn", "prefer"], message, help);
            self.complain(ORDERS, &[], vec![complaint], document);
        }
        orders
    }

    fn limits(&mut self, file: &PolicyFile, bounds: Bounds, prices: Prices, document: &Node) {
        // Against bounds that contradict themselves nothing can be said.
        if !bounds.can_be_met() {
            return;
        }
        let quota = file.quota.complaints(&bounds);
        let mut caps = Caps {
            bounds,
            prices,
            hourly: None,
        };
        if quota.is_empty() {
            file.quota.lower(&mut caps);
            self.complain(LIMITS, &["budget"], file.budget.complaints(&caps), document);
        }
        self.complain(LIMITS, &["quota"], quota, document);
    }

    pub(super) fn fault(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        help: Option<&str>,
    ) {
        let fault = Diagnostic::error(code, span, message);
        self.findings.policy.push(match help {
            Some(help) => fault.help(help),
            None => fault,
        });
    }

    /// Tells what a part of the policy says cannot be meant.
    pub(super) fn complain(
        &mut self,
        code: Code,
        part: &[&str],
        complaints: Vec<Complaint>,
        document: &Node,
    ) {
        for complaint in complaints {
            let path: Vec<&str> = part
                .iter()
                .copied()
                .chain(complaint.path.iter().map(String::as_str))
                .collect();
            self.fault(
                code,
                span(document, &path),
                complaint.message,
                Some(&complaint.help),
            );
        }
    }

    fn version(&mut self, file: &PolicyFile, document: &Node) {
        if file.version != 1 {
            let message = format!("version {} of the policy format is not known", file.version);
            self.fault(
                VERSION,
                span(document, &["version"]),
                message,
                Some("write version: 1"),
            );
        }
    }

    fn interval(&mut self, interval: Span, document: &Node) {
        let help = if interval < INTERVAL_MIN {
            "take 10s or more: samples come every 30 seconds, more looks see nothing new"
        } else if interval > INTERVAL_MAX {
            "take 24h or less: a pool that is looked at less than once a day is not autoscaled"
        } else if interval.ticks() % Span::seconds(1).ticks() != 0 {
            "take whole seconds"
        } else {
            return;
        };
        let message = format!("the interval {} cannot be used", interval.in_short());
        self.fault(INTERVAL, span(document, &["interval"]), message, Some(help));
    }

    fn bounds(&mut self, file: &BoundsFile, document: &Node) -> Bounds {
        let usual = Bounds::default();
        let range = |given: Option<[Nodes; 2]>, usual| {
            given.map_or(usual, |[min, max]: [Nodes; 2]| NodeRange { min, max })
        };
        let mut bounds = Bounds {
            total: range(file.total, usual.total),
            dedicated: range(file.dedicated, usual.dedicated),
            spot: range(file.spot, usual.spot),
        };
        if file.total.is_none() {
            // Lanes that are given speak for the total.
            bounds.total.max = bounds.total.max.max(bounds.dedicated.max + bounds.spot.max);
        }
        let mut ordered = true;
        for (name, range) in [
            ("total", bounds.total),
            ("dedicated", bounds.dedicated),
            ("spot", bounds.spot),
        ] {
            if range.min > range.max {
                ordered = false;
                let message = format!(
                    "the least {name} nodes, {}, are more than the most, {}",
                    range.min, range.max
                );
                let help = format!("write {name}: [{}, {}]", range.max, range.min);
                self.fault(BOUNDS, span(document, &["bounds", name]), message, Some(&help));
            }
        }
        let place = span(document, &["bounds"]);
        let all_known = !self.checked.lacks(&["total", "dedicated", "spot"], &place);
        if ordered && all_known && !bounds.can_be_met() {
            self.fault(BOUNDS, place, contradiction(&bounds), Some("change one of them"));
        }
        bounds
    }

    fn prices(&mut self, file: PricesFile, document: &Node) -> Prices {
        let usual = Prices::default();
        let dedicated = file.dedicated.map_or(usual.dedicated, UsdHourly);
        let spot = file
            .spot
            .map_or(UsdHourly(dedicated.0 * Prices::SPOT_SHARE), UsdHourly);
        let place = span(document, &["mix", "prices"]);
        let both_known = !self.checked.lacks(&["dedicated", "spot"], &place);
        if both_known && spot.0 > dedicated.0 {
            let message = format!("a spot node at {spot} is dearer than a dedicated one at {dedicated}");
            let help = "prices are in US dollars for one node and one hour; are the two swapped?";
            self.fault(
                PRICES,
                span(document, &["mix", "prices", "spot"]),
                message,
                Some(help),
            );
        }
        Prices { dedicated, spot }
    }

    fn missing(&mut self, file: &MissingFile, document: &Node) -> MissingGuard {
        let usual = MissingGuard::default();
        let guard = MissingGuard {
            minded: file.then == Then::Hold,
            stale_after: file.stale_after.unwrap_or(usual.stale_after),
            enough_percent: file.enough.map_or(usual.enough_percent, |percent| percent.0),
            within: file.within.unwrap_or(usual.within),
        };
        let place = |key| span(document, &["guards", "missing", key]);
        if guard.stale_after < STALE_AFTER_MIN {
            let message = format!(
                "samples would be stale after {}, before the next one can arrive",
                guard.stale_after.in_short()
            );
            let help = "take 90s or more: a sample is a minute old when it arrives, and the next comes 30 seconds later";
            self.fault(MISSING, place("staleAfter"), message, Some(help));
        }
        if guard.within < STALE_AFTER_MIN || guard.within > Memory::HISTORY_KEPT {
            let message = format!("samples cannot be counted within {}", guard.within.in_short());
            self.fault(
                MISSING,
                place("within"),
                message,
                Some("take 90s to 7d, which is what is kept"),
            );
        }
        guard
    }
}

fn contradiction(bounds: &Bounds) -> String {
    let least = bounds.dedicated.min + bounds.spot.min;
    if least > bounds.total.max {
        let max = bounds.total.max;
        format!(
            "the least dedicated and spot nodes together, {least}, are more than the most in total, {max}"
        )
    } else {
        let most = bounds.dedicated.max + bounds.spot.max;
        let min = bounds.total.min;
        format!(
            "the most dedicated and spot nodes together, {most}, are fewer than the least in total, {min}"
        )
    }
}

/// Returns where a part of the document stands, or the nearest part around it.
pub(super) fn span(document: &Node, path: &[&str]) -> Range<usize> {
    (0..=path.len())
        .rev()
        .find_map(|length| document.at(&path[..length]))
        .map_or(0..0, |node| node.span.clone())
}
