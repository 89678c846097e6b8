//! Tables for notebooks: typed columns, each with its unit in its name, in a CSV or a Parquet file that is there whole or not at all.

#[cfg(feature = "parquet")]
mod parquet_rows;

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::str::FromStr;

use super::exit::Failure;
use super::files;
use super::render::counted_are;
use super::terminal::Terminal;
use crate::base::Timestamp;
use crate::world::Beside;

/// The file of a table; its name says what is written.
#[derive(Clone, Debug)]
pub(super) struct TablePath {
    path: PathBuf,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Csv,
    #[cfg(feature = "parquet")]
    Parquet,
}

impl FromStr for TablePath {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        let ending = path.extension().and_then(|ending| ending.to_str());
        let form = match ending {
            Some("csv") => Form::Csv,
            #[cfg(feature = "parquet")]
            Some("parquet") => Form::Parquet,
            #[cfg(not(feature = "parquet"))]
            Some("parquet") => {
                return Err(
                    "this lowtide was built without Parquet; name a *.csv, or build it with `--features parquet`"
                        .to_owned(),
                );
            }
            _ => return Err("name a *.csv or a *.parquet, which says what to write".to_owned()),
        };
        Ok(Self { path, form })
    }
}

/// A value of a row, by its kind; what is not known is left out.
enum Of<R> {
    Text(fn(&R) -> Option<String>),
    Whole(fn(&R) -> Option<i64>),
    Number(fn(&R) -> Option<f64>),
    Flag(fn(&R) -> Option<bool>),
    Moment(fn(&R) -> Option<Timestamp>),
}

/// A column: its name, which ends with the unit of what has one, and what a row has there.
pub(super) struct Column<R> {
    name: &'static str,
    of: Of<R>,
}

impl<R> Column<R> {
    /// A column of words.
    pub(super) const fn text(name: &'static str, of: fn(&R) -> Option<String>) -> Self {
        let of = Of::Text(of);
        Self { name, of }
    }

    /// A column of counts.
    pub(super) const fn whole(name: &'static str, of: fn(&R) -> Option<i64>) -> Self {
        let of = Of::Whole(of);
        Self { name, of }
    }

    /// A column of numbers.
    pub(super) const fn number(name: &'static str, of: fn(&R) -> Option<f64>) -> Self {
        let of = Of::Number(of);
        Self { name, of }
    }

    /// A column of yes and no.
    pub(super) const fn flag(name: &'static str, of: fn(&R) -> Option<bool>) -> Self {
        let of = Of::Flag(of);
        Self { name, of }
    }

    /// A column of instants, to the millisecond, in UTC.
    pub(super) const fn moment(name: &'static str, of: fn(&R) -> Option<Timestamp>) -> Self {
        let of = Of::Moment(of);
        Self { name, of }
    }
}

/// Returns a count as a column has it; none that is counted comes near the most.
pub(super) fn count(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// A table while it is written.
pub(super) struct Table<R> {
    path: PathBuf,
    begun: Beside,
    columns: Vec<Column<R>>,
    rows: Rows,
    n_rows: u64,
}

enum Rows {
    Csv(Box<csv::Writer<BufWriter<File>>>),
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet_rows::ParquetRows>),
}

impl<R> Table<R> {
    /// Begins a table beside the file, so that who reads it meanwhile reads the one before.
    pub(super) fn begin(to: &TablePath, columns: Vec<Column<R>>) -> Result<Self, Failure> {
        files::may_be_replaced(&to.path)?;
        let begun = Beside::begin(&to.path).and_then(|(begun, file)| {
            let rows = Rows::begin(to.form, file, &columns)?;
            Ok((begun, rows))
        });
        let (begun, rows) = begun.map_err(|error| files::not_written(&to.path, &error))?;
        Ok(Self {
            path: to.path.clone(),
            begun,
            columns,
            rows,
            n_rows: 0,
        })
    }

    /// Adds a row.
    pub(super) fn row(&mut self, row: &R) -> Result<(), Failure> {
        self.n_rows += 1;
        let added = self.rows.add(&self.columns, row);
        added.map_err(|error| files::not_written(&self.path, &error))
    }

    /// Puts the table where the file is to be, once it is on the disk, and says so.
    pub(super) fn finish(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let done = self.rows.finish().and_then(|file| self.begun.take_place(&file));
        done.map_err(|error| files::not_written(&self.path, &error))?;
        let rows = counted_are(self.n_rows, "row");
        terminal.say(&format!("{rows} written to {}\n", self.path.display()))?;
        Ok(())
    }
}

impl Rows {
    fn begin<R>(form: Form, file: File, columns: &[Column<R>]) -> io::Result<Self> {
        match form {
            Form::Csv => {
                let mut writer = csv::Writer::from_writer(BufWriter::new(file));
                writer.write_record(columns.iter().map(|column| column.name))?;
                Ok(Self::Csv(Box::new(writer)))
            }
            #[cfg(feature = "parquet")]
            Form::Parquet => {
                let rows = parquet_rows::ParquetRows::begin(file, columns)?;
                Ok(Self::Parquet(Box::new(rows)))
            }
        }
    }

    fn add<R>(&mut self, columns: &[Column<R>], row: &R) -> io::Result<()> {
        match self {
            Self::Csv(writer) => {
                let cells = columns.iter().map(|column| column.of.to_text(row));
                Ok(writer.write_record(cells.map(Option::unwrap_or_default))?)
            }
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => rows.add(columns, row),
        }
    }

    /// Writes what is left, and returns the file.
    fn finish(self) -> io::Result<File> {
        match self {
            Self::Csv(writer) => {
                let mut buffered = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
                buffered.flush()?;
                buffered.into_inner().map_err(io::IntoInnerError::into_error)
            }
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => rows.finish(),
        }
    }
}

impl<R> Of<R> {
    fn to_text(&self, row: &R) -> Option<String> {
        match self {
            Self::Text(of) => of(row),
            Self::Whole(of) => of(row).map(|value| value.to_string()),
            Self::Number(of) => of(row).map(|value| value.to_string()),
            Self::Flag(of) => of(row).map(|value| value.to_string()),
            Self::Moment(of) => of(row).map(|value| value.to_string()),
        }
    }
}

/// `--table`, for verbs that have the rows of one table at hand.
#[derive(Debug, clap::Args)]
pub(super) struct TableOption {
    /// Also write the rows to FILE.csv or FILE.parquet, for notebooks
    #[arg(long, value_name = "FILE", value_parser = str::parse::<TablePath>)]
    table: Option<TablePath>,
}

impl TableOption {
    /// Says whether a table is wanted.
    pub(super) const fn is_wanted(&self) -> bool {
        self.table.is_some()
    }

    /// Says before the rows are gathered whether a table can be where it is wanted.
    pub(super) fn checked(&self) -> Result<(), Failure> {
        let path = self.table.as_ref();
        path.map_or(Ok(()), |to| files::may_be_replaced(&to.path))
    }

    /// Writes the rows where that is wanted.
    pub(super) fn write<R>(
        &self,
        rows: &[R],
        columns: Vec<Column<R>>,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let Some(path) = &self.table else {
            return Ok(());
        };
        let mut table = Table::begin(path, columns)?;
        rows.iter().try_for_each(|row| table.row(row))?;
        table.finish(terminal)
    }
}
