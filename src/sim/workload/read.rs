//! Reads a log whatever its format: gzip is known by its first bytes, SWF and tables by their first line.

use std::io::{BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;

use super::bounded::Bounded;
use super::collect::Collector;
use super::fault::{Fault, NO_TASK};
use super::{ReadOptions, Workload, WorkloadError, swf, table};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads a job log: SWF, a task table (`submit_s,run_s,cores,job,due_s`) or a table of virtual machines, plain or gzip.
///
/// `name` is only for messages and reports; the format is told by the bytes.
pub fn read(bytes: &[u8], name: &str, options: &ReadOptions) -> Result<Workload, WorkloadError> {
    let mut into = Collector::new(name, options);
    if bytes.starts_with(&GZIP_MAGIC) {
        read_text(
            BufReader::new(Bounded::new(MultiGzDecoder::new(bytes))),
            &mut into,
        );
    } else {
        read_text(BufReader::new(Bounded::new(bytes)), &mut into);
    }
    into.finish()
}

fn read_text(mut text: impl BufRead, into: &mut Collector<'_>) {
    let mut first = Vec::new();
    loop {
        let before = first.len();
        match text.read_until(b'\n', &mut first) {
            Ok(0) => {
                into.fault(Fault::whole(
                    NO_TASK,
                    "the log is empty",
                    "give a log with at least one job",
                ));
                return;
            }
            Ok(_) if first[before..].trim_ascii().is_empty() => {}
            Ok(_) => break,
            Err(error) => {
                into.fault(swf::unreadable(&error));
                return;
            }
        }
    }
    let is_swf = is_swf(first.trim_ascii());
    let whole = first.as_slice().chain(text);
    if is_swf {
        swf::read(BufReader::new(whole), into);
    } else {
        table::read(whole, into);
    }
}

/// A comment or a line of numbers without commas begins an SWF log; a table begins with the names of its columns.
fn is_swf(line: &[u8]) -> bool {
    line.starts_with(b";") || (line[0].is_ascii_digit() || line[0] == b'-') && !line.contains(&b',')
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::base::{Span, Timestamp};
    use crate::sim::workload::{JobShape, LeftOut, Task};

    const SWF: &str = "; Version: 2.2\n; UnixStartTime: 749458803\n;\n\
        \x20   1        0     -1   1451  128     -1    -1   -1     -1    -1 -1   1   1  -1 -1 -1 -1 -1\n\
        \x20   2     1460     -1     -1   -1 552.21    -1   40     -1    -1 -1   1   1  -1 -1 -1 -1 -1\n\
        \x20   3     1470      5     10   -1     10    -1   40     -1    -1 -1   1   1  -1 -1 -1 -1 -1\n";

    fn at(start: i64, second: i64, run: i64, slots: u32) -> Task {
        Task {
            submit: Timestamp::from_unix_seconds(start + second),
            run: Span::seconds(run),
            slots,
            job: None,
            due: None,
        }
    }

    #[test]
    fn a_standard_log_is_read_with_its_own_start_and_its_unknown_jobs_counted() {
        let options = ReadOptions {
            shape: JobShape::Slots { cores_per_slot: 16 },
            ..ReadOptions::default()
        };
        let workload = read(SWF.as_bytes(), "nasa", &options).unwrap();
        assert_eq!(
            workload.tasks,
            [at(749_458_803, 0, 1451, 8), at(749_458_803, 1470, 10, 3)]
        );
        assert_eq!(
            workload.left_out,
            LeftOut {
                run_unknown: 1,
                ..LeftOut::default()
            }
        );
        assert_eq!(
            (workload.n_jobs, workload.start),
            (3, Timestamp::from_unix_seconds(749_458_803))
        );
    }

    #[test]
    fn a_table_is_read_by_the_names_of_its_columns_plain_or_inflated() {
        let text = "run_s,submit_s,user,cores\r\n60,5,a,4\r\n\r\n0,7,b,1\r\n30,2,c,1\r\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let start = ReadOptions::START_UNIX_SECONDS;
        for bytes in [text.as_bytes(), &gzip.finish().unwrap()] {
            let workload = read(bytes, "t", &ReadOptions::default()).unwrap();
            assert_eq!(workload.tasks, [at(start, 2, 30, 1), at(start, 5, 60, 1)]);
            assert_eq!(
                workload.left_out,
                LeftOut {
                    run_zero: 1,
                    ..LeftOut::default()
                }
            );
            assert!(workload.notes[0].contains("sorted"));
        }
    }

    #[test]
    fn a_table_names_jobs_and_says_when_they_are_due() {
        let text = "submit_s,run_s,job,due_s\n0,60,nightly,3600\n10,60,,-1\n20,60,nightly,3600.5\n";
        let workload = read(text.as_bytes(), "w", &ReadOptions::default()).unwrap();
        let names: Vec<_> = workload.tasks.iter().map(|task| task.job).collect();
        assert_eq!(names, [names[0], None, names[0]]);
        assert_eq!(workload.jobs.name(names[0].unwrap()), Some("nightly"));
        let due = |index: usize| workload.tasks[index].due_at().map(|due| due - workload.start);
        assert_eq!(due(0), Some(Span::hours(1)));
        assert_eq!((due(1), due(2)), (None, Some(Span::seconds(3601))));
        let error = read(
            "submit_s,run_s,due_s\n9,1,9\n".as_bytes(),
            "w",
            &ReadOptions::default(),
        )
        .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("w:2: the task is due when it is submitted"),
            "{error}"
        );
    }

    #[test]
    fn machines_run_for_the_middle_of_their_bin() {
        let text = "arrive_bin_end_s,batch_in_bin,cores,mem_gb,dur_lo_s,dur_hi_s,censored\n\
            300,0,8,14.0,300,600,0\n300,1,1,0.75,259500,345900,1\n";
        let workload = read(text.as_bytes(), "vms", &ReadOptions::default()).unwrap();
        let start = ReadOptions::START_UNIX_SECONDS;
        assert_eq!(
            workload.tasks,
            [at(start, 300, 450, 1), at(start, 300, 259_500, 1)]
        );
        assert!(workload.notes[0].contains("middle"));
    }

    #[test]
    fn a_window_and_a_cap_leave_the_rest_out_and_count_it() {
        let text = "submit_s,run_s\n0,10\n3600,20\n3700,9000\n7200,10\n";
        let options = ReadOptions {
            from: Span::hours(1),
            length: Some(Span::hours(1)),
            run_max: Some(Span::hours(1)),
            start: Some(Timestamp::EPOCH),
            ..ReadOptions::default()
        };
        let workload = read(text.as_bytes(), "w", &options).unwrap();
        assert_eq!(workload.tasks, [at(0, 3600, 20, 1)]);
        assert_eq!(
            workload.left_out,
            LeftOut {
                outside_window: 2,
                run_too_long: 1,
                ..LeftOut::default()
            }
        );
        assert_eq!(workload.start, Timestamp::from_unix_seconds(3600));
    }

    #[test]
    fn every_fault_has_its_line_and_a_way_out() {
        for (text, expected) in [
            ("", "w: the log is empty; give a log with at least one job"),
            ("\n \n", "w: the log is empty; give a log with at least one job"),
            (
                "submit_s,runs\n1,2\n",
                "w:1: the table has no column `run_s`; rename the column `runs` if that is what it holds",
            ),
            (
                "submit_s,run_s\n1,x\n2,3\n4,5,6\n7,1e99\n",
                "w:2: `x` is not a number in range; write a number, or -1 where it is unknown\n\
                 w:4: the row has 3 fields and the header 2; mend or remove the row\n\
                 w:5: `1e99` is not a number in range; write a number, or -1 where it is unknown",
            ),
            (
                "; SWF\n1 2 3\n1 2 3 four 5 6 7 8\n",
                "w:2: a job line has 18 fields and this one has 3; mend or remove the line; comments begin with `;`\n\
                 w:3: the run time `four` is not a number in range; write a number, or -1 where it is unknown",
            ),
            (
                "submit_s,run_s\n1,-1\n",
                "w: none of its 1 jobs can be used: 1 without a run time; give a log with run times, or a wider window",
            ),
        ] {
            let error = read(text.as_bytes(), "w", &ReadOptions::default()).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_file_that_breaks_off_or_inflates_without_end_is_an_error() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(b"submit_s,run_s\n1,2\n").unwrap();
        gzip.write_all(&vec![b'0'; 20_000]).unwrap();
        let bytes = gzip.finish().unwrap();
        let whole = read(&bytes, "w", &ReadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(whole.contains("longer than 16384 bytes"), "{whole}");
        let cut = read(&bytes[..30], "w", &ReadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(cut.contains("check that the file is whole"), "{cut}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, head in 0_usize..4) {
            let head = ["", "; a\n", "submit_s,run_s\n", "\u{1f}"][head].as_bytes();
            let _ = read(&[head, &bytes].concat(), "w", &ReadOptions::default());
        }
    }
}
