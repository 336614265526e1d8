//! Running scripts: from outside, as files of the tree, and as the command `sh`.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

use super::{
    Descriptors, Environment, Fatal, Launch, Machine, OpenError, OpenFile, Process, Status, Work, builtins,
    interpreter::{Script, Shell, Unwind},
    parse::Dialect,
    raw::Raw,
};
use crate::{
    cause::Cause,
    tree::{PathError, TreePath},
};

/// What a script has left behind, beside its changes to the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: Status,
    pub output: Vec<u8>,
    pub errors: Vec<u8>,
}

/// Why a script could not be run to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    #[error("{0}")]
    Path(#[from] PathError),
    /// The script came to something that icos does not do; what it had written until then comes along.
    #[error("{fatal}")]
    Fatal { fatal: Fatal, output: Vec<u8>, errors: Vec<u8> },
    #[error("no thread for the script: {0}")]
    Thread(String),
}

/// What a script gets from its caller.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Where the script is in the tree.
    pub path: &'a [u8],
    pub arguments: &'a [Vec<u8>],
    pub environment: &'a Environment,
    pub input: &'a [u8],
    /// What goes to descriptor 2 comes out in `output` too, each at its time.
    pub together: bool,
}

/// Host stack for one level of [`super::Limits::depth`]: above what any level was measured to use.
const STACK_PER_LEVEL: usize = 24 << 10;
const STACK: usize = 1 << 20;

/// Runs a program of the tree, usually a script, in `/` with umask 022, and waits for it.
///
/// It has a thread of its own, whose stack is made for the depth that the machine allows.
pub fn run_script(machine: &mut Machine, call: &Call<'_>) -> Result<Outcome, ScriptError> {
    machine.tree.lookup(call.path)?;
    let stack = STACK + STACK_PER_LEVEL * machine.limits.depth as usize;
    on_stack(stack, || {
        let output = OpenFile::buffer(Vec::new());
        let errors = if call.together { output.clone() } else { OpenFile::buffer(Vec::new()) };
        let input = OpenFile::buffer(call.input.to_vec());
        let launch = Launch {
            argv: [&[call.path.to_vec()], call.arguments].concat(),
            environment: call.environment.clone(),
            folder: TreePath::root(),
            umask: 0o022,
            descriptors: Descriptors::from([(0, input), (1, output.clone()), (2, errors.clone())]),
        };
        machine.begin();
        let result = super::exec::execute(machine, launch);
        let output = OpenFile::take(&output);
        let errors = if call.together { Vec::new() } else { OpenFile::take(&errors) };
        match result {
            Ok(status) => Ok(Outcome { status, output, errors }),
            Err(fatal) => Err(ScriptError::Fatal { fatal, output, errors }),
        }
    })
}

/// Runs `body` on a stack of this size.
fn on_stack<T: Send>(size: usize, body: impl FnOnce() -> Result<T, ScriptError> + Send) -> Result<T, ScriptError> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(size);
        let thread = builder.spawn_scoped(scope, body).map_err(|error| ScriptError::Thread(error.to_string()))?;
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Runs a script file of the tree: `interpreter` and `option` are what its first line says.
pub(super) fn run_file(
    machine: &mut Machine,
    path: &[u8],
    interpreter: &Interpreter,
    mut launch: Launch,
) -> Result<Status, Fatal> {
    let name = launch.argv.first().cloned().unwrap_or_default();
    // What was found along PATH is called by its whole path.
    let shown = if name.contains(&b'/') { name } else { path.to_vec() };
    let mut argv = vec![interpreter.name.clone()];
    argv.extend(interpreter.option.clone());
    argv.push(shown);
    argv.extend(launch.argv.drain(1..));
    let Launch { environment, folder, umask, descriptors, .. } = launch;
    sh(&mut Process { machine, argv, environment, folder, umask, descriptors })
}

/// The `#!` line of a shell script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// `sh`, `dash` or `bash`.
    pub(super) name: Vec<u8>,
    pub(super) option: Option<Vec<u8>>,
}

