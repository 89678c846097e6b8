//! Pools that nextflow makes, as policies that scale them as its formula does.
//!
//! Sources: `nextflow.config` as the Azure pages of the nextflow documentation describe it (`azure.batch.pools`), read in November
//! 2026. The formula is our own, with the meaning of the one that nextflow puts into a pool.

mod config;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use self::config::{Setting, Value};
use super::draft::{Draft, Wanted};
use super::length::length;
use super::native::judge;
use super::{Brought, not_mapped};
use crate::account::PoolPattern;
use crate::base::{Code, Diagnostic, Span, Timestamp};

const WRONG_VALUE: Code = Code("I002");

/// The scope of the pools.
const POOLS: [&str; 3] = ["azure", "batch", "pools"];

/// The pool that nextflow makes for each size of machine (`autoPoolMode`); its id begins with these letters and a hash.
const AUTO: &str = "auto";
const AUTO_IDS: &str = "nf-pool-*";

/// What nextflow takes where a pool does not say: one node, three times as many at most, five minutes.
const VM_COUNT_USUAL: u32 = 1;
const MAX_TIMES: u32 = 3;
const INTERVAL_USUAL: Span = Span::minutes(5);

/// The settings of a pool that say how large it is.
#[derive(Debug, Default)]
struct Pool {
    auto_scale: bool,
    vm_count: Option<u32>,
    max_vm_count: Option<u32>,
    formula: Option<Setting>,
    interval: Option<Span>,
    vm_type: Option<String>,
    low_priority: bool,
}

/// Reads a `nextflow.config`; `created` is when the pools were made, which formulas may ask for.
///
/// # Errors
/// Everything that cannot be used, by place.
pub fn nextflow(source: &str, created: Option<Timestamp>) -> Result<Brought, Vec<Diagnostic>> {
    let config = config::read(source)?;
    let mut reader = Reader::default();
    for setting in &config.settings {
        reader.setting(setting);
    }
    for (within, span) in &config.passed {
        if within.iter().take(3).eq(POOLS.iter().copied()) {
            reader.findings.push(not_mapped(
                span.clone(),
                "this",
                "it is neither a block nor a setting",
            ));
        }
    }
    let mut drafts = Vec::new();
    for (name, pool) in std::mem::take(&mut reader.pools) {
        drafts.extend(reader.draft(&name, &pool, created));
    }
    reader.faults.sort_by_key(|fault| fault.span.start);
    reader.findings.sort_by_key(|found| found.span.start);
    if reader.faults.is_empty() {
        Ok(Brought {
            drafts,
            findings: reader.findings,
        })
    } else {
        Err(reader.faults)
    }
}

#[derive(Debug, Default)]
struct Reader {
    pools: BTreeMap<String, Pool>,
    faults: Vec<Diagnostic>,
    findings: Vec<Diagnostic>,
}

impl Reader {
    fn setting(&mut self, setting: &Setting) {
        let path: Vec<&str> = setting.path.iter().map(String::as_str).collect();
        match path[..] {
            ["azure", "batch", "pools", name, key] => self.of_pool(name, key, setting),
            ["azure", "batch", "pools", name, ..] => {
                self.pools.entry(name.to_owned()).or_default();
                self.pass(setting, "it does not say how large the pool is");
            }
            ["azure", "batch", "pools"] => {
                self.pass(
                    setting,
                    "pools are read as blocks, `pools { name { … } }`, or by dotted names",
                );
            }
            ["profiles", profile, "azure", "batch", "pools", ..] => {
                let why = format!("it holds only with the profile `{profile}`");
                self.pass(setting, &why);
            }
            // The rest of a configuration does not speak of pools.
            _ => {}
        }
    }

    fn pass(&mut self, setting: &Setting, why: &str) {
        let name = format!("`{}`", setting.path.join("."));
        self.findings.push(not_mapped(setting.span.clone(), &name, why));
    }

