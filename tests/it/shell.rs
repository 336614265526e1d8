//! The shell against dash: the same scripts on the same files.

mod both;
mod suite;
