//! Formulas that the service's documentation prints, word for word.

/// The formula for pending tasks, with its limit of 25 nodes: "Create a formula to automatically scale compute nodes in a Batch
/// pool", learn.microsoft.com, section "Pending tasks" (read November 2026).
pub const PENDING_TASKS: &str = "\
startingNumberOfVMs = 1;
maxNumberofVMs = 25;
pendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);
pendingTaskSamples = pendingTaskSamplePercent < 70 ? startingNumberOfVMs : avg($PendingTasks.GetSample(180 * TimeInterval_Second));
$TargetDedicatedNodes=min(maxNumberofVMs, pendingTaskSamples);
$NodeDeallocationOption = taskcompletion;
";
