//! Options that several verbs share.

use clap::ValueEnum;

use crate::formula::Dialect;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The words for how data is written.
pub(super) trait Form: ValueEnum + Clone + Default + Send + Sync + 'static {
    /// What `--help` says of them.
    const HELP: &'static str;
}

/// How data is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl Form for Output {
    const HELP: &'static str = "How to write the result: text or json";
}

/// `-o`, which every verb with data has.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct OutputOption<T: Form = Output> {
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true,
        help = T::HELP
    )]
    pub(super) output: T,
}

/// `--dialect`, as the command line spells it.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct DialectOption {
    /// How formulas are understood: as the service does, strictly as documented, or leniently
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "service|strict|lenient",
        hide_possible_values = true
    )]
    pub(super) dialect: DialectWord,
}

/// The words for the dialects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum DialectWord {
    /// As the service does.
    #[default]
    Service,
    /// Only what is documented.
    Strict,
    /// What people write, understood.
    Lenient,
}

impl From<DialectWord> for Dialect {
    fn from(word: DialectWord) -> Self {
        match word {
            DialectWord::Service => Self::Service,
            DialectWord::Strict => Self::Strict,
            DialectWord::Lenient => Self::Lenient,
        }
    }
}
