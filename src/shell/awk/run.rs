//! Runs an awk program: records against rules, statements one after the other.

use std::{collections::BTreeMap, rc::Rc};

use bytes::Bytes;

use super::{
    Expression, Pattern, Place, Program, Redirection, RedirectionKind, Rule, Statement, format, known,
    places::Slot,
    random::Random,
    record::{Record, RecordSeparator, Splitter, next_record},
    streams::Streams,
    value::{Value, number_text},
};
use crate::shell::{
    Fatal, Process, Status,
    files::show,
    regex::{Flavour, Regex},
};

/// How patterns are read: mawk's are of bytes.
pub(super) fn flavour() -> Flavour {
    Flavour { extended: true, awk: true, lenient: true, ..Flavour::basic(false) }
}

/// Why a run ends early.
pub(super) enum Stop {
    Fatal(Fatal),
    /// A fault of the program while it runs.
    Error(String),
    /// `exit` inside a function.
    Exit,
}

impl From<Fatal> for Stop {
    fn from(fatal: Fatal) -> Self {
        Self::Fatal(fatal)
    }
}

/// What comes after a statement.
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    NextRecord,
    NextFile,
    Exit,
    Return(Value),
}

/// The file being read.
struct Main {
    text: Bytes,
    at: usize,
}

pub(super) struct Run<'r, 'p, 'm> {
    pub(super) process: &'p mut Process<'m>,
    pub(super) program: &'r Program,
    pub(super) globals: Vec<Slot>,
    /// Locals of all active calls, the last at the end, and where the last begins.
    pub(super) locals: Vec<Slot>,
    pub(super) frame: usize,
    pub(super) calls: u32,
    pub(super) record: Record,
    pub(super) streams: Streams,
    pub(super) random: Random,
    pub(super) seed: Value,
    regexes: BTreeMap<Rc<[u8]>, Rc<Regex>>,
    main: Option<Main>,
    /// The next operand, and whether a file was read.
    operand: usize,
    read_any: bool,
    open_ranges: Vec<bool>,
    status: u8,
}

/// Runs a program with assignments made before `BEGIN`; `arguments` are the operands.
pub(in crate::shell) fn run(
    process: &mut Process<'_>,
    program: &Program,
    assignments: &[(Vec<u8>, Vec<u8>)],
    arguments: &[Vec<u8>],
) -> Result<Status, Fatal> {
    let mut run = Run {
        globals: program.globals.iter().map(|global| Slot::new(global.array)).collect(),
        process,
        program,
        locals: Vec::new(),
        frame: 0,
        calls: 0,
        record: Record::new(),
        streams: Streams::default(),
        random: Random::new(0),
        seed: Value::Number(0.0),
        regexes: BTreeMap::new(),
        main: None,
        operand: 1,
        read_any: false,
        open_ranges: vec![false; program.rules.len()],
        status: 0,
    };
    run.prepare(arguments);
    let result = assignments.iter().try_for_each(|(name, value)| run.assign(name, value)).and_then(|()| run.all());
    let closed = run.streams.close_all(run.process);
    match result {
        Ok(()) => closed.map(|()| Status(run.status)),
        Err(Stop::Fatal(fatal)) => Err(fatal),
        Err(Stop::Error(message)) => {
            run.process.complain(&message)?;
            closed.map(|()| Status(2))
        }
        Err(Stop::Exit) => closed.map(|()| Status(run.status)),
    }
}

