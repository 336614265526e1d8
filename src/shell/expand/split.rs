//! Field splitting (POSIX XCU 2.6.5) by `IFS`, byte by byte as dash does it.

use std::ops::Range;

use super::{Expansion, MARK, QUOTED, SEPARATOR};
use crate::shell::interpreter::Shell;

/// Of `IFS` when it is unset.
pub(super) const DEFAULT: &[u8] = b" \t\n";

impl Shell<'_> {
    /// The value of `IFS`, its default when it is unset.
    pub(in crate::shell) fn field_separators(&self) -> Vec<u8> {
        self.state.variables.get(b"IFS").map_or(DEFAULT.to_vec(), |ifs| ifs.to_vec())
    }

    /// Where the fields of an expansion are in it.
    pub(super) fn split(&self, expansion: &Expansion) -> Vec<Range<usize>> {
        let mut splitting = Splitting {
            units: &expansion.units,
            separators: if expansion.regions.is_empty() { Vec::new() } else { self.field_separators() },
            fields: Vec::new(),
            start: 0,
        };
        let mut after_separators = false;
        for region in &expansion.regions {
            if region.separators_only {
                splitting.by_parameters(region.start..region.end);
            } else {
                splitting.by_ifs(region.start..region.end, after_separators);
            }
            after_separators = region.separators_only;
        }
        let end = expansion.units.len();
        if after_separators || splitting.start < end {
            splitting.fields.push(splitting.start..end);
        }
        splitting.fields
    }
}

struct Splitting<'e> {
    units: &'e [u16],
    separators: Vec<u8>,
    fields: Vec<Range<usize>>,
    /// Where the field that is open starts.
    start: usize,
}

impl Splitting<'_> {
    /// Splits `"$@"`: an empty parameter is a field.
    fn by_parameters(&mut self, region: Range<usize>) {
        for at in region {
            if self.units[at] == SEPARATOR {
                self.fields.push(self.start..at);
                self.start = at + 1;
            }
        }
    }

    fn separates(&self, at: usize) -> bool {
        let unit = self.units[at];
        unit == SEPARATOR || unit & (QUOTED | MARK) == 0 && self.separators.contains(&(unit as u8))
    }

    /// Whether a separator is one of those of which several count as one.
    fn is_blank(&self, at: usize) -> bool {
        matches!(self.units[at] as u8, 0 | b' ' | b'\t' | b'\n')
    }

    fn by_ifs(&mut self, region: Range<usize>, after_parameters: bool) {
        let mut at = region.start;
        while at < region.end {
            if !self.separates(at) {
                at += 1;
                continue;
            }
            let mut blank = self.is_blank(at) && !after_parameters;
            if at == self.start && blank {
                at += 1;
                self.start = at;
                continue;
            }
            self.fields.push(self.start..at);
            at += 1;
            // Blanks around one separator that is none belong to it.
            while at < region.end && self.separates(at) {
                if !self.is_blank(at) {
                    if !blank {
                        break;
                    }
                    blank = false;
                }
                at += 1;
            }
            self.start = at;
        }
    }
}
