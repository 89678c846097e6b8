//! What the operator wants: which pools, how often, how demand is told, and within which bounds.
//!
//! The room is pure: the caller reads the policy file and hands in the formula files that it names.

mod account;
mod account_wide;
mod actuator;
mod ask;
mod backlog;
mod bounds;
mod by_cost;
mod calendar;
mod caps;
mod codes;
mod complaint;
mod deadline;
mod deadline_plan;
mod due_times;
mod file;
mod findings;
mod fitted;
mod forecast;
mod formulas;
mod guard;
mod inline;
mod lease_text;
mod limits;
mod lint;
mod lost_work;
mod order_rules;
mod outside;
mod queue;
mod read;
mod read_account;
mod replace;
mod restrain;
mod scale_in;
mod schedule;
mod settings;
mod source;
mod split;
mod steady;
mod track;

pub use account::{AccountFile, AccountKind, AccountPolicy, SharedBudget, SharedBudgetFile, SizeFile};
pub use actuator::{Actuator, LeaseFallback, LeaseFormula};
pub use ask::{Answer, Ask, Need, Workings};
pub use backlog::{Backlog, Eviction, EvictionPrior, InfeasibleTasks};
pub use by_cost::Fallback;
pub use calendar::{CronLine, Holiday, Zone};
pub use caps::Caps;
pub use codes::CODES;
pub use complaint::Complaint;
pub use deadline::Deadline;
pub use deadline_plan::ByDeadlines;
pub use due_times::DueTimes;
pub use file::{
    BoundsFile, DemandFile, FormulaFile, GuardsFile, MissingFile, MixFile, PatternText, Percent, PolicyFile,
    PricesFile, Required, Role, Then,
};
pub use findings::{FileFindings, Findings};
pub use fitted::Fits;
pub use forecast::Forecast;
pub use lease_text::Leased;
pub use limits::{Budget, OnSoft, Quota};
pub use lint::lint;
pub use lost_work::{LostWorkFile, Saves, SavesEvery, SavesWord};
pub use order_rules::{OrderRules, OthersRule, OwnFormulaRule, RetakeRule};
pub use outside::{Asks, Counts};
pub use queue::{Plus, Queue};
pub use read::{read, schema};
pub use read_account::{account_schema, is_account, read_account};
pub use replace::{Breaker, Due, ReplaceRule, ThenReplace};
pub use scale_in::{GoesFirst, ScaleIn};
pub use schedule::{Held, Rule, Schedule};
pub use settings::{
    Bounds, Demand, DemandFormula, MissingGuard, Mode, Objective, Policies, Policy, Prices, Range,
};
pub use source::{Jobs, Messages, Outside, Source, WhenMissing};
pub use steady::{CooldownGuard, FlapGuard, FlapThen, SteadyGuards, StepGuard, StormGuard};
pub use track::Track;
