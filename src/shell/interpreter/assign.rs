//! Looking variables up and setting them, with those that the shell has a hand in.

use std::rc::Rc;

use super::{Local, Shell, Unwind};
use crate::shell::Work;

impl Shell<'_> {
    /// The value of a variable.
    pub(in crate::shell) fn lookup(&self, name: &[u8]) -> Option<Rc<[u8]>> {
        self.state.variables.get(name).cloned()
    }

    /// Sets a variable.
    pub(in crate::shell) fn assign(&mut self, name: &[u8], value: Vec<u8>) -> Result<(), Unwind> {
        self.machine.fits(value.len())?;
        self.charge_table(name)?;
        if name == b"OPTIND" {
            self.state.option_index =
                crate::shell::arithmetic::number(&value).map_or(1, |n| n.clamp(1, 1 << 20) as usize);
            self.state.option_offset = None;
        }
        if let Err(error) = self.state.variables.set(name, value.into()) {
            return Err(self.error(&error.to_string()));
        }
        if self.state.options.allexport() {
            self.state.variables.export(name);
        }
        Ok(())
    }

    /// Counts what changing a variable costs beside its value.
    fn charge_table(&mut self, name: &[u8]) -> Result<(), Unwind> {
        let variables = &self.state.variables;
        let copied = if variables.is_shared() { variables.len() } else { 0 };
        let new = usize::from(variables.variable(name).is_none());
        self.machine.work(Work::Entries(copied))?;
        Ok(self.machine.work(Work::Pieces(new))?)
    }

    pub(in crate::shell) fn unset(&mut self, name: &[u8]) -> Result<(), Unwind> {
        self.charge_table(name)?;
        match self.state.variables.unset(name) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.error(&error.to_string())),
        }
    }

    /// Remembers a variable until [`Shell::restore_locals`].
    pub(in crate::shell) fn make_local(&mut self, name: &[u8]) {
        let old = self.state.variables.variable(name).cloned();
        self.locals.push(Local::Variable { name: name.into(), old });
    }

    /// Puts back what was made local since `mark`.
    pub(in crate::shell) fn restore_locals(&mut self, mark: usize) {
        while self.locals.len() > mark {
            match self.locals.pop() {
                Some(Local::Variable { name, old }) => {
                    if &*name == b"OPTIND" {
                        let value = old.as_ref().and_then(|old| old.value.clone());
                        let number = value.and_then(|value| crate::shell::arithmetic::number(&value));
                        self.state.option_index = number.map_or(1, |n| n.clamp(1, 1 << 20) as usize);
                        self.state.option_offset = None;
                    }
                    self.state.variables.restore(&name, old);
                }
                Some(Local::Options(options)) => self.state.options = options,
                None => {}
            }
        }
    }
}
