//! Scripts that prove formulas: load samples, evaluate at a time, expect a value, a target or a fault.
//!
//! In the spirit of the scripts that Prometheus tests its query language with. A script is text with one command a line:
//!
//! ```text
//! # Nine minutes of samples, one of them missing.
//! load 30s from 2016-10-13T19:09:00Z
//!   $PendingTasks  0x10 5+1x7 _
//! pool targetDedicatedNodes=2 nodeDeallocationOption=requeue
//! formula """
//! $TargetDedicatedNodes = max(0, $PendingTasks.GetSample(1));
//! """
//! eval at 2016-10-13T19:18:00Z
//! expect dedicated 11
//! expect read $PendingTasks [11] of 1
//! eval avg(1, vec(2, 3), 6) => 3
//! ```
//!
//! | command | what it does |
//! |---|---|
//! | `# …` | a comment, on a line of its own |
//! | `clear` | forgets samples, pool, time, seed, dialect and formula |
//! | `load PERIOD [from TIME]` | says how far apart the samples of the following series are, and when they begin |
//! | `$Metric SAMPLES` | replaces a metric's samples: `3`, `3x20`, `0+2x5` (a ramp), `_`, `_x4` (missing) |
//! | `pool FACT=VALUE …` | sets facts of the pool, by the names that `eval --inputs` has |
//! | `now TIME` · `seed N` · `dialect WORD` · `samplePercent N` | set what the evaluations below see |
//! | `formula TEXT`, `formula """`, `formula from "FILE"` | the formula that a bare `eval` evaluates |
//! | `eval [at TIME] [TEXT] [=> …]` | evaluates; the text may stand in a `"""` block; `=>` begins an expectation |
//! | `expect …` | what the evaluation above must give |
//!
//! A time is `2016-10-13T19:09:00Z`, or `+10m` from the start of the latest `load`; a script begins in 1970. `crlf` before
//! `"""` ends the block's lines with CR LF. The text of a formula begins at its first character, and places in it count
//! from there.
//!
//! | after `expect` or `=>` | holds when |
//! |---|---|
//! | `3`, `[1, 2]`, `3 +- 0.1`, `2016-10-13T19:18:00Z`, `PT5M`, `"text"` | the last statement has that value |
//! | `NAME = …` | the variable or target ends with that value |
//! | `NAME prints …` | the `results` line shows the variable like that |
//! | `dedicated N`, `spot N`, `option WORD`, `stopped` | the outcome says so |
//! | `results …` | the `results` line is exactly that |
//! | `fault CODE`, `fault CODE at 1:24`, `fault CODE Line 1, Col 24: …` | the run fails so |
//! | `diagnostic CODE [at 1:5] ["words"]`, `no diagnostic [CODE]` | checks or lints say so, the words within the message |
//! | `lean CODE [at 1:5]`, `no lean [CODE]` | the trace says that the run leaned on that undocumented behaviour |
//! | `read $M`, `read $M [3,2]`, `read $M 2 of 20`, `no read [$M]` | the run looked at those samples |
//!
//! Numbers are equal when they differ by no more than a part in 10⁹ (of 1 where they are smaller); `+-` gives another
//! absolute tolerance. Infinities equal themselves, and `nan` equals `nan`. Times and intervals are equal to the tick.

mod codes;
mod compare;
mod expectation;
mod junit;
mod observe;
mod policy_test;
mod reading;
mod report;
mod run;
mod script;
mod text;

pub use codes::CODES;
pub use junit::junit;
pub use policy_test::{policy_test_schema, run_policy_test};
pub use report::{Check, Mismatch, ScriptReport};
pub use run::{Loader, run_script};
pub use text::{Line, Piece, Tone, text};
