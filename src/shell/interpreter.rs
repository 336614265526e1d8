//! The evaluator: one shell process, its state, and what runs in it. Its judge is dash.

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use bytes::Bytes;

use super::{
    Descriptor, Descriptors, Environment, Fatal, Machine, OpenFile, Work,
    flags::Options,
    parse::{self, Aliases, Dialect},
    raw,
    syntax::{FaultKind, Function, Node, Program},
    variables::{Variable, Variables},
};
use crate::tree::TreePath;

mod assign;
mod command;
mod evaluate;
mod finish;
mod redirect;
mod test;
mod xtrace;

pub(super) use xtrace::single_quoted;

/// `$$`: there is one script at a time, and nothing may depend on its number.
pub(super) const PID: u32 = 1000;

/// A script, read.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) source: Bytes,
    pub(super) program: Program,
    pub(super) dialect: Dialect,
}

impl Script {
    pub(super) fn new(source: Bytes, dialect: Dialect) -> Self {
        let program = parse::program(&source, dialect);
        Self { source, program, dialect }
    }
}

/// What ends more than one command.
#[derive(Debug)]
pub(super) enum Unwind {
    /// An error that ends the shell, unless a regular built-in command or `command` is in between. It has been reported.
    Error,
    /// `exit`, or a failure under `set -e`.
    Exit,
    Fatal(Box<Fatal>),
}

impl From<Fatal> for Unwind {
    fn from(fatal: Fatal) -> Self {
        Self::Fatal(Box::new(fatal))
    }
}

/// Set by `break`, `continue` and `return`: commands are passed over until a loop or function takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    None,
    /// Loops still to leave.
    Break(u32),
    /// Loops still to leave, the last of which goes on.
    Continue(u32),
    Return,
}

/// What a subshell gets a copy of, and the shell gets back after it.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) variables: Variables,
    pub(super) functions: Rc<BTreeMap<Box<[u8]>, Defined>>,
    pub(super) aliases: Rc<Aliases>,
    /// `$1` and on.
    pub(super) parameters: Rc<[Vec<u8>]>,
    /// `$0`
    pub(super) name: Rc<[u8]>,
    pub(super) options: Options,
    pub(super) folder: TreePath,
    /// The folder's name as `cd` came to it, symbolic links and all.
    pub(super) logical: Rc<[u8]>,
    pub(super) umask: u16,
    pub(super) descriptors: Descriptors,
    /// Actions by signal number; 0 is `EXIT`.
    pub(super) traps: Rc<BTreeMap<u8, Vec<u8>>>,
    /// `$!`
    pub(super) background: Option<u32>,
    /// Statuses of commands run with `&`, until `wait` has asked for them.
    pub(super) jobs: Rc<BTreeMap<u32, u8>>,
    /// `getopts`: letters of the current argument that are done.
    pub(super) option_offset: Option<usize>,
    pub(super) option_index: usize,
}

/// A function, and the script that it comes from.
#[derive(Clone, Debug)]
pub(super) struct Defined {
    pub(super) function: Arc<Function>,
    pub(super) script: Rc<[u8]>,
}

/// A variable as it was before a function made it local.
#[derive(Debug)]
pub(super) enum Local {
    Variable {
        name: Rc<[u8]>,
        old: Option<Variable>,
    },
    /// `local -`
    Options(Options),
}

/// One shell process.
#[derive(Debug)]
pub(super) struct Shell<'m> {
    pub(super) machine: &'m mut Machine,
    pub(super) state: State,
    pub(super) dialect: Dialect,
    /// The file that is being run, for error messages.
    pub(super) script: Rc<[u8]>,
    pub(super) line: usize,
    /// Texts around this that are no files: those of `eval` and of traps.
    pub(super) texts: u32,
    /// `$?`; what `return` is given may be more than the 8 bits that a shell ends with.
    pub(super) status: u32,
    /// Status of the last command substitution in the command that is being expanded.
    pub(super) substituted: u32,
    pub(super) skip: Skip,
    pub(super) loops: u32,
    /// Subshells around this, in which `$$` is still the shell's.
    pub(super) subshells: u32,
    /// Function calls around this.
    pub(super) functions: u32,
    pub(super) locals: Vec<Local>,
    /// The built-in command that is running, for error messages.
    pub(super) command: Option<Rc<[u8]>>,
    /// The status that the shell ends with, while the trap on `EXIT` runs.
    pub(super) ending: Option<u32>,
    /// Signals that the script has sent itself, whose traps run after the command.
    pub(super) pending: Vec<u8>,
    /// It has written to standard output, which is closed.
    pub(super) lost: bool,
}

