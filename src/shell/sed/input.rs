//! The lines that sed reads, file after file.

use std::collections::VecDeque;

use bytes::Bytes;

/// Files still to be read, and what of the first is left.
#[derive(Debug)]
pub(in crate::shell) struct Input {
    files: VecDeque<(Vec<u8>, Bytes)>,
    /// The file that the last line came from.
    pub(super) name: Vec<u8>,
    pub(super) number: u64,
    end: u8,
}

/// A line without its end, and whether it had one.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: Vec<u8>,
    pub(super) ended: bool,
}

impl Input {
    /// Files by their names, empty ones left out.
    pub(in crate::shell) fn new(files: Vec<(Vec<u8>, Bytes)>, end: u8) -> Self {
        let name = files.first().map_or_else(|| b"-".to_vec(), |(name, _)| name.clone());
        let files = files.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        Self { files, name, number: 0, end }
    }

    /// Whether no line is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.files.is_empty()
    }

    /// Bytes of the next line, its end aside.
    pub(super) fn length(&self) -> usize {
        self.files.front().map_or(0, |(_, text)| memchr::memchr(self.end, text).unwrap_or(text.len()))
    }

    pub(super) fn next(&mut self) -> Option<Line> {
        let (name, text) = self.files.front_mut()?;
        self.name.clone_from(name);
        self.number += 1;
        let line = match memchr::memchr(self.end, text) {
            Some(at) => {
                let line = text.split_to(at + 1);
                Line { text: line[..at].to_vec(), ended: true }
            }
            None => Line { text: std::mem::take(text).to_vec(), ended: false },
        };
        if text.is_empty() {
            self.files.pop_front();
        }
        Some(line)
    }
}
