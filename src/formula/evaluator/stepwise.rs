//! A run whose statements are run one by one, with values put in between that are known from elsewhere.

use super::Evaluator;
use crate::formula::Inputs;
use crate::formula::Value;
use crate::formula::checked::Target;
use crate::formula::compile::write_variable;
use crate::formula::run::{Halt, Run};

impl Evaluator {
    /// Begins a run of which each statement is run by [`Evaluator::step`].
    pub(in crate::formula) fn begin_steps(&mut self, inputs: &Inputs<'_>) {
        self.begin(inputs);
    }

    /// Runs one statement and returns what it set; a bare expression sets nothing.
    pub(in crate::formula) fn step(
        &mut self,
        index: usize,
        inputs: &Inputs<'_>,
    ) -> Result<Option<Value>, Halt> {
        let formula = self.formula.clone();
        let mut run = Run::new(inputs, &mut self.numbers, &mut self.memory);
        (formula.steps[index])(&mut run);
        match run.end() {
            Some(halt) => Err(halt),
            None => Ok(self.value_of(&formula.checked.statements[index])),
        }
    }

    /// Sets what a statement sets; a target of the pool is left as it is, because only its whole part would be known.
    pub(in crate::formula) fn put(&mut self, index: usize, value: &Value) {
        match &self.formula.checked.statements[index].target {
            Target::Variable(variable) => {
                let variable = &self.formula.checked.variables[variable.0];
                write_variable(&mut self.numbers, &mut self.memory, variable, value);
            }
            Target::Option => self.memory.option = value.to_string().parse().ok(),
            Target::Nodes { .. } | Target::Nothing => {}
        }
    }
}
