//! A POSIX shell over a tree: scripts of the target are interpreted, none of its programs is run.
//!
//! [`Machine`] is what scripts act on, [`Process`] one running command of it, [`commands`] the programs that are built in.

mod accounts;
mod acl;
mod arithmetic;
mod awk;
mod backup;
mod blame;
mod builtins;
mod canonical;
mod capabilities;
mod copy;
mod date;
mod diff;
mod dpkg;
mod environment;
mod expand;
mod files;
mod find;
mod flags;
mod grep;
mod interpreter;
mod io;
mod locale;
mod machine;
mod mode;
mod open;
mod options;
mod parse;
mod process;
mod raw;
pub mod reach;
mod regex;
mod script;
mod sed;
mod size;
mod sort;
mod specifiers;
mod stop;
mod syntax;
mod text;
mod time;
mod units;
mod userdb;
mod variables;

pub mod commands;
pub mod exec;
pub mod extended;
pub mod pattern;

pub use environment::Environment;
pub use io::{Descriptor, Descriptors, OpenFile};
use machine::Work;
pub use machine::{Limits, Machine, Saved};
pub use open::{How, OpenError};
pub use process::{Fatal, Launch, Process, Status};
pub use script::{Call, Interpreter, Outcome, ScriptError, run_script};
