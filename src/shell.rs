//! A POSIX shell over a tree: scripts of the target are interpreted, none of its programs is run.
//!
//! [`Machine`] is what scripts act on, [`Process`] one running command of it, [`commands`] the programs that are built in.

mod accounts;
mod backup;
mod canonical;
mod copy;
mod date;
mod dpkg;
mod files;
mod io;
mod locale;
mod machine;
mod mode;
mod options;
mod process;
mod regex;
mod size;
mod stop;
mod text;
mod time;
mod units;
mod userdb;

pub mod commands;
pub mod exec;

pub use io::{Descriptor, Descriptors, OpenFile};
pub use machine::{Limits, Machine};
pub use process::{Environment, Fatal, Launch, Process, Status};
