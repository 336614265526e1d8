//! The shell against dash, and what it knows of bash against bash: the same scripts on the same files.

mod both;
mod suite;
