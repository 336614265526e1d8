//! Simple commands (POSIX XCU 2.9.1): what their name means, and running it.

use std::rc::Rc;

use super::{DEFAULT_PATH, Defined, Shell, Skip, Unwind};
use crate::{
    cause::Cause,
    shell::{
        Fatal, Launch, Status, Work,
        builtins::{self, Builtin, Kind},
        exec,
        raw::Raw,
        syntax::{Simple, Word},
    },
};

/// What the first word of a command leads to.
#[derive(Clone, Debug)]
enum Target {
    /// No word at all.
    Nothing,
    BuiltIn(&'static Builtin),
    Function(Defined),
    External,
}

/// A command whose words are expanded.
#[derive(Debug)]
struct Expanded {
    arguments: Vec<Vec<u8>>,
    target: Target,
    /// An error in it ends the shell: it is a special built-in command, and not behind `command`.
    special: bool,
    /// `command -p`
    default_path: bool,
}

impl Shell<'_> {
    pub(super) fn simple(&mut self, simple: &Simple, tested: bool) -> Result<u32, Unwind> {
        self.step()?;
        self.line = simple.line;
        self.substituted = 0;
        let expanded = self.expand_command(&simple.words)?;
        let replaces = matches!(&expanded.target, Target::BuiltIn(builtin) if builtin.name == "exec");
        let opened = self.open_redirects(&simple.redirects)?;
        let before = (!simple.redirects.is_empty()).then(|| self.state.descriptors.clone());
        // Assignments in front of a special command stay, and `local` is one.
        let mark = (!expanded.special).then_some(self.locals.len());
        let result = match self.apply_redirects(opened) {
            Ok(()) => self.assigned_command(simple, expanded, tested),
            Err(Unwind::Error) if !expanded.special => Ok(self.status),
            Err(unwind) => Err(unwind),
        };
        if let Some(before) = before
            && !(replaces && result.is_ok())
        {
            self.state.descriptors = before;
        }
        if let (Some(mark), Ok(_)) = (mark, &result) {
            self.restore_locals(mark);
        }
        result
    }

    fn expand_command(&mut self, words: &[Word]) -> Result<Expanded, Unwind> {
        let mut expanded = Expanded {
            arguments: Vec::with_capacity(words.len()),
            target: Target::Nothing,
            special: false,
            default_path: false,
        };
        let mut words = words.iter();
        let mut declares = false;
        while expanded.arguments.is_empty() {
            let Some(word) = words.next() else { return Ok(expanded) };
            self.fields(word, &mut expanded.arguments)?;
        }
        // `command` hides functions and takes the edge off special commands.
        let mut first = true;
        loop {
            expanded.target = self.target(&expanded.arguments[0], first);
            let Target::BuiltIn(builtin) = expanded.target else { break };
            if first {
                expanded.special = builtin.kind != Kind::Regular;
                first = false;
            }
            declares = builtin.declares;
            if builtin.name != "command" || !self.strip_command(&mut expanded, &mut words)? {
                break;
            }
        }
        for word in words {
            if declares && word.assignment {
                let value = self.declaration(word)?;
                expanded.arguments.push(value);
            } else {
                self.fields(word, &mut expanded.arguments)?;
            }
        }
        Ok(expanded)
    }

