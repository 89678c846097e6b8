//! Pools that run a formula of their own, as policies that run the same formula.

use std::sync::Arc;

use super::draft::{Bound, Draft, Wanted};
use super::pool::NativePool;
use crate::account::{PoolId, PoolPattern};
use crate::base::{Diagnostic, Lane, Nodes, Span};
use crate::formula::{self, Basis, Dialect, Formula, Scope, TargetRange};

/// The service's own interval where none is given (Pool - Add, REST API: default 15 minutes).
const INTERVAL_USUAL: Span = Span::minutes(15);

/// The longest interval of a policy; the service takes up to 168 hours.
const INTERVAL_MAX: Span = Span::hours(24);

/// Without an upper bound lints say so; in a policy the bounds are one.
const NO_UPPER_BOUND: &str = "F219";

/// Reads pools as `az batch pool show`, `az batch pool list` or the REST API give them.
///
/// # Errors
/// Everything that cannot be used, by place.
pub fn native(source: &str) -> Result<Vec<Draft>, Vec<Diagnostic>> {
    let pools = NativePool::read_all(source)?;
    Ok(pools.iter().map(draft).collect())
}

/// Makes a policy that does what a pool does by itself.
pub fn draft(pool: &NativePool) -> Draft {
    let is_fixed = pool.formula.is_none();
    let text: Arc<str> = match &pool.formula {
        Some(formula) => formula.as_str().into(),
        None => constants(pool).into(),
    };
    let mut draft = Draft::new(pool.id.as_str(), exactly(&pool.id), Wanted::Formula(text));
    draft.origin.push(if is_fixed {
        format!(
            "Pool {} as it stands: a fixed size, written as a formula.",
            pool.id
        )
    } else {
        format!(
            "Pool {} as it scales by itself: its own formula, kept verbatim.",
            pool.id
        )
    });
    if is_fixed {
        draft
            .notes
            .push("the pool has no formula; its targets were kept as constants".to_owned());
    } else {
        if pool.auto_scale == Some(false) {
            let note =
                "the pool has a formula, but its autoscale is off: its size is not what the formula says";
            draft.notes.push(note.to_owned());
        }
        interval(&mut draft, pool.interval);
        draft.as_service = true;
    }
    judge(&mut draft, Some(pool));
    draft
}

/// Returns the pattern that matches one pool.
fn exactly(id: &PoolId) -> PoolPattern {
    id.as_str().parse().expect("an id without stars is a pattern")
}

/// Keeps how often the formula runs.
pub(super) fn interval(draft: &mut Draft, interval: Option<Span>) {
    draft.interval = Some(match interval {
        None => {
            let remark = "Nothing says how often the formula runs; this is what the service does then.";
            (INTERVAL_USUAL, Some(remark.to_owned()))
        }
        Some(interval) if interval > INTERVAL_MAX => {
            let note = format!(
                "the formula runs every {}, and a policy looks once a day at least: 24h was written",
                interval.in_short()
            );
            draft.notes.push(note);
            (INTERVAL_MAX, None)
        }
        Some(interval) => (interval, None),
    });
}

/// Checks the formula of a draft, and bounds it by what is proven of its targets.
pub(super) fn judge(draft: &mut Draft, pool: Option<&NativePool>) {
    let Some(text) = draft.formula().map(Arc::<str>::from) else {
        return;
    };
    match Formula::compile(&text, &Scope::new(Dialect::Service)) {
        Err(faults) => draft.diagnostics = faults,
        Ok(formula) => {
            draft.diagnostics = formula.diagnostics().to_vec();
            draft.diagnostics.extend(formula::lint(&formula));
            draft.diagnostics.retain(|found| found.code.0 != NO_UPPER_BOUND);
            draft
                .diagnostics
                .sort_by_key(|found| (found.span.start, found.code));
            let ranges = formula::target_ranges(&formula);
            for lane in Lane::ALL {
                bound(draft, lane, ranges.get(lane), pool);
            }
        }
    }
}

