//! Files and commands that an awk program reads and writes, open from their first use until they are closed.

use bytes::Bytes;

use super::{RedirectionKind, run::Stop};
use crate::{
    shell::{Descriptor, Fatal, Launch, OpenFile, Process, exec, open::How},
    tree::Errno,
};

/// Standard output is written in parts of this size, as the C library does for what is no terminal.
const BLOCK: usize = 4096;

/// Standard output among the outputs.
const STANDARD: &[u8] = b"/dev/stdout";

/// What a program has open.
#[derive(Debug)]
pub(super) struct Streams {
    /// The last used is the last here and the first to end.
    outputs: Vec<Output>,
    pub(super) inputs: Vec<Input>,
    /// Not yet on standard output: what is printed after `| "sort"` mostly comes behind what that sorts.
    held: Vec<u8>,
}

impl Default for Streams {
    fn default() -> Self {
        let standard = Output { name: STANDARD.to_vec(), to: To::Standard };
        Self { outputs: vec![standard], inputs: Vec::new(), held: Vec::new() }
    }
}

#[derive(Debug)]
struct Output {
    name: Vec<u8>,
    to: To,
}

#[derive(Debug)]
enum To {
    Standard,
    File(Descriptor),
    /// A command, which runs when it is closed, and what it will read.
    Command(Vec<u8>),
}

/// A file, or what a command has written.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) name: Vec<u8>,
    pub(super) command: bool,
    pub(super) text: Bytes,
    pub(super) at: usize,
    status: u8,
}

impl Streams {
    /// Writes to standard output.
    pub(super) fn print(&mut self, process: &mut Process<'_>, text: &[u8]) -> Result<(), Fatal> {
        self.held.extend_from_slice(text);
        let whole = self.held.len() - self.held.len() % BLOCK;
        if whole > 0 {
            process.out(&self.held[..whole])?;
            self.held.drain(..whole);
        }
        Ok(())
    }

    /// Standard output is up to date afterwards, as it is before every command that is started.
    pub(super) fn flush(&mut self, process: &mut Process<'_>) -> Result<(), Fatal> {
        match std::mem::take(&mut self.held).as_slice() {
            [] => Ok(()),
            text => process.out(text),
        }
    }

    pub(super) fn is_output(&self, name: &[u8]) -> bool {
        self.outputs.iter().any(|output| output.name == name)
    }

    /// Writes to a file or command; false when the file can't be opened.
    pub(super) fn write(
        &mut self,
        process: &mut Process<'_>,
        kind: RedirectionKind,
        name: &[u8],
        text: &[u8],
    ) -> Result<bool, Fatal> {
        let command = kind == RedirectionKind::Pipe;
        let name = match name {
            b"/dev/stderr" if !command => return process.write(2, text).map(|()| true),
            b"-" if !command => STANDARD,
            name => name,
        };
        let known = |output: &Output| output.name == name && matches!(output.to, To::Command(_)) == command;
        let mut output = match self.outputs.iter().position(known) {
            Some(index) => self.outputs.remove(index),
            None => match self.open(process, kind, name)? {
                Some(to) => Output { name: name.to_vec(), to },
                None => return Ok(false),
            },
        };
        let result = match &mut output.to {
            To::Standard => self.print(process, text),
            to => write_to(process, to, text),
        };
        self.outputs.push(output);
        result.map(|()| true)
    }

    fn open(&mut self, process: &mut Process<'_>, kind: RedirectionKind, name: &[u8]) -> Result<Option<To>, Fatal> {
        if kind == RedirectionKind::Pipe {
            self.flush(process)?;
            return Ok(Some(To::Command(Vec::new())));
        }
        let how = if kind == RedirectionKind::Append { How::Append } else { How::Write { exclusive: false } };
        let path = process.absolute(name);
        Ok(process.machine.open(&path, how, process.umask, &process.descriptors).ok().map(To::File))
    }

    /// The input of this name, opened if it is not; `None` when it can't be.
    pub(super) fn input(
        &mut self,
        process: &mut Process<'_>,
        name: &[u8],
        command: bool,
    ) -> Result<Option<&mut Input>, Stop> {
        if let Some(index) = self.inputs.iter().position(|input| input.name == name && input.command == command) {
            return Ok(self.inputs.get_mut(index));
        }
        let (text, status) = if command {
            self.flush(process)?;
            let out = OpenFile::buffer(Vec::new());
            let status = run(process, name, None, Some(&out))?;
            (OpenFile::take(&out).into(), status)
        } else {
            match process.read_file(name) {
                Ok(text) => (text, 0),
                Err(error) if error.errno == Errno::IsDirectory => {
                    return Err(Stop::Error(format!("read error ({})", error.errno)));
                }
                Err(_) => return Ok(None),
            }
        };
        self.inputs.push(Input { name: name.to_vec(), command, text, at: 0, status });
        Ok(self.inputs.last_mut())
    }

    /// Closes what has this name: the status, or -1 when nothing has.
    pub(super) fn close(&mut self, process: &mut Process<'_>, name: &[u8]) -> Result<i32, Fatal> {
        let mut status = -1;
        while let Some(index) = self.inputs.iter().position(|input| input.name == name) {
            status = i32::from(self.inputs.remove(index).status);
        }
        while let Some(index) = self.outputs.iter().position(|output| output.name == name) {
            if name == STANDARD {
                self.flush(process)?;
                return Ok(0);
            }
            status = finish(process, self.outputs.remove(index))?;
        }
        Ok(status)
    }

    pub(super) fn close_all(&mut self, process: &mut Process<'_>) -> Result<(), Fatal> {
        while let Some(output) = self.outputs.pop() {
            match output.to {
                To::Standard => self.flush(process)?,
                _ => finish(process, output).map(|_| ())?,
            }
        }
        Ok(())
    }
}

fn write_to(process: &mut Process<'_>, to: &mut To, text: &[u8]) -> Result<(), Fatal> {
    match to {
        To::Standard => process.out(text),
        To::File(descriptor) => process.machine.write(descriptor, text),
        To::Command(held) => {
            let limit = process.machine.limits.bytes;
            if (held.len() + text.len()) as u64 > limit {
                return Err(Fatal::Limit { what: "bytes in a pipe", limit });
            }
            held.extend_from_slice(text);
            Ok(())
        }
    }
}

fn finish(process: &mut Process<'_>, output: Output) -> Result<i32, Fatal> {
    match output.to {
        To::Standard | To::File(_) => Ok(0),
        To::Command(input) => run(process, &output.name, Some(input), None).map(i32::from),
    }
}

/// Runs a command line of the shell, with its own input or output where given.
pub(super) fn run(
    process: &mut Process<'_>,
    command: &[u8],
    input: Option<Vec<u8>>,
    output: Option<&Descriptor>,
) -> Result<u8, Fatal> {
    process.machine.step()?;
    let mut descriptors = process.descriptors.clone();
    if let Some(input) = input {
        descriptors.insert(0, OpenFile::buffer(input));
    }
    if let Some(output) = output {
        descriptors.insert(1, output.clone());
    }
    let launch = Launch {
        argv: vec![b"/bin/sh".to_vec(), b"-c".to_vec(), command.to_vec()],
        environment: process.environment.clone(),
        folder: process.folder.clone(),
        umask: process.umask,
        descriptors,
    };
    exec::execute(process.machine, launch).map(|status| status.0)
}
