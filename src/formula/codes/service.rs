//! The service's own codes of a run that fails, which `eval` answers with in their words.

use super::CodeRow;

#[rustfmt::skip] // A table: its rows stay together.
pub(super) const ROWS: &[CodeRow] = &[
    CodeRow::shown("InsufficientSampleData", "the service's code: a window holds fewer samples than are wanted", "Recorded. On every new pool, until a window has filled.",
        "x = avg($PendingTasks.GetSample(TimeInterval_Minute * 5, 70));",
        "w = TimeInterval_Minute * 5; x = $PendingTasks.GetSamplePercent(w) < 70 ? 0 : avg($PendingTasks.GetSample(w, 70));"),
    CodeRow::shown("AutoScalingFormulaEvaluationError", "the service's code: anything else that goes wrong while evaluating", "Recorded. Wrong names and types are among it: the service finds them when it gets there.",
        "x = $nothing;", "$nothing = 0; x = $nothing;"),
    CodeRow::shown("AutoScalingFormulaSyntaxError", "the service's code: the formula cannot be read", "Documented, the text of its detail was never recorded; F0xx says what is wrong.",
        "x = 3 *;", "x = 3 * 2;"),
    CodeRow::shown("AutoScaleFormulaTooLong", "the service's code: the formula is longer than 8,192 characters", "Documented; F001 says by how much.",
        "x = 1;«          »×820", "x = 1;"),
];
