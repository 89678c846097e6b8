//! Functions that give a number. The elements of all arguments are folded in order, without a vector in between.

use super::extreme::{larger, smaller};
use super::number::{Operand, computed};
use super::sample::{Samples, Sufficient};
use super::{Compiler, Number, Vector};
use crate::formula::ast::Place;
use crate::formula::builtin::{Function, Method, Parameters, Type};
use crate::formula::checked::{Kind, Node};
use crate::formula::run::{Found, Halt, Run, fault};
use crate::formula::{Dialect, Lean};
use crate::signal::as_number;

/// An argument of a fold.
enum Part {
    Number(Operand),
    /// Samples, oldest first: their elements come newest first.
    Samples(Samples),
    Variable(usize),
    Vector(Vector),
}

impl Part {
    /// Adds the part's elements to what was folded before.
    #[inline]
    fn fold(&self, run: &mut Run<'_>, all: Folded, add: &impl Fn(Folded, f64) -> Folded) -> Folded {
        match self {
            Self::Number(number) => add(all, number.get(run)),
            Self::Samples(samples) => {
                let values = samples.find_counted(run);
                values.iter().rev().fold(all, |all, x| add(all, *x))
            }
            Self::Variable(slot) => {
                if !run.spend(run.memory.vectors[*slot].len()) {
                    return all;
                }
                let values = run.memory.vectors[*slot].iter();
                values.fold(all, |all, x| add(all, *x))
            }
            Self::Vector(vector) => {
                let mut buffer = run.take_scratch();
                vector(run, &mut buffer);
                let all = buffer.iter().fold(all, |all, x| add(all, *x));
                run.give_scratch(buffer);
                all
            }
        }
    }
}

/// What a fold carries along.
#[derive(Clone, Copy, Default)]
struct Folded {
    count: usize,
    one: f64,
    other: f64,
}

impl Compiler<'_> {
    pub(super) fn call_number(
        &self,
        function: Function,
        open: usize,
        arguments: &[Node],
        span: &Place,
    ) -> Number {
        match function {
            Function::Rand => computed(|run: &mut Run<'_>| run.random()),
            Function::Val | Function::Percentile => self.pick(function, open, arguments, span),
            Function::Std => {
                let (gather, empty) = (self.gather(arguments), self.when_empty(function, open, span));
                over(gather, move |run, values| {
                    if values.is_empty() {
                        empty.get(run)
                    } else {
                        deviation(values)
                    }
                })
            }
            _ if function.row().parameters == Parameters::Elementwise => {
                self.operand(&arguments[0]).then(elementwise(function))
            }
            _ => self.fold_call(function, open, arguments, span),
        }
    }

    fn fold_call(&self, function: Function, open: usize, arguments: &[Node], span: &Place) -> Number {
        if let [left, right] = arguments
            && let Some(number) = self.extreme(function, left, right)
        {
            return number;
        }
        if let Some(total) = self.total(function, open, arguments, span) {
            return computed(move |run| total.get(run));
        }
        let empty = self.when_empty(function, open, span);
        macro_rules! folded {
            ($step:expr, $finish:expr) => {
                fold(self.parts(arguments), empty, $step, $finish)
            };
        }
        match function {
            Function::Avg => folded!(|all, x| all.one += x, |all| all.one / all.count as f64),
            Function::Sum => folded!(|all, x| all.one += x, |all| all.one),
            Function::Len => folded!(|_, _| (), |all| all.count as f64),
            Function::Norm => folded!(|all, x| all.one += x * x, |all| all.one.sqrt()),
            Function::Max => folded!(
                |all, x| all.one = if all.count == 0 { x } else { larger(all.one, x) },
                |all| all.one
            ),
            Function::Min => folded!(
                |all, x| all.one = if all.count == 0 { x } else { smaller(all.one, x) },
                |all| all.one
            ),
            Function::Range => folded!(
                |all, x| {
                    all.one = if all.count == 0 { x } else { larger(all.one, x) };
                    all.other = if all.count == 0 { x } else { smaller(all.other, x) };
                },
                |all| all.one - all.other
            ),
            other => unreachable!("{other:?} is no fold"),
        }
    }

    /// Compiles a node if it is the sum or the average of one window.
    pub(super) fn total_of(&self, node: &Node) -> Option<Total> {
        let Kind::Call {
            function,
            open,
            arguments,
        } = &node.kind
        else {
            return None;
        };
        self.total(*function, *open, arguments, &node.span)
    }

    fn total(&self, function: Function, open: usize, arguments: &[Node], span: &Place) -> Option<Total> {
        let is_average = match function {
            Function::Avg => true,
            Function::Sum => false,
            _ => return None,
        };
        let [only] = arguments else { return None };
        let window = self.window_of(only)?;
        Some(Total {
            window,
            is_average,
            empty: self.when_empty(function, open, span),
        })
    }

    fn parts(&self, arguments: &[Node]) -> Vec<Part> {
        let part = |node: &Node| match (&node.kind, node.ty) {
            (_, Type::Double | Type::Never) => Part::Number(self.operand(node)),
            (Kind::Sample(sample), _) if sample.method == Method::GetSample => {
                Part::Samples(self.samples(sample))
            }
            (Kind::Variable(index), Type::DoubleVec) => Part::Variable(self.checked.variables[index.0].slot),
            _ => Part::Vector(self.vector(node)),
        };
        arguments.iter().map(part).collect()
    }

    /// Compiles arguments into one vector.
    pub(super) fn gather(&self, arguments: &[Node]) -> Vector {
        let vectors: Vec<Vector> = arguments.iter().map(|argument| self.vector(argument)).collect();
        Box::new(move |run, buffer| vectors.iter().for_each(|vector| vector(run, buffer)))
    }

    /// What a function of no elements gives: nothing at all for sums and counts, 0 with a note otherwise.
    fn when_empty(&self, function: Function, open: usize, span: &Place) -> Number {
        let name = function.row().name;
        if matches!(function, Function::Sum | Function::Len | Function::Norm) {
            return computed(|_| 0.0);
        }
        if self.scope.dialect == Dialect::Strict {
            return computed(move |run| run.fail(open, format!("{name} of an empty vector")));
        }
        let span = span.clone();
        computed(move |run| {
            run.lean(Lean::EmptyReduction, &span);
            0.0
        })
    }

    fn pick(&self, function: Function, open: usize, arguments: &[Node], span: &Place) -> Number {
        let (vector, at) = (self.vector(&arguments[0]), self.number(&arguments[1]));
        let empty = self.when_empty(function, open, span);
        computed(move |run| {
            let mut buffer = run.take_scratch();
            vector(run, &mut buffer);
            let at = at.get(run);
            let picked = if buffer.is_empty() {
                Ok(empty.get(run))
            } else if function == Function::Val {
                element(&buffer, at, open)
            } else {
                percentile(&mut buffer, at, open)
            };
            run.give_scratch(buffer);
            run.settle(picked)
        })
    }
}