impl<'m> Shell<'m> {
    /// A shell as it starts up.
    pub(super) fn new(
        machine: &'m mut Machine,
        name: &[u8],
        environment: &Environment,
        folder: TreePath,
        umask: u16,
        descriptors: Descriptors,
    ) -> Self {
        let mut variables = Variables::import(environment);
        let logical = match variables.get(b"PWD") {
            Some(pwd)
                if pwd.starts_with(b"/")
                    && machine.tree.resolve(pwd).is_ok_and(|(_, real)| real == folder)
                    && !pwd.split(|&b| b == b'/').any(|part| part == b"." || part == b"..") =>
            {
                pwd.clone()
            }
            _ => folder.as_bytes().into(),
        };
        let defaults: [(&[u8], &[u8]); 6] =
            [(b"IFS", b" \t\n"), (b"OPTIND", b"1"), (b"PPID", b"1"), (b"PS1", b"# "), (b"PS2", b"> "), (b"PS4", b"+ ")];
        for (name, value) in defaults {
            // Nothing is read-only yet.
            let _ = variables.set(name, value.into());
        }
        if variables.get(b"PATH").is_none() {
            let _ = variables.set(b"PATH", DEFAULT_PATH.into());
        }
        let _ = variables.set(b"PWD", logical.clone());
        let state = State {
            variables,
            functions: Rc::default(),
            aliases: Rc::default(),
            parameters: Rc::from([]),
            name: name.into(),
            options: Options::default(),
            folder,
            logical,
            umask,
            descriptors,
            traps: Rc::default(),
            background: None,
            jobs: Rc::default(),
            option_offset: None,
            option_index: 1,
        };
        Self {
            machine,
            state,
            dialect: Dialect::Dash,
            script: name.into(),
            line: 1,
            texts: 0,
            status: 0,
            substituted: 0,
            skip: Skip::None,
            loops: 0,
            subshells: 0,
            functions: 0,
            locals: Vec::new(),
            command: None,
            ending: None,
            pending: Vec::new(),
            lost: false,
        }
    }

    /// Runs a script's commands one after the other. Where an alias is defined, what follows is read again with it.
    pub(super) fn commands(&mut self, script: &Arc<Script>, tested: bool) -> Result<u32, Unwind> {
        let mut status = 0;
        let mut place = parse::START;
        let mut commands = script.program.commands.iter();
        while self.state.aliases.is_empty() {
            let Some(complete) = commands.next() else {
                let Some(fault) = &script.program.fault else { return Ok(status) };
                return Err(self.syntax_fault(fault.line, &fault.kind));
            };
            status = self.evaluate(&complete.node, tested)?;
            place = complete.end;
            if self.skip != Skip::None {
                return Ok(status);
            }
        }
        loop {
            let aliases = self.state.aliases.clone();
            match parse::next_complete(&script.source, place, script.dialect, &aliases) {
                Ok(Some(complete)) => {
                    let read = complete.end.offset - place.offset + complete.laid;
                    self.machine.work(Work::Parsed(read)).map_err(|fatal| self.placed(fatal.into()))?;
                    status = self.evaluate(&complete.node, tested)?;
                    place = complete.end;
                    if self.skip != Skip::None {
                        return Ok(status);
                    }
                }
                Ok(None) => return Ok(status),
                Err(fault) => return Err(self.syntax_fault(fault.line, &fault.kind)),
            }
        }
    }

    fn syntax_fault(&mut self, line: usize, kind: &FaultKind) -> Unwind {
        self.line = line;
        match kind {
            FaultKind::Syntax(reason) => self.error(&format!("Syntax error: {reason}")),
            FaultKind::TooDeep(limit) => {
                let fatal = Fatal::Limit { what: "nested constructs in a script", limit: u64::from(*limit) };
                self.placed(fatal.into())
            }
            FaultKind::TooLong(limit) => {
                let fatal = Fatal::Limit { what: "bytes of aliases in one command", limit: *limit };
                self.placed(fatal.into())
            }
            FaultKind::Bash(_) => Fatal::Syntax { line, reason: kind.to_string() }.into(),
        }
    }

    /// Runs a text as `eval` does.
    pub(super) fn eval(&mut self, text: &[u8], tested: bool) -> Result<u32, Unwind> {
        self.machine.work(Work::Parsed(text.len()))?;
        let script = Arc::new(Script::new(Bytes::copy_from_slice(text), self.dialect));
        self.texts += 1;
        let result = self.deeper(|shell| shell.commands(&script, tested));
        self.texts -= 1;
        result
    }

