//! Pathname expansion (POSIX XCU 2.6.6) on the tree.

use super::{MARK, QUOTED, text};
use crate::shell::{
    Work,
    interpreter::{Shell, Unwind},
    pattern::{Pattern, Unit},
};

impl Shell<'_> {
    /// Appends the paths that a field matches, or its text when there are none.
    pub(super) fn glob(&mut self, units: &[u16], fields: &mut Vec<Vec<u8>>) -> Result<(), Unwind> {
        let special = |unit: &u16| matches!(*unit, 0x2a | 0x3f | 0x5b);
        if self.state.options.noglob() || !units.iter().any(special) {
            fields.push(text(units));
            return Ok(());
        }
        let units: Vec<_> = units
            .iter()
            .filter(|&&unit| unit & MARK == 0)
            .map(|&unit| Unit { byte: unit as u8, quoted: unit & QUOTED != 0 })
            .collect();
        let (mut found, mut looked) = (Vec::new(), 0);
        // A backslash from a variable may have quoted all that looked special.
        if !units.split(|unit| unit.byte == b'/').all(|part| Pattern::from_units(part).literal().is_some()) {
            self.glob_below(Vec::new(), &units, &mut found, &mut looked);
        }
        self.machine.work(Work::Names(looked))?;
        if found.is_empty() {
            fields.push(units.iter().map(|unit| unit.byte).collect());
            return Ok(());
        }
        found.sort_unstable();
        fields.append(&mut found);
        Ok(())
    }

    /// Appends what `rest` matches below `prefix`, a path that ends in a slash or is empty.
    fn glob_below(&self, mut prefix: Vec<u8>, rest: &[Unit], found: &mut Vec<Vec<u8>>, looked: &mut usize) {
        let mut rest = rest;
        loop {
            let slashes = rest.iter().take_while(|unit| unit.byte == b'/').count();
            prefix.resize(prefix.len() + slashes, b'/');
            rest = &rest[slashes..];
            let length = rest.iter().position(|unit| unit.byte == b'/').unwrap_or(rest.len());
            let pattern = Pattern::from_units(&rest[..length]);
            let Some(literal) = pattern.literal() else {
                return self.glob_folder(&prefix, &pattern, &rest[length..], found, looked);
            };
            prefix.extend_from_slice(&literal);
            rest = &rest[length..];
            if rest.is_empty() {
                if self.machine.tree.lookup_no_follow(&self.absolute(&prefix)).is_ok() {
                    found.push(prefix);
                }
                return;
            }
        }
    }

    fn glob_folder(
        &self,
        prefix: &[u8],
        pattern: &Pattern,
        rest: &[Unit],
        found: &mut Vec<Vec<u8>>,
        looked: &mut usize,
    ) {
        let folder = if prefix.is_empty() { self.state.folder.as_bytes().to_vec() } else { self.absolute(prefix) };
        let Some(entries) = self.machine.tree.find(&folder).and_then(|folder| folder.entries()) else {
            return;
        };
        *looked += entries.len();
        // Links can lead back to where they are, so that there are more paths than could ever be walked.
        if self.machine.would_spend(Work::Names(*looked)) {
            return;
        }
        let dots: [&[u8]; 2] = [b".", b".."];
        for name in dots.into_iter().chain(entries.keys().map(|name| name.as_bytes())) {
            if name.starts_with(b".") && !pattern.starts_with_dot() || !pattern.matches(name) {
                continue;
            }
            let path = [prefix, name].concat();
            if rest.is_empty() {
                found.push(path);
            } else if self.machine.tree.find(&self.absolute(&path)).is_some_and(|inode| inode.is_dir()) {
                self.glob_below(path, rest, found, looked);
            }
        }
    }
}
