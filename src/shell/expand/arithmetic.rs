//! Arithmetic expansion (POSIX XCU 2.6.4).

use super::{HERE, Mode};
use crate::shell::{
    arithmetic::{Fault, Variables, evaluate},
    interpreter::{Shell, Unwind},
    parse::Dialect,
    syntax::Part,
};

impl Shell<'_> {
    pub(in crate::shell) fn arithmetic(&mut self, parts: &[Part]) -> Result<i64, Unwind> {
        let expression = self.expand(parts, Mode { tilde: false, ..HERE })?.text();
        self.calculate(&expression)
    }

    /// The value of an expression.
    pub(in crate::shell) fn calculate(&mut self, expression: &[u8]) -> Result<i64, Unwind> {
        evaluate(expression, self).map_err(|fault| match fault {
            Fault::Variable(unwind) => unwind,
            // bash knows more operators than we do.
            fault if self.dialect == Dialect::Bash => self.not_modelled(&fault.to_string()),
            fault => self.error(&fault.to_string()),
        })
    }
}

impl Variables for Shell<'_> {
    type Error = Unwind;

    fn get(&mut self, name: &[u8]) -> Result<Option<Vec<u8>>, Unwind> {
        // Even with `set -u`, what is unset is 0 here.
        Ok(self.lookup(name).map(|value| value.to_vec()))
    }

    fn set(&mut self, name: &[u8], value: i64) -> Result<(), Unwind> {
        self.assign(name, value.to_string().into_bytes())
    }
}