    /// Tells the journal which line is running. Lines of a text that is no file count as the one that has it run.
    pub(super) fn mark(&mut self) {
        if self.texts == 0 {
            self.machine.tree.at_line(&self.script, self.line);
        }
    }

    /// Runs `body` one level deeper: what bounds the host's stack.
    pub(super) fn deeper<T>(&mut self, body: impl FnOnce(&mut Self) -> Result<T, Unwind>) -> Result<T, Unwind> {
        let limit = self.machine.limits.depth;
        if self.machine.depth >= limit {
            return Err(Fatal::Limit { what: "nested commands", limit: u64::from(limit) }.into());
        }
        self.machine.depth += 1;
        let result = body(self);
        self.machine.depth -= 1;
        result
    }

    /// Counts a step against the bound.
    pub(super) fn step(&mut self) -> Result<(), Unwind> {
        Ok(self.machine.step()?)
    }

    /// Runs `body` in a subshell: its own state, the same tree. The status of the shell is what the subshell leaves.
    pub(super) fn subshell(&mut self, body: impl FnOnce(&mut Self) -> Result<u32, Unwind>) -> Result<u32, Unwind> {
        let state = self.state.clone();
        let (status, loops, locals) = (self.status, self.loops, self.locals.len());
        let (functions, line) = (self.functions, self.line);
        let (command, script) = (self.command.take(), self.script.clone());
        let ending = self.ending.take();
        self.state.traps = self.traps_of_subshell();
        self.subshells += 1;
        let result = self.deeper(body);
        let left = self.finish(result);
        self.subshells -= 1;
        self.state = state;
        self.status = status;
        self.skip = Skip::None;
        self.loops = loops;
        self.locals.truncate(locals);
        (self.functions, self.line) = (functions, line);
        (self.command, self.script, self.ending) = (command, script, ending);
        left.map(u32::from).map_err(|fatal| Unwind::Fatal(Box::new(fatal)))
    }

    /// Ignored signals stay ignored in a subshell, other traps are gone.
    fn traps_of_subshell(&self) -> Rc<BTreeMap<u8, Vec<u8>>> {
        if self.state.traps.is_empty() {
            return self.state.traps.clone();
        }
        Rc::new(self.state.traps.iter().filter(|(_, action)| action.is_empty()).map(|(n, a)| (*n, a.clone())).collect())
    }

    /// The output of a command substitution, without the newlines at its end.
    pub(super) fn substitute_command(&mut self, node: Option<&Node>) -> Result<Vec<u8>, Unwind> {
        let Some(node) = node else {
            self.substituted = 0;
            return Ok(Vec::new());
        };
        let pipe = OpenFile::buffer(Vec::new());
        let inner = pipe.clone();
        self.substituted = self.subshell(move |shell| {
            shell.state.descriptors.insert(1, inner);
            shell.evaluate(node, false)
        })?;
        let mut output = OpenFile::take(&pipe);
        let end = output.iter().rposition(|&b| b != b'\n').map_or(0, |last| last + 1);
        output.truncate(end);
        Ok(output)
    }

    /// A path as seen from the shell's folder.
    pub(super) fn absolute(&self, path: &[u8]) -> Vec<u8> {
        super::process::absolute(&self.state.folder, path)
    }

    pub(super) fn write(&mut self, fd: u32, bytes: &[u8]) -> Result<(), Fatal> {
        let descriptor = self.state.descriptors.get(&fd).cloned();
        let writable = |file: &OpenFile| !matches!(file, OpenFile::File { writable: false, .. });
        match descriptor {
            Some(descriptor) if writable(&descriptor.borrow()) => self.machine.write(&descriptor, bytes),
            _ => {
                self.lost |= fd == 1;
                Ok(())
            }
        }
    }

    pub(super) fn descriptor(&self, fd: u32) -> Option<&Descriptor> {
        self.state.descriptors.get(&fd)
    }

    /// Writes a message as dash does: script, line, built-in command, text.
    pub(super) fn warn(&mut self, message: &str) -> Result<(), Fatal> {
        let mut text = self.state.name.to_vec();
        text.extend_from_slice(format!(": {}: ", self.line).as_bytes());
        if let Some(command) = &self.command {
            text.extend_from_slice(command);
            text.extend_from_slice(b": ");
        }
        text.extend(raw::bytes(message));
        text.push(b'\n');
        self.write(2, &text)
    }

    /// Reports an error that ends the shell.
    pub(super) fn error(&mut self, message: &str) -> Unwind {
        self.status = 2;
        match self.warn(message) {
            Ok(()) => Unwind::Error,
            Err(fatal) => fatal.into(),
        }
    }
}

/// `PATH` when the environment has none.
pub(super) const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