/// The command `sh`: `sh [options] [script [argument]...]`, `sh -c text [name [argument]...]`, `sh -s [argument]...`.
pub(super) fn sh(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let limit = process.machine.limits.depth;
    if process.machine.depth >= limit {
        return Err(Fatal::Limit { what: "nested commands", limit: u64::from(limit) });
    }
    process.machine.depth += 1;
    let argv = process.argv.clone();
    let name = process.name();
    let dialect = if name == b"bash" { Dialect::Bash } else { Dialect::Dash };
    let mut shell = Shell::new(
        process.machine,
        argv.first().map_or(b"sh", Vec::as_slice),
        &process.environment,
        process.folder.clone(),
        process.umask,
        process.descriptors.clone(),
    );
    shell.dialect = dialect;
    shell.machine.tree.enter(|| Cause::line(&shell.script, 0));
    let result = start(&mut shell, argv.get(1..).unwrap_or_default());
    let status = shell.finish(result);
    shell.machine.tree.leave();
    process.machine.depth -= 1;
    status.map(Status)
}

fn start(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let invocation = builtins::read_invocation(shell, arguments)?;
    let mut operands = invocation.operands;
    let source;
    if let Some(text) = invocation.text {
        source = Bytes::from(text);
        if let Some((name, rest)) = operands.split_first() {
            shell.state.name = name.as_slice().into();
            shell.script = shell.state.name.clone();
            operands = rest;
        }
    } else if let (Some((path, rest)), false) = (operands.split_first(), invocation.from_input) {
        let name = std::mem::replace(&mut shell.state.name, path.as_slice().into());
        let absolute = shell.absolute(path);
        let real = shell.machine.tree.resolve(&absolute).map(|(_, real)| real);
        shell.script = real.map_or_else(|_| absolute.clone().into(), |real| real.as_bytes().into());
        operands = rest;
        match shell.machine.tree.read(&absolute) {
            Ok(bytes) => source = bytes,
            Err(error) => {
                let message =
                    format!("cannot open {}: {}", Raw(path), OpenError::from(error.errno).reason("No such file"));
                (shell.line, shell.state.name) = (0, name);
                return Err(shell.error(&message));
            }
        }
    } else {
        shell.state.options.set_letter(b's', true);
        source = match shell.descriptor(0).cloned() {
            Some(input) => shell.machine.read_all(&input),
            None => Bytes::new(),
        };
    }
    if !operands.is_empty() {
        shell.state.parameters = operands.into();
    }
    let script = shell.machine.script(&source, shell.dialect)?;
    shell.commands(&script, false)
}

/// Scripts that have been read, by where their bytes are.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    read: BTreeMap<(usize, usize, bool), Arc<Script>>,
    /// Of all their sources.
    bytes: usize,
}

impl Scripts {
    /// Bytes of scripts kept read: those that a system runs again and again are far fewer.
    const MAX: usize = 2 << 20;

    fn keep(&mut self, key: (usize, usize, bool), script: &Arc<Script>) {
        let length = script.source.len();
        if length > Self::MAX / 4 {
            return;
        }
        if self.bytes + length > Self::MAX {
            *self = Self::default();
        }
        self.bytes += length;
        self.read.insert(key, script.clone());
    }
}

impl Machine {
    /// A script, read; one that has been read before costs next to nothing.
    pub(super) fn script(&mut self, source: &Bytes, dialect: Dialect) -> Result<Arc<Script>, Fatal> {
        // The cache holds the bytes, so that no others can come to lie at their place.
        let key = (source.as_ptr() as usize, source.len(), dialect == Dialect::Bash);
        if let Some(script) = self.scripts.read.get(&key) {
            return Ok(script.clone());
        }
        self.work(Work::Parsed(source.len()))?;
        let script = Arc::new(Script::new(source.clone(), dialect));
        self.scripts.keep(key, &script);
        Ok(script)
    }
}
