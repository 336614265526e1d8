//! A POSIX shell over a tree: scripts of the target are interpreted, none of its programs is run.
//!
//! [`Machine`] is what scripts act on, [`Process`] one running command of it, [`commands`] the programs that are built in.

mod dpkg;
mod io;
mod machine;
mod process;

pub mod commands;
pub mod exec;

pub use io::{Descriptor, Descriptors, OpenFile};
pub use machine::{Limits, Machine};
pub use process::{Environment, Fatal, Launch, Process, Status};