/// Folds the elements of all parts in order; a vector's first element is its newest.
fn fold<S, F>(parts: Vec<Part>, empty: Number, step: S, finish: F) -> Number
where
    S: Fn(&mut Folded, f64) + Send + Sync + 'static,
    F: Fn(&Folded) -> f64 + Send + Sync + 'static,
{
    // By value, so that the sum of a window stays in a register.
    let add = move |mut all: Folded, x: f64| {
        step(&mut all, x);
        all.count += 1;
        all
    };
    let close = move |run: &mut Run<'_>, all: Folded| {
        if all.count == 0 {
            empty.get(run)
        } else {
            finish(&all)
        }
    };
    // One or two arguments are what formulas have; the loop over a list would cost as much as their work.
    match <[Part; 1]>::try_from(parts) {
        Ok([only]) => computed(move |run| {
            let all = only.fold(run, Folded::default(), &add);
            close(run, all)
        }),
        Err(parts) => match <[Part; 2]>::try_from(parts) {
            Ok([first, second]) => computed(move |run| {
                let all = first.fold(run, Folded::default(), &add);
                let all = second.fold(run, all, &add);
                close(run, all)
            }),
            Err(parts) => computed(move |run| {
                let mut all = Folded::default();
                for part in &parts {
                    all = part.fold(run, all, &add);
                }
                close(run, all)
            }),
        },
    }
}

/// The sum or the average of a window, the commonest fold of all.
pub(super) struct Total {
    window: Sufficient,
    is_average: bool,
    empty: Number,
}

impl Total {
    #[inline]
    pub(super) fn get(&self, run: &mut Run<'_>) -> f64 {
        let Found { values, sum } = self.window.find_counted(run);
        if values.is_empty() {
            return self.empty.get(run);
        }
        let sum = sum.unwrap_or_else(|| values.iter().rev().fold(0.0, |sum, x| sum + x));
        if self.is_average {
            sum / as_number(values.len())
        } else {
            sum
        }
    }
}

/// Gives a function the whole vector.
fn over<F>(gather: Vector, function: F) -> Number
where
    F: Fn(&mut Run<'_>, &[f64]) -> f64 + Send + Sync + 'static,
{
    computed(move |run| {
        let mut buffer = run.take_scratch();
        gather(run, &mut buffer);
        let number = function(run, &buffer);
        run.give_scratch(buffer);
        number
    })
}

/// The sample standard deviation; that of one value is 0.
fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

fn element(values: &[f64], index: f64, open: usize) -> Result<f64, Halt> {
    let found = if index >= 0.0 {
        values.get(index as usize)
    } else {
        None
    };
    match found {
        Some(value) => Ok(*value),
        None => fault(
            open,
            format!(
                "Index {index} is out of range for a doubleVec of {} elements",
                values.len()
            ),
        ),
    }
}

/// Nearest rank on sorted data; the method is not documented.
fn percentile(values: &mut [f64], percent: f64, open: usize) -> Result<f64, Halt> {
    if !(0.0..=100.0).contains(&percent) {
        return fault(open, format!("Percentile {percent} is not between 0 and 100"));
    }
    values.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * values.len() as f64).ceil() as usize;
    Ok(values[rank.clamp(1, values.len()) - 1])
}

/// Returns a function of one number.
pub(super) fn elementwise(function: Function) -> fn(f64) -> f64 {
    match function {
        Function::Ceil => f64::ceil,
        Function::Floor => f64::floor,
        Function::Round => f64::round,
        Function::Lg => f64::log2,
        Function::Ln => f64::ln,
        Function::Log => f64::log10,
        other => unreachable!("{other:?} is not of one number"),
    }
}
