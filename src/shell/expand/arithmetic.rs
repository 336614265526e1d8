//! Arithmetic expansion (POSIX XCU 2.6.4).

use super::{HERE, Mode};
use crate::shell::{
    arithmetic::{Fault, Variables, evaluate},
    interpreter::{Shell, Unwind},
    syntax::Part,
};

impl Shell<'_> {
    pub(super) fn arithmetic(&mut self, parts: &[Part]) -> Result<i64, Unwind> {
        let expression = self.expand(parts, Mode { tilde: false, ..HERE })?.text();
        self.calculate(&expression)
    }

    /// The value of an expression.
    pub(in crate::shell) fn calculate(&mut self, expression: &[u8]) -> Result<i64, Unwind> {
        evaluate(expression, self).map_err(|fault| match fault {
            Fault::Variable(unwind) => unwind,
            fault => self.error(&format!("arithmetic: {}", reason(&fault))),
        })
    }
}

fn reason(fault: &Fault<Unwind>) -> String {
    match fault {
        Fault::Expression { reason, expression } => format!("{reason}: \"{}\"", expression.escape_ascii()),
        Fault::Number(text) => format!("Illegal number: {}", text.escape_ascii()),
        Fault::Division => "division by zero".to_owned(),
        Fault::Variable(_) => String::new(),
    }
}

impl Variables for Shell<'_> {
    type Error = Unwind;

    fn get(&mut self, name: &[u8]) -> Result<Option<Vec<u8>>, Unwind> {
        let value = self.lookup(name).map(|value| value.to_vec());
        if value.is_none() && self.state.options.nounset() {
            return Err(self.error(&format!("{}: parameter not set", name.escape_ascii())));
        }
        Ok(value)
    }

    fn set(&mut self, name: &[u8], value: i64) -> Result<(), Unwind> {
        self.assign(name, value.to_string().into_bytes())
    }
}
