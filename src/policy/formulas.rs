//! The formulas of a policy, out of files of their own or out of the policy itself.

use std::ops::Range;

use super::complaint::Complaint;
use super::file::{DemandFile, FormulaFile};
use super::findings::FileFindings;
use super::inline::InlineText;
use super::read::{Reader, span};
use super::{Demand, DemandFormula, Policy, Required, Role};
use crate::base::document::Node;
use crate::base::{Code, Diagnostic, Span};
use crate::decision::Memory;
use crate::formula::checked::Kind;
use crate::formula::{Formula, Scope, looks_back};
use crate::signal::Metric;

const FORMULA_SOURCE: Code = Code("P010");
const FORMULA_FILE: Code = Code("P011");
pub(super) const SCHEDULE: Code = Code("P014");
const SIGNAL: Code = Code("P017");
const RETIRED: Code = Code("P018");
const FORECAST: Code = Code("P021");
const BACKLOG: Code = Code("P024");

impl Reader<'_> {
    pub(super) fn demand(&mut self, demand: &[DemandFile], document: &Node) -> Vec<Demand> {
        let strategies = demand.iter().enumerate();
        strategies
            .filter_map(|(index, strategy)| {
                let index = index.to_string();
                match strategy {
                    DemandFile::Formula(formula) => {
                        let node = document.at(&["demand", &index, "formula"])?;
                        self.formula(formula, node).map(Demand::Formula)
                    }
                    DemandFile::Schedule(schedule) => {
                        self.complain(
                            SCHEDULE,
                            &["demand", &index, "schedule"],
                            schedule.complaints(),
                            document,
                        );
                        Some(Demand::Schedule(schedule.clone()))
                    }
                    DemandFile::Track(track) => {
                        self.mind_signal(&["demand", &index, "track"], track.complaints(), document);
                        self.mind_retired(track.metric, &["demand", &index, "track", "metric"], document);
                        Some(Demand::Track(track.clone()))
                    }
                    DemandFile::Forecast(forecast) => {
                        let mut complaints = forecast.complaints();
                        let others = |other: &DemandFile| !matches!(other, DemandFile::Forecast(_));
                        if !demand.iter().any(others) {
                            complaints.push(forecast_alone());
                        }
                        self.complain(FORECAST, &["demand", &index, "forecast"], complaints, document);
                        Some(Demand::Forecast(forecast.as_read()))
                    }
                    DemandFile::Backlog(backlog) => {
                        let place = ["demand", &index, "backlog"];
                        self.complain(BACKLOG, &place, backlog.complaints(), document);
                        Some(Demand::Backlog(*backlog))
                    }
                    DemandFile::Deadlines(deadlines) => Some(Demand::Deadlines(*deadlines)),
                    DemandFile::Queue(queue) => {
                        self.mind_signal(&["demand", &index, "queue"], queue.complaints(), document);
                        self.mind_retired(queue.metric, &["demand", &index, "queue", "metric"], document);
                        Some(Demand::Queue(queue.clone()))
                    }
                }
            })
            .collect()
    }

    /// Tells what cannot be meant of a signal, unless nobody knows which source is.
    fn mind_signal(&mut self, path: &[&str], complaints: Vec<Complaint>, document: &Node) {
        if !self.checked.lacks(&["source"], &span(document, path)) {
            self.complain(SIGNAL, path, complaints, document);
        }
    }

    fn mind_retired(&mut self, metric: Option<Metric>, path: &[&str], document: &Node) {
        if let Some(metric) = metric.filter(|metric| metric.is_retired()) {
            let message = format!("the service has taken no samples of {metric} since 31 March 2024");
            let warning = Diagnostic::warning(RETIRED, span(document, path), message)
                .help("without samples the strategy never lets the pool shrink; take a metric such as $PendingTasks, unless yours come from elsewhere");
            self.findings.policy.push(warning);
        }
    }

    fn formula(&mut self, formula: &FormulaFile, node: &Node) -> Option<DemandFormula> {
        if self.checked.lacks(&["dialect", "file", "text"], &node.span) {
            // Nobody knows which formula is meant, or how it is understood.
            return None;
        }
        let scope = Scope::new(formula.dialect);
        match (&formula.file, &formula.text) {
            (Some(file), None) => self.formula_file(file, &scope, formula.role, &span(node, &["file"])),
            (None, Some(text)) => self.formula_text(text, &scope, formula.role, span(node, &["text"])),
            (both, _) => {
                let message = if both.is_some() {
                    "a formula stands either in a `file` or here as `text`, not both"
                } else {
                    "the formula is missing"
                };
                let help = "write `file: path/to.formula`, or `text: |` and the formula below it";
                self.fault(FORMULA_SOURCE, node.span.clone(), message, Some(help));
                None
            }
        }
    }

    fn formula_file(
        &mut self,
        file: &str,
        scope: &Scope,
        role: Role,
        place: &Range<usize>,
    ) -> Option<DemandFormula> {
        let source = match (self.load)(file) {
            Ok(source) => source,
            Err(why) => {
                let message = format!("the formula file `{file}` cannot be read: {why}");
                self.fault(
                    FORMULA_FILE,
                    place.clone(),
                    message,
                    Some("paths are seen from the policy's folder"),
                );
                return None;
            }
        };
        let (formula, diagnostics) = compile(&source, scope);
        if !diagnostics.is_empty() {
            self.findings.files.push(FileFindings {
                file: file.into(),
                source: source.into(),
                diagnostics,
            });
        }
        Some(DemandFormula {
            formula: formula?,
            file: Some(file.into()),
            role,
        })
    }

    fn formula_text(
        &mut self,
        text: &str,
        scope: &Scope,
        role: Role,
        place: Range<usize>,
    ) -> Option<DemandFormula> {
        let (formula, diagnostics) = compile(text, scope);
        if !diagnostics.is_empty() {
            let inline = InlineText::find(self.source, place, text);
            let placed = diagnostics.iter().map(|fault| inline.place(fault));
            self.findings.policy.extend(placed);
        }
        Some(DemandFormula {
            formula: formula?,
            file: None,
            role,
        })
    }
}