    /// Takes `command` and its options away; `false` when it is to say what a name means, or has none.
    fn strip_command<'w>(
        &mut self,
        expanded: &mut Expanded,
        words: &mut impl Iterator<Item = &'w Word>,
    ) -> Result<bool, Unwind> {
        let mut index = 1;
        loop {
            while expanded.arguments.len() <= index {
                let Some(word) = words.next() else { return Ok(false) };
                self.fields(word, &mut expanded.arguments)?;
            }
            match expanded.arguments[index].as_slice() {
                b"--" => {
                    index += 1;
                    while expanded.arguments.len() <= index {
                        let Some(word) = words.next() else { return Ok(false) };
                        self.fields(word, &mut expanded.arguments)?;
                    }
                    break;
                }
                [b'-', options @ ..] if !options.is_empty() => {
                    if options.iter().any(|&b| b != b'p') {
                        return Ok(false);
                    }
                    expanded.default_path = true;
                    index += 1;
                }
                _ => break,
            }
        }
        expanded.arguments.drain(..index);
        Ok(true)
    }

    fn target(&self, name: &[u8], functions: bool) -> Target {
        if name.contains(&b'/') {
            return Target::External;
        }
        if functions && let Some(defined) = self.state.functions.get(name) {
            return Target::Function(defined.clone());
        }
        match builtins::find(name, self.dialect) {
            Some(builtin) => Target::BuiltIn(builtin),
            None => Target::External,
        }
    }

    /// Makes the assignments in front of a command and runs it.
    fn assigned_command(&mut self, simple: &Simple, expanded: Expanded, tested: bool) -> Result<u32, Unwind> {
        let local = !expanded.special && !matches!(expanded.target, Target::Nothing);
        let traces = self.state.options.xtrace();
        let mut shown = Vec::new();
        let exec = matches!(&expanded.target, Target::BuiltIn(builtin) if builtin.name == "exec");
        for assignment in &simple.assignments {
            let mut value = self.value(&assignment.value)?;
            if assignment.append
                && let Some(old) = self.lookup(&assignment.name)
            {
                value.splice(..0, old.iter().copied());
            }
            if traces {
                shown.push([&*assignment.name, b"=", &value].concat());
            }
            if local {
                self.make_local(&assignment.name);
            }
            self.assign(&assignment.name, value)?;
            if local || exec && expanded.arguments.len() > 1 {
                self.state.variables.export(&assignment.name);
            }
        }
        if traces && (!shown.is_empty() || !expanded.arguments.is_empty()) {
            self.trace(&shown, &expanded.arguments)?;
        }
        match expanded.target {
            Target::Nothing => Ok(self.substituted),
            Target::BuiltIn(builtin) => match self.built_in(builtin, &expanded.arguments, tested) {
                Err(Unwind::Error) if !expanded.special => Ok(self.status),
                Err(Unwind::Fatal(fatal)) => Err(self.at(expanded.arguments, *fatal)),
                result => result,
            },
            Target::Function(defined) => self.call(&defined, expanded.arguments, tested),
            Target::External => self.external(expanded.arguments, expanded.default_path),
        }
    }

    fn built_in(&mut self, builtin: &'static Builtin, arguments: &[Vec<u8>], tested: bool) -> Result<u32, Unwind> {
        let command = self.command.replace(builtin.name.as_bytes().into());
        self.mark();
        let result = match builtin.name {
            "eval" => self.eval(&arguments[1..].join(&b' '), tested),
            "echo" | "printf" => {
                self.machine.tree.enter(|| Cause::command(builtin.name.as_bytes()));
                let result = (builtin.run)(self, arguments);
                self.machine.tree.leave();
                result
            }
            _ => (builtin.run)(self, arguments),
        };
        let result = match result {
            Ok(status) if std::mem::take(&mut self.lost) => {
                self.warn(&format!("{}: I/O error", builtin.name))?;
                Ok(status | 1)
            }
            result => result,
        };
        self.command = command;
        result
    }

    /// Calls a function.
    fn call(&mut self, defined: &Defined, mut arguments: Vec<Vec<u8>>, tested: bool) -> Result<u32, Unwind> {
        arguments.remove(0);
        self.mark();
        let parameters = std::mem::replace(&mut self.state.parameters, arguments.into());
        let script = std::mem::replace(&mut self.script, defined.script.clone());
        let (line, texts) = (self.line, std::mem::take(&mut self.texts));
        let loops = std::mem::replace(&mut self.loops, 0);
        let options = (self.state.option_index, self.state.option_offset.take());
        self.state.option_index = 1;
        let mark = self.locals.len();
        self.functions += 1;
        self.machine.tree.enter(|| Cause::line(&defined.script, line));
        let result = self.evaluate(&defined.function.body, tested);
        self.machine.tree.leave();
        self.functions -= 1;
        if result.is_ok() {
            // A trap on `EXIT` still sees them.
            self.restore_locals(mark);
        }
        (self.state.option_index, self.state.option_offset) = options;
        self.loops = loops;
        (self.line, self.texts) = (line, texts);
        self.script = script;
        self.state.parameters = parameters;
        if self.skip == Skip::Return {
            self.skip = Skip::None;
        }
        result
    }

    /// Runs a command of the tree in a process of its own.
    pub(in crate::shell) fn external(&mut self, arguments: Vec<Vec<u8>>, default_path: bool) -> Result<u32, Unwind> {
        let path: Rc<[u8]> = match self.state.variables.get(b"PATH") {
            _ if default_path => DEFAULT_PATH.into(),
            Some(path) => path.clone(),
            None => Rc::default(),
        };
        self.machine.work(Work::Program)?;
        self.machine.work(Work::Pieces(memchr::memchr_iter(b':', &path).count()))?;
        self.machine.work(Work::Entries(self.state.variables.stale()))?;
        let program = exec::find(self.machine, &arguments[0], &path, &self.state.folder);
        match program {
            exec::Program::Missing if arguments[0].is_empty() => {
                self.warn(": Permission denied")?;
                return Ok(127);
            }
            exec::Program::Missing => {
                self.warn(&format!("{}: not found", Raw(&arguments[0])))?;
                return Ok(127);
            }
            exec::Program::Denied => {
                self.warn(&format!("{}: Permission denied", Raw(&arguments[0])))?;
                return Ok(if arguments[0].contains(&b'/') { 126 } else { 127 });
            }
            _ => {}
        }
        let launch = Launch {
            argv: arguments,
            environment: self.state.variables.environment(),
            folder: self.state.folder.clone(),
            umask: self.state.umask,
            descriptors: self.state.descriptors.clone(),
        };
        let shown = launch.argv.clone();
        self.mark();
        match exec::run(self.machine, program, launch) {
            Ok(Status(status)) => Ok(u32::from(status)),
            Err(fatal) => Err(self.always_at(shown, fatal)),
        }
    }

    /// Says where a fatal error is that came up between commands: in an expansion, a redirection, a loop.
    pub(super) fn placed(&self, unwind: Unwind) -> Unwind {
        match unwind {
            Unwind::Fatal(fatal) => self.at(Vec::new(), *fatal),
            other => other,
        }
    }

    /// Says where a fatal error is, unless something closer has done so.
    fn at(&self, argv: Vec<Vec<u8>>, fatal: Fatal) -> Unwind {
        match fatal {
            Fatal::At { .. } => fatal.into(),
            fatal => self.always_at(argv, fatal),
        }
    }

    fn always_at(&self, argv: Vec<Vec<u8>>, fatal: Fatal) -> Unwind {
        Fatal::At { script: self.script.to_vec(), line: self.line, argv, source: Box::new(fatal) }.into()
    }
}