impl Run<'_, '_, '_> {
    fn prepare(&mut self, arguments: &[Vec<u8>]) {
        for (index, text) in [
            (known::FS, " "),
            (known::OFS, " "),
            (known::ORS, "\n"),
            (known::RS, "\n"),
            (known::SUBSEP, "\x1c"),
            (known::CONVFMT, "%.6g"),
            (known::OFMT, "%.6g"),
        ] {
            self.set_known(index, Value::text(text.as_bytes()));
        }
        for index in [known::NR, known::FNR] {
            self.set_known(index, Value::Number(0.0));
        }
        self.set_known(known::ARGC, Value::Number(arguments.len() as f64 + 1.0));
        if let Slot::Array(array) = &self.globals[known::ARGV] {
            let mut array = array.borrow_mut();
            let name = self.process.name().to_vec();
            for (index, word) in std::iter::once(&name).chain(arguments).enumerate() {
                array.insert(index.to_string().into_bytes().into(), Value::input(word));
            }
        }
        if let Slot::Array(array) = &self.globals[known::ENVIRON] {
            let mut array = array.borrow_mut();
            for (name, value) in &self.process.environment {
                array.insert(name.as_slice().into(), Value::input(value));
            }
        }
    }

    /// `name=value` from the command line; the value's escapes are made.
    fn assign(&mut self, name: &[u8], value: &[u8]) -> Result<(), Stop> {
        let Some(index) = self.program.globals.iter().position(|global| global.name == name) else { return Ok(()) };
        let mut text = Vec::new();
        let mut at = 0;
        while at < value.len() {
            if value[at] == b'\\' && at + 1 < value.len() {
                at = super::lex::unescape(value, at, &mut text);
            } else {
                text.push(value[at]);
                at += 1;
            }
        }
        if matches!(self.globals[index], Slot::Array(_)) {
            return Err(Stop::Error(format!("cannot command line assign to {}", show(name))));
        }
        self.set(&super::places::Target::Variable(super::Variable::Global(index)), Value::input(&text))
    }

    fn all(&mut self) -> Result<(), Stop> {
        let program = self.program;
        match self.before_end(program) {
            Ok(()) | Err(Stop::Exit) => self.at_end(),
            other => other,
        }
    }

    fn before_end(&mut self, program: &Program) -> Result<(), Stop> {
        for block in &program.begin {
            if let Flow::Exit = self.block(block)? {
                return Ok(());
            }
        }
        if !(program.rules.is_empty() && program.end.is_empty()) {
            while self.read_main()? {
                if let Flow::Exit = self.rules(&program.rules)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn at_end(&mut self) -> Result<(), Stop> {
        let program = self.program;
        for block in &program.end {
            if let Flow::Exit = self.block(block)? {
                break;
            }
        }
        Ok(())
    }

    fn rules(&mut self, rules: &[Rule]) -> Result<Flow, Stop> {
        for rule in rules {
            let applies = match &rule.pattern {
                Pattern::Always => true,
                Pattern::If(condition) => self.holds(condition)?,
                Pattern::Range(index, first, last) => {
                    let open = self.open_ranges[*index] || self.holds(first)?;
                    self.open_ranges[*index] = open && !self.holds(last)?;
                    open
                }
            };
            if !applies {
                continue;
            }
            let Some(action) = &rule.action else {
                self.print(&[], None)?;
                continue;
            };
            match self.block(action)? {
                Flow::NextRecord => return Ok(Flow::Next),
                Flow::NextFile => {
                    self.main = None;
                    return Ok(Flow::Next);
                }
                Flow::Exit => return Ok(Flow::Exit),
                _ => {}
            }
        }
        Ok(Flow::Next)
    }

    /// The next record of the operands' files, or of standard input, becomes the record.
    pub(super) fn read_main(&mut self) -> Result<bool, Stop> {
        let Some(text) = self.next_main()? else { return Ok(false) };
        self.set_record(text)?;
        Ok(true)
    }

    /// The next record as a text, counted in `NR` and `FNR`.
    pub(super) fn next_main(&mut self) -> Result<Option<Rc<[u8]>>, Stop> {
        loop {
            if self.main.is_none() && !self.open_next()? {
                return Ok(None);
            }
            let separator = self.record_separator()?;
            let Some(main) = &mut self.main else { return Ok(None) };
            match next_record(&main.text, main.at, &separator)? {
                Some((record, next)) => {
                    let record: Rc<[u8]> = record.into();
                    main.at = next;
                    for index in [known::NR, known::FNR] {
                        let number = self.known(index).number() + 1.0;
                        self.set_known(index, Value::Number(number));
                    }
                    return Ok(Some(record));
                }
                None => self.main = None,
            }
        }
    }

    /// Opens the next file among the operands, making the assignments before it.
    fn open_next(&mut self) -> Result<bool, Stop> {
        loop {
            let count = self.known(known::ARGC).number();
            if self.operand as f64 >= count {
                if self.read_any {
                    return Ok(false);
                }
                return self.open(b"-").map(|()| true);
            }
            let operand = match &self.globals[known::ARGV] {
                Slot::Array(array) => array.borrow().get(self.operand.to_string().as_bytes()).cloned(),
                Slot::Scalar(_) => None,
            };
            self.operand += 1;
            let text = operand.map(|value| self.text_of(&value)).unwrap_or_default();
            if text.is_empty() {
                continue;
            }
            if let Some((name, value)) = assignment(&text) {
                self.assign(name, value)?;
                continue;
            }
            return self.open(&text).map(|()| true);
        }
    }

    fn open(&mut self, name: &[u8]) -> Result<(), Stop> {
        self.read_any = true;
        self.set_known(known::FNR, Value::Number(0.0));
        self.set_known(known::FILENAME, Value::input(name));
        match self.process.read_file(name) {
            Ok(text) => {
                self.main = Some(Main { text, at: 0 });
                Ok(())
            }
            Err(error) => Err(Stop::Error(format!("cannot open {} ({})", show(name), error.errno))),
        }
    }

    pub(super) fn set_record(&mut self, text: Rc<[u8]>) -> Result<(), Stop> {
        let splitter = self.field_splitter()?;
        self.record.set(text, splitter);
        Ok(())
    }

    fn field_splitter(&mut self) -> Result<Rc<Splitter>, Stop> {
        let separator = self.known(known::FS);
        Ok(Rc::new(self.splitter(&separator)?))
    }

    pub(super) fn splitter(&mut self, separator: &Value) -> Result<Splitter, Stop> {
        let text = self.text_of(separator);
        Ok(match &*text {
            b" " => Splitter::Blanks,
            b"" => Splitter::Nothing,
            [byte] => Splitter::Byte(*byte),
            _ => Splitter::Regex(self.regex(&text)?),
        })
    }

    pub(super) fn record_separator(&mut self) -> Result<RecordSeparator, Stop> {
        let text = self.known_text(known::RS);
        Ok(match &*text {
            b"" => RecordSeparator::Paragraph,
            [byte] => RecordSeparator::Byte(*byte),
            _ => RecordSeparator::Regex(self.regex(&text)?),
        })
    }

    /// A text as a pattern, compiled once.
    pub(super) fn regex(&mut self, text: &Rc<[u8]>) -> Result<Rc<Regex>, Stop> {
        if let Some(regex) = self.regexes.get(text) {
            return Ok(Rc::clone(regex));
        }
        let regex = Regex::new(text, flavour())
            .map_err(|error| Stop::Error(format!("regular expression compile failed ({error})\n{}", show(text))))?;
        let regex = Rc::new(regex);
        self.regexes.insert(Rc::clone(text), Rc::clone(&regex));
        Ok(regex)
    }

    pub(super) fn block(&mut self, block: &[Statement]) -> Result<Flow, Stop> {
        for statement in block {
            match self.statement(statement)? {
                Flow::Next => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    // table: one arm a statement
    fn statement(&mut self, statement: &Statement) -> Result<Flow, Stop> {
        match statement {
            Statement::Expression(expression) => {
                self.evaluate(expression)?;
            }
            Statement::Print { values, to } => self.print(values, to.as_ref())?,
            Statement::Printf { values, to } => {
                let mut text = Vec::new();
                let result = self.formatted(values, &mut text);
                self.write(&text, to.as_ref())?;
                result?;
            }
            Statement::If(condition, then, other) => {
                return if self.holds(condition)? { self.block(then) } else { self.block(other) };
            }
            Statement::While(condition, body) => return self.repeat(Some(condition), None, body),
            Statement::DoWhile(body, condition) => {
                return match self.block(body)? {
                    Flow::Next | Flow::Continue => self.repeat(Some(condition), None, body),
                    Flow::Break => Ok(Flow::Next),
                    other => Ok(other),
                };
            }
            Statement::For { init, condition, step, body } => {
                if let Some(init) = init {
                    self.statement(init)?;
                }
                return self.repeat(condition.as_ref(), step.as_deref(), body);
            }
            Statement::ForIn { key, array, body } => return self.each(key, *array, body),
            Statement::Block(block) => return self.block(block),
            Statement::Next => return Ok(Flow::NextRecord),
            Statement::NextFile => return Ok(Flow::NextFile),
            Statement::Exit(value) => {
                if let Some(value) = value {
                    let status = self.evaluate(value)?.number();
                    self.status = (status as i64 & 0xff) as u8;
                }
                return Ok(Flow::Exit);
            }
            Statement::Return(value) => {
                let value = value.as_ref().map(|value| self.evaluate(value)).transpose()?;
                return Ok(Flow::Return(value.unwrap_or(Value::Nothing)));
            }
            Statement::Break => return Ok(Flow::Break),
            Statement::Continue => return Ok(Flow::Continue),
            Statement::Delete(array, keys) => {
                let array = self.array(*array)?;
                if keys.is_empty() {
                    array.borrow_mut().clear();
                } else {
                    let key = self.key(keys)?;
                    array.borrow_mut().remove(&key);
                }
            }
        }
        Ok(Flow::Next)
    }

    fn repeat(
        &mut self,
        condition: Option<&Expression>,
        step: Option<&Statement>,
        body: &[Statement],
    ) -> Result<Flow, Stop> {
        loop {
            self.process.machine.step()?;
            if let Some(condition) = condition
                && !self.holds(condition)?
            {
                return Ok(Flow::Next);
            }
            match self.block(body)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Ok(Flow::Next),
                other => return Ok(other),
            }
            if let Some(step) = step {
                self.statement(step)?;
            }
        }
    }

    /// The keys that the array has at the start, in the order of their bytes.
    fn each(&mut self, key: &Place, array: super::Variable, body: &[Statement]) -> Result<Flow, Stop> {
        let array = self.array(array)?;
        let keys: Vec<Rc<[u8]>> = array.borrow().keys().cloned().collect();
        for name in keys {
            if !array.borrow().contains_key(&name) {
                continue;
            }
            self.process.machine.step()?;
            let target = self.target(key)?;
            self.set(&target, Value::Text(name))?;
            match self.block(body)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Ok(Flow::Next),
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, values: &[Expression], to: Option<&Redirection>) -> Result<(), Stop> {
        let mut text = Vec::new();
        if values.is_empty() {
            let record = self.get(&super::places::Target::Field(0))?;
            text.extend_from_slice(&self.text_of(&record));
        }
        let (between, conversion) = (self.known_text(known::OFS), self.known_text(known::OFMT));
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                text.extend_from_slice(&between);
            }
            match self.evaluate(value)? {
                Value::Number(number) => text.extend_from_slice(&number_text(number, &conversion)),
                value => text.extend_from_slice(&self.text_of(&value)),
            }
        }
        text.extend_from_slice(&self.known_text(known::ORS));
        self.write(&text, to)
    }

    /// The text of `printf`, to where it fails.
    pub(super) fn formatted(&mut self, values: &[Expression], out: &mut Vec<u8>) -> Result<(), Stop> {
        let values: Vec<Value> = values.iter().map(|value| self.evaluate(value)).collect::<Result<_, _>>()?;
        let Some((text, values)) = values.split_first() else { return Ok(()) };
        let text = self.text_of(text);
        format::format(&text, values, &self.known_text(known::CONVFMT), out).map_err(Stop::Error)
    }

    fn write(&mut self, text: &[u8], to: Option<&Redirection>) -> Result<(), Stop> {
        let Some(Redirection { kind, target }) = to else { return Ok(self.streams.print(self.process, text)?) };
        let target = self.evaluate(target)?;
        let name = self.text_of(&target);
        if name.is_empty() && *kind != RedirectionKind::Pipe {
            return Err(Stop::Error("null file name in print redirection".to_owned()));
        }
        if self.streams.write(self.process, *kind, &name, text)? {
            return Ok(());
        }
        let what = if *kind == RedirectionKind::Pipe { "pipe" } else { "file" };
        Err(Stop::Error(format!("cannot open {what} \"{}\" for output", show(&name))))
    }
}

/// An operand that assigns: a name, `=`, a value.
fn assignment(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = text.iter().position(|b| *b == b'=')?;
    let name = &text[..equals];
    is_name(name).then(|| (name, &text[equals + 1..]))
}

/// Whether a variable may be called so.
pub(in crate::shell) fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
        && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}