fn compile(source: &str, scope: &Scope) -> (Option<Formula>, Vec<Diagnostic>) {
    match Formula::compile(source, scope) {
        Ok(formula) => {
            let diagnostics = formula.diagnostics().to_vec();
            (Some(formula), diagnostics)
        }
        Err(diagnostics) => (None, diagnostics),
    }
}

/// Samples are kept for longer than anything looks back on, so that one that comes late or a look that fails changes nothing.
const KEPT_MORE: Span = Span::hours(1);
/// And for as long as this, whoever looks at them.
const KEPT_MIN: Span = Span::hours(2);

impl Policy {
    /// Returns how long the samples of its pools are of use: a little longer than its strategies and guards look back on, and
    /// [`Memory::HISTORY_KEPT`] where nobody can tell.
    pub fn keeps_samples(&self) -> Span {
        let mut looks = self.demand.iter().map(|demand| match demand {
            Demand::Formula(demand) => looks_back(&demand.formula),
            Demand::Track(track) => Some(track.window),
            Demand::Forecast(_) => None,
            Demand::Schedule(_) | Demand::Backlog(_) | Demand::Queue(_) | Demand::Deadlines(_) => {
                Some(Span::ZERO)
            }
        });
        let farthest = looks.try_fold(self.missing.within, |farthest, look| Some(farthest.max(look?)));
        farthest.map_or(Memory::HISTORY_KEPT, |farthest| {
            (farthest + KEPT_MORE).clamp(KEPT_MIN, Memory::HISTORY_KEPT)
        })
    }
}

/// Returns the metrics whose samples the strategies read or the policy requires, each once.
pub(super) fn metrics(demand: &[Demand], required: &[Required]) -> Vec<Metric> {
    let has_backlog = demand.iter().any(|demand| matches!(demand, Demand::Backlog(_)));
    let mut metrics = Vec::new();
    for demand in demand {
        match demand {
            Demand::Formula(demand) => formula_metrics(&demand.formula, &mut metrics),
            Demand::Schedule(_) | Demand::Backlog(_) | Demand::Deadlines(_) => {}
            Demand::Track(track) => metrics.extend(track.metric),
            Demand::Queue(queue) => {
                metrics.extend(queue.metric);
                // Beside a backlog the tasks are known one by one.
                let by_samples = queue.adds_tasks() && !has_backlog;
                metrics.extend(by_samples.then_some(Metric::PendingTasks));
            }
            Demand::Forecast(forecast) => metrics.push(forecast.metric),
        }
    }
    for Required::Tasks in required {
        metrics.push(Metric::PendingTasks);
    }
    metrics.sort_unstable();
    metrics.dedup();
    metrics
}

fn formula_metrics(formula: &Formula, metrics: &mut Vec<Metric>) {
    for statement in &formula.checked().statements {
        statement.value.walk(&mut |node| {
            if let Kind::Sample(sample) = &node.kind {
                metrics.push(sample.metric);
            }
        });
    }
}

/// What is said of a forecast without a strategy that it could raise.
fn forecast_alone() -> Complaint {
    let help = "add a strategy that asks for what is there now, such as `queue` or `formula`";
    Complaint::new(
        &[],
        "a forecast can only raise what another strategy asks for",
        help,
    )
}
