//! Parameter expansion (POSIX XCU 2.6.2).

use super::{Expansion, Mode, ONE, SEPARATOR};
use crate::shell::{
    Work,
    interpreter::{Shell, Unwind},
    raw::Raw,
    syntax::{Operation, Parameter, ParameterName, Part, Substitute},
};

impl Parameter {
    /// Whether this is `$@` and nothing else.
    pub(super) fn is_all_parameters(&self) -> bool {
        matches!(self, Self { name: ParameterName::Special(b'@'), operation: Operation::Value })
    }
}

impl ParameterName {
    fn show(&self) -> String {
        match self {
            Self::Variable(name) => Raw(name).to_string(),
            Self::Positional(number) => number.to_string(),
            Self::Special(sign) => char::from(*sign).to_string(),
        }
    }
}

impl Shell<'_> {
    pub(super) fn parameter(&mut self, parameter: &Parameter, mode: Mode, out: &mut Expansion) -> Result<(), Unwind> {
        let start = out.units.len();
        let name = &parameter.name;
        let mut set = false;
        if !matches!(parameter.operation, Operation::Bad) {
            set = self.parameter_value(name, mode, out);
            if !matches!(parameter.operation, Operation::Value) {
                // What an operation takes away has been put together, too.
                self.machine.work(Work::Made(out.units.len() - start))?;
            }
        }
        match &parameter.operation {
            Operation::Value => {
                self.must_be_set(set, name)?;
                if !set {
                    return Ok(());
                }
            }
            Operation::Length => {
                let length = out.units.len() - start;
                out.units.truncate(start);
                self.must_be_set(set, name)?;
                out.push(length.to_string().as_bytes(), mode.quoted);
                if !mode.quoted {
                    out.region(start, false);
                }
                return Ok(());
            }
            Operation::Substitute { how, null, word } => {
                let counts = set && !(*null && out.units.len() == start);
                if self.substitute(name, *how, *null, word, counts, start, mode, out)? {
                    return Ok(());
                }
            }
            Operation::Trim { suffix, longest, pattern } => {
                self.must_be_set(set, name)?;
                if !set {
                    return Ok(());
                }
                self.trim(start, *suffix, *longest, pattern, out)?;
            }
            Operation::Replace { which, pattern, replacement } => {
                self.must_be_set(set, name)?;
                self.replace(start, *which, pattern, replacement, mode, out)?;
            }
            Operation::Slice { offset, length } => {
                self.must_be_set(set, name)?;
                self.slice(start, offset, length.as_deref(), mode, out)?;
            }
            Operation::Letters { upper, all } => {
                self.must_be_set(set, name)?;
                self.letters(start, *upper, *all, out)?;
            }
            Operation::Bad => return Err(self.error("Bad substitution")),
        }
        self.record(name, start, mode, out);
        Ok(())
    }

    /// What a parameter expands to may be split, unless it is quoted; `"$@"` always is.
    fn record(&self, name: &ParameterName, start: usize, mode: Mode, out: &mut Expansion) {
        let all = matches!(name, ParameterName::Special(b'@')) && !self.state.parameters.is_empty();
        if !mode.quoted || all {
            out.region(start, mode.quoted);
        }
    }

    /// Applies `-`, `=`, `?` or `+`; whether all is done.
    #[expect(clippy::too_many_arguments, reason = "the parts of one operator, taken apart by the caller")]
    fn substitute(
        &mut self,
        name: &ParameterName,
        how: Substitute,
        null: bool,
        word: &[Part],
        counts: bool,
        start: usize,
        mode: Mode,
        out: &mut Expansion,
    ) -> Result<bool, Unwind> {
        let word_mode = Mode { tilde: true, operand: true, ..mode };
        match how {
            Substitute::Default if counts => return Ok(false),
            Substitute::Alternate if !counts => {
                out.units.truncate(start);
                // Behind `"$@"` this takes a last parameter that is empty away.
                if !mode.quoted {
                    out.region(start, false);
                }
                return Ok(true);
            }
            Substitute::Default | Substitute::Alternate => {
                out.units.truncate(start);
                self.expand_into(word, word_mode, out)?;
                return Ok(true);
            }
            Substitute::Assign | Substitute::Error if counts => return Ok(false),
            Substitute::Assign | Substitute::Error => {}
        }
        out.units.truncate(start);
        let text = self.expand(word, Mode { full: false, quoted: mode.quoted, ..ONE })?.text();
        if how == Substitute::Error {
            let reason = match text.as_slice() {
                b"" if null => "parameter null or not set".to_owned(),
                b"" => "parameter not set".to_owned(),
                text => Raw(text).to_string(),
            };
            return Err(self.error(&format!("{}: {reason}", name.show())));
        }
        let ParameterName::Variable(variable) = name else {
            return Err(self.error(&format!("{}: bad variable name", name.show())));
        };
        self.assign(variable, text)?;
        self.parameter_value(name, mode, out);
        Ok(false)
    }

    fn trim(
        &mut self,
        start: usize,
        suffix: bool,
        longest: bool,
        pattern: &[Part],
        out: &mut Expansion,
    ) -> Result<(), Unwind> {
        let pattern = self.expand(pattern, ONE)?.pattern();
        let text: Vec<u8> = out.units[start..].iter().map(|&unit| unit as u8).collect();
        let mut effort = self.machine.effort();
        if suffix {
            if let Some(length) = pattern.suffix(&text, longest, &mut effort) {
                out.units.truncate(start + text.len() - length);
            }
        } else if let Some(length) = pattern.prefix(&text, longest, &mut effort) {
            out.units.drain(start..start + length);
        }
        Ok(self.machine.compared(&effort)?)
    }

    /// With `set -u`, expanding what is not set is an error.
    fn must_be_set(&mut self, set: bool, name: &ParameterName) -> Result<(), Unwind> {
        if set || !self.state.options.nounset() || matches!(name, ParameterName::Special(b'@' | b'*')) {
            return Ok(());
        }
        Err(self.error(&format!("{}: parameter not set", name.show())))
    }

    /// Appends a parameter's value; `false` when it is unset.
    fn parameter_value(&mut self, name: &ParameterName, mode: Mode, out: &mut Expansion) -> bool {
        let quoted = mode.quoted;
        match name {
            ParameterName::Variable(name) => {
                let Some(value) = self.lookup(name) else { return false };
                out.push(&value, quoted);
            }
            ParameterName::Positional(0) => out.push(&self.state.name, quoted),
            ParameterName::Positional(number) => match self.state.parameters.get(number - 1) {
                Some(value) => out.push(value, quoted),
                None => return false,
            },
            ParameterName::Special(sign @ (b'@' | b'*')) => self.all_parameters(*sign == b'@', mode, out),
            ParameterName::Special(b'#') => out.push(self.state.parameters.len().to_string().as_bytes(), quoted),
            ParameterName::Special(b'?') => out.push(self.status.to_string().as_bytes(), quoted),
            ParameterName::Special(b'-') => out.push(&self.state.options.letters(), quoted),
            ParameterName::Special(b'$') => out.push(super::super::interpreter::PID.to_string().as_bytes(), quoted),
            ParameterName::Special(_) => match self.state.background {
                Some(pid) => out.push(pid.to_string().as_bytes(), quoted),
                None => return false,
            },
        }
        true
    }

    fn all_parameters(&self, at: bool, mode: Mode, out: &mut Expansion) {
        let fields = mode.full && (at || !mode.quoted);
        let separator = match self.state.variables.get(b"IFS") {
            None => Some(b' '),
            Some(ifs) => ifs.first().copied(),
        };
        for (index, value) in self.state.parameters.iter().enumerate() {
            if index > 0 {
                if fields {
                    out.units.push(SEPARATOR);
                } else if let Some(separator) = separator {
                    out.push(&[separator], mode.quoted);
                }
            }
            out.push(value, mode.quoted);
        }
    }
}