fn bound(draft: &mut Draft, lane: Lane, range: TargetRange, pool: Option<&NativePool>) {
    let target = pool.and_then(|pool| match lane {
        Lane::Dedicated => pool.target_dedicated,
        Lane::Spot => pool.target_spot,
    });
    let word = lane.word();
    let (remark, max) = match (range.basis, range.high) {
        (Basis::Constant | Basis::Bounded, Some(high)) => (
            "Proven: the formula sets nothing else, whatever the samples say.".to_owned(),
            high,
        ),
        (Basis::Pool(most), Some(high)) if target.is_none_or(|target| target <= most) => {
            let remark = format!("Proven for as long as the pool has at most {most} nodes of each kind.");
            (remark, high)
        }
        (Basis::Unset, _) => {
            if let Some(target) = target.filter(|target| *target > Nodes::ZERO) {
                let note = format!("the formula does not set {word} nodes; the pool keeps its {target}");
                draft.notes.push(note);
            }
            return;
        }
        (Basis::Failing, _) => {
            draft.notes.push(format!(
                "every run of the formula fails, so that no bound of {word} nodes is known"
            ));
            return;
        }
        _ => {
            let note = format!(
                "nothing in the formula bounds {word} nodes: no bound was written, and a policy without one stops at 1000"
            );
            draft.notes.push(note);
            return;
        }
    };
    draft.bounds.push(Bound {
        lane,
        min: range.low,
        max,
        remark: Some(remark),
    });
}

/// Returns a formula for a pool of a fixed size.
fn constants(pool: &NativePool) -> String {
    let line = |name: &str, target: Option<Nodes>| {
        target.map_or(String::new(), |target| format!("{name} = {target};\n"))
    };
    line("$TargetDedicatedNodes", pool.target_dedicated) + &line("$TargetLowPriorityNodes", pool.target_spot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(source: &str) -> Draft {
        native(source).unwrap().remove(0)
    }

    #[test]
    fn bounds_are_those_that_are_proven() {
        let draft = one(
            r#"{"id": "a", "enableAutoScale": true, "autoScaleEvaluationInterval": "PT10M",
            "autoScaleFormula": "$TargetDedicatedNodes = min(25, $PendingTasks.GetSample(1));"}"#,
        );
        let [dedicated] = &draft.bounds[..] else {
            panic!("{:?}", draft.bounds)
        };
        assert_eq!((dedicated.min, dedicated.max), (Nodes(0), Nodes(25)));
        assert_eq!(draft.interval, Some((Span::minutes(10), None)));
        assert!(draft.as_service && draft.notes.is_empty(), "{:?}", draft.notes);
    }

    #[test]
    fn what_nobody_bounds_gets_no_bound_and_a_note() {
        let draft = one(
            r#"{"id": "a", "autoScaleFormula": "$TargetDedicatedNodes = avg($PendingTasks.GetSample(10));",
            "targetLowPriorityNodes": 3, "enableAutoScale": false, "autoScaleEvaluationInterval": "P7D"}"#,
        );
        assert_eq!(draft.bounds, []);
        assert_eq!(draft.notes.len(), 4, "{:?}", draft.notes);
        assert_eq!(draft.interval, Some((INTERVAL_MAX, None)));
    }

    #[test]
    fn a_pool_of_a_fixed_size_keeps_it() {
        let draft = one(r#"{"id": "a", "targetDedicatedNodes": 2, "targetLowPriorityNodes": 10}"#);
        assert_eq!(
            draft.formula(),
            Some("$TargetDedicatedNodes = 2;\n$TargetLowPriorityNodes = 10;\n")
        );
        let bounds: Vec<_> = draft
            .bounds
            .iter()
            .map(|bound| (bound.min.0, bound.max.0))
            .collect();
        assert_eq!(bounds, [(2, 2), (10, 10)]);
    }

    #[test]
    fn a_formula_that_cannot_be_read_makes_no_policy() {
        assert!(one(r#"{"id": "a", "autoScaleFormula": "$TargetDedicatedNodes = ;"}"#).has_errors());
        assert!(one(r#"{"id": "a", "autoScaleFormula": "$TargetDedicatedNodes = tasks;"}"#).has_errors());
    }
}
