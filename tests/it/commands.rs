//! Built-in commands against the real programs: the same command lines on the same files leave the same files, output and
//! status.

mod files;
mod judged;
mod text;