    fn of_pool(&mut self, name: &str, key: &str, setting: &Setting) {
        let mut pool = self.pools.remove(name).unwrap_or_default();
        match key {
            "autoScale" => pool.auto_scale = self.flag(setting),
            "lowPriority" => pool.low_priority = self.flag(setting),
            "vmCount" => pool.vm_count = self.count(setting),
            "maxVmCount" => pool.max_vm_count = self.count(setting),
            "vmType" => pool.vm_type = self.text(setting),
            "scaleInterval" => pool.interval = self.length(setting),
            "scaleFormula" => pool.formula = self.text(setting).map(|_| setting.clone()),
            _ => self.pass(setting, "it does not say how large the pool is"),
        }
        self.pools.insert(name.to_owned(), pool);
    }

    fn wrong(&mut self, setting: &Setting, wanted: &str) {
        let name = setting.path.last().map_or("", String::as_str);
        let (message, help) = match setting.value {
            Value::Replaced => (
                format!("Groovy replaces the names with `$` in `{name}`"),
                "write the text between single quotes, or \\$ for each $".to_owned(),
            ),
            Value::Other => (
                format!("`{name}` cannot be known without running the configuration"),
                format!("write {wanted}"),
            ),
            _ => (format!("`{name}` cannot be used"), format!("write {wanted}")),
        };
        self.faults
            .push(Diagnostic::error(WRONG_VALUE, setting.span.clone(), message).help(help));
    }

    fn flag(&mut self, setting: &Setting) -> bool {
        match setting.value {
            Value::Flag(flag) => flag,
            Value::Null => false,
            _ => {
                self.wrong(setting, "true or false");
                false
            }
        }
    }

    fn count(&mut self, setting: &Setting) -> Option<u32> {
        match &setting.value {
            Value::Number(number)
                if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number) =>
            {
                Some(*number as u32)
            }
            Value::Text(text) if text.trim().parse::<u32>().is_ok() => text.trim().parse().ok(),
            Value::Null => None,
            _ => {
                self.wrong(setting, "a count of 0 or more");
                None
            }
        }
    }

    fn text(&mut self, setting: &Setting) -> Option<String> {
        match &setting.value {
            Value::Text(text) => Some(text.clone()),
            Value::Null => None,
            _ => {
                self.wrong(setting, "a text between quotes");
                None
            }
        }
    }

    fn length(&mut self, setting: &Setting) -> Option<Span> {
        let read = match &setting.value {
            Value::Length(span) => Some(*span),
            Value::Text(text) => length(text),
            Value::Null => return None,
            _ => None,
        };
        let read = read.filter(|span| *span > Span::ZERO);
        if read.is_none() {
            self.wrong(setting, "a length of time such as '10 min'");
        }
        read
    }

    fn draft(&mut self, name: &str, pool: &Pool, created: Option<Timestamp>) -> Option<Draft> {
        let id = pattern(name, pool);
        let Ok(pattern) = id.parse::<PoolPattern>() else {
            let message = format!("`{name}` cannot be the id of a pool");
            let help = "use 1 to 64 letters, digits, hyphens and underscores";
            self.faults
                .push(Diagnostic::error(WRONG_VALUE, 0..0, message).help(help));
            return None;
        };
        let interval = pool.interval.unwrap_or(INTERVAL_USUAL);
        let text = match &pool.formula {
            _ if !pool.auto_scale => format!("{} = {};\n", target(pool), count(pool)),
            None => usual(pool, interval, created),
            Some(setting) => self.filled(setting, pool, interval, created)?,
        };
        let mut draft = Draft::new(name, pattern, Wanted::Formula(text.into()));
        draft.as_service = pool.auto_scale;
        Self::tell(&mut draft, pool, created, interval);
        judge(&mut draft, None);
        Some(draft)
    }

    fn tell(draft: &mut Draft, pool: &Pool, created: Option<Timestamp>, interval: Span) {
        let name = draft.name.clone();
        draft.origin.push(match (pool.auto_scale, &pool.formula) {
            (false, _) => format!("Pool {name} of a nextflow.config: a fixed size, written as a formula."),
            (true, Some(_)) => format!("Pool {name} of a nextflow.config: its own scaleFormula, with its settings filled in."),
            (true, None) => format!("Pool {name} of a nextflow.config: a formula with the meaning of the one that nextflow puts into it."),
        });
        if name == AUTO {
            let origin = "Nextflow makes a pool for each size of machine that it needs, and gives it an id with a hash.";
            draft.origin.push(origin.to_owned());
        }
        if !pool.auto_scale {
            if pool.formula.is_some() || pool.interval.is_some() || pool.max_vm_count.is_some() {
                let note = "autoScale is off: scaleFormula, scaleInterval and maxVmCount change nothing and were left out";
                draft.notes.push(note.to_owned());
            }
            return;
        }
        super::native::interval(draft, Some(interval));
        if pool.formula.is_none() && created.is_none() {
            draft.notes.push(format!(
                "for its first {} the pool has {} nodes, whatever there is to do; when it was made is not known, and that was \
                 left out (--created)",
                interval.in_short(),
                count(pool)
            ));
        }
        if pool.formula.is_none() && pool.low_priority {
            let note = "the formula halves the dedicated target of an idle pool, also where its nodes are spot: it goes to 0 at once";
            draft.notes.push(note.to_owned());
        }
    }

    /// Fills in what nextflow fills into a formula: `{{vmCount}}` and its like.
    fn filled(
        &mut self,
        setting: &Setting,
        pool: &Pool,
        interval: Span,
        created: Option<Timestamp>,
    ) -> Option<String> {
        let Value::Text(text) = &setting.value else {
            return None;
        };
        let mut filled = text
            .replace("{{vmCount}}", &count(pool).to_string())
            .replace("{{maxVmCount}}", &most(pool).to_string())
            .replace("{{scaleInterval}}", &minutes(interval));
        if let Some(created) = created {
            filled = filled.replace("{{poolCreationTime}}", &created.to_string());
        }
        let Some(at) = filled.find("{{") else {
            return Some(filled);
        };
        let end = filled[at..].find("}}").map_or(filled.len(), |end| at + end + 2);
        let name = filled[at..end].to_owned();
        let help = if name == "{{poolCreationTime}}" {
            "give the time that the pool was made at with --created"
        } else {
            "nextflow fills in poolCreationTime, scaleInterval, vmCount and maxVmCount"
        };
        let message = format!("nothing is known to fill in for `{name}`");
        self.faults
            .push(Diagnostic::error(WRONG_VALUE, setting.span.clone(), message).help(help));
        None
    }
}

