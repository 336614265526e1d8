//! The shell against dash, and what it knows of bash against bash: the same scripts on the same files.

mod both;
pub mod grammar;
mod random;
mod suite;
