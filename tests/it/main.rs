//! Integration tests, one binary: each module below is one area.

mod support;

mod dpkg_tools;
mod ext4;
mod gpt;
