//! Rows as Parquet: columns in memory until a group of rows is full.

use std::fs::File;
use std::io;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;

use super::{Column, Of};
use crate::base::Timestamp;

/// Rows of a group, which are in memory at once: decisions with their sentences take some ten megabytes.
const GROUP_ROWS: usize = 20_000;

/// A Parquet file while it is written.
pub(super) struct ParquetRows {
    writer: SerializedFileWriter<File>,
    columns: Vec<Gathered>,
    n_rows: usize,
}

/// The values of a column that are still in memory, and for each row whether there is one.
struct Gathered {
    values: Values,
    is_there: Vec<i16>,
}

enum Values {
    Text(Vec<ByteArray>),
    Whole(Vec<i64>),
    Number(Vec<f64>),
    Flag(Vec<bool>),
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(cause) => io::Error::other(cause),
        },
        other => io::Error::other(other),
    }
}

impl ParquetRows {
    pub(super) fn begin<R>(file: File, columns: &[Column<R>]) -> io::Result<Self> {
        let fields: String = columns.iter().map(field).collect();
        let schema =
            parse_message_type(&format!("message table {{ {fields} }}")).expect("names of columns are words");
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("lowtide {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties));
        Ok(Self {
            writer: writer.map_err(failed)?,
            columns: columns.iter().map(Gathered::of).collect(),
            n_rows: 0,
        })
    }

    pub(super) fn add<R>(&mut self, columns: &[Column<R>], row: &R) -> io::Result<()> {
        for (gathered, column) in self.columns.iter_mut().zip(columns) {
            gathered.push(&column.of, row);
        }
        self.n_rows += 1;
        if self.n_rows == GROUP_ROWS {
            self.write_group().map_err(failed)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<File> {
        if self.n_rows > 0 {
            self.write_group().map_err(failed)?;
        }
        self.writer.into_inner().map_err(failed)
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        self.n_rows = 0;
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let into = group.next_column()?.expect("the schema has the same columns");
            column.write(into)?;
        }
        group.close()?;
        Ok(())
    }
}

fn field<R>(column: &Column<R>) -> String {
    let name = column.name;
    match column.of {
        Of::Text(_) => format!("optional binary {name} (STRING); "),
        Of::Whole(_) => format!("optional int64 {name}; "),
        Of::Number(_) => format!("optional double {name}; "),
        Of::Flag(_) => format!("optional boolean {name}; "),
        Of::Moment(_) => format!("optional int64 {name} (TIMESTAMP(MILLIS,true)); "),
    }
}

impl Gathered {
    fn of<R>(column: &Column<R>) -> Self {
        let values = match column.of {
            Of::Text(_) => Values::Text(Vec::new()),
            Of::Whole(_) | Of::Moment(_) => Values::Whole(Vec::new()),
            Of::Number(_) => Values::Number(Vec::new()),
            Of::Flag(_) => Values::Flag(Vec::new()),
        };
        Self {
            values,
            is_there: Vec::new(),
        }
    }

    fn push<R>(&mut self, of: &Of<R>, row: &R) {
        let is_there = match (&mut self.values, of) {
            (Values::Text(values), Of::Text(of)) => {
                put(values, of(row).map(|text| ByteArray::from(text.into_bytes())))
            }
            (Values::Whole(values), Of::Whole(of)) => put(values, of(row)),
            (Values::Whole(values), Of::Moment(of)) => put(values, of(row).map(milliseconds)),
            (Values::Number(values), Of::Number(of)) => put(values, of(row)),
            (Values::Flag(values), Of::Flag(of)) => put(values, of(row)),
            _ => unreachable!("values are gathered by the columns that they come from"),
        };
        self.is_there.push(i16::from(is_there));
    }

    /// Writes what was gathered, and gathers anew.
    fn write(&mut self, into: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let is_there = std::mem::take(&mut self.is_there);
        match &mut self.values {
            Values::Text(values) => write::<ByteArrayType>(into, values, &is_there),
            Values::Whole(values) => write::<Int64Type>(into, values, &is_there),
            Values::Number(values) => write::<DoubleType>(into, values, &is_there),
            Values::Flag(values) => write::<BoolType>(into, values, &is_there),
        }
    }
}

fn put<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    let before = values.len();
    values.extend(value);
    values.len() > before
}

fn milliseconds(at: Timestamp) -> i64 {
    at.ticks().div_euclid(10_000)
}

fn write<D: DataType>(
    mut into: SerializedColumnWriter<'_>,
    values: &mut Vec<D::T>,
    is_there: &[i16],
) -> Result<(), ParquetError> {
    into.typed::<D>().write_batch(values, Some(is_there), None)?;
    values.clear();
    into.close()
}