fn pattern(name: &str, pool: &Pool) -> String {
    match &pool.vm_type {
        _ if name != AUTO => name.to_owned(),
        Some(size) => format!("{AUTO_IDS}-{size}"),
        None => AUTO_IDS.to_owned(),
    }
}

fn count(pool: &Pool) -> u32 {
    pool.vm_count.unwrap_or(VM_COUNT_USUAL)
}

fn most(pool: &Pool) -> u32 {
    pool.max_vm_count
        .unwrap_or_else(|| count(pool).saturating_mul(MAX_TIMES))
}

fn minutes(interval: Span) -> String {
    format!("{}", interval.as_seconds() / 60.0)
}

const fn target(pool: &Pool) -> &'static str {
    if pool.low_priority {
        "$TargetLowPriorityNodes"
    } else {
        "$TargetDedicatedNodes"
    }
}

/// Returns a formula with the meaning of the one that nextflow puts into a pool.
fn usual(pool: &Pool, interval: Span, created: Option<Timestamp>) -> String {
    let mut text = format!(
        "// A node for each task that waits or runs; half of the nodes while there is none.\n\
         window = TimeInterval_Minute * {};\n\
         share = $PendingTasks.GetSamplePercent(window);\n\
         newest = max(0, $PendingTasks.GetSample(1));\n\
         tasks = share < 70 ? newest : max(newest, avg($PendingTasks.GetSample(window)));\n\
         wanted = tasks > 0 ? tasks : max(0, $TargetDedicatedNodes / 2);\n",
        minutes(interval)
    );
    let (target, most, least) = (target(pool), most(pool), count(pool));
    // Writing to a string cannot fail.
    let _ = match created {
        None => writeln!(text, "{target} = max(0, min(wanted, {most}));"),
        Some(created) => writeln!(
            text,
            "age = time() - time(\"{created}\");\n{target} = age < window ? {least} : max(0, min(wanted, {most}));"
        ),
    };
    text + "$NodeDeallocationOption = taskcompletion;\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brought(source: &str) -> Brought {
        nextflow(source, None).unwrap_or_else(|faults| panic!("{faults:?}"))
    }

    fn faults(source: &str) -> Vec<String> {
        let faults = nextflow(source, None).unwrap_err();
        faults.into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn the_usual_formula_knows_the_settings_of_its_pool() {
        let brought = brought(
            "azure { batch { pools { auto { autoScale = true; vmCount = 2\n vmType = 'Standard_D4_v3'\n privileged = true } } } }",
        );
        let draft = &brought.drafts[0];
        assert_eq!(
            (draft.name.as_str(), draft.pool.as_str()),
            ("auto", "nf-pool-*-Standard_D4_v3")
        );
        assert!(
            draft.formula().unwrap().contains("min(wanted, 6)"),
            "{:?}",
            draft.formula()
        );
        assert_eq!(draft.bounds[0].max.0, 6);
        assert_eq!(draft.interval.as_ref().unwrap().0, Span::minutes(5));
        assert_eq!(
            brought.findings[0].message,
            "`azure.batch.pools.auto.privileged` was not brought"
        );
    }

    #[test]
    fn a_pool_that_was_made_at_a_known_time_has_its_first_interval() {
        let created = "2026-11-25T09:00:00Z".parse().ok();
        let source = "azure.batch.pools.p.autoScale = true\nazure.batch.pools.p.lowPriority = true";
        let brought = nextflow(source, created).unwrap();
        let formula = brought.drafts[0].formula().unwrap();
        assert!(
            formula.contains("age < window ? 1 : max(0, min(wanted, 3))"),
            "{formula}"
        );
        assert!(formula.contains("$TargetLowPriorityNodes = "), "{formula}");
        assert!(
            !brought.drafts[0].has_errors(),
            "{:?}",
            brought.drafts[0].diagnostics
        );
    }

    #[test]
    fn a_formula_of_ones_own_is_kept_and_filled_in() {
        let source = "azure.batch.pools.p { autoScale = true; vmCount = 4; scaleInterval = '10 min'\n\
                      scaleFormula = '''\n  $TargetDedicatedNodes = min({{maxVmCount}}, {{vmCount}} * {{scaleInterval}});\n  '''\n}";
        let brought = brought(source);
        assert_eq!(
            brought.drafts[0].formula(),
            Some("\n  $TargetDedicatedNodes = min(12, 4 * 10);\n  ")
        );
    }

    #[test]
    fn what_cannot_be_known_is_told_where_it_stands() {
        assert_eq!(
            faults(
                "azure.batch.pools.p { autoScale = true; vmCount = params.n\n maxVmCount = -1\n scaleInterval = 'often'\n\
                 scaleFormula = \"$TargetDedicatedNodes = 1;\"\n }\nazure.batch.pools.q { autoScale = true\n\
                 scaleFormula = 'x = time(\"{{poolCreationTime}}\");' }"
            ),
            [
                "`vmCount` cannot be known without running the configuration",
                "`maxVmCount` cannot be known without running the configuration",
                "`scaleInterval` cannot be used",
                "Groovy replaces the names with `$` in `scaleFormula`",
                "nothing is known to fill in for `{{poolCreationTime}}`",
            ]
        );
    }

    #[test]
    fn what_speaks_of_no_pool_is_passed_over() {
        let brought = brought(
            "process { cpus = 2 }\nprofiles { big { azure.batch.pools.p.vmCount = 9 } }\nazure.region = 'x'",
        );
        assert!(brought.drafts.is_empty());
        assert_eq!(brought.findings.len(), 1, "{:?}", brought.findings);
    }
}
