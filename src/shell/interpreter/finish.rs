//! How a shell ends: its last status, and the trap on `EXIT`.

use std::rc::Rc;

use super::{Shell, Skip, Unwind};
use crate::shell::Fatal;

impl Shell<'_> {
    /// Ends a shell or subshell whose commands have come to `result`: runs the trap on `EXIT`, returns the exit status, which
    /// is the low byte of `$?`.
    pub(in crate::shell) fn finish(&mut self, result: Result<u32, Unwind>) -> Result<u8, Fatal> {
        match result {
            Ok(status) => self.status = status,
            Err(Unwind::Error | Unwind::Exit) => {}
            Err(Unwind::Fatal(fatal)) => return Err(*fatal),
        }
        let Some(action) = self.state.traps.get(&0).cloned() else { return Ok(self.status as u8) };
        Rc::make_mut(&mut self.state.traps).remove(&0);
        self.skip = Skip::None;
        self.loops = 0;
        let status = self.status;
        self.ending = Some(status);
        match self.eval(&action, false) {
            Ok(_) => Ok(status as u8),
            // `exit` in the trap has the last word.
            Err(Unwind::Exit | Unwind::Error) => Ok(self.status as u8),
            Err(Unwind::Fatal(fatal)) => Err(*fatal),
        }
    }

    /// Runs the traps of the signals that the script has sent itself.
    pub(super) fn run_traps(&mut self) -> Result<(), Unwind> {
        let status = self.status;
        for signal in std::mem::take(&mut self.pending) {
            let action = self.state.traps.get(&signal).cloned().unwrap_or_default();
            self.eval(&action, false)?;
            if self.skip != Skip::Return {
                self.status = status;
            }
        }
        Ok(())
    }
}
